//! `flinvm db backup`, `restore` and `compact` from outside: what was destroyed is in no file any more, and what was backed
//! up comes back, whole or as it was.

mod support;

use std::path::Path;

use support::{Folder, ended, flinvm};

const ENTITY: &str = "entity Note { title: text }\n";

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn run(folder: &Folder, name: &str, source: &str, data: &Path) -> String {
    let program = folder.compile(name, &format!("{ENTITY}{source}"));
    let (code, out, err) = ended(&flinvm(&["run", "--data", text(data)], &[&program]));
    assert_eq!(code, 0, "{err}");
    out
}

fn db(args: &[&str]) -> (i32, String) {
    let mut all = vec!["db"];
    all.extend(args);
    let (code, out, err) = ended(&flinvm(&all, &[]));
    (code, format!("{out}{err}"))
}

/// Whether any file below a folder holds these bytes.
fn holds(dir: &Path, needle: &str) -> bool {
    let files = std::fs::read_dir(dir).expect("list");
    files.map(|file| file.expect("a file").path()).any(|path| {
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = std::fs::read(&path).expect("read");
        let mut windows = bytes.windows(needle.len());
        windows.any(|window| window == needle.as_bytes())
    })
}

#[test]
fn destroyed_backed_up_restored() {
    let folder = Folder::new();
    let (data, first, second) = (
        folder.path("data"),
        folder.path("first"),
        folder.path("second"),
    );
    let write = "note = save Note { title: \"the-secret\" }\nnote.title = \"the-secret, again\"\nsave note\n\
                 delete note\nsave Note { title: \"stays\" }\n";
    run(&folder, "write.fbc", write, &data);
    let (code, said) = db(&["backup", text(&first), "--data", text(&data)]);
    assert!(code == 0 && said.contains("backed up"), "{code}: {said}");

    let destroy = "for note in Note.deleted { destroy note }\nprint(Note.with_deleted.count)\n";
    assert_eq!(run(&folder, "destroy.fbc", destroy, &data), "1\n");
    assert!(holds(&data, "the-secret"), "it waits for its rewrite");
    let (code, said) = db(&["compact", "--data", text(&data), "--format", "json"]);
    assert!(
        code == 0 && said.contains("\"destroyed\":1"),
        "{code}: {said}"
    );
    assert!(!holds(&data, "the-secret"));
    let (code, said) = db(&["verify", "--data", text(&data)]);
    assert!(code == 0, "{code}: {said}");

    let since = ["--since", text(&first)];
    let mut args = vec!["backup", text(&second), "--data", text(&data)];
    args.extend(since);
    let (code, said) = db(&args);
    assert_eq!(code, 0, "{said}");
    let (code, said) = db(&args);
    assert!(code == 2 && said.contains("not empty"), "{code}: {said}");

    let counts = "print(Note.with_deleted.count, Note.count)\n";
    for (from, expected) in [(&first, "2 1\n"), (&second, "1 1\n")] {
        let to = folder.path(&format!("{expected}restored").replace(['\n', ' '], "-"));
        let (code, said) = db(&["restore", text(from), "--data", text(&to)]);
        assert!(code == 0 && said.contains("restored"), "{code}: {said}");
        assert_eq!(run(&folder, "count.fbc", counts, &to), expected);
    }
    let then = folder.path("then");
    let at = ["restore", text(&first), "--at", "3", "--data", text(&then)];
    let (code, said) = db(&at);
    assert_eq!(code, 0, "{said}");
    assert_eq!(run(&folder, "count.fbc", counts, &then), "1 1\n");
    let late = folder.path("late");
    let beyond = [
        "restore",
        text(&first),
        "--at",
        "999",
        "--data",
        text(&late),
    ];
    let (code, said) = db(&beyond);
    assert!(code == 2 && said.contains("ends before"), "{code}: {said}");
}
