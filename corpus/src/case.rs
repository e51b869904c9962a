//! A program file taken apart: the program, what it asks of the runner, what is expected. Here because every tool that reads
//! the corpus must read it the same way. Must stay true: expectations are the last lines of a file and nothing else;
//! an unknown request is an error of the file, never ignored.

use std::path::{Path, PathBuf};

/// A program and what it is expected to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The program, expectations cut off.
    pub source: String,
    /// The expectation lines as one text.
    pub expected: String,
}

impl Case {
    /// Takes a program file apart.
    pub fn parse(text: &str) -> Case {
        let lines: Vec<&str> = text.lines().collect();
        let is_expectation = |line: &&&str| {
            line.starts_with("//>") || line.starts_with("//!") || line.starts_with("//?")
        };
        let count = lines.iter().rev().take_while(is_expectation).count();
        let (source, expected) = lines.split_at(lines.len() - count);
        Case {
            source: joined(source),
            expected: joined(expected),
        }
    }

    /// The file's text with other expectations.
    pub fn with_expected(&self, expected: &str) -> String {
        format!("{}{expected}", self.source)
    }

    /// The rules of the language reference that the program is written for: its lines `// rule: a.b, c.d`.
    pub fn rules(&self) -> Vec<String> {
        let lists = self
            .source
            .lines()
            .filter_map(|line| line.strip_prefix("// rule:"));
        let ids = lists.flat_map(|list| list.split(','));
        ids.map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect()
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

/// The folders of programs. Those of the benchmark, at the small size that their files name, are programs like all others.
pub const FOLDERS: [&str; 3] = ["programs", "bugs", KERNELS];

/// The small heavy programs whose code must stay typed: each is `NAME/kernel.flin`.
pub const KERNELS: &str = "../bench/compute";

/// The folder of the crate.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All program files, sorted, with their names: the path below the crate without its ending.
///
/// # Panics
/// If a folder cannot be read.
pub fn files() -> Vec<(String, PathBuf)> {
    let below = |folder: &str, ending| flin_testkit::golden::files(&root().join(folder), ending);
    let single = FOLDERS.iter().flat_map(|folder| below(folder, ".flin"));
    let all = single.chain(below(PROJECTS, ".project"));
    all.map(|path| (name_of(&path), path)).collect()
}

/// The name of a file of the corpus; a kernel's is `kernels/NAME`.
pub(crate) fn name_of(path: &Path) -> String {
    if let Ok(kernel) = path.strip_prefix(root().join(KERNELS)) {
        let name = kernel.parent().unwrap_or(kernel);
        return format!("kernels/{}", name.display());
    }
    let below = path.strip_prefix(root()).unwrap_or(path).with_extension("");
    below.display().to_string().replace('\\', "/")
}

/// Where projects stand, each in one file.
const PROJECTS: &str = "programs/projects";

/// What a program asks of the runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// `// with: memory 2 MiB`: the heap, in bytes.
    pub memory_bytes: Option<usize>,
    /// `// with: calls 100`: nested calls.
    pub call_depth: Option<u32>,
    /// `// with: fuel 5000`: calls and loop turns.
    pub fuel: Option<u64>,
    /// `// with: store full` or `// with: store clash`: how writes are refused.
    pub store: Option<StoreFault>,
    /// `// with: env NAME value`: the environment.
    pub env: Vec<(String, String)>,
    /// `// ask: GET /notes`, in order: requests to the pages and routes of a program.
    pub asks: Vec<String>,
}

/// How a store refuses to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The disk is full.
    Full,
    /// Somebody else changed the record.
    Clash,
}

impl Setup {
    /// Reads the lines `// with:` and `// ask:` of a program.
    ///
    /// # Errors
    /// A line that asks for something unknown.
    pub fn parse(source: &str) -> Result<Setup, String> {
        let mut setup = Setup::default();
        for line in source.lines() {
            if let Some(ask) = line.strip_prefix("// ask:") {
                setup.asks.push(ask.trim().to_owned());
            } else if let Some(with) = line.strip_prefix("// with:") {
                setup.with(with).ok_or_else(|| {
                    format!(
                        "`{line}`: expected memory N MiB, calls N, fuel N, store full, store clash or env NAME value"
                    )
                })?;
            }
        }
        Ok(setup)
    }

    fn with(&mut self, text: &str) -> Option<()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["memory", n, "MiB"] => self.memory_bytes = Some(n.parse::<usize>().ok()? << 20),
            ["calls", n] => self.call_depth = Some(n.parse().ok()?),
            ["fuel", n] => self.fuel = Some(n.parse().ok()?),
            ["store", "full"] => self.store = Some(StoreFault::Full),
            ["store", "clash"] => self.store = Some(StoreFault::Clash),
            ["env", name, rest @ ..] => self.env.push(((*name).to_owned(), rest.join(" "))),
            _ => return None,
        }
        Some(())
    }
}
