//! Declarations whose own first value does not fit. Here because nobody knows which of the two is meant: the annotation
//! or the value. The declaration is told as a mistake, and everything else is judged as if it took anything. Must stay
//! true: a mistake in a declaration is told at the declaration alone.

use flin_syntax::{Diagnostic, Span};
use foldhash::HashSet;

use crate::hir::{FnId, GlobalIx, LocalId};

/// Variables that are declared as something else than they get first.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubts {
    pub(super) locals: HashSet<(FnId, LocalId)>,
    pub(super) globals: HashSet<GlobalIx>,
    places: HashSet<Span>,
}

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A local and the place of its first value, which does not fit.
    pub(super) fn local(&mut self, func: FnId, local: LocalId, place: Span) {
        self.locals.insert((func, local));
        self.places.insert(place);
    }

    /// A global and the place of its first value, which does not fit.
    pub(super) fn global(&mut self, global: GlobalIx, place: Span) {
        self.globals.insert(global);
        self.places.insert(place);
    }

    /// The messages about the declarations themselves.
    pub(super) fn keep(&self, mut messages: Vec<Diagnostic>) -> Vec<Diagnostic> {
        messages.retain(|message| self.places.contains(&message.span()));
        messages
    }
}
