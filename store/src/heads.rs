//! Heads, the entries of the index, as bytes: 24 each, in pages of 256.
//!
//! The same bytes stand in memory and in checkpoints, so that a page of a checkpoint is used where it is mapped. What
//! must stay true: an entry of zeros is "no record", and a page in use elsewhere is copied before it changes.

use std::sync::Arc;

use crate::codec::cursor::{u32_at, u64_at};
use crate::codec::record::Place;
use crate::value::Lsn;

/// Entries of a page.
pub(crate) const PAGE_HEADS: usize = 256;
/// Bytes of an entry.
pub(crate) const HEAD_BYTES: usize = 24;
/// Bytes of a page.
pub(crate) const PAGE_BYTES: usize = PAGE_HEADS * HEAD_BYTES;
const DELETED: u32 = 1;

/// The entries of 256 records with neighbouring numbers.
pub(crate) type PageBytes = [u8; PAGE_BYTES];

/// The newest version of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) place: Place,
    pub(crate) lsn: Lsn,
    pub(crate) version: u32,
    pub(crate) deleted: bool,
}

impl Head {
    /// Leads nowhere: stands for entries that are lost (checkpoint and log are both unreadable), so that reading
    /// through it is an error.
    pub(crate) const LOST: Head = Head {
        place: Place {
            segment: u32::MAX,
            offset: u32::MAX,
        },
        lsn: Lsn(u64::MAX),
        version: u32::MAX,
        deleted: false,
    };

    /// Reads an entry; `None` for zeros.
    #[inline]
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let lsn = Lsn(u64_at(bytes, 8));
        (lsn != Lsn(0)).then(|| Head {
            place: Place {
                segment: u32_at(bytes, 0),
                offset: u32_at(bytes, 4),
            },
            lsn,
            version: u32_at(bytes, 16),
            deleted: u32_at(bytes, 20) & DELETED != 0,
        })
    }

    pub(crate) fn encode(self) -> [u8; HEAD_BYTES] {
        let mut out = [0; HEAD_BYTES];
        out[0..4].copy_from_slice(&self.place.segment.to_le_bytes());
        out[4..8].copy_from_slice(&self.place.offset.to_le_bytes());
        out[8..16].copy_from_slice(&self.lsn.0.to_le_bytes());
        out[16..20].copy_from_slice(&self.version.to_le_bytes());
        let flags = if self.deleted { DELETED } else { 0 };
        out[20..24].copy_from_slice(&flags.to_le_bytes());
        out
    }
}

/// The entry at a position of a page.
#[inline]
pub(crate) fn head_in(page: &[u8], at: usize) -> Option<Head> {
    Head::decode(&page[at * HEAD_BYTES..(at + 1) * HEAD_BYTES])
}

/// Puts an entry (or none) at a position of a page.
pub(crate) fn put_head(page: &mut PageBytes, at: usize, head: Option<Head>) {
    let bytes = head.map_or([0; HEAD_BYTES], Head::encode);
    page[at * HEAD_BYTES..(at + 1) * HEAD_BYTES].copy_from_slice(&bytes);
}

/// Where a page of the index is.
#[derive(Clone, Default)]
pub(crate) enum Page {
    /// No record in it was ever written.
    #[default]
    Absent,
    /// In the checkpoint the store was opened with, unchanged.
    Mapped,
    /// In memory; shared with a checkpoint that is being written.
    Owned(Arc<PageBytes>),
}
