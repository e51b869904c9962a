//! Two copies of one log: certification and apply alone, without a disk, as the nodes of a shared log would run them.
//!
//! Tests only. Transactions stand in the log as they were made, not as they were judged; every copy judges them in the
//! order of the log. What must stay true: all copies come to the same verdicts and the same state, however the entries
//! reach them, and a verdict says "pass" exactly when nothing that was read has changed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::apply::{apply, effect};
use crate::catalog::Catalog;
use crate::certify::{Recent, RecordChange, Verdict, certify};
use crate::codec::frame::FrameKind;
use crate::delta::{Delta, Newest};
use crate::few::FewMap;
use crate::frame_body::{encode, record_of};
use crate::index::Index;
use crate::log::commit_log::{Batch, CommitLog, LogEntry, Position};
use crate::log::memory::MemoryLog;
use crate::outcome::CommitOutcome;
use crate::query::{Column, Comparison, Predicate};
use crate::rules::plan;
use crate::schema::{FieldDef, FieldType, OnDelete, Schema, TypeDef};
use crate::segments::SegmentSet;
use crate::shared::{Shared, State};
use crate::snapshot::Deleted;
use crate::times::{TimeEntry, Times};
use crate::transaction::{Pending, QueryRead, ReadSet, TransactionParts};
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, Record, TypeIx};

const NOTE: TypeIx = TypeIx(0);
const TAG: TypeIx = TypeIx(1);
type Key = (TypeIx, EntityId);
/// The states of one record, oldest first; `None` once destroyed.
type States = Vec<(Lsn, Option<Arc<Record>>)>;

fn schema() -> Schema {
    let link = FieldType::Ref("Note".into());
    let note = TypeDef {
        name: "Note".into(),
        fields: vec![
            FieldDef::new("size", FieldType::Int),
            FieldDef::new("next", link.clone()).on_delete(OnDelete::SetNone),
        ],
        ..TypeDef::default()
    };
    let tag = TypeDef {
        name: "Tag".into(),
        fields: vec![
            FieldDef::new("name", FieldType::Int).unique(),
            FieldDef::new("note", link).on_delete(OnDelete::Cascade),
        ],
        ..TypeDef::default()
    };
    Schema {
        types: vec![note, tag],
        ..Schema::default()
    }
}

/// A transaction as somebody made it on an older state.
#[derive(Clone)]
struct Intent {
    snapshot: Lsn,
    reads: ReadSet,
    writes: FewMap<Key, Pending>,
    order: Vec<Key>,
}

/// One copy: judges and applies what stands in the log.
struct Replica {
    shared: Shared,
    recent: Recent,
    /// Everything accepted; in these tests it stands for the records on disk.
    delta: Delta,
    index: Index,
    verdicts: Vec<String>,
    /// All versions, for making transactions and for the judge.
    history: BTreeMap<Key, States>,
    next: Position,
}

impl Replica {
    fn new(recent: Recent) -> Self {
        let schema = schema();
        let (catalog, mapping) = Catalog::default().fit(&schema).expect("a fresh schema");
        let state = State {
            index: Index::default(),
            segments: Arc::new(SegmentSet::default()),
            times: Times::default(),
            published: Lsn(0),
        };
        Replica {
            shared: Shared::new(schema, catalog, mapping, state, None, Arc::default()),
            recent,
            delta: Delta::default(),
            index: Index::default(),
            verdicts: Vec::new(),
            history: BTreeMap::new(),
            next: MemoryLog::start(),
        }
    }

    /// Takes up to `count` entries from the log.
    fn catch_up(&mut self, log: &MemoryLog, intents: &[Intent], count: usize) {
        let mut left = count;
        let from = self.next;
        log.tail(from, &mut |entry| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            self.entry(&entry, intents);
            ControlFlow::Continue(())
        })
        .expect("the entries are kept");
    }

    fn entry(&mut self, entry: &LogEntry<'_>, intents: &[Intent]) {
        let number = u64::from_le_bytes(entry.body.try_into().expect("eight bytes"));
        let lsn = entry.position.lsn;
        self.next.lsn = Lsn(lsn.0 + 1);
        let verdict = match self.judge(entry, intents[number as usize].clone()) {
            Ok(changed) => format!("{lsn}: {changed} records"),
            Err(refused) => format!("{lsn}: {refused}"),
        };
        self.verdicts.push(verdict);
    }

    fn judge(&mut self, entry: &LogEntry<'_>, intent: Intent) -> Result<usize, CommitOutcome> {
        let shared = &self.shared;
        let key_of = |ty, field, value: &_| shared.unique_key(ty, field, value);
        let verdict = certify(&self.recent, intent.snapshot, &intent.reads, &key_of);
        assert_eq!(
            verdict == Verdict::Pass,
            self.read_the_same(&intent),
            "{verdict:?}"
        );
        if verdict != Verdict::Pass {
            return Err(CommitOutcome::Clash);
        }
        let newest = Newest {
            shared,
            delta: &self.delta,
        };
        let parts = TransactionParts {
            snapshot_lsn: intent.snapshot,
            reads: intent.reads,
            writes: intent.writes,
            order: intent.order,
            exclusive: None,
        };
        let writes = plan(&newest, parts)?;
        let lsn = entry.position.lsn;
        let encoded = encode(shared, &writes, lsn, entry.time_ms, &mut Vec::new());
        let mut effects = Vec::new();
        for (mut write, one) in writes.into_iter().zip(encoded) {
            let record = record_of(shared, &mut write, lsn, entry.time_ms);
            let effect = effect(shared, &write, &record, entry.position.place);
            effects.push((record.clone(), effect));
            let after = (!write.is_destroy()).then_some(record);
            let versions = self.history.entry((write.ty, write.id)).or_default();
            versions.push((lsn, after.clone()));
            let change = RecordChange {
                lsn,
                ty: write.ty,
                id: write.id,
                before: write.base,
                after,
                bytes: one.bytes,
            };
            self.recent.push(change, &mut Vec::new());
        }
        let changed = effects.len();
        let only = effects.iter().map(|(_, effect)| effect.clone());
        apply(&mut self.index, only);
        let frame = TimeEntry {
            time_ms: entry.time_ms,
            lsn,
            place: entry.position.place,
        };
        self.delta.add(frame, &mut effects);
        Ok(changed)
    }

    fn at(&self, key: Key, until: Lsn) -> Option<Arc<Record>> {
        let versions = self.history.get(&key)?;
        let seen = versions.iter().rev().find(|(lsn, _)| *lsn <= until)?;
        seen.1.clone()
    }

    /// The judge: looks at all versions ever made.
    fn read_the_same(&self, intent: &Intent) -> bool {
        let newest = Lsn(u64::MAX);
        let changed_after = |key: &Key| {
            let versions = self.history.get(key).into_iter().flatten();
            versions.into_iter().any(|(lsn, _)| *lsn > intent.snapshot)
        };
        let holders = |ty: TypeIx, until: Lsn, key: &Vec<u8>| {
            let keys = self.history.keys().filter(move |(of, _)| *of == ty);
            let held = keys.filter_map(move |key| self.at(*key, until));
            held.filter(|record| {
                let value = record.field(FieldIx(0));
                !record.is_deleted()
                    && self.shared.unique_key(ty, FieldIx(0), value).as_ref() == Some(key)
            })
            .count()
        };
        // The absence of a value that was taken and given back since is a clash too; the judge steps through all states.
        let taken_since = |ty: TypeIx, key: &Vec<u8>| {
            let lsns = self.history.values().flatten().map(|(lsn, _)| *lsn);
            let later = lsns.filter(|lsn| *lsn > intent.snapshot);
            later
                .into_iter()
                .any(|lsn| holders(ty, lsn.min(newest), key) > 0)
        };
        let reads = &intent.reads;
        !reads.records.iter().any(changed_after)
            && !(reads.types.iter()).any(|ty| {
                let mut of_type = self.history.keys().filter(|(of, _)| of == ty);
                of_type.any(changed_after)
            })
            && !(reads.absences.iter()).any(|(ty, _, key)| taken_since(*ty, key))
            && !reads.queries.iter().any(|query| {
                let all = self.history.iter().filter(|((of, _), _)| *of == query.ty);
                all.into_iter().any(|(key, versions)| {
                    let later = versions.iter().map(|(lsn, _)| *lsn);
                    let later: Vec<Lsn> = later.filter(|lsn| *lsn > intent.snapshot).collect();
                    // Every state from the snapshot on, if there was a change.
                    let states = later.iter().copied().chain([intent.snapshot]);
                    !later.is_empty()
                        && (states.map(|lsn| self.at(*key, lsn)))
                            .any(|one| one.is_some_and(|record| query.concerns(&record)))
                })
            })
    }
}

/// Random transactions on states up to five entries old.
struct Maker {
    random: u64,
    ids: u64,
}

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn fields(&mut self, ty: TypeIx, known: &[Key]) -> Vec<FieldValue> {
        let notes: Vec<&Key> = known.iter().filter(|(of, _)| *of == NOTE).collect();
        let link = match (notes.is_empty(), self.below(2)) {
            (false, 0) => {
                let (ty, id) = *notes[self.below(notes.len() as u64) as usize];
                FieldValue::Ref { ty, id }
            }
            _ => FieldValue::None,
        };
        let small = if ty == TAG { 6 } else { 100 };
        vec![FieldValue::Int(self.below(small) as i64), link]
    }

    fn intent(&mut self, seen: &Replica, head: Lsn) -> Intent {
        let snapshot = Lsn(head.0.saturating_sub(self.below(5)));
        let mut intent = Intent {
            snapshot,
            reads: ReadSet::default(),
            writes: FewMap::default(),
            order: Vec::new(),
        };
        let known: Vec<Key> = seen.history.keys().copied().collect();
        if self.below(8) == 0 {
            intent.reads.types.insert(TAG);
        }
        if self.below(3) == 0 {
            let size = FieldValue::Int(self.below(100) as i64);
            let predicate = Predicate::compare(Column::Field(FieldIx(0)), Comparison::Gt, size);
            intent.reads.queries.push(QueryRead {
                ty: NOTE,
                deleted: Deleted::Hide,
                predicate,
            });
        }
        for _ in 0..1 + self.below(3) {
            let ty = TypeIx(self.below(2) as u32);
            let fields = self.fields(ty, &known);
            let some = known.iter().filter(|(of, _)| *of == ty).count() as u64;
            if some == 0 || self.below(3) == 0 {
                self.ids += 1;
                self.write(&mut intent, (ty, EntityId(self.ids)), None, fields, false);
                continue;
            }
            let at = self.below(some) as usize;
            let key = *known
                .iter()
                .filter(|(of, _)| *of == ty)
                .nth(at)
                .expect("counted");
            intent.reads.records.insert(key);
            let Some(base) = seen.at(key, snapshot).filter(|base| !base.is_deleted()) else {
                continue;
            };
            let deleted = self.below(4) == 0;
            let fields = if deleted { base.fields.clone() } else { fields };
            self.write(&mut intent, key, Some(base), fields, deleted);
        }
        if self.below(4) == 0 {
            let value = FieldValue::Int(self.below(6) as i64);
            let free = |(key, _): &(&Key, _)| {
                let held = seen.at(**key, snapshot);
                held.is_some_and(|one| !one.is_deleted() && *one.field(FieldIx(0)) == value)
            };
            let mut tags = seen.history.iter().filter(|(key, _)| key.0 == TAG);
            if !tags.any(|(key, versions)| free(&(key, versions))) {
                let key = seen.shared.unique_key(TAG, FieldIx(0), &value);
                intent
                    .reads
                    .absences
                    .insert((TAG, FieldIx(0), key.expect("a value")));
            }
        }
        intent
    }

    fn write(
        &mut self,
        intent: &mut Intent,
        key: Key,
        base: Option<Arc<Record>>,
        fields: Vec<FieldValue>,
        deleted: bool,
    ) {
        let pending = Pending {
            base,
            fields,
            deleted,
            destroyed: deleted && self.below(3) == 0,
            origin: None,
        };
        if intent.writes.insert(key, pending).is_none() {
            intent.order.push(key);
        }
    }
}

/// The log of one seed and the copy that its transactions were made on.
fn history(seed: u64, entries: u64) -> (MemoryLog, Vec<Intent>, Replica) {
    let mut maker = Maker {
        random: seed,
        ids: 0,
    };
    let (mut log, mut intents) = (MemoryLog::default(), Vec::new());
    let mut first = Replica::new(Recent::new(Lsn(0)));
    for number in 0..entries {
        let intent = maker.intent(&first, log.head().lsn);
        intents.push(intent);
        let mut batch = Batch::default();
        let time_ms = log.next_time_ms();
        let write = |out: &mut Vec<u8>| out.extend_from_slice(&number.to_le_bytes());
        batch.push(FrameKind::Data, 0, time_ms, None, write);
        log.append(&mut batch).expect("in memory");
        first.catch_up(&log, &intents, usize::MAX);
    }
    (log, intents, first)
}

#[test]
fn copies_of_one_log_come_to_the_same_verdicts_and_the_same_state() {
    let (mut clashes, mut refusals, mut passes) = (0, 0, 0);
    for seed in 1..=20 {
        let (log, intents, first) = history(seed, 120);
        let mut second = Replica::new(Recent::new(Lsn(0)));
        let mut sizes = [1, 7, 3, 20].into_iter().cycle();
        while second.next.lsn <= log.head().lsn {
            second.catch_up(&log, &intents, sizes.next().expect("a cycle"));
        }
        assert_eq!(first.verdicts, second.verdicts, "seed {seed}");
        assert_eq!(first.history, second.history, "seed {seed}");
        assert!(first.index == second.index, "seed {seed}");
        let count = |words: &str| {
            let verdicts = first.verdicts.iter();
            verdicts.filter(|one| one.contains(words)).count()
        };
        let (clashed, passed) = (count("run the transaction again"), count("records"));
        clashes += clashed;
        passes += passed;
        refusals += 120 - clashed - passed;
    }
    assert!(
        passes > 200 && clashes > 200 && refusals > 50,
        "the seeds meet every kind of verdict: {passes} {clashes} {refusals}"
    );
}

#[test]
fn what_is_older_than_the_kept_changes_clashes() {
    let (log, intents, first) = history(3, 60);
    let narrow = Recent::with_limits(Lsn(0), 4, usize::MAX);
    let kept = |recent: &Recent, snapshot| {
        let key_of = |_, _, _: &_| None;
        certify(recent, Lsn(snapshot), &ReadSet::default(), &key_of)
    };
    assert_eq!(kept(&first.recent, 0), Verdict::Pass);
    let mut second = Replica::new(narrow);
    for entry in 0..60 {
        // Only whole transactions that are young enough are judged alike; older ones are refused.
        if kept(&second.recent, intents[entry].snapshot.0) == Verdict::TooOld {
            return;
        }
        second.catch_up(&log, &intents, 1);
        assert_eq!(first.verdicts[entry], second.verdicts[entry]);
    }
    panic!("four changes are less than the transactions of this seed are apart");
}

#[test]
fn a_trimmed_log_says_so() {
    let (mut log, intents, _) = history(4, 20);
    assert_eq!(log.trim(Lsn(12)), Lsn(13));
    assert_eq!(log.snapshot(), Lsn(12));
    let refused = log.tail(MemoryLog::start(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(
        refused.expect_err("trimmed").to_string(),
        "the log does not reach back so far"
    );
    let from = Position {
        lsn: Lsn(13),
        ..MemoryLog::start()
    };
    let mut seen = Vec::new();
    log.tail(from, &mut |entry| {
        seen.push(entry.position.lsn.0);
        ControlFlow::Continue(())
    })
    .expect("kept");
    assert_eq!(seen, (13..=intents.len() as u64).collect::<Vec<_>>());
}
