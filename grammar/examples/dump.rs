//! Prints the tree and the diagnostics of a file: `cargo run -p flin-syntax --example dump -- app.flin`.
//!
//! A tool for people who work on the grammar; nothing depends on it.

use flin_syntax::render::{Color, Sources, render_all};

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("{path}: {error}");
            std::process::exit(2);
        }
    };
    let parsed = flin_syntax::parse_bytes(&bytes);
    print!("{}", flin_syntax::dump::dump(&parsed.program));
    let sources = Sources::single(&path, &String::from_utf8_lossy(&bytes));
    eprint!(
        "{}",
        render_all(&parsed.diagnostics, &sources, Color::Never)
    );
}
