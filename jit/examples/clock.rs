//! How long a source file runs under a policy, for those who work on the lowering:
//! `cargo run -p flin-jit --example clock -- FILE off|sync|eager|auto [NAME=VALUE]`; the last replaces a `const NAME = …`.

use std::process::ExitCode;

use flin_jit::Jit;
use flin_vm::native::{JitOptions, JitPolicy};
use flin_vm::{Limits, Program, Vm};

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match clock(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn clock(args: &[String]) -> Result<(), String> {
    let [file, policy, rest @ ..] = args else {
        return Err("usage: clock FILE off|sync|eager|auto [NAME=VALUE]".to_owned());
    };
    let mut source = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    for setting in rest {
        let (name, value) = setting.split_once('=').ok_or("a setting is NAME=VALUE")?;
        let start = source
            .find(&format!("const {name} ="))
            .ok_or_else(|| format!("no const {name}"))?;
        let end = start + source[start..].find('\n').unwrap_or(source.len() - start);
        source.replace_range(start..end, &format!("const {name} = {value}"));
    }
    let policy = match policy.as_str() {
        "off" => JitPolicy::Off,
        "sync" => JitPolicy::Sync,
        "eager" => JitPolicy::Eager,
        "auto" => JitPolicy::Auto,
        other => return Err(format!("no policy is called {other}")),
    };
    let compiled = flinc::compile(file, &source).map_err(|found| format!("{found:?}"))?;
    let program = Program::load(compiled.module).map_err(|e| e.to_string())?;
    let options = JitOptions::of(policy);
    if policy != JitPolicy::Off {
        let jit = Jit::new(&options).map_err(|e| e.to_string())?;
        program.set_compiler(Box::new(jit), options);
    }
    let mut host = support::Printer::default();
    let mut vm = Vm::new(program.clone(), Limits::script());
    let start = cpu_nanoseconds();
    let module = program.module();
    for func in [module.const_init, module.main].into_iter().flatten() {
        vm.call(&mut host, func, &[])
            .map_err(|trap| format!("{trap:#?}"))?;
    }
    let spent = cpu_nanoseconds() - start;
    println!("{}", host.printed.join("\n"));
    println!("{} ms of this thread", spent / 1_000_000);
    println!("{:#?}", program.native().counts());
    Ok(())
}

/// Time that this thread has been running, from Linux.
fn cpu_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|word| word.parse().ok()).unwrap_or(0)
}
