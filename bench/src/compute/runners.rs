//! Who runs the kernels: FLIN's two engines and its peers. Must stay true: every runner of a language gets the same file; what
//! a language compiles ahead of time is compiled before the clock starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compute::kernels::sized;

/// The program made by `rustc -O`, which runs only when asked for.
pub const NATIVE: &str = "native";
/// All ratios are to this one.
pub const REFERENCE: &str = "luajit";

/// A way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runner {
    /// What the column is called.
    pub name: &'static str,
    /// Ending of the language's file.
    ending: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// `flinvm run FILE --jit=…` on a compiled module.
    Flin(&'static str),
    /// An interpreter on the search path, with these words before the file.
    Program(&'static str, &'static [&'static str]),
    /// A binary made by `rustc -O`.
    Rustc,
}

/// All runners, in the order of the columns.
pub const RUNNERS: [Runner; 9] = [
    flin("flin-jit", "--jit=auto"),
    flin("flin-interp", "--jit=off"),
    program("luajit", "lua", "luajit", &[]),
    program("luajit-off", "lua", "luajit", &["-joff"]),
    program("lua5.4", "lua", "lua5.4", &[]),
    program("node", "js", "node", &[]),
    program("pypy", "py", "pypy3", &[]),
    program("cpython", "py", "python3", &[]),
    Runner {
        name: NATIVE,
        ending: "rs",
        how: How::Rustc,
    },
];

const fn flin(name: &'static str, option: &'static str) -> Runner {
    Runner {
        name,
        ending: "flin",
        how: How::Flin(option),
    }
}

const fn program(
    name: &'static str,
    ending: &'static str,
    program: &'static str,
    words: &'static [&'static str],
) -> Runner {
    Runner {
        name,
        ending,
        how: How::Program(program, words),
    }
}

/// A program and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What is started.
    pub program: PathBuf,
    /// Its arguments.
    pub words: Vec<String>,
}

impl Runner {
    /// Whether it can be started here. A peer that cannot has been named when it was to be installed. While `flinvm` has no
    /// choice of engines, there is one column for it.
    pub fn is_here(&self) -> bool {
        match self.how {
            How::Flin(option) => option.ends_with("off") || has_engines(),
            How::Program(program, _) => on_path(program),
            How::Rustc => on_path("rustc"),
        }
    }

    /// Writes the source with that size into `work`, compiles what is compiled ahead of time, and gives the command.
    ///
    /// # Errors
    /// When a file cannot be read or written, or does not compile.
    pub fn prepare(
        &self,
        sources: &Path,
        work: &Path,
        size: Option<u64>,
    ) -> Result<Prepared, String> {
        let source = sources.join(format!("kernel.{}", self.ending));
        let shown = source.display().to_string();
        let text = std::fs::read_to_string(&source).map_err(|e| format!("{shown}: {e}"))?;
        let text = match size {
            Some(size) => sized(&text, size).map_err(|e| format!("{shown}: {e}"))?,
            None => text,
        };
        std::fs::create_dir_all(work).map_err(|e| format!("{}: {e}", work.display()))?;
        let file = work.join(format!("kernel.{}", self.ending));
        write(&file, text.as_bytes())?;
        match self.how {
            How::Flin(option) => {
                let compiled =
                    flinc::compile(&shown, &text).map_err(|d| format!("{shown}: {d:#?}"))?;
                let module = work.join("kernel.fbc");
                write(&module, &flin_bytecode::fbc::write(&compiled.module))?;
                let mut words = vec!["run".to_owned(), module.display().to_string()];
                if has_engines() {
                    words.push(option.to_owned());
                }
                Ok(Prepared {
                    program: flin_testkit::process::program("flinvm"),
                    words,
                })
            }
            How::Program(program, words) => {
                let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
                words.push(file.display().to_string());
                Ok(Prepared {
                    program: program.into(),
                    words,
                })
            }
            How::Rustc => {
                let binary = work.join("kernel");
                let status = Command::new("rustc")
                    .args(["-O", "--edition=2024", "-o"])
                    .args([&binary, &file])
                    .status()
                    .map_err(|e| format!("`rustc` cannot be started: {e}"))?;
                if !status.success() {
                    return Err(format!("rustc does not compile {shown}"));
                }
                Ok(Prepared {
                    program: binary,
                    words: Vec::new(),
                })
            }
        }
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(file, bytes).map_err(|e| format!("{}: {e}", file.display()))
}

/// Whether `flinvm run` has the option `--jit`.
fn has_engines() -> bool {
    static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *KNOWN.get_or_init(|| {
        Command::new(flin_testkit::process::program("flinvm"))
            .args(["run", "--help"])
            .output()
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("--jit"))
    })
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}
