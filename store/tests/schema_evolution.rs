//! A program changes, its data stays: what is accepted at open, and the sentence for everything that is refused.

mod model;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use flin_store::{
    Deleted, Disk, FieldDef, FieldType, FieldValue, MemoryDisk, OpenError, Schema, Store,
    StoreOptions, TypeDef, TypeIx,
};
use flin_testkit::golden;
use model::commit;

fn entity(name: &str, fields: Vec<FieldDef>) -> TypeDef {
    TypeDef {
        name: name.into(),
        fields,
        ..TypeDef::default()
    }
}

fn field(name: &str, ty: FieldType) -> FieldDef {
    FieldDef::new(name, ty)
}

/// The program the data was written with.
fn original() -> Vec<TypeDef> {
    vec![
        entity(
            "Task",
            vec![
                field("title", FieldType::Text),
                field("points", FieldType::Int),
                field("owner", FieldType::Ref("Person".into())),
                field("scores", FieldType::List(Box::new(FieldType::Int))),
            ],
        ),
        entity("Person", vec![field("name", FieldType::Text).unique()]),
    ]
}

fn with_data() -> Arc<dyn Disk> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = open(&disk, original()).expect("open");
    let mut transaction = store.begin();
    let person = transaction
        .insert(TypeIx(1), vec![FieldValue::text("Ada")])
        .expect("insert");
    let scores = FieldValue::List(vec![FieldValue::Int(1), FieldValue::Int(2)]);
    for _ in 0..2 {
        let owner = FieldValue::Ref {
            ty: TypeIx(1),
            id: person,
        };
        let fields = vec![
            FieldValue::text("same title"),
            FieldValue::Int(3),
            owner,
            scores.clone(),
        ];
        transaction.insert(TypeIx(0), fields).expect("insert");
    }
    commit(&store, transaction);
    store.close().expect("close");
    disk
}

fn open(disk: &Arc<dyn Disk>, types: Vec<TypeDef>) -> Result<Store, OpenError> {
    Store::open(
        disk.clone(),
        &Schema {
            types,
            ..Schema::default()
        },
        StoreOptions::inline(),
    )
    .map(|opened| opened.store)
}

type Change = (&'static str, fn(&mut Vec<TypeDef>));

/// Changes of the program that lose nothing.
fn harmless() -> Vec<Change> {
    vec![
        ("nothing", |_| {}),
        ("a new field", |types| {
            types[0].fields.push(field("note", FieldType::Text))
        }),
        ("a new required field", |types| {
            types[0]
                .fields
                .push(field("note", FieldType::Text).required())
        }),
        ("a new entity", |types| {
            types.push(entity("Tag", vec![field("name", FieldType::Text)]))
        }),
        ("other order of fields and entities", |types| {
            types.reverse();
            types[1].fields.reverse();
        }),
        ("int to float", |types| {
            types[0].fields[1].ty = FieldType::Float
        }),
        ("list of int to list of float", |types| {
            types[0].fields[3].ty = FieldType::List(Box::new(FieldType::Float))
        }),
        ("text to any", |types| {
            types[0].fields[0].ty = FieldType::Any
        }),
        ("unique taken away", |types| {
            types[1].fields[0].unique = false
        }),
        ("unique that the data obeys", |types| {
            types[0]
                .fields
                .push(field("code", FieldType::Text).unique())
        }),
    ]
}

/// Changes that would lose or misread data.
fn harmful() -> Vec<Change> {
    vec![
        ("unique that the data breaks", |types| {
            types[0].fields[0].unique = true
        }),
        ("a field dropped", |types| drop(types[0].fields.remove(1))),
        ("a field renamed", |types| {
            types[0].fields[0].name = "titles".into()
        }),
        ("an entity dropped", |types| {
            types.remove(1);
            types[0].fields[2].ty = FieldType::Any;
        }),
        ("an entity renamed", |types| {
            types[1].name = "Human".into();
            types[0].fields[2].ty = FieldType::Any;
        }),
        ("int to text", |types| {
            types[0].fields[1].ty = FieldType::Text
        }),
        ("a link to another entity", |types| {
            types[0].fields[2].ty = FieldType::Ref("Task".into())
        }),
        ("a link to nothing", |types| {
            types[0]
                .fields
                .push(field("tag", FieldType::Ref("Tag".into())))
        }),
        ("declared twice", |types| {
            types[0].fields.push(field("title", FieldType::Text));
            types.push(entity(
                "Person",
                vec![field("name", FieldType::Text).unique()],
            ));
        }),
        ("several problems", |types| {
            types[0].fields.remove(0);
            types[0].fields[0].ty = FieldType::Bool;
            types[1].fields[0].ty = FieldType::Int;
        }),
    ]
}

#[test]
fn accepted_and_refused() {
    let mut text = String::new();
    for (name, change) in harmless().into_iter().chain(harmful()) {
        let mut types = original();
        change(&mut types);
        let disk = with_data();
        let answer = match Store::open(
            disk.clone(),
            &Schema {
                types,
                ..Schema::default()
            },
            StoreOptions::inline(),
        ) {
            Ok(opened) if opened.report.schema_added.is_empty() => "accepted".to_owned(),
            Ok(opened) => format!("accepted, new: {}", opened.report.schema_added.join(", ")),
            Err(error) => error.to_string(),
        };
        writeln!(text, "# {name}\n{answer}\n").expect("write");
        open(&disk, original())
            .unwrap_or_else(|error| panic!("{name}: opening alone must change nothing: {error}"));
    }
    golden::check(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema_evolution.txt"),
        &text,
    );
}

#[test]
fn old_records_read_well_in_the_new_program() {
    let disk = with_data();
    let mut types = original();
    types.reverse();
    let task = &mut types[1];
    task.fields.insert(0, field("note", FieldType::Text));
    task.fields[2].ty = FieldType::Float;
    task.fields[4].ty = FieldType::List(Box::new(FieldType::Float));
    for round in 1..3 {
        let store = open(&disk, types.clone()).expect("open");
        let tasks: Vec<_> = store
            .snapshot()
            .scan(TypeIx(1), Deleted::Hide)
            .collect::<Result<_, _>>()
            .expect("scan");
        assert_eq!(tasks.len(), 1 + round);
        let owner = FieldValue::Ref {
            ty: TypeIx(0),
            id: flin_store::EntityId(1),
        };
        let scores = FieldValue::List(vec![FieldValue::Float(1.0), FieldValue::Float(2.0)]);
        let expected = [
            FieldValue::None,
            FieldValue::text("same title"),
            FieldValue::Float(3.0),
            owner,
            scores,
        ];
        assert_eq!(tasks[0].fields, expected);
        // The first save writes the schema frame; the next open finds it.
        let mut transaction = store.begin();
        let mut fields = expected.to_vec();
        fields[0] = FieldValue::text("new");
        fields[2] = FieldValue::Float(0.5);
        let id = transaction
            .insert(TypeIx(1), fields.clone())
            .expect("insert");
        commit(&store, transaction);
        assert_eq!(
            store
                .snapshot()
                .get(TypeIx(1), id)
                .expect("read")
                .expect("there")
                .fields,
            fields
        );
        store.close().expect("close");
    }
    let error = open(&disk, original())
        .err()
        .expect("the old program would lose the new field");
    assert!(
        error
            .to_string()
            .contains("Task.note is in the data but not in the program any more"),
        "{error}"
    );
}
