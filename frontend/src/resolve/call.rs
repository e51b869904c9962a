//! Calls: which function is meant, and its arguments complete and in order. Must stay true: a call of a known function
//! carries a value for every parameter, defaults included; arguments are evaluated in the order of the source.

use flin_syntax::ast::{Arg, Expr, ExprKind as Ast, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{EnumIx, ExprId, ExprKind, FnId, LocalId, Program};

use super::functions::{DefaultValue, ParamSignature, Signature};
use super::names::{Item, Meaning};
use super::query::takes_fields;
use super::scope::Binding;
use super::suggest::{Wanted, nearest_of};
use super::typenames::count_of;
use super::waiting::Question;
use super::{PRELUDE_WORLD, Resolver, library};

/// What stands before the parentheses, once it is known.
enum Callee {
    /// A function of the program.
    Function(FnId),
    /// A function held by a local.
    Closure(ExprId, FnId),
    /// A lambda held by a local (of this function and number) that should not be assigned again.
    Lambda(ExprId, FnId, (FnId, LocalId)),
    Value(ExprId),
    Library(Name),
    Unknown,
}

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
    /// `callee(args)`; `first` is a value that a pipeline puts in front of the arguments.
    pub(super) fn call(
        &mut self,
        callee: &Expr,
        args: &[Arg],
        first: Option<ExprId>,
        span: Span,
    ) -> ExprId {
        match &callee.kind {
            Ast::Name(name) => {
                if &*name.text == "raw" && !self.is_visible("raw") {
                    return self.raw_elsewhere(name, args);
                }
                if let Some(asked) = Question::named(&name.text)
                    && first.is_none()
                    && !self.is_visible(&name.text)
                    && let Some(answer) = self.question(asked, args, span)
                {
                    return answer;
                }
                let callee = self.callee(name);
                self.call_of(callee, args, first, span)
            }
            Ast::TypeName(name) => self.call_of_type(name, args, first, span),
            Ast::Field {
                object,
                name,
                optional,
            } => {
                if let Ast::TypeName(enum_name) = &object.kind
                    && let Some(Item::Enum(at)) = self.top(&enum_name.text)
                {
                    return self.variant(at, name, args, span);
                }
                if first.is_some() {
                    let callee = self.expr(callee);
                    return self.call_of(Callee::Value(callee), args, first, span);
                }
                self.method(object, name, *optional, args, span)
            }
            _ => {
                let value = self.expr(callee);
                self.call_of(Callee::Value(value), args, first, span)
            }
        }
    }

    /// `value |> target`
    pub(super) fn pipe(&mut self, value: &Expr, target: &Expr, span: Span) -> ExprId {
        let value = self.expr(value);
        match &target.kind {
            Ast::Call { callee, args } => self.call(callee, args, Some(value), span),
            _ => self.call(target, &[], Some(value), span),
        }
    }

    /// What a name before parentheses means.
    fn callee(&mut self, name: &Name) -> Callee {
        match self.meaning(&name.text) {
            Meaning::Function(id) => Callee::Function(id),
            Meaning::Closure(local, id) => {
                let value = self.emit(ExprKind::Local(local), name.span);
                Callee::Closure(value, id)
            }
            Meaning::Nothing => {
                let text = &*name.text;
                let internal = self.world == PRELUDE_WORLD && text.starts_with("__");
                // What could not be read may declare the program's own function of that name.
                let lost = self.world != PRELUDE_WORLD && self.refused.contains(&name.text);
                if internal || !lost && library::exists(text) && !text.starts_with("__") {
                    return Callee::Library(name.clone());
                }
                self.unknown_function(name);
                Callee::Unknown
            }
            Meaning::Local(local) => {
                let value = self.emit(ExprKind::Local(local), name.span);
                match self.held_lambda(&name.text) {
                    Some((id, declared)) => Callee::Lambda(value, id, declared),
                    None => Callee::Value(value),
                }
            }
            Meaning::Var(_)
            | Meaning::Entity(_)
            | Meaning::Enum(_)
            | Meaning::Alias
            | Meaning::Component => Callee::Value(self.read_plain(name)),
        }
    }

    fn unknown_function(&mut self, name: &Name) {
        let text = &*name.text;
        let mut diagnostic = Diagnostic::error(
            Code::UnknownFunction,
            name.span,
            format!("there is no function `{text}`"),
        );
        if let Some(here) = super::suggest::function_from_elsewhere(text) {
            return self.report(diagnostic.hint(format!("in FLIN that is `{here}`")));
        }
        diagnostic = match self.nearest(text, Wanted::Function) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint(format!("declare it: `fn {text}(…) {{ … }}`")),
        };
        self.report_missing(name, diagnostic);
    }

    fn call_of(
        &mut self,
        callee: Callee,
        args: &[Arg],
        first: Option<ExprId>,
        span: Span,
    ) -> ExprId {
        match callee {
            Callee::Function(id) => self.direct(id, args, first, span),
            Callee::Closure(value, id) if self.leaves_out_unknown(id, args, first) => {
                self.call_of(Callee::Value(value), args, first, span)
            }
            Callee::Closure(value, id) => {
                let (before, args) = self.arguments(id, args, first, span);
                let call = self.emit(ExprKind::CallValue(value, args), span);
                self.after(before, call, span)
            }
            Callee::Lambda(value, id, declared) if args.iter().any(|arg| arg.name.is_some()) => {
                self.calls_by_signature.push((declared.0, declared.1, span));
                self.call_of(Callee::Closure(value, id), args, first, span)
            }
            Callee::Value(value) | Callee::Lambda(value, ..) => {
                self.refuse_names(args, "a function value");
                let args = self.positional(args, first);
                self.emit(ExprKind::CallValue(value, args), span)
            }
            Callee::Library(name) => {
                let (before, args) = self.library_arguments(&name, args, first);
                let args = self.joined(&name.text, args, span);
                self.check_count(&name, args.len());
                let call = self.emit(ExprKind::CallLib(name.text.to_string(), args), span);
                self.after(before, call, span)
            }
            Callee::Unknown => {
                self.positional(args, first);
                self.error(span)
            }
        }
    }

    /// Whether a call before the declaration leaves out arguments: what their default values use is not known yet, so
    /// the function itself fills them in.
    fn leaves_out_unknown(&self, id: FnId, args: &[Arg], first: Option<ExprId>) -> bool {
        let params = &self.signatures[&id].params;
        self.undeclared.contains(&id)
            && args.len() + usize::from(first.is_some()) < params.len()
            && params.iter().any(|it| it.default.is_some())
    }

    /// The number of arguments of a library function.
    fn check_count(&mut self, name: &Name, found: usize) {
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

    /// A call of a function of the program.
    pub(super) fn direct(
        &mut self,
        id: FnId,
        args: &[Arg],
        first: Option<ExprId>,
        span: Span,
    ) -> ExprId {
        let (before, args) = self.arguments(id, args, first, span);
        let call = self.emit(ExprKind::CallFn(id, args), span);
        self.after(before, call, span)
    }

    fn after(&mut self, mut before: Vec<ExprId>, id: ExprId, span: Span) -> ExprId {
        if before.is_empty() {
            return id;
        }
        before.push(id);
        self.emit(ExprKind::Block(before, true), span)
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

    /// The lambda that a visible local was declared with, and which local of which function that is.
    fn held_lambda(&self, name: &str) -> Option<(FnId, (FnId, LocalId))> {
        let (depth, Binding::Variable(local) | Binding::Constant(local)) = self.search(name)?
        else {
            return None;
        };
        let frame = &self.frames[depth];
        let lambda = frame.lambdas.get(&local)?;
        Some((*lambda, (frame.id, local)))
    }

    /// Calls that used names of the parameters of a lambda whose variable turned out to be assigned again.
    pub(super) fn check_calls_by_signature(&mut self, program: &Program) {
        for (func, local, span) in std::mem::take(&mut self.calls_by_signature) {
            let local = &program.functions[func.index()].locals[local.index()];
            if local.reassigned {
                self.report(
                    Diagnostic::error(
                        Code::WrongArguments,
                        span,
                        format!("`{}` may be another function by now", local.name),
                    )
                    .label("a call by name needs to know the function")
                    .also(local.span, "declared here, and assigned again elsewhere")
                    .hint("give all arguments by position"),
                );
            }
        }
    }

    /// Arguments of a library function: the statements before the call, and the values by position.
    fn library_arguments(
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
    fn by_parameter_names(
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
    fn arguments(
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

    /// `recv.name(args)`
    fn method(
        &mut self,
        object: &Expr,
        name: &Name,
        optional: bool,
        args: &[Arg],
        span: Span,
    ) -> ExprId {
        let root = self.query_entity(object);
        let recv = self.expr(object);
        if matches!(self.frame().exprs[recv.index()].kind, ExprKind::Error) {
            // Whether bare names in the arguments are fields depends on what is not known.
            if !takes_fields(&name.text) {
                self.positional(args, None);
            }
            return self.error(span);
        }
        let mut values = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            let is_first = match &arg.name {
                None => at == 0,
                Some(named) => self.is_first_argument(&name.text, &named.text),
            };
            values.push(if is_first {
                self.query_argument(root, &name.text, &arg.value)
            } else {
                self.expr(&arg.value)
            });
        }
        let mut before = Vec::new();
        let mut recv = recv;
        if args.iter().any(|arg| arg.name.is_some()) {
            if self.has_parameter_names(&name.text) {
                let local = self.temporary(object.span);
                let held = self.emit(ExprKind::Let(local, Some(recv)), object.span);
                let again = self.emit(ExprKind::Local(local), object.span);
                let (early, complete) = self.by_parameter_names(name, args, values, Some(recv));
                values = complete
                    .split_first()
                    .map_or(Vec::new(), |(_, rest)| rest.to_vec());
                if !early.is_empty() {
                    before.push(held);
                    before.extend(early);
                    recv = again;
                }
            } else {
                self.refuse_names(args, &format!("`{}`", name.text));
            }
        }
        let call = self.emit(
            ExprKind::Method {
                recv,
                name: name.text.to_string(),
                name_span: name.span,
                args: values,
                optional,
            },
            span,
        );
        self.after(before, call, span)
    }

    /// `Name(args)`: a variant, or something that is called by mistake.
    fn call_of_type(
        &mut self,
        name: &Name,
        args: &[Arg],
        first: Option<ExprId>,
        span: Span,
    ) -> ExprId {
        if let (None, Some(only)) = (self.top(&name.text), self.enum_with(&name.text)) {
            return self.variant(only, name, args, span);
        }
        if self.top(&name.text).is_none()
            && self.search(&name.text).is_none()
            && !self.enums_with(&name.text).is_empty()
        {
            self.refuse_names(args, "a variant");
            let data = self.positional(args, first);
            return self.variant_of_several(name, data);
        }
        if let Some(Item::Entity(_)) = self.top(&name.text) {
            self.positional(args, first);
            self.report(
                Diagnostic::error(
                    Code::NotAValue,
                    name.span,
                    format!("the entity `{}` cannot be called", name.text),
                )
                .hint(format!(
                    "a new record is written `{} {{ field: value }}`",
                    name.text
                )),
            );
            return self.error(span);
        }
        let value = self.read_plain(name);
        self.call_of(Callee::Value(value), args, first, span)
    }

    /// `Status.Open`, `Msg.Move(1)`
    pub(super) fn variant(&mut self, at: EnumIx, name: &Name, args: &[Arg], span: Span) -> ExprId {
        self.refuse_names(args, "a variant");
        let values = self.positional(args, None);
        let Some((number, expected)) = self.variant_number(at, name) else {
            return self.error(span);
        };
        if expected != values.len() {
            self.report(
                Diagnostic::error(
                    Code::VariantData,
                    span,
                    format!(
                        "`{}` takes {}, found {}",
                        name.text,
                        count_of(expected, "value"),
                        values.len()
                    ),
                )
                .also(self.enums[at.index()].span, "declared here"),
            );
            return self.error(span);
        }
        self.emit(ExprKind::Variant(at, number, values), span)
    }

    /// Number of a variant and how many values it holds; reports an unknown one.
    pub(super) fn variant_number(&mut self, at: EnumIx, name: &Name) -> Option<(u32, usize)> {
        let decl = &self.enums[at.index()];
        if let Some(number) = decl
            .variants
            .iter()
            .position(|(variant, _)| **variant == *name.text)
        {
            return Some((number as u32, decl.variants[number].1.len()));
        }
        let near = nearest_of(
            &name.text,
            decl.variants.iter().map(|(variant, _)| variant.as_str()),
        );
        let all: Vec<&str> = decl
            .variants
            .iter()
            .map(|(variant, _)| variant.as_str())
            .collect();
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its variants are {}", all.join(", ")),
        };
        let diagnostic = Diagnostic::error(
            Code::UnknownVariant,
            name.span,
            format!("`{}` has no variant `{}`", decl.name, name.text),
        )
        .also(decl.span, "declared here")
        .hint(hint);
        self.report(diagnostic);
        None
    }

    fn raw_elsewhere(&mut self, name: &Name, args: &[Arg]) -> ExprId {
        self.positional(args, None);
        self.report(
            Diagnostic::error(
                Code::RawOutsideView,
                name.span,
                "`raw(…)` has a meaning only as a whole `{…}` in the text of a view",
            )
            .hint("write `{raw(html)}` between tags"),
        );
        self.error(name.span)
    }
}
