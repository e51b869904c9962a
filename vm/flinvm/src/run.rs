//! `flinvm run`: the top level of a program, once. The whole run is one transaction: when it fails, nothing of it is kept.

use crate::arguments::Run;
use crate::fault::Fault;
use crate::{load, logging, opening};
use flin_runtime::Entry;

/// Runs a program.
pub(crate) fn run(wanted: &Run, color: bool) -> Result<(), Fault> {
    logging::for_people(color, "warn,flin=info,flin_runtime=off");
    let loaded = load::load(&wanted.program, color)?;
    let runtime = opening::open(&loaded.program, wanted.data.as_deref(), false)?;
    let done = runtime.enter(Entry::Main).map_err(Fault::Failed);
    let closed = runtime.store().close();
    done?;
    closed.map_err(|failure| Fault::Disk(failure.to_string()))
}
