//! The one door into FLIN code: a program, its store, and every way to enter (page, action, route, script, test), each a
//! call of one function with typed arguments inside one transaction. No sockets and no files are opened here.
//! Must stay true: nothing from outside reaches the VM but through `wire`, and no code runs but through `door`.
#![forbid(unsafe_code)]

mod answer;
mod defaults;
mod door;
mod entry;
mod feed;
mod host;
pub mod json;
mod memory;
mod panics;
mod query;
mod run;
mod schema;
mod turns;
mod usage;
mod wire;
mod workers;
mod world;

pub use flin_store as store;
pub use flin_vm as vm;

pub use answer::{Answer, is_own_fault};
pub use defaults::schema_with_defaults;
pub use door::{Counters, Runtime, RuntimeOptions};
pub use entry::{
    ActionOutcome, Entry, Failure, HandlerName, Outcome, PageOutcome, PathParams, RouteBody,
    RouteOutcome, RouteRequest, SentState,
};
pub use host::Operations;
pub use schema::{TypeMap, schema_of};
pub use usage::{Hottest, Usage};
pub use wire::{Sent, entity_json, plain_json, plain_value};
pub use world::{SystemWorld, World};
