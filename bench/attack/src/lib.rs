//! The server under attack: what RFC 6455 and HTTP say, and what attackers send, case by case against a real process over raw
//! sockets. Here because "it keeps working" is shown by trying to stop it. Must stay true: tests and `cargo xtask attack` try the same
//! lists of cases; each case says exactly what must come back and what becomes of its connection.

#![forbid(unsafe_code)]

pub mod autobahn;
pub mod escaping;
pub mod http;
pub mod peer;
pub mod siege;
pub mod slowhttptest;
pub mod suite;
pub mod target;
pub mod websocket;
