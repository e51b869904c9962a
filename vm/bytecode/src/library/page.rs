//! The reference page of the library (`docs/library.md`). Here because it is derived from the table alone. Must stay
//! true: every function that programs may use stands on it once, in one section; a test compares the file with this text.

use std::fmt::Write as _;

use super::{LibRow, LibType, Purity, lookup, names};
use crate::ids::LibId;

/// The sections, in order, and what is said at their head.
const SECTIONS: [(&str, &str); 7] = [
    (
        "Text",
        "Positions and lengths count Unicode scalar values. Nothing here changes a text; each function gives a new one.",
    ),
    (
        "Numbers",
        "Where a float is asked for an int may stand. Ints are checked: what leaves 64 bits is `IntegerOverflow`.",
    ),
    (
        "Lists and ranges",
        "Ranges and queries may stand for the first list of a function. `push unshift insert_at pop shift remove_at clear` \
         change the list; all others give a new one. A function that calls back walks the positions that the list had when \
         it began: what a callback appends is not visited, and if it removes elements, the missing positions are \
         `IndexOutOfBounds`.",
    ),
    (
        "Maps",
        "On a map the parentheses must stand: `m.keys()`, as `m.keys` is the key `keys`. Maps keep the order in which keys \
         were first put in.",
    ),
    (
        "Time and duration",
        "Times are UTC with milliseconds. Weeks begin on Monday. Units are named `ms second minute hour day week month \
         year`, with or without `s` at the end.",
    ),
    ("Any value", ""),
    ("Secrets, encodings and the world outside", ""),
];

/// Functions whose first parameter does not say where they belong.
const PLACED: [(&str, usize); 22] = [
    ("len", 2),
    ("PI", 1),
    ("E", 1),
    ("from_entries", 3),
    ("parse_time", 4),
    ("parse_json", 5),
    ("to_json", 5),
    ("to_text", 5),
    ("to_int", 5),
    ("to_float", 5),
    ("fail", 5),
    ("from_code", 0),
    ("redirect", 6),
    ("error", 6),
    ("env", 6),
    ("print", 6),
    ("log_info", 6),
    ("log_warn", 6),
    ("log_error", 6),
    ("secure_random", 6),
    ("generate_uuid", 6),
    ("range", 2),
];

/// Texts that are no texts to be read.
const CODED: [&str; 6] = [
    "sha256",
    "hmac_sha256",
    "hash_password",
    "verify_password",
    "base64_encode",
    "base64_decode",
];

/// The text of the reference page.
pub fn library_page() -> String {
    let mut out = String::from(
        "# Library functions\n\n\
         Made from the library table (`vm/bytecode/src/library/table.rs`); do not edit. Every example is run by the tests.\n\n\
         - Each function has both spellings: `trim(s)` and `s.trim()`; without further arguments the parentheses may go\n  \
           (`s.trim`), except on a map, where `m.name` is the key. `x |> f(1)` is `f(x, 1)`.\n\
         - Arguments may be named: `s.pad_left(length: 5, fill: \"0\")`.\n\
         - `...values` stands for any number of arguments: their texts, with a blank between each two.\n\
         - Capital letters stand for any type, `T?` may be `none`, `any` as the result of a callback means that it is asked\n  \
           for its truth. Values whose type is known only at run time may stand everywhere; a wrong one is a `TypeError` that\n  \
           names the function and the parameter.\n\
         - What follows the last `;` of an example is what is printed.\n\
         - Functions marked * ask or change the world; they run on the server only, never in the browser.\n",
    );
    for (number, (title, about)) in SECTIONS.iter().enumerate() {
        let _ = writeln!(out, "\n## {title}");
        if !about.is_empty() {
            let _ = writeln!(out, "\n{about}");
        }
        let mut index = Vec::new();
        let mut entries = String::new();
        for name in names().filter(|name| section(name) == number) {
            index.push(link(name));
            entry(&mut entries, name);
        }
        let _ = writeln!(out, "\n{}", index.join(" "));
        let also: Vec<String> = names()
            .filter(|name| section(name) != number && is_for(name, number))
            .map(link)
            .collect();
        if !also.is_empty() {
            let _ = writeln!(out, "\nElsewhere on this page: {}", also.join(" "));
        }
        let _ = writeln!(out, "{entries}");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn link(name: &str) -> String {
    format!("[`{name}`](#{})", name.to_lowercase())
}

/// Everything about the functions of one name, but for rows that only stand for values known at run time.
fn entry(out: &mut String, name: &str) {
    let ids = lookup(name);
    let takes = |id: &LibId| id.scheme().params.first();
    let is_shown = |id: &&LibId| {
        let count = id.scheme().params.len();
        let mut others = ids
            .iter()
            .filter(|other| other.scheme().params.len() == count);
        takes(id) != Some(&LibType::Any) || others.all(|other| takes(other) == Some(&LibType::Any))
    };
    let rows: Vec<&LibRow> = ids.iter().filter(is_shown).map(|id| id.row()).collect();
    let star = if rows.iter().any(|row| row.purity == Purity::Host) {
        "\\*"
    } else {
        ""
    };
    let _ = writeln!(out, "\n### {name}{star}\n");
    for row in rows {
        let _ = writeln!(
            out,
            "- `{name}{}`  \n  {}  \n  `{}` prints `{}`",
            row.scheme_text, row.doc, row.example, row.prints
        );
    }
}

/// The section of a name: by the first parameter of its rows.
fn section(name: &str) -> usize {
    if CODED.contains(&name) {
        return SECTIONS.len() - 1;
    }
    if let Some((_, section)) = PLACED.iter().find(|(placed, _)| *placed == name) {
        return *section;
    }
    let rows = lookup(name);
    rows.iter()
        .find_map(|id| {
            let scheme = id.scheme();
            of_type(scheme.params.first().unwrap_or(&scheme.result))
        })
        .unwrap_or(5)
}

/// Whether a function of this name takes first what a section is about.
fn is_for(name: &str, section: usize) -> bool {
    lookup(name)
        .iter()
        .filter_map(|id| id.scheme().params.first())
        .any(|first| of_type(first) == Some(section))
}

fn of_type(ty: &LibType) -> Option<usize> {
    Some(match ty {
        LibType::Text => 0,
        LibType::Int | LibType::Float => 1,
        LibType::List(_) | LibType::Range => 2,
        LibType::Map(..) => 3,
        LibType::Time | LibType::Duration => 4,
        LibType::Bool
        | LibType::Error
        | LibType::Response
        | LibType::Entity
        | LibType::Query
        | LibType::Opaque
        | LibType::Tuple(_)
        | LibType::Func(..) => 5,
        LibType::Any
        | LibType::None
        | LibType::Never
        | LibType::Var(_)
        | LibType::Optional(_)
        | LibType::Union(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_that_are_placed_exist() {
        let placed = PLACED.iter().map(|(name, _)| name).chain(&CODED);
        for name in placed {
            assert!(names().any(|known| known == *name), "{name}");
        }
        assert!(names().all(|name| section(name) < SECTIONS.len()));
    }
}
