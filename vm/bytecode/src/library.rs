//! The library table: every built-in function once, with name, type scheme, purity, how it is done, doc line and an
//! example that is run as a test. Here because type checker, compiler, VM, docs and editors must agree on it. Must stay
//! true: native rows come first and are numbered like `Native`; one row per arity and receiver type; where several rows
//! of one name take the same number of arguments, one of them takes `any` first (the fallback for values whose type is
//! known only at run time).
//!
//! How a call finds its row: `lookup(name)` gives the candidates in table order (receiver = first parameter, both
//! spellings alike); those with the right number of arguments whose parameter types fit are tried in order, exact types
//! first, then int widened to float; if the type is known only at run time and there is just one candidate, its argument
//! is checked at run time, else the `any` row is called.

mod page;
mod scheme;
mod table;

use std::sync::OnceLock;

pub use page::library_page;
pub use scheme::{LibType, Scheme, SchemeError};
pub use table::{Inline, LIBRARY, Native};

use crate::ids::LibId;
use crate::module::Signature;

/// One library function (one row per arity and receiver type).
#[derive(Debug)]
pub struct LibRow {
    /// Name as written in programs. Names that start with `__` are for compiled code and the prelude only.
    pub name: &'static str,
    /// Type scheme, as text (`Scheme::parse`; parsed once for `LibId::scheme`).
    pub scheme_text: &'static str,
    /// Whether it depends on anything but its arguments.
    pub purity: Purity,
    /// Who does it.
    pub body: LibBody,
    /// One sentence.
    pub doc: &'static str,
    /// A program fragment; the text after the last `; ` is the expression to print. Empty for intrinsics.
    pub example: &'static str,
    /// What printing the example gives.
    pub prints: &'static str,
}

/// Whether a function depends on anything but its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purity {
    /// Its result follows from its arguments; may run in the browser.
    Pure,
    /// It asks or changes the world.
    Host,
}

/// Who does a library function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LibBody {
    /// A body in the VM, called by `call.lib`.
    Native(Native),
    /// A function of the prelude with this name, written in FLIN.
    Prelude(&'static str),
    /// Ops that the compiler emits in place.
    Inline(Inline),
}

/// What is computed from a row, when it is first asked for: a small program asks for few.
#[derive(Default)]
struct Facts {
    scheme: OnceLock<Scheme>,
    signature: OnceLock<Signature>,
}

const ROWS: usize = LIBRARY.len();

fn facts(id: LibId) -> &'static Facts {
    static FACTS: [OnceLock<Box<Facts>>; ROWS] = [const { OnceLock::new() }; ROWS];
    FACTS[id.index()].get_or_init(Box::default)
}

/// The numbers of the rows, by name and then by number.
static BY_NAME: [LibId; ROWS] = by_name();

const fn by_name() -> [LibId; ROWS] {
    let mut sorted = [LibId(0); ROWS];
    let mut count = 0;
    while count < ROWS {
        let mut at = count;
        while at > 0 && is_before(LIBRARY[count].name, LIBRARY[sorted[at - 1].0 as usize].name) {
            sorted[at] = sorted[at - 1];
            at -= 1;
        }
        sorted[at] = LibId(count as u16);
        count += 1;
    }
    sorted
}

/// Whether a name stands before another, byte by byte (`<`, which a constant cannot ask).
const fn is_before(name: &str, other: &str) -> bool {
    let (name, other) = (name.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < name.len() && at < other.len() {
        if name[at] != other[at] {
            return name[at] < other[at];
        }
        at += 1;
    }
    name.len() < other.len()
}

/// The rows with this name, in table order; empty if there is no such function.
pub fn lookup(name: &str) -> &'static [LibId] {
    let start = BY_NAME.partition_point(|id| id.row().name < name);
    let rows = &BY_NAME[start..];
    &rows[..rows.partition_point(|id| id.row().name == name)]
}

/// Where in a call with `count` arguments (the receiver counts) of the function `name` the argument named `parameter`
/// stands, from 0. The same for all rows of that name and count, so it is known before a row is chosen.
pub fn argument_position(name: &str, count: usize, parameter: &str) -> Option<usize> {
    lookup(name)
        .iter()
        .map(|id| &id.scheme().names)
        .filter(|names| names.len() == count)
        .find_map(|names| names.iter().position(|name| name == parameter))
}

/// All names that programs may use, each once, in table order.
pub fn names() -> impl Iterator<Item = &'static str> {
    LIBRARY
        .iter()
        .enumerate()
        .filter(|(at, row)| !row.name.starts_with("__") && lookup(row.name)[0].index() == *at)
        .map(|(_, row)| row.name)
}

impl LibId {
    /// The row, if the number is in the table.
    pub fn get(self) -> Option<&'static LibRow> {
        LIBRARY.get(self.index())
    }

    /// The row; the number must be one of the table (own bug otherwise).
    pub fn row(self) -> &'static LibRow {
        &LIBRARY[self.index()]
    }

    /// The parsed type scheme of the row.
    pub fn scheme(self) -> &'static Scheme {
        facts(self).scheme.get_or_init(|| {
            let row = self.row();
            Scheme::parse(row.scheme_text)
                .unwrap_or_else(|e| panic!("library row {}: {e}", row.name))
        })
    }

    /// The register classes of a call of the row.
    pub fn signature(self) -> &'static Signature {
        let signature = || self.scheme().signature();
        facts(self).signature.get_or_init(signature)
    }
}

impl Native {
    /// The row number, as in `call.lib`.
    pub const fn lib_id(self) -> LibId {
        LibId(self as u16)
    }

    /// The native row with this number, if it is one.
    pub const fn from_lib(id: LibId) -> Option<Native> {
        if (id.0 as usize) < Native::ALL.len() {
            Some(Native::ALL[id.0 as usize])
        } else {
            None
        }
    }
}
