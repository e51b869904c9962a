//! Functions that nobody calls must not change the types of the program that runs. Here because they are looked at last:
//! when everything that runs is settled, its cells are frozen, and what such a function stores there is checked as if
//! the place were declared. Must stay true: frozen cells keep their sets, frozen maps their kind, and two frozen things
//! are never unified; since none of that code ever runs, its own types may be anything.

use foldhash::HashSet;

use super::cells::{CellId, Cells, FuncNodeId, MapNodeId, TupleNodeId};
use super::enums::EnumNodeId;

/// How far the frozen part of each table goes.
#[derive(Debug)]
pub(super) struct Frozen {
    cells: u32,
    maps: u32,
    funcs: u32,
    tuples: u32,
    enums: u32,
    /// Cells of functions that nobody calls.
    exempt: HashSet<CellId>,
}

impl Cells {
    /// Freezes everything there is but these cells.
    pub(super) fn freeze(&mut self, exempt: HashSet<CellId>) {
        let [cells, maps, funcs, tuples] = self.counts().map(|count| count as u32);
        let exempt = exempt.into_iter().map(|cell| self.find(cell)).collect();
        self.frozen = Some(Frozen {
            cells,
            maps,
            funcs,
            tuples,
            enums: self.enums.len() as u32,
            exempt,
        });
    }

    /// Whether a cell (a root) does not grow any more.
    pub(super) fn is_frozen(&self, root: CellId) -> bool {
        self.frozen
            .as_ref()
            .is_some_and(|frozen| root.0 < frozen.cells && !frozen.exempt.contains(&root))
    }

    /// The cell was unified with a frozen one.
    pub(super) fn freeze_too(&mut self, root: CellId) {
        if let Some(frozen) = &mut self.frozen {
            frozen.exempt.remove(&root);
        }
    }

    pub(super) fn is_frozen_map(&self, map: MapNodeId) -> bool {
        self.frozen
            .as_ref()
            .is_some_and(|frozen| map.0 < frozen.maps)
    }

    pub(super) fn is_frozen_func(&self, func: FuncNodeId) -> bool {
        self.frozen
            .as_ref()
            .is_some_and(|frozen| func.0 < frozen.funcs)
    }

    pub(super) fn is_frozen_tuple(&self, tuple: TupleNodeId) -> bool {
        self.frozen
            .as_ref()
            .is_some_and(|frozen| tuple.0 < frozen.tuples)
    }

    pub(super) fn is_frozen_enums(&self, node: EnumNodeId) -> bool {
        self.frozen
            .as_ref()
            .is_some_and(|frozen| node.0 < frozen.enums)
    }
}
