//! What can be read of a damaged log, written into a new store: versions, times and request ids included.
//!
//! What must stay true: the damaged log is only read; a transaction goes over whole or not at all; what is written is a
//! sound log of its own, and what could not go over is counted and said.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::codec::catalog::{decode_catalog, encode_catalog};
use crate::codec::cursor::Undecodable;
use crate::codec::frame::FrameKind;
use crate::codec::record::{
    FieldNo, Place, RecordHeader, RecordOp, Table, TypeNo, each_record, put_record,
};
use crate::disk::{Disk, DiskFile, LockError, LockGuard};
use crate::error::{Damage, IoFailure, OpenError};
use crate::log::commit_log::{AppendFailure, Batch, CommitLog, ExtendFailure, Purpose};
use crate::log::files::load;
use crate::log::recover::is_empty;
use crate::log::walk::{OnDamage, Visit, walk};
use crate::log::writer::{LogWriter, frame_len};
use crate::open::{duplicates, empty_writer, inspect};
use crate::progress::{OnProgress, Progress};
use crate::reading::access;
use crate::snapshot::Deleted;
use crate::value::{EntityId, Lsn, RequestId, TypeIx};

/// A batch is written when it has so many bytes.
const BATCH_BYTES: u64 = 1 << 20;

/// What went over, and what did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Transactions that were written.
    pub transactions: u64,
    /// Versions of records in them.
    pub versions: u64,
    /// The damaged places; what stood there is not in the new store.
    pub damages: Vec<Damage>,
    /// Records whose beginning or middle is missing: their versions are counted on from the first one that is there.
    pub incomplete: u64,
    /// Things that the new store has and should not: links that go nowhere, values that should be unique.
    pub broken: Vec<String>,
}

/// Writes what can be read of the store in `disk` into a new one in `to`, which must be empty.
pub fn salvage(
    disk: &dyn Disk,
    to: Arc<dyn Disk>,
    progress: OnProgress<'_>,
) -> Result<Salvaged, OpenError> {
    let (_guard, holder) = access(disk)?;
    if holder.is_some() {
        let place = disk.place();
        return Err(OpenError::Locked { place, holder });
    }
    let files = load(disk)?;
    if is_empty(&files) {
        let place = disk.place();
        return Err(OpenError::NoStore { place });
    }
    let failed = |attempt: &'static str| {
        let file = to.place();
        move |source| {
            OpenError::Io(IoFailure {
                attempt,
                file,
                source,
            })
        }
    };
    let occupied = to.list().map_err(failed("listing the directory"))?;
    if occupied.iter().any(|name| name != "LOCK") {
        let source = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it is not empty");
        return Err(failed("making a new store")(source));
    }
    let (to_guard, _) = access(&*to)?;
    let mut copy = Copy {
        log: empty_writer(Arc::new(Timeless(to.clone())))?,
        batch: Batch::default(),
        newest: HashMap::new(),
        catalog: Catalog::default(),
        salvaged: Salvaged::default(),
        failure: None,
    };
    let total = files
        .segments
        .iter()
        .map(|segment| segment.header.capacity)
        .sum();
    let mut done = 0;
    let (_, found) = walk(&files, OnDamage::GoOn, &mut |visit| {
        done += visit.header.frame_len();
        progress(Progress::bytes("copying", done, total));
        copy.frame(&visit)
    })?;
    copy.finish(&to)?;
    let mut salvaged = copy.salvaged;
    salvaged.damages = files.damages.iter().cloned().chain(found).collect();
    drop((copy.log, to_guard));
    salvaged.broken = broken(&*to)?;
    Ok(salvaged)
}

/// The newest version of a record that went over.
#[derive(Clone, Copy)]
struct Newest {
    /// Its version in the damaged log.
    was: u32,
    /// Version and place in the new one.
    version: u32,
    place: Place,
}

/// The new log under way.
struct Copy {
    log: LogWriter,
    batch: Batch,
    newest: HashMap<(TypeNo, EntityId), Newest>,
    catalog: Catalog,
    salvaged: Salvaged,
    /// The first failure; nothing is written after it.
    failure: Option<IoFailure>,
}

impl Copy {
    fn frame(&mut self, visit: &Visit<'_>) -> Result<(), Undecodable> {
        if self.failure.is_some() {
            return Ok(());
        }
        let done = match visit.header.kind {
            FrameKind::Schema => {
                self.catalog = decode_catalog(visit.body)?;
                self.schema(visit.header.time_ms)
            }
            FrameKind::Data => {
                let records = records_of(visit)?;
                self.records(&records, visit.header.time_ms, visit.header.request_id)
            }
            FrameKind::SyncMark | FrameKind::SegmentEnd | FrameKind::Gap => Ok(()),
        };
        if let Err(failure) = done {
            self.failure = Some(failure);
        }
        Ok(())
    }

    fn schema(&mut self, time_ms: i64) -> Result<(), IoFailure> {
        let body = encode_catalog(&self.catalog);
        self.room(body.len())?;
        self.batch.push(FrameKind::Schema, 0, time_ms, None, |out| {
            out.extend_from_slice(&body)
        });
        Ok(())
    }

    fn records(
        &mut self,
        records: &[(RecordHeader, &[u8])],
        time_ms: i64,
        request_id: Option<RequestId>,
    ) -> Result<(), IoFailure> {
        if records.is_empty() {
            return Ok(());
        }
        // Making room may end a segment, which takes a number: the bodies are made again with the numbers that hold.
        let (body, _) = self.encode(records);
        self.room(body.len())?;
        let (body, places) = self.encode(records);
        self.batch
            .push(FrameKind::Data, 0, time_ms, request_id, |out| {
                out.extend_from_slice(&body)
            });
        let body_at = self.batch.newest_body_at();
        for ((header, _), (version, at)) in records.iter().zip(places) {
            let key = (header.ty, header.id);
            self.salvaged.versions += 1;
            if header.op == RecordOp::Destroy {
                self.newest.remove(&key);
                continue;
            }
            let place = self.log.place(body_at + at);
            let known = self.newest.insert(
                key,
                Newest {
                    was: header.version,
                    version,
                    place,
                },
            );
            let follows = header.version == known.map_or(0, |known| known.was) + 1;
            if !follows && header.op != RecordOp::Create {
                self.salvaged.incomplete += 1;
            }
        }
        self.salvaged.transactions += 1;
        Ok(())
    }

    /// The body as it stands behind the batch, and version and offset of each record.
    fn encode(&self, records: &[(RecordHeader, &[u8])]) -> (Vec<u8>, Vec<(u32, u64)>) {
        let lsn = Lsn(self.log.head().lsn.0 + self.batch.len() as u64 + 1);
        let (mut body, mut places) = (Vec::new(), Vec::new());
        for (header, bytes) in records {
            let previous = self.newest.get(&(header.ty, header.id));
            let version = match previous {
                Some(newest) => newest.version + 1,
                None => header.version,
            };
            places.push((version, body.len() as u64));
            let fields: Vec<(FieldNo, _)> = (0..header.field_count)
                .filter_map(|number| {
                    // Decoded once before it came here.
                    let value = header
                        .field(bytes, FieldNo(number), &|no| Some(TypeIx(no)))
                        .ok()?;
                    (!value.is_none()).then_some((FieldNo(number), value))
                })
                .collect();
            let fields: Vec<(FieldNo, &_)> = fields
                .iter()
                .map(|(number, value)| (*number, value))
                .collect();
            let is_receipt = header.op == RecordOp::Destroy;
            let moved = RecordHeader {
                lsn,
                version,
                previous: previous.filter(|_| !is_receipt).map(|newest| newest.place),
                schema: self.catalog.version,
                len: 0,
                field_count: 0,
                table: Table::default(),
                ..header.clone()
            };
            put_record(&mut body, &moved, &fields, &|ty| ty.0);
        }
        (body, places)
    }

    fn room(&mut self, body_len: usize) -> Result<(), IoFailure> {
        let bytes = frame_len(body_len);
        if self.batch.bytes() >= BATCH_BYTES || !self.fits(bytes) {
            self.append()?;
        }
        if !self.fits(bytes) {
            let extended = self.log.extend(bytes, Purpose::Growing);
            extended.map(drop).map_err(|failure| match failure {
                ExtendFailure::Full => {
                    self.io("making room", std::io::ErrorKind::StorageFull.into())
                }
                ExtendFailure::Refused(error) => self.io("making room", error),
                ExtendFailure::Append(AppendFailure { attempt, error }) => self.io(attempt, error),
            })?;
        }
        Ok(())
    }

    fn fits(&self, bytes: u64) -> bool {
        self.log.fits(self.batch.bytes() + bytes, Purpose::Growing)
    }

    fn append(&mut self) -> Result<(), IoFailure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let appended = self.log.append(&mut self.batch).map(drop);
        appended.map_err(|AppendFailure { attempt, error }| self.io(attempt, error))
    }

    fn io(&self, attempt: &'static str, source: std::io::Error) -> IoFailure {
        let file = "the new store".to_owned();
        IoFailure {
            attempt,
            file,
            source,
        }
    }

    fn finish(&mut self, to: &Arc<dyn Disk>) -> Result<(), OpenError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure.into());
        }
        // Not even a schema was readable: the new store is an empty one.
        self.room(0)?;
        self.append()?;
        self.log.disk = to.clone();
        Ok(self.log.close()?)
    }
}

/// The records of an intact frame, each of them intact and decodable; erased ones are left out.
fn records_of<'a>(visit: &Visit<'a>) -> Result<Vec<(RecordHeader, &'a [u8])>, Undecodable> {
    let mut records = Vec::new();
    each_record(visit.body, &mut |_, header, bytes| {
        if !RecordHeader::intact(bytes) {
            let expected = "a record with an intact checksum";
            return Err(Undecodable { expected });
        }
        for number in 0..header.field_count {
            header.field(bytes, FieldNo(number), &|no| Some(TypeIx(no)))?;
        }
        if !header.erased {
            records.push((header, bytes));
        }
        Ok(())
    })?;
    Ok(records)
}

/// What a sound store would not have, as sentences.
fn broken(disk: &dyn Disk) -> Result<Vec<String>, OpenError> {
    let store = match inspect(disk) {
        Ok(store) => store,
        Err(OpenError::NoStore { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (snapshot, schema) = (store.snapshot(), store.schema());
    let mut broken: Vec<String> = duplicates(&snapshot.shared, &Catalog::default())?
        .iter()
        .map(ToString::to_string)
        .collect();
    for at in 0..schema.types.len() {
        let ty = TypeIx(at as u32);
        for record in snapshot.scan(ty, Deleted::Hide) {
            let record = record.map_err(crate::open::unreadable)?;
            for (field, _, target, id) in snapshot.shared.links(ty, &record.fields) {
                if snapshot
                    .get(target, id)
                    .map_err(crate::open::unreadable)?
                    .is_none()
                {
                    let (def, target) = (schema.type_def(ty), schema.type_def(target));
                    broken.push(format!(
                        "{}.{} of {} {} links to {} {id}, which is not there",
                        def.name,
                        def.fields[field.0 as usize].name,
                        def.name,
                        record.id,
                        target.name
                    ));
                }
            }
        }
    }
    Ok(broken)
}

/// A disk without a clock: frames keep the times that they had, and time never goes backwards in a log.
struct Timeless(Arc<dyn Disk>);

impl Disk for Timeless {
    fn place(&self) -> String {
        self.0.place()
    }

    fn list(&self) -> std::io::Result<Vec<String>> {
        self.0.list()
    }

    fn list_quarantine(&self) -> std::io::Result<Vec<String>> {
        self.0.list_quarantine()
    }

    fn open(&self, name: &str) -> std::io::Result<Arc<dyn DiskFile>> {
        self.0.open(name)
    }

    fn create(&self, name: &str, len: u64) -> std::io::Result<Arc<dyn DiskFile>> {
        self.0.create(name, len)
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }

    fn sync_dir(&self) -> std::io::Result<()> {
        self.0.sync_dir()
    }

    fn lock(&self) -> Result<LockGuard, LockError> {
        self.0.lock()
    }

    fn now_ms(&self) -> i64 {
        i64::MIN
    }

    fn random_u64(&self) -> std::io::Result<u64> {
        self.0.random_u64()
    }
}
