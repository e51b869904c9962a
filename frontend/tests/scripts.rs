//! What the public script of a page may compute, and what never stands in it. Here because a mistake of placement shows as a
//! page that says something else than its program, or that tells a secret. Must stay true: the browser computes only what it
//! knows everything of.

use flin_bytecode::{Module, Owner, Runs};

fn page(source: &str) -> Module {
    match flinc::compile("page.flin", source) {
        Ok(compiled) => compiled.module,
        Err(found) => panic!("{found:?}"),
    }
}

fn runs(module: &Module) -> Vec<Runs> {
    let handlers = module.pages[0].handlers.iter();
    handlers.map(|handler| handler.runs).collect()
}

fn owners(module: &Module) -> Vec<Owner> {
    let places = module.pages[0].templates[0].places.iter();
    places.map(|place| place.owner).collect()
}

/// The browser has no such patterns: `ok` read as false in it, in the view and in the handler.
#[test]
fn what_reads_a_variable_that_only_the_server_computes_runs_there() {
    let module = page(
        r#"draft = "7"
n = 0
ok = draft.matches("^[0-9]+$")
fine = ok && n < 9
view {
  <input bind={draft}/>
  {if fine}<p>fine</p>{/if}
  <button click={ if fine { n = n + 1 } }>+</button>
  <button click={ n = 0 }>0</button>
}
"#,
    );
    assert_eq!(runs(&module), [Runs::Server, Runs::Browser]);
    assert!(owners(&module).iter().all(|owner| *owner == Owner::Server));
    assert!(module.pages[0].script.contains("view: null"));
}

/// All computed constants stood in the script of each page that reads one, so that visitors could read them; one that
/// the browser cannot compute made all others 0; and what a handler changed in one stayed changed.
#[test]
fn constants_that_are_computed_stay_on_the_server() {
    let module = page(
        r#"const SECRETS = { key: "hunter2" }
const STEPS = [2, 3]
const STEP = 5
n = 0
word = ""
fn known() { word == SECRETS.key }
twice = STEPS[0] * n
view {
  <input bind={word}/>
  <p>{n}</p><p>{n * STEPS.len}</p><p>{twice}</p>
  <button click={ n = n + STEP }>+</button>
  <button click={ n = n + STEPS[1] }>+</button>
  <button click={ if known() { n = 0 } }>0</button>
  <button click={ n = twice }>2</button>
}
"#,
    );
    let page = &module.pages[0];
    assert_eq!(
        runs(&module),
        [Runs::Browser, Runs::Server, Runs::Server, Runs::Server]
    );
    assert!(!page.script.is_empty() && !page.script.contains("hunter2"));
    assert!(!page.source_map.contains("hunter2"));
    // The bound box, and the first paragraph; what constants are in is computed by the server.
    assert_eq!(
        owners(&module),
        [Owner::Browser, Owner::Browser, Owner::Server, Owner::Server]
    );
}

/// The title did not follow when the browser computed the branch or the loop around it.
#[test]
fn a_title_in_a_branch_makes_the_branch_the_servers() {
    let module = page(
        r#"n = 0
view {
  {if n > 3}<title>many</title><p>many</p>{else}<p>few</p>{/if}
  {for x in [n]}<style>p {{ margin: 0 }}</style><p>{x}</p>{/for}
  {if n > 3}<p>many</p>{/if}
  <button click={ n = n + 1 }>+</button>
}
"#,
    );
    assert_eq!(
        owners(&module),
        [Owner::Server, Owner::Server, Owner::Browser]
    );
    assert_eq!(runs(&module), [Runs::Browser]);
}
