//! The test of the tests: a mistake in one lowering is found by comparing with the interpreter.

mod support;

use flin_jit::Plant;
use support::{compiled, plain, run, ways};

#[test]
fn a_subtraction_that_adds_is_found() {
    let module = compiled(
        "fn count(n: int) -> int {\n  total = 0\n  for i in 0..n {\n    total = total - i\n  }\n  total\n}\nprint(count(20))\n",
    );
    let (expected, _) = run(&module, &plain(), None);
    let eager = ways().into_iter().find(|way| way.name == "eager");
    let eager = eager.expect("there is an eager way");
    let (right, counts) = run(&module, &eager, None);
    assert_eq!(right, expected);
    assert!(counts.compiled.functions > 0);
    let (wrong, _) = run(&module, &eager, Some(Plant::SubIsAdd));
    assert_ne!(wrong, expected, "the planted mistake must show");
}

/// Runs a source with a mistake in the compiler itself: the program does what it does interpreted, and the mistake is counted.
fn is_survived(source: &str, plant: Plant) {
    let module = compiled(source);
    let (expected, _) = run(&module, &plain(), None);
    let eager = ways().into_iter().find(|way| way.name == "eager");
    let eager = eager.expect("there is an eager way");
    let (_, right) = run(&module, &eager, None);
    assert_eq!(right.compiled.faults, 0);
    let (happened, counts) = run(&module, &eager, Some(plant));
    assert_eq!(happened, expected);
    assert!(counts.compiled.faults > 0, "{counts:?}");
}

#[test]
fn a_jump_to_a_block_that_is_not_there_is_refused_and_counted() {
    is_survived(
        "fn total(xs: [int], n: int) -> int {\n  sum = 0\n  for i in 0..n { sum += xs[i * 3 % 7] }\n  sum\n}\nprint(total([1, 2, 3, 4, 5, 6, 7], 50))\n",
        Plant::SlowVersionMissing,
    );
}

#[test]
fn a_translation_that_panics_is_refused_and_counted() {
    is_survived(
        "fn product(n: int) -> int {\n  if n < 2 { 1 } else { n * product(n - 1) }\n}\nprint(product(12))\n",
        Plant::ProductPanics,
    );
}
