//! Whether a value holds, however deep, a list or map that is marked, and whether it is what it was. Here because a
//! collection keeps saved objects whose lists somebody has, or changed: who changes such a list changes the record. Must stay true: it looks only into values of fields,
//! not through links to other records; each value is looked at once.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

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

/// A number that values have in common with what they were, unless a list or map in them was changed (or, once in 2^64
/// times, although it was).
pub(super) fn fingerprint(layouts: &Layouts, words: impl Iterator<Item = Word>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut work: Vec<Word> = words.collect();
    let mut seen: HashSet<u64> = HashSet::new();
    while let Some(word) = work.pop() {
        let view = word.view();
        // Values of two kinds may have the same bits.
        std::mem::discriminant(&view).hash(&mut hasher);
        match view {
            View::Text(text) => text.text().hash(&mut hasher),
            View::List(found) if list::class_of(found).bank() == Bank::Scalar => {
                (list::class_of(found) as u8).hash(&mut hasher);
                for at in 0..list::len(found) {
                    list::raw_slot(found, at).hash(&mut hasher);
                }
                list::len(found).hash(&mut hasher);
            }
            View::List(_) | View::Map(_) | View::Tuple(_) | View::Enum(_) => {
                let inside = inside(layouts, view);
                inside.len().hash(&mut hasher);
                if let View::Map(map) = view {
                    scalars_of(layouts, map, &mut hasher);
                }
                if seen.insert(word.bits()) {
                    work.extend(inside);
                }
            }
            View::Int(number) | View::Time(number) | View::Duration(number) => {
                number.hash(&mut hasher);
            }
            View::Float(number) => number.to_bits().hash(&mut hasher),
            View::Entity(link) if link.entity_id() > 0 => {
                (link.meta(), link.entity_id()).hash(&mut hasher);
            }
            _ => word.bits().hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The parts of a map that are no references: slots of a record, keys.
fn scalars_of(layouts: &Layouts, map: Obj, hasher: &mut DefaultHasher) {
    map.meta().hash(hasher);
    if map.kind() == super::Kind::Record {
        for (slot, class) in layouts.shape(map.meta()).classes.iter().enumerate() {
            if class.bank() == Bank::Scalar {
                map.raw(1 + slot).hash(hasher);
            }
        }
        return;
    }
    let table = dict::table_of(map);
    for (key, _) in (0..dict::entries_used(table)).filter_map(|at| dict::entry(table, at)) {
        let view = key.view();
        std::mem::discriminant(&view).hash(hasher);
        match view {
            View::Text(text) => text.text().hash(hasher),
            _ => key.bits().hash(hasher),
        }
    }
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
