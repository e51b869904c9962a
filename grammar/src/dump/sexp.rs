//! S-expressions and their layout: a list stays on one line if it fits, else one child per line.

use crate::ast::{Literal, Name};

/// Longest line before a list is broken, in bytes.
const WIDTH: usize = 100;

#[derive(PartialEq)]
pub(super) enum Sexp {
    Atom(String),
    List(Vec<Sexp>),
}

impl Sexp {
    pub(super) fn atom(text: &str) -> Sexp {
        Sexp::Atom(text.to_owned())
    }

    /// A quoted text.
    pub(super) fn text(value: &str) -> Sexp {
        Sexp::Atom(format!("{value:?}"))
    }

    /// A map key, quoted if it is no identifier.
    pub(super) fn key(name: &Name) -> Sexp {
        let plain =
            !name.text.is_empty() && name.text.chars().all(|c| c == '_' || c.is_alphanumeric());
        if plain {
            Sexp::Atom(format!("{}:", name.text))
        } else {
            Sexp::Atom(format!("{:?}:", name.text))
        }
    }

    pub(super) fn literal(literal: &Literal) -> Sexp {
        match literal {
            Literal::None => Sexp::atom("none"),
            Literal::Bool(value) => Sexp::Atom(value.to_string()),
            Literal::Int(value) => Sexp::Atom(value.to_string()),
            Literal::Float(value) => Sexp::Atom(format!("{value:?}")),
            Literal::Text(value) => Sexp::text(value),
        }
    }

    fn width(&self) -> usize {
        match self {
            Sexp::Atom(text) => text.len(),
            Sexp::List(items) => {
                let mut total = 1 + items.len();
                for item in items {
                    if total > WIDTH {
                        break;
                    }
                    total += item.width();
                }
                total
            }
        }
    }

    /// Appends the text, the first line starting at column `indent`.
    pub(super) fn write(&self, out: &mut String, indent: usize) {
        let items = match self {
            Sexp::Atom(text) => {
                out.push_str(text);
                return;
            }
            Sexp::List(items) => items,
        };
        let fits = indent + self.width() <= WIDTH;
        out.push('(');
        let mut atoms_so_far = true;
        for (position, item) in items.iter().enumerate() {
            atoms_so_far &= matches!(item, Sexp::Atom(_));
            if position > 0 && (fits || atoms_so_far) {
                out.push(' ');
            } else if position > 0 {
                out.push('\n');
                for _ in 0..indent + 2 {
                    out.push(' ');
                }
            }
            item.write(out, indent + 2);
        }
        out.push(')');
    }
}
