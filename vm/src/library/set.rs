//! Lists as sets: unique, union, intersection, difference. Here because they share the question "was this one there?".
//! Must stay true: elements count as the same when `==` says so, also lists and maps by value; the order of first
//! appearance is kept.

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::heap::{Obj, list_class, list_len};
use crate::semantics::compare;
use crate::value::{View, Word};

/// Values seen so far: those that can be keys in a dictionary, the others in a list that is searched.
struct Seen {
    keys: Obj,
    others: Vec<Word>,
}

impl Seen {
    fn new(call: &mut LibCall<'_>) -> Res<Seen> {
        Ok(Seen {
            keys: call.m.heap.new_dict(0)?,
            others: Vec::new(),
        })
    }

    /// All elements of a list.
    fn of(call: &mut LibCall<'_>, list: Obj) -> Res<Seen> {
        let mut seen = Seen::new(call)?;
        for word in call.m.heap.list_words(list)? {
            seen.add(call, word)?;
        }
        Ok(seen)
    }

    fn has(&self, call: &mut LibCall<'_>, word: Word) -> Res<bool> {
        if is_key(word) {
            return Ok(call.m.heap.map_get(self.keys, word)?.is_some());
        }
        call.spend(self.others.len() / 4)?;
        for other in &self.others {
            if compare::equal(call.m, *other, word)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a value; false if it was there.
    fn add(&mut self, call: &mut LibCall<'_>, word: Word) -> Res<bool> {
        if self.has(call, word)? {
            return Ok(false);
        }
        if is_key(word) {
            call.m.heap.map_set(self.keys, word, Word::TRUE)?;
        } else {
            self.others.push(word);
        }
        Ok(true)
    }
}

/// Values that are the same key exactly when they are equal. (NaN equals nothing, so it is looked for and never found.)
fn is_key(word: Word) -> bool {
    match word.view() {
        View::Bool(_) | View::Int(_) | View::Time(_) | View::Duration(_) | View::Text(_) => true,
        View::Float(value) => !value.is_nan(),
        View::None
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
        | View::Enum(_) => false,
    }
}

/// The elements of the lists that pass, in the class of the first list.
fn filtered(
    call: &mut LibCall<'_>,
    lists: &[Obj],
    mut passes: impl FnMut(&mut LibCall<'_>, Word) -> Res<bool>,
) -> Res<Ret> {
    let new = call.m.heap.new_list(list_class(lists[0]), 0)?;
    for &list in lists {
        for at in 0..list_len(list) {
            let word = call.m.heap.list_word(list, at)?;
            if passes(call, word)? {
                call.m.heap.list_push(new, word)?;
            }
        }
    }
    Ok(Ret::Obj(new))
}

pub(super) fn unique(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let mut seen = Seen::new(call)?;
    filtered(call, &[list], |call, word| seen.add(call, word))
}

pub(super) fn union(call: &mut LibCall<'_>) -> Res<Ret> {
    let lists = [call.list(0)?, call.list(1)?];
    let mut seen = Seen::new(call)?;
    filtered(call, &lists, |call, word| seen.add(call, word))
}

pub(super) fn intersection(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, other) = (call.list(0)?, call.list(1)?);
    let (mut seen, other) = (Seen::new(call)?, Seen::of(call, other)?);
    filtered(call, &[list], |call, word| {
        Ok(other.has(call, word)? && seen.add(call, word)?)
    })
}

pub(super) fn difference(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, other) = (call.list(0)?, call.list(1)?);
    let (mut seen, other) = (Seen::new(call)?, Seen::of(call, other)?);
    filtered(call, &[list], |call, word| {
        Ok(!other.has(call, word)? && seen.add(call, word)?)
    })
}
