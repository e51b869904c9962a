//! The crash audit (`docs/internals/crash-audit.md`): every row of its tables names a test that exists. Here because a list of what cannot
//! happen is worth what shows it. Must stay true: a test is a function under `#[test]` of a file, or a file of the corpus; no row
//! stands there twice, and none is without a test.

use std::collections::BTreeSet;
use std::path::Path;

/// The page, from the root.
const PAGE: &str = "docs/internals/crash-audit.md";
/// Its tiers, in order.
const TIERS: [&str; 3] = ["## Certain", "## Likely", "## Edge"];
/// Fewer rows than this are no audit.
const ROWS_MIN: usize = 100;

/// A row: what is tried, and the tests that show what happens.
struct Row<'a> {
    vector: &'a str,
    tests: Vec<&'a str>,
}

/// Checks the page.
///
/// # Errors
/// One line per row that names no test, or one that is not there.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let page = std::fs::read_to_string(root.join(PAGE)).map_err(|e| format!("{PAGE}: {e}"))?;
    let problems = problems_of(&page, |test| is_there(root, test));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

fn problems_of(page: &str, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut tiers, mut rows) = (Vec::new(), 0);
    let mut seen = BTreeSet::new();
    for line in page.lines() {
        if let Some(tier) = TIERS.iter().find(|tier| line.starts_with(**tier)) {
            tiers.push(*tier);
        }
        let Some(row) = row_of(line) else {
            continue;
        };
        rows += 1;
        if !seen.insert(row.vector) {
            problems.push(format!("{PAGE}: \"{}\" stands there twice", row.vector));
        }
        if row.tests.is_empty() {
            problems.push(format!("{PAGE}: \"{}\" names no test", row.vector));
        }
        for test in row.tests {
            if !is_there(test) {
                problems.push(format!(
                    "{PAGE}: \"{}\": there is no test {test}",
                    row.vector
                ));
            }
        }
    }
    if tiers != TIERS {
        problems.push(format!("{PAGE}: its tiers are {tiers:?}"));
    }
    if rows < ROWS_MIN {
        problems.push(format!("{PAGE}: {rows} rows"));
    }
    problems
}

/// Reads `| vector | what happens | tests in backticks |`; heads of tables are none.
fn row_of(line: &str) -> Option<Row<'_>> {
    let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let mut cells = cells.split(" | ");
    let (vector, _, tests) = (cells.next()?, cells.next()?, cells.last()?);
    if vector == "vector" {
        return None;
    }
    let tests = tests.split('`').skip(1).step_by(2).collect();
    Some(Row { vector, tests })
}

/// Whether `file.rs::name` is a test, or a path is a file of the corpus.
fn is_there(root: &Path, test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return test.starts_with("corpus/") && root.join(test).is_file();
    };
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return false;
    };
    let head = format!("fn {name}(");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let found = lines.iter().position(|line| line.starts_with(&head));
    found.is_some_and(|at| {
        let above = lines[..at].iter().rev();
        above
            .take_while(|line| !line.is_empty() && !line.ends_with('}'))
            .any(|line| *line == "#[test]")
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_of_the_crash_audit_names_a_test() {
        super::check(&crate::root()).unwrap();
    }

    #[test]
    fn a_test_that_is_gone_is_missed() {
        let page = |test: &str| format!("## Certain\n## Likely\n## Edge\n| a | b | {test} |\n");
        let problems = |test: &str| super::problems_of(&page(test), |test| test == "x.rs::y");
        assert_eq!(problems("`x.rs::y`").len(), 1, "only too few rows");
        assert!(problems("`x.rs::z`")[0].contains("there is no test x.rs::z"));
        assert!(problems("nothing")[0].contains("names no test"));
        let here =
            |name| super::is_there(&crate::root(), &format!("bench/xtask/src/audit.rs::{name}"));
        assert!(here("a_test_that_is_gone_is_missed") && !here("check") && !here("nobody"));
    }
}
