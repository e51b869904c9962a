//! Programs and stores ready for one measured step: a kernel about to run, a page about to be rendered, a log about to be
//! appended to or recovered. Here because what is counted must not contain its preparation. Must stay true: the world
//! stands still and chance is no chance, so that equal programs take equal numbers of instructions.

use std::sync::Arc;

use flin_runtime::store::{
    CommitOutcome, Disk, EntityId, FieldDef, FieldType, FieldValue, MemoryDisk, Schema, Store,
    StoreOptions, TypeDef, TypeIx,
};
use flin_runtime::vm::native::{JitOptions, JitPolicy};
use flin_runtime::vm::{LogLevel, Program};
use flin_runtime::{Entry, Outcome, Runtime, RuntimeOptions, World, schema_of};

use crate::compute::kernels::{Kernel, sized};

/// 2026-03-04T05:06:07Z.
const NOW_MS: i64 = 1_772_600_767_000;

/// The type in the logs of [`log_of`].
const NOTE: TypeIx = TypeIx(0);

struct StandingWorld;

impl World for StandingWorld {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn env(&self, _name: &str) -> Option<String> {
        None
    }

    fn print(&self, _line: &str) {}

    fn log(&self, _level: LogLevel, _line: &str) {}
}

/// A program that must be right, as its bytes.
///
/// # Panics
/// If it is not.
#[must_use]
pub fn module_bytes(source: &str) -> Vec<u8> {
    let compiled = flinc::compile("counted.flin", source).expect("a right program");
    flin_bytecode::fbc::write(&compiled.module)
}

/// What a start does with the bytes of a program: checks, verifies, prepares.
///
/// # Panics
/// If it refuses them.
#[must_use]
pub fn load(bytes: &[u8]) -> Arc<Program> {
    let module = flin_bytecode::fbc::read(bytes).expect("what was written is read");
    Program::load(module).expect("what was compiled is verified")
}

/// A program with an empty store in memory.
///
/// # Panics
/// If it is not right.
#[must_use]
pub fn ready(source: &str) -> Runtime {
    let program = load(&module_bytes(source));
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let opened = Store::open(disk, &schema_of(program.module()), StoreOptions::inline());
    let options = RuntimeOptions {
        world: Arc::new(StandingWorld),
        ..RuntimeOptions::default()
    };
    Runtime::new(program, opened.expect("an empty store").store, options)
}

/// A kernel at the size for counting.
///
/// # Panics
/// If its file cannot be read or is not right.
#[must_use]
pub fn kernel(kernel: &Kernel) -> Runtime {
    let file = kernel.folder().join("kernel.flin");
    let source = std::fs::read_to_string(file).expect("a kernel");
    ready(&sized(&source, kernel.counted_size).expect("a size"))
}

/// Lets hot functions be compiled to machine code, at once when they are hot.
///
/// # Panics
/// If there is no machine code for this machine.
#[must_use]
pub fn with_machine_code(runtime: Runtime) -> Runtime {
    let options = JitOptions::of(JitPolicy::Sync);
    let attached = flin_jit::Jit::attach(runtime.program(), options);
    assert!(attached.expect("machine code"), "the first compiler");
    runtime
}

/// Runs the top level.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn run(runtime: Runtime) -> Runtime {
    match runtime.enter(Entry::Script) {
        Ok(Outcome::Done(_)) => runtime,
        other => panic!("the program did not run to its end: {other:?}"),
    }
}

/// The list of `examples/todo` with so many records.
///
/// # Panics
/// If they cannot be saved.
#[must_use]
pub fn todos(source: &str, count: usize) -> Runtime {
    let runtime = ready(source);
    let mut transaction = runtime.store().begin();
    for at in 0..count {
        let fields = vec![
            FieldValue::text(format!("item {at} & more")),
            FieldValue::Bool(at % 3 == 0),
        ];
        transaction.insert(TypeIx(0), fields).expect("a todo");
    }
    committed(&runtime.store().commit_wait(transaction, None));
    runtime
}

/// Renders the first page.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn render(runtime: Runtime) -> (Runtime, Outcome) {
    let page = Entry::Page {
        params: Vec::new(),
        page: 0,
        state: Vec::new(),
    };
    let outcome = runtime.enter(page).expect("the page is rendered");
    (runtime, outcome)
}

/// A log in memory with so many commits of one record each.
///
/// # Panics
/// If the store refuses them.
#[must_use]
pub fn log_of(commits: usize) -> (Arc<dyn Disk>, Store) {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let store = recover(&disk);
    append(&store, commits);
    (disk, store)
}

/// Commits so many records, one at a time.
///
/// # Panics
/// If the store refuses them.
pub fn append(store: &Store, commits: usize) {
    for at in 0..commits {
        let mut transaction = store.begin();
        let fields = vec![
            FieldValue::text("a note of some length"),
            FieldValue::Int(at as i64),
        ];
        let id: EntityId = transaction.insert(NOTE, fields).expect("a note");
        assert_ne!(id.0, 0);
        committed(&store.commit_wait(transaction, None));
    }
}

/// Opens a log: what a start does with the data.
///
/// # Panics
/// If it is damaged.
#[must_use]
pub fn recover(disk: &Arc<dyn Disk>) -> Store {
    let schema = Schema {
        types: vec![TypeDef {
            name: "Note".into(),
            fields: vec![
                FieldDef::new("text", FieldType::Text),
                FieldDef::new("size", FieldType::Int),
            ],
            ..TypeDef::default()
        }],
        ..Schema::default()
    };
    let opened = Store::open(Arc::clone(disk), &schema, StoreOptions::inline());
    opened.expect("a sound log").store
}

fn committed(outcome: &CommitOutcome) {
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "not committed: {outcome}"
    );
}
