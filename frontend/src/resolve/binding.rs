//! Bound controls: `bind={variable}` and `bind={form.name}`, by the kind of the control. Here, apart from other attributes,
//! because a binding is two things at once: what is shown, and what the browser may set. Must stay true: only variables of
//! the page and parts of them are bound; a position in a list is computed once, where the control stands.

use flin_syntax::ast::{
    Attribute, AttributeKind, AttributeValue, Element, Expr, ExprKind as Ast, MarkupKind, Name,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{AttrPlace, BinOp, BoundPart, Control, ExprId, ExprKind, GlobalIx, LocalId};
use crate::unsupported::Unsupported;

use super::markup::Output;
use super::names::{Item, Meaning, Role};
use super::tags::{Content, is_blank, own_type};
use super::{PRELUDE_WORLD, Resolver};

/// What a control is bound to.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    global: GlobalIx,
    part: Option<Part>,
    /// A select of several values: a list.
    several: bool,
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

impl Resolver<'_> {
    /// `bind={variable}`, `bind={form.name}`
    pub(super) fn bind_attribute(
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
            Control::Select | Control::Several => {
                let several = control == Control::Several;
                content.select = Some(Bound { several, ..bound });
            }
            Control::Textarea => content.text = Some(bound),
            Control::Radio => {
                let own = self.own_value(element, span);
                let bound = self.emit(bound.read(), span);
                let radio = true;
                self.put(ExprKind::ViewOption { own, bound, radio }, span, out);
            }
            Control::Text
            | Control::Number
            | Control::Checkbox
            | Control::Day
            | Control::Moment => {}
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
    pub(super) fn binding_writes(&mut self, element: &Element, name: &Name) -> bool {
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
                let radio = true;
                parts.push(self.emit(ExprKind::ViewOption { own, bound, radio }, span));
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
            "select" if has_attribute(element, "multiple") => {
                return Some(ControlKind::Fixed(Control::Several));
            }
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
            "date" => Some(Control::Day),
            "datetime-local" => Some(Control::Moment),
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
        let of_instance = match &whole.kind {
            Ast::Name(name) => self.bound_in_instance(name),
            _ => None,
        };
        let (global, mut path, mut part) = match of_instance {
            Some(found) => found,
            None => {
                let global = self.bound_variable(whole)?;
                if steps.is_empty() {
                    return Some(Bound {
                        global,
                        part: None,
                        several: false,
                    });
                }
                let name = self.vars[global.index()].name.to_string();
                let path = vec![self.emit(ExprKind::Text(name), span)];
                let part = self.emit(ExprKind::Global(global), whole.span);
                (global, path, part)
            }
        };
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
                    let value = self.place_in(part, value, index.span);
                    let local = self.temporary(index.span);
                    self.put(ExprKind::Let(local, Some(value)), index.span, out);
                    path.push(self.address_step(local, index.span));
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
            several: false,
        })
    }

    /// A step into a list, counted from the front also where the program counts from the end: the address of a part must
    /// mean the same item to the browser.
    fn place_in(&mut self, whole: ExprId, step: ExprId, span: Span) -> ExprId {
        match self.worlds[PRELUDE_WORLD].get("__bound_place") {
            Some((Item::Function(function), _)) => {
                self.emit(ExprKind::CallFn(function, vec![whole, step]), span)
            }
            Some(_) | None => step,
        }
    }

    /// A computed step of an address, which has points between its steps: a point in a key is written `~1`, `~` is `~0`.
    fn address_step(&mut self, step: LocalId, span: Span) -> ExprId {
        let step = self.emit(ExprKind::Local(step), span);
        let mut text = self.emit(ExprKind::Concat(vec![step]), span);
        for (sign, written) in [("~", "~0"), (".", "~1")] {
            let sign = self.emit(ExprKind::Text(sign.to_owned()), span);
            let written = self.emit(ExprKind::Text(written.to_owned()), span);
            let call = ExprKind::CallLib("replace".to_owned(), vec![text, sign, written]);
            text = self.emit(call, span);
        }
        text
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
    pub(super) fn option_mark(&mut self, element: &Element, bound: Bound, out: &mut Output) {
        let span = element.name.span;
        let own = self.own_value(element, span);
        let several = bound.several;
        let bound = self.emit(bound.read(), span);
        if several
            && let Some((Item::Function(function), _)) = self.worlds[PRELUDE_WORLD].get("__chosen")
        {
            let own = self.emit(ExprKind::Concat(vec![own]), span);
            let value = self.emit(ExprKind::CallFn(function, vec![bound, own]), span);
            let (name, place) = ("selected".to_owned(), AttrPlace::Boolean);
            return self.put(ExprKind::ViewAttr { name, place, value }, span, out);
        }
        let radio = false;
        self.put(ExprKind::ViewOption { own, bound, radio }, span, out);
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
}

fn has_attribute(element: &Element, wanted: &str) -> bool {
    element.attributes.iter().any(|attribute| {
        matches!(&attribute.kind, AttributeKind::Plain { name, .. } if &*name.text == wanted)
    })
}

fn has_computed_type(element: &Element) -> bool {
    element.attributes.iter().any(|attribute| {
        matches!(&attribute.kind, AttributeKind::Plain { name, value: AttributeValue::Expr(_) | AttributeValue::Mixed(_) }
            if &*name.text == "type")
    })
}
