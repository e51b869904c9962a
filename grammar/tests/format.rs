//! The formatter: golden pairs, and what must hold for every program: the same tree, the same comments, and nothing to do the second time.

use flin_syntax::dump::dump;
use flin_syntax::render::{Color, Sources, render_all};
use flin_syntax::{Code, format};
use flin_testkit::mutate::white_space;
use flin_testkit::{golden, rng::Rng};
use std::path::{Path, PathBuf};

/// Mutants per run, unless the environment says `FORMAT_MUTANTS=…`.
const MUTANTS: usize = 500;

/// Each `name.flin` of `tests/format` becomes `name.formatted`.
#[test]
fn messy_programs_come_out_tidy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format");
    let mut failures = Vec::new();
    for path in golden::files(&folder, ".flin") {
        let text = read(&path);
        let formatted = format(&text).unwrap_or_else(|messages| {
            render_all(
                &messages,
                &Sources::single("messy.flin", &text),
                Color::Never,
            )
        });
        failures.extend(golden::compare(&path.with_extension("formatted"), &formatted).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_program_of_the_repository_keeps_its_tree_and_comments() {
    let programs = programs();
    assert!(programs.len() > 60, "only {} programs", programs.len());
    for (path, text) in &programs {
        check(&path.display().to_string(), text);
    }
}

/// Programs whose place in the repository says that they are formatted.
#[test]
fn examples_are_formatted() {
    for (path, text) in programs() {
        if path.components().any(|part| part.as_os_str() == "examples") {
            let formatted = format(&text).expect("examples have no errors");
            assert_eq!(text, formatted, "{} is not formatted", path.display());
        }
    }
}

/// White space doubled, dropped, turned into newlines; newlines turned into blanks; comments thrown in. What is still a program
/// must come through.
#[test]
fn white_space_anywhere_is_understood() {
    let programs: Vec<(PathBuf, String)> = programs()
        .into_iter()
        .filter(|(_, text)| text.len() < 6_000)
        .collect();
    let mutants = std::env::var("FORMAT_MUTANTS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(MUTANTS);
    let mut rng = Rng::new(20_261_120);
    let mut valid = 0;
    for number in 0..mutants {
        let (path, text) = rng.pick(&programs);
        let mutant = white_space(text, &mut rng);
        if flin_syntax::parse(&mutant).has_errors() {
            continue;
        }
        valid += 1;
        check(&format!("mutant {number} of {}", path.display()), &mutant);
    }
    println!("{valid} of {mutants} mutants are programs");
    assert!(valid * 4 > mutants, "only {valid} mutants are programs");
}

/// Names grow, so that lines get too long at places where they never were.
#[test]
fn lines_of_any_width_settle_at_once() {
    let mut rng = Rng::new(20_261_121);
    let mut valid = 0;
    for (path, text) in programs() {
        let grown = grow_names(&text, &mut rng);
        if !flin_syntax::parse(&grown).has_errors() {
            valid += 1;
            check(&format!("{} with long names", path.display()), &grown);
        }
    }
    assert!(valid > 60, "only {valid} programs are left");
}

/// Half of the small names get a tail; words of the language and what stands behind signs that give a word a meaning do not.
fn grow_names(text: &str, rng: &mut Rng) -> String {
    let tail = "_and_more".repeat(1 + rng.below(3));
    let mut out = String::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let free = matches!(before, ' ' | '\n' | '(' | ',') && !matches!(c, '=' | '"' | '\'' | '-');
        let grows = word.len() > 3 && word.starts_with(|c: char| c.is_ascii_lowercase());
        out.push_str(&word);
        if free && grows && !KEPT.contains(&word.as_str()) && rng.one_in(2) {
            out.push_str(&tail);
        }
        out.push(c);
        word.clear();
        before = c;
    }
    out
}

const KEPT: [&str; 40] = [
    "then",
    "else",
    "while",
    "match",
    "loop",
    "return",
    "break",
    "continue",
    "const",
    "catch",
    "true",
    "false",
    "none",
    "entity",
    "enum",
    "type",
    "page",
    "component",
    "route",
    "validate",
    "guard",
    "guard_definition",
    "middleware",
    "every",
    "cron",
    "test",
    "onMount",
    "onUpdate",
    "onUnmount",
    "save",
    "delete",
    "restore",
    "destroy",
    "assert",
    "response",
    "view",
    "empty",
    "connect",
    "message",
    "close",
];

#[test]
fn what_cannot_be_read_is_refused() {
    let messages = format("x = (1\n").expect_err("a bracket is open");
    assert!(
        messages
            .iter()
            .any(|message| message.code == Code::UnclosedBracket)
    );
}

#[test]
fn broken_programs_are_left_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    for path in golden::files(&folder, ".flin") {
        let bytes = std::fs::read(&path).expect("the corpus can be read");
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let readable = !flin_syntax::parse(&text).has_errors();
        assert_eq!(format(&text).is_ok(), readable, "{}", path.display());
    }
}

#[test]
fn next_to_nothing() {
    let pairs = [
        ("", ""),
        (" \n\n", ""),
        ("\u{feff}x=1\r\n\r\n\r\ny=2\r\n", "x = 1\n\ny = 2\n"),
        ("// alone", "// alone\n"),
        ("\n\n/* a */\n\n\n// b\r\n", "/* a */\n\n// b\n"),
        ("view{}", "view {}\n"),
        ("x = - -9223372036854775808", "x = - -9223372036854775808\n"),
    ];
    for (source, wanted) in pairs {
        assert_eq!(format(source).as_deref(), Ok(wanted), "{source:?}");
    }
}

#[test]
fn large_and_deep_programs_take_no_stack() {
    let deep = format!("x = {}1{}\n", "(".repeat(200), ")".repeat(200));
    check("parentheses", &deep);
    let blocks = format!("{}x = 1\n{}", "if a {\n".repeat(200), "}\n".repeat(200));
    check("blocks", &blocks);
    let tags = format!("{}x{}\n", "<div> ".repeat(200), " </div>".repeat(200));
    check("tags", &tags);
    let chain = format!("x = 1{}\n", " + 1".repeat(1_500));
    check("a chain", &chain);
    let calls = format!("x = y{}\n", ".f(1)".repeat(900));
    check("methods", &calls);
    let many = "count = count + 1 // one more\n".repeat(5_000);
    check("many lines", &many);
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("the corpus can be read");
    String::from_utf8(bytes).expect("the corpus is UTF-8")
}

/// All programs of the repository that have no syntax errors.
fn programs() -> Vec<(PathBuf, String)> {
    let all = flin_testkit::sources::flin_files().into_iter();
    all.filter(|(_, text)| !flin_syntax::parse(text).has_errors())
        .collect()
}

/// The same tree, the same comments in the same order, nothing left to do.
fn check(name: &str, text: &str) {
    let formatted = match format(text) {
        Ok(formatted) => formatted,
        Err(messages) => panic!("{name}: {messages:?}\n{text}"),
    };
    let tree = |text: &str| {
        let text = text.to_owned();
        std::thread::Builder::new()
            .stack_size(64 * 1024 * 1024)
            .spawn(move || dump(&flin_syntax::parse(&text).program))
            .expect("a thread can be started")
            .join()
            .expect("the tree can be printed")
    };
    assert_eq!(
        tree(text),
        tree(&formatted),
        "{name}: another tree\n{formatted}"
    );
    assert_eq!(
        words(text),
        words(&formatted),
        "{name}: something is lost\n{formatted}"
    );
    let again = format(&formatted).expect("what was formatted can be formatted");
    assert_eq!(
        formatted, again,
        "{name}: the second time changes something"
    );
    let trailing = formatted.lines().any(|line| line.ends_with([' ', '\t']));
    let was_trailing = text.lines().any(|line| line.ends_with([' ', '\t']));
    assert!(
        was_trailing || !trailing,
        "{name}: blanks at the end of a line\n{formatted}"
    );
}

/// All letters and digits in order: comments and literals included, whatever the formatter thinks a comment is.
fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
