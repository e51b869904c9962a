//! The tables of all types: built at first need, kept up to date by the committer, lent out as clones.
//!
//! Opening a store must not wait for indexes that nobody asks for, and a reader must not wait for the committer. What must
//! stay true: a table that is lent out has everything that was published when it was asked for (it may have more); what is
//! published while a table is being built is applied to it before anybody sees it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::checkpoint::sections::FrozenSection;
use crate::codec::record::TypeNo;
use crate::error::ReadError;
use crate::index::{Referrer, UniqueKey};
use crate::query::build::build;
use crate::query::frozen::{freeze, thaw};
use crate::query::key::{KeyKind, KeyRange, put_ref};
use crate::query::secondary::{Keyed, Table, TableDef};
use crate::shared::Shared;
use crate::value::{EntityId, FieldIx, Lsn, Record, TypeIx};

/// One written record: what it was (`None`: it was not there) and what it is (`None`: destroyed).
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    pub(crate) ty: TypeIx,
    pub(crate) id: EntityId,
    pub(crate) lsn: Lsn,
    pub(crate) before: Option<Arc<Record>>,
    pub(crate) after: Option<Arc<Record>>,
}

/// How far the table of a type is.
enum Built {
    /// Nobody asked yet.
    No,
    /// Somebody is at it; this was published meanwhile.
    Building(Vec<Touched>),
    Yes(Arc<Table>),
}

struct TypeTable {
    def: TableDef,
    built: RwLock<Built>,
    /// Held by whoever builds it.
    building: Mutex<()>,
}

/// What indexes and columns of a type take in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMemory {
    /// Name of the type.
    pub type_name: String,
    /// Live records.
    pub records: u64,
    /// Bytes of all secondary indexes, unique values and links included; 0 before anybody asked for them.
    pub index_bytes: u64,
    /// Bytes of all columns.
    pub column_bytes: u64,
    /// Bytes of each index by field.
    pub indexes: Vec<(String, u64)>,
}

/// The tables of all types.
pub(crate) struct Tables {
    types: Vec<TypeTable>,
    /// Held while the committer publishes, and for the two ends of building a table.
    gate: Mutex<()>,
}

fn locked(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tables {
    pub(crate) fn new(defs: Vec<TableDef>) -> Self {
        let of = |def| TypeTable {
            def,
            built: RwLock::new(Built::No),
            building: Mutex::new(()),
        };
        Tables {
            types: defs.into_iter().map(of).collect(),
            gate: Mutex::new(()),
        }
    }

    /// What is kept for a type.
    pub(crate) fn def(&self, ty: TypeIx) -> &TableDef {
        &self.types[ty.0 as usize].def
    }

    fn ready(&self, ty: TypeIx) -> Option<Arc<Table>> {
        let built = &self.types[ty.0 as usize].built;
        match &*built.read().unwrap_or_else(PoisonError::into_inner) {
            Built::Yes(table) => Some(table.clone()),
            Built::No | Built::Building(_) => None,
        }
    }

    fn set(&self, ty: TypeIx, to: Built) -> Built {
        let built = &self.types[ty.0 as usize].built;
        let mut built = built.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *built, to)
    }

    /// The table of a type as it is now, built if it is not there yet.
    pub(crate) fn table(&self, shared: &Shared, ty: TypeIx) -> Result<Arc<Table>, ReadError> {
        if let Some(table) = self.ready(ty) {
            return Ok(table);
        }
        let _building = locked(&self.types[ty.0 as usize].building);
        if let Some(table) = self.ready(ty) {
            return Ok(table);
        }
        let until = {
            let _gate = locked(&self.gate);
            self.set(ty, Built::Building(Vec::new()));
            shared.state().published
        };
        let built = match thaw(shared, ty, self.def(ty), until) {
            Ok(Some(table)) => Ok(table),
            Ok(None) => build(shared, ty, self.def(ty), until),
            Err(error) => Err(error),
        };
        let _gate = locked(&self.gate);
        let missed = match self.set(ty, Built::No) {
            Built::Building(missed) => missed,
            Built::No | Built::Yes(_) => Vec::new(),
        };
        let mut table = built?;
        for touched in missed.iter().filter(|touched| touched.lsn > until) {
            self.change(shared, &mut table, touched);
        }
        let table = Arc::new(table);
        self.set(ty, Built::Yes(table.clone()));
        Ok(table)
    }

    fn change(&self, shared: &Shared, table: &mut Table, touched: &Touched) {
        let with_state = |state: &Option<Arc<Record>>| state.clone();
        let (before, after) = (with_state(&touched.before), with_state(&touched.after));
        let of = |state: &'_ Option<Arc<Record>>| state.as_ref().map(|state| state.is_deleted());
        let (was_deleted, is_deleted) = (of(&before), of(&after));
        let states = (
            before.as_deref().zip(was_deleted),
            after.as_deref().zip(is_deleted),
        );
        let number = |ty| shared.mapping.number(ty).0;
        let def = self.def(touched.ty);
        let done = table.change(def, touched.id, touched.lsn, states, &number);
        // Decoded records can always be read.
        debug_assert!(done.is_ok());
    }

    /// Makes a batch visible: the tables first, then `publish`, which lets readers see it.
    pub(crate) fn publish(&self, shared: &Shared, touched: &[Touched], publish: impl FnOnce()) {
        let _gate = locked(&self.gate);
        let types: BTreeSet<TypeIx> = touched.iter().map(|touched| touched.ty).collect();
        for ty in types {
            if self.def(ty).is_empty() {
                continue;
            }
            let of_type = touched.iter().filter(|touched| touched.ty == ty);
            let built = &self.types[ty.0 as usize].built;
            let mut built = built.write().unwrap_or_else(PoisonError::into_inner);
            match &mut *built {
                Built::No => {}
                Built::Building(missed) => missed.extend(of_type.cloned()),
                Built::Yes(table) => {
                    let table = Arc::make_mut(table);
                    of_type.for_each(|touched| self.change(shared, table, touched));
                }
            }
        }
        publish();
    }

    /// The live record that holds a unique value now.
    pub(crate) fn holder(
        &self,
        shared: &Shared,
        ty: TypeIx,
        field: FieldIx,
        key: &UniqueKey,
    ) -> Result<Option<EntityId>, ReadError> {
        let indexes = &self.def(ty).indexes;
        let Some(at) = (indexes.iter()).position(|index| index.field == field && index.unique)
        else {
            return Ok(None);
        };
        Ok(self.table(shared, ty)?.indexes[at].holder(key))
    }

    /// The live records that link to a record now.
    pub(crate) fn referrers(
        &self,
        shared: &Shared,
        target: TypeIx,
        id: EntityId,
    ) -> Result<Vec<Referrer>, ReadError> {
        let mut key = Vec::new();
        put_ref(&mut key, shared.mapping.number(target).0, id);
        let range = KeyRange::prefix(key);
        let mut found = Vec::new();
        for (at, of_type) in self.types.iter().enumerate() {
            let ty = TypeIx(at as u32);
            let mut table = None;
            for (at, index) in of_type.def.indexes.iter().enumerate() {
                if !index.links || index.target.is_some_and(|other| other != target) {
                    continue;
                }
                let table = match &table {
                    Some(table) => table,
                    None => table.insert(self.table(shared, ty)?),
                };
                let referrer = |id| Referrer {
                    ty: shared.mapping.number(ty),
                    field: index.number,
                    id,
                };
                table.indexes[at].walk(&range, Lsn(u64::MAX), &mut |entry| {
                    found.push(referrer(entry.id));
                    true
                });
            }
        }
        Ok(found)
    }

    /// Two live records for every unique value that two hold.
    pub(crate) fn duplicates(
        &self,
        shared: &Shared,
        ty: TypeIx,
        field: FieldIx,
    ) -> Result<Vec<(EntityId, EntityId)>, ReadError> {
        let table = self.table(shared, ty)?;
        let mut found = Vec::new();
        for (index, def) in table.indexes.iter().zip(&self.def(ty).indexes) {
            if def.field != field || !def.unique {
                continue;
            }
            let mut last: Option<(Vec<u8>, EntityId)> = None;
            let all = KeyRange {
                to: KeyRange::none().from,
                ..KeyRange::values()
            };
            index.walk(&all, Lsn(u64::MAX), &mut |entry| {
                match &last {
                    Some((key, first)) if key == entry.key => found.push((*first, entry.id)),
                    Some(_) | None => last = Some((entry.key.to_vec(), entry.id)),
                }
                true
            });
        }
        Ok(found)
    }

    /// The tables there are, for a checkpoint: as of the newest batch when the committer asks between two.
    pub(crate) fn freeze(&self, shared: &Shared) -> Vec<FrozenSection> {
        let types = (0..self.types.len() as u32).map(TypeIx);
        types
            .filter(|ty| !self.def(*ty).is_empty())
            .filter_map(|ty| freeze(shared, ty, self.ready(ty)?))
            .collect()
    }

    /// What is taken in memory, by type.
    pub(crate) fn memory(&self, shared: &Shared) -> Vec<TableMemory> {
        let types = self.types.iter().enumerate();
        let of_type = |(at, of_type): (usize, &TypeTable)| {
            let ty = TypeIx(at as u32);
            let def = shared.schema.type_def(ty);
            let number: TypeNo = shared.mapping.number(ty);
            let records = shared.state().index.ty(number).map_or(0, |ty| ty.live);
            let table = self.ready(ty);
            let indexes = table.iter().flat_map(|table| {
                let with_def = table.indexes.iter().zip(&of_type.def.indexes);
                with_def.map(|(index, of)| {
                    let name = def.fields[of.field.0 as usize].name.clone();
                    (name, index.memory() as u64)
                })
            });
            let indexes: Vec<(String, u64)> = indexes.collect();
            TableMemory {
                type_name: def.name.clone(),
                records,
                index_bytes: indexes.iter().map(|(_, bytes)| bytes).sum(),
                column_bytes: table.map_or(0, |table| table.columns.memory() as u64),
                indexes,
            }
        };
        types.map(of_type).collect()
    }
}

/// How the unique values of a field are made into keys; `None` for a field that is not unique.
pub(crate) fn unique_kind(tables: &Tables, ty: TypeIx, field: FieldIx) -> Option<KeyKind> {
    let mut indexes = tables.def(ty).indexes.iter();
    indexes.find_map(|index| match index.keyed {
        Keyed::Value(kind) if index.field == field && index.unique => Some(kind),
        Keyed::Value(_) | Keyed::Links => None,
    })
}
