//! The library as names see it: which functions exist, and library functions used as values. Must stay true: the library
//! table of the bytecode crate is the only list of library names.

use std::sync::Arc;

use flin_bytecode::library::{self, LibType};
use flin_syntax::ast::Name;

use crate::hir::{ExprId, ExprKind, FnKind, Param};

use super::Resolver;
use super::scope::{FrameHead, Link, Place};

/// Whether there is a library function of this name.
pub(super) fn exists(name: &str) -> bool {
    !library::lookup(name).is_empty()
}

/// All names that programs may use.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    library::names()
}

/// `now`, `yesterday`, `PI` …: functions without arguments that are written without parentheses.
pub(super) fn is_value(name: &str) -> bool {
    let rows = library::lookup(name);
    !rows.is_empty()
        && rows.iter().all(|row| {
            let scheme = row.scheme();
            let constant = name.starts_with(char::is_uppercase);
            scheme.params.is_empty() && (constant || scheme.result == LibType::Time)
        })
}

/// The numbers of arguments that a library function takes, ascending.
pub(super) fn argument_counts(name: &str) -> Vec<usize> {
    let mut counts: Vec<usize> = library::lookup(name)
        .iter()
        .map(|row| row.scheme().params.len())
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

impl Resolver<'_> {
    /// A library function without parentheses where a value is expected (`xs.map(upper)`): a lambda that calls it.
    pub(super) fn library_function_value(&mut self, name: &Name) -> ExprId {
        let count = argument_counts(&name.text)
            .into_iter()
            .find(|count| *count > 0)
            .unwrap_or(0);
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: name.text.to_string(),
                span: name.span,
                kind: FnKind::Lambda,
                place: Place::Lambda,
                link: Link::Capture,
            },
        );
        let mut args = Vec::new();
        for at in 0..count {
            let local = self.declare(&Arc::from(format!("a{at}")), name.span, None);
            self.frame_mut().params.push(Param {
                local,
                annotation: None,
                default: None,
            });
            args.push(self.emit(ExprKind::Local(local), name.span));
        }
        let body = self.emit(ExprKind::CallLib(name.text.to_string(), args), name.span);
        self.close(body);
        self.emit(ExprKind::Lambda(id), name.span)
    }
}
