//! How FLIN serves beside what people would write instead: a page of 50 records, a durable creation by 32 clients, the first answer
//! after the start, memory, a heavy neighbour. Here because these are promises to whoever runs a server. Must stay true: all
//! servers are up at the same time and asked in turns by the same client on the same machine; a round in which any request
//! failed is an error, not a figure; FLIN's page is measured with the bytes that a browser would get, and the bare server sends
//! exactly those bytes.

mod contestants;
mod load;
mod peers;
mod tables;

use std::path::Path;

use crate::process::Failure;
use crate::{quantile, sorted};
use contestants::{Contestant, Kind};
use load::Load;
pub(crate) use peers::serve as serve_peer;

/// Records that lie in every store before the first round, and on the page.
const RECORDS: usize = 50;
/// Records of the big store whose start is measured.
const MANY: usize = 1_000_000;
/// Starts of which the median counts.
const STARTS: usize = 15;
/// Connections that ask at once.
const CLIENTS: usize = 32;
/// Connections that ask for the page that takes long.
const HEAVY_CLIENTS: usize = 4;

/// What is measured of one contestant, round by round.
#[derive(Default)]
struct Measured {
    pages: Vec<Load>,
    creations: Vec<Load>,
    starts: Vec<f64>,
    idle_kib: u64,
    loaded_kib: u64,
}

/// Measures `rounds` rounds of `seconds` each and prints the tables; with `write`, puts them into the document about
/// performance.
///
/// # Errors
/// When a contestant does not start, a request fails, or the tool that sends them is missing.
pub(crate) fn run(rounds: usize, seconds: u64, write: bool) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("flin-bench-web-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = measure(rounds, seconds, write, &folder);
    // What is left behind is a folder of measurements.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn measure(rounds: usize, seconds: u64, write: bool, folder: &Path) -> Result<(), Failure> {
    let contestants = contestants::all(folder)?;
    let mut found: Vec<Measured> = Vec::new();
    for contestant in &contestants {
        let mut measured = Measured::default();
        for n in 0..STARTS {
            let place = folder.join(format!("start-{}-{n}", contestant.name));
            measured
                .starts
                .push(contestant.start(&place)?.first_answer_ms);
        }
        found.push(measured);
    }
    let mut servers = Vec::new();
    for (contestant, measured) in contestants.iter().zip(&mut found) {
        let server = contestant.start(&folder.join(contestant.name))?;
        measured.idle_kib = server.resident_kib()?;
        if contestant.kind == Kind::Application {
            load::fill(server.port, RECORDS)?;
        }
        servers.push(server);
    }
    for round in 0..=rounds {
        for (server, measured) in servers.iter().zip(&mut found) {
            let load = load::pages(server, CLIENTS, seconds)?;
            // The first round warms up.
            if round > 0 {
                measured.pages.push(load);
            }
        }
    }
    for round in 0..=rounds {
        for ((contestant, server), measured) in contestants.iter().zip(&servers).zip(&mut found) {
            if contestant.kind == Kind::Application {
                let load = load::creations(server, CLIENTS, seconds)?;
                if round > 0 {
                    measured.creations.push(load);
                }
            }
            measured.loaded_kib = server.resident_kib()?;
        }
    }
    let flin = servers.first().ok_or("FLIN takes part")?;
    let alone = load::pages(flin, CLIENTS, seconds)?;
    let beside = load::pages_beside(flin, CLIENTS, HEAVY_CLIENTS, seconds)?;
    drop(servers);
    let big = start_with_many(&contestants, folder)?;
    let tables = tables::of(&contestants, found, &alone, &beside, big);
    println!("{tables}");
    if write {
        flin_testkit::figures::write("web", &tables)?;
    }
    Ok(())
}

/// The median start of FLIN with a store of [`MANY`] records, in milliseconds.
fn start_with_many(contestants: &[Contestant], folder: &Path) -> Result<f64, Failure> {
    let flin = contestants.first().ok_or("FLIN takes part")?;
    let place = folder.join("many");
    {
        let server = flin.start(&place)?;
        load::fill_by_thousands(server.port, MANY)?;
    }
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(flin.start(&place)?.first_answer_ms);
    }
    Ok(quantile(&sorted(starts), 0.5))
}
