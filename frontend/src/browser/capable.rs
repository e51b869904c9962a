//! What can run in the browser: a function can if everything that it can reach can. Here because placement of handlers and
//! of what a view shows asks before any JavaScript is made. Must stay true: it says no wherever the code would give up for
//! certain.

use flin_bytecode::{FuncId, Instr, LibId, Module, Op};

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

    /// Why a function, or one that it can reach, must run on the server; none if it may be JavaScript.
    pub fn why_not(&self, module: &Module, func: FuncId) -> Option<&'static str> {
        let reached = reachable(module, &[func]);
        reached.into_iter().find_map(|at| self.own[at as usize])
    }
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
