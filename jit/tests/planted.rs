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
