//! Entity objects: fixed slots of words, one object per saved record (identity map). Meta is the entity type; aux holds
//! the state and whether a field was changed since it was read. A record of the past is an object of its own that knows
//! as of when it was read.
//! Must stay true: an object in state Link has an id and no fields yet; the identity map has every object with an id that
//! is not of the past.

use std::collections::HashSet;
use std::sync::Arc;

use super::object::{Kind, Obj, header};
use super::{Heap, Marker, holding};
use crate::fault::Res;
use crate::host::Moment;
use crate::value::Word;

const ID: usize = 1;
const VERSION: usize = 2;
const CREATED_AT: usize = 3;
const UPDATED_AT: usize = 4;
const DELETED_AT: usize = 5;
const AS_OF: usize = 6;
const VALID_TO: usize = 7;
/// First word of the declared fields.
pub(super) const FIELDS: usize = 8;
/// `deleted_at` of a record that is not deleted, `valid_to` of the newest version, `as of` of what is not of the past.
const NO_TIME: u64 = i64::MIN as u64;
const STATE_MASK: u16 = 0xff;
const CHANGED: u16 = 0x100;
/// A list, map or other value that holds others was taken from a field, so it may have been changed in place.
const LENT: u16 = 0x200;
/// It was saved with such values, which the program may still have in its hands.
const HELD: u16 = 0x400;
/// Lists or maps of it hold links that a deletion took out of its record (`Heap::lost_links`).
const STALE: u16 = 0x800;

/// Below this many notes of changes, none is looked at again before a query asks.
const CHANGED_FEW: usize = 256;

/// Records that were deleted, by type and id.
pub(crate) type Gone = HashSet<(u32, i64)>;

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

/// What makes an object one of the past.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// The moment whose state it shows; its links lead to records as they were then.
    pub(crate) as_of: Moment,
    /// When the next version was made; none if there is no other.
    pub(crate) valid_to: Option<i64>,
}

/// What the store says about a record besides its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: Option<i64>,
}

/// Whether dropping the object could lose what the program did to it.
pub(super) fn is_pinned(entity: Obj) -> bool {
    entity.aux() & (CHANGED | LENT) != 0
}

/// Whether the object must be kept as long as somebody has one of its lists or maps.
pub(super) fn is_held(entity: Obj) -> bool {
    entity.aux() & (CHANGED | LENT | HELD) == HELD
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
            deleted_at: (deleted_at != NO_TIME).then_some(deleted_at as i64),
        }
    }

    /// As of when it was read, if it is of the past.
    pub(crate) fn entity_past(self) -> Option<Past> {
        debug_assert_eq!(self.kind(), Kind::Entity);
        let time = |index| Some(self.raw(index)).filter(|ms| *ms != NO_TIME);
        time(AS_OF).map(|as_of| Past {
            as_of: moment_of(as_of),
            valid_to: time(VALID_TO).map(|ms| ms as i64),
        })
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

    /// A value that can be changed in place was taken from a field.
    pub(crate) fn entity_lend(self) {
        self.set_aux(self.aux() | LENT);
    }

    /// Whether a field was changed since it was read or saved.
    pub(crate) fn entity_is_changed(self) -> bool {
        self.aux() & CHANGED != 0
    }

    /// Whether the program may have changed it, or may yet by a list or map of it: its values are not to be replaced.
    pub(crate) fn entity_is_in_use(self) -> bool {
        self.aux() & (CHANGED | LENT | HELD) != 0
    }

    /// Whether its lists or maps hold links that its record has lost.
    pub(crate) fn entity_is_stale(self) -> bool {
        self.aux() & STALE != 0
    }

    /// Gives a field what its record holds by now, which is no change of the program's.
    pub(crate) fn entity_settle_field(self, field: usize, value: Word) {
        self.set_raw(FIELDS + field, value.bits());
    }
}

impl Heap {
    fn blank_entity(&mut self, ty: u32) -> Res<Obj> {
        let count = self.layouts.entity_fields(ty);
        let entity = self.allocate(header(Kind::Entity, 0, ty), FIELDS + count)?;
        for index in [ID, VERSION, CREATED_AT, UPDATED_AT] {
            entity.set_raw(index, 0);
        }
        for index in [DELETED_AT, AS_OF, VALID_TO] {
            entity.set_raw(index, NO_TIME);
        }
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

    /// A link to a record as it was at a time: an object of its own.
    pub(crate) fn entity_past_link(&mut self, ty: u32, id: i64, past: Past) -> Res<Obj> {
        let entity = self.blank_entity(ty)?;
        entity.set_raw(ID, id as u64);
        self.entity_set_past(entity, past);
        entity.set_entity_state(EntityState::Link, false);
        Ok(entity)
    }

    /// Notes that a field of an object is being set, so that queries know which records differ from what is stored.
    pub(crate) fn entity_note_change(&mut self, entity: Obj) {
        let own = entity.entity_id() > 0 && entity.entity_past().is_none();
        if !own || entity.entity_is_changed() {
            return;
        }
        if self.changed.len() >= self.changed_before * 2 + CHANGED_FEW {
            self.forget_unchanged();
        }
        self.changed.push((entity.meta(), entity.entity_id()));
    }

    /// The ids of records of a type whose objects have changes that were not saved.
    pub(crate) fn entities_changed(&mut self, ty: u32) -> Vec<i64> {
        if self.changed.is_empty() {
            return Vec::new();
        }
        self.forget_unchanged();
        let of_type = self.changed.iter().filter(|(of, _)| *of == ty);
        of_type.map(|(_, id)| *id).collect()
    }

    fn forget_unchanged(&mut self) {
        let identity = &self.identity;
        let is_changed = |key: &(u32, i64)| {
            let known = identity.get(key);
            known.is_some_and(|entity| entity.entity_is_changed())
        };
        self.changed.retain(is_changed);
        self.changed.sort_unstable();
        self.changed.dedup();
        self.changed_before = self.changed.len();
    }

    /// The values of an object were just saved, and the program may have some of them in its hands.
    pub(crate) fn entity_hold(&mut self, entity: Obj) {
        entity.set_aux(entity.aux() | HELD);
        let print = holding::fingerprint(&self.layouts, self.field_words(entity));
        let key = (entity.meta(), entity.entity_id());
        self.held_prints.insert(key, print);
    }

    fn field_words(&self, entity: Obj) -> impl Iterator<Item = Word> + use<> {
        let fields = FIELDS..FIELDS + self.layouts.entity_fields(entity.meta());
        fields.map(move |index| Word::from_bits(entity.raw(index)))
    }

    /// Says of when an object of the past is.
    pub(crate) fn entity_set_past(&mut self, entity: Obj, past: Past) {
        entity.set_raw(AS_OF, moment_word(past.as_of));
        entity.set_raw(VALID_TO, past.valid_to.map_or(NO_TIME, |ms| ms as u64));
    }

    /// The object of a record, if the program has one.
    pub(crate) fn entity_known(&self, ty: u32, id: i64) -> Option<Obj> {
        self.identity.get(&(ty, id)).copied()
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
        if entity.entity_is_stale() {
            self.entity_settled(entity);
        }
        entity.set_entity_state(EntityState::Loaded, false);
        if entity.entity_past().is_none() {
            self.identity.insert((entity.meta(), id), entity);
        }
    }

    /// Sets version and times; the fields stay.
    pub(crate) fn entity_stamp(&mut self, entity: Obj, stamps: Stamps) {
        entity.set_raw(VERSION, stamps.version as u64);
        entity.set_raw(CREATED_AT, stamps.created_at as u64);
        entity.set_raw(UPDATED_AT, stamps.updated_at as u64);
        entity.set_raw(
            DELETED_AT,
            stamps.deleted_at.map_or(NO_TIME, |ms| ms as u64),
        );
    }

    /// The record is gone for good.
    pub(crate) fn entity_destroyed(&mut self, entity: Obj) {
        let known = self.identity.remove(&(entity.meta(), entity.entity_id()));
        for object in known.into_iter().chain([entity]) {
            object.set_entity_state(EntityState::Destroyed, false);
        }
    }

    /// A deletion took links to these out of the record; the object's lists and maps have them still.
    pub(crate) fn entity_lost_links(&mut self, entity: Obj, gone: &Arc<Gone>) {
        let key = (entity.meta(), entity.entity_id());
        let lost = self.lost_links.entry(key).or_default();
        if !entity.entity_is_stale() {
            lost.clear();
        }
        match lost.last_mut().and_then(Arc::get_mut) {
            Some(own) => own.extend(gone.iter()),
            None if gone.len() == 1 => lost.push(Arc::new(gone.as_ref().clone())),
            None => lost.push(gone.clone()),
        }
        entity.set_aux(entity.aux() | STALE);
    }

    /// What was deleted that lists and maps of the object may have links to.
    pub(crate) fn entity_lost(&self, entity: Obj) -> Vec<Arc<Gone>> {
        let lost = self.lost_links.get(&(entity.meta(), entity.entity_id()));
        lost.filter(|_| entity.entity_is_stale())
            .cloned()
            .unwrap_or_default()
    }

    /// Its lists and maps are as the record has them.
    pub(crate) fn entity_settled(&mut self, entity: Obj) {
        self.lost_links.remove(&(entity.meta(), entity.entity_id()));
        entity.set_aux(entity.aux() & !STALE);
    }

    /// Marks saved objects whose lists or maps somebody has, since a change of those is a change of the object; and those
    /// whose lists or maps were changed since, also if nobody has them any more.
    pub(super) fn mark_held(&self, marker: &mut Marker<'_>) {
        let held = self.identity.values().filter(|entity| is_held(**entity));
        let mut waiting: Vec<Obj> = held.copied().collect();
        loop {
            let before = waiting.len();
            waiting.retain(|entity| {
                let words = self.field_words(*entity);
                let in_hand = marker.is_marked(*entity) || holding::holds_marked(marker, words);
                if in_hand {
                    marker.object(*entity);
                }
                !in_hand
            });
            marker.drain();
            if waiting.len() == before {
                break;
            }
        }
        for entity in waiting {
            let key = (entity.meta(), entity.entity_id());
            let print = holding::fingerprint(&self.layouts, self.field_words(entity));
            if self.held_prints.get(&key) != Some(&print) {
                entity.entity_lend();
                marker.object(entity);
            }
        }
        marker.drain();
    }
}

/// Commits are counted from here on in a word that may also be a time; no time is so late.
const COMMITS: i64 = 1 << 62;

/// A moment as a word.
pub(super) fn moment_word(moment: Moment) -> u64 {
    (match moment {
        Moment::Time(ms) => ms.clamp(i64::MIN + 1, COMMITS - 1),
        Moment::Commit(number) => COMMITS.saturating_add(number),
    }) as u64
}

/// The moment of such a word.
pub(super) fn moment_of(word: u64) -> Moment {
    match word as i64 {
        number @ COMMITS.. => Moment::Commit(number - COMMITS),
        ms => Moment::Time(ms),
    }
}
