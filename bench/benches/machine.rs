//! Instructions that the machine and the store need, counted by callgrind: every kernel by both engines, making machine code of a function, loading and verifying a program,
//! rendering a page, appending to the log and recovering from it. Must stay true: only the step itself is counted, its
//! preparation and its end are not; `cargo xtask bench counts` compares with `counts.txt`.

#![allow(missing_docs, unused_qualifications, reason = "what the macros make")]

use std::hint::black_box;
use std::sync::Arc;

use flin_bench::application::application;
use flin_bench::compute::kernels::{KERNELS, Kernel};
use flin_bench::loaded;
use flin_bench::native::Prepared;
use flin_runtime::store::{Disk, Store};
use flin_runtime::vm::Program;
use flin_runtime::{Outcome, Runtime};
use iai_callgrind::{library_benchmark, library_benchmark_group, main};

fn named(name: &str) -> Runtime {
    let wanted = |kernel: &&Kernel| kernel.name == name;
    loaded::kernel(KERNELS.iter().find(wanted).expect("a kernel"))
}

#[library_benchmark]
#[bench::recursion(named("recursion"))]
#[bench::loops(named("loops"))]
#[bench::sieve(named("sieve"))]
#[bench::records(named("records"))]
#[bench::nbody(named("nbody"))]
#[bench::spectral(named("spectral"))]
#[bench::fannkuch(named("fannkuch"))]
#[bench::mandelbrot(named("mandelbrot"))]
#[bench::matrix(named("matrix"))]
#[bench::trees(named("trees"))]
#[bench::sort(named("sort"))]
#[bench::closures(named("closures"))]
#[bench::distance(named("distance"))]
#[bench::strings(named("strings"))]
#[bench::words(named("words"))]
#[bench::json(named("json"))]
fn kernel(runtime: Runtime) -> Runtime {
    loaded::run(black_box(runtime))
}

fn compiled(name: &str) -> Runtime {
    loaded::with_machine_code(named(name))
}

// Compiling what is hot counts, too: it is part of what a run costs.
#[library_benchmark]
#[bench::recursion(compiled("recursion"))]
#[bench::loops(compiled("loops"))]
#[bench::sieve(compiled("sieve"))]
#[bench::records(compiled("records"))]
#[bench::nbody(compiled("nbody"))]
#[bench::spectral(compiled("spectral"))]
#[bench::fannkuch(compiled("fannkuch"))]
#[bench::mandelbrot(compiled("mandelbrot"))]
#[bench::matrix(compiled("matrix"))]
#[bench::trees(compiled("trees"))]
#[bench::sort(compiled("sort"))]
#[bench::closures(compiled("closures"))]
#[bench::distance(compiled("distance"))]
#[bench::strings(compiled("strings"))]
#[bench::words(compiled("words"))]
#[bench::json(compiled("json"))]
fn machine_code(runtime: Runtime) -> Runtime {
    loaded::run(black_box(runtime))
}

#[library_benchmark]
#[bench::expression_40(Prepared::named("an expression", 40))]
#[bench::branches_40(Prepared::named("eight lines of branches", 40))]
#[bench::two_calls_40(Prepared::named("two calls", 40))]
#[bench::loop_over_a_list_40(Prepared::named("a loop over a list", 40))]
fn make_machine_code(prepared: Prepared) -> Prepared {
    black_box(prepared).compile()
}

#[library_benchmark]
#[bench::lines_2000(loaded::module_bytes(&application(2_000, 1)))]
fn load_and_verify(bytes: Vec<u8>) -> (Vec<u8>, Arc<Program>) {
    let program = loaded::load(black_box(&bytes));
    (bytes, program)
}

const TODO_LIST: &str = include_str!("../../examples/todo/todo.flin");

#[library_benchmark]
#[bench::todos_100(loaded::todos(TODO_LIST, 100))]
fn page(runtime: Runtime) -> (Runtime, Outcome) {
    loaded::render(black_box(runtime))
}

#[library_benchmark]
#[bench::commits_100(loaded::log_of(10))]
fn append((disk, store): (Arc<dyn Disk>, Store)) -> (Arc<dyn Disk>, Store) {
    loaded::append(black_box(&store), 100);
    (disk, store)
}

fn closed_log(commits: usize) -> Arc<dyn Disk> {
    let (disk, store) = loaded::log_of(commits);
    store.close().expect("closed");
    disk
}

#[library_benchmark]
#[bench::commits_1000(closed_log(1_000))]
fn recover(disk: Arc<dyn Disk>) -> (Arc<dyn Disk>, Store) {
    let store = loaded::recover(black_box(&disk));
    (disk, store)
}

library_benchmark_group!(name = machine; benchmarks = kernel, machine_code, make_machine_code, load_and_verify, page, append, recover);
main!(library_benchmark_groups = machine);
