//! Every target, a fixed number of trials each, from one printed seed. Here because what was hunted for once must stay
//! gone. Must stay true: counted, never timed; the command in the message repeats a finding.

use std::sync::{Mutex, PoisonError};

use flin_fuzz::run::{self, Findings, Until};
use flin_fuzz::target;

/// All trials of the tests begin here; `FLIN_FUZZ_SEED` gives another place.
const SEED: u64 = 20_261_120;

fn try_target(name: &str) {
    // Panics are kept in one place per process, so targets take turns.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = match std::env::var("FLIN_FUZZ_SEED") {
        Ok(text) => text.parse().expect("FLIN_FUZZ_SEED is a number"),
        Err(_) => SEED,
    };
    let target = target::find(name).expect("a target");
    println!("{name}: seed {seed}, {} trials", target.test_runs);
    let report = run::run(
        target,
        &Default::default(),
        seed,
        Until::Runs(target.test_runs),
        Findings::default(),
    );
    println!("{:?}", report.tally);
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n\n"));
    let too_rare = report.too_rare(target);
    assert!(too_rare.is_empty(), "{}", too_rare.join("\n"));
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { try_target(stringify!($name)); })*

        #[test]
        fn no_target_is_left_out() {
            let tried = [$(stringify!($name)),*];
            for target in target::TARGETS {
                assert!(tried.contains(&target.name), "{} has no test", target.name);
            }
        }
    };
}

targets! { lexer parser format compile programs browser engines optimised fbc settings json texts numbers lists maps }
