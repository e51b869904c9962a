//! The program `flinc` from outside: what it prints, what it writes, how it ends. Must stay true: the built binary is
//! run, so that arguments, streams and exit codes are the real ones.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own per test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("flinc-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a writable folder");
        path
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_flinc"))
            .args(args)
            .current_dir(&self.0)
            .output()
            .expect("the program runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn compiles_a_file_to_bytecode() {
    let folder = Folder::new("compiles");
    folder.file("app.flin", "print(1 + 2)\n");
    let done = folder.run(&["app.flin", "-o", "out.fbc"]);
    assert_eq!(code(&done), 0, "{}", err(&done));
    assert_eq!((out(&done), err(&done)), (String::new(), String::new()));
    let bytes = std::fs::read(folder.0.join("out.fbc")).expect("the bytecode");
    assert!(flin_bytecode::fbc::read(&bytes).is_ok());
    let names: Vec<PathBuf> = std::fs::read_dir(&folder.0)
        .expect("the folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    assert_eq!(names.len(), 2, "nothing else is left behind: {names:?}");
    assert_eq!(code(&folder.run(&["app.flin"])), 0);
    assert!(
        folder.0.join("app.fbc").exists(),
        "without -o the name follows from the source"
    );
}

#[test]
fn shows_mistakes_with_a_caret_and_ends_with_1() {
    let folder = Folder::new("mistakes");
    for (text, words) in [
        (
            "total = 1\nprint(totl)\n",
            vec!["app.flin:2:7", "totl", "total", "^^^^"],
        ),
        ("print(\"a\" < 1)\n", vec!["app.flin:1:", "^"]),
        ("if x {\n", vec!["app.flin:", "^"]),
    ] {
        folder.file("app.flin", text);
        let done = folder.run(&["check", "app.flin"]);
        assert_eq!(code(&done), 1, "{text}");
        for word in words {
            assert!(err(&done).contains(word), "no {word} in\n{}", err(&done));
        }
        assert!(err(&done).contains("error[F0"), "{}", err(&done));
        let built = folder.run(&["app.flin", "-o", "app.fbc"]);
        assert_eq!(code(&built), 1);
        assert!(
            !folder.0.join("app.fbc").exists(),
            "no bytecode of a wrong program"
        );
    }
}

#[test]
fn a_missing_file_and_wrong_usage_end_with_2() {
    let folder = Folder::new("usage");
    let missing = folder.run(&["nowhere.flin"]);
    assert_eq!(code(&missing), 2);
    assert!(err(&missing).contains("nowhere.flin"), "{}", err(&missing));
    assert_eq!(code(&folder.run(&[])), 2);
    assert_eq!(code(&folder.run(&["--no-such-option"])), 2);
    folder.file("app.flin", "print(1)\n");
    let overwrite = folder.run(&["app.flin", "-o", "app.flin"]);
    assert_eq!(code(&overwrite), 2);
    assert!(err(&overwrite).contains("overwrite"));
    let nowhere = folder.run(&["app.flin", "-o", "no/such/folder/app.fbc"]);
    assert_eq!(code(&nowhere), 2, "{}", err(&nowhere));
}

#[test]
fn check_writes_nothing_and_json_messages_are_one_object_per_line() {
    let folder = Folder::new("json");
    folder.file("app.flin", "print(nothing_here)\nprint(nor_here)\n");
    let done = folder.run(&["check", "app.flin", "--message-format", "json"]);
    assert_eq!(code(&done), 1);
    let text = err(&done);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("{\"code\":\"F0") && line.ends_with('}')),
        "{text}"
    );
    assert!(!folder.0.join("app.fbc").exists());
    folder.file("fine.flin", "print(1)\n");
    assert_eq!(code(&folder.run(&["check", "fine.flin"])), 0);
}

#[test]
fn text_that_is_no_utf8_is_refused_with_its_place() {
    let folder = Folder::new("utf8");
    std::fs::write(folder.0.join("app.flin"), b"print(1)\nx = \"\xff\"\n").expect("a file");
    let done = folder.run(&["app.flin"]);
    assert_eq!(code(&done), 1);
    assert!(err(&done).contains("app.flin:2:"), "{}", err(&done));
}

#[test]
fn disassembles_with_source_lines_if_the_source_is_found() {
    let folder = Folder::new("disasm");
    folder.file("app.flin", "x = 20\nprint(x + 2)\n");
    assert_eq!(code(&folder.run(&["app.flin"])), 0);
    let shown = folder.run(&["disasm", "app.fbc"]);
    assert_eq!(code(&shown), 0, "{}", err(&shown));
    for word in ["const.i64", "; 2: print(x + 2)", "function \"main\""] {
        assert!(out(&shown).contains(word), "no {word} in\n{}", out(&shown));
    }
    std::fs::remove_file(folder.0.join("app.flin")).expect("the source");
    let without = folder.run(&["disasm", "app.fbc"]);
    assert_eq!(code(&without), 0);
    assert!(!out(&without).contains("print(x + 2)"));
    let random = folder.file("random.fbc", "this is no bytecode");
    let refused = folder.run(&["disasm", &random.display().to_string()]);
    assert_eq!(code(&refused), 1);
    assert!(err(&refused).contains("random.fbc"), "{}", err(&refused));
    assert_eq!(code(&folder.run(&["disasm", "nowhere.fbc"])), 2);
}

#[test]
fn explains_codes_and_lists_what_is_not_supported() {
    let folder = Folder::new("explain");
    let known = folder.run(&["explain", "F0008"]);
    assert_eq!(code(&known), 0);
    assert!(out(&known).starts_with("F0008: "), "{}", out(&known));
    assert_eq!(code(&folder.run(&["explain", "F9999"])), 2);
    let list = folder.run(&["--unsupported"]);
    assert_eq!(code(&list), 0);
    assert!(out(&list).lines().count() > 3, "{}", out(&list));
}

#[test]
fn help_and_version_are_there() {
    let folder = Folder::new("help");
    let help = folder.run(&["--help"]);
    assert_eq!(code(&help), 0);
    for word in [
        "Usage:",
        "check",
        "disasm",
        "explain",
        "--output",
        "Exit codes",
    ] {
        assert!(out(&help).contains(word), "no {word} in\n{}", out(&help));
    }
    let version = folder.run(&["--version"]);
    assert!(out(&version).starts_with("flinc "));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let folder = Folder::new("colour");
    folder.file("app.flin", "print(nothing_here)\n");
    let plain = folder.run(&["check", "app.flin"]);
    assert!(
        !err(&plain).contains('\u{1b}'),
        "stderr is no terminal here"
    );
    let coloured = folder.run(&["check", "app.flin", "--color", "always"]);
    assert!(err(&coloured).contains('\u{1b}'));
}

#[test]
fn no_program_text_makes_the_compiler_panic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut rng = flin_testkit::rng::Rng::new(7);
    for path in flin_testkit::golden::files(&root, ".flin") {
        let source = std::fs::read_to_string(&path).expect("a program");
        let lines: Vec<&str> = source.lines().collect();
        for _ in 0..12 {
            let mut kept: Vec<&str> = lines.clone();
            for _ in 0..3 {
                if !kept.is_empty() {
                    kept.remove(rng.below(kept.len()));
                }
            }
            // Whether it compiles does not matter here.
            let _ = flinc::compile("mutated.flin", &kept.join("\n"));
        }
    }
}

const MESSY: &str = "x=1 // one\nif x==1{print( x )}\n";
const TIDY: &str = "x = 1 // one\nif x == 1 { print(x) }\n";

#[test]
fn formats_files_in_place_and_says_which_changed() {
    let folder = Folder::new("formats");
    let messy = folder.file("messy.flin", MESSY);
    folder.file("tidy.flin", TIDY);
    let checked = folder.run(&["fmt", "--check", "messy.flin", "tidy.flin"]);
    assert_eq!(code(&checked), 1, "{}", err(&checked));
    assert_eq!(out(&checked), "messy.flin is not formatted\n");
    assert_eq!(std::fs::read_to_string(&messy).expect("the file"), MESSY);
    let done = folder.run(&["fmt", "messy.flin", "tidy.flin"]);
    assert_eq!((code(&done), err(&done)), (0, String::new()));
    assert_eq!(out(&done), "messy.flin formatted\n");
    assert_eq!(std::fs::read_to_string(&messy).expect("the file"), TIDY);
    let again = folder.run(&["fmt", "--check", "messy.flin", "tidy.flin"]);
    assert_eq!((code(&again), out(&again)), (0, String::new()));
}

#[test]
fn formatting_leaves_what_it_cannot_read() {
    let folder = Folder::new("leaves");
    let broken = folder.file("broken.flin", "x=(1\n");
    let messy = folder.file("messy.flin", MESSY);
    let done = folder.run(&["fmt", "broken.flin", "messy.flin"]);
    assert_eq!(code(&done), 1, "{}", err(&done));
    assert!(err(&done).contains("is not closed"), "{}", err(&done));
    assert_eq!(
        std::fs::read_to_string(&broken).expect("the file"),
        "x=(1\n"
    );
    assert_eq!(std::fs::read_to_string(&messy).expect("the file"), TIDY);
    let missing = folder.run(&["fmt", "missing.flin"]);
    assert_eq!(code(&missing), 2);
    assert!(err(&missing).contains("missing.flin cannot be read"));
    assert_eq!(code(&folder.run(&["fmt"])), 2);
}

#[test]
fn formats_stdin_to_stdout() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flinc"))
        .args(["fmt", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, MESSY.as_bytes()).expect("the program reads");
    drop(stdin);
    let done = child.wait_with_output().expect("the program ends");
    assert_eq!((code(&done), out(&done)), (0, TIDY.to_owned()));
}

#[test]
fn a_new_program_needs_a_new_folder_and_a_name() {
    let folder = Folder::new("new");
    let made = folder.run(&["new", "my-app", "--template", "minimal"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(out(&made).contains("flinvm dev app.flin"), "{}", out(&made));
    let source = folder.0.join("my-app/app.flin");
    let text = std::fs::read_to_string(&source).expect("the source");
    assert!(
        text.contains("<title>my-app</title>") && !text.contains("NAME"),
        "{text}"
    );
    std::fs::write(&source, "mine").expect("written");
    let again = folder.run(&["new", "my-app"]);
    assert_eq!(code(&again), 1);
    assert!(err(&again).contains("is there already"), "{}", err(&again));
    assert_eq!(
        std::fs::read_to_string(&source).expect("the source"),
        "mine"
    );
    for name in ["..", "-x", "a/b/c", "a<b", ""] {
        let refused = folder.run(&["new", name]);
        assert_eq!(code(&refused), 2, "{name}: {}", err(&refused));
    }
    assert_eq!(code(&folder.run(&["new", "x", "--template", "huge"])), 2);
}
