//! The reference page of the library (`docs/library.md`). Here because it is derived from the table alone. Must stay
//! true: every function that programs may use stands on it, in the section of its first parameter; a test compares the
//! file with this text.

use std::fmt::Write as _;

use super::{LIBRARY, LibType, Purity, lookup};
use crate::ids::LibId;

const SECTIONS: [&str; 6] = [
    "Text",
    "Numbers",
    "Lists and ranges",
    "Maps",
    "Time and duration",
    "Any value",
];

/// The text of the reference page.
pub fn library_page() -> String {
    let mut out = String::from(
        "# Library functions\n\n\
         Made from the library table (`vm/bytecode/src/library/table.rs`); do not edit. Every example is run by the tests.\n\n\
         Each function has both spellings: `trim(s)` and `s.trim()`; without further arguments the parentheses may go\n\
         (`s.trim`), except on a map, where `m.name` is the key. Capital letters stand for any type, `T?` may be `none`.\n\
         What follows the last `;` of an example is what is printed. Functions marked * ask or change the world and run on\n\
         the server only.\n",
    );
    for (number, title) in SECTIONS.iter().enumerate() {
        let _ = writeln!(
            out,
            "\n## {title}\n\n| function | type | meaning | example | prints |\n|---|---|---|---|---|"
        );
        for (at, row) in LIBRARY.iter().enumerate() {
            let id = LibId(at as u16);
            if row.name.starts_with("__") || section(id) != number {
                continue;
            }
            let star = match row.purity {
                Purity::Pure => "",
                Purity::Host => "*",
            };
            let cell = |text: &str| text.replace('|', "\\|");
            let _ = writeln!(
                out,
                "| `{}`{star} | `{}` | {} | `{}` | `{}` |",
                row.name,
                cell(row.scheme_text),
                cell(row.doc),
                cell(row.example),
                cell(row.prints)
            );
        }
    }
    out
}

/// The section of a row: by its first parameter, or, if that says nothing, by the other rows of its name or its result.
fn section(id: LibId) -> usize {
    let scheme = id.scheme();
    of_type(scheme.params.first().unwrap_or(&scheme.result))
        .or_else(|| {
            lookup(id.row().name)
                .iter()
                .find_map(|other| of_type(other.scheme().params.first()?))
        })
        .unwrap_or(SECTIONS.len() - 1)
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
