//! Typed code stays typed: the kernels and the examples compile to code without operations on `any`, but for a list of
//! exceptions with their reasons. Must stay true: the list names programs, functions and operations; it may shrink, and
//! grows only with a reason; kernels but `words` and pages that show records need none of their own.

use std::collections::BTreeSet;
use std::path::Path;

use flin_bytecode::{Instr, Module};
use flin_corpus::KERNELS;
use flin_corpus::untyped::is_untyped;

/// Operations of class any that a reason allows.
struct Allowed {
    programs: &'static [&'static str],
    /// Beginnings of the names of functions; all functions if empty.
    functions: &'static [&'static str],
    ops: &'static [&'static str],
    #[allow(dead_code, reason = "it is for the reader")]
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        programs: &["words", "tally", "api"],
        functions: &[],
        ops: &[
            "map.get",
            "map.set",
            "box.int",
            "unbox.int",
            "unbox.ref",
            "box.ref",
            "mov.any",
            "is.none.any",
            "call.lib",
        ],
        reason: "`counts[word]` is an int or, when the key is absent, none: an optional scalar",
    },
    Allowed {
        programs: &["json"],
        functions: &[],
        ops: &[
            "add.any",
            "box.bool",
            "box.int",
            "box.ref",
            "call",
            "call.lib",
            "field.get.any",
            "index.get.any",
            "is.none.any",
            "is.type.any",
            "list.get.any",
            "list.push.any",
            "map.set",
            "map.set.name",
            "mov.any",
            "none.any",
            "ret.any",
            "text.any",
            "truthy.any",
            "unbox.bool",
            "unbox.int",
            "unbox.ref",
        ],
        reason: "a reader and a writer of JSON: what a value is shows only at run time",
    },
    Allowed {
        programs: &["strings"],
        functions: &["checksum"],
        ops: &["add.any", "box.int", "call.lib", "unbox.int"],
        reason: "`text.code_at(i)` is an int or, beyond the end, none",
    },
    Allowed {
        programs: &["words"],
        functions: &["lambda", "main"],
        ops: &["index.get.any"],
        reason: "an entry of a map is a pair of a text and an int",
    },
    Allowed {
        programs: &["tally"],
        functions: &["lambda"],
        ops: &["lt.any", "box.float", "box.int"],
        reason: "an int and a float compare exactly, not by widening; that comparison works on any words",
    },
    Allowed {
        programs: &["tally"],
        functions: &["main"],
        ops: &["is.type.any", "field.get.any"],
        reason: "`r = try …` is an int or an error, known only at run time",
    },
    Allowed {
        programs: &["todo", "guestbook", "api", "chat", "board", "dashboard"],
        functions: &["__q_"],
        ops: &[
            "box.bool",
            "box.int",
            "box.ref",
            "call",
            "call.closure",
            "call.lib",
            "eq.any",
            "field.get.any",
            "is.none.any",
            "is.type.any",
            "list.get.any",
            "list.push.any",
            "mov.any",
            "truthy.any",
            "unbox.int",
            "unbox.ref",
        ],
        reason: "a lazy query keeps its steps (functions, limits, sort keys) as any until it runs, in the prelude",
    },
    Allowed {
        programs: &["todo", "guestbook", "api", "chat", "board", "dashboard"],
        functions: &["known to "],
        ops: &[
            "box.bool",
            "box.int",
            "box.ref",
            "box.time",
            "field.get.any",
            "global.get.any",
            "list.push.any",
            "mov.any",
        ],
        reason: "what conditions of a query compare with goes to the store as one list",
    },
    Allowed {
        programs: &["api"],
        functions: &["route ", "found", "query argument", "__answer"],
        ops: &[
            "box.int",
            "box.ref",
            "call",
            "call.lib",
            "entity.find",
            "entity.get",
            "entity.set",
            "eq.any",
            "field.get.any",
            "global.get.any",
            "index.get.any",
            "is.none.any",
            "is.type.any",
            "list.push.any",
            "map.set",
            "mov.any",
            "none.any",
            "record.set.any",
            "ret.any",
            "text.any",
            "unbox.ref",
            "unbox.time",
        ],
        reason: "JSON: a request's body, query and parameters come from outside, an answer may be anything, and \
                 `read: time?` is an optional scalar",
    },
    Allowed {
        programs: &["board"],
        functions: &["view /"],
        ops: &["box.int", "view.on"],
        reason: "what a handler captures of the view is written as a value of any type",
    },
    Allowed {
        programs: &["board"],
        functions: &["number"],
        ops: &["call.lib", "mov.any"],
        reason: "a value of an enum is compared with its variants by the library",
    },
    Allowed {
        programs: &["dashboard"],
        functions: &["__q_max", "initial value of best", "view /"],
        ops: &[
            "is.none.any",
            "none.any",
            "ret.any",
            "unbox.int",
            "view.item",
        ],
        reason: "the largest of nothing is none: an optional scalar; the items of a list that is no query have no key",
    },
];

#[test]
fn kernels_and_examples_have_no_untyped_operations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failures = Vec::new();
    for folder in [KERNELS, "../examples"] {
        for path in flin_testkit::golden::files(&root.join(folder), ".flin") {
            let named = if folder == KERNELS {
                path.parent().expect("a folder")
            } else {
                &path
            };
            let name = named
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let source = std::fs::read_to_string(&path).expect("a program");
            let compiled =
                flinc::compile(&name, &source).unwrap_or_else(|d| panic!("{name}: {d:#?}"));
            let extra: Vec<String> = untyped(&compiled.module)
                .into_iter()
                .filter(|(op, function)| !is_allowed(&name, op, function))
                .map(|(op, function)| format!("{op} in {function}"))
                .collect();
            if !extra.is_empty() {
                failures.push(format!("{name}: {}", extra.join("; ")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn is_allowed(program: &str, op: &str, function: &str) -> bool {
    ALLOWED.iter().any(|allowed| {
        let mut within = allowed.functions.iter();
        allowed.programs.contains(&program)
            && allowed.ops.contains(&op)
            && (allowed.functions.is_empty() || within.any(|start| function.starts_with(start)))
    })
}

/// Operations on untyped words, and the functions they stand in.
fn untyped(module: &Module) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for function in &module.functions {
        for (at, word) in function.code.iter().enumerate() {
            let instr = Instr::decode(*word).expect("an instruction");
            if is_untyped(module, function, &instr) {
                // Code of a called function may stand in its caller.
                let (_, _, scope) = function.place_of(at as u32);
                let of = match scope.checked_sub(1) {
                    Some(call) => &module.functions[function.inlined[call as usize].func.index()],
                    None => function,
                };
                found.insert((instr.op.mnemonic(), of.name.clone()));
            }
        }
    }
    found
}
