//! The types of generated programs: how they are drawn and written. Must stay true: a type without a written form (a
//! record) has no annotation; values of `plain` types can be compared, printed and turned into JSON.

use super::Generator;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    Int,
    Float,
    Bool,
    Text,
    Time,
    Duration,
    Optional(Box<Ty>),
    List(Box<Ty>),
    /// Keys are texts.
    Map(Box<Ty>),
    Tuple(Vec<Ty>),
    /// A map with the fields of this record.
    Record(usize),
    Enum(usize),
    Func(Vec<Ty>, Box<Ty>),
}

impl Ty {
    pub(super) fn list(of: Ty) -> Ty {
        Ty::List(Box::new(of))
    }

    pub(super) fn optional(of: Ty) -> Ty {
        Ty::Optional(Box::new(of))
    }

    /// Whether `<` orders it.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Ty::Int | Ty::Float | Ty::Text | Ty::Time)
    }

    /// Whether it is a function or has one in it.
    pub(super) fn has_function(&self) -> bool {
        match self {
            Ty::Func(..) => true,
            Ty::Optional(of) | Ty::List(of) | Ty::Map(of) => of.has_function(),
            Ty::Tuple(members) => members.iter().any(Ty::has_function),
            Ty::Int
            | Ty::Float
            | Ty::Bool
            | Ty::Text
            | Ty::Time
            | Ty::Duration
            | Ty::Record(_)
            | Ty::Enum(_) => false,
        }
    }
}

impl Generator {
    /// A type without functions, containers nested up to `depth`.
    pub(super) fn plain_type(&mut self, depth: usize) -> Ty {
        let most = if depth == 0 { 10 } else { 17 };
        match self.rng.below(most) {
            0..=2 => Ty::Int,
            3 | 4 => Ty::Float,
            5 => Ty::Bool,
            6..=8 => Ty::Text,
            9 => {
                if self.rng.one_in(3) {
                    Ty::Duration
                } else {
                    Ty::Bool
                }
            }
            10 => match self.plain_type(depth - 1) {
                Ty::Optional(of) => Ty::Optional(of),
                of => Ty::optional(of),
            },
            11..=13 => Ty::list(self.plain_type(depth - 1)),
            14 => Ty::Map(Box::new(self.plain_type(depth - 1))),
            15 => {
                let members = (0..2 + self.rng.below(2))
                    .map(|_| self.plain_type(depth - 1))
                    .collect();
                Ty::Tuple(members)
            }
            _ if !self.enums.is_empty() && self.rng.one_in(2) => {
                Ty::Enum(self.rng.below(self.enums.len()))
            }
            _ if !self.records.is_empty() => Ty::Record(self.rng.below(self.records.len())),
            _ => Ty::Int,
        }
    }

    /// Any type of a variable, functions too.
    pub(super) fn any_type(&mut self) -> Ty {
        if self.rng.one_in(8) {
            let params = (0..self.rng.below(3)).map(|_| self.plain_type(1)).collect();
            return Ty::Func(params, Box::new(self.plain_type(1)));
        }
        self.plain_type(2)
    }

    /// An ordered type.
    pub(super) fn ordered_type(&mut self) -> Ty {
        self.rng.pick(&[Ty::Int, Ty::Float, Ty::Text]).clone()
    }

    /// The type as it is written, if it can be.
    pub(super) fn annotation(&self, ty: &Ty) -> Option<String> {
        Some(match ty {
            Ty::Int => "int".to_owned(),
            Ty::Float => "float".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Text => "text".to_owned(),
            Ty::Time => "time".to_owned(),
            Ty::Duration => "duration".to_owned(),
            Ty::Optional(of) => match **of {
                Ty::Func(..) => return None,
                _ => format!("{}?", self.annotation(of)?),
            },
            Ty::List(of) => format!("[{}]", self.annotation(of)?),
            Ty::Map(of) => format!("[text:{}]", self.annotation(of)?),
            Ty::Tuple(members) => format!("({})", self.annotations(members)?.join(", ")),
            Ty::Record(_) => return None,
            Ty::Enum(index) => self.enums[*index].name.clone(),
            Ty::Func(params, result) => format!(
                "({}) -> {}",
                self.annotations(params)?.join(", "),
                self.annotation(result)?
            ),
        })
    }

    fn annotations(&self, types: &[Ty]) -> Option<Vec<String>> {
        types.iter().map(|ty| self.annotation(ty)).collect()
    }

    /// The mark of an annotation, empty if the type has no written form.
    pub(super) fn mark(&self, ty: &Ty) -> String {
        self.annotation(ty)
            .map_or(String::new(), |text| format!("/*: {text}*/"))
    }

    /// The mark of a result type.
    pub(super) fn result_mark(&self, ty: &Ty) -> String {
        self.annotation(ty)
            .map_or(String::new(), |text| format!(" /*-> {text}*/"))
    }
}
