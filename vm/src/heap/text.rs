//! Texts: UTF-8 with the bytes inside the object, or, for longer results of concatenation, in a buffer that has room to
//! grow. Appending to a text whose bytes end where its buffer is filled writes into the buffer and makes a new text of two
//! words; the old one still sees only its own bytes. So building a text piece by piece is linear.
//! Must stay true: bytes of a text never change; meta is the length in bytes; the ASCII flag is exact.

use super::object::{FLAG_ASCII, Kind, Obj, header};
use super::{Heap, checked};
use crate::fault::Res;

/// Results of concatenation from this length on get a buffer.
const BUFFER_FROM_BYTES: usize = 128;
/// Buffers double up to here, then grow by half.
const DOUBLE_UP_TO_BYTES: usize = 64 << 10;

const BUFFERED: u16 = 1;
const BUFFER_CAPACITY: usize = 1;
const BUFFER_FILL: usize = 2;
const BUFFER_DATA: usize = 3;

/// The bytes of a text.
#[inline(always)]
pub(crate) fn as_bytes(obj: &Obj) -> &[u8] {
    debug_assert_eq!(obj.kind(), Kind::Text);
    let start = if obj.aux() == 0 {
        checked::bytes(obj.address(), 8 + obj.meta() as usize);
        // SAFETY: an inline text keeps its bytes from word 1 on.
        unsafe { obj.pointer().add(1) }
    } else {
        checked::bytes(obj.raw(1), BUFFER_DATA * 8 + obj.meta() as usize);
        // SAFETY: word 1 of a buffered text is its buffer, whose data begins at BUFFER_DATA.
        unsafe { (obj.raw(1) as *mut u64).add(BUFFER_DATA) }
    };
    // SAFETY: meta is the number of bytes, all of them written when the text was made and never changed.
    unsafe { std::slice::from_raw_parts(start.cast::<u8>(), obj.meta() as usize) }
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

/// The buffer of a buffered text.
pub(super) fn buffer_of(obj: Obj) -> Option<Obj> {
    (obj.aux() == BUFFERED).then(|| buffer(obj))
}

fn buffer(obj: Obj) -> Obj {
    crate::value::Word::from_bits(obj.raw(1))
        .as_obj()
        .expect("a buffered text has a buffer")
}

impl Heap {
    /// A new text.
    pub(crate) fn new_text(&mut self, text: &str) -> Res<Obj> {
        let obj = self.blank_text(text.len(), text.is_ascii())?;
        // SAFETY: `blank_text` made room for that many bytes from word 1 on.
        unsafe { copy(text.as_bytes(), obj.pointer().add(1).cast()) };
        Ok(obj)
    }

    /// An inline text whose bytes are still to be written.
    fn blank_text(&mut self, len: usize, ascii: bool) -> Res<Obj> {
        let Ok(meta) = u32::try_from(len) else {
            return Err(self.is_full());
        };
        let flag = if ascii { FLAG_ASCII } else { 0 };
        let words = (1 + len.div_ceil(8)).max(2);
        self.allocate(header(Kind::Text, 0, meta) | flag, words)
    }

    /// `first` followed by `rest`, all of them texts.
    pub(crate) fn concat(&mut self, first: Obj, rest: &[Obj]) -> Res<Obj> {
        let added: usize = rest.iter().map(|text| text.meta() as usize).sum();
        if added == 0 {
            return Ok(first);
        }
        let len = first.meta() as usize + added;
        let ascii = is_ascii(first) && rest.iter().all(|text| is_ascii(*text));
        if len < BUFFER_FROM_BYTES {
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
        let len = self.text_len(text) as i64;
        let position = if index < 0 {
            index.saturating_add(len)
        } else {
            index
        };
        if position < 0 || position >= len {
            return Ok(None);
        }
        let string = as_str(&text);
        let piece = if is_ascii(text) {
            &string[position as usize..position as usize + 1]
        } else {
            let (start, found) = string
                .char_indices()
                .nth(position as usize)
                .expect("position is below the number of scalar values");
            &string[start..start + found.len_utf8()]
        };
        self.new_text(piece).map(Some)
    }
}

/// Copies `bytes` to `to`; gives the end.
///
/// # Safety
/// There must be room, and the ranges must not overlap.
unsafe fn copy(bytes: &[u8], to: *mut u8) -> *mut u8 {
    // SAFETY: promised by the caller.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        to.add(bytes.len())
    }
}
