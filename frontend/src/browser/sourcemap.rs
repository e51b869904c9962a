//! Source maps (version 3): which line of the program each line of JavaScript came from. Here because errors and stops in
//! the browser's tools should stand in the program. Must stay true: one source, one mapping per line that has a place.

/// Digits of Base64 as source maps use them.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A mapping of a whole line: its first column that is no blank, and line and column of the program, all from 0.
pub(super) struct Mapped {
    pub(super) column: u32,
    pub(super) line: u32,
    pub(super) source_column: u32,
}

/// The map for a text whose n-th line has the n-th mapping.
pub(super) fn source_map(file: &str, source: &str, lines: &[Option<Mapped>]) -> String {
    let mut mappings = String::new();
    let mut last = (0_i64, 0_i64);
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            mappings.push(';');
        }
        let Some(mapped) = line else { continue };
        let (line, column) = (i64::from(mapped.line), i64::from(mapped.source_column));
        number(&mut mappings, i64::from(mapped.column));
        number(&mut mappings, 0);
        number(&mut mappings, line - last.0);
        number(&mut mappings, column - last.1);
        last = (line, column);
    }
    let quoted = super::letters::literal;
    format!(
        "{{\"version\":3,\"file\":{},\"sources\":[{}],\"names\":[],\"mappings\":\"{mappings}\"}}",
        quoted(file),
        quoted(source)
    )
}

/// A number in digits of five bits, the lowest first; the sign is the lowest bit of all.
fn number(out: &mut String, value: i64) {
    let mut rest = value.unsigned_abs() << 1 | u64::from(value < 0);
    loop {
        let more = rest >> 5 != 0;
        let digit = rest & 31 | u64::from(more) << 5;
        out.push(char::from(DIGITS[digit as usize]));
        rest >>= 5;
        if !more {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_format_says() {
        for (value, text) in [
            (0, "A"),
            (1, "C"),
            (-1, "D"),
            (15, "e"),
            (16, "gB"),
            (1000, "w+B"),
        ] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, text, "{value}");
        }
    }
}
