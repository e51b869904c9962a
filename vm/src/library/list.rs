//! Functions on lists. Here because the op table has only access and append. Must stay true: a new list has the element
//! class of the list it comes from, so typed code reads it in the same way.

use flin_bytecode::Class;

use super::text::{Bounds, clamped};
use super::{LibCall, Ret};
use crate::fault::{Fault, Res};
use crate::heap::{
    Heap, Kind, Obj, fast, list_class, list_floats, list_ints, list_len, list_refs, text_is_ascii,
};
use crate::semantics::arith::{self, overflow};
use crate::semantics::{compare, print};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// A new list of the elements at these positions, which exist.
fn picked(call: &mut LibCall<'_>, list: Obj, positions: impl Iterator<Item = usize>) -> Res<Ret> {
    let class = list_class(list);
    let new = call.m.heap.new_list(class, 0)?;
    for at in positions {
        let bits = fast::list_get(list, class, at as i64).expect("the position exists");
        call.m.heap.list_push_bits(new, bits)?;
    }
    Ok(Ret::Obj(new))
}

/// A new list of a part of a list.
fn part(call: &mut LibCall<'_>, list: Obj, from: usize, to: usize) -> Res<Ret> {
    call.m.heap.list_slice(list, from, to).map(Ret::Obj)
}

/// Position of the first element that equals the value.
pub(super) fn position(call: &mut LibCall<'_>, list: Obj, value: Word) -> Res<Option<usize>> {
    if let (Some(ints), View::Int(value)) = (list_ints(&list), value.view()) {
        return Ok(ints.iter().position(|int| *int == value));
    }
    for at in 0..list_len(list) {
        let element = call.m.heap.list_word(list, at)?;
        if compare::equal(call.m, element, value)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

pub(super) fn contains(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, value) = (call.list(0)?, call.any(1));
    Ok(Ret::Bool(position(call, list, value)?.is_some()))
}

pub(super) fn index_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, value) = (call.list(0)?, call.any(1));
    Ok(Ret::Int(
        position(call, list, value)?.map_or(-1, |at| at as i64),
    ))
}

pub(super) fn join(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, separator) = (call.list(0)?, call.text(1)?);
    if let Some(words) = list_refs(&list)
        && let Some(joined) = joined_texts(call, words, separator)
    {
        return joined;
    }
    let mut out = String::new();
    for at in 0..list_len(list) {
        if at > 0 {
            out.push_str(separator.text().unwrap_or_default());
        }
        match call.m.heap.list_word(list, at)?.view() {
            View::Text(text) => out.push_str(text.text().unwrap_or_default()),
            View::Int(value) => {
                use std::fmt::Write as _;
                let _ = write!(out, "{value}");
            }
            _ => {
                let word = call.m.heap.list_word(list, at)?;
                out.push_str(&print::to_string(call.m, word)?);
            }
        }
        call.fits(out.len())?;
    }
    call.text_result(&out)
}

/// The texts with a separator between them, written where they stay; none if not all of them are texts.
fn joined_texts(call: &mut LibCall<'_>, words: &[Word], separator: Obj) -> Option<Res<Ret>> {
    let mut len = (separator.meta() as usize).checked_mul(words.len().saturating_sub(1))?;
    let mut is_ascii = words.len() < 2 || text_is_ascii(separator);
    for word in words {
        let text = word.as_kind(Kind::Text)?;
        len = len.checked_add(text.meta() as usize)?;
        is_ascii &= text_is_ascii(text);
    }
    if let Err(fault) = call.fits(len) {
        return Some(Err(fault));
    }
    let between = separator.text().unwrap_or_default();
    let made = call.m.heap.fill_text(len, is_ascii, |filling| {
        for (at, text) in words.iter().filter_map(|word| word.as_obj()).enumerate() {
            if at > 0 {
                filling.push(between);
            }
            filling.push(text.text().unwrap_or_default());
        }
    });
    Some(made.map(Ret::Obj))
}

pub(super) fn slice_from(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let len = list_len(list);
    part(call, list, clamped(call.int(0), len), len)
}

pub(super) fn slice_between(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let len = list_len(list);
    part(
        call,
        list,
        clamped(call.int(0), len),
        clamped(call.int(1), len),
    )
}

/// `list[a:b:step]`
pub(super) fn slice_by_step(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, bounds) = (call.list(0)?, Bounds::of(call)?);
    picked(call, list, bounds.positions(list_len(list)))
}

pub(super) fn reverse(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    call.m.heap.list_reversed(list).map(Ret::Obj)
}

pub(super) fn is_empty(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(list_len(call.list(0)?) == 0))
}

/// The element at a position, none if there is none.
fn element(call: &mut LibCall<'_>, list: Obj, at: Option<usize>) -> Res<Ret> {
    match at {
        Some(at) if at < list_len(list) => call.m.heap.list_word(list, at).map(Ret::Any),
        Some(_) | None => Ok(Ret::Any(Word::none())),
    }
}

/// Removes the element at a position and gives it, none if there is none.
fn removed(call: &mut LibCall<'_>, list: Obj, at: Option<usize>) -> Res<Ret> {
    match at {
        Some(at) if at < list_len(list) => call.m.heap.list_remove(list, at).map(Ret::Any),
        Some(_) | None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn first(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    element(call, list, Some(0))
}

pub(super) fn last(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    element(call, list, list_len(list).checked_sub(1))
}

pub(super) fn pop(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    removed(call, list, list_len(list).checked_sub(1))
}

pub(super) fn shift(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    removed(call, list, Some(0))
}

pub(super) fn remove_at(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    removed(call, list, Heap::list_position(list, call.int(0)))
}

pub(super) fn unshift(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, value) = (call.list(0)?, call.any(1));
    call.m.heap.list_insert(list, 0, value)?;
    Ok(Ret::Obj(list))
}

pub(super) fn insert_at(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, at, value) = (call.list(0)?, call.int(0), call.any(1));
    let len = list_len(list) as i64;
    let position = if at < 0 { at.saturating_add(len) } else { at };
    if !(0..=len).contains(&position) {
        let message = format!("cannot insert at position {at} of a list with {len} elements");
        return Err(Fault::new(ErrorKind::IndexOutOfBounds, message));
    }
    call.m.heap.list_insert(list, position as usize, value)?;
    Ok(Ret::Obj(list))
}

pub(super) fn rest(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    part(call, list, 1, list_len(list))
}

pub(super) fn take(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    part(
        call,
        list,
        0,
        call.int(0).clamp(0, list_len(list) as i64) as usize,
    )
}

pub(super) fn skip(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let len = list_len(list);
    part(call, list, call.int(0).clamp(0, len as i64) as usize, len)
}

/// `__extend(list, other)`; the other list may be the same one.
pub(super) fn extend(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, other) = (call.list(0)?, call.list(1)?);
    call.m.heap.list_extend(list, other)?;
    Ok(Ret::None)
}

pub(super) fn clear(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    call.m.heap.list_truncate(list, 0);
    Ok(Ret::Obj(list))
}

pub(super) fn clone(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    part(call, list, 0, list_len(list))
}

pub(super) fn sum_int(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let mut sum = 0_i64;
    if let Some(ints) = list_ints(&list) {
        for value in ints {
            sum = sum
                .checked_add(*value)
                .ok_or_else(|| overflow(sum, "+", *value))?;
        }
        return Ok(Ret::Int(sum));
    }
    for at in 0..list_len(list) {
        let word = call.m.heap.list_word(list, at)?;
        match word.view() {
            View::Int(value) => {
                sum = sum
                    .checked_add(value)
                    .ok_or_else(|| overflow(sum, "+", value))?
            }
            _ => return Err(call.wrong_element(0, "int", word)),
        }
    }
    Ok(Ret::Int(sum))
}

/// The elements as floats.
fn floats(call: &mut LibCall<'_>, list: Obj) -> Res<Vec<f64>> {
    if let Some(floats) = list_floats(&list) {
        return Ok(floats.to_vec());
    }
    let mut values = Vec::with_capacity(list_len(list));
    for at in 0..list_len(list) {
        let word = call.m.heap.list_word(list, at)?;
        values.push(match word.view() {
            View::Int(value) => value as f64,
            View::Float(value) => value,
            _ => return Err(call.wrong_element(0, "a number", word)),
        });
    }
    Ok(values)
}

pub(super) fn sum_float(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    Ok(Ret::Float(
        floats(call, list)?
            .iter()
            .fold(0.0, |sum, value| sum + value),
    ))
}

pub(super) fn sum_any(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let mut sum: Option<Word> = None;
    for at in 0..list_len(list) {
        let word = call.m.heap.list_word(list, at)?;
        if !matches!(
            word.view(),
            View::Int(_) | View::Float(_) | View::Duration(_)
        ) {
            return Err(call.wrong_element(0, "a number", word));
        }
        sum = Some(match sum {
            None => word,
            Some(sum) => arith::add(call.m, sum, word)?,
        });
    }
    match sum {
        Some(sum) => Ok(Ret::Any(sum)),
        None => call.m.heap.int_word(0).map(Ret::Any),
    }
}

pub(super) fn avg(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let values = floats(call, list)?;
    if values.is_empty() {
        return Ok(Ret::Any(Word::none()));
    }
    let mean = values.iter().fold(0.0, |sum, value| sum + value) / values.len() as f64;
    call.m.heap.float_word(mean).map(Ret::Any)
}

pub(super) fn zip(call: &mut LibCall<'_>) -> Res<Ret> {
    let (first, second) = (call.list(0)?, call.list(1)?);
    let count = list_len(first).min(list_len(second));
    let pairs = call.m.heap.new_list(Class::Ref, count)?;
    for at in 0..count {
        let pair = [
            call.m.heap.list_word(first, at)?,
            call.m.heap.list_word(second, at)?,
        ];
        let pair = call.m.heap.new_tuple(&pair)?;
        call.m
            .heap
            .list_push_bits(pairs, Word::object(pair).bits())?;
    }
    Ok(Ret::Obj(pairs))
}

pub(super) fn chunk(call: &mut LibCall<'_>) -> Res<Ret> {
    let (list, size) = (call.list(0)?, call.int(0));
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("pieces of {size} elements are not possible"),
        ));
    };
    let len = list_len(list);
    let pieces = call.m.heap.new_list(Class::Ref, 0)?;
    for from in (0..len).step_by(size) {
        let piece = call
            .m
            .heap
            .list_slice(list, from, from.saturating_add(size).min(len))?;
        call.m
            .heap
            .list_push_bits(pieces, Word::object(piece).bits())?;
    }
    Ok(Ret::Obj(pieces))
}
