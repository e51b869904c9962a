//! The program's schema over the log's catalog: the next catalog, and in what they differ. Looks at no data.
//!
//! What must stay true: numbers are only ever added; what is given up keeps its number and its name for those who read the
//! past; the same schema over the catalog that it made changes nothing.

use std::collections::BTreeSet;

use super::change::SchemaChange;
use super::convert::convert;
use crate::catalog::{Catalog, CatalogField, CatalogType, Mapping};
use crate::codec::record::{FieldNo, TypeNo};
use crate::exchange::value_text;
use crate::limits::{FIELDS_MAX, TYPES_MAX, VARIANTS_MAX};
use crate::schema::{EnumDef, FieldDef, FieldType, Schema, TypeDef};

/// What a schema makes of a catalog.
pub(crate) struct Evolved {
    pub(crate) catalog: Catalog,
    pub(crate) mapping: Mapping,
    /// In what they differ; records are not counted yet.
    pub(crate) changes: Vec<SchemaChange>,
}

/// The program's schema over the log's catalog; or what is wrong with the schema itself.
pub(crate) fn evolve(logged: &Catalog, schema: &Schema) -> Result<Evolved, Vec<String>> {
    let problems = wrong_in_itself(schema);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut next = logged.clone();
    let mut changes = Vec::new();
    for def in &schema.types {
        rename_type(&mut next, def, &mut changes);
    }
    for known in next.types.iter_mut().filter(|known| !known.dropped) {
        match schema.type_ix(&known.name) {
            Some(ix) => evolve_type(known, (logged, schema), schema.type_def(ix), &mut changes),
            None => {
                known.dropped = true;
                changes.push(SchemaChange::DroppedType {
                    entity: known.name.clone(),
                    perhaps: similar_type(known, logged, schema),
                    records: 0,
                });
            }
        }
    }
    for def in &schema.types {
        if next.in_use(&def.name).is_none() {
            let number = next.types.len();
            changes.push(SchemaChange::NewType {
                entity: def.name.clone(),
            });
            next.types.push(new_type(number, def));
        }
    }
    evolve_enums(&mut next, schema);
    if let Some(ty) = next.types.iter().find(|ty| ty.fields.len() > FIELDS_MAX) {
        let (name, found) = (&ty.name, ty.fields.len());
        return Err(vec![format!(
            "{name} has {found} fields, those given up included; the limit is {FIELDS_MAX}."
        )]);
    }
    if next.types.len() > TYPES_MAX {
        return Err(vec![format!(
            "there are {} entities, those given up included; the limit is {TYPES_MAX}.",
            next.types.len()
        )]);
    }
    if next != *logged {
        next.version = logged.version.checked_add(1).ok_or_else(|| {
            vec!["the schema has changed too often for this log (65535 times).".to_owned()]
        })?;
        for ty in &mut next.types {
            for field in &mut ty.fields {
                // Marked while the version was not known.
                if field.fill_since == u16::MAX {
                    field.fill_since = next.version;
                }
            }
        }
    }
    let mapping = next.mapping(schema);
    Ok(Evolved {
        catalog: next,
        mapping,
        changes,
    })
}

/// `@was` of an entity: the type takes its new name, and so do the links to it.
fn rename_type(next: &mut Catalog, def: &TypeDef, changes: &mut Vec<SchemaChange>) {
    if next.in_use(&def.name).is_some() {
        return;
    }
    let former = |ty: &&mut CatalogType| !ty.dropped && def.was.contains(&ty.name);
    let Some(known) = next.types.iter_mut().find(former) else {
        return;
    };
    let from = std::mem::replace(&mut known.name, def.name.clone());
    for field in next.types.iter_mut().flat_map(|ty| &mut ty.fields) {
        rename_links(&mut field.def.ty, &from, &def.name);
    }
    changes.push(SchemaChange::RenamedType {
        from,
        to: def.name.clone(),
    });
}

fn rename_links(ty: &mut FieldType, from: &str, to: &str) {
    match ty {
        FieldType::Ref(name) if name == from => to.clone_into(name),
        FieldType::List(item) | FieldType::Map(item) => rename_links(item, from, to),
        FieldType::Ref(_)
        | FieldType::Bool
        | FieldType::Int
        | FieldType::Float
        | FieldType::Text
        | FieldType::Time
        | FieldType::Duration
        | FieldType::Bytes
        | FieldType::Enum(_)
        | FieldType::Any => {}
    }
}

fn evolve_type(
    known: &mut CatalogType,
    (logged, schema): (&Catalog, &Schema),
    def: &TypeDef,
    changes: &mut Vec<SchemaChange>,
) {
    let entity = &def.name;
    for field in &def.fields {
        if known.in_use(&field.name).is_some() {
            continue;
        }
        let former = |one: &&mut CatalogField| !one.dropped && field.was.contains(&one.def.name);
        if let Some(renamed) = known.fields.iter_mut().find(former) {
            let from = std::mem::replace(&mut renamed.def.name, field.name.clone());
            let (entity, to) = (entity.clone(), field.name.clone());
            changes.push(SchemaChange::RenamedField { entity, from, to });
        }
    }
    let added: Vec<&FieldDef> = def
        .fields
        .iter()
        .filter(|field| known.in_use(&field.name).is_none())
        .collect();
    for field in known.fields.iter_mut().filter(|field| !field.dropped) {
        match def.field_ix(&field.def.name) {
            Some(ix) => {
                let enums = (logged, schema);
                evolve_field(entity, field, enums, &def.fields[ix.0 as usize], changes);
            }
            None => {
                field.dropped = true;
                changes.push(SchemaChange::DroppedField {
                    entity: entity.clone(),
                    field: field.def.name.clone(),
                    perhaps: similar_field(&field.def, &added),
                    records: 0,
                });
            }
        }
    }
    for field in added {
        let fill = field
            .fill
            .as_ref()
            .map(|fill| value_text(fill, &field.ty, schema));
        let needs_value = field.never_none && fill.is_none();
        let (entity, name) = (entity.clone(), field.name.clone());
        if needs_value {
            let (entity, field) = (entity.clone(), name.clone());
            changes.push(SchemaChange::Empty {
                entity,
                field,
                earlier: None,
                records: 0,
                first: None,
            });
        }
        changes.push(SchemaChange::NewField {
            entity,
            field: name,
            fill,
        });
        let number = FieldNo(known.fields.len() as u16);
        known.fields.push(new_field(number, field, u16::MAX));
    }
    if known.keep != def.keep {
        known.keep = def.keep;
        changes.push(SchemaChange::Keep {
            entity: entity.clone(),
            keep: def.keep,
        });
    }
}

fn evolve_field(
    entity: &str,
    known: &mut CatalogField,
    (logged, schema): (&Catalog, &Schema),
    def: &FieldDef,
    changes: &mut Vec<SchemaChange>,
) {
    let (entity, field) = (entity.to_owned(), def.name.clone());
    if known.def.ty != def.ty {
        let (from, to) = (known.def.ty.to_string(), def.ty.to_string());
        let (entity, field) = (entity.clone(), field.clone());
        if known.def.ty.widens_to(&def.ty) {
            changes.push(SchemaChange::Wider {
                entity,
                field,
                from,
                to,
            });
        } else {
            known.converted = true;
            let (records, lost, first) = (0, 0, None);
            changes.push(SchemaChange::Narrower {
                entity,
                field,
                from,
                to,
                records,
                lost,
                first,
            });
        }
    } else if let Some(name) = enum_of(&def.ty)
        && may_have_lost(name, logged, schema)
    {
        let (entity, field, name) = (entity.clone(), field.clone(), name.to_owned());
        let (variants, records, first) = (Vec::new(), 0, None);
        changes.push(SchemaChange::LostVariants {
            entity,
            field,
            name,
            variants,
            records,
            first,
        });
    }
    if def.never_none && !known.def.never_none {
        changes.push(now_must_have(entity, known, schema, def));
    }
    // What older records read stays what it is, whatever the default becomes later.
    let fill = known.def.fill.take();
    known.def = FieldDef {
        fill,
        ..recorded(def)
    };
}

/// A field that was optional must have a value: the default is what records without one read. Where older records read an
/// earlier default already, the field cannot give the others a second one: then they are asked about.
fn now_must_have(
    entity: String,
    known: &mut CatalogField,
    schema: &Schema,
    def: &FieldDef,
) -> SchemaChange {
    let field = def.name.clone();
    let earlier = known.def.fill.clone();
    let earlier = earlier.map(|fill| convert(fill, &def.ty, schema));
    match (&def.fill, earlier) {
        (Some(fill), earlier)
            if earlier
                .as_ref()
                .is_none_or(|known| known.as_ref() == Some(fill)) =>
        {
            known.fill_since = u16::MAX;
            known.def.fill = Some(fill.clone());
            let fill = value_text(fill, &def.ty, schema);
            SchemaChange::Filled {
                entity,
                field,
                fill,
            }
        }
        (_, earlier) => SchemaChange::Empty {
            entity,
            field,
            earlier: earlier
                .flatten()
                .map(|fill| value_text(&fill, &def.ty, schema)),
            records: 0,
            first: None,
        },
    }
}

/// The enum that a type is about, if it is about one.
pub(super) fn enum_of(ty: &FieldType) -> Option<&str> {
    match ty {
        FieldType::Enum(name) => Some(name),
        FieldType::List(item) | FieldType::Map(item) => enum_of(item),
        FieldType::Bool
        | FieldType::Int
        | FieldType::Float
        | FieldType::Text
        | FieldType::Time
        | FieldType::Duration
        | FieldType::Bytes
        | FieldType::Ref(_)
        | FieldType::Any => None,
    }
}

/// Whether the data may hold variants that the program does not have: it had others, or nobody noted which it had.
fn may_have_lost(name: &str, logged: &Catalog, schema: &Schema) -> bool {
    let Some(now) = schema.enums.iter().find(|def| def.name == name) else {
        return false;
    };
    match logged.enums.iter().find(|def| def.name == name) {
        Some(before) => before
            .variants
            .iter()
            .any(|variant| !now.variants.contains(variant)),
        None => true,
    }
}

fn evolve_enums(next: &mut Catalog, schema: &Schema) {
    let used = |def: &&EnumDef| {
        let fields = schema.types.iter().flat_map(|ty| &ty.fields);
        fields
            .into_iter()
            .any(|field| enum_of(&field.ty) == Some(def.name.as_str()))
    };
    for def in schema.enums.iter().filter(used) {
        match next.enums.iter_mut().find(|known| known.name == def.name) {
            Some(known) => known.clone_from(def),
            None => next.enums.push(def.clone()),
        }
    }
}

fn new_type(types_before: usize, def: &TypeDef) -> CatalogType {
    let fields = def.fields.iter().enumerate();
    let fields = fields.map(|(at, def)| {
        let plain = FieldDef {
            fill: None,
            ..def.clone()
        };
        new_field(FieldNo(at as u16), &plain, 0)
    });
    CatalogType {
        number: TypeNo(types_before as u32 + 1),
        name: def.name.clone(),
        fields: fields.collect(),
        dropped: false,
        keep: def.keep,
    }
}

fn new_field(number: FieldNo, def: &FieldDef, fill_since: u16) -> CatalogField {
    CatalogField {
        number,
        fill_since: if def.fill.is_some() { fill_since } else { 0 },
        def: recorded(def),
        dropped: false,
        converted: false,
    }
}

/// What of a field's declaration the log records.
fn recorded(def: &FieldDef) -> FieldDef {
    FieldDef {
        was: Vec::new(),
        queried: false,
        ordered: false,
        ..def.clone()
    }
}

/// Problems of the program's schema alone.
fn wrong_in_itself(schema: &Schema) -> Vec<String> {
    let mut problems = Vec::new();
    if schema.types.len() > TYPES_MAX {
        let found = schema.types.len();
        problems.push(format!(
            "there are {found} entities, the limit is {TYPES_MAX}."
        ));
    }
    let mut names = BTreeSet::new();
    for ty in &schema.types {
        if !names.insert(&ty.name) {
            problems.push(format!("entity {} is declared twice.", ty.name));
        }
        if ty.fields.len() > FIELDS_MAX {
            let found = ty.fields.len();
            problems.push(format!(
                "{} has {found} fields, the limit is {FIELDS_MAX}.",
                ty.name
            ));
        }
        let mut fields = BTreeSet::new();
        for field in &ty.fields {
            if !fields.insert(&field.name) {
                problems.push(format!("{}.{} is declared twice.", ty.name, field.name));
            }
            if let Some(target) = missing_target(&field.ty, schema) {
                let (ty, field) = (&ty.name, &field.name);
                problems.push(format!(
                    "{ty}.{field} links to {target}, which is not declared."
                ));
            }
        }
    }
    for def in &schema.enums {
        if def.variants.len() > VARIANTS_MAX {
            let (name, found) = (&def.name, def.variants.len());
            problems.push(format!(
                "{name} has {found} variants, the limit is {VARIANTS_MAX}."
            ));
        }
    }
    problems
}

fn missing_target<'a>(ty: &'a FieldType, schema: &Schema) -> Option<&'a str> {
    match ty {
        FieldType::Ref(name) => schema.type_ix(name).is_none().then_some(name),
        FieldType::List(item) | FieldType::Map(item) => missing_target(item, schema),
        FieldType::Bool
        | FieldType::Int
        | FieldType::Float
        | FieldType::Text
        | FieldType::Time
        | FieldType::Duration
        | FieldType::Bytes
        | FieldType::Enum(_)
        | FieldType::Any => None,
    }
}

fn similar_field(known: &FieldDef, added: &[&FieldDef]) -> Option<String> {
    let near = |field: &&&FieldDef| field.ty == known.ty && near(&field.name, &known.name);
    added.iter().find(near).map(|field| field.name.clone())
}

/// A new entity with the same fields.
fn similar_type(known: &CatalogType, logged: &Catalog, schema: &Schema) -> Option<String> {
    let names = || {
        known
            .fields
            .iter()
            .filter(|field| !field.dropped)
            .map(|field| &field.def.name)
    };
    let same = |def: &&TypeDef| {
        logged.in_use(&def.name).is_none() && def.fields.iter().map(|field| &field.name).eq(names())
    };
    schema.types.iter().find(same).map(|def| def.name.clone())
}

/// Whether two names look like one was made from the other: one contains the other or they share most letters.
fn near(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let pairs = a.chars().zip(b.chars());
    let shared = pairs.take_while(|(left, right)| left == right).count();
    a.contains(&b) || b.contains(&a) || 2 * shared >= a.len().min(b.len())
}
