//! The body of a schema frame: the whole catalog, numbers and names, every time.
//!
//! What must stay true: a number once given to a type or field keeps its name for ever, so any schema frame can be
//! read without the ones before it.

use super::cursor::{Cursor, Undecodable, pad8, put_text};
use super::record::{FieldNo, TypeNo};
use super::value::{put_value, read_value};
use crate::catalog::{Catalog, CatalogField, CatalogType};
use crate::limits::{FIELDS_MAX, TYPES_MAX, VARIANTS_MAX};
use crate::schema::{EnumDef, FieldDef, FieldType, Keep, OnDelete};
use crate::value::TypeIx;

const REQUIRED: u8 = 1;
const UNIQUE: u8 = 2;
const INDEX: u8 = 4;
const NEVER_NONE: u8 = 8;
const TYPE_DEPTH_MAX: usize = 32;

const KEEP: u8 = 1;
const DROPPED_TYPE: u8 = 2;
const DROPPED_FIELD: u8 = 3;
const CONVERTED: u8 = 4;
const FILL: u8 = 5;
const ENUM: u8 = 6;
const UNKNOWN: Undecodable = Undecodable {
    expected: "an extra of a known type and field",
};

/// Encodes the catalog as the body of a schema frame.
pub(crate) fn encode_catalog(catalog: &Catalog) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&u32::from(catalog.version).to_le_bytes());
    out.extend_from_slice(&(catalog.types.len() as u32).to_le_bytes());
    for ty in &catalog.types {
        out.extend_from_slice(&ty.number.0.to_le_bytes());
        put_text(&mut out, &ty.name);
        out.extend_from_slice(&(ty.fields.len() as u32).to_le_bytes());
        for field in &ty.fields {
            out.extend_from_slice(&field.number.0.to_le_bytes());
            put_text(&mut out, &field.def.name);
            let flags = [
                (field.def.required, REQUIRED),
                (field.def.unique, UNIQUE),
                (field.def.index, INDEX),
                (field.def.never_none, NEVER_NONE),
            ];
            out.push(
                flags
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, bit)| bit)
                    .sum(),
            );
            out.push(match field.def.on_delete {
                OnDelete::Restrict => 0,
                OnDelete::SetNone => 1,
                OnDelete::Cascade => 2,
            });
            put_type(&mut out, &field.def.ty);
        }
    }
    put_extras(&mut out, catalog);
    pad8(&mut out);
    out
}

/// What came to the catalog later stands behind the types, one entry each: a reader that does not know of it takes it for
/// padding. (It then misses what was given up, and refuses a program without that.)
fn put_extras(out: &mut Vec<u8>, catalog: &Catalog) {
    let mut entries = Vec::new();
    let mut count = 0u32;
    let mut entry = |tag: u8, content: &dyn Fn(&mut Vec<u8>)| {
        count += 1;
        let mut bytes = vec![tag];
        content(&mut bytes);
        entries.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        entries.extend_from_slice(&bytes);
    };
    for ty in &catalog.types {
        let number = ty.number.0.to_le_bytes();
        if ty.dropped {
            entry(DROPPED_TYPE, &|out| out.extend_from_slice(&number));
        }
        if !ty.keep.is_everything() {
            entry(KEEP, &|out| {
                out.extend_from_slice(&number);
                out.extend_from_slice(&ty.keep.versions.unwrap_or(0).to_le_bytes());
                out.extend_from_slice(&ty.keep.days.unwrap_or(0).to_le_bytes());
            });
        }
        for field in &ty.fields {
            let place = |out: &mut Vec<u8>| {
                out.extend_from_slice(&number);
                out.extend_from_slice(&field.number.0.to_le_bytes());
            };
            if field.dropped {
                entry(DROPPED_FIELD, &place);
            }
            if field.converted {
                entry(CONVERTED, &place);
            }
            if let Some(fill) = &field.def.fill {
                entry(FILL, &|out| {
                    place(out);
                    out.extend_from_slice(&field.fill_since.to_le_bytes());
                    // Numbers of the log and positions are the same here, but for the 1 that numbers begin with.
                    put_value(out, fill, &|ty| ty.0 + 1);
                });
            }
        }
    }
    for def in &catalog.enums {
        entry(ENUM, &|out| {
            put_text(out, &def.name);
            out.extend_from_slice(&(def.variants.len() as u32).to_le_bytes());
            for (name, values) in &def.variants {
                put_text(out, name);
                out.extend_from_slice(&values.to_le_bytes());
            }
        });
    }
    if count > 0 {
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&entries);
    }
}

fn read_extras(cursor: &mut Cursor<'_>, catalog: &mut Catalog) -> Result<(), Undecodable> {
    if cursor.left() < 4 {
        return Ok(());
    }
    for _ in 0..cursor.u32("a count of extras")? {
        let len = cursor.u32("the length of an extra")? as usize;
        let mut entry = Cursor::new(cursor.take(len, "an extra")?);
        let tag = entry.u8("the tag of an extra")?;
        if tag == ENUM {
            let name = entry.text("the name of an enum")?.to_owned();
            let count = bounded(entry.u32("a count of variants")?, VARIANTS_MAX)?;
            let mut variants = Vec::with_capacity(count);
            for _ in 0..count {
                let variant = entry.text("the name of a variant")?.to_owned();
                variants.push((variant, entry.u32("a count of values")?));
            }
            catalog.enums.push(EnumDef { name, variants });
            continue;
        }
        let number = entry.u32("a type number")?;
        let ty = catalog
            .types
            .get_mut((number as usize).wrapping_sub(1))
            .ok_or(UNKNOWN)?;
        match tag {
            DROPPED_TYPE => ty.dropped = true,
            KEEP => {
                let limit = |number: u32| (number > 0).then_some(number);
                ty.keep = Keep {
                    versions: limit(entry.u32("a count of versions")?),
                    days: limit(entry.u32("a count of days")?),
                };
            }
            DROPPED_FIELD | CONVERTED | FILL => {
                let field = usize::from(entry.u16("a field number")?);
                let field = ty.fields.get_mut(field).ok_or(UNKNOWN)?;
                match tag {
                    DROPPED_FIELD => field.dropped = true,
                    CONVERTED => field.converted = true,
                    _fill => {
                        field.fill_since = entry.u16("a catalog version")?;
                        let position = |number: u32| number.checked_sub(1).map(TypeIx);
                        field.def.fill = Some(read_value(&mut entry, &position)?);
                    }
                }
            }
            // From a later version of this program; what cannot be done without has a feature bit.
            _later => {}
        }
    }
    Ok(())
}

fn put_type(out: &mut Vec<u8>, ty: &FieldType) {
    match ty {
        FieldType::Bool => out.push(1),
        FieldType::Int => out.push(2),
        FieldType::Float => out.push(3),
        FieldType::Text => out.push(4),
        FieldType::Time => out.push(5),
        FieldType::Duration => out.push(6),
        FieldType::Bytes => out.push(7),
        FieldType::Ref(name) => {
            out.push(8);
            put_text(out, name);
        }
        FieldType::Enum(name) => {
            out.push(9);
            put_text(out, name);
        }
        FieldType::List(item) => {
            out.push(10);
            put_type(out, item);
        }
        FieldType::Map(item) => {
            out.push(11);
            put_type(out, item);
        }
        FieldType::Any => out.push(12),
    }
}

/// Decodes the body of a schema frame.
pub(crate) fn decode_catalog(body: &[u8]) -> Result<Catalog, Undecodable> {
    let mut cursor = Cursor::new(body);
    let version = u16::try_from(cursor.u32("a catalog version")?).map_err(|_| Undecodable {
        expected: "a catalog version",
    })?;
    let type_count = bounded(cursor.u32("a type count")?, TYPES_MAX)?;
    let mut types = Vec::with_capacity(type_count);
    for position in 0..type_count {
        let number = TypeNo(cursor.u32("a type number")?);
        if number.0 as usize != position + 1 {
            return Err(Undecodable {
                expected: "type numbers without gaps",
            });
        }
        let name = cursor.text("a type name")?.to_owned();
        let field_count = bounded(cursor.u32("a field count")?, FIELDS_MAX)?;
        let mut fields = Vec::with_capacity(field_count);
        for position in 0..field_count {
            let number = FieldNo(cursor.u16("a field number")?);
            if usize::from(number.0) != position {
                return Err(Undecodable {
                    expected: "field numbers without gaps",
                });
            }
            fields.push(CatalogField {
                number,
                def: read_field(&mut cursor)?,
                dropped: false,
                converted: false,
                fill_since: 0,
            });
        }
        types.push(CatalogType {
            number,
            name,
            fields,
            dropped: false,
            keep: Keep::default(),
        });
    }
    let mut catalog = Catalog {
        version,
        types,
        enums: Vec::new(),
    };
    read_extras(&mut cursor, &mut catalog)?;
    Ok(catalog)
}

fn bounded(count: u32, limit: usize) -> Result<usize, Undecodable> {
    if count as usize > limit {
        Err(Undecodable {
            expected: "a count below its limit",
        })
    } else {
        Ok(count as usize)
    }
}

fn read_field(cursor: &mut Cursor<'_>) -> Result<FieldDef, Undecodable> {
    let name = cursor.text("a field name")?.to_owned();
    let flags = cursor.u8("field flags")?;
    let on_delete = match cursor.u8("an on-delete rule")? {
        0 => OnDelete::Restrict,
        1 => OnDelete::SetNone,
        2 => OnDelete::Cascade,
        _ => {
            return Err(Undecodable {
                expected: "a known on-delete rule",
            });
        }
    };
    let ty = read_type(cursor, TYPE_DEPTH_MAX)?;
    Ok(FieldDef {
        required: flags & REQUIRED != 0,
        unique: flags & UNIQUE != 0,
        index: flags & INDEX != 0,
        never_none: flags & NEVER_NONE != 0,
        on_delete,
        ..FieldDef::new(name, ty)
    })
}

fn read_type(cursor: &mut Cursor<'_>, depth_left: usize) -> Result<FieldType, Undecodable> {
    if depth_left == 0 {
        return Err(Undecodable {
            expected: "a field type of bounded depth",
        });
    }
    Ok(match cursor.u8("a field type")? {
        1 => FieldType::Bool,
        2 => FieldType::Int,
        3 => FieldType::Float,
        4 => FieldType::Text,
        5 => FieldType::Time,
        6 => FieldType::Duration,
        7 => FieldType::Bytes,
        8 => FieldType::Ref(cursor.text("a type name")?.to_owned()),
        9 => FieldType::Enum(cursor.text("an enum name")?.to_owned()),
        10 => FieldType::List(Box::new(read_type(cursor, depth_left - 1)?)),
        11 => FieldType::Map(Box::new(read_type(cursor, depth_left - 1)?)),
        12 => FieldType::Any,
        _ => {
            return Err(Undecodable {
                expected: "a known field type",
            });
        }
    })
}
