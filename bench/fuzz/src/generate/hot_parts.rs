//! Statements and expressions of hot programs. Must stay true: ints are kept small most of the time, or nothing would run
//! to its end; what grows is cut.

use super::Generator;
use super::hot::Hot;

impl Generator {
    /// A statement inside of a hot loop.
    pub(super) fn hot_statement(&mut self, hot: &mut Hot, deep: usize) {
        match self.rng.below(30) {
            0..=4 => self.hot_set_int(hot),
            5 | 6 => {
                let (to, value) = (self.rng.pick(&hot.floats).clone(), self.hot_float(hot, 2));
                self.line(&format!("{to} = {value}"));
            }
            7 if !hot.bools.is_empty() => {
                let (to, value) = (self.rng.pick(&hot.bools).clone(), self.hot_bool(hot, 2));
                self.line(&format!("{to} = {value}"));
            }
            8 if !hot.texts.is_empty() => self.hot_set_text(hot),
            9..=11 if !hot.int_lists.is_empty() => self.hot_lists(hot),
            12 | 13 if !hot.records.is_empty() => self.hot_records(hot),
            14 if !hot.maps.is_empty() => {
                let (map, value) = (self.rng.pick(&hot.maps).clone(), self.hot_int(hot, 1));
                let key = self.hot_small(hot);
                self.line(&format!("{map}[\"k{{{key} % 5}}\"] = {value}"));
            }
            15 | 16 => {
                let condition = self.hot_bool(hot, 2);
                self.block(&format!("if {condition}"), |g| g.hot_statements(hot, deep));
                if self.rng.one_in(2) {
                    self.out.truncate(self.out.trim_end().len());
                    let at = self.out.len();
                    self.block(" else", |g| g.hot_statements(hot, deep));
                    // The block begins a line; it belongs to the last one.
                    let rest = self.out.split_off(at);
                    self.out.push_str(&format!(" {}", rest.trim_start()));
                }
            }
            17 | 18 => self.hot_try(hot, deep),
            19 | 20 => self.hot_jump(hot),
            21 if deep > 0 && hot.weight < 200 && !hot.int_lists.is_empty() => {
                self.hot_loop(hot, 4, deep - 1);
            }
            22 if hot.weight < 60 => {
                let (turn, value) = (self.hot_small(hot), self.hot_int(hot, 1));
                self.line(&format!(
                    "if {turn} % 8 == 3 {{ print(\"at {{{value}}}\") }}"
                ));
            }
            23 if !hot.int_lists.is_empty() => self.hot_steps(hot),
            24 if !hot.anys.is_empty() => self.hot_any(hot),
            25 if hot.weight < 40 && !hot.texts.is_empty() => self.hot_entity(hot),
            26..=29 if !hot.rows.is_empty() => self.hot_nested(hot),
            _ => self.hot_set_int(hot),
        }
    }

    fn hot_set_int(&mut self, hot: &Hot) {
        let to = self.rng.pick(&hot.ints).clone();
        let value = self.hot_int(hot, 2);
        let line = match self.rng.below(8) {
            // These overflow sooner or later.
            0 => format!("{to} = {to} * 3 + {value}"),
            1 => format!("{to} {}= {value}", self.rng.pick(&["+", "-"])),
            2 => format!("{to}{}", self.rng.pick(&["++", "--"])),
            3 => format!("{to} = {value}"),
            _ => format!("{to} = ({value}) % 10007"),
        };
        self.line(&line);
    }

    fn hot_set_text(&mut self, hot: &Hot) {
        let to = self.rng.pick(&hot.texts).clone();
        let (other, value) = (self.rng.pick(&hot.texts).clone(), self.hot_int(hot, 1));
        let line = match self.rng.below(5) {
            0 => format!("{to} = \"{{{value}}}{{{other}[:6]}}\""),
            1 => format!("{to} = {to}[:20] + {other}[-3:]"),
            2 => format!("{to} = {other}[1:].upper + \"é\""),
            3 => format!("{to} = {other}[({value}) % 3]"),
            _ => format!("{to} += \"x\""),
        };
        self.line(&line);
        self.line(&format!("if {to}.len > 24 {{ {to} = {to}[:4] }}"));
    }

    fn hot_lists(&mut self, hot: &Hot) {
        let (ints, floats) = (
            self.rng.pick(&hot.int_lists).clone(),
            self.rng.pick(&hot.float_lists).clone(),
        );
        let (texts, bools) = (
            self.rng.pick(&hot.text_lists).clone(),
            self.rng.pick(&hot.bool_lists).clone(),
        );
        let (small, value) = (self.hot_small(hot), self.hot_int(hot, 1));
        let (float, truth) = (self.hot_float(hot, 1), self.hot_bool(hot, 1));
        let text = self.rng.pick(&hot.texts).clone();
        let line = match self.rng.below(16) {
            0..=2 => format!("{ints}.push({value})"),
            3 => format!("{ints}[{small} % 7 - 3] = {value}"),
            4 => format!("{ints}[{small} % {ints}.len] = {value}"),
            5 => format!("{ints}[-1] = {ints}[0]"),
            6 => format!("{ints} = {ints}[:12]"),
            7 => format!("{floats}.push({float})"),
            8 => format!("{floats}[{small} % 3] = {float}"),
            9 => format!("{texts}.push({text})"),
            10 => format!("{texts}[{small} % 2] = {text}"),
            11 => format!("{bools}[{small} % 4] = {truth}"),
            12 => format!("{bools}.push({truth})"),
            13 => format!("{ints}.pop()"),
            // The function sees it as a list of floats, and changes it.
            14 => {
                let to = self.rng.pick(&hot.floats).clone();
                format!("{to} = lent(hidden({ints}))")
            }
            _ => format!("hidden({floats}).push({value})"),
        };
        self.line(&line);
        if line.contains("push") {
            let name = line.split('.').next().unwrap_or_default();
            let name = name.trim_start_matches("hidden(").trim_end_matches(')');
            self.line(&format!("if {name}.len > 40 {{ {name} = {name}[5:10] }}"));
        }
    }

    fn hot_records(&mut self, hot: &mut Hot) {
        let record = self.rng.pick(&hot.records).clone();
        let (value, float) = (self.hot_int(hot, 1), self.hot_float(hot, 1));
        let (truth, small) = (self.hot_bool(hot, 1), self.hot_small(hot));
        let text = self.rng.pick(&hot.texts).clone();
        let line = match self.rng.below(9) {
            0 | 1 => format!("{record}.x = ({value}) % 5003"),
            2 => format!("{record}.x += {small}"),
            3 => format!("{record}.y = {float}"),
            4 => format!("{record}.s = {text}[:9]"),
            5 => format!("{record}.ok = {truth}"),
            // It becomes a dictionary, which typed code does not know.
            6 => format!(
                "if {small} % 9 == 5 {{ hidden({record})[\"z{{{small} % 3}}\"] = {value} }}"
            ),
            7 => format!("if {small} % 11 == 7 {{ hidden({record}).x = {small} }}"),
            _ => {
                let other = self.rng.pick(&hot.records).clone();
                let swapped = self.name("v");
                self.line(&format!("{swapped} = {record}"));
                self.line(&format!("{record} = {other}"));
                format!("{other} = {swapped}")
            }
        };
        self.line(&line);
    }

    fn hot_try(&mut self, hot: &mut Hot, deep: usize) {
        let (to, small) = (self.rng.pick(&hot.ints).clone(), self.hot_small(hot));
        if self.rng.one_in(3) {
            let value = self.hot_int(hot, 2);
            return self.line(&format!(
                "{to} = try {{ {value} / {small} }} catch {{ {small} - 7 }}"
            ));
        }
        let error = self.name("e");
        self.block("try", |g| g.hot_statements(hot, deep));
        self.out.truncate(self.out.trim_end().len());
        let at = self.out.len();
        self.block(&format!(" catch {error}"), |g| {
            g.line(&format!("{to} = {to} % 100"));
            if hot.weight < 60 {
                g.line(&format!("print(\"{{{error}.kind}} {{{small}}}\")"));
            }
            if g.rng.one_in(3) {
                g.hot_statements(hot, deep);
            }
        });
        let rest = self.out.split_off(at);
        self.out.push_str(&format!(" {}", rest.trim_start()));
    }

    fn hot_jump(&mut self, hot: &Hot) {
        let condition = match self.rng.below(2) {
            0 => self.hot_bool(hot, 2),
            _ => format!("{} % 23 == 11", self.hot_small(hot)),
        };
        let Some(last) = hot.labels.last() else {
            return self.hot_set_int(hot);
        };
        let named: Vec<&String> = hot
            .labels
            .iter()
            .filter(|label| !label.is_empty())
            .collect();
        let target = if !named.is_empty() && self.rng.one_in(2) {
            format!(" '{}", self.rng.pick(&named))
        } else if last.is_empty() {
            String::new()
        } else {
            format!(" '{last}")
        };
        let line = match self.rng.below(8) {
            0 if hot.in_function => {
                let value = self.hot_int(hot, 1);
                format!("if {condition} {{ return {value} }}")
            }
            1 => format!("if {condition} {{ fail(\"Made\", \"here\") }}"),
            2..=4 => format!("if {condition} {{ continue{target} }}"),
            _ => format!("if {condition} {{ break{target} }}"),
        };
        self.line(&line);
    }

    /// `map`, `filter`, `reduce` with functions that use variables around them.
    fn hot_steps(&mut self, hot: &Hot) {
        let (to, list) = (
            self.rng.pick(&hot.ints).clone(),
            self.rng.pick(&hot.int_lists).clone(),
        );
        let (p, q, small) = (self.name("p"), self.name("p"), self.hot_small(hot));
        let kept = self.rng.pick(&hot.ints).clone();
        let line = match self.rng.below(6) {
            0 => format!(
                "{to} = {list}.map({p} => {p} % 100 + {small}).filter({p} => {p} > {kept} % 50).len"
            ),
            1 => format!("{to} = {list}[:8].reduce({small}, ({p}, {q}) => ({p} * 3 + {q}) % 1009)"),
            2 => format!("{list} = {list}[:10].map({p} => ({p} + {kept}) % 211)"),
            3 => format!("{list} = {list}[:10].sort_by({p} => ({p} % 5) * 100 - {p} % 100)"),
            4 => format!("{list}[:9].each({p} => {{ {to} = ({to} + {p}) % 7919 }})"),
            _ => format!("{to} = {list}[:9].map({p} => {p} / ({kept} % 4)).sum"),
        };
        self.line(&line);
    }

    fn hot_any(&mut self, hot: &Hot) {
        let (any, small) = (self.rng.pick(&hot.anys).clone(), self.hot_small(hot));
        let to = self.rng.pick(&hot.ints).clone();
        let name = self.name("v");
        self.line(&format!("{name} = {any}[{small} % 6]"));
        let line = match self.rng.below(4) {
            0 => format!("if {name} is int {{ {to} = ({to} + {name}) % 4001 }}"),
            1 => {
                format!("{any}[{small} % 3] = try {{ plus({name}, {small}) }} catch {{ {small} }}")
            }
            2 => format!("if {name} {{ {to} = {small} }}"),
            _ => format!("{any}[{small} % 6] = {small}"),
        };
        self.line(&line);
    }

    fn hot_entity(&mut self, hot: &Hot) {
        let (small, text) = (self.hot_small(hot), self.rng.pick(&hot.texts).clone());
        let float = self.rng.pick(&hot.floats).clone();
        let name = self.name("v");
        let line = match self.rng.below(3) {
            0 => format!("save Item {{ title: {text}[:9], qty: {small}, price: {float} }}"),
            1 => format!(
                "if Item.count > 3 {{ {name} = Item.find(1 + {small} % 5)\n  if {name} != none {{ {name}.qty += 1\n    save {name} }} }}"
            ),
            _ => format!(
                "if Item.count > 8 {{ {name} = Item.first\n  if {name} != none {{ delete {name} }} }}"
            ),
        };
        self.line(&format!("if {small} % 5 == 1 {{ {line} }}"));
    }

    /// A small int: a variable of the turns, or a literal.
    pub(super) fn hot_small(&mut self, hot: &Hot) -> String {
        if hot.turns.is_empty() || self.rng.one_in(6) {
            return self.rng.below(9).to_string();
        }
        self.rng.pick(&hot.turns).clone()
    }

    /// An int, in parentheses if it is more than a name.
    pub(super) fn hot_int(&mut self, hot: &Hot, depth: usize) -> String {
        if depth == 0 || self.rng.one_in(4) {
            return match self.rng.below(4) {
                0 => self.hot_small(hot),
                1 => self.rng.below(20).to_string(),
                _ => self.rng.pick(&hot.ints).clone(),
            };
        }
        let (a, b) = (self.hot_int(hot, depth - 1), self.hot_int(hot, depth - 1));
        let small = self.hot_small(hot);
        match self.rng.below(20) {
            0..=2 => format!("({a} + {b})"),
            3 | 4 => format!("({a} - {b})"),
            5 => format!("({a} * {b})"),
            6 => format!("({a} * {} % 1009)", 1 + self.rng.below(9)),
            7 => format!("({a} / {})", self.rng.pick(&["2", "7", "-3", "-1"])),
            8 => format!("({a} % {b})"),
            9 => format!("(-{a})"),
            10 => {
                let condition = self.hot_bool(hot, depth - 1);
                format!("(if {condition} then {a} else {b})")
            }
            11 if !hot.helpers.is_empty() => {
                let (name, f) = (self.rng.pick(&hot.helpers).clone(), self.hot_float(hot, 0));
                format!("{name}({a}, {f})")
            }
            12 if !hot.deep.is_empty() => {
                let name = self.rng.pick(&hot.deep).clone();
                format!("{name}({small} % {}, {b})", self.rng.pick(&[4, 9, 30]))
            }
            13 if !hot.closures.is_empty() => {
                format!("{}({a})", self.rng.pick(&hot.closures))
            }
            14 if !hot.int_lists.is_empty() => {
                format!("{}[{small} % 5 - 2]", self.rng.pick(&hot.int_lists))
            }
            15 if !hot.int_lists.is_empty() => {
                let list = self.rng.pick(&hot.int_lists).clone();
                format!("{list}[{small} % {list}.len]")
            }
            16 if !hot.records.is_empty() => format!("{}.x", self.rng.pick(&hot.records)),
            17 if !hot.maps.is_empty() => {
                format!(
                    "({}[\"k{{{small} % 4}}\"] ?: {b})",
                    self.rng.pick(&hot.maps)
                )
            }
            18 if !hot.texts.is_empty() => format!("{}.len", self.rng.pick(&hot.texts)),
            19 => format!("(match {small} {{ 0 -> {a}, 1 | 2 -> {b}, _ -> 3 }})"),
            _ => format!("min({a}, {b})"),
        }
    }

    pub(super) fn hot_float(&mut self, hot: &Hot, depth: usize) -> String {
        if depth == 0 || self.rng.one_in(4) {
            return match self.rng.below(4) {
                0 => format!("{}.5", self.rng.below(9)),
                _ => self.rng.pick(&hot.floats).clone(),
            };
        }
        let (a, b) = (
            self.hot_float(hot, depth - 1),
            self.hot_float(hot, depth - 1),
        );
        let int = self.hot_int(hot, 0);
        match self.rng.below(10) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * 0.75)"),
            3 => format!("({a} / {b})"),
            4 => format!("({a} + {int} * 0.5)"),
            5 if !hot.float_lists.is_empty() => {
                format!(
                    "{}[{} % 2]",
                    self.rng.pick(&hot.float_lists),
                    self.hot_small(hot)
                )
            }
            6 if !hot.records.is_empty() => format!("{}.y", self.rng.pick(&hot.records)),
            7 => format!("sqrt(abs({a}))"),
            8 => format!("({a} % 3.5)"),
            _ => format!("(-{a})"),
        }
    }

    fn hot_bool(&mut self, hot: &Hot, depth: usize) -> String {
        if (depth == 0 || self.rng.one_in(5)) && !hot.bools.is_empty() {
            return self.rng.pick(&hot.bools).clone();
        }
        let d = depth.saturating_sub(1);
        match self.rng.below(8) {
            0 | 1 => {
                let sign = *self.rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("({} {sign} {})", self.hot_int(hot, d), self.hot_int(hot, d))
            }
            2 => {
                let sign = *self.rng.pick(&["<", "<=", ">", "==", "!="]);
                format!(
                    "({} {sign} {})",
                    self.hot_float(hot, d),
                    self.hot_float(hot, d)
                )
            }
            3 => format!("({} % {} == 1)", self.hot_small(hot), 2 + self.rng.below(5)),
            4 if d > 0 => format!("(!{})", self.hot_bool(hot, d)),
            5 if d > 0 => format!("({} && {})", self.hot_bool(hot, d), self.hot_bool(hot, d)),
            6 if !hot.records.is_empty() => format!("{}.ok", self.rng.pick(&hot.records)),
            7 if !hot.texts.is_empty() => {
                let text = self.text_literal();
                format!("({} < {text})", self.rng.pick(&hot.texts))
            }
            _ => format!("({} < {})", self.hot_int(hot, d), self.hot_int(hot, d)),
        }
    }
}
