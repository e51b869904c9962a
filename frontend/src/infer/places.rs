//! What is said about values that stand where they cannot: fields that cannot be set, what has no elements, positions or history,
//! what is no record. Here, apart from other reports, because each is about one place in the source. Must stay true: a
//! message names the value's type in the program's words.

use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{EntityIx, ExprId, ExprKind};

use super::set::Set;
use super::walk::Walker;
use super::words::counted;

impl Walker<'_, '_> {
    /// A construct that is not done yet.
    pub(super) fn cannot_set_field(&mut self, recv: ExprId, set: Set, name: (&str, Span)) {
        self.report(recv, |walker, span| {
            let words = walker.words(set);
            Diagnostic::error(
                Code::NoSuchField,
                span,
                format!("{words} has no fields that can be set"),
            )
            .label(format!("this is {words}"))
            .hint(format!(
                "only maps and entities have fields such as `{}`",
                name.0
            ))
        });
    }

    pub(super) fn automatic_field(&mut self, entity: EntityIx, name: (&str, Span)) {
        let words = self.engine.program.entities[entity.index()].name.clone();
        let body = self.function.body;
        self.report(body, |_, _| {
            Diagnostic::error(
                Code::NoSuchField,
                name.1,
                format!("`{words}.{}` is set by the runtime", name.0),
            )
            .label("this cannot be assigned")
        });
    }

    pub(super) fn listed_field(&mut self, entity: EntityIx, name: (&str, Span)) {
        let words = self.engine.program.entities[entity.index()].name.clone();
        let body = self.function.body;
        self.report(body, |_, _| {
            Diagnostic::error(
                Code::NoSuchField,
                name.1,
                format!("`{words}.{}` is not stored, so it cannot be set", name.0),
            )
            .label("this lists the records that link here")
            .hint("set the link in the records that it lists")
        });
    }

    pub(super) fn not_a_time(&mut self, at: ExprId, found: Set) {
        self.expected(at, "a version (int), a time or a text with a date", found);
    }

    pub(super) fn no_history(&mut self, value: ExprId, set: Set) {
        self.report(value, |walker, span| {
            let words = walker.words(set);
            let diagnostic = Diagnostic::error(
                Code::NotAnEntity,
                span,
                format!("`@` needs a record of an entity, not {words}"),
            )
            .label(format!("this is {words}"));
            walker.with_origins(diagnostic, value, set)
        });
    }

    pub(super) fn not_a_query(&mut self, expr: ExprId, name: &str) {
        self.report(expr, |_, span| {
            Diagnostic::error(
                Code::QueryArgument,
                span,
                format!("`{name}` is not known here"),
            )
            .label("neither a variable nor a field of a queried entity")
            .hint(format!("for a list write a lambda: `x => x.{name} …`"))
        });
    }

    pub(super) fn not_iterable(&mut self, at: ExprId, set: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(set);
            let diagnostic = Diagnostic::error(
                Code::NotIterable,
                span,
                format!("{words} has no elements to go through"),
            )
            .label(format!("this is {words}"));
            let diagnostic = walker.with_origins(diagnostic, at, set);
            if set.has(Set::NUMBER) {
                diagnostic.hint("for a count write a range: `0..n`")
            } else {
                diagnostic
            }
        });
    }

    pub(super) fn not_bindable(&mut self, at: ExprId, set: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(set);
            let title = format!("a part of {words} cannot be bound");
            Diagnostic::error(Code::BadBind, span, title)
                .label(format!("this is {words}"))
                .hint("bind a part of a map or a list; copy a record's fields into a map, and save them in the submit handler")
        });
    }

    pub(super) fn not_settable(&mut self, at: ExprId, set: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(set);
            let title = format!("the elements of {words} cannot be assigned");
            let diagnostic = Diagnostic::error(Code::NotIndexable, span, title)
                .label(format!("this is {words}"));
            let diagnostic = if set == Set::TEXT {
                diagnostic.hint("a text never changes; make a new one, for instance with `replace`")
            } else {
                diagnostic.hint("`x[i] = …` works for lists and maps")
            };
            walker.with_origins(diagnostic, at, set)
        });
    }

    pub(super) fn not_indexable(&mut self, at: ExprId, set: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(set);
            let diagnostic =
                Diagnostic::error(Code::NotIndexable, span, format!("{words} has no elements"))
                    .label(format!("this is {words}"));
            let diagnostic = if set == Set::RANGE {
                diagnostic.hint("make a list of it first: `(0..n).to_list`")
            } else {
                diagnostic.hint("`x[i]` works for lists, texts, tuples and maps")
            };
            walker.with_origins(diagnostic, at, set)
        });
    }

    pub(super) fn no_tuple_item(&mut self, at: ExprId, len: usize) {
        self.report(at, |_, span| {
            Diagnostic::error(
                Code::NotIndexable,
                span,
                format!("the tuple has only {}", counted(len, "member")),
            )
            .label("counted from 0")
        });
    }

    /// A tuple pattern with fewer names than the tuple has members.
    pub(super) fn too_few_names(&mut self, at: ExprId, names: (usize, Span), members: usize) {
        self.report(at, |walker, _| {
            let title = format!("the tuple has {}", counted(members, "member"));
            let diagnostic = Diagnostic::error(Code::NotIndexable, names.1, title)
                .label(format!("only {} here", counted(names.0, "name")))
                .hint(
                    "a tuple is taken apart as a whole: write `_` for a member that is not needed",
                );
            let tuple = walker.span(at);
            if tuple == names.1 {
                diagnostic
            } else {
                diagnostic.also(tuple, "this is the tuple")
            }
        });
    }

    pub(super) fn not_spreadable(&mut self, at: ExprId, set: Set) {
        self.report(at, |walker, span| {
            let words = walker.words(set);
            Diagnostic::error(
                Code::WrongType,
                span,
                format!("`...` in a map needs a map, not {words}"),
            )
            .label(format!("this is {words}"))
        });
    }

    pub(super) fn not_an_entity(&mut self, expr: ExprId, value: ExprId, set: Set) {
        let verb = match self.kind(expr) {
            ExprKind::Delete(_) => "delete",
            ExprKind::Restore(_) => "restore",
            ExprKind::Destroy(_) => "destroy",
            _ => "save",
        };
        self.report(value, |walker, span| {
            let words = walker.words(set);
            let diagnostic = Diagnostic::error(
                Code::NotAnEntity,
                span,
                format!("`{verb}` needs a record of an entity, not {words}"),
            )
            .label(format!("this is {words}"));
            walker.with_origins(diagnostic, value, set)
        });
    }
}
