//! Running loops go on in native code, and big functions are compiled beside the program. Must stay true: what is seen from
//! outside does not depend on when code becomes native.

mod support;

use std::fmt::Write as _;

use flin_vm::native::{JitOptions, JitPolicy};
use support::{Way, compiled, plain, run, ways};

fn every_loop() -> Way {
    let found = ways().into_iter().find(|way| way.name == "every loop");
    found.expect("there is such a way")
}

#[test]
fn an_overflow_in_a_loop_that_was_entered_while_it_ran() {
    let module = compiled(
        "fn powers(n: int) -> int {\n  seen = []\n  x = 1\n  for i in 0..n {\n    seen.push(x)\n    if i % 16 == 0 { print(\"at {i}: {seen.len}\") }\n    x = x * 2 + seen[i] % 3\n  }\n  x\n}\nprint(powers(40))\nprint(powers(200))\n",
    );
    let (expected, _) = run(&module, &plain(), None);
    let (found, counts) = run(&module, &every_loop(), None);
    assert_eq!(found, expected);
    assert!(expected.contains("IntegerOverflow"), "{expected}");
    assert!(expected.contains("at 48: 49"), "{expected}");
    assert!(counts.osr_entries > 0 && counts.compiled.loops > 0);
}

#[test]
fn a_loop_is_entered_with_those_around_it() {
    let module = compiled(
        "fn table(n: int) {\n  out = []\n  for i in 0..n {\n    row = 0\n    j = 0\n    while j < n {\n      if (i + j) % 3 != 0 { row += i * j }\n      for k in 0..3 { row += k }\n      j += 1\n    }\n    out.push(row)\n  }\n  out\n}\nprint(table(15))\n",
    );
    let (expected, _) = run(&module, &plain(), None);
    let (found, counts) = run(&module, &every_loop(), None);
    assert_eq!(found, expected);
    assert!(counts.compiled.loops > 0, "{counts:?}");
}

/// A function of several thousand instructions.
fn big() -> String {
    let mut source = String::from("fn big(n: int) -> int {\n  x = 1\n  for i in 0..n {\n");
    for step in 0..500 {
        writeln!(
            source,
            "    x = (x * {} + i + {step}) % 1000003",
            step % 7 + 2
        )
        .expect("a String takes everything");
    }
    source.push_str("  }\n  x\n}\nprint(big(60))\nprint(big(61))\n");
    source
}

#[test]
fn big_functions_are_compiled_beside_the_program() {
    let module = compiled(&big());
    let (expected, _) = run(&module, &plain(), None);
    let options = JitOptions {
        slice_fuel: 8,
        osr_every_loop: true,
        ..JitOptions::of(JitPolicy::Auto)
    };
    let way = Way {
        name: "auto",
        options,
        collect_always: false,
    };
    // Whether the thread is ready before the run has ended is not known; both must do.
    for _ in 0..3 {
        let (found, _) = run(&module, &way, None);
        assert_eq!(found, expected);
    }
}
