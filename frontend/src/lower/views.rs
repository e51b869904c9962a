//! What a view writes. Must stay true: everything a visitor's data can reach goes through an operation that escapes for
//! its place; only literal markup and `raw(…)` are written as they are.

use flin_bytecode::module::EVENT_PARAM_PREFIX;
use flin_bytecode::{Bank, Class, GlobalId, HandlerId, Owner, PlaceKind, Reg, emit};
use flin_syntax::Span;

use super::function::Lower;
use crate::hir::{AttrPlace, BoundPart, Control, ExprId, ExprKind, GlobalIx};
use crate::resolve::escape;
use crate::types::Ty;

impl Lower<'_, '_> {
    pub(super) fn view(&mut self, e: ExprId) {
        let f = self.f;
        match &f.exprs[e.index()].kind {
            ExprKind::ViewRaw(markup) => self.view.markup(markup),
            ExprKind::ViewChars(_) => self.content(&[e]),
            ExprKind::ViewElement(_) => self.element(e),
            ExprKind::ViewBlock(items) => self.branch_content(e, items),
            ExprKind::ViewNothing => self.no_branch(),
            ExprKind::ViewItem(item) => self.item(item),
            ExprKind::ViewEmpty(items) => self.empty_content(items),
            ExprKind::ViewText(value) => self.view_text(*value),
            ExprKind::ViewHtml(value) => self.view_html(*value),
            ExprKind::ViewForm { .. } if self.view.browser => {}
            ExprKind::ViewForm { handler, args } => {
                let first = self.captured(args);
                emit!(
                    self.b,
                    ViewForm,
                    first,
                    args.len() as i32,
                    HandlerId(*handler)
                );
            }
            ExprKind::ViewHead(items) => self.view_head(items),
            ExprKind::ViewAttr { .. }
            | ExprKind::ViewStyle(_)
            | ExprKind::ViewBind { .. }
            | ExprKind::ViewOption { .. }
            | ExprKind::ViewOn { .. } => self.attribute(e),
            _ => unreachable!("{} hands only view expressions over", self.f.name),
        }
    }

    fn view_html(&mut self, value: ExprId) {
        let placed = self.view.has_places();
        if placed {
            self.view.markup("<!--f-->");
        }
        self.flush();
        if self.value_place(PlaceKind::Html, &[value]).is_some() {
            let text = self.text(value, None);
            emit!(self.b, ViewHtml, text);
        }
        if placed {
            self.view.markup("<!--/f-->");
        }
    }

    fn view_head(&mut self, items: &[ExprId]) {
        if self.view.browser {
            return;
        }
        self.view.asks(items);
        self.flush();
        emit!(self.b, ViewHead, 1);
        self.view.inside += 1;
        self.content(items);
        self.flush();
        self.view.inside -= 1;
        emit!(self.b, ViewHead, 0);
    }

    /// What stands inside of a tag.
    pub(super) fn attribute(&mut self, e: ExprId) {
        let f = self.f;
        let expr = &f.exprs[e.index()];
        match &expr.kind {
            ExprKind::ViewRaw(markup) => self.view.markup(markup),
            ExprKind::Let(local, _) => self.tag_variable(e, *local),
            ExprKind::ViewAttr { name, place, value } => {
                self.view_attr(expr.span, name, *place, *value);
            }
            ExprKind::ViewStyle(parts) => {
                let kind = PlaceKind::Attribute("style".to_owned());
                if self.value_place(kind, parts).is_some() {
                    self.one_value(|this| parts.iter().for_each(|part| this.attribute(*part)));
                }
            }
            ExprKind::ViewBind {
                global,
                control,
                part: None,
            } => self.view_bind_whole(*global, *control),
            ExprKind::ViewBind {
                global,
                control,
                part: Some(part),
            } => {
                if self.value_place(PlaceKind::Attributes, &[e]).is_some() {
                    self.one_value(|this| this.view_bind_part(*global, *control, *part));
                }
            }
            ExprKind::ViewOption { own, bound, radio } => {
                let name = if *radio { "checked" } else { "selected" };
                let kind = PlaceKind::Attribute(name.to_owned());
                if self.value_place(kind, &[*own, *bound]).is_none() {
                    return;
                }
                self.flush();
                let own = self.shown(*own);
                let bound = self.shown(*bound);
                emit!(self.b, ViewOption, own, bound);
            }
            ExprKind::ViewOn {
                handler,
                args,
                button,
            } => self.view_on(*handler, args, *button),
            // A control whose kind is known only when it is written.
            _ => {
                if self.value_place(PlaceKind::Attributes, &[e]).is_some() {
                    self.one_value(|this| this.effect(e));
                }
            }
        }
    }

    /// A handler: what it captured is a place, all else about it is fixed.
    fn view_on(&mut self, handler: u32, args: &[ExprId], button: bool) {
        let event = self.handler_markup(handler);
        let name = format!("data-flin-args-{event}");
        let captures = !args.is_empty();
        if captures && self.value_place(PlaceKind::Attribute(name), args).is_none() {
            return;
        }
        if self.view.browser && !captures {
            return;
        }
        self.flush();
        let first = self.captured(args);
        let (count, handler) = (args.len() as i32, HandlerId(handler));
        if button && !self.view.browser {
            emit!(self.b, ViewOnButton, first, count, handler);
        } else {
            emit!(self.b, ViewOn, first, count, handler);
        }
    }

    /// What the machine writes for a handler, as the template has it. Gives the name of the event.
    fn handler_markup(&mut self, number: u32) -> String {
        let program = self.cx.program;
        let page = program.pages.iter().find(|page| page.view == self.id);
        let Some(handler) = page.and_then(|page| page.handlers.get(number as usize)) else {
            return String::new();
        };
        let event = escape(&handler.event);
        let mut markup = format!(" data-flin-on-{event}=\"{number}\"");
        let function = &program.functions[handler.func.index()];
        let told: Vec<&str> = function
            .params
            .iter()
            .filter_map(|param| {
                let name = &function.locals[param.local.index()].name;
                name.strip_prefix(EVENT_PARAM_PREFIX)
            })
            .collect();
        if !told.is_empty() {
            markup.push_str(&format!(" data-flin-tell-{event}=\"{}\"", told.join(" ")));
        }
        if handler.event.split('.').next() == Some("submit") {
            markup.push_str(" method=\"post\" action=\"/_action\"");
        }
        self.view.copied(&markup);
        event
    }

    /// A class or style that is a text needs nothing of the library, which makes texts of lists and maps.
    fn text_itself(&self, value: ExprId) -> ExprId {
        let ExprKind::CallFn(function, args) = &self.f.exprs[value.index()].kind else {
            return value;
        };
        let of_library = ["__class", "__style"]
            .iter()
            .any(|name| self.cx.program.prelude.get(*name) == Some(function));
        match args.as_slice() {
            [only] if of_library && matches!(self.ty(*only), Ty::Text | Ty::None) => *only,
            _ => value,
        }
    }

    /// An attribute. One that is only there or not is a jump around its name.
    fn view_attr(&mut self, span: Span, name: &str, place: AttrPlace, value: ExprId) {
        let value = self.text_itself(value);
        let placed = !matches!(place, AttrPlace::StyleValue | AttrPlace::StyleUrl);
        let kind = PlaceKind::Attribute(name.to_owned());
        if placed && self.value_place(kind, &[value]).is_none() {
            return;
        }
        if place == AttrPlace::Boolean {
            self.one_value(|this| {
                let shown = this.truth(value, None);
                this.at(span);
                this.raw_if(shown, &format!(" {name}"));
            });
            return;
        }
        self.flush();
        let shown = self.shown(value);
        let name = self.cx.module.const_text(name);
        self.at(span);
        emit!(self.b, ViewAttr, shown, place as i32, name);
    }

    /// The attributes of a control that is bound to a whole variable: only what it holds is a place.
    fn view_bind_whole(&mut self, global: GlobalIx, control: Control) {
        let name = escape(&self.cx.program.globals[global.index()].name);
        self.view
            .copied(&format!(" data-flin-bind=\"{name}\" name=\"{name}\""));
        let bound = (self.cx.global_id(global), None);
        let ty = self.cx.types.globals[global.index()];
        self.flush();
        match control {
            Control::Text | Control::Number | Control::Day | Control::Moment => {
                let kind = PlaceKind::Attribute("value".to_owned());
                if self.value_place_of(kind, Owner::Browser, &[]).is_none() {
                    return;
                }
                let value = self.global_value(global, ty);
                let shown = self.shown_value(value, ty);
                self.emit_bind(shown, control, bound);
            }
            Control::Checkbox => {
                self.view_bind_whole_empty(control, bound);
                let kind = PlaceKind::Attribute("checked".to_owned());
                if self.value_place_of(kind, Owner::Browser, &[]).is_none() {
                    return;
                }
                self.one_value(|this| {
                    let value = this.global_value(global, ty);
                    let checked = this.truth_of(value, ty, None);
                    this.raw_if(checked, " checked");
                });
            }
            Control::Radio | Control::Select | Control::Several | Control::Textarea => {
                self.view_bind_whole_empty(control, bound);
            }
        }
    }

    /// All of it is fixed: the browser has it in the template.
    fn view_bind_whole_empty(&mut self, control: Control, bound: (GlobalId, Option<Reg>)) {
        if !self.view.browser || self.view.inside > 0 {
            self.view_bind_empty(control, bound);
        }
    }

    /// The attributes of a control that is bound to a part of a variable.
    fn view_bind_part(&mut self, global: GlobalIx, control: Control, part: BoundPart) {
        let path = self.text(part.path, None);
        let bound = (self.cx.global_id(global), Some(path));
        let ty = self.ty(part.value);
        match control {
            Control::Text | Control::Number | Control::Day | Control::Moment => {
                let value = self.eval(part.value, None);
                let shown = self.shown_value(value, ty);
                self.emit_bind(shown, control, bound);
            }
            Control::Checkbox => {
                let value = self.eval(part.value, None);
                let checked = self.truth_of(value, ty, None);
                self.view_bind_empty(control, bound);
                self.raw_if(checked, " checked");
            }
            Control::Radio | Control::Select | Control::Several | Control::Textarea => {
                self.view_bind_empty(control, bound);
            }
        }
    }

    fn view_bind_empty(&mut self, control: Control, bound: (GlobalId, Option<Reg>)) {
        let none = self.b.temp(Class::Ref);
        emit!(self.b, NoneRef, none);
        self.emit_bind(none, control, bound);
    }

    fn emit_bind(&mut self, shown: Reg, control: Control, (id, path): (GlobalId, Option<Reg>)) {
        match path {
            Some(path) => emit!(self.b, ViewBindPart, shown, control as i32, path, id),
            None => emit!(self.b, ViewBind, shown, control as i32, id),
        }
    }

    /// Writes markup if the condition holds.
    fn raw_if(&mut self, condition: Reg, markup: &str) {
        let no = self.b.label();
        emit!(self.b, JumpUnless, condition, no);
        let id = self.cx.module.const_text(markup);
        emit!(self.b, ViewRaw, id);
        self.b.bind(no);
    }

    /// A value for an operation that writes it as text: scalars as their text, so that nothing is boxed. Floats stay
    /// what they are, because an input shows them without `.0`.
    pub(super) fn shown(&mut self, value: ExprId) -> Reg {
        let ty = self.ty(value);
        let reg = self.eval(value, None);
        self.shown_value(reg, ty)
    }

    pub(super) fn shown_value(&mut self, reg: Reg, ty: Ty) -> Reg {
        match self.class(ty) {
            Class::I64 | Class::Bool => self.text_of(reg, ty, None),
            Class::F64 | Class::Ref | Class::Any => self.word_of(reg, ty),
        }
    }

    fn view_text(&mut self, value: ExprId) {
        let ty = self.ty(value);
        if matches!(ty, Ty::Time | Ty::Duration | Ty::Query(_)) {
            let text = self.text(value, None);
            emit!(self.b, ViewTextRef, text);
            return;
        }
        if ty == Ty::None {
            self.effect(value);
            return;
        }
        let reg = self.eval(value, None);
        let span = self.span(value);
        self.at(span);
        match self.class(ty) {
            Class::I64 => emit!(self.b, ViewTextI64, reg),
            Class::F64 => emit!(self.b, ViewTextF64, reg),
            Class::Bool => emit!(self.b, ViewTextBool, reg),
            Class::Ref => emit!(self.b, ViewTextRef, reg),
            Class::Any => emit!(self.b, ViewTextAny, reg),
        }
    }

    /// The values that a handler captures, in registers side by side.
    fn captured(&mut self, args: &[ExprId]) -> Reg {
        let form = |this: &Self, arg: ExprId| match this.class(this.ty(arg)) {
            Class::Ref => this.ty(arg),
            Class::I64 | Class::F64 | Class::Bool | Class::Any => Ty::Any,
        };
        let classes: Vec<Class> = args.iter().map(|a| self.class(form(self, *a))).collect();
        let first = self.b.run(Bank::Reference, &classes);
        for (at, arg) in args.iter().enumerate() {
            let form = form(self, *arg);
            self.eval_as(*arg, form, Some(Reg(first.0 + at as u16)));
        }
        first
    }
}
