//! The library functions that are written in FLIN, as far as a program can need them. Here because reading all of them is most of
//! the work for a small program, and a program is often started. Must stay true: what is left out cannot be meant by any
//! word of the program, so the module is the same as with all of them; what is left out becomes blanks, so that places
//! stay what they are.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use flin_bytecode::LibId;
use flin_bytecode::library::{self, LibBody};
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

/// What a line of the prelude ends with that only matters where queries are, and so entities.
const FOR_QUERIES: &str = "// queries\n";

/// The functions of the prelude by name, as places in it.
static PIECES: LazyLock<HashMap<&'static str, Range<usize>>> = LazyLock::new(pieces);

/// Functions begin with `fn` at the start of a line and end with a brace there.
fn pieces() -> HashMap<&'static str, Range<usize>> {
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
            found.insert(name, start..at);
        }
    }
    found
}

/// The functions of the prelude that are bodies of library functions of this name.
fn bodies(name: &str) -> impl Iterator<Item = &'static str> {
    let body = |id: &LibId| match id.row().body {
        LibBody::Prelude(body) => Some(body),
        LibBody::Native(_) | LibBody::Inline(_) => None,
    };
    library::lookup(name).iter().filter_map(body)
}

fn is_in_words(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Everything in a text that could be a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_in_words(c))
        .filter(|word| !word.is_empty())
}

/// The functions that a piece of the prelude needs. It names none without calling it: `name(…)` is a function of the prelude, or
/// of the library as is `x.name`.
fn called(piece: &'static str) -> impl Iterator<Item = &'static str> {
    let (mut rest, mut before) = (piece, ' ');
    std::iter::from_fn(move || {
        let start = rest.find(is_in_words)?;
        before = rest[..start].chars().next_back().unwrap_or(before);
        let word = &rest[start..];
        let end = word.find(|c: char| !is_in_words(c)).unwrap_or(word.len());
        rest = &word[end..];
        Some((&word[..end], before == '.', rest.starts_with('(')))
    })
    .filter(|(_, is_method, is_call)| *is_method || *is_call)
    .flat_map(|(word, is_method, _)| {
        let own = (!is_method).then(|| PIECES.get_key_value(word)).flatten();
        let own = own.map(|(name, _)| *name);
        let library = own.is_none().then(|| bodies(word)).into_iter().flatten();
        own.into_iter().chain(library)
    })
}

/// The lines of a piece that matter without queries.
fn without_queries(piece: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = piece.split_inclusive('\n');
    lines.filter(|line| !line.ends_with(FOR_QUERIES))
}

/// The last part of the prelude that was needed, and its tree: who compiles a program again and again needs the same.
static LAST: Mutex<Option<(Cow<'static, str>, Arc<Parsed>)>> = Mutex::new(None);

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

/// The prelude without the functions that no word of the source can mean, and without what is said for queries. With entities all
/// of it stays: queries are made in many ways.
fn needed(source: &str) -> Cow<'static, str> {
    let said: HashSet<&str> = words(source).collect();
    if said.contains("entity") {
        return Cow::Borrowed(PRELUDE);
    }
    let mut open: Vec<&str> = Vec::new();
    for (name, because) in UNNAMED {
        if because.is_empty() || because.iter().any(|word| said.contains(word)) {
            open.push(name);
        }
    }
    for word in &said {
        let before = open.len();
        open.extend(bodies(word));
        if open.len() > before {
            // A value known only at run time may stand where they take a list.
            open.push("__items");
        }
    }
    let mut kept: HashSet<&str> = HashSet::default();
    let mut places: Vec<Range<usize>> = Vec::new();
    while let Some(name) = open.pop() {
        let Some((name, place)) = PIECES.get_key_value(name) else {
            continue;
        };
        if kept.insert(name) {
            places.push(place.clone());
            for line in without_queries(&PRELUDE[place.clone()]) {
                open.extend(called(line));
            }
        }
    }
    places.sort_unstable_by_key(|place| place.start);
    let mut text = String::with_capacity(PRELUDE.len());
    for place in places {
        blanks(&mut text, place.start);
        for line in PRELUDE[place].split_inclusive('\n') {
            if line.ends_with(FOR_QUERIES) {
                let end = text.len() + line.len();
                blanks(&mut text, end);
            } else {
                text.push_str(line);
            }
        }
    }
    Cow::Owned(text)
}

/// Blanks up to a place: what follows stands where it stands in the prelude, from which its lines are counted.
fn blanks(text: &mut String, end: usize) {
    text.extend(std::iter::repeat_n(' ', end - text.len()));
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
        assert_eq!(PIECES.len(), count);
        for name in library::names().flat_map(bodies) {
            assert!(PIECES.contains_key(name), "{name}");
        }
        for (name, _) in UNNAMED {
            assert!(PIECES.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_nobody_names_is_blank() {
        let text = needed("print([1].map(n => n))");
        assert_eq!(text.find("fn map("), PRELUDE.find("fn map("));
        assert!(!text.contains("fn reduce(") && !text.contains("__q_list"));
        assert_eq!(needed("entity A {}"), PRELUDE);
    }
}
