//! The heads of the checkpoint a store was opened with, as the index asks for them.
//!
//! What must stay true: no answer ever comes from a block that failed its check. While opening, a bad block ends the use
//! of the checkpoint; later, the heads are replayed from the log, once, before anybody gets an answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::checkpoint::mapped::{BadBlock, Mapped, Section};
use crate::codec::record::TypeNo;
use crate::heads::{HEAD_BYTES, Head, PAGE_BYTES, PAGE_HEADS, PageBytes, head_in, put_head};
use crate::notes::Notes;
use crate::sabotage::{Sabotage, removed};

/// Pages by slot; `None` where the log has no record of the page.
pub(crate) type Pages = Vec<Option<Arc<PageBytes>>>;
/// Replays pages (type and page number each) from the log up to the checkpoint's LSN; the error says why it failed.
pub(crate) type ReplayPages = Box<dyn Fn(&[(TypeNo, u32)]) -> Result<Pages, String> + Send + Sync>;

/// The heads of a checkpoint.
pub(crate) struct Base {
    pub(crate) mapped: Arc<Mapped>,
    heads: Section,
    /// Type and page number of each page, in the order of the section.
    slots: Vec<(TypeNo, u32)>,
    /// A bit for each page that memory has a newer form of.
    shadowed: Vec<AtomicU64>,
    opened: AtomicBool,
    bad: AtomicBool,
    replayed: OnceLock<Option<Pages>>,
    replay: ReplayPages,
    notes: Arc<Notes>,
}

impl Base {
    pub(crate) fn new(
        mapped: Arc<Mapped>,
        heads: Section,
        slots: Vec<(TypeNo, u32)>,
        replay: ReplayPages,
        notes: Arc<Notes>,
    ) -> Self {
        let words = slots.len().div_ceil(64);
        Base {
            shadowed: (0..words).map(|_| AtomicU64::new(0)).collect(),
            mapped,
            heads,
            slots,
            opened: AtomicBool::new(false),
            bad: AtomicBool::new(false),
            replayed: OnceLock::new(),
            replay,
            notes,
        }
    }

    /// Memory has a newer form of a page; said before that is published.
    pub(crate) fn shadow(&self, slot: u32) {
        let bit = u64::from(!removed(Sabotage::HeadsShadowed)) << (slot % 64);
        self.shadowed[slot as usize / 64].fetch_or(bit, Ordering::Release);
    }

    /// Whether memory has a newer form of a page. A snapshot that was taken after a change knows of it here.
    #[inline]
    pub(crate) fn is_shadowed(&self, slot: u32) -> bool {
        self.shadowed[slot as usize / 64].load(Ordering::Acquire) & (1 << (slot % 64)) != 0
    }

    /// From now on a bad block is replaced from the log instead of ending the use of the checkpoint.
    pub(crate) fn opened(&self) {
        self.opened.store(true, Ordering::Release);
    }

    /// Whether a block turned out bad.
    pub(crate) fn is_bad(&self) -> bool {
        self.bad.load(Ordering::Acquire)
    }

    /// The head at a position of a page.
    #[inline]
    pub(crate) fn head(&self, slot: u32, at: usize) -> Option<Head> {
        if !self.is_bad() {
            let offset = (slot as usize * PAGE_BYTES + at * HEAD_BYTES) as u64;
            match self.heads.bytes(offset, HEAD_BYTES as u64) {
                Ok(bytes) => return Head::decode(&bytes),
                Err(BadBlock) => self.found_bad(),
            }
        }
        self.replayed_head(slot, at)
    }

    /// The same from the log.
    #[cold]
    fn replayed_head(&self, slot: u32, at: usize) -> Option<Head> {
        match self.replayed_page(slot) {
            Some(Some(page)) => head_in(&page[..], at),
            Some(None) => None,
            None => self.opened.load(Ordering::Acquire).then_some(Head::LOST),
        }
    }

    /// A page to be changed; if it is lost, every record in it is.
    pub(crate) fn page(&self, slot: u32) -> Arc<PageBytes> {
        self.page_if_known(slot).unwrap_or_else(|| {
            let mut page = [0; PAGE_BYTES];
            (0..PAGE_HEADS).for_each(|at| put_head(&mut page, at, Some(Head::LOST)));
            Arc::new(page)
        })
    }

    /// A page, unless it is lost.
    pub(crate) fn page_if_known(&self, slot: u32) -> Option<Arc<PageBytes>> {
        if !self.is_bad() {
            let offset = u64::from(slot) * PAGE_BYTES as u64;
            match self.heads.bytes(offset, PAGE_BYTES as u64) {
                Ok(bytes) => {
                    let mut page = [0; PAGE_BYTES];
                    page.copy_from_slice(&bytes);
                    return Some(Arc::new(page));
                }
                Err(BadBlock) => self.found_bad(),
            }
        }
        let page = self.replayed_page(slot)?;
        Some(page.clone().unwrap_or_else(|| Arc::new([0; PAGE_BYTES])))
    }

    fn found_bad(&self) {
        if !self.bad.swap(true, Ordering::AcqRel) && self.opened.load(Ordering::Acquire) {
            self.notes.tell(format!(
                "the checkpoint {} is damaged and not used any more; its part of the index is made from the log",
                self.mapped.name
            ));
        }
    }

    /// A page as the log has it; `None` while opening, and when the log cannot be read.
    fn replayed_page(&self, slot: u32) -> Option<&Option<Arc<PageBytes>>> {
        if !self.opened.load(Ordering::Acquire) {
            return None;
        }
        let pages = self.replayed.get_or_init(|| match (self.replay)(&self.slots) {
            Ok(pages) => Some(pages),
            Err(why) => {
                self.notes.tell(format!(
                    "the index could not be made from the log: {why}. What the checkpoint {} covered cannot be read",
                    self.mapped.name
                ));
                None
            }
        });
        pages.as_ref()?.get(slot as usize)
    }
}
