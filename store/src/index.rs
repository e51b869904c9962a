//! Where the newest version of every record stands.
//!
//! It can be rebuilt from the log at any time; what a checkpoint holds of it is used where it is mapped, and shadowed
//! by pages in memory from their first change on. What must stay true: it holds published state only, and each entry
//! carries the LSN it points to, so that a read through it proves that it found the right bytes.

use std::sync::Arc;

use crate::checkpoint::base::Base;
use crate::codec::record::{FieldNo, TypeNo};
pub(crate) use crate::heads::Head;
use crate::heads::{PAGE_BYTES, PAGE_HEADS, Page, PageBytes, head_in, put_head};
use crate::value::{EntityId, Lsn};

/// A page that the base does not have.
const NO_SLOT: u32 = u32::MAX;

/// A unique value as bytes (`query/key.rs`).
pub(crate) type UniqueKey = Vec<u8>;

/// A record that links to another one through a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Referrer {
    pub(crate) ty: TypeNo,
    pub(crate) field: FieldNo,
    pub(crate) id: EntityId,
}

/// A destroyed record whose bytes still stand in segments: the rewrite has to take them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) id: EntityId,
    /// Its newest version before it was destroyed; the earlier ones are found from there.
    pub(crate) last: Head,
    /// When it was destroyed.
    pub(crate) lsn: Lsn,
    pub(crate) time_ms: i64,
}

/// The pages of a type that stand in a checkpoint, for readers who take no lock: what was changed since is not answered.
pub(crate) struct Unchanged {
    base: Arc<Base>,
    slots: Arc<Vec<u32>>,
}

impl Unchanged {
    /// The head of a record whose page is as it was when the store was opened; `None`: the index has to be asked.
    #[inline]
    pub(crate) fn head(&self, id: EntityId) -> Option<Head> {
        let (page, at) = (id.0 as usize / PAGE_HEADS, id.0 as usize % PAGE_HEADS);
        let slot = *self.slots.get(page)?;
        if slot == NO_SLOT || self.base.is_shadowed(slot) {
            return None;
        }
        self.base.head(slot, at)
    }
}

/// All records of one type.
#[derive(Default)]
pub(crate) struct TypeIndex {
    pages: Vec<Page>,
    base: Option<Arc<Base>>,
    /// By page: its position among the pages of the base.
    base_slots: Arc<Vec<u32>>,
    /// Highest number ever committed.
    pub(crate) max_id: u64,
    /// Records that are not deleted.
    pub(crate) live: u64,
    /// Last transaction that changed any record of the type.
    pub(crate) last_lsn: Lsn,
    /// What the rewrite still has to carry out.
    pub(crate) receipts: Vec<Receipt>,
}

/// What a checkpoint keeps of a type, as it was at one moment.
pub(crate) struct FrozenType {
    pub(crate) max_id: u64,
    pub(crate) live: u64,
    pub(crate) last_lsn: Lsn,
    pub(crate) receipts: Vec<Receipt>,
    pages: Vec<Page>,
    base: Option<Arc<Base>>,
    base_slots: Arc<Vec<u32>>,
}

/// A record that changed: its number, its head before and its head now.
pub(crate) type ChangedHead = (EntityId, Option<Head>, Option<Head>);

/// All types.
#[derive(Default)]
pub(crate) struct Index {
    types: Vec<TypeIndex>,
}

#[inline]
fn base_head(base: &Option<Arc<Base>>, slots: &[u32], page: usize, at: usize) -> Option<Head> {
    match (base, slots.get(page)) {
        (Some(base), Some(slot)) if *slot != NO_SLOT => base.head(*slot, at),
        (Some(_) | None, _) => None,
    }
}

impl TypeIndex {
    /// A type as a checkpoint has it: `slots` are its page numbers with their positions in the base.
    pub(crate) fn mapped(
        base: &Arc<Base>,
        slots: &[(u32, u32)],
        max_id: u64,
        live: u64,
        last_lsn: Lsn,
    ) -> Self {
        let count = slots.last().map_or(0, |(page, _)| *page as usize + 1);
        let mut pages = vec![Page::Absent; count];
        let mut base_slots = vec![NO_SLOT; count];
        for (page, slot) in slots {
            pages[*page as usize] = Page::Mapped;
            base_slots[*page as usize] = *slot;
        }
        TypeIndex {
            pages,
            base: Some(base.clone()),
            base_slots: Arc::new(base_slots),
            max_id,
            live,
            last_lsn,
            receipts: Vec::new(),
        }
    }

    /// What of it stands in a checkpoint.
    pub(crate) fn unchanged(&self) -> Option<Unchanged> {
        let base = self.base.clone()?;
        let slots = self.base_slots.clone();
        Some(Unchanged { base, slots })
    }

    #[inline]
    pub(crate) fn head(&self, id: EntityId) -> Option<Head> {
        let (page, at) = (id.0 as usize / PAGE_HEADS, id.0 as usize % PAGE_HEADS);
        match self.pages.get(page)? {
            Page::Absent => None,
            Page::Mapped => base_head(&self.base, &self.base_slots, page, at),
            Page::Owned(bytes) => head_in(&bytes[..], at),
        }
    }

    /// Replaces an entry; what stood there before is the answer.
    fn replace(&mut self, id: EntityId, head: Option<Head>) -> Option<Head> {
        let (page, at) = (id.0 as usize / PAGE_HEADS, id.0 as usize % PAGE_HEADS);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Page::default);
        }
        let slot = &mut self.pages[page];
        match slot {
            Page::Absent => *slot = Page::Owned(Arc::new([0; PAGE_BYTES])),
            Page::Mapped => {
                let from_base = match (&self.base, self.base_slots.get(page)) {
                    (Some(base), Some(at)) => {
                        base.shadow(*at);
                        base.page(*at)
                    }
                    (Some(_) | None, _) => Arc::new([0; PAGE_BYTES]),
                };
                *slot = Page::Owned(from_base);
            }
            Page::Owned(_) => {}
        }
        let Page::Owned(bytes) = slot else {
            unreachable!("the page was just brought into memory");
        };
        let bytes = Arc::make_mut(bytes);
        let before = head_in(&bytes[..], at);
        put_head(bytes, at, head);
        before
    }

    /// Puts a new newest version in place.
    pub(crate) fn set(&mut self, id: EntityId, head: Head) {
        let before = self.replace(id, Some(head));
        self.count(before, !head.deleted);
        self.max_id = self.max_id.max(id.0);
        self.last_lsn = self.last_lsn.max(head.lsn);
    }

    /// Remembers that a number was given out, although nothing is left of its record.
    pub(crate) fn use_up(&mut self, id: EntityId) {
        self.max_id = self.max_id.max(id.0);
    }

    /// Forgets a record and its history.
    pub(crate) fn forget(&mut self, id: EntityId, lsn: Lsn, time_ms: i64) {
        let before = self.replace(id, None);
        self.receipts.extend(before.map(|last| Receipt {
            id,
            last,
            lsn,
            time_ms,
        }));
        self.count(before, false);
        self.max_id = self.max_id.max(id.0);
        self.last_lsn = self.last_lsn.max(lsn);
    }

    fn count(&mut self, before: Option<Head>, is_live: bool) {
        let was_live = before.is_some_and(|head| !head.deleted);
        // A lost page counts wrongly; its store is read-only anyway, and no count goes below nothing.
        self.live = (self.live + u64::from(is_live)).saturating_sub(u64::from(was_live));
    }

    fn heads_of(&self, page: usize, from: usize, found: &mut Vec<(EntityId, Head)>) {
        let first = page * PAGE_HEADS;
        let number = |at: usize| EntityId((first + at) as u64);
        match &self.pages[page] {
            Page::Absent => {}
            Page::Owned(bytes) => found.extend((from..PAGE_HEADS).filter_map(|at| {
                let head = head_in(&bytes[..], at)?;
                Some((number(at), head))
            })),
            Page::Mapped => found.extend((from..PAGE_HEADS).filter_map(|at| {
                let head = base_head(&self.base, &self.base_slots, page, at)?;
                Some((number(at), head))
            })),
        }
    }

    /// A page in memory.
    pub(crate) fn owned_page(&self, page: u32) -> Option<Arc<PageBytes>> {
        match self.pages.get(page as usize)? {
            Page::Owned(bytes) => Some(bytes.clone()),
            Page::Absent | Page::Mapped => None,
        }
    }

    /// Up to a page of records with numbers from `from` on, and where to go on (`None`: that was the end).
    pub(crate) fn page(&self, from: u64) -> (Vec<(EntityId, Head)>, Option<u64>) {
        let mut page = from as usize / PAGE_HEADS;
        while page < self.pages.len() {
            if !matches!(self.pages[page], Page::Absent) {
                let first = page * PAGE_HEADS;
                let mut found = Vec::with_capacity(PAGE_HEADS);
                self.heads_of(page, (from as usize).max(first) - first, &mut found);
                return (found, Some((first + PAGE_HEADS) as u64));
            }
            page += 1;
        }
        (Vec::new(), None)
    }

    fn same_heads(&self, other: &TypeIndex) -> bool {
        let of_type = |ty: &TypeIndex| (ty.max_id, ty.live, ty.last_lsn);
        let mut from = (Some(0), Some(0));
        while let (Some(one), Some(two)) = from {
            let (own, theirs) = (self.page(one), other.page(two));
            // A page of which every record was destroyed stands for nothing.
            if own.0.is_empty() && own.1.is_some() {
                from.0 = own.1;
            } else if theirs.0.is_empty() && theirs.1.is_some() {
                from.1 = theirs.1;
            } else if own.0 != theirs.0 {
                return false;
            } else {
                from = (own.1, theirs.1);
            }
        }
        from == (None, None) && of_type(self) == of_type(other)
    }

    /// Records whose head is not what the base says, by number. Without a base that is every record.
    pub(crate) fn changed_since_base(&self) -> Vec<ChangedHead> {
        let mut found = Vec::new();
        for (page, place) in self.pages.iter().enumerate() {
            let Page::Owned(bytes) = place else { continue };
            for at in 0..PAGE_HEADS {
                let before = base_head(&self.base, &self.base_slots, page, at);
                let now = head_in(&bytes[..], at);
                if before != now {
                    found.push((EntityId((page * PAGE_HEADS + at) as u64), before, now));
                }
            }
        }
        found
    }

    /// The type as it is now, for a checkpoint; nothing is copied but one pointer a page.
    pub(crate) fn freeze(&self) -> FrozenType {
        FrozenType {
            max_id: self.max_id,
            live: self.live,
            last_lsn: self.last_lsn,
            receipts: self.receipts.clone(),
            pages: self.pages.clone(),
            base: self.base.clone(),
            base_slots: self.base_slots.clone(),
        }
    }

    /// Bytes of memory: pages of its own, and bytes used where they are mapped.
    fn memory(&self) -> (u64, u64) {
        let owned = self
            .pages
            .iter()
            .filter(|page| matches!(page, Page::Owned(_)));
        let mapped = self
            .pages
            .iter()
            .filter(|page| matches!(page, Page::Mapped));
        let lists = self.pages.capacity() * size_of::<Page>() + self.base_slots.capacity() * 4;
        (
            (owned.count() * PAGE_BYTES + lists) as u64,
            (mapped.count() * PAGE_BYTES) as u64,
        )
    }
}

impl FrozenType {
    /// Numbers of the pages with records.
    pub(crate) fn page_numbers(&self) -> impl Iterator<Item = u32> {
        let pages = self.pages.iter().enumerate();
        pages.filter_map(|(at, page)| (!matches!(page, Page::Absent)).then_some(at as u32))
    }

    /// The bytes of a page; from the base they come checked (`None`: they are lost there, in the log too).
    pub(crate) fn page_bytes(&self, page: u32) -> Option<Arc<PageBytes>> {
        match (&self.pages[page as usize], &self.base) {
            (Page::Owned(bytes), _) => Some(bytes.clone()),
            (Page::Mapped, Some(base)) => base.page_if_known(self.base_slots[page as usize]),
            (Page::Mapped, None) | (Page::Absent, _) => None,
        }
    }
}

impl Index {
    /// An index as a checkpoint has it.
    pub(crate) fn mapped(types: Vec<TypeIndex>) -> Self {
        Index { types }
    }

    /// The type with a log number; absent when nothing of it was ever written.
    #[inline]
    pub(crate) fn ty(&self, ty: TypeNo) -> Option<&TypeIndex> {
        self.types.get(ty.0 as usize - 1)
    }

    pub(crate) fn ty_mut(&mut self, ty: TypeNo) -> &mut TypeIndex {
        let at = ty.0 as usize - 1;
        if self.types.len() <= at {
            self.types.resize_with(at + 1, TypeIndex::default);
        }
        &mut self.types[at]
    }

    /// All types with their log numbers.
    pub(crate) fn types(&self) -> impl Iterator<Item = (TypeNo, &TypeIndex)> {
        let types = self.types.iter().enumerate();
        types.map(|(at, ty)| (TypeNo(at as u32 + 1), ty))
    }

    #[inline]
    pub(crate) fn head(&self, ty: TypeNo, id: EntityId) -> Option<Head> {
        self.ty(ty)?.head(id)
    }

    /// Whether two indexes lead to the same records.
    pub(crate) fn same_heads(&self, other: &Index) -> bool {
        let count = self.types.len().max(other.types.len()) as u32;
        (1..=count).all(|number| {
            let number = TypeNo(number);
            let known = |index: &'_ Index| index.ty(number).is_some_and(|ty| ty.max_id > 0);
            match (self.ty(number), other.ty(number)) {
                (Some(one), Some(other)) => one.same_heads(other),
                (_, _) => known(self) == known(other),
            }
        })
    }

    /// What the index takes, for statistics.
    pub(crate) fn memory(&self) -> IndexMemory {
        let mut memory = IndexMemory::default();
        for ty in &self.types {
            let (owned, mapped) = ty.memory();
            memory.heads_bytes += owned;
            memory.mapped_bytes += mapped;
            memory.live += ty.live;
        }
        memory
    }
}

/// What the index by record number takes of memory, in bytes (secondary indexes and columns tell theirs themselves).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexMemory {
    /// Places, LSNs and versions of all records, deleted ones included.
    pub heads_bytes: u64,
    /// Part of a checkpoint that is used where it is mapped; the system may take this memory back at any time.
    pub mapped_bytes: u64,
    /// Live records.
    pub live: u64,
}

impl IndexMemory {
    /// Bytes of every kind for each live record; 0 when there is none.
    pub fn bytes_per_record(&self) -> f64 {
        let bytes = self.heads_bytes + self.mapped_bytes;
        if self.live == 0 {
            0.0
        } else {
            bytes as f64 / self.live as f64
        }
    }
}

/// Two indexes are equal if every question gets the same answer.
#[cfg(test)]
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.same_heads(other)
    }
}
