//! A program changes, its data stays: what is accepted at open, the sentence for everything that is refused, and what
//! records read once the operator has agreed.

mod model;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    Consent, Deleted, Disk, EntityId, EnumDef, FieldDef, FieldIx, FieldType, FieldValue, Form,
    MemoryDisk, Moment, OpenError, Opened, Schema, Snapshot, Store, StoreOptions, TypeDef, TypeIx,
    plan_schema, value_text,
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

fn must_have(mut field: FieldDef) -> FieldDef {
    field.never_none = true;
    field
}

fn list(item: FieldType) -> FieldType {
    FieldType::List(Box::new(item))
}

/// The program the data was written with.
fn original() -> Schema {
    let task = vec![
        field("title", FieldType::Text),
        field("points", FieldType::Int),
        field("owner", FieldType::Ref("Person".into())),
        field("scores", list(FieldType::Int)),
        field("due", FieldType::Time),
        field("unused", FieldType::Text),
    ];
    let person = vec![
        must_have(field("name", FieldType::Text)).unique(),
        field("mood", FieldType::Enum("Mood".into())),
    ];
    let variants = [("Happy", 0), ("Sad", 0), ("Lost", 1)];
    let variants = variants.map(|(name, values)| (name.to_owned(), values));
    Schema {
        types: vec![
            entity("Task", task),
            entity("Person", person),
            entity("Label", vec![field("text", FieldType::Text)]),
        ],
        enums: vec![EnumDef {
            name: "Mood".into(),
            variants: variants.into(),
        }],
    }
}

fn mood(variant: &str, payload: Vec<FieldValue>) -> FieldValue {
    FieldValue::Enum {
        name: "Mood".into(),
        variant: variant.into(),
        payload,
    }
}

fn with_data() -> Arc<dyn Disk> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = open(&disk, &original(), false).expect("open").store;
    let mut transaction = store.begin();
    let fields = vec![FieldValue::text("Ada"), mood("Sad", vec![])];
    let ada = transaction.insert(TypeIx(1), fields).expect("insert");
    let fields = vec![FieldValue::text("Bob"), mood("Happy", vec![])];
    transaction.insert(TypeIx(1), fields).expect("insert");
    let scores = FieldValue::List(vec![FieldValue::Int(1), FieldValue::Int(2)]);
    for title in ["12", "12", "twelve"] {
        let owner = FieldValue::Ref {
            ty: TypeIx(1),
            id: ada,
        };
        let due = match title {
            "12" => FieldValue::None,
            _ => FieldValue::Time(0),
        };
        let fields = vec![
            FieldValue::text(title),
            FieldValue::Int(3),
            owner,
            scores.clone(),
            due,
            FieldValue::None,
        ];
        transaction.insert(TypeIx(0), fields).expect("insert");
    }
    commit(&store, transaction);
    store.close().expect("close");
    disk
}

fn open(disk: &Arc<dyn Disk>, schema: &Schema, migrate: bool) -> Result<Opened, OpenError> {
    let options = StoreOptions {
        migrate,
        ..StoreOptions::inline()
    };
    Store::open(disk.clone(), schema, options)
}

/// All live records as text, one line each.
fn records(snapshot: &Snapshot, schema: &Schema) -> String {
    let mut out = String::new();
    for (at, def) in schema.types.iter().enumerate() {
        for record in snapshot.scan(TypeIx(at as u32), Deleted::Hide) {
            let record = record.expect("a readable record");
            write!(out, "    {} {}:", def.name, record.id).expect("write");
            for (field, value) in def.fields.iter().zip(&record.fields) {
                let value = value_text(value, &field.ty, schema);
                write!(out, " {}={value}", field.name).expect("write");
            }
            out.push('\n');
        }
    }
    out
}

type Case = (&'static str, fn(&mut Schema));

fn task(schema: &mut Schema) -> &mut TypeDef {
    &mut schema.types[0]
}

fn cases() -> Vec<Case> {
    let mut cases = names_and_places();
    cases.extend(types_of_fields());
    cases.extend(values_and_rules());
    cases
}

fn names_and_places() -> Vec<Case> {
    vec![
        ("nothing", |_| {}),
        ("a new field", |schema| {
            task(schema).fields.push(field("note", FieldType::Text));
        }),
        ("a new field with a default", |schema| {
            let mut note = must_have(field("note", FieldType::Text));
            note.fill = Some(FieldValue::text("none so far"));
            task(schema).fields.insert(0, note);
        }),
        ("a new field that must have a value", |schema| {
            task(schema)
                .fields
                .push(must_have(field("note", FieldType::Text)).required());
        }),
        ("the same in an entity without records", |schema| {
            schema.types[2]
                .fields
                .push(must_have(field("note", FieldType::Text)));
        }),
        ("a new entity", |schema| {
            schema
                .types
                .push(entity("Tag", vec![field("name", FieldType::Text)]));
        }),
        ("other order of fields and entities", |schema| {
            task(schema).fields.reverse();
            schema.types.reverse();
        }),
        ("a field renamed", |schema| {
            task(schema).fields[0].name = "titles".into()
        }),
        ("a field renamed with @was", |schema| {
            task(schema).fields[0].name = "name".into();
            task(schema).fields[0].was = vec!["headline".into(), "title".into()];
        }),
        ("a field renamed and made wider", |schema| {
            task(schema).fields[1].name = "score".into();
            task(schema).fields[1].ty = FieldType::Float;
            task(schema).fields[1].was = vec!["points".into()];
        }),
        ("an entity renamed", |schema| {
            schema.types[1].name = "Human".into();
            task(schema).fields[2].ty = FieldType::Ref("Human".into());
        }),
        ("an entity renamed with @was", |schema| {
            schema.types[1].name = "Human".into();
            schema.types[1].was = vec!["Person".into()];
            task(schema).fields[2].ty = FieldType::Ref("Human".into());
        }),
        ("@was where there is nothing to rename", |schema| {
            task(schema).was = vec!["Todo".into()];
            task(schema).fields[0].was = vec!["headline".into()];
        }),
    ]
}

fn types_of_fields() -> Vec<Case> {
    vec![
        ("int to float", |schema| {
            task(schema).fields[1].ty = FieldType::Float
        }),
        ("list of int to list of float", |schema| {
            task(schema).fields[3].ty = list(FieldType::Float);
        }),
        ("text to any", |schema| {
            task(schema).fields[0].ty = FieldType::Any
        }),
        ("int to text", |schema| {
            task(schema).fields[1].ty = FieldType::Text
        }),
        ("text to int", |schema| {
            task(schema).fields[0].ty = FieldType::Int
        }),
        ("a list to its item", |schema| {
            task(schema).fields[3].ty = FieldType::Int
        }),
        ("an item to a list", |schema| {
            task(schema).fields[1].ty = list(FieldType::Int)
        }),
        ("an enum to text", |schema| {
            schema.types[1].fields[1].ty = FieldType::Text
        }),
        ("narrower without values", |schema| {
            task(schema).fields[5].ty = FieldType::Int
        }),
        ("a link to another entity", |schema| {
            task(schema).fields[2].ty = FieldType::Ref("Task".into());
        }),
        ("a field dropped", |schema| {
            drop(task(schema).fields.remove(1))
        }),
        ("a field without values dropped", |schema| {
            drop(task(schema).fields.remove(5))
        }),
        ("an entity dropped, and the links to it", |schema| {
            schema.types.remove(1);
            task(schema).fields.remove(2);
        }),
        ("an entity dropped, links kept as any", |schema| {
            schema.types.remove(1);
            task(schema).fields[2].ty = FieldType::Any;
        }),
        ("an entity without records dropped", |schema| {
            drop(schema.types.remove(2))
        }),
    ]
}

fn values_and_rules() -> Vec<Case> {
    vec![
        ("must have a value, and has", |schema| {
            task(schema).fields[1].never_none = true
        }),
        ("must have a value, and some have none", |schema| {
            task(schema).fields[4].never_none = true
        }),
        ("must have a value, with a default", |schema| {
            task(schema).fields[4].never_none = true;
            task(schema).fields[4].fill = Some(FieldValue::Time(86_400_000));
        }),
        ("need not have a value any more", |schema| {
            schema.types[1].fields[0].never_none = false
        }),
        ("a variant more", |schema| {
            schema.enums[0].variants.push(("Calm".into(), 0))
        }),
        ("a variant without values less", |schema| {
            drop(schema.enums[0].variants.remove(2))
        }),
        ("a variant with values less", |schema| {
            drop(schema.enums[0].variants.remove(1))
        }),
        ("a variant with other data", |schema| {
            schema.enums[0].variants[1].1 = 2
        }),
        ("less history", |schema| {
            task(schema).keep.versions = Some(3)
        }),
        ("unique taken away", |schema| {
            schema.types[1].fields[0].unique = false
        }),
        ("unique that the data obeys", |schema| {
            task(schema).fields[5].unique = true
        }),
        ("unique that the data breaks", |schema| {
            task(schema).fields[0].unique = true
        }),
        ("a link to nothing", |schema| {
            task(schema)
                .fields
                .push(field("tag", FieldType::Ref("Tag".into())));
        }),
        ("declared twice", |schema| {
            task(schema).fields.push(field("title", FieldType::Text));
            schema.types.push(entity("Person", vec![]));
        }),
        ("several problems", |schema| {
            task(schema).fields.remove(0);
            task(schema).fields[0].ty = FieldType::Bool;
            schema.types[1].fields[0].ty = FieldType::Int;
        }),
    ]
}

#[test]
fn accepted_refused_and_agreed_to() {
    let mut text = String::new();
    for (name, change) in cases() {
        let mut schema = original();
        change(&mut schema);
        let disk = with_data();
        writeln!(text, "# {name}").expect("write");
        match plan_schema(&*disk, &schema) {
            Ok(plan) => plan.changes.iter().for_each(|change| {
                let label = match change.consent() {
                    Consent::None => "automatic",
                    Consent::Operator => "--migrate",
                    Consent::Impossible => "impossible",
                };
                writeln!(text, "  {label}: {change}").expect("write");
            }),
            Err(error) => writeln!(text, "  {error}").expect("write"),
        }
        let opened = open(&disk, &schema, false).map(|opened| {
            let store = opened.store;
            writeln!(text, "  opens").expect("write");
            records(&store.snapshot(), &schema)
        });
        // Opening alone, accepted or not, keeps the door open for the program before.
        drop(open(&disk, &original(), false).unwrap_or_else(|error| panic!("{name}: {error}")));
        let shown = opened.or_else(|refused| {
            let migrated = open(&disk, &schema, true)?.store;
            writeln!(text, "  opens with --migrate").expect("write");
            let shown = records(&migrated.snapshot(), &schema);
            migrated.close().expect("close");
            let again = open(&disk, &schema, false);
            let again = again.unwrap_or_else(|error| panic!("{name}: agreed to once: {error}"));
            assert_eq!(
                records(&again.store.snapshot(), &schema),
                shown,
                "{name}: {refused}"
            );
            Ok::<_, OpenError>(shown)
        });
        match shown {
            Ok(shown) if name != "nothing" && shown == records_before() => {}
            Ok(shown) => text.push_str(&shown),
            Err(error) => writeln!(text, "  {error}").expect("write"),
        }
        text.push('\n');
    }
    golden::check(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema_evolution.txt"),
        &text,
    );
}

fn records_before() -> String {
    let store = open(&with_data(), &original(), false).expect("open").store;
    records(&store.snapshot(), &original())
}

#[test]
fn old_records_read_well_in_the_new_program() {
    let disk = with_data();
    let mut schema = original();
    schema.types.reverse();
    let task = &mut schema.types[2];
    task.fields.insert(0, field("note", FieldType::Text));
    task.fields[2].ty = FieldType::Float;
    task.fields[4].ty = list(FieldType::Float);
    for round in 0..2 {
        let store = open(&disk, &schema, false).expect("open").store;
        let tasks: Result<Vec<_>, _> = store.snapshot().scan(TypeIx(2), Deleted::Hide).collect();
        let tasks = tasks.expect("scan");
        assert_eq!(tasks.len(), 3 + round);
        let scores = FieldValue::List(vec![FieldValue::Float(1.0), FieldValue::Float(2.0)]);
        let owner = FieldValue::Ref {
            ty: TypeIx(1),
            id: EntityId(1),
        };
        let mut fields = vec![
            FieldValue::None,
            FieldValue::text("12"),
            FieldValue::Float(3.0),
            owner,
            scores,
            FieldValue::None,
            FieldValue::None,
        ];
        assert_eq!(tasks[0].fields, fields);
        // The first save writes the schema frame; the next open finds it.
        let mut transaction = store.begin();
        fields[0] = FieldValue::text("new");
        fields[2] = FieldValue::Float(0.5);
        let id = transaction
            .insert(TypeIx(2), fields.clone())
            .expect("insert");
        commit(&store, transaction);
        let read = store
            .snapshot()
            .get(TypeIx(2), id)
            .expect("read")
            .expect("there");
        assert_eq!(read.fields, fields);
        store.close().expect("close");
    }
    let error = open(&disk, &original(), false)
        .err()
        .expect("it would lose the new field");
    let said = error.to_string();
    assert!(
        said.contains("Task.note is in the data but not in the program any more: 2 records"),
        "{said}"
    );
}

/// A default fills what was written before the field existed, and nothing that was written since.
#[test]
fn a_default_is_for_older_records_only() {
    let disk = with_data();
    let mut schema = original();
    let mut note = field("note", FieldType::Text);
    note.fill = Some(FieldValue::text("older"));
    schema.types[0].fields.push(note);
    let store = open(&disk, &schema, false).expect("open").store;
    let mut transaction = store.begin();
    transaction
        .insert(TypeIx(0), vec![FieldValue::None; 7])
        .expect("insert");
    let mut fields = vec![FieldValue::None; 7];
    fields[0] = FieldValue::text("saved again");
    transaction
        .update(TypeIx(0), EntityId(1), fields)
        .expect("update");
    commit(&store, transaction);
    store.close().expect("close");
    // The program's default is another one by now; what older records read stays.
    schema.types[0].fields[6].fill = Some(FieldValue::text("newer"));
    let store = open(&disk, &schema, false).expect("open").store;
    let note = |id| {
        let record = store
            .snapshot()
            .get(TypeIx(0), EntityId(id))
            .expect("read")
            .expect("there");
        record.fields[6].clone()
    };
    assert_eq!(
        [1, 2, 4].map(note),
        [
            FieldValue::None,
            FieldValue::text("older"),
            FieldValue::None
        ]
    );
    let history = store
        .snapshot()
        .history(TypeIx(0), EntityId(1))
        .expect("history");
    assert_eq!(history[0].fields[6], FieldValue::text("older"));
}

/// The original program with one field more in `Task`, the seventh.
fn with_extra(ty: FieldType, fill: Option<FieldValue>) -> Schema {
    let mut schema = original();
    let mut extra = field("extra", ty);
    extra.never_none = fill.is_some();
    extra.fill = fill;
    extra.queried = true;
    task(&mut schema).fields.push(extra);
    schema
}

/// Data whose three tasks read `fill` in `extra`; a fourth one was saved under the same program, with `own` in it.
fn with_filled(ty: FieldType, fill: FieldValue, own: FieldValue) -> Arc<dyn Disk> {
    let disk = with_data();
    save_extra(&disk, &with_extra(ty, Some(fill)), own);
    disk
}

fn save_extra(disk: &Arc<dyn Disk>, schema: &Schema, value: FieldValue) {
    let store = open(disk, schema, false).expect("open").store;
    let mut transaction = store.begin();
    let mut fields = vec![FieldValue::None; 6];
    fields.push(value);
    transaction.insert(TypeIx(0), fields).expect("insert");
    commit(&store, transaction);
    store.close().expect("close");
}

fn extras(store: &Store) -> Vec<FieldValue> {
    let records = store.snapshot().scan(TypeIx(0), Deleted::Hide);
    let extra =
        |record: Result<Arc<flin_store::Record>, _>| record.expect("read").fields[6].clone();
    records.map(extra).collect()
}

fn refusal(disk: &Arc<dyn Disk>, schema: &Schema) -> String {
    let refused = open(disk, schema, false).err();
    refused.expect("nobody agreed").to_string()
}

/// What older records read was recorded with the type of then; it follows the field like a stored value.
#[test]
fn an_earlier_default_becomes_wider_with_its_field() {
    let disk = with_filled(FieldType::Int, FieldValue::Int(5), FieldValue::Int(3));
    let schema = with_extra(FieldType::Float, Some(FieldValue::Float(5.0)));
    let store = open(&disk, &schema, false).expect("open").store;
    let expected = [5.0, 5.0, 5.0, 3.0].map(FieldValue::Float);
    assert_eq!(extras(&store), expected);
    let above = Predicate::Compare {
        column: Column::Field(FieldIx(6)),
        comparison: Comparison::Gt,
        value: FieldValue::Float(4.0),
    };
    let query = Query::all(TypeIx(0)).matching(above);
    assert_eq!(store.snapshot().count_where(&query).expect("count"), 3);
}

/// A narrower type asks for the records that read an earlier default, too.
#[test]
fn an_earlier_default_is_converted_by_consent_only() {
    let disk = with_filled(FieldType::Int, FieldValue::Int(5), FieldValue::Int(3));
    let schema = with_extra(FieldType::Text, Some(FieldValue::text("")));
    let said = refusal(&disk, &schema);
    assert!(
        said.contains("4 records have a value in it, and all of them can"),
        "{said}"
    );
    let store = open(&disk, &schema, true).expect("agreed").store;
    let expected = ["5", "5", "5", "3"].map(FieldValue::text);
    assert_eq!(extras(&store), expected);
}

/// An earlier default whose variant the program gave up.
#[test]
fn an_earlier_default_of_a_lost_variant_is_asked_for() {
    let ty = FieldType::Enum("Mood".into());
    let disk = with_filled(ty.clone(), mood("Sad", vec![]), mood("Happy", vec![]));
    let mut schema = with_extra(ty, Some(mood("Happy", vec![])));
    schema.types[1].fields.remove(1);
    schema.enums[0].variants.remove(1);
    let said = refusal(&disk, &schema);
    assert!(
        said.contains("has no Sad, and 3 records have such a value"),
        "{said}"
    );
    let store = open(&disk, &schema, true).expect("agreed").store;
    let none = || FieldValue::None;
    let expected = [none(), none(), none(), mood("Happy", vec![])];
    assert_eq!(extras(&store), expected);
}

/// A field that records read only through its default has values to lose as well.
#[test]
fn giving_up_a_field_counts_what_is_read_by_default() {
    let disk = with_filled(FieldType::Int, FieldValue::Int(5), FieldValue::Int(3));
    let said = refusal(&disk, &original());
    assert!(
        said.contains("not in the program any more: 4 records have"),
        "{said}"
    );
}

/// Must have a value, may be none, must have one again: what was saved as none between has no value, whatever older records
/// read.
#[test]
fn none_saved_between_two_defaults_is_asked_for() {
    let disk = with_filled(FieldType::Int, FieldValue::Int(5), FieldValue::Int(3));
    save_extra(&disk, &with_extra(FieldType::Int, None), FieldValue::None);
    let another = with_extra(FieldType::Int, Some(FieldValue::Int(7)));
    let said = refusal(&disk, &another);
    assert!(
        said.contains("must have a value, and 1 record has none (the first is Task 5). Give the field the default 5, which"),
        "{said}"
    );
    let same = with_extra(FieldType::Int, Some(FieldValue::Int(5)));
    let store = open(&disk, &same, false).expect("the same default").store;
    assert_eq!(extras(&store), [5, 5, 5, 3, 5].map(FieldValue::Int));
    store.close().expect("close");
    let store = open(&disk, &another, true).expect("agreed").store;
    let mut expected = [5, 5, 5, 3, 0].map(FieldValue::Int);
    expected[4] = FieldValue::None;
    assert_eq!(extras(&store), expected);
}

/// What was given up is still in the log: an export of a moment before has the fields and names of that moment.
#[test]
fn the_past_keeps_its_fields_and_names() {
    let disk = with_data();
    let before = flin_store::read(&*disk, None)
        .expect("read")
        .store
        .snapshot()
        .lsn();
    let mut schema = original();
    schema.types.remove(1);
    schema.types[0].fields.drain(1..3);
    schema.types[0].name = "Job".into();
    schema.types[0].was = vec!["Task".into()];
    let store = open(&disk, &schema, true).expect("agreed").store;
    let mut transaction = store.begin();
    transaction
        .update(TypeIx(0), EntityId(1), vec![FieldValue::None; 4])
        .expect("update");
    transaction.delete(TypeIx(0), EntityId(2)).expect("delete");
    commit(&store, transaction);
    store.close().expect("close");
    let reading = flin_store::read(&*disk, Some(Moment::Lsn(before)))
        .expect("read")
        .store;
    let past = reading.snapshot().at_lsn(before);
    assert_eq!(records(&past, reading.schema()), records_before());
    let mut text = Vec::new();
    let types = [TypeIx(0), TypeIx(1), TypeIx(2)];
    flin_store::export(
        &past,
        &types,
        Deleted::Hide,
        Form::JsonLines,
        None,
        &mut text,
        &mut |_| {},
    )
    .expect("export");
    assert!(
        String::from_utf8(text)
            .expect("text")
            .contains("\"name\":\"Ada\",\"mood\":\"Sad\"")
    );
    let now = flin_store::read(&*disk, None).expect("read").store;
    let names: Vec<&str> = now
        .schema()
        .types
        .iter()
        .map(|ty| ty.name.as_str())
        .collect();
    assert_eq!(names, ["Job", "Label"]);
}

/// A name that was given up is free; the new field is another one.
#[test]
fn a_name_given_up_can_be_used_again() {
    let disk = with_data();
    let mut without = original();
    without.types[0].fields.remove(1);
    open(&disk, &without, true)
        .expect("agreed")
        .store
        .close()
        .expect("close");
    let store = open(&disk, &original(), false)
        .expect("a new field of an old name")
        .store;
    let record = store
        .snapshot()
        .get(TypeIx(0), EntityId(1))
        .expect("read")
        .expect("there");
    assert_eq!(record.fields[1], FieldValue::None);
    let mut transaction = store.begin();
    let mut fields = record.fields.clone();
    fields[1] = FieldValue::Int(7);
    transaction
        .update(TypeIx(0), EntityId(1), fields.clone())
        .expect("update");
    commit(&store, transaction);
    store.close().expect("close");
    let store = open(&disk, &original(), false).expect("open").store;
    let record = store
        .snapshot()
        .get(TypeIx(0), EntityId(1))
        .expect("read")
        .expect("there");
    assert_eq!(record.fields, fields);
}

// A refusal of a hundred thousand lines tells nobody anything.
#[test]
fn of_many_duplicates_a_few_are_named_and_all_are_counted() {
    let label = |field: FieldDef| Schema {
        types: vec![entity("Label", vec![field])],
        ..Schema::default()
    };
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let text = field("text", FieldType::Text);
    let store = open(&disk, &label(text.clone()), false)
        .expect("open")
        .store;
    let mut transaction = store.begin();
    for _ in 0..1000 {
        let fields = vec![FieldValue::text("the same")];
        transaction.insert(TypeIx(0), fields).expect("insert");
    }
    commit(&store, transaction);
    store.close().expect("close");
    let refused = open(&disk, &label(text.unique()), true)
        .err()
        .expect("refused");
    let said = refused.to_string();
    assert_eq!(said.matches("hold the same value").count(), 5, "{said}");
    let last =
        "Label 1 and Label 6 hold the same value (and so do 994 more, each with an earlier one)";
    assert!(said.contains(last), "{said}");
}
