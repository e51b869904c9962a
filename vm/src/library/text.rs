//! Functions on text. Here because the op table has only what is needed for speed. Must stay true: positions and
//! lengths count Unicode scalar values and never split one; positions below zero count from the end.

use flin_bytecode::Class;

use super::{BYTES_PER_UNIT, LibCall, Ret, str_of};
use crate::fault::{Fault, Res};
use crate::heap::{Filling, Obj, text_is_ascii};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// Which end of a text is meant.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
}

pub(super) fn upper(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    if text_is_ascii(text) {
        let made = call
            .m
            .heap
            .map_ascii(text, |byte| byte.to_ascii_uppercase());
        return made.map(Ret::Obj);
    }
    call.text_result(&str_of(&text).to_uppercase())
}

pub(super) fn lower(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    if text_is_ascii(text) {
        let made = call
            .m
            .heap
            .map_ascii(text, |byte| byte.to_ascii_lowercase());
        return made.map(Ret::Obj);
    }
    call.text_result(&str_of(&text).to_lowercase())
}

/// A part of a text as result; the text itself if nothing was cut off.
fn part(call: &mut LibCall<'_>, text: Obj, part: &str) -> Res<Ret> {
    if part.len() == str_of(&text).len() {
        Ok(Ret::Obj(text))
    } else {
        call.m.heap.text_piece(text, part).map(Ret::Obj)
    }
}

pub(super) fn trim(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    part(call, text, str_of(&text).trim())
}

pub(super) fn trim_start(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    part(call, text, str_of(&text).trim_start())
}

pub(super) fn trim_end(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    part(call, text, str_of(&text).trim_end())
}

/// Byte position of the first place where a text stands in another. One byte, the common case, is looked for without the
/// preparations that a longer text needs.
fn find(text: &str, wanted: &str) -> Option<usize> {
    match wanted.as_bytes() {
        [byte] => text.as_bytes().iter().position(|found| found == byte),
        _ => text.find(wanted),
    }
}

pub(super) fn contains(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, wanted) = (call.text(0)?, call.text(1)?);
    Ok(Ret::Bool(find(str_of(&text), str_of(&wanted)).is_some()))
}

pub(super) fn starts_with(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, wanted) = (call.text(0)?, call.text(1)?);
    Ok(Ret::Bool(str_of(&text).starts_with(str_of(&wanted))))
}

pub(super) fn ends_with(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, wanted) = (call.text(0)?, call.text(1)?);
    Ok(Ret::Bool(str_of(&text).ends_with(str_of(&wanted))))
}

pub(super) fn remove_prefix(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, prefix) = (call.text(0)?, call.text(1)?);
    let text_str = str_of(&text);
    part(
        call,
        text,
        text_str.strip_prefix(str_of(&prefix)).unwrap_or(text_str),
    )
}

pub(super) fn remove_suffix(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, suffix) = (call.text(0)?, call.text(1)?);
    let text_str = str_of(&text);
    part(
        call,
        text,
        text_str.strip_suffix(str_of(&suffix)).unwrap_or(text_str),
    )
}

/// A list of pieces of a text.
fn pieces<'t>(
    call: &mut LibCall<'_>,
    text: Obj,
    pieces: impl Iterator<Item = &'t str>,
) -> Res<Ret> {
    let heap = &mut call.m.heap;
    let list = heap.new_list(Class::Ref, 0)?;
    for piece in pieces {
        let piece = heap.text_piece(text, piece)?;
        heap.list_push_bits(list, Word::object(piece).bits())?;
    }
    Ok(Ret::Obj(list))
}

pub(super) fn split(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, separator) = (call.text(0)?, call.text(1)?);
    let (all, separator) = (str_of(&text), str_of(&separator));
    match separator.as_bytes() {
        [] => chars(call),
        [byte] => pieces(call, text, all.split(char::from(*byte))),
        _ => pieces(call, text, all.split(separator)),
    }
}

pub(super) fn lines(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    pieces(call, text, str_of(&text).lines())
}

pub(super) fn words(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    if text_is_ascii(text) {
        // Of the ASCII characters only this one more is a blank in Unicode.
        let is_blank = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
        let words = str_of(&text).split(is_blank);
        return pieces(call, text, words.filter(|word| !word.is_empty()));
    }
    pieces(call, text, str_of(&text).split_whitespace())
}

pub(super) fn chars(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    let all = str_of(&text);
    pieces(
        call,
        text,
        all.char_indices()
            .map(|(at, c)| &all[at..at + c.len_utf8()]),
    )
}

pub(super) fn is_empty(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(str_of(&call.text(0)?).is_empty()))
}

/// A position that counts from the end when negative, clamped to `0..=len`.
pub(super) fn clamped(position: i64, len: usize) -> usize {
    let len = len as i64;
    let position = if position < 0 {
        position.saturating_add(len)
    } else {
        position
    };
    position.clamp(0, len) as usize
}

/// Byte position of a character position, at most the length. Walks the characters: for texts that are not ASCII.
fn byte_at(text: &str, position: usize) -> usize {
    text.char_indices()
        .nth(position)
        .map_or(text.len(), |(at, _)| at)
}

/// The characters from one position up to another (excluded), clamped.
pub(super) fn slice(call: &mut LibCall<'_>, text: Obj, from: i64, to: Option<i64>) -> Res<Ret> {
    let characters = str_of(&text);
    let len = call.m.heap.text_len(text);
    let (from, to) = (clamped(from, len), to.map_or(len, |to| clamped(to, len)));
    if from >= to {
        return call.text_result("");
    }
    let (start, end) = if text_is_ascii(text) {
        (from, to)
    } else {
        call.spend(characters.len() / BYTES_PER_UNIT)?;
        let start = byte_at(characters, from);
        (start, start + byte_at(&characters[start..], to - from))
    };
    call.spend((end - start) / BYTES_PER_UNIT)?;
    part(call, text, &characters[start..end])
}

pub(super) fn slice_from(call: &mut LibCall<'_>) -> Res<Ret> {
    slice(call, call.text(0)?, call.int(0), None)
}

pub(super) fn slice_between(call: &mut LibCall<'_>) -> Res<Ret> {
    slice(call, call.text(0)?, call.int(0), Some(call.int(1)))
}

/// `text[a:b:step]`
pub(super) fn slice_by_step(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    let bounds = Bounds::of(call)?;
    if bounds.step == 1 {
        return slice(call, text, bounds.from.unwrap_or(0), bounds.to);
    }
    let characters: Vec<char> = str_of(&text).chars().collect();
    let picked: String = bounds
        .positions(characters.len())
        .map(|at| characters[at])
        .collect();
    call.text_result(&picked)
}

/// What `x[a:b:step]` asks for.
pub(super) struct Bounds {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) step: i64,
}

impl Bounds {
    /// The three arguments after the receiver; each an int or none.
    pub(super) fn of(call: &LibCall<'_>) -> Res<Bounds> {
        let bound = |n| match call.any(n).view() {
            View::None => Ok(None),
            View::Int(at) => Ok(Some(at)),
            _ => Err(call.wrong(n, "int")),
        };
        let step = bound(3)?.unwrap_or(1);
        if step == 0 {
            return Err(Fault::new(
                ErrorKind::ArgumentError,
                "a slice cannot go in steps of 0",
            ));
        }
        Ok(Bounds {
            from: bound(1)?,
            to: bound(2)?,
            step,
        })
    }

    /// The positions asked for, all of them below `len`.
    pub(super) fn positions(&self, len: usize) -> impl Iterator<Item = usize> + use<> {
        let (len, step) = (len as i64, self.step);
        // Downwards the positions lie in -1..len, upwards in 0..=len.
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let place = |at: i64| if at < 0 { at.saturating_add(len) } else { at }.clamp(low, high);
        let from = self.from.map_or(if step > 0 { low } else { high }, place);
        let to = self.to.map_or(if step > 0 { high } else { low }, place);
        let mut at = from;
        std::iter::from_fn(move || {
            let inside = if step > 0 { at < to } else { at > to };
            let found = inside.then_some(at as usize);
            at = at.saturating_add(step);
            found
        })
    }
}

pub(super) fn replace(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let (text_str, old, new) = (str_of(&text), str_of(&old), str_of(&new));
    if old.is_empty() {
        return Ok(Ret::Obj(text));
    }
    let is_ascii = text_is_ascii(text) && new.is_ascii();
    if let (true, [old], [new]) = (is_ascii, old.as_bytes(), new.as_bytes()) {
        let map = |byte: u8| if byte == *old { *new } else { byte };
        return call.m.heap.map_ascii(text, map).map(Ret::Obj);
    }
    let count = match old.as_bytes() {
        [old] => text_str.bytes().filter(|byte| byte == old).count(),
        _ => text_str.matches(old).count(),
    };
    if count == 0 {
        return Ok(Ret::Obj(text));
    }
    let len = (text_str.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    call.fits(len)?;
    if !is_ascii {
        // What is replaced may have been all that was not ASCII.
        return call.text_result(&text_str.replace(old, new));
    }
    let made = call
        .m
        .heap
        .fill_text(len, true, |filling| match old.as_bytes() {
            [old] => push_between(filling, text_str.split(char::from(*old)), new),
            _ => push_between(filling, text_str.split(old), new),
        });
    made.map(Ret::Obj)
}

/// Writes pieces with a text between them.
fn push_between<'t>(filling: &mut Filling, pieces: impl Iterator<Item = &'t str>, between: &str) {
    for (at, piece) in pieces.enumerate() {
        if at > 0 {
            filling.push(between);
        }
        filling.push(piece);
    }
}

pub(super) fn replace_first(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let (text_str, old, new) = (str_of(&text), str_of(&old), str_of(&new));
    if old.is_empty() {
        return Ok(Ret::Obj(text));
    }
    call.text_result(&text_str.replacen(old, new, 1))
}

/// Character position of a byte position, -1 for none.
fn position(text: Obj, byte: Option<usize>) -> Ret {
    Ret::Int(byte.map_or(-1, |at| {
        let characters = if text_is_ascii(text) {
            at
        } else {
            str_of(&text)[..at].chars().count()
        };
        characters as i64
    }))
}

pub(super) fn index_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, wanted) = (call.text(0)?, call.text(1)?);
    Ok(position(text, find(str_of(&text), str_of(&wanted))))
}

pub(super) fn last_index_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, wanted) = (call.text(0)?, call.text(1)?);
    Ok(position(text, str_of(&text).rfind(str_of(&wanted))))
}

pub(super) fn repeat(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, count) = (call.text(0)?, call.int(0));
    let piece = str_of(&text);
    let count = usize::try_from(count).unwrap_or(0);
    let len = piece.len().saturating_mul(count);
    call.fits(len)?;
    if len == 0 {
        return call.text_result("");
    }
    let is_ascii = text_is_ascii(text);
    let made = call.m.heap.fill_text(len, is_ascii, |filling| {
        for _ in 0..count {
            filling.push(piece);
        }
    });
    made.map(Ret::Obj)
}

/// Fills up with blanks or the given text, to a length in characters.
pub(super) fn pad(call: &mut LibCall<'_>, side: Side, with_filler: bool) -> Res<Ret> {
    let text = call.text(0)?;
    let filler = if with_filler {
        Some(call.text(1)?)
    } else {
        None
    };
    let filler = filler.as_ref().map_or(" ", |filler| str_of(filler));
    let characters = str_of(&text);
    let wanted = usize::try_from(call.int(0)).unwrap_or(0);
    let missing = wanted.saturating_sub(call.m.heap.text_len(text));
    if missing == 0 || filler.is_empty() {
        return Ok(Ret::Obj(text));
    }
    call.fits(characters.len().saturating_add(missing.saturating_mul(4)))?;
    let mut out = String::new();
    let fill = filler.chars().cycle().take(missing);
    match side {
        Side::Left => {
            out.extend(fill);
            out.push_str(characters);
        }
        Side::Right => {
            out.push_str(characters);
            out.extend(fill);
        }
    }
    call.text_result(&out)
}

pub(super) fn capitalize(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    let mut chars = str_of(&text).chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    call.text_result(&(first + chars.as_str()))
}

pub(super) fn title(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    let titled = titled(str_of(&text));
    call.text_result(&titled)
}

/// Words are put in lower case as wholes, because a sigma is written differently at the end of one.
fn titled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let mut chars = piece.chars();
        let Some(first) = chars.next() else { continue };
        out.extend(first.to_uppercase());
        let lower = piece.to_lowercase();
        let replaced: usize = first.to_lowercase().map(char::len_utf8).sum();
        out.push_str(&lower[replaced..]);
    }
    out
}

pub(super) fn reverse(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    if text_is_ascii(text) {
        return call.m.heap.reverse_ascii(text).map(Ret::Obj);
    }
    call.text_result(&str_of(&text).chars().rev().collect::<String>())
}

pub(super) fn code_at(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, position) = (call.text(0)?, call.int(0));
    if !text_is_ascii(text) {
        call.spend(text.meta() as usize / BYTES_PER_UNIT)?;
    }
    let word = match call.m.heap.text_char(text, position) {
        Some(c) => call.m.heap.int_word(i64::from(u32::from(c)))?,
        None => Word::none(),
    };
    Ok(Ret::Any(word))
}

pub(super) fn from_code(call: &mut LibCall<'_>) -> Res<Ret> {
    let code = call.int(0);
    let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) else {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("{code} is no Unicode scalar value"),
        ));
    };
    call.m.heap.character_text(c).map(Ret::Obj)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(from: Option<i64>, to: Option<i64>, step: i64, len: usize) -> Vec<usize> {
        Bounds { from, to, step }.positions(len).collect()
    }

    #[test]
    fn slices_by_steps_are_clamped() {
        assert_eq!(positions(None, None, 2, 5), [0, 2, 4]);
        assert_eq!(positions(None, None, -1, 3), [2, 1, 0]);
        assert_eq!(positions(Some(1), Some(-1), 1, 5), [1, 2, 3]);
        assert_eq!(positions(Some(-2), None, 1, 5), [3, 4]);
        assert_eq!(positions(Some(99), Some(-99), -2, 5), [4, 2, 0]);
        assert_eq!(positions(Some(-1), Some(1), -1, 4), [3, 2]);
        assert!(positions(Some(i64::MIN), Some(i64::MAX), i64::MAX, 0).is_empty());
        assert_eq!(positions(Some(i64::MIN), Some(i64::MAX), i64::MAX, 3), [0]);
        assert_eq!(positions(None, None, i64::MIN, 3), [2]);
    }

    #[test]
    fn titles_of_words_with_letters_that_grow_or_know_their_place() {
        for (text, title) in [
            ("", ""),
            ("  two  WORDS ", "  Two  Words "),
            ("ΑΣ ΟΔΥΣΣΕΥΣ", "Ας Οδυσσευς"),
            ("İSTANBUL ß", "İstanbul SS"),
            ("σ", "Σ"),
        ] {
            assert_eq!(titled(text), title);
        }
    }

    #[test]
    fn positions_of_characters() {
        assert_eq!(byte_at("añb", 2), 3);
        assert_eq!(byte_at("añb", 9), 4);
        assert_eq!(clamped(-1, 3), 2);
        assert_eq!(clamped(i64::MIN, 3), 0);
        assert_eq!(clamped(i64::MAX, 3), 3);
    }
}
