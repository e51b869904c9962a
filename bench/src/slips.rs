//! Slips of the finger: one word or sign of a right program is lost, doubled or misspelt. Here because nobody can list all
//! mistakes; a compiler that answers one slip with five messages shows where its recovery is weak. Must stay true: a slip
//! is decided by its seed alone.

use flin_testkit::rng::Rng;

/// What happened to a word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slip {
    /// It is gone.
    Lost,
    /// It stands there twice.
    Doubled,
    /// Two letters of a word are swapped.
    Misspelt,
}

/// A program with one slip.
#[derive(Clone, Debug)]
pub struct Slipped {
    /// The program.
    pub text: String,
    /// What happened.
    pub slip: Slip,
    /// To which word or sign.
    pub word: String,
    /// In which line, from 1.
    pub line: usize,
}

/// Makes one slip in a program.
///
/// # Panics
/// When the program has no word.
#[must_use]
pub fn slipped(source: &str, seed: u64) -> Slipped {
    let mut rng = Rng::new(seed);
    let words = words(source);
    loop {
        let (start, end) = words[rng.below(words.len())];
        let word = &source[start..end];
        let slip = *rng.pick(&[Slip::Lost, Slip::Doubled, Slip::Misspelt]);
        let new = match slip {
            Slip::Lost => String::new(),
            Slip::Doubled => format!("{word} {word}"),
            Slip::Misspelt => swapped(word, &mut rng),
        };
        if new == word {
            continue;
        }
        return Slipped {
            text: format!("{}{new}{}", &source[..start], &source[end..]),
            slip,
            word: word.to_owned(),
            line: source[..start].matches('\n').count() + 1,
        };
    }
}

/// Two neighbouring letters of a word changed places; a sign or very short word as it is.
fn swapped(word: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 || !letters[0].is_alphabetic() {
        return word.to_owned();
    }
    let at = rng.below(letters.len() - 1);
    letters.swap(at, at + 1);
    letters.into_iter().collect()
}

/// Start and end of all words and signs outside of comments.
fn words(source: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or(line);
        let mut letters = code.char_indices().peekable();
        while let Some((start, c)) = letters.next() {
            let mut end = start + c.len_utf8();
            if is_of_word(c) {
                while let Some((next, _)) = letters.next_if(|(_, c)| is_of_word(*c)) {
                    end = next + 1;
                }
            } else if c.is_whitespace() {
                continue;
            }
            found.push((at + start, at + end));
        }
        at += line.len();
    }
    found
}

fn is_of_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}
