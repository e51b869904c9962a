//! `flinvm db` and data that changes, is damaged or only read, as an operator meets them: real processes and files.

mod support;

use std::path::Path;
use std::process::Command;

use flin_testkit::http;
use flin_testkit::process::{Server, program};
use support::{Folder, ended, flinvm};

const OWLS: &str = r#"
entity Wood { name: text @required @unique }
enum Mood { Calm, Cross(int) }
entity Owl { name: text @required, wood: Wood, mood: Mood = Mood.Calm, weight: float?, seen: time?, notes: any }
oak = save Wood { name: "oak" }
owl = save Owl { name: "Otus", wood: oak, weight: 0.25, notes: { "$x": [1, 1.0, none, "ü\n"] } }
owl.mood = Mood.Cross(3)
save owl
gone = save Owl { name: "gone, \"quoted\"", wood: oak, seen: now }
delete gone
"#;

fn db(args: &[&str], data: &Path) -> (i32, String, String) {
    let data = data.to_str().expect("a plain path");
    let mut all = vec!["db"];
    all.extend_from_slice(args);
    all.extend_from_slice(&["--data", data]);
    ended(&flinvm(&all, &[]))
}

/// A folder with `data` made by a script.
fn with(script: &str) -> Folder {
    let folder = Folder::new();
    let source = folder.write("made.flin", script.as_bytes());
    let data = folder.path("data");
    let data = data.to_str().expect("a plain path");
    let (code, _, err) = ended(&flinvm(&["run", "--data", data], &[&source]));
    assert_eq!(code, 0, "{err}");
    folder
}

#[test]
fn text_goes_out_and_comes_back() {
    let folder = with(OWLS);
    let (data, copy, text) = (
        folder.path("data"),
        folder.path("copy"),
        folder.path("all.jsonl"),
    );
    let text = text.to_str().expect("a plain path");
    let (code, _, err) = db(&["export", "--deleted", "--output", text], &data);
    assert!(code == 0 && err.contains("Owl: 2 records"), "{code}: {err}");
    let (code, out, _) = db(&["import", text, "--dry-run"], &copy);
    assert!(
        code == 0 && out.contains("Owl: 2 records would be imported") && !copy.exists(),
        "{out}"
    );
    let (code, out, err) = db(&["import", text], &copy);
    assert!(
        code == 0 && out.contains("in one transaction: all or nothing"),
        "{code}: {out}{err}"
    );
    let again = |data: &Path| db(&["export", "--deleted"], data).1;
    assert_eq!(again(&data), again(&copy));
    let (code, out, _) = db(&["import", text, "--format", "json"], &copy);
    assert!(code == 0 && out.contains("\"there_already\":3"), "{out}");
    let (_, csv, _) = db(&["export", "--type", "Wood", "--as", "csv"], &data);
    let (first, second) = csv.split_once('\n').expect("two lines");
    assert_eq!(
        first,
        "$id,$version,$created_at,$updated_at,$deleted_at,name"
    );
    assert!(
        second.starts_with("1,1,20") && second.ends_with(",,oak\n"),
        "{second}"
    );
    let bad = folder.write("bad.csv", b"$id,name\n7,elm\n8,oak\n");
    let bad = bad.to_str().expect("a plain path");
    let (code, _, err) = db(&["import", bad, "--type", "Wood"], &copy);
    assert!(
        code == 1 && err.contains("line 3: Wood.name must be unique, and Wood 1 in the store"),
        "{err}"
    );
    let (code, _, err) = db(&["import", bad], &copy);
    assert!(code == 2 && err.contains("--type"), "{err}");
}

#[test]
fn a_record_tells_its_history() {
    let folder = with(OWLS);
    let (code, out, _) = db(&["history", "Owl", "1"], &folder.path("data"));
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("version 1  20") && lines[0].ends_with("created"),
        "{out}"
    );
    assert!(
        lines.contains(&"  notes = {\"$map\":{\"$x\":[1,1.0,null,\"ü\\n\"]}}"),
        "{out}"
    );
    let last = "  mood = {\"$enum\":\"Mood\",\"variant\":\"Cross\",\"data\":[3]}";
    assert_eq!(lines.last(), Some(&last), "{out}");
    let (code, out, _) = db(
        &["history", "Owl", "2", "--format", "json"],
        &folder.path("data"),
    );
    assert!(code == 0 && out.contains("\"what\":\"deleted\""), "{out}");
    let (code, _, err) = db(&["history", "Owl", "9"], &folder.path("data"));
    assert!(code == 1 && err.contains("there is no Owl 9"), "{err}");
    let (code, _, err) = db(&["stats"], &folder.path("nowhere"));
    assert!(code == 2 && err.contains("no such directory"), "{err}");
}

/// Turns one bit of the bytes `wanted` in the log.
fn damage(data: &Path, wanted: &[u8]) {
    let log = data.join("wal.log");
    let mut bytes = std::fs::read(&log).expect("the log");
    let at = bytes
        .windows(wanted.len())
        .position(|bytes| bytes == wanted);
    bytes[at.expect("what was saved stands in the log")] ^= 1;
    std::fs::write(&log, &bytes).expect("a damaged log");
    // Where records stand is not the log, and must not hide what happened to it.
    for entry in std::fs::read_dir(data).expect("the directory").flatten() {
        if entry.file_name().to_string_lossy().ends_with(".ckpt") {
            std::fs::remove_file(entry.path()).expect("remove");
        }
    }
}

#[test]
fn damaged_data_is_shown_refused_and_rescued() {
    let folder = with(OWLS);
    let (data, rescued) = (folder.path("data"), folder.path("rescued"));
    damage(&data, b"gone, ");
    let (code, out, _) = db(&["verify"], &data);
    assert!(
        code == 1 && out.contains("DAMAGED: wal.log at offset"),
        "{out}"
    );
    assert!(out.contains("holds Owl 2, version 1: damaged"), "{out}");
    let (code, out, _) = db(&["verify", "--format", "json"], &data);
    assert!(
        code == 1 && out.contains("\"intact\":false") && out.contains("\"lsn\":"),
        "{out}"
    );
    let (code, out, err) = db(&["export"], &data);
    assert!(
        code == 1 && out.contains("\"name\":\"Otus\"") && err.contains("the state before"),
        "{err}"
    );
    let (code, out, err) = db(&["stats"], &data);
    assert!(
        code == 0 && out.contains("Owl") && err.contains("damaged"),
        "{out}{err}"
    );
    let source = folder.compile(
        "owls.fbc",
        "entity Wood { name: text @required @unique }\nprint(Wood.count)\n",
    );
    let path = data.to_str().expect("a plain path");
    let (code, _, err) = ended(&flinvm(&["run", "--data", path], &[&source]));
    assert!(
        code == 1 && err.contains("LSN") && err.contains("help: ") && err.contains("--salvage"),
        "{err}"
    );
    let to = rescued.to_str().expect("a plain path");
    let (code, _, err) = db(&["verify", "--salvage", to], &data);
    assert!(
        code == 1 && err.contains("1 damaged places are left out"),
        "{err}"
    );
    let (code, out, _) = db(&["verify"], &rescued);
    assert!(code == 0 && out.contains("intact"), "{out}");
    let (_, out, _) = db(&["export"], &rescued);
    assert!(out.contains("\"name\":\"Otus\""), "{out}");
}

const LIST: &str = r#"
entity Item { text: text @required }
route GET "/items" { Item.all.map(i => i.text) }
route POST "/items" { save Item { text: body.text } }
"#;

/// What a server will need for the queries of a program is counted without one.
#[test]
fn stats_tell_the_memory_of_indexes_and_columns() {
    const PROGRAM: &str = r#"
entity Book { isbn: text @required @unique, pages: int, title: text }
for n in 1..50 { save Book { isbn: "isbn {n}", pages: n, title: "t" } }
print(Book.where(pages > 40).count)
"#;
    let folder = with(PROGRAM);
    let data = folder.path("data");
    let (code, out, err) = db(&["stats"], &data);
    assert!(code == 0 && out.contains("index Book.isbn"), "{out}{err}");
    let program = folder.path("made.flin");
    let program = program.to_str().expect("a plain path");
    let (code, out, err) = db(&["stats", "--program", program], &data);
    assert!(
        code == 0 && out.contains("index Book.isbn") && out.contains("columns of Book"),
        "{out}{err}"
    );
    let (code, out, err) = db(&["stats", "--program", program, "--format", "json"], &data);
    assert!(
        code == 0 && out.contains("\"column_bytes\":") && out.contains("\"field\":\"isbn\""),
        "{out}{err}"
    );
}

#[test]
fn a_server_that_only_reads_says_so_to_whoever_saves() {
    let folder = Folder::new();
    let (module, data) = (folder.compile("list.fbc", LIST), folder.path("data"));
    let writer = Server::start(&module, &data);
    let posted = http::post_json(&writer.url, "/items", "{\"text\":\"one\"}");
    assert_eq!(posted.status, 200, "{}", posted.body);
    let posted = http::post_json(&writer.url, "/items", "{\"text\":\"two\"}");
    assert_eq!(posted.status, 200, "{}", posted.body);
    // Beside the writer: what was durable when it started.
    let reader = Server::start_with(&module, &data, &["--read-only"]);
    assert!(http::get(&reader.url, "/items").body.contains("\"one\""));
    let refused = http::post_json(&reader.url, "/items", "{\"text\":\"three\"}");
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(
        refused.body.contains("nothing can be saved"),
        "{}",
        refused.body
    );
    let posted = http::post_json(&writer.url, "/items", "{\"text\":\"four\"}");
    assert_eq!(posted.status, 200, "the writer goes on: {}", posted.body);
    assert!(!http::get(&reader.url, "/items").body.contains("four"));
    reader.kill();
    writer.kill();
    damage(&data, b"four");
    let reader = Server::start_with(&module, &data, &["--read-only"]);
    let items = http::get(&reader.url, "/items").body;
    assert!(
        items.contains("one") && items.contains("two") && !items.contains("four"),
        "{items}"
    );
    let refused = http::post_json(&reader.url, "/items", "{\"text\":\"five\"}");
    assert!(
        refused.status == 503 && refused.body.contains("damaged"),
        "{}",
        refused.body
    );
}

#[test]
fn a_program_that_changes_is_asked_about_and_agreed_to() {
    let folder = with(
        "entity Todo { title: text @required, note: text }\nsave Todo { title: \"one\", note: \"n\" }\n",
    );
    let data = folder.path("data");
    let path = data.to_str().expect("a plain path");
    let next = folder.write(
        "next.flin",
        b"entity Task @was(\"Todo\") { name: text @required @was(\"title\"), done: bool = false, at: time = now }\n\
          t = Task.first\nprint(\"{t.name} {t.done} {t.at is time}\")\n",
    );
    let program = next.to_str().expect("a plain path").to_owned();
    let before = db(&["export"], &data).1;
    let (code, _, err) = ended(&flinvm(&["run", "--data", path], &[&next]));
    assert!(
        code == 1 && err.contains("Task.note") && err.contains("1 record has a value"),
        "{err}"
    );
    let (code, out, _) = db(&["migrate", &program, "--dry-run"], &data);
    assert!(
        code == 1 && out.contains("Only with --migrate:\n- Task.note"),
        "{out}"
    );
    assert!(
        out.contains("entity Todo is called Task now") && out.contains("older records read false"),
        "{out}"
    );
    assert_eq!(
        db(&["export"], &data).1,
        before,
        "a dry run changes nothing"
    );
    let (code, out, err) = ended(&flinvm(&["run", "--migrate", "--data", path], &[&next]));
    assert_eq!((code, out.as_str()), (0, "one false true\n"), "{err}");
    let (code, out, _) = ended(&flinvm(&["run", "--data", path], &[&next]));
    assert_eq!(
        (code, out.as_str()),
        (0, "one false true\n"),
        "agreed to once"
    );
    assert_eq!(
        db(&["export", "--at", "2"], &data).1,
        before,
        "the past keeps its names and fields"
    );
    let (code, out, _) = db(
        &["migrate", &program, "--dry-run", "--format", "json"],
        &data,
    );
    assert!(code == 0 && out.contains("\"changes\":[]"), "{out}");
}

#[test]
fn every_command_helps_with_lines_to_copy() {
    let help = |args: &[&str]| {
        let shown = Command::new(program("flinvm"))
            .args(args)
            .output()
            .expect("flinvm runs");
        String::from_utf8(shown.stdout).expect("text")
    };
    let all = help(&["db", "--help"]);
    for command in ["verify", "stats", "history", "export", "import", "migrate"] {
        assert!(all.contains(command), "{all}");
        let shown = help(&["db", command, "--help"]);
        assert!(
            shown.contains("Examples:\n  flinvm db ") && shown.contains("--data"),
            "{shown}"
        );
    }
    assert_eq!(db(&["export", "--at", "soon"], Path::new(".")).0, 2);
}
