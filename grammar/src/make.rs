//! The actions of the grammar: each builds one node.
//!
//! The grammar file has no logic; it is here, by kind of node. What must stay true: every recursive node goes through one
//! of the `keep` functions, which refuse a tree that grows too high: the node becomes an `Error` node, reported once, so
//! nothing deeper than the limit ever exists. Actions never fail, except to stop after too many errors.

mod declaration;
mod expression;
mod markup;
mod pattern;
mod text;

pub(crate) use declaration::*;
pub(crate) use expression::*;
pub(crate) use markup::*;
pub(crate) use pattern::*;
pub(crate) use text::*;

use crate::ast::{
    Block, Expr, ExprKind, Markup, MarkupKind, Name, Pattern, PatternKind, Program, Stmt, StmtKind,
    TypeExpr, TypeKind,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::{ERRORS_SHOWN_MAX, MESSAGES_KEPT_MAX, TREE_HEIGHT_MAX};
use crate::span::Span;
use crate::token::Tok;
use lalrpop_util::{ErrorRecovery, ParseError};
use std::sync::Arc;

/// The parse was stopped because of too many errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abort;

/// A syntax error as the parser reports it, without the dropped tokens.
pub(crate) type RawError = ParseError<u32, Tok, Abort>;

/// What the actions know and collect.
pub(crate) struct Context<'s> {
    source: &'s str,
    /// How much further the places of the tree are than those of the text.
    base: u32,
    /// What the actions found wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Errors that the parser passed over.
    pub(crate) recovered: Vec<RawError>,
    /// Offsets where statements start, in the order in which the statements ended.
    pub(crate) statement_starts: Vec<u32>,
    height_reported: bool,
}

impl<'s> Context<'s> {
    pub(crate) fn new(source: &'s str, base: u32) -> Context<'s> {
        Context {
            source,
            base,
            diagnostics: Vec::new(),
            recovered: Vec::new(),
            statement_starts: Vec::new(),
            height_reported: false,
        }
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MESSAGES_KEPT_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(crate) fn text(&self, l: u32, r: u32) -> &'s str {
        &self.source[(l - self.base) as usize..(r - self.base) as usize]
    }

    /// The source from a place on.
    pub(crate) fn text_from(&self, place: u32) -> &'s str {
        &self.source[(place - self.base) as usize..]
    }

    /// How long the source is.
    pub(crate) fn source_bytes(&self) -> usize {
        self.source.len()
    }

    /// True if a node of this height may exist; reports the first that may not.
    fn height_allowed(&mut self, height: u32, span: Span) -> bool {
        if height <= TREE_HEIGHT_MAX {
            return true;
        }
        if !self.height_reported {
            self.height_reported = true;
            let at = Span::new(span.end.saturating_sub(1).max(span.start), span.end);
            self.report(
                Diagnostic::error(
                    Code::TooHigh,
                    widen(self.source, at.earlier(self.base)).later(self.base),
                    format!("this expression is more than {TREE_HEIGHT_MAX} operations high"),
                )
                .label("the limit is reached here")
                .hint("use a list with `sum` or `join`, a `match` for many cases, or several statements"),
            );
        }
        false
    }

    pub(crate) fn keep_expr(&mut self, node: Expr) -> Expr {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        Expr::new(ExprKind::Error, node.span)
    }

    pub(crate) fn keep_stmt(&mut self, node: Stmt) -> Stmt {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        Stmt::new(StmtKind::Error, node.span)
    }

    pub(crate) fn keep_block(&mut self, node: Block) -> Block {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        Block::new(Vec::new(), node.span)
    }

    pub(crate) fn keep_type(&mut self, node: TypeExpr) -> TypeExpr {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        TypeExpr::new(TypeKind::Error, node.span)
    }

    pub(crate) fn keep_pattern(&mut self, node: Pattern) -> Pattern {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        Pattern::new(PatternKind::Error, node.span)
    }

    pub(crate) fn keep_markup(&mut self, node: Markup) -> Markup {
        if self.height_allowed(node.height, node.span) {
            return node;
        }
        Markup::new(MarkupKind::Error, node.span)
    }
}

/// Moves the ends of a span outwards to character boundaries.
fn widen(source: &str, span: Span) -> Span {
    let mut start = span.start;
    let mut end = span.end;
    while !source.is_char_boundary(start as usize) {
        start -= 1;
    }
    while !source.is_char_boundary(end as usize) {
        end += 1;
    }
    Span::new(start, end)
}

/// Either an item of a pattern or its rest.
pub(crate) enum Part<T> {
    Item(T),
    Rest(crate::ast::RestPattern),
}

/// Appends to a list.
pub(crate) fn push<T>(mut list: Vec<T>, item: T) -> Vec<T> {
    list.push(item);
    list
}

/// Notes an error that was passed over; stops the parse when there are too many.
pub(crate) fn recovered(
    cx: &mut Context<'_>,
    error: ErrorRecovery<u32, Tok, Abort>,
) -> Result<(), RawError> {
    cx.recovered.push(error.error);
    if cx.recovered.len() > ERRORS_SHOWN_MAX {
        return Err(ParseError::User { error: Abort });
    }
    Ok(())
}

/// A span that may run backwards when a rule matched nothing.
pub(crate) fn span(l: u32, r: u32) -> Span {
    Span::new(l.min(r), r)
}

pub(crate) fn program(statements: Vec<Stmt>, l: u32, r: u32) -> Program {
    Program {
        statements,
        span: span(l, r),
    }
}

pub(crate) fn name(cx: &Context<'_>, l: u32, r: u32) -> Name {
    Name {
        text: Arc::from(cx.text(l, r)),
        span: span(l, r),
    }
}

/// `'label` without its quote.
pub(crate) fn label(cx: &Context<'_>, l: u32, r: u32) -> Name {
    Name {
        text: Arc::from(&cx.text(l, r)[1..]),
        span: span(l, r),
    }
}
