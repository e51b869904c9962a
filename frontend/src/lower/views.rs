//! What a view writes. Must stay true: everything a visitor's data can reach goes through an operation that escapes for
//! its place; only literal markup and `raw(…)` are written as they are.

use flin_bytecode::{Bank, Class, GlobalId, HandlerId, Reg, emit};
use flin_syntax::Span;

use super::function::Lower;
use crate::hir::{AttrPlace, BoundPart, Control, ExprId, ExprKind, GlobalIx};
use crate::types::Ty;

impl Lower<'_, '_> {
    pub(super) fn view(&mut self, e: ExprId) {
        let f = self.f;
        let expr = &f.exprs[e.index()];
        match &expr.kind {
            ExprKind::ViewRaw(markup) => {
                let id = self.cx.module.const_text(markup);
                emit!(self.b, ViewRaw, id);
            }
            ExprKind::ViewText(value) => self.view_text(*value),
            ExprKind::ViewHtml(value) => {
                let text = self.text(*value, None);
                emit!(self.b, ViewHtml, text);
            }
            ExprKind::ViewAttr { name, place, value } => {
                self.view_attr(expr.span, name, *place, *value);
            }
            ExprKind::ViewBind {
                global,
                control,
                part,
            } => self.view_bind(*global, *control, *part),
            ExprKind::ViewOption { own, bound } => {
                let own = self.shown(*own);
                let bound = self.shown(*bound);
                emit!(self.b, ViewOption, own, bound);
            }
            ExprKind::ViewKey(local) => {
                let (value, ty) = self.read_local(*local, None);
                let value = self.shown_value(value, ty);
                emit!(self.b, ViewKey, value);
            }
            ExprKind::ViewOn {
                handler,
                args,
                button,
            } => {
                let first = self.captured(args);
                let (count, handler) = (args.len() as i32, HandlerId(*handler));
                if *button {
                    emit!(self.b, ViewOnButton, first, count, handler);
                } else {
                    emit!(self.b, ViewOn, first, count, handler);
                }
            }
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
            ExprKind::ViewHead(items) => {
                emit!(self.b, ViewHead, 1);
                items.iter().for_each(|item| self.effect(*item));
                emit!(self.b, ViewHead, 0);
            }
            _ => unreachable!("{} hands only view expressions over", self.f.name),
        }
    }

    /// An attribute. One that is only there or not is a jump around its name.
    fn view_attr(&mut self, span: Span, name: &str, place: AttrPlace, value: ExprId) {
        if place == AttrPlace::Boolean {
            let shown = self.truth(value, None);
            self.at(span);
            self.raw_if(shown, &format!(" {name}"));
            return;
        }
        let shown = self.shown(value);
        let name = self.cx.module.const_text(name);
        self.at(span);
        emit!(self.b, ViewAttr, shown, place as i32, name);
    }

    /// The attributes of a bound control. Only text and number inputs show their value in an attribute.
    fn view_bind(&mut self, global: GlobalIx, control: Control, part: Option<BoundPart>) {
        let path = part.map(|part| self.text(part.path, None));
        let bound = (self.cx.global_id(global), path);
        match control {
            Control::Text | Control::Number => {
                let (value, ty) = self.bound_value(global, part);
                let shown = self.shown_value(value, ty);
                self.emit_bind(shown, control, bound);
            }
            Control::Checkbox => {
                let (value, ty) = self.bound_value(global, part);
                let checked = self.truth_of(value, ty, None);
                self.view_bind_empty(control, bound);
                self.raw_if(checked, " checked");
            }
            Control::Radio | Control::Select | Control::Textarea => {
                self.view_bind_empty(control, bound);
            }
        }
    }

    fn bound_value(&mut self, global: GlobalIx, part: Option<BoundPart>) -> (Reg, Ty) {
        match part {
            Some(part) => (self.eval(part.value, None), self.ty(part.value)),
            None => {
                let ty = self.cx.types.globals[global.index()];
                (self.global_value(global, ty), ty)
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
    fn shown(&mut self, value: ExprId) -> Reg {
        let ty = self.ty(value);
        let reg = self.eval(value, None);
        self.shown_value(reg, ty)
    }

    fn shown_value(&mut self, reg: Reg, ty: Ty) -> Reg {
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
