//! Expressions of a wanted type. Must stay true: what comes out may stand anywhere an operand may (it is a name, a literal, a
//! call, or in parentheses), except what `loose` gives; its type is exactly the wanted one.

use super::types::Ty;
use super::{Generator, Var};

impl Generator {
    /// An expression that may stand where an operand may.
    pub(super) fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        self.cost += self.weight;
        if depth == 0 || !self.is_affordable(1) {
            return self.leaf(ty);
        }
        for _ in 0..8 {
            if let Some(text) = self.try_form(ty, depth) {
                return text;
            }
        }
        self.leaf(ty)
    }

    /// An expression that stands alone: behind `=`, between parentheses or commas. Sometimes without parentheses.
    pub(super) fn loose(&mut self, ty: &Ty, depth: usize) -> String {
        let text = self.expr(ty, depth);
        let bare = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
        match bare {
            Some(bare)
                if is_balanced(bare) && !matches!(ty, Ty::Tuple(_)) && self.rng.one_in(2) =>
            {
                bare.to_owned()
            }
            _ => text,
        }
    }

    /// A variable or a literal.
    pub(super) fn leaf(&mut self, ty: &Ty) -> String {
        if !self.rng.one_in(4)
            && let Some(var) = self.variable(ty)
        {
            return var.name;
        }
        let text = self.literal(ty);
        if text.contains(' ') && !text.starts_with(['"', '\'', '[', '{', '(']) {
            return format!("({text})");
        }
        if text.starts_with('-') {
            return format!("({text})");
        }
        text
    }

    /// A visible variable of this type.
    pub(super) fn variable(&mut self, ty: &Ty) -> Option<Var> {
        let found: Vec<Var> = self.scope.iter().filter(|v| v.ty == *ty).cloned().collect();
        (!found.is_empty()).then(|| self.rng.pick(&found).clone())
    }

    /// One of the forms that give any type, or one of the type's own.
    fn try_form(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let d = depth - 1;
        match self.rng.below(24) {
            0 => Some(self.leaf(ty)),
            1 => {
                let (c, a, b) = (self.condition(d), self.expr(ty, d), self.expr(ty, d));
                Some(match self.rng.below(3) {
                    0 => format!("({c} ? {a} : {b})"),
                    1 => format!("(if {c} then {a} else {b})"),
                    _ => format!("(if {c} {{ {a} }} else {{ {b} }})"),
                })
            }
            2 if !matches!(ty, Ty::Optional(_)) => {
                let (a, b) = (self.expr(&Ty::optional(ty.clone()), d), self.expr(ty, d));
                Some(format!("({a} ?: {b})"))
            }
            3 | 4 => self.call_own(ty, d),
            5..=8 => self.call_library(ty, d),
            9 => self.element(ty, d),
            10 => self.match_form(ty, d),
            11 => {
                let (a, b) = (self.expr(ty, d), self.leaf(ty));
                let name = self.name("e");
                Some(match self.rng.below(2) {
                    0 => format!("(try {{ {a} }} catch {{ {b} }})"),
                    _ => format!("(try {{ {a} }} catch {name} {{ {b} }})"),
                })
            }
            12 => self.call_variable(ty, d),
            13 => {
                let (name, of) = (self.name("p"), self.plain_type(1));
                let argument = self.expr(&of, d);
                let body = self.in_lambda(&[(name.clone(), of)], |g| g.loose(ty, d));
                Some(format!("({name} => {})({argument})", guard_map(&body)))
            }
            14 => {
                let value = self.expr(ty, d);
                // Behind `break`, a single quote begins a label.
                let value = if value.starts_with('\'') {
                    format!("({value})")
                } else {
                    value
                };
                Some(format!("(loop {{ break {value} }})"))
            }
            _ => self.own_form(ty, d),
        }
    }

    /// A comparison or other bool, or sometimes any value as a condition.
    pub(super) fn condition(&mut self, depth: usize) -> String {
        let text = self.expr(&Ty::Bool, depth);
        if text.contains('{') && !text.starts_with('(') {
            return format!("({text})");
        }
        text
    }

    /// What only values of this type have.
    fn own_form(&mut self, ty: &Ty, d: usize) -> Option<String> {
        match ty {
            Ty::Int => Some(self.int_form(d)),
            Ty::Float => Some(self.float_form(d)),
            Ty::Bool => Some(self.bool_form(d)),
            Ty::Text => Some(self.text_form(d)),
            Ty::Optional(of) => Some(match self.rng.below(3) {
                0 => "none".to_owned(),
                1 => {
                    let list = self.expr(&Ty::list((**of).clone()), d);
                    format!("{list}.{}", self.rng.pick(&["first", "last"]))
                }
                _ => self.expr(of, d),
            }),
            Ty::List(of) => Some(self.list_form(of, d)),
            Ty::Map(of) => {
                let (a, b) = (self.expr(ty, d), self.expr(of, d));
                Some(match self.rng.below(3) {
                    0 => format!("{a}.merge({{ m9: {b} }})"),
                    1 => format!("{{ ...{a}, m1: {b} }}"),
                    _ => format!("{{ m0: {b}, [{}]: {b} }}", self.expr(&Ty::Text, d)),
                })
            }
            Ty::Tuple(members) => {
                let items: Vec<String> = members.iter().map(|ty| self.loose(ty, d)).collect();
                Some(format!("({})", items.join(", ")))
            }
            Ty::Record(index) => {
                let fields = self.records[*index].clone();
                let items: Vec<String> = fields
                    .iter()
                    .map(|(name, ty)| format!("{name}: {}", self.loose(ty, d)))
                    .collect();
                Some(format!("{{ {} }}", items.join(", ")))
            }
            Ty::Enum(index) => {
                let def = self.enums[*index].clone();
                let (variant, data) = self.rng.pick(&def.variants).clone();
                if data.is_empty() {
                    return Some(format!("{}.{variant}", def.name));
                }
                let items: Vec<String> = data.iter().map(|ty| self.loose(ty, d)).collect();
                Some(format!("{}.{variant}({})", def.name, items.join(", ")))
            }
            Ty::Func(params, result) => Some(self.lambda(params, result, d)),
            Ty::Time | Ty::Duration => None,
        }
    }

    fn int_form(&mut self, d: usize) -> String {
        let (a, b) = (self.expr(&Ty::Int, d), self.expr(&Ty::Int, d));
        match self.rng.below(14) {
            0..=2 => format!("({a} + {b})"),
            3 | 4 => format!("({a} - {b})"),
            5 | 6 => format!("({a} * {b})"),
            7 => format!("({a} / {b})"),
            8 => format!("({a} % {b})"),
            9 => format!("({a} ** {})", self.rng.below(4)),
            10 => format!("(-{a})"),
            11 => format!("{}.len", self.expr(&Ty::Text, d)),
            12 => {
                let of = self.plain_type(1);
                format!("{}.len", self.expr(&Ty::list(of), d))
            }
            _ => format!(
                "{}.reduce({a}, (p0, q0) => p0 + q0)",
                self.expr(&Ty::list(Ty::Int), d)
            ),
        }
    }

    fn float_form(&mut self, d: usize) -> String {
        let (a, b) = (self.expr(&Ty::Float, d), self.expr(&Ty::Float, d));
        match self.rng.below(9) {
            0 | 1 => format!("({a} + {b})"),
            2 => format!("({a} - {b})"),
            3 => format!("({a} * {b})"),
            4 => format!("({a} / {b})"),
            5 => format!("({a} % {b})"),
            6 => format!("({a} ** {b})"),
            7 => format!("({a} + {})", self.expr(&Ty::Int, d)),
            _ => format!("(-{a})"),
        }
    }

    fn bool_form(&mut self, d: usize) -> String {
        match self.rng.below(8) {
            0..=2 => {
                let ty = self.ordered_type();
                let (a, b) = (self.expr(&ty, d), self.expr(&ty, d));
                let sign = self.rng.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("({a} {sign} {b})")
            }
            3 => {
                let ty = self.plain_type(2);
                let (a, b) = (self.expr(&ty, d), self.expr(&ty, d));
                format!("({a} {} {b})", self.rng.pick(&["==", "!="]))
            }
            4 => {
                let (a, b) = (self.condition(d), self.condition(d));
                format!("({a} {} {b})", self.rng.pick(&["&&", "||"]))
            }
            5 => format!("(!{})", self.condition(d)),
            6 => {
                let ty = self.plain_type(1);
                let (a, b) = (self.expr(&ty, d), self.expr(&Ty::list(ty), d));
                format!("({a} {} {b})", self.rng.pick(&["in", "not in"]))
            }
            _ => {
                let of = self.plain_type(1);
                let of = if let Ty::Optional(of) = of { *of } else { of };
                let a = self.expr(&Ty::optional(of), d);
                format!(
                    "({a} {} none)",
                    self.rng.pick(&["==", "!=", "is", "is not"])
                )
            }
        }
    }

    fn text_form(&mut self, d: usize) -> String {
        match self.rng.below(6) {
            0 | 1 => {
                let (left, right) = (self.plain_type(2), self.plain_type(1));
                let (a, b) = (self.loose(&left, d), self.loose(&right, d));
                format!("\"{{{a}}} and {{{b}}}\"")
            }
            2 => {
                let ty = self.plain_type(1);
                format!("({} + {})", self.expr(&Ty::Text, d), self.expr(&ty, d))
            }
            3 => {
                let (from, to) = (self.rng.below(7) as i64 - 3, self.rng.below(7) as i64 - 3);
                let text = self.expr(&Ty::Text, d);
                match self.rng.below(3) {
                    0 => format!("{text}[{from}:]"),
                    1 => format!("{text}[:{to}]"),
                    _ => format!("{text}[{from}:{to}]"),
                }
            }
            4 => {
                let ty = self.plain_type(2);
                format!("to_json({})", self.loose(&ty, d))
            }
            _ => format!(
                "({} + {})",
                self.expr(&Ty::Text, d),
                self.expr(&Ty::Text, d)
            ),
        }
    }

    fn list_form(&mut self, of: &Ty, d: usize) -> String {
        let list = Ty::list(of.clone());
        match self.rng.below(7) {
            0 | 1 => {
                let count = 1 + self.rng.below(4);
                let items: Vec<String> = (0..count).map(|_| self.loose(of, d)).collect();
                format!("[{}]", items.join(", "))
            }
            2 => format!("({} + {})", self.expr(&list, d), self.expr(&list, d)),
            3 => {
                let (from, step) = (self.rng.below(5) as i64 - 2, self.rng.pick(&[1, 2, -1]));
                format!("{}[{from}::{step}]", self.expr(&list, d))
            }
            4 if *of == Ty::Int => {
                format!("({}..{}).to_list", self.rng.below(4), self.rng.below(8))
            }
            4 | 5 => {
                let from = self.plain_type(1);
                let name = self.name("p");
                let source = self.expr(&Ty::list(from.clone()), d);
                let body = self.repeated(4, |g| {
                    g.in_lambda(&[(name.clone(), from)], |g| g.loose(of, d.min(2)))
                });
                format!("{source}.map({name} => {})", guard_map(&body))
            }
            _ => format!("[...{}, {}]", self.expr(&list, d), self.expr(of, d)),
        }
    }

    /// An element of a tuple, record, list or map.
    fn element(&mut self, ty: &Ty, d: usize) -> Option<String> {
        match self.rng.below(4) {
            0 => {
                let mut members = vec![self.plain_type(1), self.plain_type(1)];
                let at = self.rng.below(2);
                members[at] = ty.clone();
                Some(format!("{}[{at}]", self.expr(&Ty::Tuple(members), d)))
            }
            1 => {
                let places: Vec<(usize, String)> = self
                    .records
                    .iter()
                    .enumerate()
                    .flat_map(|(at, fields)| fields.iter().map(move |field| (at, field)))
                    .filter(|(_, (_, of))| of == ty)
                    .map(|(at, (name, _))| (at, name.clone()))
                    .collect();
                if places.is_empty() {
                    return None;
                }
                let (at, name) = self.rng.pick(&places).clone();
                let record = self.expr(&Ty::Record(at), d);
                Some(match self.rng.below(3) {
                    0 if self.records[at].len() == 1 => format!("{record}[\"{name}\"]"),
                    _ => format!("{record}.{name}"),
                })
            }
            2 => {
                let list = self.expr(&Ty::list(ty.clone()), d);
                let at = self.rng.below(6) as i64 - 3;
                Some(format!("{list}[{at}]"))
            }
            _ if !matches!(ty, Ty::Optional(_)) => {
                let map = self.expr(&Ty::Map(Box::new(ty.clone())), d);
                let default = self.expr(ty, d);
                Some(format!("({map}[\"m{}\"] ?: {default})", self.rng.below(4)))
            }
            _ => None,
        }
    }

    /// A match with arms of the wanted type.
    fn match_form(&mut self, ty: &Ty, d: usize) -> Option<String> {
        let of = match self.rng.below(6) {
            0 => Ty::Int,
            1 => Ty::Text,
            2 => Ty::Bool,
            3 if !self.enums.is_empty() => Ty::Enum(self.rng.below(self.enums.len())),
            4 => Ty::optional(self.ordered_type()),
            _ => Ty::list(self.ordered_type()),
        };
        let subject = self.expr(&of, d);
        let subject = if subject.contains('{') && !subject.starts_with('(') {
            format!("({subject})")
        } else {
            subject
        };
        let arms = self.arms(&of, ty, d);
        Some(format!("(match {subject} {{ {} }})", arms.join(", ")))
    }

    fn arms(&mut self, of: &Ty, ty: &Ty, d: usize) -> Vec<String> {
        let mut arms = Vec::new();
        let name = self.name("b");
        match of {
            Ty::Int => {
                arms.push(format!("0 -> {}", self.arm(&[], ty, d)));
                arms.push(format!("1 | 2 -> {}", self.arm(&[], ty, d)));
                let bound = (name.clone(), Ty::Int);
                arms.push(format!(
                    "int {name} if {name} > 5 -> {}",
                    self.arm(&[bound], ty, d)
                ));
                arms.push(format!("_ -> {}", self.arm(&[], ty, d)));
            }
            Ty::Text => {
                let word = self.text_literal();
                arms.push(format!("{} -> {}", word, self.arm(&[], ty, d)));
                arms.push(format!(
                    "{name} -> {}",
                    self.arm(&[(name.clone(), Ty::Text)], ty, d)
                ));
            }
            Ty::Bool => {
                arms.push(format!("true -> {}", self.arm(&[], ty, d)));
                arms.push(format!("false -> {}", self.arm(&[], ty, d)));
            }
            Ty::Enum(index) => {
                let def = self.enums[*index].clone();
                for (variant, data) in &def.variants {
                    let bound: Vec<(String, Ty)> =
                        data.iter().map(|ty| (self.name("b"), ty.clone())).collect();
                    let names: Vec<&str> = bound.iter().map(|(name, _)| name.as_str()).collect();
                    let pattern = if data.is_empty() {
                        variant.clone()
                    } else {
                        format!("{variant}({})", names.join(", "))
                    };
                    arms.push(format!("{pattern} -> {}", self.arm(&bound, ty, d)));
                }
            }
            Ty::Optional(inner) => {
                let written = self.annotation(inner).unwrap_or_default();
                arms.push(format!("none -> {}", self.arm(&[], ty, d)));
                let bound = (name.clone(), (**inner).clone());
                arms.push(format!("{written} {name} -> {}", self.arm(&[bound], ty, d)));
            }
            Ty::List(inner) => {
                let rest = self.name("b");
                let bound = [
                    (name.clone(), (**inner).clone()),
                    (rest.clone(), of.clone()),
                ];
                arms.push(format!("[] -> {}", self.arm(&[], ty, d)));
                arms.push(format!(
                    "[{name}, ...{rest}] -> {}",
                    self.arm(&bound, ty, d)
                ));
                arms.push(format!("_ -> {}", self.arm(&[], ty, d)));
            }
            Ty::Float
            | Ty::Time
            | Ty::Duration
            | Ty::Map(_)
            | Ty::Tuple(_)
            | Ty::Record(_)
            | Ty::Func(..) => arms.push(format!("_ -> {}", self.arm(&[], ty, d))),
        }
        arms
    }

    fn arm(&mut self, bound: &[(String, Ty)], ty: &Ty, d: usize) -> String {
        let visible = self.scope.len();
        self.bind(bound);
        let body = self.expr(ty, d.min(2));
        self.scope.truncate(visible);
        guard_map(&body)
    }

    fn bind(&mut self, bound: &[(String, Ty)]) {
        self.scope.extend(bound.iter().map(|(name, ty)| Var {
            name: name.clone(),
            ty: ty.clone(),
            assignable: false,
        }));
    }

    /// A lambda in parentheses.
    pub(super) fn lambda(&mut self, params: &[Ty], result: &Ty, d: usize) -> String {
        let named: Vec<(String, Ty)> = params
            .iter()
            .map(|ty| (self.name("p"), ty.clone()))
            .collect();
        let body = self.repeated(3, |g| g.in_lambda(&named, |g| g.loose(result, d.min(2))));
        let mut heads: Vec<String> = Vec::new();
        for (name, ty) in &named {
            heads.push(format!("{name}{}", self.mark(ty)));
        }
        format!("(({}) => {})", heads.join(", "), guard_map(&body))
    }

    /// Runs `body` with these parameters in scope, inside of a function of its own.
    pub(super) fn in_lambda<T>(
        &mut self,
        params: &[(String, Ty)],
        body: impl FnOnce(&mut Generator) -> T,
    ) -> T {
        let visible = self.scope.len();
        self.bind(params);
        self.in_lambda += 1;
        let loops = std::mem::take(&mut self.loops);
        let result = body(self);
        self.loops = loops;
        self.in_lambda -= 1;
        self.scope.truncate(visible);
        result
    }
}

/// A body that begins with a brace is a map only by what follows; in parentheses it always is.
fn guard_map(body: &str) -> String {
    if body.starts_with('{') {
        format!("({body})")
    } else {
        body.to_owned()
    }
}

/// Whether no parenthesis closes before it opens: `(a) + (b)` without its outer signs is not one expression.
fn is_balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let (mut in_text, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth < 0 {
                    return false;
                }
            }
            ',' if depth == 0 && !in_text => return false,
            _ => {}
        }
    }
    depth == 0 && !text.is_empty()
}
