//! What is wrong with a `flin.config`, with the place and, where it is known, what was meant. Must stay true: a place is a piece
//! of the text; a message says what was expected and what was found, and never more than a line of the file.

use std::fmt;

/// Most problems that are told at once.
const PROBLEMS_MAX: usize = 20;
/// Most characters of a line that are shown.
const SHOWN_CHARS_MAX: usize = 160;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters that it is about, at least 1.
    pub width: usize,
    /// A sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// All that is wrong, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Problems {
    list: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What is printed: each with its place, its line and a mark below it. `file`: how the file is called.
    pub fn shown(&self, file: &str, text: &str) -> String {
        let mut out = String::new();
        for problem in &self.list {
            out.push_str(&problem.shown(file, text));
        }
        if self.left_out > 0 {
            out.push_str(&format!("error: and {} more\n", self.left_out));
        }
        out
    }
}

impl Problem {
    fn shown(&self, file: &str, text: &str) -> String {
        let Problem { line, column, .. } = self;
        let mut out = format!("error: {}\n", self.message);
        let margin = " ".repeat(line.to_string().len());
        out.push_str(&format!("{margin}--> {file}:{line}:{column}\n"));
        let whole = text.lines().nth(line - 1).unwrap_or_default();
        let shown: String = whole.chars().take(SHOWN_CHARS_MAX).map(plain).collect();
        if *column <= shown.chars().count() + 1 {
            let room = SHOWN_CHARS_MAX.saturating_sub(column - 1).max(1);
            let mark = "^".repeat(self.width.clamp(1, room));
            let before = " ".repeat(column - 1);
            out.push_str(&format!(
                "{margin} |\n{line} | {shown}\n{margin} | {before}{mark}\n"
            ));
        }
        if let Some(help) = &self.help {
            out.push_str(&format!("{margin} = help: {help}\n"));
        }
        out
    }
}

/// A character that moves nothing on a terminal.
fn plain(ch: char) -> char {
    if ch.is_control() { ' ' } else { ch }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}
