//! Typed code stays typed: the kernels and the examples compile to code without operations on `any`, but for a list of
//! exceptions with their reasons. Must stay true: the list names programs and operations; it may shrink, and grows only
//! with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flin_bytecode::{Class, Instr, OperandKind};

/// Operations of class any that a reason allows.
struct Allowed {
    programs: &'static [&'static str],
    ops: &'static [&'static str],
    #[allow(dead_code, reason = "it is for the reader")]
    reason: &'static str,
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        programs: &["words", "tally", "api"],
        ops: &[
            "map.get",
            "map.set",
            "map.get.name",
            "map.set.name",
            "box.ref",
            "box.int",
            "unbox.int",
            "unbox.ref",
            "mov.any",
            "is.none.any",
        ],
        reason: "keys and values of dictionaries are any words: they are boxed on the way in and checked on the way out",
    },
    Allowed {
        programs: &["tally"],
        ops: &["eq.any", "lt.any", "box.float"],
        reason: "an int and a float compare exactly, not by widening; that comparison works on any words",
    },
    Allowed {
        programs: &["tally"],
        ops: &["is.type.any", "field.get.any", "text.any", "none.any"],
        reason: "`r = try …` is an int or an error, known only at run time",
    },
    Allowed {
        programs: &["todo", "guestbook", "api"],
        ops: &[
            "entity.get",
            "entity.set",
            "entity.find",
            "box.ref",
            "box.int",
            "box.bool",
            "unbox.ref",
            "unbox.int",
            "unbox.bool",
            "unbox.float",
            "unbox.time",
            "mov.any",
            "none.any",
            "is.none.any",
            "ret.any",
        ],
        reason: "fields of entities are any words: a record may be unsaved, and optional fields may be none",
    },
    Allowed {
        programs: &["todo", "guestbook", "api"],
        ops: &["truthy.any", "eq.any", "list.push.any", "list.get.any"],
        reason: "the steps of a lazy query keep their functions and keys as any until the query runs",
    },
    Allowed {
        programs: &["counter", "todo", "guestbook", "api"],
        ops: &[
            "view.attr",
            "view.bind",
            "view.on",
            "view.key",
            "box.int",
            "box.bool",
            "box.ref",
        ],
        reason: "what a view hands to the page is any: one operation per place, not per type",
    },
    Allowed {
        programs: &["todo"],
        ops: &["global.get.any", "global.set.any"],
        reason: "`editing` holds 0 or the id of an entity, which is none until it is saved",
    },
    Allowed {
        programs: &["api"],
        ops: &[
            "field.get.any",
            "global.get.any",
            "is.type.any",
            "text.any",
            "index.get.any",
            "record.set.any",
            "eq.any",
        ],
        reason: "a request's body, query and parameters come from outside; a route's answer may be anything",
    },
];

#[test]
fn kernels_and_examples_have_no_untyped_operations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failures = Vec::new();
    for folder in ["kernels", "../examples"] {
        for path in flin_testkit::golden::files(&root.join(folder), ".flin") {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let source = std::fs::read_to_string(&path).expect("a program");
            let compiled =
                flinc::compile(&name, &source).unwrap_or_else(|d| panic!("{name}: {d:#?}"));
            let allowed: BTreeSet<&str> = ALLOWED
                .iter()
                .filter(|a| a.programs.contains(&name.as_str()))
                .flat_map(|a| a.ops)
                .copied()
                .collect();
            let found = untyped(&compiled.module);
            let extra: Vec<String> = found
                .iter()
                .filter(|(op, _)| !allowed.contains(*op))
                .map(|(op, places)| {
                    format!(
                        "{op} in {}",
                        places.iter().cloned().collect::<Vec<_>>().join(", ")
                    )
                })
                .collect();
            if !extra.is_empty() {
                failures.push(format!("{name}: {}", extra.join("; ")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Operations with an operand of class any, and the functions they stand in.
fn untyped(module: &flin_bytecode::Module) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for function in &module.functions {
        for word in &function.code {
            let op = Instr::decode(*word).expect("an instruction").op;
            let is_any = |kind: OperandKind| {
                matches!(
                    kind,
                    OperandKind::Out(Class::Any)
                        | OperandKind::In(Class::Any)
                        | OperandKind::InOut(Class::Any)
                )
            };
            if op.row().operands.iter().any(|operand| is_any(operand.kind)) {
                found
                    .entry(op.mnemonic())
                    .or_default()
                    .insert(function.name.clone());
            }
        }
    }
    found
}
