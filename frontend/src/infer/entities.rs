//! Entity literals and saving. Here because their types are declared, not found. Must stay true: what flows
//! into a field is checked against the declaration; unions with none stand for fields that may be absent.

use crate::hir::{EntityIx, ExprId};

use super::mismatch::Into;
use super::set::{Nominal, Set};
use super::walk::Walker;

impl Walker<'_, '_> {
    pub(super) fn entity_new(&mut self, entity: EntityIx, fields: &[(u32, ExprId)]) -> Set {
        let known = self.engine.entity_fields[entity.index()].len();
        for (at, value) in fields {
            let set = self.eval(*value);
            // An unknown field was reported when names were resolved.
            if (*at as usize) < known {
                self.store_field(entity, *at, set, *value);
            }
        }
        self.left_out(entity, fields);
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
