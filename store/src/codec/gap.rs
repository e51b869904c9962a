//! The body of a gap frame: what is still said about a run of frames in which nothing is left.
//!
//! A summary, then zeros up to the end of the run, which the file need not store. What must stay true: it carries all that
//! later frames, the request ids and the numbering of records depend on, so that a log reads the same with the gap as with
//! the frames it stands for.

use super::cursor::{Cursor, Undecodable};
use super::record::TypeNo;
use crate::limits::{REQUEST_IDS_MAX, TYPES_MAX};
use crate::value::{EntityId, Lsn, RequestId};

const FIXED_BYTES: usize = 48;
const TYPE_BYTES: usize = 12;
const REQUEST_BYTES: usize = 24;

/// What a gap says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GapSummary {
    /// The last frame of the run,
    pub(crate) last_lsn: Lsn,
    /// its time,
    pub(crate) last_time_ms: i64,
    /// and what the frame behind the gap says about it.
    pub(crate) last_link: u32,
    /// The last data frame of the run; 0 if there is none.
    pub(crate) last_data_lsn: Lsn,
    /// Frames of the run.
    pub(crate) frames: u32,
    /// Data frames among them.
    pub(crate) transactions: u32,
    /// Records in these.
    pub(crate) records: u32,
    /// Highest record number by type, ascending by type: they stay used up.
    pub(crate) max_ids: Vec<(TypeNo, EntityId)>,
    /// Request ids of the run without the first frame's, which stands in the header of the gap.
    pub(crate) requests: Vec<(Lsn, RequestId)>,
}

impl GapSummary {
    /// Bytes of the encoding.
    pub(crate) fn len(&self) -> usize {
        FIXED_BYTES + TYPE_BYTES * self.max_ids.len() + REQUEST_BYTES * self.requests.len()
    }

    /// The summary without the zeros behind it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        out.extend_from_slice(&self.last_lsn.0.to_le_bytes());
        out.extend_from_slice(&self.last_time_ms.to_le_bytes());
        out.extend_from_slice(&self.last_data_lsn.0.to_le_bytes());
        out.extend_from_slice(&self.last_link.to_le_bytes());
        out.extend_from_slice(&self.frames.to_le_bytes());
        out.extend_from_slice(&self.transactions.to_le_bytes());
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&(self.max_ids.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.requests.len() as u32).to_le_bytes());
        for (ty, id) in &self.max_ids {
            out.extend_from_slice(&ty.0.to_le_bytes());
            out.extend_from_slice(&id.0.to_le_bytes());
        }
        for (lsn, id) in &self.requests {
            out.extend_from_slice(&lsn.0.to_le_bytes());
            out.extend_from_slice(&id.0);
        }
        out
    }

    /// Reads the summary that starts `body`.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let mut cursor = Cursor::new(body);
        let mut gap = GapSummary {
            last_lsn: Lsn(cursor.u64("the last LSN of a gap")?),
            last_time_ms: cursor.i64("the last time of a gap")?,
            last_data_lsn: Lsn(cursor.u64("the last data LSN of a gap")?),
            last_link: cursor.u32("the link of a gap")?,
            frames: cursor.u32("the frames of a gap")?,
            transactions: cursor.u32("the transactions of a gap")?,
            records: cursor.u32("the records of a gap")?,
            ..GapSummary::default()
        };
        let types = cursor.u32("a number of types")? as usize;
        let requests = cursor.u32("a number of request ids")? as usize;
        if types > TYPES_MAX || requests > REQUEST_IDS_MAX {
            return Err(Undecodable {
                expected: "a count below its limit",
            });
        }
        for _ in 0..types {
            let ty = TypeNo(cursor.u32("a type number")?);
            if ty.0 == 0 || ty.0 as usize > TYPES_MAX {
                return Err(Undecodable {
                    expected: "a valid type number",
                });
            }
            gap.max_ids.push((ty, EntityId(cursor.u64("an id")?)));
        }
        for _ in 0..requests {
            let lsn = Lsn(cursor.u64("an LSN")?);
            gap.requests
                .push((lsn, RequestId(cursor.bytes16("a request id")?)));
        }
        Ok(gap)
    }
}
