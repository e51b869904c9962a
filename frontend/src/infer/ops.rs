//! Operators. Here because each has a small table of what it takes and gives, the same for types and for messages. Must
//! stay true: the tables say what the machine's operations do, no more: what they do not list fails at run time.

use crate::hir::{BinOp, ExprId};

use super::cells::CellId;
use super::set::{Nominal, Set};
use super::walk::Walker;

impl Walker<'_, '_> {
    pub(super) fn negate(&mut self, value: ExprId) -> Set {
        let set = self.eval(value);
        if set.is_any() || set.is_never() {
            return set;
        }
        let result = set.only(Set::NUMBER.plus(Set::DURATION));
        if result.is_never() {
            self.expected(value, "a number", set);
        }
        result
    }

    pub(super) fn binary(
        &mut self,
        expr: ExprId,
        op: BinOp,
        a: (ExprId, Set),
        b: (ExprId, Set),
    ) -> Set {
        if a.1.is_never() || b.1.is_never() {
            return Set::NEVER;
        }
        match op {
            BinOp::Eq | BinOp::Ne => {
                if !self.may_be_equal(a.1, b.1) {
                    self.never_equal(expr, op, a, b);
                }
                Set::BOOL
            }
            BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
                if self.comparable(a.1, b.1) {
                    return Set::BOOL;
                }
                self.bad_operands(expr, op, a, b);
                Set::NEVER
            }
            BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div | BinOp::Rem | BinOp::Pow => {
                let result = self.arithmetic(op, a.1, b.1);
                if result.is_never() {
                    self.bad_operands(expr, op, a, b);
                }
                result
            }
        }
    }

    /// Whether some value of the one type equals one of the other. `x == none` is asked by careful people, too.
    fn may_be_equal(&mut self, a: Set, b: Set) -> bool {
        if a.is_any() || b.is_any() || a == Set::NONE || b == Set::NONE {
            return true;
        }
        let others = self.engine.cells.nominals(b).to_vec();
        a.bits & b.bits != 0
            || a.has(Set::NUMBER) && b.has(Set::NUMBER)
            || a.list.is_some() && b.list.is_some()
            || a.map.is_some() && b.map.is_some()
            || a.func.is_some() && b.func.is_some()
            || a.tuple.is_some() && b.tuple.is_some()
            || self
                .engine
                .cells
                .nominals(a)
                .iter()
                .any(|member| others.contains(member))
    }

    fn comparable(&mut self, a: Set, b: Set) -> bool {
        if a.is_any() || b.is_any() {
            return true;
        }
        let same = Set::TEXT
            .plus(Set::TIME)
            .plus(Set::DURATION)
            .plus(Set::BOOL);
        let scalars = |a: Set, b: Set| {
            a.bits & b.bits & same.bits != 0 || a.has(Set::NUMBER) && b.has(Set::NUMBER)
        };
        if scalars(a, b) {
            return true;
        }
        let enums = |member: &Nominal| matches!(member, Nominal::Enum(_));
        let others = self.engine.cells.nominals(b).to_vec();
        let mut own = self.engine.cells.nominals(a).iter();
        if own.any(|member| enums(member) && others.contains(member)) {
            return true;
        }
        // Lists and tuples go by their first items that differ; what these contain is left to the machine.
        let Some((x, y)) = self.first_items(a, b) else {
            return false;
        };
        let open = |set: Set| {
            let holds = set.list.is_some() || set.tuple.is_some() || set.nominals != 0;
            set.is_any() || set.is_never() || holds
        };
        x.is_never() || y.is_never() || open(x) && open(y) || scalars(x, y)
    }

    /// The first items of two lists or of two tuples; never if there are none.
    fn first_items(&mut self, a: Set, b: Set) -> Option<(Set, Set)> {
        let (x, y) = match (a.list, b.list, a.tuple, b.tuple) {
            (Some(x), Some(y), ..) => (Some(x), Some(y)),
            (_, _, Some(x), Some(y)) => {
                let cells = &mut self.engine.cells;
                let (x, y) = (cells.tuple_items(x), cells.tuple_items(y));
                (x.first().copied(), y.first().copied())
            }
            _ => return None,
        };
        let mut read = |cell: Option<CellId>| match cell {
            Some(cell) => self.engine.cells.read(cell),
            None => Set::NEVER,
        };
        Some((read(x), read(y)))
    }

    fn arithmetic(&mut self, op: BinOp, a: Set, b: Set) -> Set {
        if a.is_any() || b.is_any() {
            return if op == BinOp::Add && (a == Set::TEXT || b == Set::TEXT) {
                Set::TEXT
            } else {
                Set::ANY
            };
        }
        if a.scalars_only()
            && b.scalars_only()
            && a.bits.count_ones() == 1
            && b.bits.count_ones() == 1
        {
            return scalar_arithmetic(op, a, b);
        }
        let mut result = Set::NEVER;
        for x in self.engine.cells.members(a) {
            for y in self.engine.cells.members(b) {
                let one = if op == BinOp::Add && x.list.is_some() && y.list.is_some() {
                    self.engine.cells.join_sets(x, y)
                } else {
                    scalar_arithmetic(op, x, y)
                };
                result = self.engine.cells.join_sets(result, one);
            }
        }
        result
    }
}

/// The result for two single members; never if they do not fit.
fn scalar_arithmetic(op: BinOp, a: Set, b: Set) -> Set {
    if op == BinOp::Add && (a == Set::TEXT || b == Set::TEXT) {
        return Set::TEXT;
    }
    if a == Set::INT && b == Set::INT {
        return Set::INT;
    }
    let number = |set: Set| set == Set::INT || set == Set::FLOAT;
    if number(a) && number(b) {
        return Set::FLOAT;
    }
    match op {
        BinOp::Add
            if (a, b) == (Set::TIME, Set::DURATION) || (a, b) == (Set::DURATION, Set::TIME) =>
        {
            Set::TIME
        }
        BinOp::Sub if (a, b) == (Set::TIME, Set::DURATION) => Set::TIME,
        BinOp::Sub if (a, b) == (Set::TIME, Set::TIME) => Set::DURATION,
        BinOp::Add | BinOp::Sub if (a, b) == (Set::DURATION, Set::DURATION) => Set::DURATION,
        BinOp::Mul if (a == Set::DURATION && number(b)) || (number(a) && b == Set::DURATION) => {
            Set::DURATION
        }
        BinOp::Div if a == Set::DURATION && number(b) => Set::DURATION,
        BinOp::Div if (a, b) == (Set::DURATION, Set::DURATION) => Set::FLOAT,
        BinOp::Add
        | BinOp::Sub
        | BinOp::Mul
        | BinOp::Div
        | BinOp::Rem
        | BinOp::Pow
        | BinOp::Eq
        | BinOp::Ne
        | BinOp::Lt
        | BinOp::Le
        | BinOp::Gt
        | BinOp::Ge => Set::NEVER,
    }
}
