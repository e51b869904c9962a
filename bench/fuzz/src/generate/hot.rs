//! Programs for comparing engines: functions with many typed variables and loops that turn often enough to become native
//! code, with whatever may happen in the middle of one. Here, apart from the statements that try every form once, because
//! mistakes of a compiler sit where values live across loops, calls, errors and jumps. Must stay true: as for every
//! generated program; all that was computed is printed at the end, so nothing that is lost stays unseen.

use super::Generator;

/// Body executions of one function's loops, about.
const TURNS_MAX: u64 = 600;

/// The variables of the function that is being written, by type.
#[derive(Clone, Debug, Default)]
pub(super) struct Hot {
    pub(super) ints: Vec<String>,
    pub(super) floats: Vec<String>,
    pub(super) bools: Vec<String>,
    pub(super) texts: Vec<String>,
    /// Lists of ints, floats, texts, bools; records `{ x: int, y: float, s: text, ok: bool }`; maps from text to int;
    /// closures `(int) -> int`; values of any type.
    pub(super) int_lists: Vec<String>,
    pub(super) float_lists: Vec<String>,
    pub(super) text_lists: Vec<String>,
    pub(super) bool_lists: Vec<String>,
    pub(super) records: Vec<String>,
    pub(super) maps: Vec<String>,
    pub(super) closures: Vec<String>,
    pub(super) anys: Vec<String>,
    /// Lists of records `{ n: int, w: float }`, lists of lists of ints, maps of maps, values of the enum `Choice`.
    pub(super) rows: Vec<String>,
    pub(super) grids: Vec<String>,
    pub(super) nests: Vec<String>,
    pub(super) choices: Vec<String>,
    /// Ints that may be read only: of the turns.
    pub(super) turns: Vec<String>,
    pub(super) labels: Vec<String>,
    /// How often the current place is executed.
    pub(super) weight: u64,
    /// Functions `(int, float) -> int` of the program, and `(int, int) -> int` that call themselves.
    pub(super) helpers: Vec<String>,
    pub(super) deep: Vec<String>,
    /// Whether `return` leaves a function of ints here.
    pub(super) in_function: bool,
}

impl Generator {
    /// A program whose loops are hot.
    pub(super) fn hot_program(&mut self, size: usize) {
        self.line("entity Item { title: text, qty: int = 1, price: float = 1.5 }");
        self.line("enum Choice { Empty, Number(int), Both(int, float) }");
        self.line("fn hidden(p1: any) -> any { p1 }");
        self.line("fn plus(p1: any, p2: any) -> any { p1 + p2 }");
        self.line(
            "fn lent(p1: [float]) -> float { v1 = 0.0\n  for v2 in p1 { v1 += v2 }\n  if p1.len > 0 { p1[0] = v1 * 0.5 }\n  v1 }",
        );
        let mut known = Hot::default();
        for _ in 0..1 + self.rng.below(3) {
            self.hot_helper(&mut known);
        }
        let functions = 1 + self.rng.below(3);
        for _ in 0..functions {
            self.hot_function(&known, size);
        }
        if self.rng.one_in(2) {
            // The top level is a function, too, and its variables are seen by other functions.
            let mut top = known.clone();
            top.weight = 1;
            self.hot_variables(&mut top);
            let error = self.name("e");
            self.block("try", |g| {
                let mut inner = top.clone();
                g.hot_loop(&mut inner, size.min(8), 2);
            });
            self.appended(&format!(
                " catch {error} {{ print(\"{{{error}.kind}}: {{{error}.message}}\") }}"
            ));
            self.hot_print(&top);
        }
        self.line("for i9 in Item.order(qty) { print(\"{i9.id} {i9.title} {i9.qty} {i9.price} {i9.version}\") }");
    }

    /// Appends to the last line.
    fn appended(&mut self, text: &str) {
        self.out.truncate(self.out.trim_end().len());
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn hot_helper(&mut self, known: &mut Hot) {
        let (name, a, b) = (self.name("f"), self.name("p"), self.name("p"));
        if self.rng.one_in(2) {
            self.block(&format!("fn {name}({a}: int, {b}: int) -> int"), |g| {
                let most = g.rng.pick(&[0_usize, 1, 3]) + 1;
                g.line(&format!("if {a} <= 0 {{ return {b} }}"));
                let step = *g.rng.pick(&["", " * 2", " * 2 - 1", " + 7"]);
                let value = match g.rng.below(3) {
                    0 => format!("{name}({a} - {most}, {b}{step}) + 1"),
                    1 => format!("if {a} % 2 == 0 {{ {name}({a} - 1, {b}{step}) }} else {{ {name}({a} - 2, {b} + {a}) - 1 }}"),
                    _ => format!("{b} + {name}({a} - 1, {b}{step}) % 1000"),
                };
                g.line(&value);
            });
            known.deep.push(name);
            return;
        }
        let mut own = Hot {
            ints: vec![a.clone()],
            floats: vec![b.clone()],
            weight: TURNS_MAX,
            helpers: known.helpers.clone(),
            in_function: true,
            ..Hot::default()
        };
        self.block(&format!("fn {name}({a}: int, {b}: float) -> int"), |g| {
            for _ in 0..g.rng.below(3) {
                g.hot_statement(&mut own, 1);
            }
            let value = g.hot_int(&own, 2);
            g.line(&value);
        });
        known.helpers.push(name);
    }

    fn hot_function(&mut self, known: &Hot, size: usize) {
        let name = self.name("f");
        let params: Vec<String> = (0..3).map(|_| self.name("p")).collect();
        let mut hot = known.clone();
        hot.weight = 1;
        hot.in_function = true;
        hot.ints.push(params[0].clone());
        hot.floats.push(params[1].clone());
        hot.texts.push(params[2].clone());
        let head = format!(
            "fn {name}({}: int, {}: float, {}: text) -> int",
            params[0], params[1], params[2]
        );
        self.block(&head, |g| {
            g.hot_variables(&mut hot);
            for _ in 0..1 + g.rng.below(2) {
                if g.rng.one_in(3) {
                    let error = g.name("e");
                    g.block("try", |g| {
                        let mut inner = hot.clone();
                        g.hot_loop(&mut inner, size, 2);
                    });
                    g.appended(&format!(
                        " catch {error} {{ print(\"in {{{error}.kind}}\") }}"
                    ));
                } else {
                    let mut inner = hot.clone();
                    g.hot_loop(&mut inner, size, 2);
                }
            }
            g.hot_print(&hot);
            let value = g.hot_int(&hot, 1);
            g.line(&value);
        });
        for _ in 0..1 + self.rng.below(2) {
            let (a, t) = (self.rng.below(40), self.text_literal());
            let f = *self
                .rng
                .pick(&["0.5", "1.0", "-3.75", "1e300", "(0.0 / 0.0)"]);
            let call = format!("{name}({a}, {f}, {t})");
            if self.rng.one_in(8) {
                self.line(&format!("print({call})"));
            } else {
                let error = self.name("e");
                self.line(&format!(
                    "print(try {{ {call} }} catch {error} {{ \"{{{error}.kind}}: {{{error}.message}} {{{error}.trace}}\" }})"
                ));
            }
        }
    }

    /// Declares variables of every kind.
    fn hot_variables(&mut self, hot: &mut Hot) {
        for _ in 0..2 + self.rng.below(6) {
            let value = match self.rng.below(8) {
                0 => (*self.rng.pick(&[
                    "9223372036854775000",
                    "4611686018427387904",
                    "-9223372036854775808",
                ]))
                .to_owned(),
                _ => self.rng.below(30).to_string(),
            };
            let name = self.hot_variable("int", &value);
            hot.ints.push(name);
        }
        for _ in 0..1 + self.rng.below(3) {
            let value = format!("{}.25", self.rng.below(9));
            let name = self.hot_variable("float", &value);
            hot.floats.push(name);
        }
        for _ in 0..1 + self.rng.below(2) {
            let value = *self.rng.pick(&["true", "false"]);
            let name = self.hot_variable("bool", value);
            hot.bools.push(name);
            let value = self.text_literal();
            let name = self.hot_variable("text", &value);
            hot.texts.push(name);
        }
        hot.int_lists.push(self.hot_variable("[int]", "[3, 1, 2]"));
        hot.float_lists
            .push(self.hot_variable("[float]", "[0.5, -1.5]"));
        hot.text_lists
            .push(self.hot_variable("[text]", "[\"a\", \"é\"]"));
        hot.bool_lists
            .push(self.hot_variable("[bool]", "[true, false, true]"));
        hot.maps
            .push(self.hot_variable("[text:int]", "{ k0: 1, k1: 5 }"));
        for _ in 0..1 + self.rng.below(2) {
            let name = self.name("v");
            self.line(&format!(
                "{name} = {{ x: {}, y: 1.5, s: \"r\", ok: true }}",
                self.rng.clone().below(9)
            ));
            hot.records.push(name);
        }
        let any = self.hot_variable("any", "hidden([1, 2.5, \"x\", none, true, 7])");
        hot.anys.push(any);
        self.hot_nested_variables(hot);
        for _ in 0..self.rng.below(3) {
            self.hot_closure(hot);
        }
    }

    pub(super) fn hot_variable(&mut self, ty: &str, value: &str) -> String {
        let name = self.name("v");
        self.line(&format!("{name}: {ty} = {value}"));
        name
    }

    fn hot_closure(&mut self, hot: &mut Hot) {
        let (name, param) = (self.name("v"), self.name("p"));
        let kept = self.rng.pick(&hot.ints).clone();
        let text = match self.rng.below(3) {
            0 => {
                let own = self.hot_variable("int", "0");
                format!("({param}: int) => {{ {own} += {param} % 7\n  {own} + {kept} % 100 }}")
            }
            1 => format!("({param}: int) => {param} % 50 + {kept} % 100"),
            _ => format!("({param}: int) => {{ {kept} = ({kept} + {param}) % 997\n  {kept} }}"),
        };
        self.line(&format!("{name} = {text}"));
        hot.closures.push(name);
    }

    /// Prints all that is visible.
    fn hot_print(&mut self, hot: &Hot) {
        for names in [&hot.ints, &hot.floats, &hot.bools, &hot.texts] {
            let shown: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
            if !shown.is_empty() {
                self.line(&format!("print(\"{}\")", shown.join(" ")));
            }
        }
        let lists = [
            &hot.int_lists,
            &hot.float_lists,
            &hot.text_lists,
            &hot.bool_lists,
        ];
        let others = [
            &hot.records,
            &hot.maps,
            &hot.anys,
            &hot.rows,
            &hot.grids,
            &hot.nests,
            &hot.choices,
        ];
        for name in lists.into_iter().chain(others).flatten() {
            self.line(&format!("print({name})"));
        }
    }

    /// A loop with statements in it; `deep` more loops may be inside.
    pub(super) fn hot_loop(&mut self, hot: &mut Hot, size: usize, deep: usize) {
        let most = (TURNS_MAX / hot.weight.max(1)).clamp(1, 60);
        let turns = 1 + self.rng.below(most as usize) as u64;
        let (label, prefix) = if self.rng.one_in(3) {
            let label = self.name("l");
            (label.clone(), format!("'{label}: "))
        } else {
            (String::new(), String::new())
        };
        let before = hot.clone();
        hot.weight *= turns;
        hot.labels.push(label);
        let turn = self.name("v");
        let mut head_lines = Vec::new();
        let head = match self.rng.below(8) {
            0..=2 => {
                hot.turns.push(turn.clone());
                let from = self.rng.below(5);
                format!("{prefix}for {turn} in {from}..{}", from as u64 + turns)
            }
            3 => {
                hot.turns.push(turn.clone());
                format!("{prefix}for {turn} in 1..={turns}")
            }
            4 => {
                let second = self.name("v");
                let list = self.rng.pick(&hot.int_lists).clone();
                hot.turns.extend([turn.clone(), second.clone()]);
                hot.weight = before.weight * 20;
                format!("{prefix}for {turn}, {second} in {list}[:20]")
            }
            5 => {
                let list = self.rng.pick(&hot.float_lists).clone();
                hot.weight = before.weight * 9;
                let copy = self.name("v");
                head_lines.push(format!("{copy} = {turn}"));
                hot.floats.push(copy);
                format!("{prefix}for {turn} in {list}[:9]")
            }
            _ => {
                self.line(&format!("{turn}: int = {turns}"));
                head_lines.push(format!("{turn} -= 1"));
                hot.turns.push(turn.clone());
                if self.rng.one_in(2) {
                    format!("{prefix}while {turn} > 0")
                } else {
                    head_lines.push(format!("if {turn} <= 0 {{ break }}"));
                    format!("{prefix}loop")
                }
            }
        };
        self.block(&head, |g| {
            for line in head_lines {
                g.line(&line);
            }
            for _ in 0..1 + g.rng.below(size.max(2)) {
                g.hot_statement(hot, deep);
            }
        });
        *hot = before;
    }

    pub(super) fn hot_statements(&mut self, hot: &mut Hot, deep: usize) {
        let before = hot.clone();
        for _ in 0..1 + self.rng.below(3) {
            self.hot_statement(hot, deep);
        }
        *hot = before;
    }
}
