//! The embedded log behind `CommitLog`: one directory, one writer.
//!
//! Here because the writer's own business (buffers, segments, renames) ends where the trait begins. What must stay true:
//! `tail` shows an entry only below the durable end and after its checksums were compared.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::codec::checkpoint::Reach;
use crate::codec::frame::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, body_crc};
use crate::codec::gap::GapSummary;
use crate::codec::record::Place;
use crate::codec::segment::SegmentHeader;
use crate::disk::DiskFile;
use crate::error::{Damage, DamageKind, IoFailure};
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::log::commit_log::{
    AppendFailure, Appended, Batch, CommitLog, ExtendFailure, Head, LogEntry, Position, Purpose,
    Reached, TailFailure,
};
use crate::log::files::{load, sealed_name};
use crate::log::writer::{Before, LogWriter};
use crate::segments::Segment;
use crate::shared::Shared;
use crate::value::Lsn;

impl CommitLog for LogWriter {
    fn head(&self) -> Head {
        Head {
            lsn: self.last_lsn,
            time_ms: self.last_time_ms,
            durable: self.durable,
        }
    }

    fn next_time_ms(&self) -> i64 {
        self.disk.now_ms().max(self.last_time_ms)
    }

    fn place(&self, before: u64) -> Place {
        let (segment, end) = self.next_place();
        Shared::place(segment, end + before)
    }

    fn fits(&self, bytes: u64, purpose: Purpose) -> bool {
        self.has_room(bytes, purpose)
    }

    fn extend(
        &mut self,
        bytes: u64,
        purpose: Purpose,
    ) -> Result<Option<Arc<Segment>>, ExtendFailure> {
        self.make_room(bytes, purpose)
    }

    fn append(&mut self, batch: &mut Batch) -> Result<Appended, AppendFailure> {
        self.flush(batch)?;
        Ok(Appended {
            last: self.last_lsn,
            durable: self.durable,
        })
    }

    fn tail(
        &self,
        from: Position,
        visit: &mut dyn FnMut(LogEntry<'_>) -> ControlFlow<()>,
    ) -> Result<(), TailFailure> {
        let mut expected = from.lsn;
        let mut offset = u64::from(from.place.offset);
        let mut number = u64::from(from.place.segment);
        while expected <= self.durable {
            let Some(source) = self.source(number)? else {
                return Err(TailFailure::Trimmed);
            };
            match source.entries(&mut expected, offset, self.durable, visit)? {
                ControlFlow::Break(()) => return Ok(()),
                ControlFlow::Continue(()) => (number, offset) = (number + 1, SEGMENT_HEADER_BYTES),
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Lsn {
        self.kept
    }

    fn reached(&self) -> Option<Reached> {
        let active = self.active.as_ref()?;
        let settled = self.durable == self.last_lsn && self.before == Before::Nothing;
        let frame_at = self.last_frame_at.filter(|_| settled)?;
        let header = &active.segment.header;
        Some(Reached {
            store_id: self.store_id,
            reach: Reach {
                lsn: self.last_lsn,
                time_ms: self.last_time_ms,
                link: self.last_link,
                last: self.last_kind,
                segment: header.number,
                epoch: header.epoch,
                segment_salt: header.salt,
                frame_at,
                next_at: active.end,
            },
            segment: active.segment.clone(),
            counts: self.counts.clone(),
        })
    }

    fn kept(&mut self, up_to: Lsn) -> Result<(), IoFailure> {
        assert!(
            up_to <= self.durable,
            "only durable entries are kept beside the log"
        );
        self.kept = up_to;
        self.write_manifest()
    }

    fn trim(&mut self, _up_to: Lsn) -> Lsn {
        self.known.first().map_or(Lsn(1), |first| first.first_lsn)
    }

    fn prepare(&mut self) {
        self.prepare_next();
    }

    fn wants_mark(&self) -> bool {
        self.lacks_mark()
    }

    fn mark(&mut self) -> Result<(), AppendFailure> {
        let mut batch = Batch::default();
        if self.push_mark(false, &mut batch) {
            // Unsynced: it only has to arrive some time.
            self.write_out(&mut batch)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), IoFailure> {
        self.close_log()
    }
}

/// A segment that entries are read back from.
struct Source {
    name: String,
    header: SegmentHeader,
    file: Arc<dyn DiskFile>,
    /// First LSN of the segment behind it: what ends this one without an end mark.
    next_first: Option<Lsn>,
}

impl LogWriter {
    /// Opens the segment with a number; `None` if there is none.
    fn source(&self, number: u64) -> Result<Option<Source>, TailFailure> {
        let Some(at) = self.known.iter().position(|known| known.number == number) else {
            return Ok(None);
        };
        let next_first = self.known.get(at + 1).map(|next| next.first_lsn);
        if let Some(active) = &self.active
            && active.segment.header.number == number
        {
            return Ok(Some(Source {
                name: active.segment.name(),
                header: active.segment.header.clone(),
                file: active.segment.file.clone(),
                next_first,
            }));
        }
        let name = sealed_name(self.known[at].first_lsn, self.known[at].epoch);
        let failed = |source| {
            TailFailure::Io(IoFailure {
                attempt: "reading a segment",
                file: name.clone(),
                source,
            })
        };
        // An interrupted roll may have left it another name: headers say what a file is.
        let file = match self.disk.open(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let files =
                    load(self.disk.as_ref()).map_err(|error| failed(io::Error::other(error)))?;
                let mut segments = files.segments.into_iter();
                let found = segments.find(|segment| segment.header.number == number);
                found.map(|segment| segment.file).ok_or(error)
            }
            opened => opened,
        };
        let file = file.map_err(failed)?;
        let mut page = vec![0; SEGMENT_HEADER_BYTES as usize];
        file.read_at(0, &mut page).map_err(failed)?;
        let Ok(header) = SegmentHeader::decode(&page) else {
            return Err(TailFailure::Damaged(Damage {
                file: name,
                offset: 0,
                lsn: self.known[at].first_lsn,
                what: DamageKind::SegmentHeader,
            }));
        };
        Ok(Some(Source {
            name,
            header,
            file,
            next_first,
        }))
    }
}

impl Source {
    /// Shows the durable entries from `offset` on; `expected` is the number of the first one and then of the next.
    fn entries(
        &self,
        expected: &mut Lsn,
        mut offset: u64,
        durable: Lsn,
        visit: &mut dyn FnMut(LogEntry<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, TailFailure> {
        let mut head = [0; FRAME_HEADER_BYTES];
        let mut body = Vec::new();
        while *expected <= durable && self.next_first != Some(*expected) {
            let damaged = |what| {
                TailFailure::Damaged(Damage {
                    file: self.name.clone(),
                    offset,
                    lsn: *expected,
                    what,
                })
            };
            let failed = |source| {
                TailFailure::Io(IoFailure {
                    attempt: "reading the log",
                    file: self.name.clone(),
                    source,
                })
            };
            // The last header of a segment may be the short one.
            let room = self.header.capacity.saturating_sub(offset);
            let head = &mut head[..room.min(FRAME_HEADER_BYTES as u64) as usize];
            self.file.read_at(offset, head).map_err(failed)?;
            let header = FrameHeader::decode(head, self.header.salt, offset)
                .ok_or_else(|| damaged(DamageKind::FrameHeader))?;
            body.resize(header.body_len as usize, 0);
            let body_at = offset + header.header_len();
            self.file.read_at(body_at, &mut body).map_err(failed)?;
            if body_crc(self.header.salt, header.lsn, &body) != header.body_crc {
                return Err(damaged(DamageKind::FrameBody));
            }
            // A gap stands for all entries up to its last one.
            let last = match header.kind {
                FrameKind::Gap => GapSummary::decode(&body).map(|gap| gap.last_lsn),
                FrameKind::Data
                | FrameKind::Schema
                | FrameKind::SyncMark
                | FrameKind::SegmentEnd => Ok(header.lsn),
            };
            let last = last.map_err(|error| {
                damaged(DamageKind::Undecodable {
                    expected: error.expected,
                })
            })?;
            if !(header.lsn..=last).contains(expected) {
                return Err(damaged(DamageKind::WrongLsn { found: header.lsn }));
            }
            let position = Position {
                lsn: header.lsn,
                place: Shared::place(self.header.number as u32, offset),
            };
            *expected = Lsn(last.0 + 1);
            offset += header.frame_len();
            let shown = visit(LogEntry {
                position,
                kind: header.kind,
                time_ms: header.time_ms,
                request_id: header.request_id,
                body: &body,
            });
            if shown.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
