//! What a `match` forgets, and which of its arms are never reached. Here because only the types show either. Must stay
//! true: an arm is called unreachable only if it takes nothing in all copies of its function, because of the arms above it;
//! an arm that no value of this copy's type fits is silent, and so is `_` behind arms for all kinds of a union.

use flin_syntax::{Code, Diagnostic};

use crate::cases::{Case, CasePattern};
use crate::hir::{ExprId, ExprKind, LocalId};

use super::engine::Engine;
use super::set::Set;
use super::usefulness::Usefulness;
use super::walk::Walker;

/// So many forgotten cases are named.
const NAMED_MAX: usize = 3;

impl Walker<'_, '_> {
    /// Judges the arms of a `match`, once the types are known.
    pub(super) fn check_cases(&mut self, expr: ExprId, subject: LocalId, cases: &[Case]) {
        if self.engine.diagnostics.is_none() || self.dead || self.env.is_impossible() {
            return;
        }
        let set = self.local_now(subject);
        if set.is_never() {
            return;
        }
        self.check_exhaustive(expr, set, cases);
        if self.function.from_prelude {
            return;
        }
        // An arm for all the rest behind arms for all kinds that are known today is no mistake.
        let several = set.is_any() || self.engine.cells.count(set) > 1;
        let mut asked = Usefulness::new(self.engine);
        let mut above: Vec<&CasePattern> = Vec::with_capacity(cases.len());
        let mut reached = vec![true; cases.len()];
        for (at, case) in cases.iter().enumerate() {
            reached[at] = asked.is_exhausted()
                || several && case.pattern.is_any()
                || asked.is_useful(&above, &case.pattern, set)
                || !asked.is_useful(&[], &case.pattern, set);
            if !case.guarded {
                above.push(&case.pattern);
            }
        }
        for (at, reached) in reached.into_iter().enumerate() {
            let known = self.engine.arms.entry((self.fid, expr, at)).or_default();
            *known |= reached;
        }
    }

    fn check_exhaustive(&mut self, expr: ExprId, set: Set, cases: &[Case]) {
        let rows = |all: bool| -> Vec<&CasePattern> {
            let counted = cases.iter().filter(|case| all || !case.guarded);
            counted.map(|case| &case.pattern).collect()
        };
        let mut asked = Usefulness::new(self.engine);
        let open = asked.not_covered(&rows(false), set);
        let exhausted = asked.is_exhausted();
        if open.is_empty() {
            return;
        }
        let guards = cases.iter().any(|case| case.guarded)
            && Usefulness::new(self.engine)
                .not_covered(&rows(true), set)
                .is_empty();
        self.report(expr, |_, span| {
            let every = exhausted || open.iter().any(|words| words == "_");
            let named: Vec<String> = open
                .iter()
                .take(NAMED_MAX)
                .map(|words| format!("`{words}`"))
                .collect();
            let more = if open.len() > NAMED_MAX { ", …" } else { "" };
            let what = if every {
                "every value".to_owned()
            } else {
                format!("{}{more}", named.join(", "))
            };
            let title = format!("this match does not cover {what}");
            let mut diagnostic = Diagnostic::error(Code::NotExhaustive, span, title);
            if exhausted {
                diagnostic = diagnostic.reason("it has too many cases to be looked at one by one");
            } else if guards {
                diagnostic = diagnostic.reason(
                    "an arm with a condition counts for nothing: the condition may not hold",
                );
            }
            diagnostic.hint(if every {
                "add an arm for it, or `_ -> …` for all the rest".to_owned()
            } else {
                format!("add `{} -> …`, or `_ -> …` for all the rest", open[0])
            })
        });
    }
}

impl Engine<'_> {
    /// Warnings for the arms that take nothing in any copy of their function.
    pub(super) fn unreached_arms(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for ((func, expr, at), reached) in &self.arms {
            let function = self.function(*func);
            if let ExprKind::Cases(_, cases) = &function.exprs[expr.index()].kind
                && !reached
            {
                let span = cases[*at].span;
                found.push(
                    Diagnostic::warning(Code::UnreachableArm, span, "this arm is never reached")
                        .reason("the arms above take all that it takes"),
                );
            }
        }
        found
    }
}
