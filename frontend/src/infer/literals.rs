//! Int literals that mean floats: `x = 0` where everything else that x gets is float. Here because one such literal would
//! make every use of the variable dynamic. Must stay true: a literal turns only if nothing in the program could tell the
//! difference: its cell gets no other int, and is only read where an int would be widened anyway.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::hir::{BinOp, ExprId, ExprKind, FnId, Function, RecordEntry};
use crate::kinds::{
    computed_kinds, constant_kinds, flow_kinds, query_kinds, record_kinds, view_kinds,
};
use crate::operands::operands;
use crate::types::Meaning;

use super::cells::{CellId, InstIx, MapKind};
use super::engine::Engine;
use super::set::Set;

/// What is known about a cell that holds int or float.
#[derive(Default)]
struct Mixed {
    /// Int literals that flow into it.
    literals: Vec<(FnId, ExprId)>,
    /// Something else that may be an int flows into it, or a reader could tell an int from a float.
    spoiled: bool,
}

/// The literals to take as floats in the next round.
pub(super) fn float_literals(engine: &mut Engine<'_>, live: &[InstIx]) -> HashSet<(FnId, ExprId)> {
    let mut mixed: HashMap<CellId, Mixed> = HashMap::new();
    for inst in live {
        let mut search = Search {
            engine,
            inst: *inst,
            mixed: &mut mixed,
        };
        search.function();
    }
    mixed
        .into_values()
        .filter(|cell| !cell.spoiled)
        .flat_map(|cell| cell.literals)
        .collect()
}

struct Search<'s, 'p> {
    engine: &'s mut Engine<'p>,
    inst: InstIx,
    mixed: &'s mut HashMap<CellId, Mixed>,
}

impl<'p> Search<'_, 'p> {
    fn function(&mut self) {
        let fid = self.engine.insts[self.inst.index()].func;
        let function: &'p Function = self.engine.function(fid);
        let mut open = vec![function.body];
        // The result is looked at by whoever called.
        self.read(function, function.body, false);
        while let Some(expr) = open.pop() {
            let kind = &function.exprs[expr.index()].kind;
            self.writes(fid, function, expr, kind);
            self.reads(function, expr, kind);
            operands(kind, &mut |operand| open.push(operand));
        }
        // Parameters and captured variables are filled from outside.
        for param in &function.params {
            let cell = self.engine.insts[self.inst.index()].locals[param.local.index()];
            self.spoil(cell);
        }
        for capture in &function.captures {
            let cell = self.engine.insts[self.inst.index()].locals[capture.inner.index()];
            self.spoil(cell);
        }
        let result = self.engine.insts[self.inst.index()].result;
        self.spoil(result);
    }

    fn set_of(&self, expr: ExprId) -> Set {
        self.engine.insts[self.inst.index()].exprs[expr.index()]
    }

    /// The cell's entry if it holds exactly int and float.
    fn entry(&mut self, cell: CellId) -> Option<&mut Mixed> {
        let root = self.engine.cells.find(cell);
        let set = self.engine.cells.peek(root);
        if set != Set::NUMBER || self.engine.cells.is_fixed(root) {
            return None;
        }
        Some(self.mixed.entry(root).or_default())
    }

    fn spoil(&mut self, cell: CellId) {
        if let Some(entry) = self.entry(cell) {
            entry.spoiled = true;
        }
    }

    /// What an expression puts into cells.
    fn writes(&mut self, fid: FnId, function: &'p Function, expr: ExprId, kind: &'p ExprKind) {
        match kind {
            ExprKind::Let(local, Some(value)) | ExprKind::SetLocal(local, value) => {
                let cell = self.engine.insts[self.inst.index()].locals[local.index()];
                self.write(fid, function, cell, *value);
            }
            ExprKind::SetGlobal(global, value) => {
                let cell = self.engine.globals[global.index()];
                self.write(fid, function, cell, *value);
            }
            ExprKind::SetField {
                recv, name, value, ..
            } => {
                if let Some(cell) = self.field(*recv, name) {
                    self.write(fid, function, cell, *value);
                }
            }
            ExprKind::SetIndex(recv, _, value) => {
                if let Some(cell) = self.element(*recv) {
                    self.write(fid, function, cell, *value);
                }
            }
            ExprKind::List(items) => {
                if let Some(cell) = self.element(expr) {
                    for item in items {
                        self.write(fid, function, cell, *item);
                    }
                }
            }
            ExprKind::Record(entries) => {
                for entry in entries {
                    match entry {
                        RecordEntry::Field(name, _, value) => {
                            if let Some(cell) = self.field(expr, name) {
                                self.write(fid, function, cell, *value);
                            }
                        }
                        RecordEntry::Spread(value) => self.spoil_inside(*value),
                    }
                }
            }
            constant_kinds!()
            | computed_kinds!()
            | flow_kinds!()
            | record_kinds!()
            | query_kinds!()
            | view_kinds!()
            | ExprKind::Let(_, None)
            | ExprKind::Local(_)
            | ExprKind::Global(_)
            | ExprKind::FnRef(_)
            | ExprKind::Lambda(_)
            | ExprKind::CallFn(..)
            | ExprKind::CallValue(..)
            | ExprKind::CallLib(..)
            | ExprKind::Method { .. }
            | ExprKind::Field { .. }
            | ExprKind::Index(..)
            | ExprKind::Binary(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::VariantData(..)
            | ExprKind::Block(..) => {}
        }
    }

    fn write(&mut self, fid: FnId, function: &'p Function, cell: CellId, value: ExprId) {
        let set = self.set_of(value);
        let literal = is_int_literal(function, value);
        let Some(entry) = self.entry(cell) else {
            return;
        };
        if let Some(literal) = literal {
            entry.literals.push((fid, literal));
        } else if set.has(Set::INT) || set.is_any() {
            entry.spoiled = true;
        }
    }

    /// Which operands of an expression are read so that an int would be widened to float.
    fn reads(&mut self, function: &'p Function, expr: ExprId, kind: &'p ExprKind) {
        match kind {
            ExprKind::Binary(op, a, b) => {
                let (x, y) = (self.set_of(*a), self.set_of(*b));
                let compared = matches!(
                    op,
                    BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge | BinOp::Eq | BinOp::Ne
                );
                self.read(
                    function,
                    *a,
                    y == Set::FLOAT || compared && y == Set::NUMBER,
                );
                self.read(
                    function,
                    *b,
                    x == Set::FLOAT || compared && x == Set::NUMBER,
                );
            }
            ExprKind::SetLocal(..)
            | ExprKind::SetGlobal(..)
            | ExprKind::Let(..)
            | ExprKind::SetField { .. }
            | ExprKind::SetIndex(..) => {
                let mut parts = Vec::new();
                operands(kind, &mut |operand| parts.push(operand));
                for part in parts {
                    self.read(function, part, false);
                }
            }
            ExprKind::Block(parts, _) => {
                // Values of statements are dropped; the last one may be taken.
                if let Some(last) = parts.last() {
                    self.read(function, *last, false);
                }
            }
            ExprKind::Field { .. } | ExprKind::Index(..) => {}
            ExprKind::CallLib(..) | ExprKind::Method { .. } => self.call(function, expr, kind),
            constant_kinds!()
            | computed_kinds!()
            | flow_kinds!()
            | record_kinds!()
            | query_kinds!()
            | view_kinds!()
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Local(_)
            | ExprKind::Global(_)
            | ExprKind::FnRef(_)
            | ExprKind::Lambda(_)
            | ExprKind::CallFn(..)
            | ExprKind::CallValue(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::VariantData(..) => {
                let mut parts = Vec::new();
                operands(kind, &mut |operand| parts.push(operand));
                for part in parts {
                    self.read(function, part, false);
                    self.spoil_printed(kind, part);
                }
            }
        }
    }

    /// Arguments of a row that takes floats are widened; everything else may look at them, and into them.
    fn call(&mut self, function: &'p Function, expr: ExprId, kind: &'p ExprKind) {
        let meaning = self.engine.insts[self.inst.index()]
            .meaning
            .get(&expr)
            .cloned();
        let mut parts = Vec::new();
        operands(kind, &mut |operand| parts.push(operand));
        let stores = matches!(&meaning, Some(Meaning::Lib(row) | Meaning::LibOp(row))
            if matches!(row.row().name, "push" | "unshift"));
        if stores && parts.len() == 2 {
            if let Some(cell) = self.element(parts[0]) {
                let fid = self.engine.insts[self.inst.index()].func;
                self.write(fid, function, cell, parts[1]);
            }
            self.read(function, parts[1], false);
            return;
        }
        for (n, part) in parts.into_iter().enumerate() {
            let widened = match &meaning {
                Some(Meaning::Lib(row) | Meaning::LibOp(row)) => {
                    matches!(
                        row.scheme().params.get(n),
                        Some(flin_bytecode::library::LibType::Float)
                    )
                }
                _ => false,
            };
            self.read(function, part, widened);
            let length = matches!(&meaning, Some(Meaning::LibOp(row)) if row.row().name == "len");
            if !length {
                self.spoil_inside(part);
            }
        }
    }

    /// Printing a container shows its elements.
    fn spoil_printed(&mut self, kind: &ExprKind, part: ExprId) {
        let looks = matches!(
            kind,
            ExprKind::Concat(_)
                | ExprKind::ViewText(_)
                | ExprKind::ViewAttr { .. }
                | ExprKind::Response(_)
                | ExprKind::For { .. }
                | ExprKind::Slice { .. }
                | ExprKind::In(..)
                | ExprKind::ViewOn { .. }
        );
        if looks {
            self.spoil_inside(part);
        }
    }

    /// Elements and fields of a value are seen by somebody who could tell.
    fn spoil_inside(&mut self, expr: ExprId) {
        let mut open = vec![self.set_of(expr)];
        let mut seen = HashSet::new();
        while let Some(set) = open.pop() {
            let set = self.engine.cells.norm(set);
            if set.scalars_only() || !seen.insert(set) {
                continue;
            }
            let mut cells = Vec::new();
            cells.extend(set.list);
            if let Some(map) = set.map {
                match self.engine.cells.map_kind(map) {
                    MapKind::Record(fields) => cells.extend(fields.iter().map(|field| field.1)),
                    MapKind::Dict(value, key) => cells.extend([value, key]),
                }
            }
            if let Some(tuple) = set.tuple {
                cells.extend(self.engine.cells.tuple_items(tuple).iter());
            }
            if let Some(node) = set.enums {
                cells.extend(self.engine.cells.enum_contents(node));
            }
            for cell in cells {
                self.spoil(cell);
                open.push(self.engine.cells.peek(cell));
            }
        }
    }

    /// A value is used; `widened` if an int would be widened to float first.
    fn read(&mut self, function: &'p Function, expr: ExprId, widened: bool) {
        if widened || self.set_of(expr) == Set::FLOAT {
            return;
        }
        let cell = match &function.exprs[expr.index()].kind {
            ExprKind::Local(local) => {
                Some(self.engine.insts[self.inst.index()].locals[local.index()])
            }
            ExprKind::Global(global) => Some(self.engine.globals[global.index()]),
            ExprKind::Field { recv, name, .. } => self.field(*recv, name),
            ExprKind::Index(recv, _) => self.element(*recv),
            _ => None,
        };
        if let Some(cell) = cell {
            self.spoil(cell);
        }
    }

    fn field(&mut self, recv: ExprId, name: &str) -> Option<CellId> {
        let map = self.engine.cells.norm(self.set_of(recv)).map?;
        match self.engine.cells.map_kind(map) {
            MapKind::Record(fields) => fields
                .iter()
                .find(|field| &*field.0 == name)
                .map(|field| field.1),
            MapKind::Dict(value, _) => Some(value),
        }
    }

    fn element(&mut self, recv: ExprId) -> Option<CellId> {
        let set = self.engine.cells.norm(self.set_of(recv));
        match (set.list, set.map) {
            (Some(element), None) => Some(element),
            (None, Some(map)) => match self.engine.cells.map_kind(map) {
                MapKind::Dict(value, _) => Some(value),
                MapKind::Record(_) => None,
            },
            _ => None,
        }
    }
}

/// The literal behind `0` or `-1`.
fn is_int_literal(function: &Function, expr: ExprId) -> Option<ExprId> {
    match &function.exprs[expr.index()].kind {
        ExprKind::Int(n) if n.unsigned_abs() < 1 << 53 => Some(expr),
        ExprKind::Neg(inner) => match &function.exprs[inner.index()].kind {
            // `-0` is 0, but `-0.0` is not `0.0`.
            ExprKind::Int(n) if *n != 0 && n.unsigned_abs() < 1 << 53 => Some(*inner),
            _ => None,
        },
        _ => None,
    }
}
