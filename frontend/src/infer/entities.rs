//! Entity literals and saving. Here because their types are declared, not found. Must stay true: what flows
//! into a field is checked against the declaration; unions with none stand for fields that may be absent.

use crate::hir::{EntityIx, ExprId, ExprKind};

use super::cells::MapKind;
use super::mismatch::Into;
use super::set::{Nominal, Set};
use super::walk::Walker;

impl Walker<'_, '_> {
    /// `Todo { … }`. One that is saved where it stands is never seen unsaved.
    pub(super) fn entity_new(
        &mut self,
        entity: EntityIx,
        fields: &[(u32, ExprId)],
        saved: bool,
    ) -> Set {
        let known = self.engine.entity_fields[entity.index()].len();
        for (at, value) in fields {
            let set = self.eval(*value);
            // An unknown field was reported when names were resolved.
            if (*at as usize) < known {
                self.store_field(entity, *at, set, *value);
            }
        }
        if !saved {
            self.left_out(entity, fields);
            let unsaved = self.engine.unsaved[entity.index()];
            self.engine.cells.join(unsaved, Set::NONE);
        }
        self.engine.cells.entity(entity)
    }

    /// A field gets a value. None is allowed until the record is saved; then the validators judge.
    pub(super) fn store_field(&mut self, entity: EntityIx, at: u32, set: Set, value: ExprId) {
        let cell = self.engine.entity_fields[entity.index()][at as usize];
        if set.has(Set::NONE) && !set.is_any() {
            self.engine.cells.widen(cell, Set::NONE);
        }
        self.flow(cell, set.without(Set::NONE), value, Into::Field(entity, at));
    }

    /// What a literal leaves out and has no default is none until the record is saved, `@required` or not.
    fn left_out(&mut self, entity: EntityIx, given: &[(u32, ExprId)]) {
        let def = &self.engine.program.entities[entity.index()];
        for (at, field) in def.fields.iter().enumerate() {
            let absent = given.iter().all(|(given, _)| *given as usize != at);
            if absent && !field.optional && field.default.is_none() {
                let cell = self.engine.entity_fields[entity.index()][at];
                self.engine.cells.widen(cell, Set::NONE);
            }
        }
    }

    /// The operand of `save`.
    pub(super) fn saved(&mut self, value: ExprId) -> Set {
        match self.kind(value) {
            ExprKind::EntityNew(entity, fields) => {
                let set = self.entity_new(*entity, fields, true);
                self.note(value, set);
                set
            }
            // A literal with a spread.
            ExprKind::Block(..) => {
                self.saving = true;
                let set = self.eval(value);
                self.saving = false;
                set
            }
            _ => self.eval(value),
        }
    }

    /// `Todo { ...value }`: what the value has of the entity's fields flows into them.
    pub(super) fn spread_fields(&mut self, record: ExprId, value: ExprId) -> Set {
        let (into, set) = (self.eval(record), self.eval(value));
        if set.is_never() {
            return Set::NEVER;
        }
        let Some(entity) = self.engine.cells.single_entity(into) else {
            return Set::NONE;
        };
        let rest = set.without(Set::NONE);
        if rest.is_any() || self.engine.cells.count(rest) > 1 {
            self.engine.cells.escape(rest);
        } else if let Some(from) = self.engine.cells.single_entity(rest) {
            let fields = &self.engine.program.entities[from.index()].fields;
            for (at, field) in fields.iter().enumerate() {
                if let Some(to) = self.field_at(entity, &field.name) {
                    let cell = self.engine.entity_fields[from.index()][at];
                    let held = self.engine.cells.read(cell);
                    self.store_field(entity, to, held, value);
                }
            }
        } else if let Some(kind) = self.map_kind(rest) {
            match kind {
                MapKind::Record(fields) => {
                    for (name, cell) in fields.iter() {
                        let held = self.engine.cells.read(*cell);
                        // Keys that are no fields count for nothing.
                        if let Some(to) = self.field_at(entity, name) {
                            self.store_field(entity, to, held, value);
                        }
                    }
                }
                MapKind::Dict(cell, _) => {
                    let held = self.engine.cells.read(cell);
                    self.engine.cells.escape(held);
                }
            }
        } else if !rest.is_never() {
            self.not_spreadable(value, set);
        }
        Set::NONE
    }

    fn field_at(&self, entity: EntityIx, name: &str) -> Option<u32> {
        let fields = &self.engine.program.entities[entity.index()].fields;
        let at = fields.iter().position(|field| field.name == name)?;
        Some(at as u32)
    }

    /// The entity members of what is saved or deleted.
    pub(super) fn want_entity(&mut self, expr: ExprId, value: ExprId, set: Set) -> Set {
        if set.is_any() || set.is_never() {
            return set;
        }
        let only = Set {
            nominals: set.nominals,
            ..Set::NEVER
        };
        let only = self
            .engine
            .cells
            .without_nominals(only, |member| !matches!(member, Nominal::Entity(_)));
        if only.is_never() {
            self.not_an_entity(expr, value, set);
        }
        only
    }
}
