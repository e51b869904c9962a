//! Default values of functions that are values. Here because such a function does not know by whom it is called: a
//! known one is completed by its caller, every other one has an entry for each number of arguments that it takes. Must
//! stay true: an entry has the captures of its function, so it runs with the same closure; default values are computed
//! in the order of the parameters, after all arguments.

use flin_bytecode::{Class, FuncId, FunctionBuilder, Reg, Signature, emit};

use super::Lowering;
use super::calls::Arg;
use super::function::{self, Lower};
use crate::hir::ExprId;
use crate::types::InstId;

/// What calls with only the first arguments look like.
fn first_params(signature: &Signature, given: usize) -> Signature {
    Signature {
        params: signature.params[..given].to_vec(),
        result: signature.result,
    }
}

impl Lowering<'_> {
    /// What calls of the function with fewer arguments enter, with all its captures: without the last one, without the
    /// last two, and so on.
    pub(super) fn entries(&mut self, id: InstId, captures: &[Class]) -> Vec<FuncId> {
        let instance = &self.types.instances[id.index()];
        let function = &self.program.functions[instance.func.index()];
        let known = function.params.iter().enumerate().rev();
        let optional = known
            .take_while(|(at, _)| matches!(instance.defaults.get(*at), Some(Some(_))))
            .count();
        let count = function.params.len();
        (1..=optional)
            .map(|left_out| self.entry_without(id, count - left_out, captures))
            .collect()
    }

    /// The number of the entry for calls with this many arguments.
    fn entry_of(&mut self, id: InstId, given: usize) -> FuncId {
        if let Some(known) = self.entries_of.get(&(id, given)) {
            return *known;
        }
        let signature = first_params(&self.signature(id), given);
        let function = &self.program.functions[self.types.instances[id.index()].func.index()];
        let func = self.module.declare_function(&function.name, signature);
        self.entries_of.insert((id, given), func);
        func
    }

    /// Whether a default value of the function needs what the function captures.
    fn defaults_capture(&self, id: InstId) -> bool {
        let function = &self.program.functions[self.types.instances[id.index()].func.index()];
        let mut defaults = function.params.iter().filter_map(|it| it.default.as_ref());
        defaults.any(|default| !default.captured.is_empty())
    }

    /// The entry for calls with this many arguments.
    fn entry_without(&mut self, id: InstId, given: usize, captures: &[Class]) -> FuncId {
        let signature = self.signature(id);
        let less = first_params(&signature, given);
        let function = &self.program.functions[self.types.instances[id.index()].func.index()];
        let func = self.entry_of(id, given);
        let builder = FunctionBuilder::closure(function.name.clone(), less, captures.to_vec());
        let mut lower = function::start(self, id, builder);
        lower.entry(id);
        let builder = lower.b;
        self.finish(func, builder, function.span);
        func
    }
}

impl Lower<'_, '_> {
    /// The body of an entry: fills in what was left out and calls the function with its own closure.
    fn entry(&mut self, id: InstId) {
        let params = self.param_types(id);
        let signature = self.cx.signature(id);
        let given: Vec<Arg> = (0..self.b.signature().params.len())
            .map(|at| Arg::Value(self.b.param(at), params[at]))
            .collect();
        if self.cx.defaults_capture(id) {
            self.place_captures();
        }
        let all = self.completed(id, &given);
        let closure = self.cx.needs_closure(id).then(|| self.b.closure_reg());
        let result = self.call_completed(id, closure, &all, None);
        function::emit_return(&mut self.b, signature.result, result);
    }

    /// Calls a known function value with fewer arguments than it takes.
    pub(super) fn call_with_defaults(
        &mut self,
        e: ExprId,
        callee: ExprId,
        args: &[ExprId],
        inst: InstId,
    ) -> Option<Reg> {
        let closure = if self.cx.needs_closure(inst) {
            let closure = self.b.temp(Class::Ref);
            self.eval_as_function(callee, closure);
            Some(closure)
        } else {
            self.effect(callee);
            None
        };
        if let (Some(closure), true) = (closure, self.cx.defaults_capture(inst)) {
            return self.call_entry(e, closure, args, inst);
        }
        let given: Vec<Arg> = args.iter().map(|arg| Arg::Expr(*arg)).collect();
        let all = self.completed(inst, &given);
        self.call_completed(inst, closure, &all, Some(e))
    }

    /// Calls the entry for so many arguments: default values that use what the function captures are computed there.
    fn call_entry(
        &mut self,
        e: ExprId,
        closure: Reg,
        args: &[ExprId],
        inst: InstId,
    ) -> Option<Reg> {
        let params = self.param_types(inst);
        let defaults = &self.cx.types.instances[inst.index()].defaults;
        if !(args.len()..params.len()).all(|at| matches!(defaults.get(at), Some(Some(_)))) {
            // Inference found no such call.
            self.unreachable();
            return None;
        }
        let signature = first_params(&self.cx.signature(inst), args.len());
        let window = self.closure_window(
            &signature,
            |this, slot| this.b.mov(Class::Ref, slot, closure),
            |this, at, slot| {
                this.eval_as(args[at], params[at], Some(slot));
            },
        );
        self.call_at(e);
        let func = self.cx.entry_of(inst, args.len());
        emit!(self.b, CallWith, window.scalar, window.reference, func);
        window.result
    }

    /// The arguments in registers of their own, each as its parameter's type, and the default values of the rest.
    fn completed(&mut self, inst: InstId, given: &[Arg]) -> Vec<Arg> {
        let params = self.param_types(inst);
        let instance = &self.cx.types.instances[inst.index()];
        let function = &self.cx.program.functions[instance.func.index()];
        let mut all: Vec<Arg> = Vec::with_capacity(params.len());
        for (at, ty) in params.into_iter().enumerate() {
            let value = self.b.temp(self.class(ty));
            let default = instance.defaults.get(at).copied().flatten();
            match (given.get(at), &function.params[at].default, default) {
                (Some(arg), ..) => {
                    self.arg_as(*arg, ty, Some(value));
                }
                (None, Some(known), Some(default)) => {
                    let mut args: Vec<Arg> = known.uses.iter().map(|n| all[*n as usize]).collect();
                    // Only an entry comes here: it has the captured variables.
                    for local in &known.captured {
                        let (reg, ty) = self.read_local(*local, None);
                        args.push(Arg::Value(reg, ty));
                    }
                    let from = self.cx.result_type(default);
                    let mark = self.b.mark();
                    let raw = self.direct_call(default, &args, None);
                    self.b.release(mark);
                    self.finish_call(raw, from, ty, Some(value));
                }
                // Inference found no such call.
                (None, ..) => self.unreachable(),
            }
            all.push(Arg::Value(value, ty));
        }
        all
    }

    /// Calls an instance with all its arguments; one that captures by a closure that has what it captures.
    pub(super) fn call_completed(
        &mut self,
        inst: InstId,
        closure: Option<Reg>,
        all: &[Arg],
        at: Option<ExprId>,
    ) -> Option<Reg> {
        let Some(closure) = closure else {
            return self.direct_call(inst, all, at);
        };
        let signature = self.cx.signature(inst);
        let params = self.param_types(inst);
        let window = self.closure_window(
            &signature,
            |this, slot| this.b.mov(Class::Ref, slot, closure),
            |this, n, slot| {
                this.arg_as(all[n], params[n], Some(slot));
            },
        );
        if let Some(e) = at {
            self.call_at(e);
        }
        let func = self.cx.functions[inst.index()];
        emit!(self.b, CallWith, window.scalar, window.reference, func);
        window.result
    }
}
