//! Texts: appending, walking letter by letter, slicing, interpolation, split, join, upper case, replace.
use std::fmt::Write as _;

const SIZE: usize = 2;

fn make_text(length: usize, mut seed: usize) -> String {
    let letters = b"aabcd ef";
    let mut text = String::new();
    for _ in 0..length {
        seed = (seed * 3877 + 29573) % 139968;
        text.push(char::from(letters[seed / 16 % 8]));
    }
    text
}

fn run_lengths(text: &str) -> String {
    let letters = text.as_bytes();
    let mut out = String::new();
    let mut i = 0;
    while i < letters.len() {
        let letter = char::from(letters[i]);
        let mut run = 1;
        while i + run < letters.len() && letters[i + run] == letters[i] {
            run += 1;
        }
        if run > 1 {
            write!(out, "{run}{letter}").expect("memory");
        } else {
            out.push(letter);
        }
        i += run;
    }
    out
}

fn palindromes(text: &str) -> usize {
    let letters = text.as_bytes();
    let mut count = 0;
    for middle in 1..letters.len() - 1 {
        let mut reach = 1;
        while middle >= reach
            && middle + reach < letters.len()
            && letters[middle - reach] == letters[middle + reach]
        {
            count += 1;
            reach += 1;
        }
    }
    count
}

fn capitals(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        if word.len() > 1 {
            words.push(word[..1].to_uppercase() + &word[1..]);
        } else {
            words.push(word.to_owned());
        }
    }
    words.join("-")
}

fn checksum(text: &str) -> u64 {
    let mut sum = 0;
    for letter in text.bytes() {
        sum = (sum * 31 + u64::from(letter)) % 1000003;
    }
    sum
}

fn main() {
    let (mut found, mut sum) = (0, 0);
    for turn in 0..std::hint::black_box(SIZE) {
        let text = make_text(1000, turn);
        let short = run_lengths(&text);
        let loud = capitals(&short).replace('a', "[a]");
        found += palindromes(&text);
        sum = (sum + checksum(&loud)) % 1000003;
    }
    println!("{found}");
    println!("{sum}");
}
