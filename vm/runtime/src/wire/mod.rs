//! Values as they travel: page state and handler arguments (typed, nothing lost), and plain JSON for routes and feeds.
//! Here because the same forms are written by view code and read by the browser runtime. Must stay true: a value is
//! decoded only into the type that the program declares for its place; an entity is a name and a number, and what it
//! holds is read from the store.

mod api;
mod decode;
mod encode;

pub use api::{entity_json, plain_json, plain_value};
pub use decode::Sent;
pub(crate) use decode::{Decoder, WireError, same_literal};
pub(crate) use encode::wire_json;

/// Ints beyond this travel as text: a browser's numbers are exact only up to here.
pub(crate) const EXACT_MAX: i64 = 1 << 53;
