//! What tests of several crates share: golden texts, a seeded random source, changes to source texts and a shrinker, real
//! processes, a plain HTTP client.
//! Here because every crate tests by texts and seeds and must not invent its own way. Must stay true: this crate knows no
//! other crate of the workspace; nothing in it sleeps for a fixed time to make a test pass; every wait has a deadline
//! and says what it waited for.

#![forbid(unsafe_code)]

pub mod fences;
pub mod figures;
pub mod golden;
pub mod http;
pub mod markup;
pub mod mutate;
pub mod process;
pub mod rng;
pub mod shrink;
pub mod sources;
