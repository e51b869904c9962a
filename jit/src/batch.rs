//! A batch: functions that are compiled together, from their numbers in code memory to their bytes. Here because it is the
//! long part of the work, and needs neither lock nor code memory. Must stay true: every number that a batch took gets
//! bytes, also where a function turns out to be too big or its translation fails: callers of the batch refer to it.

use std::time::Instant;

use flin_bytecode::FuncId;
use flin_vm::Program;

use crate::compile::Compiler;
use crate::lower::{Body, Knobs};
use crate::memory::{Bytes, CodeId};
use crate::outside::{Outside, Passing};
use crate::unit::{Entry, Refusal, Unit};
use crate::{Callees, Links, Thunks};

/// One function of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) func: FuncId,
    pub(crate) entry: Entry,
    pub(crate) code: CodeId,
}

/// What is to be compiled.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) members: Vec<Member>,
    /// Trampolines that are missing.
    pub(crate) trampolines: Vec<(Passing, CodeId)>,
    /// Functions that may be called directly: those of before and those of the batch.
    pub(crate) callees: Callees,
    pub(crate) thunks: Thunks,
    pub(crate) knobs: Knobs,
    /// FLIN instructions of all members.
    pub(crate) instructions: usize,
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) bytes: Vec<Bytes>,
    pub(crate) done: Vec<Member>,
    pub(crate) refused: Vec<(Member, Refusal)>,
    pub(crate) trampolines: Vec<(Passing, CodeId)>,
    pub(crate) nanoseconds: u64,
}

impl Batch {
    /// Compiles all of it.
    pub(crate) fn compile(self, program: &Program, compiler: &mut Compiler) -> Compiled {
        let start = Instant::now();
        let outside = Outside::new(program);
        let mut compiled = Compiled {
            bytes: Vec::with_capacity(self.members.len() + self.trampolines.len()),
            done: Vec::with_capacity(self.members.len()),
            refused: Vec::new(),
            trampolines: Vec::new(),
            nanoseconds: 0,
        };
        for member in &self.members {
            let unit = Unit::new(outside, member.func, member.entry, self.knobs.plain);
            let links = Links {
                callees: &self.callees,
                thunks: self.thunks,
            };
            let knobs = self.knobs;
            let full = compiler.unit_or_panic(&unit, member.code, links, knobs);
            match full {
                Ok(bytes) => {
                    compiled.bytes.push(bytes);
                    compiled.done.push(*member);
                }
                Err(why) => {
                    compiled.refused.push((*member, why));
                    let body = Body::ExitOnly;
                    let bytes = compiler.unit(&unit, body, member.code, links, knobs, None);
                    compiled
                        .bytes
                        .push(bytes.expect("a function that only leaves is small"));
                }
            }
        }
        for (passing, code) in self.trampolines {
            let bytes = compiler
                .trampoline(&passing, code)
                .expect("a trampoline is small");
            compiled.bytes.push(bytes);
            compiled.trampolines.push((passing, code));
        }
        compiled.nanoseconds = start.elapsed().as_nanos() as u64;
        compiled
    }
}
