//! Character references of HTML (`&amp;`, `&#8364;`), as far as people use them in markup.
//!
//! The list is short on purpose: source files are UTF-8, so every other character can be typed. An unknown name is left as
//! it is and warned about.

/// What stands at a `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A character, and how many bytes were read.
    Character(char, usize),
    /// Written like a reference, but unknown; how many bytes.
    Unknown(usize),
    /// Just a `&`.
    None,
}

const NAMED: [(&str, char); 62] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("shy", '\u{AD}'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("bull", '•'),
    ("middot", '·'),
    ("times", '×'),
    ("divide", '÷'),
    ("plusmn", '±'),
    ("minus", '−'),
    ("deg", '°'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("sect", '§'),
    ("para", '¶'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("harr", '↔'),
    ("check", '✓'),
    ("cross", '✗'),
    ("star", '☆'),
    ("starf", '★'),
    ("hearts", '♥'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("micro", 'µ'),
    ("infin", '∞'),
    ("ne", '≠'),
    ("le", '≤'),
    ("ge", '≥'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwj", '\u{200D}'),
];

/// Reads the reference that `text` (which starts with `&`) begins with.
pub(crate) fn read(text: &str) -> Reference {
    let body = &text[1..];
    let length = body
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '#'))
        .unwrap_or(body.len());
    if length == 0 || !body[length..].starts_with(';') {
        return Reference::None;
    }
    let total = length + 2;
    let name = &body[..length];
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().filter(|&code| code != 0).and_then(char::from_u32)
        }
        None => NAMED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|&(_, character)| character),
    };
    match character {
        Some(character) => Reference::Character(character, total),
        None => Reference::Unknown(total),
    }
}
