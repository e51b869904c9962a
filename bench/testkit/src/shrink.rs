//! A failing text made small: lines taken away, then tokens, as long as it still fails. Here because a finding of 80
//! lines hides its cause. Must stay true: what comes out fails as the input did; the number of tries is bounded.

use crate::mutate::pieces;

/// The smallest text found that still `fails`, within `tries` calls.
pub fn shrink(text: &str, mut tries: usize, mut fails: impl FnMut(&str) -> bool) -> String {
    let mut best = text.to_owned();
    loop {
        let before = best.len();
        best = without_lines(best, &mut tries, &mut fails);
        best = without_pieces(best, &mut tries, &mut fails);
        if best.len() == before || tries == 0 {
            return best;
        }
    }
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
