//! A checkpoint file open for reading: sections by name, blocks checked when they are touched for the first time.
//!
//! What must stay true: no byte of a block is given out before the block's CRC was found right; a bad block stays bad.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::codec::checkpoint::{
    CheckpointHeader, SectionPlace, block_crc, decode_directory, salted_crc,
};
use crate::disk::{Disk, DiskFile};
use crate::limits::{CHECKPOINT_BLOCK_BYTES, CHECKPOINT_HEADER_BYTES};
use crate::sabotage::{Sabotage, removed};

/// A block that is not what was written. The checkpoint is not used any more by whoever meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadBlock;

/// A checkpoint file with an intact header and directory.
pub(crate) struct Mapped {
    pub(crate) name: String,
    pub(crate) header: CheckpointHeader,
    file: Arc<dyn DiskFile>,
    sections: Vec<SectionPlace>,
    data_len: u64,
    crcs: Vec<u32>,
    /// A bit for each block that was found right.
    checked: Vec<AtomicU64>,
}

/// A section of a checkpoint.
#[derive(Clone)]
pub(crate) struct Section {
    mapped: Arc<Mapped>,
    offset: u64,
    len: u64,
}

fn words(error: &io::Error) -> String {
    format!("reading it failed: {error}")
}

impl Mapped {
    /// Opens a checkpoint; the error says why it cannot be used.
    pub(crate) fn open(disk: &dyn Disk, name: &str) -> Result<Self, String> {
        let file = disk.open(name).map_err(|error| words(&error))?;
        let found = file.len_bytes().map_err(|error| words(&error))?;
        if found < CHECKPOINT_HEADER_BYTES {
            return Err("it is shorter than its header".to_owned());
        }
        let mut page = vec![0; CHECKPOINT_HEADER_BYTES as usize];
        file.read_at(0, &mut page).map_err(|error| words(&error))?;
        let header = CheckpointHeader::decode(&page)?;
        if header.file_len != found {
            let made = header.file_len;
            return Err(format!("it was made {made} bytes long and has {found}"));
        }
        let room = found - CHECKPOINT_HEADER_BYTES;
        if header.directory_len > room || header.data_at() > found {
            return Err("its directory does not fit".to_owned());
        }
        // With the zeros behind it: every byte of the file is covered by some CRC.
        let mut directory = vec![0; (header.data_at() - CHECKPOINT_HEADER_BYTES) as usize];
        file.read_at(CHECKPOINT_HEADER_BYTES, &mut directory)
            .map_err(|error| words(&error))?;
        if salted_crc(header.salt, &directory) != header.directory_crc
            && !removed(Sabotage::CheckpointDirectoryCheck)
        {
            return Err("its directory fails its checksum".to_owned());
        }
        let data_len = found - header.data_at();
        let (sections, crcs) =
            decode_directory(&directory, header.directory_len, header.sections, data_len)
                .map_err(|_| "its directory does not decode")?;
        file.freeze(found).map_err(|error| words(&error))?;
        let checked = (0..crcs.len().div_ceil(64)).map(|_| AtomicU64::new(0));
        Ok(Mapped {
            name: name.to_owned(),
            header,
            file,
            sections,
            data_len,
            checked: checked.collect(),
            crcs,
        })
    }

    /// A section by its name.
    pub(crate) fn section(self: &Arc<Self>, name: &str) -> Option<Section> {
        let place = self.sections.iter().find(|place| place.name == name)?;
        Some(Section {
            mapped: self.clone(),
            offset: place.offset,
            len: place.len,
        })
    }

    #[inline]
    fn is_checked(&self, block: u64) -> bool {
        self.checked[block as usize / 64].load(Ordering::Acquire) & (1 << (block % 64)) != 0
    }

    #[inline]
    fn check_block(&self, block: u64) -> Result<(), BadBlock> {
        if self.is_checked(block) {
            Ok(())
        } else {
            self.check_block_now(block)
        }
    }

    fn check_block_now(&self, block: u64) -> Result<(), BadBlock> {
        let start = block * CHECKPOINT_BLOCK_BYTES;
        let len = CHECKPOINT_BLOCK_BYTES.min(self.data_len - start);
        let bytes = self.view(start, len)?;
        if block_crc(self.header.salt, block, &bytes) != self.crcs[block as usize]
            && !removed(Sabotage::CheckpointBlockCheck)
        {
            return Err(BadBlock);
        }
        self.checked[block as usize / 64].fetch_or(1 << (block % 64), Ordering::AcqRel);
        Ok(())
    }

    /// Checks every block.
    pub(crate) fn check_all(&self) -> Result<(), BadBlock> {
        (0..self.crcs.len() as u64).try_for_each(|block| self.check_block(block))
    }

    #[inline]
    fn view(&self, offset: u64, len: u64) -> Result<Cow<'_, [u8]>, BadBlock> {
        let start = self.header.data_at() + offset;
        if let Some(all) = self.file.frozen() {
            let lent = all.get(start as usize..(start + len) as usize);
            return lent.map(Cow::Borrowed).ok_or(BadBlock);
        }
        // A file that cannot be read is as good as a bad block: the log has all of it.
        self.file.view(start, len).map_err(|_| BadBlock)
    }

    #[inline]
    fn bytes(&self, offset: u64, len: u64) -> Result<Cow<'_, [u8]>, BadBlock> {
        if len > 0 {
            let blocks =
                offset / CHECKPOINT_BLOCK_BYTES..=(offset + len - 1) / CHECKPOINT_BLOCK_BYTES;
            blocks
                .into_iter()
                .try_for_each(|block| self.check_block(block))?;
        }
        self.view(offset, len)
    }
}

impl Section {
    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of the section, checked.
    #[inline]
    pub(crate) fn bytes(&self, from: u64, len: u64) -> Result<Cow<'_, [u8]>, BadBlock> {
        match from.checked_add(len) {
            Some(end) if end <= self.len => self.mapped.bytes(self.offset + from, len),
            Some(_) | None => Err(BadBlock),
        }
    }

    /// The whole section, checked.
    pub(crate) fn all(&self) -> Result<Cow<'_, [u8]>, BadBlock> {
        self.bytes(0, self.len)
    }
}
