//! Shows the native code of a function of a source file, for those who work on the lowering:
//! `cargo run -p flin-jit --example show -- FILE FUNCTION [HEADER]`.

use std::process::ExitCode;

use flin_bytecode::FuncId;
use flin_jit::{Entry, dump};
use flin_vm::Program;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match show(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn show(args: &[String]) -> Result<(), String> {
    let [file, name, rest @ ..] = args else {
        return Err("usage: show FILE FUNCTION [HEADER]".to_owned());
    };
    let source = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let compiled = flinc::compile(file, &source).map_err(|found| format!("{found:?}"))?;
    let program = Program::load(compiled.module).map_err(|e| e.to_string())?;
    let functions = &program.module().functions;
    let at = functions.iter().position(|function| function.name == *name);
    let at = at.ok_or_else(|| {
        let names: Vec<&str> = functions.iter().map(|f| f.name.as_str()).collect();
        format!(
            "no function is called {name}; there are {}",
            names.join(", ")
        )
    })?;
    println!("{}", flin_bytecode::disassemble(program.module(), None));
    let entry = match rest.first() {
        Some(header) => Entry::Loop(header.parse().map_err(|e| format!("{header}: {e}"))?),
        None => Entry::Start,
    };
    let dump = dump(&program, FuncId(at as u32), entry).map_err(|e| e.to_string())?;
    println!("{}\n{}\n{}", dump.clif, dump.optimised, dump.machine);
    println!("{} bytes", dump.bytes.len());
    Ok(())
}
