//! Texts from other programs: what would lose data is refused with its line, what is only unusual is taken.
//!
//! What must stay true: nothing that stands in a text is left out without a word.

use super::tests::{EVERY, exported, imported, schema, store};
use super::*;
use crate::schema::{FieldDef, FieldType, Schema, TypeDef};
use crate::value::TypeIx;

const BATCH: u64 = 64 << 20;

fn refusal(text: &str, form: Form) -> String {
    let store = store(&schema());
    let error = imported(&store, text, form, "Every", BATCH).expect_err(text);
    assert_eq!(store.head().0, 0);
    error.to_string()
}

/// The value of a field after an import, as an export says it.
fn kept(field: &str, value: &str) -> String {
    let store = store(&schema());
    let text = format!("{{\"$type\":\"Every\",\"{field}\":{value}}}");
    imported(&store, &text, Form::JsonLines, "", BATCH).expect(value);
    let found = exported(&store, &[EVERY], Form::JsonLines);
    let line = found.lines().nth(1).expect("a record").to_owned();
    let begin = line.find(&format!("\"{field}\":")).expect("the field") + field.len() + 3;
    line[begin..].to_owned()
}

/// `{"a":1,"$map":{"b":2}}` became `{"b":2}`, and what stood beside `$time` was left out.
#[test]
fn what_stands_beside_a_tag_is_not_lost() {
    for (field, value, beside) in [
        ("moments", "{\"a\":1,\"$map\":{\"b\":2}}", "a"),
        ("moments", "{\"$map\":{\"b\":2},\"a\":1}", "a"),
        ("whatever", "{\"a\":1,\"$map\":{\"b\":2}}", "a"),
        ("whatever", "{\"$map\":{},\"$time\":1}", "$time"),
        ("moment", "{\"$time\":1,\"note\":\"x\"}", "note"),
        ("whatever", "{\"$float\":\"NaN\",\"note\":1}", "note"),
        (
            "whatever",
            "{\"$enum\":\"State\",\"variant\":\"On\",\"id\":1}",
            "id",
        ),
        (
            "whatever",
            "[{\"$ref\":\"Other\",\"id\":1,\"name\":\"x\"}]",
            "name",
        ),
    ] {
        let error = refusal(
            &format!("{{\"$type\":\"Every\",\"{field}\":{value}}}"),
            Form::JsonLines,
        );
        let said = format!("and {beside:?} beside it would be lost");
        assert!(
            error.starts_with("line 1: Every.") && error.contains(&said),
            "{value}: {error}"
        );
    }
    let error = refusal(
        "{\"$type\":\"Every\",\"moments\":{\"a\":1,\"$b\":2}}",
        Form::JsonLines,
    );
    assert!(error.contains("there is no tag `$b`"), "{error}");
    let error = refusal(
        "{\"$type\":\"Every\",\"moments\":{\"$map\":2}}",
        Form::JsonLines,
    );
    assert!(
        error.contains("`$map` takes an object, found a whole number"),
        "{error}"
    );
    // The order of names means nothing, and `$map` takes every name.
    assert!(kept("state", "{\"variant\":\"On\",\"$enum\":\"State\"}").starts_with("\"On\""));
    assert!(
        kept("whatever", "{\"$map\":{\"$map\":1,\"a\":2}}")
            .starts_with("{\"$map\":{\"$map\":1,\"a\":2}}")
    );
}

/// 9007199254740993 became 9007199254740992.0.
#[test]
fn a_whole_number_that_a_float_cannot_hold_is_refused() {
    for number in [
        "9007199254740993",
        "-9007199254740993",
        "9223372036854775807",
    ] {
        let said = format!("Every.real: a float cannot hold {number} exactly");
        let json = refusal(
            &format!("{{\"$type\":\"Every\",\"real\":{number}}}"),
            Form::JsonLines,
        );
        assert!(json.contains(&said), "{json}");
        let csv = refusal(&format!("real\n{number}\n"), Form::Csv);
        assert!(csv.starts_with("line 2: ") && csv.contains(&said), "{csv}");
    }
    for (number, float) in [
        ("9007199254740992", "9007199254740992.0"),
        ("-9223372036854775808", "-9.223372036854775808e18"),
        ("0", "0.0"),
    ] {
        let read: f64 = float.parse().expect("a float");
        let kept = kept("real", number);
        assert!(kept.starts_with(&format!("{read:?},")), "{kept}");
    }
}

#[test]
fn a_column_stands_once_in_the_head() {
    assert_eq!(
        refusal("whole,text,whole\n1,a,2\n", Form::Csv),
        "line 1: the column \"whole\" stands twice in the head. Nothing was imported"
    );
    assert_eq!(
        refusal("$id,whole,$id\n1,2,3\n", Form::Csv),
        "line 1: the column \"$id\" stands twice in the head. Nothing was imported"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let original = store(&schema());
    imported(
        &original,
        "\u{feff}whole,text\n7,\u{feff}x\n",
        Form::Csv,
        "Every",
        BATCH,
    )
    .expect("CSV");
    let text = exported(&original, &[EVERY], Form::JsonLines);
    assert!(
        text.contains("\"whole\":7,") && text.contains("\"text\":\"\u{feff}x\""),
        "{text}"
    );
    let marked = format!("\u{feff}{text}");
    let head = marked.lines().next().expect("a head");
    let copy = store(&schema_of_export(head).expect("sound").expect("a head"));
    imported(&copy, &marked, Form::JsonLines, "", BATCH).expect("JSON lines");
    assert_eq!(exported(&copy, &[EVERY], Form::JsonLines), text);
}

#[test]
fn hexadecimal_digits_have_no_sign() {
    for value in ["\"+f\"", "\"0+\"", "\"f\"", "\"é\""] {
        let error = refusal(
            &format!("{{\"$type\":\"Every\",\"raw\":{value}}}"),
            Form::JsonLines,
        );
        assert!(
            error.contains("expected bytes as pairs of hexadecimal digits"),
            "{error}"
        );
    }
    let error = refusal(
        "{\"$type\":\"Every\",\"real\":{\"$float\":\"NaN:+ff8000000000000\"}}",
        Form::JsonLines,
    );
    assert!(error.contains("`$float` takes NaN"), "{error}");
    assert!(kept("raw", "\"0FaB\"").starts_with("\"0fab\""));
}

/// Every further line counted the quotes of all before it again: hours for a hundred megabytes. Here it would be minutes.
#[test]
fn a_stray_quote_in_a_large_file_is_found_at_once() {
    let text = format!("text\n\"a\n{}", "bbbbbbbb\n".repeat(300_000));
    assert_eq!(
        refusal(&text, Form::Csv),
        "line 2: a quote is opened and never closed. Nothing was imported"
    );
    // Quotes that open, close and open again over several lines.
    let store = store(&schema());
    imported(
        &store,
        "text,whole\n\"a \"\"b\n\"\"\n\n c\"\",\",1\nx,2\n",
        Form::Csv,
        "Every",
        BATCH,
    )
    .expect("sound");
    let text = exported(&store, &[EVERY], Form::JsonLines);
    assert!(
        text.contains("\"text\":\"a \\\"b\\n\\\"\\n\\n c\\\",\""),
        "{text}"
    );
    assert!(text.contains("\"text\":\"x\""), "{text}");
}

/// A field became required after a record was deleted: the export with deleted records was refused by every import.
#[test]
fn a_deleted_record_may_be_older_than_a_required_value() {
    let both = vec![
        FieldDef::new("name", FieldType::Text).required(),
        FieldDef {
            never_none: true,
            ..FieldDef::new("rank", FieldType::Int)
        },
    ];
    let later = Schema {
        types: vec![TypeDef {
            name: "Person".into(),
            fields: both,
            ..TypeDef::default()
        }],
        enums: Vec::new(),
    };
    let deleted = "{\"$type\":\"Person\",\"$id\":1,\"$version\":2,\"$created_at\":1,\"$deleted_at\":2,\"name\":null,\"rank\":null}";
    let copy = store(&later);
    let done = imported(&copy, deleted, Form::JsonLines, "", BATCH).expect("it is deleted");
    assert_eq!(done.records, 1);
    let again = store(&later);
    let text = exported(&copy, &[TypeIx(0)], Form::JsonLines);
    imported(&again, &text, Form::JsonLines, "", BATCH).expect("its own export");
    assert_eq!(exported(&again, &[TypeIx(0)], Form::JsonLines), text);
    let live = deleted.replace("\"$deleted_at\":2,", "");
    let error =
        imported(&store(&later), &live, Form::JsonLines, "", BATCH).expect_err("it is live");
    assert_eq!(
        error.to_string(),
        "line 1: Person.name needs a value. Nothing was imported"
    );
}
