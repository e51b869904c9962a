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
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || (within == Within::Markup && is_special(c)) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

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
