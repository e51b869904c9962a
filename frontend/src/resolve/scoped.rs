//! The style of a component: its selectors reach only elements that carry the component's mark. Must stay true: only selectors
//! are changed; what cannot be read as style rules is left as it stands; steps of keyframes are no selectors.

/// At-rules whose blocks hold rules again.
const GROUPS: &[&str] = &[
    "@media",
    "@supports",
    "@container",
    "@layer",
    "@scope",
    "@starting-style",
];

/// A style sheet whose rules reach only elements with the attribute `mark`.
pub(super) fn scoped(css: &str, mark: &str) -> String {
    let mut out = String::with_capacity(css.len() + 64);
    rules(css, mark, &mut out);
    out
}

fn rules(css: &str, mark: &str, out: &mut String) {
    let mut rest = css;
    while let Some((at, sign)) = end_of_prelude(rest) {
        let (prelude, behind) = rest.split_at(at);
        if sign != '{' {
            // A statement such as `@import`, or a brace too many.
            out.push_str(prelude);
            out.push(sign);
            rest = &behind[1..];
            continue;
        }
        let inside = &behind[1..];
        let end = end_of_block(inside);
        let body = &inside[..end];
        let name = without_comments(prelude).trim_start().to_ascii_lowercase();
        if GROUPS.iter().any(|group| name.starts_with(group)) {
            out.push_str(prelude);
            out.push('{');
            rules(body, mark, out);
        } else {
            if name.starts_with('@') {
                out.push_str(prelude);
            } else {
                selectors(prelude, mark, out);
            }
            out.push('{');
            out.push_str(body);
        }
        rest = &inside[end..];
        if let Some(behind) = rest.strip_prefix('}') {
            out.push('}');
            rest = behind;
        }
    }
    out.push_str(rest);
}

/// What stands at a place of a style sheet, and how many bytes it has: a comment, a text, an escape, or one character.
pub(super) fn piece(css: &str) -> usize {
    let mut characters = css.chars();
    let Some(first) = characters.next() else {
        return 0;
    };
    match first {
        '/' if css.starts_with("/*") => css[2..].find("*/").map_or(css.len(), |at| at + 4),
        '"' | '\'' => {
            let mut escaped = false;
            for (at, c) in css.char_indices().skip(1) {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    c if c == first => return at + 1,
                    _ => {}
                }
            }
            css.len()
        }
        '\\' => 1 + characters.next().map_or(0, char::len_utf8),
        other => other.len_utf8(),
    }
}

/// The places of single characters that are neither in texts and comments nor in brackets.
fn outside(css: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut at, mut depth) = (0, 0_usize);
    std::iter::from_fn(move || {
        while let Some(c) = css[at..].chars().next() {
            let (place, length) = (at, piece(&css[at..]));
            at += length;
            if length != c.len_utf8() || c == '\\' {
                continue;
            }
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ if depth == 0 => return Some((place, c)),
                _ => {}
            }
        }
        None
    })
}

fn end_of_prelude(css: &str) -> Option<(usize, char)> {
    outside(css).find(|(_, c)| matches!(c, '{' | '}' | ';'))
}

/// Where the block ends whose `{` stands before the text.
fn end_of_block(css: &str) -> usize {
    let mut open = 1;
    for (at, c) in outside(css) {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    css.len()
}

fn without_comments(css: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < css.len() {
        let length = piece(&css[at..]);
        if !css[at..].starts_with("/*") {
            out.push_str(&css[at..at + length]);
        }
        at += length;
    }
    out
}

fn selectors(list: &str, mark: &str, out: &mut String) {
    let commas = outside(list).filter(|(_, c)| *c == ',').map(|(at, _)| at);
    let mut start = 0;
    for end in commas.chain([list.len()]) {
        if start > 0 {
            out.push(',');
        }
        selector(&list[start..end], mark, out);
        start = end + 1;
    }
}

/// The mark stands at the last element of a selector, before its pseudo-classes.
fn selector(text: &str, mark: &str, out: &mut String) {
    let end = text.trim_end().len();
    let is_combinator = |c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~' | '/');
    let last = outside(&text[..end])
        .filter(|(_, c)| is_combinator(*c))
        .last();
    let start = last.map_or(0, |(at, c)| at + c.len_utf8());
    let pseudo = outside(&text[start..end]).find(|(_, c)| *c == ':');
    let at = pseudo.map_or(end, |(at, _)| start + at);
    out.push_str(&text[..at]);
    if end > start {
        out.push_str(&format!("[{mark}]"));
    }
    out.push_str(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::scoped;

    #[test]
    fn selectors_get_the_mark() {
        let pairs = [
            ("p { color: red }", "p[m] { color: red }"),
            ("p, .a > b:hover{x:y}", "p[m], .a > b[m]:hover{x:y}"),
            (":hover::before {}", "[m]:hover::before {}"),
            (
                "a:is(b, c > d) e[title=\"x,{y}\"] {}",
                "a:is(b, c > d) e[title=\"x,{y}\"][m] {}",
            ),
            (
                "@media (min-width: 1px) { p { a: b } q { } }",
                "@media (min-width: 1px) { p[m] { a: b } q[m] { } }",
            ),
            (
                "@keyframes k { from { a: b } 50%, to { } } p { }",
                "@keyframes k { from { a: b } 50%, to { } } p[m] { }",
            ),
            (
                "@import url(\"x.css\"); p{}",
                "@import url(\"x.css\"); p[m]{}",
            ),
            (
                "@font-face { src: url(a;b) } b{}",
                "@font-face { src: url(a;b) } b[m]{}",
            ),
            (
                "/* a { } */ p { content: \"}\" } q{}",
                "/* a { } */ p[m] { content: \"}\" } q[m]{}",
            ),
            (".a\\:b{} p { .x & { } }", ".a\\:b[m]{} p[m] { .x & { } }"),
            ("p { color: red", "p[m] { color: red"),
            ("", ""),
            ("} p{}", "} p[m]{}"),
        ];
        for (css, wanted) in pairs {
            assert_eq!(scoped(css, "m"), wanted);
        }
    }
}
