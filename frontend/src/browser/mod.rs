//! JavaScript from bytecode: what runs in the browser is made from the same lowering as what runs on the server. Here
//! because only the compiler sees both; the format of the result is docs/internals/browser-code.md. Must stay true: the
//! input is code before the optimiser; every operation and library row has a decision (`ops`, `rows`); code in the browser
//! does exactly what the machine would do, or gives up.

mod capable;
mod code;
mod compared;
mod flow;
mod kept;
mod letters;
mod module;
mod ops;
mod page;
mod pieces;
mod print;
mod rows;
mod sourcemap;
mod structure;
mod tree;
mod variables;

use std::collections::HashMap;

use flin_bytecode::{FuncId, Life, Module};

pub use capable::Capable;
pub use page::page_script;
pub(crate) use page::{all_in_browser, write_scripts};

/// A module of JavaScript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// Its source map (version 3), as JSON.
    pub source_map: String,
}

/// Where a variable of the source lives, and its name.
pub type LocalName = (Life, String);

/// Names of variables, by function.
pub type LocalNames = HashMap<FuncId, Vec<LocalName>>;

/// A whole program as a module that runs by itself. It exports `run(time_ms)`, which gives `{ printed, error, gaveUp }`;
/// run as a program of node it prints what the program prints. What only the server can do gives up when it is reached.
pub fn program_script(module: &Module, locals: &LocalNames) -> Script {
    let roots: Vec<FuncId> = [module.const_init, module.main]
        .into_iter()
        .flatten()
        .collect();
    let functions = module::reachable(module, &roots);
    let mut writer = module::Writer::new(module, locals, &functions);
    writer.line(format!("// JavaScript of {}.\n", module.source_name));
    for func in &functions {
        writer.function(*func);
    }
    let entries: Vec<&str> = roots
        .iter()
        .map(|root| writer.function_name(*root))
        .collect();
    let last = format!(
        r#"
export function run(time) {{
  return run_script([{}], time);
}}

if (import.meta.url === `file://${{process.argv[1]}}`) {{
  const {{ printed, error, gaveUp }} = run();
  printed.forEach((line) => console.log(line));
  if (error !== null) console.error(`error: ${{error.kind}}: ${{error.message}} (${{error.line}}:${{error.column}})`);
  if (gaveUp !== null) console.error(`gave up: ${{gaveUp}}`);
  process.exitCode = error === null && gaveUp === null ? 0 : 1;
}}"#,
        entries.join(", ")
    );
    writer.finish(&functions, "program.js", &last)
}
