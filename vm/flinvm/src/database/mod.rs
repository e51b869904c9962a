//! `flinvm db`: looking after the data. Each command is a file of its own; what it does to the store is done by the store.
//! Must stay true: an answer goes to stdout, in the form that was asked for; progress and notes go to stderr; reading
//! commands change nothing and work on a store that is damaged, read-only or in use.

mod arguments;
mod backup;
mod compact;
mod export;
mod history;
mod import;
mod migrate;
mod place;
pub(crate) mod progress;
mod restore;
mod stats;
mod verify;

pub(crate) use arguments::DatabaseCommand;
pub(crate) use place::existing;

use crate::fault::Fault;
use crate::logging;

/// Carries out a command.
pub(crate) fn run(command: &DatabaseCommand, color: bool) -> Result<(), Fault> {
    logging::for_people(color, "warn");
    match command {
        DatabaseCommand::Verify(wanted) => verify::verify(wanted),
        DatabaseCommand::Stats(wanted) => stats::stats(wanted, color),
        DatabaseCommand::History(wanted) => history::history(wanted),
        DatabaseCommand::Export(wanted) => export::export(wanted),
        DatabaseCommand::Import(wanted) => import::import(wanted, color),
        DatabaseCommand::Migrate(wanted) => migrate::migrate(wanted, color),
        DatabaseCommand::Backup(wanted) => backup::backup(wanted),
        DatabaseCommand::Restore(wanted) => restore::restore(wanted),
        DatabaseCommand::Compact(wanted) => compact::compact(wanted),
    }
}
