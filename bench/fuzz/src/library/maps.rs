//! Target `maps`: steps on a map, and on a record that becomes one, against an insertion-ordered model. Must stay true: a
//! removed key that comes back stands at the end; a key set again keeps its place.

use flin_testkit::rng::Rng;
use flin_vm::HostValue;
use indexmap::IndexMap;

use super::{call, compare, random_int, random_text};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

const SET: i64 = 0;
const DELETE: i64 = 1;
const GET: i64 = 2;
const HAS: i64 = 3;
const KEYS: i64 = 4;
const CLEAR: i64 = 5;
const MERGE_OR_SET_A: i64 = 6;
const CLONE_OR_GET_B: i64 = 7;

/// A row of steps.
pub(crate) fn trial(_: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let is_record = rng.one_in(2);
    tally.count(if is_record { "records" } else { "maps" });
    let most = if rng.one_in(8) { 200 } else { 30 };
    let steps: Vec<(i64, String, HostValue)> = (0..rng.below(most))
        .map(|_| {
            let what = if rng.one_in(2) {
                SET
            } else {
                rng.below(9) as i64
            };
            let what = if what == CLEAR && !rng.one_in(6) {
                GET
            } else {
                what
            };
            let key = if rng.one_in(3) {
                (*rng.pick(&["a", "b", "c", "d"])).to_owned()
            } else {
                random_text(rng, 2)
            };
            (what, key, random_value(rng))
        })
        .collect();
    let (name, expected) = if is_record {
        ("record_run", record_model(&steps))
    } else {
        ("map_run", map_model(&steps))
    };
    let given = steps.iter().map(|(what, key, value)| {
        HostValue::List(vec![
            HostValue::Int(*what),
            HostValue::Text(key.clone()),
            value.clone(),
        ])
    });
    let given = HostValue::List(given.collect());
    compare(name, &steps, &call(name, &[given]), &Ok(expected))
}

fn random_value(rng: &mut Rng) -> HostValue {
    match rng.below(4) {
        0 => HostValue::Int(random_int(rng)),
        1 => HostValue::Text(random_text(rng, 3)),
        2 => HostValue::Float(rng.below(100) as f64 / 4.0),
        _ => HostValue::Bool(rng.one_in(2)),
    }
}

type Model = IndexMap<String, HostValue>;

fn common(model: &mut Model, step: &(i64, String, HostValue), seen: &mut Vec<HostValue>) {
    let (what, key, value) = step;
    match *what {
        SET => {
            model.insert(key.clone(), value.clone());
        }
        DELETE => seen.push(model.shift_remove(key).unwrap_or_default()),
        GET => seen.push(model.get(key).cloned().unwrap_or_default()),
        HAS => seen.push(HostValue::Bool(model.contains_key(key))),
        KEYS => seen.push(HostValue::List(
            model.keys().cloned().map(HostValue::Text).collect(),
        )),
        CLEAR => model.clear(),
        _ => seen.push(HostValue::Int(model.len() as i64)),
    }
}

fn result(model: Model, seen: Vec<HostValue>) -> HostValue {
    let entries = model
        .into_iter()
        .map(|(key, value)| HostValue::List(vec![HostValue::Text(key), value]));
    HostValue::List(vec![
        HostValue::List(seen),
        HostValue::List(entries.collect()),
    ])
}

fn map_model(steps: &[(i64, String, HostValue)]) -> HostValue {
    let (mut model, mut seen) = (Model::new(), Vec::new());
    for step in steps {
        match step.0 {
            MERGE_OR_SET_A => {
                model.insert("a".to_owned(), step.2.clone());
                model.insert("b".to_owned(), HostValue::Int(1));
            }
            CLONE_OR_GET_B => {}
            _ => common(&mut model, step, &mut seen),
        }
    }
    result(model, seen)
}

fn record_model(steps: &[(i64, String, HostValue)]) -> HostValue {
    let first = [
        ("a", HostValue::Int(1)),
        ("b", HostValue::Text("two".to_owned())),
        ("c", HostValue::None),
    ];
    let mut model: Model = first
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let mut seen = Vec::new();
    for step in steps {
        match step.0 {
            MERGE_OR_SET_A => {
                model.insert("a".to_owned(), step.2.clone());
            }
            CLONE_OR_GET_B => seen.push(model.get("b").cloned().unwrap_or_default()),
            _ => common(&mut model, step, &mut seen),
        }
    }
    result(model, seen)
}
