//! Opening a store for reading only, whatever state it is in: closed, damaged, on a disk that cannot be written, or in use
//! by a running process.
//!
//! What must stay true: no byte of the directory changes (but for the holder's name in `LOCK`, where that can be written);
//! what is read of a store in use is durable already, so nobody sees what a crash could still take back.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::codec::catalog::decode_catalog;
use crate::codec::frame::FrameKind;
use crate::disk::{Disk, LockError, LockGuard};
use crate::error::{IoFailure, OpenError};
use crate::evolution::{evolve, judge};
use crate::log::files::{LogFiles, load};
use crate::log::recover::{Recovered, is_empty, recover};
use crate::log::walk::{OnDamage, walk};
use crate::open::{admit, read_only, readable_prefix, unreadable};
use crate::schema::Schema;
use crate::shared::{Shared, State};
use crate::store::ReadOnly;
use crate::value::Lsn;

/// A store in use changes its list of files now and then; after so many readings that do not fit together it is damage.
pub(crate) const LIVE_ATTEMPTS_MAX: usize = 5;

/// The moment a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After this transaction.
    Lsn(Lsn),
    /// At this time, milliseconds since 1970 UTC.
    Time(i64),
}

/// A store opened by `read`.
pub struct Reading {
    /// The state.
    pub store: ReadOnly,
    /// Who has the store open for writing; what is read is what was durable when reading began.
    pub holder: Option<String>,
    /// Things worth telling that need no action.
    pub notes: Vec<String>,
}

/// Takes the lock if it can be had; else who has it.
pub(crate) fn access(disk: &dyn Disk) -> Result<(LockGuard, Option<String>), OpenError> {
    match disk.lock() {
        Ok(guard) => Ok((guard, None)),
        Err(LockError::Held { holder }) => {
            let named = holder.unwrap_or_else(|| "another process".to_owned());
            Ok((LockGuard::new(Box::new(()), None), Some(named)))
        }
        Err(LockError::Io(source)) => Err(OpenError::Io(IoFailure {
            attempt: "locking the directory",
            file: disk.place(),
            source,
        })),
    }
}

/// Opens a store for reading with the schema of its own log. With a moment: the schema as it was then, so that fields
/// that were dropped later are there. Damage leaves the state before it (`ReadOnly::damage`).
pub fn read(disk: &dyn Disk, moment: Option<Moment>) -> Result<Reading, OpenError> {
    let (guard, holder) = access(disk)?;
    let mut notes: Vec<String> = guard.note.iter().cloned().collect();
    let (files, recovered) = load_and_recover(disk, holder.is_some())?;
    notes.extend(files.notes.iter().cloned());
    let Recovered {
        mut replayed,
        end,
        damage,
        ..
    } = recovered;
    if let Some(moment) = moment {
        replayed.catalog = catalog_at(&files, moment)?;
    }
    let store = read_only(None, files, replayed, &end, damage, guard)?;
    Ok(Reading {
        store,
        holder,
        notes,
    })
}

/// Opens a store for reading with a program's schema. What would need the operator's consent is refused as in
/// `Store::open`. Damage leaves the state before it; a store in use is read as it was when reading began.
pub fn read_as(disk: &dyn Disk, schema: &Schema) -> Result<Reading, OpenError> {
    let (guard, holder) = access(disk)?;
    let (files, recovered) = load_and_recover(disk, holder.is_some())?;
    let notes = guard.note.iter().chain(&files.notes).cloned().collect();
    let Recovered {
        replayed,
        end,
        damage,
        ..
    } = recovered;
    let refused = |problems| OpenError::SchemaRefused { problems };
    let mut evolved = evolve(&replayed.catalog, schema).map_err(refused)?;
    let segments = readable_prefix(files, &end)?;
    let (index, logged) = (replayed.index, replayed.catalog);
    judge(&index, &segments, &logged, schema, &mut evolved).map_err(unreadable)?;
    admit(&evolved.changes, false)?;
    let state = State {
        index,
        segments,
        times: replayed.times,
        published: replayed.published,
    };
    let (catalog, mapping) = (evolved.catalog, evolved.mapping);
    let shared = Shared::new(
        schema.clone(),
        catalog,
        mapping,
        state,
        None,
        Arc::default(),
    );
    Ok(Reading {
        store: ReadOnly::new(Arc::new(shared), damage, guard),
        holder,
        notes,
    })
}

fn no_store(disk: &dyn Disk) -> OpenError {
    OpenError::NoStore {
        place: disk.place(),
    }
}

/// Reads files and frames. While somebody writes, files may be renamed and replaced between the listing and the reading,
/// and the last frames may be half there: what does not fit is read again, and only what is proven durable counts.
pub(crate) fn load_and_recover(
    disk: &dyn Disk,
    live: bool,
) -> Result<(LogFiles, Recovered), OpenError> {
    let mut attempt = 1;
    loop {
        let last = !live || attempt == LIVE_ATTEMPTS_MAX;
        let files = match load(disk) {
            Ok(files) => files,
            Err(error) if last => return Err(error),
            Err(_moved_meanwhile) => {
                attempt += 1;
                continue;
            }
        };
        if is_empty(&files) {
            return Err(no_store(disk));
        }
        let mut recovered = recover(&files)?;
        if live {
            let proven = recovered.end.durable;
            recovered.damage = recovered.damage.filter(|damage| damage.lsn <= proven);
            recovered.replayed.published = recovered.replayed.published.min(proven);
        }
        if recovered.damage.is_none() || last {
            return Ok((files, recovered));
        }
        attempt += 1;
    }
}

/// The catalog that was in force at a moment.
fn catalog_at(files: &LogFiles, moment: Moment) -> Result<Catalog, IoFailure> {
    let mut found = Catalog::default();
    let mut first = None;
    walk(files, OnDamage::Stop, &mut |visit| {
        if visit.header.kind == FrameKind::Schema {
            let catalog = decode_catalog(visit.body)?;
            let seen = match moment {
                Moment::Lsn(lsn) => visit.header.lsn <= lsn,
                Moment::Time(ms) => visit.header.time_ms <= ms,
            };
            if seen {
                found = catalog;
            } else {
                first.get_or_insert(catalog);
            }
        }
        Ok(())
    })?;
    // Before the first schema there was nothing; its names still say what is asked for.
    Ok(match (found.version, first) {
        (0, Some(first)) => first,
        _ => found,
    })
}
