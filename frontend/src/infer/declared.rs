//! Declared types: annotations, entity fields, enum data, globals. Here because what is declared does not grow and is
//! known before anything is walked. Must stay true: a declared container has one element cell for all values that are
//! stored under that declaration.

use crate::hir::{GlobalIx, GlobalKind, TypeAnn};

use super::cells::CellId;
use super::engine::Engine;
use super::set::Set;

impl Engine<'_> {
    /// Cells of what is declared: entity fields, enum data, globals.
    pub(super) fn declare(&mut self) {
        let program = self.program;
        for entity in &program.entities {
            let fields = entity
                .fields
                .iter()
                .map(|field| {
                    let set = self.annotated(&field.ty, &[]);
                    let set = if field.optional {
                        set.plus(Set::NONE)
                    } else {
                        set
                    };
                    self.cells.fixed_cell(set)
                })
                .collect();
            self.entity_fields.push(fields);
            let unsaved = self.cells.cell();
            self.unsaved.push(unsaved);
        }
        for def in &program.enums {
            let variants = def
                .variants
                .iter()
                .map(|(_, data)| {
                    data.iter()
                        .map(|ty| {
                            let set = self.annotated(ty, &[]);
                            self.cells.fixed_cell(set)
                        })
                        .collect()
                })
                .collect();
            self.enum_data.push(variants);
        }
        for (at, global) in program.globals.iter().enumerate() {
            let global_ix = GlobalIx(at as u32);
            let cell = match (&global.annotation, global.kind) {
                (_, GlobalKind::Injected(_)) => self.cells.fixed_cell(Set::ANY),
                _ if self.doubts.globals.contains(&global_ix) => self.cells.fixed_cell(Set::ANY),
                (Some(annotation), _) => self.annotated_cell(annotation, &[]),
                (None, _) => self.cells.cell(),
            };
            self.globals.push(cell);
        }
    }

    /// The set that an annotation describes; `vars` are the cells of the type parameters.
    pub(super) fn annotated(&mut self, annotation: &TypeAnn, vars: &[CellId]) -> Set {
        match annotation {
            TypeAnn::Any => Set::ANY,
            TypeAnn::None => Set::NONE,
            TypeAnn::Int => Set::INT,
            TypeAnn::Float => Set::FLOAT,
            TypeAnn::Bool => Set::BOOL,
            TypeAnn::Text => Set::TEXT,
            TypeAnn::Time => Set::TIME,
            TypeAnn::Duration => Set::DURATION,
            TypeAnn::Range => Set::RANGE,
            TypeAnn::Error => Set::ERROR,
            TypeAnn::Response => Set::RESPONSE,
            TypeAnn::List(element) => Set::list(self.annotated_cell(element, vars)),
            TypeAnn::Map(key, value) => {
                let key = self.annotated_cell(key, vars);
                let value = self.annotated_cell(value, vars);
                Set::map(self.cells.dict(value, key))
            }
            TypeAnn::Tuple(items) => {
                let items = items
                    .iter()
                    .map(|item| self.annotated_cell(item, vars))
                    .collect();
                Set::tuple(self.cells.tuple_node(items))
            }
            TypeAnn::Optional(inner) => self.annotated(inner, vars).plus(Set::NONE),
            TypeAnn::Union(members) => {
                let mut set = Set::NEVER;
                for member in members {
                    let member = self.annotated(member, vars);
                    set = self.cells.join_sets(set, member);
                }
                set
            }
            TypeAnn::Func(params, result) => {
                let params = params
                    .iter()
                    .map(|param| self.annotated_cell(param, vars))
                    .collect();
                let result = self.annotated_cell(result, vars);
                let func = self.cells.declared_func(params, result);
                Set::func(func)
            }
            TypeAnn::Entity(entity) => self.cells.entity(*entity),
            TypeAnn::Enum(def, args) => {
                let args = args
                    .iter()
                    .map(|arg| self.annotated_cell(arg, vars))
                    .collect();
                self.enum_set(*def, args)
            }
            TypeAnn::Var(n) => vars
                .get(*n as usize)
                .map_or(Set::ANY, |cell| self.cells.peek(*cell)),
        }
    }

    /// A cell for an annotated place. Declared cells do not grow; type parameters are cells of their own.
    pub(super) fn annotated_cell(&mut self, annotation: &TypeAnn, vars: &[CellId]) -> CellId {
        match annotation {
            TypeAnn::Var(n) if (*n as usize) < vars.len() => vars[*n as usize],
            other if mentions_var(other) => {
                let set = self.annotated(other, vars);
                let cell = self.cells.cell();
                self.cells.join(cell, set);
                cell
            }
            other => {
                let set = self.annotated(other, vars);
                self.cells.fixed_cell(set)
            }
        }
    }
}

/// Whether a type parameter occurs in the annotation.
pub(super) fn mentions_var(annotation: &TypeAnn) -> bool {
    match annotation {
        TypeAnn::Var(_) => true,
        TypeAnn::List(inner) | TypeAnn::Optional(inner) => mentions_var(inner),
        TypeAnn::Map(key, value) => mentions_var(key) || mentions_var(value),
        TypeAnn::Tuple(items) | TypeAnn::Union(items) | TypeAnn::Enum(_, items) => {
            items.iter().any(mentions_var)
        }
        TypeAnn::Func(params, result) => params.iter().any(mentions_var) || mentions_var(result),
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::Entity(_) => false,
    }
}
