//! Marks of the view being written: where its blocks, lists and values are. Here because every operation that writes a
//! value is a place of the page. Must stay true: what goes to the head and what is inside of a value has no marks of its
//! own; keys differ among the items of a list; nothing ends that was not begun.

use std::collections::HashSet;

use crate::fault::{Fault, Res};
use crate::heap::EntityState;
use crate::machine::Machine;
use crate::marks::Mark;
use crate::semantics::markup::{escape, write};
use crate::semantics::print;
use crate::value::{View, Word};

/// What `view.item` is told about the key.
const AS_COMMENT: i32 = 1;
const GIVEN: i32 = 2;

/// A block or list that is not ended yet.
#[derive(Debug)]
enum Open {
    Block,
    /// How many items it has, and which keys they have.
    List(u32, HashSet<String>),
}

/// What is known about the view while it is written.
#[derive(Debug, Default)]
pub(crate) struct Marking {
    open: Vec<Open>,
    /// Where the value of one place began that several operations write.
    leaf: Option<u32>,
    /// The key of the item, as a range of all keys.
    key: (u32, u32),
}

fn note(m: &mut Machine, mark: Mark) -> Res<()> {
    m.heap.charge_outside(size_of::<Mark>())?;
    m.output.rendered.marks.push(mark);
    Ok(())
}

fn body_bytes(m: &Machine) -> u32 {
    m.output.rendered.body.len() as u32
}

/// Whether what is written now is part of a value, or goes to the head.
fn is_unmarked(m: &Machine) -> bool {
    m.output.in_head || m.output.marking.leaf.is_some()
}

/// Runs something that writes the value of a place.
pub(crate) fn leaf(m: &mut Machine, write: impl FnOnce(&mut Machine) -> Res<()>) -> Res<()> {
    if is_unmarked(m) {
        return write(m);
    }
    let start = body_bytes(m);
    write(m)?;
    let end = body_bytes(m);
    note(m, Mark::Leaf { start, end })
}

/// Begins or ends a value that several operations write.
pub(crate) fn leaf_bound(m: &mut Machine, begins: bool) -> Res<()> {
    if m.output.in_head {
        return Ok(());
    }
    let here = body_bytes(m);
    match (m.output.marking.leaf.take(), begins) {
        (None, true) => {
            m.output.marking.leaf = Some(here);
            Ok(())
        }
        (Some(start), false) => note(m, Mark::Leaf { start, end: here }),
        (Some(_), true) | (None, false) => Err(broken()),
    }
}

pub(crate) fn block(m: &mut Machine, template: u32) -> Res<()> {
    if is_unmarked(m) {
        return Err(broken());
    }
    m.output.marking.open.push(Open::Block);
    note(m, Mark::Block { template })
}

pub(crate) fn list(m: &mut Machine) -> Res<()> {
    if is_unmarked(m) {
        return Err(broken());
    }
    m.output.marking.open.push(Open::List(0, HashSet::new()));
    note(m, Mark::List)
}

pub(crate) fn end(m: &mut Machine) -> Res<()> {
    match (m.output.marking.open.pop(), m.output.marking.leaf) {
        (Some(_), None) => note(m, Mark::End),
        (None, _) | (Some(_), Some(_)) => Err(broken()),
    }
}

pub(crate) fn absent(m: &mut Machine) -> Res<()> {
    if is_unmarked(m) {
        return Ok(());
    }
    note(m, Mark::Absent)
}

pub(crate) fn empty(m: &mut Machine) -> Res<()> {
    note(m, Mark::Empty)
}

/// The next item of the innermost list.
pub(crate) fn item(m: &mut Machine, value: Word, form: i32) -> Res<()> {
    let given = key_of(m, value, form & GIVEN != 0)?;
    let Some(Open::List(items, seen)) = m.output.marking.open.last_mut() else {
        return Err(broken());
    };
    let position = items.to_string();
    *items += 1;
    let key = distinct(given.unwrap_or_else(|| position.clone()), seen);
    // In most lists without keys nothing else is named like a position.
    let key = if key == position { String::new() } else { key };
    m.heap.charge_outside(key.len())?;
    let keys = &mut m.output.rendered.keys;
    let start = keys.len() as u32;
    keys.push_str(&key);
    let end = keys.len() as u32;
    m.output.marking.key = (start, end);
    note(m, Mark::Item { start, end })?;
    if form & AS_COMMENT == 0 {
        return Ok(());
    }
    let blank = if key.is_empty() { "" } else { " " };
    write(m, &format!("<!--i{blank}{}-->", in_comment(&key)))
}

/// The attribute of the element that is the item.
pub(crate) fn key_attribute(m: &mut Machine) -> Res<()> {
    let (start, end) = m.output.marking.key;
    let key = m.output.rendered.keys.get(start as usize..end as usize);
    match key.map(escape) {
        Some(key) if !key.is_empty() => write(m, &format!(" data-flin-key=\"{key}\"")),
        Some(_) | None => Ok(()),
    }
}

/// The key of a value; none if it has none, so that its position is the key.
fn key_of(m: &mut Machine, value: Word, given: bool) -> Res<Option<String>> {
    let value = match value.view() {
        View::None => return Ok(None),
        View::Entity(entity) if matches!(entity.entity_state(), EntityState::Unsaved) => {
            return Ok(None);
        }
        View::Entity(entity) => {
            let name = &m.program.module().entities[entity.meta() as usize].name;
            let id = entity.entity_id();
            return Ok(Some(match (entity.entity_past(), entity.entity_state()) {
                // Several versions of one record may stand side by side.
                (Some(_), EntityState::Loaded) => {
                    format!("{name}:{id}@{}", entity.entity_stamps().version)
                }
                _ => format!("{name}:{id}"),
            }));
        }
        _ if given => value,
        View::Map(map) => {
            let name = m.heap.text_word("id")?;
            let id = m.heap.map_get(map, name)?.unwrap_or(Word::none());
            match id.view() {
                View::Text(_) | View::Int(_) => id,
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    let key = print::to_string(m, value)?;
    Ok((!key.is_empty()).then_some(key))
}

/// The key as it is in the list: what stands there already gets a number behind it.
fn distinct(key: String, seen: &mut HashSet<String>) -> String {
    if seen.insert(key.clone()) {
        return key;
    }
    let another = (2_u64..)
        .map(|number| format!("{key}#{number}"))
        .find(|key| seen.insert(key.clone()));
    another.unwrap_or(key)
}

/// A key in a comment: percent-encoded but for letters, digits and what cannot end a comment.
fn in_comment(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for character in key.chars() {
        if character.is_alphanumeric() || matches!(character, ':' | '_' | '.' | '@' | '#' | '/') {
            out.push(character);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn broken() -> Fault {
    Fault::type_error("the markup of this view is not nested rightly")
}
