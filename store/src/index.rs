//! Where the newest version of every record stands.
//!
//! It can be rebuilt from the log at any time. What must stay true: it holds published state only, and each entry
//! carries the LSN it points to, so that a read through it proves that it found the right bytes.

use crate::codec::record::{FieldNo, Place, TypeNo};
use crate::value::{EntityId, Lsn};

const PAGE_HEADS: usize = 256;

/// The newest version of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) place: Place,
    pub(crate) lsn: Lsn,
    pub(crate) version: u32,
    pub(crate) deleted: bool,
}

const EMPTY: Head = Head {
    place: Place {
        segment: 0,
        offset: 0,
    },
    lsn: Lsn(0),
    version: 0,
    deleted: false,
};

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

/// All records of one type.
#[derive(Default, PartialEq)]
pub(crate) struct TypeIndex {
    pages: Vec<Option<Box<[Head; PAGE_HEADS]>>>,
    /// Highest number ever committed.
    pub(crate) max_id: u64,
    /// Records that are not deleted.
    pub(crate) live: u64,
    /// Last transaction that changed any record of the type.
    pub(crate) last_lsn: Lsn,
    /// What the rewrite still has to carry out.
    pub(crate) receipts: Vec<Receipt>,
}

/// All types.
#[derive(Default, PartialEq)]
pub(crate) struct Index {
    types: Vec<TypeIndex>,
}

impl TypeIndex {
    pub(crate) fn head(&self, id: EntityId) -> Option<Head> {
        let at = id.0 as usize;
        let head = self.pages.get(at / PAGE_HEADS)?.as_ref()?[at % PAGE_HEADS];
        (head.lsn != Lsn(0)).then_some(head)
    }

    fn slot(&mut self, id: EntityId) -> &mut Head {
        let at = id.0 as usize;
        if self.pages.len() <= at / PAGE_HEADS {
            self.pages.resize_with(at / PAGE_HEADS + 1, || None);
        }
        &mut self.pages[at / PAGE_HEADS].get_or_insert_with(|| Box::new([EMPTY; PAGE_HEADS]))
            [at % PAGE_HEADS]
    }

    /// Puts a new newest version in place.
    pub(crate) fn set(&mut self, id: EntityId, head: Head) {
        let slot = self.slot(id);
        let was_live = slot.lsn != Lsn(0) && !slot.deleted;
        *slot = head;
        self.count(was_live, !head.deleted);
        self.max_id = self.max_id.max(id.0);
        self.last_lsn = self.last_lsn.max(head.lsn);
    }

    /// Remembers that a number was given out, although nothing is left of its record.
    pub(crate) fn use_up(&mut self, id: EntityId) {
        self.max_id = self.max_id.max(id.0);
    }

    /// Forgets a record and its history.
    pub(crate) fn forget(&mut self, id: EntityId, lsn: Lsn, time_ms: i64) {
        let slot = self.slot(id);
        let last = *slot;
        let was_live = last.lsn != Lsn(0) && !last.deleted;
        *slot = EMPTY;
        if last.lsn != Lsn(0) {
            self.receipts.push(Receipt {
                id,
                last,
                lsn,
                time_ms,
            });
        }
        self.count(was_live, false);
        self.max_id = self.max_id.max(id.0);
        self.last_lsn = self.last_lsn.max(lsn);
    }

    fn count(&mut self, was_live: bool, is_live: bool) {
        self.live = self.live + u64::from(is_live) - u64::from(was_live);
    }

    /// Up to a page of records with numbers from `from` on, and where to go on (`None`: that was the end).
    pub(crate) fn page(&self, from: u64) -> (Vec<(EntityId, Head)>, Option<u64>) {
        let mut page = from as usize / PAGE_HEADS;
        while page < self.pages.len() {
            if let Some(heads) = &self.pages[page] {
                let first = page * PAGE_HEADS;
                let start = (from as usize).max(first) - first;
                let found = heads[start..]
                    .iter()
                    .enumerate()
                    .filter(|(_, head)| head.lsn != Lsn(0));
                let found = found
                    .map(|(at, head)| (EntityId((first + start + at) as u64), *head))
                    .collect();
                return (found, Some((first + PAGE_HEADS) as u64));
            }
            page += 1;
        }
        (Vec::new(), None)
    }
}

impl Index {
    /// The type with a log number; absent when nothing of it was ever written.
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

    pub(crate) fn head(&self, ty: TypeNo, id: EntityId) -> Option<Head> {
        self.ty(ty)?.head(id)
    }

    /// All types that have something written.
    pub(crate) fn types(&self) -> impl Iterator<Item = (TypeNo, &TypeIndex)> {
        let types = self.types.iter().enumerate();
        types.map(|(at, ty)| (TypeNo(at as u32 + 1), ty))
    }
}
