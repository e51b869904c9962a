//! The length of functions, as a ratchet: a function over the limit is tolerated only if `ratchet.txt` lists it, and only
//! up to the length listed. Here because long functions grow one line at a time. Must stay true: relies on rustfmt: a
//! function ends at the first line that is its closing brace at its own indentation.

use std::collections::BTreeMap;
use std::path::Path;

use super::Source;

/// Lines a function may have, head and closing brace included.
const LINES_MAX: usize = 80;

/// Checks the functions of all Rust files against the limit and the ratchet (`path name lines` per line).
///
/// # Errors
/// When the ratchet cannot be read.
pub(crate) fn check(sources: &[Source], ratchet: &Path) -> Result<Vec<String>, String> {
    let text =
        std::fs::read_to_string(ratchet).map_err(|e| format!("{}: {e}", ratchet.display()))?;
    let mut tolerated: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        if let [path, name, lines] = line.split_whitespace().collect::<Vec<_>>()[..] {
            tolerated.insert(
                (path.to_string(), name.to_string()),
                lines.parse().unwrap_or(0),
            );
        }
    }
    let mut problems = Vec::new();
    for source in sources.iter().filter(|s| s.path.ends_with(".rs")) {
        for (name, start, lines) in functions(&source.text) {
            let limit = tolerated
                .get(&(source.path.clone(), name.clone()))
                .copied()
                .unwrap_or(LINES_MAX);
            if lines > limit {
                problems.push(format!(
                    "{}:{start}: fn {name} has {lines} lines; {limit} is the most",
                    source.path
                ));
            }
        }
    }
    Ok(problems)
}

/// Name, first line (from 1) and length of each function that spans several lines.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(name) = function_name(code) else {
            continue;
        };
        let closing = format!("{}}}", " ".repeat(indent));
        let rest = lines[start..].iter();
        if let Some(length) = rest.clone().position(|l| **l == closing)
            && !line.ends_with(';')
            && !line.ends_with('}')
        {
            found.push((name, start + 1, length + 1));
        }
    }
    found
}

/// The name in `pub(crate) const fn name(`, if the line begins a function.
fn function_name(code: &str) -> Option<String> {
    let head = code.split('(').next()?;
    let before = head.split("fn ").next()?;
    let qualifiers = [
        "pub", "const", "async", "unsafe", "extern", "\"C\"", "crate", "super", "in", ")",
    ];
    if !head.contains("fn ") && !code.contains("fn ") {
        return None;
    }
    let code = if before.starts_with("pub") && code.starts_with("pub(") {
        code.split_once(") ")?.1
    } else {
        code
    };
    let (qualified, after) = code.split_once("fn ")?;
    if !qualified
        .split_whitespace()
        .all(|word| qualifiers.contains(&word))
    {
        return None;
    }
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_are_found_with_their_length() {
        let text = "impl A {\n    pub(crate) fn one(\n        a: u8,\n    ) {\n        a\n    }\n}\nfn two() {}\nconst fn three() {\n}\n";
        let found = super::functions(text);
        assert_eq!(found, vec![("one".into(), 2, 5), ("three".into(), 9, 2)]);
    }
}
