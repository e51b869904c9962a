//! The open segment files and the checked reading of records from them.
//!
//! What must stay true: no byte reaches a caller before the record's CRC, type, number and LSN were compared with what
//! the caller asked for.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::record::{Place, RECORD_BYTES_MIN, RecordHeader, TypeNo, record_len};
use crate::codec::segment::SegmentHeader;
use crate::disk::DiskFile;
use crate::error::ReadError;
use crate::sabotage::{Sabotage, removed};
use crate::value::{EntityId, Lsn};

/// One segment, open for reading.
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    /// For messages; rolling renames the file.
    name: Mutex<String>,
    pub(crate) file: Arc<dyn DiskFile>,
}

/// All segments in order of their numbers, which have no gaps.
#[derive(Clone, Default)]
pub(crate) struct SegmentSet {
    segments: Vec<Arc<Segment>>,
}

/// What a read expects to find.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) ty: TypeNo,
    pub(crate) id: EntityId,
    /// Exact LSN, or `None` when only the version is known (walking a chain backwards).
    pub(crate) lsn: Option<Lsn>,
    pub(crate) version: u32,
    pub(crate) place: Place,
}

/// Why a read failed, without names: the caller knows type and schema.
#[derive(Debug)]
pub(crate) enum ReadFault {
    Damaged { file: String, offset: u64, lsn: Lsn },
    Io { file: String, error: std::io::Error },
}

impl ReadFault {
    pub(crate) fn named(self, type_name: &str, id: EntityId) -> ReadError {
        match self {
            ReadFault::Damaged { file, offset, lsn } => ReadError::Damaged {
                file,
                offset,
                lsn,
                type_name: type_name.to_owned(),
                id,
            },
            ReadFault::Io { file, error } => ReadError::Io {
                file,
                message: error.to_string(),
            },
        }
    }
}

impl SegmentSet {
    pub(crate) fn push(&mut self, segment: Arc<Segment>) {
        if let Some(last) = self.segments.last() {
            assert_eq!(
                last.header.number + 1,
                segment.header.number,
                "segments follow each other"
            );
        }
        self.segments.push(segment);
    }

    pub(crate) fn by_number(&self, number: u32) -> Option<&Arc<Segment>> {
        let first = self.segments.first()?.header.number;
        self.segments
            .get(usize::try_from(u64::from(number).checked_sub(first)?).ok()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.iter()
    }
}

impl Segment {
    pub(crate) fn new(header: SegmentHeader, name: String, file: Arc<dyn DiskFile>) -> Self {
        Segment {
            header,
            name: Mutex::new(name),
            file,
        }
    }

    /// The file's name now.
    pub(crate) fn name(&self) -> String {
        self.name
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn renamed(&self, name: &str) {
        name.clone_into(&mut self.name.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads and checks one record.
    pub(crate) fn read(&self, wanted: &Wanted) -> Result<(RecordHeader, Cow<'_, [u8]>), ReadFault> {
        let offset = u64::from(wanted.place.offset);
        let damaged = || ReadFault::Damaged {
            file: self.name(),
            offset,
            lsn: wanted.lsn.unwrap_or(Lsn(0)),
        };
        let io = |error| ReadFault::Io {
            file: self.name(),
            error,
        };
        let start = self
            .file
            .view(offset, RECORD_BYTES_MIN as u64)
            .map_err(io)?;
        let len = record_len(&start).map_err(|_| damaged())?;
        let bytes = match self.file.view(offset, u64::from(len)) {
            Ok(bytes) => bytes,
            // A length that leaves the readable part is damage, not a failure of the disk.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(damaged());
            }
            Err(error) => return Err(io(error)),
        };
        let header = RecordHeader::decode(&bytes).map_err(|_| damaged())?;
        let intact = RecordHeader::intact(&bytes) || removed(Sabotage::RecordCheck);
        let is_wanted = header.ty == wanted.ty
            && header.id == wanted.id
            && header.version == wanted.version
            && wanted.lsn.is_none_or(|lsn| lsn == header.lsn);
        if intact && (is_wanted || removed(Sabotage::RecordIdentity)) {
            Ok((header, bytes))
        } else {
            Err(damaged())
        }
    }
}
