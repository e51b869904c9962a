//! Words for a `TypeError` about an argument of a library function: which function, which parameter. Here because values
//! are checked in many places (before the call, in a native body, in the FLIN code of the prelude), and the sentence must
//! name what the program called. Must stay true: a name is only given where it is certain; finding it changes nothing.

use flin_bytecode::LibId;
use flin_bytecode::arguments::{ITEMS, row_of_prelude};

use crate::fault::{Blame, NewError};
use crate::machine::Machine;
use crate::semantics::errors::Call;

/// The message of a new error, raised in these calls (innermost first).
pub(crate) fn sentence(m: &Machine, new: &NewError, calls: &[Call]) -> String {
    if new.blame == Blame::Nobody {
        return new.message.clone();
    }
    let module = m.program.module();
    let Some(own) = calls.iter().position(|call| !call.from_prelude) else {
        return new.message.clone();
    };
    let argument_of =
        |call: &Call| module.functions[call.code as usize].argument_of(call.instruction);
    if let Some(called) = calls[..own].last() {
        return match module.functions[called.func as usize].name.as_str() {
            ITEMS => match argument_of(&calls[own]) {
                Some((row, at)) => argument(row, at, &new.message),
                None => new.message.clone(),
            },
            name => match row_of_prelude(name) {
                Some(row) => format!("in `{}`: {}", row.row().name, new.message),
                None => new.message.clone(),
            },
        };
    }
    match new.blame {
        Blame::Nobody => new.message.clone(),
        Blame::Argument(row, at) => argument(row, at, &new.message),
        Blame::Element(row, at) if is_named(row) => {
            format!("element of {}", argument(row, at, &new.message))
        }
        Blame::Element(..) => new.message.clone(),
        Blame::Value => match argument_of(&calls[own]) {
            Some((row, at)) => argument(row, at, &new.message),
            None => new.message.clone(),
        },
    }
}

fn is_named(row: LibId) -> bool {
    !row.row().name.starts_with("__")
}

fn argument(row: LibId, at: usize, message: &str) -> String {
    match row.scheme().names.get(at) {
        Some(name) if is_named(row) => {
            format!("argument `{name}` of `{}`: {message}", row.row().name)
        }
        Some(_) | None => message.to_owned(),
    }
}
