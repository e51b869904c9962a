//! What a rendered view is made of: where in its markup blocks, lists and values stand. Here because the server compares
//! one rendering with the last by these, and sends what differs. Must stay true: marks stand in the order of the markup,
//! `Block` and `List` are closed by an `End`, each value lies inside of the body; what goes to the head has no marks.

/// One step through a rendered view. `Rendered::marks` is the whole way: the root block first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A block of this template of the page begins; `End` closes it.
    Block {
        /// Index into `Page::templates`.
        template: u32,
    },
    /// A list begins; items follow, then `End`.
    List,
    /// An item of a list: its block follows. Its key is this range of `Rendered::keys`; an empty range: its key is its
    /// position in the list.
    Item {
        /// First byte of the key.
        start: u32,
        /// One past its last byte.
        end: u32,
    },
    /// What a list without items shows instead: its block follows. Its key is "".
    Empty,
    /// The innermost open block or list ends.
    End,
    /// A place for a block, and none is there.
    Absent,
    /// The value of a place: this range of `Rendered::body`. Text is escaped; attributes stand as in a tag, each with a
    /// blank before it.
    Leaf {
        /// First byte.
        start: u32,
        /// One past its last byte.
        end: u32,
    },
}
