//! Which files make up a log: their names, their headers, the manifest.
//!
//! What must stay true: headers decide what a file is, names are for people; a file without an intact header is
//! damage, except `wal.next`, which gets its name before its header.

use std::io;
use std::sync::Arc;

use crate::codec::manifest::Manifest;
use crate::codec::segment::{HeaderError, SegmentHeader};
use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, DamageKind, IoFailure, OpenError};
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::value::Lsn;

/// The active segment: a saved text can be found in it with `grep`.
pub(crate) const ACTIVE: &str = "wal.log";
/// The segment being prepared; it becomes `wal.log` by a rename.
pub(crate) const NEXT: &str = "wal.next";
/// The manifest and its temporary name.
pub(crate) const MANIFEST: &str = "MANIFEST";
pub(crate) const MANIFEST_NEW: &str = "MANIFEST.new";
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// Name of a sealed segment. The epoch tells apart a segment that was cut before its first frame from its successor.
pub(crate) fn sealed_name(first_lsn: Lsn, epoch: u32) -> String {
    if epoch == 1 {
        format!("wal-{:012}.log", first_lsn.0)
    } else {
        format!("wal-{:012}-e{epoch}.log", first_lsn.0)
    }
}

/// A segment file with an intact header.
#[derive(Clone)]
pub(crate) struct LoadedSegment {
    pub(crate) name: String,
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn DiskFile>,
}

/// The files of a log, ordered by segment number.
pub(crate) struct LogFiles {
    pub(crate) segments: Vec<LoadedSegment>,
    pub(crate) manifest: Option<Manifest>,
    /// What is wrong with the files as such, first place first.
    pub(crate) damages: Vec<Damage>,
    /// Things worth telling that need no action.
    pub(crate) notes: Vec<String>,
}

/// Reads all headers and the manifest. Does not look at frames.
pub(crate) fn load(disk: &dyn Disk) -> Result<LogFiles, OpenError> {
    let names = disk.list().map_err(|source| IoFailure {
        attempt: "listing the directory",
        file: disk.place(),
        source,
    })?;
    let mut files = LogFiles {
        segments: Vec::new(),
        manifest: None,
        damages: Vec::new(),
        notes: Vec::new(),
    };
    if names.iter().any(|name| name == MANIFEST) {
        files.manifest = load_manifest(disk)?;
        if files.manifest.is_none() {
            files.notes.push(format!(
                "{MANIFEST} is damaged and was not used; the log itself decides"
            ));
        }
    }
    for name in names.iter().filter(|name| is_segment_name(name)) {
        load_segment(disk, name, &mut files)?;
    }
    files.segments.sort_by_key(|segment| segment.header.number);
    check_order(&mut files);
    note_shortened(&mut files)?;
    Ok(files)
}

fn note_shortened(files: &mut LogFiles) -> Result<(), IoFailure> {
    let newest = files.segments.last();
    let Some(newest) = newest.filter(|newest| newest.name == ACTIVE) else {
        return Ok(());
    };
    let len = newest.file.len_bytes().map_err(|source| IoFailure {
        attempt: "asking for the length of a segment",
        file: newest.name.clone(),
        source,
    })?;
    let capacity = newest.header.capacity;
    if len < capacity {
        files.notes.push(format!(
            "{ACTIVE} was made {capacity} bytes long and has only {len}: somebody shortened it, or a copy is incomplete"
        ));
    }
    Ok(())
}

fn is_segment_name(name: &str) -> bool {
    name == NEXT || name == ACTIVE || (name.starts_with("wal-") && name.ends_with(".log"))
}

fn load_manifest(disk: &dyn Disk) -> Result<Option<Manifest>, IoFailure> {
    let failed = |source| IoFailure {
        attempt: "reading the manifest",
        file: MANIFEST.to_owned(),
        source,
    };
    let file = disk.open(MANIFEST).map_err(failed)?;
    let len = file.len_bytes().map_err(failed)?;
    if len > MANIFEST_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = vec![0; len as usize];
    file.read_at(0, &mut bytes).map_err(failed)?;
    Ok(Manifest::decode(&bytes))
}

fn load_segment(disk: &dyn Disk, name: &str, files: &mut LogFiles) -> Result<(), OpenError> {
    let failed = |source| IoFailure {
        attempt: "reading a segment header",
        file: name.to_owned(),
        source,
    };
    let file = disk.open(name).map_err(failed)?;
    let mut page = vec![0; SEGMENT_HEADER_BYTES as usize];
    let read = match file.read_at(0, &mut page) {
        Ok(()) => SegmentHeader::decode(&page),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(HeaderError::Damaged),
        Err(error) => return Err(failed(error).into()),
    };
    match read {
        Ok(header) => files.segments.push(LoadedSegment {
            name: name.to_owned(),
            header,
            file,
        }),
        Err(HeaderError::Unsupported(what)) => {
            return Err(OpenError::UnsupportedFormat {
                file: name.to_owned(),
                what,
            });
        }
        Err(HeaderError::Damaged) if name == NEXT => {}
        Err(HeaderError::Damaged) => {
            let lsn = lsn_from_name(name).or_else(|| {
                let last = files.manifest.as_ref()?.segments.last()?;
                (name == ACTIVE).then_some(last.first_lsn)
            });
            files.damages.push(Damage {
                file: name.to_owned(),
                offset: 0,
                lsn: lsn.unwrap_or(Lsn(1)),
                what: DamageKind::SegmentHeader,
            });
        }
    }
    Ok(())
}

fn lsn_from_name(name: &str) -> Option<Lsn> {
    name.strip_prefix("wal-")?
        .strip_suffix(".log")?
        .parse()
        .ok()
        .map(Lsn)
}

/// Numbers without gaps from 1, one store, every segment the manifest knows.
fn check_order(files: &mut LogFiles) {
    if !files.damages.is_empty() {
        return;
    }
    let at = |segment: &LoadedSegment, what| Damage {
        file: segment.name.clone(),
        offset: 0,
        lsn: segment.header.first_lsn,
        what,
    };
    let store_id = match (&files.manifest, files.segments.first()) {
        (Some(manifest), _) => manifest.store_id,
        (None, Some(first)) => first.header.store_id,
        (None, None) => return,
    };
    let mut expected_number = 1;
    let mut damages = Vec::new();
    for (position, segment) in files.segments.iter().enumerate() {
        let number = segment.header.number;
        if segment.header.store_id != store_id {
            damages.push(at(segment, DamageKind::ForeignSegment));
        } else if position > 0 && number == files.segments[position - 1].header.number {
            damages.push(at(
                segment,
                DamageKind::SegmentTwice {
                    other: files.segments[position - 1].name.clone(),
                },
            ));
        } else if number != expected_number {
            damages.push(at(
                segment,
                DamageKind::SegmentMissing {
                    number: expected_number,
                },
            ));
        }
        expected_number = number + 1;
    }
    if damages.is_empty()
        && let Some(manifest) = &files.manifest
        && let Some(missing) = manifest
            .segments
            .iter()
            .find(|known| known.number >= expected_number)
    {
        damages.push(Damage {
            file: ACTIVE.to_owned(),
            offset: 0,
            lsn: missing.first_lsn,
            what: DamageKind::SegmentMissing {
                number: missing.number,
            },
        });
    }
    files.damages = damages;
}
