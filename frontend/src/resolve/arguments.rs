//! Arguments of calls: by position or name, complete and in order. Must stay true: a call of a known function carries a value
//! for every parameter, defaults included; arguments are evaluated in the order of the source.

use flin_syntax::ast::{Arg, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, FnId};

use super::functions::{DefaultValue, ParamSignature, Signature};
use super::suggest::nearest_of;
use super::typenames::count_of;
use super::{Resolver, library};

/// What a parameter gets.
enum Value {
    Given(ExprId),
    /// What the function of a default value computes.
    Default(DefaultValue),
}

/// The parameters of a function in words; those with a default value may be left out.
fn listed(signature: &Signature) -> String {
    let words = signature.params.iter().enumerate().map(|(at, param)| {
        let name = param
            .name
            .as_deref()
            .map_or_else(|| format!("number {}", at + 1), |it| format!("`{it}`"));
        match param.default {
            Some(_) => format!("{name} (may be left out)"),
            None => name,
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Library functions are declared nowhere.
fn declared_at(diagnostic: Diagnostic, signature: &Signature) -> Diagnostic {
    if signature.span.start == signature.span.end {
        diagnostic
    } else {
        diagnostic.also(signature.span, "declared here")
    }
}

/// Whether an argument that is left out has a default value that uses other arguments.
fn uses_arguments(signature: &Signature, slots: &[Option<ExprId>]) -> bool {
    let by_default = |(slot, param): (&Option<ExprId>, &ParamSignature)| {
        let default = param.default.as_ref();
        slot.is_none() && default.is_some_and(|default| !default.uses.is_empty())
    };
    slots.iter().zip(&signature.params).any(by_default)
}

impl Resolver<'_> {
    /// The number of arguments of a library function.
    pub(super) fn check_count(&mut self, name: &Name, found: usize) {
        let text = &*name.text;
        let counts = library::argument_counts(text);
        if counts.is_empty() || counts.contains(&found) {
            return;
        }
        let expected: Vec<String> = counts.iter().map(usize::to_string).collect();
        let plural = if counts == [1] { "" } else { "s" };
        let diagnostic = Diagnostic::error(
            Code::WrongArguments,
            name.span,
            format!(
                "`{text}` takes {} argument{plural}, found {found}",
                expected.join(" or ")
            ),
        );
        self.report(
            diagnostic
                .reason("written as a method, the value before the point is the first argument"),
        );
    }

    /// Arguments in the order of the source; who takes no names has refused them.
    pub(super) fn positional(&mut self, args: &[Arg], first: Option<ExprId>) -> Vec<ExprId> {
        let mut values: Vec<ExprId> = first.into_iter().collect();
        values.extend(args.iter().map(|arg| self.expr(&arg.value)));
        values
    }

    /// Names of arguments belong to declared functions: a value may be one function today and another one tomorrow.
    pub(super) fn refuse_names(&mut self, args: &[Arg], what: &str) {
        if let Some(name) = args.iter().find_map(|arg| arg.name.as_ref()) {
            self.report(
                Diagnostic::error(
                    Code::WrongArguments,
                    name.span,
                    format!("{what} takes its arguments by position"),
                )
                .label(format!("nothing is called `{}` here", name.text))
                .reason("names belong to the parameters of declared functions")
                .hint("leave the name out, and give the arguments in their order"),
            );
        }
    }

    /// Arguments of a library function: the statements before the call, and the values by position.
    pub(super) fn library_arguments(
        &mut self,
        name: &Name,
        args: &[Arg],
        first: Option<ExprId>,
    ) -> (Vec<ExprId>, Vec<ExprId>) {
        if args.iter().all(|arg| arg.name.is_none()) {
            return (Vec::new(), self.positional(args, first));
        }
        let values = self.positional(args, None);
        self.by_parameter_names(name, args, values, first)
    }

    /// Puts values, evaluated in the order of the source, to the positions that their names mean for a library function.
    /// `first` is the receiver of a method, or what a pipeline puts in front.
    pub(super) fn by_parameter_names(
        &mut self,
        function: &Name,
        args: &[Arg],
        values: Vec<ExprId>,
        first: Option<ExprId>,
    ) -> (Vec<ExprId>, Vec<ExprId>) {
        let signature = self.library_signature(function, args, first.is_some());
        let mut slots: Vec<Option<ExprId>> = vec![None; signature.params.len()];
        let mut order = Vec::new();
        let mut next = 0;
        if let (Some(first), Some(slot)) = (first, slots.first_mut()) {
            *slot = Some(first);
            next = 1;
        }
        let mut named = false;
        for (arg, value) in args.iter().zip(values) {
            let slot = match &arg.name {
                None if named => {
                    self.unnamed_after_named(arg.span);
                    continue;
                }
                None => {
                    next += 1;
                    next - 1
                }
                Some(name) => {
                    named = true;
                    match self.named_slot(&signature, name, &slots) {
                        Some(slot) => slot,
                        None => continue,
                    }
                }
            };
            match slots.get_mut(slot) {
                Some(place) => {
                    *place = Some(value);
                    order.push(slot);
                }
                None => self.too_many(&signature, next, arg.span),
            }
        }
        let before = if order.is_sorted() {
            Vec::new()
        } else {
            self.in_source_order(&order, &mut slots)
        };
        let last = slots.iter().rposition(Option::is_some);
        let filled = last.map_or(0, |last| last + 1);
        let mut complete = Vec::new();
        for (slot, param) in slots.into_iter().zip(&signature.params).take(filled) {
            complete.push(match slot {
                Some(value) => value,
                None => {
                    self.left_out(function, param.name.as_deref().unwrap_or_default());
                    self.error(function.span)
                }
            });
        }
        (before, complete)
    }

    fn left_out(&mut self, function: &Name, missing: &str) {
        self.report(
            Diagnostic::error(
                Code::WrongArguments,
                function.span,
                format!("`{}` needs a value for `{missing}`, too", function.text),
            )
            .label("an argument before the named one is missing"),
        );
    }

    /// Arguments for a known signature: statements that must run before the call, and one value per parameter.
    pub(super) fn arguments(
        &mut self,
        id: FnId,
        args: &[Arg],
        first: Option<ExprId>,
        span: Span,
    ) -> (Vec<ExprId>, Vec<ExprId>) {
        let signature = self.signatures[&id].clone();
        let mut slots: Vec<Option<ExprId>> = vec![None; signature.params.len()];
        let mut order = Vec::new();
        let mut next = 0;
        let mut extra = None;
        let mut refused = false;
        if let Some(first) = first {
            match slots.first_mut() {
                Some(slot) => *slot = Some(first),
                None => extra = Some(span),
            }
            order.push(0);
            next = 1;
        }
        for arg in args {
            let value = self.expr(&arg.value);
            let slot = match &arg.name {
                None if args
                    .iter()
                    .take_while(|it| !std::ptr::eq(*it, arg))
                    .any(|it| it.name.is_some()) =>
                {
                    refused = true;
                    self.unnamed_after_named(arg.span);
                    continue;
                }
                None => {
                    next += 1;
                    next - 1
                }
                Some(name) => match self.named_slot(&signature, name, &slots) {
                    Some(slot) => slot,
                    None => {
                        refused = true;
                        continue;
                    }
                },
            };
            match slots.get_mut(slot) {
                Some(place) => {
                    *place = Some(value);
                    order.push(slot);
                }
                None => extra = extra.or(Some(arg.span)),
            }
        }
        if let Some(extra) = extra {
            self.too_many(&signature, next, extra);
        }
        let shared = uses_arguments(&signature, &slots);
        let mut before = if order.is_sorted() && !shared {
            Vec::new()
        } else {
            self.in_source_order(&order, &mut slots)
        };
        let values = self.complete(&signature, slots, refused, span);
        let values = if shared {
            self.in_parameter_order(values, &signature, &mut before, span)
        } else {
            values
                .into_iter()
                .map(|value| self.filled(value, Vec::new(), span))
                .collect()
        };
        (before, values)
    }

    /// Default values that use other arguments: one after the other, each with the values before it.
    fn in_parameter_order(
        &mut self,
        values: Vec<Value>,
        signature: &Signature,
        before: &mut Vec<ExprId>,
        span: Span,
    ) -> Vec<ExprId> {
        let mut done: Vec<ExprId> = Vec::new();
        for (value, param) in values.into_iter().zip(&signature.params) {
            let uses = match (&value, &param.default) {
                (Value::Default(_), Some(default)) => default.uses.as_slice(),
                _ => &[],
            };
            let args = uses
                .iter()
                .map(|at| {
                    let kind = self.frame().exprs[done[*at].index()].kind.clone();
                    self.emit(kind, span)
                })
                .collect();
            let by_default = matches!(value, Value::Default(_));
            let mut id = self.filled(value, args, span);
            if by_default {
                let local = self.temporary(span);
                before.push(self.emit(ExprKind::Let(local, Some(id)), span));
                id = self.emit(ExprKind::Local(local), span);
            }
            done.push(id);
        }
        done
    }

    fn filled(&mut self, value: Value, mut args: Vec<ExprId>, span: Span) -> ExprId {
        match value {
            Value::Given(id) => id,
            Value::Default(default) => {
                for local in self.around_values(&default) {
                    args.push(self.emit(ExprKind::Local(local), span));
                }
                self.emit(ExprKind::CallFn(default.func, args), span)
            }
        }
    }

    /// Computes arguments into temporaries when names put them into another order.
    fn in_source_order(&mut self, order: &[usize], slots: &mut [Option<ExprId>]) -> Vec<ExprId> {
        let mut before = Vec::new();
        for slot in order {
            if let Some(value) = slots[*slot] {
                let span = self.frame().exprs[value.index()].span;
                let local = self.temporary(span);
                before.push(self.emit(ExprKind::Let(local, Some(value)), span));
                slots[*slot] = Some(self.emit(ExprKind::Local(local), span));
            }
        }
        before
    }

    /// Fills in defaults; a parameter without a value is reported.
    fn complete(
        &mut self,
        signature: &Signature,
        slots: Vec<Option<ExprId>>,
        refused: bool,
        span: Span,
    ) -> Vec<Value> {
        let mut missing = Vec::new();
        let mut values = Vec::new();
        for (at, (slot, param)) in slots.into_iter().zip(&signature.params).enumerate() {
            values.push(match (slot, &param.default) {
                (Some(value), _) => Value::Given(value),
                (None, Some(default)) => Value::Default(default.clone()),
                (None, None) => {
                    let name = param
                        .name
                        .as_deref()
                        .map_or_else(|| format!("number {}", at + 1), |it| format!("`{it}`"));
                    missing.push(name);
                    Value::Given(self.error(span))
                }
            });
        }
        if !missing.is_empty() && !refused {
            let needs = signature
                .params
                .iter()
                .filter(|param| param.default.is_none())
                .count();
            let verb = if missing.len() == 1 { "is" } else { "are" };
            self.report(
                Diagnostic::error(
                    Code::WrongArguments,
                    span,
                    format!(
                        "`{}` needs {}, {} {verb} missing",
                        signature.name,
                        count_of(needs, "argument"),
                        missing.join(" and "),
                    ),
                )
                .also(signature.span, "declared here")
                .hint(format!("its parameters are {}", listed(signature))),
            );
        }
        values
    }

    fn named_slot(
        &mut self,
        signature: &Signature,
        name: &Name,
        slots: &[Option<ExprId>],
    ) -> Option<usize> {
        let found = signature
            .params
            .iter()
            .position(|param| param.name.as_ref() == Some(&name.text));
        let diagnostic = match found {
            Some(at) if slots[at].is_some() => Diagnostic::error(
                Code::WrongArguments,
                name.span,
                format!("`{}` already has a value", name.text),
            )
            .label("given a second time"),
            Some(_) => return found,
            None => {
                let names: Vec<&str> = signature
                    .params
                    .iter()
                    .filter_map(|param| param.name.as_deref())
                    .collect();
                let unknown = Diagnostic::error(
                    Code::WrongArguments,
                    name.span,
                    format!("`{}` has no parameter `{}`", signature.name, name.text),
                );
                match nearest_of(&name.text, names.iter().copied()) {
                    Some(near) => unknown.hint(format!("did you mean `{near}`?")),
                    None if names.is_empty() => unknown.hint("it takes no arguments"),
                    None => unknown.hint(format!("its parameters are {}", names.join(", "))),
                }
            }
        };
        self.report(declared_at(diagnostic, signature));
        None
    }

    fn unnamed_after_named(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::WrongArguments,
                span,
                "an argument without a name stands after named ones",
            )
            .hint("give the arguments by position first, then those by name"),
        );
    }

    fn too_many(&mut self, signature: &Signature, found: usize, extra: Span) {
        self.report(declared_at(
            Diagnostic::error(
                Code::WrongArguments,
                extra,
                format!(
                    "`{}` takes {}, found {found}",
                    signature.name,
                    count_of(signature.params.len(), "argument")
                ),
            )
            .label("one too many"),
            signature,
        ));
    }
}
