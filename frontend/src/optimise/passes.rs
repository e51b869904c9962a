//! The passes of the optimiser, and which of them run. Here so that each can be left out by name. Must stay true: a pass
//! is one row of `Pass::ALL`; help texts and tests go by it.

use std::fmt;

/// A pass that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Pass {
    /// Calls replaced by the called function's code.
    Inline,
    /// The end of a recursion asked for before the call.
    Leaves,
    /// Copies read at their source, what nobody reads dropped.
    Copies,
    /// Jumps to jumps, comparisons that are only jumped by.
    Branches,
    /// What is the same in every turn of a loop done before it.
    Hoist,
    /// What was computed or read already not done again.
    Repeats,
    /// Additions and multiplications that cannot overflow done without a check.
    Ranges,
    /// What follows from constants alone computed by the compiler.
    Fold,
    /// Conditions of queries that only compare fields left to the store. Done by lowering (`lower/pushed.rs`).
    Push,
}

impl Pass {
    /// All passes.
    pub const ALL: [Pass; 9] = [
        Pass::Inline,
        Pass::Leaves,
        Pass::Copies,
        Pass::Branches,
        Pass::Hoist,
        Pass::Repeats,
        Pass::Ranges,
        Pass::Fold,
        Pass::Push,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Pass::Inline => "inline",
            Pass::Leaves => "leaves",
            Pass::Copies => "copies",
            Pass::Branches => "branches",
            Pass::Hoist => "hoist",
            Pass::Repeats => "repeats",
            Pass::Ranges => "ranges",
            Pass::Fold => "fold",
            Pass::Push => "push",
        }
    }

    /// What it does, for the help text.
    pub const fn meaning(self) -> &'static str {
        match self {
            Pass::Inline => "calls of small functions and lambdas replaced by their code",
            Pass::Leaves => "calls of a function by itself not made where it would return at once",
            Pass::Copies => "values read where they are first, unread ones not computed",
            Pass::Branches => "jumps to jumps, comparisons fused with jumps",
            Pass::Hoist => "what is the same in every turn of a loop done before it",
            Pass::Repeats => "what a block has computed or read already not done again",
            Pass::Ranges => "no checks where ints cannot overflow",
            Pass::Fold => "arithmetic and jumps of constants done by the compiler",
            Pass::Push => "conditions of queries answered by the store where it can",
        }
    }
}

/// Which passes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes {
    bits: u32,
    /// Whether registers are chosen anew.
    on: bool,
}

/// A name that no pass has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPass {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Pass::ALL.iter().map(|pass| pass.name()).collect();
        write!(
            f,
            "there is no optimisation `{}`; there are {}",
            self.name,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownPass {}

impl Default for Passes {
    fn default() -> Passes {
        Passes {
            bits: u32::MAX,
            on: true,
        }
    }
}

impl Passes {
    /// Code as lowering wrote it.
    pub const fn none() -> Passes {
        Passes { bits: 0, on: false }
    }

    /// All but those named, separated by commas; without a name none at all.
    ///
    /// # Errors
    /// A name that no pass has.
    pub fn without(names: &str) -> Result<Passes, UnknownPass> {
        if names.is_empty() {
            return Ok(Passes::none());
        }
        let mut passes = Passes::default();
        for name in names.split(',').map(str::trim) {
            let pass = Pass::ALL.into_iter().find(|pass| pass.name() == name);
            let pass = pass.ok_or_else(|| UnknownPass {
                name: name.to_owned(),
            })?;
            passes.bits &= !(1 << pass as u8);
        }
        Ok(passes)
    }

    /// The same, and this one too. Passes over finished code run only where registers are chosen anew.
    #[must_use]
    pub const fn with(self, pass: Pass) -> Passes {
        Passes {
            bits: self.bits | 1 << pass as u8,
            on: self.on,
        }
    }

    /// Whether finished code is made better at all.
    pub(crate) const fn improve_code(self) -> bool {
        self.on
    }

    /// Whether a pass runs.
    pub const fn has(self, pass: Pass) -> bool {
        self.bits >> pass as u8 & 1 == 1
    }
}
