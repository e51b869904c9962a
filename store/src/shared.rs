//! What snapshots, transactions and the committer share: schema, mapping, the published state.
//!
//! What must stay true: `State` changes only in `publish`, under the write lock, after the frames it describes are
//! durable; readers hold the lock for a lookup, never for a read from disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::catalog::{Catalog, Mapping, Special};
use crate::checkpoint::base::Base;
use crate::codec::cursor::Undecodable;
use crate::codec::record::{FieldNo, Place, RecordHeader, TypeNo};
use crate::codec::value::ValueRef;
use crate::error::ReadError;
use crate::evolution::convert;
use crate::index::{Head, Index, Unchanged, UniqueKey};
use crate::notes::Notes;
use crate::query::key::put_key;
use crate::query::row::RecordView;
use crate::query::secondary::TableDef;
use crate::query::tables::{Tables, unique_kind};
use crate::schema::{FieldType, Schema, TypeDef};
use crate::segments::{ReadFault, SegmentSet, Wanted};
use crate::times::Times;
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, Record, TypeIx};

/// The published state.
pub(crate) struct State {
    pub(crate) index: Index,
    pub(crate) segments: Arc<SegmentSet>,
    /// From times to transactions.
    pub(crate) times: Times,
    /// Newest transaction that is durable.
    pub(crate) published: Lsn,
}

/// Everything that outlives a single transaction.
pub(crate) struct Shared {
    pub(crate) schema: Schema,
    /// Names by `TypeIx`, shared with events.
    pub(crate) type_names: Vec<Arc<str>>,
    /// Whether a type has unique values or may have links, by `TypeIx`.
    indexed: Vec<bool>,
    pub(crate) catalog: Catalog,
    pub(crate) mapping: Mapping,
    pub(crate) state: RwLock<State>,
    /// Indexes and columns, by `TypeIx`.
    pub(crate) tables: Tables,
    /// Next free number, by `TypeIx`.
    pub(crate) next_ids: Vec<AtomicU64>,
    /// Heads that can be looked up without the lock of the state, by `TypeIx`.
    unchanged: Vec<Option<Unchanged>>,
    /// Records destroyed since the store was opened: who goes by what was looked up before looks again when it grows.
    pub(crate) destroys: AtomicU64,
    /// The checkpoint the store was opened with: other indexes may have sections in it.
    pub(crate) base: Option<Arc<Base>>,
    pub(crate) notes: Arc<Notes>,
}

/// Which versions a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Until {
    /// Versions up to this transaction,
    pub(crate) lsn: Lsn,
    /// and, for a look into the past, up to this time.
    pub(crate) time_ms: Option<i64>,
}

impl Until {
    /// Everything up to a transaction.
    pub(crate) fn lsn(lsn: Lsn) -> Self {
        Until { lsn, time_ms: None }
    }

    #[inline]
    fn sees(self, header: &RecordHeader) -> bool {
        header.lsn <= self.lsn
            && self
                .time_ms
                .is_none_or(|time_ms| header.updated_at_ms <= time_ms)
    }
}

/// Some records of a type.
pub(crate) struct HeadsPage {
    pub(crate) heads: Vec<(EntityId, Head)>,
    /// Where the next page begins; `None`: this was the last one.
    pub(crate) next: Option<u64>,
    pub(crate) segments: Arc<SegmentSet>,
}

/// Two live records that hold one unique value.
pub(crate) struct Duplicate {
    pub(crate) first: EntityId,
    pub(crate) second: EntityId,
}

impl Shared {
    pub(crate) fn new(
        schema: Schema,
        catalog: Catalog,
        mapping: Mapping,
        state: State,
        base: Option<Arc<Base>>,
        notes: Arc<Notes>,
    ) -> Self {
        let type_names = schema
            .types
            .iter()
            .map(|ty| Arc::from(ty.name.as_str()))
            .collect();
        let next_id = |at| {
            let number = mapping.number(TypeIx(at as u32));
            AtomicU64::new(state.index.ty(number).map_or(0, |ty| ty.max_id) + 1)
        };
        let next_ids = (0..schema.types.len()).map(next_id).collect();
        let table = |at| {
            let ty = TypeIx(at as u32);
            TableDef::of(&schema, ty, &mapping.type_mapping(ty).fields)
        };
        let tables = Tables::new((0..schema.types.len()).map(table).collect());
        let is_indexed = |ty: &TypeDef| {
            let mut fields = ty.fields.iter();
            fields.any(|def| def.unique || def.ty.may_link())
        };
        let unchanged = |at| {
            state
                .index
                .ty(mapping.number(TypeIx(at as u32)))?
                .unchanged()
        };
        let unchanged = (0..schema.types.len()).map(unchanged).collect();
        Shared {
            unchanged,
            tables,
            indexed: schema.types.iter().map(is_indexed).collect(),
            schema,
            type_names,
            catalog,
            mapping,
            state: RwLock::new(state),
            next_ids,
            destroys: AtomicU64::new(0),
            base,
            notes,
        }
    }

    /// The newest place of a record.
    #[inline]
    pub(crate) fn head(&self, ty: TypeIx, id: EntityId) -> Option<Head> {
        let unchanged = self.unchanged.get(ty.0 as usize).and_then(Option::as_ref);
        if let Some(head) = unchanged.and_then(|unchanged| unchanged.head(id)) {
            return Some(head);
        }
        let number = self.mapping.number(ty);
        self.state().index.head(number, id)
    }

    #[inline]
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn type_name(&self, ty: TypeIx) -> &str {
        &self.type_names[ty.0 as usize]
    }

    /// The version of a record that a reader sees, deleted states included.
    pub(crate) fn record_at(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        id: EntityId,
        head: Head,
        until: Until,
    ) -> Result<Option<Record>, ReadError> {
        self.view_at(segments, ty, id, head, until, |view| view.decode())
    }

    /// Looks at the version of a record that a reader sees, deleted states included, without decoding it. Nearly always that
    /// is the newest one and its bytes are lent by the disk.
    #[inline]
    pub(crate) fn view_at<T>(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        id: EntityId,
        head: Head,
        until: Until,
        visit: impl FnOnce(RecordView<'_>) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, ReadError> {
        let wanted = Wanted {
            ty: self.mapping.number(ty),
            id,
            lsn: Some(head.lsn),
            version: head.version,
            place: head.place,
        };
        if let Some(segment) = segments.by_number(head.place.segment)
            && let Some((header, bytes)) = segment.read_lent(&wanted)
            && !header.erased
            && until.sees(&header)
        {
            let seen = visit(RecordView::new(self, ty, &header, bytes));
            return seen.map(Some).map_err(|_| {
                let (file, offset) = (segment.name(), u64::from(head.place.offset));
                let lsn = head.lsn;
                ReadFault::Damaged { file, offset, lsn }.named(self.type_name(ty), id)
            });
        }
        self.view_older(segments, ty, (id, head), until, visit)
    }

    /// The same where it takes more than one look.
    #[cold]
    fn view_older<T>(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        (id, head): (EntityId, Head),
        until: Until,
        visit: impl FnOnce(RecordView<'_>) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, ReadError> {
        let mut visit = Some(visit);
        let mut found = None;
        let mut look = |header: &RecordHeader, bytes: &[u8]| {
            if !until.sees(header) {
                return Ok(true);
            }
            if let Some(visit) = visit.take() {
                found = Some(visit(RecordView::new(self, ty, header, bytes))?);
            }
            Ok(false)
        };
        self.walk_back(segments, ty, id, head, &mut look)?;
        Ok(found)
    }

    /// Looks at all versions that a reader sees, newest first, until `visit` says `false`; nothing is decoded.
    pub(crate) fn view_versions(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        (id, head): (EntityId, Head),
        until: Until,
        visit: &mut dyn FnMut(RecordView<'_>) -> Result<bool, Undecodable>,
    ) -> Result<(), ReadError> {
        self.walk_back(segments, ty, id, head, &mut |header, bytes| {
            if !until.sees(header) {
                return Ok(true);
            }
            visit(RecordView::new(self, ty, header, bytes))
        })
    }

    /// All versions that a reader sees, newest first.
    pub(crate) fn versions(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        id: EntityId,
        head: Head,
        until: Until,
    ) -> Result<Vec<Record>, ReadError> {
        let mut found = Vec::new();
        self.walk_back(segments, ty, id, head, &mut |header, bytes| {
            if until.sees(header) {
                found.push(self.decode(ty, header, bytes)?);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// Visits the versions of a record, newest first, until `visit` says `false`. `segments` may be older than the head.
    #[inline]
    fn walk_back(
        &self,
        segments: &SegmentSet,
        ty: TypeIx,
        id: EntityId,
        head: Head,
        visit: &mut impl FnMut(&RecordHeader, &[u8]) -> Result<bool, Undecodable>,
    ) -> Result<(), ReadError> {
        let number = self.mapping.number(ty);
        let named = |fault: ReadFault| fault.named(self.type_name(ty), id);
        let mut wanted = Wanted {
            ty: number,
            id,
            lsn: Some(head.lsn),
            version: head.version,
            place: head.place,
        };
        loop {
            let damaged = |file: String| {
                let offset = u64::from(wanted.place.offset);
                named(ReadFault::Damaged {
                    file,
                    offset,
                    lsn: wanted.lsn.unwrap_or(Lsn(0)),
                })
            };
            let newer;
            let segment = match segments.by_number(wanted.place.segment) {
                Some(segment) => segment,
                None => {
                    newer = self.state().segments.clone();
                    newer
                        .by_number(wanted.place.segment)
                        .ok_or_else(|| damaged(format!("segment {}", wanted.place.segment)))?
                }
            };
            let (header, bytes) = segment.read(&wanted).map_err(named)?;
            if header.erased {
                return Ok(());
            }
            let go_on = visit(&header, &bytes).map_err(|_| damaged(segment.name()))?;
            match header.previous {
                Some(place) if go_on && header.version > 1 => {
                    wanted = Wanted {
                        lsn: None,
                        version: header.version - 1,
                        place,
                        ..wanted
                    };
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Decodes a checked record into the program's field order, stored values widened to the declared types.
    pub(crate) fn decode(
        &self,
        ty: TypeIx,
        header: &RecordHeader,
        bytes: &[u8],
    ) -> Result<Record, Undecodable> {
        let def = self.schema.type_def(ty);
        let mapping = self.mapping.type_mapping(ty);
        let mut fields = Vec::with_capacity(def.fields.len());
        for (at, (field, number)) in def.fields.iter().zip(&mapping.fields).enumerate() {
            let value =
                header.field_ref(bytes, *number, &|no| self.mapping.position(TypeNo(no)))?;
            fields.push(match mapping.special(FieldIx(at as u32)) {
                None if field.ty.can_change() => field.ty.widen_ref(value).into_value(),
                None => value.into_value(),
                Some(special) => self.special(special, &field.ty, header, value.into_value()),
            });
        }
        Ok(Record {
            ty,
            id: header.id,
            version: header.version,
            created_at_ms: header.created_at_ms,
            updated_at_ms: header.updated_at_ms,
            deleted_at_ms: header.deleted.then_some(header.updated_at_ms),
            fields,
            lsn: header.lsn,
        })
    }

    /// A stored value of a field whose older values are read in a way of their own.
    fn special(
        &self,
        special: &Special,
        ty: &FieldType,
        header: &RecordHeader,
        value: FieldValue,
    ) -> FieldValue {
        let value = if special.converted {
            convert(value, ty, &self.schema).unwrap_or(FieldValue::None)
        } else {
            ty.widen(value)
        };
        match &special.fill {
            Some((since, fill)) if value.is_none() && header.schema < *since => fill.clone(),
            Some(_) | None => value,
        }
    }

    /// A value as the key of a unique index; `None` for `none`, which is never a duplicate, and for fields that are not
    /// unique.
    pub(crate) fn unique_key(
        &self,
        ty: TypeIx,
        field: FieldIx,
        value: &FieldValue,
    ) -> Option<UniqueKey> {
        let kind = unique_kind(&self.tables, ty, field)?;
        let declared = &self.schema.type_def(ty).fields[field.0 as usize].ty;
        let value = declared.widen_ref(ValueRef::of(value));
        if matches!(value, ValueRef::None) {
            return None;
        }
        let mut key = Vec::new();
        put_key(&mut key, kind, &value, &|ty| self.mapping.number(ty).0);
        Some(key)
    }

    /// The unique keys of a record: field and key.
    pub(crate) fn unique_keys(
        &self,
        ty: TypeIx,
        fields: &[FieldValue],
    ) -> Vec<(FieldIx, FieldNo, UniqueKey)> {
        let mapping = self.mapping.type_mapping(ty);
        let defs = self.schema.type_def(ty).fields.iter().enumerate();
        defs.filter(|(_, def)| def.unique)
            .filter_map(|(at, _)| {
                let field = FieldIx(at as u32);
                Some((
                    field,
                    mapping.fields[at],
                    self.unique_key(ty, field, fields.get(at)?)?,
                ))
            })
            .collect()
    }

    /// The links of a record: field position and number, target.
    pub(crate) fn links(
        &self,
        ty: TypeIx,
        fields: &[FieldValue],
    ) -> Vec<(FieldIx, FieldNo, TypeIx, EntityId)> {
        let mapping = self.mapping.type_mapping(ty);
        let mut links = Vec::new();
        for (at, value) in fields.iter().enumerate() {
            value.each_ref(&mut |target, id| {
                links.push((FieldIx(at as u32), mapping.fields[at], target, id))
            });
        }
        links
    }

    /// New records get numbers behind `id` from now on.
    pub(crate) fn reserve_ids(&self, ty: TypeIx, id: EntityId) {
        self.next_ids[ty.0 as usize].fetch_max(id.0 + 1, Ordering::Relaxed);
    }

    /// Whether a number was given to a record of this type already.
    pub(crate) fn was_used(&self, ty: TypeIx, id: EntityId) -> bool {
        let number = self.mapping.number(ty);
        let state = self.state();
        state
            .index
            .ty(number)
            .is_some_and(|index| id.0 <= index.max_id)
    }

    /// Whether any rule needs the fields of old versions of this type.
    pub(crate) fn is_indexed(&self, ty: TypeIx) -> bool {
        self.indexed[ty.0 as usize]
    }

    /// Two live records for each unique value of a field that two hold.
    pub(crate) fn duplicates(
        &self,
        ty: TypeIx,
        field: FieldIx,
    ) -> Result<Vec<Duplicate>, ReadError> {
        let found = self.tables.duplicates(self, ty, field)?.into_iter();
        let duplicate = |(first, second)| Duplicate { first, second };
        Ok(found.map(duplicate).collect())
    }

    /// Up to a page of the records of a type from a number on, the segments they stand in, and where to go on.
    pub(crate) fn heads_page(&self, ty: TypeIx, from: u64) -> HeadsPage {
        let state = self.state();
        let index = state.index.ty(self.mapping.number(ty));
        let (heads, next) = index.map_or((Vec::new(), None), |index| index.page(from));
        HeadsPage {
            heads,
            next,
            segments: state.segments.clone(),
        }
    }

    /// Segment and offset in range for a place.
    pub(crate) fn place(segment: u32, offset: u64) -> Place {
        assert!(
            offset <= u64::from(u32::MAX),
            "segments are far smaller than 4 GiB"
        );
        Place {
            segment,
            offset: offset as u32,
        }
    }
}
