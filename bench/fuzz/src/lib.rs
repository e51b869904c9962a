//! Fuzzing without a special toolchain: one plain function per target, each with a judge that says what must hold, fed by
//! our own seeded mutators and generators. Here, apart from the tests of each crate, because a target takes the whole way
//! through several of them. Must stay true: a trial depends on its seed alone; a finding names the seed, a shrunk program
//! and the command that repeats it; nothing is judged by time but a hang.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "this crate reads the corpus and writes findings"
)]

mod browser;
mod compile;
pub mod engines;
mod fbc;
mod format;
pub mod generate;
mod ground;
mod lexer;
mod library;
mod optimised;
mod parser;
mod programs;
pub mod run;
mod settings;
pub mod target;

pub use generate::generate;
