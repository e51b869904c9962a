//! Prints a formatted file: `cargo run -p flin-syntax --example format -- app.flin`. For people who work on the formatter.

use flin_syntax::render::{Color, Sources, render_all};

fn main() {
    for path in std::env::args().skip(1) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        match flin_syntax::format(&text) {
            Ok(formatted) => print!("{formatted}"),
            Err(diagnostics) => eprint!(
                "{}",
                render_all(&diagnostics, &Sources::single(&path, &text), Color::Never)
            ),
        }
    }
}
