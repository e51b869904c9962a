//! JSON as `parse_json` and `to_json` know it (RFC 8259). Here because programs exchange data in it. Must stay true:
//! nesting is bounded in both directions; whatever is no JSON is refused with line and column; ints keep all digits.

use std::fmt::Write as _;

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
    read(call.m, str_of(&text)).map(Ret::Any)
}

/// The value that a JSON text spells.
pub(super) fn read(m: &mut Machine, text: &str) -> Res<Word> {
    let mut reader = Reader {
        m,
        text,
        at: 0,
        depth: 0,
        words: Vec::new(),
        entries: Vec::new(),
        keys: [None; KNOWN_KEYS],
    };
    let word = reader.value()?;
    reader.blanks();
    if reader.at < reader.text.len() {
        return Err(reader.error("the end"));
    }
    Ok(word)
}

pub(super) fn to_json(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(0);
    let out = written(call.m, value)?;
    call.text_result(&out)
}

/// A value as JSON.
pub(super) fn written(m: &mut Machine, value: Word) -> Res<String> {
    let mut writer = Writer {
        m,
        out: String::new(),
        walk: Walk::writing("make JSON"),
        in_record: false,
    };
    writer.value(value)?;
    Ok(writer.out)
}

/// Keys that are remembered, so that the same key of many objects is one text; a power of two.
const KNOWN_KEYS: usize = 64;

/// Ints of so many digits fit for certain.
const SAFE_DIGITS: usize = 18;
/// Longer keys are not remembered.
const KEY_BYTES_MAX: usize = 64;

struct Reader<'a> {
    m: &'a mut Machine,
    text: &'a str,
    at: usize,
    depth: u32,
    /// Elements of the arrays around this place.
    words: Vec<Word>,
    /// Entries of the objects around this place.
    entries: Vec<(Word, Word)>,
    keys: [Option<Obj>; KNOWN_KEYS],
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
            Some(b'"') => self.string().map(Word::object),
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

    /// What is read and stands in no list or map yet counts as memory, too.
    fn check_room(&self) -> Res<()> {
        let waiting = self.words.len() + self.entries.len();
        if waiting.is_multiple_of(1024) {
            self.m
                .heap
                .check_room(waiting * size_of::<(Word, Word)>())?;
        }
        Ok(())
    }

    fn array(&mut self) -> Res<Word> {
        self.blanks();
        let first = self.words.len();
        if !self.eat(b']') {
            loop {
                let word = self.value()?;
                self.check_room()?;
                self.words.push(word);
                self.blanks();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.error("`,` or `]`"));
                }
            }
        }
        let bits = self.words.drain(first..).map(Word::bits);
        let list = self.m.heap.new_list_of_bits(Class::Any, bits)?;
        Ok(Word::object(list))
    }

    fn object(&mut self) -> Res<Word> {
        self.blanks();
        let first = self.entries.len();
        if !self.eat(b'}') {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.error("a key in quotes"));
                }
                let key = self.key()?;
                self.blanks();
                if !self.eat(b':') {
                    return Err(self.error("`:`"));
                }
                let value = self.value()?;
                self.check_room()?;
                self.entries.push((key, value));
                self.blanks();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.error("`,` or `}`"));
                }
            }
        }
        let map = self.m.heap.new_dict(self.entries.len() - first)?;
        for (key, value) in self.entries.drain(first..) {
            self.m.heap.map_set(map, key, value)?;
        }
        Ok(Word::object(map))
    }

    /// A key; the quote is next. One that is remembered is not made again.
    fn key(&mut self) -> Res<Word> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        let len = rest
            .iter()
            .take(KEY_BYTES_MAX)
            .position(|byte| *byte == b'"');
        let Some(len @ 1..) = len else {
            return self.string().map(Word::object);
        };
        let key = &rest[..len];
        let place = (len * 31 + usize::from(key[0]) * 7 + usize::from(key[len - 1])) % KNOWN_KEYS;
        if let Some(known) = self.keys[place]
            && str_of(&known).as_bytes() == key
        {
            self.at += 1 + len + 1;
            return Ok(Word::object(known));
        }
        let at = self.at;
        let text = self.string()?;
        // A text with escapes in it is not remembered: it does not look like what was read.
        if self.at == at + 1 + len + 1 && text.meta() as usize == len {
            self.keys[place] = Some(text);
        }
        Ok(Word::object(text))
    }

    /// A number; an int if it is written as one and fits.
    fn number(&mut self) -> Res<Word> {
        let start = self.at;
        let is_negative = self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let from = self.at;
        let mut value = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - from;
        if digits == 0 {
            return Err(self.error("a digit"));
        }
        if leading_zero && digits > 1 {
            self.at = from + 1;
            return Err(self.error("a number without zeros in front"));
        }
        if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            if digits <= SAFE_DIGITS {
                let value = if is_negative { -value } else { value };
                return self.m.heap.int_word(value);
            }
            if let Ok(value) = self.text[start..self.at].parse() {
                return self.m.heap.int_word(value);
            }
        }
        self.fraction_and_exponent()?;
        let text = &self.text[start..self.at];
        self.m.heap.float_word(text.parse().unwrap_or(f64::NAN))
    }

    /// The rest of a number, if there is one.
    fn fraction_and_exponent(&mut self) -> Res<()> {
        let is_point = self.eat(b'.');
        if is_point && !self.digits() {
            return Err(self.error("a digit"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            if !self.digits() {
                return Err(self.error("a digit"));
            }
        }
        Ok(())
    }

    /// Goes over digits; false if there are none.
    fn digits(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > from
    }

    /// A text; the quote is next.
    fn string(&mut self) -> Res<Obj> {
        self.at += 1;
        let start = self.at;
        let ascii = self.plain();
        if self.peek() == Some(b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return self.m.heap.new_text_known(text, ascii);
        }
        let mut out = self.text[start..self.at].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return self.m.heap.new_text(&out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.error("no control character in a text")),
                None => return Err(self.error("`\"`")),
            }
            let from = self.at;
            self.plain();
            out.push_str(&self.text[from..self.at]);
        }
    }

    /// Goes to the next quote, backslash or control character, or to the end; whether all up to there was ASCII.
    fn plain(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let mut seen = 0;
        let len = rest
            .iter()
            .position(|byte| {
                let ends = matches!(byte, b'"' | b'\\' | ..b' ');
                seen |= if ends { 0 } else { *byte };
                ends
            })
            .unwrap_or(rest.len());
        self.at += len;
        seen < 0x80
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
            View::Int(value) | View::Duration(value) => {
                let _ = write!(self.out, "{value}");
            }
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
            match key.view() {
                View::Text(text) => self.string(str_of(&text)),
                _ => {
                    let key = print::to_string(self.m, key)?;
                    self.string(&key);
                }
            }
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
