//! Small objects: boxed scalars, cells, closures, ranges, tuples, enum values. Here because their layouts are a line each.
//! Must stay true: a cell and a closure's captures carry their classes with them, because typed code compares the class
//! before it reads or writes.

use flin_bytecode::Class;

use super::Heap;
use super::map::empty_slot;
use super::object::{Kind, Obj, header};
use crate::fault::Res;
use crate::value::Word;

/// Class of capture `index`; the caller keeps it below the number of captures.
#[inline(always)]
pub(crate) fn closure_slot_class(closure: Obj, index: usize) -> Class {
    let count = usize::from(closure.aux());
    debug_assert!(index < count);
    let byte = (closure.raw(1 + count + index / 8) >> (index % 8 * 8)) as u8;
    Class::from_u8(byte).expect("captures have a class")
}

/// Start, end, and whether the end is included.
pub(crate) fn range_parts(range: Obj) -> (i64, i64, bool) {
    (range.raw(1) as i64, range.raw(2) as i64, range.aux() == 1)
}

impl Obj {
    /// The bits of a cell of this class.
    #[inline(always)]
    pub(crate) fn cell_get(self, class: Class) -> Option<u64> {
        self.is(Kind::Cell, class as u16).then(|| self.raw(1))
    }

    /// Sets the bits of a cell of this class; false if it is something else.
    #[inline(always)]
    pub(crate) fn cell_set(self, class: Class, bits: u64) -> bool {
        let fits = self.is(Kind::Cell, class as u16);
        if fits {
            self.set_raw(1, bits);
        }
        fits
    }

    /// The function of a closure.
    #[inline(always)]
    pub(crate) fn closure_func(self) -> Option<u32> {
        (self.kind() == Kind::Closure).then(|| self.meta())
    }

    /// The bits of a capture of this class.
    #[inline(always)]
    pub(crate) fn capture_get(self, index: usize, class: Class) -> Option<u64> {
        let fits = self.kind() == Kind::Closure
            && index < usize::from(self.aux())
            && closure_slot_class(self, index) == class;
        fits.then(|| self.raw(1 + index))
    }

    /// Sets the bits of a capture of this class; false if there is none.
    #[inline(always)]
    pub(crate) fn capture_set(self, index: usize, class: Class, bits: u64) -> bool {
        let fits = self.kind() == Kind::Closure
            && index < usize::from(self.aux())
            && closure_slot_class(self, index) == class;
        if fits {
            self.set_raw(1 + index, bits);
        }
        fits
    }

    /// Element `index` of a tuple, if it has so many.
    pub(crate) fn tuple_get(self, index: usize) -> Option<Word> {
        (self.kind() == Kind::Tuple && index < self.meta() as usize)
            .then(|| Word::from_bits(self.raw(1 + index)))
    }

    /// Number of elements of a tuple, or of data of an enum value.
    pub(crate) fn tuple_len(self) -> usize {
        self.meta() as usize
    }

    /// Enum and variant of an enum value.
    pub(crate) fn enum_parts(self) -> (u32, u32) {
        debug_assert_eq!(self.kind(), Kind::Enum);
        (self.raw(1) as u32, (self.raw(1) >> 32) as u32)
    }

    /// Datum `index` of an enum value, if it has so many.
    pub(crate) fn enum_get(self, index: usize) -> Option<Word> {
        (self.kind() == Kind::Enum && index < self.meta() as usize)
            .then(|| Word::from_bits(self.raw(2 + index)))
    }
}

impl Heap {
    fn boxed(&mut self, kind: Kind, bits: u64) -> Res<Word> {
        let obj = self.allocate(header(kind, 0, 0), 2)?;
        obj.set_raw(1, bits);
        Ok(Word::object(obj))
    }

    /// An int.
    #[inline(always)]
    pub(crate) fn int_word(&mut self, value: i64) -> Res<Word> {
        match Word::inline_int(value) {
            Some(word) => Ok(word),
            None => self.boxed(Kind::Int, value as u64),
        }
    }

    /// A float.
    #[inline(always)]
    pub(crate) fn float_word(&mut self, value: f64) -> Res<Word> {
        match Word::inline_float(value) {
            Some(word) => Ok(word),
            None => self.boxed(Kind::Float, value.to_bits()),
        }
    }

    /// A point in time, ms since 1970 UTC.
    pub(crate) fn time_word(&mut self, ms: i64) -> Res<Word> {
        self.boxed(Kind::Time, ms as u64)
    }

    /// A span of time, ms.
    pub(crate) fn duration_word(&mut self, ms: i64) -> Res<Word> {
        self.boxed(Kind::Duration, ms as u64)
    }

    /// A text as a word.
    pub(crate) fn text_word(&mut self, text: &str) -> Res<Word> {
        self.new_text(text).map(Word::object)
    }

    /// A cell of this class.
    pub(crate) fn new_cell(&mut self, class: Class, bits: u64) -> Res<Obj> {
        let cell = self.allocate(header(Kind::Cell, class as u16, 0), 2)?;
        cell.set_raw(1, bits);
        Ok(cell)
    }

    /// A closure whose captures are zero or none.
    pub(crate) fn new_closure(&mut self, func: u32, captures: &[Class]) -> Res<Obj> {
        let count = captures.len();
        let aux = u16::try_from(count).expect("verified: at most 255 captures");
        let class_words = count.div_ceil(8);
        let closure = self.allocate(
            header(Kind::Closure, aux, func),
            (1 + count + class_words).max(2),
        )?;
        for index in 0..class_words {
            closure.set_raw(1 + count + index, 0);
        }
        for (index, class) in captures.iter().enumerate() {
            closure.set_raw(1 + index, empty_slot(*class));
            let at = 1 + count + index / 8;
            closure.set_raw(at, closure.raw(at) | (*class as u64) << (index % 8 * 8));
        }
        Ok(closure)
    }

    /// A range.
    pub(crate) fn new_range(&mut self, start: i64, end: i64, inclusive: bool) -> Res<Obj> {
        let range = self.allocate(header(Kind::Range, u16::from(inclusive), 0), 3)?;
        range.set_raw(1, start as u64);
        range.set_raw(2, end as u64);
        Ok(range)
    }

    /// A tuple.
    pub(crate) fn new_tuple(&mut self, words: &[Word]) -> Res<Obj> {
        let tuple = self.allocate(
            header(Kind::Tuple, 0, words.len() as u32),
            (1 + words.len()).max(2),
        )?;
        for (index, word) in words.iter().enumerate() {
            tuple.set_raw(1 + index, word.bits());
        }
        Ok(tuple)
    }

    /// A value of enum `index`, variant `variant`.
    pub(crate) fn new_enum(&mut self, index: u32, variant: u32, data: &[Word]) -> Res<Obj> {
        let value = self.allocate(header(Kind::Enum, 0, data.len() as u32), 2 + data.len())?;
        value.set_raw(1, u64::from(index) | u64::from(variant) << 32);
        for (at, word) in data.iter().enumerate() {
            value.set_raw(2 + at, word.bits());
        }
        Ok(value)
    }
}
