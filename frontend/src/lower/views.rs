//! What a view writes. Must stay true: everything a visitor's data can reach goes through an operation that escapes for
//! its place; only literal markup and `raw(…)` are written as they are.

use flin_bytecode::{Bank, Class, HandlerId, Reg, emit};

use super::function::Lower;
use crate::hir::{ExprId, ExprKind};
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
                let reg = self.eval_as(*value, Ty::Any, None);
                let name = self.cx.module.const_text(name);
                self.at(expr.span);
                emit!(self.b, ViewAttr, reg, *place as i32, name);
            }
            ExprKind::ViewBind { global, control } => {
                let ty = self.cx.types.globals[global.index()];
                let id = self.cx.global_id(*global);
                let value = self.global_value(*global, ty);
                let value = self.convert(value, ty, Ty::Any, None);
                emit!(self.b, ViewBind, value, *control as i32, id);
            }
            ExprKind::ViewOption { own, bound } => {
                let own = self.operand_as(*own, Ty::Any, &[*bound]);
                let bound = self.eval_as(*bound, Ty::Any, None);
                emit!(self.b, ViewOption, own, bound);
            }
            ExprKind::ViewKey(local) => {
                let (value, ty) = self.read_local(*local, None);
                let value = self.convert(value, ty, Ty::Any, None);
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

    fn view_text(&mut self, value: ExprId) {
        let ty = self.ty(value);
        if matches!(ty, Ty::Time | Ty::Duration) {
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
        let first = self.b.run(Bank::Reference, &vec![Class::Any; args.len()]);
        for (at, arg) in args.iter().enumerate() {
            self.eval_as(*arg, Ty::Any, Some(Reg(first.0 + at as u16)));
        }
        first
    }
}
