//! Golden disassembly of optimised programs: what the optimiser makes of what lowering wrote. Must stay true: every module
//! here passes the verifier, with all passes and without each of them; `BLESS=1` rewrites the `.code` files.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::Path;

use flinc::optimise::{Pass, Passes};

#[test]
fn optimised_programs_become_this_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/optimise");
    let mut failures = Vec::new();
    for path in flin_testkit::golden::files(&folder, ".flin") {
        let name = path.file_name().expect("a file name").to_string_lossy();
        let source = std::fs::read_to_string(&path).expect("a program");
        let module = flinc::compile(&name, &source).unwrap_or_else(|d| panic!("{name}: {d:#?}"));
        let module = module.module;
        let own = module
            .functions
            .iter()
            .enumerate()
            .filter(|(_, f)| !f.from_prelude);
        let code: Vec<String> = own
            .map(|(at, _)| flin_bytecode::text::disassemble_function(&module, at, Some(&source)))
            .collect();
        let code = code.join("\n");
        failures.extend(flin_testkit::golden::compare(&path.with_extension("code"), &code).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn each_pass_can_be_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests/optimise", "../examples"] {
        for path in flin_testkit::golden::files(&root.join(folder), ".flin") {
            let source = std::fs::read_to_string(&path).expect("a program");
            for pass in Pass::ALL {
                let passes = Passes::without(pass.name()).expect("a pass");
                assert!(!passes.has(pass));
                let compiled = flinc::compile_with("app.flin", &source, passes);
                let module = compiled
                    .unwrap_or_else(|d| panic!("{}: {d:#?}", path.display()))
                    .module;
                flin_bytecode::verify(&module)
                    .unwrap_or_else(|e| panic!("{} without {}: {e}", path.display(), pass.name()));
            }
        }
    }
    let unknown = Passes::without("inline,unrol").expect_err("there is no such pass");
    assert_eq!(
        unknown.to_string(),
        "there is no optimisation `unrol`; there are inline, leaves, copies, branches, hoist, repeats, ranges, fold, push"
    );
}
