//! Other programs that must do the same: types written or left out, variables renamed, everything inside of a function.
//! Must stay true: works on any program, not only on generated ones, so that a finding can be shrunk.

use flin_syntax::ast::StmtKind;

/// The program with each annotation mark written as an annotation or left out.
pub fn resolved(marked: &str, mut written: impl FnMut(usize) -> bool) -> String {
    let mut out = String::new();
    let mut rest = marked;
    let mut number = 0;
    while let Some(at) = rest.find("/*") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(end) = from.find("*/") else {
            rest = from;
            break;
        };
        let inside = &from[2..end];
        if inside.starts_with(':') || inside.starts_with("->") {
            if written(number) {
                out.push_str(inside);
            } else if inside.starts_with("->") {
                out.truncate(out.trim_end_matches(' ').len());
            }
            number += 1;
        } else {
            out.push_str(&from[..end + 2]);
        }
        rest = &from[end + 2..];
    }
    out.push_str(rest);
    out
}

/// Names that are words elsewhere: of the library, of the grammar, or hard to read.
const NAMES: [&str; 16] = [
    "count", "order", "text", "total", "first", "last", "max", "filter", "item", "size", "view",
    "page", "entity", "route", "guard", "every",
];

/// The program with its variables (`v1`, `p2`, `e3`, `b4`, `f5`) called otherwise.
pub fn renamed(program: &str) -> String {
    let words: Vec<&str> = program
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .collect();
    let mut spare = NAMES.iter().filter(|name| !words.contains(name));
    let mut known: Vec<(&str, String)> = Vec::new();
    for &word in &words {
        if is_variable(word) && !known.iter().any(|(old, _)| *old == word) {
            let new = match word.starts_with('v').then(|| spare.next()).flatten() {
                Some(name) => (*name).to_owned(),
                None => format!("{}_renamed_{}", &word[..1], &word[1..]),
            };
            known.push((word, new));
        }
    }
    let mut out = String::new();
    let mut word = String::new();
    for c in program.chars().chain(['\n']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        match known.iter().find(|(old, _)| *old == word) {
            Some((_, new)) => out.push_str(new),
            None => out.push_str(&word),
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

fn is_variable(word: &str) -> bool {
    let mut chars = word.chars();
    matches!(chars.next(), Some('v' | 'p' | 'e' | 'b' | 'f'))
        && word.len() > 1
        && chars.all(|c| c.is_ascii_digit())
}

/// The program with all but its entities, enums and types inside of one function; nothing if it has no other statements.
pub fn wrapped(program: &str) -> Option<String> {
    let parsed = flin_syntax::parse(program);
    let (mut outside, mut inside) = (String::new(), String::new());
    let mut from = 0;
    for statement in &parsed.program.statements {
        let end = statement.span.end as usize;
        let text = program.get(from..end)?;
        from = end;
        // Only functions of the top level are copied for each type they are called with.
        let stays = matches!(
            statement.kind,
            StmtKind::Entity(_) | StmtKind::Enum(_) | StmtKind::TypeAlias(_)
        ) || text.trim_start().starts_with("fn g");
        if stays {
            outside.push_str(text);
            outside.push('\n');
        } else {
            inside.push_str(text);
        }
    }
    if inside.is_empty() {
        return None;
    }
    Some(format!(
        "{outside}\nfn everything() {{\n{inside}\n  none\n}}\neverything()\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_or_left_out() {
        let marked = "fn f1(p1/*: int*/) /*-> text*/ { /* kept */ \"\" }\nv1/*: int*/ = 1\n";
        assert_eq!(
            resolved(marked, |_| true),
            "fn f1(p1: int) -> text { /* kept */ \"\" }\nv1: int = 1\n"
        );
        assert_eq!(
            resolved(marked, |_| false),
            "fn f1(p1) { /* kept */ \"\" }\nv1 = 1\n"
        );
    }

    #[test]
    fn variables_are_renamed_and_nothing_else() {
        assert_eq!(
            renamed("v1 = 1\nprint(\"{v1} b\".count + m1.k0)\n"),
            "order = 1\nprint(\"{order} b\".count + m1.k0)\n"
        );
    }

    #[test]
    fn declarations_of_types_stay_outside() {
        let text = wrapped("enum E { A }\nx = 1\nfn f() { x }\nprint(f())\n").expect("statements");
        assert!(text.starts_with("enum E { A }\n"));
        assert!(!flin_syntax::parse(&text).has_errors(), "{text}");
    }
}
