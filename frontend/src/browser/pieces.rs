//! The library of browser code, taken apart: each declaration at the top of a file of `library/` is a piece, and a module
//! gets the pieces whose names its code mentions, and what those mention. Here because a page should carry what it uses and
//! no more. Must stay true: a declaration begins in the first column and its end does, too (or it is one line); a piece
//! has all it needs in words that are names of pieces.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, OnceLock};

/// The files, in the order in which a module has their pieces: classes and constants before what uses them at once.
const FILES: [&str; 11] = [
    include_str!("library/values.js"),
    include_str!("library/running.js"),
    include_str!("library/numbers.js"),
    include_str!("library/texts.js"),
    include_str!("library/lists.js"),
    include_str!("library/maps.js"),
    include_str!("library/anything.js"),
    include_str!("library/times.js"),
    include_str!("library/json.js"),
    include_str!("library/page.js"),
    include_str!("library/view.js"),
];

/// For programs that run by themselves.
const SCRIPT: &str = include_str!("library/script.js");

/// A declaration with the comment before it.
pub(super) struct Piece {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// What it may mean, and every word in it: once somebody wants it.
    names: OnceLock<Vec<&'static str>>,
    words: OnceLock<Vec<&'static str>>,
}

impl Piece {
    /// What it may mean beside itself, each once.
    fn names(&self) -> &[&'static str] {
        self.names.get_or_init(|| {
            let mut names = names_in(self.text);
            names.sort_unstable();
            names.dedup();
            names.retain(|name| *name != self.name);
            names
        })
    }

    /// Everything in it that could be a name, each once.
    pub(super) fn words(&self) -> &[&'static str] {
        self.words.get_or_init(|| {
            let mut found: Vec<&str> = words(self.text).collect();
            found.sort_unstable();
            found.dedup();
            found
        })
    }
}

/// All pieces in order.
static PIECES: LazyLock<Vec<Piece>> = LazyLock::new(|| {
    let files = FILES.iter().copied().chain([SCRIPT]);
    files.flat_map(pieces_of).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let named = PIECES.iter().enumerate();
    named.map(|(at, piece)| (piece.name, at)).collect()
});

/// Words that begin a declaration.
const DECLARING: [&str; 4] = ["function ", "const ", "let ", "class "];

fn pieces_of(file: &'static str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    let mut name = "";
    let mut at = 0;
    // The comment of the file itself ends with the first blank line.
    let first = file.find("\n\n").unwrap_or(0);
    for line in file.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        if begin < first {
            continue;
        }
        if start.is_none() && line.starts_with("/**") {
            start = Some(begin);
        }
        let declares = DECLARING.iter().find_map(|word| line.strip_prefix(word));
        if let Some(rest) = declares {
            name = words(rest).next().unwrap_or_default();
            start = start.or(Some(begin));
        }
        let closes = line.starts_with('}') || line.starts_with(')') || line.starts_with(']');
        let is_whole = declares.is_some() && line.trim_end().ends_with(';');
        let is_continued = line.starts_with("  /^") && line.trim_end().ends_with(';');
        if !name.is_empty()
            && (closes || is_whole || is_continued)
            && let Some(from) = start.take()
        {
            found.push(Piece {
                name,
                text: file[from..at].trim_end(),
                names: OnceLock::new(),
                words: OnceLock::new(),
            });
            name = "";
        }
    }
    found
}

/// Everything in a text that could be a name.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$')
        .filter(|word| !word.is_empty())
}

/// Names that code may mean: no comments, no texts, nothing behind a point.
fn names_in(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if !["//", "/*", "*"].iter().any(|mark| line.starts_with(mark)) {
            names_in_line(line, &mut found);
        }
    }
    found
}

fn names_in_line<'t>(line: &'t str, found: &mut Vec<&'t str>) {
    let bytes = line.as_bytes();
    let is_part = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$' | b'.');
    let (mut at, mut in_text) = (0, false);
    while at < bytes.len() {
        if bytes[at] == b'"' {
            in_text = !in_text;
        }
        if in_text || !is_part(&bytes[at]) {
            at += 1;
            continue;
        }
        let end = (at..bytes.len()).find(|n| !is_part(&bytes[*n]));
        let end = end.unwrap_or(bytes.len());
        let chain = line[at..end].trim_start_matches("...");
        let name = chain.split('.').next().unwrap_or_default();
        if !name.is_empty() {
            found.push(name);
        }
        at = end;
    }
}

/// The text of a piece without its comments, which stand on lines of their own.
pub(super) fn without_comments(text: &str) -> String {
    let is_comment = |line: &str| {
        ["//", "/**"]
            .iter()
            .any(|start| line.trim_start().starts_with(start))
    };
    let code = text.lines().filter(|line| !is_comment(line));
    code.collect::<Vec<_>>().join("\n")
}

/// Names of all pieces: what a program's own names must not be.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PIECES.iter().map(|piece| piece.name)
}

/// The pieces that a text needs, in their order.
pub(super) fn needed(text: &str) -> Vec<&'static Piece> {
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    let mut open: Vec<usize> = (names_in(text).into_iter())
        .filter_map(|w| BY_NAME.get(w).copied())
        .collect();
    while let Some(at) = open.pop() {
        if wanted.insert(at) {
            let inner = PIECES[at].names().iter();
            open.extend(inner.filter_map(|w| BY_NAME.get(w).copied()));
        }
    }
    wanted.into_iter().map(|at| &PIECES[at]).collect()
}

/// Whether there is a function of that name.
#[cfg(test)]
pub(super) fn has(name: &str) -> bool {
    BY_NAME.contains_key(name)
}
