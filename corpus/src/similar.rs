//! How like two programs are. Here because a corpus grows by copies if nobody looks: each program must show something of
//! its own. Must stay true: names, numbers and texts do not count, words of the language and of the library do.

use std::collections::HashSet;

/// So many tokens in a row are compared as one.
const SHINGLE: usize = 5;

/// Programs with fewer different shingles are too short to be told apart.
const SHINGLES_MIN: usize = 40;

/// Programs that share more than this are near-duplicates.
pub const ALIKE_MAX: f64 = 0.85;

/// What of a program is compared.
#[derive(Clone, Debug)]
pub struct Shape(HashSet<Vec<String>>);

impl Shape {
    /// The shape of a source text.
    pub fn of(source: &str) -> Shape {
        let tokens = tokens(source);
        Shape(tokens.windows(SHINGLE).map(<[String]>::to_vec).collect())
    }

    /// The share of what both have in what either has; 0 for programs that are too short.
    pub fn likeness(&self, other: &Shape) -> f64 {
        let (short, long) = (
            self.0.len().min(other.0.len()),
            self.0.len().max(other.0.len()),
        );
        // Even if one were part of the other.
        if short < SHINGLES_MIN || (short as f64) < ALIKE_MAX * long as f64 {
            return 0.0;
        }
        let both = self.0.intersection(&other.0).count();
        both as f64 / (self.0.len() + other.0.len() - both) as f64
    }
}

/// The tokens of a program: comments gone, own names all alike, literals all alike.
fn tokens(source: &str) -> Vec<String> {
    let known: HashSet<&str> = flin_bytecode::library::names().chain(WORDS).collect();
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if first == '"' {
            tokens.push("\"\"".to_owned());
            text_length(rest)
        } else if first.is_ascii_digit() {
            tokens.push("0".to_owned());
            run_length(rest, |c| c.is_alphanumeric() || c == '_')
        } else if first.is_alphabetic() || first == '_' {
            let length = run_length(rest, |c| c.is_alphanumeric() || c == '_');
            let word = &rest[..length];
            tokens.push(if known.contains(word) {
                word.to_owned()
            } else if first.is_uppercase() {
                "N".to_owned()
            } else {
                "n".to_owned()
            });
            length
        } else {
            tokens.push(first.to_string());
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

fn run_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a text literal, as far as it matters here: up to the next quote without a backslash.
fn text_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Words of the language.
const WORDS: [&str; 50] = [
    "if", "then", "else", "while", "for", "in", "is", "match", "loop", "fn", "return", "break",
    "continue", "let", "const", "try", "catch", "true", "false", "none", "not", "entity", "enum",
    "type", "page", "view", "route", "test", "save", "delete", "restore", "destroy", "assert",
    "response", "int", "float", "text", "bool", "time", "duration", "any", "error", "all", "where",
    "order", "limit", "offset", "exists", "deleted", "history",
];
