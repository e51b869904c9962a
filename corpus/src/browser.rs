//! Programs as JavaScript: each program that needs no store and no server is compiled for the browser too, run under node,
//! and compared with the machine. Here because the same program must do the same in both. Must stay true: output, errors,
//! their places and traces are compared; who gives up is told apart, with the reason.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use flin_vm::{Limits, Trap, Vm};

use crate::{Case, MemoryHost, Policy, Setup, compiled, files, limits, load};

/// Runs the programs of its folder; see there.
const RUNNER: &str = include_str!("browser.js");

/// Room for deep calls, in KiB; half of what a process has.
const NODE_STACK_KIB: u32 = 3_900;

/// A program in both forms.
#[derive(Debug)]
pub struct Twin {
    /// Its name.
    pub name: String,
    /// Its source.
    pub source: String,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both did the same.
    Equal,
    /// The JavaScript gave up, with the reason, and had done the same until then.
    GaveUp(String),
    /// They did not do the same: what the machine did, what the JavaScript did.
    Different(String, String),
}

/// The programs of the corpus that can be compared: no records, pages, routes or tests, nothing special of the runner.
///
/// # Panics
/// If a program cannot be read.
pub fn twins() -> Vec<Twin> {
    let all = files().into_iter().filter_map(|(name, path)| {
        let text = std::fs::read_to_string(&path).expect("a readable program");
        let source = Case::parse(&text).source;
        runs_alone(&name, &source).then_some(Twin { name, source })
    });
    all.collect()
}

/// Whether a program compiles and needs no store, server or special runner.
pub fn runs_alone(name: &str, source: &str) -> bool {
    let Ok(module) = compiled(name, source) else {
        return false;
    };
    let plain = Setup::parse(source).is_ok_and(|setup| setup == Setup::default());
    plain
        && module.entities.is_empty()
        && module.pages.is_empty()
        && module.routes.is_empty()
        && module.tests.is_empty()
}

/// Runs all of them both ways, in a folder for their files.
///
/// # Panics
/// If the folder cannot be written, node cannot be started, or a program does not compile.
pub fn compare(twins: &[Twin], folder: &Path) -> Vec<Verdict> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder for the programs");
    for (at, twin) in twins.iter().enumerate() {
        let script = flinc::script(&twin.name, &twin.source);
        let script = script.unwrap_or_else(|e| panic!("{}: {e:?}", twin.name));
        std::fs::write(file(folder, at, "mjs"), script.text).expect("a written program");
    }
    let runner = folder.join("runner.mjs");
    std::fs::write(&runner, RUNNER).expect("the written runner");
    run_node(&runner);
    let verdicts = twins.iter().enumerate().map(|(at, twin)| {
        let script = std::fs::read_to_string(file(folder, at, "out")).unwrap_or_default();
        let machine = machine(twin);
        if let Some((reason, printed)) = script
            .strip_prefix("gave up: ")
            .and_then(|rest| rest.split_once('\n'))
        {
            return if machine.starts_with(printed) {
                Verdict::GaveUp(reason.to_owned())
            } else {
                Verdict::Different(machine, script)
            };
        }
        if machine == script {
            Verdict::Equal
        } else {
            Verdict::Different(machine, script)
        }
    });
    verdicts.collect()
}

/// Runs a module with node, which must end well.
///
/// # Panics
/// If node cannot be started, or ends with an error.
pub fn run_node(module: &Path) {
    let status = Command::new("node")
        .arg(format!("--stack-size={NODE_STACK_KIB}"))
        .arg(module)
        .status()
        .expect("node is installed");
    assert!(status.success(), "node ended with {status}");
}

fn file(folder: &Path, at: usize, ending: &str) -> PathBuf {
    folder.join(format!("{at:04}.{ending}"))
}

/// What the machine does with a program.
fn machine(twin: &Twin) -> String {
    let module = compiled(&twin.name, &twin.source).expect("it compiled before");
    let program = load(module, Policy::Interpreter, 0).expect("the verifier takes it");
    let module = program.module();
    let mut host = MemoryHost::new(module);
    let setup = Setup::default();
    let mut vm = Vm::new(
        Arc::clone(&program),
        limits(Limits::script(), &setup, Policy::Interpreter),
    );
    let mut error = None;
    for func in [module.const_init, module.main].into_iter().flatten() {
        if error.is_none() {
            error = vm.call(&mut host, func, &[]).err();
        }
    }
    let mut text = String::new();
    for line in host.printed() {
        let _ = writeln!(text, "> {line}");
    }
    if let Some(trap) = error {
        trap_text(&trap, "", &mut text);
    }
    if text.is_empty() {
        text.push('\n');
    }
    text
}

fn trap_text(trap: &Trap, before: &str, text: &mut String) {
    let at = &trap.at;
    let _ = writeln!(
        text,
        "{before}error {} at {}:{}: {}",
        trap.kind, at.line, at.column, trap.message
    );
    let or_none = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    let (entity, field, rule) = (
        or_none(&trap.entity),
        or_none(&trap.field),
        or_none(&trap.rule),
    );
    let _ = writeln!(text, "  {entity} {field} {rule}");
    for entry in &trap.trace {
        let _ = writeln!(
            text,
            "  in {} {}:{}",
            entry.function, entry.line, entry.column
        );
    }
    if let Some(cause) = &trap.cause {
        trap_text(cause, &format!("{before}cause "), text);
    }
}
