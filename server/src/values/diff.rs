//! The patch from one view to another. Must stay true: places of the browser are never in it; what is the same is not in
//! it; a list moves as few items as its new order needs.

use std::collections::HashMap;

use flin_runtime::json::write_plain_text;
use flin_runtime::vm::bytecode::template::{Owner, PlaceKind, Template};

use super::json::{write_key, write_leaf};
use super::{Block, Item, KeyText, Malformed, Value, View, order, written};

impl View {
    /// Writes the patch that makes `self` of `old`: a JSON object, empty if they show the same.
    pub(crate) fn write_patch(
        &self,
        out: &mut String,
        templates: &[Template],
        old: &View,
    ) -> Result<(), Malformed> {
        let (from, to) = (old.root(templates)?, self.root(templates)?);
        let diff = Diff {
            old,
            new: self,
            templates,
        };
        diff.places(out, from, to, |owner| owner == Owner::Server);
        Ok(())
    }
}

struct Diff<'a> {
    old: &'a View,
    new: &'a View,
    templates: &'a [Template],
}

impl Diff<'_> {
    // An object of the places that differ; says whether there are any. Both blocks are of one template.
    fn places(
        &self,
        out: &mut String,
        from: &Block,
        to: &Block,
        counts: impl Fn(Owner) -> bool,
    ) -> bool {
        let places = &self.templates[to.template as usize].places;
        let values = from.values.iter().zip(to.values.iter());
        let mut is_first = true;
        out.push('{');
        for (at, ((from, to), place)) in values.zip(places).enumerate() {
            if !counts(place.owner) {
                continue;
            }
            let start = out.len();
            out.push_str(if is_first { "\"" } else { ",\"" });
            out.push_str(&format!("{at}\":"));
            if self.value(out, &place.kind, from, to) {
                is_first = false;
            } else {
                out.truncate(start);
            }
        }
        out.push('}');
        !is_first
    }

    // The patch of a place, or false and perhaps something that is to be thrown away.
    fn value(&self, out: &mut String, kind: &PlaceKind, from: &Value, to: &Value) -> bool {
        match (from, to) {
            (Value::Leaf(from, from_end), Value::Leaf(to, to_end)) => {
                let (from, to) = (self.old.leaf(*from, *from_end), self.new.leaf(*to, *to_end));
                if from == to {
                    return false;
                }
                match kind {
                    PlaceKind::Attributes => return attributes(out, from, to),
                    PlaceKind::Text
                    | PlaceKind::Html
                    | PlaceKind::Attribute(_)
                    | PlaceKind::Block(_)
                    | PlaceKind::List(_) => write_leaf(out, kind, to),
                }
                true
            }
            (Value::Block(Some(from)), Value::Block(Some(to))) if from.template == to.template => {
                self.places(out, from, to, |_| true)
            }
            (Value::Block(None), Value::Block(None)) => false,
            (Value::List(from), Value::List(to)) => self.list(out, from, to),
            (Value::Leaf(..) | Value::Block(_) | Value::List(_), to) => {
                self.new.write_value(out, self.templates, kind, to);
                true
            }
        }
    }

    fn list(&self, out: &mut String, from: &[Item], to: &[Item]) -> bool {
        let same = Same::new(self, from, to);
        // For each new item the old one that it continues: same key, same template.
        let continued: Vec<Option<usize>> = to
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let old = same
                    .by_place(at, from.len(), to.len())
                    .or_else(|| same.old.get(&self.new.key(item.key)).copied())?;
                (from[old].block.template == item.block.template).then_some(old)
            })
            .collect();
        let kept: Vec<usize> = continued.iter().flatten().copied().collect();
        if kept.is_empty() || has_double(&kept, from.len()) {
            if from.is_empty() && to.is_empty() {
                return false;
            }
            self.new.write_items(out, self.templates, to);
            return true;
        }
        let mut ops = Ops { out, count: 0 };
        self.deletions(&mut ops, from, &kept);
        self.placings(&mut ops, to, &continued, &kept);
        for (item, old) in to.iter().zip(&continued) {
            if let Some(old) = old {
                ops.patch(self, &from[*old], item);
            }
        }
        ops.end()
    }

    fn deletions(&self, ops: &mut Ops<'_>, from: &[Item], kept: &[usize]) {
        let mut stays = vec![false; from.len()];
        kept.iter().for_each(|old| stays[*old] = true);
        for (item, stays) in from.iter().zip(stays) {
            if !stays {
                ops.begin("d");
                write_key(ops.out, self.old.key(item.key));
                ops.out.push(']');
            }
        }
    }

    // From the end on, so that the item before which one is put stands in its place already.
    fn placings(
        &self,
        ops: &mut Ops<'_>,
        to: &[Item],
        continued: &[Option<usize>],
        kept: &[usize],
    ) {
        let mut stays = order::staying(kept).into_iter().rev();
        let mut before: Option<KeyText<'_>> = None;
        for (item, old) in to.iter().zip(continued).rev() {
            let key = self.new.key(item.key);
            let is_placed = old.is_some() && stays.next() == Some(true);
            if !is_placed {
                ops.begin(if old.is_some() { "m" } else { "i" });
                write_key(ops.out, key);
                ops.out.push(',');
                match before {
                    Some(before) => write_key(ops.out, before),
                    None => ops.out.push_str("null"),
                }
                if old.is_none() {
                    ops.out.push(',');
                    self.new.write_block(ops.out, self.templates, &item.block);
                }
                ops.out.push(']');
            }
            before = Some(key);
        }
    }
}

// The operations of a list as they are written.
struct Ops<'a> {
    out: &'a mut String,
    count: usize,
}

impl Ops<'_> {
    fn begin(&mut self, name: &str) {
        let start = if self.count == 0 { "{\"ops\":[" } else { "," };
        self.out.push_str(start);
        self.out.push_str(&format!("[\"{name}\","));
        self.count += 1;
    }

    fn patch(&mut self, diff: &Diff<'_>, from: &Item, to: &Item) {
        let (start, count) = (self.out.len(), self.count);
        self.begin("p");
        write_key(self.out, diff.new.key(to.key));
        self.out.push(',');
        if diff.places(self.out, &from.block, &to.block, |_| true) {
            self.out.push(']');
        } else {
            self.out.truncate(start);
            self.count = count;
        }
    }

    fn end(self) -> bool {
        if self.count > 0 {
            self.out.push_str("]}");
        }
        self.count > 0
    }
}

// Most lists begin and end as before: only what lies between is looked up by key.
struct Same<'a> {
    front: usize,
    back: usize,
    old: HashMap<KeyText<'a>, usize>,
}

impl<'a> Same<'a> {
    fn new(diff: &Diff<'a>, from: &[Item], to: &[Item]) -> Same<'a> {
        let is_same = |(from, to): &(&Item, &Item)| diff.old.key(from.key) == diff.new.key(to.key);
        let front = from.iter().zip(to).take_while(is_same).count();
        let (from_rest, to_rest) = (&from[front..], &to[front..]);
        let back = from_rest.iter().rev().zip(to_rest.iter().rev());
        let back = back.take_while(is_same).count();
        let between = from.iter().enumerate().take(from.len() - back).skip(front);
        Same {
            front,
            back,
            old: between
                .map(|(at, item)| (diff.old.key(item.key), at))
                .collect(),
        }
    }

    // The old place of the new item at `at`, if it stands in the part that did not change.
    fn by_place(&self, at: usize, from_len: usize, to_len: usize) -> Option<usize> {
        if at < self.front {
            return Some(at);
        }
        let from_end = to_len - at;
        (from_end <= self.back).then(|| from_len - from_end)
    }
}

// Keys are different, by the promise of the machine; a list where they are not is sent as a whole.
fn has_double(kept: &[usize], len: usize) -> bool {
    let mut seen = vec![false; len];
    kept.iter()
        .any(|old| std::mem::replace(&mut seen[*old], true))
}

// `{"name":value or null,…}` of the attributes that differ; false if none do (their order may).
fn attributes(out: &mut String, from: &str, to: &str) -> bool {
    let old: Vec<(&str, &str)> = written::attributes(from).collect();
    let new: Vec<(&str, &str)> = written::attributes(to).collect();
    let gone = old
        .iter()
        .filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
    let changed = new.iter().filter(|pair| !old.contains(pair));
    let mut separator = '{';
    for (name, value) in changed {
        out.push(separator);
        write_plain_text(out, name);
        out.push(':');
        write_plain_text(out, &written::text(value));
        separator = ',';
    }
    for (name, _) in gone {
        out.push(separator);
        write_plain_text(out, name);
        out.push_str(":null");
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    separator == ','
}
