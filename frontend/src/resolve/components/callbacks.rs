//! Callbacks: props that are code of whoever uses the component. Here because such code runs where the component calls it
//! and means what it means where the tag stands. Must stay true: it sees the names around the tag and the instance that
//! the tag stands in, never those of the component; only its arguments come from there.

use std::sync::{Arc, LazyLock};

use flin_syntax::ast::{
    Arg, Attribute, AttributeKind, AttributeValue, Expr, ExprKind as Ast, Name, PatternKind,
};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, FnKind, LocalId, Param};
use crate::resolve::Resolver;
use crate::resolve::handlers::{EVENT, mentions_event};
use crate::resolve::names::Meaning;
use crate::resolve::patterns::Target;
use crate::resolve::scope::{Binding, FrameHead, Link, Place, Visible};

use super::Instance;

/// A prop that is code.
#[derive(Clone, Debug)]
pub(in crate::resolve) struct Callback<'a> {
    pub(in crate::resolve) name: Arc<str>,
    pub(in crate::resolve) span: Span,
    code: &'a Expr,
    /// It is written like a handler: what it does counts, not what it gives.
    acts: bool,
    /// Where names in it are looked up: the function, the blocks of it, the top level, the instance.
    depth: usize,
    blocks: usize,
    world: usize,
    instance: Option<Instance<'a>>,
}

/// What a callback that is left out does.
static NOTHING: LazyLock<Expr> = LazyLock::new(|| Expr::new(Ast::None, Span::default()));

impl<'a> Resolver<'a> {
    /// The callback that an attribute of a component's tag gives, if it gives one.
    pub(super) fn callback_of(&mut self, attribute: &'a Attribute) -> Option<(Name, usize)> {
        let (name, code, acts) = match &attribute.kind {
            AttributeKind::Event {
                event,
                modifiers,
                handler,
            } if modifiers.is_empty() && !matches!(handler.kind, Ast::None) => {
                (event, handler, true)
            }
            AttributeKind::Plain {
                name,
                value: AttributeValue::Expr(code),
            } => {
                if !self.is_code(code) {
                    return None;
                }
                (name, code, false)
            }
            AttributeKind::Plain { .. } | AttributeKind::Event { .. } | AttributeKind::Bind(_) => {
                return None;
            }
        };
        let at = self.add_callback(name, code, acts);
        Some((name.clone(), at))
    }

    fn add_callback(&mut self, name: &Name, code: &'a Expr, acts: bool) -> usize {
        self.callbacks.push(Callback {
            name: name.text.clone(),
            span: name.span,
            code,
            acts,
            depth: self.frames.len() - 1,
            blocks: self.open_blocks(),
            world: self.world,
            instance: self.instance.clone(),
        });
        self.callbacks.len() - 1
    }

    /// A callback that the tag leaves out: it is none, and to call it does nothing.
    pub(super) fn no_callback(&mut self, name: &Name) -> usize {
        self.add_callback(name, &NOTHING, true)
    }

    /// Whether an expression is a function whatever the values are: a lambda, or the name of a function.
    fn is_code(&mut self, code: &Expr) -> bool {
        match &code.kind {
            Ast::Lambda { .. } => true,
            Ast::Name(name) => {
                let own = self
                    .instance
                    .as_ref()
                    .is_some_and(|it| it.has_function(&name.text));
                own || matches!(
                    self.meaning(&name.text),
                    Meaning::Function(_) | Meaning::Closure(..) | Meaning::Callback(_)
                )
            }
            _ => false,
        }
    }

    /// Whether a handler that is this callback wants to know of the event.
    pub(in crate::resolve) fn callback_wants_event(&mut self, at: usize) -> bool {
        let code = self.callbacks[at].code;
        match &code.kind {
            Ast::Lambda { params, .. } => !params.is_empty(),
            Ast::Name(_) => self.there(at, |this| match &code.kind {
                Ast::Name(name) => match this.meaning(&name.text) {
                    Meaning::Function(id) => this.needs_event(id),
                    Meaning::Callback(outer) => this.callback_wants_event(outer),
                    _ => false,
                },
                _ => false,
            }),
            _ => mentions_event(code),
        }
    }

    /// Whether a callback that is a handler takes an argument, which can only be the event.
    pub(in crate::resolve) fn callback_takes(&mut self, at: usize) -> bool {
        let code = self.callbacks[at].code;
        matches!(code.kind, Ast::Lambda { .. } | Ast::Name(_)) && self.callback_wants_event(at)
    }

    /// Whether the code of a callback mentions the event.
    pub(in crate::resolve) fn callback_mentions_event(&self, at: usize) -> bool {
        mentions_event(self.callbacks[at].code)
    }

    /// Does something where the names of a callback's code mean what they mean there.
    fn there<T>(&mut self, at: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let callback = &self.callbacks[at];
        let (depth, blocks, world) = (callback.depth, callback.blocks, callback.world);
        let instance = callback.instance.clone();
        let event = self.own_event();
        self.open_elsewhere(depth, blocks);
        if let Some(event) = event {
            self.bind(&EVENT.into(), Binding::Variable(event));
        }
        let world = std::mem::replace(&mut self.world, world);
        let instance = std::mem::replace(&mut self.instance, instance);
        let phase = self.phase.take();
        let done = work(self);
        self.phase = phase;
        self.instance = instance;
        self.world = world;
        self.close_block();
        done
    }

    /// The event of the handler being read, if it has one.
    fn own_event(&mut self) -> Option<LocalId> {
        let Some(Visible {
            binding: Binding::Variable(local),
            ..
        }) = self.find_local(EVENT)
        else {
            return None;
        };
        let is_event = self.frame().locals[local.index()].span == self.event_span;
        (is_event && self.place() == Place::Handler).then_some(local)
    }

    /// `onSave(x)` in the component.
    pub(in crate::resolve) fn call_back(
        &mut self,
        at: usize,
        values: Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        let mut ids = Vec::new();
        let mut held = Vec::new();
        for value in values {
            let local = self.temporary(span);
            ids.push(self.emit(ExprKind::Let(local, Some(value)), span));
            held.push(local);
        }
        let value = self.there(at, |this| this.run_callback(at, &held, &mut ids, span));
        ids.push(value);
        self.emit(ExprKind::Block(ids, true), span)
    }

    fn run_callback(
        &mut self,
        at: usize,
        held: &[LocalId],
        ids: &mut Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        let code = self.callbacks[at].code;
        if self.place() != Place::Handler {
            self.needed_functions(code, ids);
            return self.callback_value(at, held, ids, span);
        }
        let touches = self.enter_instance(code, ids);
        let value = self.callback_value(at, held, ids, span);
        if !touches {
            return value;
        }
        let result = self.temporary(span);
        ids.push(self.emit(ExprKind::Let(result, Some(value)), span));
        self.keep_instance(true, ids, span);
        self.emit(ExprKind::Local(result), span)
    }

    fn callback_value(
        &mut self,
        at: usize,
        held: &[LocalId],
        ids: &mut Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        let (code, acts) = (self.callbacks[at].code, self.callbacks[at].acts);
        match &code.kind {
            Ast::Lambda { params, body } => {
                self.check_callback_count(at, params.len(), held.len(), span);
                for (at, param) in params.iter().enumerate() {
                    let value = match (held.get(at), &param.default) {
                        (Some(held), _) => self.emit(ExprKind::Local(*held), param.span),
                        (None, Some(default)) => self.expr(default),
                        (None, None) => self.emit(ExprKind::None, param.span),
                    };
                    let annotation = self.annotation(param.ty.as_ref());
                    match &param.pattern.kind {
                        PatternKind::Binding(name) => {
                            let local = self.declare(&name.text, name.span, annotation);
                            ids.push(self.emit(ExprKind::Let(local, Some(value)), param.span));
                        }
                        _ => {
                            let local = self.frame_mut().add_local("", param.span, annotation);
                            ids.push(self.emit(ExprKind::Let(local, Some(value)), param.span));
                            self.take_apart(&param.pattern, local, Target::Declare, ids);
                        }
                    }
                }
                self.callback_body(body)
            }
            Ast::Name(_) => {
                let args = self.named_values(held, span);
                self.call(code, &args, None, span)
            }
            _ if acts => {
                let done = self.callback_body(code);
                ids.push(done);
                self.emit(ExprKind::None, span)
            }
            _ => self.expr(code),
        }
    }

    /// A block is a function of its own: a `return` ends what the callback does, not what the component does.
    fn callback_body(&mut self, body: &Expr) -> ExprId {
        match &body.kind {
            Ast::Block(_) => {
                let run = self.lambda(&[], body, body.span);
                self.emit(ExprKind::CallValue(run, Vec::new()), body.span)
            }
            _ => self.effect(body),
        }
    }

    fn check_callback_count(&mut self, at: usize, takes: usize, found: usize, span: Span) {
        let params = match &self.callbacks[at].code.kind {
            Ast::Lambda { params, .. } => params.iter().filter(|it| it.default.is_none()).count(),
            _ => takes,
        };
        if (params..=takes).contains(&found) {
            return;
        }
        let (name, declared) = (self.callbacks[at].name.clone(), self.callbacks[at].span);
        let title = format!(
            "`{name}` takes {}, and gets {found}",
            crate::resolve::typenames::count_of(takes, "argument")
        );
        self.report(
            Diagnostic::error(Code::WrongArguments, span, title).also(declared, "given here"),
        );
    }

    /// Values as the arguments of a call that the program did not write.
    fn named_values(&mut self, held: &[LocalId], span: Span) -> Vec<Arg> {
        let named = held.iter().enumerate().map(|(at, local)| {
            // No name of a program looks like it.
            let name = Name::new(format!(".{at}").as_str(), span);
            self.bind(&name.text, Binding::Variable(*local));
            Arg {
                name: None,
                value: Expr::new(Ast::Name(name), span),
                span,
            }
        });
        named.collect()
    }

    /// A callback where a value is read: a function. In a view one that acts can do nothing; all that can be asked of
    /// it is whether it is there.
    pub(in crate::resolve) fn callback_as_value(&mut self, at: usize, span: Span) -> ExprId {
        let acts = self.callbacks[at].acts;
        if matches!(self.callbacks[at].code.kind, Ast::None) {
            return self.emit(ExprKind::None, span);
        }
        if acts && self.place() == Place::View {
            return self.emit(ExprKind::Bool(true), span);
        }
        let code = self.callbacks[at].code;
        let count = match &code.kind {
            Ast::Lambda { params, .. } => params.len(),
            Ast::Name(_) => self.there(at, |this| this.parameters_of(code)),
            _ => 0,
        };
        let id = self.announce(&Arc::from("lambda"), span, &[]);
        self.open(
            id,
            FrameHead {
                name: "lambda".to_owned(),
                span,
                kind: FnKind::Lambda,
                place: Place::Lambda,
                link: Link::Capture,
            },
        );
        let mut values = Vec::new();
        for _ in 0..count {
            let local = self.temporary(span);
            self.frame_mut().params.push(Param {
                local,
                annotation: None,
                default: None,
            });
            values.push(self.emit(ExprKind::Local(local), span));
        }
        let body = self.call_back(at, values, span);
        self.close(body);
        self.emit(ExprKind::Lambda(id), span)
    }

    /// How many arguments a function takes that is named here.
    fn parameters_of(&mut self, code: &Expr) -> usize {
        let Ast::Name(name) = &code.kind else {
            return 0;
        };
        match self.meaning(&name.text) {
            Meaning::Function(id) | Meaning::Closure(_, id) => self.signatures[&id].params.len(),
            _ => 0,
        }
    }
}
