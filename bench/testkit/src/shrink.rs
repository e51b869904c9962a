//! A failing text made small: blocks, lines, brackets and tokens taken away, as long as it still fails. Here because a
//! finding of 80 lines hides its cause. Must stay true: what comes out fails as the input did; tries are bounded.

use crate::mutate::pieces;

/// The smallest text found that still `fails`, within `tries` calls.
pub fn shrink(text: &str, mut tries: usize, mut fails: impl FnMut(&str) -> bool) -> String {
    let mut best = text.to_owned();
    loop {
        let before = best.len();
        best = without_blocks(best, &mut tries, &mut fails);
        best = without_lines(best, &mut tries, &mut fails);
        best = without_brackets(best, &mut tries, &mut fails);
        best = without_pieces(best, &mut tries, &mut fails);
        if best.len() == before || tries == 0 {
            return best;
        }
    }
}

/// Takes away lines that open a block together with the block, or only the first and the last line of it.
fn without_blocks(
    mut best: String,
    tries: &mut usize,
    fails: &mut impl FnMut(&str) -> bool,
) -> String {
    let mut at = 0;
    loop {
        let lines: Vec<&str> = best.lines().collect();
        if at >= lines.len() || *tries == 0 {
            return best;
        }
        let Some(end) = end_of_block(&lines, at) else {
            at += 1;
            continue;
        };
        let without = |gone: &dyn Fn(usize) -> bool| -> String {
            let kept = lines
                .iter()
                .enumerate()
                .filter(|(number, _)| !gone(*number));
            kept.flat_map(|(_, line)| [*line, "\n"]).collect()
        };
        let whole = without(&|number| (at..=end).contains(&number));
        let shell = without(&|number| number == at || number == end);
        *tries -= 1;
        if fails(&whole) {
            best = whole;
            continue;
        }
        *tries = tries.saturating_sub(1);
        if fails(&shell) {
            best = shell;
        } else {
            at += 1;
        }
    }
}

/// The line that closes the block that line `at` opens, by indentation.
fn end_of_block(lines: &[&str], at: usize) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    if !lines[at].trim_end().ends_with('{') {
        return None;
    }
    (at + 1..lines.len()).find(|&end| {
        indent(lines[end]) <= indent(lines[at]) && lines[end].trim_start().starts_with('}')
    })
}

/// Takes away what stands between brackets, with and without them, or puts a short value in its place.
fn without_brackets(
    mut best: String,
    tries: &mut usize,
    fails: &mut impl FnMut(&str) -> bool,
) -> String {
    let mut at = 0;
    while let Some(found) = best[at..].find(['(', '[', '{']) {
        let open = at + found;
        at = open + 1;
        let Some(close) = closing(&best, open) else {
            continue;
        };
        let (before, after) = (&best[..open], &best[close + 1..]);
        let inside = &best[open + 1..close];
        let last = inside.rsplit([',', ';']).next().unwrap_or_default();
        let smaller = [
            format!("{before}{after}"),
            format!("{before}0{after}"),
            format!("{before}{last}{after}"),
            format!("{before}{inside}{after}"),
            format!(
                "{before}{}{}{after}",
                &best[open..=open],
                &best[close..=close]
            ),
        ];
        for smaller in smaller {
            if *tries == 0 {
                return best;
            }
            if smaller.len() >= best.len() {
                continue;
            }
            *tries -= 1;
            if fails(&smaller) {
                best = smaller;
                at = open;
                break;
            }
        }
        while !best.is_char_boundary(at) {
            at += 1;
        }
    }
    best
}

/// The bracket that closes the one at `open`, texts not understood.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Takes away runs of lines, long ones first.
fn without_lines(
    mut best: String,
    tries: &mut usize,
    fails: &mut impl FnMut(&str) -> bool,
) -> String {
    let mut run = best.lines().count().div_ceil(2);
    while run > 0 {
        let mut at = 0;
        while at < best.lines().count() && *tries > 0 {
            let kept = best.lines().enumerate();
            let smaller: String = kept
                .filter(|(number, _)| !(at..at + run).contains(number))
                .flat_map(|(_, line)| [line, "\n"])
                .collect();
            *tries -= 1;
            if smaller.len() < best.len() && fails(&smaller) {
                best = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    best
}

/// Takes away runs of tokens: whole brackets first, then pieces one by one.
fn without_pieces(
    mut best: String,
    tries: &mut usize,
    fails: &mut impl FnMut(&str) -> bool,
) -> String {
    for run in [16, 8, 4, 2, 1] {
        let mut at = 0;
        loop {
            let places = pieces(&best);
            if at >= places.len() || *tries == 0 {
                break;
            }
            let last = (at + run - 1).min(places.len() - 1);
            let smaller = format!("{}{}", &best[..places[at].0], &best[places[last].1..]);
            *tries -= 1;
            if fails(&smaller) {
                best = smaller;
            } else {
                at += run.div_ceil(2);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_does_not_matter_goes() {
        let text = "a = 1\nb = 2\nprint(a + boom(b, 3))\nc = 4\n";
        let small = shrink(text, 1_000, |text| {
            text.contains("boom") && text.contains('3')
        });
        assert_eq!(small.split_whitespace().collect::<String>(), "boom3");
    }

    #[test]
    fn tries_are_bounded() {
        let mut calls = 0;
        shrink(&"x = 1\n".repeat(100), 37, |_| {
            calls += 1;
            false
        });
        assert!(calls <= 37);
    }
}
