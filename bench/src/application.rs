//! An application of any number of lines, put together from pieces. Here because how the compiler behaves on real programs
//! of 50,000 lines must be known before somebody has written one. Must stay true: every piece (`compile/pieces/*.flin`)
//! stands for itself and compiles without a message beside `core.flin`; names that a piece declares end in `_n`, which
//! becomes the number of its copy; a program is at most one piece longer than asked for.

use flin_testkit::rng::Rng;

macro_rules! pieces {
    ($($name:literal)*) => {
        /// The pieces: name of the file and text.
        pub const PIECES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../compile/pieces/", $name, ".flin"))),)*
        ];
    };
}

pieces! {
    "api" "blog" "budget" "closures" "dashboard" "dates" "events" "forms" "game" "grades" "graph" "import" "invoices"
    "matrix" "messages" "numbers" "orders" "parser" "queue" "search" "settings" "shapes" "stock" "tasks_page" "tickets"
    "tree" "wizard" "words"
}

/// What every program begins with; all pieces call it.
pub const CORE: &str = include_str!("../compile/pieces/core.flin");

/// What stands in a piece for the number of its copy.
const PLACEHOLDER: &str = "_n";

/// One copy of a piece in an application.
#[derive(Clone, Debug)]
pub struct Copy {
    /// The piece's name.
    pub piece: &'static str,
    /// The number that its names end in.
    pub number: usize,
    /// Its text.
    pub text: String,
}

/// The copies of an application of at least that many lines. Pieces come in rounds; in each round every piece comes once,
/// in an order that the seed decides.
#[must_use]
pub fn copies(lines: usize, seed: u64) -> Vec<Copy> {
    let mut rng = Rng::new(seed);
    let mut length = CORE.lines().count();
    let mut round: Vec<usize> = Vec::new();
    let mut copies = Vec::new();
    while length < lines {
        if round.is_empty() {
            round = (0..PIECES.len()).collect();
        }
        let (piece, text) = PIECES[round.swap_remove(rng.below(round.len()))];
        let number = copies.len() + 1;
        let text = copy_of(text, number);
        length += text.lines().count() + 1;
        copies.push(Copy {
            piece,
            number,
            text,
        });
    }
    copies
}

/// The text of an application: what all share, then the copies.
#[must_use]
pub fn joined(copies: &[Copy]) -> String {
    let mut text = CORE.to_owned();
    for copy in copies {
        text.push('\n');
        text.push_str(&copy.text);
    }
    text
}

/// A program of at least that many lines.
#[must_use]
pub fn application(lines: usize, seed: u64) -> String {
    joined(&copies(lines, seed))
}

/// A piece whose names end in the number of the copy.
#[must_use]
pub fn copy_of(piece: &str, number: usize) -> String {
    let number = format!("_{number}");
    let mut text = String::with_capacity(piece.len() + piece.len() / 8);
    let mut rest = piece;
    while let Some(at) = rest.find(PLACEHOLDER) {
        let behind = &rest[at + PLACEHOLDER.len()..];
        let ends_a_name = !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.push_str(&rest[..at]);
        text.push_str(if ends_a_name { &number } else { PLACEHOLDER });
        rest = behind;
    }
    text.push_str(rest);
    text
}
