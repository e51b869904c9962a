//! What a change of the schema does to the data: counts, by one look at the newest version of every record concerned.
//!
//! What must stay true: nothing is written here; a type without a doubtful change is not looked at, so that opening stays
//! quick.

use crate::catalog::{Catalog, CatalogField};
use crate::codec::cursor::Undecodable;
use crate::codec::record::{RecordHeader, TypeNo};
use crate::disk::Disk;
use crate::error::{OpenError, ReadError};
use crate::evolution::change::{Consent, SchemaChange};
use crate::evolution::convert::convert;
use crate::evolution::evolve::{Evolved, evolve};
use crate::index::{Head, Index};
use crate::log::recover::Replayed;
use crate::open::{duplicates, readable_prefix, unreadable};
use crate::reading::{access, load_and_recover};
use crate::schema::{FieldType, Schema};
use crate::segments::{ReadFault, SegmentSet, Wanted};
use crate::shared::{Shared, State};
use crate::value::{EntityId, FieldValue, TypeIx};

/// How a program fits a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaPlan {
    /// In what they differ, with the records that each difference is about.
    pub changes: Vec<SchemaChange>,
    /// Who has the store open, if somebody has: the counts are of what was durable just now.
    pub holder: Option<String>,
}

impl SchemaPlan {
    /// The changes that need this consent.
    pub fn of(&self, consent: Consent) -> impl Iterator<Item = &SchemaChange> {
        self.changes
            .iter()
            .filter(move |change| change.consent() == consent)
    }
}

/// Compares a program's schema with a store, and counts what it would cost. Changes nothing; works while the store is in
/// use. Damage ends it.
pub fn plan_schema(disk: &dyn Disk, schema: &Schema) -> Result<SchemaPlan, OpenError> {
    let (guard, holder) = access(disk)?;
    let (files, recovered) = load_and_recover(disk, holder.is_some())?;
    if let Some(damage) = recovered.damage {
        let (file, offset, lsn) = (damage.file.clone(), damage.offset, damage.lsn);
        let damage = Box::new(damage);
        return Err(OpenError::Corrupt {
            file,
            offset,
            lsn,
            damage,
            read_only: None,
        });
    }
    let Replayed {
        catalog: logged,
        index,
        times,
        published,
        ..
    } = recovered.replayed;
    let refused = |problems| OpenError::SchemaRefused { problems };
    let mut evolved = evolve(&logged, schema).map_err(refused)?;
    let segments = readable_prefix(files, &recovered.end)?;
    judge(&index, &segments, &logged, schema, &mut evolved).map_err(unreadable)?;
    let state = State {
        index,
        segments,
        times,
        published,
    };
    let (catalog, mapping) = (evolved.catalog, evolved.mapping);
    let notes = std::sync::Arc::default();
    let shared = Shared::new(schema.clone(), catalog, mapping, state, None, notes);
    let mut changes = evolved.changes;
    changes.extend(duplicates(&shared, &logged)?);
    drop(guard);
    Ok(SchemaPlan { changes, holder })
}

/// Fills in the numbers of records; takes out what concerns none and needs no telling.
pub(crate) fn judge(
    index: &Index,
    segments: &SegmentSet,
    logged: &Catalog,
    schema: &Schema,
    evolved: &mut Evolved,
) -> Result<(), ReadError> {
    let mut changes = std::mem::take(&mut evolved.changes);
    for ty in &evolved.catalog.types {
        let Some(before) = logged.types.get(ty.number.0 as usize - 1) else {
            continue;
        };
        let mut counting: Vec<Counting<'_>> = Vec::new();
        for change in changes.iter_mut().filter(|change| !change.is_harmless()) {
            if concerns(change, &ty.name) && !before.dropped {
                let doubt = doubt(change, ty.dropped, &ty.fields, &before.fields);
                counting.extend(doubt.map(|doubt| Counting { doubt, change }));
            }
        }
        if counting.is_empty() {
            continue;
        }
        let count = |header: &RecordHeader, bytes: &[u8]| {
            for one in &mut counting {
                one.record(header, bytes, &evolved.mapping, schema)?;
            }
            Ok(())
        };
        each_newest(index, segments, ty.number, &ty.name, count)?;
    }
    changes.retain(|change| {
        !matches!(
            change,
            SchemaChange::LostVariants { records: 0, .. } | SchemaChange::Empty { records: 0, .. }
        )
    });
    mark_lost(&mut evolved.catalog, &changes);
    evolved.mapping = evolved.catalog.mapping(schema);
    evolved.changes = changes;
    Ok(())
}

/// Values of variants that are gone are converted when they are read, which makes them `none`.
fn mark_lost(catalog: &mut Catalog, changes: &[SchemaChange]) {
    for change in changes {
        let SchemaChange::LostVariants { entity, field, .. } = change else {
            continue;
        };
        let ty = catalog
            .types
            .iter_mut()
            .find(|ty| !ty.dropped && ty.name == *entity);
        let fields = ty.into_iter().flat_map(|ty| &mut ty.fields);
        fields
            .filter(|one| !one.dropped && one.def.name == *field)
            .for_each(|one| one.converted = true);
    }
}

fn concerns(change: &SchemaChange, name: &str) -> bool {
    match change {
        SchemaChange::DroppedType { entity, .. }
        | SchemaChange::DroppedField { entity, .. }
        | SchemaChange::Narrower { entity, .. }
        | SchemaChange::Empty { entity, .. }
        | SchemaChange::LostVariants { entity, .. }
        | SchemaChange::Duplicate { entity, .. }
        | SchemaChange::NewType { entity }
        | SchemaChange::NewField { entity, .. }
        | SchemaChange::Wider { entity, .. }
        | SchemaChange::Filled { entity, .. }
        | SchemaChange::Keep { entity, .. }
        | SchemaChange::RenamedField { entity, .. } => entity == name,
        SchemaChange::RenamedType { to, .. } => to == name,
    }
}

/// What has to be looked at in each record.
enum Doubt<'a> {
    Record,
    Value(&'a CatalogField),
    /// Converted; where the field is new there is nothing of before.
    NoValue(Option<(&'a CatalogField, FieldType)>),
    Converted(&'a CatalogField, FieldType),
    Variants(&'a CatalogField, FieldType),
}

/// One change and the place where its records are counted.
struct Counting<'a> {
    doubt: Doubt<'a>,
    change: &'a mut SchemaChange,
}

/// `before`: the fields as the records were read until now.
fn doubt<'a>(
    change: &SchemaChange,
    type_dropped: bool,
    fields: &[CatalogField],
    before: &'a [CatalogField],
) -> Option<Doubt<'a>> {
    let old = |one: &CatalogField| before.get(usize::from(one.number.0));
    let in_use = |name: &str| {
        let mut fields = fields.iter();
        let now = fields.find(|one| !one.dropped && one.def.name == name)?;
        Some((old(now)?, now.def.ty.clone()))
    };
    match change {
        SchemaChange::DroppedType { .. } => type_dropped.then_some(Doubt::Record),
        SchemaChange::DroppedField { field, .. } => {
            let mut dropped = fields
                .iter()
                .filter(|one| one.dropped && one.def.name == *field);
            let now = |one| old(one).filter(|before| !before.dropped);
            dropped.find_map(now).map(Doubt::Value)
        }
        SchemaChange::Narrower { field, .. } => {
            in_use(field).map(|(before, ty)| Doubt::Converted(before, ty))
        }
        SchemaChange::Empty { field, .. } => Some(Doubt::NoValue(in_use(field))),
        SchemaChange::LostVariants { field, .. } => {
            in_use(field).map(|(before, ty)| Doubt::Variants(before, ty))
        }
        SchemaChange::NewType { .. }
        | SchemaChange::NewField { .. }
        | SchemaChange::RenamedType { .. }
        | SchemaChange::RenamedField { .. }
        | SchemaChange::Wider { .. }
        | SchemaChange::Filled { .. }
        | SchemaChange::Keep { .. }
        | SchemaChange::Duplicate { .. } => None,
    }
}

impl Counting<'_> {
    /// Looks at one record.
    fn record(
        &mut self,
        header: &RecordHeader,
        bytes: &[u8],
        mapping: &crate::catalog::Mapping,
        schema: &Schema,
    ) -> Result<(), Undecodable> {
        let read = |before: &CatalogField, position: &dyn Fn(u32) -> Option<TypeIx>| {
            let value = header.field(bytes, before.number, &position)?;
            Ok(match before.fill_of(header.schema) {
                Some(fill) if value.is_none() => fill.clone(),
                Some(_) | None => value,
            })
        };
        let stored = |before: &CatalogField| read(before, &|no| mapping.position(TypeNo(no)));
        // A link to an entity that is given up counts as a value, too.
        let raw = |before: &CatalogField| read(before, &|no| Some(TypeIx(no)));
        match &self.doubt {
            Doubt::Record => self.count(header.id, false),
            Doubt::Value(before) => {
                if !raw(before)?.is_none() {
                    self.count(header.id, false);
                }
            }
            Doubt::NoValue(None) => {
                if !header.deleted {
                    self.count(header.id, true);
                }
            }
            Doubt::NoValue(Some((before, ty))) => {
                if !header.deleted && convert(stored(before)?, ty, schema).is_none() {
                    self.count(header.id, true);
                }
            }
            Doubt::Converted(before, ty) => {
                if !raw(before)?.is_none() {
                    let lost = convert(stored(before)?, ty, schema).is_none();
                    self.count(header.id, lost);
                }
            }
            Doubt::Variants(before, ty) => {
                let value = stored(before)?;
                if !value.is_none() && convert(value.clone(), ty, schema).is_none() {
                    self.variants(&value, schema);
                    self.count(header.id, true);
                }
            }
        }
        Ok(())
    }

    /// One more; `lost`: its value does not survive.
    fn count(&mut self, id: EntityId, is_lost: bool) {
        match self.change {
            SchemaChange::DroppedType { records, .. }
            | SchemaChange::DroppedField { records, .. } => {
                *records += 1;
            }
            SchemaChange::Narrower {
                records,
                lost,
                first,
                ..
            } => {
                *records += 1;
                if is_lost {
                    *lost += 1;
                    first.get_or_insert(id);
                }
            }
            SchemaChange::Empty { records, first, .. }
            | SchemaChange::LostVariants { records, first, .. } => {
                *records += 1;
                first.get_or_insert(id);
            }
            SchemaChange::NewType { .. }
            | SchemaChange::NewField { .. }
            | SchemaChange::RenamedType { .. }
            | SchemaChange::RenamedField { .. }
            | SchemaChange::Wider { .. }
            | SchemaChange::Filled { .. }
            | SchemaChange::Keep { .. }
            | SchemaChange::Duplicate { .. } => {}
        }
    }

    /// Notes the variants in a value that the program does not have.
    fn variants(&mut self, value: &FieldValue, schema: &Schema) {
        let SchemaChange::LostVariants { name, variants, .. } = self.change else {
            return;
        };
        let mut found = Vec::new();
        variants_of(value, name, &mut found);
        let known = schema.enums.iter().find(|def| def.name == *name);
        for (variant, values) in found {
            let is_there = known.is_some_and(|def| {
                def.variants
                    .iter()
                    .any(|(name, count)| *name == variant && *count as usize == values)
            });
            if !is_there && !variants.contains(&variant) {
                variants.push(variant);
            }
        }
    }
}

fn variants_of(value: &FieldValue, wanted: &str, found: &mut Vec<(String, usize)>) {
    match value {
        FieldValue::Enum {
            name,
            variant,
            payload,
        } if **name == *wanted => {
            found.push((variant.to_string(), payload.len()));
        }
        FieldValue::List(items) => items
            .iter()
            .for_each(|item| variants_of(item, wanted, found)),
        FieldValue::Map(entries) => {
            entries
                .iter()
                .for_each(|(_, item)| variants_of(item, wanted, found));
        }
        FieldValue::None
        | FieldValue::Bool(_)
        | FieldValue::Int(_)
        | FieldValue::Float(_)
        | FieldValue::Text(_)
        | FieldValue::Time(_)
        | FieldValue::Duration(_)
        | FieldValue::Bytes(_)
        | FieldValue::Ref { .. }
        | FieldValue::Enum { .. } => {}
    }
}

/// The newest version of every record of a type, deleted ones included.
fn each_newest(
    index: &Index,
    segments: &SegmentSet,
    ty: TypeNo,
    name: &str,
    mut visit: impl FnMut(&RecordHeader, &[u8]) -> Result<(), Undecodable>,
) -> Result<(), ReadError> {
    let mut from = Some(0);
    while let Some(start) = from {
        let Some(of_type) = index.ty(ty) else {
            return Ok(());
        };
        let (heads, next) = of_type.page(start);
        for (
            id,
            Head {
                place,
                lsn,
                version,
                ..
            },
        ) in heads
        {
            let (at, lsn_wanted) = (u64::from(place.offset), Some(lsn));
            let damaged = |file: String| {
                ReadFault::Damaged {
                    file,
                    offset: at,
                    lsn,
                }
                .named(name, id)
            };
            let Some(segment) = segments.by_number(place.segment) else {
                return Err(damaged(format!("segment {}", place.segment)));
            };
            let wanted = Wanted {
                ty,
                id,
                lsn: lsn_wanted,
                version,
                place,
            };
            let (header, bytes) = segment
                .read(&wanted)
                .map_err(|fault| fault.named(name, id))?;
            visit(&header, &bytes).map_err(|_| damaged(segment.name()))?;
        }
        from = next;
    }
    Ok(())
}
