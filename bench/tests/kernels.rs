//! The kernels do the same in every language: at the tiny size that their files name, each prints the lines that stand at the
//! end of its FLIN file (the corpus tests FLIN itself). Must stay true: a peer that is missing is a failure that says
//! what to install, never a test that is not run.

use std::process::Command;

use flin_bench::compute::kernels::{KERNELS, sized};

/// What the FLIN file expects to be printed.
fn expected(source: &str) -> String {
    let lines = source.lines().filter_map(|line| line.strip_prefix("//> "));
    lines.collect::<Vec<_>>().join("\n")
}

fn prints_the_same(program: &str, file: &str) {
    for kernel in KERNELS {
        let folder = kernel.folder();
        let flin = std::fs::read_to_string(folder.join("kernel.flin")).expect("a kernel");
        let output = Command::new(program)
            .arg(folder.join(file))
            .output()
            .unwrap_or_else(|e| {
                panic!("`{program}`: {e}; `cargo xtask test` installs what tests need")
            });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {file}: {said}", kernel.name);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            printed.trim_end(),
            expected(&flin),
            "{} {file}",
            kernel.name
        );
    }
}

#[test]
fn javascript_prints_the_same() {
    prints_the_same("node", "kernel.js");
}

#[test]
fn lua_prints_the_same() {
    prints_the_same("luajit", "kernel.lua");
}

#[test]
fn python_prints_the_same() {
    prints_the_same("python3", "kernel.py");
}

/// All kernels as one program, so that the compiler is started once.
#[test]
fn rust_prints_the_same() {
    let work = work_folder();
    std::fs::create_dir_all(&work).expect("a folder");
    let (mut modules, mut calls) = (String::new(), String::new());
    for kernel in KERNELS {
        let name = kernel.name;
        let text = std::fs::read_to_string(kernel.folder().join("kernel.rs")).expect("a kernel");
        let public = text.replace("\nfn main()", "\npub fn main()");
        std::fs::write(work.join(format!("{name}.rs")), public).expect("a file");
        modules += &format!("mod {name};\n");
        calls += &format!("println!(\"= {name}\"); {name}::main();\n");
    }
    let program = format!("{modules}fn main() {{ {calls} }}");
    let (source, binary) = (work.join("all.rs"), work.join("all"));
    std::fs::write(&source, program).expect("a file");
    let compiled = Command::new("rustc")
        .args(["--edition=2024", "-o"])
        .args([&binary, &source])
        .output()
        .expect("rustc");
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{said}");
    let output = Command::new(&binary).output().expect("the kernels");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut wanted = String::new();
    for kernel in KERNELS {
        let flin = std::fs::read_to_string(kernel.folder().join("kernel.flin")).expect("a kernel");
        wanted += &format!("= {}\n{}\n", kernel.name, expected(&flin));
    }
    std::fs::remove_dir_all(&work).expect("the folder is mine");
    assert_eq!(printed, wanted);
}

fn work_folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("flin-kernels-{}", std::process::id()))
}

#[test]
fn every_file_takes_a_size() {
    for kernel in KERNELS {
        for ending in ["flin", "lua", "js", "py", "rs"] {
            let file = kernel.folder().join(format!("kernel.{ending}"));
            let text = std::fs::read_to_string(&file).expect("a kernel");
            assert!(sized(&text, 7).is_ok(), "{}", file.display());
        }
    }
}
