//! Access to elements and fields when the fast compare failed: by position from the end, by name, across classes, or with
//! an error that says what was expected. Must stay true: what typed code reads here is of the class it asked for.

use flin_bytecode::{Class, ShapeId};

use crate::fault::{Fault, Res};
use crate::heap::{ElementError, Heap, Kind, Obj, list_class, list_len};
use crate::machine::Machine;
use crate::trap::ErrorKind;
use crate::value::{View, Word};

#[cold]
fn out_of_bounds(what: &str, index: i64, count: usize) -> Fault {
    let size = match count {
        0 => "is empty".to_owned(),
        1 => "has 1 element".to_owned(),
        count => format!("has {count} elements"),
    };
    Fault::new(
        ErrorKind::IndexOutOfBounds,
        format!("there is no position {index}: the {what} {size}"),
    )
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::I64 => "int",
        Class::F64 => "float",
        Class::Bool => "bool",
        Class::Ref => "a text, list, map or other object",
        Class::Any => "any",
    }
}

fn list_or_fault(obj: Obj) -> Res<Obj> {
    if obj.kind() == Kind::List {
        Ok(obj)
    } else {
        Err(Fault::expected("list", obj.view()))
    }
}

fn map_or_fault(obj: Obj) -> Res<Obj> {
    if matches!(obj.kind(), Kind::Record | Kind::Dict) {
        Ok(obj)
    } else {
        Err(Fault::expected("map", obj.view()))
    }
}

/// Appends when there is no room, or when the list has another class.
#[cold]
#[inline(never)]
pub(crate) fn list_push(m: &mut Machine, list: Obj, class: Class, bits: u64) -> Res<()> {
    let list = list_or_fault(list)?;
    if list_class(list) == class {
        return m.heap.list_push_bits(list, bits);
    }
    let word = m.heap.word_of_slot(class, bits)?;
    m.heap.list_push(list, word)
}

/// Reads with a negative position, from a list of another class, or raises.
#[cold]
#[inline(never)]
pub(crate) fn list_get(m: &mut Machine, list: Obj, class: Class, index: i64) -> Res<u64> {
    let list = list_or_fault(list)?;
    match m.heap.list_get_checked(list, class, index)? {
        Ok(bits) => Ok(bits),
        Err(ElementError::OutOfBounds) => Err(out_of_bounds("list", index, list_len(list))),
        Err(ElementError::Unlike) => {
            let position = Heap::list_position(list, index).unwrap_or_default();
            let word = m.heap.list_word(list, position)?;
            Err(Fault::expected(class_name(class), word.view()))
        }
    }
}

/// Writes with a negative position, to a list of another class, or raises.
#[cold]
#[inline(never)]
pub(crate) fn list_set(m: &mut Machine, list: Obj, class: Class, index: i64, bits: u64) -> Res<()> {
    let list = list_or_fault(list)?;
    let Some(position) = Heap::list_position(list, index) else {
        return Err(out_of_bounds("list", index, list_len(list)));
    };
    let word = m.heap.word_of_slot(class, bits)?;
    m.heap.list_set(list, position, word)
}

/// Reads a field by name from a map of another shape.
#[cold]
#[inline(never)]
pub(crate) fn record_get(
    m: &mut Machine,
    map: Obj,
    shape: ShapeId,
    slot: u8,
    class: Class,
) -> Res<u64> {
    let map = map_or_fault(map)?;
    let name = m.heap.layouts().shape(shape.0).names[slot as usize];
    let word = m
        .heap
        .map_get(map, Word::object(name))?
        .unwrap_or_else(Word::none);
    match m.heap.slot_bits(class, word) {
        Some(bits) => Ok(bits),
        None => Err(Fault::type_error(format!(
            "{} should be {}, but it is {}",
            name.text().unwrap_or_default(),
            class_name(class),
            word.view().type_name()
        ))),
    }
}

/// Writes a field by name to a map of another shape.
#[cold]
#[inline(never)]
pub(crate) fn record_set(
    m: &mut Machine,
    map: Obj,
    shape: ShapeId,
    slot: u8,
    class: Class,
    bits: u64,
) -> Res<()> {
    let map = map_or_fault(map)?;
    let name = m.heap.layouts().shape(shape.0).names[slot as usize];
    let word = m.heap.word_of_slot(class, bits)?;
    m.heap.map_set(map, Word::object(name), word)
}

/// `text[index]`
#[cold]
#[inline(never)]
pub(crate) fn text_index(m: &mut Machine, text: Obj, index: i64) -> Res<Obj> {
    match m.heap.text_at(text, index)? {
        Some(piece) => Ok(piece),
        None => {
            let count = m.heap.text_len(text);
            let size = match count {
                0 => "is empty".to_owned(),
                1 => "has 1 character".to_owned(),
                _ => format!("has {count} characters"),
            };
            Err(Fault::new(
                ErrorKind::IndexOutOfBounds,
                format!("there is no position {index}: the text {size}"),
            ))
        }
    }
}

/// `base[key]` by what `base` is.
pub(crate) fn index_get(m: &mut Machine, base: Word, key: Word) -> Res<Word> {
    match (base.view(), key.view()) {
        (View::List(list), View::Int(index)) => match Heap::list_position(list, index) {
            Some(position) => m.heap.list_word(list, position),
            None => Err(out_of_bounds("list", index, list_len(list))),
        },
        (View::Map(map), _) => Ok(m.heap.map_get(map, key)?.unwrap_or_else(Word::none)),
        (View::Text(text), View::Int(index)) => text_index(m, text, index).map(Word::object),
        (View::Tuple(tuple), View::Int(index)) => {
            let count = tuple.tuple_len();
            let position = if index < 0 {
                index + count as i64
            } else {
                index
            };
            usize::try_from(position)
                .ok()
                .and_then(|position| tuple.tuple_get(position))
                .ok_or_else(|| out_of_bounds("tuple", index, count))
        }
        (View::List(_) | View::Text(_) | View::Tuple(_), found) => {
            Err(Fault::expected("an int as position", found))
        }
        (found, _) => Err(Fault::type_error(format!(
            "{} has no elements to be read with [ ]",
            found.type_name()
        ))),
    }
}

/// `base[key] = value` by what `base` is.
pub(crate) fn index_set(m: &mut Machine, base: Word, key: Word, value: Word) -> Res<()> {
    match (base.view(), key.view()) {
        (View::List(list), View::Int(index)) => match Heap::list_position(list, index) {
            Some(position) => m.heap.list_set(list, position, value),
            None => Err(out_of_bounds("list", index, list_len(list))),
        },
        (View::Map(map), _) => m.heap.map_set(map, key, value),
        (View::List(_), found) => Err(Fault::expected("an int as position", found)),
        (found, _) => Err(Fault::type_error(format!(
            "elements of {} cannot be set",
            found.type_name()
        ))),
    }
}
