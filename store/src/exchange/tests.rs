//! Round trips: what was exported, imported and exported again is the same text, for every kind of field and value.

use std::sync::Arc;

use flin_testkit::rng::Rng;

use super::*;
use crate::disk::MemoryDisk;
use crate::outcome::CommitOutcome;
use crate::schema::{EnumDef, FieldDef, FieldType, Schema, TypeDef};
use crate::snapshot::Deleted;
use crate::store::{Store, StoreOptions};
use crate::value::{EntityId, FieldValue, TypeIx};

pub(super) fn list(item: FieldType) -> FieldType {
    FieldType::List(Box::new(item))
}

pub(super) fn schema() -> Schema {
    let plain = [
        ("truth", FieldType::Bool),
        ("whole", FieldType::Int),
        ("real", FieldType::Float),
        ("text", FieldType::Text),
        ("moment", FieldType::Time),
        ("span", FieldType::Duration),
        ("raw", FieldType::Bytes),
        ("link", FieldType::Ref("Other".into())),
        ("state", FieldType::Enum("State".into())),
        ("texts", list(FieldType::Text)),
        ("reals", list(list(FieldType::Float))),
        (
            "links",
            FieldType::Map(Box::new(FieldType::Ref("Every".into()))),
        ),
        ("moments", FieldType::Map(Box::new(FieldType::Time))),
        ("whatever", FieldType::Any),
    ];
    let fields = plain.into_iter().map(|(name, ty)| FieldDef::new(name, ty));
    let every = TypeDef {
        name: "Every".into(),
        fields: fields.collect(),
        ..TypeDef::default()
    };
    let name = FieldDef::new("name", FieldType::Text).unique();
    let other = TypeDef {
        name: "Other".into(),
        fields: vec![name],
        ..TypeDef::default()
    };
    let variants = vec![("On".to_owned(), 0), ("Off".to_owned(), 2)];
    let state = EnumDef {
        name: "State".into(),
        variants,
    };
    Schema {
        types: vec![every, other],
        enums: vec![state],
    }
}

pub(super) const EVERY: TypeIx = TypeIx(0);
pub(super) const OTHER: TypeIx = TypeIx(1);

pub(super) fn store(schema: &Schema) -> Store {
    let opened = Store::open(Arc::new(MemoryDisk::new()), schema, StoreOptions::inline());
    opened.expect("a new store").store
}

fn text(rng: &mut Rng) -> String {
    let some = [
        "", "a", ",", "\"", "\n", "\r\n", "\r", " ", "$map", "ü", "😀", "\u{0}", "\u{7f}", "{",
        "null", "NaN", "1", "\u{feff}",
    ];
    (0..rng.below(5))
        .map(|_| some[rng.below(some.len())])
        .collect()
}

fn number(rng: &mut Rng) -> i64 {
    let some = [
        0,
        1,
        -1,
        i64::MIN,
        i64::MAX,
        1 << 53,
        253_402_300_800_000,
        1_768_471_200_123,
    ];
    some[rng.below(some.len())]
}

fn real(rng: &mut Rng) -> f64 {
    let some = [
        0.0,
        -0.0,
        1.0,
        0.1,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        f64::from_bits(0x7ff0_0000_0000_0001),
        1e300,
    ];
    some[rng.below(some.len())]
}

fn link(ty: TypeIx, rng: &mut Rng) -> FieldValue {
    FieldValue::Ref {
        ty,
        id: EntityId(1 + rng.below(3) as u64),
    }
}

fn state(rng: &mut Rng, depth: usize) -> FieldValue {
    let (variant, payload) = match rng.below(2) {
        0 => ("On", Vec::new()),
        _ => ("Off", vec![anything(rng, depth), anything(rng, depth)]),
    };
    FieldValue::Enum {
        name: "State".into(),
        variant: variant.into(),
        payload,
    }
}

fn map(rng: &mut Rng, mut value: impl FnMut(&mut Rng) -> FieldValue) -> FieldValue {
    let mut entries: Vec<(Arc<str>, FieldValue)> = Vec::new();
    for _ in 0..rng.below(4) {
        let key: Arc<str> = text(rng).into();
        if entries.iter().all(|(known, _)| *known != key) {
            entries.push((key, value(rng)));
        }
    }
    FieldValue::Map(entries)
}

fn anything(rng: &mut Rng, depth: usize) -> FieldValue {
    let kinds = if depth == 0 { 10 } else { 13 };
    match rng.below(kinds) {
        0 => FieldValue::None,
        1 => FieldValue::Bool(rng.below(2) == 0),
        2 => FieldValue::Int(number(rng)),
        3 => FieldValue::Float(real(rng)),
        4 => FieldValue::text(text(rng)),
        5 => FieldValue::Time(number(rng)),
        6 => FieldValue::Duration(number(rng)),
        7 => FieldValue::Bytes(text(rng).into_bytes().into()),
        8 => link(EVERY, rng),
        9 => link(OTHER, rng),
        10 => state(rng, depth - 1),
        11 => FieldValue::List(
            (0..rng.below(4))
                .map(|_| anything(rng, depth - 1))
                .collect(),
        ),
        _ => map(rng, |rng| anything(rng, depth - 1)),
    }
}

fn every(rng: &mut Rng) -> Vec<FieldValue> {
    let values = vec![
        FieldValue::Bool(rng.below(2) == 0),
        FieldValue::Int(number(rng)),
        FieldValue::Float(real(rng)),
        FieldValue::text(text(rng)),
        FieldValue::Time(number(rng)),
        FieldValue::Duration(number(rng)),
        FieldValue::Bytes(text(rng).into_bytes().into()),
        link(OTHER, rng),
        state(rng, 2),
        FieldValue::List(
            (0..rng.below(3))
                .map(|_| FieldValue::text(text(rng)))
                .collect(),
        ),
        FieldValue::List(vec![FieldValue::List(vec![
            FieldValue::Float(real(rng)),
            FieldValue::None,
        ])]),
        map(rng, |rng| link(EVERY, rng)),
        map(rng, |rng| FieldValue::Time(number(rng))),
        anything(rng, 4),
    ];
    values
        .into_iter()
        .map(|value| {
            if rng.below(6) == 0 {
                FieldValue::None
            } else {
                value
            }
        })
        .collect()
}

/// Three records of each type, changed, one deleted, and one that was destroyed.
fn filled(seed: u64) -> Store {
    let (mut rng, store) = (Rng::new(seed), store(&schema()));
    let committed = |transaction| {
        let outcome = store.commit_wait(transaction, None);
        assert!(
            matches!(outcome, CommitOutcome::Committed { .. }),
            "{outcome}"
        );
    };
    let mut transaction = store.begin();
    for name in ["", "one", "gone"] {
        transaction
            .insert(OTHER, vec![FieldValue::text(name)])
            .expect("insert");
    }
    for _ in 0..4 {
        transaction.insert(EVERY, every(&mut rng)).expect("insert");
    }
    committed(transaction);
    let mut transaction = store.begin();
    transaction
        .update(EVERY, EntityId(2), every(&mut rng))
        .expect("update");
    transaction.destroy(EVERY, EntityId(4)).expect("destroy");
    transaction.insert(EVERY, every(&mut rng)).expect("insert");
    transaction.delete(EVERY, EntityId(5)).expect("delete");
    committed(transaction);
    store
}

pub(super) fn exported(store: &Store, types: &[TypeIx], form: Form) -> String {
    let mut out = Vec::new();
    export(
        &store.snapshot(),
        types,
        Deleted::Include,
        form,
        None,
        &mut out,
        &mut |_| {},
    )
    .expect("export");
    String::from_utf8(out).expect("text")
}

pub(super) fn imported(
    store: &Store,
    text: &str,
    form: Form,
    ty: &str,
    batch_bytes: u64,
) -> Result<Imported, ImportError> {
    let options = ImportOptions {
        form,
        type_name: Some(ty.to_owned()),
        batch_bytes,
    };
    plan_import(store, &mut text.as_bytes(), &options, &mut |_| {})?.write(store, &mut |_| {})
}

#[test]
fn json_lines_come_back_the_same() {
    for seed in 0..100 {
        let text = exported(&filled(seed), &[EVERY, OTHER], Form::JsonLines);
        let head = text.lines().next().expect("a head");
        let schema = schema_of_export(head)
            .expect("a sound head")
            .expect("a head");
        let copy = store(&schema);
        // Small batches in every third round: groups of records that link to each other stay together.
        let batch = if seed % 3 == 0 { 64 << 10 } else { 1 << 20 };
        imported(&copy, &text, Form::JsonLines, "", batch)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert_eq!(
            exported(&copy, &[EVERY, OTHER], Form::JsonLines),
            text,
            "seed {seed}"
        );
        let again = imported(&copy, &text, Form::JsonLines, "", batch).expect("the same again");
        assert_eq!(again.records, 0, "what is there is left alone");
    }
}

#[test]
fn csv_comes_back_the_same() {
    for seed in 0..100 {
        let original = filled(seed);
        let (every, other) = (
            exported(&original, &[EVERY], Form::Csv),
            exported(&original, &[OTHER], Form::Csv),
        );
        let copy = store(&schema());
        imported(&copy, &other, Form::Csv, "Other", 1 << 20).expect("the others");
        imported(&copy, &every, Form::Csv, "Every", 1 << 20)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{every}"));
        assert_eq!(exported(&copy, &[EVERY], Form::Csv), every, "seed {seed}");
    }
}

#[test]
fn many_batches_keep_every_link_whole() {
    let original = store(&schema());
    let mut transaction = original.begin();
    let mut previous = FieldValue::None;
    for _ in 0..200 {
        let mut fields = vec![FieldValue::None; 14];
        fields[3] = FieldValue::text("x".repeat(200));
        fields[13] = previous;
        let id = transaction.insert(EVERY, fields).expect("insert");
        previous = FieldValue::Ref { ty: EVERY, id };
    }
    assert!(matches!(
        original.commit_wait(transaction, None),
        CommitOutcome::Committed { .. }
    ));
    // Backwards, so that every link goes to a line that comes later.
    let text = exported(&original, &[EVERY, OTHER], Form::JsonLines);
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let copy = store(&schema());
    let done = imported(&copy, &lines.join("\n"), Form::JsonLines, "", 4096).expect("import");
    assert!(done.transactions > 10 && done.records == 200, "{done:?}");
    assert_eq!(exported(&copy, &[EVERY, OTHER], Form::JsonLines), text);
}

/// Each text is refused with its sentence, and nothing of it is written.
fn refused_whole(cases: Vec<(Vec<String>, &str)>) {
    for (lines, expected) in cases {
        let store = store(&schema());
        let error =
            imported(&store, &lines.join("\n"), Form::JsonLines, "", 1 << 20).expect_err(expected);
        assert_eq!(
            error.to_string(),
            format!("{expected}. Nothing was imported")
        );
        assert_eq!(store.head().0, 0);
    }
}

#[test]
fn the_first_bad_line_is_named_and_nothing_is_written() {
    let other =
        |id: u64, name: &str| format!("{{\"$type\":\"Other\",\"$id\":{id},\"name\":\"{name}\"}}");
    let cases = vec![
        (
            vec![other(1, "a"), "{".to_owned()],
            "line 2: column 2: expected a text in double quotes, found the end of the line",
        ),
        (
            vec![other(1, "a"), other(1, "b")],
            "line 2: Other 1 stands in line 1 already",
        ),
        (
            vec![other(1, "a"), other(2, "a")],
            "line 2: Other.name must be unique, and line 1 has the same value",
        ),
        (
            vec!["{\"$type\":\"Othr\"}".to_owned()],
            "line 1: there is no entity \"Othr\" here; there is Every, Other",
        ),
        (
            vec!["{\"$type\":\"Other\",\"nam\":1}".to_owned()],
            "line 1: Other has no field \"nam\"; it has name",
        ),
        (
            vec!["{\"$type\":\"Other\",\"name\":1}".to_owned()],
            "line 1: Other.name: expected text, found a whole number",
        ),
        (
            vec!["{\"$type\":\"Every\",\"state\":\"Up\"}".to_owned()],
            "line 1: Every.state: State has no variant \"Up\"",
        ),
        (
            vec!["{\"$type\":\"Every\",\"moment\":\"soon\"}".to_owned()],
            "line 1: Every.moment: expected a time such as \"2026-01-15T10:00:00Z\", found \"soon\"",
        ),
        (
            vec!["{\"$type\":\"Every\",\"link\":9}".to_owned()],
            "line 1: Every.link links to Other 9, which is neither in the text nor in the store",
        ),
        (
            vec!["{\"$type\":\"Every\",\"whatever\":{\"$what\":1}}".to_owned()],
            "line 1: Every.whatever: there is no tag `$what`; data with such names goes into {\"$map\": …}",
        ),
        (
            vec!["[1]".to_owned()],
            "line 1: expected an object, found a list",
        ),
    ];
    refused_whole(cases);
    let store = store(&schema());
    let error = imported(
        &store,
        "$id,name\n1,\"a\nb\"\n2\n",
        Form::Csv,
        "Other",
        1 << 20,
    )
    .expect_err("a short row");
    assert_eq!(
        error.to_string(),
        "line 4: expected 2 cells, found 1. Nothing was imported"
    );
}

#[test]
fn numbers_and_versions_out_of_bounds_are_refused() {
    let other =
        |id: u64, name: &str| format!("{{\"$type\":\"Other\",\"$id\":{id},\"name\":\"{name}\"}}");
    refused_whole(vec![
        (
            vec![other(0, "a")],
            "line 1: $id: 0 is not between 1 and 1073741824; leave it out, and the record gets the next free one",
        ),
        (
            vec![other(1, "a"), other(1 << 36, "b")],
            "line 2: $id: 68719476736 is not between 1 and 1073741824; leave it out, and the record gets the next free \
             one",
        ),
        (
            vec!["{\"$type\":\"Other\",\"$id\":1,\"$version\":4294967295}".to_owned()],
            "line 1: $version: 4294967295 is not between 1 and 2147483647; leave it out, and the record begins with \
             version 1",
        ),
    ]);
}

/// What others link to is written first, so an import that ends in the middle leaves numbers without records below others
/// that have some; the same import again said that they were used before.
#[test]
fn an_import_that_ended_in_the_middle_goes_on() {
    let line = |id: u64, link: &str| {
        format!("{{\"$type\":\"Every\",\"$id\":{id},\"text\":\"number {id}\"{link}}}")
    };
    let text = [line(1, ",\"links\":{\"to\":3}"), line(2, ""), line(3, "")];
    let copy = store(&schema());
    imported(&copy, &text[2], Form::JsonLines, "", 1 << 20).expect("what came first");
    let done = imported(&copy, &text.join("\n"), Form::JsonLines, "", 1 << 20).expect("the rest");
    assert_eq!(done.records, 2);
    // What is destroyed stays destroyed, in the same gap too.
    let mut transaction = copy.begin();
    transaction.destroy(EVERY, EntityId(2)).expect("destroy");
    copy.commit_wait(transaction, None);
    let error = imported(&copy, &text.join("\n"), Form::JsonLines, "", 1 << 20);
    let said = error.map(|_| ()).expect_err("destroyed").to_string();
    assert!(
        said.starts_with("line 2: Every 2 cannot be made: this number was used"),
        "{said}"
    );
}

/// A name that somebody takes between the check of a text and its writing; it said that nothing was imported.
#[test]
fn an_import_that_ends_in_the_middle_says_what_is_in() {
    let options = ImportOptions {
        form: Form::JsonLines,
        type_name: None,
        batch_bytes: 1000,
    };
    let row = |at: u64, id: &str| format!("{{\"$type\":\"Other\",{id}\"name\":\"number {at}\"}}");
    for (numbered, expected) in [
        (
            true,
            "Other.name must be unique, and Other 901 already has this value. 27 of 60 records are imported; the same import again \
             goes on with the others",
        ),
        (
            false,
            "Other.name must be unique, and Other 1 already has this value. 27 of 60 records are imported; the same import again \
             goes on with the others, but lines without \"$id\" would come a second time: take out those that are imported \
             (line 1-27)",
        ),
    ] {
        let copy = store(&schema());
        let id = |at: u64| {
            if numbered {
                format!("\"$id\":{at},")
            } else {
                String::new()
            }
        };
        let lines: Vec<String> = (1..=60).map(|at| row(at, &id(at))).collect();
        let text = lines.join("\n");
        let plan = plan_import(&copy, &mut text.as_bytes(), &options, &mut |_| {}).expect("a plan");
        if numbered {
            copy.inner.shared.reserve_ids(OTHER, EntityId(900));
        }
        let mut transaction = copy.begin();
        let name = vec![FieldValue::text("number 30")];
        transaction.insert(OTHER, name).expect("insert");
        copy.commit_wait(transaction, None);
        let error = plan
            .write(&copy, &mut |_| {})
            .map(|_| ())
            .expect_err("taken");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_number_that_was_used_stays_used() {
    let original = filled(1);
    let text = exported(&original, &[EVERY, OTHER], Form::JsonLines);
    let line = text
        .lines()
        .find(|line| line.contains("\"$type\":\"Every\",\"$id\":1,"))
        .expect("a record");
    let destroyed = line.replacen("\"$id\":1,", "\"$id\":4,", 1);
    let error = imported(&original, &destroyed, Form::JsonLines, "", 1 << 20)
        .expect_err("it was destroyed");
    assert!(
        error
            .to_string()
            .contains("Every 4 cannot be made: this number was used before"),
        "{error}"
    );
    let other = line.replacen("\"whole\":", "\"whole\":12345,\"x\":", 1);
    assert!(imported(&original, &other, Form::JsonLines, "", 1 << 20).is_err());
}

/// A row without a number got number 1, and a later row that brings 1 was written over it, in the same transaction or in
/// the next one.
#[test]
fn a_row_without_a_number_is_not_written_over() {
    for batch in [1 << 20, 150] {
        let copy = store(&schema());
        let text = "{\"$type\":\"Other\",\"name\":\"a\"}\n{\"$type\":\"Other\",\"$id\":1,\"name\":\"b\"}\n\
                    {\"$type\":\"Other\",\"name\":\"c\"}\n";
        let done = imported(&copy, text, Form::JsonLines, "", batch).expect("import");
        assert_eq!(
            (done.records, done.transactions > 1),
            (3, batch == 150),
            "batches of {batch}"
        );
        let csv = exported(&copy, &[OTHER], Form::Csv);
        let found: Vec<(&str, &str)> = csv
            .lines()
            .skip(1)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[0], cells[5])
            })
            .collect();
        assert_eq!(found, [("1", "b"), ("2", "a"), ("3", "c")]);
    }
}

/// Somebody else makes a record between the check of a text and its writing.
#[test]
fn an_import_never_takes_the_place_of_a_record_made_meanwhile() {
    let copy = store(&schema());
    let options = ImportOptions {
        form: Form::JsonLines,
        type_name: None,
        batch_bytes: 1 << 20,
    };
    let text = "{\"$type\":\"Other\",\"$id\":1,\"name\":\"imported\"}";
    let plan = plan_import(&copy, &mut text.as_bytes(), &options, &mut |_| {}).expect("a plan");
    let mut transaction = copy.begin();
    let name = vec![FieldValue::text("mine")];
    assert_eq!(transaction.insert(OTHER, name), Ok(EntityId(1)));
    copy.commit_wait(transaction, None);
    let error = plan
        .write(&copy, &mut |_| {})
        .map(|_| ())
        .expect_err("taken");
    assert_eq!(
        error.to_string(),
        "the data changed meanwhile; run the transaction again. Nothing was imported"
    );
    assert!(exported(&copy, &[OTHER], Form::Csv).contains("mine"));
}

/// A process that has used up the numbers of a type went down at every insert.
#[test]
fn numbers_that_are_used_up_are_an_error_and_no_end() {
    let store = store(&schema());
    let last = EntityId(crate::limits::ENTITY_ID_MAX);
    store.inner.shared.reserve_ids(OTHER, last);
    for _ in 0..2 {
        let name = vec![FieldValue::text("one more")];
        let error = store.begin().insert(OTHER, name).expect_err("no number");
        assert!(
            error.to_string().starts_with("Other has no numbers left"),
            "{error}"
        );
    }
}

/// A number that was given out here and not committed yet may come with an import too: one of the two clashes.
#[test]
fn a_number_given_out_and_imported_meanwhile_clashes() {
    let store = store(&schema());
    let named = |name: &str| vec![FieldValue::text(name)];
    let mut import = store.begin();
    let mut here = store.begin();
    let mut another = store.begin();
    let id = here.insert(OTHER, named("made here")).expect("insert");
    let next = another.insert(OTHER, named("another")).expect("insert");
    assert_ne!(id, next);
    let origin = crate::transaction::Origin {
        version: 1,
        ..Default::default()
    };
    let taken = import.insert_as(OTHER, id, named("imported"), origin);
    taken.expect("the number is free so far");
    let outcome = store.commit_wait(import, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    let outcome = store.commit_wait(here, None);
    assert!(matches!(outcome, CommitOutcome::Clash), "{outcome}");
    let outcome = store.commit_wait(another, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "two inserts do not clash: {outcome}"
    );
}
