//! Opening a store and verifying one: lock, files, recovery, schema, rule indexes, committer.
//!
//! What must stay true: opening an existing log changes no byte of it. Its only write is the unproven tail, byte for byte
//! in place; so it needs no free space and can be interrupted anywhere.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::checkpoint::open::replay_from_disk;
use crate::checkpoint::take::{Checkpointer, Opening};
use crate::codec::catalog::encode_catalog;
use crate::codec::manifest::ManifestSegment;
use crate::committer::Committer;
use crate::disk::{Disk, LockGuard};
use crate::error::{Damage, IoFailure, OpenError, ReadError};
use crate::events::Events;
use crate::evolution::{Consent, SchemaChange, evolve, judge};
use crate::limits::DUPLICATES_NAMED_MAX;
use crate::log::files::{ACTIVE, LoadedSegment, LogFiles, load};
use crate::log::recover::{
    Recovered, Recovery, Replayed, before_append, is_empty, make_tail_durable, new_store_id,
    readable_segments, recover, recover_with, tail_report,
};
use crate::log::walk::WalkEnd;
use crate::log::writer::{Active, LogWriter};
use crate::notes::Notes;
use crate::outcome::CommitOutcome;
use crate::report::{CheckpointUse, RecoveryReport};
use crate::schema::Schema;
use crate::segments::SegmentSet;
use crate::shared::{Duplicate, Shared, State};
use crate::store::{Opened, ReadOnly, Store, StoreOptions, lock};
use crate::value::{FieldIx, Lsn, TypeIx};

pub(crate) fn open(
    disk: Arc<dyn Disk>,
    schema: &Schema,
    options: &StoreOptions,
) -> Result<Opened, OpenError> {
    refuse_network(disk.as_ref(), options)?;
    let guard = lock_for_writing(disk.as_ref())?;
    let files = load(disk.as_ref())?;
    let notes = Arc::new(Notes::new(options.watch.clone()));
    let again = disk.clone();
    let recovery = Recovery {
        disk: disk.as_ref(),
        replay: &move |lsn| replay_from_disk(again.clone(), lsn),
        notes: &notes,
    };
    let found = recover_with(&files, &recovery)?;
    if let Some(damage) = found.damage {
        let recovered = (found.replayed, &found.end);
        return Err(refuse(schema, files, recovered, damage, guard));
    }
    let mut evolved = evolve(&found.replayed.catalog, schema)
        .map_err(|problems| OpenError::SchemaRefused { problems })?;
    let lock_note = guard.note.as_ref();
    let mut report = report(&files, &found, &evolved.catalog, lock_note);
    let mut writer = writer_at_end(disk.clone(), options, &files, &found)?;
    let Recovered {
        replayed,
        end,
        base,
        unusable,
        walked_bytes,
        ..
    } = found;
    make_tail_durable(&files, &end)?;
    let segments = readable_segments(files, end.offset)?;
    hand_over(&mut writer, &segments, end.offset);
    let newest = writer.known.last().map_or(0, |last| last.number);
    let opening = Opening {
        disk: disk.clone(),
        counts: replayed.counts,
        base: base.clone(),
        unusable,
        catalog: as_logged(&replayed.catalog),
        log_bytes: walked_bytes,
        end: (newest, end.offset),
        now_ms: disk.now_ms(),
    };
    let checkpoints = Checkpointer::new(options.checkpoints, options.committer_thread, opening);
    let (index, logged) = (replayed.index, replayed.catalog);
    judge(&index, &segments, &logged, schema, &mut evolved).map_err(unreadable)?;
    let (catalog, mapping) = (evolved.catalog, evolved.mapping);
    let schema_pending = catalog != logged;
    let state = State {
        index,
        segments: Arc::new(segments),
        times: replayed.times,
        published: replayed.published,
    };
    let shared = Shared::new(in_force(schema), catalog, mapping, state, base, notes);
    let mut changes = evolved.changes;
    changes.extend(duplicates(&shared, &logged)?);
    admit(&changes, options.migrate)?;
    tell(&changes, &mut report);
    let mut committer = Committer::new(
        Arc::new(shared),
        Box::new(writer),
        replayed.request_ids,
        schema_pending,
        Arc::new(Events::new(replayed.published)),
        checkpoints,
        guard,
    );
    write_first(&mut committer, &changes, disk.as_ref())?;
    let store = Store::start(disk, committer, options)?;
    Ok(Opened { store, report })
}

/// The schema without today's defaults: what older records read stands in the catalog, and a default such as `now` would
/// make each start look like another schema to whatever was kept of the last one.
fn in_force(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let fields = schema.types.iter_mut().flat_map(|ty| &mut ty.fields);
    fields.for_each(|field| field.fill = None);
    schema
}

/// The lock of a directory that can be written.
fn lock_for_writing(disk: &dyn Disk) -> Result<LockGuard, OpenError> {
    let guard = lock(disk)?;
    if !guard.read_only {
        return Ok(guard);
    }
    Err(OpenError::Io(IoFailure {
        attempt: "opening the data for writing",
        file: disk.place(),
        source: std::io::ErrorKind::ReadOnlyFilesystem.into(),
    }))
}

/// What is written at open: the first segment of a new store; and a schema that the operator agreed to, so that the next
/// start finds it in the log and asks nobody.
fn write_first(
    committer: &mut Committer,
    changes: &[SchemaChange],
    disk: &dyn Disk,
) -> Result<(), OpenError> {
    let failed = |attempt: &'static str| {
        move |outcome: CommitOutcome| IoFailure {
            attempt,
            file: disk.place(),
            source: std::io::Error::other(outcome.to_string()),
        }
    };
    committer
        .create_first()
        .map_err(failed("creating the log"))?;
    let agreed = |change: &SchemaChange| change.consent() == Consent::Operator;
    if changes.iter().any(agreed) {
        committer
            .write_schema()
            .map_err(failed("writing the schema"))?;
    }
    Ok(())
}

/// A lock and a sync on a file system of other machines or programs are what they make of them.
fn refuse_network(disk: &dyn Disk, options: &StoreOptions) -> Result<(), OpenError> {
    let kind = disk.network_file_system();
    let Some(kind) = kind.filter(|_| !options.network_disk) else {
        return Ok(());
    };
    let words = format!(
        "it lies on a file system of the kind {kind}, where locks and syncs cannot be relied on. Use a directory on a \
         local disk, or force it if you know that this one keeps both promises and that nobody else opens the directory"
    );
    Err(OpenError::Io(IoFailure {
        attempt: "opening the data directory",
        file: disk.place(),
        source: std::io::Error::new(std::io::ErrorKind::Unsupported, words),
    }))
}

/// Gives the writer the newest segment, and the sealed one that an interrupted roll left under the name of the active one.
fn hand_over(writer: &mut LogWriter, segments: &SegmentSet, end: u64) {
    let Some(newest) = segments.iter().last() else {
        return;
    };
    let mut sealed = segments.iter().filter(|one| !Arc::ptr_eq(one, newest));
    writer.in_the_way = sealed.find(|one| one.name() == ACTIVE).cloned();
    writer.active = Some(Active {
        segment: newest.clone(),
        end,
    });
}

/// Version and bytes of the newest catalog in the log; no bytes before the first one.
fn as_logged(catalog: &Catalog) -> (u16, Vec<u8>) {
    let bytes = match catalog.types.is_empty() {
        true => Vec::new(),
        false => encode_catalog(catalog),
    };
    (catalog.version, bytes)
}

/// A writer of a new log, whose first segment comes with the first frame.
pub(crate) fn empty_writer(disk: Arc<dyn Disk>) -> Result<LogWriter, OpenError> {
    let files = LogFiles {
        segments: Vec::new(),
        manifest: None,
        damages: Vec::new(),
        notes: Vec::new(),
    };
    let nothing = recover(&files)?;
    writer_at_end(disk, &StoreOptions::inline(), &files, &nothing)
}

/// A writer that goes on where the log ends; its active segment comes once that is open for reading.
fn writer_at_end(
    disk: Arc<dyn Disk>,
    options: &StoreOptions,
    files: &LogFiles,
    found: &Recovered,
) -> Result<LogWriter, OpenError> {
    let end = &found.end;
    let known = files.segments.iter().map(|segment| ManifestSegment {
        number: segment.header.number,
        first_lsn: segment.header.first_lsn,
        epoch: segment.header.epoch,
    });
    let known: Vec<ManifestSegment> = known.collect();
    let store_id = match files.segments.first() {
        Some(first) => first.header.store_id,
        None => new_store_id(disk.as_ref()).map_err(|source| IoFailure {
            attempt: "drawing a store id",
            file: disk.place(),
            source,
        })?,
    };
    Ok(LogWriter {
        sizes: options.sizes(),
        prepare_ahead: options.prepare_ahead,
        store_id,
        epoch: known.last().map_or(1, |segment| segment.epoch),
        active: None,
        before: before_append(files, end),
        in_the_way: None,
        last_lsn: end.lsn,
        last_link: end.link,
        last_time_ms: end.time_ms,
        last_kind: end.last,
        last_frame_at: end.frame_at,
        counts: found.replayed.counts.clone(),
        kept: found
            .base
            .as_ref()
            .map_or(Lsn(0), |base| base.mapped.header.reach.lsn),
        durable: end.lsn,
        witnessed: (files.manifest.as_ref()).map_or(Lsn(0), |manifest| manifest.durable),
        preparing: None,
        spare: None,
        full_until_ms: None,
        prepare_not_before_ms: None,
        known,
        disk,
    })
}

/// The answer to damage: where it is, and the state before it.
fn refuse(
    schema: &Schema,
    files: LogFiles,
    recovered: (Replayed, &WalkEnd),
    damage: Damage,
    guard: LockGuard,
) -> OpenError {
    let (replayed, end) = recovered;
    let read_only = if end.lsn == Lsn(0) {
        None
    } else {
        // The damage is the answer; a handle that cannot be made on top of it is simply absent.
        read_only(
            Some(schema),
            files,
            replayed,
            end,
            Some(damage.clone()),
            guard,
        )
        .ok()
        .map(Box::new)
    };
    OpenError::Corrupt {
        file: damage.file.clone(),
        offset: damage.offset,
        lsn: damage.lsn,
        damage: Box::new(damage),
        read_only,
    }
}

/// A handle for reading: with the program's schema if there is one and it fits, else with the data's own.
pub(crate) fn read_only(
    schema: Option<&Schema>,
    files: LogFiles,
    replayed: Replayed,
    end: &WalkEnd,
    damage: Option<Damage>,
    guard: LockGuard,
) -> Result<ReadOnly, OpenError> {
    let fitting = schema.and_then(|schema| {
        let (catalog, mapping) = replayed.catalog.fit(schema).ok()?;
        Some((schema.clone(), catalog, mapping))
    });
    let (schema, catalog, mapping) = match fitting {
        Some(fitting) => fitting,
        None => {
            let own = replayed.catalog.to_schema();
            let refused = |problems| OpenError::SchemaRefused { problems };
            let (catalog, mapping) = replayed.catalog.fit(&own).map_err(refused)?;
            (own, catalog, mapping)
        }
    };
    let segments = readable_prefix(files, end)?;
    let state = State {
        index: replayed.index,
        segments,
        times: replayed.times,
        published: replayed.published,
    };
    let notes = Arc::default();
    let shared = Arc::new(Shared::new(schema, catalog, mapping, state, None, notes));
    Ok(ReadOnly::new(shared, damage, guard))
}

pub(crate) fn unreadable(error: ReadError) -> OpenError {
    OpenError::Io(IoFailure {
        attempt: "reading records for the unique indexes",
        file: "the log".to_owned(),
        source: std::io::Error::other(error),
    })
}

/// Opens an existing store for reading with the schema that its own log declares: for tools that have no program. A
/// damaged log gives the state before the damage. Changes nothing on disk; takes the directory's lock.
pub fn inspect(disk: &dyn Disk) -> Result<ReadOnly, OpenError> {
    let guard = lock(disk)?;
    let files = load(disk)?;
    if is_empty(&files) {
        return Err(OpenError::NoStore {
            place: disk.place(),
        });
    }
    let Recovered {
        replayed,
        end,
        damage,
        ..
    } = recover(&files)?;
    read_only(None, files, replayed, &end, damage, guard)
}

/// The segments that the prefix before the damage reaches into.
pub(crate) fn readable_prefix(
    mut files: LogFiles,
    end: &WalkEnd,
) -> Result<Arc<SegmentSet>, IoFailure> {
    let fits = |(at, segment): (usize, &LoadedSegment)| {
        segment.header.number == at as u64 + 1 && segment.header.first_lsn.0 <= end.lsn.0 + 1
    };
    let segments = files.segments.iter().enumerate();
    let count = segments.take_while(|entry| fits(*entry)).count();
    files.segments.truncate(count);
    Ok(Arc::new(readable_segments(files, end.offset)?))
}

/// Refuses what nobody has agreed to, or nobody can agree to.
pub(crate) fn admit(changes: &[SchemaChange], migrate: bool) -> Result<(), OpenError> {
    let refused = |change: &&SchemaChange| match change.consent() {
        Consent::None => false,
        Consent::Operator => !migrate,
        Consent::Impossible => true,
    };
    let problems: Vec<String> = changes
        .iter()
        .filter(refused)
        .map(ToString::to_string)
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OpenError::SchemaRefused { problems })
    }
}

/// What the report says of changes, but for new types and fields, which it names already.
fn tell(changes: &[SchemaChange], report: &mut RecoveryReport) {
    let is_named = |change: &&SchemaChange| {
        !matches!(
            change,
            SchemaChange::NewType { .. } | SchemaChange::NewField { fill: None, .. }
        )
    };
    report
        .notes
        .extend(changes.iter().filter(is_named).map(SchemaChange::done));
}

/// Values that two live records hold in a field that is unique now and was not before.
pub(crate) fn duplicates(
    shared: &Shared,
    logged: &Catalog,
) -> Result<Vec<SchemaChange>, OpenError> {
    let mut found = Vec::new();
    for (at, def) in shared.schema.types.iter().enumerate() {
        let ty = TypeIx(at as u32);
        let mapping = shared.mapping.type_mapping(ty);
        let known = logged.types.get(mapping.number.0 as usize - 1);
        for (at, (field, number)) in def.fields.iter().zip(&mapping.fields).enumerate() {
            let known = known.and_then(|known| known.fields.get(usize::from(number.0)));
            let was_unique =
                known.is_some_and(|known| known.def.unique && known.def.ty == field.ty);
            if !field.unique || was_unique {
                continue;
            }
            let held = shared
                .duplicates(ty, FieldIx(at as u32))
                .map_err(unreadable)?;
            let named = held.len().min(DUPLICATES_NAMED_MAX);
            let others = (held.len() - named) as u64;
            let named = held.into_iter().take(named).enumerate();
            found.extend(named.map(|(at, Duplicate { first, second })| {
                let is_last = at + 1 == DUPLICATES_NAMED_MAX;
                SchemaChange::Duplicate {
                    entity: def.name.clone(),
                    field: field.name.clone(),
                    first,
                    second,
                    others: if is_last { others } else { 0 },
                }
            }));
        }
    }
    Ok(found)
}

fn report(
    files: &LogFiles,
    found: &Recovered,
    catalog: &Catalog,
    lock_note: Option<&String>,
) -> RecoveryReport {
    let replayed = &found.replayed;
    let mut schema_added = Vec::new();
    for ty in &catalog.types {
        match replayed
            .catalog
            .types
            .iter()
            .find(|known| known.number == ty.number)
        {
            None => schema_added.push(ty.name.clone()),
            Some(known) => {
                let added = ty.fields[known.fields.len()..].iter();
                schema_added.extend(added.map(|field| format!("{}.{}", ty.name, field.def.name)));
            }
        }
    }
    RecoveryReport {
        segments: files.segments.len() as u64,
        counts: replayed.counts.clone(),
        checkpoint: found.base.as_ref().map(|base| CheckpointUse {
            file: base.mapped.name.clone(),
            lsn: base.mapped.header.reach.lsn,
        }),
        frames_read: found.walked,
        head: replayed.published,
        tail: tail_report(files, &found.end),
        schema_added,
        notes: files
            .notes
            .iter()
            .chain(&found.notes)
            .chain(lock_note)
            .cloned()
            .collect(),
    }
}
