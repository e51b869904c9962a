//! A text as a JSON string. Here, and public, because programs, pages and answers all write JSON and must escape alike.
//! Must stay true: what is written reads back as the same text; the form for markup cannot end a script element.

/// Where the JSON stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// A document that is JSON and nothing else.
    Json,
    /// Markup: `<`, `>`, `&`, U+2028 and U+2029 are escaped too.
    Markup,
}

/// Appends a text as a JSON string, quotes included.
pub fn write(out: &mut String, text: &str, within: Within) {
    out.reserve(text.len() + 2);
    out.push('"');
    // What needs no escape is copied in one piece.
    let looked_for = match within {
        Within::Json => ESCAPED,
        Within::Markup => ESCAPED | SPECIAL,
    };
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if START_OF[usize::from(byte)] & looked_for == 0 {
            continue;
        }
        let Some(c) = text[at..].chars().next() else {
            continue;
        };
        if byte >= 0x80 && !is_special(c) {
            continue;
        }
        out.push_str(&text[written..at]);
        written = at + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

/// The byte begins a character that is always escaped.
const ESCAPED: u8 = 1;
/// The byte may begin a character that is special in markup.
const SPECIAL: u8 = 2;
/// What each byte begins; bytes inside of a character begin nothing.
const START_OF: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = ESCAPED;
        control += 1;
    }
    table[b'"' as usize] = ESCAPED;
    table[b'\\' as usize] = ESCAPED;
    table[b'<' as usize] = SPECIAL;
    table[b'>' as usize] = SPECIAL;
    table[b'&' as usize] = SPECIAL;
    // The first byte of U+2028 and U+2029.
    table[0xe2] = SPECIAL;
    table
};

fn is_special(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, within: Within) -> String {
        let mut out = String::new();
        write(&mut out, text, within);
        out
    }

    #[test]
    fn what_must_be_escaped_is() {
        let text = "</a>&\u{2028}\"\\\n\r\t\u{1}é";
        assert_eq!(
            written(text, Within::Json),
            "\"</a>&\u{2028}\\\"\\\\\\n\\r\\t\\u0001é\""
        );
        assert_eq!(
            written(text, Within::Markup),
            r#""\u003c/a\u003e\u0026\u2028\"\\\n\r\t\u0001é""#
        );
    }
}
