//! The log's own list of types and fields, and how its numbers belong to the positions in a program's schema.
//!
//! What must stay true: numbers are only ever added, what is given up keeps its number, and names are unique among what is
//! in use. How a catalog becomes the next one stands in `evolution/`.

use crate::codec::record::{FieldNo, TypeNo};
use crate::evolution::{convert, evolve};
use crate::index::Referrer;
use crate::schema::{EnumDef, FieldDef, Keep, Schema, TypeDef};
use crate::value::{EntityId, FieldIx, FieldValue, TypeIx};

/// All types the log knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalog {
    /// +1 with each schema frame; 0 before the first.
    pub(crate) version: u16,
    /// By number: type 1 stands first.
    pub(crate) types: Vec<CatalogType>,
    /// The enums of fields, by name.
    pub(crate) enums: Vec<EnumDef>,
}

/// One type of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CatalogType {
    pub(crate) number: TypeNo,
    pub(crate) name: String,
    /// By number: field 0 stands first.
    pub(crate) fields: Vec<CatalogField>,
    /// Given up by a program: its records are in the log and nowhere else.
    pub(crate) dropped: bool,
    pub(crate) keep: Keep,
}

/// One field of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CatalogField {
    pub(crate) number: FieldNo,
    /// As declared, without former names; `fill` is what older records read.
    pub(crate) def: FieldDef,
    /// Given up by a program: its values are in the log and nowhere else.
    pub(crate) dropped: bool,
    /// Its type became narrower once: stored values are converted when they are read.
    pub(crate) converted: bool,
    /// Records written under a catalog before this version read `fill` where they have no value.
    pub(crate) fill_since: u16,
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
    /// By `FieldIx`: what reading takes beyond widening; empty where that is nothing for all fields.
    pub(crate) special: Vec<Special>,
}

/// What reading a stored value of a field takes beyond widening it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Special {
    /// Values are converted to the declared type.
    pub(crate) converted: bool,
    /// Records written under a catalog before this version read this where they have no value.
    pub(crate) fill: Option<(u16, FieldValue)>,
}

impl TypeMapping {
    /// What reading a field takes beyond widening, if it takes anything.
    #[inline]
    pub(crate) fn special(&self, field: FieldIx) -> Option<&Special> {
        self.special.get(field.0 as usize)
    }
}

impl Mapping {
    #[inline]
    pub(crate) fn type_mapping(&self, ty: TypeIx) -> &TypeMapping {
        &self.types[ty.0 as usize]
    }

    #[inline]
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
    /// The program's schema over this catalog, if that needs nobody's consent and no look at the data: the catalog with
    /// what is new, and the mapping; or the problems.
    pub(crate) fn fit(&self, schema: &Schema) -> Result<(Catalog, Mapping), Vec<String>> {
        let evolved = evolve(self, schema)?;
        let open = evolved
            .changes
            .iter()
            .filter(|change| !change.is_harmless());
        let open: Vec<String> = open.map(ToString::to_string).collect();
        if open.is_empty() {
            Ok((evolved.catalog, evolved.mapping))
        } else {
            Err(open)
        }
    }

    /// The type in use under a name.
    pub(crate) fn in_use(&self, name: &str) -> Option<&CatalogType> {
        self.types.iter().find(|ty| !ty.dropped && ty.name == name)
    }

    /// The catalog as a schema of its own, for doors that have no program.
    pub(crate) fn to_schema(&self) -> Schema {
        let type_def = |ty: &CatalogType| TypeDef {
            name: ty.name.clone(),
            fields: ty
                .fields
                .iter()
                .filter(|field| !field.dropped)
                .map(|field| field.def.clone())
                .collect(),
            keep: ty.keep,
            was: Vec::new(),
        };
        Schema {
            types: self
                .types
                .iter()
                .filter(|ty| !ty.dropped)
                .map(type_def)
                .collect(),
            enums: self.enums.clone(),
        }
    }

    pub(crate) fn mapping(&self, schema: &Schema) -> Mapping {
        let mut positions = vec![None; self.types.len()];
        let mut types = Vec::with_capacity(schema.types.len());
        for (ix, def) in schema.types.iter().enumerate() {
            let Some(known) = self.in_use(&def.name) else {
                unreachable!("evolve() added every type of the schema");
            };
            positions[known.number.0 as usize - 1] = Some(TypeIx(ix as u32));
            let of = |field: &FieldDef| known.in_use(&field.name);
            let fields: Vec<&CatalogField> = def.fields.iter().filter_map(of).collect();
            assert_eq!(
                fields.len(),
                def.fields.len(),
                "evolve() added every field of the schema"
            );
            let special = |field: &&CatalogField| field.special(schema);
            let special: Vec<Special> = fields.iter().map(special).collect();
            let plain = special.iter().all(|special| *special == Special::default());
            types.push(TypeMapping {
                number: known.number,
                fields: fields.iter().map(|field| field.number).collect(),
                special: if plain { Vec::new() } else { special },
            });
        }
        Mapping { types, positions }
    }
}

impl CatalogType {
    /// The field in use under a name.
    pub(crate) fn in_use(&self, name: &str) -> Option<&CatalogField> {
        self.fields
            .iter()
            .find(|field| !field.dropped && field.def.name == name)
    }
}

impl CatalogField {
    /// `fill` is of the type that the field had when it was recorded: it is read as a stored value of then would be.
    fn special(&self, schema: &Schema) -> Special {
        let fill = self.def.fill.clone();
        let fill = fill.and_then(|fill| convert(fill, &self.def.ty, schema));
        Special {
            converted: self.converted,
            fill: fill.map(|fill| (self.fill_since, fill)),
        }
    }

    /// What a record of this catalog version reads where it has no value, as it was recorded.
    pub(crate) fn fill_of(&self, version: u16) -> Option<&FieldValue> {
        let fill = self.def.fill.as_ref();
        fill.filter(|_| version < self.fill_since)
    }
}
