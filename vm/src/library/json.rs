//! JSON as `parse_json` and `to_json` know it (RFC 8259). Here because programs exchange data in it. Must stay true:
//! nesting is bounded in both directions; whatever is no JSON is refused with line and column; ints keep all digits.

use flin_bytecode::Class;

use super::{LibCall, Ret, str_of};
use crate::fault::{DEPTH_MAX, Fault, Res};
use crate::heap::{EntityState, MapCursor, Obj, list_len, range_parts};
use crate::iso;
use crate::json_text::{self, Within};
use crate::machine::Machine;
use crate::semantics::{Walk, print, unlinking};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

pub(super) fn parse_json(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    let mut reader = Reader {
        m: call.m,
        text: str_of(&text),
        at: 0,
        depth: 0,
    };
    let word = reader.value()?;
    reader.blanks();
    if reader.at < reader.text.len() {
        return Err(reader.error("the end"));
    }
    Ok(Ret::Any(word))
}

pub(super) fn to_json(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(0);
    let mut writer = Writer {
        m: call.m,
        out: String::new(),
        walk: Walk::writing("make JSON"),
        in_record: false,
    };
    writer.value(value)?;
    let out = writer.out;
    call.text_result(&out)
}

struct Reader<'a> {
    m: &'a mut Machine,
    text: &'a str,
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    /// What is wrong here, with line and column.
    #[cold]
    fn error(&self, expected: &str) -> Fault {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let found = match self.text[self.at..].chars().next() {
            Some(c) if c.is_control() || c == '\u{feff}' => format!("`{}`", c.escape_unicode()),
            Some(c) => format!("`{c}`"),
            None => "the end".to_owned(),
        };
        Fault::new(
            ErrorKind::ParseError,
            format!("no JSON: expected {expected} at {line}:{column}, found {found}"),
        )
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Res<Word> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let text = self.string()?;
                self.m.heap.text_word(&text)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("true", Word::TRUE),
                    ("false", Word::FALSE),
                    ("null", Word::none()),
                ] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.error("a value"))
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Res<Word>) -> Res<Word> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Fault::new(
                ErrorKind::ParseError,
                format!("JSON nested more than {DEPTH_MAX} levels deep"),
            ));
        }
        self.at += 1;
        let word = read(self)?;
        self.depth -= 1;
        Ok(word)
    }

    fn array(&mut self) -> Res<Word> {
        let list = self.m.heap.new_list(Class::Any, 0)?;
        self.blanks();
        if self.eat(b']') {
            return Ok(Word::object(list));
        }
        loop {
            let word = self.value()?;
            self.m.heap.list_push_bits(list, word.bits())?;
            self.blanks();
            if self.eat(b']') {
                return Ok(Word::object(list));
            }
            if !self.eat(b',') {
                return Err(self.error("`,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Res<Word> {
        let map = self.m.heap.new_dict(0)?;
        self.blanks();
        if self.eat(b'}') {
            return Ok(Word::object(map));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in quotes"));
            }
            let key = self.string()?;
            let key = self.m.heap.text_word(&key)?;
            self.blanks();
            if !self.eat(b':') {
                return Err(self.error("`:`"));
            }
            let value = self.value()?;
            self.m.heap.map_set(map, key, value)?;
            self.blanks();
            if self.eat(b'}') {
                return Ok(Word::object(map));
            }
            if !self.eat(b',') {
                return Err(self.error("`,` or `}`"));
            }
        }
    }

    /// A number; an int if it is written as one and fits.
    fn number(&mut self) -> Res<Word> {
        let start = self.at;
        self.eat(b'-');
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            reader.at > from
        };
        let leading_zero = self.peek() == Some(b'0');
        let from = self.at;
        if !digits(self) {
            return Err(self.error("a digit"));
        }
        if leading_zero && self.at - from > 1 {
            self.at = from + 1;
            return Err(self.error("a number without zeros in front"));
        }
        let mut is_int = true;
        if self.eat(b'.') {
            is_int = false;
            if !digits(self) {
                return Err(self.error("a digit"));
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            is_int = false;
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            if !digits(self) {
                return Err(self.error("a digit"));
            }
        }
        let text = &self.text[start..self.at];
        match text.parse::<i64>() {
            Ok(value) if is_int => self.m.heap.int_word(value),
            Ok(_) | Err(_) => self.m.heap.float_word(text.parse().unwrap_or(f64::NAN)),
        }
    }

    /// A text; the quote is next.
    fn string(&mut self) -> Res<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.error("no control character in a text")),
                None => return Err(self.error("`\"`")),
            }
        }
    }

    /// What stands after a backslash. A lone half of a surrogate pair becomes U+FFFD.
    fn escape(&mut self) -> Res<char> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("an escape")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Res<char> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Res<u32> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else {
            return Err(self.error("four hex digits"));
        };
        let value = digits.iter().fold(0, |value, digit| {
            value * 16 + (*digit as char).to_digit(16).unwrap_or(0)
        });
        self.at += 4;
        Ok(value)
    }
}

struct Writer<'a> {
    m: &'a mut Machine,
    out: String,
    walk: Walk,
    /// Inside of a record other saved ones are links, written as their ids.
    in_record: bool,
}

impl Writer<'_> {
    fn value(&mut self, word: Word) -> Res<()> {
        self.walk.step()?;
        if self.out.len() > self.m.limits.memory_bytes {
            return Err(Fault::memory(self.m.limits.memory_bytes));
        }
        match word.view() {
            View::None => self.out.push_str("null"),
            View::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            View::Int(value) | View::Duration(value) => self.out.push_str(&value.to_string()),
            View::Float(value) if value.is_finite() => {
                self.out.push_str(&print::float_string(value))
            }
            View::Float(_) => self.out.push_str("null"),
            View::Time(ms) => self.string(&iso::format(ms)),
            View::Text(text) => self.string(str_of(&text)),
            View::List(list) => self.nested(|w| w.list(list))?,
            View::Map(map) => self.nested(|w| w.map(map))?,
            View::Tuple(tuple) => {
                let words: Vec<Word> = (0..tuple.tuple_len())
                    .filter_map(|at| tuple.tuple_get(at))
                    .collect();
                self.nested(|w| w.words(&words))?;
            }
            View::Enum(value) => self.nested(|w| w.enum_value(value))?,
            View::Entity(entity) => self.nested(|w| w.entity(entity))?,
            View::Error(error) => {
                let parts = error.error_parts();
                self.nested(|w| w.fields(&[("kind", parts.kind), ("message", parts.message)]))?;
            }
            View::Range(range) => {
                let (start, end, inclusive) = range_parts(range);
                self.out.push_str(&format!(
                    "\"{start}{}{end}\"",
                    if inclusive { "..=" } else { ".." }
                ));
            }
            found @ (View::Closure(_) | View::Cell(_) | View::Query(_) | View::Response(_)) => {
                return Err(Fault::type_error(format!(
                    "a {} cannot be JSON",
                    found.type_name()
                )));
            }
        }
        Ok(())
    }

    fn nested(&mut self, write: impl FnOnce(&mut Self) -> Res<()>) -> Res<()> {
        self.walk.enter()?;
        write(self)?;
        self.walk.leave();
        Ok(())
    }

    fn list(&mut self, list: Obj) -> Res<()> {
        self.out.push('[');
        for at in 0..list_len(list) {
            if at > 0 {
                self.out.push(',');
            }
            let word = self.m.heap.list_word(list, at)?;
            self.value(word)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn words(&mut self, words: &[Word]) -> Res<()> {
        self.out.push('[');
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.value(*word)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, map: Obj) -> Res<()> {
        let mut cursor = MapCursor::default();
        let mut first = true;
        self.out.push('{');
        while let Some((key, value)) = self.m.heap.map_next(map, &mut cursor)? {
            if !first {
                self.out.push(',');
            }
            first = false;
            let key = print::to_string(self.m, key)?;
            self.string(&key);
            self.out.push(':');
            self.value(value)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn fields(&mut self, fields: &[(&str, Word)]) -> Res<()> {
        self.out.push('{');
        for (at, (name, value)) in fields.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.string(name);
            self.out.push(':');
            self.value(*value)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// The variant's name; with data `{"Variant": [data]}`.
    fn enum_value(&mut self, value: Obj) -> Res<()> {
        let (number, variant) = value.enum_parts();
        let program = self.m.program.clone();
        let known = program
            .module()
            .enums
            .get(number as usize)
            .and_then(|e| e.variants.get(variant as usize));
        let name = known.map_or("", |(name, _)| name);
        let data: Vec<Word> = (0..value.tuple_len())
            .filter_map(|at| value.enum_get(at))
            .collect();
        if data.is_empty() {
            self.string(name);
            return Ok(());
        }
        self.out.push('{');
        self.string(name);
        self.out.push(':');
        self.words(&data)?;
        self.out.push('}');
        Ok(())
    }

    /// The id, declared fields that are not hidden, version and times (a record that was never saved has only fields). A
    /// record that is only a link is its id.
    fn entity(&mut self, entity: Obj) -> Res<()> {
        let is_link = self.in_record && entity.entity_id() != 0;
        if is_link || entity.entity_state() == EntityState::Link {
            self.out.push_str(&entity.entity_id().to_string());
            return Ok(());
        }
        let program = self.m.program.clone();
        let declared = &program.module().entities[entity.meta() as usize].fields;
        let mut fields: Vec<(&str, Word)> = Vec::with_capacity(declared.len());
        for (at, field) in declared
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.hidden)
        {
            let word = unlinking::as_kept(self.m, entity, at)?;
            fields.push((field.name.as_str(), word));
        }
        if entity.entity_id() != 0 {
            let stamps = entity.entity_stamps();
            let heap = &mut self.m.heap;
            fields.insert(0, ("id", heap.int_word(entity.entity_id())?));
            fields.push(("version", heap.int_word(stamps.version)?));
            fields.push(("created_at", heap.time_word(stamps.created_at)?));
            fields.push(("updated_at", heap.time_word(stamps.updated_at)?));
            if let Some(past) = entity.entity_past() {
                let valid_to = match past.valid_to {
                    Some(ms) => heap.time_word(ms)?,
                    None => Word::none(),
                };
                fields.push(("valid_from", heap.time_word(stamps.updated_at)?));
                fields.push(("valid_to", valid_to));
            }
        }
        let outer = std::mem::replace(&mut self.in_record, true);
        self.fields(&fields)?;
        self.in_record = outer;
        Ok(())
    }

    fn string(&mut self, text: &str) {
        json_text::write(&mut self.out, text, Within::Json);
    }
}
