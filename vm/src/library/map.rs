//! Functions on maps, records and dictionaries alike. Here because the op table has only access by key. Must stay true:
//! insertion order is kept; programs get keys as they put them in.

use flin_bytecode::Class;

use super::{LibCall, Ret};
use crate::fault::{Fault, Res};
use crate::heap::{Obj, list_len};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

pub(super) fn has_key(call: &mut LibCall<'_>) -> Res<Ret> {
    let (map, key) = (call.map(0)?, call.any(1));
    Ok(Ret::Bool(call.m.heap.map_get(map, key)?.is_some()))
}

pub(super) fn is_empty(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    Ok(Ret::Bool(call.m.heap.map_len(map) == 0))
}

pub(super) fn len(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    Ok(Ret::Int(call.m.heap.map_len(map) as i64))
}

/// The keys as they are; a list of texts also if there are none.
pub(super) fn keys(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    let keys: Vec<Word> = call
        .m
        .heap
        .map_entries(map)?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() {
        return call.m.heap.new_list(Class::Ref, 0).map(Ret::Obj);
    }
    call.m.heap.new_list_of(&keys).map(Ret::Obj)
}

pub(super) fn entries(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    let entries = call.m.heap.map_entries(map)?;
    let list = call.m.heap.new_list(Class::Ref, entries.len())?;
    for (key, value) in entries {
        let pair = call.m.heap.new_tuple(&[key, value])?;
        call.m
            .heap
            .list_push_bits(list, Word::object(pair).bits())?;
    }
    Ok(Ret::Obj(list))
}

fn entry(call: &mut LibCall<'_>) -> Res<(Word, Word)> {
    let (map, at) = (call.map(0)?, call.int(0));
    let found = match usize::try_from(at) {
        Ok(at) => call.m.heap.map_at(map, at)?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let len = call.m.heap.map_len(map);
        Fault::new(
            ErrorKind::IndexOutOfBounds,
            format!("entry {at} of a map with {len} entries"),
        )
    })
}

pub(super) fn key_at(call: &mut LibCall<'_>) -> Res<Ret> {
    entry(call).map(|(key, _)| Ret::Any(key))
}

pub(super) fn value_at(call: &mut LibCall<'_>) -> Res<Ret> {
    entry(call).map(|(_, value)| Ret::Any(value))
}

pub(super) fn delete_key(call: &mut LibCall<'_>) -> Res<Ret> {
    let (map, key) = (call.map(0)?, call.any(1));
    Ok(Ret::Any(
        call.m.heap.map_remove(map, key)?.unwrap_or_else(Word::none),
    ))
}

/// A dictionary of these keys of a list, to ask whether a key is among them.
fn key_set(call: &mut LibCall<'_>, list: Obj) -> Res<Obj> {
    let set = call.m.heap.new_dict(list_len(list))?;
    for key in call.m.heap.list_words(list)? {
        call.m.heap.map_set(set, key, Word::TRUE)?;
    }
    Ok(set)
}

fn selected(call: &mut LibCall<'_>, keep_listed: bool) -> Res<Ret> {
    let (map, list) = (call.map(0)?, call.list(1)?);
    let listed = key_set(call, list)?;
    let new = call.m.heap.new_dict(0)?;
    for (key, value) in call.m.heap.map_entries(map)? {
        if call.m.heap.map_get(listed, key)?.is_some() == keep_listed {
            call.m.heap.map_set(new, key, value)?;
        }
    }
    Ok(Ret::Obj(new))
}

pub(super) fn pick(call: &mut LibCall<'_>) -> Res<Ret> {
    selected(call, true)
}

pub(super) fn omit(call: &mut LibCall<'_>) -> Res<Ret> {
    selected(call, false)
}

pub(super) fn merge(call: &mut LibCall<'_>) -> Res<Ret> {
    let (first, second) = (call.map(0)?, call.map(1)?);
    let new = call.m.heap.map_clone(first)?;
    for (key, value) in call.m.heap.map_entries(second)? {
        call.m.heap.map_set(new, key, value)?;
    }
    Ok(Ret::Obj(new))
}

pub(super) fn clear(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    call.m.heap.map_clear(map)?;
    Ok(Ret::Obj(map))
}

pub(super) fn clone(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    call.m.heap.map_clone(map).map(Ret::Obj)
}

/// Key and value of a tuple or a list of two.
fn pair(call: &mut LibCall<'_>, word: Word) -> Res<(Word, Word)> {
    match word.view() {
        View::Tuple(tuple) => {
            if let (2, Some(key), Some(value)) =
                (tuple.tuple_len(), tuple.tuple_get(0), tuple.tuple_get(1))
            {
                return Ok((key, value));
            }
        }
        View::List(list) if list_len(list) == 2 => {
            return Ok((
                call.m.heap.list_word(list, 0)?,
                call.m.heap.list_word(list, 1)?,
            ));
        }
        _ => {}
    }
    Err(call.wrong_element(0, "a pair of key and value", word))
}

pub(super) fn from_entries(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let map = call.m.heap.new_dict(list_len(list))?;
    for word in call.m.heap.list_words(list)? {
        let (key, value) = pair(call, word)?;
        call.m.heap.map_set(map, key, value)?;
    }
    Ok(Ret::Obj(map))
}
