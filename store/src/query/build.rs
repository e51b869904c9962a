//! Building the table of a type from its records, all versions of each.
//!
//! What must stay true: the result is what applying every transaction one after the other would have made, so that it does
//! not matter when a table is built.

use std::sync::Arc;

use crate::codec::cursor::Undecodable;
use crate::error::ReadError;
use crate::query::columns::Columns;
use crate::query::row::RecordView;
use crate::query::rows::SortedRows;
use crate::query::secondary::{FieldIndex, Keys, Table, TableDef, row_of};
use crate::shared::{Shared, Until};
use crate::value::{EntityId, Lsn, TypeIx};

/// Rows on the way to a sorted set, one behind the other.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// The first bytes of a row, which mostly decide; where it starts; its length.
    rows: Vec<(u128, u64, u32)>,
}

impl Gathered {
    fn push(&mut self, row: &[u8]) {
        let mut first = [0; 16];
        let len = row.len().min(16);
        first[..len].copy_from_slice(&row[..len]);
        let first = u128::from_be_bytes(first);
        self.rows
            .push((first, self.bytes.len() as u64, row.len() as u32));
        self.bytes.extend_from_slice(row);
    }

    fn sorted(mut self) -> SortedRows {
        let bytes = &self.bytes;
        let row = |at: u64, len: u32| &bytes[at as usize..at as usize + len as usize];
        self.rows
            .sort_by(|a, b| a.0.cmp(&b.0).then_with(|| row(a.1, a.2).cmp(row(b.1, b.2))));
        SortedRows::from_sorted(self.rows.iter().map(|(_, at, len)| row(*at, *len)))
    }
}

/// One index under way.
#[derive(Default)]
struct IndexBuilder {
    live: Gathered,
    past: Gathered,
    newest: Lsn,
    cut: bool,
    /// What the record in work holds, and since when.
    held: Vec<(Vec<u8>, Lsn)>,
}

impl IndexBuilder {
    /// The next version of the record in work.
    fn version(&mut self, id: EntityId, lsn: Lsn, keys: Keys) {
        self.cut |= keys.cut;
        let mut still = Vec::with_capacity(keys.keys.len());
        for (key, from) in std::mem::take(&mut self.held) {
            if keys.keys.contains(&key) {
                still.push((key, from));
            } else {
                self.past.push(&row_of(&key, id, from, Some(lsn)));
                self.newest = self.newest.max(lsn);
            }
        }
        for key in keys.keys {
            if !still.iter().any(|(held, _)| *held == key) {
                still.push((key, lsn));
                self.newest = self.newest.max(lsn);
            }
        }
        self.held = still;
    }

    fn end(&mut self, id: EntityId) {
        for (key, from) in self.held.drain(..) {
            self.live.push(&row_of(&key, id, from, None));
        }
    }
}

/// What one version adds.
struct Version {
    lsn: Lsn,
    /// By index; empty for a deleted state.
    keys: Vec<Keys>,
}

/// Builds the table of a type as it was after a transaction.
pub(crate) fn build(
    shared: &Shared,
    ty: TypeIx,
    def: &TableDef,
    until: Lsn,
) -> Result<Table, ReadError> {
    let mut indexes: Vec<IndexBuilder> = Vec::new();
    indexes.resize_with(def.indexes.len(), IndexBuilder::default);
    let mut columns = Columns::new(def.columns.clone());
    if !def.is_empty() {
        let number = |ty| shared.mapping.number(ty).0;
        let mut versions: Vec<Version> = Vec::new();
        let mut from = Some(0);
        while let Some(start) = from {
            let page = shared.heads_page(ty, start);
            for one in page.heads {
                let id = one.0;
                let until = Until::lsn(until);
                shared.view_versions(&page.segments, ty, one, until, &mut |view| {
                    if versions.is_empty() && !def.columns.is_empty() {
                        columns.set(id, view.header.lsn, Some((&view, view.header.deleted)))?;
                    }
                    versions.push(version(def, &view, &number)?);
                    Ok(!def.indexes.is_empty())
                })?;
                for one in versions.drain(..).rev() {
                    for (index, keys) in indexes.iter_mut().zip(one.keys) {
                        index.version(id, one.lsn, keys);
                    }
                }
                indexes.iter_mut().for_each(|index| index.end(id));
            }
            from = page.next;
        }
    }
    let indexes = indexes.into_iter().map(|index| {
        let (live, past) = (index.live.sorted(), index.past.sorted());
        FieldIndex::new(live, past, index.newest, index.cut)
    });
    Ok(Table {
        indexes: indexes.collect(),
        columns,
        upto: until,
        gone: Arc::default(),
    })
}

fn version(
    def: &TableDef,
    view: &RecordView<'_>,
    number: &dyn Fn(TypeIx) -> u32,
) -> Result<Version, Undecodable> {
    let deleted = view.header.deleted;
    let keys = def.indexes.iter().map(|index| match deleted {
        true => Ok(Keys::default()),
        false => index.keys(view, number),
    });
    Ok(Version {
        lsn: view.header.lsn,
        keys: keys.collect::<Result<_, _>>()?,
    })
}
