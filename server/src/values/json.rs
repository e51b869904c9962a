//! Values as JSON. Must stay true: a place has the form of its kind, whatever stands in it; keys are texts.

use flin_runtime::json::write_plain_text;
use flin_runtime::vm::bytecode::template::{Owner, PlaceKind, Template};

use super::{Block, Item, KeyText, Malformed, Value, View, written};

/// Which places are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those of the server; those of the browser are `null`.
    OfServer,
    /// All.
    Whole,
}

impl View {
    /// `[0,value,…]`: all values of the page.
    pub(crate) fn write_values(
        &self,
        out: &mut String,
        templates: &[Template],
        wanted: Wanted,
    ) -> Result<(), Malformed> {
        let root = self.root(templates)?;
        let places = &templates[root.template as usize].places;
        out.push_str("[0");
        for (value, place) in root.values.iter().zip(places) {
            out.push(',');
            if wanted == Wanted::OfServer && place.owner == Owner::Browser {
                out.push_str("null");
            } else {
                self.write_value(out, templates, &place.kind, value);
            }
        }
        out.push(']');
        Ok(())
    }

    pub(super) fn write_value(
        &self,
        out: &mut String,
        templates: &[Template],
        kind: &PlaceKind,
        value: &Value,
    ) {
        match value {
            Value::Leaf(start, end) => write_leaf(out, kind, self.leaf(*start, *end)),
            Value::Block(None) => out.push_str("null"),
            Value::Block(Some(block)) => self.write_block(out, templates, block),
            Value::List(items) => self.write_items(out, templates, items),
        }
    }

    pub(super) fn write_block(&self, out: &mut String, templates: &[Template], block: &Block) {
        let places = &templates[block.template as usize].places;
        out.push('[');
        out.push_str(&block.template.to_string());
        for (value, place) in block.values.iter().zip(places) {
            out.push(',');
            self.write_value(out, templates, &place.kind, value);
        }
        out.push(']');
    }

    pub(super) fn write_items(&self, out: &mut String, templates: &[Template], items: &[Item]) {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            out.push_str(if at > 0 { ",[" } else { "[" });
            write_key(out, self.key(item.key));
            out.push(',');
            self.write_block(out, templates, &item.block);
            out.push(']');
        }
        out.push(']');
    }
}

pub(super) fn write_key(out: &mut String, key: KeyText<'_>) {
    match key {
        KeyText::Named(name) => write_plain_text(out, name),
        KeyText::Position(at) => out.push_str(&format!("\"{at}\"")),
    }
}

pub(super) fn write_leaf(out: &mut String, kind: &PlaceKind, leaf: &str) {
    match kind {
        PlaceKind::Html => write_plain_text(out, leaf),
        PlaceKind::Attribute(_) => match written::attributes(leaf).next() {
            Some((_, value)) => write_plain_text(out, &written::text(value)),
            None => out.push_str("null"),
        },
        PlaceKind::Attributes => {
            out.push('{');
            for (at, (name, value)) in written::attributes(leaf).enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_plain_text(out, name);
                out.push(':');
                write_plain_text(out, &written::text(value));
            }
            out.push('}');
        }
        // Building has seen to it that only these have leaves.
        PlaceKind::Text | PlaceKind::Block(_) | PlaceKind::List(_) => {
            write_plain_text(out, &written::text(leaf));
        }
    }
}
