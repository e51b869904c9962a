//! Entity objects: fixed slots of words, one object per saved record (identity map). Meta is the entity type; aux holds
//! the state and whether a field was changed since it was read.
//! Must stay true: an object in state Link has an id and no fields yet; the identity map has every object with an id.

use super::Heap;
use super::object::{Kind, Obj, header};
use crate::fault::Res;
use crate::value::Word;

const ID: usize = 1;
const VERSION: usize = 2;
const CREATED_AT: usize = 3;
const UPDATED_AT: usize = 4;
const DELETED_AT: usize = 5;
/// First word of the declared fields.
pub(super) const FIELDS: usize = 6;
/// `deleted_at` of a record that is not deleted.
const NOT_DELETED: u64 = i64::MIN as u64;
const STATE_MASK: u16 = 0xff;
const CHANGED: u16 = 0x100;

/// Where an entity object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntityState {
    /// Never saved.
    Unsaved,
    /// Fields are there.
    Loaded,
    /// Only type and id are known.
    Link,
    /// Removed for good.
    Destroyed,
}

/// What the store says about a record besides its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: Option<i64>,
}

/// Whether a field was changed since it was read or saved.
pub(super) fn is_changed(entity: Obj) -> bool {
    entity.aux() & CHANGED != 0
}

impl Obj {
    /// State of an entity object.
    pub(crate) fn entity_state(self) -> EntityState {
        debug_assert_eq!(self.kind(), Kind::Entity);
        match self.aux() & STATE_MASK {
            0 => EntityState::Unsaved,
            1 => EntityState::Loaded,
            2 => EntityState::Link,
            _ => EntityState::Destroyed,
        }
    }

    fn set_entity_state(self, state: EntityState, changed: bool) {
        let number = match state {
            EntityState::Unsaved => 0,
            EntityState::Loaded => 1,
            EntityState::Link => 2,
            EntityState::Destroyed => 3,
        };
        self.set_aux(number | if changed { CHANGED } else { 0 });
    }

    /// Its id, 0 while unsaved.
    pub(crate) fn entity_id(self) -> i64 {
        debug_assert_eq!(self.kind(), Kind::Entity);
        self.raw(ID) as i64
    }

    /// Version and times.
    pub(crate) fn entity_stamps(self) -> Stamps {
        let deleted_at = self.raw(DELETED_AT);
        Stamps {
            version: self.raw(VERSION) as i64,
            created_at: self.raw(CREATED_AT) as i64,
            updated_at: self.raw(UPDATED_AT) as i64,
            deleted_at: (deleted_at != NOT_DELETED).then_some(deleted_at as i64),
        }
    }

    /// A declared field; the caller keeps `field` below the number of fields.
    pub(crate) fn entity_field(self, field: usize) -> Word {
        Word::from_bits(self.raw(FIELDS + field))
    }

    /// Sets a declared field.
    pub(crate) fn set_entity_field(self, field: usize, value: Word) {
        self.set_raw(FIELDS + field, value.bits());
        self.set_aux(self.aux() | CHANGED);
    }

    /// Whether a field was changed since it was read or saved.
    pub(crate) fn entity_is_changed(self) -> bool {
        is_changed(self)
    }
}

impl Heap {
    fn blank_entity(&mut self, ty: u32) -> Res<Obj> {
        let count = self.layouts.entity_fields(ty);
        let entity = self.allocate(header(Kind::Entity, 0, ty), FIELDS + count)?;
        for index in [ID, VERSION, CREATED_AT, UPDATED_AT] {
            entity.set_raw(index, 0);
        }
        entity.set_raw(DELETED_AT, NOT_DELETED);
        for index in 0..count {
            entity.set_raw(FIELDS + index, Word::none().bits());
        }
        Ok(entity)
    }

    /// A new unsaved object, all fields none.
    pub(crate) fn new_entity(&mut self, ty: u32) -> Res<Obj> {
        self.blank_entity(ty)
    }

    /// The object of a record: the one there is, or a new link.
    pub(crate) fn entity_link(&mut self, ty: u32, id: i64) -> Res<Obj> {
        if let Some(found) = self.identity.get(&(ty, id)) {
            return Ok(*found);
        }
        let entity = self.blank_entity(ty)?;
        entity.set_raw(ID, id as u64);
        entity.set_entity_state(EntityState::Link, false);
        self.identity.insert((ty, id), entity);
        Ok(entity)
    }

    /// Puts a record's data into its object, which now is loaded and unchanged.
    pub(crate) fn entity_fill(&mut self, entity: Obj, id: i64, stamps: Stamps, fields: &[Word]) {
        assert_eq!(
            fields.len(),
            self.layouts.entity_fields(entity.meta()),
            "a record has all declared fields"
        );
        for (index, field) in fields.iter().enumerate() {
            entity.set_raw(FIELDS + index, field.bits());
        }
        entity.set_raw(ID, id as u64);
        self.entity_stamp(entity, stamps);
        entity.set_entity_state(EntityState::Loaded, false);
        self.identity.insert((entity.meta(), id), entity);
    }

    /// Sets version and times; the fields stay.
    pub(crate) fn entity_stamp(&mut self, entity: Obj, stamps: Stamps) {
        entity.set_raw(VERSION, stamps.version as u64);
        entity.set_raw(CREATED_AT, stamps.created_at as u64);
        entity.set_raw(UPDATED_AT, stamps.updated_at as u64);
        entity.set_raw(
            DELETED_AT,
            stamps.deleted_at.map_or(NOT_DELETED, |ms| ms as u64),
        );
    }

    /// The record is gone for good.
    pub(crate) fn entity_destroyed(&mut self, entity: Obj) {
        self.identity.remove(&(entity.meta(), entity.entity_id()));
        entity.set_entity_state(EntityState::Destroyed, false);
    }

    /// All unchanged objects of a type become links again, so that they are read anew when needed.
    pub(crate) fn entity_forget_unchanged(&mut self, ty: u32) {
        for ((found, _), entity) in &self.identity {
            if *found == ty && entity.entity_state() == EntityState::Loaded && !is_changed(*entity)
            {
                entity.set_entity_state(EntityState::Link, false);
            }
        }
    }
}
