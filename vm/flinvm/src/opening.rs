//! Opening the data and making the runtime over it. Must stay true: what recovery found is never silent.

use std::path::Path;
use std::sync::Arc;

use flin_runtime::store::{Disk, MemoryDisk, RealDisk, Store, StoreOptions};
use flin_runtime::vm::Program;
use flin_runtime::{Runtime, RuntimeOptions, World, schema_of};

use crate::fault::Fault;

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

/// A runtime over a directory, or over memory. `threads`: commits run on a thread of their own.
pub(crate) fn open(
    program: &Arc<Program>,
    data: Option<&Path>,
    threads: bool,
    world: Arc<dyn World>,
) -> Result<Runtime, Fault> {
    let disk: Arc<dyn Disk> = match data {
        Some(data) => real_disk(data)?,
        None => Arc::new(MemoryDisk::new()),
    };
    let options = if threads {
        StoreOptions::default()
    } else {
        StoreOptions::inline()
    };
    let opened = Store::open(disk, &schema_of(program.module()), options)
        .map_err(|error| Fault::Data(Box::new(error)))?;
    if let Some(data) = data {
        tracing::info!(data = %data.display(), "{}", opened.report);
    }
    Ok(Runtime::new(
        Arc::clone(program),
        opened.store,
        RuntimeOptions {
            world,
            ..RuntimeOptions::default()
        },
    ))
}
