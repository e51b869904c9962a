//! Point reads and filtered scans on one core. Must stay true: all stores hold the same notes and must find the same; every field
//! is read, in place or into a note of its own, and FLIN's record has been checked against its CRC.

use std::time::{Duration, Instant};

use crate::bare::Bare;
use crate::contestant::Contestant;
use crate::figures::{head, median, row};

/// Numbers looked up in one go.
const READS: usize = 10_000;

/// The tables of reads and scans.
///
/// # Errors
/// When a store fails, or two of them disagree.
pub fn measure(
    stores: &[Box<dyn Contestant>],
    bare: Option<&Bare>,
    notes: u64,
    rounds: usize,
    turn: Duration,
) -> Result<String, String> {
    let ids = shuffled(notes);
    let mut text = head(&[
        "millions in a second, one core",
        "point reads, in place",
        "point reads, whole notes",
        "scan by a bool",
        "scan by an int",
    ]);
    let mut rates = vec![[const { Vec::new() }; 4]; stores.len()];
    let mut bare_rates = Vec::new();
    let mut found: Option<(u64, u64, u64)> = None;
    for _round in 0..rounds {
        if let Some(bare) = bare {
            bare_rates.push(reads(&ids, turn, &|ids| bare.read_all(ids))?);
        }
        for (store, rates) in stores.iter().zip(&mut rates) {
            rates[0].push(reads(&ids, turn, &|ids| store.look_at_all(ids))?);
            rates[1].push(reads(&ids, turn, &|ids| store.read_all(ids))?);
            let (done, rate) = scans(turn, notes, &|| store.count_done())?;
            rates[2].push(rate);
            let (below, rate) = scans(turn, notes, &|| store.count_below(100))?;
            rates[3].push(rate);
            let looked = store.look_at_all(&ids)?;
            let now = (store.read_all(&ids)?, done, below);
            if looked != now.0 {
                return Err(format!(
                    "{} finds {looked} in place and {} in notes",
                    store.name(),
                    now.0
                ));
            }
            let first = *found.get_or_insert(now);
            if first != now {
                return Err(format!(
                    "{} finds {now:?} where others find {first:?}",
                    store.name()
                ));
            }
            let weight = bare.map(|bare| bare.read_all(&ids)).transpose()?;
            if weight.is_some_and(|weight| weight != now.0) {
                return Err(format!(
                    "the bare loop finds {weight:?}, {} {}",
                    store.name(),
                    now.0
                ));
            }
        }
    }
    if bare.is_some() {
        let rate = format!("{:.2}", median(&bare_rates));
        let none = || "–".to_owned();
        text += &row(&[
            "bare bytes and CRC".to_owned(),
            rate,
            none(),
            none(),
            none(),
        ]);
    }
    for (store, rates) in stores.iter().zip(&rates) {
        let mut cells = vec![store.name().to_owned()];
        cells.extend(rates.iter().map(|rates| format!("{:.2}", median(rates))));
        text += &row(&cells);
    }
    Ok(text)
}

/// Numbers all over the store, always the same ones.
fn shuffled(notes: u64) -> Vec<u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..READS).map(|_| 1 + next() % notes).collect()
}

/// Millions of point reads in a second.
fn reads(
    ids: &[u64],
    time: Duration,
    read: &dyn Fn(&[u64]) -> Result<u64, String>,
) -> Result<f64, String> {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < time {
        std::hint::black_box(read(ids)?);
        count += ids.len();
    }
    Ok(count as f64 / start.elapsed().as_secs_f64() / 1e6)
}

/// What a scan counts, and millions of notes it looks at in a second.
fn scans(
    time: Duration,
    notes: u64,
    scan: &dyn Fn() -> Result<u64, String>,
) -> Result<(u64, f64), String> {
    let start = Instant::now();
    let (mut looked_at, mut found) = (0, 0);
    while looked_at == 0 || start.elapsed() < time {
        found = std::hint::black_box(scan()?);
        looked_at += notes;
    }
    Ok((
        found,
        looked_at as f64 / start.elapsed().as_secs_f64() / 1e6,
    ))
}
