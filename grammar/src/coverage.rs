//! Which productions of the grammar were reduced. Here, behind the feature `coverage`, so that a test can ask whether every
//! production is used by some program; a parser without the feature counts nothing. Must stay true: the list is made from
//! the generated parser, never by hand; each thread counts for itself.

use std::cell::RefCell;

/// All productions, by number, as LALRPOP writes them: `Sum = Sum, "+", Product`.
pub static PRODUCTIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/productions.rs"));

thread_local! {
    static HITS: RefCell<Vec<u64>> = RefCell::new(vec![0; PRODUCTIONS.len()]);
}

/// A production was reduced.
pub(crate) fn hit(production: usize) {
    HITS.with_borrow_mut(|hits| hits[production] += 1);
}

/// How often each production was reduced by this thread since the last call.
#[must_use]
pub fn take_hits() -> Vec<u64> {
    HITS.with_borrow_mut(|hits| std::mem::replace(hits, vec![0; PRODUCTIONS.len()]))
}
