//! What tests need from outside Rust, installed by package name. Here because a fresh machine has Rust only, and a test
//! must never be skipped because a tool is missing. Must stay true: root is asked for only where a package has to be
//! installed; when it cannot be had, the message says exactly what to type.

use std::path::{Path, PathBuf};

use crate::steps;

/// A tool and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "chromium",
        package: "chromium",
        why: "the browser tests",
    },
    Tool {
        program: "valgrind",
        package: "valgrind",
        why: "memcheck and counts of instructions",
    },
    Tool {
        program: "strace",
        package: "strace",
        why: "the tests of disks that fail",
    },
    Tool {
        program: "luajit",
        package: "luajit",
        why: "the kernels in other languages",
    },
    Tool {
        program: "node",
        package: "nodejs",
        why: "the kernels in other languages",
    },
    Tool {
        program: "npm",
        package: "npm",
        why: "the tools that judge pages",
    },
    Tool {
        program: "java",
        package: "default-jre-headless",
        why: "the HTML checker",
    },
    Tool {
        program: "python3",
        package: "python3",
        why: "the kernels in other languages",
    },
];

/// What only measuring needs.
const MEASURING: &[Tool] = &[Tool {
    program: "wrk",
    package: "wrk",
    why: "load on the server",
}];

/// What only attacks need.
const ATTACKING: &[Tool] = &[Tool {
    program: "slowhttptest",
    package: "slowhttptest",
    why: "slow attacks by another hand",
}];

/// What npm brings: judges of pages, each with the version that was read. The tests look for them here, below the target
/// folder.
const WEB_TOOLS: [(&str, &str); 2] = [("axe-core", "4.14.1"), ("vnu-jar", "26.9.27")];

/// Installs the judges of pages that are missing.
///
/// # Errors
/// When one is missing and cannot be installed.
fn ensure_web_tools(root: &Path) -> Result<(), String> {
    let dir = steps::target_dir(root)?.join("web-tools");
    let is_there = |(name, version): &(&str, &str)| {
        let about = dir.join("node_modules").join(name).join("package.json");
        let about = std::fs::read_to_string(about).unwrap_or_default();
        about.contains(&format!("\"version\": \"{version}\""))
    };
    if WEB_TOOLS.iter().all(is_there) {
        return Ok(());
    }
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let wanted = WEB_TOOLS.map(|(name, version)| format!("{name}@{version}"));
    println!("installing {} for the browser tests", wanted.join(", "));
    let place = dir.display().to_string();
    let mut args = vec![
        "install",
        "--prefix",
        &place,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ];
    args.extend(wanted.iter().map(String::as_str));
    steps::run(root, "npm", &args).map_err(|e| format!("{e}; please run: npm {}", args.join(" ")))
}

/// Installs what is missing.
///
/// # Errors
/// When a package is missing and cannot be installed.
pub(crate) fn ensure(root: &Path) -> Result<(), String> {
    ensure_these(root, TOOLS, |_| true)?;
    ensure_web_tools(root)
}

/// Installs what the browser tests need.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn ensure_for_browser(root: &Path) -> Result<(), String> {
    let wanted = ["chromium", "npm", "java"];
    ensure_these(root, TOOLS, |tool| wanted.contains(&tool.program))?;
    ensure_web_tools(root)
}

/// Installs one program if it is missing.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn ensure_one(root: &Path, program: &str) -> Result<(), String> {
    ensure_these(root, TOOLS, |tool| tool.program == program)?;
    ensure_these(root, MEASURING, |tool| tool.program == program)?;
    ensure_these(root, ATTACKING, |tool| tool.program == program)
}

/// Installs Fastify and better-sqlite3, which compiles a library in C, below the target folder, and says where. When that fails the
/// comparison goes on without them, and says so.
pub(crate) fn ensure_fastify(root: &Path) -> Option<PathBuf> {
    let from = root.join("bench/web/peers/fastify");
    let install = || -> Result<PathBuf, String> {
        let dir = steps::target_dir(root)?.join("web-peers");
        let fault = |e: std::io::Error| format!("{}: {e}", dir.display());
        std::fs::create_dir_all(&dir).map_err(fault)?;
        for file in ["package.json", "server.mjs"] {
            std::fs::copy(from.join(file), dir.join(file)).map_err(fault)?;
        }
        if !dir
            .join("node_modules/better-sqlite3/build/Release")
            .exists()
        {
            ensure_one(root, "npm")?;
            let place = dir.display().to_string();
            let words = ["install", "--prefix", &place, "--no-audit", "--no-fund"];
            steps::run(root, "npm", &words)?;
        }
        Ok(dir)
    };
    install()
        .map_err(|error| println!("Fastify does not take part: {error}"))
        .ok()
}

/// Whom FLIN is measured against.
const PEERS: &[Tool] = &[
    peer("luajit", "luajit"),
    peer("lua5.4", "lua5.4"),
    peer("node", "nodejs"),
    peer("pypy3", "pypy3"),
    peer("python3", "python3"),
];

const fn peer(program: &'static str, package: &'static str) -> Tool {
    Tool {
        program,
        package,
        why: "comparison",
    }
}

/// Installs the peers that are missing, one by one. One that cannot be installed is named and left out: figures of the others
/// are still worth having.
pub(crate) fn ensure_peers(root: &Path) {
    for peer in PEERS {
        if let Err(problem) = ensure_these(root, PEERS, |tool| tool.program == peer.program) {
            eprintln!(
                "warning: no column for {}: its installation failed: {problem}",
                peer.program
            );
        }
    }
}

fn ensure_these(root: &Path, tools: &[Tool], wanted: impl Fn(&Tool) -> bool) -> Result<(), String> {
    let missing: Vec<&Tool> = tools
        .iter()
        .filter(|tool| wanted(tool) && !steps::on_path(tool.program))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    for tool in &missing {
        println!("installing {} for {}", tool.package, tool.why);
    }
    let by_hand = format!(
        "please run: apt-get update && apt-get install -y {}",
        packages.join(" ")
    );
    if !steps::on_path("apt-get") {
        return Err(format!(
            "{} missing and there is no apt-get here; {by_hand}",
            packages.join(", ")
        ));
    }
    let is_root = steps::output(root, "id", &["-u"])?.trim() == "0";
    let mut prefix: Vec<&str> = Vec::new();
    if !is_root {
        if !steps::on_path("sudo") {
            return Err(format!(
                "installing packages needs root and there is no sudo; as root, {by_hand}"
            ));
        }
        prefix.push("sudo");
    }
    let apt = |args: &[&str]| {
        let mut all: Vec<&str> = prefix.clone();
        all.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        all.extend(args);
        steps::run(root, all[0], &all[1..])
    };
    apt(&["update", "-q"]).map_err(|e| format!("{e}; {by_hand}"))?;
    let mut install = vec!["install", "-y", "-q", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install).map_err(|e| format!("{e}; {by_hand}"))
}
