//! `Host` (RFC 9110, 7.2): exactly one, valid, and one of ours. Here because whoever points a name of theirs at this machine would
//! otherwise read everything from a visitor's browser.

use super::case::{Case, answered, refused};

/// Names of this machine.
const GOOD: &[&str] = &[
    "{host}",
    "localhost",
    "LOCALHOST",
    "localhost:1",
    "app.localhost",
    "127.0.0.1",
    "127.0.0.1:65535",
    "[::1]",
    "[::1]:80",
    "  localhost\t",
];

/// Names of others.
const FOREIGN: &[&str] = &[
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "xlocalhost",
    "10.0.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "2130706433",
    "127.1",
    "0x7f.1",
    "[::2]",
    "localhost.",
    "xn--e1afmkfd.example",
];

/// No names.
const JUNK: &[&str] = &[
    "",
    " ",
    "a b",
    "localhost:",
    "localhost:x",
    "localhost:99999",
    "localhost:-1",
    "localhost:80:80",
    "[::1",
    "::1",
    "[zz]",
    "[::1]x",
    "x@localhost",
    "localhost/path",
    "localhost?q",
    "localhost#f",
    "http://localhost",
    "localhost,localhost",
    "localhost, evil.example",
    "local\\host",
    "*",
    "local%68ost",
    "\u{e9}xample",
    "<script>",
];

fn with(hosts: &str) -> String {
    format!("GET /still-here HTTP/1.1\r\n{hosts}\r\n")
}

pub(super) fn cases() -> Vec<Case> {
    let good = GOOD.iter().map(|host| {
        answered(
            format!("good: {host:?}"),
            with(&format!("Host: {host}\r\n")),
            200,
        )
    });
    let foreign = FOREIGN.iter().map(|host| {
        refused(
            format!("foreign: {host:?}"),
            with(&format!("Host: {host}\r\n")),
            421,
        )
    });
    let junk = JUNK.iter().map(|host| {
        refused(
            format!("junk: {host:?}"),
            with(&format!("Host: {host}\r\n")),
            400,
        )
    });
    let number = [
        refused("none", with(""), 400),
        refused("two alike", with("Host: {host}\r\nHost: {host}\r\n"), 400),
        refused(
            "two, ours first",
            with("Host: {host}\r\nHost: evil.example\r\n"),
            400,
        ),
        refused(
            "two, ours last",
            with("Host: evil.example\r\nHost: {host}\r\n"),
            400,
        ),
        refused(
            "two in different case",
            with("Host: {host}\r\nhOST: {host}\r\n"),
            400,
        ),
        refused(
            "another one forwarded",
            with("Host: evil.example\r\nX-Forwarded-Host: {host}\r\n"),
            421,
        ),
        answered(
            "a foreign one forwarded",
            with("Host: {host}\r\nX-Forwarded-Host: evil.example\r\n"),
            200,
        ),
    ];
    good.chain(foreign).chain(junk).chain(number).collect()
}
