//! The dispatch jumps of hot operations. Must stay true: the groups of `src/interp/threads.rs` stay small enough for the compiler
//! to copy the jump into them; what a release build makes of it, the counts of instructions in `bench/` show (a jump that
//! is shared again costs one instruction more for each operation, and many mispredictions).
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

/// As in `src/interp/threads.rs`.
const GROUPS: usize = 12;
/// More ways into one place than this, and the compiler leaves the jump where it is.
const WAYS_MAX: usize = 16;

#[test]
fn no_group_of_hot_operations_is_too_large() {
    let loop_text = include_str!("../src/interp/mod.rs");
    let threads = include_str!("../src/interp/threads.rs");
    assert!(threads.contains(&format!("const GROUPS: u32 = {GROUPS};")));
    let mut sizes = [0; GROUPS];
    for (at, line) in loop_text.lines().enumerate() {
        if line.contains("own!(") {
            sizes[(at + 1) % GROUPS] += 1;
        }
    }
    let operations: usize = sizes.iter().sum();
    assert!(
        operations > 100,
        "only {operations} operations have a jump of their own"
    );
    let largest = sizes.iter().max().copied().unwrap_or_default();
    assert!(
        largest <= WAYS_MAX,
        "{largest} of {operations} operations are in one group, which has room for {WAYS_MAX}: \
         their lines in src/interp/mod.rs lie a multiple of {GROUPS} apart; move some, or take rare ones out of `own!`"
    );
}
