//! Which plan is chosen for what, in the words of `explain`, as one golden text; and that memory is reported.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldDef, FieldIx, FieldType, FieldValue, MemoryDisk,
    Schema, Store, StoreOptions, TypeDef, TypeIx,
};
use flin_testkit::golden;

const ENTRY: TypeIx = TypeIx(0);
const USER: TypeIx = TypeIx(1);

fn schema() -> Schema {
    let entity = |name: &str, fields| TypeDef {
        name: name.into(),
        fields,
        ..TypeDef::default()
    };
    let todo = vec![
        FieldDef::new("title", FieldType::Text),
        FieldDef::new("done", FieldType::Bool).queried(),
        FieldDef::new("points", FieldType::Int).ordered(),
        FieldDef::new("owner", FieldType::Ref("User".into())),
        FieldDef::new("slug", FieldType::Text).unique(),
        FieldDef::new("kind", FieldType::Text).queried(),
    ];
    Schema {
        types: vec![
            entity("Todo", todo),
            entity("User", vec![FieldDef::new("name", FieldType::Text)]),
        ],
        ..Schema::default()
    }
}

fn filled() -> Store {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = Store::open(disk, &schema(), StoreOptions::inline()).expect("open");
    let store = store.store;
    let mut transaction = store.begin();
    for at in 0..20 {
        let name = FieldValue::text(format!("user {at}"));
        transaction.insert(USER, vec![name]).expect("insert");
    }
    for at in 0..2000_i64 {
        let fields = vec![
            FieldValue::text(format!("title {at}")),
            FieldValue::Bool(at % 4 == 0),
            FieldValue::Int(at % 100),
            FieldValue::Ref {
                ty: USER,
                id: EntityId(1 + at as u64 % 20),
            },
            FieldValue::text(format!("slug-{at}")),
            FieldValue::text(["home", "work"][at as usize % 2]),
        ];
        transaction.insert(ENTRY, fields).expect("insert");
    }
    let outcome = store.commit_wait(transaction, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    store
}

fn field(at: u32) -> Column {
    Column::Field(FieldIx(at))
}

fn is(at: u32, value: FieldValue) -> Predicate {
    Predicate::equals(field(at), value)
}

fn owner(id: u64) -> FieldValue {
    FieldValue::Ref {
        ty: USER,
        id: EntityId(id),
    }
}

/// What the language asks for a field that may be none.
fn or_none(from: i64) -> Predicate {
    Predicate::Or(vec![
        Predicate::compare(field(2), Comparison::Ge, FieldValue::Int(from)),
        Predicate::IsNone(field(2)),
    ])
}

fn queries() -> Vec<(&'static str, Query)> {
    let all = || Query::all(ENTRY);
    let over = |at, value| Predicate::compare(field(at), Comparison::Ge, FieldValue::Int(value));
    let slug = |number: i64| is(4, FieldValue::text(format!("slug-{number}")));
    let prefix = Predicate::Prefix {
        column: field(4),
        text: "slug-199".into(),
    };
    let contains = Predicate::Contains {
        column: field(0),
        text: "99".into(),
    };
    let open = is(1, FieldValue::Bool(false));
    let both = Predicate::And(vec![is(3, owner(7)), open.clone()]);
    let mixed = Predicate::And(vec![open.clone(), contains.clone()]);
    let few = Query {
        limit: Some(3),
        ..all().matching(open.clone()).ordered(field(2), true)
    };
    let page = Query {
        skip: 20,
        limit: Some(10),
        ..all().ordered(Column::CreatedAt, true)
    };
    let numbers = Predicate::In {
        column: Column::Id,
        values: vec![FieldValue::Int(3), FieldValue::Int(9)],
    };
    let deleted = Query {
        deleted: Deleted::Only,
        ..all().matching(is(3, owner(7)))
    };
    vec![
        ("all", all()),
        ("a bool", all().matching(open)),
        ("a unique value", all().matching(slug(17))),
        ("the beginning of a text", all().matching(prefix)),
        ("a reference", all().matching(is(3, owner(7)))),
        ("a reference and a bool", all().matching(both)),
        ("a range", all().matching(over(2, 95))),
        ("a wide range", all().matching(over(2, 5))),
        ("a range or no value", all().matching(or_none(98))),
        (
            "the same in order",
            Query {
                limit: Some(3),
                ..all().matching(or_none(98)).ordered(field(2), true)
            },
        ),
        ("an order with a limit", few),
        ("an order without one", all().ordered(field(2), false)),
        ("an order by no index", page),
        ("a text that contains", all().matching(contains)),
        ("a bool and a text that contains", all().matching(mixed)),
        (
            "texts by dictionary",
            all().matching(is(5, FieldValue::text("home"))),
        ),
        ("numbers", all().matching(numbers)),
        (
            "what cannot be",
            all()
                .matching(is(1, FieldValue::None))
                .ordered(field(4), false),
        ),
        (
            "a value that nobody has",
            all().matching(is(2, FieldValue::text("x"))),
        ),
        ("deleted ones", deleted),
    ]
}

#[test]
fn plans_in_plain_words() {
    let store = filled();
    let snapshot = store.snapshot();
    let mut text = String::new();
    for (name, query) in queries() {
        let plan = snapshot.explain(&query).expect("explain");
        let found = snapshot.select(&query).count();
        writeln!(text, "# {name}\n{plan}\n  (it has {found})\n").expect("a String takes all");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/explain.txt");
    golden::check(&path, &text);
}

#[test]
fn memory_is_reported_by_type_and_index() {
    let store = filled();
    let done = Query::all(ENTRY).matching(is(1, FieldValue::Bool(true)));
    assert_eq!(store.snapshot().count_where(&done).expect("count"), 500);
    let memory = store.table_memory();
    let todo = memory.iter().find(|memory| memory.type_name == "Todo");
    let todo = todo.expect("Todo has a table");
    assert_eq!(todo.records, 2000);
    let names: Vec<&str> = todo.indexes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["points", "owner", "slug", "kind"]);
    let points = todo.indexes[0].1 as f64 / 2000.0;
    assert!(
        (20.0..30.0).contains(&points),
        "an int takes {points} bytes a record"
    );
    assert!(
        todo.column_bytes > 0 && todo.column_bytes < 2 * 4096 * 16,
        "{todo:?}"
    );
}

// The index is walked backwards for a descending order, and no value stood first then.
#[test]
fn no_value_comes_last_in_both_directions() {
    let store = filled();
    let mut transaction = store.begin();
    for at in 0..3 {
        let fields = vec![
            FieldValue::text(format!("without {at}")),
            FieldValue::Bool(false),
            FieldValue::None,
            FieldValue::None,
            FieldValue::None,
            FieldValue::None,
        ];
        transaction.insert(ENTRY, fields).expect("insert");
    }
    store.commit_wait(transaction, None);
    let any_of = Predicate::In {
        column: field(2),
        values: vec![FieldValue::None, FieldValue::Int(98), FieldValue::Int(99)],
    };
    for condition in [or_none(98), any_of] {
        for descending in [false, true] {
            let query = Query {
                limit: Some(41),
                ..Query::all(ENTRY)
                    .matching(condition.clone())
                    .ordered(field(2), descending)
            };
            let snapshot = store.snapshot();
            let plan = snapshot.explain(&query).expect("a plan").to_string();
            assert!(plan.contains("index Todo.points"), "{plan}");
            let found: Result<Vec<_>, _> = snapshot.select(&query).collect();
            let found = found.expect("readable");
            let points = found.iter().map(|todo| todo.fields[2].clone());
            let (high, low) = if descending { (99, 98) } else { (98, 99) };
            let mut expected = vec![FieldValue::Int(high); 20];
            expected.extend(vec![FieldValue::Int(low); 20]);
            expected.push(FieldValue::None);
            assert!(points.eq(expected), "{plan}");
        }
    }
}
