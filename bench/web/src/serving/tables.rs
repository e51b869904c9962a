//! The tables of what was measured, in Markdown. Must stay true: a figure is the median of its rounds; a ratio is of two medians of
//! the same run; what was not measured is a dash.

use flin_testkit::figures::{day_and_machine, head, row};

use super::contestants::Contestant;
use super::load::Load;
use super::{CLIENTS, HEAVY_CLIENTS, MANY, Measured};
use crate::{quantile, sorted};

/// The median of one figure over rounds.
fn median(loads: &[Load], figure: fn(&Load) -> f64) -> f64 {
    quantile(&sorted(loads.iter().map(figure).collect()), 0.5)
}

fn shown(value: f64, digits: usize) -> String {
    if value.is_finite() {
        format!("{value:.digits$}")
    } else {
        "–".to_owned()
    }
}

/// Everything, with the day and the machine.
pub(super) fn of(
    contestants: &[Contestant],
    found: Vec<Measured>,
    alone: &Load,
    beside: &Load,
    big_start_ms: f64,
) -> String {
    let floor = found
        .get(1)
        .map_or(f64::NAN, |bare| median(&bare.pages, |load| load.per_second));
    let mut text = day_and_machine();
    text.push_str(&format!(
        "\nA page of 50 records, {CLIENTS} connections:\n\n"
    ));
    text.push_str(&head(&[
        "",
        "x bare hyper",
        "pages/s",
        "CPU µs",
        "p50 ms",
        "p99 ms",
    ]));
    for (contestant, measured) in contestants.iter().zip(&found) {
        let per_second = median(&measured.pages, |load| load.per_second);
        text.push_str(&row(&[
            contestant.name.to_owned(),
            shown(per_second / floor, 2),
            shown(per_second, 0),
            shown(median(&measured.pages, |load| load.cpu_us), 1),
            shown(median(&measured.pages, |load| load.p50_ms), 2),
            shown(median(&measured.pages, |load| load.p99_ms), 2),
        ]));
    }
    text.push_str(&format!("\nA durable creation, {CLIENTS} connections:\n\n"));
    text.push_str(&head(&["", "creations/s", "CPU µs", "p50 ms", "p99 ms"]));
    for (contestant, measured) in contestants
        .iter()
        .zip(&found)
        .filter(|(_, measured)| !measured.creations.is_empty())
    {
        text.push_str(&row(&[
            contestant.name.to_owned(),
            shown(median(&measured.creations, |load| load.per_second), 0),
            shown(median(&measured.creations, |load| load.cpu_us), 1),
            shown(median(&measured.creations, |load| load.p50_ms), 2),
            shown(median(&measured.creations, |load| load.p99_ms), 2),
        ]));
    }
    text.push_str("\nStart and memory:\n\n");
    text.push_str(&head(&[
        "",
        "start to first answer, ms",
        "idle, MiB",
        "after all rounds, MiB",
    ]));
    for (contestant, measured) in contestants.iter().zip(found) {
        text.push_str(&row(&[
            contestant.name.to_owned(),
            shown(quantile(&sorted(measured.starts), 0.5), 1),
            shown(measured.idle_kib as f64 / 1024.0, 1),
            shown(measured.loaded_kib as f64 / 1024.0, 1),
        ]));
    }
    text.push_str(&row(&[
        format!("flin, {MANY} records"),
        shown(big_start_ms, 1),
        "–".to_owned(),
        "–".to_owned(),
    ]));
    text.push_str(&format!(
        "\nThe page of FLIN while {HEAVY_CLIENTS} connections keep asking for two million turns of a loop: p99 {} ms, alone {} ms ({} times).\n",
        shown(beside.p99_ms, 2),
        shown(alone.p99_ms, 2),
        shown(beside.p99_ms / alone.p99_ms, 1)
    ));
    text
}
