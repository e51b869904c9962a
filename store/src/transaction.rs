//! One transaction: a snapshot, what it read, what it wants to write.
//!
//! Nothing here touches the log; the committer takes it from here. What must stay true: everything that could make
//! another run of the same code behave differently is in the read set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{ReadError, TxError};
use crate::few::{FewMap, FewSet};
use crate::index::UniqueKey;
use crate::limits::{ENTITY_ID_MAX, VALUE_DEPTH_MAX};
use crate::query::{Predicate, Query};
use crate::queue::ExclusiveTurn;
use crate::schema::widen_all;
use crate::snapshot::{Deleted, Scan, Snapshot};
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, Record, TypeIx};

/// What a transaction looked at. Live pages use the same set to know when to render again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadSet {
    /// Records read by number, found or not.
    pub(crate) records: FewSet<(TypeIx, EntityId)>,
    /// Types read as a whole (scans, counts).
    pub types: BTreeSet<TypeIx>,
    /// Conditions that queries asked for: every change of a record that has them before or after it matters.
    pub queries: Vec<QueryRead>,
    /// Unique values that nobody held.
    pub(crate) absences: BTreeSet<(TypeIx, FieldIx, UniqueKey)>,
}

/// The condition of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRead {
    /// The type.
    pub ty: TypeIx,
    /// Which of its records were asked for.
    pub deleted: Deleted,
    /// What was asked of them.
    pub predicate: Predicate,
}

impl QueryRead {
    /// Whether a state of a record is one that the query looked for.
    pub fn concerns(&self, record: &Record) -> bool {
        record.ty == self.ty && self.deleted.shows(record) && self.predicate.matches(record)
    }
}

/// A record and a field of it that may hold a link.
type Holder = ((TypeIx, EntityId), FieldIx);

/// A written record: its number, the stored state (`None`: new), the state it has now (`None`: destroyed).
pub(crate) type OwnRecord = (EntityId, Option<Arc<Record>>, Option<Arc<Record>>);

/// A query in a loop is often the same one: so many of the newest are compared before another one is kept.
const QUERIES_COMPARED: usize = 8;

/// What a transaction does to one record.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// The newest version in the snapshot; `None` for a new record.
    pub(crate) base: Option<Arc<Record>>,
    pub(crate) fields: Vec<FieldValue>,
    pub(crate) deleted: bool,
    pub(crate) destroyed: bool,
    /// Where the record comes from, if it is not made here.
    pub(crate) origin: Option<Origin>,
}

/// What a record that is imported brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its version; the ones before it stay where it comes from.
    pub(crate) version: u32,
    /// When it was made; none: now.
    pub(crate) created_at_ms: Option<i64>,
    /// When this version was made; none: now.
    pub(crate) updated_at_ms: Option<i64>,
    /// Whether it is deleted.
    pub(crate) deleted: bool,
}

/// A transaction under way. Dropping it forgets it.
pub struct Transaction {
    snapshot: Snapshot,
    started_ms: i64,
    reads: ReadSet,
    writes: FewMap<(TypeIx, EntityId), Pending>,
    /// Records in the order they were first written: the order in the log.
    order: Vec<(TypeIx, EntityId)>,
    /// Unique values that records of this transaction hold or held for a while; a look at the record decides.
    claims: HashMap<(TypeIx, FieldIx, UniqueKey), BTreeSet<EntityId>>,
    /// Records and fields of this transaction that link to a record, or did for a while; a look at the record decides.
    linking: HashMap<(TypeIx, EntityId), BTreeSet<Holder>>,
    exclusive: Option<ExclusiveTurn>,
}

/// The parts a committer needs.
pub(crate) struct TransactionParts {
    pub(crate) snapshot_lsn: Lsn,
    pub(crate) reads: ReadSet,
    pub(crate) writes: FewMap<(TypeIx, EntityId), Pending>,
    pub(crate) order: Vec<(TypeIx, EntityId)>,
    pub(crate) exclusive: Option<ExclusiveTurn>,
}

impl Transaction {
    pub(crate) fn new(
        snapshot: Snapshot,
        started_ms: i64,
        exclusive: Option<ExclusiveTurn>,
    ) -> Self {
        Transaction {
            snapshot,
            started_ms,
            reads: ReadSet::default(),
            writes: FewMap::default(),
            order: Vec::new(),
            claims: HashMap::new(),
            linking: HashMap::new(),
            exclusive,
        }
    }

    pub(crate) fn into_parts(self) -> TransactionParts {
        TransactionParts {
            snapshot_lsn: self.snapshot.lsn(),
            reads: self.reads,
            writes: self.writes,
            order: self.order,
            exclusive: self.exclusive,
        }
    }

    /// The snapshot this transaction reads from.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What was read so far, for who has no more use for the transaction: it must not be committed after this.
    pub fn take_read_set(&mut self) -> ReadSet {
        std::mem::take(&mut self.reads)
    }

    /// What was read so far.
    pub fn read_set(&self) -> &ReadSet {
        &self.reads
    }

    /// Whether nothing was written: committing then has no effect.
    pub fn is_read_only(&self) -> bool {
        self.writes.is_empty()
    }

    /// When it was begun, milliseconds UTC: the time of what it wrote until it is committed.
    pub fn started_ms(&self) -> i64 {
        self.started_ms
    }

    /// Whether this transaction removes the record for good.
    pub fn destroys(&self, ty: TypeIx, id: EntityId) -> bool {
        self.writes
            .get(&(ty, id))
            .is_some_and(|pending| pending.destroyed)
    }

    /// Number of records written.
    pub fn write_count(&self) -> usize {
        self.writes.len()
    }

    /// The live record with this number, own writes included.
    pub fn get(&mut self, ty: TypeIx, id: EntityId) -> Result<Option<Arc<Record>>, ReadError> {
        Ok(self.get_any(ty, id)?.filter(|record| !record.is_deleted()))
    }

    /// The record with this number, deleted or not, own writes included.
    pub fn get_any(&mut self, ty: TypeIx, id: EntityId) -> Result<Option<Arc<Record>>, ReadError> {
        if let Some(pending) = self.writes.get(&(ty, id)) {
            return Ok(self.own_record(ty, id, pending).map(Arc::new));
        }
        self.reads.records.insert((ty, id));
        self.snapshot.get_any(ty, id)
    }

    /// All versions of a record, oldest first; the state this transaction gives it comes last.
    pub fn history(&mut self, ty: TypeIx, id: EntityId) -> Result<Vec<Record>, ReadError> {
        self.reads.records.insert((ty, id));
        match self.writes.get(&(ty, id)) {
            Some(pending) if pending.destroyed => Ok(Vec::new()),
            Some(pending) => {
                let mut versions = self.snapshot.history(ty, id)?;
                versions.extend(self.own_record(ty, id, pending));
                Ok(versions)
            }
            None => self.snapshot.history(ty, id),
        }
    }

    /// All records of a type by number, own writes included. The type goes into the read set as a whole.
    pub fn scan(&mut self, ty: TypeIx, deleted: Deleted) -> TransactionScan {
        self.reads.types.insert(ty);
        let own = self
            .writes
            .range((ty, EntityId(0))..=(ty, EntityId(u64::MAX)));
        let own = own
            .map(|(&(_, id), pending)| (id, self.own_record(ty, id, pending).map(Arc::new)))
            .collect();
        TransactionScan {
            stored: self.snapshot.scan(ty, Deleted::Include),
            waiting: None,
            own,
            deleted,
        }
    }

    /// Puts the condition of a query into the read set.
    pub(crate) fn note_query(&mut self, query: &Query) {
        let read = QueryRead {
            ty: query.ty,
            deleted: query.deleted,
            predicate: query.predicate.clone(),
        };
        let newest = self.reads.queries.iter().rev().take(QUERIES_COMPARED);
        if !newest.into_iter().any(|known| *known == read) {
            self.reads.queries.push(read);
        }
    }

    /// What this transaction makes of the records of a type: the stored state and the new one, by number.
    pub(crate) fn own_records(&self, ty: TypeIx) -> Vec<OwnRecord> {
        let own = self
            .writes
            .range((ty, EntityId(0))..=(ty, EntityId(u64::MAX)));
        own.map(|(&(_, id), pending)| {
            let now = self.own_record(ty, id, pending).map(Arc::new);
            (id, pending.base.clone(), now)
        })
        .collect()
    }

    /// Number of live records of a type, own writes included.
    pub fn count(&mut self, ty: TypeIx) -> Result<u64, ReadError> {
        self.reads.types.insert(ty);
        let mut count = self.snapshot.count(ty)?;
        for (_, pending) in self
            .writes
            .range((ty, EntityId(0))..=(ty, EntityId(u64::MAX)))
        {
            let was_live = pending.base.as_ref().is_some_and(|base| !base.is_deleted());
            count = count + u64::from(pending.is_live()) - u64::from(was_live);
        }
        Ok(count)
    }

    /// The live record whose unique field holds `value`, own writes included.
    pub fn find_unique(
        &mut self,
        ty: TypeIx,
        field: FieldIx,
        value: &FieldValue,
    ) -> Result<Option<Arc<Record>>, ReadError> {
        let shared = self.snapshot.shared.clone();
        let Some(key) = shared.unique_key(ty, field, value) else {
            return Ok(None);
        };
        let claim = (ty, field, key);
        for id in self.claims.get(&claim).into_iter().flatten() {
            let pending = &self.writes[&(ty, *id)];
            let held = shared.unique_key(ty, field, &pending.fields[field.0 as usize]);
            if pending.is_live() && held.as_ref() == Some(&claim.2) {
                return Ok(self.own_record(ty, *id, pending).map(Arc::new));
            }
        }
        let found = self.snapshot.find_unique(ty, field, value)?;
        match &found {
            Some(record) if self.writes.contains_key(&(ty, record.id)) => Ok(None),
            Some(record) => {
                self.reads.records.insert((ty, record.id));
                Ok(found)
            }
            None => {
                self.reads.absences.insert(claim);
                Ok(None)
            }
        }
    }

    /// A new record. Its number is final even if the transaction is not committed; it is never given out again while
    /// the process lives.
    pub fn insert(&mut self, ty: TypeIx, fields: Vec<FieldValue>) -> Result<EntityId, TxError> {
        let fields = self.checked_fields(ty, fields)?;
        let id =
            EntityId(self.snapshot.shared.next_ids[ty.0 as usize].fetch_add(1, Ordering::Relaxed));
        if id.0 > ENTITY_ID_MAX {
            let type_name = self.snapshot.shared.type_name(ty).to_owned();
            return Err(TxError::NumbersUsedUp { type_name });
        }
        // An import may use the same number.
        self.reads.records.insert((ty, id));
        self.claim(ty, id, &fields);
        self.note_links((ty, id), &fields);
        self.order.push((ty, id));
        self.writes.insert(
            (ty, id),
            Pending {
                base: None,
                fields,
                deleted: false,
                destroyed: false,
                origin: None,
            },
        );
        Ok(id)
    }

    /// A record from elsewhere, under its own number, which must never have been used here.
    pub(crate) fn insert_as(
        &mut self,
        ty: TypeIx,
        id: EntityId,
        fields: Vec<FieldValue>,
        origin: Origin,
    ) -> Result<(), TxError> {
        self.check_fields(ty, &fields)?;
        if self.writes.contains_key(&(ty, id)) {
            let type_name = self.snapshot.shared.type_name(ty).to_owned();
            return Err(TxError::NumberTaken { type_name, id });
        }
        self.snapshot.shared.reserve_ids(ty, id);
        self.reads.records.insert((ty, id));
        if !origin.deleted {
            self.claim(ty, id, &fields);
            self.note_links((ty, id), &fields);
        }
        self.order.push((ty, id));
        self.writes.insert(
            (ty, id),
            Pending {
                base: None,
                fields,
                deleted: origin.deleted,
                destroyed: false,
                origin: Some(origin),
            },
        );
        Ok(())
    }

    /// Gives a live record new fields. Returns the version this transaction makes of it.
    pub fn update(
        &mut self,
        ty: TypeIx,
        id: EntityId,
        fields: Vec<FieldValue>,
    ) -> Result<u32, TxError> {
        let fields = self.checked_fields(ty, fields)?;
        self.pending(ty, id, Pending::is_live)?;
        self.claim(ty, id, &fields);
        self.note_links((ty, id), &fields);
        let pending = self.pending(ty, id, Pending::is_live)?;
        pending.fields = fields;
        Ok(pending.version())
    }

    /// Records and fields that link to a record now, or in this transaction; a look at the record decides.
    pub(crate) fn possible_referrers(
        &self,
        ty: TypeIx,
        id: EntityId,
    ) -> Result<BTreeSet<Holder>, ReadError> {
        let shared = &self.snapshot.shared;
        let stored = shared.tables.referrers(shared, ty, id)?;
        let places = stored.iter().filter_map(|one| shared.mapping.place_of(one));
        let mut found: BTreeSet<Holder> = places.collect();
        found.extend(self.linking.get(&(ty, id)).into_iter().flatten());
        Ok(found)
    }

    /// Remembers what a record of this transaction links to.
    fn note_links(&mut self, key: (TypeIx, EntityId), fields: &[FieldValue]) {
        for (at, value) in fields.iter().enumerate() {
            let field = FieldIx(at as u32);
            value.each_ref(&mut |ty, id| {
                self.linking
                    .entry((ty, id))
                    .or_default()
                    .insert((key, field));
            });
        }
    }

    /// Hides a live record; its history stays. Rules about links to it are applied when the transaction commits.
    pub fn delete(&mut self, ty: TypeIx, id: EntityId) -> Result<u32, TxError> {
        let pending = self.pending(ty, id, Pending::is_live)?;
        pending.deleted = true;
        Ok(pending.version())
    }

    /// Brings a deleted record back with the fields it had.
    pub fn restore(&mut self, ty: TypeIx, id: EntityId) -> Result<u32, TxError> {
        let type_name = self.snapshot.shared.type_name(ty).to_owned();
        let pending = self.pending(ty, id, |pending| !pending.destroyed)?;
        if !pending.deleted {
            return Err(TxError::NotDeleted { type_name, id });
        }
        pending.deleted = false;
        let (version, fields) = (pending.version(), pending.fields.clone());
        self.claim(ty, id, &fields);
        Ok(version)
    }

    /// Removes a record, deleted or not, with its whole history. It is gone for every reader once this commits; a
    /// receipt without content stays in the log.
    pub fn destroy(&mut self, ty: TypeIx, id: EntityId) -> Result<(), TxError> {
        let pending = self.pending(ty, id, |pending| !pending.destroyed)?;
        pending.destroyed = true;
        pending.fields.fill(FieldValue::None);
        Ok(())
    }

    /// Remembers which unique values a record of this transaction holds.
    fn claim(&mut self, ty: TypeIx, id: EntityId, fields: &[FieldValue]) {
        for (field, _, key) in self.snapshot.shared.unique_keys(ty, fields) {
            self.claims.entry((ty, field, key)).or_default().insert(id);
        }
    }

    /// The write of one record, taken from the snapshot at first touch; an error unless it is as `usable` asks.
    fn pending(
        &mut self,
        ty: TypeIx,
        id: EntityId,
        usable: impl Fn(&Pending) -> bool,
    ) -> Result<&mut Pending, TxError> {
        let shared = self.snapshot.shared.clone();
        let type_name = || shared.type_name(ty).to_owned();
        if !self.writes.contains_key(&(ty, id)) {
            self.reads.records.insert((ty, id));
            let Some(base) = self.snapshot.get_any(ty, id)? else {
                return Err(TxError::NotFound {
                    type_name: type_name(),
                    id,
                });
            };
            let deleted = base.is_deleted();
            let pending = Pending {
                fields: base.fields.clone(),
                base: Some(base),
                deleted,
                destroyed: false,
                origin: None,
            };
            if !usable(&pending) {
                return Err(TxError::NotFound {
                    type_name: type_name(),
                    id,
                });
            }
            self.order.push((ty, id));
            self.note_links((ty, id), &pending.fields);
            self.writes.insert((ty, id), pending);
        }
        let not_found = TxError::NotFound {
            type_name: type_name(),
            id,
        };
        self.writes
            .get_mut(&(ty, id))
            .filter(|pending| usable(pending))
            .ok_or(not_found)
    }

    /// The fields as they will be read: of the declared types, ints in float fields as floats.
    fn checked_fields(
        &self,
        ty: TypeIx,
        mut fields: Vec<FieldValue>,
    ) -> Result<Vec<FieldValue>, TxError> {
        self.check_fields(ty, &fields)?;
        let defs = &self.snapshot.shared.schema.type_def(ty).fields;
        widen_all(&mut fields, defs);
        Ok(fields)
    }

    fn check_fields(&self, ty: TypeIx, fields: &[FieldValue]) -> Result<(), TxError> {
        let schema = &self.snapshot.shared.schema;
        let def = schema.type_def(ty);
        let type_name = || def.name.clone();
        if fields.len() != def.fields.len() {
            let (expected, found) = (def.fields.len(), fields.len());
            return Err(TxError::WrongFieldCount {
                type_name: type_name(),
                expected,
                found,
            });
        }
        for (field, value) in def.fields.iter().zip(fields) {
            if value.depth() > VALUE_DEPTH_MAX {
                return Err(TxError::TooDeep {
                    type_name: type_name(),
                    field: field.name.clone(),
                    limit: VALUE_DEPTH_MAX,
                });
            }
            if !field.ty.accepts(value, schema) {
                return Err(TxError::WrongType {
                    type_name: type_name(),
                    field: field.name.clone(),
                    expected: field.ty.to_string(),
                    found: value.kind(),
                });
            }
        }
        Ok(())
    }

    /// A record as this transaction left it; `None` once destroyed. Times are those of the transaction's start until
    /// it is committed.
    fn own_record(&self, ty: TypeIx, id: EntityId, pending: &Pending) -> Option<Record> {
        (!pending.destroyed).then(|| Record {
            ty,
            id,
            version: pending.version(),
            created_at_ms: pending
                .base
                .as_ref()
                .map_or(self.started_ms, |base| base.created_at_ms),
            updated_at_ms: self.started_ms,
            deleted_at_ms: pending.deleted.then_some(self.started_ms),
            fields: pending.fields.clone(),
            lsn: Lsn(0),
        })
    }
}

impl Pending {
    /// Whether there is something of this record outside of the transaction.
    pub(crate) fn exists_elsewhere(&self) -> bool {
        self.base.is_some() || self.origin.is_some()
    }

    pub(crate) fn is_live(&self) -> bool {
        !self.deleted && !self.destroyed
    }

    /// The version this transaction makes.
    pub(crate) fn version(&self) -> u32 {
        match self.origin {
            Some(origin) => origin.version,
            None => self.base.as_ref().map_or(0, |base| base.version) + 1,
        }
    }
}

/// The records of a type by number, a transaction's own writes included.
pub struct TransactionScan {
    stored: Scan,
    /// A stored record read ahead.
    waiting: Option<Arc<Record>>,
    /// Own writes that are still to come; `None` for a destroyed record.
    own: BTreeMap<EntityId, Option<Arc<Record>>>,
    deleted: Deleted,
}

impl Iterator for TransactionScan {
    type Item = Result<Arc<Record>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.waiting.is_none() {
                match self.stored.next() {
                    Some(Ok(record)) => self.waiting = Some(record),
                    Some(Err(error)) => return Some(Err(error)),
                    None => {}
                }
            }
            let own_first = match (self.own.first_key_value(), &self.waiting) {
                (Some((id, _)), Some(record)) => *id <= record.id,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return None,
            };
            let record = if own_first {
                let (id, record) = self.own.pop_first()?;
                if self.waiting.as_ref().is_some_and(|stored| stored.id == id) {
                    self.waiting = None;
                }
                record
            } else {
                self.waiting.take()
            };
            if let Some(record) = record.filter(|record| self.deleted.shows(record)) {
                return Some(Ok(record));
            }
        }
    }
}
