//! Wrong programs and their right neighbours: `diagnostics/F0107_wrong_arguments/` holds `bad.flin`, which gives that
//! diagnostic, `bad.txt`, the whole message, and `good.flin`, the nearest program that is right. Here because the coverage
//! report and the tests read the same folders. Must stay true: a code without a folder is in the list [`GENERATED`], with
//! the reason; a good program gives no diagnostic at all, not even a warning.

use std::path::{Path, PathBuf};

use flin_syntax::render::{Color, Sources, render};
use flin_syntax::{Code, Diagnostic};

use crate::case::{name_of, root};

/// A code for which no readable program stands in a file.
#[derive(Clone, Copy, Debug)]
pub struct Generated {
    /// The code.
    pub code: Code,
    /// Why it has no file.
    pub reason: &'static str,
    /// Makes a source: a bad one for true, its right neighbour for false. None: no input at all can give it.
    pub source: Option<fn(bool) -> Vec<u8>>,
}

/// The codes without a folder of their own.
pub const GENERATED: &[Generated] = &[
    Generated {
        code: Code::TooDeep,
        reason: "300 brackets say nothing to a reader",
        source: Some(|bad| nested(if bad { 300 } else { 200 })),
    },
    Generated {
        code: Code::TooHigh,
        reason: "a sum of 2,500 numbers says nothing to a reader",
        source: Some(|bad| long_sum(if bad { 2500 } else { 1500 })),
    },
    Generated {
        code: Code::FileTooLarge,
        reason: "16 MiB are no file for a repository",
        source: Some(|bad| filler(if bad { (16 << 20) + 1 } else { 1 << 12 })),
    },
    Generated {
        code: Code::NotUtf8,
        reason: "a file that is not UTF-8 is in the way of every tool",
        source: Some(|bad| {
            if bad {
                b"name = \"caf\xe9\"\n"
            } else {
                "name = \"café\"\n".as_bytes()
            }
            .to_vec()
        }),
    },
    Generated {
        code: Code::TooManyErrors,
        reason: "its message is the fifty-first",
        source: Some(|bad| many_mistakes(if bad { 60 } else { 0 })),
    },
    Generated {
        code: Code::TooBig,
        reason: "it takes more fields than anybody wants to read",
        source: Some(|bad| many_fields(if bad { 251 } else { 250 })),
    },
    Generated {
        code: Code::MisplacedFile,
        reason: "only a folder of files gives it: the compiler's own tests of projects do",
        source: None,
    },
    Generated {
        code: Code::FormatterFault,
        reason: "only a mistake of the formatter gives it",
        source: None,
    },
];

fn filler(bytes: usize) -> Vec<u8> {
    let line = format!("//{}\n", "-".repeat(1021));
    line.bytes().cycle().take(bytes).collect()
}

fn nested(depth: usize) -> Vec<u8> {
    format!(
        "x = {}1{}\nprint(x)\n",
        "(".repeat(depth),
        ")".repeat(depth)
    )
    .into_bytes()
}

fn long_sum(terms: usize) -> Vec<u8> {
    format!("x = {}\nprint(x)\n", vec!["1"; terms].join(" + ")).into_bytes()
}

fn many_mistakes(count: usize) -> Vec<u8> {
    format!("x = 1\nprint(x)\n{}", "y = )\n".repeat(count)).into_bytes()
}

fn many_fields(count: usize) -> Vec<u8> {
    let fields: Vec<String> = (1..=count).map(|n| format!("  field{n}: int")).collect();
    format!(
        "entity Wide {{\n{}\n}}\nprint(Wide.count)\n",
        fields.join(",\n")
    )
    .into_bytes()
}

/// What the compiler says about a source, warnings included.
pub fn diagnose(name: &str, source: &[u8]) -> Vec<Diagnostic> {
    match std::str::from_utf8(source) {
        Ok(text) => match flinc::compile(name, text) {
            Ok(compiled) => compiled.warnings,
            Err(diagnostics) => diagnostics,
        },
        Err(_) => flin_syntax::parse_bytes(source).diagnostics,
    }
}

/// The messages as a terminal shows them, without colours.
pub fn messages(name: &str, source: &[u8], diagnostics: &[Diagnostic]) -> String {
    let sources = Sources::single(name, &String::from_utf8_lossy(source));
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, &sources, Color::Never))
        .collect();
    texts.join("\n")
}

/// A folder with a bad and a good program.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its path below the crate.
    pub name: String,
    /// The code that it is about.
    pub code: Code,
    /// The folder.
    pub folder: PathBuf,
}

/// All pairs, by code.
///
/// # Panics
/// If a folder cannot be read or has no name of the form `F0107_wrong_arguments`.
pub fn pairs() -> Vec<Pair> {
    let folder = root().join("diagnostics");
    let mut found: Vec<Pair> = flin_testkit::golden::files(&folder, "bad.flin")
        .into_iter()
        .map(|path| {
            let folder = path.parent().expect("a file stands in a folder").to_path_buf();
            let name = name_of(&folder);
            let code = code_of(&folder).unwrap_or_else(|| {
                panic!("{name}: expected a folder such as F0107_wrong_arguments (code, name of its row in small letters)")
            });
            Pair { name, code, folder }
        })
        .collect();
    found.sort_by_key(|pair| (pair.code, pair.name.clone()));
    found
}

/// The code of a folder, if the folder is named as its row.
fn code_of(folder: &Path) -> Option<Code> {
    let name = folder.file_name()?.to_str()?;
    let (number, words) = name.split_once('_')?;
    let code = Code::parse(number)?;
    words.starts_with(&small(code.name())).then_some(code)
}

/// `WrongArguments` as `wrong_arguments`.
fn small(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// Checks a pair; what is wrong.
///
/// # Errors
/// One text per rule that does not hold.
pub fn check_pair(pair: &Pair) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    let read =
        |file: &str| std::fs::read(pair.folder.join(file)).map_err(|e| format!("{file}: {e}"));
    let (bad, good) = match (read("bad.flin"), read("good.flin")) {
        (Ok(bad), Ok(good)) => (bad, good),
        (bad, good) => return Err([bad.err(), good.err()].into_iter().flatten().collect()),
    };
    let found = diagnose("bad.flin", &bad);
    if !found.iter().any(|d| d.code == pair.code) {
        problems.push(format!(
            "bad.flin does not give {}, but:\n{}",
            pair.code,
            messages("bad.flin", &bad, &found)
        ));
    }
    let text = messages("bad.flin", &bad, &found);
    problems.extend(flin_testkit::golden::compare(&pair.folder.join("bad.txt"), &text).err());
    let found = diagnose("good.flin", &good);
    if !found.is_empty() {
        problems.push(format!(
            "good.flin gives diagnostics:\n{}",
            messages("good.flin", &good, &found)
        ));
    }
    problems.extend(unlike(&bad, &good));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// A good program that has little to do with the bad one teaches nothing.
fn unlike(bad: &[u8], good: &[u8]) -> Option<String> {
    let (bad, good) = (String::from_utf8_lossy(bad), String::from_utf8_lossy(good));
    let code = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .collect()
    };
    let (bad, good) = (code(&bad), code(&good));
    if bad == good {
        return Some("bad.flin and good.flin are the same program".to_owned());
    }
    let alone =
        |one: &[String], other: &[String]| one.iter().filter(|line| !other.contains(line)).count();
    let (only_bad, only_good) = (alone(&bad, &good), alone(&good, &bad));
    let most = (bad.len().max(good.len()) / 2).max(3);
    (only_bad > most || only_good > most).then(|| {
        format!("good.flin is no neighbour of bad.flin: {only_bad} and {only_good} lines of their own, at most {most} are allowed")
    })
}

/// Checks a generated source and its right neighbour; what is wrong.
///
/// # Errors
/// One text per rule that does not hold.
pub fn check_generated(row: &Generated) -> Result<(), Vec<String>> {
    let Some(source) = row.source else {
        return Ok(());
    };
    let mut problems = Vec::new();
    let bad = source(true);
    let found = diagnose("bad.flin", &bad);
    let about: Vec<Diagnostic> = found.into_iter().filter(|d| d.code == row.code).collect();
    if about.is_empty() {
        problems.push(format!("the generated source does not give {}", row.code));
    }
    let path = root().join(format!("diagnostics/generated/{}.txt", row.code));
    let text = messages("bad.flin", &bad, &about);
    problems.extend(flin_testkit::golden::compare(&path, &text).err());
    let found = diagnose("good.flin", &source(false));
    if let Some(first) = found.first() {
        problems.push(format!(
            "its right neighbour gives {}: {}",
            first.code, first.title
        ));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}
