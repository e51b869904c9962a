//! What the machine can do without any store: `pwrite` behind the last block of a file of zeros, then `fdatasync`. Here because
//! rates of synced writes say nothing without it. Must stay true: as many bytes as FLIN's log takes for a note.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::contestant::said;

const FILE_BYTES: u64 = 64 << 20;

/// A file of zeros that is being filled.
pub struct Reference {
    file: File,
    at: u64,
    block: Vec<u8>,
}

impl Reference {
    /// Makes the file; `block` bytes stand for one commit.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(dir: &Path, block: u64) -> Result<Reference, String> {
        std::fs::create_dir_all(dir).map_err(said)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true);
        let file = file.open(dir.join("reference")).map_err(said)?;
        let zeros = vec![0; 1 << 20];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at).map_err(said)?;
        }
        file.sync_all().map_err(said)?;
        Ok(Reference {
            file,
            at: 0,
            block: vec![0xA5; block as usize],
        })
    }

    /// Writes `commits` blocks at once and syncs.
    ///
    /// # Errors
    /// When a call fails.
    pub fn commit(&mut self, commits: usize) -> Result<(), String> {
        let bytes = self.block.repeat(commits);
        if self.at + bytes.len() as u64 > FILE_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(&bytes, self.at).map_err(said)?;
        self.at += bytes.len() as u64;
        self.file.sync_data().map_err(said)
    }
}
