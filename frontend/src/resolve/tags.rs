//! Attributes of elements: plain ones with their escaping place, bound controls, event handlers. Must stay true: an attribute
//! that would run code is refused here; a handler is a function of its own that gets what it needs of the view as
//! parameters.

use std::sync::Arc;

use flin_syntax::ast::{
    Attribute, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, Markup, MarkupKind,
    Name, TextPart,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{AttrPlace, BinOp, BoundPart, Control, ExprId, ExprKind, GlobalIx, LocalId};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::markup::{Around, Output, escape};
use super::names::{Meaning, Role};

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

/// What a control is bound to.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    global: GlobalIx,
    part: Option<Part>,
}

/// A part of a variable.
#[derive(Clone, Copy)]
struct Part {
    /// Hold its value and its address.
    value: LocalId,
    path: LocalId,
    target: ExprId,
}

impl Bound {
    /// The bound value.
    pub(super) fn read(self) -> ExprKind {
        match self.part {
            Some(part) => ExprKind::Local(part.value),
            None => ExprKind::Global(self.global),
        }
    }
}

/// The kind of a control.
#[derive(Clone, Copy)]
enum ControlKind {
    Fixed(Control),
    /// This text says it when the page is written.
    Computed(ExprId),
}

/// A step from a value to a part of it.
enum PartStep<'e> {
    Name(Name),
    Index(&'e Expr),
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

    /// `bind={variable}`, `bind={form.name}`
    fn bind_attribute(
        &mut self,
        element: &Element,
        target: &Expr,
        span: Span,
        content: &mut Content,
        out: &mut Output,
    ) {
        let (Some(kind), Some(bound)) = (
            self.control_of(element, span),
            self.bound(target, span, out),
        ) else {
            return;
        };
        let control = match kind {
            ControlKind::Fixed(control) => control,
            ControlKind::Computed(kind) => {
                return self.computed_control(element, kind, bound, span, out);
            }
        };
        self.flush(out);
        out.ids.push(self.bound_control(bound, control, span));
        match control {
            Control::Select => content.select = Some(bound),
            Control::Textarea => content.text = Some(bound),
            Control::Radio => {
                let own = self.own_value(element, span);
                let bound = self.emit(bound.read(), span);
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
        if has_computed_type(element) {
            // It may be a radio button, whose value is its own.
            return &*name.text == "name";
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

    /// A control whose type is known only when the page is written: a box, a radio button, or one with text.
    fn computed_control(
        &mut self,
        element: &Element,
        kind: ExprId,
        bound: Bound,
        span: Span,
        out: &mut Output,
    ) {
        let local = self.temporary(span);
        self.put(ExprKind::Let(local, Some(kind)), span, out);
        let mut last = self.bound_control(bound, Control::Text, span);
        for (name, control) in [("radio", Control::Radio), ("checkbox", Control::Checkbox)] {
            let mut parts = vec![self.bound_control(bound, control, span)];
            if control == Control::Radio {
                let own = self.own_value(element, span);
                let bound = self.emit(bound.read(), span);
                parts.push(self.emit(ExprKind::ViewOption { own, bound }, span));
            }
            let then = self.emit(ExprKind::Block(parts, false), span);
            let kind = self.emit(ExprKind::Local(local), span);
            let name = self.emit(ExprKind::Text(name.to_owned()), span);
            let cond = self.emit(ExprKind::Binary(BinOp::Eq, kind, name), span);
            let otherwise = Some(last);
            last = self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise,
                },
                span,
            );
        }
        self.flush(out);
        out.ids.push(last);
    }

    /// The kind of a control, by element and type.
    fn control_of(&mut self, element: &Element, span: Span) -> Option<ControlKind> {
        match &*element.name.text {
            "textarea" => return Some(ControlKind::Fixed(Control::Textarea)),
            "select" => return Some(ControlKind::Fixed(Control::Select)),
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
            Some(AttributeValue::Expr(kind)) => {
                let kind = self.expr(kind);
                return Some(self.computed_kind(vec![kind], span));
            }
            Some(AttributeValue::Mixed(parts)) => {
                let kind = self.text(parts, span);
                return Some(self.computed_kind(vec![kind], span));
            }
        };
        let control = match kind {
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
        };
        control.map(ControlKind::Fixed)
    }

    fn computed_kind(&mut self, parts: Vec<ExprId>, span: Span) -> ControlKind {
        let text = self.emit(ExprKind::Concat(parts), span);
        let lower = ExprKind::CallLib("lower".to_owned(), vec![text]);
        ControlKind::Computed(self.emit(lower, span))
    }

    /// What a control is bound to. Of a part, positions are computed once, where the control stands.
    fn bound(&mut self, target: &Expr, span: Span, out: &mut Output) -> Option<Bound> {
        let mut steps = Vec::new();
        let mut whole = target;
        loop {
            whole = match &whole.kind {
                Ast::Field {
                    object,
                    name,
                    optional: false,
                } => {
                    steps.push(PartStep::Name(name.clone()));
                    object
                }
                Ast::Index { object, index } => {
                    steps.push(PartStep::Index(index));
                    object
                }
                _ => break,
            };
        }
        let global = self.bound_variable(whole)?;
        if steps.is_empty() {
            return Some(Bound { global, part: None });
        }
        let mut part = self.emit(ExprKind::Global(global), whole.span);
        let mut path = vec![self.emit(
            ExprKind::Text(self.vars[global.index()].name.to_string()),
            span,
        )];
        for step in steps.into_iter().rev() {
            path.push(self.emit(ExprKind::Text(".".to_owned()), span));
            match step {
                PartStep::Name(name) => {
                    path.push(self.emit(ExprKind::Text(name.text.to_string()), name.span));
                    let field = ExprKind::Field {
                        recv: part,
                        name: name.text.to_string(),
                        name_span: name.span,
                        optional: false,
                    };
                    part = self.emit(field, target.span);
                }
                PartStep::Index(index) => {
                    let value = self.expr(index);
                    let local = self.temporary(index.span);
                    self.put(ExprKind::Let(local, Some(value)), index.span, out);
                    path.push(self.emit(ExprKind::Local(local), index.span));
                    let local = self.emit(ExprKind::Local(local), index.span);
                    part = self.emit(ExprKind::Index(part, local), target.span);
                }
            }
        }
        let path = self.emit(ExprKind::Concat(path), target.span);
        let held = Part {
            value: self.temporary(target.span),
            path: self.temporary(target.span),
            target: part,
        };
        self.put(ExprKind::Let(held.value, Some(part)), target.span, out);
        self.put(ExprKind::Let(held.path, Some(path)), target.span, out);
        Some(Bound {
            global,
            part: Some(held),
        })
    }

    /// The attributes of a bound control.
    fn bound_control(&mut self, bound: Bound, control: Control, span: Span) -> ExprId {
        let part = bound.part.map(|part| BoundPart {
            value: self.emit(ExprKind::Local(part.value), span),
            target: part.target,
            path: self.emit(ExprKind::Local(part.path), span),
        });
        let kind = ExprKind::ViewBind {
            global: bound.global,
            control,
            part,
        };
        self.emit(kind, span)
    }

    fn bound_variable(&mut self, target: &Expr) -> Option<GlobalIx> {
        let Ast::Name(name) = &target.kind else {
            let title = match &target.kind {
                Ast::TypeName(name) => {
                    format!("`bind` needs a variable, and `{}` is none", name.text)
                }
                _ => "`bind` needs the name of a variable".to_owned(),
            };
            self.report(
                Diagnostic::error(Code::BadBind, target.span, title).hint(
                    "declare a variable with a first value, and write `bind={name}`, or a part of it: `bind={form.name}`",
                ),
            );
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
    fn option_mark(&mut self, element: &Element, bound: Bound, out: &mut Output) {
        let span = element.name.span;
        let own = self.own_value(element, span);
        let bound = self.emit(bound.read(), span);
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

fn has_computed_type(element: &Element) -> bool {
    element.attributes.iter().any(|attribute| {
        matches!(&attribute.kind, AttributeKind::Plain { name, value: AttributeValue::Expr(_) | AttributeValue::Mixed(_) }
            if &*name.text == "type")
    })
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
