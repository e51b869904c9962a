//! Golden disassembly of small programs: what the compiler makes of one construct each. Must stay true: every module here
//! passes the verifier; `BLESS=1` rewrites the `.code` files beside the programs.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]

use std::path::Path;

#[test]
fn small_programs_become_this_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lower");
    let mut failures = Vec::new();
    for path in flin_testkit::golden::files(&folder, ".flin") {
        let name = path
            .file_name()
            .expect("a file name")
            .to_string_lossy()
            .into_owned();
        let source = std::fs::read_to_string(&path).expect("a program");
        match flinc::compile_with(&name, &source, flinc::optimise::Passes::none()) {
            Ok(compiled) => {
                flin_bytecode::verify(&compiled.module).unwrap_or_else(|e| panic!("{name}: {e}"));
                let code = own_code(&compiled.module, &source);
                failures.extend(
                    flin_testkit::golden::compare(&path.with_extension("code"), &code).err(),
                );
            }
            Err(diagnostics) => failures.push(format!("{name}: {diagnostics:#?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The functions of the program itself; the prelude has programs of its own.
fn own_code(module: &flin_bytecode::Module, source: &str) -> String {
    let own = module
        .functions
        .iter()
        .enumerate()
        .filter(|(_, function)| !function.from_prelude);
    let parts: Vec<String> = own
        .map(|(at, _)| flin_bytecode::text::disassemble_function(module, at, Some(source)))
        .collect();
    parts.join("\n")
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for path in flin_testkit::golden::files(&root, ".flin") {
        let source = std::fs::read_to_string(&path).expect("a program");
        let bytes = || {
            flin_bytecode::fbc::write(
                &flinc::compile("app.flin", &source)
                    .expect("an example")
                    .module,
            )
        };
        assert!(
            bytes() == bytes(),
            "{} gives different bytes",
            path.display()
        );
    }
}

#[test]
fn the_prelude_has_every_function_that_the_library_table_names() {
    let prelude = flin_syntax::parse(flinc::PRELUDE);
    assert!(prelude.diagnostics.is_empty(), "{:?}", prelude.diagnostics);
    for row in flin_bytecode::LIBRARY {
        if let flin_bytecode::LibBody::Prelude(name) = row.body {
            assert!(
                flinc::PRELUDE.contains(&format!("\nfn {name}(")),
                "the prelude has no fn {name}"
            );
        }
    }
}

/// The entities whose changes are told to the page of a program.
fn read_by_page(view: &str) -> Vec<String> {
    let source = format!(
        "entity Project {{ name: text, boss: Person }}\nentity Person {{ name: text }}\nentity Alone {{ name: text }}\n\
         entity Task {{ title: text, project: Project? }}\n\
         fn name_of(x: any) -> any {{ x.project.name }}\nview {{ <ul>{{for t in Task.all}}<li>{view}</li>{{/for}}</ul> }}"
    );
    let module = flinc::compile("app.flin", &source)
        .unwrap_or_else(|diagnostics| panic!("{view}: {diagnostics:#?}"))
        .module;
    let reads = module.pages[0].reads.iter();
    let mut names: Vec<String> = reads
        .map(|entity| module.entities[entity.index()].name.clone())
        .collect();
    names.sort();
    names
}

#[test]
fn a_page_reads_every_type_it_can_come_to() {
    assert_eq!(read_by_page("{t.title}"), ["Task"]);
    assert_eq!(read_by_page("{t.project?.name}"), ["Project", "Task"]);
    // What is known only at run time may be a record with links.
    assert_eq!(read_by_page("{name_of(t)}"), ["Project", "Task"]);
}
