//! `flinvm run`: the top level of a program, once. Each statement is one transaction: what was done before the one that
//! fails is kept.

use std::sync::Arc;
use std::time::Instant;

use flin_runtime::vm::Program;
use flin_runtime::vm::bytecode::{FuncId, Function};
use flin_runtime::{Entry, Outcome};
use flin_server::Networked;

use crate::arguments::Run;
use crate::fault::Fault;
use crate::opening::How;
use crate::output::{ScriptWorld, say};
use crate::{load, logging, opening, stats};

/// Runs a program.
pub(crate) fn run(wanted: &Run, color: bool) -> Result<(), Fault> {
    logging::for_people(color, logging::of_program(wanted.engine));
    let started = Instant::now();
    let loaded = load::load(&wanted.program, wanted.engine, color)?;
    if let Some(name) = &wanted.dump_clif {
        return dump(&loaded.program, name);
    }
    let world = Arc::new(Networked::new(
        ScriptWorld::new(),
        wanted.network.allow_private_http,
    ));
    let runtime = opening::open(
        &loaded.program,
        wanted.data.as_deref(),
        How::Script {
            migrate: wanted.migrate,
        },
        opening::in_world(world.clone()),
    )?;
    let loaded_in = started.elapsed();
    let done = runtime.enter(Entry::Script);
    let ran_in = started.elapsed().saturating_sub(loaded_in);
    world.inner().flush();
    let poisoned = runtime.store().poisoned();
    let closed = runtime.store().close();
    if let Some(reason) = poisoned {
        return Err(Fault::Disk(format!(
            "the disk failed: {reason}. Start again to recover"
        )));
    }
    if let Outcome::Done(counts) = done.map_err(Fault::Failed)?
        && wanted.engine.stats
    {
        stats::print(&loaded, Some(counts), ran_in);
    }
    closed.map_err(|failure| Fault::Disk(failure.to_string()))
}

// What machine code of functions looks like.
fn dump(program: &Program, name: &str) -> Result<(), Fault> {
    let functions = &program.module().functions;
    let named = |(number, function): (usize, &Function)| {
        (function.name == name).then_some(FuncId(number as u32))
    };
    let found: Vec<FuncId> = functions.iter().enumerate().filter_map(named).collect();
    if found.is_empty() {
        let mut names: Vec<&str> = functions.iter().map(|f| f.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        return Err(Fault::Usage(format!(
            "the program has no function \"{name}\"; it has {}",
            names.join(", ")
        )));
    }
    for func in found {
        let text = flin_runtime::vm::bytecode::text::disassemble_function(
            program.module(),
            func.index(),
            None,
        );
        say(&format!("; {name}, function {}\n{text}", func.0));
        for entry in flin_jit::entries(program, func) {
            dump_entry(program, func, entry);
        }
    }
    Ok(())
}

fn dump_entry(program: &Program, func: FuncId, entry: flin_jit::Entry) {
    let place = match entry {
        flin_jit::Entry::Start => "entered by calls".to_owned(),
        flin_jit::Entry::Loop(header) => {
            format!("taken over while the loop at instruction {header} turns")
        }
    };
    match flin_jit::dump(program, func, entry) {
        Ok(dump) => {
            say(&format!("; {place}: as translated\n{}", dump.clif));
            say(&format!("; {place}: optimised\n{}", dump.optimised));
            say(&format!("; {place}: machine code\n{}", dump.machine));
        }
        Err(error) => say(&format!("; {place}: {error}")),
    }
}
