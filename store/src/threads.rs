//! Locks, atomics and threads of the queue and the mapping.
//!
//! They have a door of their own so that `tests/interleavings.rs` can compile the same two files with a scheduler that
//! tries orders of events. What must stay true: here they are the standard library's.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
pub(crate) use std::thread::{ThreadId, current, yield_now};
