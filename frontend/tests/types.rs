//! Golden texts of inferred types and of type errors. A program `tests/types/x.flin` has its types in `x.types`, a program
//! `tests/type_errors/x.flin` its messages in `x.txt`; `BLESS=1` writes them anew.

#![allow(clippy::disallowed_methods, reason = "tests read their files")]

use std::path::Path;

use flin_syntax::diagnostic::Diagnostic;
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::golden;
use flinc::{hir, infer, resolve, types};

const STACK_BYTES: usize = 64 << 20;

fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        thread
            .expect("a thread")
            .join()
            .expect("the compiler does not panic")
    })
}

fn inferred(source: &str) -> (hir::Program, types::Types, Vec<Diagnostic>) {
    let parsed = flin_syntax::parse(source);
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    let prelude = flin_syntax::parse(flinc::PRELUDE);
    let (program, named) = resolve::resolve(&parsed.program, &prelude.program);
    let errors: Vec<&Diagnostic> = named
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (types, diagnostics) = infer::infer(&program);
    (program, types, diagnostics)
}

#[test]
fn types_of_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types");
    for path in golden::files(&folder, "flin") {
        let source = std::fs::read_to_string(&path).expect("the file is there");
        let text = with_stack(|| {
            let (program, types, diagnostics) = inferred(&source);
            assert_eq!(diagnostics, [], "{}", path.display());
            infer::dump::dump(&program, &types)
        });
        golden::check(&path.with_extension("types"), &text);
    }
}

#[test]
fn messages_about_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/type_errors");
    for path in golden::files(&folder, "flin") {
        let source = std::fs::read_to_string(&path).expect("the file is there");
        let diagnostics = with_stack(|| inferred(&source).2);
        assert!(!diagnostics.is_empty(), "no message for {}", path.display());
        let name = path
            .file_name()
            .expect("a file name")
            .to_string_lossy()
            .into_owned();
        let text = render_all(&diagnostics, &Sources::single(&name, &source), Color::Never);
        golden::check(&path.with_extension("txt"), &text);
    }
}

#[test]
fn the_same_program_gives_the_same_types_and_module() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types");
    for path in golden::files(&folder, "flin") {
        let source = std::fs::read_to_string(&path).expect("the file is there");
        let texts: Vec<String> = (0..2)
            .map(|_| {
                with_stack(|| {
                    let (program, types, _) = inferred(&source);
                    infer::dump::dump(&program, &types)
                })
            })
            .collect();
        assert_eq!(texts[0], texts[1], "{}", path.display());
        let modules: Vec<_> = (0..2)
            .map(|_| {
                flinc::compile("x.flin", &source)
                    .expect("it compiles")
                    .module
            })
            .collect();
        assert!(modules[0] == modules[1], "{}: two modules", path.display());
    }
}
