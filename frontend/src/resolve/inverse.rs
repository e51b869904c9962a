//! Inverse lists: `todos: [Todo] @inverse(owner)`. Here because they look like fields and are none: nothing is stored,
//! reading one is a query. Must stay true: the named field exists and can link back, so that the query finds something.

use flin_syntax::ast::{Decorator, ExprKind as Ast, FieldDecl, Name};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{EntityIx, TypeAnn};

use super::Resolver;
use super::decorators::INVERSE;
use super::suggest::nearest_of;

/// Whether a field is declared with `@inverse`.
pub(super) fn is_inverse(field: &FieldDecl) -> bool {
    field
        .decorators
        .iter()
        .any(|decorator| &*decorator.name.text == INVERSE)
}

impl Resolver<'_> {
    /// Checks inverse list `number` of an entity and notes which field of which entity it stands for.
    pub(super) fn inverse_of(&mut self, at: EntityIx, number: usize, field: &FieldDecl) {
        let mut decorators = field.decorators.iter();
        let Some(decorator) = decorators.find(|one| &*one.name.text == INVERSE) else {
            return;
        };
        if let Some(other) = field.decorators.iter().find(|one| *one != decorator) {
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    other.span,
                    format!("`@{}` does not fit an inverse list", other.name.text),
                )
                .reason("such a list is not stored: it is a query over the records that link here")
                .hint("write the rule at the field that holds the link"),
            );
        }
        if let Some(default) = &field.default {
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    default.span,
                    "an inverse list has no default value",
                )
                .reason("it is not stored: it is a query over the records that link here"),
            );
        }
        let Some(target) = self.listed_entity(field, decorator) else {
            return;
        };
        let [one] = decorator.args.as_slice() else {
            return self.bad_inverse(decorator);
        };
        let (Ast::Name(link), None) = (&one.value.kind, &one.name) else {
            return self.bad_inverse(decorator);
        };
        if let Some(linking) = self.linking_field(at, target, link) {
            self.entities[at.index()].inverses[number].of = Some((target, linking));
        }
    }

    /// The entity of an inverse list's type.
    fn listed_entity(&mut self, field: &FieldDecl, decorator: &Decorator) -> Option<EntityIx> {
        let ty = match self.type_of(&field.ty) {
            TypeAnn::Optional(inner) => *inner,
            ty => ty,
        };
        if let TypeAnn::List(item) = &ty
            && let TypeAnn::Entity(entity) = **item
        {
            return Some(entity);
        }
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                field.ty.span,
                "an inverse list is a list of an entity",
            )
            .also(decorator.span, "because of this")
            .hint("write `todos: [Todo] @inverse(owner)`"),
        );
        None
    }

    fn bad_inverse(&mut self, decorator: &Decorator) {
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                "`@inverse` takes the name of the field that links back",
            )
            .hint("write `@inverse(owner)`"),
        );
    }

    /// The number of the field of `target` that links to `at`.
    fn linking_field(&mut self, at: EntityIx, target: EntityIx, link: &Name) -> Option<u32> {
        // Types of later entities are not known yet, so the declaration is asked.
        let decl = self.entity_decls.get(target.index()).copied()?;
        let stored: Vec<&FieldDecl> = decl
            .fields
            .iter()
            .filter(|field| !is_inverse(field))
            .collect();
        let Some(number) = stored.iter().position(|field| field.name.text == link.text) else {
            let names = stored.iter().map(|field| &*field.name.text);
            let near = nearest_of(&link.text, names).map(|near| near.to_string());
            let linking = stored.iter().find(|field| {
                let ty = self.type_of(&field.ty);
                links_to(&ty, at)
            });
            let linking = linking.map(|field| field.name.text.to_string());
            let hint = match near.or(linking) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "add it: `{}: {}`",
                    link.text,
                    self.entities[at.index()].name
                ),
            };
            let found = Diagnostic::error(
                Code::UnknownField,
                link.span,
                format!("`{}` has no field `{}`", decl.name.text, link.text),
            );
            self.report(found.also(decl.name.span, "declared here").hint(hint));
            return None;
        };
        let ty = self.type_of(&stored[number].ty);
        if !links_to(&ty, at) {
            let name = self.entities[at.index()].name.clone();
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    link.span,
                    format!("`{}.{}` does not link to {name}", decl.name.text, link.text),
                )
                .also(stored[number].ty.span, "this is its type")
                .hint(format!(
                    "an inverse list needs a field such as `{}: {name}` or `{}: [{name}]`",
                    link.text, link.text
                )),
            );
            return None;
        }
        Some(number as u32)
    }

    /// Whether a name is an inverse list of the entity, which cannot be set; reports it.
    pub(super) fn is_listed(&mut self, entity: EntityIx, key: &Name) -> bool {
        let decl = &self.entities[entity.index()];
        let mut inverses = decl.inverses.iter();
        let Some(inverse) = inverses.find(|inverse| inverse.name == *key.text) else {
            return false;
        };
        let title = format!(
            "`{}.{}` is not stored, so it cannot be set",
            decl.name, key.text
        );
        let mut found = Diagnostic::error(Code::UnknownField, key.span, title)
            .also(inverse.span, "it lists the records that link here");
        if let Some((other, field)) = inverse.of {
            let other = &self.entities[other.index()];
            found = found.hint(format!(
                "set `{}` of a {}",
                other.fields[field as usize].name, other.name
            ));
        }
        self.report(found);
        true
    }
}

/// Whether values of a type can link to an entity.
fn links_to(ty: &TypeAnn, entity: EntityIx) -> bool {
    match ty {
        TypeAnn::Entity(found) => *found == entity,
        TypeAnn::List(item) | TypeAnn::Optional(item) | TypeAnn::Map(_, item) => {
            links_to(item, entity)
        }
        TypeAnn::Tuple(items) | TypeAnn::Union(items) => {
            items.iter().any(|item| links_to(item, entity))
        }
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::Func(..)
        | TypeAnn::Enum(..)
        | TypeAnn::Var(_) => false,
    }
}
