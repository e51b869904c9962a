//! JSON that came from outside, read strictly: nesting is limited, a name may stand only once in an object, numbers are
//! exact ints or doubles. Here because actions, routes and sockets all take JSON and must refuse the same things.
//! Must stay true: nothing is evaluated or resolved here; a `Json` is plain data.

use std::fmt;

use flin_vm::json_text::{self, Within};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Lists and objects inside each other, at most.
pub const DEPTH_MAX: usize = 32;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent that fits 64 signed bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// List.
    List(Vec<Json>),
    /// Object, in the order of the text; no name twice.
    Object(Vec<(String, Json)>),
}

/// Why a text is not JSON that is accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong, with line and column.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

impl Json {
    /// Reads one JSON value; nothing but white space may follow it.
    pub fn parse(text: &[u8]) -> Result<Json, JsonError> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = Nested { depth: 0 }.deserialize(&mut reader);
        let value = value.and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| JsonError {
            message: error.to_string(),
        })
    }

    /// The value under a name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
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

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            Json::Null
            | Json::Bool(_)
            | Json::Int(_)
            | Json::Float(_)
            | Json::List(_)
            | Json::Object(_) => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "nothing",
            Json::Bool(_) => "true or false",
            Json::Int(_) => "a whole number",
            Json::Float(_) => "a number with a fraction",
            Json::Text(_) => "text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}

/// Writes a text as a JSON string that is also safe inside HTML: `<`, `>`, `&`, U+2028 and U+2029 are escaped.
pub fn write_text(out: &mut String, text: &str) {
    json_text::write(out, text, Within::Markup);
}

/// Writes a text as a JSON string for answers that are JSON and nothing else.
pub fn write_plain_text(out: &mut String, text: &str) {
    json_text::write(out, text, Within::Json);
}

#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn inner<E: serde::de::Error>(self) -> Result<Nested, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(Nested {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Float(value as f64), Json::Int))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::new();
        while let Some(name) = items.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!(
                    "the name \"{name}\" stands twice"
                )));
            }
            entries.push((name, items.next_value_seed(inner)?));
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Json, String> {
        Json::parse(text.as_bytes()).map_err(|error| error.message)
    }

    #[test]
    fn numbers_keep_what_they_are() {
        assert_eq!(parse("3"), Ok(Json::Int(3)));
        assert_eq!(parse("3.0"), Ok(Json::Float(3.0)));
        assert_eq!(parse("-9223372036854775808"), Ok(Json::Int(i64::MIN)));
        assert_eq!(
            parse("9223372036854775808"),
            Ok(Json::Float(9223372036854775808.0))
        );
        for bad in ["01", "+1", "1.", ".5", "NaN", "0x1", "1e999", "--1"] {
            assert!(parse(bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn a_name_stands_once_in_an_object() {
        assert!(
            parse(r#"{"a":1,"a":2}"#)
                .unwrap_err()
                .contains("\"a\" stands twice")
        );
        assert!(parse(r#"[{"a":{"b":1,"b":1}}]"#).is_err());
        assert!(parse(r#"{"a":{"a":1}}"#).is_ok());
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(DEPTH_MAX)).is_ok());
        assert!(
            parse(&nested(DEPTH_MAX + 1))
                .unwrap_err()
                .contains("32 levels")
        );
        assert!(parse(&"[".repeat(200_000)).is_err());
        assert!(parse(&"{\"a\":".repeat(200_000)).is_err());
    }

    #[test]
    fn nothing_may_follow() {
        for bad in [
            "",
            " ",
            "{} {}",
            "{}x",
            "{'a':1}",
            "[1,]",
            "{\"a\":}",
            "\u{feff}{}",
            "\"\u{1}\"",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} must be refused");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn written_text_cannot_leave_its_script_element() {
        let mut out = String::new();
        write_text(&mut out, "</script><!-- & \u{2028} \"\\\n");
        assert_eq!(
            out,
            r#""\u003c/script\u003e\u003c!-- \u0026 \u2028 \"\\\n""#
        );
        assert_eq!(
            parse(&out),
            Ok(Json::Text("</script><!-- & \u{2028} \"\\\n".into()))
        );
    }
}
