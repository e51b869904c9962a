//! The `any` word: how a value of any type stands in 8 bytes. Here because nothing else may know it.
//!
//! - bit 0 set: an int of 63 bits;
//! - low two bits 10: a float whose exponent is a common one, its bits rotated so that the tag fits;
//! - low three bits 100: false (4) and true (12);
//! - low three bits 000: the address of an object. `none` is the address of the one static object of kind None, so the
//!   none word and the none object are the same bits. Ints and floats that do not fit, times and durations are objects.
//!
//! Must stay true: every value has exactly one word for its inline form, and a word is never 0.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use super::View;
use crate::heap::{Kind, NONE_OBJECT, Obj};

/// A value of any type in 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u64);

/// Low bits of an inline float.
pub(crate) const FLOAT_TAG: u64 = 0b10;
/// The word of 0.0, whose exponent is not in the inline range.
pub(crate) const FLOAT_ZERO: u64 = 0x8000_0000_0000_0002;
/// The one float inside the inline range whose rotation would look like `FLOAT_ZERO`.
pub(crate) const FLOAT_CLASH: u64 = 0x3000_0000_0000_0000;

impl Word {
    /// false
    pub(crate) const FALSE: Word = Word(4);
    /// true
    pub(crate) const TRUE: Word = Word(12);

    /// none
    #[inline(always)]
    pub(crate) fn none() -> Word {
        Word(&raw const NONE_OBJECT as u64)
    }

    /// A bool.
    #[inline(always)]
    pub(crate) fn bool(value: bool) -> Word {
        if value { Word::TRUE } else { Word::FALSE }
    }

    /// An int, if 63 bits hold it.
    #[inline(always)]
    pub(crate) fn inline_int(value: i64) -> Option<Word> {
        let shifted = value << 1;
        (shifted >> 1 == value).then_some(Word(shifted as u64 | 1))
    }

    /// A float, if its exponent is a common one.
    #[inline(always)]
    pub(crate) fn inline_float(value: f64) -> Option<Word> {
        let bits = value.to_bits();
        let top = (bits >> 60) & 7;
        if (top == 3 || top == 4) && bits != FLOAT_CLASH {
            Some(Word((bits.rotate_left(3) & !3) | FLOAT_TAG))
        } else if bits == 0 {
            Some(Word(FLOAT_ZERO))
        } else {
            None
        }
    }

    /// An object.
    #[inline(always)]
    pub(crate) fn object(obj: Obj) -> Word {
        Word(obj.address())
    }

    /// The bits, to be stored in a slot.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// A word from a slot that holds a word.
    #[inline(always)]
    pub(crate) fn from_bits(bits: u64) -> Word {
        Word(bits)
    }

    /// Whether this is none.
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self == Word::none()
    }

    /// The int, if it is an inline one.
    #[inline(always)]
    pub(crate) fn as_inline_int(self) -> Option<i64> {
        (self.0 & 1 == 1).then_some(self.0 as i64 >> 1)
    }

    /// The float, if it is an inline one.
    #[inline(always)]
    pub(crate) fn as_inline_float(self) -> Option<f64> {
        if self.0 & 3 != FLOAT_TAG {
            return None;
        }
        if self.0 == FLOAT_ZERO {
            return Some(0.0);
        }
        let high = self.0 >> 63;
        Some(f64::from_bits(((2 - high) | (self.0 & !3)).rotate_right(3)))
    }

    /// The bool, if it is one.
    #[inline(always)]
    pub(crate) fn as_bool(self) -> Option<bool> {
        match self {
            Word::TRUE => Some(true),
            Word::FALSE => Some(false),
            _ => None,
        }
    }

    /// The object, if it is one (the none object and boxed scalars included).
    #[inline(always)]
    pub(crate) fn as_obj(self) -> Option<Obj> {
        if self.0 & 7 != 0 {
            return None;
        }
        debug_assert!(self.0 != 0, "a word is never 0");
        // SAFETY: a word with low bits 000 is only ever made by `Word::object`, `Word::none` or read back from a slot
        // that was filled by them, so it is the address of a live object and not null.
        Some(unsafe { Obj::from_non_null(NonNull::new_unchecked(self.0 as *mut u64)) })
    }

    /// The object of this kind, if it is one.
    #[inline(always)]
    pub(crate) fn as_kind(self, kind: Kind) -> Option<Obj> {
        self.as_obj().filter(|obj| obj.kind() == kind)
    }

    /// What the word means.
    #[inline]
    pub(crate) fn view(self) -> View {
        if let Some(value) = self.as_inline_int() {
            return View::Int(value);
        }
        if let Some(value) = self.as_inline_float() {
            return View::Float(value);
        }
        match self.as_obj() {
            Some(obj) => obj.view(),
            None => View::Bool(self == Word::TRUE),
        }
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Word({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_of_63_bits_are_inline() {
        let edge = 1_i64 << 62;
        for value in [0, 1, -1, 42, edge - 1, -edge] {
            let word = Word::inline_int(value).expect("63 bits");
            assert_eq!(word.as_inline_int(), Some(value));
            assert_eq!(word.as_inline_float(), None);
            assert!(word.as_obj().is_none());
        }
        for value in [edge, -edge - 1, i64::MAX, i64::MIN] {
            assert_eq!(Word::inline_int(value), None);
        }
    }

    #[test]
    fn common_floats_are_inline_and_come_back_bit_for_bit() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut inline = 0;
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let value = f64::from_bits(state);
            if let Some(word) = Word::inline_float(value) {
                inline += 1;
                assert_eq!(word.as_inline_float().map(f64::to_bits), Some(state));
                assert_eq!(word.as_inline_int(), None);
                assert!(word.as_obj().is_none());
                assert_eq!(word.as_bool(), None);
            }
        }
        assert!(inline > 1000, "{inline}");
        for value in [0.0, 1.0, -1.0, 0.1, 3.5e9, -2.5e-9, 1e70, 123_456.789] {
            let word = Word::inline_float(value).expect("a common float");
            assert_eq!(
                word.as_inline_float().map(f64::to_bits),
                Some(value.to_bits())
            );
        }
        for value in [
            -0.0,
            f64::NAN,
            f64::INFINITY,
            1e300,
            1e-300,
            f64::from_bits(FLOAT_CLASH),
        ] {
            assert_eq!(Word::inline_float(value), None, "{value}");
        }
    }

    #[test]
    fn specials_are_distinct() {
        assert_eq!(Word::TRUE.as_bool(), Some(true));
        assert_eq!(Word::FALSE.as_bool(), Some(false));
        assert!(Word::TRUE.as_obj().is_none() && Word::FALSE.as_obj().is_none());
        assert!(Word::none().is_none());
        assert_eq!(Word::none().as_obj().map(Obj::kind), Some(Kind::None));
        assert!(!Word::TRUE.is_none());
    }
}
