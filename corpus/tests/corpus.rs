//! Rules for the corpus as a whole. Must stay true: no two programs are nearly the same; every code of a diagnostic has a
//! folder or stands in the list of generated ones, never both.

use std::collections::BTreeSet;

use flin_corpus::diagnostics::{GENERATED, pairs};
use flin_corpus::similar::{ALIKE_MAX, Shape};
use flin_corpus::{Case, KERNELS, files};

#[test]
fn no_two_programs_are_nearly_the_same() {
    let shapes: Vec<(String, Shape)> = files()
        .into_iter()
        .map(|(name, path)| {
            let text = std::fs::read_to_string(path).expect("a readable program");
            (name, Shape::of(&Case::parse(&text).source))
        })
        .collect();
    let mut alike = Vec::new();
    for (at, (name, shape)) in shapes.iter().enumerate() {
        for (other_name, other) in &shapes[at + 1..] {
            let likeness = shape.likeness(other);
            if likeness > ALIKE_MAX {
                let percent = likeness * 100.0;
                alike.push(format!("{name} and {other_name} are {percent:.0} % alike"));
            }
        }
    }
    assert!(alike.is_empty(), "{}", alike.join("\n"));
}

#[test]
fn copies_are_found_whatever_their_names() {
    let source =
        std::fs::read_to_string(flin_corpus::root().join(KERNELS).join("nbody/kernel.flin"))
            .expect("a readable program");
    let renamed = source.replace("energy", "power").replace("0.01", "0.5");
    assert_ne!(source, renamed);
    assert!(Shape::of(&source).likeness(&Shape::of(&renamed)) > 0.99);
}

#[test]
fn a_code_has_a_folder_or_a_reason() {
    let with_folder: BTreeSet<_> = pairs().into_iter().map(|pair| pair.code).collect();
    for row in GENERATED {
        assert!(!with_folder.contains(&row.code), "{} has both", row.code);
        assert!(!row.reason.is_empty(), "{} has no reason", row.code);
    }
}
