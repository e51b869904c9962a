//! What a program executes: `hot FILE` or `hot NAME-OF-A-KERNEL …` (`cargo xtask bench hot NAME`). Here because the choice of
//! operations, and what the compiler should do better, is read off what programs really do, not off what they might. Must
//! stay true: it counts every executed instruction of the interpreter, and changes none of them.
#![allow(clippy::disallowed_methods, reason = "a tool that reads files")]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::process::ExitCode;

use flin_bench::compute::kernels::{KERNELS, sized};
use flin_bench::loaded;
use flin_bytecode::{FuncId, Instr, Op};
use flin_corpus::untyped::is_untyped;
use flin_runtime::Runtime;

/// Operations and pairs that are shown.
const SHOWN: usize = 14;
/// Instructions below this share of all that were executed are left out of the listing.
const HOT: f64 = 0.004;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.is_empty() {
        let names = KERNELS.map(|kernel| kernel.name).join(" ");
        eprintln!("hot FILE or KERNEL …; the kernels are {names}");
        return ExitCode::from(2);
    }
    for name in wanted {
        let kernel = KERNELS.iter().find(|kernel| kernel.name == name);
        let file = kernel.map_or(name.clone().into(), |k| k.folder().join("kernel.flin"));
        let source = std::fs::read_to_string(&file)
            .map_err(|e| format!("{}: {e}", file.display()))
            .and_then(|text| kernel.map_or(Ok(text.clone()), |k| sized(&text, k.counted_size)));
        match source {
            Ok(source) => report(&name, &source, &loaded::run(loaded::ready(&source))),
            Err(problem) => {
                eprintln!("error: {problem}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Prints what a program that ran has executed.
fn report(name: &str, source: &str, runtime: &Runtime) {
    let program = runtime.program();
    let module = program.module();
    let (mut ops, mut pairs) = (BTreeMap::new(), BTreeMap::new());
    let (mut all, mut untyped) = (0, 0);
    let mut listing = Vec::new();
    for (at, function) in module.functions.iter().enumerate() {
        let counts = program.profile().counts(FuncId(at as u32));
        let code: Vec<Instr> = function
            .code
            .iter()
            .map(|word| Instr::decode(*word).expect("an instruction"))
            .collect();
        for (here, (instr, count)) in code.iter().zip(&counts).enumerate() {
            all += count;
            *ops.entry(instr.op.mnemonic()).or_insert(0) += count;
            if is_untyped(module, function, instr) {
                untyped += count;
            }
            if let Some(next) = code.get(here + 1)
                && !matches!(instr.op, Op::Jump | Op::Call)
            {
                let pair = format!("{} {}", instr.op.mnemonic(), next.op.mnemonic());
                *pairs.entry(pair).or_insert(0) += *count.min(&counts[here + 1]);
            }
        }
        listing.push((at, counts));
    }
    println!(
        "=== {name}: {all} instructions, {:.1} % on values of any type",
        share(untyped, all) * 100.0
    );
    print_most("operations", &ops, all);
    print_most("neighbours", &pairs, all);
    listing.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    for (at, counts) in listing {
        if share(counts.iter().sum(), all) < 0.02 {
            break;
        }
        let text = flin_bytecode::text::disassemble_function(module, at, Some(source));
        print_listing(&text, &counts, all);
    }
}

fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

fn print_most<K: std::fmt::Display>(what: &str, counts: &BTreeMap<K, u64>, all: u64) {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("{what}:");
    for (name, count) in sorted.into_iter().take(SHOWN) {
        if share(*count, all) >= HOT {
            println!("  {:5.1} %  {name}", share(*count, all) * 100.0);
        }
    }
}

/// The instructions of a function that were executed often, with their share.
fn print_listing(text: &str, counts: &[u64], all: u64) {
    let mut counts = counts.iter();
    for line in text.lines() {
        let is_instruction = line.starts_with("  ") && !line.trim_start().starts_with(['.', ';']);
        if !is_instruction {
            let is_place = line.trim_start().starts_with(".line");
            if !is_place {
                println!("          {line}");
            }
            continue;
        }
        let count = counts.next().copied().unwrap_or(0);
        if share(count, all) >= HOT {
            println!("  {:5.2} % {line}", share(count, all) * 100.0);
        }
    }
}
