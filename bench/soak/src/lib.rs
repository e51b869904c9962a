//! The soak: a served application for minutes under clients of every kind, while the server is killed, stopped, started and left
//! without room; models judge every answer and what is there at the end. Here because what only shows after a while, or where a fault
//! meets a request, is seen by no test of one rule. Must stay true: models share no code with the server; a seed decides what is tried
//! (not how threads meet); it is bounded in time and count; whatever cannot be tried is said.

#![forbid(unsafe_code)]

pub mod client;
pub mod follower;
pub mod ground;
pub mod junk;
pub mod ledger;
pub mod model;
pub mod process;
pub mod reader;
pub mod soak;
pub mod storm;
pub mod world;
pub mod writer;
