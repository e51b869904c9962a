//! Maps as programs see them: a record (fixed shape, slots in the object) or a dictionary. Here because all generic code
//! treats both alike. Must stay true: an unknown key, a removed key or a value that does not fit its slot turns a record
//! into a dictionary in place; insertion order is kept.

use flin_bytecode::Class;

use super::dict;
use super::object::{Kind, Obj, header};
use super::{Heap, ShapeLayout};
use crate::fault::Res;
use crate::value::{View, Word};

/// Where a walk over a map stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MapCursor(usize);

/// The bits of a record slot if `obj` is a record of this shape.
#[inline(always)]
pub(crate) fn record_slot(obj: Obj, shape: u32, slot: usize) -> Option<u64> {
    obj.is_meta(Kind::Record, shape).then(|| obj.raw(1 + slot))
}

/// Sets the bits of a record slot; false if `obj` is no record of this shape.
#[inline(always)]
pub(crate) fn set_record_slot(obj: Obj, shape: u32, slot: usize, bits: u64) -> bool {
    let fits = obj.is_meta(Kind::Record, shape);
    if fits {
        obj.set_raw(1 + slot, bits);
    }
    fits
}

impl Heap {
    /// A new record with zero or none in its slots.
    #[inline]
    pub(crate) fn new_record(&mut self, shape: u32) -> Res<Obj> {
        // SAFETY: the heap holds the layouts for its whole life; allocating does not touch them.
        let layout = unsafe { (*std::sync::Arc::as_ptr(&self.layouts)).shape(shape) };
        let record = self.allocate(header(Kind::Record, 0, shape), 1 + layout.empty.len())?;
        for (slot, bits) in layout.empty.iter().enumerate() {
            record.set_raw(1 + slot, *bits);
        }
        Ok(record)
    }

    /// Number of keys.
    pub(crate) fn map_len(&self, map: Obj) -> usize {
        match self.record_layout(map) {
            Some(layout) => layout.names.len(),
            None => dict::entries_live(dict::table_of(map)),
        }
    }

    fn record_layout(&self, map: Obj) -> Option<&ShapeLayout> {
        match map.kind() {
            Kind::Record => Some(self.layouts.shape(map.meta())),
            kind => {
                assert_eq!(kind, Kind::Dict, "a map is a record or a dictionary");
                None
            }
        }
    }

    /// The slot of a record that has this key.
    fn record_slot_of(&self, map: Obj, key: Word) -> Option<usize> {
        let layout = self.record_layout(map)?;
        if let Some(slot) = layout
            .names
            .iter()
            .position(|name| Word::object(*name) == key)
        {
            return Some(slot);
        }
        let View::Text(name) = key.view() else {
            return None;
        };
        layout.slot_of(name.text()?)
    }

    /// The value of a key.
    pub(crate) fn map_get(&mut self, map: Obj, key: Word) -> Res<Option<Word>> {
        if map.kind() == Kind::Record {
            return match self.record_slot_of(map, key) {
                Some(slot) => self.record_word(map, slot).map(Some),
                None => Ok(None),
            };
        }
        let found = self.dict_find(map, key)?;
        Ok(found
            .and_then(|index| dict::entry(dict::table_of(map), index))
            .map(|(_, value)| value))
    }

    /// The value in a slot of a record.
    fn record_word(&mut self, record: Obj, slot: usize) -> Res<Word> {
        let class = self.layouts.shape(record.meta()).classes[slot];
        self.word_of_slot(class, record.raw(1 + slot))
    }

    /// Sets or adds a key.
    pub(crate) fn map_set(&mut self, map: Obj, key: Word, value: Word) -> Res<()> {
        if map.kind() == Kind::Record {
            if let Some(slot) = self.record_slot_of(map, key)
                && let Some(bits) = self.record_bits(map, slot, value)
            {
                map.set_raw(1 + slot, bits);
                return Ok(());
            }
            self.record_to_dict(map)?;
        }
        self.dict_set(map, key, value)
    }

    /// The bits of a value in a slot, if the slot keeps it as it is.
    fn record_bits(&self, record: Obj, slot: usize, value: Word) -> Option<u64> {
        let class = self.layouts.shape(record.meta()).classes[slot];
        let keeps = match class {
            Class::I64 => matches!(value.view(), View::Int(_)),
            Class::F64 => matches!(value.view(), View::Float(_)),
            Class::Bool | Class::Ref | Class::Any => true,
        };
        if keeps {
            self.slot_bits(class, value)
        } else {
            None
        }
    }

    /// Removes a key; gives its value.
    pub(crate) fn map_remove(&mut self, map: Obj, key: Word) -> Res<Option<Word>> {
        if map.kind() == Kind::Record {
            if self.record_slot_of(map, key).is_none() {
                return Ok(None);
            }
            self.record_to_dict(map)?;
        }
        self.dict_remove(map, key)
    }

    /// Removes all keys.
    pub(crate) fn map_clear(&mut self, map: Obj) -> Res<()> {
        if map.kind() == Kind::Record {
            return self.become_dict(map, &[]);
        }
        self.dict_clear(map)
    }

    fn record_to_dict(&mut self, record: Obj) -> Res<()> {
        let entries = self.map_entries(record)?;
        self.become_dict(record, &entries)
    }

    /// The next key and value of a walk. Keys added meanwhile are seen, removed ones are not.
    pub(crate) fn map_next(
        &mut self,
        map: Obj,
        cursor: &mut MapCursor,
    ) -> Res<Option<(Word, Word)>> {
        if let Some(layout) = self.record_layout(map) {
            let slot = cursor.0;
            let Some(name) = layout.names.get(slot).copied() else {
                return Ok(None);
            };
            cursor.0 += 1;
            return Ok(Some((Word::object(name), self.record_word(map, slot)?)));
        }
        let table = dict::table_of(map);
        while cursor.0 < dict::entries_used(table) {
            let found = dict::entry(table, cursor.0);
            cursor.0 += 1;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The key and value at a position in insertion order.
    pub(crate) fn map_at(&mut self, map: Obj, index: usize) -> Res<Option<(Word, Word)>> {
        if map.kind() == Kind::Dict {
            return self.dict_at(map, index);
        }
        self.map_next(map, &mut MapCursor(index))
    }

    /// All keys and values, in order.
    pub(crate) fn map_entries(&mut self, map: Obj) -> Res<Vec<(Word, Word)>> {
        let mut entries = Vec::with_capacity(self.map_len(map));
        let mut cursor = MapCursor::default();
        while let Some(entry) = self.map_next(map, &mut cursor)? {
            entries.push(entry);
        }
        Ok(entries)
    }

    /// A copy of the map itself (its values are shared).
    pub(crate) fn map_clone(&mut self, map: Obj) -> Res<Obj> {
        if map.kind() == Kind::Record {
            let copy = self.new_record(map.meta())?;
            for slot in 0..self.map_len(map) {
                copy.set_raw(1 + slot, map.raw(1 + slot));
            }
            return Ok(copy);
        }
        let entries = self.map_entries(map)?;
        let copy = self.new_dict(entries.len())?;
        for (key, value) in entries {
            self.dict_set(copy, key, value)?;
        }
        Ok(copy)
    }
}

/// The bits of a slot that nothing was put in yet.
pub(crate) fn empty_slot(class: Class) -> u64 {
    match class {
        Class::I64 | Class::F64 | Class::Bool => 0,
        Class::Ref | Class::Any => Word::none().bits(),
    }
}
