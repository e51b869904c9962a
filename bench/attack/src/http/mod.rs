//! HTTP as attackers write it, case by case: what is malformed, what is ambiguous, what is too much. Must stay true: a case says
//! which status and what becomes of the connection: a request whose end is in doubt is the last one of its connection.

mod bodies;
mod case;
mod framing;
mod headers;
mod hosts;
mod lines;
mod origins;
mod paths;
mod pipes;
mod shapes;
mod surface;

pub use case::Case;

/// A part of HTTP and its cases.
pub struct Chapter {
    /// What it is about.
    pub name: &'static str,
    /// Its cases.
    pub cases: fn() -> Vec<Case>,
}

/// All parts.
pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        name: "request lines",
        cases: lines::cases,
    },
    Chapter {
        name: "headers",
        cases: headers::cases,
    },
    Chapter {
        name: "hosts",
        cases: hosts::cases,
    },
    Chapter {
        name: "lengths, smuggling",
        cases: framing::cases,
    },
    Chapter {
        name: "pipelining, expectations",
        cases: pipes::cases,
    },
    Chapter {
        name: "parts, tags, packing",
        cases: shapes::cases,
    },
    Chapter {
        name: "paths",
        cases: paths::cases,
    },
    Chapter {
        name: "bodies",
        cases: bodies::cases,
    },
    Chapter {
        name: "requests of other sites",
        cases: origins::cases,
    },
    Chapter {
        name: "what a page exposes",
        cases: surface::cases,
    },
];
