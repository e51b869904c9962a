//! Values as they travel: page state and handler arguments (typed, nothing lost), and plain JSON for routes and feeds.
//! Here because the same forms are written by view code and read by the browser runtime. Must stay true: a value is
//! decoded only into the type that the program declares for its place; an entity is a name and a number, and what it
//! holds is read from the store.

mod api;
mod decode;

pub use api::{entity_json, plain_json, plain_value};
pub use decode::Sent;
pub(crate) use decode::{Decoder, WireError, same_literal};
