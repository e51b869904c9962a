//! Target `engines`: programs with hot loops, and generated programs of all kinds, under every policy. The judge: what is
//! printed, every error with its place and trace, and all versions of all records are the same as interpreted.

use flin_corpus::{Plant, Policy, Ran, compiled, run_module, run_planted};
use flin_testkit::rng::Rng;

use crate::format::first_difference;
use crate::generate;
use crate::ground::Ground;
use crate::programs::refusal;
use crate::target::{Tally, Verdict};

/// A program.
pub(crate) fn make(_: &Ground, rng: &mut Rng) -> String {
    let size = 3 + rng.below(9);
    if rng.one_in(4) {
        return generate(rng.bits(), size + rng.below(12));
    }
    generate::hot(rng.bits(), size)
}

/// Judges a program.
pub(crate) fn judge(program: &str, tally: &mut Tally) -> Verdict {
    compared(program, None, tally)
}

/// Judges native code with a planted mistake: an error means that it was found.
///
/// # Errors
/// If a policy does something else than the interpreter, or the program does not compile.
pub fn compared(program: &str, plant: Option<Plant>, tally: &mut Tally) -> Verdict {
    let Ok(module) = compiled("generated.flin", program) else {
        return Err(refusal(program));
    };
    let run = |policy: Policy| match plant {
        Some(plant) => run_planted("generated.flin", program, module.clone(), policy, plant),
        None => run_module("generated.flin", program, module.clone(), policy),
    };
    let expected = run(Policy::Interpreter);
    if expected.happened.contains("error TimeLimitExceeded") {
        tally.count("too long");
        return Ok(());
    }
    tally.count("programs");
    if expected.happened.contains("//! error") {
        tally.count("ended by an error");
    }
    for policy in Policy::ALL.into_iter().skip(1) {
        // A planted mistake may leave objects that the collector does not know.
        if plant.is_some() && policy.collects_always() {
            continue;
        }
        let ran = run(policy);
        tally.count(&format!("{policy:?}"));
        if has_native_code(&ran) {
            tally.count("with native code");
        }
        if ran.happened != expected.happened || ran.left != expected.left {
            return Err(format!(
                "{policy:?}: does something else\n{}{}",
                first_difference(&expected.happened, &ran.happened),
                first_difference(&expected.left, &ran.left)
            ));
        }
    }
    Ok(())
}

fn has_native_code(ran: &Ran) -> bool {
    ran.program.as_ref().is_some_and(|program| {
        let counts = program.native().counts();
        counts.compiled.functions + counts.compiled.loops > 0
    })
}
