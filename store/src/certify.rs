//! Certification: may a transaction that read an older state be committed now?
//!
//! A pure function of what the transaction read and of what was changed after its snapshot: no disk, no clock, no random
//! number. So every copy of one log comes to the same verdicts. What must stay true: it passes only transactions that
//! would have read the same if they had run alone at their place in the log.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::index::UniqueKey;
use crate::limits::{RECENT_BYTES_MAX, RECENT_CHANGES_MAX};
use crate::sabotage::{Sabotage, removed};
use crate::transaction::ReadSet;
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, Record, TypeIx};

/// One changed record of an accepted transaction: what it was and what it is.
#[derive(Clone, Debug)]
pub(crate) struct RecordChange {
    pub(crate) lsn: Lsn,
    pub(crate) ty: TypeIx,
    pub(crate) id: EntityId,
    /// The version before; `None` for a new record.
    pub(crate) before: Option<Arc<Record>>,
    /// The version now; `None` once destroyed.
    pub(crate) after: Option<Arc<Record>>,
    /// About what keeping it costs, in bytes.
    pub(crate) bytes: usize,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing that was read has changed.
    Pass,
    /// Something that was read has changed since the snapshot.
    Changed,
    /// The changes since the snapshot are not all known any more.
    TooOld,
}

/// A value as the key of a unique field; `None` when nobody can hold it.
pub(crate) type KeyOf<'a> = dyn Fn(TypeIx, FieldIx, &FieldValue) -> Option<UniqueKey> + 'a;

/// The newest accepted changes, in the order of the log: bounded by number and by bytes.
#[derive(Debug)]
pub(crate) struct Recent {
    changes_max: usize,
    bytes_max: usize,
    /// All kept changes, oldest first.
    kept: VecDeque<RecordChange>,
    /// Changes that were given up: the serial number of the oldest one kept.
    given_up: u64,
    /// Serial numbers of those kept, by type.
    by_type: HashMap<TypeIx, VecDeque<u64>, RandomState>,
    /// The newest kept change of each record.
    by_record: HashMap<(TypeIx, EntityId), Lsn, BuildHasherDefault<Neighbours>>,
    bytes: usize,
    /// Changes up to this transaction may be missing.
    floor: Lsn,
}

/// The hash of a record's type and number that puts sixteen neighbouring numbers side by side: numbers are given out one
/// after the other, so what is put in and taken out one after the other is found in the cache. (Whoever changes records has
/// no choice of numbers that would make it slow: the sixteens are scattered.)
#[derive(Default)]
struct Neighbours(u64);

impl Hasher for Neighbours {
    fn write_u32(&mut self, ty: u32) {
        self.0 = u64::from(ty) << 40;
    }

    fn write_u64(&mut self, number: u64) {
        const SCATTER: u64 = 0x9E37_79B9_7F4A_7C15;
        let sixteen = (self.0 ^ (number >> 4)).wrapping_mul(SCATTER);
        self.0 = ((sixteen ^ (sixteen >> 32)) & !15) | (number & 15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(self.0 ^ u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Recent {
    /// Nothing is known about what was changed up to `floor`.
    pub(crate) fn new(floor: Lsn) -> Self {
        Recent::with_limits(floor, RECENT_CHANGES_MAX, RECENT_BYTES_MAX)
    }

    pub(crate) fn with_limits(floor: Lsn, changes_max: usize, bytes_max: usize) -> Self {
        Recent {
            changes_max,
            bytes_max,
            kept: VecDeque::new(),
            given_up: 0,
            by_type: HashMap::default(),
            by_record: HashMap::default(),
            bytes: 0,
            floor,
        }
    }

    /// Takes over a change of the transaction that was accepted last. What becomes too much goes into `rubbish` at once, so
    /// that verdicts depend on the log alone.
    pub(crate) fn push(&mut self, change: RecordChange, rubbish: &mut Vec<RecordChange>) {
        assert!(
            self.kept.back().is_none_or(|last| last.lsn <= change.lsn),
            "changes come in the order of the log"
        );
        let serial = self.given_up + self.kept.len() as u64;
        self.bytes += change.bytes;
        self.by_record.insert((change.ty, change.id), change.lsn);
        let of_type = self.by_type.entry(change.ty).or_default();
        of_type.push_back(serial);
        self.kept.push_back(change);
        while (self.kept.len() > self.changes_max || self.bytes > self.bytes_max)
            && let Some(oldest) = self.kept.pop_front()
        {
            self.floor = oldest.lsn;
            self.bytes -= oldest.bytes;
            self.given_up += 1;
            let key = (oldest.ty, oldest.id);
            if self.by_record.get(&key) == Some(&oldest.lsn) {
                self.by_record.remove(&key);
            }
            if let Some(of_type) = self.by_type.get_mut(&oldest.ty) {
                of_type.pop_front();
            }
            rubbish.push(oldest);
        }
    }

    /// Whether nobody has changed a record after a snapshot.
    fn record_unchanged(&self, key: (TypeIx, EntityId), snapshot: Lsn) -> bool {
        self.by_record.get(&key).is_none_or(|lsn| *lsn <= snapshot)
    }

    /// The changes of a type after a snapshot, newest first.
    fn changes(&self, ty: TypeIx, snapshot: Lsn) -> impl Iterator<Item = &RecordChange> {
        let of_type = self.by_type.get(&ty).into_iter().flatten().rev();
        of_type
            .map(|serial| &self.kept[(serial - self.given_up) as usize])
            .take_while(move |change| change.lsn > snapshot)
    }
}

/// Compares what was read at `snapshot` with every later change, before and after it.
pub(crate) fn certify(
    recent: &Recent,
    snapshot: Lsn,
    reads: &ReadSet,
    key_of: &KeyOf<'_>,
) -> Verdict {
    if snapshot < recent.floor {
        return Verdict::TooOld;
    }
    let mut records = reads.records.iter();
    let mut types = reads.types.iter();
    let mut absences = reads.absences.iter();
    let mut queries = reads.queries.iter();
    let off = removed;
    let unchanged = (off(Sabotage::CertifyRecords)
        || records.all(|key| recent.record_unchanged(*key, snapshot)))
        && (off(Sabotage::CertifyTypes)
            || types.all(|ty| recent.changes(*ty, snapshot).next().is_none()))
        && (off(Sabotage::CertifyAbsences)
            || absences.all(|(ty, field, key)| {
                let holds = |record: &Arc<Record>| {
                    !record.is_deleted()
                        && key_of(*ty, *field, record.field(*field)).as_ref() == Some(key)
                };
                let touches = |change: &RecordChange| {
                    change.before.as_ref().is_some_and(holds)
                        || change.after.as_ref().is_some_and(holds)
                };
                !recent.changes(*ty, snapshot).any(touches)
            }))
        && (off(Sabotage::CertifyQueries)
            || queries.all(|query| {
                let concerned = |image: &Option<Arc<Record>>| {
                    image.as_ref().is_some_and(|record| query.concerns(record))
                };
                let mut changes = recent.changes(query.ty, snapshot);
                !changes.any(|change| {
                    let was = concerned(&change.before) && !off(Sabotage::CertifyBefore);
                    was || concerned(&change.after)
                })
            }));
    if unchanged {
        Verdict::Pass
    } else {
        Verdict::Changed
    }
}
