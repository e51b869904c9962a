//! Event handlers: each is a function whose parameters are what it needs of the view. Must stay true: what a handler is
//! made of is fixed here, so a request can only choose a handler and give it values; a by-hand call can name a handler only
//! if it is exactly one call of a named function.

use flin_bytecode::module::{ConstValue, EVENT_PARAM_PREFIX};
use flin_syntax::ast::{Expr, ExprKind as Ast, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{
    ExprId, ExprKind, FnId, FnKind, HandlerDef, LocalId, NamedArgDef, NamedDef, Param, RecordEntry,
    TypeAnn,
};

use super::Resolver;
use super::mentions::{self, Mention};
use super::names::Meaning;
use super::patterns::Target;
use super::scope::{Binding, FrameHead, Link, Place, Visible};

/// The name of what happened, in a handler.
pub(super) const EVENT: &str = "event";

/// What an entry of the event is.
#[derive(Clone, Copy, Debug)]
enum Told {
    Text,
    Bool,
    Int,
}

/// What the browser tells of an event. The server knows these names by the handler's parameters, and checks the types.
const EVENT_FIELDS: &[(&str, Told)] = &[
    ("type", Told::Text),
    ("value", Told::Text),
    ("checked", Told::Bool),
    ("name", Told::Text),
    ("key", Told::Text),
    ("shift", Told::Bool),
    ("ctrl", Told::Bool),
    ("alt", Told::Bool),
    ("meta", Told::Bool),
    ("x", Told::Int),
    ("y", Told::Int),
    ("button", Told::Int),
];

/// The event of a handler under construction.
struct Event {
    local: LocalId,
    params: Vec<Param>,
}

pub(super) fn mentions_event(handler: &Expr) -> bool {
    let mut found = false;
    mentions::of_expr(handler, &mut |name, how| {
        found |= &*name.text == EVENT && how == Mention::Read;
    });
    found
}

impl Resolver<'_> {
    /// A handler; gives its number and the values it takes from the view, as expressions of the view.
    pub(super) fn handler(
        &mut self,
        event: &str,
        span: Span,
        handler: &Expr,
    ) -> (u32, Vec<ExprId>) {
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: format!("handler {event}"),
                span,
                kind: FnKind::Internal,
                place: Place::Handler,
                link: Link::Params,
            },
        );
        self.event_span = span;
        let mut ids = Vec::new();
        let told = self.event_of(handler, span, &mut ids);
        let statement = match self.handler_of_instance(handler, &mut ids) {
            Some(done) => done,
            None => self.handler_body(handler, told.as_ref(), &mut ids),
        };
        ids.push(statement);
        let body = self.emit(ExprKind::Block(ids, false), handler.span);
        // What the view gives comes first, then what the browser tells of the event.
        let told = told.into_iter().flat_map(|event| event.params);
        self.frame_mut().params.extend(told);
        let copied = self.close(body);
        let named = self.by_name(id, statement, handler.span);
        let args = copied
            .into_iter()
            .map(|local| self.emit(ExprKind::Local(local), span))
            .collect();
        self.handlers.push(HandlerDef {
            event: event.to_owned(),
            func: id,
            named,
            span: handler.span,
        });
        (self.handlers.len() as u32 - 1, args)
    }

    /// The event, if the handler names it: a map of what the browser tells, each entry a parameter of the handler.
    fn event_of(&mut self, handler: &Expr, span: Span, ids: &mut Vec<ExprId>) -> Option<Event> {
        if self.phase.is_some() {
            return None;
        }
        let wanted = match &handler.kind {
            Ast::Lambda { params, .. } => !params.is_empty(),
            Ast::Name(name) => match self.meaning(&name.text) {
                Meaning::Function(id) => self.needs_event(id),
                Meaning::Callback(at) => self.callback_wants_event(at),
                _ => &*name.text == EVENT && !self.is_visible(EVENT),
            },
            Ast::Field { object, name, .. } if self.callback_of_props(object, name).is_some() => {
                let callback = self.callback_of_props(object, name);
                callback.is_some_and(|at| self.callback_wants_event(at))
            }
            _ => {
                !self.is_visible(EVENT) && mentions_event(handler)
                    || self.calls_back_with_event(handler)
            }
        };
        if !wanted {
            return None;
        }
        let mut params = Vec::new();
        let mut entries = Vec::new();
        for (name, ty) in EVENT_FIELDS {
            let ty = match ty {
                Told::Text => TypeAnn::Text,
                Told::Bool => TypeAnn::Bool,
                Told::Int => TypeAnn::Int,
            };
            let held = format!("{EVENT_PARAM_PREFIX}{name}");
            let local = self.frame_mut().add_local(&held, span, Some(ty.clone()));
            params.push(Param {
                local,
                annotation: Some(ty),
                default: None,
            });
            let value = self.emit(ExprKind::Local(local), span);
            entries.push(RecordEntry::Field((*name).to_owned(), span, value));
        }
        let record = self.emit(ExprKind::Record(entries), span);
        let local = self.declare(&EVENT.into(), span, None);
        ids.push(self.emit(ExprKind::Let(local, Some(record)), span));
        Some(Event { local, params })
    }

    /// Whether a callback that a handler mentions tells of the event.
    fn calls_back_with_event(&self, handler: &Expr) -> bool {
        let mut found = false;
        mentions::of_expr(handler, &mut |name, _| {
            if let Some((_, Binding::Callback(at))) = self.search(&name.text) {
                found |= self.callback_mentions_event(at);
            }
        });
        found
    }

    fn handler_body(
        &mut self,
        handler: &Expr,
        event: Option<&Event>,
        ids: &mut Vec<ExprId>,
    ) -> ExprId {
        match &handler.kind {
            Ast::Name(name) => match self.meaning(&name.text) {
                Meaning::Function(id) => {
                    let event =
                        event.map(|event| self.emit(ExprKind::Local(event.local), handler.span));
                    self.direct(id, &[], event, handler.span)
                }
                Meaning::Closure(..) | Meaning::Local(_) | Meaning::Var(_) => {
                    let callee = self.read_plain(name);
                    self.emit(ExprKind::CallValue(callee, Vec::new()), handler.span)
                }
                Meaning::Callback(at) => self.callback_as_handler(at, event, handler.span),
                Meaning::Entity(_)
                | Meaning::Enum(_)
                | Meaning::Alias
                | Meaning::Component
                | Meaning::Nothing => self.call(handler, &[], None, handler.span),
            },
            Ast::Lambda { params, body } => {
                if let (Some(param), Some(event)) = (params.first(), event) {
                    self.take_apart(&param.pattern, event.local, Target::Declare, ids);
                }
                if let Some(more) = params.get(1) {
                    self.report(
                        Diagnostic::error(
                            Code::BadHandler,
                            more.span,
                            "a handler gets one argument, the event",
                        )
                        .hint("what the view knows can be used in the handler as it is"),
                    );
                }
                self.effect(body)
            }
            Ast::Field { object, name, .. } => match self.callback_of_props(object, name) {
                Some(at) => self.callback_as_handler(at, event, handler.span),
                None => self.effect(handler),
            },
            _ => self.effect(handler),
        }
    }

    /// A handler that is a callback of the component; one with a parameter gets the event.
    fn callback_as_handler(&mut self, at: usize, event: Option<&Event>, span: Span) -> ExprId {
        let takes = self.callback_takes(at);
        let event = event.filter(|_| takes);
        let values: Vec<ExprId> = event
            .map(|event| self.emit(ExprKind::Local(event.local), span))
            .into_iter()
            .collect();
        self.call_back(at, values, span)
    }

    /// `event.name` must be something that the browser tells.
    pub(super) fn check_event_field(&mut self, object: &Expr, name: &Name) {
        let Ast::Name(event) = &object.kind else {
            return;
        };
        if &*event.text != EVENT || self.place() != Place::Handler {
            return;
        }
        let Some(Visible {
            binding: Binding::Variable(local),
            ..
        }) = self.find_local(EVENT)
        else {
            return;
        };
        let known = EVENT_FIELDS.iter().map(|(name, _)| *name);
        let is_event = self.frame().locals[local.index()].span == self.event_span;
        if !is_event || known.clone().any(|known| known == &*name.text) {
            return;
        }
        let title = format!("the event has no `{}`", name.text);
        let diagnostic = Diagnostic::error(Code::NoSuchField, name.span, title);
        let names: Vec<&str> = known.clone().collect();
        self.report(match super::suggest::nearest_of(&name.text, known) {
            _ if &*name.text == "target" => diagnostic
                .hint("the control's value is `event.value`, and `event.checked` for a box"),
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint(format!("it has {}", names.join(", "))),
        });
    }

    /// Whether a function that is named as a handler needs an argument, which could only be the event.
    pub(super) fn needs_event(&self, id: FnId) -> bool {
        self.signatures[&id]
            .params
            .iter()
            .any(|param| param.default.is_none())
    }

    /// How a by-hand request may name the handler.
    fn by_name(&mut self, handler: FnId, statement: ExprId, span: Span) -> Option<NamedDef> {
        let function = self.functions[handler.index()]
            .as_ref()
            .expect("the handler is finished");
        let ExprKind::CallFn(callee, args) = &function.exprs[statement.index()].kind else {
            return None;
        };
        let (callee, args) = (*callee, args.clone());
        let kinds: Vec<(ExprId, ExprKind, Span)> = args
            .iter()
            .map(|arg| {
                let expr = &function.exprs[arg.index()];
                (*arg, expr.kind.clone(), expr.span)
            })
            .collect();
        let name = self.signatures.get(&callee)?.name.to_string();
        let stub = self.reserve();
        self.open(
            stub,
            FrameHead {
                name: format!("call of {name}"),
                span,
                kind: FnKind::Internal,
                place: Place::Handler,
                link: Link::Root,
            },
        );
        let mut named = Vec::new();
        let mut values = Vec::new();
        for (arg, kind, span) in kinds {
            if let ExprKind::CallFn(default, _) = &kind
                && self.defaults.contains(default)
            {
                values.push(self.emit(kind, span));
            } else if let Some(literal) = literal(&kind) {
                named.push(NamedArgDef::Literal(literal));
                values.push(self.emit(kind, span));
            } else {
                named.push(NamedArgDef::Value(arg));
                let local = self.frame_mut().add_local("", span, None);
                self.frame_mut().params.push(Param {
                    local,
                    annotation: None,
                    default: None,
                });
                values.push(self.emit(ExprKind::Local(local), span));
            }
        }
        let call = self.emit(ExprKind::CallFn(callee, values), span);
        let body = self.emit(ExprKind::Block(vec![call], false), span);
        self.close(body);
        Some(NamedDef {
            name,
            stub,
            args: named,
        })
    }
}

fn literal(kind: &ExprKind) -> Option<ConstValue> {
    match kind {
        ExprKind::None => Some(ConstValue::None),
        ExprKind::Bool(value) => Some(ConstValue::Bool(*value)),
        ExprKind::Int(value) => Some(ConstValue::Int(*value)),
        ExprKind::Float(value) => Some(ConstValue::Float(*value)),
        ExprKind::Text(value) => Some(ConstValue::Text(value.clone())),
        _ => None,
    }
}
