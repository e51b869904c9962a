//! Who may know whom: the arrows between the crates of the workspace, checked against what cargo says. Here because a
//! wrong arrow is cheap to add and dear to remove. Must stay true: the table below is the one in ARCHITECTURE.md; test
//! crates and dev-dependencies may know everything, nobody may know them.

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
    "flin-corpus",
    "flin-browser",
    "flin-bench",
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
    ("cranelift-native", &["flin-jit"]),
    ("hyper", &["flin-server"]),
    ("memmap2", &["flin-store", "flin-vm"]),
];

/// Checks all arrows.
///
/// # Errors
/// One line per arrow that is not allowed.
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
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_arrow_is_allowed() {
        super::check(&crate::root()).unwrap();
    }
}
