//! Sorting, least and greatest. Here because order is the same for all of them: as `<`, but NaN after all numbers and
//! none after everything. Must stay true: sorting is stable and cannot go wrong on values without a total order.

use std::cmp::Ordering;

use flin_bytecode::Class;

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::heap::{Kind, Obj, fast, list_class, list_floats, list_ints, list_len, list_refs};
use crate::machine::Machine;
use crate::semantics::compare;
use crate::value::{View, Word};

/// Order for sorting: NaN after all numbers, none after everything.
fn order(m: &mut Machine, a: Word, b: Word) -> Res<Ordering> {
    match (a.is_none(), b.is_none()) {
        (false, false) => {}
        (a, b) => return Ok(a.cmp(&b)),
    }
    Ok(match compare::order(m, a, b)? {
        Some(order) => order,
        None => is_nan(a).cmp(&is_nan(b)),
    })
}

fn is_nan(word: Word) -> bool {
    matches!(word.view(), View::Float(value) if value.is_nan())
}

/// The texts of a list that holds nothing else, each with its place.
fn texts_of(list: Obj) -> Option<Vec<TextKey>> {
    let words = list_refs(&list)?.iter().enumerate();
    words
        .map(|(at, word)| {
            let text = word.as_kind(Kind::Text)?;
            let bytes = text.text()?.as_bytes();
            let mut first = [0; 8];
            let count = bytes.len().min(first.len());
            first[..count].copy_from_slice(&bytes[..count]);
            Some(TextKey {
                first: u64::from_be_bytes(first),
                len: text.meta(),
                text,
                at: at as u32,
            })
        })
        .collect()
}

/// A text to be sorted: most are told apart by their first eight bytes, as a number.
struct TextKey {
    first: u64,
    text: Obj,
    len: u32,
    at: u32,
}

impl TextKey {
    fn order(&self, other: &TextKey) -> Ordering {
        let is_short = self.len <= 8 && other.len <= 8;
        match self.first.cmp(&other.first) {
            Ordering::Equal if is_short => self.len.cmp(&other.len),
            Ordering::Equal => self.text.text().cmp(&other.text.text()),
            order => order,
        }
    }
}

/// Zeros of either sign are equal, NaNs as well: both keep their places among each other.
fn float_order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Positions of the elements in ascending order.
fn sorted_positions(call: &mut LibCall<'_>, list: Obj) -> Res<Vec<u32>> {
    let count = list_len(list) as u32;
    let rounds = count.checked_ilog2().unwrap_or(0) as usize + 1;
    if let Some(ints) = list_ints(&list) {
        call.spend(ints.len() / 16 * rounds)?;
        let mut keyed: Vec<(i64, u32)> = ints.iter().copied().zip(0..).collect();
        keyed.sort_unstable();
        return Ok(keyed.into_iter().map(|(_, at)| at).collect());
    }
    if let Some(floats) = list_floats(&list) {
        call.spend(floats.len() / 16 * rounds)?;
        let mut keyed: Vec<(f64, u32)> = floats.iter().copied().zip(0..).collect();
        keyed.sort_by(|a, b| float_order(a.0, b.0));
        return Ok(keyed.into_iter().map(|(_, at)| at).collect());
    }
    if let Some(mut texts) = texts_of(list) {
        call.spend(texts.len() / 8 * rounds)?;
        texts.sort_by(TextKey::order);
        return Ok(texts.into_iter().map(|key| key.at).collect());
    }
    let words = call.m.heap.list_words(list)?;
    sorted_words(call, &words)
}

/// Positions of the words in ascending order; a merge sort from the bottom up, whose comparisons may fail.
fn sorted_words(call: &mut LibCall<'_>, words: &[Word]) -> Res<Vec<u32>> {
    let count = words.len();
    let mut from: Vec<u32> = (0..count as u32).collect();
    let mut to = from.clone();
    let mut width = 1;
    while width < count {
        call.spend(count / 4)?;
        for start in (0..count).step_by(width * 2) {
            let (middle, end) = ((start + width).min(count), (start + width * 2).min(count));
            let (mut left, mut right) = (start, middle);
            for slot in &mut to[start..end] {
                let take_left = right >= end
                    || (left < middle
                        && order(
                            call.m,
                            words[from[left] as usize],
                            words[from[right] as usize],
                        )? != Ordering::Greater);
                let side = if take_left { &mut left } else { &mut right };
                *slot = from[*side];
                *side += 1;
            }
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    Ok(from)
}

pub(super) fn sort(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let class = list_class(list);
    let new = if let Some(ints) = list_ints(&list) {
        let mut values = ints.to_vec();
        values.sort_unstable();
        let bits = values.into_iter().map(|value| value as u64);
        call.m.heap.new_list_of_bits(class, bits)?
    } else if let Some(floats) = list_floats(&list) {
        let mut values = floats.to_vec();
        values.sort_by(|a, b| float_order(*a, *b));
        let bits = values.into_iter().map(f64::to_bits);
        call.m.heap.new_list_of_bits(class, bits)?
    } else {
        let positions = sorted_positions(call, list)?;
        let bits = positions
            .into_iter()
            .map(|at| fast::list_get(list, class, i64::from(at)).expect("the position exists"));
        call.m.heap.new_list_of_bits(class, bits)?
    };
    Ok(Ret::Obj(new))
}

pub(super) fn sort_order(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let positions = sorted_positions(call, list)?;
    let bits = positions.into_iter().map(u64::from);
    let new = call.m.heap.new_list_of_bits(Class::I64, bits)?;
    Ok(Ret::Obj(new))
}

/// The first element that no other one comes before in the wanted direction; NaN and none only if there is nothing else.
fn extreme(call: &mut LibCall<'_>, wanted: Ordering) -> Res<Ret> {
    let list = call.list(0)?;
    let mut best = Word::none();
    for at in 0..list_len(list) {
        let word = call.m.heap.list_word(list, at)?;
        let better = match (
            best.is_none() || is_nan(best),
            word.is_none() || is_nan(word),
        ) {
            (true, false) => true,
            (true, true) => best.is_none(),
            (false, true) => false,
            (false, false) => order(call.m, word, best)? == wanted,
        };
        if better {
            best = word;
        }
    }
    Ok(Ret::Any(best))
}

pub(super) fn smallest(call: &mut LibCall<'_>) -> Res<Ret> {
    extreme(call, Ordering::Less)
}

pub(super) fn greatest(call: &mut LibCall<'_>) -> Res<Ret> {
    extreme(call, Ordering::Greater)
}
