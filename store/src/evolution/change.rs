//! The ways in which a program's entities differ from those of the data, each with its sentence.
//!
//! What must stay true: a sentence that refuses names what would be lost, in records, and says what to do.

use std::fmt;

use crate::schema::Keep;
use crate::value::EntityId;

/// One difference. Numbers of records are 0 until somebody looked at the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// An entity that the data does not have.
    NewType {
        /// Its name.
        entity: String,
    },
    /// A field that the data does not have.
    NewField {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// What older records read, as in an export; none: they read `none`.
        fill: Option<String>,
    },
    /// `@was`: an entity has a new name.
    RenamedType {
        /// Name in the data.
        from: String,
        /// Name in the program.
        to: String,
    },
    /// `@was`: a field has a new name.
    RenamedField {
        /// Name of the entity.
        entity: String,
        /// Name in the data.
        from: String,
        /// Name in the program.
        to: String,
    },
    /// A type that takes every value of the old one.
    Wider {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// Type in the data.
        from: String,
        /// Type in the program.
        to: String,
    },
    /// `@keep` says something else than before.
    Keep {
        /// Name of the entity.
        entity: String,
        /// What it says now.
        keep: Keep,
    },
    /// A field that was optional must have a value now, and records without one read the default.
    Filled {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// What they read, as in an export.
        fill: String,
    },
    /// An entity that the program does not have any more.
    DroppedType {
        /// Its name.
        entity: String,
        /// An entity of the program that it may have become.
        perhaps: Option<String>,
        /// Its records, deleted ones included.
        records: u64,
    },
    /// A field that the program does not have any more.
    DroppedField {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// A field of the program that it may have become.
        perhaps: Option<String>,
        /// Records with a value in it.
        records: u64,
    },
    /// A type that does not take every value of the old one.
    Narrower {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// Type in the data.
        from: String,
        /// Type in the program.
        to: String,
        /// Records with a value in it.
        records: u64,
        /// Those of them whose value does not fit the new type.
        lost: u64,
        /// The first of those.
        first: Option<EntityId>,
    },
    /// A field that must have a value.
    Empty {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// An earlier default that older records read, as in an export: these are not counted.
        earlier: Option<String>,
        /// Live records without one.
        records: u64,
        /// The first of them.
        first: Option<EntityId>,
    },
    /// Variants that an enum of the program does not have (any more), or with other data.
    LostVariants {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// Name of the enum.
        name: String,
        /// The variants.
        variants: Vec<String>,
        /// Records with such a value.
        records: u64,
        /// The first of them.
        first: Option<EntityId>,
    },
    /// Two live records hold one value of a field that is unique now.
    Duplicate {
        /// Name of the entity.
        entity: String,
        /// Name of the field.
        field: String,
        /// One of them.
        first: EntityId,
        /// The other one.
        second: EntityId,
        /// Records of the field that are not named: each holds a value that an earlier one holds.
        others: u64,
    },
}

/// Who has to agree to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody: nothing is lost.
    None,
    /// The operator, with `--migrate`.
    Operator,
    /// Nobody can: the data has to be changed first.
    Impossible,
}

impl SchemaChange {
    /// Who has to agree, once the records are counted.
    pub fn consent(&self) -> Consent {
        match self {
            SchemaChange::NewType { .. }
            | SchemaChange::NewField { .. }
            | SchemaChange::RenamedType { .. }
            | SchemaChange::RenamedField { .. }
            | SchemaChange::Wider { .. }
            | SchemaChange::Filled { .. }
            | SchemaChange::Keep { .. } => Consent::None,
            SchemaChange::DroppedType { records, .. }
            | SchemaChange::DroppedField { records, .. }
            | SchemaChange::Narrower { records, .. }
            | SchemaChange::Empty { records, .. }
            | SchemaChange::LostVariants { records, .. } => match records {
                0 => Consent::None,
                _ => Consent::Operator,
            },
            SchemaChange::Duplicate { .. } => Consent::Impossible,
        }
    }

    /// The sentence once it is done: what happened, without what could have been done instead.
    pub fn done(&self) -> String {
        match self {
            SchemaChange::DroppedType {
                entity, records: 0, ..
            } => {
                format!("entity {entity} is given up; it had no records.")
            }
            SchemaChange::DroppedType {
                entity, records, ..
            } => {
                format!("entity {entity} is given up with its records: {records}.")
            }
            SchemaChange::Narrower {
                entity,
                field,
                from,
                to,
                records: 0,
                ..
            } => {
                format!("{entity}.{field} was {from} and is {to} now; no record has a value in it.")
            }
            SchemaChange::DroppedField {
                entity,
                field,
                records,
                ..
            } => {
                format!(
                    "{entity}.{field} is given up: {} a value in it.",
                    have(*records)
                )
            }
            SchemaChange::Narrower {
                entity,
                field,
                from,
                to,
                records,
                lost,
                ..
            } => format!(
                "{entity}.{field} was {from} and is read as {to} now: {} a value in it, {lost} of them read none.",
                have(*records)
            ),
            SchemaChange::Empty {
                entity,
                field,
                records,
                ..
            } => {
                format!(
                    "{entity}.{field} must have a value: {} none yet.",
                    have(*records)
                )
            }
            SchemaChange::LostVariants {
                entity,
                field,
                name,
                variants,
                records,
                ..
            } => format!(
                "{entity}.{field}: the enum {name} has no {} any more: {} such a value, which reads none.",
                variants.join(", "),
                have(*records)
            ),
            SchemaChange::Duplicate { .. } => self.refusal(),
            SchemaChange::NewType { .. }
            | SchemaChange::NewField { .. }
            | SchemaChange::Filled { .. }
            | SchemaChange::RenamedType { .. }
            | SchemaChange::RenamedField { .. }
            | SchemaChange::Wider { .. }
            | SchemaChange::Keep { .. } => self.by_itself(),
        }
    }

    /// The sentence of a change that loses nothing.
    fn by_itself(&self) -> String {
        match self {
            SchemaChange::NewType { entity } => format!("entity {entity} is new."),
            SchemaChange::NewField {
                entity,
                field,
                fill,
            } => format!(
                "{entity}.{field} is new; older records read {} in it.",
                fill.as_deref().unwrap_or("none")
            ),
            SchemaChange::Filled {
                entity,
                field,
                fill,
            } => format!(
                "{entity}.{field} must have a value now; older records without one read {fill}."
            ),
            SchemaChange::RenamedType { from, to } => format!("entity {from} is called {to} now."),
            SchemaChange::RenamedField { entity, from, to } => {
                format!("{entity}.{from} is called {to} now.")
            }
            SchemaChange::Wider {
                entity,
                field,
                from,
                to,
            } => {
                format!("{entity}.{field} was {from} and is {to} now; every value fits.")
            }
            SchemaChange::Keep { entity, keep } => keep_sentence(entity, *keep),
            SchemaChange::DroppedType { .. }
            | SchemaChange::DroppedField { .. }
            | SchemaChange::Narrower { .. }
            | SchemaChange::Empty { .. }
            | SchemaChange::LostVariants { .. }
            | SchemaChange::Duplicate { .. } => self.done(),
        }
    }

    /// The sentence that asks for consent, or says why there is no way.
    fn refusal(&self) -> String {
        match self {
            SchemaChange::DroppedType {
                entity,
                perhaps,
                records,
            } => format!(
                "entity {entity} is in the data but not in the program any more: {} no place then. {} To give the \
                 records up, start once with --migrate.",
                have(*records),
                if_renamed(entity, "name", perhaps)
            ),
            SchemaChange::DroppedField {
                entity,
                field,
                perhaps,
                records,
            } => format!(
                "{entity}.{field} is in the data but not in the program any more: {} a value in it. {} To give the \
                 values up, start once with --migrate.",
                have(*records),
                if_renamed(field, "field", perhaps)
            ),
            SchemaChange::Narrower { .. } => self.narrower(),
            SchemaChange::Empty {
                entity,
                field,
                earlier,
                records,
                first,
            } => format!(
                "{entity}.{field} must have a value, and {} none{}. Give the field {} or make it optional, or \
                 start once with --migrate: then these records read none until they are saved with a value.",
                have(*records),
                first_is(entity, first),
                earlier.as_ref().map_or_else(
                    || "a default".to_owned(),
                    |fill| format!("the default {fill}, which older records read already,")
                )
            ),
            SchemaChange::LostVariants {
                entity,
                field,
                name,
                variants,
                records,
                first,
            } => format!(
                "{entity}.{field}: the enum {name} of the program has no {}, and {} such a value{}. Put the variant back, \
                 or start once with --migrate: then these values read none.",
                variants.join(", "),
                have(*records),
                first_is(entity, first)
            ),
            SchemaChange::Duplicate {
                entity,
                field,
                first,
                second,
                others,
            } => {
                let more = match others {
                    0 => String::new(),
                    1 => " (and so does 1 more with an earlier one)".to_owned(),
                    others => format!(" (and so do {others} more, each with an earlier one)"),
                };
                format!(
                    "{entity}.{field} is unique in the program, but {entity} {first} and {entity} {second} hold the same \
                     value{more}. Change one of them first."
                )
            }
            SchemaChange::NewType { .. }
            | SchemaChange::NewField { .. }
            | SchemaChange::Filled { .. }
            | SchemaChange::RenamedType { .. }
            | SchemaChange::RenamedField { .. }
            | SchemaChange::Wider { .. }
            | SchemaChange::Keep { .. } => self.done(),
        }
    }

    /// The sentence about a type that does not take every value of the old one.
    fn narrower(&self) -> String {
        let SchemaChange::Narrower {
            entity,
            field,
            from,
            to,
            records,
            lost,
            first,
        } = self
        else {
            return self.done();
        };
        let stored = format!(
            "{entity}.{field} is stored as {from}, the program says {to}: {} a value in it",
            have(*records)
        );
        match lost {
            0 => format!(
                "{stored}, and all of them can be converted. To have them read as {to}, start once with --migrate."
            ),
            lost => format!(
                "{stored}, and {lost} of these values cannot be converted{}: they would read none. To go on like this, \
                 start once with --migrate; to keep them, give the new meaning a new name.",
                first_is(entity, first)
            ),
        }
    }

    /// Whether it needs no look at the data.
    pub(crate) fn is_harmless(&self) -> bool {
        match self {
            SchemaChange::NewType { .. }
            | SchemaChange::NewField { .. }
            | SchemaChange::Filled { .. }
            | SchemaChange::RenamedType { .. }
            | SchemaChange::RenamedField { .. }
            | SchemaChange::Wider { .. }
            | SchemaChange::Keep { .. } => true,
            SchemaChange::DroppedType { .. }
            | SchemaChange::DroppedField { .. }
            | SchemaChange::Narrower { .. }
            | SchemaChange::Empty { .. }
            | SchemaChange::LostVariants { .. }
            | SchemaChange::Duplicate { .. } => false,
        }
    }
}

/// `1 record has`, `7 records have`.
fn have(records: u64) -> String {
    match records {
        0 => "no record has".to_owned(),
        1 => "1 record has".to_owned(),
        many => format!("{many} records have"),
    }
}

/// ` (the first is Todo 3)`.
fn first_is(entity: &str, first: &Option<EntityId>) -> String {
    match first {
        Some(id) => format!(" (the first is {entity} {id})"),
        None => String::new(),
    }
}

/// What to do if something got another name.
fn if_renamed(name: &str, what: &str, perhaps: &Option<String>) -> String {
    let perhaps = match perhaps {
        Some(name) => format!(" ({name} looks like it)"),
        None => String::new(),
    };
    format!("If it was renamed, write @was(\"{name}\") behind the new {what}{perhaps}.")
}

fn keep_sentence(entity: &str, keep: Keep) -> String {
    match (keep.versions, keep.days) {
        (None, None) => format!("all versions of {entity} are kept from now on."),
        (Some(versions), None) => {
            format!("{versions} versions of each {entity} are kept from now on.")
        }
        (None, Some(days)) => format!("versions of {entity} are kept for {days} days from now on."),
        (Some(versions), Some(days)) => format!(
            "{versions} versions of each {entity} are kept from now on, for at most {days} days."
        ),
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self.consent() {
            Consent::None => self.done(),
            Consent::Operator | Consent::Impossible => self.refusal(),
        })
    }
}
