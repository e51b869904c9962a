//! The classic kernels in five languages: what they are, how they are given a size, who runs them, how long that takes. Here
//! because "fast" means faster than something that people know. Must stay true: the files of a kernel do the same by
//! the same steps and print the same text; one constant `SIZE` near their top is all that a run changes.

pub mod clock;
pub mod kernels;
pub mod runners;
pub mod start;
pub mod table;

use std::path::{Path, PathBuf};

use kernels::{KERNELS, Kernel};
use runners::{RUNNERS, Runner};
use table::Table;

/// What is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names of kernels; all if empty.
    pub kernels: Vec<String>,
    /// Names of runners; all if empty (the native one only with `native`).
    pub only: Vec<String>,
    /// How often each program runs; the fastest counts.
    pub rounds: usize,
    /// Whether the native programs run too.
    pub native: bool,
    /// Whether the result goes into the document.
    pub write: bool,
}

/// Rounds unless the command line says something else.
const ROUNDS: usize = 3;

impl Wanted {
    /// Reads `[--kernel NAME …] [--only A,B] [--rounds N] [--native] [--write]`.
    ///
    /// # Errors
    /// A word that is unknown, or a name that no kernel or runner has.
    pub fn parse(words: &[&str]) -> Result<Wanted, String> {
        let mut wanted = Wanted {
            rounds: ROUNDS,
            ..Wanted::default()
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let next = words.next().ok_or(format!("`{word}` needs a value"));
                next.map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>())
            };
            match *word {
                "--kernel" => wanted.kernels.extend(value()?),
                "--only" => wanted.only.extend(value()?),
                "--rounds" => {
                    let count = value()?.concat();
                    wanted.rounds = count
                        .parse()
                        .ok()
                        .filter(|n| *n > 0)
                        .ok_or(format!("`{count}` is no number of rounds"))?;
                }
                "--native" => wanted.native = true,
                "--write" => wanted.write = true,
                other => return Err(format!("`bench compute` does not know `{other}`")),
            }
        }
        let names = KERNELS.iter().map(|kernel| kernel.name);
        known("kernel", &wanted.kernels, &names.collect::<Vec<_>>())?;
        let names = RUNNERS.iter().map(|runner| runner.name);
        known("runner", &wanted.only, &names.collect::<Vec<_>>())?;
        Ok(wanted)
    }

    fn has_kernel(&self, kernel: &Kernel) -> bool {
        self.kernels.is_empty() || self.kernels.iter().any(|name| name == kernel.name)
    }

    fn has_runner(&self, runner: &Runner) -> bool {
        if self.only.is_empty() {
            runner.name != runners::NATIVE || self.native
        } else {
            self.only.iter().any(|name| name == runner.name)
        }
    }
}

fn known(what: &str, given: &[String], names: &[&str]) -> Result<(), String> {
    match given.iter().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!(
            "there is no {what} `{name}`; there are {}",
            names.join(", ")
        )),
    }
}

/// Measures, round by round so that a slow minute of the machine meets everybody, and prints the table.
///
/// # Errors
/// When a program cannot be built or fails, or two print different texts.
pub fn run(wanted: &Wanted, work: &Path) -> Result<Table, String> {
    let runners: Vec<&Runner> = RUNNERS
        .iter()
        .filter(|runner| wanted.has_runner(runner) && runner.is_here())
        .collect();
    let kernels: Vec<&Kernel> = KERNELS
        .iter()
        .filter(|kernel| wanted.has_kernel(kernel))
        .collect();
    let mut table = Table::new(&kernels, &runners);
    for (row, kernel) in kernels.iter().enumerate() {
        let folder = work.join(kernel.name);
        let commands = runners
            .iter()
            .map(|runner| runner.prepare(&kernel.folder(), &folder, Some(kernel.timed_size)))
            .collect::<Result<Vec<_>, String>>()?;
        let mut printed: Option<(&str, String)> = None;
        for _round in 0..wanted.rounds {
            for (column, runner) in runners.iter().enumerate() {
                let ran = clock::run(&commands[column])?;
                same_text(kernel, &mut printed, runner.name, &ran.printed)?;
                table.add(row, column, ran.cpu);
            }
        }
        println!("{}", table.line(row));
    }
    Ok(table)
}

/// All runners of a kernel must print the same.
fn same_text<'a>(
    kernel: &Kernel,
    first: &mut Option<(&'a str, String)>,
    runner: &'a str,
    printed: &str,
) -> Result<(), String> {
    match first {
        None => *first = Some((runner, printed.to_owned())),
        Some((other, text)) if text != printed => {
            return Err(format!(
                "{}: {other} prints\n{text}\nbut {runner} prints\n{printed}",
                kernel.name
            ));
        }
        Some(_) => {}
    }
    Ok(())
}

/// The folder of a kernel's sources.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("compute")
        .join(name)
}
