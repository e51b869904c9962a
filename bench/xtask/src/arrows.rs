//! Who may know whom: the arrows between the crates of the workspace, checked against what cargo says; and which packages FLIN
//! is built on, whoever thinks of something quicker. Here because a wrong arrow is cheap to add and dear to remove, and a
//! package that was agreed on is as quickly gone. Must stay true: the table below is the one in ARCHITECTURE.md; test crates and
//! dev-dependencies may know everything, nobody may know them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::steps;

/// Crate and the workspace crates that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("flin-syntax", &[]),
    ("flin-bytecode", &[]),
    ("flin-store", &[]),
    ("flinc", &["flin-syntax", "flin-bytecode"]),
    ("flin-vm", &["flin-bytecode"]),
    ("flin-jit", &["flin-vm", "flin-bytecode"]),
    ("flin-runtime", &["flin-vm", "flin-store"]),
    ("flin-server", &["flin-runtime"]),
    (
        "flinvm",
        &["flin-server", "flin-runtime", "flin-jit", "flinc"],
    ),
    ("flin-testkit", &[]),
    ("xtask", &[]),
];

/// Crates that exist only for tests: they may know everything.
const TEST_CRATES: &[&str] = &[
    "flin-attack",
    "flin-corpus",
    "flin-browser",
    "flin-bench",
    "flin-soak",
    "flin-store-hunt",
    "flin-bench-store",
    "flin-bench-web",
    "flin-fuzz",
];

/// Crates outside the workspace that only the named crates may know: the rooms they do their work in.
const ROOMS: &[(&str, &[&str])] = &[
    ("lalrpop", &["flin-syntax"]),
    ("lalrpop-util", &["flin-syntax"]),
    ("cranelift-codegen", &["flin-jit"]),
    ("cranelift-frontend", &["flin-jit"]),
    ("cranelift-jit", &["flin-jit"]),
    ("cranelift-module", &["flin-jit"]),
    ("cranelift-native", &["flin-jit"]),
    ("hyper", &["flin-server"]),
    ("memmap2", &["flin-store", "flin-vm"]),
];

/// Packages that FLIN is agreed to be built on, each with the crate that must do that work with it. Whoever wants to replace
/// one asks those who agreed on it first.
const FOUNDATIONS: &[(&str, &str)] = &[
    ("cranelift-codegen", "flin-jit"),
    ("cranelift-frontend", "flin-jit"),
    ("cranelift-jit", "flin-jit"),
    ("crc32fast", "flin-store"),
    ("hyper", "flin-server"),
    ("iai-callgrind", "flin-bench"),
    ("lalrpop", "flin-syntax"),
    ("memmap2", "flin-store"),
    ("tokio", "flin-server"),
];

/// Checks all arrows, and the packages that FLIN is built on.
///
/// # Errors
/// One line per arrow that is not allowed and per package that is missing.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let metadata = steps::metadata(root)?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let for_tests = TEST_CRATES.contains(&name);
        if !for_tests && !allowed.contains_key(name) {
            problems.push(format!(
                "crate {name} is not in the table of arrows (bench/xtask/src/arrows.rs)"
            ));
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            if kind == "dev" || for_tests {
                continue;
            }
            let inside = names.contains(&to);
            if inside && !allowed.get(name).is_some_and(|list| list.contains(&to)) {
                problems.push(format!("{name} may not depend on {to}"));
            }
            if let Some((_, rooms)) = ROOMS.iter().find(|(outside, _)| *outside == to)
                && !rooms.contains(&name)
            {
                problems.push(format!(
                    "{name} may not depend on {to}: that is the work of {}",
                    rooms.join(", ")
                ));
            }
        }
    }
    problems.extend(missing_foundations(packages, FOUNDATIONS));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

/// The packages of a table that their crate does not depend on, or names in none of its sources.
fn missing_foundations(packages: &[serde_json::Value], table: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (foundation, room) in table {
        let package = packages.iter().find(|package| package["name"] == *room);
        let dependencies = package.and_then(|it| it["dependencies"].as_array());
        let depends = dependencies
            .into_iter()
            .flatten()
            .any(|dependency| dependency["name"] == *foundation);
        let folder = package
            .and_then(|it| it["manifest_path"].as_str())
            .and_then(|manifest| Path::new(manifest).parent());
        let path = format!("{}::", foundation.replace('-', "_"));
        if !depends {
            problems.push(format!(
                "{room} must depend on {foundation}: FLIN is agreed to be built on it"
            ));
        } else if !folder.is_some_and(|folder| names(folder, &path)) {
            problems.push(format!(
                "{room} must do its work with {foundation}, but no source of it says {path}"
            ));
        }
    }
    problems
}

/// Whether a Rust source below a folder says a word, comments aside.
fn names(folder: &Path, word: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return !path.ends_with("target") && names(&path, word);
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        is_rust
            && std::fs::read_to_string(&path).is_ok_and(|text| {
                let mut lines = text.lines().map(str::trim_start);
                lines.any(|line| !line.starts_with("//") && line.contains(word))
            })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_arrow_is_allowed() {
        super::check(&crate::root()).unwrap();
    }

    #[test]
    fn a_foundation_that_is_gone_or_idle_is_missed() {
        let manifest = crate::root().join("bench/xtask/Cargo.toml");
        let package = serde_json::json!({
            "name": "xtask",
            "manifest_path": manifest,
            "dependencies": [{ "name": "serde_json" }, { "name": "idle-package" }],
        });
        let missing =
            |name| super::missing_foundations(std::slice::from_ref(&package), &[(name, "xtask")]);
        assert_eq!(missing("serde_json"), Vec::<String>::new());
        assert!(missing("gone")[0].contains("must depend on gone"));
        assert!(missing("idle-package")[0].contains("no source of it says"));
    }
}
