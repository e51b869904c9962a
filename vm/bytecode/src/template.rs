//! Templates of a page's view: what is fixed in its markup, and the numbered places of what changes. Here because compiler
//! (producer), server (values, patches) and the page's script (nodes) share them. Must stay true: plain data; places stand
//! in the order in which their marks come while the view is rendered, and their markers in `html`; the verifier checks
//! every number.

/// One block of a view: the root (template 0), a branch of an `{if}`, the body of a `{for}` or its `{empty}` part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The fixed markup, with the markers of its places and nothing between them.
    pub html: String,
    /// The places in document order.
    pub places: Vec<TemplatePlace>,
    /// The block is always exactly one element, with perhaps one text of white space behind it.
    pub single: bool,
}

/// Something that changes in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplatePlace {
    /// What it is.
    pub kind: PlaceKind,
    /// Who computes it.
    pub owner: Owner,
}

/// What a place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// Text between tags.
    Text,
    /// Markup as it is (`raw(e)`).
    Html,
    /// One attribute, of this name.
    Attribute(String),
    /// Several attributes, whose names are found out while rendering.
    Attributes,
    /// One of these templates, or nothing.
    Block(Vec<u32>),
    /// Items, each a key and a block.
    List(ListPlace),
}

/// The templates of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPlace {
    /// Of each item.
    pub item: u32,
    /// Of what stands there when there is no item.
    pub empty: Option<u32>,
}

/// Who computes a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// The server: it reads entities, or what else only the server knows, or never changes.
    #[default]
    Server,
    /// The browser: it depends on page state and pure functions only.
    Browser,
}

/// Where a handler runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runs {
    /// On the server, as an action.
    #[default]
    Server,
    /// In the browser.
    Browser,
}
