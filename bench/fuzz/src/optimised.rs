//! Target `optimised`: programs with hot loops, and generated programs of all kinds, with the optimiser and without. The
//! judge: what is printed, every error with its place and trace, and all versions of all records are the same with all
//! passes, and with each pass left out.

use flin_corpus::{Policy, Ran, compiled_with, run_module};
use flin_testkit::rng::Rng;
use flinc::optimise::{Pass, Passes};

use crate::format::first_difference;
use crate::generate;
use crate::ground::Ground;
use crate::programs::refusal;
use crate::target::{Tally, Verdict};

/// A program.
pub(crate) fn make(_: &Ground, rng: &mut Rng) -> String {
    let size = 3 + rng.below(9);
    if rng.one_in(2) {
        return generate(rng.bits(), size + rng.below(12));
    }
    generate::hot(rng.bits(), size)
}

/// Judges a program.
pub(crate) fn judge(program: &str, tally: &mut Tally) -> Verdict {
    let run = |passes: Passes| -> Result<Ran, String> {
        let module = compiled_with("generated.flin", program, passes);
        let module = module.map_err(|_| refusal(program))?;
        Ok(run_module(
            "generated.flin",
            program,
            module,
            Policy::Interpreter,
        ))
    };
    let expected = run(Passes::none())?;
    // Inlined calls take no fuel and no depth, so these come at another place.
    let limits = ["error TimeLimitExceeded", "StackOverflow"];
    if limits.iter().any(|limit| expected.happened.contains(limit)) {
        tally.count("met a limit");
        return Ok(());
    }
    tally.count("programs");
    if expected.happened.contains("//! error") {
        tally.count("ended by an error");
    }
    let without = Pass::ALL.iter().map(|pass| {
        let passes = Passes::without(pass.name()).unwrap_or_default();
        (format!("without {}", pass.name()), passes)
    });
    for (name, passes) in [("with all passes".to_owned(), Passes::default())]
        .into_iter()
        .chain(without)
    {
        let ran = run(passes)?;
        if ran.happened != expected.happened || ran.left != expected.left {
            return Err(format!(
                "{name}: does something else\n{}{}",
                first_difference(&expected.happened, &ran.happened),
                first_difference(&expected.left, &ran.left)
            ));
        }
    }
    Ok(())
}
