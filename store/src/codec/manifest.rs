//! `MANIFEST`: a few lines of text that say which segments exist and how far the log was durable.
//!
//! It is a witness, not the truth: recovery works without it. What must stay true: it never claims more than was
//! durable when it was written, so that "the log is shorter than the manifest says" is proof of damage.

use std::fmt::Write;

use crate::value::Lsn;

/// One line per segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestSegment {
    pub(crate) number: u64,
    pub(crate) first_lsn: Lsn,
    pub(crate) epoch: u32,
}

/// The decoded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) store_id: [u8; 16],
    pub(crate) durable: Lsn,
    pub(crate) segments: Vec<ManifestSegment>,
}

const FIRST_LINE: &str = "flin store manifest, format 1";

impl Manifest {
    pub(crate) fn encode(&self) -> String {
        let mut out = format!(
            "{FIRST_LINE}\nstore {}\ndurable {}\n",
            hex(&self.store_id),
            self.durable
        );
        for segment in &self.segments {
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "segment {} first-lsn {} epoch {}",
                segment.number, segment.first_lsn, segment.epoch
            );
        }
        let crc = crc32fast::hash(out.as_bytes());
        let _ = writeln!(out, "crc {crc:08x}");
        out
    }

    /// `None` for anything that is not exactly what `encode` writes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (content, crc) = text.strip_suffix('\n')?.rsplit_once("\ncrc ")?;
        let content = format!("{content}\n");
        if format!("{:08x}", crc32fast::hash(content.as_bytes())) != crc {
            return None;
        }
        let mut lines = content.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let store_id = unhex(lines.next()?.strip_prefix("store ")?)?;
        let durable = Lsn(lines.next()?.strip_prefix("durable ")?.parse().ok()?);
        let segments = lines.map(segment_line).collect::<Option<Vec<_>>>()?;
        Some(Manifest {
            store_id,
            durable,
            segments,
        })
    }
}

fn segment_line(line: &str) -> Option<ManifestSegment> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["segment", number, "first-lsn", first_lsn, "epoch", epoch] => Some(ManifestSegment {
            number: number.parse().ok()?,
            first_lsn: Lsn(first_lsn.parse().ok()?),
            epoch: epoch.parse().ok()?,
        }),
        _ => None,
    }
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let mut out = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(out)
}
