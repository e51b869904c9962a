//! What a transaction is told about a deletion, against what the committer then does. Random links with random rules; two
//! stores get the same records: in one the answer is applied by hand before the commit, in the other the commit does it.

mod model;

use std::sync::Arc;

use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldDef, FieldType, FieldValue, MemoryDisk, OnDelete,
    Schema, Store, StoreOptions, Transaction, TypeDef, TypeIx,
};
use flin_testkit::rng::Rng;

const RULES: [OnDelete; 3] = [OnDelete::Restrict, OnDelete::SetNone, OnDelete::Cascade];
const RECORDS: u64 = 7;

/// Two types with a link and a list of links each, to both types.
fn schema(rng: &mut Rng) -> Schema {
    let mut field = |name: &str, target: &str, list: bool| {
        let link = FieldType::Ref(target.to_owned());
        let ty = if list {
            FieldType::List(Box::new(link))
        } else {
            link
        };
        let field = FieldDef::new(name, ty).on_delete(*rng.pick(&RULES));
        if rng.one_in(8) {
            field.required()
        } else {
            field
        }
    };
    let types = ["Left", "Right"].map(|name| TypeDef {
        name: name.to_owned(),
        fields: vec![
            field("one", "Left", false),
            field("other", "Right", false),
            field("many", "Right", true),
        ],
        ..TypeDef::default()
    });
    Schema {
        types: types.into(),
        ..Schema::default()
    }
}

fn link(rng: &mut Rng, ty: u32) -> FieldValue {
    FieldValue::Ref {
        ty: TypeIx(ty),
        id: EntityId(1 + rng.below(RECORDS as usize) as u64),
    }
}

/// The fields of all records; links may go anywhere, also to the record itself.
fn records(rng: &mut Rng) -> Vec<(TypeIx, EntityId, Vec<FieldValue>)> {
    let mut all = Vec::new();
    for ty in 0..2 {
        for id in 1..=RECORDS {
            let one = if rng.one_in(3) {
                link(rng, 0)
            } else {
                FieldValue::None
            };
            let other = if rng.one_in(4) {
                link(rng, 1)
            } else {
                FieldValue::None
            };
            let many = (0..rng.below(3)).map(|_| link(rng, 1)).collect();
            let fields = vec![one, other, FieldValue::List(many)];
            all.push((TypeIx(ty), EntityId(id), fields));
        }
    }
    all
}

fn filled(schema: &Schema, all: &[(TypeIx, EntityId, Vec<FieldValue>)]) -> Store {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let opened =
        Store::open(disk, schema, StoreOptions::inline()).expect("a store in memory opens");
    let store = opened.store;
    let mut transaction = store.begin();
    for (ty, id, _) in all {
        let empty = vec![FieldValue::None; 3];
        assert_eq!(transaction.insert(*ty, empty).expect("insert"), *id);
    }
    for (ty, id, fields) in all {
        transaction
            .update(*ty, *id, fields.clone())
            .expect("update");
    }
    let outcome = store.commit_wait(transaction, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    store
}

fn state(store: &Store) -> Vec<(TypeIx, EntityId, bool, Vec<FieldValue>)> {
    let mut transaction = store.begin();
    let mut all = Vec::new();
    for ty in [TypeIx(0), TypeIx(1)] {
        for record in transaction.scan(ty, Deleted::Include) {
            let record = record.expect("readable");
            all.push((ty, record.id, record.is_deleted(), record.fields.clone()));
        }
    }
    all
}

fn by_hand(transaction: &mut Transaction, ty: TypeIx, id: EntityId) -> Result<(), String> {
    let with_it = transaction.consequences(ty, id).expect("readable");
    let with_it = with_it.map_err(|error| error.rule.name().to_owned())?;
    for (ty, id) in with_it.deleted {
        transaction.delete(ty, id).expect("it is live");
    }
    for (ty, id, fields) in with_it.unlinked {
        transaction.update(ty, id, fields).expect("it is live");
    }
    transaction.delete(ty, id).expect("it is live");
    Ok(())
}

#[test]
fn what_is_told_is_what_the_commit_does() {
    let (mut refused, mut deleted, mut unlinked) = (0, 0, 0);
    for seed in 1..=400 {
        let mut rng = Rng::new(seed);
        let schema = schema(&mut rng);
        let all = records(&mut rng);
        let (told, judge) = (filled(&schema, &all), filled(&schema, &all));
        let before = state(&judge);
        let (ty, id) = (
            TypeIx(rng.below(2) as u32),
            EntityId(1 + rng.below(7) as u64),
        );

        let mut transaction = told.begin();
        let answer = by_hand(&mut transaction, ty, id);
        let mut plain = judge.begin();
        plain.delete(ty, id).expect("it is live");
        let outcome = judge.commit_wait(plain, None);
        match (answer, outcome) {
            (Ok(()), CommitOutcome::Committed { .. }) => {
                let outcome = told.commit_wait(transaction, None);
                assert!(
                    matches!(outcome, CommitOutcome::Committed { .. }),
                    "seed {seed}: {outcome}"
                );
                let after = state(&told);
                assert_eq!(after, state(&judge), "seed {seed}");
                let changed = |gone: bool| {
                    let pairs = before.iter().zip(&after);
                    pairs.filter(|(a, b)| a != b && b.2 == gone).count()
                };
                deleted += changed(true);
                unlinked += changed(false);
            }
            (Err(rule), CommitOutcome::Constraint(error)) => {
                assert_eq!(rule, error.rule.name(), "seed {seed}: {error}");
                refused += 1;
            }
            (answer, outcome) => panic!("seed {seed}: told {answer:?}, done: {outcome}"),
        }
    }
    assert!(
        refused > 50 && deleted > 300 && unlinked > 50,
        "the seeds show too little: {refused} refused, {deleted} deleted, {unlinked} unlinked"
    );
}

#[test]
fn a_snapshot_at_a_transaction_sees_nothing_later() {
    let mut rng = Rng::new(3);
    let schema = schema(&mut rng);
    let store = filled(&schema, &records(&mut rng));
    let first = store.begin().snapshot().lsn();
    let mut transaction = store.begin();
    let new = transaction
        .insert(TypeIx(0), vec![FieldValue::None; 3])
        .expect("insert");
    let outcome = store.commit_wait(transaction, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    let now = store.begin().snapshot().clone();
    assert!(now.get(TypeIx(0), new).expect("readable").is_some());
    let then = now.at_lsn(first);
    assert!(then.get(TypeIx(0), new).expect("readable").is_none());
    assert_eq!(then.count(TypeIx(0)).expect("readable"), RECORDS);
    assert_eq!(
        then.at_lsn(now.lsn()).lsn(),
        first,
        "never later than it was"
    );
}
