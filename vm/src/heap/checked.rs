//! The `checked` build's book of live objects: every address with its number of words, asserted at each access. Here
//! because the heap's own records say nothing of an address that was never an object, or is none any more. Must stay true:
//! without the feature nothing of this remains; with it, an access outside of a live object is a panic, never a read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::object::{NONE_OBJECT, Obj};
use super::text::CHARACTERS;

/// Whether this build asserts.
const CHECKED: bool = cfg!(feature = "checked");
/// Books, so that threads rarely wait for one another.
const BOOKS: usize = 64;

type Book = HashMap<u64, usize, foldhash::fast::FixedState>;

fn book(address: u64) -> MutexGuard<'static, Book> {
    static ALL: OnceLock<Vec<Mutex<Book>>> = OnceLock::new();
    let books = ALL.get_or_init(|| (0..BOOKS).map(|_| Mutex::default()).collect());
    // A panic of a check poisons nothing: the book is whole between two calls.
    books[(address >> 12) as usize % BOOKS]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// An object of `words` words is alive from now on.
#[inline(always)]
pub(super) fn born(obj: Obj, words: usize) {
    if CHECKED {
        let before = book(obj.address()).insert(obj.address(), words);
        assert!(
            before.is_none(),
            "an object is made where one is alive: {:#x}",
            obj.address()
        );
    }
}

/// Whatever was alive at this address is gone.
#[inline(always)]
pub(super) fn died(address: *const u64) {
    if CHECKED {
        book(address as u64).remove(&(address as u64));
    }
}

/// Asserts that word `index` lies in a live object.
#[inline(always)]
pub(super) fn word(obj: Obj, index: usize) {
    if CHECKED {
        bytes(obj.address(), (index + 1) * 8);
    }
}

/// Asserts that the first `end` bytes at an address belong to one live object.
#[inline(always)]
pub(super) fn bytes(address: u64, end: usize) {
    if CHECKED {
        let Some(words) = words_at(address) else {
            panic!("no object is alive at {address:#x}");
        };
        assert!(
            end <= words * 8,
            "byte {end} of an object of {words} words at {address:#x}"
        );
    }
}

/// Asserts that bits of a reference slot are a word: a tagged value, or the address of a live object.
pub(crate) fn word_bits(bits: u64, what: impl FnOnce() -> String) {
    if CHECKED {
        let is_word = match bits & 7 {
            0 => words_at(bits).is_some(),
            4 => bits == 4 || bits == 12,
            _ => true,
        };
        assert!(is_word, "{}: {bits:#x} is no word", what());
    }
}

fn words_at(address: u64) -> Option<usize> {
    if address == &raw const NONE_OBJECT as u64 {
        return Some(2);
    }
    if CHARACTERS
        .as_ptr_range()
        .contains(&(address as *const [u64; 2]))
    {
        return Some(2);
    }
    book(address).get(&address).copied()
}
