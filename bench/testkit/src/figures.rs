//! Tables of measured figures and the document that keeps them, `docs/performance.md`: each measuring program puts its own between
//! two marks. Here because three programs measure and one document is read. Must stay true: what stands between the marks was
//! measured by one run on the machine that is named with it.

use std::path::Path;

const FILE: &str = "../../docs/performance.md";

/// Puts new tables between the marks `<!-- bench WHAT: begin -->` and `<!-- bench WHAT: end -->`.
///
/// # Errors
/// When the document cannot be read or written, or has no marks.
pub fn write(what: &str, tables: &str) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let fault = |e: std::io::Error| format!("{}: {e}", file.display());
    let old = std::fs::read_to_string(&file).map_err(fault)?;
    let new = replaced(&old, what, tables).ok_or(format!("{FILE} has no marks of bench {what}"))?;
    std::fs::write(&file, new).map_err(fault)
}

fn replaced(text: &str, what: &str, tables: &str) -> Option<String> {
    let begin = format!("<!-- bench {what}: begin -->\n");
    let end = format!("<!-- bench {what}: end -->");
    let (head, rest) = text.split_once(&begin)?;
    let (_, tail) = rest.split_once(&end)?;
    Some(format!("{head}{begin}{tables}{end}{tail}"))
}

/// When and where this runs, as a line.
pub fn day_and_machine() -> String {
    let day = std::process::Command::new("date")
        .args(["-u", "+%F"])
        .output();
    let day = day.map_or_else(
        |_| "a day that is not known".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = info.lines().filter(|line| line.starts_with("model name"));
    let model = models.next().and_then(|line| line.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    format!("{day}, {} virtual cores of {model}.\n", 1 + models.count())
}

/// A line of a Markdown table.
pub fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The first lines of a Markdown table: names, the first column to the left.
pub fn head(names: &[&str]) -> String {
    format!(
        "| {} |\n|---|{}\n",
        names.join(" | "),
        "---:|".repeat(names.len() - 1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = "a\n<!-- bench x: begin -->\nold\n<!-- bench x: end -->\nb\n";
        let new = replaced(text, "x", "new\n").expect("marks");
        assert_eq!(new, text.replace("old", "new"));
        assert_eq!(replaced(text, "y", "new"), None);
    }

    #[test]
    fn a_table_has_its_first_column_to_the_left() {
        let table = head(&["who", "how many"]) + &row(&["flin".to_owned(), "1".to_owned()]);
        assert_eq!(table, "| who | how many |\n|---|---:|\n| flin | 1 |\n");
    }
}
