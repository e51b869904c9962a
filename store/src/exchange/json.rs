//! JSON, read strictly and written shortly. Here because exports must come back bit for bit: an int is never read as a
//! float, a float keeps its last bit, a name stands once in an object.
//!
//! What must stay true: nesting is bounded while reading, and every error says at which column it was found.

use std::fmt::Write;

/// Lists and objects inside each other, at most: the store's own limit for values, each level of which may take two.
const DEPTH_MAX: usize = 2 * crate::limits::VALUE_DEPTH_MAX + 8;

/// A JSON value; numbers with a fraction or an exponent are floats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What is wrong with a text, and where (columns count characters from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) column: usize,
    pub(crate) what: String,
}

impl Json {
    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "true or false",
            Json::Int(_) => "a whole number",
            Json::Float(_) => "a number with a fraction",
            Json::Text(_) => "text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }

    /// The value under a name of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            Json::Null
            | Json::Bool(_)
            | Json::Int(_)
            | Json::Float(_)
            | Json::Text(_)
            | Json::List(_) => None,
        }
    }

    /// Reads one value; nothing but blanks may follow.
    pub(crate) fn parse(text: &str) -> Result<Json, JsonError> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(DEPTH_MAX)?;
        parser.blanks();
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.error("nothing more after the value")),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, expected: &str) -> JsonError {
        let column = self.text[..self.at].chars().count() + 1;
        let found = match self.text[self.at..].chars().next() {
            Some(char) => format!("{char:?}"),
            None => "the end of the line".to_owned(),
        };
        JsonError {
            column,
            what: format!("expected {expected}, found {found}"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value"))
        }
    }

    fn value(&mut self, depth_left: usize) -> Result<Json, JsonError> {
        self.blanks();
        if depth_left == 0 {
            return Err(self.error("values that nest less deeply"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth_left - 1),
            Some(b'[') => self.list(depth_left - 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) | None => Err(self.error("a value")),
        }
    }

    fn list(&mut self, depth_left: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth_left)?);
            self.blanks();
            if self.take(b']') {
                return Ok(Json::List(items));
            }
            if !self.take(b',') {
                return Err(self.error("a comma or `]`"));
            }
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut entries: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(Json::Object(entries));
        }
        loop {
            self.blanks();
            let begin = self.at;
            let name = self.string()?;
            if !names.insert(name.clone()) {
                self.at = begin;
                let mut error = self.error("each name once");
                error.what = format!("the name {name:?} stands twice in this object");
                return Err(error);
            }
            self.blanks();
            if !self.take(b':') {
                return Err(self.error("a colon"));
            }
            entries.push((name, self.value(depth_left)?));
            self.blanks();
            if self.take(b'}') {
                return Ok(Json::Object(entries));
            }
            if !self.take(b',') {
                return Err(self.error("a comma or `}`"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let begin = self.at;
        self.take(b'-');
        let first = self.at;
        self.digits()?;
        if self.at > first + 1 && self.text.as_bytes()[first] == b'0' {
            self.at = first;
            return Err(self.error("a number without leading zeros"));
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[begin..self.at];
        let parsed = if whole {
            text.parse().ok().map(Json::Int)
        } else {
            text.parse()
                .ok()
                .filter(|float: &f64| float.is_finite())
                .map(Json::Float)
        };
        parsed.ok_or_else(|| {
            self.at = begin;
            self.error("a number of 64 bits")
        })
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        if !self.take(b'"') {
            return Err(self.error("a text in double quotes"));
        }
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(stop) = rest.find(|char: char| char == '"' || char == '\\' || char < ' ')
            else {
                self.at = self.text.len();
                return Err(self.error("the closing quote"));
            };
            out.push_str(&rest[..stop]);
            self.at += stop;
            if self.take(b'"') {
                return Ok(out);
            }
            if !self.take(b'\\') {
                return Err(self.error("control characters as \\u escapes"));
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let char = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            Some(_) | None => return Err(self.error("an escape such as \\n")),
        };
        self.at += 1;
        Ok(char)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.error("a character"));
        }
        if first < 0xdc00 && self.take(b'\\') {
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let both = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(both).ok_or_else(|| self.error("a character"));
            }
        }
        Err(self.error("both halves of a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        if !self.take(b'u') {
            return Err(self.error("`u` and four hexadecimal digits"));
        }
        let digits = self.text.get(self.at..self.at + 4);
        let number = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                self.at += 4;
                Ok(number)
            }
            None => Err(self.error("four hexadecimal digits")),
        }
    }
}

/// Appends a text as a JSON string.
pub(crate) fn put_string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char < ' ' || char == '\u{7f}' => {
                write!(out, "\\u{:04x}", char as u32).expect("a String takes everything");
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Appends a finite float so that it is read as the same float, and never as an int.
pub(crate) fn put_float(out: &mut String, float: f64) {
    write!(out, "{float:?}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_kind_and_bits() {
        for float in [
            0.1,
            -0.0,
            f64::MIN_POSITIVE,
            f64::MAX,
            5e-324,
            1e21,
            3.0,
            1.0 / 3.0,
        ] {
            let mut text = String::new();
            put_float(&mut text, float);
            let read = Json::parse(&text);
            assert!(
                matches!(read, Ok(Json::Float(same)) if same.to_bits() == float.to_bits()),
                "{text}: {read:?}"
            );
        }
        assert_eq!(Json::parse("-9223372036854775808"), Ok(Json::Int(i64::MIN)));
    }

    #[test]
    fn texts_come_back() {
        let text: String = (0..0x300)
            .filter_map(char::from_u32)
            .chain("😀\u{10ffff}".chars())
            .collect();
        let mut out = String::new();
        put_string(&mut out, &text);
        assert_eq!(Json::parse(&out), Ok(Json::Text(text)));
        assert_eq!(
            Json::parse("\"\\ud83d\\ude00\""),
            Ok(Json::Text("😀".into()))
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        for (text, column, what) in [
            (
                "{\"a\":1,\"a\":2}",
                8,
                "the name \"a\" stands twice in this object",
            ),
            ("[1,]", 4, "expected a value, found ']'"),
            ("\"ü\\x\"", 4, "expected an escape such as \\n, found 'x'"),
            (
                "9223372036854775808",
                1,
                "expected a number of 64 bits, found '9'",
            ),
            ("1 2", 3, "expected nothing more after the value, found '2'"),
            ("{\"a\"", 5, "expected a colon, found the end of the line"),
            (
                "01",
                1,
                "expected a number without leading zeros, found '0'",
            ),
            (
                "\"\\ud800\"",
                8,
                "expected both halves of a surrogate pair, found '\"'",
            ),
        ] {
            let expected = JsonError {
                column,
                what: what.to_owned(),
            };
            assert_eq!(Json::parse(text), Err(expected), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(Json::parse(&deep).is_err());
    }
}
