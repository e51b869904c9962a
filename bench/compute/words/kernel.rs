//! Word count: a long text split into words, counted in a map, the most frequent first.
use std::collections::HashMap;

const SIZE: usize = 300;

fn make_text(count: usize) -> String {
    let syllables = [
        "ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "sa", "tu", "xa",
    ];
    let mut words = Vec::new();
    let mut seed = 42;
    for _ in 0..count {
        let mut word = String::new();
        seed = (seed * 3877 + 29573) % 139968;
        let parts = 1 + seed % 3;
        for _ in 0..parts {
            seed = (seed * 3877 + 29573) % 139968;
            word += syllables[seed / 8 % 12];
        }
        words.push(word);
    }
    words.join(" ")
}

fn count_words(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for word in text.split(' ') {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

fn main() {
    let text = make_text(std::hint::black_box(SIZE));
    let counts = count_words(&text);
    let mut ranking: Vec<(&str, usize)> = counts.into_iter().collect();
    ranking.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut checksum = 0;
    for (rank, entry) in ranking.iter().enumerate() {
        checksum = (checksum + entry.1 * (rank + 1)) % 1000003;
    }
    println!("{}", text.len());
    println!("{}", ranking.len());
    let (first, second) = (ranking[0], ranking[1]);
    println!(
        "{} {}, {} {}, {checksum}",
        first.0, first.1, second.0, second.1
    );
}
