//! Attributes of elements: plain ones with their escaping place, bound controls, event handlers. Must stay true: an attribute
//! that would run code is refused here; a handler is a function of its own that gets what it needs of the view as
//! parameters.

use std::sync::Arc;

use flin_syntax::ast::{
    Attribute, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, Markup, MarkupKind,
    Name, TextPart,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{AttrPlace, ExprId, ExprKind};

use super::Resolver;
use super::binding::Bound;
use super::markup::{Around, Output, escape};

/// What an element's attributes mean for its content.
#[derive(Default)]
pub(super) struct Content {
    /// The submit handler of a form.
    pub(super) form: Option<(u32, Vec<ExprId>)>,
    /// What a `<select>` is bound to.
    pub(super) select: Option<Bound>,
    /// What a `<textarea>` is bound to, which is its content.
    pub(super) text: Option<Bound>,
}

const BOOLEAN: &[&str] = &[
    "allowfullscreen",
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "controls",
    "default",
    "defer",
    "disabled",
    "formnovalidate",
    "hidden",
    "inert",
    "ismap",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "nomodule",
    "novalidate",
    "open",
    "playsinline",
    "readonly",
    "required",
    "reversed",
    "selected",
];

const URLS: &[&str] = &[
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "manifest",
    "ping",
    "poster",
    "src",
    "xlink:href",
];

const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Whether an element has no content and no closing tag.
pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

/// Where a value of this attribute goes.
fn place_of(name: &str) -> AttrPlace {
    if BOOLEAN.contains(&name) {
        AttrPlace::Boolean
    } else if URLS.contains(&name) {
        AttrPlace::Url
    } else if name == "style" {
        AttrPlace::Style
    } else {
        AttrPlace::Plain
    }
}

impl Resolver<'_> {
    /// All attributes of an element.
    pub(super) fn attributes(
        &mut self,
        element: &Element,
        around: &Around,
        out: &mut Output,
    ) -> Content {
        self.refuse_made_addresses(element);
        let mut content = Content::default();
        let [classes, styles] = self.named_parts(element, out);
        let is_written = |name: &str| match name.split('.').next() {
            Some("class") => classes,
            Some("style") => styles,
            _ => false,
        };
        for attribute in &element.attributes {
            match &attribute.kind {
                AttributeKind::Plain { name, .. } if is_written(&name.text) => {}
                AttributeKind::Plain { name, .. } if self.binding_writes(element, name) => {}
                AttributeKind::Plain { name, .. } if &*name.text == "key" => {
                    self.check_key(attribute.span, around);
                }
                AttributeKind::Plain { name, value } => {
                    let hashed = self.with_hashed_names(&element.name.text, name, value);
                    let value = hashed.as_ref().unwrap_or(value);
                    self.plain_attribute(name, value, attribute.span, out)
                }
                AttributeKind::Bind(target) => {
                    self.bind_attribute(element, target, attribute.span, &mut content, out)
                }
                AttributeKind::Event {
                    event,
                    modifiers,
                    handler,
                } => {
                    self.event_attribute(
                        element,
                        (event, modifiers, handler),
                        around,
                        &mut content,
                        out,
                    );
                }
            }
        }
        if &*element.name.text == "option"
            && let Some(bound) = around.select
        {
            self.option_mark(element, bound, out);
        }
        content
    }

    /// `key={e}` is taken by the loop; elsewhere it means nothing.
    fn check_key(&mut self, span: Span, around: &Around) {
        if around.keyed {
            return;
        }
        self.report(
            Diagnostic::error(
                Code::BadKey,
                span,
                "`key` belongs to the first element of a loop's body",
            )
            .hint("it tells the items of a `{for}` apart, so that each keeps its place in the page when others come and go"),
        );
    }

    /// Attributes of an element that can have no handlers and no binding.
    pub(super) fn plain_attributes(&mut self, attributes: &[Attribute], out: &mut Output) {
        for attribute in attributes {
            match &attribute.kind {
                AttributeKind::Plain { name, value } => {
                    self.plain_attribute(name, value, attribute.span, out)
                }
                AttributeKind::Bind(_) | AttributeKind::Event { .. } => {
                    self.report(Diagnostic::error(
                        Code::BadHandler,
                        attribute.span,
                        "this element has no handlers and no binding",
                    ))
                }
            }
        }
    }

    fn plain_attribute(
        &mut self,
        name: &Name,
        value: &AttributeValue,
        span: Span,
        out: &mut Output,
    ) {
        let lower = name.text.to_lowercase();
        if self.runs_code(&lower, name, value) {
            return;
        }
        let place = place_of(&lower);
        match value {
            AttributeValue::Flag => out.literal(&format!(" {}", name.text), span),
            AttributeValue::Static(text) => {
                out.literal(&format!(" {}=\"{}\"", name.text, escape(text)), span);
            }
            AttributeValue::Mixed(parts) if place == AttrPlace::Style => {
                self.style(&name.text, parts, span, out);
            }
            AttributeValue::Expr(Expr {
                kind: Ast::Text(parts),
                ..
            }) if place == AttrPlace::Style => self.style(&name.text, parts, span, out),
            AttributeValue::Expr(value) => {
                let value = self.class_or_style(&lower, value);
                let name = name.text.to_string();
                self.put(ExprKind::ViewAttr { name, place, value }, span, out);
            }
            AttributeValue::Mixed(parts) => {
                let value = self.text(parts, span);
                let name = name.text.to_string();
                self.put(ExprKind::ViewAttr { name, place, value }, span, out);
            }
        }
    }

    /// A style with values in it: what stands around them is the program's own, each value is kept to its place.
    fn style(&mut self, name: &str, parts: &[TextPart], span: Span, out: &mut Output) {
        let mut style = Output::of_tag();
        style.literal(&format!(" {name}=\""), span);
        self.style_parts(parts, span, &mut style);
        style.literal("\"", span);
        self.flush(&mut style);
        self.put(ExprKind::ViewStyle(style.ids), span, out);
    }

    /// Refuses what would put code into the page.
    fn runs_code(&mut self, lower: &str, name: &Name, value: &AttributeValue) -> bool {
        if let Some(event) = lower.strip_prefix("on")
            && event.len() > 2
            && event.chars().all(|it| it.is_ascii_alphabetic())
        {
            self.report(
                Diagnostic::error(
                    Code::UnsafeAttribute,
                    name.span,
                    format!("`{lower}` would put JavaScript into the page"),
                )
                .hint(format!("write a handler: `{event}={{…}}`")),
            );
            return true;
        }
        if lower == "srcdoc" {
            self.report(Diagnostic::error(
                Code::UnsafeAttribute,
                name.span,
                "`srcdoc` would put a document of unknown content into the page",
            ));
            return true;
        }
        let start = match value {
            AttributeValue::Static(text) => &**text,
            AttributeValue::Mixed(parts) => match parts.first() {
                Some(TextPart::Chars { value, .. }) => &**value,
                _ => "",
            },
            AttributeValue::Expr(value) => return self.refuse_literal_url(lower, value),
            AttributeValue::Flag => "",
        };
        if place_of(lower) == AttrPlace::Url && is_script_url(start) {
            self.script_url(name.span);
            return true;
        }
        false
    }

    /// Refuses values of which another attribute of their element makes an address: where a page is sent on to, and what an animation
    /// puts into a link.
    fn refuse_made_addresses(&mut self, element: &Element) {
        let says = |wanted: &str, is: fn(&str) -> bool| {
            let mut attributes = element.attributes.iter();
            attributes.any(|attribute| match &attribute.kind {
                AttributeKind::Plain { name, value } if name.text.eq_ignore_ascii_case(wanted) => {
                    match value {
                        AttributeValue::Static(text) => is(text.trim()),
                        AttributeValue::Flag => false,
                        AttributeValue::Expr(_) | AttributeValue::Mixed(_) => true,
                    }
                }
                _ => false,
            })
        };
        let made_of: &[&str] = match &*element.name.text {
            "meta" if says("http-equiv", |text| text.eq_ignore_ascii_case("refresh")) => {
                &["content"]
            }
            "set" | "animate" if says("attributeName", |text| place_of(text) == AttrPlace::Url) => {
                &["to", "from", "by", "values"]
            }
            _ => return,
        };
        for attribute in &element.attributes {
            if let AttributeKind::Plain { name, value } = &attribute.kind
                && made_of.contains(&&*name.text.to_lowercase())
                && matches!(value, AttributeValue::Expr(_) | AttributeValue::Mixed(_))
            {
                let message = format!(
                    "`{}` becomes an address here, and nothing checks it",
                    name.text
                );
                self.report(
                    Diagnostic::error(Code::UnsafeAttribute, name.span, message).hint(
                        "put the address into a link: `<a href={…}>`, or answer with `redirect(…)`",
                    ),
                );
            }
        }
    }

    fn refuse_literal_url(&mut self, lower: &str, value: &Expr) -> bool {
        let script = super::decorators::text(value).is_some_and(|text| is_script_url(&text));
        if place_of(lower) == AttrPlace::Url && script {
            self.script_url(value.span);
            return true;
        }
        false
    }

    fn script_url(&mut self, span: Span) {
        self.report(
            Diagnostic::error(Code::UnsafeAttribute, span, "this URL would run JavaScript")
                .hint("write a handler: `click={…}`"),
        );
    }

    /// `click={…}`, `keydown.enter={…}`
    fn event_attribute(
        &mut self,
        element: &Element,
        (event, modifiers, handler): (&Name, &[Name], &Expr),
        around: &Around,
        content: &mut Content,
        out: &mut Output,
    ) {
        let tag = &*element.name.text;
        self.check_modifiers(event, modifiers);
        if &*event.text == "submit" && tag != "form" {
            self.report(
                Diagnostic::error(
                    Code::BadHandler,
                    event.span,
                    format!("`<{tag}>` is never submitted"),
                )
                .hint("`submit` belongs to the `<form>`"),
            );
        }
        let name = event_name(event, modifiers);
        let (number, args) = self.handler(&name, event.span, handler);
        let button = name == "click" && !around.submits && is_button(element);
        self.put(
            ExprKind::ViewOn {
                handler: number,
                args,
                button,
            },
            event.span,
            out,
        );
        if name == "submit" && tag == "form" {
            let copied = self.copied_values(out);
            content.form = Some((number, copied));
        }
    }

    /// The arguments of the handler just written, once more.
    fn copied_values(&mut self, out: &Output) -> Vec<ExprId> {
        let last = out
            .ids
            .last()
            .map(|id| self.frame().exprs[id.index()].clone());
        let Some(crate::hir::Expr {
            kind: ExprKind::ViewOn { args, .. },
            span,
        }) = last
        else {
            return Vec::new();
        };
        args.iter()
            .map(|arg| {
                let kind = self.frame().exprs[arg.index()].kind.clone();
                self.emit(kind, span)
            })
            .collect()
    }

    fn check_modifiers(&mut self, event: &Name, modifiers: &[Name]) {
        const KEYS: &[&str] = &[
            "enter",
            "escape",
            "tab",
            "space",
            "up",
            "down",
            "left",
            "right",
            "backspace",
            "delete",
            "home",
            "end",
        ];
        const HELD: &[&str] = &["ctrl", "shift", "alt", "meta"];
        const ALWAYS: &[&str] = &["prevent", "stop", "self", "once", "debounce", "throttle"];
        let of_keys = event.text.starts_with("key");
        let pressed = [
            "key",
            "mouse",
            "pointer",
            "click",
            "dblclick",
            "contextmenu",
            "wheel",
        ];
        let of_hands = pressed.iter().any(|begin| event.text.starts_with(begin));
        let known = |name: &str| {
            ALWAYS.contains(&name)
                || of_hands && HELD.contains(&name)
                || of_keys && KEYS.contains(&name)
        };
        for (at, modifier) in modifiers.iter().enumerate() {
            let paces =
                |before: &usize| matches!(&*modifiers[*before].text, "debounce" | "throttle");
            if known(&modifier.text)
                || is_pause(&modifier.text) && at.checked_sub(1).as_ref().is_some_and(paces)
            {
                continue;
            }
            let keys: &[&str] = if of_keys { KEYS } else { &[] };
            let near =
                super::suggest::nearest_of(&modifier.text, ALWAYS.iter().chain(keys).copied());
            let mut diagnostic = Diagnostic::error(
                Code::BadHandler,
                modifier.span,
                format!("`{}` has no modifier `{}`", event.text, modifier.text),
            );
            diagnostic = match near {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                _ => diagnostic.hint(format!(
                    "every event takes {}; those of keys and pointers {}; keydown, keyup and keypress {}",
                    ALWAYS.join(", "),
                    HELD.join(", "),
                    KEYS.join(", ")
                )),
            };
            self.report(diagnostic);
        }
    }
}

/// Milliseconds behind `debounce` or `throttle`: `300`, `300ms`.
fn is_pause(text: &str) -> bool {
    let digits = text.strip_suffix("ms").unwrap_or(text);
    (1..=6).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit())
}

fn event_name(event: &Name, modifiers: &[Name]) -> String {
    let parts: Vec<&Arc<str>> = std::iter::once(event)
        .chain(modifiers)
        .map(|name| &name.text)
        .collect();
    parts
        .iter()
        .map(|part| &***part)
        .collect::<Vec<&str>>()
        .join(".")
}

/// Whether a click on the element can post a form.
fn is_button(element: &Element) -> bool {
    let kind = own_type(element);
    match &*element.name.text {
        "button" => true,
        "input" => matches!(kind, Some("submit" | "button")),
        _ => false,
    }
}

pub(super) fn is_blank(node: &Markup) -> bool {
    matches!(&node.kind, MarkupKind::Text(text) if text.trim().is_empty())
}

/// Browsers skip control characters and blanks in front of and inside of the scheme.
fn is_script_url(text: &str) -> bool {
    let scheme: String = text
        .chars()
        .filter(|it| !it.is_control() && !it.is_whitespace())
        .take_while(|it| *it != '/')
        .collect::<String>()
        .to_lowercase();
    scheme.starts_with("javascript:") || scheme.starts_with("vbscript:")
}

/// The fixed `type` of an element.
pub(super) fn own_type(element: &Element) -> Option<&str> {
    element
        .attributes
        .iter()
        .find_map(|attribute| match &attribute.kind {
            AttributeKind::Plain {
                name,
                value: AttributeValue::Static(value),
            } if &*name.text == "type" => Some(&**value),
            _ => None,
        })
}
