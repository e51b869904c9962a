//! Entity literals and spreading into them. Here, apart from the declarations, because a literal with a spread becomes
//! several steps. Must stay true: entries count in source order, the later one wins; what a literal leaves out has its
//! default, also where something was spread that has no such field.

use flin_syntax::ast::{MapEntry, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{EntityIx, ExprId, ExprKind, LocalId, TypeAnn};

use super::Resolver;
use super::query::SYSTEM_FIELDS;
use super::suggest::nearest_of;

/// An entry of a literal with a spread, its value in a variable.
enum Part<'a> {
    Field(&'a Name, u32, LocalId),
    Spread(LocalId, Span),
}

impl Resolver<'_> {
    /// `Todo { title: "x" }`
    pub(super) fn entity_literal(
        &mut self,
        name: &Name,
        entries: &[MapEntry],
        span: Span,
    ) -> ExprId {
        let entity = self.entity_named(name);
        if let Some(entity) = entity
            && entries
                .iter()
                .any(|entry| matches!(entry, MapEntry::Spread(_)))
        {
            return self.literal_with_spread(entity, entries, span);
        }
        let mut fields = Vec::new();
        for entry in entries {
            let (key, value) = match entry {
                MapEntry::Pair { key, value } => (key, self.expr(value)),
                MapEntry::Shorthand(key) => (key, self.read_name(key)),
                MapEntry::Computed { key, value } => {
                    self.computed_field(key.span);
                    self.expr(value);
                    continue;
                }
                MapEntry::Spread(value) => {
                    self.expr(value);
                    continue;
                }
            };
            if let Some(entity) = entity
                && let Some(number) = self.field_number(entity, key)
            {
                fields.push((number, value));
            }
        }
        match entity {
            Some(entity) => self.emit(ExprKind::EntityNew(entity, fields), span),
            None => self.error(span),
        }
    }

    fn computed_field(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::NoSuchField,
                span,
                "the fields of an entity are fixed names",
            )
            .hint("write `name: value`"),
        );
    }

    /// All values first, in order; then the record with the named fields; then, again in order, what is spread and the
    /// named fields behind it.
    fn literal_with_spread(
        &mut self,
        entity: EntityIx,
        entries: &[MapEntry],
        span: Span,
    ) -> ExprId {
        let mut steps = Vec::new();
        let mut parts = Vec::new();
        for entry in entries {
            let (key, at, value) = match entry {
                MapEntry::Pair { key, value } => (Some(key), value.span, self.expr(value)),
                MapEntry::Shorthand(key) => (Some(key), key.span, self.read_name(key)),
                MapEntry::Spread(value) => (None, value.span, self.expr(value)),
                MapEntry::Computed { key, value } => {
                    self.computed_field(key.span);
                    self.expr(value);
                    continue;
                }
            };
            let local = self.temporary(at);
            steps.push(self.emit(ExprKind::Let(local, Some(value)), at));
            match key {
                Some(key) => {
                    if let Some(number) = self.field_number(entity, key) {
                        parts.push(Part::Field(key, number, local));
                    }
                }
                None => parts.push(Part::Spread(local, at)),
            }
        }
        let mut fields = Vec::new();
        for part in &parts {
            if let Part::Field(key, number, local) = part {
                fields.push((*number, self.emit(ExprKind::Local(*local), key.span)));
            }
        }
        let annotation = Some(TypeAnn::Entity(entity));
        let record = self.frame_mut().add_local("", span, annotation);
        let new = self.emit(ExprKind::EntityNew(entity, fields), span);
        steps.push(self.emit(ExprKind::Let(record, Some(new)), span));
        let mut spread = false;
        for part in &parts {
            match part {
                Part::Spread(local, at) => {
                    spread = true;
                    let args = vec![
                        self.emit(ExprKind::Local(record), span),
                        self.emit(ExprKind::Local(*local), *at),
                    ];
                    let call = ExprKind::CallLib("__entity_spread".to_owned(), args);
                    steps.push(self.emit(call, *at));
                }
                Part::Field(key, _, local) if spread => {
                    let recv = self.emit(ExprKind::Local(record), span);
                    let value = self.emit(ExprKind::Local(*local), key.span);
                    let kind = ExprKind::SetField {
                        recv,
                        name: key.text.to_string(),
                        name_span: key.span,
                        value,
                    };
                    steps.push(self.emit(kind, key.span));
                }
                Part::Field(..) => {}
            }
        }
        steps.push(self.emit(ExprKind::Local(record), span));
        self.emit(ExprKind::Block(steps, true), span)
    }

    fn field_number(&mut self, entity: EntityIx, key: &Name) -> Option<u32> {
        if self.is_listed(entity, key) {
            return None;
        }
        let decl = &self.entities[entity.index()];
        if let Some(number) = decl
            .fields
            .iter()
            .position(|field| *field.name == *key.text)
        {
            return Some(number as u32);
        }
        let diagnostic = Diagnostic::error(
            Code::UnknownField,
            key.span,
            format!("`{}` has no field `{}`", decl.name, key.text),
        )
        .also(decl.span, "declared here");
        let names: Vec<&str> = decl
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        let diagnostic = if SYSTEM_FIELDS.contains(&&*key.text) {
            Diagnostic::error(
                Code::UnknownField,
                key.span,
                format!("`{}` is set by the runtime", key.text),
            )
            .hint("leave it out")
        } else if let Some(near) = nearest_of(&key.text, names.iter().copied()) {
            diagnostic.hint(format!("did you mean `{near}`?"))
        } else {
            diagnostic.hint(format!("its fields are {}", names.join(", ")))
        };
        self.report(diagnostic);
        None
    }
}
