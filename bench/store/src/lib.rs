//! FLIN's store beside SQLite, redb, LMDB and fjall, and all of them beside a bare loop of write and sync: commits, reads,
//! scans, opening, bytes. Here, apart from the other benches, because only who measures wants to build four databases
//! (feature `peers`). Must stay true: the same logical records everywhere, everything durable when it is answered, all in
//! one process and one run, taking turns; what is printed was measured by that run.

#![deny(unsafe_code)]

pub mod bare;
pub mod batcher;
pub mod bytes;
pub mod contestant;
pub mod figures;
pub mod flin;
pub mod note;
pub mod opening;
pub mod peers;
pub mod reading;
pub mod reference;
pub mod space;
pub mod tasks;
pub mod writing;
