//! Written types become types with names bound; aliases are replaced by what they stand for. Must stay true: an alias that
//! contains itself is an error, not an endless loop; what is wrong becomes `any`, so that one mistake gives one message.

use std::sync::Arc;

use flin_syntax::ast::{Name, TypeExpr, TypeKind};
use flin_syntax::{Code, Diagnostic};
use foldhash::HashMap;

use crate::hir::{EnumIx, TypeAnn};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::names::Item;
use super::suggest::{Wanted, nearest_of};

/// The types that every program has.
pub(super) const BUILT_IN: &[&str] = &[
    "int", "float", "text", "bool", "time", "duration", "any", "error", "range", "response",
    "number", "decimal",
];

/// Types bound to the parameters of a generic alias.
type Arguments = HashMap<Arc<str>, TypeAnn>;

impl Resolver<'_> {
    /// A written type.
    pub(super) fn type_of(&mut self, ty: &TypeExpr) -> TypeAnn {
        self.type_with(ty, &Arguments::default())
    }

    /// A type after `is` or in a pattern: an enum's name alone is enough, whatever its values hold.
    pub(super) fn tested_type(&mut self, ty: &TypeExpr) -> TypeAnn {
        if let TypeKind::Named { name, args } = &ty.kind
            && args.is_empty()
            && let Some(Item::Enum(at)) = self.top(&name.text)
        {
            return self.any_enum(at);
        }
        self.type_of(ty)
    }

    /// An enum whose values hold anything.
    pub(super) fn any_enum(&self, at: EnumIx) -> TypeAnn {
        let count = self.enums[at.index()].generics as usize;
        TypeAnn::Enum(at, vec![TypeAnn::Any; count])
    }

    /// A type in the declaration of an enum with these type parameters.
    pub(super) fn type_in_enum(&mut self, ty: &TypeExpr, generics: &[Name]) -> TypeAnn {
        let bound = generics
            .iter()
            .enumerate()
            .map(|(at, name)| (name.text.clone(), TypeAnn::Var(at as u32)))
            .collect();
        self.type_with(ty, &bound)
    }

    /// An optional annotation.
    pub(super) fn annotation(&mut self, ty: Option<&TypeExpr>) -> Option<TypeAnn> {
        ty.map(|ty| self.type_of(ty))
    }

    fn type_with(&mut self, ty: &TypeExpr, bound: &Arguments) -> TypeAnn {
        match &ty.kind {
            TypeKind::Named { name, args } => self.named_type(name, args, bound),
            TypeKind::None => TypeAnn::None,
            TypeKind::List(item) => TypeAnn::List(Box::new(self.type_with(item, bound))),
            TypeKind::Map { key, value } => {
                let key = self.type_with(key, bound);
                TypeAnn::Map(Box::new(key), Box::new(self.type_with(value, bound)))
            }
            TypeKind::Tuple(items) => TypeAnn::Tuple(self.types_with(items, bound)),
            TypeKind::Optional(inner) => match self.type_with(inner, bound) {
                already @ (TypeAnn::Optional(_) | TypeAnn::Any | TypeAnn::None) => already,
                inner => TypeAnn::Optional(Box::new(inner)),
            },
            TypeKind::Union(members) => TypeAnn::Union(self.types_with(members, bound)),
            TypeKind::Fn { params, result } => {
                let params = self.types_with(params, bound);
                TypeAnn::Func(params, Box::new(self.type_with(result, bound)))
            }
            TypeKind::Error => TypeAnn::Any,
        }
    }

    fn types_with(&mut self, types: &[TypeExpr], bound: &Arguments) -> Vec<TypeAnn> {
        types.iter().map(|ty| self.type_with(ty, bound)).collect()
    }

    fn named_type(&mut self, name: &Name, args: &[TypeExpr], bound: &Arguments) -> TypeAnn {
        if let Some(known) = bound.get(&name.text) {
            return known.clone();
        }
        if let Some(parameter) = self.type_parameter(&name.text) {
            return parameter;
        }
        if let Some(Item::Alias(alias)) = self.top(&name.text) {
            return self.expand(alias, name, args, bound);
        }
        let found = match self.top(&name.text) {
            Some(Item::Entity(entity)) => Some(TypeAnn::Entity(entity)),
            Some(Item::Enum(at)) => {
                let wanted = self.enums[at.index()].generics as usize;
                if wanted != args.len() {
                    self.argument_count(name, wanted, args.len());
                    return TypeAnn::Any;
                }
                return TypeAnn::Enum(at, self.types_with(args, bound));
            }
            Some(Item::Function(_) | Item::Var(_) | Item::Component(_) | Item::Alias(_)) | None => {
                built_in(&name.text)
            }
        };
        let Some(found) = found else {
            self.unknown_type(name);
            return TypeAnn::Any;
        };
        if !args.is_empty() {
            self.argument_count(name, 0, args.len());
        }
        found
    }

    /// A type parameter of the function at hand. Functions inside of it do not know which type it is.
    fn type_parameter(&self, name: &str) -> Option<TypeAnn> {
        let own = self.frames.last()?;
        if let Some(at) = own.generics.iter().position(|generic| &**generic == name) {
            return Some(TypeAnn::Var(at as u32));
        }
        let outer = self.frames.iter().flat_map(|frame| &frame.generics);
        outer
            .into_iter()
            .any(|generic| &**generic == name)
            .then_some(TypeAnn::Any)
    }

    fn expand(
        &mut self,
        alias: usize,
        name: &Name,
        args: &[TypeExpr],
        bound: &Arguments,
    ) -> TypeAnn {
        let decl = self.aliases[alias].decl;
        if self.aliases[alias].open {
            self.report(
                Diagnostic::error(
                    Code::RecursiveAlias,
                    name.span,
                    format!("the type `{}` contains itself", name.text),
                )
                .also(decl.name.span, "declared here")
                .hint("use an entity, or `any` at this place"),
            );
            return TypeAnn::Any;
        }
        if decl.generics.len() != args.len() {
            self.argument_count(name, decl.generics.len(), args.len());
            return TypeAnn::Any;
        }
        let values = self.types_with(args, bound);
        let bound: Arguments = decl
            .generics
            .iter()
            .map(|it| it.text.clone())
            .zip(values)
            .collect();
        self.aliases[alias].open = true;
        let ty = self.type_with(&decl.ty, &bound);
        self.aliases[alias].open = false;
        ty
    }

    fn argument_count(&mut self, name: &Name, expected: usize, found: usize) {
        self.report(
            Diagnostic::error(
                Code::TypeArgumentCount,
                name.span,
                format!(
                    "`{}` takes {}, found {found}",
                    name.text,
                    count_of(expected, "type argument")
                ),
            )
            .hint(if expected == 0 {
                format!("write `{}` alone", name.text)
            } else {
                format!("name {} between `<` and `>`", count_of(expected, "type"))
            }),
        );
    }

    fn unknown_type(&mut self, name: &Name) {
        match &*name.text {
            "money" => return self.unsupported(Unsupported::Money, name.span),
            "file" => return self.unsupported(Unsupported::Files, name.span),
            _ => {}
        }
        let mut diagnostic = Diagnostic::error(
            Code::UnknownType,
            name.span,
            format!("there is no type `{}`", name.text),
        );
        let near = foreign(&name.text)
            .or_else(|| self.nearest(&name.text, Wanted::Type))
            .or_else(|| nearly_foreign(&name.text));
        diagnostic = match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("types are int, float, text, bool, time, duration, any, lists [T], maps [K:V], entities, enums and aliases"),
        };
        self.report_missing(name, diagnostic);
    }
}

pub(super) fn built_in(name: &str) -> Option<TypeAnn> {
    match name {
        "int" => Some(TypeAnn::Int),
        "float" | "number" | "decimal" => Some(TypeAnn::Float),
        "text" => Some(TypeAnn::Text),
        "bool" => Some(TypeAnn::Bool),
        "none" => Some(TypeAnn::None),
        "time" => Some(TypeAnn::Time),
        "duration" => Some(TypeAnn::Duration),
        "any" => Some(TypeAnn::Any),
        "error" => Some(TypeAnn::Error),
        "range" => Some(TypeAnn::Range),
        "response" => Some(TypeAnn::Response),
        _ => None,
    }
}

/// Types of other languages, and what they are called here.
const FOREIGN: [(&str, &str); 27] = [
    ("string", "text"),
    ("str", "text"),
    ("char", "text"),
    ("varchar", "text"),
    ("integer", "int"),
    ("i64", "int"),
    ("long", "int"),
    ("bigint", "int"),
    ("boolean", "bool"),
    ("double", "float"),
    ("f64", "float"),
    ("real", "float"),
    ("void", "none"),
    ("null", "none"),
    ("nil", "none"),
    ("undefined", "none"),
    ("unit", "none"),
    ("date", "time"),
    ("datetime", "time"),
    ("timestamp", "time"),
    ("object", "[text:any]"),
    ("dict", "[text:any]"),
    ("hash", "[text:any]"),
    ("map", "[text:any]"),
    ("array", "[any]"),
    ("list", "[any]"),
    ("function", "(any) -> any"),
];

/// What a type of other languages is called here.
fn foreign(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let found = FOREIGN.iter().find(|(there, _)| *there == name);
    found.map(|(_, here)| (*here).to_owned())
}

/// What a misspelt type of other languages is called here.
fn nearly_foreign(name: &str) -> Option<String> {
    let near = nearest_of(name, FOREIGN.iter().map(|(there, _)| *there))?;
    foreign(&near)
}

/// `1 argument`, `2 arguments`.
pub(super) fn count_of(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
