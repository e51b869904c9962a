//! The views that can be named: the newest used ones, so that a patch can be made from what a client shows. Must stay true:
//! bounded in number and bytes; what is forgotten costs a whole view instead of a patch, and nothing else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::recent::Recent;
use crate::values::{View, ViewName};

/// Views that are kept.
const VIEWS_MAX: usize = 4096;
/// About how many bytes they take together.
const BYTES_MAX: usize = 16 << 20;

/// Views by name, the newest used ones.
#[derive(Debug)]
pub(crate) struct Known {
    views: Mutex<Recent<ViewName, Arc<View>>>,
}

impl Known {
    pub(crate) fn new() -> Known {
        Known {
            views: Mutex::new(Recent::new(VIEWS_MAX, BYTES_MAX)),
        }
    }

    fn views(&self) -> MutexGuard<'_, Recent<ViewName, Arc<View>>> {
        // Nothing that can panic runs under this lock.
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a view, or gives the one of the same name that is kept already.
    pub(crate) fn keep(&self, view: Arc<View>) -> Arc<View> {
        let mut views = self.views();
        if let Some(known) = views.get(&view.name()) {
            return Arc::clone(known);
        }
        views.insert(view.name(), Arc::clone(&view), view.bytes());
        view
    }

    /// The view of a name, if it is one of this page: a client may send any name, and the templates of one page do not fit
    /// the views of another.
    pub(crate) fn get(&self, name: ViewName, page: usize) -> Option<Arc<View>> {
        let mut views = self.views();
        views
            .get(&name)
            .filter(|view| view.page() == page)
            .map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use flin_runtime::vm::Rendered;

    use super::*;

    #[test]
    fn a_view_is_known_for_its_own_page_only() {
        let known = Known::new();
        let rendered = Rendered {
            head: "first".to_owned(),
            ..Rendered::default()
        };
        let name = View::name_of(&rendered, 0, &[]);
        let first = known.keep(Arc::new(View::new(rendered.clone(), 0, name)));
        let again = known.keep(Arc::new(View::new(rendered, 0, name)));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(known.get(name, 0).is_some());
        assert!(known.get(name, 1).is_none(), "it is of another page");
    }
}
