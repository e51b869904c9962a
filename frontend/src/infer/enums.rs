//! Enums with type parameters: what `Option<T>` holds where a value of it is. Here because their data, like the elements
//! of lists, must be the same for all who share a value. Must stay true: in one set each enum has one list of type
//! arguments; two that meet are unified, data included; the data of a variant is made when somebody looks at it, so that
//! an enum that contains itself stays finite.

use std::rc::Rc;

use crate::hir::{EnumIx, ExprId, TypeAnn};
use crate::types::Meaning;

use super::cells::{CellId, Cells};
use super::declared::mentions_var;
use super::engine::Engine;
use super::set::{Nominal, Set};
use super::walk::Walker;

/// Type arguments of the enums of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EnumNodeId(pub(super) u32);

/// The arguments of one enum.
#[derive(Clone)]
pub(super) struct EnumArgs {
    pub(super) def: EnumIx,
    pub(super) vars: Rc<Vec<CellId>>,
    /// Cells of the data per variant; empty until somebody looks at them.
    data: Rc<Vec<Vec<CellId>>>,
}

/// The arguments of all enums of a set.
pub(super) struct EnumNode {
    parent: u32,
    enums: Vec<EnumArgs>,
}

impl Cells {
    pub(super) fn enum_node(&mut self, def: EnumIx, vars: Vec<CellId>) -> EnumNodeId {
        let id = self.enums.len() as u32;
        self.enums.push(EnumNode {
            parent: id,
            enums: vec![EnumArgs {
                def,
                vars: Rc::new(vars),
                data: Rc::new(Vec::new()),
            }],
        });
        EnumNodeId(id)
    }

    pub(super) fn find_enums(&mut self, node: EnumNodeId) -> EnumNodeId {
        let mut at = node.0;
        while self.enums[at as usize].parent != at {
            at = self.enums[at as usize].parent;
        }
        self.enums[node.0 as usize].parent = at;
        EnumNodeId(at)
    }

    /// The arguments of all enums of the node, in the order of the enums.
    pub(super) fn enum_args(&mut self, node: EnumNodeId) -> Vec<EnumArgs> {
        let root = self.find_enums(node);
        self.enums[root.0 as usize].enums.clone()
    }

    /// The cells of what a value of the node holds, as far as somebody has looked.
    pub(super) fn enum_contents(&mut self, node: EnumNodeId) -> Vec<CellId> {
        let args = self.enum_args(node);
        let cells = args
            .iter()
            .flat_map(|args| args.vars.iter().chain(args.data.iter().flatten()));
        cells.copied().collect()
    }

    pub(super) fn unify_enums(&mut self, a: EnumNodeId, b: EnumNodeId) {
        let (a, b) = (self.find_enums(a), self.find_enums(b));
        if a == b || self.is_frozen_enums(a) && self.is_frozen_enums(b) {
            return;
        }
        let (keep, drop) = if a < b { (a, b) } else { (b, a) };
        self.enums[drop.0 as usize].parent = keep.0;
        let mut same = Vec::new();
        for other in std::mem::take(&mut self.enums[drop.0 as usize].enums) {
            let enums = &mut self.enums[keep.0 as usize].enums;
            match enums.binary_search_by_key(&other.def, |args| args.def) {
                Ok(at) => {
                    same.push((enums[at].vars.clone(), other.vars.clone()));
                    if enums[at].data.is_empty() {
                        enums[at].data = other.data;
                    } else if !other.data.is_empty() {
                        let (x, y) = (enums[at].data.clone(), other.data);
                        let all =
                            |data: &Vec<Vec<CellId>>| data.iter().flatten().copied().collect();
                        same.push((Rc::new(all(&x)), Rc::new(all(&y))));
                    }
                }
                Err(at) => enums.insert(at, other),
            }
        }
        for (x, y) in same {
            for (l, r) in x.iter().zip(y.iter()) {
                self.unify(*l, *r);
            }
        }
    }
}

impl Engine<'_> {
    /// The set of an enum whose type arguments are nothing yet.
    fn open_enum(&mut self, def: EnumIx) -> EnumNodeId {
        let count = self.program.enums[def.index()].generics;
        let vars = (0..count).map(|_| self.cells.cell()).collect();
        self.cells.enum_node(def, vars)
    }

    /// The set of an enum type; `args` are the cells of its type arguments.
    pub(super) fn enum_set(&mut self, def: EnumIx, args: Vec<CellId>) -> Set {
        let set = self.cells.nominal(Nominal::Enum(def));
        if self.program.enums[def.index()].generics == 0 {
            return set;
        }
        // An enum that contains itself with its own parameters is the node that is being filled.
        let node = match &self.filling {
            Some((own, vars, node)) if *own == def && **vars == args => *node,
            _ => self.cells.enum_node(def, args),
        };
        Set {
            enums: Some(node),
            ..set
        }
    }

    /// The cells of the data of a variant, as values of this set have them.
    pub(super) fn variant_data(&mut self, set: Set, def: EnumIx, variant: u32) -> Vec<CellId> {
        let declared = &self.enum_data[def.index()];
        let args = match set.enums {
            Some(node) => self.cells.enum_args(node),
            None => Vec::new(),
        };
        let (Some(node), Some(args)) = (set.enums, args.iter().find(|args| args.def == def)) else {
            return declared.get(variant as usize).cloned().unwrap_or_default();
        };
        if let Some(data) = args.data.get(variant as usize) {
            return data.clone();
        }
        let outer = self.filling.replace((def, args.vars.clone(), node));
        let data: Vec<Vec<CellId>> = self.program.enums[def.index()]
            .variants
            .iter()
            .enumerate()
            .map(|(n, (_, types))| self.data_cells(n, types, def, &args.vars))
            .collect();
        self.filling = outer;
        let found = data.get(variant as usize).cloned().unwrap_or_default();
        let root = self.cells.find_enums(node);
        let own = &mut self.cells.enums[root.0 as usize].enums;
        if let Some(args) = own.iter_mut().find(|args| args.def == def) {
            args.data = Rc::new(data);
        }
        found
    }

    /// Data without a type parameter in it is the same for all values of the enum.
    fn data_cells(
        &mut self,
        variant: usize,
        types: &[TypeAnn],
        def: EnumIx,
        vars: &[CellId],
    ) -> Vec<CellId> {
        let mut cells = Vec::new();
        for (n, ty) in types.iter().enumerate() {
            cells.push(if mentions_var(ty) {
                self.annotated_cell(ty, vars)
            } else {
                self.enum_data[def.index()][variant][n]
            });
        }
        cells
    }
}

impl Walker<'_, '_> {
    /// A value of an enum is made.
    pub(super) fn variant(
        &mut self,
        expr: ExprId,
        def: EnumIx,
        variant: u32,
        data: &[ExprId],
    ) -> Set {
        let (sets, never) = self.eval_all(data);
        let set = self.new_enum(expr, def);
        let cells = self.engine.variant_data(set, def, variant);
        for ((cell, set), value) in cells.into_iter().zip(sets).zip(data) {
            self.flow(
                cell,
                set,
                *value,
                super::mismatch::Into::Variant(def, variant),
            );
        }
        if never {
            Set::NEVER
        } else {
            self.engine.cells.norm(set)
        }
    }

    /// The set of an enum whose type arguments belong to a place in the body.
    fn new_enum(&mut self, expr: ExprId, def: EnumIx) -> Set {
        let set = self.engine.cells.nominal(Nominal::Enum(def));
        if self.engine.program.enums[def.index()].generics == 0 {
            return set;
        }
        let known = self.engine.insts[self.inst.index()].sites.enums.get(&expr);
        // What the data holds is filled in at the end.
        let node = match known.copied() {
            Some(node) => node,
            None => {
                let node = self.engine.open_enum(def);
                let sites = &mut self.engine.insts[self.inst.index()].sites;
                sites.enums.insert(expr, node);
                node
            }
        };
        self.mean(expr, Meaning::VariantData(Vec::new()));
        Set {
            enums: Some(node),
            ..set
        }
    }

    /// Data number `n` of a value that is this variant.
    pub(super) fn data_of(&mut self, value: ExprId, def: EnumIx, variant: u32, n: u32) -> Set {
        let set = self.eval(value);
        if set.is_never() {
            return Set::NEVER;
        }
        if !self.may_be_of(set, def) {
            return Set::NEVER;
        }
        let cells = self.engine.variant_data(set, def, variant);
        match cells.get(n as usize) {
            Some(cell) => self.engine.cells.read(*cell),
            None => Set::NEVER,
        }
    }

    fn may_be_of(&self, held: Set, def: EnumIx) -> bool {
        let members = self.engine.cells.nominals(held);
        held.is_any() || members.contains(&Nominal::Enum(def))
    }

    /// What is known of a value that is of this enum.
    pub(super) fn is_of_enum(&mut self, held: Set, def: EnumIx) -> Set {
        if !self.may_be_of(held, def) {
            return Set::NEVER;
        }
        let set = self.engine.cells.nominal(Nominal::Enum(def));
        let enums = held.enums.filter(|node| {
            let args = self.engine.cells.enum_args(*node);
            args.iter().any(|args| args.def == def)
        });
        Set { enums, ..set }
    }
}
