//! When a compiler is asked. Here because both engines count the same: fuel used while a function was interpreted.
//! Must stay true: nothing is counted at every call or turn; each used-up slice of fuel is charged to what runs, and calls
//! from native code into interpreted functions are charged as they come, because they are slow.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flin_bytecode::FuncId;

use super::{JitPolicy, OsrEntry};
use crate::machine::Machine;

/// Fuel after which a function is usually hot: about 2,000 turns or calls.
pub(crate) const HOT_FUEL: u32 = 2048;
/// What a call from native code counts.
const CALL_FROM_NATIVE: u32 = 64;

/// A slice of fuel ended in an interpreted loop: native code that can go on at its header, made now if it is time.
pub(crate) fn at_loop(m: &Machine, func: u32, header: u32) -> Option<OsrEntry> {
    let state = m.program.native_state();
    let compiler = state.compiler()?;
    let hot = charge(m, func, m.slice_fuel);
    let every = state
        .options()
        .is_some_and(|options| options.osr_every_loop);
    if !hot && !every {
        return None;
    }
    state.entry_of_loop(func, header).or_else(|| {
        compiler.hot(&m.program, FuncId(func), Some(header));
        state.entry_of_loop(func, header)
    })
}

/// A slice of fuel ended at a call from one interpreted function to another (which may have native code).
pub(crate) fn at_call(m: &Machine, caller: u32, callee: Option<u32>) {
    if m.program.native_state().compiler().is_none() {
        return;
    }
    for func in [Some(caller), callee].into_iter().flatten() {
        if charge(m, func, m.slice_fuel) {
            ask(m, func);
        }
    }
}

/// A call takes its cold way: the last moment to compile its function.
pub(crate) fn before_call(m: &Machine, func: u32, from_native: bool) {
    let state = m.program.native_state();
    let (Some(_), Some(options)) = (state.compiler(), state.options()) else {
        return;
    };
    let info = &m.program.funcs()[func as usize];
    if info.native_code().is_some() {
        return;
    }
    if options.policy == JitPolicy::Eager {
        if info.is_asked_at_call() {
            ask(m, func);
            info.stay_interpreted();
        }
    } else if from_native && charge(m, func, CALL_FROM_NATIVE) {
        ask(m, func);
    }
}

/// Adds to the heat of a function; whether it is hot.
fn charge(m: &Machine, func: u32, fuel: u32) -> bool {
    let heat = &m.program.funcs()[func as usize].heat;
    let options = m.program.native_state().options();
    let hot = options.map_or(HOT_FUEL, |options| options.hot_fuel);
    let before = heat.load(Ordering::Relaxed);
    if before >= hot {
        return true;
    }
    // Two machines may overwrite each other's count: it is a rough one.
    let now = before.saturating_add(fuel);
    heat.store(now, Ordering::Relaxed);
    now >= hot
}

fn ask(m: &Machine, func: u32) {
    let program: &Arc<_> = &m.program;
    if program.funcs()[func as usize].native_code().is_none()
        && let Some(compiler) = program.native_state().compiler()
    {
        compiler.hot(program, FuncId(func), None);
    }
}
