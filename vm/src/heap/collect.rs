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
    work: Work,
}

/// What is reachable and not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Work {
    objects: Vec<Obj>,
    /// Long lists, and how far they are scanned: their elements come in parts, so that `objects` stays short.
    lists: Vec<(Obj, usize)>,
}

/// Elements of a list that are scanned at once.
const LIST_PART: usize = 1024;
/// Objects whose headers are on their way from memory while others are scanned. Waiting for headers is most of the work
/// of a collection otherwise (measured: 70 % of the time).
const ON_THE_WAY: usize = 16;

/// Bytes of an object that are asked for.
#[cfg(target_arch = "x86_64")]
const FIRST_BYTES: usize = 24;

/// A queue of such objects.
#[derive(Default)]
struct OnTheWay {
    objects: [Option<Obj>; ON_THE_WAY],
    first: usize,
    count: usize,
}

impl OnTheWay {
    #[inline(always)]
    fn is_full(&self) -> bool {
        self.count == ON_THE_WAY
    }

    /// Only if it is not full.
    #[inline(always)]
    fn push(&mut self, obj: Obj) {
        self.objects[(self.first + self.count) % ON_THE_WAY] = Some(obj);
        self.count += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Obj> {
        let obj = self.objects[self.first].take()?;
        self.first = (self.first + 1) % ON_THE_WAY;
        self.count -= 1;
        Some(obj)
    }
}

impl Marker<'_> {
    /// Marks a word and all that it refers to, later.
    #[inline]
    pub(crate) fn word(&mut self, word: Word) {
        if let Some(obj) = word.as_obj()
            && !obj.is_none()
        {
            self.work.objects.push(obj);
        }
    }

    /// Marks an object and all that it refers to, later.
    #[inline]
    pub(crate) fn object(&mut self, obj: Obj) {
        self.work.objects.push(obj);
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

    /// Marks all that was given to `word` and `object`, and what that refers to.
    pub(super) fn drain(&mut self) {
        let mut on_the_way = OnTheWay::default();
        loop {
            if let Some(obj) = self.work.objects.pop() {
                prefetch(obj);
                on_the_way.push(obj);
                if !on_the_way.is_full() {
                    continue;
                }
            } else if let Some((list, from)) = self.work.lists.pop() {
                self.scan_list(list, from);
                continue;
            }
            let Some(obj) = on_the_way.pop() else {
                return;
            };
            if self.mark(obj) {
                self.scan(obj);
            }
        }
    }

    /// Marks elements of a list, and notes where to go on.
    fn scan_list(&mut self, list: Obj, from: usize) {
        let words = list::words(&list).unwrap_or_default();
        let end = (from + LIST_PART).min(words.len());
        if end < words.len() {
            self.work.lists.push((list, end));
        }
        for word in &words[from..end] {
            self.word(*word);
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
                self.scan_list(obj, 0);
            }
            Kind::Record => {
                let layouts = self.layouts;
                let shape = layouts.shape(obj.meta());
                let mut near = shape.near_references;
                while near != 0 {
                    self.words(obj, 1 + near.trailing_zeros() as usize, 1);
                    near &= near - 1;
                }
                for slot in shape.far_references() {
                    self.words(obj, 1 + usize::from(*slot), 1);
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
            Kind::Query => self.words(obj, things::QUERY_PLAN, things::query_words(obj)),
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
            work: std::mem::take(&mut self.work),
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
        let identity = &self.identity;
        self.held_prints.retain(|key, _| identity.contains_key(key));
        self.work = marker.work;
        let live_bytes = self.blocks.sweep() + self.large.sweep();
        self.budget.collected(live_bytes);
        self.collections += 1;
    }
}

/// Asks for an object's first words before they are needed: they may lie in two lines of the cache.
#[inline(always)]
fn prefetch(obj: Obj) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = obj.pointer().cast::<i8>();
        // SAFETY: hints; they read nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(start);
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(FIRST_BYTES));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = obj;
}

fn is_marked(obj: Obj) -> bool {
    let bits = obj.header();
    if bits & (FLAG_LARGE | FLAG_STATIC) == 0 {
        blocks::has_mark(obj)
    } else {
        bits & FLAG_MARK != 0
    }
}
