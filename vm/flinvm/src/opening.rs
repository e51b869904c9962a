//! Opening the data and making the runtime over it. Must stay true: what recovery found is never silent.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::store::{
    self, Checkpoints, Disk, MemoryDisk, Notice, Progress, ReadOnly, RealDisk, Schema, Store,
    StoreOptions, Watch,
};
use flin_runtime::vm::Program;
use flin_runtime::{Runtime, RuntimeOptions, World, schema_of, schema_with_defaults};

use crate::database;
use crate::database::progress::Shown;
use crate::fault::Fault;

/// Set to `1`, it opens data on a network or user-space file system all the same.
const NETWORK_DISK: &str = "FLIN_NETWORK_DISK";

/// The directory as a disk.
pub(crate) fn real_disk(data: &Path) -> Result<Arc<dyn Disk>, Fault> {
    match RealDisk::open(data) {
        Ok(disk) => Ok(Arc::new(disk)),
        Err(source) => Err(Fault::Unreadable {
            path: data.to_owned(),
            source,
        }),
    }
}

/// How the data is opened.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// For a server: commits are made by a thread of their own. `migrate`: the operator agrees to changes of the schema.
    Serving { migrate: bool },
    /// For a script: commits are made by whoever commits.
    Script { migrate: bool },
}

/// What programs that end run with: one entry after the other, so nobody needs to know how many cores there are.
pub(crate) fn in_world(world: Arc<dyn World>) -> RuntimeOptions {
    RuntimeOptions {
        world,
        workers: 1,
        ..RuntimeOptions::default()
    }
}

/// Shows how far opening is while there is somebody to show it to; notes go to the log.
fn watch(shown: Arc<Mutex<Option<Shown>>>) -> Watch {
    Watch::new(move |notice| match notice {
        Notice::Opening(far) => {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(shown) = shown.as_mut() {
                let (done, total) = (far.done_bytes, far.total_bytes);
                shown.tell(Progress::bytes("reading the log", done, total));
            }
        }
        Notice::Note(note) => tracing::warn!("{note}"),
    })
}

/// A runtime over a directory, or over memory.
pub(crate) fn open(
    program: &Arc<Program>,
    data: Option<&Path>,
    how: How,
    running: RuntimeOptions,
) -> Result<Runtime, Fault> {
    let (disk, schema): (Arc<dyn Disk>, Schema) = match data {
        Some(data) => (
            real_disk(data)?,
            schema_with_defaults(program, &*running.world),
        ),
        None => (Arc::new(MemoryDisk::new()), schema_of(program.module())),
    };
    let mut options = match how {
        How::Serving { migrate } => StoreOptions {
            migrate,
            ..StoreOptions::default()
        },
        How::Script { migrate } => StoreOptions {
            migrate,
            ..StoreOptions::inline()
        },
    };
    let shown = Arc::new(Mutex::new(Some(Shown::new())));
    options.watch = Some(watch(Arc::clone(&shown)));
    options.network_disk = std::env::var_os(NETWORK_DISK).is_some_and(|set| set == "1");
    if data.is_none() {
        // Nothing outlives the process: there is no next opening that one could help.
        options.checkpoints = Checkpoints::never();
    }
    let opened = Store::open(disk, &schema, options);
    // The bar ends before anything else is said.
    drop(shown.lock().unwrap_or_else(PoisonError::into_inner).take());
    let opened = opened.map_err(|error| Fault::Data(Box::new(error)))?;
    if let Some(data) = data {
        tracing::info!(data = %data.display(), "{}", opened.report);
    }
    Ok(Runtime::new(Arc::clone(program), opened.store, running))
}

/// A runtime that only reads, and the handle that must outlive it.
pub(crate) fn open_read_only(
    program: &Arc<Program>,
    data: &Path,
    running: RuntimeOptions,
) -> Result<(Runtime, ReadOnly), Fault> {
    let disk = database::existing(data)?;
    let schema = schema_with_defaults(program, &*running.world);
    let reading = store::read_as(&*disk, &schema).map_err(|error| Fault::Data(Box::new(error)))?;
    let lsn = reading.store.snapshot().lsn();
    tracing::warn!(data = %data.display(), %lsn, "the data is open for reading only");
    if let Some(holder) = &reading.holder {
        tracing::warn!(
            "the data is in use by {holder}; what it saves from now on is not seen here"
        );
    }
    if let Some(damage) = reading.store.damage() {
        tracing::error!("the data is damaged: {damage}. This is the state before");
    }
    let reason = match reading.store.damage() {
        Some(_) => "the data is damaged and only what stands before the damage is shown",
        None => "this server was started to show the data and not to change it",
    };
    let options = RuntimeOptions {
        read_only: Some(reason.into()),
        ..running
    };
    let runtime = Runtime::new(Arc::clone(program), reading.store.as_store(disk), options);
    Ok((runtime, reading.store))
}
