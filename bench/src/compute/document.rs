//! The committed figures: `docs/performance.md`, between two marks. Must stay true: what stands there was measured by one run on
//! the machine that is named with it.

use std::path::Path;

const FILE: &str = "../docs/performance.md";
const BEGIN: &str = "<!-- bench compute: begin -->\n";
const END: &str = "<!-- bench compute: end -->";

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
    let text = format!("{head}{BEGIN}{}.\n\n{tables}{END}{tail}", day_and_machine());
    std::fs::write(&file, text).map_err(fault)
}

fn day_and_machine() -> String {
    let day = std::process::Command::new("date")
        .args(["-u", "+%F"])
        .output();
    let day = day.map_or_else(
        |_| "a day that is not known".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = info
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "));
    let model = models.next().map_or("unknown", |(_, model)| model);
    let cores = 1 + models.count();
    format!("{day}, {cores} virtual cores of {model}")
}
