//! Edit distance: the letters of two texts against each other, two rows of a table.
const SIZE: usize = 30;

fn make_word(length: usize, mut seed: usize) -> String {
    let letters = b"abcdefgh";
    let mut word = String::new();
    for _ in 0..length {
        seed = (seed * 3877 + 29573) % 139968;
        word.push(char::from(letters[seed % 8]));
    }
    word
}

fn distance(a: &str, b: &str) -> usize {
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.bytes().enumerate() {
            let cost = usize::from(x != y);
            row.push((above[j + 1] + 1).min(row[j] + 1).min(above[j] + cost));
        }
        above = row;
    }
    above[b.len()]
}

fn main() {
    let size = std::hint::black_box(SIZE);
    println!(
        "{}",
        distance(&make_word(size, 42), &make_word(size + 10, 7))
    );
}
