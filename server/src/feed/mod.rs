//! What clients are told without asking: changes of records, and the views that they watch; over a WebSocket or as server-sent
//! events. Must stay true: what is told does not depend on the way it goes; a client that reads slowly holds up nobody, and
//! what it missed collapses into one message.

mod changes;
mod events;
mod handshake;
mod outbox;
mod outlet;
mod socket;
mod watching;

pub(crate) use events::stream_events;
pub(crate) use handshake::{Upgrade, accept};
pub(crate) use socket::open;
