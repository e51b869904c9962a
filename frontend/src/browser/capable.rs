//! What can run in the browser: a function can if everything that it can reach can, and in a page also what computes the
//! variables that it reads. Here because placement of handlers and
//! of what a view shows asks before any JavaScript is made. Must stay true: it says no wherever the code would give up for
//! certain.

use std::collections::BTreeSet;

use flin_bytecode::module::VariableKind;
use flin_bytecode::{FuncId, Instr, LibId, Module, Op, Page};

use super::flow::Flow;
use super::module::reachable;
use super::ops::{Form, form};
use super::rows::refusal;
use super::structure::Structure;

/// Why each function cannot be JavaScript, found once for a module.
#[derive(Debug)]
pub struct Capable {
    /// Of the function itself, what it calls left out.
    own: Vec<Option<&'static str>>,
}

impl Capable {
    /// Looks at all functions of a module, which is not optimised yet.
    pub fn of(module: &Module) -> Capable {
        let own = module.functions.iter().map(|function| {
            let instrs = function
                .code
                .iter()
                .filter_map(|word| Instr::decode(*word).ok());
            let refused = instrs.into_iter().find_map(refused);
            refused.or_else(|| {
                let flow = Flow::of(function);
                flow.and_then(|flow| Structure::of(&flow).map(|_| ())).err()
            })
        });
        Capable { own: own.collect() }
    }

    /// Why a function, one that it can reach, or one that computes what these read, must run on the server; none if all may
    /// be JavaScript of the page. Page state is there, and derived variables whose initialisers can be; constants that are no literals are not, since they may be secrets.
    pub fn why_not(&self, module: &Module, page: &Page, func: FuncId) -> Option<&'static str> {
        let mut roots = vec![func];
        loop {
            let reached = reachable(module, &roots);
            let refused = reached.iter().find_map(|at| self.own[*at as usize]);
            if refused.is_some() {
                return refused;
            }
            let before = roots.len();
            for global in globals_read(module, &reached) {
                let known = page.variables.iter().find(|it| it.global.0 == global);
                match known.map(|it| (it.kind, it.init)) {
                    None => return Some("it reads what only the server knows"),
                    Some((VariableKind::State, _)) => {}
                    Some((VariableKind::Derived, init)) if roots.contains(&init) => {}
                    Some((VariableKind::Derived, init)) => roots.push(init),
                }
            }
            if roots.len() == before {
                return None;
            }
        }
    }
}

/// Numbers of the top-level variables that functions read.
pub(super) fn globals_read(module: &Module, functions: &BTreeSet<u32>) -> BTreeSet<u32> {
    let codes = functions
        .iter()
        .map(|func| &module.functions[*func as usize].code);
    let instrs = codes.flatten().filter_map(|word| Instr::decode(*word).ok());
    let reads = instrs.filter(|instr| {
        matches!(
            instr.op,
            Op::GlobalGetI64
                | Op::GlobalGetF64
                | Op::GlobalGetBool
                | Op::GlobalGetRef
                | Op::GlobalGetAny
        )
    });
    reads.map(|instr| instr.imm as u32).collect()
}

/// Why an instruction cannot run in a page.
fn refused(instr: Instr) -> Option<&'static str> {
    if instr.op == Op::CallLib {
        return refusal(LibId(instr.imm as u16));
    }
    match form(instr.op) {
        Form::Server(reason) => Some(reason),
        Form::Script(_) => Some("it prints, logs or asks for the time"),
        Form::Value(..)
        | Form::Effect(_)
        | Form::Branch(..)
        | Form::Step
        | Form::Jump
        | Form::Raise(_)
        | Form::Return
        | Form::New
        | Form::Fill(_)
        | Form::Call
        | Form::Join
        | Form::Far
        | Form::Markup
        | Form::Captured(_)
        | Form::Nothing => None,
    }
}
