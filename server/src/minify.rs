//! Makes the browser runtime small: no comments, no blanks, short names. Here because every visitor gets it, and because it is
//! written to be read. Must stay true: it takes our own modules, not any JavaScript: statements end in `;`, each `let` declares one
//! name, no pattern stands at the top, methods are written as properties, no code looks at names of functions. A variable of the top
//! gets one short name everywhere, any other gets one in its statement of the top, so what it means does not change; properties keep
//! theirs; no short name is one that occurs otherwise.

use std::collections::{HashMap, HashSet};

/// One piece of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    /// Names, words of the language, numbers.
    Word(&'a str),
    /// Signs; `=>`, `?.`, `...`, `++` and `--` in one piece.
    Sign(&'a str),
    /// Texts, parts of templates, regular expressions: as they are.
    Text(&'a str),
}

/// What a name stands for at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A variable.
    Variable,
    /// A property: `.x`, `x:`.
    Property,
    /// Both at once: `x` alone between the braces of an object or pattern.
    Both,
}

/// Where a token stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    role: Role,
    /// Number of the statement of the top that it is in.
    item: usize,
    /// Place of the bracket that is open around it.
    open: Option<usize>,
    /// Of an opening bracket: the place of its closing one.
    close: usize,
}

/// After these a `/` begins a regular expression and a `{` an object, as after most signs.
const BEFORE_VALUE: [&str; 6] = ["return", "typeof", "case", "of", "const", "let"];
/// Words of the language that stand where a declared name may stand.
const WORDS: [&str; 4] = ["async", "of", "function", "await"];

/// Stands for the number of a statement where a name is of the top.
const TOP: usize = usize::MAX;
const TOP_LETTERS: &[u8; 26] = b"ETNSIORLACDUPMHFGVBYWXKQJZ";
const INNER_LETTERS: &[u8; 26] = b"etnsiorlacdupmhfgvbywxkqjz";

/// The text, smaller and with the same meaning.
pub(crate) fn minify(text: &str) -> String {
    let tokens = tokens(text);
    let places = places(&tokens);
    let short = short_names(&tokens, &places);
    let is_idle = |at: usize| is_idle(&tokens, at);
    let mut out = String::with_capacity(text.len() / 2);
    let mut last = Token::Sign("");
    for (at, (token, place)) in tokens.iter().zip(places).enumerate() {
        if is_idle(at) {
            continue;
        }
        let text = match token {
            Token::Word("const") => "let",
            _ => text_of(token),
        };
        let words = matches!((last, token), (Token::Word(_), Token::Word(_)));
        // `a + +b` must not become `a++b`.
        let signs = matches!((last, token), (Token::Sign(a), Token::Sign(b)) if a.starts_with(['+', '-']) && b.starts_with(&a[..1]));
        if words || signs {
            out.push(' ');
        }
        let of_top = short.get(&(TOP, text));
        match (
            of_top.or_else(|| short.get(&(place.item, text))),
            place.role,
        ) {
            (Some(short), Role::Variable) => out.push_str(short),
            (Some(short), Role::Both) => {
                out.push_str(text);
                out.push(':');
                out.push_str(short);
            }
            (Some(_) | None, _) => out.push_str(text),
        }
        last = *token;
    }
    out
}

// Whether a sign says nothing: `;` and `,` before a closing bracket, the brackets around a single parameter.
fn is_idle(tokens: &[Token<'_>], place: usize) -> bool {
    match tokens[place] {
        Token::Sign(";") => at(tokens, place + 1) == "}",
        Token::Sign(",") => ["}", "]", ")"].contains(&at(tokens, place + 1)),
        Token::Sign("(") => is_single(tokens, place),
        Token::Sign(")") => place > 1 && is_single(tokens, place - 2),
        Token::Sign(_) | Token::Word(_) | Token::Text(_) => false,
    }
}

// Whether `(x) =>` begins here.
fn is_single(tokens: &[Token<'_>], place: usize) -> bool {
    matches!(
        tokens.get(place..place + 4),
        Some([
            Token::Sign("("),
            Token::Word(_),
            Token::Sign(")"),
            Token::Sign("=>")
        ])
    )
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    // For each `${` that is open: how many braces are open inside of it.
    let mut templates: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '/' if rest.starts_with("//") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '"' | '\'' => quoted(rest, first),
            '`' => template(rest, &mut templates),
            '}' if templates.last() == Some(&0) => {
                templates.pop();
                template(rest, &mut templates)
            }
            '/' if value_follows(tokens.last()) => expression(rest),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => {
                count_braces(first, &mut templates);
                let long = ["...", "=>", "?.", "++", "--"]
                    .iter()
                    .find(|sign| rest.starts_with(**sign));
                let length = long.map_or(first.len_utf8(), |sign| sign.len());
                tokens.push(Token::Sign(&rest[..length]));
                rest = &rest[length..];
                continue;
            }
        };
        let piece = &rest[..length];
        tokens.push(if is_word(first) {
            Token::Word(piece)
        } else {
            Token::Text(piece)
        });
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn count_braces(sign: char, templates: &mut [usize]) {
    if let Some(open) = templates.last_mut() {
        match sign {
            '{' => *open += 1,
            '}' => *open -= 1,
            _ => {}
        }
    }
}

fn value_follows(last: Option<&Token<'_>>) -> bool {
    match last {
        None => true,
        Some(Token::Word(word)) => BEFORE_VALUE.contains(word),
        Some(Token::Sign(sign)) => ![")", "]", "}"].contains(sign),
        Some(Token::Text(_)) => false,
    }
}

// Length of a text in quotes.
fn quoted(rest: &str, quote: char) -> usize {
    until(rest, 1, |text, _| text.starts_with(quote)) + 1
}

// Length of a regular expression with its flags.
fn expression(rest: &str) -> usize {
    let mut in_class = false;
    let end = until(rest, 1, |text, _| {
        in_class = (in_class || text.starts_with('[')) && !text.starts_with(']');
        !in_class && text.starts_with('/')
    }) + 1;
    end + rest[end..].find(|c: char| !c.is_alphabetic()).unwrap_or(0)
}

// Length of the part of a template up to its end or the next `${`.
fn template(rest: &str, templates: &mut Vec<usize>) -> usize {
    let end = until(rest, 1, |text, _| {
        text.starts_with('`') || text.starts_with("${")
    });
    if rest[end..].starts_with('`') {
        return end + 1;
    }
    templates.push(0);
    end + 2
}

// The first place from `start` on where `ends` holds; what follows a backslash does not count.
fn until(rest: &str, start: usize, mut ends: impl FnMut(&str, usize) -> bool) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < start) {
        if !is_escaped && ends(&rest[at..], at) {
            return at;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    rest.len()
}

// Where each token stands; tokens that are no names count as properties.
fn places(tokens: &[Token<'_>]) -> Vec<Place> {
    // What is open: a sign, `o` for the brace of an object or pattern, a backquote for a value inside of a template.
    let mut brackets: Vec<(&str, usize)> = Vec::new();
    let mut places: Vec<Place> = Vec::with_capacity(tokens.len());
    let mut item = 0;
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| tokens[before]);
        let mut role = Role::Property;
        let mut opens = None;
        let mut closes = false;
        match *token {
            Token::Sign("{") => opens = Some(if begins_block(before) { "{" } else { "o" }),
            Token::Sign(sign @ ("(" | "[")) => opens = Some(sign),
            Token::Sign(")" | "]" | "}") => closes = true,
            Token::Text(text) if text.ends_with("${") && !text.starts_with('}') => {
                opens = Some("`")
            }
            Token::Text(text) => closes = text.starts_with('}') && !text.ends_with("${"),
            Token::Sign(_) => {}
            Token::Word(_) => {
                let before = before.as_ref().map_or("", text_of);
                let after = at(tokens, place + 1);
                let is_entry = brackets.last().is_some_and(|(sign, _)| *sign == "o")
                    && ["{", ","].contains(&before);
                role = match after {
                    _ if before == "." || before == "?." => Role::Property,
                    ":" if is_entry => Role::Property,
                    "," | "}" | "=" if is_entry => Role::Both,
                    _ => Role::Variable,
                };
            }
        }
        if closes && let Some((_, open)) = brackets.pop() {
            places[open].close = place;
        }
        let open = brackets.last().map(|(_, open)| *open);
        places.push(Place {
            role,
            item,
            open,
            close: 0,
        });
        brackets.extend(opens.map(|sign| (sign, place)));
        if brackets.is_empty() && matches!(token, Token::Sign(";" | "}")) {
            item += 1;
        }
    }
    places
}

// Whether a `{` after this begins a block.
fn begins_block(before: Option<Token<'_>>) -> bool {
    !value_follows(before.as_ref())
        || matches!(before, None | Some(Token::Sign("=>" | ";" | "{" | "}")))
}

// Short names for the variables: of the top by how often they occur, of the others in the order of their statement.
fn short_names<'a>(tokens: &[Token<'a>], places: &[Place]) -> HashMap<(usize, &'a str), String> {
    let (mut top, mut inner) = (HashSet::new(), HashSet::new());
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (at, place) in places
        .iter()
        .enumerate()
        .filter(|(_, place)| place.role != Role::Property)
    {
        let name = text_of(&tokens[at]);
        *counts.entry(name).or_default() += 1;
        let is_declared = (place.role == Role::Both && is_pattern(tokens, places, at))
            || is_declared(tokens, places, at);
        if is_declared && !WORDS.contains(&name) {
            if place.open.is_none() {
                top.insert(name)
            } else {
                inner.insert((place.item, name))
            };
        }
    }
    let mut names: Vec<&str> = top.iter().copied().collect();
    names.sort_by_key(|name| (std::cmp::Reverse(counts[name]), *name));
    // Words of the language and of the browser are never that short with such letters.
    let of_top = names
        .into_iter()
        .enumerate()
        .map(|(number, name)| ((TOP, name), spell(number, TOP_LETTERS)));
    let mut short: HashMap<(usize, &str), String> = of_top.collect();
    let (mut item, mut number) = (TOP, 0);
    for (place, token) in places.iter().zip(tokens) {
        let name = text_of(token);
        if place.item != item {
            (item, number) = (place.item, 0);
        }
        if inner.contains(&(item, name))
            && !top.contains(name)
            && !short.contains_key(&(item, name))
        {
            short.insert((item, name), spell(number, INNER_LETTERS));
            number += 1;
        }
    }
    short
}

fn text_of<'a>(token: &Token<'a>) -> &'a str {
    match token {
        Token::Word(text) | Token::Sign(text) | Token::Text(text) => text,
    }
}

fn at<'a>(tokens: &[Token<'a>], place: usize) -> &'a str {
    tokens.get(place).map_or("", text_of)
}

// Whether the braces around a name are a pattern: of a declaration or of a parameter.
fn is_pattern(tokens: &[Token<'_>], places: &[Place], place: usize) -> bool {
    let Some(open) = places[place].open else {
        return false;
    };
    match at(tokens, open.wrapping_sub(1)) {
        "const" | "let" => true,
        "(" | "," => places[open]
            .open
            .is_some_and(|outer| match at(tokens, outer) {
                "(" => is_parameters(tokens, places, outer),
                "[" => is_declared(tokens, places, open),
                _ => false,
            }),
        _ => false,
    }
}

// Whether a name is declared here: after `let`, `const`, `function`, in a list of these, as a parameter.
fn is_declared(tokens: &[Token<'_>], places: &[Place], place: usize) -> bool {
    let before = at(tokens, place.wrapping_sub(1));
    if at(tokens, place + 1) == "=>" || ["let", "const", "function"].contains(&before) {
        return true;
    }
    if !["(", "[", ",", "..."].contains(&before) {
        return false;
    }
    // What stands around it, and around that.
    let Some(open) = places[place].open else {
        return false;
    };
    match at(tokens, open) {
        "[" if ["let", "const"].contains(&at(tokens, open.wrapping_sub(1))) => true,
        "[" => places[open]
            .open
            .is_some_and(|outer| at(tokens, outer) == "(" && is_parameters(tokens, places, outer)),
        "(" => is_parameters(tokens, places, open),
        _ => false,
    }
}

fn is_parameters(tokens: &[Token<'_>], places: &[Place], open: usize) -> bool {
    let before = |back: usize| at(tokens, open.wrapping_sub(back));
    before(1) == "catch" || before(2) == "function" || at(tokens, places[open].close + 1) == "=>"
}

// The name number `number`: one letter, two letters, and so on.
fn spell(number: usize, letters: &[u8; 26]) -> String {
    let letter = char::from(letters[number % letters.len()]);
    match number / letters.len() {
        0 => letter.to_string(),
        more => format!(
            "{}{}",
            letter.to_ascii_lowercase(),
            spell(more - 1, b"ETNSIORLACDUPMHFGVBYWXKQJZ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_short_and_properties_stay() {
        let text = r#"
// a comment
const table = new Map();
function find(name, [first, ...others] = []) {
  const { value } = table.get(name);
  for (const other of others) table.set(`${other}: ${first + `${name}`}`, { value, first: other });
  let count = 0;
  if (value) { count = 2; }
  count++;
  return value ? first : others.map((item) => item / 2 + +name - count);
}
"#;
        assert_eq!(
            minify(text),
            "let E=new Map();function T(e,[t,...n]=[]){let{value:s}=E.get(e);for(let i of n)E.set(`${i}: ${t+`${e}`}`,{value:s,first:i});\
             let o=0;if(s){o=2}o++;return s?t:n.map(r=>r/2+ +e-o)}"
        );
    }

    #[test]
    fn texts_and_expressions_stay() {
        let text = r#"const first = "// no \" comment"; const expression = /[/"]\/x/g; const it = first ? 'x' : document; if (it) return /y/;"#;
        assert_eq!(
            minify(text),
            r#"let E="// no \" comment";let N=/[/"]\/x/g;let T=E?'x':document;if(T)return/y/;"#
        );
    }

    #[test]
    fn parameters_with_patterns_are_variables() {
        let text =
            "const f = ({ html, single = false }, [, owner]) => ({ html, single, owner, f });";
        assert_eq!(
            minify(text),
            "let E=({html:e,single:t=false},[,n])=>({html:e,single:t,owner:n,f:E});"
        );
    }
}
