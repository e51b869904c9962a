//! Target `compile`: damaged programs of the corpus through the whole compiler. The judge: messages that point into the text
//! and can be shown, or a module; the same text gives the same bytes again; the verifier accepts the module, and it runs
//! to an end under small limits, however garbage is collected.

use flin_bytecode::fbc;
use flin_syntax::Diagnostic;
use flin_syntax::diagnostic::FileId;
use flin_syntax::render::{Color, Sources, render_all};
use flin_testkit::mutate;
use flin_testkit::rng::Rng;

use crate::fbc::runs;
use crate::ground::Ground;
use crate::target::{Tally, Verdict};

/// A program with some tokens, lines or types changed, or joined with another one.
pub(crate) fn make(ground: &Ground, rng: &mut Rng) -> String {
    let mut text = if rng.one_in(6) {
        crate::generate(rng.bits(), 4 + rng.below(20))
    } else {
        rng.pick(&ground.readable).clone()
    };
    for _ in 0..1 + rng.below(3) {
        text = match rng.below(10) {
            0 | 1 => mutate::one_token(&text, rng).0,
            2 => mutate::swapped_tokens(&text, rng),
            3 => mutate::shuffled_lines(&text, rng),
            4 | 5 => mutate::spliced(&text, rng.pick::<String>(&ground.readable), rng),
            _ => mutate::retyped(&text, rng),
        };
    }
    text
}

/// Judges a text.
pub(crate) fn judge(text: &str, tally: &mut Tally) -> Verdict {
    let compiled = match flinc::compile("fuzz.flin", text) {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            tally.count("refused");
            if !diagnostics.iter().any(Diagnostic::is_error) {
                return Err("refused without an error".to_owned());
            }
            readable(text, &diagnostics)?;
            return match flinc::compile("fuzz.flin", text) {
                Err(again) if again == diagnostics => Ok(()),
                _ => Err("compiled twice, it says two different things".to_owned()),
            };
        }
    };
    readable(text, &compiled.warnings)?;
    let bytes = fbc::write(&compiled.module);
    let again = flinc::compile("fuzz.flin", text).map_err(|_| "refused the second time")?;
    if fbc::write(&again.module) != bytes {
        return Err("compiled twice, it gives other bytes".to_owned());
    }
    match fbc::read(&bytes) {
        Ok(module) if module == compiled.module => {}
        Ok(_) => return Err("the module reads back as another one".to_owned()),
        Err(reason) => return Err(format!("the module cannot be read back: {reason}")),
    }
    if let Err(reason) = flin_bytecode::verify(&compiled.module) {
        return Err(format!("the verifier refuses the module: {reason}"));
    }
    tally.count("ran");
    runs::both_ways(&compiled.module).map(|_| ())
}

/// Messages point into the text, have words, and can be shown.
fn readable(text: &str, diagnostics: &[Diagnostic]) -> Verdict {
    for diagnostic in diagnostics {
        for label in &diagnostic.labels {
            if label.file == FileId::default() && text.get(label.span.range()).is_none() {
                return Err(format!(
                    "{} points beside the text: `{:?}`",
                    diagnostic.code, label.span
                ));
            }
        }
        if diagnostic.title.trim().is_empty() {
            return Err(format!("{} has no title", diagnostic.code));
        }
    }
    let mut sources = Sources::single("fuzz.flin", text);
    sources.add("prelude.flin", flinc::PRELUDE);
    let shown = render_all(diagnostics, &sources, Color::Never);
    if shown.is_empty() != diagnostics.is_empty() {
        return Err("messages that cannot be seen".to_owned());
    }
    Ok(())
}
