//! Words for types and operators in messages. Here because all messages must call a type the same. Must stay true: every
//! type has words a user knows from the language, never a name of the analysis.

use flin_bytecode::library::LibType;

use crate::hir::{BinOp, EnumIx};

use super::cells::MapKind;
use super::engine::Engine;
use super::set::{Nominal, Set};
use super::walk::Walker;

impl Walker<'_, '_> {
    /// A type in words.
    pub(super) fn words(&mut self, set: Set) -> String {
        self.engine.words(set)
    }
}

impl Engine<'_> {
    /// A type in words.
    pub(super) fn words(&mut self, set: Set) -> String {
        self.words_to(set, 3)
    }

    fn words_to(&mut self, set: Set, depth: u32) -> String {
        let mut names = Vec::new();
        for member in self.cells.members(set) {
            names.push(self.member_words(member, depth));
        }
        match names.as_slice() {
            [] => "nothing".to_owned(),
            _ => {
                names.sort_by_key(|name| name == "none");
                names.join(" or ")
            }
        }
    }

    /// `Option<int>`
    fn enum_words(&mut self, def: EnumIx, member: Set, depth: u32) -> String {
        let name = &self.program.enums[def.index()].name;
        let args = match member.enums {
            Some(node) if depth > 0 => self.cells.enum_args(node),
            _ => Vec::new(),
        };
        let Some(args) = args.into_iter().find(|args| args.def == def) else {
            return name.clone();
        };
        let mut words = Vec::new();
        for var in args.vars.iter() {
            let held = self.cells.peek(*var);
            if held.is_never() {
                return name.clone();
            }
            words.push(self.words_to(held, depth - 1));
        }
        format!("{name}<{}>", words.join(", "))
    }

    fn member_words(&mut self, member: Set, depth: u32) -> String {
        const SCALAR_WORDS: [&str; 10] = [
            "none", "bool", "int", "float", "text", "time", "duration", "range", "error",
            "response",
        ];
        if member.is_any() {
            return "any".to_owned();
        }
        for (scalar, word) in Set::SCALARS.into_iter().zip(SCALAR_WORDS) {
            if member == scalar {
                return word.to_owned();
            }
        }
        if let Some(element) = member.list {
            let element = self.cells.peek(element);
            return match (element.is_never(), depth) {
                (true, _) | (_, 0) => "a list".to_owned(),
                _ => format!("[{}]", self.words_to(element, depth - 1)),
            };
        }
        if let Some(map) = member.map {
            return match self.cells.map_kind(map) {
                MapKind::Record(fields) => {
                    let names: Vec<&str> = fields.iter().map(|field| &*field.0).collect();
                    format!("a map {{ {} }}", names.join(", "))
                }
                MapKind::Dict(..) => "a map".to_owned(),
            };
        }
        if let Some(func) = member.func {
            let takes = self.cells.takes(func);
            return format!("a function of {}", counted_range(takes, "argument"));
        }
        if let Some(tuple) = member.tuple {
            if depth == 0 {
                return "a tuple".to_owned();
            }
            let items = self.cells.tuple_items(tuple);
            let mut words = Vec::with_capacity(items.len());
            for item in items.iter() {
                let item = self.cells.peek(*item);
                words.push(self.words_to(item, depth - 1));
            }
            return format!("({})", words.join(", "));
        }
        match self.cells.nominals(member) {
            [Nominal::Entity(entity)] => self.program.entities[entity.index()].name.clone(),
            [Nominal::Query(entity)] => {
                format!(
                    "a query over {}",
                    self.program.entities[entity.index()].name
                )
            }
            [Nominal::Enum(def)] => {
                let def = *def;
                self.enum_words(def, member, depth)
            }
            _ => "nothing".to_owned(),
        }
    }
}

/// `the function f` or what the compiler calls it.
pub(super) fn called(name: &str) -> String {
    if name.contains(' ') {
        format!("this {name}")
    } else {
        format!("`{name}`")
    }
}

pub(super) fn counted(n: usize, word: &str) -> String {
    if n == 1 {
        format!("1 {word}")
    } else {
        format!("{n} {word}s")
    }
}

/// `1 argument`, `1 or 2 arguments`, `1 to 3 arguments`
pub(super) fn counted_range(range: std::ops::RangeInclusive<usize>, word: &str) -> String {
    let (least, most) = (*range.start(), *range.end());
    match most - least {
        0 => counted(most, word),
        1 => format!("{least} or {most} {word}s"),
        _ => format!("{least} to {most} {word}s"),
    }
}

pub(super) fn sign(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::Rem => "%",
        BinOp::Pow => "**",
        BinOp::Eq => "==",
        BinOp::Ne => "!=",
        BinOp::Lt => "<",
        BinOp::Le => "<=",
        BinOp::Gt => ">",
        BinOp::Ge => ">=",
    }
}

/// What a container is called.
pub(super) fn holder(set: Set) -> &'static str {
    if set.list.is_some() {
        "list"
    } else if set.map.is_some() {
        "map"
    } else if set.tuple.is_some() {
        "tuple"
    } else if set.func.is_some() {
        "function"
    } else {
        "value"
    }
}

/// How to turn a value into what is wanted.
pub(super) fn conversion(wanted: Set, found: Set) -> Option<&'static str> {
    if wanted.has(Set::TEXT) {
        Some("turn it into a text with `.to_text`")
    } else if wanted.has(Set::INT) && found == Set::FLOAT {
        Some("make it an int with `.round`, `.floor` or `.to_int`")
    } else if wanted.has(Set::INT) && found.has(Set::TEXT) {
        Some("turn it into an int with `.to_int`, which gives none if it is no number")
    } else if wanted.has(Set::FLOAT) && found.has(Set::TEXT) {
        Some("turn it into a float with `.to_float`")
    } else if found == Set::NONE {
        Some("let it be none by declaring the type with `?`")
    } else {
        None
    }
}

/// A parameter of a library function in words.
pub(super) fn param_words(ty: &LibType) -> String {
    match ty {
        LibType::Any | LibType::Var(_) | LibType::Opaque => "a value".to_owned(),
        LibType::None | LibType::Never => "nothing".to_owned(),
        LibType::Bool => "bool".to_owned(),
        LibType::Int => "int".to_owned(),
        LibType::Float => "a number".to_owned(),
        LibType::Text => "text".to_owned(),
        LibType::Time => "time".to_owned(),
        LibType::Duration => "duration".to_owned(),
        LibType::Range => "a range".to_owned(),
        LibType::Error => "an error".to_owned(),
        LibType::Response => "a response".to_owned(),
        LibType::Entity => "an entity".to_owned(),
        LibType::Query => "a query".to_owned(),
        LibType::List(inner) => match &**inner {
            LibType::Int | LibType::Float | LibType::Text => {
                format!("a list of {}", param_words(inner))
            }
            _ => "a list".to_owned(),
        },
        LibType::Map(..) => "a map".to_owned(),
        LibType::Tuple(_) => "a tuple".to_owned(),
        LibType::Func(params, _) => format!("a function of {}", counted(params.len(), "argument")),
        LibType::Optional(inner) => param_words(inner),
        LibType::Union(members) => members
            .iter()
            .map(param_words)
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// `a, b or c`.
pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
