//! From the marks of a rendered view to the tree of its values. Must stay true: whatever the marks are, building ends with
//! a tree that fits the templates, or says that there is none.

use flin_runtime::vm::bytecode::template::{PlaceKind, Template};
use flin_runtime::vm::{Mark, Rendered};

use super::{Block, Item, Key, Malformed, Value};

/// Blocks inside of each other. Views end long before, at the depth of calls; what walks a tree is recursive.
const DEPTH_MAX: usize = 1000;

/// The root block.
pub(super) fn block(rendered: &Rendered, templates: &[Template]) -> Result<Block, Malformed> {
    let mut builder = Builder {
        rendered,
        templates,
        at: 0,
        depth: 0,
    };
    let root = match builder.next() {
        Some(Mark::Block { template: 0 }) => builder.block(0)?,
        _ => return Err(Malformed("the root block is not the first")),
    };
    match builder.next() {
        None => Ok(root),
        Some(_) => Err(Malformed("something follows the root block")),
    }
}

struct Builder<'a> {
    rendered: &'a Rendered,
    templates: &'a [Template],
    at: usize,
    depth: usize,
}

impl Builder<'_> {
    fn next(&mut self) -> Option<Mark> {
        let mark = self.rendered.marks.get(self.at).copied();
        self.at += 1;
        mark
    }

    // After `Mark::Block`, to its end.
    fn block(&mut self, template: u32) -> Result<Block, Malformed> {
        let templates = self.templates;
        let known = templates.get(template as usize);
        let places = &known.ok_or(Malformed("a template is not there"))?.places;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Malformed("blocks are too deep in each other"));
        }
        let mut values = Vec::with_capacity(places.len());
        for place in places {
            values.push(self.value(&place.kind)?);
        }
        self.depth -= 1;
        match self.next() {
            Some(Mark::End) => Ok(Block {
                template,
                values: values.into(),
            }),
            _ => Err(Malformed("a block has more values than places")),
        }
    }

    fn value(&mut self, kind: &PlaceKind) -> Result<Value, Malformed> {
        let mark = self.next();
        match kind {
            PlaceKind::Text | PlaceKind::Html | PlaceKind::Attribute(_) | PlaceKind::Attributes => {
                match mark {
                    Some(Mark::Leaf { start, end }) => {
                        in_text(&self.rendered.body, start, end)?;
                        Ok(Value::Leaf(start, end))
                    }
                    _ => Err(Malformed("a value is missing")),
                }
            }
            PlaceKind::Block(_) => match mark {
                Some(Mark::Absent) => Ok(Value::Block(None)),
                Some(Mark::Block { template }) => self.block(template).map(Some).map(Value::Block),
                _ => Err(Malformed("a block is missing")),
            },
            PlaceKind::List(_) => match mark {
                Some(Mark::List) => self.items(),
                _ => Err(Malformed("a list is missing")),
            },
        }
    }

    fn items(&mut self) -> Result<Value, Malformed> {
        let mut items = Vec::new();
        loop {
            let key = match self.next() {
                Some(Mark::End) => return Ok(Value::List(items.into())),
                Some(Mark::Empty) => Key::Empty,
                Some(Mark::Item { start, end }) if start == end => {
                    Key::Position(items.len() as u32)
                }
                Some(Mark::Item { start, end }) => {
                    in_text(&self.rendered.keys, start, end)?;
                    Key::Named(start, end)
                }
                _ => return Err(Malformed("a list has something else than items")),
            };
            match self.next() {
                Some(Mark::Block { template }) => {
                    let block = self.block(template)?;
                    items.push(Item { key, block });
                }
                _ => return Err(Malformed("an item has no block")),
            }
        }
    }
}

fn in_text(text: &str, start: u32, end: u32) -> Result<(), Malformed> {
    match text.get(start as usize..end as usize) {
        Some(_) => Ok(()),
        None => Err(Malformed("a range lies outside of its text")),
    }
}
