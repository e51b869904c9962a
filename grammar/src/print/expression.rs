//! Expressions: where operators, chains of methods and `if … then … else` may break.
//!
//! A statement is a row of terminals in which words such as `return`, signs such as `=` and `=>`, and blocks separate operands. An
//! operand is split at its loosest operators, each part again at tighter ones, so that the loosest break first. What must
//! stay true: a line breaks only where a newline means nothing: behind `&& || + - * / %`, before `. |> ? : ?: else`.

use super::doc::{Cmd, Group};
use super::items::{Colon, closes};
use super::walk::{Place, Walk};
use crate::token::Tok;

/// Tiers of operators, loosest first; true for those that a line breaks before.
const TIERS: [(Tier, bool); 7] = [
    (Tier::Pipe, true),
    (Tier::Choice, true),
    (Tier::Or, false),
    (Tier::And, false),
    (Tier::Comparison, false),
    (Tier::Sum, false),
    (Tier::Product, false),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tier {
    Pipe,
    Choice,
    Or,
    And,
    /// Does not break.
    Comparison,
    Sum,
    Product,
}

impl Walk<'_> {
    /// The items `from..to` of one statement, entry or embedded expression.
    pub(super) fn expression(&mut self, from: usize, to: usize) {
        let mut elses = Vec::new();
        let mut at = from;
        while at < to {
            if self.item(at).tok == Tok::ElseThen && at > from {
                elses.push(at);
            }
            at = self.after(at);
        }
        let Some(&first) = elses.first() else {
            self.row(from, to);
            return;
        };
        let forced = elses.iter().any(|&at| self.items.is_broken_before(at));
        let group = self.begin(from, forced);
        self.doc.push(Cmd::Indent(group));
        self.row(from, first);
        for (index, &start) in elses.iter().enumerate() {
            let end = elses.get(index + 1).copied().unwrap_or(to);
            self.line(start, group, true, Place::Between);
            self.row(start, end);
        }
        self.doc.push(Cmd::Dedent(group));
        self.doc.push(Cmd::End(group));
    }

    /// Begins a group; the gap of its first item stands before it.
    fn begin(&mut self, first: usize, forced: bool) -> Group {
        self.lead(first);
        let group = self.doc.group(forced);
        self.doc.push(Cmd::Begin(group));
        group
    }

    /// Writes the gap of an item that is about to be written.
    fn lead(&mut self, index: usize) {
        if !self.is_written(index) {
            let want = if self.space_before(index) {
                super::walk::Break::Blank
            } else {
                super::walk::Break::Glued
            };
            self.gap(index, want, Place::Between);
        }
    }

    /// Operands between separating words and blocks.
    fn row(&mut self, from: usize, to: usize) {
        let mut at = from;
        let mut operand = from;
        while at < to {
            if !self.separates(at) {
                at = self.after(at);
                continue;
            }
            self.operand(operand, at, 0);
            if self.item(at).tok == Tok::LBrace {
                at = self.blocks(at, to);
            } else {
                self.token(at);
                at += 1;
            }
            operand = at;
        }
        self.operand(operand, to, 0);
    }

    /// True for what stands between operands.
    fn separates(&self, index: usize) -> bool {
        let item = self.item(index);
        match item.tok {
            Tok::Colon => item.colon == Colon::After,
            Tok::Ident
            | Tok::TypeIdent
            | Tok::Int
            | Tok::Float
            | Tok::RawText
            | Tok::PlainText
            | Tok::True
            | Tok::False
            | Tok::None
            | Tok::Optional
            | Tok::Bar
            | Tok::Bang
            | Tok::Dot
            | Tok::OptionalDot
            | Tok::DotDot
            | Tok::DotDotEqual
            | Tok::Ellipsis
            | Tok::At
            | Tok::Minus
            | Tok::StarStar
            | Tok::PlusPlus
            | Tok::MinusMinus
            | Tok::DecoratorAt => false,
            other => {
                self.tier_of(index).is_none()
                    && !(other.is_open_bracket() && other != Tok::LBrace)
                    && !closes(other)
            }
        }
    }

    fn tier_of(&self, index: usize) -> Option<Tier> {
        let item = self.item(index);
        Some(match item.tok {
            Tok::Pipe => Tier::Pipe,
            Tok::Question | Tok::Elvis => Tier::Choice,
            Tok::Colon if item.colon == Colon::Ternary => Tier::Choice,
            Tok::OrOr => Tier::Or,
            Tok::AndAnd => Tier::And,
            Tok::EqualEqual
            | Tok::NotEqual
            | Tok::Less
            | Tok::LessEqual
            | Tok::Greater
            | Tok::GreaterEqual
            | Tok::In
            | Tok::NotIn
            | Tok::Is
            | Tok::IsNot => Tier::Comparison,
            Tok::Plus => Tier::Sum,
            Tok::Minus if !self.is_unary(index) => Tier::Sum,
            Tok::Star | Tok::Slash | Tok::Percent => Tier::Product,
            _no_operator => return None,
        })
    }

    /// One operand, split at the loosest operators from `tier` on.
    fn operand(&mut self, from: usize, to: usize, tier: usize) {
        let mut found = Vec::new();
        let mut tier = tier;
        while let Some(&(wanted, _)) = TIERS.get(tier) {
            let mut at = from;
            while at < to {
                if at > from && self.tier_of(at) == Some(wanted) {
                    found.push(at);
                }
                at = self.after(at);
            }
            if !found.is_empty() {
                break;
            }
            tier += 1;
        }
        let Some(&(kind, before)) = TIERS.get(tier) else {
            self.atoms(from, to);
            return;
        };
        let breaks = before
            || found
                .iter()
                .any(|&sign| sign + 1 < to && !self.starts_surely(sign + 1));
        if kind == Tier::Comparison || !breaks {
            self.parts(from, to, tier, &found);
            return;
        }
        let forced = found.iter().any(|&at| {
            self.items.is_broken_before(at)
                || (!before && at + 1 < to && self.items.is_broken_before(at + 1))
        });
        let group = self.begin(from, forced);
        self.doc.push(Cmd::Indent(group));
        self.operand(from, found[0], tier + 1);
        for (index, &sign) in found.iter().enumerate() {
            let end = found.get(index + 1).copied().unwrap_or(to);
            if before {
                self.line(sign, group, true, Place::Between);
                self.token(sign);
            } else {
                self.token(sign);
                if sign + 1 < end && !self.starts_surely(sign + 1) {
                    self.line(sign + 1, group, true, Place::Between);
                }
            }
            self.operand(sign + 1, end, tier + 1);
        }
        self.doc.push(Cmd::Dedent(group));
        self.doc.push(Cmd::End(group));
    }

    /// After an operator a line never breaks before a word that would begin a statement there.
    fn starts_surely(&self, index: usize) -> bool {
        !self.item(index).tok.ends_operand()
            && !self.item(index).tok.is_open_bracket()
            && !matches!(self.item(index).tok, Tok::Minus | Tok::Bang)
    }

    fn parts(&mut self, from: usize, to: usize, tier: usize, found: &[usize]) {
        let mut start = from;
        for &sign in found {
            self.operand(start, sign, tier + 1);
            self.token(sign);
            start = sign + 1;
        }
        self.operand(start, to, tier + 1);
    }

    /// Operands without operators that break.
    fn atoms(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let tok = self.item(at).tok;
            at = if starts_chain(tok) {
                self.chain(at, to)
            } else {
                self.piece(at)
            };
        }
    }

    /// One terminal, or a bracket with its content; the index behind it.
    pub(super) fn piece(&mut self, index: usize) -> usize {
        let item = self.item(index);
        if item.partner > index {
            self.bracket(index);
            return item.partner + 1;
        }
        self.token(index);
        index + 1
    }

    /// A value with what follows it: `.name`, `(…)`, `[…]`.
    fn chain(&mut self, from: usize, to: usize) -> usize {
        let mut end = self.after(from);
        let mut dots = Vec::new();
        let mut called = false;
        while end < to {
            match self.item(end).tok {
                Tok::Dot | Tok::OptionalDot => {
                    let call = self.tok(end + 2) == Some(Tok::LParen) && end + 2 < to;
                    let of_type = end == from + 1 && self.item(from).tok == Tok::TypeIdent;
                    if (call || called) && !of_type {
                        dots.push(end);
                    }
                    called |= call;
                    end += 2;
                }
                Tok::LParen | Tok::LBracket if self.item(end - 1).tok.ends_operand() => {
                    end = self.after(end);
                }
                _other => break,
            }
        }
        let end = end.min(to);
        let forced = dots.iter().any(|&dot| self.items.is_broken_before(dot));
        if !forced && dots.len() < 2 {
            self.pieces(from, end);
            return end;
        }
        let group = self.begin(from, forced);
        self.doc.push(Cmd::Indent(group));
        self.pieces(from, dots[0]);
        for (index, &dot) in dots.iter().enumerate() {
            self.line(dot, group, false, Place::Between);
            self.pieces(dot, dots.get(index + 1).copied().unwrap_or(end));
        }
        self.doc.push(Cmd::Dedent(group));
        self.doc.push(Cmd::End(group));
        end
    }

    fn pieces(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            at = self.piece(at);
        }
    }
}

fn starts_chain(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::Ident | Tok::TypeIdent | Tok::RawText | Tok::LParen | Tok::LBracket | Tok::MapBrace
    )
}
