//! The views that can be named: the newest used ones, so that a patch can be made from what a client shows. Must stay true:
//! bounded in number and bytes; what is forgotten costs a whole view instead of a patch, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::values::{View, ViewName};

/// Views that are kept.
const VIEWS_MAX: usize = 4096;
/// About how many bytes they take together.
const BYTES_MAX: usize = 16 << 20;

/// Views by name, the newest used ones.
#[derive(Debug, Default)]
pub(crate) struct Known {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_name: HashMap<ViewName, (Arc<View>, u64)>,
    // By time of use, which is a number that only grows.
    by_use: BTreeMap<u64, ViewName>,
    now: u64,
    bytes: usize,
}

impl Known {
    pub(crate) fn new() -> Known {
        Known::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic runs under this lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a view, or gives the one of the same name that is kept already.
    pub(crate) fn keep(&self, view: Arc<View>) -> Arc<View> {
        let mut inner = self.inner();
        if let Some(known) = inner.touch(view.name()) {
            return known;
        }
        inner.bytes += view.bytes();
        let now = inner.now;
        inner.by_use.insert(now, view.name());
        inner.by_name.insert(view.name(), (Arc::clone(&view), now));
        while (inner.by_name.len() > VIEWS_MAX || inner.bytes > BYTES_MAX)
            && inner.by_name.len() > 1
        {
            inner.forget_oldest();
        }
        view
    }

    /// The view of a name, if it is one of this page: a client may send any name, and the templates of one page do not fit
    /// the views of another.
    pub(crate) fn get(&self, name: ViewName, page: usize) -> Option<Arc<View>> {
        self.inner().touch(name).filter(|view| view.page() == page)
    }
}

impl Inner {
    fn touch(&mut self, name: ViewName) -> Option<Arc<View>> {
        self.now += 1;
        let (view, used) = self.by_name.get_mut(&name)?;
        self.by_use.remove(used);
        *used = self.now;
        self.by_use.insert(self.now, name);
        Some(Arc::clone(view))
    }

    fn forget_oldest(&mut self) {
        if let Some((_, name)) = self.by_use.pop_first()
            && let Some((view, _)) = self.by_name.remove(&name)
        {
            self.bytes -= view.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use flin_runtime::vm::Rendered;

    use super::*;

    fn view(head: String) -> Arc<View> {
        let rendered = Rendered {
            head,
            ..Rendered::default()
        };
        let name = View::name_of(&rendered, 0, &[]);
        Arc::new(View::new(rendered, 0, name))
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten() {
        let known = Known::new();
        let first = known.keep(view("first".to_owned())).name();
        let second = known.keep(view("second".to_owned())).name();
        for n in 0..VIEWS_MAX - 1 {
            assert!(known.get(first, 0).is_some());
            known.keep(view(format!("{n}")));
        }
        assert!(known.get(first, 0).is_some() && known.get(second, 0).is_none());
        assert!(known.get(first, 1).is_none(), "it is of another page");
        assert_eq!(known.inner().by_use.len(), VIEWS_MAX);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let known = Known::new();
        for n in 0..40 {
            known.keep(view(format!("{n}{}", "x".repeat(1 << 20))));
        }
        let inner = known.inner();
        assert!(
            inner.bytes <= BYTES_MAX && inner.by_name.len() < 17,
            "{}",
            inner.by_name.len()
        );
        let held: usize = inner.by_name.values().map(|(view, _)| view.bytes()).sum();
        assert_eq!(held, inner.bytes);
    }
}
