//! The line of the source where a running program failed, with a mark under the place, as the compiler shows its own.
//! Must stay true: a place that is not in the text (any more) gives no line, never a wrong one.

use flin_runtime::vm::{ErrorKind, Trap};

use super::sources::Sources;

/// Longer lines are not shown: they are data, not code.
const LINE_CHARS_MAX: usize = 400;

/// Line and mark of a failure, and what can be done about it.
pub(crate) fn frame(sources: &Sources, trap: &Trap) -> String {
    let mut out = sources
        .text(&trap.at.file)
        .and_then(|text| line_with_mark(text, trap.at.line, trap.at.column))
        .unwrap_or_default();
    if let Some(hint) = hint(&trap.kind) {
        out.push_str(&format!("   = help: {hint}\n"));
    }
    out
}

fn line_with_mark(text: &str, line: u32, column: u32) -> Option<String> {
    let shown = text.lines().nth((line as usize).checked_sub(1)?)?;
    let before = (column as usize).checked_sub(1)?;
    let count = shown.chars().count();
    if before > count || count > LINE_CHARS_MAX {
        return None;
    }
    // A mark stands below its character whatever a tab is wide.
    let shown = shown.replace('\t', " ");
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let mark = " ".repeat(before);
    Some(format!(
        "{gutter} |\n{number} | {shown}\n{gutter} | {mark}^\n{gutter} |\n"
    ))
}

fn hint(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::DivisionByZero => {
            Some("ask whether the divisor is 0 first, or take what comes: `r = try a / b`")
        }
        ErrorKind::IndexOutOfBounds => {
            Some("positions go from 0 to `len - 1`; ask for `len` first, or use `try`")
        }
        ErrorKind::StackOverflow => Some("a function calls itself without coming to an end"),
        ErrorKind::TimeLimitExceeded => {
            Some("a request may compute for five seconds; is there a loop that does not end?")
        }
        ErrorKind::MemoryLimitExceeded => {
            Some("show a part of the records (`.limit(100)`), or keep less in one list")
        }
        ErrorKind::TypeError
        | ErrorKind::ValidationError
        | ErrorKind::NotFound
        | ErrorKind::ConflictError
        | ErrorKind::IntegerOverflow
        | ErrorKind::StorageError
        | ErrorKind::DepthLimitExceeded
        | ErrorKind::ArgumentError
        | ErrorKind::ParseError
        | ErrorKind::AssertionError
        | ErrorKind::NetworkError
        | ErrorKind::Custom(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::line_with_mark;

    #[test]
    fn the_mark_stands_below_its_character() {
        let text = "a = 1\n\tü = a / 0\n";
        let expected = "  |\n2 |  ü = a / 0\n  |        ^\n  |\n";
        assert_eq!(line_with_mark(text, 2, 8).as_deref(), Some(expected));
        for (line, column) in [(0, 1), (1, 0), (9, 1), (1, 7)] {
            assert_eq!(line_with_mark(text, line, column), None, "{line}:{column}");
        }
    }
}
