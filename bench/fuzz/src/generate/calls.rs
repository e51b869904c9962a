//! Calls: of the program's functions, of variables that hold functions, and of every pure row of the library table. Must
//! stay true: a new row is called without a change here; arguments are small where a size is meant.

use flin_bytecode::{LIBRARY, LibId, LibType, Purity};

use super::Generator;
use super::types::Ty;

/// Rows whose ints are sizes: with an edge value they would only show the memory limit.
const SIZED: [&str; 8] = [
    "repeat",
    "pad_left",
    "pad_right",
    "range",
    "to_list",
    "pow",
    "chunk",
    "from_code",
];
/// Rows that order or add up their elements.
const ORDERED: [&str; 7] = ["sort", "sort_by", "min", "max", "clamp", "avg", "sum"];
/// Rows that hand over a function's or the program's inside in a way that no type describes.
const LEFT_OUT: [&str; 5] = ["assert", "clear", "fail", "parse_json", "to_json"];

/// Rows that really take any value.
const TAKES_ANY: [&str; 3] = ["to_text", "type_of", "print"];

/// Types of type variables, by their number.
type Bound = [Option<Ty>; 4];

impl Generator {
    /// A call of a function of the program.
    pub(super) fn call_own(&mut self, ty: &Ty, d: usize) -> Option<String> {
        let found: Vec<_> = self
            .functions
            .iter()
            .filter(|f| f.result == *ty && self.is_affordable(f.cost))
            .cloned()
            .collect();
        if found.is_empty() {
            return None;
        }
        let function = self.rng.pick(&found).clone();
        self.cost += self.weight * function.cost;
        let mut arguments = Vec::new();
        for (number, (name, ty)) in function.params.iter().enumerate() {
            if number >= function.required && self.rng.one_in(2) {
                break;
            }
            let value = if function.recursive && number == 0 {
                self.rng.below(5).to_string()
            } else {
                self.loose(ty, d)
            };
            // From a named argument on, all of them are.
            if number >= function.required && self.rng.one_in(2) {
                arguments.push(format!("{name}: {value}"));
                break;
            }
            arguments.push(value);
        }
        Some(format!("{}({})", function.name, arguments.join(", ")))
    }

    /// A call of a variable that holds a function.
    pub(super) fn call_variable(&mut self, ty: &Ty, d: usize) -> Option<String> {
        let found: Vec<(String, Vec<Ty>)> = self
            .scope
            .iter()
            .filter_map(|var| match &var.ty {
                Ty::Func(params, result) if **result == *ty => {
                    Some((var.name.clone(), params.clone()))
                }
                _ => None,
            })
            .collect();
        // What a function costs is not known here: so only where little is repeated.
        if found.is_empty() || self.weight > 8 || self.in_lambda > 0 {
            return None;
        }
        let (name, params) = self.rng.pick(&found).clone();
        self.cost += 100 * self.weight;
        let arguments: Vec<String> = params.iter().map(|ty| self.loose(ty, d)).collect();
        Some(format!("{name}({})", arguments.join(", ")))
    }

    /// A call of a library row that gives this type.
    pub(super) fn call_library(&mut self, ty: &Ty, d: usize) -> Option<String> {
        if !self.is_affordable(30) {
            return None;
        }
        for _ in 0..12 {
            let id = LibId(self.rng.below(LIBRARY.len()) as u16);
            let row = id.row();
            let usable = row.purity == Purity::Pure
                && !row.name.starts_with("__")
                && !LEFT_OUT.contains(&row.name);
            let mut bound = Bound::default();
            if !usable || !unify(&id.scheme().result, ty, &mut bound) {
                continue;
            }
            if let Some(text) = self.row(id, &mut bound, d) {
                self.cost += 10 * self.weight;
                return Some(text);
            }
        }
        None
    }

    fn row(&mut self, id: LibId, bound: &mut Bound, d: usize) -> Option<String> {
        let (row, scheme) = (id.row(), id.scheme());
        let is_ordering = ORDERED.contains(&row.name);
        for (number, slot) in bound.iter_mut().enumerate().take(scheme.vars.len()) {
            let is_key = scheme.vars[number] == 'K';
            match slot {
                None if is_key => *slot = Some(Ty::Text),
                None if is_ordering => *slot = Some(self.ordered_type()),
                None => *slot = Some(self.plain_type(1)),
                Some(ty) if is_key && *ty != Ty::Text => return None,
                Some(ty) if is_ordering && !ty.is_ordered() => return None,
                Some(ty) if ty.has_function() => return None,
                Some(_) => {}
            }
        }
        if row.name == "avg" {
            bound[0] = Some(self.rng.pick(&[Ty::Int, Ty::Float]).clone());
        }
        // Rows that fall back on values of unknown type refuse what is known not to fit.
        if scheme.params.first() == Some(&LibType::Any) && !TAKES_ANY.contains(&row.name) {
            return None;
        }
        let mut arguments = Vec::new();
        for (number, param) in scheme.params.iter().enumerate() {
            let is_small = number > 0 && *param == LibType::Int && !self.rng.one_in(12)
                || *param == LibType::Int && SIZED.contains(&row.name);
            arguments.push(if is_small {
                let small = self.rng.below(9) as i64 - 2;
                if small < 0 && number == 0 {
                    format!("({small})")
                } else {
                    small.to_string()
                }
            } else {
                self.argument(row.name, param, bound, d)?
            });
        }
        let is_map = matches!(scheme.params.first(), Some(LibType::Map(..) | LibType::Any));
        Some(match arguments.split_first() {
            Some((receiver, rest)) if self.rng.one_in(2) && is_receiver(receiver) => {
                if rest.is_empty() && !is_map && self.rng.one_in(2) {
                    format!("{receiver}.{}", row.name)
                } else {
                    format!("{receiver}.{}({})", row.name, rest.join(", "))
                }
            }
            None => row.name.to_owned(),
            Some(_) => format!("{}({})", row.name, arguments.join(", ")),
        })
    }

    fn argument(&mut self, row: &str, param: &LibType, bound: &Bound, d: usize) -> Option<String> {
        if let LibType::Range = param {
            let (from, to) = (self.rng.below(6), self.rng.below(9));
            return Some(format!("({from}{}{to})", self.rng.pick(&["..", "..="])));
        }
        if let LibType::Func(params, result) = param {
            let mut named = Vec::new();
            for param in params {
                named.push((self.name("p"), own_type(param, bound)?));
            }
            let result = match **result {
                // A comparator gives a number, a condition anything.
                LibType::Any if row == "sort" => Ty::Int,
                LibType::Any => Ty::Bool,
                ref other => own_type(other, bound)?,
            };
            let body = self.repeated(4, |g| g.in_lambda(&named, |g| g.expr(&result, d.min(2))));
            let body = if body.starts_with('{') {
                format!("({body})")
            } else {
                body
            };
            let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
            return Some(match names.as_slice() {
                [one] => format!("{one} => {body}"),
                names => format!("({}) => {body}", names.join(", ")),
            });
        }
        if let LibType::Any = param {
            let ty = self.plain_type(1);
            return Some(self.expr(&ty, d));
        }
        let ty = own_type(param, bound)?;
        Some(self.expr(&ty, d))
    }
}

/// Whether a `.` may follow: not after a number, whose `.` would be its own, nor after a lambda.
fn is_receiver(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '{') && !text.contains("=>")
}

/// Binds type variables so that the scheme's type is this one.
fn unify(scheme: &LibType, ty: &Ty, bound: &mut Bound) -> bool {
    match (scheme, ty) {
        (LibType::Int, Ty::Int)
        | (LibType::Float, Ty::Float)
        | (LibType::Bool, Ty::Bool)
        | (LibType::Text, Ty::Text)
        | (LibType::Time, Ty::Time)
        | (LibType::Duration, Ty::Duration) => true,
        (LibType::Var(number), ty) => match bound.get_mut(usize::from(*number)) {
            // `T?` of an optional would be the same optional.
            Some(_) if matches!(ty, Ty::Optional(_)) => false,
            Some(slot @ None) => {
                *slot = Some(ty.clone());
                true
            }
            Some(Some(found)) => found == ty,
            None => false,
        },
        (LibType::List(of), Ty::List(ty)) | (LibType::Optional(of), Ty::Optional(ty)) => {
            unify(of, ty, bound)
        }
        (LibType::Map(key, of), Ty::Map(ty)) => {
            unify(key, &Ty::Text, bound) && unify(of, ty, bound)
        }
        (LibType::Tuple(of), Ty::Tuple(types)) if of.len() == types.len() => of
            .iter()
            .zip(types)
            .all(|(scheme, ty)| unify(scheme, ty, bound)),
        _ => false,
    }
}

/// A parameter's type as a type of generated programs.
fn own_type(scheme: &LibType, bound: &Bound) -> Option<Ty> {
    Some(match scheme {
        LibType::Int => Ty::Int,
        LibType::Float => Ty::Float,
        LibType::Bool => Ty::Bool,
        LibType::Text => Ty::Text,
        LibType::Time => Ty::Time,
        LibType::Duration => Ty::Duration,
        LibType::Var(number) => bound.get(usize::from(*number))?.clone()?,
        LibType::List(of) => Ty::list(own_type(of, bound)?),
        LibType::Map(key, of) if own_type(key, bound)? == Ty::Text => {
            Ty::Map(Box::new(own_type(of, bound)?))
        }
        LibType::Optional(of) => Ty::optional(own_type(of, bound)?),
        LibType::Tuple(of) => {
            let members: Option<Vec<Ty>> = of.iter().map(|ty| own_type(ty, bound)).collect();
            Ty::Tuple(members?)
        }
        LibType::Union(of) => own_type(of.first()?, bound)?,
        LibType::Map(..)
        | LibType::Func(..)
        | LibType::Any
        | LibType::None
        | LibType::Never
        | LibType::Range
        | LibType::Error
        | LibType::Response
        | LibType::Entity
        | LibType::Query
        | LibType::Opaque => return None,
    })
}
