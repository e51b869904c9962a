//! Variables that wait: `loading(x)`, `error(x)`, `error_message(x)`, and first values that ask other servers. Here because
//! a page must not wait for somebody else's server before it is shown.
//!
//! How far a variable `x` is, is a variable of its own, `x?`, a name that no program can write: none where it is settled,
//! [`LOADING`] while it is asked for, else the message of what went wrong. It is page state like any other, so it travels,
//! and views read it like any other. Where the first value asks another server, it is computed only when the state that was
//! sent along says [`LOAD`]: a page is shown with `x` still none, and asks again for itself.
//! Must stay true: `x?` stands before `x` among the variables, because the first value of `x` reads it.

use flin_bytecode::module::{LOAD, LOADING, STATUS_SUFFIX};
use flin_syntax::ast::{Arg, Expr, ExprKind as Ast, Name};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{BinOp, ExprId, ExprKind, FnKind, GlobalIx};

use super::Resolver;
use super::mentions::{self, Mention};
use super::names::{Item, Role, Start, TopVar};
use super::scope::{FrameHead, Link, Place};

/// Library functions that wait for another server.
const WAITING: [&str; 5] = [
    "http_get",
    "http_post",
    "http_put",
    "http_patch",
    "http_delete",
];

/// Whether an expression may ask another server by itself (not through functions: their calls are waited for).
pub(super) fn asks_others(value: &Expr) -> bool {
    let mut found = false;
    mentions::of_expr(value, &mut |name, how| {
        found |= how == Mention::Read && WAITING.contains(&&*name.text);
    });
    found
}

/// What a program wants to know of a variable that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Loading,
    Error,
    ErrorMessage,
}

impl Question {
    /// The question that a function of this name asks.
    pub(super) fn named(name: &str) -> Option<Question> {
        match name {
            "loading" => Some(Question::Loading),
            "error" => Some(Question::Error),
            "error_message" => Some(Question::ErrorMessage),
            _ => None,
        }
    }
}

impl Resolver<'_> {
    /// The variable that says how far the variable at `var` is; made if there is none yet.
    fn status_of(&mut self, var: usize) -> GlobalIx {
        let known = self.statuses.get(&var).copied();
        let status = known.unwrap_or_else(|| {
            let status = self.new_status(var, ExprKind::None);
            self.statuses.insert(var, status);
            status
        });
        GlobalIx(status as u32)
    }

    /// The status of the variable that is declared next and whose first value asks another server.
    pub(super) fn status_before(&mut self, name: &Name, order: u32) {
        let status = self.push_status(&name.text, name.span, self.world, order);
        self.statuses.insert(self.vars.len(), status);
        self.waiting.insert(self.vars.len());
    }

    fn push_status(&mut self, name: &str, span: Span, world: usize, order: u32) -> usize {
        self.vars.push(TopVar {
            name: format!("{name}{STATUS_SUFFIX}").into(),
            span,
            annotation: None,
            role: Role::Variable,
            world,
            order,
            init: None,
            start: Start::Other,
        });
        self.vars.len() - 1
    }

    fn new_status(&mut self, var: usize, first: ExprKind) -> usize {
        let TopVar {
            name,
            span,
            world,
            order,
            ..
        } = &self.vars[var];
        let (name, span, world, order) = (name.clone(), *span, *world, *order);
        let status = self.push_status(&name, span, world, order);
        self.first_status(status, first);
        status
    }

    fn first_status(&mut self, status: usize, first: ExprKind) {
        let span = self.vars[status].span;
        let id = self.reserve();
        let name = format!("initial value of {}", self.vars[status].name);
        self.open(
            id,
            FrameHead {
                name,
                span,
                kind: FnKind::Internal,
                place: Place::Init,
                link: Link::Root,
            },
        );
        self.frame_mut().read_only = self.serves;
        let first = self.emit(first, span);
        let set = self.emit(ExprKind::SetGlobal(GlobalIx(status as u32), first), span);
        let body = self.emit(ExprKind::Block(vec![set], false), span);
        self.close(body);
        self.vars[status].init = Some(id);
    }

    /// The first value of a variable that waits: none, unless it is asked for now; then the value, or none and the message.
    pub(super) fn first_value_later(&mut self, var: usize, value: &Expr) -> ExprId {
        let span = value.span;
        let status = self.statuses[&var];
        let ix = GlobalIx(status as u32);
        let told = self.emit(ExprKind::Global(ix), span);
        let load = self.emit(ExprKind::Text(LOAD.to_owned()), span);
        let cond = self.emit(ExprKind::Binary(BinOp::Eq, told, load), span);
        let settled = self.emit(ExprKind::None, span);
        let settle = self.emit(ExprKind::SetGlobal(ix, settled), span);
        let body = self.expr(value);
        self.open_block();
        let error = self.temporary(span);
        let caught = self.emit(ExprKind::Local(error), span);
        let message = self.emit(
            ExprKind::Field {
                recv: caught,
                name: "message".to_owned(),
                name_span: span,
                optional: false,
            },
            span,
        );
        let tell = self.emit(ExprKind::SetGlobal(ix, message), span);
        let nothing = self.emit(ExprKind::None, span);
        let handler = self.emit(ExprKind::Block(vec![tell, nothing], true), span);
        self.close_block();
        let tried = self.emit(
            ExprKind::TryCatch {
                body,
                error: Some(error),
                handler,
            },
            span,
        );
        let then = self.emit(ExprKind::Block(vec![settle, tried], true), span);
        let otherwise = self.emit(ExprKind::None, span);
        self.emit(
            ExprKind::If {
                cond,
                then,
                otherwise: Some(otherwise),
            },
            span,
        )
    }

    /// Gives the statuses of this world's waiting variables their first values.
    pub(super) fn first_statuses(&mut self) {
        let mut here: Vec<usize> = self
            .waiting
            .iter()
            .filter(|var| self.vars[**var].world == self.world)
            .map(|var| self.statuses[var])
            .filter(|status| self.vars[*status].init.is_none())
            .collect();
        here.sort_unstable();
        for status in here {
            self.first_status(status, ExprKind::Text(LOADING.to_owned()));
        }
    }

    /// `loading(x)` and its sisters; none if this is `error` with a status.
    pub(super) fn question(&mut self, asked: Question, args: &[Arg], span: Span) -> Option<ExprId> {
        if asked == Question::Error && args.len() > 1 {
            return None;
        }
        let var = match args {
            [
                Arg {
                    name: None,
                    value:
                        Expr {
                            kind: Ast::Name(name),
                            ..
                        },
                    ..
                },
            ] if self.search(&name.text).is_none() => self.top(&name.text),
            _ => None,
        };
        let Some(Item::Var(var)) = var else {
            self.report(
                Diagnostic::error(
                    Code::WrongArguments,
                    args.first().map_or(span, |arg| arg.span),
                    "expected the name of a variable of the page",
                )
                .reason("whether something is loading is asked of a variable at the top level of the file or page"),
            );
            return Some(self.error(span));
        };
        let status = self.status_of(var);
        // Whoever asks this needs the variable itself, too: its first value settles the status.
        let of = self.emit(ExprKind::Global(GlobalIx(var as u32)), span);
        let answer = self.answer(asked, status, span);
        Some(self.emit(ExprKind::Block(vec![of, answer], true), span))
    }

    fn answer(&mut self, asked: Question, status: GlobalIx, span: Span) -> ExprId {
        let told = self.emit(ExprKind::Global(status), span);
        let loading = self.emit(ExprKind::Text(LOADING.to_owned()), span);
        match asked {
            Question::Loading => self.emit(ExprKind::Binary(BinOp::Eq, told, loading), span),
            Question::Error => self.went_wrong(told, loading, span),
            Question::ErrorMessage => {
                let cond = self.went_wrong(told, loading, span);
                let then = self.emit(ExprKind::Global(status), span);
                let otherwise = self.emit(ExprKind::None, span);
                self.emit(
                    ExprKind::If {
                        cond,
                        then,
                        otherwise: Some(otherwise),
                    },
                    span,
                )
            }
        }
    }

    // `(x? ?: "") != ""`
    fn went_wrong(&mut self, told: ExprId, loading: ExprId, span: Span) -> ExprId {
        let known = self.emit(ExprKind::Coalesce(told, loading), span);
        let other = self.emit(ExprKind::Text(LOADING.to_owned()), span);
        self.emit(ExprKind::Binary(BinOp::Ne, known, other), span)
    }
}
