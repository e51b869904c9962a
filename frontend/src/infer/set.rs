//! The values of the analysis: a set of the kinds that may arrive at a place. Here because cells hold them and the walk
//! computes with them. Must stay true: a set is small and copyable; of lists, maps, functions and tuples it has at most
//! one each (two that meet are unified, see `cells`); `any` swallows everything else.

use crate::hir::{EntityIx, EnumIx};

use super::cells::{CellId, Cells, FuncNodeId, MapNodeId, TupleNodeId};
use super::enums::EnumNodeId;

/// A nominal member of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Nominal {
    Entity(EntityIx),
    Query(EntityIx),
    Enum(EnumIx),
}

/// Interned list of nominal members; 0 is the empty one.
pub(super) type NominalsId = u32;

/// More members than this widen to `any`.
pub(super) const MEMBERS_MAX: u32 = 8;

/// What may arrive at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Set {
    pub(super) bits: u16,
    pub(super) list: Option<CellId>,
    pub(super) map: Option<MapNodeId>,
    pub(super) func: Option<FuncNodeId>,
    pub(super) tuple: Option<TupleNodeId>,
    /// Type arguments of the enums among the nominal members.
    pub(super) enums: Option<EnumNodeId>,
    pub(super) nominals: NominalsId,
}

const fn scalar(bits: u16) -> Set {
    Set {
        bits,
        list: None,
        map: None,
        func: None,
        tuple: None,
        enums: None,
        nominals: 0,
    }
}

impl Set {
    pub(super) const NEVER: Set = scalar(0);
    pub(super) const NONE: Set = scalar(1);
    pub(super) const BOOL: Set = scalar(1 << 1);
    pub(super) const INT: Set = scalar(1 << 2);
    pub(super) const FLOAT: Set = scalar(1 << 3);
    pub(super) const TEXT: Set = scalar(1 << 4);
    pub(super) const TIME: Set = scalar(1 << 5);
    pub(super) const DURATION: Set = scalar(1 << 6);
    pub(super) const RANGE: Set = scalar(1 << 7);
    pub(super) const ERROR: Set = scalar(1 << 8);
    pub(super) const RESPONSE: Set = scalar(1 << 9);
    pub(super) const ANY: Set = scalar(1 << 10);
    pub(super) const NUMBER: Set = scalar(1 << 2 | 1 << 3);

    /// The single scalars, for walking over the bits.
    pub(super) const SCALARS: [Set; 10] = [
        Set::NONE,
        Set::BOOL,
        Set::INT,
        Set::FLOAT,
        Set::TEXT,
        Set::TIME,
        Set::DURATION,
        Set::RANGE,
        Set::ERROR,
        Set::RESPONSE,
    ];

    pub(super) const fn list(element: CellId) -> Set {
        Set {
            list: Some(element),
            ..Set::NEVER
        }
    }

    pub(super) const fn map(map: MapNodeId) -> Set {
        Set {
            map: Some(map),
            ..Set::NEVER
        }
    }

    pub(super) const fn func(func: FuncNodeId) -> Set {
        Set {
            func: Some(func),
            ..Set::NEVER
        }
    }

    pub(super) const fn tuple(tuple: TupleNodeId) -> Set {
        Set {
            tuple: Some(tuple),
            ..Set::NEVER
        }
    }

    pub(super) fn is_never(self) -> bool {
        self == Set::NEVER
    }

    pub(super) fn is_any(self) -> bool {
        self.bits & Set::ANY.bits != 0
    }

    /// Has one of the scalars of `other`.
    pub(super) fn has(self, other: Set) -> bool {
        self.bits & other.bits != 0
    }

    /// Without the scalars of `other`; `any` stays.
    pub(super) fn without(self, other: Set) -> Set {
        Set {
            bits: self.bits & !other.bits,
            ..self
        }
    }

    /// Only the scalars of `other`.
    pub(super) fn only(self, other: Set) -> Set {
        scalar(self.bits & other.bits)
    }

    /// With the scalars of `other` added (no containers are looked at).
    pub(super) fn plus(self, other: Set) -> Set {
        if self.is_any() || other.is_any() {
            return Set::ANY;
        }
        Set {
            bits: self.bits | other.bits,
            ..self
        }
    }

    pub(super) fn scalars_only(self) -> bool {
        self == scalar(self.bits)
    }
}

impl Cells {
    /// The set with one nominal member.
    pub(super) fn nominal(&mut self, member: Nominal) -> Set {
        let nominals = self.intern_nominals(vec![member]);
        Set {
            nominals,
            ..Set::NEVER
        }
    }

    /// The set of one entity.
    pub(super) fn entity(&mut self, entity: EntityIx) -> Set {
        self.nominal(Nominal::Entity(entity))
    }

    /// How many members a set has (`any` counts one).
    pub(super) fn count(&self, set: Set) -> u32 {
        set.bits.count_ones()
            + u32::from(set.list.is_some())
            + u32::from(set.map.is_some())
            + u32::from(set.func.is_some())
            + u32::from(set.tuple.is_some())
            + self.nominals(set).len() as u32
    }

    /// The nominal members of a set.
    pub(super) fn nominals(&self, set: Set) -> &[Nominal] {
        &self.nominal_lists[set.nominals as usize]
    }

    /// A set as its single members, scalars first.
    pub(super) fn members(&mut self, set: Set) -> Vec<Set> {
        let set = self.norm(set);
        if set.is_any() {
            return vec![Set::ANY];
        }
        let mut members: Vec<Set> = Set::SCALARS
            .into_iter()
            .filter(|scalar| set.has(*scalar))
            .collect();
        members.extend(set.list.map(Set::list));
        members.extend(set.map.map(Set::map));
        members.extend(set.tuple.map(Set::tuple));
        members.extend(set.func.map(Set::func));
        for nominal in self.nominals(set).to_vec() {
            let member = self.nominal(nominal);
            members.push(Set {
                enums: set.enums.filter(|_| matches!(nominal, Nominal::Enum(_))),
                ..member
            });
        }
        members
    }

    /// The set without the nominal members that `drop` names.
    pub(super) fn without_nominals(&mut self, set: Set, drop: impl Fn(Nominal) -> bool) -> Set {
        let kept: Vec<Nominal> = self
            .nominals(set)
            .iter()
            .copied()
            .filter(|member| !drop(*member))
            .collect();
        let enums = set
            .enums
            .filter(|_| kept.iter().any(|member| matches!(member, Nominal::Enum(_))));
        let nominals = self.intern_nominals(kept);
        Set {
            enums,
            nominals,
            ..set
        }
    }

    /// The only entity of a set, if its nominal members are just one entity.
    pub(super) fn single_entity(&self, set: Set) -> Option<EntityIx> {
        match self.nominals(set) {
            [Nominal::Entity(entity)] => Some(*entity),
            _ => None,
        }
    }

    /// The only query of a set.
    pub(super) fn single_query(&self, set: Set) -> Option<EntityIx> {
        match self.nominals(set) {
            [Nominal::Query(entity)] => Some(*entity),
            _ => None,
        }
    }

    pub(super) fn intern_nominals(&mut self, list: Vec<Nominal>) -> NominalsId {
        if let Some(id) = self.nominal_ids.get(&list) {
            return *id;
        }
        let id = self.nominal_lists.len() as NominalsId;
        self.nominal_lists.push(list.clone());
        self.nominal_ids.insert(list, id);
        id
    }
}
