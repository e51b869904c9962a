//! Number literals inside of loops: loaded once before the outermost loop instead of once per turn. Here because the
//! machine has few immediate forms and a load costs as much as the arithmetic it feeds. Must stay true: such a register
//! is written before the loop and nowhere else.

use flin_bytecode::{Class, Reg};

use super::function::Lower;
use crate::hir::{BinOp, ExprId, ExprKind};
use crate::operands::operands;
use crate::types::Ty;

/// Most registers that a loop's literals may take.
const KEPT_MAX: usize = 24;

/// A literal by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Literal {
    Int(i64),
    Float(u64),
}

/// The literals that are in registers now.
#[derive(Debug, Default)]
pub(super) struct Kept {
    registers: Vec<(Literal, Reg)>,
}

impl Lower<'_, '_> {
    /// Lowers a loop with its literals in registers. The outermost loop loads for all loops inside of it.
    pub(super) fn with_literals(&mut self, e: ExprId, lower: impl FnOnce(&mut Self)) {
        if !self.kept.registers.is_empty() {
            lower(self);
            return;
        }
        let mut found = Vec::new();
        self.collect(e, &mut found);
        let mark = self.b.mark();
        for literal in found {
            let reg = match literal {
                Literal::Int(value) => {
                    let reg = self.b.local(Class::I64);
                    self.int_const(value, reg);
                    reg
                }
                Literal::Float(bits) => {
                    let reg = self.b.local(Class::F64);
                    self.float_const(f64::from_bits(bits), reg);
                    reg
                }
            };
            self.kept.registers.push((literal, reg));
        }
        lower(self);
        self.kept.registers.clear();
        self.b.release(mark);
    }

    /// The register that holds an int literal, if one does.
    pub(super) fn kept_int(&self, value: i64) -> Option<Reg> {
        self.kept(Literal::Int(value))
    }

    /// The register that holds a float literal, if one does.
    pub(super) fn kept_float(&self, value: f64) -> Option<Reg> {
        self.kept(Literal::Float(value.to_bits()))
    }

    fn kept(&self, literal: Literal) -> Option<Reg> {
        self.kept
            .registers
            .iter()
            .find(|(known, _)| *known == literal)
            .map(|(_, reg)| *reg)
    }

    /// Literals that are operands of arithmetic, comparisons and positions below an expression.
    fn collect(&self, e: ExprId, found: &mut Vec<Literal>) {
        let kind = self.kind(e);
        match kind {
            ExprKind::Binary(op, a, b) => {
                let float =
                    self.ty(*a) == Ty::Float || self.ty(*b) == Ty::Float || self.ty(e) == Ty::Float;
                let folded = matches!(op, BinOp::Add | BinOp::Sub) && !float;
                for operand in [a, b] {
                    if !folded {
                        self.literal(*operand, float, found);
                    }
                }
            }
            ExprKind::Index(_, at) | ExprKind::SetIndex(_, at, _) => {
                self.literal(*at, false, found)
            }
            _ => {}
        }
        operands(kind, &mut |operand| self.collect(operand, found));
    }

    fn literal(&self, e: ExprId, float: bool, found: &mut Vec<Literal>) {
        let literal = match (self.kind(e), float) {
            (ExprKind::Int(value), true) => Literal::Float((*value as f64).to_bits()),
            (ExprKind::Int(value), false) if self.ty(e) == Ty::Int => Literal::Int(*value),
            (ExprKind::Float(value), _) => Literal::Float(value.to_bits()),
            _ => return,
        };
        if found.len() < KEPT_MAX && !found.contains(&literal) {
            found.push(literal);
        }
    }
}
