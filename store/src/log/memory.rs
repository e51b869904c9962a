//! A log in memory: the double of the embedded log in tests of what stands above it.
//!
//! What must stay true: it keeps the promises of `CommitLog` and has nothing else in common with the embedded log. Unlike
//! that it can be trimmed.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::codec::frame::FrameKind;
use crate::codec::record::Place;
use crate::log::commit_log::{
    AppendFailure, Appended, Batch, CommitLog, ExtendFailure, Head, LogEntry, Position, Purpose,
    TailFailure,
};
use crate::segments::Segment;
use crate::value::{Lsn, RequestId};

struct Entry {
    kind: FrameKind,
    time_ms: i64,
    request_id: Option<RequestId>,
    offset: u32,
    body: Vec<u8>,
}

/// Entries in a vector; the clock is the number of entries.
#[derive(Default)]
pub(crate) struct MemoryLog {
    entries: Vec<Entry>,
    trimmed: usize,
    bytes: u64,
}

impl MemoryLog {
    /// Position of the first entry.
    pub(crate) fn start() -> Position {
        Position {
            lsn: Lsn(1),
            place: Place {
                segment: 1,
                offset: 0,
            },
        }
    }
}

impl CommitLog for MemoryLog {
    fn head(&self) -> Head {
        let lsn = Lsn((self.trimmed + self.entries.len()) as u64);
        Head {
            lsn,
            time_ms: lsn.0 as i64,
            durable: lsn,
        }
    }

    fn next_time_ms(&self) -> i64 {
        self.head().time_ms + 1
    }

    fn place(&self, before: u64) -> Place {
        Place {
            segment: 1,
            offset: (self.bytes + before) as u32,
        }
    }

    fn fits(&self, _bytes: u64, _purpose: Purpose) -> bool {
        true
    }

    fn extend(
        &mut self,
        _bytes: u64,
        _purpose: Purpose,
    ) -> Result<Option<Arc<Segment>>, ExtendFailure> {
        Ok(None)
    }

    fn append(&mut self, batch: &mut Batch) -> Result<Appended, AppendFailure> {
        let (bytes, entries) = batch.parts();
        for entry in entries {
            self.entries.push(Entry {
                kind: entry.kind,
                time_ms: entry.time_ms,
                request_id: entry.request_id,
                offset: (self.bytes + entry.body.start as u64) as u32,
                body: bytes[entry.body.clone()].to_vec(),
            });
        }
        self.bytes += batch.bytes();
        batch.clear();
        let last = self.head().lsn;
        Ok(Appended {
            last,
            durable: last,
        })
    }

    fn tail(
        &self,
        from: Position,
        visit: &mut dyn FnMut(LogEntry<'_>) -> ControlFlow<()>,
    ) -> Result<(), TailFailure> {
        let Some(skip) = (from.lsn.0 as usize - 1).checked_sub(self.trimmed) else {
            return Err(TailFailure::Trimmed);
        };
        for (at, entry) in self.entries.iter().enumerate().skip(skip) {
            let position = Position {
                lsn: Lsn((self.trimmed + at + 1) as u64),
                place: Place {
                    segment: 1,
                    offset: entry.offset,
                },
            };
            let shown = visit(LogEntry {
                position,
                kind: entry.kind,
                time_ms: entry.time_ms,
                request_id: entry.request_id,
                body: &entry.body,
            });
            if shown.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Lsn {
        Lsn(self.trimmed as u64)
    }

    fn trim(&mut self, up_to: Lsn) -> Lsn {
        let count = (up_to.0 as usize)
            .saturating_sub(self.trimmed)
            .min(self.entries.len());
        self.entries.drain(..count);
        self.trimmed += count;
        Lsn(self.trimmed as u64 + 1)
    }
}
