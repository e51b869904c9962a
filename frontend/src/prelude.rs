//! The library functions that are written in FLIN, as far as a program can need them. Here because reading all of them is most of
//! the work for a small program, and a program is often started. Must stay true: what is left out cannot be meant by any
//! word of the program, so the module is the same as with all of them; what is left out becomes blanks, so that places
//! stay what they are.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use flin_bytecode::library::{LIBRARY, LibBody};
use flin_syntax::Parsed;
use foldhash::{HashMap, HashSet};

/// The library functions that are written in FLIN.
pub const PRELUDE: &str = include_str!("prelude.flin");

/// Functions that the compiler calls although no word of a program names them, and what of a program must be there for it:
/// one of these words.
const UNNAMED: [(&str, &[&str]); 9] = [
    // Anything that takes a list, given a range.
    ("__range_list", &[]),
    // Where a query may be in an answer.
    ("__answer", &["route", "to_json", "entity"]),
    // Queries are made of entities.
    ("__q_list", &["entity"]),
    // Components in loops.
    ("__part_key", &["component"]),
    // What an element's class and style are made of.
    ("__class", &["class"]),
    ("__classes", &["class"]),
    ("__style", &["style"]),
    // A select may be bound to a list.
    ("__chosen", &["multiple"]),
    // A control may be bound to an item counted from the end.
    ("__bound_place", &["bind"]),
];

/// A function of the prelude: its text, and the words in it.
struct Piece {
    start: usize,
    end: usize,
    words: HashSet<&'static str>,
}

struct Pieces {
    by_name: HashMap<&'static str, Piece>,
    /// Names of library functions, and the functions of the prelude that are their bodies.
    bodies: HashMap<&'static str, Vec<&'static str>>,
}

static PIECES: LazyLock<Pieces> = LazyLock::new(|| {
    let mut bodies: HashMap<&str, Vec<&str>> = HashMap::default();
    for row in LIBRARY {
        if let LibBody::Prelude(body) = row.body {
            bodies.entry(row.name).or_default().push(body);
        }
    }
    Pieces {
        by_name: pieces(),
        bodies,
    }
});

/// Functions begin with `fn` at the start of a line and end with a brace there.
fn pieces() -> HashMap<&'static str, Piece> {
    let mut found = HashMap::default();
    let mut at = 0;
    let mut open: Option<(&str, usize)> = None;
    for line in PRELUDE.split_inclusive('\n') {
        if let Some(head) = line.strip_prefix("fn ") {
            let name = head.split('(').next().unwrap_or(head);
            open = Some((name, at));
        }
        at += line.len();
        if line.starts_with('}')
            && let Some((name, start)) = open.take()
        {
            let words = words(&PRELUDE[start..at]).collect();
            let end = at;
            found.insert(name, Piece { start, end, words });
        }
    }
    found
}

/// Everything in a text that could be a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The last part of the prelude that was needed, and its tree: who compiles a program again and again needs the same.
static LAST: Mutex<Option<(String, Arc<Parsed>)>> = Mutex::new(None);

/// What of the prelude a source can mean, parsed.
pub(crate) fn parsed(source: &str) -> Arc<Parsed> {
    let text = needed(source);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, parsed)) = &*last
        && *known == text
    {
        return Arc::clone(parsed);
    }
    let parsed = Arc::new(flin_syntax::parse(&text));
    *last = Some((text, Arc::clone(&parsed)));
    parsed
}

/// The prelude without the functions that no word of the source can mean. With entities all of it stays: queries are made in
/// many ways.
fn needed(source: &str) -> String {
    let said: HashSet<&str> = words(source).collect();
    if said.contains("entity") {
        return PRELUDE.to_owned();
    }
    let pieces = &*PIECES;
    let mut kept: HashSet<&str> = HashSet::default();
    let mut open: Vec<&str> = Vec::new();
    for (name, because) in UNNAMED {
        if because.is_empty() || because.iter().any(|word| said.contains(word)) {
            open.push(name);
        }
    }
    for word in &said {
        if let Some(bodies) = pieces.bodies.get(word) {
            open.extend(bodies);
            // A value known only at run time may stand where they take a list.
            open.push("__items");
        }
    }
    while let Some(name) = open.pop() {
        let Some((name, piece)) = pieces.by_name.get_key_value(name) else {
            continue;
        };
        if kept.insert(name) {
            for word in &piece.words {
                open.push(word);
                open.extend(pieces.bodies.get(word).into_iter().flatten());
            }
        }
    }
    let mut text = PRELUDE.as_bytes().to_vec();
    for (name, piece) in &pieces.by_name {
        if !kept.contains(name) {
            blank(&mut text[piece.start..piece.end]);
        }
    }
    String::from_utf8(text).unwrap_or_else(|_| PRELUDE.to_owned())
}

/// Blanks instead of letters; lines stay lines.
fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_a_piece() {
        let count = PRELUDE
            .lines()
            .filter(|line| line.starts_with("fn "))
            .count();
        assert_eq!(PIECES.by_name.len(), count);
        for bodies in PIECES.bodies.values().flatten() {
            assert!(PIECES.by_name.contains_key(bodies), "{bodies}");
        }
        for (name, _) in UNNAMED {
            assert!(PIECES.by_name.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_nobody_names_is_blank() {
        let text = needed("print([1].map(n => n))");
        assert_eq!(text.len(), PRELUDE.len());
        assert!(text.contains("fn map(") && !text.contains("fn reduce("));
        assert_eq!(needed("entity A {}"), PRELUDE);
    }
}
