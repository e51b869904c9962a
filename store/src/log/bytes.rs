//! The bytes of one segment after the other, in memory, for those who walk them.
//!
//! A prepared segment is mostly zeros, and they are most of what opening would have to fetch from a cold disk. What must
//! stay true: wherever the store itself may have left something (`UNSYNCED_BYTES_MAX`) each byte is looked at; an error of
//! the disk is an error and never zeros.

use std::io;

use crate::error::IoFailure;
use crate::limits::UNSYNCED_BYTES_MAX;
use crate::log::files::LoadedSegment;
use crate::log::scan::last_nonzero;

/// A segment is read in pieces of this size.
const READ_BYTES: usize = 256 << 10;
/// Where zeros are expected, so many bytes are looked at,
const SAMPLE_BYTES: usize = 4 << 10;
/// once in so many.
const SAMPLE_EVERY: usize = 1 << 20;

impl LoadedSegment {
    /// The whole file.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, IoFailure> {
        let mut bytes = SegmentBytes::with_room(self.len()?);
        self.read_from(0, Zeros::All, &mut bytes)?;
        Ok(bytes.all)
    }

    /// Length of the file.
    pub(crate) fn len(&self) -> Result<u64, IoFailure> {
        self.file.len_bytes().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> IoFailure {
        IoFailure {
            attempt: "reading a segment",
            file: self.name.clone(),
            source,
        }
    }

    /// Puts the file into `bytes`, each byte at its offset; below `from` is left as it was.
    pub(crate) fn read_from(
        &self,
        from: u64,
        zeros: Zeros,
        bytes: &mut SegmentBytes,
    ) -> Result<(), IoFailure> {
        let len = self.len()? as usize;
        bytes.set_len(len);
        let mut piece = Vec::new();
        let mut zeros_from = None;
        let mut at = (from as usize).min(len);
        while at < len {
            let end = (at + READ_BYTES).min(len);
            if let Some(first) = zeros_from {
                if zeros == Zeros::Near
                    && (at - first) as u64 >= UNSYNCED_BYTES_MAX
                    && self.seem_zero(at, len)?
                {
                    bytes.clear(at, len);
                    return Ok(());
                }
                piece.resize(READ_BYTES, 0);
                let read = &mut piece[..end - at];
                self.read(at, read)?;
                if last_nonzero(read).is_some() {
                    bytes.part(at, end).copy_from_slice(read);
                    zeros_from = None;
                } else {
                    bytes.clear(at, end);
                }
            } else {
                let here = bytes.part(at, end);
                self.read(at, here)?;
                zeros_from = last_nonzero(here).is_none().then_some(at);
            }
            at = end;
        }
        Ok(())
    }

    fn read(&self, at: usize, bytes: &mut [u8]) -> Result<(), IoFailure> {
        let read = self.file.read_at(at as u64, bytes);
        read.map_err(|source| self.failed(source))
    }

    /// Whether nothing stands where one looks between two places, now and then.
    fn seem_zero(&self, from: usize, to: usize) -> Result<bool, IoFailure> {
        let places = (from..to).step_by(SAMPLE_EVERY);
        let sample = |at: usize| (at, SAMPLE_BYTES.min(to - at));
        let samples: Vec<(usize, usize)> = places.map(sample).collect();
        for (at, len) in &samples {
            self.file.will_need(*at as u64, *len as u64);
        }
        let mut found = [0; SAMPLE_BYTES];
        for (at, len) in samples {
            let sample = &mut found[..len];
            self.read(at, sample)?;
            if last_nonzero(sample).is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// How closely the zeros behind the last frame are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zeros {
    /// Each of them.
    All,
    /// Each as far as an unsynced write may have left something; behind that a sample of every piece: what was
    /// acknowledged there would fill it.
    Near,
}

/// Bytes of one segment after the other, in memory that is taken once. Fresh zeros cost nothing until they are touched, and
/// the unused part of a prepared segment never is.
#[derive(Default)]
pub(crate) struct SegmentBytes {
    all: Vec<u8>,
    len: usize,
    /// Behind this nothing was ever touched.
    used: usize,
}

impl SegmentBytes {
    /// Room for segments up to a length.
    pub(crate) fn with_room(len: u64) -> Self {
        SegmentBytes {
            all: vec![0; len as usize],
            len: 0,
            used: 0,
        }
    }

    fn set_len(&mut self, len: usize) {
        if self.all.len() < len {
            *self = SegmentBytes::with_room(len as u64);
        }
        self.len = len;
    }

    fn part(&mut self, from: usize, to: usize) -> &mut [u8] {
        self.used = self.used.max(to);
        &mut self.all[from..to]
    }

    fn clear(&mut self, from: usize, to: usize) {
        let to = to.min(self.used);
        if from < to {
            self.all[from..to].fill(0);
        }
    }
}

impl std::ops::Deref for SegmentBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.all[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::frame::Layout;
    use crate::codec::segment::SegmentHeader;
    use crate::disk::{Disk as _, MemoryDisk};
    use crate::value::Lsn;

    const LEN: u64 = UNSYNCED_BYTES_MAX + (6 << 20);

    /// A segment with a text near its start and one at `far`.
    fn segment(far: u64, text: &[u8]) -> Result<LoadedSegment, io::Error> {
        let file = MemoryDisk::new().create("wal.log", LEN)?;
        file.write_at(4096, b"near")?;
        file.write_at(far, text)?;
        Ok(LoadedSegment {
            name: "wal.log".to_owned(),
            header: SegmentHeader {
                layout: Layout::Compact,
                features: 0,
                store_id: [1; 16],
                number: 1,
                epoch: 1,
                first_lsn: Lsn(1),
                salt: 7,
                created_at_ms: 0,
                capacity: LEN,
                previous_end: 0,
                previous_link: 0,
                rewrites: 0,
                previous_time_ms: 0,
            },
            file: Arc::clone(&file),
        })
    }

    /// Whether the text at `far` is found, however the segment is read, in memory that held something else before.
    fn found(far: u64, text: &[u8]) -> Result<[bool; 2], Box<dyn std::error::Error>> {
        let segment = segment(far, text)?;
        let mut found = [false; 2];
        for (zeros, found) in [Zeros::All, Zeros::Near].into_iter().zip(&mut found) {
            let mut bytes = SegmentBytes::with_room(LEN);
            bytes.set_len(LEN as usize);
            bytes.part(0, LEN as usize).fill(0xEE);
            segment.read_from(0, zeros, &mut bytes)?;
            assert_eq!(&bytes[4096..4100], b"near");
            let others = [
                &bytes[4100..far as usize],
                &bytes[far as usize + text.len()..],
            ];
            assert!(others.iter().all(|bytes| last_nonzero(bytes).is_none()));
            *found = &bytes[far as usize..][..text.len()] == text;
        }
        Ok(found)
    }

    #[test]
    fn what_a_write_may_have_left_is_found_wherever_it_stands()
    -> Result<(), Box<dyn std::error::Error>> {
        for far in [5000, READ_BYTES as u64 + 77, UNSYNCED_BYTES_MAX - 8] {
            assert_eq!(found(far, b"far")?, [true, true], "{far}");
        }
        Ok(())
    }

    #[test]
    fn what_was_acknowledged_behind_many_zeros_is_found() -> Result<(), Box<dyn std::error::Error>>
    {
        let frames = vec![b'x'; SAMPLE_EVERY + SAMPLE_BYTES];
        for far in [
            UNSYNCED_BYTES_MAX + READ_BYTES as u64,
            LEN - frames.len() as u64,
        ] {
            assert_eq!(found(far, &frames)?, [true, true], "{far}");
        }
        Ok(())
    }

    #[test]
    fn far_zeros_are_not_all_read() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(found(LEN - 100, b"far")?, [true, false]);
        Ok(())
    }
}
