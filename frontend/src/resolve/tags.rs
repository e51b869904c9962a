//! Attributes of elements: plain ones with their escaping place, bound controls, event handlers. Must stay true: an attribute
//! that would run code is refused here; a handler is a function of its own that gets what it needs of the view as
//! parameters.

use std::sync::Arc;

use flin_syntax::ast::{
    Attribute, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, Markup, MarkupKind,
    Name, TextPart,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{AttrPlace, Control, ExprId, ExprKind, GlobalIx};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::markup::{Around, Output, escape};
use super::names::{Meaning, Role};

/// What an element's attributes mean for its content.
#[derive(Default)]
pub(super) struct Content {
    /// The submit handler of a form.
    pub(super) form: Option<(u32, Vec<ExprId>)>,
    /// The variable of a bound `<select>`.
    pub(super) select: Option<GlobalIx>,
    /// The variable of a bound `<textarea>`, which is its content.
    pub(super) text: Option<GlobalIx>,
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
        let mut content = Content::default();
        for attribute in &element.attributes {
            match &attribute.kind {
                AttributeKind::Plain { name, .. } if self.binding_writes(element, name) => {}
                AttributeKind::Plain { name, value } => {
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
            AttributeValue::Flag => out.raw(&format!(" {}", name.text), span),
            AttributeValue::Static(text) => {
                out.raw(&format!(" {}=\"{}\"", name.text, escape(text)), span);
            }
            AttributeValue::Mixed(parts) if place == AttrPlace::Style => {
                self.style(&name.text, parts, span, out);
            }
            AttributeValue::Expr(Expr {
                kind: Ast::Text(parts),
                ..
            }) if place == AttrPlace::Style => self.style(&name.text, parts, span, out),
            AttributeValue::Expr(value) => {
                let value = self.expr(value);
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
        out.raw(&format!(" {name}=\""), span);
        let mut before = String::new();
        for part in parts {
            match part {
                TextPart::Chars { value, span } => {
                    before.push_str(&value.to_ascii_lowercase());
                    out.raw(&escape(value), *span);
                }
                TextPart::Expr(value) => {
                    let in_url = before
                        .rfind("url(")
                        .is_some_and(|at| !before[at..].contains(')'));
                    let place = if in_url {
                        AttrPlace::StyleUrl
                    } else {
                        AttrPlace::StyleValue
                    };
                    let value = self.expr(value);
                    let name = name.to_owned();
                    self.put(ExprKind::ViewAttr { name, place, value }, span, out);
                }
            }
        }
        out.raw("\"", span);
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

    /// `bind={variable}`
    fn bind_attribute(
        &mut self,
        element: &Element,
        target: &Expr,
        span: Span,
        content: &mut Content,
        out: &mut Output,
    ) {
        let (Some(control), Some(global)) =
            (self.control_of(element, span), self.bound_variable(target))
        else {
            return;
        };
        self.put(ExprKind::ViewBind { global, control }, span, out);
        match control {
            Control::Select => content.select = Some(global),
            Control::Textarea => content.text = Some(global),
            Control::Radio => {
                let own = self.own_value(element, span);
                let bound = self.emit(ExprKind::Global(global), span);
                self.put(ExprKind::ViewOption { own, bound }, span, out);
            }
            Control::Text | Control::Number | Control::Checkbox => {}
        }
        if control == Control::Textarea && element.children.iter().any(|child| !is_blank(child)) {
            self.report(
                Diagnostic::error(
                    Code::BadBind,
                    span,
                    "a bound `<textarea>` has no content of its own",
                )
                .hint("give the variable that first value"),
            );
        }
    }

    /// Whether an attribute is one that the binding of the element writes itself. Its name is the variable's, so another
    /// one has no effect; another first value would be a mistake.
    fn binding_writes(&mut self, element: &Element, name: &Name) -> bool {
        let is_bind = |attribute: &Attribute| matches!(attribute.kind, AttributeKind::Bind(_));
        if !element.attributes.iter().any(is_bind) {
            return false;
        }
        let ticked = matches!(own_type(element), Some("checkbox" | "radio"));
        let first_value = match &*name.text {
            "name" => return true,
            "value" => !ticked && &*element.name.text == "input",
            "checked" => ticked,
            _ => false,
        };
        if first_value {
            self.report(
                Diagnostic::error(
                    Code::BadBind,
                    name.span,
                    format!("`bind` gives this control its value, not `{}`", name.text),
                )
                .hint("give the variable that first value"),
            );
        }
        first_value
    }

    /// The kind of a control, by element and type.
    fn control_of(&mut self, element: &Element, span: Span) -> Option<Control> {
        match &*element.name.text {
            "textarea" => return Some(Control::Textarea),
            "select" => return Some(Control::Select),
            "input" => {}
            other => {
                self.report(
                    Diagnostic::error(Code::BadBind, span, format!("`<{other}>` cannot be bound"))
                        .hint("`bind` is for input, textarea and select"),
                );
                return None;
            }
        }
        let kind = element
            .attributes
            .iter()
            .find_map(|attribute| match &attribute.kind {
                AttributeKind::Plain { name, value } if &*name.text == "type" => Some(value),
                _ => None,
            });
        let kind = match kind {
            None | Some(AttributeValue::Flag) => "text",
            Some(AttributeValue::Static(kind)) => kind,
            Some(AttributeValue::Expr(_) | AttributeValue::Mixed(_)) => {
                self.unsupported(Unsupported::DynamicControls, span);
                return None;
            }
        };
        match kind {
            "number" | "range" => Some(Control::Number),
            "checkbox" => Some(Control::Checkbox),
            "radio" => Some(Control::Radio),
            "file" => {
                self.unsupported(Unsupported::Files, span);
                None
            }
            "button" | "submit" | "reset" | "image" => {
                self.report(
                    Diagnostic::error(Code::BadBind, span, "a button has no value to bind")
                        .hint("write `click={…}`"),
                );
                None
            }
            _ => Some(Control::Text),
        }
    }

    fn bound_variable(&mut self, target: &Expr) -> Option<GlobalIx> {
        let Ast::Name(name) = &target.kind else {
            if matches!(target.kind, Ast::Field { .. } | Ast::Index { .. }) {
                self.unsupported(Unsupported::BindParts, target.span);
            } else {
                let title = match &target.kind {
                    Ast::TypeName(name) => {
                        format!("`bind` needs a variable, and `{}` is none", name.text)
                    }
                    _ => "`bind` needs the name of a variable".to_owned(),
                };
                self.report(
                    Diagnostic::error(Code::BadBind, target.span, title)
                        .hint("declare a variable with a first value, and write `bind={name}`"),
                );
            }
            return None;
        };
        match self.meaning(&name.text) {
            Meaning::Var(var) if matches!(self.vars[var].role, Role::Variable) => {
                Some(GlobalIx(var as u32))
            }
            Meaning::Nothing => {
                self.read_plain(name);
                None
            }
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::BadBind,
                        name.span,
                        format!("`{}` is no variable of the page", name.text),
                    )
                    .hint("bind a variable of the top level"),
                );
                None
            }
        }
    }

    /// `selected` of an option inside of a bound select.
    fn option_mark(&mut self, element: &Element, bound: GlobalIx, out: &mut Output) {
        let span = element.name.span;
        let own = self.own_value(element, span);
        let bound = self.emit(ExprKind::Global(bound), span);
        self.put(ExprKind::ViewOption { own, bound }, span, out);
    }

    /// The value of an option or radio button: its `value`, or its text.
    fn own_value(&mut self, element: &Element, span: Span) -> ExprId {
        let value = element
            .attributes
            .iter()
            .find_map(|attribute| match &attribute.kind {
                AttributeKind::Plain { name, value } if &*name.text == "value" => Some(value),
                _ => None,
            });
        match value {
            Some(AttributeValue::Static(text)) => self.emit(ExprKind::Text(text.to_string()), span),
            Some(AttributeValue::Expr(value)) => self.expr(value),
            Some(AttributeValue::Mixed(parts)) => self.text(parts, span),
            Some(AttributeValue::Flag) => self.emit(ExprKind::Text(String::new()), span),
            None if &*element.name.text == "option" => {
                let mut parts = Vec::new();
                for child in &element.children {
                    match &child.kind {
                        MarkupKind::Text(text) => {
                            let text: &str = text.trim();
                            parts.push(self.emit(ExprKind::Text(text.to_owned()), child.span));
                        }
                        MarkupKind::Interpolation(value) => parts.push(self.expr(value)),
                        _ => {}
                    }
                }
                self.emit(ExprKind::Concat(parts), span)
            }
            None => self.emit(ExprKind::Text("on".to_owned()), span),
        }
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
        let of_keys = event.text.starts_with("key");
        for modifier in modifiers {
            if of_keys && KEYS.contains(&&*modifier.text) {
                continue;
            }
            let near = super::suggest::nearest_of(&modifier.text, KEYS.iter().copied());
            let mut diagnostic = Diagnostic::error(
                Code::BadHandler,
                modifier.span,
                format!("`{}` has no modifier `{}`", event.text, modifier.text),
            );
            diagnostic = match near {
                Some(near) if of_keys => diagnostic.hint(format!("did you mean `{near}`?")),
                _ => diagnostic.hint(format!(
                    "keydown, keyup and keypress take {}",
                    KEYS.join(", ")
                )),
            };
            self.report(diagnostic);
        }
    }
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

fn is_blank(node: &Markup) -> bool {
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
fn own_type(element: &Element) -> Option<&str> {
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
