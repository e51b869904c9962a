//! Sorting, least and greatest. Here because order is the same for all of them: as `<`, but NaN after all numbers and
//! none after everything. Must stay true: sorting is stable and cannot go wrong on values without a total order.

use std::cmp::Ordering;

use flin_bytecode::Class;

use super::{LibCall, Ret};
use crate::fault::Res;
use crate::heap::{fast, list_class, list_len};
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

/// Positions of the words in ascending order; a merge sort from the bottom up, whose comparisons may fail.
fn sorted_positions(call: &mut LibCall<'_>, words: &[Word]) -> Res<Vec<u32>> {
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
    let bits: Vec<u64> = (0..list_len(list))
        .map(|at| fast::list_get(list, class, at as i64).expect("the position exists"))
        .collect();
    let sorted = match class {
        Class::I64 => {
            let mut values: Vec<i64> = bits.iter().map(|bits| *bits as i64).collect();
            values.sort_unstable();
            values.into_iter().map(|value| value as u64).collect()
        }
        Class::F64 => {
            let mut values: Vec<f64> = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
            // Zeros of either sign are equal, NaNs as well: both keep their places among each other.
            values.sort_by(|a, b| {
                a.partial_cmp(b)
                    .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            });
            values.into_iter().map(f64::to_bits).collect()
        }
        Class::Bool | Class::Ref | Class::Any => {
            let words = call.m.heap.list_words(list)?;
            let positions = sorted_positions(call, &words)?;
            positions
                .into_iter()
                .map(|at| bits[at as usize])
                .collect::<Vec<u64>>()
        }
    };
    let new = call.m.heap.new_list(class, sorted.len())?;
    for bits in sorted {
        call.m.heap.list_push_bits(new, bits)?;
    }
    Ok(Ret::Obj(new))
}

pub(super) fn sort_order(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let words = call.m.heap.list_words(list)?;
    let positions = sorted_positions(call, &words)?;
    let new = call.m.heap.new_list(Class::I64, positions.len())?;
    for at in positions {
        call.m.heap.list_push_bits(new, u64::from(at))?;
    }
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
