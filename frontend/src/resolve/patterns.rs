//! Patterns that always fit: destructuring in `let`, assignments, parameters and loops. Must stay true: a default stands
//! for a value that is absent or none; what takes the rest is a new list or map.

use flin_syntax::ast::{
    Expr, ExprKind as Ast, ListItem, MapPatternEntry, Name, Pattern, PatternItem, PatternKind,
    RestPattern, TypeExpr,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{BinOp, ExprId, ExprKind, LocalId};

use super::Resolver;

/// What happens to the names of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// They are new variables.
    Declare,
    /// They are assigned, or declared if not visible.
    Assign,
    /// They are top-level variables that get their first value here (in `main`).
    First,
    /// Only this top-level variable is assigned; the other names are new variables.
    Only(usize),
}

impl Resolver<'_> {
    /// `pattern = value`
    pub(super) fn destructure(
        &mut self,
        pattern: &Pattern,
        ty: Option<&TypeExpr>,
        value: &Expr,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        if ty.is_none()
            && let Some(pairs) = item_by_item(pattern, value)
        {
            // `[a, b] = [b, a]`: all values first, then the names, without a list between.
            let locals: Vec<(LocalId, &Pattern)> = pairs
                .into_iter()
                .map(|(pattern, value)| {
                    let initial = self.expr(value);
                    let local = self.temporary(value.span);
                    ids.push(self.emit(ExprKind::Let(local, Some(initial)), value.span));
                    (local, pattern)
                })
                .collect();
            for (local, pattern) in locals {
                self.take_apart(pattern, local, target, ids);
            }
            return;
        }
        let initial = self.expr(value);
        let annotation = self.annotation(ty);
        let local = self.frame_mut().add_local("", value.span, annotation);
        ids.push(self.emit(ExprKind::Let(local, Some(initial)), value.span));
        self.take_apart(pattern, local, target, ids);
    }

    /// Binds the names of a pattern to the parts of a variable's value.
    pub(super) fn take_apart(
        &mut self,
        pattern: &Pattern,
        from: LocalId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Error => {}
            PatternKind::Binding(name) => {
                let value = self.emit(ExprKind::Local(from), span);
                self.bind_name(name, None, value, target, ids);
            }
            PatternKind::Place(place) => match target {
                Target::Assign | Target::First => {
                    let set =
                        self.set_part(place, None, span, |it| it.emit(ExprKind::Local(from), span));
                    ids.push(set);
                }
                Target::Only(_) => {}
                Target::Declare => self.refuse_place(span),
            },
            PatternKind::Typed { ty, name } => {
                let value = self.emit(ExprKind::Local(from), span);
                self.bind_name(name, Some(ty), value, target, ids);
            }
            PatternKind::List { items, rest } => {
                self.take_items(items, from, target, ids);
                if let Some(rest) = rest {
                    self.take_rest_of_list(rest, items.len(), from, target, ids);
                }
            }
            PatternKind::Tuple(items) => {
                self.frame_mut().locals[from.index()].tuple = Some((items.len() as u32, span));
                self.take_items(items, from, target, ids);
            }
            PatternKind::Map { entries, rest, .. } => {
                for entry in entries {
                    let value = self.entry_value(entry, from);
                    self.take_part(&entry.pattern, value, target, ids);
                }
                if let Some(rest) = rest {
                    self.take_rest_of_map(rest, entries, from, target, ids);
                }
            }
            PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::Variant { .. }
            | PatternKind::Or(_) => {
                let reason = match self.refused_by(pattern) {
                    Some(other) => {
                        format!("here a pattern must take every value; `{other}` does not fit")
                    }
                    None => "here a pattern must take every value".to_owned(),
                };
                self.report(
                    Diagnostic::error(Code::RefutablePattern, span, "this pattern may not fit")
                        .reason(reason)
                        .hint("use `match` to try several patterns"),
                );
                // Its names are meant to be known.
                super::mentions::of_pattern(pattern, &mut |name, how| {
                    if how == super::mentions::Mention::Bound {
                        self.refused.insert(name.text.clone());
                    }
                });
            }
        }
    }

    /// A field or an item where only names can be declared.
    pub(super) fn refuse_place(&mut self, span: Span) {
        self.report(
            Diagnostic::error(Code::BadPattern, span, "this pattern declares names")
                .label("a field or an item exists already")
                .hint("write a name here; fields and items can be assigned by a statement such as `[a.x, b[0]] = …`"),
        );
    }

    fn take_items(
        &mut self,
        items: &[PatternItem],
        from: LocalId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        for (at, item) in items.iter().enumerate() {
            if matches!(item.pattern.kind, PatternKind::Wildcard) {
                continue;
            }
            let value = self.item_value(item, at, from);
            self.take_part(&item.pattern, value, target, ids);
        }
    }

    /// A part's value goes to a name at once, or into a variable that is taken apart further.
    fn take_part(
        &mut self,
        pattern: &Pattern,
        value: ExprId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        if let PatternKind::Binding(name) = &pattern.kind {
            return self.bind_name(name, None, value, target, ids);
        }
        let local = self.temporary(pattern.span);
        ids.push(self.emit(ExprKind::Let(local, Some(value)), pattern.span));
        self.take_apart(pattern, local, target, ids);
    }

    /// Item `at` of a list or tuple, or its default.
    pub(super) fn item_value(&mut self, item: &PatternItem, at: usize, from: LocalId) -> ExprId {
        let span = item.pattern.span;
        // What is taken apart is named at its own place: a value without items is one mistake, however many names wait.
        let whole = self.frame_mut().locals[from.index()].span;
        let list = self.emit(ExprKind::Local(from), whole);
        let index = self.emit(ExprKind::Int(at as i64), span);
        let value = self.emit(ExprKind::Index(list, index), span);
        let Some(default) = &item.default else {
            return value;
        };
        let length = self.length_of(from, span);
        let at = self.emit(ExprKind::Int(at as i64), span);
        let cond = self.emit(ExprKind::Binary(BinOp::Gt, length, at), span);
        let none = self.emit(ExprKind::None, span);
        let found = self.emit(
            ExprKind::If {
                cond,
                then: value,
                otherwise: Some(none),
            },
            span,
        );
        let default = self.expr(default);
        self.emit(ExprKind::Coalesce(found, default), span)
    }

    /// The value of a key, or its default.
    pub(super) fn entry_value(&mut self, entry: &MapPatternEntry, from: LocalId) -> ExprId {
        let span = entry.key.span;
        let recv = self.emit(ExprKind::Local(from), span);
        let name = entry.key.text.to_string();
        let value = self.emit(
            ExprKind::Field {
                recv,
                name,
                name_span: span,
                optional: false,
            },
            span,
        );
        match &entry.default {
            None => value,
            Some(default) => {
                let default = self.expr(default);
                self.emit(ExprKind::Coalesce(value, default), span)
            }
        }
    }

    pub(super) fn length_of(&mut self, from: LocalId, span: Span) -> ExprId {
        let list = self.emit(ExprKind::Local(from), span);
        self.emit(ExprKind::CallLib("len".to_owned(), vec![list]), span)
    }

    /// The rest of a list from a position on.
    pub(super) fn rest_of_list(&mut self, start: usize, from: LocalId, span: Span) -> ExprId {
        let recv = self.emit(ExprKind::Local(from), span);
        let start = self.emit(ExprKind::Int(start as i64), span);
        self.emit(
            ExprKind::Slice {
                recv,
                from: Some(start),
                to: None,
                step: None,
            },
            span,
        )
    }

    /// The entries of a map but those named.
    pub(super) fn rest_of_map(
        &mut self,
        entries: &[MapPatternEntry],
        from: LocalId,
        span: Span,
    ) -> ExprId {
        let recv = self.emit(ExprKind::Local(from), span);
        let keys = entries
            .iter()
            .map(|entry| self.emit(ExprKind::Text(entry.key.text.to_string()), entry.key.span))
            .collect();
        let keys = self.emit(ExprKind::List(keys), span);
        self.emit(
            ExprKind::CallLib("__rest".to_owned(), vec![recv, keys]),
            span,
        )
    }

    fn take_rest_of_list(
        &mut self,
        rest: &RestPattern,
        start: usize,
        from: LocalId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        if let Some(name) = &rest.name {
            let value = self.rest_of_list(start, from, rest.span);
            self.bind_name(name, None, value, target, ids);
        }
    }

    fn take_rest_of_map(
        &mut self,
        rest: &RestPattern,
        entries: &[MapPatternEntry],
        from: LocalId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        if let Some(name) = &rest.name {
            let value = self.rest_of_map(entries, from, rest.span);
            self.bind_name(name, None, value, target, ids);
        }
    }

    fn bind_name(
        &mut self,
        name: &Name,
        ty: Option<&TypeExpr>,
        value: ExprId,
        target: Target,
        ids: &mut Vec<ExprId>,
    ) {
        let annotation = self.annotation(ty);
        let id = match target {
            Target::Assign => self.set_name(name, value, name.span),
            Target::First => self.first_value(name, value, name.span),
            Target::Only(var) if self.vars[var].name == name.text => {
                let kind = ExprKind::SetGlobal(crate::hir::GlobalIx(var as u32), value);
                self.emit(kind, name.span)
            }
            Target::Declare | Target::Only(_) => {
                let local = self.declare(&name.text, name.span, annotation);
                self.emit(ExprKind::Let(local, Some(value)), name.span)
            }
        };
        ids.push(id);
    }
}

/// The pairs of pattern and value when a list or tuple is taken apart that is written out on the right side.
fn item_by_item<'p>(pattern: &'p Pattern, value: &'p Expr) -> Option<Vec<(&'p Pattern, &'p Expr)>> {
    let items = match &pattern.kind {
        PatternKind::List { items, rest: None } => items,
        PatternKind::Tuple(items) => items,
        _ => return None,
    };
    let values: Vec<&Expr> = match &value.kind {
        Ast::List(values) => values
            .iter()
            .map(|item| match item {
                ListItem::Item(value) => Some(value),
                ListItem::Spread(_) => None,
            })
            .collect::<Option<_>>()?,
        Ast::Tuple(values) => values.iter().collect(),
        _ => return None,
    };
    let plain = items.len() == values.len() && items.iter().all(|item| item.default.is_none());
    plain.then(|| items.iter().map(|item| &item.pattern).zip(values).collect())
}
