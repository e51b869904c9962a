//! Programs of any size for measuring and testing the compiler: generated applications, strange shapes, seeded mistakes,
//! and the stages of the compiler under a clock. Here, in a crate of its own, because it may know everything and nobody
//! needs it to run FLIN. Must stay true: equal sizes and seeds give equal programs; generated programs compile without
//! any message; no test waits for a clock.

#![forbid(unsafe_code)]

pub mod application;
pub mod compute;
pub mod hostile;
pub mod mistakes;
pub mod shapes;
pub mod slips;
pub mod stages;
