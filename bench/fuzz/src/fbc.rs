//! Target `fbc`: really compiled modules, changed in code, tables and bytes; and whatever reader and verifier let through
//! must run to a result, an error or a stop, under small limits. The judge: never a panic, never a hang; both ways of
//! collecting garbage and native code do the same; a change that means nothing changes nothing; undone checksums are always noticed.

mod changes;
mod damage;
pub(crate) mod runs;

use flin_bytecode::fbc;
use flin_corpus::Policy;
use flin_testkit::rng::Rng;

use crate::ground::{Ground, Subject};
use crate::target::{Tally, Verdict};
use changes::Change;

/// What nonsensical code is tried under, besides interpreting it.
const NATIVE: [Policy; 4] = [
    Policy::EagerCollecting,
    Policy::LoopsCollecting,
    Policy::Exits,
    Policy::LoopExits,
];

/// Makes one mutant and sees what becomes of it.
pub(crate) fn trial(ground: &Ground, rng: &mut Rng, tally: &mut Tally) -> Verdict {
    let subject = rng.pick(ground.subjects());
    // Code is what runs: every third mutant.
    let change = if rng.one_in(3) {
        Change::Words
    } else {
        *rng.pick(&Change::ALL)
    };
    let fate = follow(subject, change, rng, tally)
        .map_err(|fault| format!("{} of `{}`: {fault}", change.name(), subject.name))?;
    tally.count(fate);
    Ok(())
}

/// What became of it: `unread` by the reader, `refused` by the verifier, or it ran and was `changed` or `unharmed`.
fn follow(
    subject: &Subject,
    change: Change,
    rng: &mut Rng,
    tally: &mut Tally,
) -> Result<&'static str, String> {
    let module = match change {
        Change::Bytes => {
            let bytes = damage::bytes(&fbc::write(&subject.module), rng);
            return match fbc::read(&bytes) {
                Err(reason) => said(&reason.to_string(), "unread"),
                Ok(module) if module == subject.module => Ok("unharmed"),
                Ok(_) => Err("damaged bytes were read as another module".to_owned()),
            };
        }
        Change::RepairedBytes => {
            let bytes = damage::repaired(&fbc::write(&subject.module), rng);
            match fbc::read(&bytes) {
                Err(reason) => return said(&reason.to_string(), "unread"),
                Ok(module) => module,
            }
        }
        Change::Nothing
        | Change::Places
        | Change::Words
        | Change::Ids
        | Change::Registers
        | Change::Functions
        | Change::Constants
        | Change::Types
        | Change::Entities
        | Change::Doors => {
            let mut module = subject.module.clone();
            changes::apply(change, &mut module, rng);
            module
        }
    };
    if let Err(reason) = flin_bytecode::verify(&module) {
        return if change == Change::Nothing {
            Err(format!("a change that means nothing was refused: {reason}"))
        } else {
            said(&reason.to_string(), "refused")
        };
    }
    if fbc::read(&fbc::write(&module)).as_ref() != Ok(&module) {
        return Err("an accepted module reads back as another one".to_owned());
    }
    let outcome = runs::both_ways(&module)?;
    if rng.one_in(3) {
        let policy = *rng.pick(&NATIVE);
        runs::natively(&module, &outcome, policy, rng.below(32) as u32)?;
        tally.count("natively");
    }
    if outcome == subject.outcome {
        Ok("unharmed")
    } else if change == Change::Nothing {
        Err(format!(
            "a change that means nothing changed what happens:\n{:#?}\nnot\n{:#?}",
            outcome, subject.outcome
        ))
    } else {
        Ok("changed")
    }
}

/// A refusal must have a reason in words.
fn said(reason: &str, fate: &'static str) -> Result<&'static str, String> {
    if reason.split_whitespace().count() >= 3 {
        Ok(fate)
    } else {
        Err(format!("refused without a reason: `{reason}`"))
    }
}
