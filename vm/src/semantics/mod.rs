//! Slow paths and meanings that more than one operation shares: printing, comparing, arithmetic on `any`, access by name,
//! entities, validators, markup. Here, once, so that the interpreter, native code and library bodies agree.
//! Must stay true: no unsafe code; every walk over data has a limit of depth and of work.

pub(crate) mod access;
pub(crate) mod arith;
pub(crate) mod blame;
pub(crate) mod compare;
pub(crate) mod controls;
pub(crate) mod convert;
pub(crate) mod copying;
pub(crate) mod entity;
pub(crate) mod entity_fields;
pub(crate) mod errors;
pub(crate) mod fields;
pub(crate) mod handlers;
pub(crate) mod history;
pub(crate) mod marking;
pub(crate) mod markup;
pub(crate) mod print;
pub(crate) mod pushing;
pub(crate) mod query;
pub(crate) mod time;
pub(crate) mod types;
pub(crate) mod unlinking;
pub(crate) mod validate;
pub(crate) mod wire;

use crate::fault::{DEPTH_MAX, Fault, Res};
use crate::host::Moment;

/// Most values that one comparison or type test looks at; beyond it the data is as good as endless.
const STEPS_MAX: u32 = 50_000_000;
/// Most values that are copied out of or into the machine at once (some 200 MB).
const COPIES_MAX: u32 = 4_000_000;

/// Most values that are written into one text (as it is printed, as JSON).
const WRITTEN_MAX: u32 = 10_000_000;

/// Limits of a walk over nested data.
#[derive(Debug)]
pub(crate) struct Walk {
    what: &'static str,
    depth: u32,
    steps_left: u32,
    /// Records that are linked to are taken in as they were then.
    as_of: Option<Moment>,
    /// Records go out as links, however deep.
    as_links: bool,
}

impl Walk {
    /// A walk that does `what` (for the error: "cannot compare: …").
    pub(crate) fn new(what: &'static str) -> Walk {
        Walk {
            what,
            depth: 0,
            steps_left: STEPS_MAX,
            as_of: None,
            as_links: false,
        }
    }

    /// A walk that copies what it sees.
    pub(crate) fn copying(what: &'static str) -> Walk {
        Walk {
            what,
            depth: 0,
            steps_left: COPIES_MAX,
            as_of: None,
            as_links: false,
        }
    }

    /// The same for a record of the past: links lead to records as they were then.
    pub(crate) fn seen_at(self, when: Option<Moment>) -> Walk {
        Walk {
            as_of: when,
            ..self
        }
    }

    /// A walk that writes what it sees into a text.
    pub(crate) fn writing(what: &'static str) -> Walk {
        Walk {
            what,
            depth: 0,
            steps_left: WRITTEN_MAX,
            as_of: None,
            as_links: false,
        }
    }

    /// Looks at one more value.
    pub(crate) fn step(&mut self) -> Res<()> {
        match self.steps_left.checked_sub(1) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(Fault::too_large(self.what)),
        }
    }

    /// Goes one level down.
    pub(crate) fn enter(&mut self) -> Res<()> {
        self.step()?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            Err(Fault::too_deep(self.what))
        } else {
            Ok(())
        }
    }

    /// Comes back up.
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}
