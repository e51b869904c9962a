//! What is wrong with the markup of a view as HTML: elements and attributes that do not exist, nesting that a browser would
//! change, what a person who cannot see the page would miss. Here because a browser says nothing of it and shows something
//! else. Must stay true: a component and a slot may stand anywhere, so nothing is said about what is around or inside of
//! them; drawings (`<svg>`) and custom elements have rules of their own; where it is not sure, nothing is said.

mod elements;
mod ids;

use flin_syntax::ast::{
    self, Attribute, AttributeKind, AttributeValue, Element, ExprKind, Markup, MarkupKind, Stmt,
    StmtKind,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::near::nearest;
use elements::{
    ELEMENTS, ENDS_PARAGRAPH, GLOBAL, HOLDS_ONLY, NEVER_INSIDE, OF_DOCUMENT, OF_ELEMENTS,
    OLD_ELEMENTS, SHELTERS, STANDS_ONLY_IN,
};

/// What is wrong with all views of a file. `in_component`: the file is a component.
pub(crate) fn check(ast: &ast::Program, in_component: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    statements(&ast.statements, in_component, &mut found);
    found
}

fn statements(list: &[Stmt], in_component: bool, found: &mut Vec<Diagnostic>) {
    let mut nodes: Vec<&Markup> = Vec::new();
    for statement in list {
        match &statement.kind {
            StmtKind::View(view) => nodes.extend(view),
            StmtKind::Markup(node) => nodes.push(node),
            StmtKind::Page { body, .. } => statements(&body.statements, false, found),
            StmtKind::Component(component) => {
                statements(&component.body.statements, true, found);
            }
            _ => {}
        }
    }
    let mut check = Check {
        ids: ids::Ids::of(&nodes),
        in_component,
        around: Vec::new(),
        found,
    };
    for node in &nodes {
        check.node(node);
    }
    let Check { ids, .. } = check;
    ids.doubled(&nodes, found);
}

/// What stands around a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outer<'a> {
    Element(&'a str),
    /// A component, or what shows something else: nothing is known of what is around it.
    Unknown,
}

struct Check<'a, 'f> {
    ids: ids::Ids<'a>,
    in_component: bool,
    /// Outermost first.
    around: Vec<Outer<'a>>,
    found: &'f mut Vec<Diagnostic>,
}

impl<'a> Check<'a, '_> {
    fn nodes(&mut self, nodes: &'a [Markup]) {
        nodes.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'a Markup) {
        match &node.kind {
            MarkupKind::Element(element) => self.element(element),
            MarkupKind::Component(element) => {
                self.around.push(Outer::Unknown);
                self.nodes(&element.children);
                self.around.pop();
            }
            MarkupKind::Slot { fallback, .. } => self.nodes(fallback),
            MarkupKind::If {
                branches,
                otherwise,
            } => {
                branches.iter().for_each(|branch| self.nodes(&branch.body));
                otherwise.iter().for_each(|nodes| self.nodes(nodes));
            }
            MarkupKind::For { body, empty, .. } => {
                self.nodes(body);
                empty.iter().for_each(|nodes| self.nodes(nodes));
            }
            MarkupKind::Text(text) => self.text(!text.trim().is_empty(), node.span),
            MarkupKind::Interpolation(value) => {
                let shows = !matches!(value.kind, ExprKind::None);
                self.text(shows, node.span);
            }
            MarkupKind::Style { .. } | MarkupKind::Error => {}
        }
    }

    /// The element directly around, if it is known.
    fn parent(&self) -> Option<&'a str> {
        match self.around.last() {
            Some(Outer::Element(name)) => Some(name),
            Some(Outer::Unknown) | None => None,
        }
    }

    /// The elements around, innermost first, as far as they are known.
    fn parents(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.around.iter().rev().map_while(|outer| match outer {
            Outer::Element(name) => Some(*name),
            Outer::Unknown => None,
        })
    }

    fn text(&mut self, shows: bool, span: Span) {
        let Some((parent, _)) = self.parent().and_then(|it| of(HOLDS_ONLY, it)) else {
            return;
        };
        if shows {
            self.found.push(
                Diagnostic::error(
                    Code::BadNesting,
                    span,
                    format!("text directly inside of `<{parent}>`"),
                )
                .reason("a browser puts it in front of the table")
                .hint(match parent {
                    "tr" => "put it into a `<td>`",
                    _ => "put it into a cell: `<tr><td>…</td></tr>`, or into a `<caption>`",
                }),
            );
        }
    }

    fn element(&mut self, element: &'a Element) {
        let name: &'a str = &element.name.text;
        if name == "svg" || name == "math" || name.contains('-') {
            self.ids_only(element);
            return;
        }
        self.known(element);
        self.nesting(element);
        self.attributes(element);
        self.alternative(element);
        self.label(element);
        self.around.push(match name {
            "template" | "noscript" => Outer::Unknown,
            _ => Outer::Element(name),
        });
        self.nodes(&element.children);
        self.around.pop();
    }

    /// A drawing or custom element: what it holds follows other rules, ordinary elements in it do not.
    fn ids_only(&mut self, element: &'a Element) {
        if element.name.text.contains('-') {
            self.attributes_of_flin(element);
            self.around.push(Outer::Unknown);
            self.nodes(&element.children);
            self.around.pop();
        }
    }

    fn known(&mut self, element: &Element) {
        let name = &*element.name.text;
        if OF_DOCUMENT.contains(&name) {
            self.found.push(
                Diagnostic::error(
                    Code::UnknownElement,
                    element.name.span,
                    format!("`<{name}>` cannot stand in a view"),
                )
                .reason("the server writes the frame of the document")
                .hint("`<title>`, `<meta>`, `<link>` and `<style>` go to its head from wherever they stand"),
            );
        } else if !ELEMENTS.contains(&name) && !OLD_ELEMENTS.contains(&name) {
            let near = nearest(name, ELEMENTS.iter().copied());
            let wrong = Diagnostic::error(
                Code::UnknownElement,
                element.name.span,
                format!("HTML has no element `<{name}>`"),
            );
            self.found.push(match near {
                Some(near) => wrong.hint(format!("did you mean `<{near}>`?")),
                None => wrong.hint("an element of your own has a hyphen in its name; a component begins with a capital letter"),
            });
        }
    }

    /// What a browser would end, move or drop.
    fn nesting(&mut self, element: &Element) {
        let name = &*element.name.text;
        let Some(parent) = self.parent() else { return };
        let allowed = of(HOLDS_ONLY, parent).map(|(_, allowed)| allowed);
        let places = of(STANDS_ONLY_IN, name).map(|(_, places)| places);
        let (title, reason, hint) = if allowed.is_some_and(|it| !it.contains(&name)) {
            (
                format!("`<{name}>` directly inside of `<{parent}>`"),
                "a browser puts it in front of the table".to_owned(),
                if parent == "tr" {
                    "put it into a `<td>`".to_owned()
                } else {
                    "put it into a cell: `<tr><td>…</td></tr>`".to_owned()
                },
            )
        } else if let Some(places) = places
            && !places.contains(&parent)
        {
            (
                format!("`<{name}>` directly inside of `<{parent}>`"),
                "a browser leaves its tags out".to_owned(),
                format!("`<{name}>` stands in {}", listed(places)),
            )
        } else if ENDS_PARAGRAPH.contains(&name)
            && self
                .parents()
                .take_while(|it| !SHELTERS.contains(it))
                .any(|it| it == "p")
        {
            (
                format!("`<{name}>` inside of `<p>`"),
                format!("a browser ends the paragraph before `<{name}>`"),
                "make the outer one a `<div>`".to_owned(),
            )
        } else if let Some(outer) = self.ended_by(name) {
            (
                format!("`<{name}>` inside of `<{outer}>`"),
                format!("a browser ends `<{outer}>` before `<{name}>`, or leaves it out"),
                match name {
                    "li" => "put a `<ul>` around the inner items".to_owned(),
                    _ => format!("end `<{outer}>` before it"),
                },
            )
        } else if is_heading(name) && is_heading(parent) {
            (
                format!("`<{name}>` inside of `<{parent}>`"),
                format!("a browser ends `<{parent}>` before `<{name}>`"),
                "put them one after the other, in an `<hgroup>` if they belong together".to_owned(),
            )
        } else {
            return;
        };
        self.found.push(
            Diagnostic::error(Code::BadNesting, element.name.span, title)
                .reason(reason)
                .hint(hint),
        );
    }

    /// The element around that ends where this one begins.
    fn ended_by(&self, name: &str) -> Option<&'a str> {
        let rules = || NEVER_INSIDE.iter().filter(|(inner, ..)| *inner == name);
        let mut left: Vec<&(&str, &[&str], &[&str])> = rules().collect();
        for outer in self.parents() {
            if left.iter().any(|(_, outers, _)| outers.contains(&outer)) {
                return Some(outer);
            }
            left.retain(|(_, _, shelters)| !shelters.contains(&outer));
        }
        None
    }

    fn attributes(&mut self, element: &Element) {
        let tag = &*element.name.text;
        for attribute in &element.attributes {
            let AttributeKind::Plain { name, .. } = &attribute.kind else {
                continue;
            };
            let lower = name.text.to_lowercase();
            if lower.contains(['-', ':']) && !lower.starts_with(['@', ':'])
                || GLOBAL.contains(&&*lower)
                || is_part(&lower)
                || lower.starts_with("on") && lower.len() > 2
            {
                continue;
            }
            match of(OF_ELEMENTS, &lower) {
                Some((_, elements)) if elements.contains(&"*") || elements.contains(&tag) => {}
                Some((_, elements)) => self.found.push(
                    Diagnostic::warning(
                        Code::UnknownAttribute,
                        name.span,
                        format!("`{lower}` means nothing on `<{tag}>`"),
                    )
                    .hint(format!("it belongs to {}", listed(elements))),
                ),
                None => self.unknown_attribute(tag, &lower, name.span),
            }
        }
        self.attributes_of_flin(element);
    }

    fn unknown_attribute(&mut self, tag: &str, name: &str, span: Span) {
        let known = OF_ELEMENTS
            .iter()
            .filter(|(_, elements)| elements.contains(&tag) || elements.contains(&"*"))
            .map(|(known, _)| *known)
            .chain(GLOBAL.iter().copied())
            .chain(["bind"]);
        let wrong = Diagnostic::warning(
            Code::UnknownAttribute,
            span,
            format!("`<{tag}>` has no attribute `{name}`"),
        );
        let of_others = match name {
            "classname" => Some("class"),
            "htmlfor" => Some("for"),
            "defaultvalue" => Some("value"),
            _ => None,
        };
        self.found
            .push(match of_others.or_else(|| nearest(name, known)) {
                Some(near) => wrong.hint(format!("did you mean `{near}`?")),
                None => wrong.hint(format!(
                    "an attribute of your own is written `data-{}`",
                    name.trim_start_matches(['@', ':'])
                )),
            });
    }

    /// `class.name` and `style.name` take a value.
    fn attributes_of_flin(&mut self, element: &Element) {
        for attribute in &element.attributes {
            if let AttributeKind::Plain {
                name,
                value: AttributeValue::Flag | AttributeValue::Static(_) | AttributeValue::Mixed(_),
            } = &attribute.kind
                && name.text.starts_with("class.")
            {
                let class = &name.text["class.".len()..];
                self.found.push(
                    Diagnostic::error(
                        Code::BadMarkup,
                        attribute.span,
                        format!("`{}` needs a condition in braces", name.text),
                    )
                    .hint(format!(
                        "write `class.{class}={{…}}`, or `class=\"{class}\"` if it is always there"
                    )),
                );
            }
        }
    }

    /// What stands for an image where it cannot be seen.
    fn alternative(&mut self, element: &Element) {
        let wants = match &*element.name.text {
            "img" => true,
            "input" => text_of(element, "type") == Some("image"),
            _ => false,
        };
        if wants
            && !has_any(
                element,
                &["alt", "aria-label", "aria-labelledby", "aria-hidden"],
            )
        {
            self.found.push(
                Diagnostic::warning(
                    Code::MissingAlternative,
                    element.name.span,
                    "an image without a text that stands for it",
                )
                .reason("who cannot see the image is told `alt`")
                .hint("write `alt=\"what it shows\"`, or `alt=\"\"` if it is only decoration"),
            );
        }
    }

    /// What a control is called.
    fn label(&mut self, element: &Element) {
        let tag = &*element.name.text;
        let kind = text_of(element, "type").unwrap_or("text");
        let is_control = match tag {
            "select" | "textarea" => true,
            "input" => !matches!(kind, "hidden" | "submit" | "reset" | "button" | "image"),
            _ => false,
        };
        if !is_control || self.parents().any(|it| it == "label") {
            return;
        }
        // Around a component, and what fills one, there may be a label.
        if self.in_component && self.around.is_empty() || self.around.contains(&Outer::Unknown) {
            return;
        }
        let own = ["aria-label", "aria-labelledby", "title", "placeholder"];
        let by_id = match value_of(element, "id") {
            Some(AttributeValue::Static(id)) => self.ids.has_label(id),
            Some(_) => true,
            None => false,
        };
        if by_id || has_any(element, &own) {
            return;
        }
        self.found.push(
            Diagnostic::warning(
                Code::MissingLabel,
                element.name.span,
                format!("nothing says what this `<{tag}>` is for"),
            )
            .reason("who cannot see the page is told the label of a control")
            .hint(format!(
                "put it into a label, `<label>Name <{tag} …/></label>`, or write `aria-label=\"…\"`"
            )),
        );
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// `class.done={…}`, `style.width={…}`
fn is_part(name: &str) -> bool {
    name.starts_with("class.") || name.starts_with("style.")
}

fn of<T>(table: &[(&'static str, T)], name: &str) -> Option<(&'static str, T)>
where
    T: Copy,
{
    table.iter().find(|(key, _)| *key == name).copied()
}

fn listed(names: &[&str]) -> String {
    let tags: Vec<String> = names.iter().map(|name| format!("`<{name}>`")).collect();
    match tags.as_slice() {
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
        [] => String::new(),
    }
}

fn plain<'e>(element: &'e Element, wanted: &str) -> Option<(&'e Attribute, &'e AttributeValue)> {
    element
        .attributes
        .iter()
        .find_map(|attribute| match &attribute.kind {
            AttributeKind::Plain { name, value } if &*name.text == wanted => {
                Some((attribute, value))
            }
            _ => None,
        })
}

fn value_of<'e>(element: &'e Element, name: &str) -> Option<&'e AttributeValue> {
    plain(element, name).map(|(_, value)| value)
}

fn text_of<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    match value_of(element, name) {
        Some(AttributeValue::Static(text)) => Some(text),
        _ => None,
    }
}

fn has_any(element: &Element, names: &[&str]) -> bool {
    names.iter().any(|name| value_of(element, name).is_some())
}
