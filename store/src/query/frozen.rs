//! Tables as sections of a checkpoint, and back.
//!
//! With them the first query or commit after opening does not wait for a table to be built. What must stay true: a section
//! is taken only if it was made for exactly these indexes of exactly this schema, and whatever changed behind it is applied
//! before anybody sees the table; anything odd means that the table is built from the records.

use std::sync::Arc;

use crate::checkpoint::sections::FrozenSection;
use crate::codec::cursor::{Cursor, Undecodable};
use crate::error::ReadError;
use crate::index::{Head, TypeIndex};
use crate::query::columns::Columns;
use crate::query::rows::SortedRows;
use crate::query::secondary::{Entry, FieldIndex, Table, TableDef};
use crate::shared::{Shared, Until};
use crate::value::{EntityId, Lsn, Record, TypeIx};

/// Changes with every change of the bytes below.
const SECTION_VERSION: u32 = 1;

fn name_of(shared: &Shared, ty: TypeIx) -> String {
    format!("query/{}", shared.mapping.number(ty).0)
}

/// Says which rows a table has: its indexes and columns, and everything that decides what a stored value reads as.
fn signature(shared: &Shared, ty: TypeIx, def: &TableDef) -> u32 {
    let type_def = shared.schema.type_def(ty);
    let text = format!(
        "{SECTION_VERSION} {} {type_def:?} {def:?}",
        shared.catalog.version
    );
    crc32fast::hash(text.as_bytes())
}

/// The section of a table; none for types whose history is not kept for ever, because rows would outlive it.
pub(crate) fn freeze(shared: &Shared, ty: TypeIx, table: Arc<Table>) -> Option<FrozenSection> {
    let keep = &shared.schema.type_def(ty).keep;
    if keep.versions.is_some() || keep.days.is_some() {
        return None;
    }
    let signature = signature(shared, ty, shared.tables.def(ty));
    Some(FrozenSection {
        name: name_of(shared, ty),
        bytes: Box::new(move || encode(&table, signature)),
    })
}

fn encode(table: &Table, signature: u32) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&signature.to_le_bytes());
    out.extend_from_slice(&table.upto.0.to_le_bytes());
    for index in &table.indexes {
        index.encode(&table.gone, &mut out);
    }
    table.columns.encode(&mut out);
    out
}

/// The table that a checkpoint has, with what changed since; `None`: it has none that fits.
pub(crate) fn thaw(
    shared: &Shared,
    ty: TypeIx,
    def: &TableDef,
    until: Lsn,
) -> Result<Option<Table>, ReadError> {
    let section = shared.base.as_ref().and_then(|base| {
        let section = base.section(&name_of(shared, ty))?;
        let bytes = section.all().ok()?.into_owned();
        decode(&bytes, signature(shared, ty, def), def).ok()
    });
    let Some(mut table) = section.filter(|table| table.upto <= until) else {
        return Ok(None);
    };
    let changed = {
        let state = shared.state();
        let index = state.index.ty(shared.mapping.number(ty));
        index.map_or(Vec::new(), TypeIndex::changed_since_base)
    };
    let destroyed = changed.iter().filter(|(_, _, now)| now.is_none());
    let destroyed: Vec<EntityId> = destroyed.map(|(id, ..)| *id).collect();
    table.forget(&destroyed);
    let since = table.upto;
    for (id, _, now) in changed {
        if let Some(head) = now.filter(|head| head.lsn > since) {
            catch_up(shared, &mut table, def, (ty, id, head), (since, until))?;
        }
    }
    table.upto = until;
    Ok(Some(table))
}

/// Applies the versions of one record after one transaction and up to another one.
fn catch_up(
    shared: &Shared,
    table: &mut Table,
    def: &TableDef,
    (ty, id, head): (TypeIx, EntityId, Head),
    (since, until): (Lsn, Lsn),
) -> Result<(), ReadError> {
    let mut newest_first: Vec<Record> = Vec::new();
    let segments = shared.state().segments.clone();
    let until = Until::lsn(until);
    shared.view_versions(&segments, ty, (id, head), until, &mut |view| {
        newest_first.push(view.decode()?);
        Ok(view.header.lsn > since)
    })?;
    let mut before: Option<Record> = None;
    for version in newest_first.into_iter().rev() {
        if version.lsn > since {
            let state = |record: &Record| record.is_deleted();
            let was = before.as_ref().map(|record| (record, state(record)));
            let is = Some((&version, state(&version)));
            let number = |ty| shared.mapping.number(ty).0;
            let done = table.change(def, id, version.lsn, (was, is), &number);
            // Decoded records can always be read.
            debug_assert!(done.is_ok());
        }
        before = Some(version);
    }
    Ok(())
}

fn decode(bytes: &[u8], signature: u32, def: &TableDef) -> Result<Table, Undecodable> {
    let mut cursor = Cursor::new(bytes);
    if cursor.u32("a signature")? != signature {
        return Err(Undecodable {
            expected: "a table of this schema",
        });
    }
    let upto = Lsn(cursor.u64("a transaction")?);
    let mut indexes = Vec::with_capacity(def.indexes.len());
    for _ in &def.indexes {
        indexes.push(FieldIndex::decode(&mut cursor)?);
    }
    let columns = Columns::decode(&mut cursor, def.columns.clone())?;
    if cursor.left() > 0 {
        return Err(Undecodable {
            expected: "the end of a table",
        });
    }
    Ok(Table {
        indexes,
        columns,
        upto,
        gone: Arc::default(),
    })
}

/// Appends the rows that are to be kept.
pub(crate) fn put_rows(out: &mut Vec<u8>, rows: &SortedRows, keep: &dyn Fn(&[u8]) -> bool) {
    let at = out.len();
    out.extend_from_slice(&0u64.to_le_bytes());
    let mut count = 0_u64;
    let mut place = rows.seek(&[]);
    while let Some(row) = rows.row(place) {
        if keep(row) {
            out.extend_from_slice(&(row.len() as u32).to_le_bytes());
            out.extend_from_slice(row);
            count += 1;
        }
        place = rows.next(place);
    }
    out[at..at + 8].copy_from_slice(&count.to_le_bytes());
}

/// Reads rows, which must ascend and be as long as a row is.
pub(crate) fn take_rows(cursor: &mut Cursor<'_>, past: bool) -> Result<SortedRows, Undecodable> {
    let expected = "the rows of an index";
    let count = cursor.u64(expected)?;
    let mut rows: Vec<&[u8]> = Vec::with_capacity((count as usize).min(cursor.left() / 4));
    for _ in 0..count {
        let len = cursor.u32(expected)? as usize;
        let row = cursor.take(len, expected)?;
        if !Entry::fits(row, past) || rows.last().is_some_and(|last| *last >= row) {
            return Err(Undecodable { expected });
        }
        rows.push(row);
    }
    Ok(SortedRows::from_sorted(rows.into_iter()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Disk, MemoryDisk};
    use crate::outcome::CommitOutcome;
    use crate::query::build::build;
    use crate::schema::{FieldDef, FieldType, Schema, TypeDef};
    use crate::store::{Store, StoreOptions};
    use crate::transaction::Transaction;
    use crate::value::FieldValue;

    const ITEM: TypeIx = TypeIx(0);

    fn store() -> Store {
        let fields = vec![
            FieldDef::new("code", FieldType::Text).unique(),
            FieldDef::new("size", FieldType::Int).queried(),
            FieldDef::new("flag", FieldType::Bool).queried(),
            FieldDef::new("kind", FieldType::Text).queried(),
        ];
        let item = TypeDef {
            name: "Item".into(),
            fields,
            ..TypeDef::default()
        };
        let schema = Schema {
            types: vec![item],
            ..Schema::default()
        };
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let opened = Store::open(disk, &schema, StoreOptions::inline());
        opened.unwrap_or_else(|error| panic!("{error}")).store
    }

    fn item(at: i64, kind: &str) -> Vec<FieldValue> {
        let code = FieldValue::text(format!("code {at}"));
        let size = FieldValue::Int(at % 7);
        vec![
            code,
            size,
            FieldValue::Bool(at % 3 == 0),
            FieldValue::text(kind),
        ]
    }

    fn commit(store: &Store, transaction: Transaction) {
        let outcome = store.commit_wait(transaction, None);
        assert!(
            matches!(outcome, CommitOutcome::Committed { .. }),
            "{outcome}"
        );
    }

    /// Two thousand records, changed, deleted, one of them destroyed.
    fn filled() -> Store {
        let store = store();
        for round in 0..4_i64 {
            let mut transaction = store.begin();
            for at in 0..500 {
                let id = transaction.insert(ITEM, item(500 * round + at, "plain"));
                assert!(id.is_ok());
            }
            let changed = EntityId(3 + round as u64);
            if round > 0 {
                let fields = item(-round, "changed");
                assert!(transaction.update(ITEM, changed, fields).is_ok());
                assert!(transaction.delete(ITEM, EntityId(50)).is_ok() == (round == 1));
            }
            commit(&store, transaction);
        }
        let mut transaction = store.begin();
        let secret = item(9999, "secret");
        assert!(transaction.update(ITEM, EntityId(77), secret).is_ok());
        commit(&store, transaction);
        store
    }

    fn section(shared: &Shared) -> Vec<u8> {
        let table = shared.tables.table(shared, ITEM).expect("readable");
        let frozen = freeze(shared, ITEM, table).expect("its history is kept");
        (frozen.bytes)()
    }

    #[test]
    fn a_section_gives_the_table_that_the_records_give() {
        let store = filled();
        let snapshot = store.snapshot();
        let shared = &*snapshot.shared;
        let def = shared.tables.def(ITEM);
        let bytes = section(shared);
        let read = decode(&bytes, signature(shared, ITEM, def), def).expect("it decodes");
        assert_eq!(encode(&read, signature(shared, ITEM, def)), bytes);
        let mut built = build(shared, ITEM, def, snapshot.lsn()).expect("readable");
        built.upto = read.upto;
        let parts = |table: &Table| format!("{:?}", table.indexes);
        assert_eq!(parts(&read), parts(&built));
        for at in (0..bytes.len()).step_by(997) {
            // Half a section is refused, or it is odd; a panic would be neither.
            let refused = decode(&bytes[..at], signature(shared, ITEM, def), def).is_err();
            assert!(refused, "cut at {at}");
        }
    }

    #[test]
    fn what_was_destroyed_stands_in_no_section() {
        let store = filled();
        let snapshot = store.snapshot();
        let shared = &*snapshot.shared;
        let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(has(&section(shared), b"secret") && has(&section(shared), b"code 9999"));
        let mut transaction = store.begin();
        assert!(transaction.destroy(ITEM, EntityId(77)).is_ok());
        commit(&store, transaction);
        let bytes = section(shared);
        for text in ["secret", "code 9999", "code 76"] {
            let gone = !has(&bytes, format!("{text}\0").as_bytes());
            assert!(gone, "{text} is still there");
        }
        assert!(!has(&bytes, b"secret"));
    }
}
