//! The words of a `flin.config`: names, numbers, quoted texts, signs, each with its place. Must stay true: any text at all gives
//! words and no panic; a place is a piece of the text.

/// A place in the text: characters of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) width: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name: letters, digits and `_`, a letter first.
    Name(String),
    /// Digits, with whatever follows them without a blank: `16`, `1.5`, `256MB`.
    Number(String),
    /// A text in quotes.
    Text(String),
    /// A text whose quotes are not closed on its line.
    Open,
    /// `{ } [ ] : ,` or a character that has no meaning here.
    Sign(char),
    /// The end of the text.
    End,
}

/// A word and its place.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) at: Place,
}

impl Word {
    /// What was found, for messages.
    pub(super) fn found(&self) -> String {
        match &self.kind {
            Kind::Name(text) | Kind::Number(text) => format!("`{}`", short(text)),
            Kind::Text(text) => format!("{:?}", short(text)),
            Kind::Open => "a text whose quotes are not closed".to_owned(),
            Kind::Sign(sign) if sign.is_control() => "a control character".to_owned(),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::End => "the end of the file".to_owned(),
        }
    }
}

/// The beginning of a text, for messages.
pub(super) fn short(text: &str) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// All words, the end last.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut last = Place {
        line: 1,
        column: 1,
        width: 1,
    };
    for (number, line) in text.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        // A mark of the encoding at the start is no character of the text.
        let mut at = usize::from(number == 0 && chars.first() == Some(&'\u{feff}'));
        while let Some(&ch) = chars.get(at) {
            if ch.is_whitespace() {
                at += 1;
                continue;
            }
            if ch == '#' || ch == '/' && chars.get(at + 1) == Some(&'/') {
                break;
            }
            let start = at;
            let kind = word(&chars, &mut at);
            let width = at - start;
            out.push(Word {
                kind,
                at: Place {
                    line: number + 1,
                    column: start + 1,
                    width,
                },
            });
        }
        last = Place {
            line: number + 1,
            column: chars.len() + 1,
            width: 1,
        };
    }
    out.push(Word {
        kind: Kind::End,
        at: last,
    });
    out
}

fn word(chars: &[char], at: &mut usize) -> Kind {
    let first = chars[*at];
    let rest = |at: &mut usize, may: fn(char) -> bool| {
        let start = *at;
        while chars.get(*at).is_some_and(|ch| may(*ch)) {
            *at += 1;
        }
        chars[start..*at].iter().collect::<String>()
    };
    match first {
        '"' => quoted(chars, at),
        _ if first.is_ascii_digit() => Kind::Number(rest(at, |ch| {
            ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.')
        })),
        _ if first.is_alphabetic() || first == '_' => Kind::Name(rest(at, |ch| {
            ch.is_alphanumeric() || matches!(ch, '_' | '-')
        })),
        _ => {
            *at += 1;
            Kind::Sign(first)
        }
    }
}

fn quoted(chars: &[char], at: &mut usize) -> Kind {
    let mut text = String::new();
    *at += 1;
    loop {
        match chars.get(*at) {
            None => return Kind::Open,
            Some('"') => {
                *at += 1;
                return Kind::Text(text);
            }
            Some('\\') if matches!(chars.get(*at + 1), Some('"' | '\\')) => {
                text.push(chars[*at + 1]);
                *at += 2;
            }
            Some(ch) => {
                text.push(*ch);
                *at += 1;
            }
        }
    }
}
