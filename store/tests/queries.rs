//! Every way to answer a query gives what looking at every decoded record gives: random data, histories, conditions,
//! orders and snapshots (now, as of a transaction, as of a time, inside a transaction with own writes).
//!
//! The judge scans, asks `Predicate::matches`, and sorts with its own comparison. A failing seed prints its command line.

mod model;

use std::cmp::Ordering;
use std::sync::Arc;

use flin_store::query::{Aggregate, Column, Comparison, Order, Predicate, Query, Total};
use flin_store::{
    Deleted, Disk, EntityId, FieldDef, FieldIx, FieldType, FieldValue, Lsn, MemoryDisk, OnDelete,
    Record, Schema, Snapshot, Store, StoreOptions, Transaction, TypeDef, TypeIx,
};
use flin_testkit::rng::Rng;
use model::commit;

const ITEM: TypeIx = TypeIx(0);
const OWNER: TypeIx = TypeIx(1);
const CODE: u32 = 9;
const NAMES: [&str; 7] = [
    "",
    "a",
    "ab",
    "b",
    "a\0b",
    "äö",
    "a long text that is longer than a word",
];

/// A type with a field of every kind; which of them are indexed or kept as columns is drawn by lot.
fn schema(rng: &mut Rng) -> Schema {
    let kinds = [
        ("done", FieldType::Bool),
        ("size", FieldType::Int),
        ("price", FieldType::Float),
        ("name", FieldType::Text),
        ("due", FieldType::Time),
        ("takes", FieldType::Duration),
        ("owner", FieldType::Ref("Owner".into())),
        ("mood", FieldType::Enum("Mood".into())),
        ("extra", FieldType::Any),
        ("code", FieldType::Int),
    ];
    let mut item: Vec<FieldDef> = kinds
        .into_iter()
        .map(|(name, ty)| FieldDef::new(name, ty).on_delete(OnDelete::SetNone))
        .collect();
    for field in &mut item {
        field.index = rng.one_in(3);
        field.queried = rng.one_in(2);
        field.ordered = rng.one_in(3);
    }
    item[CODE as usize].unique = rng.one_in(2);
    Schema {
        types: vec![
            TypeDef {
                name: "Item".into(),
                fields: item,
                ..TypeDef::default()
            },
            TypeDef {
                name: "Owner".into(),
                fields: vec![FieldDef::new("name", FieldType::Text)],
                ..TypeDef::default()
            },
        ],
        ..Schema::default()
    }
}

fn float(rng: &mut Rng) -> f64 {
    *rng.pick(&[0.0, -0.0, 1.5, -2.0, 3.0, f64::NAN, f64::INFINITY, 9e15])
}

fn mood(rng: &mut Rng) -> FieldValue {
    let payload = if rng.one_in(4) {
        vec![FieldValue::Int(rng.below(2) as i64)]
    } else {
        Vec::new()
    };
    FieldValue::Enum {
        name: "Mood".into(),
        variant: (*rng.pick(&["glad", "sad"])).into(),
        payload,
    }
}

/// A value for a field, often one that others have too.
fn value(rng: &mut Rng, field: u32, owners: &[EntityId]) -> FieldValue {
    if rng.one_in(6) {
        return FieldValue::None;
    }
    let small = rng.below(6) as i64 - 2;
    match field {
        0 => FieldValue::Bool(rng.one_in(2)),
        1 => FieldValue::Int(small),
        2 if rng.one_in(3) => FieldValue::Int(small),
        2 => FieldValue::Float(float(rng)),
        3 => FieldValue::text(*rng.pick(&NAMES)),
        4 => FieldValue::Time(small * 1000),
        5 => FieldValue::Duration(small * 60_000),
        6 if owners.is_empty() => FieldValue::None,
        6 => FieldValue::Ref {
            ty: OWNER,
            id: *rng.pick(owners),
        },
        7 => mood(rng),
        8 => match rng.below(4) {
            0 => FieldValue::Int(small),
            1 => FieldValue::Float(float(rng)),
            2 => FieldValue::text(*rng.pick(&NAMES)),
            _ => FieldValue::List(vec![FieldValue::Int(small), FieldValue::None]),
        },
        _ => FieldValue::None,
    }
}

struct World {
    rng: Rng,
    owners: Vec<EntityId>,
    items: Vec<EntityId>,
    next_code: i64,
}

impl World {
    fn fields(&mut self) -> Vec<FieldValue> {
        let mut fields: Vec<FieldValue> = (0..=CODE)
            .map(|field| value(&mut self.rng, field, &self.owners))
            .collect();
        self.next_code += 1;
        if !self.rng.one_in(5) {
            fields[CODE as usize] = FieldValue::Int(self.next_code);
        }
        fields
    }

    /// Some changes of one transaction. What does not apply (deleted already) is left out.
    fn changes(&mut self, transaction: &mut Transaction) {
        for _ in 0..1 + self.rng.below(6) {
            let known = if self.items.is_empty() || self.rng.one_in(3) {
                None
            } else {
                Some(*self.rng.pick(&self.items))
            };
            let Some(id) = known else {
                let fields = self.fields();
                self.items
                    .push(transaction.insert(ITEM, fields).expect("insert"));
                continue;
            };
            match self.rng.below(9) {
                0..=4 => {
                    let fields = self.fields();
                    drop(transaction.update(ITEM, id, fields));
                }
                5 => drop(transaction.delete(ITEM, id)),
                6 | 7 => drop(transaction.restore(ITEM, id)),
                _ if self.rng.one_in(3) => drop(transaction.destroy(ITEM, id)),
                _ => {}
            }
        }
        if self.rng.one_in(8) && self.owners.len() > 1 {
            let at = self.rng.below(self.owners.len());
            let owner = self.owners.swap_remove(at);
            transaction.delete(OWNER, owner).expect("delete an owner");
        }
    }
}

fn column(rng: &mut Rng) -> Column {
    match rng.below(14) {
        0 => Column::Id,
        1 => Column::Version,
        2 => *rng.pick(&[Column::CreatedAt, Column::UpdatedAt, Column::DeletedAt]),
        _ => Column::Field(FieldIx(rng.below(CODE as usize + 1) as u32)),
    }
}

fn constant(world: &mut World, column: Column) -> FieldValue {
    let rng = &mut world.rng;
    match column {
        _ if rng.one_in(12) => FieldValue::None,
        _ if rng.one_in(12) => value(rng, 8, &[]),
        Column::Id => FieldValue::Int(rng.below(40) as i64),
        Column::Version => FieldValue::Int(rng.below(4) as i64),
        Column::CreatedAt | Column::UpdatedAt | Column::DeletedAt => {
            FieldValue::Time(1_700_000_000_000 + rng.below(1000) as i64)
        }
        Column::Field(FieldIx(CODE)) => FieldValue::Int(rng.below(100) as i64),
        Column::Field(field) if rng.one_in(5) && field.0 < 3 => FieldValue::Float(float(rng)),
        Column::Field(field) => value(rng, field.0, &world.owners),
    }
}

fn predicate(world: &mut World, depth: usize) -> Predicate {
    let kind = world.rng.below(if depth == 0 { 6 } else { 10 });
    let of = column(&mut world.rng);
    match kind {
        0..=2 => {
            let comparison = *world.rng.pick(&[
                Comparison::Eq,
                Comparison::Eq,
                Comparison::Ne,
                Comparison::Lt,
                Comparison::Le,
                Comparison::Gt,
                Comparison::Ge,
            ]);
            Predicate::compare(of, comparison, constant(world, of))
        }
        3 => Predicate::IsNone(of),
        4 => Predicate::In {
            column: of,
            values: (0..world.rng.below(4))
                .map(|_| constant(world, of))
                .collect(),
        },
        5 => {
            let text = Arc::from(*world.rng.pick(&["", "a", "b", "ä", "long", "a\0"]));
            let column = if world.rng.one_in(4) {
                of
            } else {
                Column::Field(FieldIx(3))
            };
            if world.rng.one_in(2) {
                Predicate::Prefix { column, text }
            } else {
                Predicate::Contains { column, text }
            }
        }
        6 => Predicate::Not(Box::new(predicate(world, depth - 1))),
        7 if world.rng.one_in(2) => {
            let other = [Comparison::Eq, Comparison::Lt, Comparison::Ge];
            let mut of_one = |comparison| Predicate::compare(of, comparison, constant(world, of));
            Predicate::Or(vec![
                of_one(other[0]),
                of_one(other[1]),
                Predicate::IsNone(of),
                of_one(other[2]),
            ])
        }
        7 => Predicate::Or(some(world, depth)),
        _ => Predicate::And(some(world, depth)),
    }
}

fn some(world: &mut World, depth: usize) -> Vec<Predicate> {
    (0..world.rng.below(4))
        .map(|_| predicate(world, depth - 1))
        .collect()
}

fn query(world: &mut World) -> Query {
    let predicate = if world.rng.one_in(6) {
        Predicate::Always
    } else {
        predicate(world, 2)
    };
    let keys = [0, 0, 1, 1, 2];
    let keys = *world.rng.pick(&keys);
    let order = (0..keys).map(|_| Order {
        column: column(&mut world.rng),
        descending: world.rng.one_in(2),
    });
    let order = order.collect();
    Query {
        ty: ITEM,
        deleted: *world.rng.pick(&[
            Deleted::Hide,
            Deleted::Hide,
            Deleted::Hide,
            Deleted::Only,
            Deleted::Include,
        ]),
        predicate,
        order,
        skip: if world.rng.one_in(3) {
            world.rng.below(5) as u64
        } else {
            0
        },
        limit: world.rng.one_in(2).then(|| world.rng.below(9) as u64),
    }
}

fn key(record: &Record, column: Column) -> FieldValue {
    match column {
        Column::Id => FieldValue::Int(record.id.0 as i64),
        Column::Version => FieldValue::Int(i64::from(record.version)),
        Column::CreatedAt => FieldValue::Time(record.created_at_ms),
        Column::UpdatedAt => FieldValue::Time(record.updated_at_ms),
        Column::DeletedAt => record
            .deleted_at_ms
            .map_or(FieldValue::None, FieldValue::Time),
        Column::Field(field) => record.field(field).clone(),
    }
}

/// The judge's order of two values of one column; `None` where the language has no order between them.
fn order_of(a: &FieldValue, b: &FieldValue) -> Option<Ordering> {
    match (a, b) {
        (FieldValue::Int(a), FieldValue::Int(b))
        | (FieldValue::Time(a), FieldValue::Time(b))
        | (FieldValue::Duration(a), FieldValue::Duration(b)) => Some(a.cmp(b)),
        (FieldValue::Bool(a), FieldValue::Bool(b)) => Some(a.cmp(b)),
        (FieldValue::Float(a), FieldValue::Float(b)) => a.partial_cmp(b),
        (FieldValue::Text(a), FieldValue::Text(b)) => Some(a.chars().cmp(b.chars())),
        (_, _) => None,
    }
}

fn has_order(column: Column) -> bool {
    !matches!(column, Column::Field(FieldIx(6..=8)))
}

fn judged_order(a: &Record, b: &Record, order: &[Order]) -> Ordering {
    let place = |value: &FieldValue| match value {
        FieldValue::None => 2,
        FieldValue::Float(float) if float.is_nan() => 1,
        _ => 0,
    };
    for Order { column, descending } in order {
        let (left, right) = (key(a, *column), key(b, *column));
        let by_place = place(&left).cmp(&place(&right));
        let by_value = order_of(&left, &right).unwrap_or(Ordering::Equal);
        let by_value = if *descending {
            by_value.reverse()
        } else {
            by_value
        };
        let found = by_place.then(by_value);
        if found != Ordering::Equal {
            return found;
        }
    }
    a.id.cmp(&b.id)
}

/// What looking at every record gives.
fn judged(all: impl Iterator<Item = Arc<Record>>, query: &Query) -> Vec<Arc<Record>> {
    let mut found: Vec<Arc<Record>> = all
        .filter(|record| query.predicate.matches(record))
        .collect();
    found.sort_by(|a, b| judged_order(a, b, &query.order));
    let rest = found.into_iter().skip(query.skip as usize);
    rest.take(query.limit.map_or(usize::MAX, |limit| limit as usize))
        .collect()
}

fn judged_total(rows: &[Arc<Record>], aggregate: Aggregate) -> Option<FieldValue> {
    let mut values = rows
        .iter()
        .map(|row| key(row, aggregate.column()))
        .filter(|value| !value.is_none());
    let first = values.next()?;
    Some(
        values.fold(first, |so_far, next| match (aggregate, &so_far, &next) {
            (Aggregate::Sum(_), FieldValue::Int(a), FieldValue::Int(b)) => FieldValue::Int(a + b),
            (Aggregate::Sum(_), _, _) => panic!("only ints are summed here"),
            (Aggregate::Min(_), _, _) if order_of(&next, &so_far) == Some(Ordering::Less) => next,
            (Aggregate::Max(_), _, _) if order_of(&next, &so_far) == Some(Ordering::Greater) => {
                next
            }
            (Aggregate::Min(_) | Aggregate::Max(_), _, _) => so_far,
        }),
    )
}

/// NaN is not equal to itself, so records are compared by their texts.
fn text(rows: &[Arc<Record>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

fn check_snapshot(snapshot: &Snapshot, query: &Query, story: &str) {
    let all = snapshot
        .scan(query.ty, query.deleted)
        .map(|record| record.expect("scan"));
    let expected = judged(all, query);
    let plan = snapshot.explain(query).expect("explain");
    let story = format!("{story}\n{query:?}\n{plan}");
    let found: Result<Vec<_>, _> = snapshot.select(query).collect();
    assert_eq!(text(&found.expect("select")), text(&expected), "{story}");
    let count = snapshot.count_where(query).expect("count");
    assert_eq!(count, expected.len() as u64, "{story}");
    for aggregate in aggregates() {
        let total = snapshot.aggregate(query, aggregate).expect("aggregate");
        check_total(total, judged_total(&expected, aggregate), &story);
    }
}

fn aggregates() -> [Aggregate; 4] {
    let (size, name) = (Column::Field(FieldIx(1)), Column::Field(FieldIx(3)));
    [
        Aggregate::Sum(size),
        Aggregate::Max(size),
        Aggregate::Min(name),
        Aggregate::Max(Column::Id),
    ]
}

fn check_total(found: Total, expected: Option<FieldValue>, story: &str) {
    assert_eq!(
        found,
        expected.map_or(Total::Nothing, Total::Value),
        "{story}"
    );
}

fn check_transaction(transaction: &mut Transaction, query: &Query, story: &str) {
    let all: Vec<_> = transaction
        .scan(query.ty, query.deleted)
        .map(|record| record.expect("scan"))
        .collect();
    let expected = judged(all.into_iter(), query);
    let story = format!("{story}, with own writes\n{query:?}");
    let found: Result<Vec<_>, _> = transaction.select(query).collect();
    assert_eq!(text(&found.expect("select")), text(&expected), "{story}");
    let count = transaction.count_where(query).expect("count");
    assert_eq!(count, expected.len() as u64, "{story}");
    let total = transaction.aggregate(query, aggregates()[0]).expect("sum");
    check_total(total, judged_total(&expected, aggregates()[0]), &story);
    let noted = &transaction.read_set().queries;
    assert!(
        noted.iter().any(|read| read.predicate == query.predicate)
            || format!("{query:?}").contains("NaN"),
        "{story}"
    );
}

fn ask_all(store: &Store, world: &mut World, times: &[(Lsn, i64)], story: &str) {
    let snapshot = store.snapshot();
    for _ in 0..4 {
        // Without an order between the values of these, any order would do: only by the store itself it is fixed.
        let mut query = query(world);
        query.order.retain(|key| has_order(key.column));
        check_snapshot(&snapshot, &query, story);
        if !times.is_empty() {
            let (lsn, time_ms) = *world.rng.pick(times);
            check_snapshot(&snapshot.at_lsn(lsn), &query, &format!("{story}, at {lsn}"));
            check_snapshot(
                &snapshot.at_time(time_ms),
                &query,
                &format!("{story}, at time {time_ms}"),
            );
        }
    }
    let mut transaction = store.begin();
    world.changes(&mut transaction);
    for _ in 0..2 {
        let mut query = query(world);
        query.order.retain(|key| has_order(key.column));
        check_transaction(&mut transaction, &query, story);
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let schema = schema(&mut rng);
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let open = || {
        let opened = Store::open(disk.clone(), &schema, StoreOptions::inline());
        opened.unwrap_or_else(|error| panic!("open: {error}")).store
    };
    let mut store = open();
    let mut world = World {
        rng,
        owners: Vec::new(),
        items: Vec::new(),
        next_code: 0,
    };
    let mut first = store.begin();
    for name in ["Ada", "Bob", "Cyd"] {
        let fields = vec![FieldValue::text(name)];
        world
            .owners
            .push(first.insert(OWNER, fields).expect("insert"));
    }
    commit(&store, first);
    let mut times = Vec::new();
    let mut open_snapshot = store.snapshot();
    for round in 0..14 {
        let story = format!(
            "round {round} of FLIN_SEED={seed} cargo nextest run -p flin-store --test queries"
        );
        let mut transaction = store.begin();
        let owners = world.owners.clone();
        world.changes(&mut transaction);
        match store.commit_wait(transaction, None) {
            flin_store::CommitOutcome::Committed { lsn, event } => times.push((lsn, event.time_ms)),
            // A link to an owner that the same transaction deletes is refused.
            flin_store::CommitOutcome::Constraint(_) => world.owners = owners,
            other => panic!("{other}: {story}"),
        }
        if world.rng.one_in(4) {
            open_snapshot = store.snapshot();
        }
        let old = query(&mut world);
        if old.order.iter().all(|key| has_order(key.column)) {
            check_snapshot(&open_snapshot, &old, &format!("{story}, an older snapshot"));
        }
        ask_all(&store, &mut world, &times, &story);
        if world.rng.one_in(6) {
            drop(open_snapshot);
            drop(store);
            store = open();
            open_snapshot = store.snapshot();
            ask_all(
                &store,
                &mut world,
                &times,
                &format!("{story}, opened again"),
            );
        }
    }
}

#[test]
fn every_plan_gives_what_looking_at_all_records_gives() {
    if let Ok(seed) = std::env::var("FLIN_SEED") {
        run(seed.parse().expect("FLIN_SEED is a number"));
        return;
    }
    (0..20).for_each(run);
}

/// Two long lists of values for one field are not multiplied with each other: one finds records, the other judges them.
#[test]
fn two_long_lists_about_one_field() {
    let mut size = FieldDef::new("size", FieldType::Int);
    (size.index, size.ordered) = (true, true);
    let schema = Schema {
        types: vec![TypeDef {
            name: "Item".into(),
            fields: vec![size],
            ..TypeDef::default()
        }],
        ..Schema::default()
    };
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let opened = Store::open(disk, &schema, StoreOptions::inline());
    let store = opened.expect("open").store;
    let mut transaction = store.begin();
    for size in (0..40_000).step_by(1000) {
        let fields = vec![FieldValue::Int(size)];
        transaction.insert(ITEM, fields).expect("insert");
    }
    commit(&store, transaction);
    let one_of = |sizes: std::ops::Range<i64>| Predicate::In {
        column: Column::Field(FieldIx(0)),
        values: sizes.map(FieldValue::Int).collect(),
    };
    let lists = [one_of(0..10_000), one_of(5_000..15_000)];
    let query = Query::all(ITEM).matching(Predicate::And(lists.into()));
    let snapshot = store.snapshot();
    check_snapshot(&snapshot, &query, "two long lists");
    assert_eq!(snapshot.count_where(&query).expect("count"), 5);
}
