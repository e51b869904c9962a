//! The open segment files and the checked reading of records from them.
//!
//! What must stay true: no byte reaches a caller before the record's CRC, type, number and LSN were compared with what
//! the caller asked for.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::codec::frame::{FRAME_HEADER_BYTES, FRAME_HEADER_BYTES_MIN, FrameHeader, FrameKind};
use crate::codec::record::{
    Place, RECORD_BYTES_MIN, RecordHeader, RecordOp, Table, TypeNo, record_len,
};
use crate::codec::segment::{HAS_GAPS, SegmentHeader};
use crate::disk::DiskFile;
use crate::error::ReadError;
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::sabotage::{Sabotage, removed};
use crate::value::{EntityId, Lsn};

/// One segment, open for reading.
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    /// For messages; rolling renames the file.
    name: Mutex<String>,
    pub(crate) file: Arc<dyn DiskFile>,
    /// First byte and end of each gap, looked for when somebody first asks for a record in one.
    gaps: OnceLock<Vec<(u64, u64)>>,
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

    /// Puts a rewritten segment in the place of the one with its number.
    pub(crate) fn replace(&mut self, segment: Arc<Segment>) {
        let number = segment.header.number;
        let old = self.segments.iter_mut();
        let mut old = old.filter(|old| old.header.number == number);
        match old.next() {
            Some(old) => *old = segment,
            None => unreachable!("only a segment of the set is rewritten"),
        }
    }

    #[inline]
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
            gaps: OnceLock::new(),
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

    /// Reads and checks one record. What a rewrite erased is answered with a header that says so.
    pub(crate) fn read(&self, wanted: &Wanted) -> Result<(RecordHeader, Cow<'_, [u8]>), ReadFault> {
        match self.read_stored(wanted) {
            Err(ReadFault::Damaged { .. }) if self.is_in_gap(u64::from(wanted.place.offset)) => {
                Ok((erased_header(wanted), Cow::Borrowed(&[])))
            }
            read => read,
        }
    }

    /// The same, from bytes that the disk lends, where nothing is odd about it: then `read` says what.
    #[inline]
    pub(crate) fn read_lent(&self, wanted: &Wanted) -> Option<(RecordHeader, &[u8])> {
        let bytes = self.file.frozen()?.get(wanted.place.offset as usize..)?;
        wanted_in(bytes, wanted)
    }

    /// Whether a gap covers this place.
    fn is_in_gap(&self, offset: u64) -> bool {
        if self.header.features & HAS_GAPS == 0 {
            return false;
        }
        let gaps = self.gaps.get_or_init(|| self.find_gaps());
        let behind = gaps.partition_point(|(start, _)| *start <= offset);
        behind > 0 && offset < gaps[behind - 1].1
    }

    /// The header of the frame at a place, as far as it may be read.
    pub(crate) fn frame_header(&self, offset: u64) -> Option<FrameHeader> {
        // The request id stands behind the shortest header, and not behind the last frame of all.
        let longest = self.file.view(offset, FRAME_HEADER_BYTES as u64);
        let shortest = |_| self.file.view(offset, FRAME_HEADER_BYTES_MIN as u64);
        let bytes = longest.or_else(shortest).ok()?;
        FrameHeader::decode(&bytes, self.header.salt, offset)
    }

    /// Walks the headers of all frames. Where they do not go on, nothing is known to be a gap.
    fn find_gaps(&self) -> Vec<(u64, u64)> {
        let (mut gaps, mut offset) = (Vec::new(), SEGMENT_HEADER_BYTES);
        while let Some(header) = self.frame_header(offset) {
            let end = offset + header.frame_len();
            if header.kind == FrameKind::Gap {
                gaps.push((offset, end));
            }
            offset = end;
        }
        gaps
    }

    fn read_stored(&self, wanted: &Wanted) -> Result<(RecordHeader, Cow<'_, [u8]>), ReadFault> {
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
        let (header, _) = wanted_in(&bytes, wanted).ok_or_else(damaged)?;
        Ok((header, bytes))
    }
}

/// The record that starts `bytes`, if it is intact and the wanted one.
#[inline]
fn wanted_in<'a>(bytes: &'a [u8], wanted: &Wanted) -> Option<(RecordHeader, &'a [u8])> {
    let record = bytes.get(..record_len(bytes).ok()? as usize)?;
    let header = RecordHeader::decode(record).ok()?;
    let intact = RecordHeader::intact(record) || removed(Sabotage::RecordCheck);
    let is_wanted = header.ty == wanted.ty
        && header.id == wanted.id
        && header.version == wanted.version
        && wanted.lsn.is_none_or(|lsn| lsn == header.lsn);
    (intact && (is_wanted || removed(Sabotage::RecordIdentity))).then_some((header, record))
}

/// What is known of a version that stood in a gap.
fn erased_header(wanted: &Wanted) -> RecordHeader {
    RecordHeader {
        len: 0,
        ty: wanted.ty,
        version: wanted.version,
        id: wanted.id,
        lsn: wanted.lsn.unwrap_or(Lsn(0)),
        previous: None,
        created_at_ms: 0,
        updated_at_ms: 0,
        op: RecordOp::Update,
        deleted: false,
        erased: true,
        schema: 0,
        field_count: 0,
        table: Table::default(),
    }
}
