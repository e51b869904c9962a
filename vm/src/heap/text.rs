//! Texts: UTF-8 with the bytes inside the object, or, for longer results of concatenation, in a buffer that has room to
//! grow. Appending to a text whose bytes end where its buffer is filled writes into the buffer and makes a new text of two
//! words; the old one still sees only its own bytes. So building a text piece by piece is linear.
//! Must stay true: bytes of a text never change; meta is the length in bytes; the ASCII flag is exact; behind the bytes of
//! an inline text its last word is zero, so short texts are compared and hashed as words. Texts of one ASCII character
//! are the same static objects in all heaps.

use super::Heap;
use super::checked;
use super::object::{FLAG_ASCII, FLAG_STATIC, Kind, Obj, header};
use crate::fault::Res;

/// A text this long that is appended to gets a buffer, if what is added is short beside it.
const APPENDED_FROM_BYTES: usize = 32;
/// Any result of concatenation from this length on gets a buffer.
const BUFFER_FROM_BYTES: usize = 128;
/// Buffers double up to here, then grow by half.
const DOUBLE_UP_TO_BYTES: usize = 64 << 10;

/// Aux of a text whose bytes stand in a buffer, which is its word 1.
pub(crate) const BUFFERED: u16 = 1;
const BUFFER_CAPACITY: usize = 1;
const BUFFER_FILL: usize = 2;
/// Word of a buffer where the bytes begin.
pub(crate) const BUFFER_DATA: usize = 3;
/// Longest text that two words hold.
const SHORT_BYTES: usize = 16;

/// The texts of one ASCII character.
pub(crate) static CHARACTERS: [[u64; 2]; 128] = {
    let mut texts = [[0; 2]; 128];
    let mut code = 0;
    while code < texts.len() {
        texts[code] = [
            header(Kind::Text, 0, 1) | FLAG_STATIC | FLAG_ASCII,
            code as u64,
        ];
        code += 1;
    }
    texts
};

/// The text of one ASCII character.
#[inline(always)]
fn character(byte: u8) -> Obj {
    Obj::from_non_null(std::ptr::NonNull::from(&CHARACTERS[usize::from(byte & 127)]).cast())
}

/// Fast read: the character of an ASCII text at a position that exists (not negative).
#[inline(always)]
pub(crate) fn ascii_at(obj: Obj, index: i64) -> Option<Obj> {
    const ASCII_TEXT: u64 = Kind::Text as u64 | FLAG_ASCII;
    let bits = obj.header();
    if bits & (0xff | FLAG_ASCII) == ASCII_TEXT && (index as u64) < bits >> 32 {
        // SAFETY: kind and position were compared.
        Some(character(unsafe { *start(obj).add(index as usize) }))
    } else {
        None
    }
}

/// Where the bytes begin.
#[inline(always)]
fn start(obj: Obj) -> *const u8 {
    debug_assert_eq!(obj.kind(), Kind::Text);
    if obj.aux() == 0 {
        checked::bytes(obj.address(), 8 + obj.meta() as usize);
        obj.pointer().wrapping_add(1).cast()
    } else {
        checked::bytes(obj.raw(1), BUFFER_DATA * 8 + obj.meta() as usize);
        (obj.raw(1) as *const u64).wrapping_add(BUFFER_DATA).cast()
    }
}

/// The bytes of a text.
#[inline(always)]
pub(crate) fn as_bytes(obj: &Obj) -> &[u8] {
    // SAFETY: meta is the number of bytes, all of them written when the text was made and never changed.
    unsafe { std::slice::from_raw_parts(start(*obj), obj.meta() as usize) }
}

/// The text as `str`.
#[inline(always)]
pub(crate) fn as_str(obj: &Obj) -> &str {
    // SAFETY: texts are only made from `str` and by joining whole texts.
    unsafe { std::str::from_utf8_unchecked(as_bytes(obj)) }
}

/// Whether all bytes are ASCII.
#[inline(always)]
pub(crate) fn is_ascii(obj: Obj) -> bool {
    obj.header() & FLAG_ASCII != 0
}

/// Whether two texts have the same bytes.
#[inline]
pub(crate) fn equal(a: Obj, b: Obj) -> bool {
    if a == b {
        return true;
    }
    if a.meta() != b.meta() {
        return false;
    }
    if a.aux() | b.aux() == 0 && a.meta() <= 8 {
        return a.raw(1) == b.raw(1);
    }
    as_bytes(&a) == as_bytes(&b)
}

/// The bytes of a text of up to 16 bytes as two words, zeros behind them.
#[inline]
pub(super) fn short(obj: Obj) -> Option<(u64, u64)> {
    let len = obj.meta() as usize;
    if len > SHORT_BYTES {
        None
    } else if obj.aux() == 0 {
        Some((obj.raw(1), if len > 8 { obj.raw(2) } else { 0 }))
    } else {
        let mut bytes = [0; SHORT_BYTES];
        bytes[..len].copy_from_slice(as_bytes(&obj));
        let bits = u128::from_le_bytes(bytes);
        Some((bits as u64, (bits >> 64) as u64))
    }
}

/// The buffer of a buffered text.
pub(super) fn buffer_of(obj: Obj) -> Option<Obj> {
    (obj.aux() == BUFFERED).then(|| buffer(obj))
}

fn buffer(obj: Obj) -> Obj {
    crate::value::Word::from_bits(obj.raw(1))
        .as_obj()
        .expect("a buffered text has a buffer")
}

/// A new text that is being written, piece by piece, from its start to its end.
pub(crate) struct Filling {
    at: *mut u8,
    left: usize,
}

impl Filling {
    /// Writes a piece behind what is written. Panics if the text was not made long enough.
    pub(crate) fn push(&mut self, piece: &str) {
        assert!(piece.len() <= self.left, "a text is filled beyond its end");
        self.left -= piece.len();
        // SAFETY: there is room (asserted); the new text is no part of what a piece can be borrowed from.
        self.at = unsafe { copy(piece.as_bytes(), self.at) };
    }
}

impl Heap {
    /// A new text.
    pub(crate) fn new_text(&mut self, text: &str) -> Res<Obj> {
        self.new_text_known(text, text.is_ascii())
    }

    /// A new text of which it is known whether it is ASCII.
    pub(crate) fn new_text_known(&mut self, text: &str, ascii: bool) -> Res<Obj> {
        match text.as_bytes() {
            [] => return Ok(self.layouts.empty_text()),
            [byte] => return Ok(character(*byte)),
            _ => {}
        }
        let obj = self.blank_text(text.len(), ascii)?;
        // SAFETY: `blank_text` made room for that many bytes from word 1 on.
        unsafe { copy(text.as_bytes(), obj.pointer().add(1).cast()) };
        Ok(obj)
    }

    /// A piece of a text.
    pub(crate) fn text_piece(&mut self, text: Obj, piece: &str) -> Res<Obj> {
        self.new_text_known(piece, is_ascii(text) || piece.is_ascii())
    }

    /// A text of one character.
    pub(crate) fn character_text(&mut self, c: char) -> Res<Obj> {
        self.new_text(c.encode_utf8(&mut [0; 4]))
    }

    /// A new text of `len` bytes that `fill` writes, all of them; `ascii` says whether they will be ASCII.
    pub(crate) fn fill_text(
        &mut self,
        len: usize,
        ascii: bool,
        fill: impl FnOnce(&mut Filling),
    ) -> Res<Obj> {
        let obj = self.blank_text(len, ascii)?;
        let mut filling = Filling {
            at: obj.pointer().wrapping_add(1).cast(),
            left: len,
        };
        fill(&mut filling);
        assert_eq!(filling.left, 0, "a new text is filled to its end");
        debug_assert_eq!(as_bytes(&obj).is_ascii(), ascii);
        Ok(obj)
    }

    /// An ASCII text with each byte changed to another ASCII byte.
    pub(crate) fn map_ascii(&mut self, text: Obj, map: impl Fn(u8) -> u8) -> Res<Obj> {
        debug_assert!(is_ascii(text));
        let obj = self.blank_text(text.meta() as usize, true)?;
        let to = obj.pointer().wrapping_add(1).cast::<u8>();
        for (index, byte) in as_bytes(&text).iter().enumerate() {
            // SAFETY: the new text is as long as the old one.
            unsafe { *to.add(index) = map(*byte) & 127 };
        }
        Ok(obj)
    }

    /// An ASCII text from its end to its start.
    pub(crate) fn reverse_ascii(&mut self, text: Obj) -> Res<Obj> {
        debug_assert!(is_ascii(text));
        let obj = self.blank_text(text.meta() as usize, true)?;
        let to = obj.pointer().wrapping_add(1).cast::<u8>();
        for (index, byte) in as_bytes(&text).iter().rev().enumerate() {
            // SAFETY: the new text is as long as the old one.
            unsafe { *to.add(index) = *byte };
        }
        Ok(obj)
    }

    /// An inline text whose bytes are still to be written.
    fn blank_text(&mut self, len: usize, ascii: bool) -> Res<Obj> {
        let Ok(meta) = u32::try_from(len) else {
            return Err(self.is_full());
        };
        let flag = if ascii { FLAG_ASCII } else { 0 };
        let words = (1 + len.div_ceil(8)).max(2);
        let obj = self.allocate(header(Kind::Text, 0, meta) | flag, words)?;
        obj.set_raw(words - 1, 0);
        Ok(obj)
    }

    /// `first` followed by `rest`, all of them texts.
    pub(crate) fn concat(&mut self, first: Obj, rest: &[Obj]) -> Res<Obj> {
        let added: usize = rest.iter().map(|text| text.meta() as usize).sum();
        if added == 0 {
            return Ok(first);
        }
        let len = first.meta() as usize + added;
        if let [second] = rest
            && len <= SHORT_BYTES
        {
            return self.concat_short(first, *second);
        }
        let ascii = is_ascii(first) && rest.iter().all(|text| is_ascii(*text));
        let old_len = first.meta() as usize;
        let is_appended = old_len >= APPENDED_FROM_BYTES && added <= old_len / 4;
        if len < BUFFER_FROM_BYTES && !is_appended {
            let obj = self.blank_text(len, ascii)?;
            // SAFETY: `blank_text` made room for `len` bytes from word 1 on.
            unsafe {
                let mut at = obj.pointer().add(1).cast::<u8>();
                at = copy(as_bytes(&first), at);
                for text in rest {
                    at = copy(as_bytes(text), at);
                }
            }
            return Ok(obj);
        }
        let Ok(meta) = u32::try_from(len) else {
            return Err(self.is_full());
        };
        let buffer = self.buffer_with_room(first, added)?;
        let flag = if ascii { FLAG_ASCII } else { 0 };
        let obj = self.allocate(header(Kind::Text, BUFFERED, meta) | flag, 2)?;
        obj.set_raw(1, buffer.address());
        // SAFETY: the buffer holds the bytes of `first` at its start and has room for `added` more; pieces of `rest`
        // that lie in the same buffer end where it was filled, so source and destination do not overlap.
        unsafe {
            let mut at = buffer
                .pointer()
                .add(BUFFER_DATA)
                .cast::<u8>()
                .add(first.meta() as usize);
            for text in rest {
                at = copy(as_bytes(text), at);
            }
        }
        buffer.set_raw(BUFFER_FILL, len as u64);
        Ok(obj)
    }

    /// Two texts of up to 16 bytes together, joined as words.
    fn concat_short(&mut self, first: Obj, second: Obj) -> Res<Obj> {
        let whole = |text: Obj| {
            let (low, high) = short(text).unwrap_or_default();
            u128::from(low) | u128::from(high) << 64
        };
        let bits = match first.meta() {
            0 => return Ok(second),
            len => whole(first) | whole(second) << (len * 8),
        };
        let len = first.meta() + second.meta();
        let obj = self.blank_text(len as usize, is_ascii(first) && is_ascii(second))?;
        obj.set_raw(1, bits as u64);
        if len > 8 {
            obj.set_raw(2, (bits >> 64) as u64);
        }
        Ok(obj)
    }

    /// A buffer that begins with the bytes of `first` and has room for `added` more after them.
    fn buffer_with_room(&mut self, first: Obj, added: usize) -> Res<Obj> {
        let len = first.meta() as usize;
        if first.aux() == BUFFERED {
            let buffer = buffer(first);
            let fill = buffer.raw(BUFFER_FILL) as usize;
            if fill == len && buffer.raw(BUFFER_CAPACITY) as usize - fill >= added {
                return Ok(buffer);
            }
        }
        let total = len + added;
        let capacity = if total < DOUBLE_UP_TO_BYTES {
            total * 2
        } else {
            total + total / 2
        };
        let words = BUFFER_DATA + capacity.div_ceil(8);
        let buffer = self.allocate(header(Kind::Buffer, 0, 0), words)?;
        buffer.set_raw(BUFFER_CAPACITY, ((words - BUFFER_DATA) * 8) as u64);
        buffer.set_raw(BUFFER_FILL, len as u64);
        // SAFETY: the new buffer has room for `total` bytes from BUFFER_DATA on.
        unsafe { copy(as_bytes(&first), buffer.pointer().add(BUFFER_DATA).cast()) };
        Ok(buffer)
    }

    /// Number of Unicode scalar values.
    pub(crate) fn text_len(&self, text: Obj) -> usize {
        if is_ascii(text) {
            text.meta() as usize
        } else {
            as_str(&text).chars().count()
        }
    }

    /// The scalar value at `index` (negative from the end) as a text; none if there is no such position.
    pub(crate) fn text_at(&mut self, text: Obj, index: i64) -> Res<Option<Obj>> {
        if is_ascii(text) {
            let from_end = i64::from(text.meta()) & (index >> 63);
            return Ok(ascii_at(text, index.saturating_add(from_end)));
        }
        match char_at(as_str(&text), index) {
            Some(c) => self.character_text(c).map(Some),
            None => Ok(None),
        }
    }

    /// The scalar value at `index` (negative from the end); none if there is no such position.
    pub(crate) fn text_char(&self, text: Obj, index: i64) -> Option<char> {
        if is_ascii(text) {
            let from_end = i64::from(text.meta()) & (index >> 63);
            let at = usize::try_from(index.saturating_add(from_end)).ok()?;
            return as_bytes(&text).get(at).map(|byte| char::from(*byte));
        }
        char_at(as_str(&text), index)
    }
}

fn char_at(text: &str, index: i64) -> Option<char> {
    let places = usize::try_from(index.unsigned_abs()).ok()?;
    if index >= 0 {
        text.chars().nth(places)
    } else {
        text.chars().rev().nth(places - 1)
    }
}

/// Copies `bytes` to `to`; gives the end.
///
/// # Safety
/// There must be room, and the ranges must not overlap.
unsafe fn copy(bytes: &[u8], to: *mut u8) -> *mut u8 {
    // SAFETY: promised by the caller.
    unsafe {
        match bytes {
            // Building a text letter by letter is the common case.
            [byte] => *to = *byte,
            _ => std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()),
        }
        to.add(bytes.len())
    }
}
