//! The committed figures: `docs/performance.md`, between two marks. Must stay true: what stands there was measured by one run on
//! the machine that is named with it.

use std::path::Path;

const FILE: &str = "../../docs/performance.md";
const BEGIN: &str = "<!-- bench store: begin -->\n";
const END: &str = "<!-- bench store: end -->";

/// Puts new tables between the marks, with the day and the machine.
///
/// # Errors
/// When the document cannot be read or written, or has no marks.
pub fn write(tables: &str) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let fault = |e: std::io::Error| format!("{}: {e}", file.display());
    let old = std::fs::read_to_string(&file).map_err(fault)?;
    let (head, rest) = old
        .split_once(BEGIN)
        .ok_or(format!("{FILE} has no {BEGIN}"))?;
    let (_, tail) = rest.split_once(END).ok_or(format!("{FILE} has no {END}"))?;
    std::fs::write(&file, format!("{head}{BEGIN}{tables}{END}{tail}")).map_err(fault)
}

/// When and where this runs, as a sentence.
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
