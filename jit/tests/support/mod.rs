//! What the tests of native code share: a host that only prints, and a runner that runs a program interpreted and under
//! every policy of native code, and compares all that can be seen. Must stay true: runs differ in policy only.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part; tests are no API"
)]

use std::sync::Arc;

use flin_bytecode::{EntityTypeId, Module};
use flin_jit::{Jit, Plant};
use flin_vm::native::{JitOptions, JitPolicy, NativeCounts};
use flin_vm::{
    Consequences, Host, HostError, HostRecord, HostValue, Limits, LogLevel, Moment, Program,
    ScanMode, Slice, Vm,
};

/// A host that keeps what is printed.
#[derive(Default)]
pub struct Printer {
    pub printed: Vec<String>,
    pub slices: u64,
    /// Slices after which the run is stopped; 0 never stops.
    pub slices_max: u64,
}

impl Host for Printer {
    fn slice(&mut self, _fuel_used: u64, _memory_bytes: usize) -> Slice {
        self.slices += 1;
        if self.slices_max > 0 && self.slices >= self.slices_max {
            Slice::Stop
        } else {
            Slice::Go
        }
    }

    fn print(&mut self, text: &str) {
        self.printed.push(text.to_owned());
    }

    fn log(&mut self, _level: LogLevel, text: &str) {
        self.printed.push(format!("log: {text}"));
    }

    fn now_ms(&mut self) -> i64 {
        1_700_000_000_000
    }

    fn random(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn env(&mut self, _name: &str) -> Option<String> {
        None
    }

    fn entity_get(&mut self, _: EntityTypeId, _: i64) -> Result<Option<HostRecord>, HostError> {
        Ok(None)
    }

    fn entity_scan(&mut self, _: EntityTypeId, _: ScanMode) -> Result<Vec<HostRecord>, HostError> {
        Ok(Vec::new())
    }

    fn entity_history(&mut self, _: EntityTypeId, _: i64) -> Result<Vec<HostRecord>, HostError> {
        Ok(Vec::new())
    }

    fn entity_get_at(
        &mut self,
        _: EntityTypeId,
        _: i64,
        _: Moment,
    ) -> Result<Option<HostRecord>, HostError> {
        Ok(None)
    }

    fn entity_scan_at(
        &mut self,
        _: EntityTypeId,
        _: ScanMode,
        _: Moment,
    ) -> Result<Vec<HostRecord>, HostError> {
        Ok(Vec::new())
    }

    fn entity_count(&mut self, _: EntityTypeId) -> Result<i64, HostError> {
        Ok(0)
    }

    fn entity_insert(
        &mut self,
        _: EntityTypeId,
        _: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        Err(HostError::ReadOnly)
    }

    fn entity_update(
        &mut self,
        _: EntityTypeId,
        _: i64,
        _: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        Err(HostError::ReadOnly)
    }

    fn entity_delete(
        &mut self,
        _: EntityTypeId,
        _: i64,
    ) -> Result<(HostRecord, Consequences), HostError> {
        Err(HostError::ReadOnly)
    }

    fn entity_restore(&mut self, _: EntityTypeId, _: i64) -> Result<HostRecord, HostError> {
        Err(HostError::ReadOnly)
    }

    fn entity_destroy(&mut self, _: EntityTypeId, _: i64) -> Result<Consequences, HostError> {
        Err(HostError::ReadOnly)
    }
}

/// How a program is run.
#[derive(Clone, Debug)]
pub struct Way {
    pub name: &'static str,
    pub options: JitOptions,
    pub collect_always: bool,
}

/// All ways that must do the same as the interpreter.
pub fn ways() -> Vec<Way> {
    let way = |name, options, collect_always| Way {
        name,
        options,
        collect_always,
    };
    let eager = JitOptions::of(JitPolicy::Eager);
    let loops = JitOptions {
        osr_every_loop: true,
        slice_fuel: 3,
        ..JitOptions::of(JitPolicy::Sync)
    };
    let exits = JitOptions {
        exit_every: 2,
        slice_fuel: 5,
        ..loops.clone()
    };
    vec![
        way(
            "interpreted, collecting",
            JitOptions::of(JitPolicy::Off),
            true,
        ),
        way("sync", JitOptions::of(JitPolicy::Sync), false),
        way("eager", eager.clone(), false),
        way("eager, collecting", eager.clone(), true),
        way(
            "eager, plain",
            JitOptions {
                plain: true,
                ..eager
            },
            false,
        ),
        way("every loop", loops.clone(), false),
        way("every loop, collecting", loops, true),
        way("exits", exits.clone(), false),
        way(
            "eager with exits",
            JitOptions {
                policy: JitPolicy::Eager,
                ..exits
            },
            false,
        ),
    ]
}

/// Compiles a source.
pub fn compiled(source: &str) -> Module {
    match flinc::compile("test.flin", source) {
        Ok(compiled) => compiled.module,
        Err(found) => panic!("{found:#?}\n{source}"),
    }
}

/// What a run did, as text, and what native code did in it.
pub fn run(module: &Module, way: &Way, plant: Option<Plant>) -> (String, NativeCounts) {
    run_on(module, way, plant, &mut Printer::default())
}

pub fn run_on(
    module: &Module,
    way: &Way,
    plant: Option<Plant>,
    host: &mut Printer,
) -> (String, NativeCounts) {
    let program = match Program::load(module.clone()) {
        Ok(program) => program,
        Err(error) => panic!("refused: {error}"),
    };
    if way.options.policy != JitPolicy::Off {
        let jit = Jit::with_plant(&way.options, plant).expect("native code on this machine");
        assert!(program.set_compiler(Box::new(jit), way.options.clone()));
    }
    let limits = Limits {
        collect_every_allocation: way.collect_always,
        call_depth: 2000,
        ..Limits::script()
    };
    let happened = call_main(&program, limits, host);
    let counts = program.native().counts();
    (happened, counts)
}

fn call_main(program: &Arc<Program>, limits: Limits, host: &mut Printer) -> String {
    let module = program.module();
    let mut vm = Vm::new(program.clone(), limits);
    let mut ended = String::from("returned");
    for func in [module.const_init, module.main].into_iter().flatten() {
        if let Err(trap) = vm.call(host, func, &[]) {
            ended = format!("{trap:#?}");
            break;
        }
    }
    format!("{}\n{ended}", host.printed.join("\n"))
}

/// The way that is right by definition.
pub fn plain() -> Way {
    Way {
        name: "interpreted",
        options: JitOptions::of(JitPolicy::Off),
        collect_always: false,
    }
}

/// Runs a module in all ways; gives what it did.
pub fn same(module: &Module) -> String {
    let (expected, _) = run(module, &plain(), None);
    for way in ways() {
        let (happened, _) = run(module, &way, None);
        assert_eq!(happened, expected, "{} is not interpreted", way.name);
    }
    expected
}

/// Runs a source in all ways; gives what it did.
pub fn same_source(source: &str) -> String {
    same(&compiled(source))
}
