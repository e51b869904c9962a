//! `cargo demo`: from a fresh clone to a live page in one command. Here because the first minute decides. Must stay true:
//! it does what the README's two commands do, nothing more.

use std::path::Path;

use crate::steps;

/// Builds both programs (without optimisation: the first page counts, not the thousandth), compiles the to-do example and serves it; further arguments go to `flinvm serve`.
///
/// # Errors
/// When a step fails.
pub(crate) fn run(root: &Path, more: &[&str]) -> Result<(), String> {
    steps::run(root, "cargo", &["build", "-p", "flinc", "-p", "flinvm"])?;
    let target = steps::target_dir(root)?;
    let module = target.join("todo.fbc");
    let module = module.to_string_lossy();
    let (flinc, flinvm) = (target.join("debug/flinc"), target.join("debug/flinvm"));
    steps::run(
        root,
        &flinc.to_string_lossy(),
        &["examples/todo/todo.flin", "-o", &module],
    )?;
    let more: Vec<&str> = more.iter().copied().filter(|arg| *arg != "--").collect();
    let mut args = vec!["serve", module.as_ref()];
    if !more.contains(&"--port") {
        args.extend(["--port", "3000"]);
    }
    let data = target.join("demo.flindb");
    let data = data.to_string_lossy();
    if !more.contains(&"--data") {
        args.extend(["--data", data.as_ref()]);
    }
    args.extend(more);
    steps::run(root, &flinvm.to_string_lossy(), &args)
}
