//! Lists: elements unboxed by class in a buffer of their own. Aux is the element class, meta the capacity, word 1 the
//! length, word 2 the buffer (0 while there is none); a buffer's elements begin at its word 1; bools take one byte.
//! Must stay true: typed code reads and writes slots only after comparing kind and class. A list whose elements stop
//! fitting its class is widened to `any` in place; an empty one takes the class of what is put in.

use flin_bytecode::Class;

use super::object::{Kind, Obj, header};
use super::{Heap, checked, large};
use crate::fault::Res;
use crate::value::{View, Word};

/// Word of a list that holds its length.
pub(crate) const LEN: usize = 1;
/// Word of a list that holds its buffer.
pub(crate) const BUFFER: usize = 2;
const LIST_WORDS: usize = 3;
/// Longest list; keeps sizes in bytes far from overflow. The compiler counts on it (`Interval::LIST`).
const LEN_MAX: usize = (u32::MAX >> 1) as usize;

/// Elements that a list has room for when the first is put in.
const FIRST_CAPACITY: usize = 4;
/// Capacities double up to here, then grow by half: big buffers mostly grow where they are.
const DOUBLE_UP_TO: usize = 1 << 16;

/// Why an element cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementError {
    /// No such position.
    OutOfBounds,
    /// The element is not of the wanted class.
    Unlike,
}

/// Element class.
#[inline(always)]
pub(crate) fn class_of(list: Obj) -> Class {
    debug_assert_eq!(list.kind(), Kind::List);
    Class::from_u8(list.aux() as u8).expect("a list has a class")
}

/// Number of elements.
#[inline(always)]
pub(crate) fn len(list: Obj) -> usize {
    list.raw(LEN) as usize
}

pub(super) fn buffer_of(list: Obj) -> Option<Obj> {
    if list.raw(BUFFER) == 0 {
        None
    } else {
        Word::from_bits(list.raw(BUFFER)).as_obj()
    }
}

/// Where its elements begin; there are to be at least so many.
#[inline(always)]
fn data(list: Obj, elements: usize) -> *mut u64 {
    let element_bytes = if list.aux() == Class::Bool as u16 {
        1
    } else {
        8
    };
    checked::bytes(list.raw(BUFFER), 8 + elements * element_bytes);
    // SAFETY: only called when the list has a buffer; its elements begin at word 1.
    unsafe { (list.raw(BUFFER) as *mut u64).add(1) }
}

/// The bits of an element; the caller checked the position.
#[inline(always)]
pub(super) fn raw_slot(list: Obj, index: usize) -> u64 {
    debug_assert!(index < len(list));
    // SAFETY: index < len <= capacity of the buffer.
    unsafe {
        if list.aux() == Class::Bool as u16 {
            u64::from(*data(list, index + 1).cast::<u8>().add(index))
        } else {
            *data(list, index + 1).add(index)
        }
    }
}

#[inline(always)]
fn set_raw_slot(list: Obj, index: usize, bits: u64) {
    // SAFETY: callers keep index below the capacity of the buffer.
    unsafe {
        if list.aux() == Class::Bool as u16 {
            *data(list, index + 1).cast::<u8>().add(index) = u8::from(bits != 0);
        } else {
            *data(list, index + 1).add(index) = bits;
        }
    }
}

/// Fast read: the bits of element `index` if `list` is a list of `class` and the position exists (not negative).
#[inline(always)]
pub(crate) fn get(list: Obj, class: Class, index: i64) -> Option<u64> {
    if list.is(Kind::List, class as u16) && (index as u64) < list.raw(LEN) {
        // SAFETY: kind, class and position were compared.
        Some(unsafe {
            match class {
                Class::Bool => u64::from(
                    *data(list, index as usize + 1)
                        .cast::<u8>()
                        .add(index as usize),
                ),
                Class::I64 | Class::F64 | Class::Ref | Class::Any => {
                    *data(list, index as usize + 1).add(index as usize)
                }
            }
        })
    } else {
        None
    }
}

/// Fast write; false if kind, class or position do not fit.
#[inline(always)]
pub(crate) fn set(list: Obj, class: Class, index: i64, bits: u64) -> bool {
    let fits = list.is(Kind::List, class as u16) && (index as u64) < list.raw(LEN);
    if fits {
        // SAFETY: kind, class and position were compared.
        unsafe {
            match class {
                Class::Bool => {
                    *data(list, index as usize + 1)
                        .cast::<u8>()
                        .add(index as usize) = u8::from(bits != 0)
                }
                Class::I64 | Class::F64 | Class::Ref | Class::Any => {
                    *data(list, index as usize + 1).add(index as usize) = bits
                }
            }
        }
    }
    fits
}

/// Fast append; false if kind or class do not fit or there is no room.
#[inline(always)]
pub(crate) fn push(list: Obj, class: Class, bits: u64) -> bool {
    let at = if list.is(Kind::List, class as u16) {
        list.raw(LEN)
    } else {
        return false;
    };
    if at >= u64::from(list.meta()) {
        return false;
    }
    // SAFETY: kind and class were compared, at < capacity.
    unsafe {
        match class {
            Class::Bool => {
                *data(list, at as usize + 1).cast::<u8>().add(at as usize) = u8::from(bits != 0)
            }
            Class::I64 | Class::F64 | Class::Ref | Class::Any => {
                *data(list, at as usize + 1).add(at as usize) = bits
            }
        }
    }
    list.set_raw(LEN, at + 1);
    true
}

/// The elements of an int list; none if it is another list.
pub(crate) fn ints(list: &Obj) -> Option<&[i64]> {
    words_of_class(list, Class::I64)
}

/// The elements of a float list; none if it is another list.
pub(crate) fn floats(list: &Obj) -> Option<&[f64]> {
    words_of_class(list, Class::F64)
}

/// The elements of a list of references or of words; none if it is another list.
pub(crate) fn words(list: &Obj) -> Option<&[Word]> {
    words_of_class(list, Class::Ref).or_else(|| words_of_class(list, Class::Any))
}

/// The elements of a list of this class as what they are in its buffer, 8 bytes each.
fn words_of_class<T>(list: &Obj, class: Class) -> Option<&[T]> {
    const { assert!(size_of::<T>() == 8) };
    if !list.is(Kind::List, class as u16) {
        return None;
    }
    let count = len(*list);
    if count == 0 {
        return Some(&[]);
    }
    // SAFETY: the callers name the type that a slot of this class has; `count` slots are written.
    Some(unsafe { std::slice::from_raw_parts(data(*list, count).cast::<T>(), count) })
}

/// Copies `count` elements of one class; the ranges may overlap.
fn copy_elements(from: Obj, at: usize, to: Obj, to_at: usize, count: usize) {
    debug_assert_eq!(from.aux(), to.aux());
    debug_assert!(at + count <= from.meta() as usize && to_at + count <= to.meta() as usize);
    if count == 0 {
        return;
    }
    let size = bytes_for(class_of(from), 1);
    // SAFETY: both buffers hold so many elements (asserted, and the callers see to it).
    unsafe {
        std::ptr::copy(
            data(from, at + count).cast::<u8>().add(at * size),
            data(to, to_at + count).cast::<u8>().add(to_at * size),
            count * size,
        );
    }
}

fn bytes_for(class: Class, capacity: usize) -> usize {
    if class == Class::Bool {
        capacity
    } else {
        capacity * 8
    }
}

/// Words of a buffer for so many elements, all words of its block used.
fn buffer_words(class: Class, capacity: usize) -> usize {
    let words = (1 + bytes_for(class, capacity).div_ceil(8)).max(2);
    super::size_class(words).map_or_else(|| large::spread(words), |(_, block_words)| block_words)
}

/// Elements that a buffer of so many words holds.
fn capacity_of(class: Class, words: usize) -> u32 {
    let elements = if class == Class::Bool {
        (words - 1) * 8
    } else {
        words - 1
    };
    u32::try_from(elements).expect("lengths are limited")
}

impl Heap {
    /// A new empty list with room for `capacity` elements.
    pub(crate) fn new_list(&mut self, class: Class, capacity: usize) -> Res<Obj> {
        let list = self.allocate(header(Kind::List, class as u16, 0), LIST_WORDS)?;
        list.set_raw(LEN, 0);
        list.set_raw(BUFFER, 0);
        if capacity > 0 {
            self.list_reserve(list, capacity)?;
        }
        Ok(list)
    }

    /// A list of these words, in the narrowest class that holds them all (`any` when empty).
    pub(crate) fn new_list_of(&mut self, words: &[Word]) -> Res<Obj> {
        let class = common_class(words);
        let list = self.new_list(class, words.len())?;
        for word in words {
            let bits = self.slot_bits(class, *word).expect("common_class fits all");
            self.list_push_bits(list, bits)?;
        }
        Ok(list)
    }

    /// Makes room for at least `capacity` elements.
    pub(crate) fn list_reserve(&mut self, list: Obj, capacity: usize) -> Res<()> {
        let old_capacity = list.meta() as usize;
        if capacity <= old_capacity {
            return Ok(());
        }
        if capacity > LEN_MAX {
            return Err(self.is_full());
        }
        let class = class_of(list);
        let words = buffer_words(class, capacity);
        let buffer = match buffer_of(list) {
            Some(old) => self.grow(old, buffer_words(class, old_capacity), words)?,
            None => self.allocate(header(Kind::Buffer, 0, 0), words)?,
        };
        list.set_raw(BUFFER, buffer.address());
        list.set_meta(capacity_of(class, words));
        Ok(())
    }

    /// Makes room for `count` more elements, and for some that may follow them.
    #[cold]
    fn list_make_room(&mut self, list: Obj, count: usize) -> Res<()> {
        let needed = len(list) + count;
        let capacity = list.meta() as usize;
        if needed <= capacity {
            return Ok(());
        }
        let grown = if capacity < DOUBLE_UP_TO {
            capacity * 2
        } else {
            capacity + capacity / 2
        };
        self.list_reserve(list, needed.max(grown).max(FIRST_CAPACITY))
    }

    /// Appends bits of the list's own class.
    pub(crate) fn list_push_bits(&mut self, list: Obj, bits: u64) -> Res<()> {
        let at = len(list);
        if at == list.meta() as usize {
            self.list_make_room(list, 1)?;
        }
        set_raw_slot(list, at, bits);
        list.set_raw(LEN, at as u64 + 1);
        Ok(())
    }

    /// Appends a value; the list takes the class it needs.
    pub(crate) fn list_push(&mut self, list: Obj, word: Word) -> Res<()> {
        let bits = self.list_bits(list, word)?;
        self.list_push_bits(list, bits)
    }

    /// The element at `index` as a word; the caller checked the position.
    pub(crate) fn list_word(&mut self, list: Obj, index: usize) -> Res<Word> {
        assert!(index < len(list), "list position {index} of {}", len(list));
        self.word_of_slot(class_of(list), raw_slot(list, index))
    }

    /// Position of `index` (negative from the end).
    pub(crate) fn list_position(list: Obj, index: i64) -> Option<usize> {
        let count = len(list) as i64;
        let position = if index < 0 {
            index.saturating_add(count)
        } else {
            index
        };
        (0..count).contains(&position).then_some(position as usize)
    }

    /// The element at `index` (negative from the end) as bits of `class`, whatever class the list has.
    pub(crate) fn list_get_checked(
        &mut self,
        list: Obj,
        class: Class,
        index: i64,
    ) -> Res<Result<u64, ElementError>> {
        let Some(position) = Heap::list_position(list, index) else {
            return Ok(Err(ElementError::OutOfBounds));
        };
        let word = self.list_word(list, position)?;
        Ok(self.slot_bits(class, word).ok_or(ElementError::Unlike))
    }

    /// Sets the element at a position that exists.
    pub(crate) fn list_set(&mut self, list: Obj, position: usize, word: Word) -> Res<()> {
        assert!(position < len(list));
        let bits = self.list_bits(list, word)?;
        set_raw_slot(list, position, bits);
        Ok(())
    }

    /// Inserts before `position` (at most the length).
    pub(crate) fn list_insert(&mut self, list: Obj, position: usize, word: Word) -> Res<()> {
        assert!(position <= len(list));
        let bits = self.list_bits(list, word)?;
        self.list_push_bits(list, bits)?;
        copy_elements(list, position, list, position + 1, len(list) - 1 - position);
        set_raw_slot(list, position, bits);
        Ok(())
    }

    /// Removes the element at a position that exists and gives it.
    pub(crate) fn list_remove(&mut self, list: Obj, position: usize) -> Res<Word> {
        let word = self.list_word(list, position)?;
        let count = len(list);
        copy_elements(list, position + 1, list, position, count - position - 1);
        list.set_raw(LEN, count as u64 - 1);
        Ok(word)
    }

    /// Removes all elements from `count` on.
    pub(crate) fn list_truncate(&mut self, list: Obj, count: usize) {
        if count < len(list) {
            list.set_raw(LEN, count as u64);
        }
    }

    /// A new list of the elements `from..to` with the class of `list`.
    pub(crate) fn list_slice(&mut self, list: Obj, from: usize, to: usize) -> Res<Obj> {
        let to = to.min(len(list));
        let new = self.new_list(class_of(list), to.saturating_sub(from))?;
        self.list_append_part(new, list, from, to)?;
        Ok(new)
    }

    /// Appends the elements `from..to` of a list of the same class, which may be the list itself.
    fn list_append_part(&mut self, list: Obj, other: Obj, from: usize, to: usize) -> Res<()> {
        if from < to {
            let (at, count) = (len(list), to - from);
            self.list_make_room(list, count)?;
            copy_elements(other, from, list, at, count);
            list.set_raw(LEN, (at + count) as u64);
        }
        Ok(())
    }

    /// Appends all elements of another list; the list takes the class it needs.
    pub(crate) fn list_extend(&mut self, list: Obj, other: Obj) -> Res<()> {
        let count = len(other);
        if class_of(list) == class_of(other) {
            return self.list_append_part(list, other, 0, count);
        }
        for index in 0..count {
            let word = self.list_word(other, index)?;
            self.list_push(list, word)?;
        }
        Ok(())
    }

    /// A new list of these bits of this class.
    pub(crate) fn new_list_of_bits(
        &mut self,
        class: Class,
        bits: impl ExactSizeIterator<Item = u64>,
    ) -> Res<Obj> {
        let count = bits.len();
        let list = self.new_list(class, count)?;
        for (index, bits) in bits.take(count).enumerate() {
            set_raw_slot(list, index, bits);
            list.set_raw(LEN, index as u64 + 1);
        }
        Ok(list)
    }

    /// A new list with the elements in the opposite order.
    pub(crate) fn list_reversed(&mut self, list: Obj) -> Res<Obj> {
        let bits = (0..len(list)).rev().map(|index| raw_slot(list, index));
        self.new_list_of_bits(class_of(list), bits)
    }

    /// All elements as words.
    pub(crate) fn list_words(&mut self, list: Obj) -> Res<Vec<Word>> {
        match words(&list) {
            Some(words) => Ok(words.to_vec()),
            None => (0..len(list))
                .map(|index| self.list_word(list, index))
                .collect(),
        }
    }

    /// A new list of the elements of both; one class if they agree, else `any`.
    pub(crate) fn list_concat(&mut self, first: Obj, second: Obj) -> Res<Obj> {
        let class = if class_of(first) == class_of(second) || len(second) == 0 {
            class_of(first)
        } else if len(first) == 0 {
            class_of(second)
        } else {
            Class::Any
        };
        let new = self.new_list(class, len(first) + len(second))?;
        for part in [first, second] {
            self.list_extend(new, part)?;
        }
        Ok(new)
    }

    /// Gives the list another class if all its elements fit; false (and nothing changed) if not.
    pub(crate) fn list_try_class(&mut self, list: Obj, class: Class) -> Res<bool> {
        if class_of(list) == class {
            return Ok(true);
        }
        let words = self.list_words(list)?;
        let Some(bits) = words
            .iter()
            .map(|word| self.slot_bits(class, *word))
            .collect::<Option<Vec<u64>>>()
        else {
            return Ok(false);
        };
        self.list_refill(list, class, &bits)?;
        Ok(true)
    }

    /// The bits of `word` in the list's class, after changing the class if it must be.
    fn list_bits(&mut self, list: Obj, word: Word) -> Res<u64> {
        let class = class_of(list);
        let keeps = match class {
            Class::I64 => matches!(word.view(), View::Int(_)),
            Class::F64 => matches!(word.view(), View::Float(_)),
            Class::Bool | Class::Ref | Class::Any => true,
        };
        if keeps && let Some(bits) = self.slot_bits(class, word) {
            return Ok(bits);
        }
        if len(list) == 0 {
            let wanted = common_class(&[word]);
            self.list_refill(list, wanted, &[])?;
        } else {
            let words = self.list_words(list)?;
            let bits: Vec<u64> = words.iter().map(|word| word.bits()).collect();
            self.list_refill(list, Class::Any, &bits)?;
        }
        Ok(self
            .slot_bits(class_of(list), word)
            .expect("the class was chosen for it"))
    }

    /// Replaces class and elements.
    fn list_refill(&mut self, list: Obj, class: Class, bits: &[u64]) -> Res<()> {
        let old = buffer_of(list);
        let old_words = buffer_words(class_of(list), list.meta() as usize);
        let words = buffer_words(class, bits.len());
        let (buffer, capacity) = if bits.is_empty() {
            (None, 0)
        } else {
            let buffer = self.allocate(header(Kind::Buffer, 0, 0), words)?;
            (Some(buffer), capacity_of(class, words))
        };
        list.set_aux(class as u16);
        list.set_meta(capacity);
        list.set_raw(BUFFER, buffer.map_or(0, Obj::address));
        list.set_raw(LEN, bits.len() as u64);
        for (index, bits) in bits.iter().enumerate() {
            set_raw_slot(list, index, *bits);
        }
        if let Some(old) = old {
            self.release(old, old_words);
        }
        Ok(())
    }

    /// The word for the bits of a slot of `class`.
    pub(crate) fn word_of_slot(&mut self, class: Class, bits: u64) -> Res<Word> {
        match class {
            Class::I64 => self.int_word(bits as i64),
            Class::F64 => self.float_word(f64::from_bits(bits)),
            Class::Bool => Ok(Word::bool(bits != 0)),
            Class::Ref | Class::Any => Ok(Word::from_bits(bits)),
        }
    }

    /// The bits of a word in a slot of `class`, if it fits: ints widen to float, times count as i64, boxed scalars are
    /// no `ref`.
    pub(crate) fn slot_bits(&self, class: Class, word: Word) -> Option<u64> {
        match (class, word.view()) {
            (Class::I64, View::Int(n) | View::Time(n) | View::Duration(n)) => Some(n as u64),
            (Class::F64, View::Float(x)) => Some(x.to_bits()),
            (Class::F64, View::Int(n)) => Some((n as f64).to_bits()),
            (Class::Bool, View::Bool(b)) => Some(u64::from(b)),
            (
                Class::Ref,
                View::Int(_) | View::Float(_) | View::Bool(_) | View::Time(_) | View::Duration(_),
            ) => None,
            (Class::Ref | Class::Any, _) => Some(word.bits()),
            (Class::I64 | Class::F64 | Class::Bool, _) => None,
        }
    }
}

/// The narrowest class that keeps all words as they are.
fn common_class(words: &[Word]) -> Class {
    let class_of_word = |word: &Word| match word.view() {
        View::Int(_) => Class::I64,
        View::Float(_) => Class::F64,
        View::Bool(_) => Class::Bool,
        View::None | View::Time(_) | View::Duration(_) => Class::Any,
        View::Text(_)
        | View::List(_)
        | View::Map(_)
        | View::Closure(_)
        | View::Cell(_)
        | View::Entity(_)
        | View::Query(_)
        | View::Error(_)
        | View::Response(_)
        | View::Range(_)
        | View::Tuple(_)
        | View::Enum(_) => Class::Ref,
    };
    let mut classes = words.iter().map(class_of_word);
    let Some(first) = classes.next() else {
        return Class::Any;
    };
    if classes.all(|class| class == first) {
        first
    } else {
        Class::Any
    }
}
