//! What the generator promises: pieces that stand for themselves, programs that compile without a message. Must stay true:
//! the figures in `docs/performance.md` are about right programs; a piece that is not in the list is a mistake.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::Path;

use flin_bench::application::{CORE, PIECES, application, copy_of};
use flin_bench::shapes::SHAPES;
use flin_bench::stages::timed;

#[test]
fn every_file_is_in_the_list_and_in_the_one_layout() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile/pieces");
    let mut names = Vec::new();
    for path in flin_testkit::golden::files(&folder, ".flin") {
        let stem = path.file_stem().expect("a file name");
        names.push(stem.to_string_lossy().into_owned());
        let text = std::fs::read_to_string(&path).expect("a piece");
        let formatted = flin_syntax::format(&text).expect("a piece is read by the grammar");
        assert_eq!(text, formatted, "{}", path.display());
    }
    names.retain(|name| name != "core");
    let listed: Vec<&str> = PIECES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed);
}

#[test]
fn every_piece_stands_for_itself() {
    for (name, piece) in PIECES {
        let source = format!("{CORE}\n{}", copy_of(piece, 1));
        assert!(!source.contains("_n("), "{name}: a name keeps its `_n`");
        timed(&source).unwrap_or_else(|found| panic!("{name}:\n{found}"));
    }
}

#[test]
fn applications_compile() {
    for (lines, seed) in [(500, 3), (2_000, 1), (2_000, 2)] {
        let source = application(lines, seed);
        let length = source.lines().count();
        assert!((lines..lines + 100).contains(&length), "{length} lines");
        assert_eq!(source, application(lines, seed), "seed {seed}");
        timed(&source).unwrap_or_else(|found| panic!("seed {seed}:\n{found}"));
    }
}

#[test]
fn shapes_compile() {
    for shape in SHAPES {
        let source = (shape.make)(shape.size.div_ceil(40));
        timed(&source).unwrap_or_else(|found| panic!("{}:\n{found}", shape.name));
    }
}
