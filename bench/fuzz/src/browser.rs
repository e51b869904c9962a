//! Target `browser`: generated programs as JavaScript under node. The judge: what is printed, and every error with its
//! message, place and trace, is the same as on the machine; or the JavaScript gives up, says why, and was right until then.

use flin_corpus::browser::{Twin, Verdict as Found, compare, runs_alone};
use flin_testkit::rng::Rng;

use crate::format::first_difference;
use crate::generate::{self, variants};
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// Programs that are made until one needs no store.
const TRIES: usize = 30;

/// A program.
pub(crate) fn make(_: &Ground, rng: &mut Rng) -> String {
    let size = 3 + rng.below(20);
    let mut program = String::new();
    // Those that keep records are for other targets.
    for _ in 0..TRIES {
        program = if rng.one_in(3) {
            generate::hot(rng.bits(), size)
        } else {
            variants::resolved(&generate::marked(rng.bits(), size), |_| true)
        };
        if !program.contains("entity ") {
            break;
        }
    }
    program
}

/// Judges a program.
pub(crate) fn judge(program: &str, tally: &mut Tally) -> Verdict {
    if !runs_alone("generated.flin", program) {
        tally.count("not alone");
        return Ok(());
    }
    let twin = Twin {
        name: "generated.flin".to_owned(),
        source: program.to_owned(),
    };
    let folder = std::env::temp_dir().join(format!("flin-browser-{}", std::process::id()));
    let found = compare(&[twin], &folder).remove(0);
    tally.count("compared");
    match found {
        Found::Equal => {
            tally.count("equal");
            Ok(())
        }
        Found::GaveUp(reason) => {
            tally.count("gave up");
            tally.count(&reason);
            Ok(())
        }
        Found::Different(machine, script) => Err(format!(
            "JavaScript does something else\n{}",
            first_difference(&machine, &script)
        )),
    }
}
