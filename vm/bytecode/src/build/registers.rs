//! Registers of a function under construction: which are declared, with which class, and which are taken. Here, apart
//! from the instructions, because windows and far registers have rules of their own. Must stay true: a register keeps
//! the class it was first declared with.

use super::{FAR_REG_FIRST, TEMP_NEAR_MAX};
use crate::class::Class;
use crate::ids::Reg;

/// One bank under construction: declared classes of near and far registers.
#[derive(Default)]
pub(super) struct BankRegs {
    pub(super) near: Vec<Option<Class>>,
    pub(super) far: Vec<Option<Class>>,
    pub(super) near_top: usize,
    pub(super) far_top: usize,
}

/// Near registers that carry far ones through one instruction: three per class above `TEMP_NEAR_MAX`.
#[derive(Default)]
pub(super) struct ScratchRegs {
    used: [u16; 5],
}

impl ScratchRegs {
    pub(super) fn next(&mut self, class: Class) -> Reg {
        let first = TEMP_NEAR_MAX as u16
            + match class {
                Class::I64 | Class::Ref => 0,
                Class::F64 | Class::Any => 3,
                Class::Bool => 6,
            };
        let used = &mut self.used[class as usize];
        *used += 1;
        assert!(
            *used <= 3,
            "a row with more than three register operands of one class"
        );
        Reg(first + *used - 1)
    }
}

impl BankRegs {
    pub(super) fn claim(&mut self, at: usize, class: Class) {
        if at >= self.near.len() {
            self.near.resize(at + 1, None);
        }
        self.near[at] = Some(class);
        self.near_top = at + 1;
    }

    pub(super) fn claim_scratch(&mut self, at: usize, class: Class) {
        let top = self.near_top;
        self.claim(at, class);
        self.near_top = top;
    }

    pub(super) fn fits(&self, at: usize, classes: &[Class]) -> bool {
        classes.iter().enumerate().all(|(i, class)| {
            self.near
                .get(at + i)
                .copied()
                .flatten()
                .is_none_or(|c| c == *class)
        })
    }

    /// Final classes: near ones, padded to 256 if there are far ones, then the far ones.
    pub(super) fn classes(mut self, filler: Class) -> Vec<Class> {
        if !self.far.is_empty() {
            self.near.resize(FAR_REG_FIRST as usize, None);
            self.near.append(&mut self.far);
        }
        self.near.into_iter().map(|c| c.unwrap_or(filler)).collect()
    }
}
