//! The targets: what is tried, how an input is made from a seed, and who judges. Here because the command line, the tests
//! and the README go by this one table. Must stay true: an input is made from the random source and the programs of the
//! repository alone; `least` keeps a target from passing because it tries nothing.

use std::collections::BTreeMap;

use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::{
    browser, compile, engines, fbc, format, lexer, library, optimised, parser, programs, settings,
};

/// What a judge found, in words; its first line tells findings of one cause from others.
pub type Verdict = Result<(), String>;

/// How a trial is made.
#[derive(Clone, Copy)]
pub enum Trial {
    /// A text is made from the seed, then judged by itself; so it can be shrunk.
    Text {
        /// Makes the text.
        make: fn(&Ground, &mut Rng) -> String,
        /// Judges it.
        judge: fn(&str, &mut Tally) -> Verdict,
    },
    /// Made and judged in one go.
    Seed(fn(&Ground, &mut Rng, &mut Tally) -> Verdict),
}

/// One thing that is tried with many inputs.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is tried and what must hold, in one line.
    pub what: &'static str,
    /// How many trials the tests make.
    pub test_runs: u64,
    /// How a trial is made.
    pub trial: Trial,
    /// What must happen in at least so many of a hundred trials, by the words of the tally.
    pub least: &'static [(&'static str, u64)],
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "lexer",
        what: "random bytes, tokens and damaged programs: spans tile the text, no panic",
        test_runs: 4_000,
        trial: Trial::Text {
            make: lexer::make,
            judge: lexer::judge,
        },
        least: &[("tiled exactly", 20)],
    },
    Target {
        name: "parser",
        what: "damaged programs: every message points into the text, later declarations survive",
        test_runs: 2_000,
        trial: Trial::Seed(parser::trial),
        least: &[("damaged", 30)],
    },
    Target {
        name: "format",
        what: "every program that parses: the same tree and comments, nothing to do the second time",
        test_runs: 300,
        trial: Trial::Text {
            make: format::make,
            judge: format::judge,
        },
        least: &[("formatted", 30)],
    },
    Target {
        name: "compile",
        what: "damaged programs through the whole compiler: a message, or a module that runs under limits",
        test_runs: 200,
        trial: Trial::Text {
            make: compile::make,
            judge: compile::judge,
        },
        least: &[("refused", 20), ("ran", 2)],
    },
    Target {
        name: "programs",
        what: "generated well-typed programs: they compile, and do the same under every policy and rewriting",
        test_runs: 30,
        trial: Trial::Text {
            make: programs::make,
            judge: programs::judge,
        },
        least: &[("ran", 90)],
    },
    Target {
        name: "browser",
        what: "generated programs as JavaScript: they do the same under node as on the machine, or give up",
        test_runs: 12,
        trial: Trial::Text {
            make: browser::make,
            judge: browser::judge,
        },
        least: &[("compared", 60)],
    },
    Target {
        name: "engines",
        what: "programs with hot loops: native code of every policy does what the interpreter does",
        test_runs: 25,
        trial: Trial::Text {
            make: engines::make,
            judge: engines::judge,
        },
        least: &[("programs", 90), ("Eager", 90), ("with native code", 500)],
    },
    Target {
        name: "optimised",
        what: "programs with hot loops: the same with the optimiser, without it, and without each of its passes",
        test_runs: 25,
        trial: Trial::Text {
            make: optimised::make,
            judge: optimised::judge,
        },
        least: &[("programs", 80)],
    },
    Target {
        name: "fbc",
        what: "damaged modules: refused, or they run to an end under limits",
        test_runs: 3_000,
        trial: Trial::Seed(fbc::trial),
        least: &[
            ("unread", 5),
            ("refused", 10),
            ("changed", 5),
            ("unharmed", 15),
        ],
    },
    Target {
        name: "settings",
        what: "any text as flin.config: read or refused with its places, what was read is written and read back",
        test_runs: 4_000,
        trial: Trial::Text {
            make: settings::make,
            judge: settings::judge,
        },
        least: &[("read", 5), ("refused", 40)],
    },
    Target {
        name: "json",
        what: "parse_json and to_json against serde_json",
        test_runs: 3_000,
        trial: Trial::Seed(library::json::trial),
        least: &[("read", 30), ("refused", 10)],
    },
    Target {
        name: "texts",
        what: "text functions against lists of characters",
        test_runs: 3_000,
        trial: Trial::Seed(library::texts::trial),
        least: &[],
    },
    Target {
        name: "numbers",
        what: "int arithmetic against 128 bits, floats against Rust, printed floats read back",
        test_runs: 6_000,
        trial: Trial::Seed(library::numbers::trial),
        least: &[("value", 30), ("IntegerOverflow", 5)],
    },
    Target {
        name: "lists",
        what: "list functions and sorting against models",
        test_runs: 2_000,
        trial: Trial::Seed(library::lists::trial),
        least: &[],
    },
    Target {
        name: "maps",
        what: "maps against insertion-ordered models",
        test_runs: 1_000,
        trial: Trial::Seed(library::maps::trial),
        least: &[],
    },
];

/// What happened in the trials, counted by short words.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, word: &str) {
        *self.0.entry(word.to_owned()).or_insert(0) += 1;
    }

    /// How often it happened.
    pub fn of(&self, word: &str) -> u64 {
        self.0.get(word).copied().unwrap_or(0)
    }

    /// All words with their counts.
    pub fn all(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(word, count)| (word.as_str(), *count))
    }
}

/// The target of a name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
