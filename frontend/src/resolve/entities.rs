//! Entities and enums, and entity literals. Must stay true: names and fields of all entities exist before any body is
//! walked; a field that an entity cannot keep is refused here, not at run time.

use std::sync::Arc;

use flin_bytecode::module::{Keep, OnDelete, Rule};
use flin_syntax::ast::{EntityDecl, EnumDecl, ExprKind as Ast, FieldDecl, Name, TypeKind};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashSet, HashSetExt as _};

use crate::hir::{EntityDef, EntityIx, EnumDef, EnumIx, FieldDef, InverseDef, TypeAnn};

use super::Resolver;
use super::inverse::is_inverse;
use super::names::Item;
use super::query::SYSTEM_FIELDS;
use super::scope::Place;
use super::suggest::Wanted;

impl<'a> Resolver<'a> {
    /// Notes an entity with the names of its fields.
    pub(super) fn announce_entity(&mut self, decl: &'a EntityDecl) -> Option<EntityIx> {
        let at = EntityIx(self.entities.len() as u32);
        if !self.declare_top(&decl.name, Item::Entity(at)) {
            return None;
        }
        // Those of another page are not visible here, but they are kept in the same store.
        if let Some(known) = self
            .entities
            .iter()
            .find(|known| *known.name == *decl.name.text)
        {
            let first = known.span;
            self.report(
                Diagnostic::error(
                    Code::DuplicateName,
                    decl.name.span,
                    format!("there are two entities `{}`", decl.name.text),
                )
                .also(first, "the first one")
                .reason("entities of all pages are kept in one store")
                .hint("declare it once in `entities/`, where all pages see it"),
            );
        }
        let stored = decl.fields.iter().filter(|field| !is_inverse(field));
        let fields = stored.map(|field| FieldDef {
            name: field.name.text.to_string(),
            span: field.name.span,
            ty: TypeAnn::Any,
            optional: true,
            rules: Vec::new(),
            default: None,
            checks: Vec::new(),
            unique: false,
            index: false,
            hidden: false,
            on_delete: OnDelete::default(),
            was: Vec::new(),
        });
        let fields = fields.collect();
        let inverses = decl.fields.iter().filter(|field| is_inverse(field));
        let inverses = inverses.map(|field| InverseDef {
            name: field.name.text.to_string(),
            span: field.name.span,
            of: None,
        });
        let inverses = inverses.collect();
        self.entity_decls.push(decl);
        self.entities.push(EntityDef {
            name: decl.name.text.to_string(),
            span: decl.name.span,
            fields,
            inverses,
            was: Vec::new(),
            keep: Keep::default(),
        });
        self.field_names
            .extend(decl.fields.iter().map(|field| field.name.text.clone()));
        self.field_names
            .extend(SYSTEM_FIELDS.iter().map(|name| Arc::from(*name)));
        Some(at)
    }

    /// Types, validators and defaults of an entity's fields.
    pub(super) fn entity(&mut self, at: EntityIx, decl: &EntityDecl) {
        let mut seen: HashSet<&str> = HashSet::new();
        let (mut stored, mut listed) = (0, 0);
        for field in &decl.fields {
            let name = &*field.name.text;
            if SYSTEM_FIELDS.contains(&name) {
                self.report(
                    Diagnostic::error(
                        Code::DuplicateName,
                        field.name.span,
                        format!("every entity has a field `{name}` already"),
                    )
                    .reason("`id version created_at updated_at deleted_at` are kept by the runtime")
                    .hint("give the field another name, or leave it out"),
                );
            } else if !seen.insert(name) {
                self.report(Diagnostic::error(
                    Code::DuplicateName,
                    field.name.span,
                    format!("`{}` has two fields `{name}`", decl.name.text),
                ));
            }
            if is_inverse(field) {
                self.inverse_of(at, listed, field);
                listed += 1;
            } else {
                self.field_of(at, stored, field);
                stored += 1;
            }
        }
        self.entity_decorators(at, decl);
    }

    fn field_of(&mut self, at: EntityIx, number: usize, field: &FieldDecl) {
        let (ty, marked) = match self.type_of(&field.ty) {
            TypeAnn::Optional(inner) => (*inner, true),
            ty => (ty, false),
        };
        self.check_field_type(&ty, field.ty.span);
        self.entities[at.index()].fields[number].ty = ty.clone();
        // A type that is written but not known gives no reason to judge what stands beside it.
        let known = ty != TypeAnn::Any
            || matches!(&field.ty.kind, TypeKind::Named { name, .. } if &*name.text == "any");
        let mut default = field.default.as_ref();
        for decorator in &field.decorators {
            if &*decorator.name.text == "default" {
                default = self.default_decorator(decorator, default);
            } else {
                self.decorator(at, number, decorator, known.then_some(&ty));
            }
        }
        // `= none` is no default: the field is optional.
        let default = default.filter(|value| !matches!(value.kind, Ast::None));
        let default_fn = default.map(|value| {
            let id = self.reserve();
            let name = format!(
                "default of {}.{}",
                self.entities[at.index()].name,
                field.name.text
            );
            self.computed(id, &name, Place::Check, value);
            if let Some(function) = &mut self.functions[id.index()] {
                function.result = Some(ty.clone());
            }
            id
        });
        let def = &mut self.entities[at.index()].fields[number];
        let required = def.rules.contains(&Rule::Required);
        def.optional = !required && (marked || default_fn.is_none());
        def.default = default_fn;
    }

    fn check_field_type(&mut self, ty: &TypeAnn, span: Span) {
        if let Some(what) = refused(ty) {
            self.report(
                Diagnostic::error(
                    Code::BadFieldType,
                    span,
                    format!("an entity cannot keep {what}"),
                )
                .hint("fields may be int, float, text, bool, time, duration, any, enums, links to entities, and lists, maps and tuples of values"),
            );
        }
    }

    pub(super) fn announce_enum(&mut self, decl: &'a EnumDecl) -> Option<usize> {
        let at = self.enums.len();
        if !self.declare_top(&decl.name, Item::Enum(EnumIx(at as u32))) {
            return None;
        }
        let mut seen: HashSet<&str> = HashSet::new();
        for (number, variant) in decl.variants.iter().enumerate() {
            if seen.insert(&variant.name.text) {
                let owners = self.variants.entry(variant.name.text.clone()).or_default();
                owners.push((EnumIx(at as u32), number as u32));
            } else {
                self.report(Diagnostic::error(
                    Code::DuplicateName,
                    variant.name.span,
                    format!(
                        "`{}` has two variants `{}`",
                        decl.name.text, variant.name.text
                    ),
                ));
            }
        }
        // The number of values is known at once, their types once all names are.
        let variants = decl
            .variants
            .iter()
            .map(|variant| {
                (
                    variant.name.text.to_string(),
                    vec![TypeAnn::Any; variant.payload.len()],
                )
            })
            .collect();
        self.enums.push(EnumDef {
            name: decl.name.text.to_string(),
            span: decl.name.span,
            generics: decl.generics.len() as u32,
            variants,
        });
        Some(at)
    }

    pub(super) fn enum_types(&mut self, at: usize, decl: &EnumDecl) {
        for (number, variant) in decl.variants.iter().enumerate() {
            let types = variant
                .payload
                .iter()
                .map(|ty| self.type_in_enum(ty, &decl.generics))
                .collect();
            self.enums[at].variants[number].1 = types;
        }
    }

    /// The entity of a written name; reports another name.
    pub(super) fn entity_named(&mut self, name: &Name) -> Option<EntityIx> {
        if let Some(Item::Entity(entity)) = self.top(&name.text) {
            return Some(entity);
        }
        let mut diagnostic = Diagnostic::error(
            Code::UnknownType,
            name.span,
            format!("there is no entity `{}`", name.text),
        );
        diagnostic = match self.nearest(&name.text, Wanted::Entity) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint(format!("declare it: `entity {} {{ … }}`", name.text)),
        };
        self.report_missing(name, diagnostic);
        None
    }
}

/// What makes a type unfit for an entity, if anything does.
fn refused(ty: &TypeAnn) -> Option<&'static str> {
    match ty {
        TypeAnn::None => Some("nothing but none"),
        TypeAnn::Range => Some("a range"),
        TypeAnn::Error => Some("an error"),
        TypeAnn::Response => Some("a response"),
        TypeAnn::Func(..) => Some("a function"),
        TypeAnn::Var(_) => Some("a value of an open type"),
        TypeAnn::List(item) | TypeAnn::Optional(item) => refused(item),
        TypeAnn::Map(key, value) => refused(key).or_else(|| refused(value)),
        TypeAnn::Tuple(items) | TypeAnn::Enum(_, items) => items.iter().find_map(refused),
        TypeAnn::Union(items) => items
            .iter()
            .filter(|item| **item != TypeAnn::None)
            .find_map(refused),
        TypeAnn::Any
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Entity(_) => None,
    }
}

/// Whether values of a type can be or hold links.
pub(super) fn has_link(ty: &TypeAnn) -> bool {
    match ty {
        TypeAnn::Entity(_) => true,
        TypeAnn::List(item) | TypeAnn::Optional(item) => has_link(item),
        TypeAnn::Map(_, value) => has_link(value),
        TypeAnn::Tuple(items) | TypeAnn::Union(items) | TypeAnn::Enum(_, items) => {
            items.iter().any(has_link)
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
        | TypeAnn::Var(_) => false,
    }
}
