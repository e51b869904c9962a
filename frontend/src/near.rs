//! The nearest name to a mistyped one: one distance and one rule for names, types, fields, methods, arguments, labels and
//! decorators. Here because some of these are known to `resolve`, others only to `infer`. Must stay true: equal distances
//! give the alphabetically first name, so messages do not depend on the order of tables.

/// Names from other languages, and what they are called here.
const ELSEWHERE: [(&str, &str); 29] = [
    ("length", "len"),
    ("size", "len"),
    ("append", "push"),
    ("add", "push"),
    ("includes", "contains"),
    ("has", "contains"),
    ("foreach", "each"),
    ("some", "any"),
    ("every", "all"),
    ("startswith", "starts_with"),
    ("endswith", "ends_with"),
    ("indexof", "index_of"),
    ("findindex", "find_index"),
    ("touppercase", "upper"),
    ("tolowercase", "lower"),
    ("tostring", "to_text"),
    ("str", "to_text"),
    ("substring", "slice"),
    ("strip", "trim"),
    ("tofixed", "format"),
    ("count", "len"),
    ("padstart", "pad_left"),
    ("padend", "pad_right"),
    ("replaceall", "replace"),
    ("charcodeat", "code_at"),
    ("lastindexof", "last_index_of"),
    ("flatmap", "flat_map"),
    ("splice", "remove_at"),
    ("strftime", "format"),
];

/// What a name that other languages use is called here, if that is one of the known names.
pub(crate) fn from_elsewhere(name: &str, known: &[String]) -> Option<&'static str> {
    let wanted = name.to_lowercase();
    let exact = ELSEWHERE.iter().find(|(there, _)| *there == wanted);
    let mistyped = || {
        let near = nearest(&wanted, ELSEWHERE.iter().map(|(there, _)| *there))?;
        ELSEWHERE.iter().find(|(there, _)| *there == near)
    };
    let here = match exact {
        Some((_, here)) => *here,
        // A name that is nearer to one of ours is meant for that.
        None if nearest(name, known.iter().map(String::as_str)).is_some() => return None,
        None => mistyped()?.1,
    };
    known.iter().any(|known| known == here).then_some(here)
}

/// Longer names are not compared: it would take the product of their lengths.
const LETTERS_MAX: usize = 64;

/// The nearest of the names, if one is near: at most a third of its letters differ, or one; capitals do not count.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    if wanted.len() > LETTERS_MAX {
        return None;
    }
    let limit = (wanted.len() / 3).max(1);
    known
        .filter(|other| *other != name)
        .filter(|other| other.chars().count().abs_diff(wanted.len()) <= limit)
        .map(|other| {
            let letters: Vec<char> = other.to_lowercase().chars().collect();
            (distance(&wanted, &letters), other)
        })
        .filter(|(far, _)| *far <= limit && *far < wanted.len())
        .min()
        .map(|(_, other)| other)
}

/// Letters to insert, delete, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    fn far(a: &str, b: &str) -> usize {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&letters(a), &letters(b))
    }

    #[test]
    fn distances() {
        assert_eq!(far("title", "titel"), 1);
        assert_eq!(far("", "abc"), 3);
        assert_eq!(far("count", "coutn"), 1);
    }

    #[test]
    fn only_near_names_are_suggested() {
        let names = ["newTitle", "todos", "count"];
        assert_eq!(nearest("newTitel", names.into_iter()), Some("newTitle"));
        assert_eq!(nearest("elephant", names.into_iter()), None);
        assert_eq!(nearest("x", ["y"].into_iter()), None);
    }
}
