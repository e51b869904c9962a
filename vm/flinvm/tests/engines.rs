//! Both engines, as a user sees them: the same program with machine code and without gives the same output, errors, exit
//! code and records. Must stay true: the program spends its time in one call, so that only entering a running loop brings
//! it into machine code.

mod support;

use support::{Folder, ended, flinvm};

/// Overflows in the middle of loops that have turned for long; said in the corpus in all detail.
const OVERFLOW: &str = include_str!("../../../corpus/programs/errors/overflow_in_a_hot_loop.flin");
/// What is left of it afterwards.
const LEFT: &str = "entity Step { turn: int, size: int }
for step in Step.order(turn) { print(\"{step.id} {step.turn} {step.size} {step.version}\") }
";

/// Runs the program, then shows its records; what came out, and what `--stats` says.
fn outcome(jit: &str) -> ((i32, String, String), String, String) {
    let folder = Folder::new();
    // Statistics are for programs that end well.
    let ends_well = OVERFLOW.replace("print(grow(11, 6000))\n", "");
    let program = folder.compile("overflow.fbc", OVERFLOW);
    let ends_well = folder.compile("ends_well.fbc", &ends_well);
    let left = folder.compile("left.fbc", LEFT);
    let data = folder.path("data");
    let data = data.to_str().expect("a plain path");
    let (code, out, err) = ended(&flinvm(&["run", jit, "--data", data], &[&program]));
    // Before it, the data folder of this very run is named.
    let error = err.find("error[").map_or("", |at| &err[at..]).to_owned();
    let run = (code, out, error);
    let (code, records, err) = ended(&flinvm(&["run", "--data", data], &[&left]));
    assert_eq!(code, 0, "{err}");
    let (code, _, stats) = ended(&flinvm(&["run", jit, "--stats"], &[&ends_well]));
    assert_eq!(code, 0, "{stats}");
    (run, records, stats)
}

#[test]
fn an_overflow_inside_of_a_loop_that_machine_code_took_over() {
    let (run, records, stats) = outcome("--jit=off");
    assert!(!stats.contains("running loops"), "{stats}");
    let (code, out, err) = &run;
    let printed = OVERFLOW
        .lines()
        .filter_map(|line| line.strip_prefix("//> "));
    let printed: Vec<&str> = printed.collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), printed);
    assert_eq!(*code, 1, "{err}");
    assert!(
        err.contains("IntegerOverflow") && err.contains("overflow.fbc:18:59"),
        "{err}"
    );
    // What the statement that failed had saved is gone with it.
    assert_eq!(records.lines().count(), 4, "{records}");
    for jit in ["--jit=auto", "--jit=sync", "--jit=eager"] {
        let (other_run, other_records, stats) = outcome(jit);
        assert_eq!(other_run, run, "{jit}");
        assert_eq!(other_records, records, "{jit}");
        // Under `auto`, big functions are compiled beside the program, which may be over before.
        if jit == "--jit=sync" {
            let entered = stats
                .lines()
                .find_map(|line| line.strip_prefix("entered"))
                .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
            assert!(entered.is_some_and(|count| count > 0), "{jit}:\n{stats}");
        }
    }
}

/// A function that is too long for one piece of machine code.
fn endless_list_of_steps() -> String {
    let steps: String = (0..5000)
        .map(|step| format!("  x = (x * {} + {step}) % 1000003\n", step % 7 + 2))
        .collect();
    format!("fn much(x: int) -> int {{\n{steps}  x\n}}\nprint(much(1) == much(1))\n")
}

#[test]
fn a_function_that_stays_interpreted_is_named_to_those_who_ask() {
    let folder = Folder::new();
    let program = folder.compile("much.fbc", &endless_list_of_steps());
    let said = |args: &[&str]| {
        let (code, out, err) = ended(&flinvm(args, &[&program]));
        assert_eq!((code, out.as_str()), (0, "true\n"), "{err}");
        err
    };
    let reason = "the function stays interpreted function=much why=";
    assert!(said(&["run", "--jit=eager"]).contains(reason));
    assert!(said(&["run", "--jit=eager", "--stats"]).contains(reason));
    assert_eq!(said(&["run"]), "", "a limit is no trouble of the program");
}

#[test]
fn machine_code_is_shown_for_calls_and_for_loops_that_turn() {
    let folder = Folder::new();
    let source = "fn sums(n: int) -> int {\n  all = 0\n  for i in 0..n {\n    for k in 0..i {\n      all += k\n    }\n  }\n  all\n}\nprint(sums(3))\n";
    let program = folder.compile("sums.fbc", source);
    let (code, out, err) = ended(&flinvm(&["run", "--dump-clif", "sums"], &[&program]));
    assert_eq!((code, err.as_str()), (0, ""));
    let shown = |what: &str| {
        let heads = out
            .lines()
            .filter(|line| line.starts_with("; ") && line.ends_with(what));
        heads.count()
    };
    // The function by itself, and each of its loops.
    for what in [": as translated", ": optimised", ": machine code"] {
        assert_eq!(shown(what), 3, "{what}\n{out}");
    }
    assert_eq!(
        out.lines()
            .filter(|line| line.starts_with("; entered by calls"))
            .count(),
        3
    );
}
