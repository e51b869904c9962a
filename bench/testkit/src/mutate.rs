//! Changes to source texts: tokens deleted, doubled, swapped and replaced, pieces of other programs, white space moved,
//! literals and names of the wrong type. Here because lexer, parser, formatter and compiler are all tried with the same
//! changes. Must stay true: a change is drawn from the random source alone and works on any text, the empty one too.

use crate::rng::Rng;

/// Tokens that are inserted or put in place of others.
pub const TOKENS: [&str; 40] = [
    "x", "Name", "1", "2.5", "\"t\"", "(", ")", "[", "]", "{", "}", "<", ">", ",", ":", ";", "=",
    "==", "=>", "->", "+", "-", "*", ".", "?", "|", "@", "!", "if", "else", "for", "in", "match",
    "fn", "return", "let", "try", "\n", "'", "</p>",
];

/// Pieces that begin something, end something, or mean something else in another mode of the lexer.
pub const FRAGMENTS: [&str; 36] = [
    "view {",
    "<p>",
    "</p>",
    "<a x=",
    "{if a}",
    "{else}",
    "{/if}",
    "{for x in xs}",
    "{/for}",
    "\"{",
    "}\"",
    "'",
    "r\"",
    "/*",
    "*/",
    "//",
    "<!--",
    "-->",
    "<style>",
    "</style>",
    "route GET",
    "page \"/\"",
    "entity T",
    "enum E",
    "component C",
    "then",
    "catch",
    "=> {",
    "@x",
    "todo @",
    "\\",
    "\u{e9}",
    "\u{1F600}",
    "\0",
    "&amp;",
    "click={",
];

/// Values of many types, for places where another type stood.
const VALUES: [&str; 22] = [
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "0.5",
    "-0.0",
    "1e308",
    "\"\"",
    "\"text\"",
    "\"{1}\"",
    "true",
    "false",
    "none",
    "[]",
    "[1, 2]",
    "[\"a\"]",
    "{}",
    "{ a: 1 }",
    "(1, \"a\")",
    "0..3",
    "(x => x)",
    "(() => none)",
];

const OPERATORS: [&str; 20] = [
    " + ", " - ", " * ", " / ", " % ", " ** ", " == ", " != ", " < ", " <= ", " && ", " || ",
    " ?: ", " in ", " is ", ".", "?.", " .. ", " |> ", " = ",
];

/// Words and single signs with their places, blanks left out.
pub fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut word_start = None;
    for (at, character) in text.char_indices() {
        let in_word = character == '_' || character.is_alphanumeric();
        if in_word {
            word_start.get_or_insert(at);
            continue;
        }
        if let Some(start) = word_start.take() {
            pieces.push((start, at));
        }
        if !character.is_whitespace() {
            pieces.push((at, at + character.len_utf8()));
        }
    }
    if let Some(start) = word_start {
        pieces.push((start, text.len()));
    }
    pieces
}

/// One token deleted, doubled, inserted or replaced; and the place of the damage.
pub fn one_token(text: &str, rng: &mut Rng) -> (String, usize) {
    let pieces = pieces(text);
    if pieces.is_empty() {
        return (rng.pick::<&str>(&TOKENS).to_string(), 0);
    }
    let (start, end) = *rng.pick(&pieces);
    let other = *rng.pick(&TOKENS);
    let piece = &text[start..end];
    let (before, after) = (&text[..start], &text[end..]);
    let mutant = match rng.below(4) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{piece} {piece}{after}"),
        2 => format!("{before}{other} {piece}{after}"),
        _replace => format!("{before}{other}{after}"),
    };
    (mutant, start)
}

/// Two tokens exchanged.
pub fn swapped_tokens(text: &str, rng: &mut Rng) -> String {
    let pieces = pieces(text);
    if pieces.len() < 2 {
        return text.to_owned();
    }
    let first = rng.below(pieces.len() - 1);
    let room = (pieces.len() - first - 1).min(12);
    let second = first + 1 + rng.below(room);
    let ((a, b), (c, d)) = (pieces[first], pieces[second]);
    [
        &text[..a],
        &text[c..d],
        &text[b..c],
        &text[a..b],
        &text[d..],
    ]
    .concat()
}

/// A value, name or sign replaced by one of another kind, or by another one of the same text.
pub fn retyped(text: &str, rng: &mut Rng) -> String {
    let pieces = pieces(text);
    if pieces.is_empty() {
        return text.to_owned();
    }
    let (start, end) = *rng.pick(&pieces);
    let (before, piece, after) = (&text[..start], &text[start..end], &text[end..]);
    let is_word = piece.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let new = match (is_word, rng.below(4)) {
        (true, 0 | 1) => (*rng.pick(&VALUES)).to_owned(),
        (true, 2) => {
            let (a, b) = *rng.pick(&pieces);
            text[a..b].to_owned()
        }
        (true, _) => format!("{piece}{}", rng.pick(&["()", "[0]", ".x", "?.x", ".len"])),
        (false, _) => (*rng.pick(&OPERATORS)).to_owned(),
    };
    format!("{before}{new}{after}")
}

/// Some lines of `donor` put between two lines of `text`, or in place of some.
pub fn spliced(text: &str, donor: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let donated: Vec<&str> = donor.lines().collect();
    if donated.is_empty() {
        return text.to_owned();
    }
    let from = rng.below(donated.len());
    let count = 1 + rng.below((donated.len() - from).min(8));
    let at = rng.below(lines.len() + 1);
    let gone = if rng.one_in(2) {
        rng.below((lines.len() - at).min(4) + 1)
    } else {
        0
    };
    lines.splice(at..at + gone, donated[from..from + count].iter().copied());
    lines.join("\n") + "\n"
}

/// Lines deleted, doubled or exchanged.
pub fn shuffled_lines(text: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = rng.below(lines.len());
    match rng.below(3) {
        0 => {
            lines.remove(at);
        }
        1 => lines.insert(rng.below(lines.len() + 1), lines[at]),
        _ => {
            let other = rng.below(lines.len());
            lines.swap(at, other);
        }
    }
    lines.join("\n") + "\n"
}

/// Up to `most` tokens and fragments in a row, with and without space between them.
pub fn soup(rng: &mut Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..rng.below(most) {
        let piece: &str = if rng.one_in(2) {
            rng.pick::<&str>(&TOKENS)
        } else {
            rng.pick::<&str>(&FRAGMENTS)
        };
        text.push_str(piece);
        if rng.one_in(2) {
            text.push(if rng.one_in(4) { '\n' } else { ' ' });
        }
    }
    text
}

const COMMENTS: [&str; 5] = [
    " /* note */ ",
    " // note\n",
    "\n// note\n",
    "\n\n\n// note\n\n\n",
    "\n/* a\n  b */\n",
];

/// White space doubled, dropped, turned into newlines; newlines turned into blanks; comments thrown in.
pub fn white_space(text: &str, rng: &mut Rng) -> String {
    let mut mutant = text.to_owned();
    for _ in 0..=rng.below(3) {
        let places: Vec<(usize, char)> = mutant
            .char_indices()
            .filter(|(_, c)| matches!(c, ' ' | '\n' | '(' | ',' | '{' | '}' | '>'))
            .collect();
        if places.is_empty() {
            return mutant;
        }
        let &(at, found) = rng.pick(&places);
        let with = match (found, rng.below(6)) {
            ('\n', 0) => " ",
            ('\n', 1) => "\n\n\n",
            ('\n', 2) => "; ",
            (' ', 0 | 1) => "\n",
            (' ', 2) => "",
            (' ', 3) => "   ",
            (_, 0..=3) => "\n",
            _comment => {
                let comment = *rng.pick(&COMMENTS);
                mutant.insert_str(at, comment);
                continue;
            }
        };
        if matches!(found, ' ' | '\n') {
            mutant.replace_range(at..=at, with);
        } else {
            mutant.insert_str(at + 1, with);
        }
    }
    mutant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_takes_any_text() {
        let mut rng = Rng::new(1);
        for text in ["", "\n", "x", "é", "a b\n\u{1F600} = 2\n", "print(1)"] {
            for _ in 0..200 {
                one_token(text, &mut rng);
                swapped_tokens(text, &mut rng);
                retyped(text, &mut rng);
                spliced(text, "a\nb", &mut rng);
                spliced(text, "", &mut rng);
                shuffled_lines(text, &mut rng);
                white_space(text, &mut rng);
            }
        }
        assert!(soup(&mut rng, 60).len() < 2_000);
    }

    #[test]
    fn pieces_are_words_and_signs() {
        let text = "a_1 =\"é\"+b";
        let found: Vec<&str> = pieces(text).iter().map(|(a, b)| &text[*a..*b]).collect();
        assert_eq!(found, ["a_1", "=", "\"", "é", "\"", "+", "b"]);
    }
}
