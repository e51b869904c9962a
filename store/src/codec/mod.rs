//! The bytes of the log, and nothing else: no file, no clock, no policy. `DESIGN.md` has the tables.
//!
//! One function writes each thing and one reads it. What must stay true: decoding never panics and never allocates
//! more than the input justifies, whatever the bytes are.

pub(crate) mod catalog;
pub(crate) mod checkpoint;
pub(crate) mod cursor;
pub(crate) mod frame;
#[cfg(test)]
mod fuzz;
pub(crate) mod gap;
pub(crate) mod manifest;
pub(crate) mod record;
pub(crate) mod segment;
pub(crate) mod value;
