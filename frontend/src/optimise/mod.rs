//! The optimiser: bytecode in, better bytecode out. Here, between lowering and the module, because lowering should only
//! say what a program means. Must stay true: output, errors, their places and traces are those of the program without it;
//! each pass can be left out; a function that does not fit its limits stays as it was.

mod assign;
mod body;
mod branches;
mod circles;
mod copies;
mod emit;
mod escape;
mod fold;
mod graph;
mod hoist;
mod inline;
mod interval;
mod leaves;
mod numbering;
mod passes;
mod raise;
mod ranges;
mod segments;

use flin_bytecode::{Function, Module, ModuleBuilder};

use body::Body;
use circles::Circles;
pub use passes::{Pass, Passes, UnknownPass};

/// Optimises all functions of a module.
pub(crate) fn optimise(module: &mut Module, passes: Passes) {
    if !passes.improve_code() {
        return;
    }
    let Circles { order, returns } = Circles::of(module);
    let mut done: Vec<Option<Body>> = vec![None; module.functions.len()];
    // Constants are added, functions replaced; all else stays as it is.
    let mut builder = ModuleBuilder::from_module(std::mem::take(module));
    for func in order {
        let from = &builder.module;
        let Some(mut body) = raise::raise(from, &from.functions[func as usize]) else {
            continue;
        };
        improve(&mut builder, &done, func, &mut body, passes);
        let once = !returns[func as usize];
        if passes.has(Pass::Inline) && once && inline::is_candidate(&body) {
            done[func as usize] = Some(body.clone());
        }
        if let Some(better) = lowered(&builder.module, body, passes) {
            builder.module.functions[func as usize] = better;
        }
    }
    *module = builder.module;
}

fn improve(
    builder: &mut ModuleBuilder,
    done: &[Option<Body>],
    func: u32,
    body: &mut Body,
    passes: Passes,
) {
    if passes.has(Pass::Copies) {
        copies::propagate(body);
        copies::drop_unread(body);
    }
    let sources = inline::Sources {
        module: &builder.module,
        done,
    };
    if passes.has(Pass::Inline) && inline::inline(&sources, body) {
        copies::propagate(body);
        copies::drop_unread(body);
        if escape::escape(body) {
            copies::propagate(body);
            copies::drop_unread(body);
        }
    }
    if passes.has(Pass::Fold) && fold::fold(builder, body) && passes.has(Pass::Copies) {
        copies::drop_unread(body);
    }
    let module = &builder.module;
    if passes.has(Pass::Branches) {
        branches::tidy(body);
    }
    if passes.has(Pass::Leaves) {
        leaves::leaves(func, body);
    }
    if passes.has(Pass::Repeats) && numbering::number(module, body) && passes.has(Pass::Copies) {
        copies::propagate(body);
    }
    if passes.has(Pass::Ranges) {
        ranges::ranges(module, body);
    }
    if passes.has(Pass::Hoist) && hoist::hoist(body) && passes.has(Pass::Copies) {
        copies::propagate(body);
    }
    if passes.has(Pass::Copies) {
        copies::drop_unread(body);
        copies::drop_overwritten(body);
    }
}

fn lowered(module: &Module, mut body: Body, passes: Passes) -> Option<Function> {
    if passes.has(Pass::Branches) {
        branches::rotate(&mut body);
    }
    let assigned = assign::assign(module, &mut body)?;
    emit::emit(&body, &assigned)
}
