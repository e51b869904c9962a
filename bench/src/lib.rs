//! What is measured: generated applications, strange shapes and seeded mistakes for the compiler and its stages; the
//! kernels against their peers; what machine code costs; programs and stores ready for one counted step. Here, in a crate of its own, because it may know everything and nobody
//! needs it to run FLIN. Must stay true: equal sizes and seeds give equal programs; generated programs compile without
//! any message; no test waits for a clock.

#![forbid(unsafe_code)]

pub mod application;
pub mod compute;
pub mod hostile;
pub mod loaded;
pub mod mistakes;
pub mod native;
pub mod shapes;
pub mod slips;
pub mod stages;
