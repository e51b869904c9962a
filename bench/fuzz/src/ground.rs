//! What targets start from: the programs of the repository, and modules compiled from them. Here because several targets
//! mutate the same programs. Must stay true: made once per process, never changed; the order does not depend on the machine.

use std::sync::OnceLock;

use flin_bytecode::Module;
use flin_testkit::sources;

use crate::fbc::runs::{self, Outcome};

/// A program as compiled, and what it does.
pub struct Subject {
    /// Its path from the root.
    pub name: String,
    /// Its module.
    pub module: Module,
    /// What it does under small limits.
    pub(crate) outcome: Outcome,
}

/// The programs of the repository.
pub struct Ground {
    /// Name and text of every program, the broken ones too.
    pub sources: Vec<(String, String)>,
    /// Those without syntax errors.
    pub readable: Vec<String>,
    subjects: OnceLock<Vec<Subject>>,
}

impl Ground {
    /// Reads them.
    pub fn new() -> Ground {
        let root = sources::root();
        let sources: Vec<(String, String)> = sources::flin_files()
            .into_iter()
            .map(|(path, text)| {
                let name = path.strip_prefix(&root).unwrap_or(&path);
                (name.display().to_string(), text)
            })
            .collect();
        let readable = sources
            .iter()
            .filter(|(_, text)| text.len() < 8_000 && !flin_syntax::parse(text).has_errors())
            .map(|(_, text)| text.clone())
            .collect();
        Ground {
            sources,
            readable,
            subjects: OnceLock::new(),
        }
    }

    /// The programs that compile, as modules with what they do.
    ///
    /// # Panics
    /// When next to nothing compiles.
    pub fn subjects(&self) -> &[Subject] {
        self.subjects.get_or_init(|| {
            let whole = |name: &str| name.starts_with("corpus/") || name.starts_with("examples/");
            let mut subjects = Vec::new();
            for (name, text) in self.sources.iter().filter(|(name, _)| whole(name)) {
                // Programs that are wrong on purpose have no module.
                if let Ok(compiled) = flinc::compile(name, text) {
                    let outcome = runs::both_ways(&compiled.module)
                        .unwrap_or_else(|fault| panic!("{name}: {fault}"));
                    subjects.push(Subject {
                        name: name.clone(),
                        module: compiled.module,
                        outcome,
                    });
                }
            }
            assert!(subjects.len() >= 30, "only {} programs", subjects.len());
            subjects
        })
    }
}

impl Default for Ground {
    fn default() -> Ground {
        Ground::new()
    }
}
