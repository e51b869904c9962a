//! Targets that call single functions of a compiled program and compare what they give with a model written in Rust. Here
//! because the library is judged best by somebody else's code. Must stay true: the functions are called as a program calls
//! them (`probe.flin` is compiled once); a model knows nothing of the machine.

pub(crate) mod json;
pub(crate) mod lists;
pub(crate) mod maps;
pub(crate) mod numbers;
pub(crate) mod texts;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use flin_bytecode::FuncId;
use flin_corpus::MemoryHost;
use flin_testkit::rng::Rng;
use flin_vm::{HostValue, Limits, Program, Vm};

/// The functions that are called.
const PROBE: &str = include_str!("library/probe.flin");

struct Probe {
    program: Arc<Program>,
    functions: HashMap<String, FuncId>,
}

fn probe() -> &'static Probe {
    static PROBE_ONCE: OnceLock<Probe> = OnceLock::new();
    PROBE_ONCE.get_or_init(|| {
        let compiled = flinc::compile("probe.flin", PROBE)
            .unwrap_or_else(|messages| panic!("probe.flin: {messages:#?}"));
        let program = Program::load(compiled.module).expect("the verifier accepts it");
        let functions = program.module().functions.iter().enumerate();
        let functions = functions
            .map(|(number, function)| (function.name.clone(), FuncId(number as u32)))
            .collect();
        Probe { program, functions }
    })
}

/// Calls a function of `probe.flin`; an error is its kind.
///
/// # Panics
/// When there is no such function.
pub(crate) fn call(name: &str, arguments: &[HostValue]) -> Result<HostValue, String> {
    let probe = probe();
    let func = *probe
        .functions
        .get(name)
        .unwrap_or_else(|| panic!("probe.flin has no function {name}"));
    let mut host = MemoryHost::new(probe.program.module());
    let limits = Limits {
        memory_bytes: 64 << 20,
        ..Limits::request()
    };
    let mut vm = Vm::new(probe.program.clone(), limits);
    vm.call(&mut host, func, arguments)
        .map_err(|trap| trap.kind.to_string())
}

/// Says what differs, if something does.
pub(crate) fn compare<T: PartialEq + std::fmt::Debug>(
    name: &str,
    arguments: &dyn std::fmt::Debug,
    got: &T,
    expected: &T,
) -> Result<(), String> {
    if got == expected {
        return Ok(());
    }
    Err(format!(
        "{name} is wrong\n  arguments {arguments:?}\n  expected  {expected:?}\n  got       {got:?}"
    ))
}

/// A text of up to `most` characters, some of them of several bytes.
pub(crate) fn random_text(rng: &mut Rng, most: usize) -> String {
    const CHARS: [char; 24] = [
        'a',
        'b',
        'c',
        'A',
        'B',
        ' ',
        ' ',
        '\n',
        '\t',
        ',',
        '.',
        '-',
        '0',
        '7',
        'é',
        'ß',
        'İ',
        'ſ',
        '\u{301}',
        '\u{1F600}',
        '\u{200D}',
        '"',
        '\\',
        '\u{0}',
    ];
    (0..rng.below(most + 1))
        .map(|_| *rng.pick(&CHARS))
        .collect()
}

/// An int, edges often enough.
pub(crate) fn random_int(rng: &mut Rng) -> i64 {
    const EDGES: [i64; 12] = [
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
        i64::MIN + 1,
        1 << 62,
        -(1 << 62) - 1,
        1 << 31,
        -(1 << 31) - 1,
        1 << 53,
        3_037_000_500,
        -3_037_000_500,
        u32::MAX as i64,
    ];
    match rng.below(5) {
        0 => *rng.pick(&EDGES),
        1 => rng.bits() as i64,
        2 => (rng.bits() as i64) >> rng.below(63),
        _ => rng.below(40) as i64 - 20,
    }
}

/// A float, edges often enough.
pub(crate) fn random_float(rng: &mut Rng) -> f64 {
    const EDGES: [f64; 14] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        0.1,
        1e21,
        9_007_199_254_740_993.0,
        1e-7,
    ];
    match rng.below(5) {
        0 => *rng.pick(&EDGES),
        1 => f64::from_bits(rng.bits()),
        2 => (rng.bits() as i64 >> 20) as f64 / 1024.0,
        3 => rng.below(2_000) as f64 / 8.0 - 100.0,
        _ => rng.below(100) as f64 / 10.0,
    }
}
