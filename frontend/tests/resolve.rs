//! Golden texts of name resolution: a program `tests/resolve/x.flin` has its resolved form in `x.hir`, a wrong program
//! `tests/errors/x.flin` its messages in `x.txt`; `BLESS=1` writes them anew. And the list of what is not supported yet.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::Path;

use flin_syntax::render::{Color, Sources, render_all};
use flin_syntax::{Code, Diagnostic};
use flin_testkit::golden;
use flinc::unsupported::Unsupported;
use flinc::{hir, resolve, unsupported};

const STACK_BYTES: usize = 64 << 20;

/// A program without errors of syntax, resolved on a thread with a large stack.
fn resolved(source: &str) -> (hir::Program, Vec<Diagnostic>) {
    let work = || {
        let parsed = flin_syntax::parse(source);
        assert_eq!(parsed.diagnostics, [], "the syntax is right");
        let prelude = flin_syntax::parse(flinc::PRELUDE);
        resolve::resolve(&parsed.program, &prelude.program)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        thread
            .expect("a thread")
            .join()
            .expect("resolving does not panic")
    })
}

fn programs(folder: &str) -> Vec<(std::path::PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    golden::files(&folder, "flin")
        .into_iter()
        .map(|path| {
            let source = std::fs::read_to_string(&path).expect("the file is there");
            (path, source)
        })
        .collect()
}

/// Diagnostics as people see them.
fn rendered(path: &Path, source: &str, diagnostics: &[Diagnostic]) -> String {
    let name = path.file_name().expect("a file").to_string_lossy();
    render_all(diagnostics, &Sources::single(&name, source), Color::Never)
}

#[test]
fn resolved_programs() {
    for (path, source) in programs("tests/resolve") {
        let (program, diagnostics) = resolved(&source);
        let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|it| it.is_error()).collect();
        assert!(
            errors.is_empty(),
            "{}",
            rendered(&path, &source, &diagnostics)
        );
        let mut text = resolve::dump::dump(&program);
        if !diagnostics.is_empty() {
            text = format!("{}\n{text}", rendered(&path, &source, &diagnostics));
        }
        golden::check(&path.with_extension("hir"), &text);
    }
}

#[test]
fn messages_about_names() {
    for (path, source) in programs("tests/errors") {
        let (_, diagnostics) = resolved(&source);
        assert!(!diagnostics.is_empty(), "no message for {}", path.display());
        golden::check(
            &path.with_extension("txt"),
            &rendered(&path, &source, &diagnostics),
        );
    }
}

/// Every code of this stage has a program that shows it.
#[test]
fn every_code_is_shown() {
    let mut shown: Vec<Code> = Vec::new();
    for folder in ["tests/errors", "tests/resolve"] {
        for (_, source) in programs(folder) {
            shown.extend(resolved(&source).1.iter().map(|it| it.code));
        }
    }
    let ours = |code: &Code| {
        let number = code.number();
        // Which values a `match` forgets is said by the next stage, which knows their types.
        let here = (100..200).contains(&number) || (300..320).contains(&number);
        here && *code != Code::NotExhaustive
    };
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| ours(code) && !shown.contains(code))
        .collect();
    assert!(missing.is_empty(), "no program shows {missing:?}");
}

/// The prelude is right by itself.
#[test]
fn the_prelude_resolves() {
    let (program, diagnostics) = resolved("");
    assert_eq!(diagnostics, []);
    assert!(!program.prelude.is_empty());
}

/// The list of what is not supported yet may only shrink: lower the number with it.
#[test]
fn unsupported_only_shrinks() {
    assert_eq!(Unsupported::ALL.len(), 8);
    assert_eq!(unsupported::list().lines().count(), Unsupported::ALL.len());
    let mut titles: Vec<&str> = Unsupported::ALL.iter().map(|it| it.title()).collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), Unsupported::ALL.len());
}

/// The core of the language has nothing on the list but what is named here; this list, too, may only shrink.
#[test]
fn nothing_of_the_core_is_unsupported() {
    let core: Vec<Unsupported> = Unsupported::ALL
        .iter()
        .copied()
        .filter(|it| it.tier() == 1)
        .collect();
    assert_eq!(core, []);
    assert!(
        unsupported::list()
            .lines()
            .all(|line| line.starts_with("tier "))
    );
}

/// Each construct of the list is reported with its title.
#[test]
fn unsupported_is_reported() {
    let mut found: Vec<String> = Vec::new();
    for (_, source) in programs("tests/errors") {
        found.extend(resolved(&source).1.into_iter().map(|it| it.title));
    }
    let missing: Vec<&str> = Unsupported::ALL
        .iter()
        .map(|it| it.title())
        .filter(|title| !found.contains(&format!("not supported yet: {title}")))
        .collect();
    assert!(missing.is_empty(), "no program shows {missing:?}");
}
