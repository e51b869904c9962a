//! Instructions that the compiler needs, counted by callgrind: the same on every machine and under every load, so that a
//! change of two percent is seen. Here because a clock cannot see that. Must stay true: the programs never change without
//! the table of counts (`counts.txt`); `cargo xtask bench counts` compares.

#![allow(missing_docs, unused_qualifications, reason = "what the macros make")]

use std::hint::black_box;

use flin_bench::application::application;
use flin_bench::stages::{Times, stages};
use iai_callgrind::{library_benchmark, library_benchmark_group, main};

fn counter_source() -> String {
    include_str!("../../examples/counter/counter.flin").to_owned()
}

fn todo_source() -> String {
    include_str!("../../examples/todo/todo.flin").to_owned()
}

fn generated() -> String {
    application(2_000, 1)
}

#[library_benchmark]
#[bench::counter(counter_source())]
#[bench::todo(todo_source())]
#[bench::lines_2000(generated())]
fn compile(source: String) -> Times {
    stages(black_box(&source)).expect("a right program")
}

library_benchmark_group!(name = compiler; benchmarks = compile);
main!(library_benchmark_groups = compiler);
