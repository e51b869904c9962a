//! Runs the corpus and notes what it meets. Here because every table is filled by the same one run of each program. Must
//! stay true: what the prelude does by itself is no merit of a program, unless the row is one that only the prelude calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flin_bytecode::library::{LIBRARY, LibBody};
use flin_bytecode::{FuncId, Instr, LibId, Module, Op};
use flin_corpus::diagnostics::{GENERATED, diagnose, pairs};
use flin_corpus::untyped::is_untyped;
use flin_corpus::{Case, Policy, files, root, run_program};
use flin_syntax::{Code, coverage};
use flin_vm::Program;
use flinc::hir;
use flinc::types::{Meaning, Types};

use crate::shapes::{Definitions, Variant};

/// Trees may be deep, and are read by recursion.
const STACK_BYTES: usize = 256 << 20;

/// What all programs together met.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) programs: usize,
    pub(crate) productions: Vec<u64>,
    pub(crate) tree: BTreeSet<Variant>,
    pub(crate) resolved: BTreeSet<Variant>,
    /// Operations in compiled code.
    pub(crate) emitted: BTreeSet<Op>,
    /// Operations executed, how often.
    pub(crate) executed: BTreeMap<Op, u64>,
    pub(crate) rows: BTreeSet<LibId>,
    pub(crate) kinds: BTreeSet<String>,
    pub(crate) codes: BTreeSet<Code>,
    /// Rules of the reference that programs are written for, with the first such program.
    pub(crate) rules: BTreeMap<String, String>,
    pub(crate) untyped: BTreeMap<String, Share>,
}

/// How many instructions work on untyped words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) emitted: u64,
    pub(crate) emitted_untyped: u64,
    pub(crate) executed: u64,
    pub(crate) executed_untyped: u64,
}

impl Share {
    pub(crate) fn add(&mut self, other: Share) {
        self.emitted += other.emitted;
        self.emitted_untyped += other.emitted_untyped;
        self.executed += other.executed;
        self.executed_untyped += other.executed_untyped;
    }
}

/// Definitions of the trees' types.
pub(crate) struct Trees {
    pub(crate) syntax: Definitions,
    pub(crate) resolved: Definitions,
}

impl Trees {
    /// Reads them from the sources.
    pub(crate) fn read() -> Trees {
        let read = |files: &[&str]| {
            let text = |file: &&str| {
                let path = root().join("..").join(file);
                std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            };
            Definitions::read(&files.iter().map(text).collect::<Vec<_>>())
        };
        Trees {
            syntax: read(&[
                "grammar/src/ast.rs",
                "grammar/src/ast/expr.rs",
                "grammar/src/ast/markup.rs",
                "grammar/src/ast/pattern.rs",
                "grammar/src/ast/types.rs",
            ]),
            resolved: read(&["frontend/src/hir.rs", "frontend/src/types.rs"]),
        }
    }
}

/// Runs everything.
pub(crate) fn observe(trees: &Trees) -> Seen {
    let work = || {
        let mut observer = Observer::new(trees);
        observer.programs();
        observer.other_tests();
        observer.examples();
        observer.diagnostics();
        observer.seen
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

struct Observer<'a> {
    trees: &'a Trees,
    prelude: flin_syntax::ast::Program,
    seen: Seen,
}

impl Observer<'_> {
    fn new(trees: &Trees) -> Observer<'_> {
        Observer {
            trees,
            prelude: flin_syntax::parse(flinc::PRELUDE).program,
            seen: Seen {
                productions: vec![0; coverage::PRODUCTIONS.len()],
                ..Seen::default()
            },
        }
    }

    fn programs(&mut self) {
        for (name, path) in files() {
            let case = Case::parse(&read(&path));
            self.seen.programs += 1;
            self.source(&case.source);
            for rule in case.rules() {
                self.seen.rules.entry(rule).or_insert(name.clone());
            }
            let ran = run_program(&format!("{name}.flin"), &case.source, Policy::Interpreter);
            if let Some(program) = ran.program {
                let shown = |kind: &String| case.expected.contains(kind.as_str());
                let kinds = program.profile().raised();
                self.seen.kinds.extend(kinds.into_iter().filter(shown));
                self.module(program.module());
                self.executed(&program);
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                self.share(folder, &program);
            }
        }
    }

    /// Rules that no program of the corpus can show (exit codes, what a browser does, a file of 16 MiB) are named by the
    /// tests that check them, in the same words.
    fn other_tests(&mut self) {
        for folder in [
            "grammar/tests",
            "vm/tests",
            "vm/flinvm/tests",
            "server/tests",
            "bench/browser/tests",
        ] {
            for path in flin_testkit::golden::files(&root().join("..").join(folder), ".rs") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                for rule in Case::parse(&read(&path)).rules() {
                    let met = self.seen.rules.entry(rule);
                    met.or_insert_with(|| format!("{folder}/{name}.rs"));
                }
            }
        }
    }

    /// The examples count for the share of untyped instructions only: no program of them was written for a table.
    fn examples(&mut self) {
        for path in flin_testkit::golden::files(&root().join("../examples"), ".flin") {
            let mut source = read(&path);
            if let Ok(compiled) = flinc::compile("example.flin", &source) {
                for page in &compiled.module.pages {
                    source += &format!("\n// ask: GET {}", page.path);
                }
            }
            if let Some(program) = run_program("example.flin", &source, Policy::Interpreter).program
            {
                self.share("examples", &program);
            }
        }
    }

    fn diagnostics(&mut self) {
        for pair in pairs() {
            for file in ["bad.flin", "good.flin"] {
                let source = read(&pair.folder.join(file));
                self.source(&source);
                for rule in Case::parse(&source).rules() {
                    self.seen.rules.entry(rule).or_insert(pair.name.clone());
                }
                let found = diagnose(file, source.as_bytes());
                self.seen.codes.extend(found.iter().map(|d| d.code));
            }
        }
        for row in GENERATED {
            match row.source {
                Some(source) => {
                    let found = diagnose("generated.flin", &source(true));
                    self.seen.codes.extend(found.iter().map(|d| d.code));
                }
                None => {
                    self.seen.codes.insert(row.code);
                }
            }
        }
    }

    /// What parser and resolver make of a source text.
    fn source(&mut self, source: &str) {
        // What was parsed before is not this program's.
        drop(coverage::take_hits());
        let parsed = flin_syntax::parse(source);
        for (sum, hits) in self.seen.productions.iter_mut().zip(coverage::take_hits()) {
            *sum += hits;
        }
        let text = format!("{:?}", parsed.program);
        let trees = self.trees;
        trees.syntax.observe("Program", &text, &mut self.seen.tree);
        if !parsed.has_errors() {
            let (program, _) = flinc::resolve::resolve(&parsed.program, &self.prelude);
            let (types, _) = flinc::infer::infer(&program);
            self.resolved(&program, &types);
            self.meanings(&program, &types);
        }
    }

    fn resolved(&mut self, program: &hir::Program, types: &Types) {
        let (known, seen) = (&self.trees.resolved, &mut self.seen.resolved);
        known.observe("Vec<EntityDef>", &format!("{:?}", program.entities), seen);
        known.observe("Vec<EnumDef>", &format!("{:?}", program.enums), seen);
        known.observe("Vec<Global>", &format!("{:?}", program.globals), seen);
        known.observe("Vec<PageDef>", &format!("{:?}", program.pages), seen);
        known.observe("Vec<RouteDef>", &format!("{:?}", program.routes), seen);
        known.observe("Vec<Ty>", &format!("{:?}", types.globals), seen);
        for function in program.functions.iter().filter(|f| !f.from_prelude) {
            known.observe("Function", &format!("{function:?}"), seen);
        }
        for instance in &types.instances {
            if !program.functions[instance.func.index()].from_prelude {
                known.observe("Instance", &format!("{instance:?}"), seen);
            }
        }
    }

    /// Library rows that the program's own code means.
    fn meanings(&mut self, program: &hir::Program, types: &Types) {
        for instance in &types.instances {
            let function = &program.functions[instance.func.index()];
            if function.from_prelude {
                continue;
            }
            for (at, meaning) in &instance.meaning {
                let name = match &function.exprs[at.index()].kind {
                    hir::ExprKind::Method { name, .. }
                    | hir::ExprKind::Field { name, .. }
                    | hir::ExprKind::CallLib(name, _) => name.as_str(),
                    _ => continue,
                };
                self.meaning(program, types, name, meaning);
            }
        }
    }

    fn meaning(&mut self, program: &hir::Program, types: &Types, name: &str, meaning: &Meaning) {
        match meaning {
            Meaning::Lib(row) | Meaning::LibOp(row) => {
                self.seen.rows.insert(*row);
            }
            Meaning::Direct(instance) => {
                let function = types.instances[instance.index()].func;
                let function = &program.functions[function.index()];
                if function.from_prelude {
                    let fits = |row: &flin_bytecode::LibRow| {
                        row.name == name && row.body == LibBody::Prelude(function_name(function))
                    };
                    let rows = LIBRARY.iter().enumerate().filter(|(_, row)| fits(row));
                    self.seen.rows.extend(rows.map(|(at, _)| LibId(at as u16)));
                }
            }
            Meaning::KeyOr(inner) | Meaning::ViaList(_, _, inner) | Meaning::ImplicitOwn(inner) => {
                self.meaning(program, types, name, inner);
            }
            _ => {}
        }
    }

    /// Operations in compiled code.
    fn module(&mut self, module: &Module) {
        for function in &module.functions {
            let ops = function.code.iter().map(|word| decode(*word).op);
            self.seen.emitted.extend(ops);
        }
    }

    /// Operations and library rows that were executed.
    fn executed(&mut self, program: &Program) {
        for (at, function) in program.module().functions.iter().enumerate() {
            let counts = program.profile().counts(FuncId(at as u32));
            for (word, count) in function.code.iter().zip(counts) {
                if count == 0 {
                    continue;
                }
                let instr = decode(*word);
                *self.seen.executed.entry(instr.op).or_default() += count;
                if instr.op == Op::CallLib {
                    let row = LibId(instr.imm as u16);
                    // Rows for the prelude only are called from nowhere else.
                    if !function.from_prelude || row.row().name.starts_with("__") {
                        self.seen.rows.insert(row);
                    }
                }
            }
        }
    }

    fn share(&mut self, folder: &str, program: &Program) {
        let module = program.module();
        let mut share = Share::default();
        for (at, function) in module.functions.iter().enumerate() {
            let counts = program.profile().counts(FuncId(at as u32));
            for (word, count) in function.code.iter().zip(counts) {
                let untyped = u64::from(is_untyped(module, function, &decode(*word)));
                share.add(Share {
                    emitted: 1,
                    emitted_untyped: untyped,
                    executed: count,
                    executed_untyped: count * untyped,
                });
            }
        }
        self.seen
            .untyped
            .entry(folder.to_owned())
            .or_default()
            .add(share);
    }
}

/// The name of a prelude function, as the library table has it.
fn function_name(function: &hir::Function) -> &'static str {
    let names = LIBRARY.iter().filter_map(|row| match row.body {
        LibBody::Prelude(name) => Some(name),
        LibBody::Native(_) | LibBody::Inline(_) => None,
    });
    let mut names = names.filter(|name| *name == function.name);
    names.next().unwrap_or_default()
}

fn decode(word: u64) -> Instr {
    Instr::decode(word).unwrap_or_else(|error| panic!("a verified program: {error:?}"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
