//! The rules of an import that need more than one line: numbers, required and unique values, links, against the text itself
//! and against the store.
//!
//! What must stay true: what passes here is accepted by the committer, unless somebody else commits meanwhile.

use std::collections::HashMap;

use super::import::{Row, bad};
use super::stop::ImportError;
use super::used::UsedNumbers;
use crate::index::UniqueKey;
use crate::limits::VALUE_DEPTH_MAX;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::value::{EntityId, FieldIx, FieldValue, TypeIx};

/// The rules that need more than one line.
pub(super) struct Checker<'a> {
    store: &'a Store,
    snapshot: &'a Snapshot,
    /// Read when it is first needed.
    used: Option<UsedNumbers>,
    /// Line and whether it is live, by record of the text.
    by_id: HashMap<(TypeIx, EntityId), (u64, bool)>,
    unique: HashMap<(TypeIx, FieldIx, UniqueKey), u64>,
    /// Rows that are in the store already, exactly like that.
    pub(super) there_already: u64,
}

impl<'a> Checker<'a> {
    pub(super) fn new(store: &'a Store, snapshot: &'a Snapshot) -> Self {
        Checker {
            store,
            snapshot,
            used: None,
            by_id: HashMap::new(),
            unique: HashMap::new(),
            there_already: 0,
        }
    }
}

impl Checker<'_> {
    /// Checks all rows; those that are in the store already are left out.
    pub(super) fn check_all(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, ImportError> {
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let line = row.line;
            self.required(&row).map_err(|what| bad(line, what))?;
            if self.is_new(&row)? {
                kept.push(row);
            } else {
                self.there_already += 1;
            }
        }
        for row in &mut kept {
            if !row.origin.deleted {
                self.unique(row)?;
                self.links(row)?;
            }
            row.bytes = self.size(row);
        }
        Ok(kept)
    }

    /// A deleted record is history: it may be from before a field had to have a value.
    fn required(&self, row: &Row) -> Result<(), String> {
        let def = self.snapshot.shared.schema.type_def(row.ty);
        for (field, value) in def.fields.iter().zip(&row.fields) {
            let must = (field.required || field.never_none) && !row.origin.deleted;
            if must && value.is_none() {
                return Err(format!("{}.{} needs a value", def.name, field.name));
            }
            if value.depth() > VALUE_DEPTH_MAX {
                let limit = VALUE_DEPTH_MAX;
                return Err(format!(
                    "{}.{} nests deeper than {limit} levels",
                    def.name, field.name
                ));
            }
        }
        Ok(())
    }

    /// Whether the record is not in the store yet; an error if another one is there under its number.
    fn is_new(&mut self, row: &Row) -> Result<bool, ImportError> {
        let Some(id) = row.id else {
            return Ok(true);
        };
        let shared = &self.snapshot.shared;
        let name = shared.type_name(row.ty);
        if let Some((first, _)) = self
            .by_id
            .insert((row.ty, id), (row.line, !row.origin.deleted))
        {
            return Err(bad(
                row.line,
                format!("{name} {id} stands in line {first} already"),
            ));
        }
        match self.snapshot.get_any(row.ty, id)? {
            Some(record)
                if same_fields(&record.fields, &row.fields)
                    && record.is_deleted() == row.origin.deleted =>
            {
                Ok(false)
            }
            Some(_) => Err(bad(
                row.line,
                format!("there is another {name} {id} in the store"),
            )),
            None if shared.was_used(row.ty, id) && self.was_destroyed(row.ty, id)? => Err(bad(
                row.line,
                format!(
                    "{name} {id} cannot be made: this number was used before and is never given out again. Import into \
                     a new store, or leave out \"$id\""
                ),
            )),
            None => Ok(true),
        }
    }

    /// Whether a number that nobody has, and that is not behind all others, was somebody's once. Else an import that was
    /// interrupted has not come to it.
    fn was_destroyed(&mut self, ty: TypeIx, id: EntityId) -> Result<bool, ImportError> {
        let used = match self.used.take() {
            Some(used) => used,
            None => UsedNumbers::in_log(self.store)?,
        };
        let number = self.snapshot.shared.mapping.number(ty);
        Ok(self.used.insert(used).may_have_been(number, id))
    }

    fn unique(&mut self, row: &Row) -> Result<(), ImportError> {
        let shared = &self.snapshot.shared;
        for (field, _, key) in shared.unique_keys(row.ty, &row.fields) {
            let def = shared.schema.type_def(row.ty);
            let name = format!("{}.{}", def.name, def.fields[field.0 as usize].name);
            if let Some(first) = self.unique.insert((row.ty, field, key), row.line) {
                let what = format!("{name} must be unique, and line {first} has the same value");
                return Err(bad(row.line, what));
            }
            let value = &row.fields[field.0 as usize];
            if let Some(holder) = self.snapshot.find_unique(row.ty, field, value)? {
                let what = format!(
                    "{name} must be unique, and {} {} in the store has the same value",
                    def.name, holder.id
                );
                return Err(bad(row.line, what));
            }
        }
        Ok(())
    }

    fn links(&self, row: &Row) -> Result<(), ImportError> {
        let shared = &self.snapshot.shared;
        for (field, _, target, id) in shared.links(row.ty, &row.fields) {
            let live = match self.by_id.get(&(target, id)) {
                Some((_, live)) => *live,
                None => self.snapshot.get(target, id)?.is_some(),
            };
            if !live {
                let def = shared.schema.type_def(row.ty);
                let what = format!(
                    "{}.{} links to {} {id}, which is neither in the text nor in the store",
                    def.name,
                    def.fields[field.0 as usize].name,
                    shared.type_name(target)
                );
                return Err(bad(row.line, what));
            }
        }
        Ok(())
    }

    /// Bytes in the log, about.
    fn size(&self, row: &Row) -> u64 {
        let mut bytes = Vec::new();
        for value in &row.fields {
            crate::codec::value::put_value(&mut bytes, value, &|ty| ty.0);
        }
        (96 + 4 * row.fields.len() + bytes.len()) as u64
    }
}

/// Equal as stored: floats by their bits, so that NaN equals itself.
fn same_fields(left: &[FieldValue], right: &[FieldValue]) -> bool {
    let bytes = |fields: &[FieldValue]| {
        let mut out = Vec::new();
        for value in fields {
            crate::codec::value::put_value(&mut out, value, &|ty| ty.0);
        }
        out
    };
    bytes(left) == bytes(right)
}
