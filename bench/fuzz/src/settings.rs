//! Target `settings`: any text as a `flin.config`. The judge: it is read or refused without a panic; a mistake points into the text
//! and changes nothing; what was read is written and read back as the same.

use flin_server::settings::{Settings, names};
use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// Values of every kind, good and bad.
const VALUES: [&str; 16] = [
    "1",
    "0",
    "-5",
    "1_000",
    "99999999999999999999",
    "\"5s\"",
    "\"1MB\"",
    "\"half\"",
    "\"json\"",
    "true",
    "[]",
    "[\"10.0.0.0/8\", \"::1\"]",
    "[\"a.example\"]",
    "\"127.0.0.1\"",
    "256MB",
    "\"\\\"\"",
];
/// What stands between.
const SIGNS: [&str; 10] = [
    "{",
    "}",
    ":",
    ",",
    "\n",
    "[",
    "]",
    "\"",
    "// note\n",
    "\u{feff}",
];

/// A file that is nearly right, perhaps damaged, or any signs at all.
pub(crate) fn make(_: &Ground, rng: &mut Rng) -> String {
    let names = names();
    let mut text = String::new();
    if rng.one_in(4) {
        for _ in 0..rng.below(40) {
            let word = match rng.below(3) {
                0 => rng.pick(&names).replace('.', " "),
                1 => (*rng.pick(&VALUES)).to_owned(),
                _ => (*rng.pick(&SIGNS)).to_owned(),
            };
            text.push_str(&word);
            text.push(' ');
        }
        return text;
    }
    for section in ["limits", "server"] {
        text.push_str(&format!("{section} {{\n"));
        for _ in 0..rng.below(6) {
            let (of, name) = rng.pick(&names).split_once('.').expect("section and name");
            if of == section || rng.one_in(8) {
                text.push_str(&format!("  {name}: {}\n", rng.pick(&VALUES)));
            }
        }
        text.push_str("}\n");
    }
    for _ in 0..rng.below(3) {
        let chars: Vec<char> = text.chars().collect();
        let at = rng.below(chars.len() + 1);
        let sign = if rng.one_in(2) { *rng.pick(&SIGNS) } else { "" };
        let before: String = chars[..at].iter().collect();
        let after: String = chars[at..].iter().skip(rng.below(2)).collect();
        text = format!("{before}{sign}{after}");
    }
    text
}

/// Judges what is made of it.
pub(crate) fn judge(text: &str, tally: &mut Tally) -> Verdict {
    let mut settings = Settings::default();
    match settings.read(text) {
        Ok(()) => {
            tally.count("read");
            let mut again = Settings::default();
            let written = settings.written();
            if let Err(problems) = again.read(&written) {
                return Err(format!(
                    "what was written is refused:\n{}",
                    problems.shown("written", &written)
                ));
            }
            if again != settings {
                return Err(format!(
                    "read back as another:\n{written}\n{}",
                    again.written()
                ));
            }
        }
        Err(problems) => {
            tally.count("refused");
            if settings != Settings::default() {
                return Err("a text with a mistake changed something".to_owned());
            }
            if problems.iter().next().is_none() {
                return Err("refused without a reason".to_owned());
            }
            let lines: Vec<&str> = text.lines().collect();
            for problem in problems.iter() {
                let line = lines.get(problem.line - 1).copied().unwrap_or_default();
                if problem.column - 1 > line.chars().count() || problem.line > lines.len().max(1) {
                    return Err(format!("{problem:?} is no place of the text"));
                }
            }
            problems.shown("flin.config", text);
        }
    }
    Ok(())
}
