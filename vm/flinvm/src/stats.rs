//! `--stats`: what a program took. Here because run, serve and test say the same. Must stay true: it goes to stderr, one
//! fact a line, so that tools can read it.

use std::time::Duration;

use flin_runtime::vm::Counts;
use flin_runtime::vm::native::NativeCounts;

use crate::load::Loaded;

/// Says what was measured: `counts` are those of the one machine that ran, if it was one.
pub(crate) fn print(loaded: &Loaded, counts: Option<Counts>, ran_in: Duration) {
    tell_line!("load         {}", milliseconds(loaded.read_in));
    tell_line!("verify       {}", milliseconds(loaded.verified_in));
    tell_line!("run          {}", milliseconds(ran_in));
    if let Some(counts) = counts {
        tell_line!("fuel         {} calls and loop turns", counts.instructions);
        tell_line!("allocated    {} bytes", counts.allocated_bytes);
        tell_line!("collections  {}", counts.collections);
        tell_line!(
            "records      {} read, {} written",
            counts.entity_reads,
            counts.entity_writes
        );
    }
    if loaded.program.native().options().is_some() {
        print_native(loaded.program.native().counts());
    }
}

fn print_native(counts: NativeCounts) {
    let compiled = counts.compiled;
    let taken = Duration::from_nanos(compiled.nanoseconds);
    tell_line!(
        "compiled     {} functions and {} loops in {}, {} left to the interpreter",
        compiled.functions,
        compiled.loops,
        milliseconds(taken),
        compiled.refused
    );
    if compiled.faults > 0 {
        tell_line!(
            "mistakes     {} of them by mistakes of the compiler of machine code",
            compiled.faults
        );
    }
    tell_line!("code         {} bytes", compiled.code_bytes);
    tell_line!(
        "entered      {} running loops in machine code",
        counts.osr_entries
    );
    let all = counts.native_ops;
    let share = 100.0 * counts.helper_ops as f64 / all.max(1) as f64;
    tell_line!(
        "operations   {all} in machine code, {} of them by the interpreter ({share:.2} %)",
        counts.helper_ops
    );
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
