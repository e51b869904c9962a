//! Calls of library rows. Must stay true: an argument has the class that the row's scheme asks for, and the type too
//! where the scheme names a scalar or text; what kind of object a body gets it checks itself.

use flin_bytecode::library::LibType;
use flin_bytecode::module::Signature;
use flin_bytecode::{Bank, Class, LibId, Native, Reg, emit};

use super::calls::Arg;
use super::function::Lower;
use crate::hir::ExprId;
use crate::types::Ty;

impl Lower<'_, '_> {
    /// Calls a native row and gives the result as the expression's type.
    pub(super) fn call_row(
        &mut self,
        e: ExprId,
        row: LibId,
        args: &[Arg],
        want: Option<Reg>,
    ) -> Reg {
        let ty = self.ty(e);
        let from = self.row_result(row);
        let mark = self.b.mark();
        let raw = self.lib_window(row, args, Some(e));
        self.b.release(mark);
        if row.scheme().result == LibType::Never {
            return self.no_value(ty, want);
        }
        match from {
            Some(from) => self.finish_call(raw, from, ty, want),
            // Class ref, kind as the row says: the expression's type agrees or is a union that has it.
            None => match (raw, self.class(ty)) {
                (Some(raw), Class::Any) => {
                    let dst = self.dst(want, Class::Any);
                    emit!(self.b, BoxRef, dst, raw);
                    dst
                }
                (Some(raw), _) => self.settle_as(raw, ty, want),
                (None, _) => self.no_value(ty, want),
            },
        }
    }

    /// The type of a row's result where it says a class that needs converting; `None` for objects.
    pub(super) fn row_result(&self, row: LibId) -> Option<Ty> {
        match row.scheme().result {
            LibType::None | LibType::Never => Some(Ty::None),
            LibType::Int => Some(Ty::Int),
            LibType::Float => Some(Ty::Float),
            LibType::Bool => Some(Ty::Bool),
            LibType::Time => Some(Ty::Time),
            LibType::Duration => Some(Ty::Duration),
            LibType::Text => Some(Ty::Text),
            ref other if other.class() == Class::Any => Some(Ty::Any),
            LibType::Range => Some(Ty::Range),
            LibType::Error => Some(Ty::Error),
            LibType::Response => Some(Ty::Response),
            LibType::Any
            | LibType::Var(_)
            | LibType::Union(_)
            | LibType::Entity
            | LibType::Query
            | LibType::Opaque
            | LibType::List(_)
            | LibType::Map(..)
            | LibType::Tuple(_)
            | LibType::Func(..)
            | LibType::Optional(_) => None,
        }
    }

    /// Calls a row; its result as the row gives it.
    pub(super) fn call_lib(&mut self, row: LibId, args: &[Arg], want: Option<Reg>) {
        let mark = self.b.mark();
        let raw = self.lib_window(row, args, None);
        self.b.release(mark);
        if let (Some(raw), Some(want), Some(class)) = (raw, want, row.signature().result) {
            self.b.mov(class, want, raw);
        }
    }

    /// Calls a native row with arguments that have the row's classes already.
    pub(super) fn native(&mut self, native: Native, args: &[Reg], result: Option<Reg>) {
        let row = native.lib_id();
        let signature = row.signature();
        let mark = self.b.mark();
        let window = self.b.window(signature);
        for ((&reg, &slot), &class) in args.iter().zip(&window.args).zip(&signature.params) {
            self.b.mov(class, slot, reg);
        }
        emit!(self.b, CallLib, window.scalar, window.reference, row);
        self.b.release(mark);
        if let (Some(raw), Some(result), Some(class)) = (window.result, result, signature.result) {
            self.b.mov(class, result, raw);
        }
    }

    pub(super) fn lib_window(
        &mut self,
        row: LibId,
        args: &[Arg],
        at: Option<ExprId>,
    ) -> Option<Reg> {
        let signature = self.with_objects(row.signature(), args);
        let params = &row.scheme().params;
        let window = self.window(&signature, |this, at, slot| {
            if signature.params[at] == Class::Ref && params[at].class() == Class::Any {
                this.arg(args[at], Some(slot));
            } else {
                this.lib_arg(args[at], &params[at], slot);
            }
        });
        if let Some(e) = at {
            self.call_at(e);
        }
        emit!(self.b, CallLib, window.scalar, window.reference, row);
        window.result
    }

    /// The signature with class `ref` for arguments that are objects where `any` is read. The first argument keeps its
    /// class where a result may be left in its register.
    fn with_objects(&self, signature: &Signature, args: &[Arg]) -> Signature {
        let mut signature = signature.clone();
        let result = signature.result.map(Class::bank);
        let mut is_first = true;
        for (class, arg) in signature.params.iter_mut().zip(args) {
            let given = self.class(self.arg_ty(*arg));
            let in_bank = class.bank() == Bank::Reference;
            let is_left_alone = is_first && in_bank && result == Some(Bank::Reference);
            is_first &= !in_bank;
            if !is_left_alone && given.reads_as(*class) {
                *class = given;
            }
        }
        signature
    }

    /// An argument in the class and, as far as the row names one, of the type that a row asks for.
    pub(super) fn lib_arg(&mut self, arg: Arg, param: &LibType, slot: Reg) {
        let scalar = match param {
            LibType::Int => Some(Ty::Int),
            LibType::Float => Some(Ty::Float),
            LibType::Bool => Some(Ty::Bool),
            LibType::Time => Some(Ty::Time),
            LibType::Duration => Some(Ty::Duration),
            LibType::Text => Some(Ty::Text),
            LibType::Range => Some(Ty::Range),
            LibType::Error => Some(Ty::Error),
            _ if param.class() == Class::Any => Some(Ty::Any),
            _ => None,
        };
        if let Some(ty) = scalar {
            self.arg_as(arg, ty, Some(slot));
            return;
        }
        let from = self.arg_ty(arg);
        if self.class(from) == Class::Ref {
            self.arg(arg, Some(slot));
            return;
        }
        // An object whose kind the row's body checks itself; here only its class is made right.
        let mark = self.b.mark();
        let boxed = self.arg_as(arg, Ty::Any, None);
        self.b.release(mark);
        self.arg_position(arg);
        let desc = self.cx.lib_desc(param);
        emit!(self.b, UnboxRef, slot, boxed, desc);
    }
}
