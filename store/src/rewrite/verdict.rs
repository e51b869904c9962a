//! Which versions a rewrite takes out: those of destroyed records, and those older than their type keeps.
//!
//! What must stay true: a decision to erase is never wrong later. A record that is not in the index never comes back, a version
//! that has a newer one never becomes the newest again, and time only goes on.

use std::collections::HashMap;

use crate::codec::record::{RecordHeader, RecordOp, TypeNo};
use crate::error::ReadError;
use crate::index::Head;
use crate::segments::{SegmentSet, Wanted};
use crate::shared::Shared;
use crate::value::EntityId;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Decides about records, and counts.
pub(crate) struct Verdict<'a> {
    shared: &'a Shared,
    now_ms: i64,
    /// By record of a type that keeps days: the version that was current when the kept days begin.
    current_then: HashMap<(TypeNo, EntityId), u32>,
    /// A record that could not be read to decide about another version of it: kept, and told.
    pub(crate) unreadable: Option<ReadError>,
}

impl<'a> Verdict<'a> {
    pub(crate) fn new(shared: &'a Shared, now_ms: i64) -> Self {
        Verdict {
            shared,
            now_ms,
            current_then: HashMap::new(),
            unreadable: None,
        }
    }

    /// Whether this version, which has content, is to be erased.
    pub(crate) fn erases(&mut self, record: &RecordHeader) -> bool {
        if record.op == RecordOp::Destroy {
            return false;
        }
        let head = self.shared.state().index.head(record.ty, record.id);
        let Some(head) = head else { return true };
        if record.version >= head.version {
            return false;
        }
        let Some(ty) = self.shared.mapping.position(record.ty) else {
            return false;
        };
        let keep = self.shared.schema.type_def(ty).keep;
        let too_many = keep
            .versions
            .is_some_and(|versions| head.version - record.version >= versions.max(1));
        too_many
            || keep
                .days
                .is_some_and(|days| self.is_older(record, head, days))
    }

    /// Whether the version after this one is older than the kept days.
    fn is_older(&mut self, record: &RecordHeader, head: Head, days: u32) -> bool {
        let since = self.now_ms - i64::from(days) * DAY_MS;
        if record.updated_at_ms > since {
            return false;
        }
        let key = (record.ty, record.id);
        let current = match self.current_then.get(&key) {
            Some(current) => *current,
            None => {
                let segments = self.shared.state().segments.clone();
                let current = self.find_current(&segments, key, head, since);
                self.current_then.insert(key, current);
                current
            }
        };
        record.version < current
    }

    /// The version of a record that was current at a time; 0 when that is not known.
    fn find_current(
        &mut self,
        segments: &SegmentSet,
        (ty, id): (TypeNo, EntityId),
        head: Head,
        since: i64,
    ) -> u32 {
        let mut current = 0;
        let walked = each_version(self.shared, segments, (ty, id), head, &mut |_, version| {
            if version.updated_at_ms <= since {
                current = version.version;
            }
            current == 0
        });
        if let Err(error) = walked {
            self.unreadable.get_or_insert(error);
        }
        current
    }
}

/// The versions of a record that have content, newest first, with the segment each stands in, until `visit` says `false`.
pub(crate) fn each_version(
    shared: &Shared,
    segments: &SegmentSet,
    (ty, id): (TypeNo, EntityId),
    head: Head,
    visit: &mut dyn FnMut(u32, &RecordHeader) -> bool,
) -> Result<(), ReadError> {
    let mut wanted = Wanted {
        ty,
        id,
        lsn: Some(head.lsn),
        version: head.version,
        place: head.place,
    };
    loop {
        let named = |fault: crate::segments::ReadFault| {
            let name = shared.mapping.position(ty);
            fault.named(name.map_or("(unknown)", |ty| shared.type_name(ty)), id)
        };
        let Some(segment) = segments.by_number(wanted.place.segment) else {
            return Err(named(crate::segments::ReadFault::Damaged {
                file: format!("segment {}", wanted.place.segment),
                offset: u64::from(wanted.place.offset),
                lsn: head.lsn,
            }));
        };
        let (record, _) = segment.read(&wanted).map_err(named)?;
        if record.erased || !visit(wanted.place.segment, &record) {
            return Ok(());
        }
        match record.previous {
            Some(place) if record.version > 1 => {
                wanted = Wanted {
                    lsn: None,
                    version: record.version - 1,
                    place,
                    ..wanted
                };
            }
            Some(_) | None => return Ok(()),
        }
    }
}
