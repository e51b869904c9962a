//! Target `lists`: list functions and sorting against models. Must stay true: sorting is stable, NaN comes last.

use flin_testkit::rng::Rng;
use flin_vm::HostValue;

use super::texts::clamped;
use super::{call, compare, random_float, random_int, random_text};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

type Outcome = Result<HostValue, String>;

/// Some functions with random arguments.
pub(crate) fn trial(_: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    match rng.below(3) {
        0 => sorting(rng, tally),
        1 => positions(rng, tally),
        _ => sets(rng, tally),
    }
}

fn ints(values: impl IntoIterator<Item = i64>) -> HostValue {
    HostValue::List(values.into_iter().map(HostValue::Int).collect())
}

fn list(values: Vec<HostValue>) -> HostValue {
    HostValue::List(values)
}

fn sorting(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("sorted");
    let count = if rng.one_in(10) {
        rng.below(300)
    } else {
        rng.below(24)
    };
    match rng.below(4) {
        0 => {
            let values: Vec<i64> = (0..count).map(|_| random_int(rng)).collect();
            let mut sorted = values.clone();
            sorted.sort();
            let given = ints(values);
            compare(
                "ints_sort",
                &given,
                &call("ints_sort", std::slice::from_ref(&given)),
                &Ok(ints(sorted)),
            )
        }
        1 => {
            let values: Vec<f64> = (0..count).map(|_| random_float(rng)).collect();
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| {
                a.partial_cmp(b)
                    .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            });
            let as_list =
                |values: &[f64]| list(values.iter().map(|v| HostValue::Float(*v)).collect());
            let got = call("floats_sort", &[as_list(&values)]);
            // NaN equals nothing, and the sign of a zero counts, because sorting is stable.
            let (got, wanted) = (
                format!("{got:?}"),
                format!("{:?}", Outcome::Ok(as_list(&sorted))),
            );
            compare("floats_sort", &values, &got, &wanted)
        }
        2 => {
            let values: Vec<String> = (0..count).map(|_| random_text(rng, 3)).collect();
            let mut sorted = values.clone();
            sorted.sort();
            let as_list =
                |values: &[String]| list(values.iter().cloned().map(HostValue::Text).collect());
            let got = call("texts_sort", &[as_list(&values)]);
            compare("texts_sort", &values, &got, &Ok(as_list(&sorted)))
        }
        _ => {
            let values: Vec<[i64; 2]> = (0..count)
                .map(|number| [rng.below(5) as i64, number as i64])
                .collect();
            let mut sorted = values.clone();
            sorted.sort_by_key(|pair| pair[0]);
            let as_list = |values: &[[i64; 2]]| list(values.iter().map(|v| ints(*v)).collect());
            let got = call("pairs_sort_by", &[as_list(&values)]);
            compare("pairs_sort_by", &values, &got, &Ok(as_list(&sorted)))?;
            let mut sorted = values.clone();
            sorted.sort();
            let got = call("pairs_sort", &[as_list(&values)]);
            compare("pairs_sort", &values, &got, &Ok(as_list(&sorted)))
        }
    }
}

fn position(rng: &mut Rng) -> i64 {
    match rng.below(14) {
        0 => i64::MAX,
        1 => i64::MIN,
        _ => rng.below(24) as i64 - 12,
    }
}

fn positions(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("positions");
    let values: Vec<i64> = (0..rng.below(10)).map(|_| random_int(rng)).collect();
    let (a, b) = (position(rng), position(rng));
    let len = values.len();
    let (from, to) = (clamped(a, len), clamped(b, len));
    let slice = if from < to { &values[from..to] } else { &[] };
    let step = *rng.pick(&[1_i64, 2, 3]);
    let stepped = slice.iter().copied().step_by(step as usize);
    let at = if a < 0 {
        a.saturating_add(len as i64)
    } else {
        a
    };
    let inside = usize::try_from(at).ok().filter(|at| *at < len);
    let found = inside.map_or(Err("IndexOutOfBounds".to_owned()), |at| {
        Ok(HostValue::Int(values[at]))
    });
    let few = rng.below(12) as i64 - 2;
    let head = few.clamp(0, len as i64) as usize;
    let int = HostValue::Int;
    check(
        &values,
        vec![
            (
                "ints_slice",
                vec![int(a), int(b)],
                Ok(ints(slice.iter().copied())),
            ),
            (
                "ints_steps",
                vec![int(a), int(b), int(step)],
                Ok(ints(stepped)),
            ),
            ("ints_at", vec![int(a)], found),
            (
                "ints_take",
                vec![int(few)],
                Ok(ints(values[..head].iter().copied())),
            ),
            (
                "ints_skip",
                vec![int(few)],
                Ok(ints(values[head..].iter().copied())),
            ),
        ],
    )
}

fn sets(rng: &mut Rng, tally: &mut Tally) -> Verdict {
    tally.count("sets");
    let values: Vec<i64> = (0..rng.below(20)).map(|_| rng.below(8) as i64).collect();
    let others: Vec<i64> = (0..rng.below(8)).map(|_| rng.below(8) as i64).collect();
    let once = |values: &mut dyn Iterator<Item = i64>| {
        let mut seen = Vec::new();
        for value in values {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        ints(seen)
    };
    let unique = once(&mut values.iter().copied());
    let union = once(&mut values.iter().chain(&others).copied());
    let shared = once(&mut values.iter().copied().filter(|v| others.contains(v)));
    let rest = once(&mut values.iter().copied().filter(|v| !others.contains(v)));
    let size = 1 + rng.below(5);
    let chunks = list(
        values
            .chunks(size)
            .map(|c| ints(c.iter().copied()))
            .collect(),
    );
    let wanted = rng.below(9) as i64;
    let index = values
        .iter()
        .position(|v| *v == wanted)
        .map_or(-1, |at| at as i64);
    let mut groups: Vec<(i64, Vec<i64>)> = Vec::new();
    for value in &values {
        match groups.iter_mut().find(|(key, _)| *key == value % 3) {
            Some((_, group)) => group.push(*value),
            None => groups.push((value % 3, vec![*value])),
        }
    }
    let groups = list(groups.into_iter().map(|(_, group)| ints(group)).collect());
    let int = HostValue::Int;
    check(
        &values,
        vec![
            ("ints_unique", vec![], Ok(unique)),
            ("ints_union", vec![ints(others.clone())], Ok(union)),
            ("ints_intersection", vec![ints(others.clone())], Ok(shared)),
            ("ints_difference", vec![ints(others.clone())], Ok(rest)),
            ("ints_chunk", vec![int(size as i64)], Ok(chunks)),
            ("ints_sum", vec![], Ok(int(values.iter().sum()))),
            (
                "ints_max",
                vec![],
                Ok(values.iter().max().map_or(HostValue::None, |v| int(*v))),
            ),
            ("ints_index", vec![int(wanted)], Ok(int(index))),
            ("ints_group", vec![], Ok(groups)),
        ],
    )
}

fn check(values: &[i64], cases: Vec<(&str, Vec<HostValue>, Outcome)>) -> Verdict {
    for (name, more, expected) in cases {
        let mut arguments = vec![ints(values.iter().copied())];
        arguments.extend(more);
        compare(name, &arguments, &call(name, &arguments), &expected)?;
    }
    Ok(())
}
