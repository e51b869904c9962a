//! The FLIN virtual machine: values, heap, interpreter, library functions. It takes a verified `flin_bytecode::Module`
//! (`Program`) and runs its functions one call at a time (`Vm`), asking a `Host` for everything outside.
//! Must stay true: there is exactly one dispatch loop; the machine opens no file, no socket and no clock.
#![deny(unsafe_code)]

mod host;
mod program;
mod trap;
mod vm;

pub use flin_bytecode as bytecode;

pub use host::{Host, HostError, HostRecord, HostResponse, HostValue, LogLevel, ScanMode, Slice};
pub use program::{Program, VerifyError};
pub use trap::{ErrorKind, Position, TraceEntry, Trap};
pub use vm::{Counts, Limits, Rendered, Vm};
