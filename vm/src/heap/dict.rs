//! Dictionaries: insertion-ordered entries (hash, key, value) and, from nine entries on, an open-addressing index over
//! them, all in one table object. Keys are compared as `==` does for scalars; objects with identity are keys by identity.
//! Must stay true: a removed entry keeps its place with key 0 until the table is rebuilt, so positions of a walk stay
//! good; the index never fills beyond two thirds.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use super::Heap;
use super::object::{Kind, Obj, header};
use super::text;
use crate::fault::{Fault, Res};
use crate::value::{View, Word};

const USED: usize = 1;
const LIVE: usize = 2;
const CAPACITY: usize = 3;
/// Number of index places, a power of two; 0 for small tables, which are searched one by one.
const PLACES: usize = 4;
const ENTRIES: usize = 5;
const ENTRY_WORDS: usize = 3;
const UNINDEXED_MAX: usize = 8;

/// A number that differs from process to process, so that nobody can prepare colliding keys.
pub(super) fn process_seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().hash_one(0x00F1_1A5E_ED00_u64))
}

/// The table of a dictionary.
#[inline(always)]
pub(super) fn table_of(dict: Obj) -> Obj {
    debug_assert_eq!(dict.kind(), Kind::Dict);
    Word::from_bits(dict.raw(1))
        .as_obj()
        .expect("a dictionary has a table")
}

/// Entries in use, removed ones included.
pub(super) fn entries_used(table: Obj) -> usize {
    table.raw(USED) as usize
}

/// Entries that are there.
pub(super) fn entries_live(table: Obj) -> usize {
    table.raw(LIVE) as usize
}

/// An entry, unless removed.
pub(super) fn entry(table: Obj, index: usize) -> Option<(Word, Word)> {
    let at = ENTRIES + index * ENTRY_WORDS;
    let key = table.raw(at + 1);
    (key != 0).then(|| (Word::from_bits(key), Word::from_bits(table.raw(at + 2))))
}

fn entry_hash(table: Obj, index: usize) -> u64 {
    table.raw(ENTRIES + index * ENTRY_WORDS)
}

pub(super) fn set_entry_value(table: Obj, index: usize, value: Word) {
    table.set_raw(ENTRIES + index * ENTRY_WORDS + 2, value.bits());
}

fn places_for(capacity: usize) -> usize {
    if capacity <= UNINDEXED_MAX {
        0
    } else {
        (capacity * 3 / 2).next_power_of_two()
    }
}

fn table_words(capacity: usize, places: usize) -> usize {
    ENTRIES + capacity * ENTRY_WORDS + places.div_ceil(2)
}

/// Index place `place` of the places from word `first` on: entry number + 1, 0 if empty.
#[inline(always)]
fn place(table: Obj, first: usize, place: usize) -> usize {
    (table.raw(first + place / 2) >> (place % 2 * 32)) as u32 as usize
}

fn set_place(table: Obj, first: usize, place: usize, number: usize) {
    let at = first + place / 2;
    let shift = place % 2 * 32;
    let kept = table.raw(at) & !(0xffff_ffff << shift);
    table.set_raw(at, kept | (number as u64) << shift);
}

/// Whether two words, whose hashes are equal, are the same key.
#[inline]
fn same_key(a: Word, b: Word) -> bool {
    if a == b {
        return true;
    }
    match (a.as_kind(Kind::Text), b.as_kind(Kind::Text)) {
        (Some(a), Some(b)) => text::equal(a, b),
        _ => same_other_key(a, b),
    }
}

fn same_other_key(a: Word, b: Word) -> bool {
    match (a.view(), b.view()) {
        (View::Text(a), View::Text(b)) => text::equal(a, b),
        (View::Int(a), View::Int(b)) => a == b,
        (View::Float(a), View::Float(b)) => a == b,
        (View::Int(a), View::Float(b)) | (View::Float(b), View::Int(a)) => integral(b) == Some(a),
        (View::Time(a), View::Time(b)) | (View::Duration(a), View::Duration(b)) => a == b,
        (View::Enum(a), View::Enum(b)) => a.raw(1) == b.raw(1) && a.meta() == 0 && b.meta() == 0,
        _ => false,
    }
}

/// The int that a float is exactly.
fn integral(value: f64) -> Option<i64> {
    let int = value as i64;
    (int as f64 == value && int != i64::MAX).then_some(int)
}

fn mix(value: u64, seed: u64) -> u64 {
    let wide = u128::from(value ^ seed) * u128::from(0x9E37_79B9_7F4A_7C15_u64 | (seed << 1));
    (wide as u64) ^ (wide >> 64) as u64
}

impl Heap {
    /// The hash of a text, whatever form it has.
    #[inline]
    fn hash_text(&self, text: Obj) -> u64 {
        match text::short(text) {
            Some((first, second)) => mix(
                mix(first, self.seed) ^ second,
                self.seed ^ u64::from(text.meta()),
            ),
            None => {
                foldhash::fast::FixedState::with_seed(self.seed).hash_one(text::as_bytes(&text))
            }
        }
    }

    /// The hash of a key; `TypeError` for values that cannot be keys.
    #[inline]
    fn hash_key(&self, key: Word) -> Res<u64> {
        if let Some(int) = key.as_inline_int() {
            return Ok(mix(int as u64, self.seed));
        }
        match key.as_kind(Kind::Text) {
            Some(text) => Ok(self.hash_text(text)),
            None => self.hash_other_key(key),
        }
    }

    #[inline(never)]
    fn hash_other_key(&self, key: Word) -> Res<u64> {
        let seed = self.seed;
        Ok(match key.view() {
            View::Text(text) => self.hash_text(text),
            View::Int(n) => mix(n as u64, seed),
            View::Float(x) => match integral(x) {
                Some(n) => mix(n as u64, seed),
                None => mix(x.to_bits(), seed ^ 1),
            },
            View::Bool(b) => mix(u64::from(b), seed ^ 2),
            View::None => mix(0, seed ^ 3),
            View::Time(n) => mix(n as u64, seed ^ 4),
            View::Duration(n) => mix(n as u64, seed ^ 5),
            View::Entity(obj) => mix(obj.address(), seed ^ 6),
            View::Enum(obj) if obj.meta() == 0 => mix(obj.raw(1), seed ^ 7),
            found @ (View::List(_)
            | View::Map(_)
            | View::Closure(_)
            | View::Cell(_)
            | View::Query(_)
            | View::Error(_)
            | View::Response(_)
            | View::Range(_)
            | View::Tuple(_)
            | View::Enum(_)) => {
                return Err(Fault::type_error(format!(
                    "a {} cannot be the key of a map",
                    found.type_name()
                )));
            }
        })
    }

    fn new_table(&mut self, capacity: usize) -> Res<Obj> {
        let places = places_for(capacity);
        let table = self.allocate(header(Kind::Table, 0, 0), table_words(capacity, places))?;
        table.set_raw(USED, 0);
        table.set_raw(LIVE, 0);
        table.set_raw(CAPACITY, capacity as u64);
        table.set_raw(PLACES, places as u64);
        for at in table_words(capacity, 0)..table_words(capacity, places) {
            table.set_raw(at, 0);
        }
        Ok(table)
    }

    /// A new empty dictionary with room for `capacity` entries.
    pub(crate) fn new_dict(&mut self, capacity: usize) -> Res<Obj> {
        let dict = self.allocate(header(Kind::Dict, 0, 0), 2)?;
        let table = match self.new_table(capacity.clamp(2, 1 << 28)) {
            Ok(table) => table,
            Err(fault) => {
                self.release(dict, 2);
                return Err(fault);
            }
        };
        dict.set_raw(1, table.address());
        Ok(dict)
    }

    /// The entry number of a key.
    pub(super) fn dict_find(&self, dict: Obj, key: Word) -> Res<Option<usize>> {
        let hash = self.hash_key(key)?;
        Ok(find(table_of(dict), hash, key))
    }

    /// Sets or adds.
    pub(super) fn dict_set(&mut self, dict: Obj, key: Word, value: Word) -> Res<()> {
        let hash = self.hash_key(key)?;
        let mut table = table_of(dict);
        if let Some(index) = find(table, hash, key) {
            set_entry_value(table, index, value);
            return Ok(());
        }
        if entries_used(table) == table.raw(CAPACITY) as usize {
            table = self.rebuild(dict, entries_live(table) * 2 + 2)?;
        }
        append(table, hash, key, value);
        Ok(())
    }

    /// Removes; gives the value that was there.
    pub(super) fn dict_remove(&mut self, dict: Obj, key: Word) -> Res<Option<Word>> {
        let hash = self.hash_key(key)?;
        let table = table_of(dict);
        let Some(index) = find(table, hash, key) else {
            return Ok(None);
        };
        let value = entry(table, index).map(|(_, value)| value);
        let at = ENTRIES + index * ENTRY_WORDS;
        table.set_raw(at + 1, 0);
        table.set_raw(at + 2, Word::none().bits());
        table.set_raw(LIVE, table.raw(LIVE) - 1);
        Ok(value)
    }

    /// A new table with the live entries and this capacity.
    fn rebuild(&mut self, dict: Obj, capacity: usize) -> Res<Obj> {
        let old = table_of(dict);
        let new = self.new_table(capacity)?;
        for index in 0..entries_used(old) {
            if let Some((key, value)) = entry(old, index) {
                append(new, entry_hash(old, index), key, value);
            }
        }
        dict.set_raw(1, new.address());
        let words = table_words(old.raw(CAPACITY) as usize, old.raw(PLACES) as usize);
        self.release(old, words);
        Ok(new)
    }

    /// Turns a record (already read out) into a dictionary in place.
    pub(super) fn become_dict(&mut self, record: Obj, entries: &[(Word, Word)]) -> Res<()> {
        let table = self.new_table(entries.len() * 2 + 2)?;
        for (key, value) in entries {
            append(table, self.hash_key(*key)?, *key, *value);
        }
        let mark = record.header() & 0xff00;
        record.set_header(header(Kind::Dict, 0, 0) | mark);
        record.set_raw(1, table.address());
        Ok(())
    }

    /// The entry at a position in insertion order.
    pub(super) fn dict_at(&mut self, dict: Obj, index: usize) -> Res<Option<(Word, Word)>> {
        let mut table = table_of(dict);
        let live = entries_live(table);
        if index >= live {
            return Ok(None);
        }
        if live != entries_used(table) {
            table = self.rebuild(dict, live + live / 2 + 2)?;
        }
        Ok(entry(table, index))
    }

    /// Removes all entries.
    pub(super) fn dict_clear(&mut self, dict: Obj) -> Res<()> {
        let old = table_of(dict);
        let new = self.new_table(2)?;
        dict.set_raw(1, new.address());
        let words = table_words(old.raw(CAPACITY) as usize, old.raw(PLACES) as usize);
        self.release(old, words);
        Ok(())
    }
}

/// Whether an entry has this key.
#[inline(always)]
fn matches(table: Obj, index: usize, hash: u64, key: Word) -> bool {
    entry_hash(table, index) == hash
        && entry(table, index).is_some_and(|(found, _)| same_key(found, key))
}

fn find(table: Obj, hash: u64, key: Word) -> Option<usize> {
    let places = table.raw(PLACES) as usize;
    if places == 0 {
        return (0..entries_used(table)).find(|index| matches(table, *index, hash, key));
    }
    let first = ENTRIES + table.raw(CAPACITY) as usize * ENTRY_WORDS;
    let mut at = hash as usize & (places - 1);
    loop {
        match place(table, first, at) {
            0 => return None,
            number if matches(table, number - 1, hash, key) => return Some(number - 1),
            _ => at = (at + 1) & (places - 1),
        }
    }
}

/// Adds an entry whose key is not there; there is room.
fn append(table: Obj, hash: u64, key: Word, value: Word) {
    let index = entries_used(table);
    debug_assert!(index < table.raw(CAPACITY) as usize);
    let at = ENTRIES + index * ENTRY_WORDS;
    table.set_raw(at, hash);
    table.set_raw(at + 1, key.bits());
    table.set_raw(at + 2, value.bits());
    table.set_raw(USED, index as u64 + 1);
    table.set_raw(LIVE, table.raw(LIVE) + 1);
    let places = table.raw(PLACES) as usize;
    if places > 0 {
        let first = ENTRIES + table.raw(CAPACITY) as usize * ENTRY_WORDS;
        let mut at = hash as usize & (places - 1);
        while place(table, first, at) != 0 {
            at = (at + 1) & (places - 1);
        }
        set_place(table, first, at, index + 1);
    }
}
