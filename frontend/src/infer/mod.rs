//! Types of the whole program: from names (HIR) to the class of every value, without annotations. Here, as a stage of its
//! own, because lowering needs types that are consistent everywhere at once. How it works: cells hold what may arrive at
//! a place (`cells`, `set`); each function body is walked per tuple of argument types (`engine`, `walk`) until nothing
//! grows; then the bodies are walked once more to say what cannot be right (`report`), and the cells are turned into
//! tables (`finish`). Must stay true: it never fails and always ends; a program without errors gets for every
//! expression a type that all values arriving there at run time have.

mod access;
mod calls;
mod cases;
mod cells;
mod control;
mod declared;
mod doubts;
pub mod dump;
mod engine;
mod entities;
mod enums;
mod finish;
mod flow;
mod frozen;
mod functions;
mod instances;
mod library_calls;
mod literals;
mod mismatch;
mod ops;
mod paths;
mod places;
mod report;
mod rows;
mod set;
mod settle;
#[cfg(test)]
mod tests;
mod unused;
mod usefulness;
mod walk;
mod words;

use flin_syntax::Diagnostic;
use foldhash::{HashSet, HashSetExt as _};

use crate::hir::Program;
use crate::types::Types;

use doubts::Doubts;
use engine::Engine;

/// How often int literals may turn into floats before the rest stay as they are.
const LITERAL_ROUNDS: usize = 3;

/// Finds the types of a program and says what cannot be right in it.
pub fn infer(program: &Program) -> (Types, Vec<Diagnostic>) {
    let (types, messages, doubts) = infer_with(program, Doubts::default());
    if doubts.is_empty() {
        return (types, messages);
    }
    let mut kept = doubts.keep(messages);
    let (types, messages, _) = infer_with(program, doubts);
    kept.extend(messages);
    kept.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.code));
    (types, kept)
}

/// The same, with declarations that are not to be believed; gives those that are found.
fn infer_with(program: &Program, doubts: Doubts) -> (Types, Vec<Diagnostic>, Doubts) {
    let mut floats = HashSet::new();
    let mut engine = Engine::new(program, floats.clone(), doubts.clone());
    engine.run();
    for _ in 0..LITERAL_ROUNDS {
        let live = engine.live();
        let more = literals::float_literals(&mut engine, &live);
        if more.is_empty() {
            break;
        }
        floats.extend(more);
        engine = Engine::new(program, floats.clone(), doubts.clone());
        engine.run();
    }
    let live = engine.live();
    engine.diagnostics = Some(Vec::new());
    engine.patient = false;
    for inst in &live {
        engine.walk(*inst);
    }
    let mut diagnostics = engine.diagnostics.take().unwrap_or_default();
    let conflicts = engine.conflicts(&diagnostics);
    diagnostics.extend(conflicts);
    diagnostics.extend(engine.unreached_arms());
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.code));
    let types = finish::finish(&mut engine, &live);
    (types, diagnostics, engine.doubts)
}
