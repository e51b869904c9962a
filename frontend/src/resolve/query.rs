//! Arguments of queries: `where(done == false)` becomes a lambda over the entity, whose bare names are fields. Must stay
//! true: where the receiver shows its entity, names are bound here; where it does not, both readings are kept and types
//! decide; where no entity has such a field, the argument is an ordinary value.

use std::sync::Arc;

use flin_syntax::ast::{Expr, ExprKind as Ast, Name};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{EntityIx, ExprId, ExprKind, FnKind, Param};

use super::mentions::{self, Mention};
use super::names::{Item, injected};
use super::scope::{FrameHead, Implicit, Link, Place};
use super::suggest::nearest_of;
use super::{Resolver, library};
use crate::near::nearest;

/// Methods whose first argument may speak of the entity's fields.
const WITH_FIELDS: &[&str] = &[
    "where", "order", "group_by", "sum", "avg", "min", "max", "distinct",
];

/// Methods of a query that give a query of the same entity.
const KEEP_QUERY: &[&str] = &[
    "all",
    "where",
    "order",
    "limit",
    "offset",
    "deleted",
    "with_deleted",
    "at",
];

/// Fields that every entity has.
pub(super) const SYSTEM_FIELDS: &[&str] =
    &["id", "version", "created_at", "updated_at", "deleted_at"];

impl Resolver<'_> {
    /// The entity of an expression that is visibly a query: `Todo`, `Todo.where(…).order(…)`.
    pub(super) fn query_entity(&self, expr: &Expr) -> Option<EntityIx> {
        match &expr.kind {
            Ast::TypeName(name) => match self.top(&name.text) {
                Some(Item::Entity(entity)) => Some(entity),
                _ => None,
            },
            Ast::Field { object, name, .. } if KEEP_QUERY.contains(&&*name.text) => {
                self.query_entity(object)
            }
            Ast::Call { callee, .. } => match &callee.kind {
                Ast::Field { object, name, .. } if KEEP_QUERY.contains(&&*name.text) => {
                    self.query_entity(object)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The first argument of a method.
    pub(super) fn query_argument(
        &mut self,
        entity: Option<EntityIx>,
        method: &str,
        arg: &Expr,
    ) -> ExprId {
        // A misspelt method is reported as such, not the fields in its argument.
        let misspelt = || {
            entity.is_some()
                && !library::exists(method)
                && nearest_of(method, WITH_FIELDS.iter().copied()).is_some()
        };
        if matches!(arg.kind, Ast::Lambda { .. }) || !WITH_FIELDS.contains(&method) && !misspelt() {
            return self.expr(arg);
        }
        if entity.is_some() {
            return self.field_lambda(entity, arg);
        }
        let mut fields = false;
        let mut unknown = false;
        // A condition whose names are nobody's is meant for each element, too.
        let condition = method == "where" && !matches!(arg.kind, Ast::Name(_) | Ast::Call { .. });
        mentions::of_expr(arg, &mut |name, how| {
            if how == Mention::Read && (condition || self.field_names.contains(&name.text)) {
                fields |= self.field_names.contains(&name.text);
                let known = self.has_value(&name.text)
                    || (!self.is_visible(&name.text) && library::exists(&name.text))
                    || (self.place() == Place::Route && injected(&name.text).is_some());
                unknown |= !known;
            }
        });
        match (fields, unknown) {
            (_, true) => self.field_lambda(None, arg),
            (false, false) => self.expr(arg),
            (true, false) => {
                let lambda = self.field_lambda(None, arg);
                let plain = self.expr(arg);
                self.emit(ExprKind::QueryArg { lambda, plain }, arg.span)
            }
        }
    }

    /// An argument as a lambda over the entity.
    fn field_lambda(&mut self, entity: Option<EntityIx>, arg: &Expr) -> ExprId {
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: "query argument".to_owned(),
                span: arg.span,
                kind: FnKind::Lambda,
                place: Place::Lambda,
                link: Link::Capture,
            },
        );
        let annotation = entity.map(crate::hir::TypeAnn::Entity);
        let it = self
            .frame_mut()
            .add_local("it", arg.span, annotation.clone());
        self.frame_mut().params.push(Param {
            local: it,
            annotation,
            default: None,
        });
        self.frame_mut().implicit = Some(Implicit {
            it,
            entity,
            ambiguous: !matches!(arg.kind, Ast::Name(_)),
        });
        let body = self.expr(arg);
        self.close(body);
        self.emit(ExprKind::Lambda(id), arg.span)
    }

    /// A bare name that is a field of a query's entity, or may be one.
    pub(super) fn implicit_field(&mut self, name: &Name) -> Option<ExprId> {
        let (depth, implicit) = self.implicit_around(&name.text)?;
        if !self.may_be_field(implicit.entity, &name.text) {
            return None;
        }
        let (it, _) = self.bring_inside(depth, implicit.it);
        let text = name.text.to_string();
        if implicit.entity.is_some() {
            if implicit.ambiguous {
                self.warn_of_both(name);
            }
            let recv = self.emit(ExprKind::Local(it), name.span);
            let kind = ExprKind::Field {
                recv,
                name: text,
                name_span: name.span,
                optional: false,
            };
            return Some(self.emit(kind, name.span));
        }
        let outer = self.has_value(&name.text).then(|| self.read_plain(name));
        Some(self.emit(
            ExprKind::ImplicitField {
                it,
                name: text,
                outer,
            },
            name.span,
        ))
    }

    /// The field that is nearest to a misspelt name in the argument of a query, and its entity.
    pub(super) fn nearest_field(&self, name: &str) -> Option<(&str, &str)> {
        let (_, implicit) = self.implicit_around(name)?;
        let entity = &self.entities[implicit.entity?.index()];
        let fields = entity.fields.iter().map(|field| field.name.as_str());
        let near = nearest(name, fields.chain(SYSTEM_FIELDS.iter().copied()))?;
        Some((&entity.name, near))
    }

    /// The nearest query argument around, unless a local between hides the name.
    fn implicit_around(&self, name: &str) -> Option<(usize, Implicit)> {
        let declared = self.search(name).map(|(depth, _)| depth);
        for (depth, frame) in self.frames.iter().enumerate().rev() {
            if declared == Some(depth) {
                return None;
            }
            if let Some(implicit) = frame.implicit {
                return Some((depth, implicit));
            }
            if frame.link == Link::Root {
                return None;
            }
        }
        None
    }

    /// Whether a name is visible here, and is no variable of the top level whose declaration is still to come.
    fn has_value(&self, name: &str) -> bool {
        match self.top(name) {
            Some(Item::Var(var)) if self.search(name).is_none() => !self.too_early(var),
            _ => self.is_visible(name),
        }
    }

    fn may_be_field(&self, entity: Option<EntityIx>, name: &str) -> bool {
        match entity {
            Some(entity) => {
                let declared = self.entities[entity.index()]
                    .fields
                    .iter()
                    .any(|field| field.name == name);
                let listed = self.entities[entity.index()]
                    .inverses
                    .iter()
                    .any(|inverse| inverse.name == name);
                declared || listed || SYSTEM_FIELDS.contains(&name)
            }
            // What is nothing else can only be meant as a field.
            None => {
                self.field_names.contains(name) || !self.is_visible(name) && !library::exists(name)
            }
        }
    }

    fn warn_of_both(&mut self, name: &Name) {
        let outer = match self.search(&name.text) {
            Some((depth, super::scope::Binding::Variable(local))) => {
                Some(self.frames[depth].locals[local.index()].span)
            }
            Some(_) => None,
            None => match self.top(&name.text) {
                Some(Item::Var(var)) => Some(self.vars[var].span),
                _ => None,
            },
        };
        if let Some(outer) = outer {
            let text: &Arc<str> = &name.text;
            self.report(
                Diagnostic::warning(
                    Code::FieldAndVariable,
                    name.span,
                    format!("`{text}` is the entity's field here, not the variable"),
                )
                .also(outer, "the variable of that name")
                .hint(format!(
                    "write a lambda to say which one is meant: `x => x.{text} == {text}`"
                )),
            );
        }
    }
}

/// Whether bare names in the arguments of a method may be fields of an entity.
pub(super) fn takes_fields(method: &str) -> bool {
    WITH_FIELDS.contains(&method)
}
