//! Whether a value holds, however deep, a list or map that is marked. Here because a collection keeps saved objects whose
//! lists somebody has: who changes such a list changes the record. Must stay true: it looks only into values of fields,
//! not through links to other records; each value is looked at once.

use std::collections::HashSet;

use flin_bytecode::Bank;

use super::collect::Marker;
use super::object::Obj;
use super::{Layouts, dict, list};
use crate::value::{View, Word};

/// Whether one of the words holds a list or map that is marked.
pub(super) fn holds_marked(marker: &Marker<'_>, words: impl Iterator<Item = Word>) -> bool {
    let mut work: Vec<Word> = words.collect();
    let mut seen: HashSet<u64> = HashSet::new();
    while let Some(word) = work.pop() {
        match word.view() {
            View::List(found) | View::Map(found) if marker.is_marked(found) => return true,
            view @ (View::List(_) | View::Map(_) | View::Tuple(_) | View::Enum(_))
                if seen.insert(word.bits()) =>
            {
                work.extend(inside(marker.layouts(), view));
            }
            _ => {}
        }
    }
    false
}

/// The references that a value holds.
fn inside(layouts: &Layouts, view: View) -> Vec<Word> {
    let words = |obj: Obj, get: fn(Obj, usize) -> Option<Word>| {
        let places = 0..obj.tuple_len();
        places.filter_map(|at| get(obj, at)).collect()
    };
    match view {
        View::List(list) if list::class_of(list).bank() == Bank::Reference => {
            let places = 0..list::len(list);
            places
                .map(|at| Word::from_bits(list::raw_slot(list, at)))
                .collect()
        }
        View::Map(map) if map.kind() == super::Kind::Record => {
            let slots = layouts.shape(map.meta()).reference_slots.iter();
            slots
                .map(|slot| Word::from_bits(map.raw(1 + *slot as usize)))
                .collect()
        }
        View::Map(map) => {
            let table = dict::table_of(map);
            let places = 0..dict::entries_used(table);
            places
                .filter_map(|at| dict::entry(table, at))
                .map(|(_, value)| value)
                .collect()
        }
        View::Tuple(tuple) => words(tuple, Obj::tuple_get),
        View::Enum(found) => words(found, Obj::enum_get),
        _ => Vec::new(),
    }
}
