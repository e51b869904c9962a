//! Whether a commit concerns somebody who read earlier: the question of certification, asked by those who show data and
//! have to know when to look again. Here because only the store knows what its conditions mean.
//!
//! What must stay true: a commit that would make the same reads give something else is never said not to touch them; the
//! other way round it may be (who looks again finds the same).

use crate::outcome::{Change, ChangeOp, CommitEvent};
use crate::store::Store;
use crate::transaction::ReadSet;
use crate::value::Record;

impl Store {
    /// Whether anything of `reads` may be different after this commit, which must come from this store's `on_commit` or
    /// `subscribe`: what is read back from the log does not know what was before.
    pub fn touches(&self, reads: &ReadSet, event: &CommitEvent) -> bool {
        event.changes.iter().any(|change| {
            reads.records.contains(&(change.ty, change.id))
                || reads.types.contains(&change.ty)
                || touches_query(reads, change)
                || self.touches_absence(reads, change)
        })
    }

    // A unique value that nobody held is held now. (Who held one and gives it up was found as a record.)
    fn touches_absence(&self, reads: &ReadSet, change: &Change) -> bool {
        if change.record.is_deleted() || change.op == ChangeOp::Destroy {
            return false;
        }
        let shared = &self.inner.shared;
        reads.absences.iter().any(|(ty, field, key)| {
            *ty == change.ty
                && shared
                    .unique_key(*ty, *field, change.record.field(*field))
                    .as_ref()
                    == Some(key)
        })
    }
}

fn touches_query(reads: &ReadSet, change: &Change) -> bool {
    let after: Option<&Record> = (change.op != ChangeOp::Destroy).then_some(&change.record);
    let images = [change.before.as_deref(), after];
    // Without the state before, it may have been one that the query looked for.
    let unknown = change.op != ChangeOp::Create && change.before.is_none();
    reads.queries.iter().any(|query| {
        query.ty == change.ty
            && (unknown
                || images
                    .into_iter()
                    .flatten()
                    .any(|record| query.concerns(record)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::Receiver;

    use super::*;
    use crate::disk::MemoryDisk;
    use crate::query::{Column, Comparison, Predicate, Query};
    use crate::schema::{FieldDef, FieldType, Schema, TypeDef};
    use crate::snapshot::Deleted;
    use crate::store::StoreOptions;
    use crate::value::{EntityId, FieldIx, FieldValue, TypeIx};

    const TASK: TypeIx = TypeIx(0);
    const OTHER: TypeIx = TypeIx(1);
    const NAME: FieldIx = FieldIx(0);
    const RANK: FieldIx = FieldIx(1);

    struct Bench {
        store: Store,
        events: Receiver<Arc<CommitEvent>>,
    }

    fn bench() -> Bench {
        let fields = || {
            let name = FieldDef {
                unique: true,
                ..FieldDef::new("name", FieldType::Text)
            };
            vec![name, FieldDef::new("rank", FieldType::Int)]
        };
        let of = |name: &str| TypeDef {
            name: name.to_owned(),
            fields: fields(),
            ..TypeDef::default()
        };
        let schema = Schema {
            types: vec![of("Task"), of("Other")],
            ..Schema::default()
        };
        let opened = Store::open(Arc::new(MemoryDisk::new()), &schema, StoreOptions::inline());
        let store = opened.expect("memory opens").store;
        Bench {
            events: store.subscribe(),
            store,
        }
    }

    fn task(name: &str, rank: i64) -> Vec<FieldValue> {
        vec![FieldValue::text(name), FieldValue::Int(rank)]
    }

    impl Bench {
        fn write(&self, change: impl FnOnce(&mut crate::Transaction)) -> Arc<CommitEvent> {
            let mut tx = self.store.begin();
            change(&mut tx);
            self.store.commit_wait(tx, None);
            self.events.recv().expect("an event")
        }

        fn reads(&self, look: impl FnOnce(&mut crate::Transaction)) -> ReadSet {
            let mut tx = self.store.begin();
            look(&mut tx);
            tx.take_read_set()
        }
    }

    #[test]
    fn a_condition_is_touched_by_what_has_it_before_or_after() {
        let bench = bench();
        let add =
            |name: &str, rank| bench.write(|tx| _ = tx.insert(TASK, task(name, rank)).unwrap());
        let set =
            |rank| bench.write(|tx| _ = tx.update(TASK, EntityId(1), task("a", rank)).unwrap());
        add("a", 1);
        let high = Predicate::Compare {
            column: Column::Field(RANK),
            comparison: Comparison::Gt,
            value: FieldValue::Int(10),
        };
        let reads = bench.reads(|tx| _ = tx.select(&Query::all(TASK).matching(high)).count());
        let touched = |event: &CommitEvent| bench.store.touches(&reads, event);
        assert!(!touched(&set(2)), "neither before nor after");
        assert!(touched(&set(11)), "it has it now");
        assert!(touched(&set(12)), "and still");
        assert!(touched(&set(3)), "it had it");
        assert!(!touched(&add("b", 5)) && touched(&add("c", 50)));
        let other = bench.write(|tx| _ = tx.insert(OTHER, task("a", 99)).unwrap());
        assert!(!touched(&other), "of another type");
        let deleted = bench.write(|tx| _ = tx.delete(TASK, EntityId(3)).unwrap());
        assert!(touched(&deleted));
        let destroyed = bench.write(|tx| tx.destroy(TASK, EntityId(2)).unwrap());
        assert!(!touched(&destroyed), "it never had it");
    }

    #[test]
    fn records_types_and_absences() {
        let bench = bench();
        let add = |name: &str| bench.write(|tx| _ = tx.insert(TASK, task(name, 1)).unwrap());
        let (first, _) = (add("a"), add("b"));
        let one = bench.reads(|tx| drop(tx.get(TASK, EntityId(2)).unwrap()));
        let all = bench.reads(|tx| _ = tx.scan(TASK, Deleted::Hide).count());
        let free =
            bench.reads(|tx| drop(tx.find_unique(TASK, NAME, &FieldValue::text("c")).unwrap()));
        let touches = |reads: &ReadSet, event: &CommitEvent| bench.store.touches(reads, event);
        assert!(!touches(&one, &first) && touches(&all, &first) && !touches(&free, &first));
        let renamed = bench.write(|tx| _ = tx.update(TASK, EntityId(2), task("c", 1)).unwrap());
        assert!(touches(&one, &renamed) && touches(&all, &renamed) && touches(&free, &renamed));
        assert!(!touches(&ReadSet::default(), &renamed));
    }
}
