//! Ids of a view: which labels name, and which stand twice. Must stay true: two branches of one `{if}` are never shown
//! together, so an id may stand in each; what a component or `raw` writes is not known.

use std::collections::{HashMap, HashSet};

use flin_syntax::ast::{AttributeValue, Element, Markup, MarkupKind};
use flin_syntax::{Code, Diagnostic, Span};

use super::plain;

/// What labels of a view say they are for.
pub(super) struct Ids<'a> {
    labelled: HashSet<&'a str>,
    /// A label is for something computed: it may be anything.
    any: bool,
}

impl<'a> Ids<'a> {
    pub(super) fn of(nodes: &[&'a Markup]) -> Ids<'a> {
        let mut ids = Ids {
            labelled: HashSet::new(),
            any: false,
        };
        nodes.iter().for_each(|node| ids.node(node));
        ids
    }

    /// Whether a label is for the control with this id.
    pub(super) fn has_label(&self, id: &str) -> bool {
        self.any || self.labelled.contains(id)
    }

    fn node(&mut self, node: &'a Markup) {
        if let MarkupKind::Element(element) = &node.kind
            && &*element.name.text == "label"
        {
            match plain(element, "for") {
                Some((_, AttributeValue::Static(id))) => {
                    self.labelled.insert(id);
                }
                Some(_) => self.any = true,
                None => {}
            }
        }
        self.any |= matches!(node.kind, MarkupKind::Component(_));
        inside(node, &mut |child| self.node(child));
    }

    /// Tells ids that stand twice, or in a loop.
    pub(super) fn doubled(&self, nodes: &[&'a Markup], found: &mut Vec<Diagnostic>) {
        let mut seen = HashMap::new();
        for node in nodes {
            doubled(node, &mut seen, false, found);
        }
    }
}

fn doubled<'a>(
    node: &'a Markup,
    seen: &mut HashMap<&'a str, Span>,
    in_loop: bool,
    found: &mut Vec<Diagnostic>,
) {
    match &node.kind {
        MarkupKind::Element(element) => {
            id_of(element, seen, in_loop, found);
            for child in &element.children {
                doubled(child, seen, in_loop, found);
            }
        }
        MarkupKind::If {
            branches,
            otherwise,
        } => {
            let before = seen.clone();
            let bodies = branches.iter().map(|branch| &branch.body).chain(otherwise);
            for body in bodies {
                let mut own = before.clone();
                for child in body {
                    doubled(child, &mut own, in_loop, found);
                }
                seen.extend(own);
            }
        }
        MarkupKind::For { body, empty, .. } => {
            for child in body {
                doubled(child, seen, true, found);
            }
            for child in empty.iter().flatten() {
                doubled(child, seen, in_loop, found);
            }
        }
        MarkupKind::Component(_)
        | MarkupKind::Slot { .. }
        | MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::Style { .. }
        | MarkupKind::Error => {}
    }
}

fn id_of<'a>(
    element: &'a Element,
    seen: &mut HashMap<&'a str, Span>,
    in_loop: bool,
    found: &mut Vec<Diagnostic>,
) {
    let Some((attribute, AttributeValue::Static(id))) = plain(element, "id") else {
        return;
    };
    let title = format!("the id `{id}` is there more than once");
    let wrong = Diagnostic::warning(Code::DuplicateId, attribute.span, title);
    if in_loop {
        found.push(
            wrong
                .reason("each turn of the loop writes it again")
                .hint(format!("make it one of the item: `id=\"{id}-{{…}}\"`")),
        );
    } else if let Some(first) = seen.insert(id, attribute.span) {
        found.push(
            wrong
                .also(first, "the first one")
                .reason("labels, links and style sheets mean the first one only"),
        );
    }
}

/// The nodes directly inside of a node.
fn inside<'a>(node: &'a Markup, visit: &mut dyn FnMut(&'a Markup)) {
    match &node.kind {
        MarkupKind::Element(element) | MarkupKind::Component(element) => {
            element.children.iter().for_each(visit);
        }
        MarkupKind::Slot { fallback, .. } => fallback.iter().for_each(visit),
        MarkupKind::If {
            branches,
            otherwise,
        } => {
            let bodies = branches.iter().map(|branch| &branch.body).chain(otherwise);
            bodies.flatten().for_each(visit);
        }
        MarkupKind::For { body, empty, .. } => {
            body.iter().chain(empty.iter().flatten()).for_each(visit);
        }
        MarkupKind::Text(_)
        | MarkupKind::Interpolation(_)
        | MarkupKind::Style { .. }
        | MarkupKind::Error => {}
    }
}
