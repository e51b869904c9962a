//! The program's entities as the store's schema, and the two numberings side by side.
//! Here because neither the VM nor the store knows the other. Must stay true: names decide which field is which; after
//! `TypeMap::new` everything goes by number.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use flin_store::{
    Change, CommitEvent, EntityId, EnumDef, FieldDef, FieldType, FieldValue, Keep, OnDelete,
    Schema, TypeDef, TypeIx,
};
use flin_vm::HostValue;
use flin_vm::bytecode::AskedField;
use flin_vm::bytecode::ids::{EntityTypeId, TypeId};
use flin_vm::bytecode::module::{self, Module, Rule, TypeDesc};

/// The store schema that a program declares.
pub fn schema_of(module: &Module) -> Schema {
    Schema {
        types: module
            .entities
            .iter()
            .enumerate()
            .map(|(number, entity)| type_def(module, number, entity))
            .collect(),
        enums: module.enums.iter().map(enum_def).collect(),
    }
}

fn enum_def(def: &module::EnumDef) -> EnumDef {
    let variant = |(name, data): &(String, Vec<TypeId>)| (name.clone(), data.len() as u32);
    EnumDef {
        name: def.name.clone(),
        variants: def.variants.iter().map(variant).collect(),
    }
}

fn type_def(module: &Module, number: usize, entity: &module::Entity) -> TypeDef {
    let field = |(at, field): (usize, &module::EntityField)| {
        let mut def = FieldDef::new(field.name.clone(), field_type(module, field.ty));
        def.required = field.rules.contains(&Rule::Required);
        def.never_none = !field.optional;
        def.was.clone_from(&field.was);
        def.unique = field.unique;
        let asked =
            |asked: &&AskedField| asked.entity.index() == number && asked.field as usize == at;
        if let Some(asked) = module.queries.fields.iter().find(asked) {
            def.queried = asked.queried;
            def.ordered = asked.ordered;
        }
        def.index = field.index;
        def.on_delete = match field.on_delete {
            module::OnDelete::Restrict => OnDelete::Restrict,
            module::OnDelete::SetNone => OnDelete::SetNone,
            module::OnDelete::Cascade => OnDelete::Cascade,
        };
        def
    };
    TypeDef {
        name: entity.name.clone(),
        fields: entity.fields.iter().enumerate().map(field).collect(),
        was: entity.was.clone(),
        keep: Keep {
            versions: entity.keep.versions,
            days: entity.keep.days,
        },
    }
}

fn field_type(module: &Module, ty: TypeId) -> FieldType {
    match &module.types[ty.index()] {
        TypeDesc::Int => FieldType::Int,
        TypeDesc::Float => FieldType::Float,
        TypeDesc::Bool => FieldType::Bool,
        TypeDesc::Text => FieldType::Text,
        TypeDesc::Time => FieldType::Time,
        TypeDesc::Duration => FieldType::Duration,
        TypeDesc::List(item, _) => FieldType::List(Box::new(field_type(module, *item))),
        TypeDesc::Map(item) => FieldType::Map(Box::new(field_type(module, *item))),
        TypeDesc::Entity(entity) => FieldType::Ref(module.entities[entity.index()].name.clone()),
        TypeDesc::Enum(index) => FieldType::Enum(module.enums[*index as usize].name.clone()),
        TypeDesc::Optional(inner) => field_type(module, *inner),
        TypeDesc::Any
        | TypeDesc::None
        | TypeDesc::Record(..)
        | TypeDesc::Tuple(_)
        | TypeDesc::Union(_)
        | TypeDesc::Error
        | TypeDesc::Function
        | TypeDesc::Query(_)
        | TypeDesc::Range
        | TypeDesc::Response => FieldType::Any,
    }
}

/// A value that no field can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotStorable {
    /// What it is.
    pub(crate) what: &'static str,
}

/// What a commit wrote, by record.
type Changes<'a> = HashMap<(TypeIx, EntityId), &'a Change>;

/// How the program numbers types and fields, and how the store does.
#[derive(Clone, Debug)]
pub struct TypeMap {
    types: Vec<Known>,
    back: Vec<Option<EntityTypeId>>,
    names: Vec<Arc<str>>,
    /// For each declared field, what is known of nones in it (`query.rs`).
    pub(crate) nones: Arc<[Vec<AtomicU8>]>,
}

#[derive(Clone, Debug)]
struct Known {
    ix: TypeIx,
    // Position in the store's record of each declared field.
    fields: Vec<usize>,
    width: usize,
}

impl TypeMap {
    /// Matches the program's entities with the opened store's types.
    ///
    /// # Panics
    /// If the store was not opened with `schema_of` of this module.
    pub fn new(module: &Module, schema: &Schema) -> TypeMap {
        let mut back = vec![None; schema.types.len()];
        let mut types = Vec::with_capacity(module.entities.len());
        for (number, entity) in module.entities.iter().enumerate() {
            let ix = schema
                .type_ix(&entity.name)
                .expect("the store was opened with this program's schema");
            let def = schema.type_def(ix);
            let position = |field: &module::EntityField| {
                let found = def.field_ix(&field.name);
                found
                    .expect("the store was opened with this program's schema")
                    .0 as usize
            };
            let fields = entity.fields.iter().map(position).collect();
            back[ix.0 as usize] = Some(EntityTypeId(number as u32));
            types.push(Known {
                ix,
                fields,
                width: def.fields.len(),
            });
        }
        let names = module
            .entities
            .iter()
            .map(|entity| entity.name.as_str().into())
            .collect();
        let nones = module.entities.iter().map(|entity| {
            let unknown = entity.fields.iter().map(|_| AtomicU8::new(0));
            unknown.collect::<Vec<_>>()
        });
        let nones = nones.collect();
        TypeMap {
            types,
            back,
            names,
            nones,
        }
    }

    /// The store's number of an entity type.
    pub fn store_type(&self, ty: EntityTypeId) -> TypeIx {
        self.types[ty.index()].ix
    }

    /// The program's number of a store type; none for a type the program no longer declares.
    pub fn program_type(&self, ix: TypeIx) -> Option<EntityTypeId> {
        self.back.get(ix.0 as usize).copied().flatten()
    }

    /// The entity's name.
    pub(crate) fn name(&self, ty: EntityTypeId) -> &str {
        &self.names[ty.index()]
    }

    /// Position in the store's record of a declared field.
    pub(crate) fn store_field(&self, ty: EntityTypeId, field: usize) -> usize {
        self.types[ty.index()].fields[field]
    }

    /// Puts the declared fields into the store's order.
    pub(crate) fn to_store_fields(
        &self,
        module: &Module,
        ty: EntityTypeId,
        fields: &[HostValue],
    ) -> Result<Vec<FieldValue>, NotStorable> {
        let known = &self.types[ty.index()];
        let mut out = vec![FieldValue::None; known.width];
        for (value, &position) in fields.iter().zip(&known.fields) {
            out[position] = self.to_store(module, value)?;
        }
        Ok(out)
    }

    /// The declared fields of a stored record, in declared order.
    pub(crate) fn to_host_fields(
        &self,
        module: &Module,
        ty: EntityTypeId,
        fields: &[FieldValue],
    ) -> Vec<HostValue> {
        let declared = &module.entities[ty.index()].fields;
        let positions = &self.types[ty.index()].fields;
        let value = |(field, &position): (&module::EntityField, &usize)| {
            let stored = fields.get(position).unwrap_or(&FieldValue::None);
            self.to_host(module, stored, Some(field.ty))
        };
        declared.iter().zip(positions).map(value).collect()
    }

    /// Gives the records in `value` that a commit wrote the version and times that it gave them.
    pub(crate) fn set_committed(&self, value: &mut HostValue, event: &CommitEvent) {
        let changes = event.changes.iter();
        let changes = changes.map(|change| ((change.ty, change.id), change));
        self.set_changed(value, &changes.collect());
    }

    fn set_changed(&self, value: &mut HostValue, changes: &Changes<'_>) {
        match value {
            HostValue::Entity(record) => {
                let key = (self.store_type(record.ty), EntityId(record.id as u64));
                // A version that was there before has its times.
                let is_older = |change: &&&Change| {
                    record.past.is_some() && i64::from(change.version) != record.version
                };
                if let Some(change) = changes.get(&key).filter(|change| !is_older(change)) {
                    record.version = i64::from(change.record.version);
                    record.created_at = change.record.created_at_ms;
                    record.updated_at = change.record.updated_at_ms;
                    record.deleted_at = change.record.deleted_at_ms;
                }
                record
                    .fields
                    .iter_mut()
                    .for_each(|field| self.set_changed(field, changes));
            }
            HostValue::List(items)
            | HostValue::Tuple(items)
            | HostValue::Enum { data: items, .. } => {
                items
                    .iter_mut()
                    .for_each(|item| self.set_changed(item, changes));
            }
            HostValue::Map(entries) => {
                entries
                    .iter_mut()
                    .for_each(|(_, item)| self.set_changed(item, changes));
            }
            HostValue::Response(response) => self.set_changed(&mut response.body, changes),
            HostValue::None
            | HostValue::Bool(_)
            | HostValue::Int(_)
            | HostValue::Float(_)
            | HostValue::Text(_)
            | HostValue::Time(_)
            | HostValue::Duration(_)
            | HostValue::Link(..) => {}
        }
    }

    pub(crate) fn to_store(
        &self,
        module: &Module,
        value: &HostValue,
    ) -> Result<FieldValue, NotStorable> {
        let all = |items: &[HostValue]| -> Result<Vec<FieldValue>, NotStorable> {
            items
                .iter()
                .map(|item| self.to_store(module, item))
                .collect()
        };
        Ok(match value {
            HostValue::None => FieldValue::None,
            HostValue::Bool(value) => FieldValue::Bool(*value),
            HostValue::Int(value) => FieldValue::Int(*value),
            HostValue::Float(value) => FieldValue::Float(*value),
            HostValue::Text(value) => FieldValue::text(value.as_str()),
            HostValue::Time(ms) => FieldValue::Time(*ms),
            HostValue::Duration(ms) => FieldValue::Duration(*ms),
            HostValue::Link(ty, id) => self.link(*ty, *id)?,
            HostValue::Entity(record) => self.link(record.ty, record.id)?,
            HostValue::Enum {
                index,
                variant,
                data,
            } => {
                let def = &module.enums[*index as usize];
                FieldValue::Enum {
                    name: def.name.as_str().into(),
                    variant: def.variants[*variant as usize].0.as_str().into(),
                    payload: all(data)?,
                }
            }
            HostValue::List(items) | HostValue::Tuple(items) => FieldValue::List(all(items)?),
            HostValue::Map(entries) => {
                let entry = |(key, value): &(String, HostValue)| {
                    Ok((key.as_str().into(), self.to_store(module, value)?))
                };
                FieldValue::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
            HostValue::Response(_) => {
                return Err(NotStorable {
                    what: "an HTTP answer",
                });
            }
        })
    }

    fn link(&self, ty: EntityTypeId, id: i64) -> Result<FieldValue, NotStorable> {
        match u64::try_from(id) {
            Ok(id) if id > 0 => Ok(FieldValue::Ref {
                ty: self.store_type(ty),
                id: EntityId(id),
            }),
            _ => Err(NotStorable {
                what: "a record that is not saved yet",
            }),
        }
    }

    // `ty` is the declared type where it is known; a stored value of another shape (an older schema) keeps its own.
    pub(crate) fn to_host(
        &self,
        module: &Module,
        value: &FieldValue,
        ty: Option<TypeId>,
    ) -> HostValue {
        let desc = ty.map(|ty| &module.types[ty.index()]);
        if let Some(TypeDesc::Optional(inner)) = desc {
            return self.to_host(module, value, Some(*inner));
        }
        match value {
            FieldValue::None => HostValue::None,
            FieldValue::Bool(value) => HostValue::Bool(*value),
            FieldValue::Int(value) if matches!(desc, Some(TypeDesc::Float)) => {
                HostValue::Float(*value as f64)
            }
            FieldValue::Int(value) => HostValue::Int(*value),
            FieldValue::Float(value) => HostValue::Float(*value),
            FieldValue::Text(text) => HostValue::Text(text.to_string()),
            FieldValue::Time(ms) => HostValue::Time(*ms),
            FieldValue::Duration(ms) => HostValue::Duration(*ms),
            FieldValue::Bytes(bytes) => HostValue::List(
                bytes
                    .iter()
                    .map(|byte| HostValue::Int(i64::from(*byte)))
                    .collect(),
            ),
            FieldValue::Ref { ty, id } => match self.program_type(*ty) {
                Some(ty) => HostValue::Link(ty, id.0 as i64),
                None => HostValue::None,
            },
            FieldValue::Enum {
                name,
                variant,
                payload,
            } => self.enum_value(module, name, variant, payload),
            FieldValue::List(items) => self.list_value(module, items, desc),
            FieldValue::Map(entries) => {
                let item = match desc {
                    Some(TypeDesc::Map(item)) => Some(*item),
                    _ => None,
                };
                let entry = |(key, value): &(Arc<str>, FieldValue)| {
                    (key.to_string(), self.to_host(module, value, item))
                };
                HostValue::Map(entries.iter().map(entry).collect())
            }
        }
    }

    fn list_value(
        &self,
        module: &Module,
        items: &[FieldValue],
        desc: Option<&TypeDesc>,
    ) -> HostValue {
        if let Some(TypeDesc::Tuple(types)) = desc {
            let typed = items.iter().zip(types);
            return HostValue::Tuple(
                typed
                    .map(|(item, ty)| self.to_host(module, item, Some(*ty)))
                    .collect(),
            );
        }
        let item_type = match desc {
            Some(TypeDesc::List(item, _)) => Some(*item),
            _ => None,
        };
        HostValue::List(
            items
                .iter()
                .map(|item| self.to_host(module, item, item_type))
                .collect(),
        )
    }

    fn enum_value(
        &self,
        module: &Module,
        name: &str,
        variant: &str,
        payload: &[FieldValue],
    ) -> HostValue {
        let found = module
            .enums
            .iter()
            .enumerate()
            .find(|(_, def)| def.name == name);
        let Some((index, def)) = found else {
            return HostValue::Text(variant.to_owned());
        };
        let position = def.variants.iter().position(|(known, _)| known == variant);
        let Some(position) = position else {
            return HostValue::Text(variant.to_owned());
        };
        let types = &def.variants[position].1;
        let item =
            |(at, item): (usize, &FieldValue)| self.to_host(module, item, types.get(at).copied());
        HostValue::Enum {
            index: index as u32,
            variant: position as u32,
            data: payload.iter().enumerate().map(item).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use flin_store::{ChangeOp, Lsn, Record};
    use flin_vm::HostRecord;

    use super::*;

    fn unsaved(id: i64, fields: Vec<HostValue>) -> HostValue {
        HostValue::Entity(Box::new(HostRecord {
            ty: EntityTypeId(0),
            id,
            version: 0,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
            fields,
            past: None,
        }))
    }

    fn change(ty: u32, id: u64, version: u32) -> Change {
        let record = Record {
            ty: TypeIx(ty),
            id: EntityId(id),
            version,
            created_at_ms: 10,
            updated_at_ms: 20,
            deleted_at_ms: None,
            fields: Vec::new(),
            lsn: Lsn(7),
        };
        Change {
            ty: record.ty,
            type_name: "Memo".into(),
            id: record.id,
            op: ChangeOp::Create,
            version,
            record: Arc::new(record),
            before: None,
        }
    }

    #[test]
    fn committed_records_are_found_by_type_and_number_however_deep() {
        // The program's first type is the store's second.
        let types = TypeMap {
            nones: Arc::new([]),
            types: vec![Known {
                ix: TypeIx(1),
                fields: Vec::new(),
                width: 0,
            }],
            back: vec![None, Some(EntityTypeId(0))],
            names: vec!["Memo".into()],
        };
        let event = CommitEvent {
            lsn: Lsn(7),
            time_ms: 20,
            changes: vec![change(0, 2, 9), change(1, 1, 3), change(1, 3, 4)],
        };
        let inside = unsaved(3, Vec::new());
        let outer = unsaved(1, vec![HostValue::List(vec![inside])]);
        let mut value = HostValue::Map(vec![
            ("a".to_owned(), outer),
            ("b".to_owned(), unsaved(2, Vec::new())),
        ]);
        types.set_committed(&mut value, &event);
        let HostValue::Map(entries) = &value else {
            panic!("a map stays one");
        };
        let (HostValue::Entity(outer), HostValue::Entity(other)) = (&entries[0].1, &entries[1].1)
        else {
            panic!("records stay records");
        };
        assert_eq!(
            (outer.version, outer.created_at, outer.updated_at),
            (3, 10, 20)
        );
        assert_eq!(other.version, 0, "of this type nothing with this number");
        let HostValue::List(items) = &outer.fields[0] else {
            panic!("a list stays one");
        };
        assert!(matches!(&items[0], HostValue::Entity(inside) if inside.version == 4));
    }
}
