//! Mark and sweep. Here because it is the one place that must know where every kind keeps its references.
//! Must stay true: it runs only between operations; roots are given by the interpreter; saved entity objects that
//! were changed, or may have been in place, are roots too (dropping them would lose the change), and so are those of which
//! somebody has a list or map; others are forgotten when nobody refers to them.

use flin_bytecode::Class;

use super::object::{FLAG_LARGE, FLAG_MARK, FLAG_STATIC, Kind, Obj};
use super::{Heap, Layouts, blocks, dict, entity, list, text, things};
use crate::value::Word;

/// Collects what is reachable.
pub(crate) struct Marker<'a> {
    layouts: &'a Layouts,
    work: Vec<Obj>,
}

impl Marker<'_> {
    /// Marks a word and, later, all that it refers to.
    #[inline]
    pub(crate) fn word(&mut self, word: Word) {
        if let Some(obj) = word.as_obj() {
            self.object(obj);
        }
    }

    /// Marks an object.
    #[inline]
    pub(crate) fn object(&mut self, obj: Obj) {
        if self.mark(obj) {
            self.work.push(obj);
        }
    }

    /// What shapes look like.
    pub(super) fn layouts(&self) -> &Layouts {
        self.layouts
    }

    /// Whether the object is known to be reachable; what belongs to no heap is never.
    pub(super) fn is_marked(&self, obj: Obj) -> bool {
        is_marked(obj)
    }

    /// Sets the mark; false if it was set (or the object is static).
    #[inline]
    fn mark(&mut self, obj: Obj) -> bool {
        let bits = obj.header();
        debug_assert!(obj.kind() != Kind::Free, "a root refers to a free block");
        if bits & (FLAG_LARGE | FLAG_STATIC) == 0 {
            return blocks::mark(obj);
        }
        let is_new = bits & (FLAG_MARK | FLAG_STATIC) == 0;
        if is_new {
            obj.set_header(bits | FLAG_MARK);
        }
        is_new
    }

    fn words(&mut self, obj: Obj, from: usize, count: usize) {
        for index in from..from + count {
            self.word(Word::from_bits(obj.raw(index)));
        }
    }

    /// Marks all that what is marked refers to.
    pub(super) fn drain(&mut self) {
        while let Some(obj) = self.work.pop() {
            self.scan(obj);
        }
    }

    /// Marks what the object refers to.
    fn scan(&mut self, obj: Obj) {
        match obj.kind() {
            Kind::Free | Kind::None | Kind::Int | Kind::Float | Kind::Time | Kind::Duration => {}
            Kind::Range | Kind::Buffer => {}
            Kind::Text => {
                if let Some(buffer) = text::buffer_of(obj) {
                    self.mark(buffer);
                }
            }
            Kind::List => {
                if let Some(buffer) = list::buffer_of(obj) {
                    self.mark(buffer);
                }
                if list::class_of(obj).bank() == flin_bytecode::Bank::Reference {
                    for index in 0..list::len(obj) {
                        self.word(Word::from_bits(list::raw_slot(obj, index)));
                    }
                }
            }
            Kind::Record => {
                let layouts = self.layouts;
                let shape = layouts.shape(obj.meta());
                for slot in &shape.reference_slots {
                    self.word(Word::from_bits(obj.raw(1 + *slot as usize)));
                }
            }
            Kind::Dict => {
                let table = dict::table_of(obj);
                self.mark(table);
                for index in 0..dict::entries_used(table) {
                    if let Some((key, value)) = dict::entry(table, index) {
                        self.word(key);
                        self.word(value);
                    }
                }
            }
            Kind::Table => unreachable!("tables are scanned with their dictionary"),
            Kind::Closure => {
                for index in 0..usize::from(obj.aux()) {
                    if super::closure_slot_class(obj, index).bank()
                        == flin_bytecode::Bank::Reference
                    {
                        self.word(Word::from_bits(obj.raw(1 + index)));
                    }
                }
            }
            Kind::Cell => {
                if obj.aux() == Class::Ref as u16 || obj.aux() == Class::Any as u16 {
                    self.words(obj, 1, 1);
                }
            }
            Kind::Entity => self.words(obj, entity::FIELDS, self.layouts.entity_fields(obj.meta())),
            Kind::Query => self.words(obj, things::QUERY_STEPS, things::query_words(obj)),
            Kind::Error => self.words(obj, things::ERROR_WORDS, things::ERROR_WORD_COUNT),
            Kind::Response => self.words(obj, 1, things::RESPONSE_WORD_COUNT),
            Kind::Tuple => self.words(obj, 1, obj.meta() as usize),
            Kind::Enum => self.words(obj, 2, obj.meta() as usize),
        }
    }
}

impl Heap {
    /// Frees everything that is not reachable from what `roots` marks.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect(&mut self, roots: impl FnOnce(&mut Marker<'_>)) {
        let layouts = self.layouts.clone();
        self.budget.taken_bytes -= self.blocks.rest_bytes() as u64;
        self.blocks.begin_marking();
        let mut marker = Marker {
            layouts: &layouts,
            work: std::mem::take(&mut self.marked),
        };
        roots(&mut marker);
        for obj in self.identity.values() {
            if entity::is_pinned(*obj) {
                marker.object(*obj);
            }
        }
        marker.drain();
        self.mark_held(&mut marker);
        self.identity.retain(|_, obj| is_marked(*obj));
        self.marked = marker.work;
        let live_bytes = self.blocks.sweep() + self.large.sweep();
        self.budget.collected(live_bytes);
        self.collections += 1;
    }
}

fn is_marked(obj: Obj) -> bool {
    let bits = obj.header();
    if bits & (FLAG_LARGE | FLAG_STATIC) == 0 {
        blocks::has_mark(obj)
    } else {
        bits & FLAG_MARK != 0
    }
}
