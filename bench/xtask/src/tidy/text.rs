//! Rules on the text of single files: opening comment, length, names, words, places of `unsafe`. Here because they need no
//! knowledge of the language. Must stay true: each rule says what is wrong, where, and what to do.

use super::Source;

/// A file may be this long and no longer.
const LINES_MAX: usize = 1000;

/// File names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

/// The only places where `unsafe` may stand.
const UNSAFE_ROOMS: &[&str] = &[
    "vm/src/value/repr.rs",
    "vm/src/frame.rs",
    "vm/src/stack_memory.rs",
    "vm/src/heap/",
    "vm/src/heap.rs",
    "vm/src/interp/",
    "vm/src/interp.rs",
    "vm/src/native/",
    "vm/tests/support/double.rs",
    "vm/src/rtcalls.rs",
    "vm/runtime/src/stack.rs",
    "jit/src/arena.rs",
    "jit/src/memory.rs",
    "jit/src/publish.rs",
    "store/src/map.rs",
    "bench/store/src/peers/lmdb.rs",
];

/// Words that must not stand in a source file, with what to do instead. Written in pieces so that this file may name them.
const BANNED: &[(&str, &str)] = &[
    (concat!("TO", "DO:"), "do it, or write an issue"),
    (concat!("FIX", "ME"), "fix it, or write an issue"),
    (concat!("todo", "!("), "write the code"),
    (concat!("unimplemented", "!("), "write the code"),
    (concat!("#[", "ignore"), "a test runs or does not exist"),
    (
        concat!("/wo", "rk/"),
        "no path of one machine in the project",
    ),
    (concat!("../sha", "red"), "the project explains itself"),
];

/// Checks all files.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        let path = &source.path;
        let is_rust = path.ends_with(".rs");
        if is_rust && !source.text.starts_with("//!") {
            problems.push(format!(
                "{path}: open with `//!`: what it is, why here, what must stay true"
            ));
        }
        let lines = source.text.lines().count();
        if (is_rust || path.ends_with(".js") || path.ends_with(".lalrpop")) && lines > LINES_MAX {
            problems.push(format!(
                "{path}: {lines} lines; {LINES_MAX} is the most, split it by idea"
            ));
        }
        let name = path
            .rsplit('/')
            .next()
            .and_then(|n| n.split('.').next())
            .unwrap_or_default();
        if is_rust && EMPTY_NAMES.contains(&name) {
            problems.push(format!(
                "{path}: the name says nothing; name it after its idea"
            ));
        }
        if is_rust || path.ends_with(".js") || path.ends_with(".md") || path.ends_with(".toml") {
            problems.extend(banned(source));
        }
        if is_rust && !UNSAFE_ROOMS.iter().any(|room| path.starts_with(room)) {
            problems.extend(misplaced_unsafe(source));
        }
    }
    problems
}

fn banned(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for (word, instead) in BANNED {
            if line.contains(word) {
                problems.push(format!(
                    "{}:{}: `{word}`: {instead}",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    problems
}

fn misplaced_unsafe(source: &Source) -> Vec<String> {
    let uses_unsafe = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
            .iter()
            .any(|form| code.contains(form))
            && !code.contains('"')
    };
    let lines = source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| uses_unsafe(line));
    lines
        .map(|(n, _)| {
            format!(
                "{}:{}: `unsafe` outside the rooms named for it",
                source.path,
                n + 1
            )
        })
        .collect()
}
