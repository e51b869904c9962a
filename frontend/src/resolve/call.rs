//! Calls: which function is meant, and its arguments complete and in order. Must stay true: a call of a known function
//! carries a value for every parameter, defaults included; arguments are evaluated in the order of the source.

use flin_syntax::ast::{Arg, Expr, ExprKind as Ast, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{EnumIx, ExprId, ExprKind, FnId, LocalId, Program};

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
    /// Code that a component got as a prop.
    Callback(usize),
    Library(Name),
    Unknown,
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
                if let Some(callback) = self.callback_of_props(object, name) {
                    return self.call_of(Callee::Callback(callback), args, first, span);
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
            Meaning::Callback(at) => Callee::Callback(at),
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
            Callee::Callback(at) => {
                self.refuse_names(args, "a callback");
                let values = self.positional(args, first);
                self.call_back(at, values, span)
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
