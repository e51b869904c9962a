//! Event handlers: each is a function whose parameters are what it needs of the view. Must stay true: what a handler is
//! made of is fixed here, so a request can only choose a handler and give it values; a by-hand call can name a handler only
//! if it is exactly one call of a named function.

use flin_bytecode::module::ConstValue;
use flin_syntax::Span;
use flin_syntax::ast::{Expr, ExprKind as Ast};

use crate::hir::{ExprId, ExprKind, FnId, FnKind, HandlerDef, NamedArgDef, NamedDef, Param};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::names::Meaning;
use super::scope::{FrameHead, Link, Place};

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
        let statement = self.handler_body(handler);
        let body = self.emit(ExprKind::Block(vec![statement], false), handler.span);
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

    fn handler_body(&mut self, handler: &Expr) -> ExprId {
        match &handler.kind {
            Ast::Name(name) => match self.meaning(&name.text) {
                Meaning::Function(id) => {
                    if self.needs_event(id) {
                        self.unsupported(Unsupported::EventValues, handler.span);
                        return self.error(handler.span);
                    }
                    self.direct(id, &[], None, handler.span)
                }
                Meaning::Closure(..) | Meaning::Local(_) | Meaning::Var(_) => {
                    let callee = self.read_plain(name);
                    self.emit(ExprKind::CallValue(callee, Vec::new()), handler.span)
                }
                Meaning::Entity(_)
                | Meaning::Enum(_)
                | Meaning::Alias
                | Meaning::Component
                | Meaning::Nothing => self.call(handler, &[], None, handler.span),
            },
            Ast::Lambda { params, body } => {
                if let Some(param) = params.first() {
                    self.unsupported(Unsupported::EventValues, param.span);
                    return self.error(handler.span);
                }
                self.effect(body)
            }
            _ => self.effect(handler),
        }
    }

    /// Whether a function that is named as a handler needs an argument, which could only be the event.
    fn needs_event(&self, id: FnId) -> bool {
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
