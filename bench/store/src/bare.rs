//! What the machine can do without any store: the same notes read from the bytes of FLIN's log, all of it in memory. Here
//! because rates of reads say nothing without it. Must stay true: each read looks its place up by number, checks the record's
//! CRC and looks at every field, and does nothing else: what is compared with must not be slower than it has to be.

use std::path::Path;

use crate::bytes;
use crate::contestant::said;

/// Where the first frame stands, behind the header of a segment.
const FIRST_FRAME: usize = 4096;
const FRAME_MAGIC: [u8; 4] = [0xF7, b'F', b'r', 0x9D];
const FRAME_HEADER: usize = 48;
const REQUEST_ID: usize = 16;
const HAS_REQUEST_ID: u8 = 4;
const DATA: u8 = 1;
/// Fields of a note, each with an entry of one byte in the record's table.
const FIELDS: usize = 5;

/// The log in memory, and where each note stands in it.
pub struct Bare {
    log: Vec<u8>,
    /// By number: start and length of the record, and where its table starts in it.
    places: Vec<(u32, u16, u16)>,
}

/// The number at a place of bytes that were found long enough.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Where the table of a record starts: behind op, seven numbers, and what the op says.
fn table_of(record: &[u8]) -> usize {
    let numbers = 7 + usize::from(record[8] & 64 != 0) + if record[8] & 32 == 0 { 0 } else { 2 };
    let mut at = 9;
    for _ in 0..numbers {
        while record[at] >= 0x80 {
            at += 1;
        }
        at += 1;
    }
    at
}

impl Bare {
    /// Takes a log into memory in which note after note was saved, each in a transaction of its own.
    ///
    /// # Errors
    /// When a file cannot be read, or it is no such log.
    pub fn of(dir: &Path, notes: u64) -> Result<Bare, String> {
        let mut found = Bare {
            log: Vec::new(),
            places: vec![(0, 0, 0)],
        };
        let mut names = bytes::log_files(dir)?;
        // The active segment's name is the shortest, and it comes last.
        names.sort_by_key(|name| {
            (
                name.as_os_str().len() == dir.join("wal.log").as_os_str().len(),
                name.clone(),
            )
        });
        for name in names {
            let start = found.log.len();
            found.log.extend(std::fs::read(&name).map_err(said)?);
            found.add_frames(start + FIRST_FRAME);
        }
        if found.places.len() as u64 == notes + 1 {
            Ok(found)
        } else {
            let others = found.places.len() - 1;
            Err(format!("the log has {others} records instead of {notes}"))
        }
    }

    fn add_frames(&mut self, mut at: usize) {
        while self.log.get(at..at + 4) == Some(&FRAME_MAGIC) {
            let body = u32_at(&self.log, at + 4) as usize;
            let flags = self.log[at + 41];
            let header = FRAME_HEADER
                + if flags & HAS_REQUEST_ID == 0 {
                    0
                } else {
                    REQUEST_ID
                };
            if self.log[at + 40] == DATA {
                let start = at + header;
                let len = (u32_at(&self.log, start) & !7) as usize;
                let table = table_of(&self.log[start..start + len]);
                self.places.push((start as u32, len as u16, table as u16));
            }
            at += header + body;
        }
    }

    /// Reads notes by number and adds up what they weigh.
    ///
    /// # Errors
    /// When a record is not what it was.
    pub fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        let mut weight = 0;
        for id in ids {
            let (start, len, table) = self.places[*id as usize];
            let record = &self.log[start as usize..start as usize + usize::from(len)];
            let mut crc = crc32fast::Hasher::new();
            crc.update(&record[..4]);
            crc.update(&record[8..]);
            if crc.finalize() != u32_at(record, 4) {
                return Err(format!("note {id} is damaged"));
            }
            weight += weight_of(record, usize::from(table)).map_err(said)?;
        }
        Ok(weight)
    }
}

/// What a record weighs: texts as texts, whole numbers and the bool, each through the table.
fn weight_of(record: &[u8], table: usize) -> Result<u64, std::str::Utf8Error> {
    let mut weight = 0;
    for entry in &record[table..table + FIELDS] {
        let at = table + FIELDS - 1 + usize::from(*entry);
        weight += match std::hint::black_box(record[at]) {
            14 => {
                let text = &record[at + 2..at + 2 + usize::from(record[at + 1])];
                std::hint::black_box(std::str::from_utf8(text)?).len() as u64
            }
            15 => u64::from(record[at + 1]),
            16 => u64::from(u16::from_le_bytes([record[at + 1], record[at + 2]])),
            2 => 1,
            _ => 0,
        };
    }
    Ok(weight)
}
