//! The log's own list of types and fields, and how a program's schema fits it.
//!
//! What must stay true: numbers are only ever added; a program that would lose or misread data is refused with one
//! sentence per problem, and everything else is accepted without asking.

use std::collections::BTreeSet;

use crate::codec::record::{FieldNo, TypeNo};
use crate::index::Referrer;
use crate::limits::{FIELDS_MAX, TYPES_MAX};
use crate::schema::{FieldDef, FieldType, Schema, TypeDef};
use crate::value::{EntityId, FieldIx, TypeIx};

/// All types the log knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalog {
    /// +1 with each schema frame; 0 before the first.
    pub(crate) version: u16,
    /// By number: type 1 stands first.
    pub(crate) types: Vec<CatalogType>,
}

/// One type of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CatalogType {
    pub(crate) number: TypeNo,
    pub(crate) name: String,
    /// By number: field 0 stands first.
    pub(crate) fields: Vec<CatalogField>,
}

/// One field of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CatalogField {
    pub(crate) number: FieldNo,
    pub(crate) def: FieldDef,
}

/// How positions in the program's schema and numbers in the log belong together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    /// By `TypeIx`.
    types: Vec<TypeMapping>,
    /// By type number - 1.
    positions: Vec<Option<TypeIx>>,
}

/// The same for one type.
#[derive(Clone, Debug)]
pub(crate) struct TypeMapping {
    pub(crate) number: TypeNo,
    /// By `FieldIx`.
    pub(crate) fields: Vec<FieldNo>,
}

impl Mapping {
    pub(crate) fn type_mapping(&self, ty: TypeIx) -> &TypeMapping {
        &self.types[ty.0 as usize]
    }

    pub(crate) fn number(&self, ty: TypeIx) -> TypeNo {
        self.types[ty.0 as usize].number
    }

    pub(crate) fn position(&self, number: TypeNo) -> Option<TypeIx> {
        self.positions
            .get((number.0 as usize).checked_sub(1)?)
            .copied()
            .flatten()
    }

    /// The record and the field of a link, if the program knows them.
    pub(crate) fn place_of(&self, referrer: &Referrer) -> Option<((TypeIx, EntityId), FieldIx)> {
        let ty = self.position(referrer.ty)?;
        let numbers = &self.type_mapping(ty).fields;
        let field = numbers
            .iter()
            .position(|number| *number == referrer.field)?;
        Some(((ty, referrer.id), FieldIx(field as u32)))
    }
}

impl Catalog {
    /// The program's schema over this catalog: the catalog with what is new, and the mapping; or the problems.
    pub(crate) fn fit(&self, schema: &Schema) -> Result<(Catalog, Mapping), Vec<String>> {
        let mut problems = Vec::new();
        check_schema(schema, &mut problems);
        let mut merged = self.clone();
        for known in &mut merged.types {
            match schema.type_ix(&known.name) {
                Some(ix) => fit_type(known, schema.type_def(ix), &mut problems),
                None => problems.push(missing_type(known, self, schema)),
            }
        }
        for def in &schema.types {
            if !self.types.iter().any(|known| known.name == def.name) {
                merged.types.push(new_type(merged.types.len(), def));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if merged != *self {
            match self.version.checked_add(1) {
                Some(version) => merged.version = version,
                None => {
                    return Err(vec![
                        "the schema has changed too often for this log (65535 times).".to_owned(),
                    ]);
                }
            }
        }
        let mapping = merged.mapping(schema);
        Ok((merged, mapping))
    }

    /// The catalog as a schema of its own, for doors that have no program.
    pub(crate) fn to_schema(&self) -> Schema {
        let type_def = |ty: &CatalogType| TypeDef {
            name: ty.name.clone(),
            fields: ty.fields.iter().map(|field| field.def.clone()).collect(),
            ..TypeDef::default()
        };
        Schema {
            types: self.types.iter().map(type_def).collect(),
            ..Schema::default()
        }
    }

    fn mapping(&self, schema: &Schema) -> Mapping {
        let mut positions = vec![None; self.types.len()];
        let mut types = Vec::with_capacity(schema.types.len());
        for (ix, def) in schema.types.iter().enumerate() {
            let Some(known) = self.types.iter().find(|known| known.name == def.name) else {
                unreachable!("fit() added every type of the schema");
            };
            positions[known.number.0 as usize - 1] = Some(TypeIx(ix as u32));
            let number_of = |field: &FieldDef| {
                known
                    .fields
                    .iter()
                    .find(|known| known.def.name == field.name)
                    .map(|known| known.number)
            };
            let fields: Vec<FieldNo> = def.fields.iter().filter_map(number_of).collect();
            assert_eq!(
                fields.len(),
                def.fields.len(),
                "fit() added every field of the schema"
            );
            types.push(TypeMapping {
                number: known.number,
                fields,
            });
        }
        Mapping { types, positions }
    }
}

fn new_type(types_before: usize, def: &TypeDef) -> CatalogType {
    let number = TypeNo(types_before as u32 + 1);
    let fields = def.fields.iter().enumerate();
    let fields = fields
        .map(|(at, def)| CatalogField {
            number: FieldNo(at as u16),
            def: stored(def),
        })
        .collect();
    CatalogType {
        number,
        name: def.name.clone(),
        fields,
    }
}

/// What of a field's declaration the log keeps.
fn stored(def: &FieldDef) -> FieldDef {
    FieldDef {
        was: Vec::new(),
        fill: None,
        queried: false,
        ordered: false,
        ..def.clone()
    }
}

/// Problems of the program's schema alone.
fn check_schema(schema: &Schema, problems: &mut Vec<String>) {
    if schema.types.len() > TYPES_MAX {
        problems.push(format!(
            "there are {} entities, the limit is {TYPES_MAX}.",
            schema.types.len()
        ));
    }
    let mut names = BTreeSet::new();
    for ty in &schema.types {
        if !names.insert(&ty.name) {
            problems.push(format!("entity {} is declared twice.", ty.name));
        }
        if ty.fields.len() > FIELDS_MAX {
            problems.push(format!(
                "{} has {} fields, the limit is {FIELDS_MAX}.",
                ty.name,
                ty.fields.len()
            ));
        }
        let mut fields = BTreeSet::new();
        for field in &ty.fields {
            if !fields.insert(&field.name) {
                problems.push(format!("{}.{} is declared twice.", ty.name, field.name));
            }
            if let Some(target) = missing_target(&field.ty, schema) {
                problems.push(format!(
                    "{}.{} links to {target}, which is not declared.",
                    ty.name, field.name
                ));
            }
        }
    }
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

/// Takes over what a program says about a known type; what would lose data becomes a problem.
fn fit_type(known: &mut CatalogType, def: &TypeDef, problems: &mut Vec<String>) {
    let is_new = |field: &&FieldDef| {
        !known
            .fields
            .iter()
            .any(|known| known.def.name == field.name)
    };
    let added = def.fields.iter().filter(is_new);
    let added: Vec<FieldDef> = added.map(stored).collect();
    for field in &mut known.fields {
        match def.field_ix(&field.def.name) {
            Some(ix) => fit_field(&known.name, field, &def.fields[ix.0 as usize], problems),
            None => problems.push(missing_field(&known.name, &field.def, &added)),
        }
    }
    for def in added {
        known.fields.push(CatalogField {
            number: FieldNo(known.fields.len() as u16),
            def: stored(&def),
        });
    }
}

fn fit_field(
    type_name: &str,
    known: &mut CatalogField,
    def: &FieldDef,
    problems: &mut Vec<String>,
) {
    if !known.def.ty.widens_to(&def.ty) {
        problems.push(format!(
            "{type_name}.{} is stored as {}, the program says {}. A field can only become wider (int to float, \
             anything to any); give the new meaning a new name.",
            def.name, known.def.ty, def.ty
        ));
    }
    known.def = stored(def);
}

fn missing_field(type_name: &str, known: &FieldDef, added: &[FieldDef]) -> String {
    let renamed = added
        .iter()
        .find(|field| field.ty == known.ty && near(&field.name, &known.name));
    let hint = match renamed {
        Some(field) => format!(
            " If it was renamed to {}, keep the old name for now.",
            field.name
        ),
        None => String::new(),
    };
    format!(
        "{type_name}.{} is in the data but not in the program any more. Dropping a field would lose data; put it \
         back.{hint}",
        known.name
    )
}

fn missing_type(known: &CatalogType, catalog: &Catalog, schema: &Schema) -> String {
    let is_new = |def: &&TypeDef| !catalog.types.iter().any(|known| known.name == def.name);
    let same_fields = |def: &&TypeDef| {
        def.fields
            .iter()
            .map(|field| &field.name)
            .eq(known.fields.iter().map(|field| &field.def.name))
    };
    let hint = match schema.types.iter().filter(is_new).find(same_fields) {
        Some(def) => format!(
            " If it was renamed to {}, keep the old name for now.",
            def.name
        ),
        None => String::new(),
    };
    format!(
        "entity {} is in the data but not in the program any more. Dropping an entity would lose data; put it \
         back.{hint}",
        known.name
    )
}

/// Whether two names look like one was made from the other: one contains the other or they share most letters.
fn near(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let shared = a
        .chars()
        .zip(b.chars())
        .take_while(|(left, right)| left == right)
        .count();
    a.contains(&b) || b.contains(&a) || 2 * shared >= a.len().min(b.len())
}
