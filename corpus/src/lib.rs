//! Golden programs: one file is one whole test, the single truth of behaviour; and their runner. Here, apart from all
//! other crates, because it may know every one of them and nobody knows it. Must stay true: `run` is the only function
//! that knows how a program is compiled and executed; every program runs under every policy and must always do the same.
//!
//! A program file ends with comment lines that say what happens: `//> a line that is printed`,
//! `//! error Kind at line:col` for an error that nobody catches (printed lines before it stay), or
//! `//? F0123 at line:col` for each diagnostic of a program that does not compile.
#![forbid(unsafe_code)]

mod host;

use std::fmt::Write as _;

use flin_syntax::span::LineIndex;
use flin_vm::{Limits, Program, Trap, Vm};

pub use host::MemoryHost;

/// A program and what it is expected to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The program, expectations cut off.
    pub source: String,
    /// The expectation lines as one text.
    pub expected: String,
}

impl Case {
    /// Takes a program file apart.
    pub fn parse(text: &str) -> Case {
        let lines: Vec<&str> = text.lines().collect();
        let is_expectation = |line: &&&str| {
            line.starts_with("//>") || line.starts_with("//!") || line.starts_with("//?")
        };
        let count = lines.iter().rev().take_while(is_expectation).count();
        let (source, expected) = lines.split_at(lines.len() - count);
        Case {
            source: joined(source),
            expected: joined(expected),
        }
    }

    /// The file's text with other expectations.
    pub fn with_expected(&self, expected: &str) -> String {
        format!("{}{expected}", self.source)
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

/// How a program is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// As always.
    Interpreter,
    /// Collecting garbage at every operation that allocates.
    CollectAlways,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 2] = [Policy::Interpreter, Policy::CollectAlways];
}

/// Compiles and executes a program; what happened, as expectation lines.
///
/// # Panics
/// If the compiler makes a module that cannot be written, read back and loaded.
pub fn run(name: &str, source: &str, policy: Policy) -> String {
    let compiled = match flinc::compile(name, source) {
        Ok(compiled) => compiled,
        Err(diagnostics) => return diagnosed(source, &diagnostics),
    };
    let bytes = flin_bytecode::fbc::write(&compiled.module);
    let module = flin_bytecode::fbc::read(&bytes)
        .unwrap_or_else(|e| panic!("{name}: cannot be read back: {e}"));
    assert!(
        module == compiled.module,
        "{name}: reading back gives another module"
    );
    let program =
        Program::load(module).unwrap_or_else(|e| panic!("{name}: the verifier refuses it: {e}"));
    let limits = Limits {
        collect_every_allocation: policy == Policy::CollectAlways,
        ..Limits::script()
    };
    let module = program.module().clone();
    let mut host = MemoryHost::new(&module);
    let mut vm = Vm::new(program, limits);
    let mut error = None;
    for func in [module.const_init, module.main].into_iter().flatten() {
        if error.is_none() {
            error = vm.call(&mut host, func, &[]).err();
        }
    }
    happened(host.printed(), error.as_ref())
}

fn happened(printed: &[String], error: Option<&Trap>) -> String {
    let mut text = String::new();
    for line in printed.iter().flat_map(|printed| printed.split('\n')) {
        text.push_str(if line.is_empty() { "//>" } else { "//> " });
        text.push_str(line);
        text.push('\n');
    }
    if let Some(trap) = error {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "//! error {} at {}:{}",
            trap.kind, trap.at.line, trap.at.column
        );
    }
    text
}

fn diagnosed(source: &str, diagnostics: &[flin_syntax::Diagnostic]) -> String {
    let lines = LineIndex::new(source);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().filter(|d| d.is_error()) {
        let at = lines.line_column(source, diagnostic.span().start);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "//? {} at {}:{}", diagnostic.code, at.line, at.column);
    }
    text
}
