//! Which numbers are used up although no record has them: those of destroyed records.
//!
//! The highest number of a type says only that those below it were given out; an import that was interrupted leaves such
//! gaps, and the same import again has to fill them. What must stay true: a number that a record ever had is never said to
//! be free.

use std::collections::{HashMap, HashSet};

use super::stop::ImportError;
use crate::codec::frame::FrameKind;
use crate::codec::gap::GapSummary;
use crate::codec::record::{RecordOp, TypeNo, each_record};
use crate::error::ReadError;
use crate::log::files::load;
use crate::log::walk::{OnDamage, walk};
use crate::store::Store;
use crate::value::EntityId;

/// What the log says about numbers without a record.
#[derive(Default)]
pub(super) struct UsedNumbers {
    /// Receipts, and records whose content was taken out.
    gone: HashSet<(TypeNo, EntityId)>,
    /// Gaps name only the highest number of each type: any below may have been used.
    unknown_up_to: HashMap<TypeNo, EntityId>,
}

fn failed(file: String, message: String) -> ImportError {
    ImportError::Store(ReadError::Io { file, message })
}

impl UsedNumbers {
    /// Reads the whole log.
    pub(super) fn in_log(store: &Store) -> Result<Self, ImportError> {
        let disk = store.inner.disk.as_ref();
        let files = load(disk).map_err(|error| failed(disk.place(), error.to_string()))?;
        let mut used = UsedNumbers::default();
        let (_end, damages) = walk(&files, OnDamage::Stop, &mut |visit| {
            match visit.header.kind {
                FrameKind::Data => each_record(visit.body, &mut |_, record, _| {
                    if record.op == RecordOp::Destroy || record.erased {
                        used.gone.insert((record.ty, record.id));
                    }
                    Ok(())
                })?,
                FrameKind::Gap => {
                    for (ty, id) in GapSummary::decode(visit.body)?.max_ids {
                        let highest = used.unknown_up_to.entry(ty).or_insert(id);
                        *highest = (*highest).max(id);
                    }
                }
                FrameKind::Schema | FrameKind::SyncMark | FrameKind::SegmentEnd => {}
            }
            Ok(())
        })
        .map_err(|failure| failed(failure.file.clone(), failure.to_string()))?;
        match damages.first() {
            None => Ok(used),
            Some(damage) => Err(failed(damage.file.clone(), damage.to_string())),
        }
    }

    /// Whether a number without a record may have had one.
    pub(super) fn may_have_been(&self, ty: TypeNo, id: EntityId) -> bool {
        let unknown = self.unknown_up_to.get(&ty);
        self.gone.contains(&(ty, id)) || unknown.is_some_and(|highest| id <= *highest)
    }
}
