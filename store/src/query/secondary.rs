//! Secondary indexes of one type: unique values, links, fields with conditions and orders; one structure for all.
//!
//! An index is two sorted sets of rows: what holds now (key, number, since when) and what held once (also until when), so
//! that a snapshot of the past finds its rows here too. What must stay true: for every transaction S, the rows with
//! `from <= S < to` are exactly the keys of the records that were live after S (those destroyed since left out).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codec::cursor::{Cursor, Undecodable};
use crate::codec::record::FieldNo;
use crate::codec::value::ValueRef;
use crate::query::Column;
use crate::query::columns::{ColumnDef, Columns};
use crate::query::frozen::{put_rows, take_rows};
use crate::query::key::{KeyKind, KeyRange, TypeNumber, has_keys, put_key, put_ref};
use crate::query::row::Row;
use crate::query::rows::SortedRows;
use crate::schema::{FieldDef, FieldType, Schema};
use crate::value::{EntityId, FieldIx, Lsn, Record, TypeIx};

const ID_BYTES: usize = 5;
const LSN_BYTES: usize = 8;
/// Number and transaction, behind the key.
const TAIL: usize = ID_BYTES + LSN_BYTES;

/// What an index has as keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    /// The value of the field.
    Value(KeyKind),
    /// Every link in it, however deep.
    Links,
}

/// One index of a type.
#[derive(Clone, Debug)]
pub(crate) struct IndexDef {
    pub(crate) field: FieldIx,
    pub(crate) number: FieldNo,
    pub(crate) keyed: Keyed,
    pub(crate) unique: bool,
    /// The type that its links go to; `None`: any.
    pub(crate) target: Option<TypeIx>,
    /// Whether it answers for links to a record.
    pub(crate) links: bool,
}

/// What is kept for a type.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableDef {
    pub(crate) indexes: Vec<IndexDef>,
    pub(crate) columns: Vec<ColumnDef>,
}

impl TableDef {
    /// What the rules and the program ask for.
    pub(crate) fn of(schema: &Schema, ty: TypeIx, numbers: &[FieldNo]) -> Self {
        let mut def = TableDef::default();
        let fields = schema.type_def(ty).fields.iter().zip(numbers).enumerate();
        for (at, (field, number)) in fields {
            let ix = FieldIx(at as u32);
            let index = |keyed, links| IndexDef {
                field: ix,
                number: *number,
                keyed,
                unique: field.unique && keyed != Keyed::Links,
                target: match &field.ty {
                    FieldType::Ref(name) => schema.type_ix(name),
                    _ => None,
                },
                links,
            };
            let is_ref = matches!(field.ty, FieldType::Ref(_));
            if let Some(kind) = key_kind(field, is_ref) {
                def.indexes.push(index(Keyed::Value(kind), is_ref));
            }
            if field.ty.may_link() && !is_ref {
                def.indexes.push(index(Keyed::Links, true));
            }
            if field.queried || field.ordered || field.index {
                let target = |name: &str| schema.type_ix(name);
                def.columns.extend(ColumnDef::of(ix, &field.ty, &target));
            }
        }
        def
    }

    /// Whether anything is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.columns.is_empty()
    }
}

/// How the values of a field are indexed, if they are.
fn key_kind(field: &FieldDef, is_ref: bool) -> Option<KeyKind> {
    if !has_keys(&field.ty) {
        return field.unique.then_some(KeyKind::Opaque);
    }
    // Of two values each has half of the records: the column is better.
    let by_condition = field.queried && field.ty != FieldType::Bool;
    if field.unique {
        Some(KeyKind::Whole)
    } else {
        (field.index || field.ordered || by_condition || is_ref).then_some(KeyKind::Ordered)
    }
}

/// The keys of one record in one index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<Vec<u8>>,
    /// A text among them was cut.
    pub(crate) cut: bool,
}

impl IndexDef {
    /// The keys of a live record.
    pub(crate) fn keys<R: Row>(
        &self,
        row: &R,
        number: TypeNumber<'_>,
    ) -> Result<Keys, Undecodable> {
        let value = row.value(Column::Field(self.field))?;
        let mut keys = Keys::default();
        match self.keyed {
            // None is held by nobody.
            Keyed::Value(KeyKind::Opaque) if matches!(value, ValueRef::None) => {}
            Keyed::Value(kind) => {
                let mut key = Vec::new();
                keys.cut = put_key(&mut key, kind, &value, number);
                keys.keys.push(key);
            }
            Keyed::Links => {
                let mut links = |ty, id| {
                    let mut key = Vec::new();
                    put_ref(&mut key, number(ty), id);
                    keys.keys.push(key);
                };
                match &value {
                    ValueRef::Ref { ty, id } => links(*ty, *id),
                    ValueRef::Nested(nested) => nested.each_ref(&mut links),
                    _ => {}
                }
                keys.keys.sort();
                keys.keys.dedup();
            }
        }
        Ok(keys)
    }
}

/// A row taken apart.
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) id: EntityId,
    from: u64,
    /// `u64::MAX`: it still holds.
    to: u64,
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

impl<'a> Entry<'a> {
    fn live(row: &'a [u8]) -> Self {
        let (key, tail) = row.split_at(row.len() - TAIL);
        Entry {
            key,
            id: EntityId(word(&tail[..ID_BYTES])),
            from: word(&tail[ID_BYTES..]),
            to: u64::MAX,
        }
    }

    fn past(row: &'a [u8]) -> Self {
        let (row, to) = row.split_at(row.len() - LSN_BYTES);
        Entry {
            to: word(to),
            ..Entry::live(row)
        }
    }

    /// Whether these bytes can be a row.
    pub(crate) fn fits(row: &[u8], past: bool) -> bool {
        row.len() > TAIL + if past { LSN_BYTES } else { 0 }
    }

    /// Whether a snapshot sees it.
    fn seen(&self, until: Lsn) -> bool {
        self.from <= until.0 && (until.0 < self.to || !self.is_past())
    }

    /// Whether it is over, so that the record may have been destroyed meanwhile.
    pub(crate) fn is_past(&self) -> bool {
        self.to != u64::MAX
    }
}

/// Key and number.
fn head_of(key: &[u8], id: EntityId) -> Vec<u8> {
    let mut row = Vec::with_capacity(key.len() + TAIL + LSN_BYTES);
    row.extend_from_slice(key);
    row.extend_from_slice(&id.0.to_be_bytes()[8 - ID_BYTES..]);
    row
}

/// A whole row; `to` for one that is over.
pub(crate) fn row_of(key: &[u8], id: EntityId, from: Lsn, to: Option<Lsn>) -> Vec<u8> {
    let mut row = head_of(key, id);
    row.extend_from_slice(&from.0.to_be_bytes());
    row.extend(to.iter().flat_map(|to| to.0.to_be_bytes()));
    row
}

/// One index.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldIndex {
    live: SortedRows,
    past: SortedRows,
    /// The last change of any row.
    newest: Lsn,
    /// A text was cut, ever: rows with the same beginning may stand in another order than their texts.
    pub(crate) cut: bool,
}

impl FieldIndex {
    pub(crate) fn new(live: SortedRows, past: SortedRows, newest: Lsn, cut: bool) -> Self {
        FieldIndex {
            live,
            past,
            newest,
            cut,
        }
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.live.memory() + self.past.memory()
    }

    /// Appends everything but the rows of these records.
    pub(crate) fn encode(&self, gone: &BTreeSet<EntityId>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.newest.0.to_le_bytes());
        out.push(u8::from(self.cut));
        put_rows(out, &self.live, &|row| !gone.contains(&Entry::live(row).id));
        put_rows(out, &self.past, &|row| !gone.contains(&Entry::past(row).id));
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Undecodable> {
        let newest = Lsn(cursor.u64("the newest change of an index")?);
        let cut = cursor.u8("whether a text was cut")? != 0;
        let live = take_rows(cursor, false)?;
        let past = take_rows(cursor, true)?;
        Ok(FieldIndex::new(live, past, newest, cut))
    }

    fn without(&self, gone: &BTreeSet<EntityId>) -> FieldIndex {
        let kept = |rows: &SortedRows, id: &dyn Fn(&[u8]) -> EntityId| {
            let mut kept = Vec::new();
            let mut at = rows.seek(&[]);
            while let Some(row) = rows.row(at) {
                if !gone.contains(&id(row)) {
                    kept.push(row);
                }
                at = rows.next(at);
            }
            SortedRows::from_sorted(kept.into_iter())
        };
        FieldIndex {
            live: kept(&self.live, &|row| Entry::live(row).id),
            past: kept(&self.past, &|row| Entry::past(row).id),
            newest: self.newest,
            cut: self.cut,
        }
    }

    /// Takes over a change of one record: its keys before (none: it was not live) and after. A destroyed record leaves
    /// nothing behind.
    pub(crate) fn change(
        &mut self,
        id: EntityId,
        lsn: Lsn,
        before: &Keys,
        after: &Keys,
        destroyed: bool,
    ) {
        self.cut |= after.cut;
        for key in before.keys.iter().filter(|key| !after.keys.contains(key)) {
            let Some(row) = self.live.find(&head_of(key, id)).map(<[u8]>::to_vec) else {
                continue;
            };
            self.live.remove(&row);
            self.newest = self.newest.max(lsn);
            if !destroyed {
                let mut past = row;
                past.extend(lsn.0.to_be_bytes());
                self.past.insert(&past);
            }
        }
        for key in after.keys.iter().filter(|key| !before.keys.contains(key)) {
            self.live.insert(&row_of(key, id, lsn, None));
            self.newest = self.newest.max(lsn);
        }
    }

    /// Whether a snapshot sees exactly what holds now.
    fn is_newest(&self, until: Lsn) -> bool {
        self.newest <= until
    }

    /// The record that holds a key now.
    pub(crate) fn holder(&self, key: &[u8]) -> Option<EntityId> {
        self.live.find(key).map(|row| Entry::live(row).id)
    }

    /// How many rows there are about in a range.
    pub(crate) fn estimate(&self, range: &KeyRange, until: Lsn) -> u64 {
        let of = |rows: &SortedRows| rows.count(rows.seek(&range.from), rows.seek(&range.to));
        let past = if self.is_newest(until) {
            0
        } else {
            of(&self.past)
        };
        of(&self.live) + past
    }

    /// How many rows there are exactly, where that is known without looking at them.
    pub(crate) fn count(&self, range: &KeyRange, until: Lsn) -> Option<u64> {
        self.is_newest(until).then(|| self.estimate(range, until))
    }

    /// Visits the rows of a range that a snapshot sees, by key and number, until `visit` says `false`.
    pub(crate) fn walk(
        &self,
        range: &KeyRange,
        until: Lsn,
        visit: &mut dyn FnMut(&Entry<'_>) -> bool,
    ) {
        let rest = |rows: &SortedRows| rows.seek(&range.from);
        let below = |row: &&[u8]| *row < range.to.as_slice();
        let (mut live, mut past) = (rest(&self.live), rest(&self.past));
        if self.is_newest(until) {
            past = self.past.end();
        }
        loop {
            let (now, then) = (
                self.live.row(live).filter(below),
                self.past.row(past).filter(below),
            );
            let entry = match (now, then) {
                (Some(now), Some(then)) if then < now => Entry::past(then),
                (None, Some(then)) => Entry::past(then),
                (Some(now), _) => Entry::live(now),
                (None, None) => return,
            };
            if entry.seen(until) && !visit(&entry) {
                return;
            }
            if entry.is_past() {
                past = self.past.next(past);
            } else {
                live = self.live.next(live);
            }
        }
    }

    /// The same from the largest key down; rows of one key come by number, upwards.
    pub(crate) fn walk_down(
        &self,
        range: &KeyRange,
        until: Lsn,
        visit: &mut dyn FnMut(&Entry<'_>) -> bool,
    ) {
        let mut left = range.clone();
        let mut go_on = true;
        while go_on {
            let last = |rows: &SortedRows| {
                let row = rows.row(rows.previous(rows.seek(&left.to))?)?;
                (row >= left.from.as_slice()).then(|| row.to_vec())
            };
            let now = last(&self.live).map(|row| Entry::live(&row).key.to_vec());
            let then = match self.is_newest(until) {
                true => None,
                false => last(&self.past).map(|row| Entry::past(&row).key.to_vec()),
            };
            let Some(key) = now.max(then) else {
                return;
            };
            self.walk(&KeyRange::prefix(key.clone()), until, &mut |entry| {
                go_on = visit(entry);
                go_on
            });
            left.to = key;
        }
    }
}

/// A record and whether it is deleted.
type State<'a, R> = Option<(&'a R, bool)>;

/// Indexes and columns of one type. A clone never changes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) indexes: Vec<FieldIndex>,
    pub(crate) columns: Columns,
    /// The last transaction that changed anything in it, or the one it was built at.
    pub(crate) upto: Lsn,
    /// Records destroyed since it was made: what indexes still say of their past is not written anywhere.
    pub(crate) gone: Arc<BTreeSet<EntityId>>,
}

impl Table {
    /// A table of nothing.
    pub(crate) fn empty() -> Self {
        Table {
            indexes: Vec::new(),
            columns: Columns::new(Vec::new()),
            upto: Lsn(0),
            gone: Arc::default(),
        }
    }

    /// Takes records out that were destroyed.
    pub(crate) fn forget(&mut self, destroyed: &[EntityId]) {
        if destroyed.is_empty() {
            return;
        }
        let gone: BTreeSet<EntityId> = destroyed.iter().copied().collect();
        for index in &mut self.indexes {
            *index = index.without(&gone);
        }
        for id in gone {
            let none: Option<(&Record, bool)> = None;
            let done = self.columns.set(id, self.upto, none);
            // Nothing is read to take a record out.
            debug_assert!(done.is_ok());
        }
    }

    /// Takes over a change of one record: what it was (none: it was not there) and what it is (none: destroyed).
    pub(crate) fn change<R: Row>(
        &mut self,
        def: &TableDef,
        id: EntityId,
        lsn: Lsn,
        (before, after): (State<'_, R>, State<'_, R>),
        number: TypeNumber<'_>,
    ) -> Result<(), Undecodable> {
        let keys = |index: &IndexDef, state: State<'_, R>| match state {
            Some((row, false)) => index.keys(row, number),
            Some((_, true)) | None => Ok(Keys::default()),
        };
        self.upto = self.upto.max(lsn);
        if after.is_none() {
            Arc::make_mut(&mut self.gone).insert(id);
        }
        for (index, def) in self.indexes.iter_mut().zip(&def.indexes) {
            let (was, is) = (keys(def, before)?, keys(def, after)?);
            index.change(id, lsn, &was, &is, after.is_none());
        }
        if !def.columns.is_empty() {
            self.columns.set(id, lsn, after)?;
        }
        Ok(())
    }
}
