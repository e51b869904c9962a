//! `BACKUP`: a few lines of text that say what a backup holds and when it was taken.
//!
//! For people, and for a restore to a time: up to `taken` the backup knows everything. What must stay true: a file that is not
//! exactly what was written says nothing.

use crate::disk::Disk;
use crate::error::IoFailure;
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// Its name.
pub(super) const BACKUP: &str = "BACKUP";
const FIRST_LINE: &str = "flin store backup, format 1";
const BYTES_MAX: u64 = 4096;

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BackupNote {
    /// Newest transaction.
    pub(super) lsn: Lsn,
    /// Its time.
    pub(super) time_ms: i64,
    /// Until when the backup knows everything.
    pub(super) taken_ms: i64,
}

impl BackupNote {
    pub(super) fn encode(&self) -> String {
        let text = format!(
            "{FIRST_LINE}\nlsn {}\ntime {}\ntaken {}\n",
            self.lsn, self.time_ms, self.taken_ms
        );
        let crc = crc32fast::hash(text.as_bytes());
        format!("{text}crc {crc:08x}\n")
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let note = BackupNote {
            lsn: Lsn(lines.next()?.strip_prefix("lsn ")?.parse().ok()?),
            time_ms: lines.next()?.strip_prefix("time ")?.parse().ok()?,
            taken_ms: lines.next()?.strip_prefix("taken ")?.parse().ok()?,
        };
        (note.encode() == text || removed(Sabotage::BackupNoteCheck)).then_some(note)
    }

    /// The note of a directory; `None` if there is none or it is damaged.
    pub(super) fn read(disk: &dyn Disk) -> Result<Option<Self>, IoFailure> {
        let failed = super::failed("reading the backup's note", BACKUP);
        if !disk
            .list()
            .map_err(&failed)?
            .iter()
            .any(|name| name == BACKUP)
        {
            return Ok(None);
        }
        let file = disk.open(BACKUP).map_err(&failed)?;
        let len = file.len_bytes().map_err(&failed)?;
        if len > BYTES_MAX {
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        file.read_at(0, &mut bytes).map_err(&failed)?;
        Ok(Self::decode(&bytes))
    }
}
