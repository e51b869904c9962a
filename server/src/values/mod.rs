//! What a rendered page shows, apart from its fixed markup: views, their names, their JSON, and the patches from one to
//! another (docs/internals/live-protocol.md). Here because sockets, actions and renderings all send the same. Must stay
//! true: views with one name have equal values; applying `patch(a, b)` to the values of `a` gives those of `b`.

mod build;
mod diff;
mod json;
mod name;
mod order;
mod written;

#[cfg(test)]
mod applying;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use flin_runtime::vm::Rendered;
use flin_runtime::vm::bytecode::template::Template;

pub(crate) use json::Wanted;
pub(crate) use name::ViewName;

/// The values of a page for one state of the data, its parameters and its asked state.
#[derive(Debug)]
pub(crate) struct View {
    rendered: Rendered,
    page: usize,
    name: ViewName,
    // Built when somebody compares or writes it: a page that is only shown does without.
    root: OnceLock<Result<Block, Malformed>>,
}

/// A block with the values of its places.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    template: u32,
    values: Box<[Value]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    // A range of the body.
    Leaf(u32, u32),
    Block(Option<Block>),
    List(Box<[Item]>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    key: Key,
    block: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    // A range of the keys.
    Named(u32, u32),
    Position(u32),
    // Of what stands in a list without items.
    Empty,
}

/// Marks and templates do not fit each other: a bug of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(&'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the marks of a view do not fit its templates: {}",
            self.0
        )
    }
}

impl View {
    /// What the view of a page (its index in the module) with these templates is called.
    pub(crate) fn name_of(rendered: &Rendered, page: usize, templates: &[Template]) -> ViewName {
        ViewName::of(rendered, page, templates)
    }

    /// A view of a page, and what it is called (`name_of`).
    pub(crate) fn new(rendered: Rendered, page: usize, name: ViewName) -> View {
        View {
            page,
            name,
            rendered,
            root: OnceLock::new(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> ViewName {
        self.name
    }

    /// Index of its page in the module: only the templates of that page fit it.
    pub(crate) fn page(&self) -> usize {
        self.page
    }

    /// Markup of the document head.
    pub(crate) fn head(&self) -> &str {
        &self.rendered.head
    }

    /// About how many bytes keeping it takes.
    pub(crate) fn bytes(&self) -> usize {
        let Rendered {
            head,
            body,
            forms,
            marks,
            keys,
        } = &self.rendered;
        // The tree takes about as much as the marks it is built from, twice.
        head.len() + body.len() + forms.len() + keys.len() + 3 * size_of_val(marks.as_slice())
    }

    fn root(&self, templates: &[Template]) -> Result<&Block, Malformed> {
        let built = self
            .root
            .get_or_init(|| build::block(&self.rendered, templates));
        built.as_ref().map_err(|malformed| *malformed)
    }

    fn key(&self, key: Key) -> KeyText<'_> {
        match key {
            Key::Named(start, end) => KeyText::Named(part(&self.rendered.keys, start, end)),
            Key::Position(at) => KeyText::Position(at),
            Key::Empty => KeyText::Named(""),
        }
    }

    fn leaf(&self, start: u32, end: u32) -> &str {
        part(&self.rendered.body, start, end)
    }
}

// The key of an item as another view can compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum KeyText<'a> {
    Named(&'a str),
    Position(u32),
}

// The ranges were looked at when the tree was built.
fn part(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}
