//! `flinvm run`: the top level of a program, once. Each statement is one transaction: what was done before the one that
//! fails is kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_runtime::vm::Counts;
use flin_runtime::{Entry, Outcome};

use crate::arguments::Run;
use crate::fault::Fault;
use crate::output::ScriptWorld;
use crate::{load, logging, opening};

/// Runs a program.
pub(crate) fn run(wanted: &Run, color: bool) -> Result<(), Fault> {
    logging::for_people(color, "warn,flin=info,flin_runtime=off");
    let started = Instant::now();
    let loaded = load::load(&wanted.program, color)?;
    let world = Arc::new(ScriptWorld::new());
    let runtime = opening::open(
        &loaded.program,
        wanted.data.as_deref(),
        false,
        world.clone(),
    )?;
    let loaded_in = started.elapsed();
    let done = runtime.enter(Entry::Script);
    let ran_in = started.elapsed().saturating_sub(loaded_in);
    world.flush();
    let closed = runtime.store().close();
    if let Outcome::Done(counts) = done.map_err(Fault::Failed)?
        && wanted.stats
    {
        print_stats(counts, loaded_in, ran_in);
    }
    closed.map_err(|failure| Fault::Disk(failure.to_string()))
}

fn print_stats(counts: Counts, loaded_in: Duration, ran_in: Duration) {
    eprintln!("load         {:.3} ms", loaded_in.as_secs_f64() * 1e3);
    eprintln!("run          {:.3} ms", ran_in.as_secs_f64() * 1e3);
    eprintln!("fuel         {} calls and loop turns", counts.instructions);
    eprintln!("allocated    {} bytes", counts.allocated_bytes);
    eprintln!("collections  {}", counts.collections);
    eprintln!(
        "records      {} read, {} written",
        counts.entity_reads, counts.entity_writes
    );
}
