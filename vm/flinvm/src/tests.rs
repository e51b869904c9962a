//! `flinvm test`: every `test` block on an empty store of its own, in source order.

use std::sync::Arc;
use std::time::Instant;

use flin_runtime::{Entry, Failure, World};

use crate::arguments::Test;
use crate::fault::{Fault, trap_text};
use crate::opening::How;
use crate::output::{ScriptWorld, say};
use crate::{load, logging, opening, stats};

/// Runs the tests of a program; prints one line each and a summary.
pub(crate) fn run_tests(wanted: &Test, color: bool) -> Result<(), Fault> {
    logging::for_people(color, logging::of_program(wanted.engine));
    let started = Instant::now();
    let loaded = load::load(&wanted.program, wanted.engine, color)?;
    let module = loaded.program.module();
    let tests = &module.tests;
    let output = Arc::new(ScriptWorld::new());
    let world: Arc<dyn World> = output.clone();
    let mut failed = 0;
    for (test, block) in tests.iter().enumerate() {
        let runtime = opening::open(
            &loaded.program,
            None,
            How::Script { migrate: false },
            opening::in_world(Arc::clone(&world)),
        )?;
        let done = runtime.enter(Entry::Test { test });
        output.flush();
        match done {
            Ok(_) => say(&format!("ok      {}", block.name)),
            Err(failure) => {
                failed += 1;
                let (file, line) = module.file_of_line(block.line);
                let place = match module.files.len() {
                    0 => format!("line {line}"),
                    _ => format!("{file}:{line}"),
                };
                say(&format!("FAILED  {} ({place})", block.name));
                match failure {
                    Failure::Trap(trap) => tell!("{}", trap_text(&trap, color)),
                    other => tell_line!("error: {other}"),
                }
            }
        }
    }
    if wanted.engine.stats {
        stats::print(&loaded, None, started.elapsed());
    }
    say(&format!("{} passed, {failed} failed", tests.len() - failed));
    if failed == 0 {
        Ok(())
    } else {
        Err(Fault::TestsFailed)
    }
}
