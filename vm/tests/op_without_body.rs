//! An operation without a body does not compile. Shown on a copy of this crate from whose dispatch loop one arm was taken
//! out; the unchanged copy compiles, so nothing else can be the reason. Must stay true: the loop has no wildcard arm.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flin_bytecode::Op;

const DISPATCH: &str = "src/interp/mod.rs";

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder in the target directory");
    for entry in std::fs::read_dir(from).expect("the sources of this crate") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copied file");
        }
    }
}

/// A crate of its own with the sources of this one.
fn copy_of_the_crate() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vm-without-a-body");
    if copy.join("src").exists() {
        std::fs::remove_dir_all(copy.join("src")).expect("the old copy goes");
    }
    copy_folder(&here.join("src"), &copy.join("src"));
    let manifest = format!(
        "[package]\nname = \"vm-copy\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         flin-bytecode = {{ path = {:?} }}\nfoldhash = \"*\"\nregex = \"*\"\nryu-js = \"*\"\n{}",
        here.join("bytecode"),
        extra_dependencies(here),
    );
    std::fs::write(copy.join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::copy(here.join("../Cargo.lock"), copy.join("Cargo.lock")).expect("the lock file");
    copy
}

/// Dependencies of this crate that came later than this test.
fn extra_dependencies(here: &Path) -> String {
    let manifest = std::fs::read_to_string(here.join("Cargo.toml")).expect("the manifest");
    // The plain section and those of targets; not what only tests need.
    manifest
        .split("\n[")
        .filter(|section| {
            let title = section.lines().next().unwrap_or_default();
            title.ends_with("dependencies]") && !title.starts_with("dev-")
        })
        .flat_map(|section| section.lines().skip(1))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('.').next())
        .filter(|name| {
            !name.is_empty() && !["flin-bytecode", "foldhash", "regex", "ryu-js"].contains(name)
        })
        .map(|name| format!("{name} = \"*\"\n"))
        .collect()
}

fn check(copy: &Path) -> Output {
    Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--lib"])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("RUSTFLAGS", "-A warnings")
        .output()
        .expect("cargo runs")
}

#[test]
fn the_dispatch_loop_names_every_operation_and_has_no_wildcard() {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(DISPATCH))
        .expect("the source");
    let dispatch = &source[source.find("match i.op()").expect("the match")..];
    let arms = &dispatch[..dispatch
        .find("match unwind::unwind")
        .expect("the end of the loop")];
    assert!(
        !arms.contains("_ =>"),
        "a wildcard arm would hide an operation without a body"
    );
    for op in Op::ALL {
        let name = format!("Op::{op:?}");
        let found = arms.match_indices(&name).filter(|(at, _)| {
            !arms[at + name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
        });
        assert_eq!(found.count(), 1, "{name} has one arm");
    }
}

#[test]
fn an_operation_without_a_body_does_not_compile() {
    let copy = copy_of_the_crate();
    let whole = check(&copy);
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stderr)
    );
    let path = copy.join(DISPATCH);
    let source = std::fs::read_to_string(&path).expect("the copied source");
    let arm = source
        .lines()
        .find(|line| line.trim_start().starts_with("Op::ForNext =>"))
        .expect("the arm of for.next");
    std::fs::write(&path, source.replace(arm, "")).expect("the source without the arm");
    let broken = check(&copy);
    let said = String::from_utf8_lossy(&broken.stderr);
    assert!(!broken.status.success(), "it must not compile");
    assert!(
        said.contains("E0004") && said.contains("ForNext"),
        "for the right reason: {said}"
    );
}
