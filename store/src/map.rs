//! A read-only mapping of a segment that only ever lends out bytes which will not change again.
//!
//! The one place of this crate with `unsafe`. What must stay true: a slice never covers a byte at or above `frozen`,
//! `frozen` only grows, and `RealFile` refuses to write below it; so no borrowed byte changes while it is borrowed.

use std::fs::File;
use std::io;

use memmap2::{Advice, MmapOptions, MmapRaw};

use crate::threads::{AtomicU64, Ordering};

/// A mapping of a whole file with a growing frozen prefix.
pub(crate) struct FrozenMap {
    raw: MmapRaw,
    frozen: AtomicU64,
}

impl FrozenMap {
    /// Maps `file`, which must not be shortened while the mapping lives (the store never shortens files).
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        let raw = MmapOptions::new().map_raw_read_only(file)?;
        Ok(FrozenMap {
            raw,
            frozen: AtomicU64::new(0),
        })
    }

    /// Asks the system to fetch a part of the file; whether it could be asked.
    pub(crate) fn will_need(&self, offset: u64, len: u64) -> bool {
        let end = offset.saturating_add(len).min(self.raw.len() as u64);
        let part = (end.saturating_sub(offset)) as usize;
        part > 0
            && self
                .raw
                .advise_range(Advice::WillNeed, offset as usize, part)
                .is_ok()
    }

    /// No byte below `end` is written from now on. `end` beyond the mapping is refused.
    pub(crate) fn freeze(&self, end: u64) -> io::Result<()> {
        if end > self.raw.len() as u64 {
            return Err(crate::disk::out_of_range(0, end, self.raw.len() as u64));
        }
        self.frozen.fetch_max(end, Ordering::AcqRel);
        Ok(())
    }

    /// First byte that may still be written.
    #[inline]
    pub(crate) fn frozen(&self) -> u64 {
        self.frozen.load(Ordering::Acquire)
    }

    /// Frozen bytes.
    #[inline]
    pub(crate) fn slice(&self, offset: u64, len: u64) -> io::Result<&[u8]> {
        let frozen = self.frozen();
        match offset.checked_add(len) {
            Some(end) if end <= frozen => {}
            _ => return Err(crate::disk::out_of_range(offset, len, frozen)),
        }
        // SAFETY: `offset + len <= frozen <= raw.len()`, so the range lies inside the mapping, which lives as long as
        // `self`. Bytes below `frozen` are never written again through this process (`RealFile::write_at` refuses),
        // other processes are kept out by the directory lock, and the store never shortens a file.
        Ok(unsafe {
            std::slice::from_raw_parts(self.raw.as_ptr().add(offset as usize), len as usize)
        })
    }
}
