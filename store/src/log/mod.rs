//! The append-only log: scanning it, judging its tail, writing it.
//!
//! Everything that decides over bytes on disk is in this folder; `codec/` knows the bytes, the folder knows the order
//! of writes and syncs. What must stay true: one function writes frames, one reads them.

pub(crate) mod bytes;
pub(crate) mod commit_log;
pub(crate) mod embedded;
pub(crate) mod files;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod recover;
pub(crate) mod roll;
pub(crate) mod scan;
pub(crate) mod walk;
pub(crate) mod writer;
