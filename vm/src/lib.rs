//! The FLIN virtual machine: values, heap, interpreter, library functions. It takes a verified `flin_bytecode::Module`
//! (`Program`) and runs its functions one call at a time (`Vm`), asking a `Host` for everything outside.
//! Must stay true: there is exactly one dispatch loop; the machine opens no file, no socket and no clock.
#![deny(unsafe_code)]

mod fault;
mod frame;
mod heap;
mod host;
mod interp;
pub mod iso;
pub mod json_text;
mod library;
mod machine;
mod marks;
pub mod native;
#[cfg(feature = "count")]
mod profile;
mod program;
mod rtcalls;
mod select;
mod semantics;
mod stack_memory;
mod trap;
mod value;
mod vm;
pub mod wire;

pub use flin_bytecode as bytecode;

pub use fault::READ_ONLY_RULE;
pub use flin_bytecode::VerifyError;
pub use heap::give_memory_back;
pub use host::{
    Consequences, Host, HostError, HostPast, HostRecord, HostResponse, HostValue, HttpMethod,
    HttpProblem, HttpRequest, LogLevel, Moment, ScanMode, Slice,
};
pub use marks::Mark;
#[cfg(feature = "count")]
pub use profile::Profile;
pub use program::Program;
pub use select::{HostOrder, HostPredicate, HostQuery, HostTotal, TotalAnswer};
pub use trap::{ErrorKind, Position, TraceEntry, Trap};
pub use vm::{Counts, Limits, Rendered, Vm};
