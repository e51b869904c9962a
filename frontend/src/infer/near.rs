//! The nearest name to a mistyped one. Here because fields and methods are known only once types are. Must stay true:
//! equal distances give the alphabetically first name, so messages do not depend on the order of tables.

/// Names from other languages, and what they are called here.
const ELSEWHERE: [(&str, &str); 20] = [
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
];

/// What a name that other languages use is called here, if that is one of the known names.
pub(super) fn from_elsewhere(name: &str, known: &[String]) -> Option<&'static str> {
    let wanted = name.to_lowercase();
    let (_, here) = ELSEWHERE.into_iter().find(|(there, _)| *there == wanted)?;
    known.iter().any(|known| known == here).then_some(here)
}

/// The nearest of the names, if one is near: at most a third of its letters differ.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).max(1);
    known
        .map(|other| {
            (
                distance(&wanted, &other.to_lowercase().chars().collect::<Vec<_>>()),
                other,
            )
        })
        .filter(|(far, other)| *far <= limit && *far < wanted.len() && *other != name)
        .min()
        .map(|(_, other)| other)
}

/// Letters to insert, delete, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
