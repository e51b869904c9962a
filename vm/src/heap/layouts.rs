//! What the heap must know of the program: record shapes, entity sizes, and the text constants as static objects.
//! Here because the collector scans records by shape. Must stay true: never changed after loading, shared by all VMs of
//! the program; its objects carry the static flag, so no VM ever writes them.

use std::ptr::NonNull;

use flin_bytecode::{Bank, Class, Const, ConstId, Module};

use super::checked;
use super::object::{FLAG_ASCII, FLAG_STATIC, Kind, Obj, header};

/// A record shape, prepared.
#[derive(Debug)]
pub(crate) struct ShapeLayout {
    /// Field names: static texts.
    pub(crate) names: Vec<Obj>,
    /// Slot classes.
    pub(crate) classes: Vec<Class>,
    /// The slots of a new record: zero or none; at least one.
    pub(super) empty: Box<[u64]>,
    /// Slots that hold references, in ascending order.
    pub(crate) reference_slots: Vec<u8>,
    /// The same as bits, as far as they go.
    pub(super) near_references: u64,
    /// How many of them those bits stand for.
    near_count: usize,
}

impl ShapeLayout {
    /// Slots that hold references and that `near_references` has no bits for.
    #[inline]
    pub(super) fn far_references(&self) -> &[u8] {
        &self.reference_slots[self.near_count..]
    }

    /// The slot with this name.
    pub(crate) fn slot_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.text() == Some(name))
    }
}

/// Shapes, entity sizes and texts of a program.
#[derive(Debug)]
pub(crate) struct Layouts {
    shapes: Vec<ShapeLayout>,
    entity_fields: Vec<usize>,
    texts: Vec<Option<Obj>>,
    true_text: Obj,
    false_text: Obj,
    empty_text: Obj,
    none_text: Obj,
    /// Keeps the bytes of the texts alive.
    storage: Vec<Box<[u64]>>,
}

impl Drop for Layouts {
    fn drop(&mut self) {
        for words in &self.storage {
            checked::died(words.as_ptr());
        }
    }
}

// SAFETY: the objects are static texts that live in `storage` and are never written after `new`.
unsafe impl Send for Layouts {}
// SAFETY: as above: all access is reading.
unsafe impl Sync for Layouts {}

impl Layouts {
    /// Prepares the tables of a verified module.
    pub(crate) fn new(module: &Module) -> Layouts {
        let mut storage = Vec::new();
        let texts: Vec<Option<Obj>> = module
            .constants
            .iter()
            .map(|constant| match constant {
                Const::Text(text) => Some(static_text(&mut storage, text)),
                Const::Int(_) | Const::Float(_) => None,
            })
            .collect();
        let shapes = module
            .shapes
            .iter()
            .map(|shape| {
                let slots = shape.fields.iter().enumerate();
                let reference_slots: Vec<u8> = slots
                    .filter(|(_, (_, class))| class.bank() == Bank::Reference)
                    .map(|(slot, _)| u8::try_from(slot).expect("verified: at most 255 fields"))
                    .collect();
                let near = reference_slots.iter().take_while(|slot| **slot < 64);
                ShapeLayout {
                    names: shape
                        .fields
                        .iter()
                        .map(|(name, _)| {
                            texts[name.index()].expect("verified: field names are text constants")
                        })
                        .collect(),
                    classes: shape.fields.iter().map(|(_, class)| *class).collect(),
                    empty: empty_slots(shape.fields.iter().map(|(_, class)| *class)),
                    near_references: near.clone().fold(0, |bits, slot| bits | 1 << slot),
                    near_count: near.count(),
                    reference_slots,
                }
            })
            .collect();
        Layouts {
            shapes,
            entity_fields: module
                .entities
                .iter()
                .map(|entity| entity.fields.len())
                .collect(),
            texts,
            true_text: static_text(&mut storage, "true"),
            false_text: static_text(&mut storage, "false"),
            empty_text: static_text(&mut storage, ""),
            none_text: static_text(&mut storage, "none"),
            storage,
        }
    }

    /// A shape by its number.
    #[inline]
    pub(crate) fn shape(&self, shape: u32) -> &ShapeLayout {
        &self.shapes[shape as usize]
    }

    /// How many declared fields an entity has.
    #[inline]
    pub(crate) fn entity_fields(&self, ty: u32) -> usize {
        self.entity_fields[ty as usize]
    }

    /// A text constant.
    #[inline]
    pub(crate) fn text(&self, constant: ConstId) -> Obj {
        self.texts[constant.index()].expect("verified: a text constant")
    }

    /// `true` or `false` as text.
    pub(crate) fn bool_text(&self, value: bool) -> Obj {
        if value {
            self.true_text
        } else {
            self.false_text
        }
    }

    /// The empty text.
    pub(crate) fn empty_text(&self) -> Obj {
        self.empty_text
    }

    /// `none` as text.
    pub(crate) fn none_text(&self) -> Obj {
        self.none_text
    }
}

fn empty_slots(classes: impl Iterator<Item = Class>) -> Box<[u64]> {
    let mut slots: Vec<u64> = classes.map(super::map::empty_slot).collect();
    slots.resize(slots.len().max(1), 0);
    slots.into_boxed_slice()
}

fn static_text(storage: &mut Vec<Box<[u64]>>, text: &str) -> Obj {
    let mut words = vec![0_u64; (1 + text.len().div_ceil(8)).max(2)].into_boxed_slice();
    let ascii = if text.is_ascii() { FLAG_ASCII } else { 0 };
    let len = u32::try_from(text.len()).expect("verified: constants are far below 4 GiB");
    words[0] = header(Kind::Text, 0, len) | FLAG_STATIC | ascii;
    for (index, byte) in text.bytes().enumerate() {
        words[1 + index / 8] |= u64::from(byte) << (index % 8 * 8);
    }
    let address = NonNull::from(&mut *words).cast::<u64>();
    let obj = Obj::from_non_null(address);
    checked::born(obj, words.len());
    storage.push(words);
    obj
}
