//! FLIN over HTTP and WebSocket: pages, actions, routes, live updates. hyper and tokio carry the bytes; what a program
//! means stands in `flin-runtime`. Must stay true: everything that a client can make grow has a limit, every request
//! passes the checks of `guard`, and every failure is answered and logged.
#![forbid(unsafe_code)]

mod actions;
mod app;
mod assets;
mod body;
mod compress;
mod context;
mod dev;
mod dispatch;
mod document;
mod fault;
mod feed;
mod field_message;
mod files;
mod forwarded;
mod fresh;
mod guard;
mod kept_pages;
mod listen;
mod live;
mod metrics;
mod minify;
mod operations;
mod options;
mod outbound;
mod pacing;
mod pages;
mod paths;
mod payload;
mod planted;
mod recent;
mod repeats;
mod respond;
mod routes;
mod served;
pub mod settings;
mod tls;
mod token;
mod values;
mod wanted;

pub use assets::fingerprint;
pub use dev::Dev;
pub use listen::{BindError, Server};
pub use options::{LoggedRequests, ServerLimits, ServerOptions};
pub use outbound::Networked;
pub use planted::Planted;
pub use served::{Exchange, Held, check_program};
pub use tls::Tls;
pub use token::TokenKey;
