//! The page of what keeps attackers out: each test that it names exists, and what can be seen in the sources alone.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("two levels down")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `file: name`, or a file alone, out of the last column of the table.
fn named(row: &str) -> Vec<(String, Option<String>)> {
    let shown = row
        .trim_end_matches(['|', ' '])
        .rsplit('|')
        .next()
        .unwrap_or_default();
    let quoted = shown.split('`').skip(1).step_by(2);
    let pair = |text: &str| match text.split_once(": ") {
        Some((file, name)) => (file.to_owned(), Some(name.to_owned())),
        None => (text.to_owned(), None),
    };
    quoted.map(pair).collect()
}

#[test]
fn every_row_names_tests_that_exist() {
    let page = read(&root().join("docs/internals/security.md"));
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in rows {
        let tests = named(row);
        assert!(!tests.is_empty(), "no test in: {row}");
        for (file, name) in tests {
            let text = read(&root().join(&file));
            let Some(name) = name else {
                continue;
            };
            let begin = format!("fn {name}(");
            let places: Vec<usize> = text.match_indices(&begin).map(|(at, _)| at).collect();
            assert_eq!(places.len(), 1, "{file} has no single {name}");
            // A table of cases is a function that gives them, a siege one that the list names; all others are tests.
            let is_test = text[..places[0]].trim_end().ends_with("#[test]");
            let is_table = file.starts_with("bench/attack/src/");
            assert!(is_test || is_table, "{name} in {file} is no test");
            let uses = text.matches(&format!("{name}(")).count()
                + text.matches(&format!(" {name},")).count()
                + text.matches(&format!(" {name})")).count();
            assert!(
                is_test || uses > 1 || name == "cases",
                "{name} in {file} is never used"
            );
        }
    }
}

#[test]
fn nothing_in_the_browser_makes_code_of_texts() {
    let dir = root().join("server/web");
    let mut files = 0;
    for entry in fs::read_dir(&dir).expect("the browser runtime") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "js") {
            continue;
        }
        files += 1;
        let text = read(&path);
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for word in [
                "eval(",
                "Function(",
                "setTimeout(\"",
                "setInterval(\"",
                "document.write",
                "javascript:",
            ] {
                assert!(!line.contains(word), "{}: {line}", path.display());
            }
        }
    }
    assert!(files > 5, "{files} files");
}

/// Whoever compares a secret goes through what takes the same time for each guess.
#[test]
fn secrets_are_compared_in_constant_time() {
    let token = read(&root().join("server/src/token.rs"));
    assert!(
        token.contains(".verify_truncated_left("),
        "page tokens are not compared by their library"
    );
    let secret = read(&root().join("vm/src/library/secret.rs"));
    assert!(
        secret.contains(".verify_password("),
        "passwords are not compared by their library"
    );
}
