//! Brackets: arguments, lists, maps, blocks, fields, arms.
//!
//! In round and square brackets and in maps a broken list has a comma behind every entry; in entity literals and declarations and in
//! `match` the end of the line is the comma. What must stay true: a bracket that holds one entry which is or ends with a
//! bracket of its own lets that one break first.

use super::doc::{ALWAYS, Cmd, Group};
use super::walk::{Break, Place, Walk};
use crate::token::Tok;

/// How the entries of a bracket are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// No line at the brackets or between entries.
    Tight,
    /// `(a, b)`.
    Commas { padded: bool, trailing: bool },
    /// `{ a, b }`, on lines of their own without commas.
    Lines,
}

impl Walk<'_> {
    /// A bracket with everything inside.
    pub(super) fn bracket(&mut self, open: usize) {
        let close = self.item(open).partner;
        match self.item(open).tok {
            Tok::LBrace => {
                self.blocks(open, close + 1);
            }
            Tok::HandlerOpen => self.handler(open, close),
            _entries => self.entries(open, close),
        }
    }

    fn style(&self, open: usize, close: usize) -> Style {
        let before = open.checked_sub(1).map(|before| self.item(before));
        let operand_before = before.is_some_and(|before| before.tok.ends_operand());
        let several = self.commas(open, close) > 0;
        match self.item(open).tok {
            Tok::MapBrace | Tok::DestructureBrace => Style::Commas {
                padded: true,
                trailing: true,
            },
            Tok::EntityBrace | Tok::LBrace => Style::Lines,
            Tok::LBracket if operand_before => Style::Tight,
            Tok::LParen if !operand_before && !several => Style::Commas {
                padded: false,
                trailing: false,
            },
            Tok::LParen
            | Tok::LambdaParen
            | Tok::DestructureParen
            | Tok::LBracket
            | Tok::DestructureBracket => Style::Commas {
                padded: false,
                trailing: !self.has_square_colon(open, close),
            },
            _embedded => Style::Tight,
        }
    }

    fn has_square_colon(&self, open: usize, close: usize) -> bool {
        let mut at = open + 1;
        while at < close {
            if self.item(at).colon == super::items::Colon::Square {
                return true;
            }
            at = self.after(at);
        }
        false
    }

    fn commas(&self, open: usize, close: usize) -> usize {
        let mut count = 0;
        let mut at = open + 1;
        while at < close {
            count += usize::from(self.item(at).tok == Tok::Comma);
            at = self.after(at);
        }
        count
    }

    /// True if the only entry is a bracket, or a lambda whose body is one.
    fn hugs(&self, open: usize, close: usize) -> bool {
        let last = close - 1;
        if last == open + 1 && self.item(last).tok == Tok::RawText {
            return true;
        }
        let inner = self.item(last).partner;
        if inner <= open || inner >= last || self.commas(open, close) > 0 {
            return false;
        }
        let is_list = matches!(
            self.item(inner).tok,
            Tok::MapBrace | Tok::LBracket | Tok::LBrace | Tok::EntityBrace
        );
        let whole =
            inner == open + 1 || (inner == open + 2 && self.item(inner).tok == Tok::EntityBrace);
        let lambda = inner > open && self.item(inner - 1).tok == Tok::FatArrow;
        is_list && (whole || lambda) && !self.items.is_broken_before(close)
    }

    fn entries(&mut self, open: usize, close: usize) {
        self.token(open);
        let bare = self.item(close).gap.is_bare();
        if close == open + 1 && bare {
            self.set_written(close);
            self.text_of(close);
            return;
        }
        let mut style = self.style(open, close);
        let has_line_comment = self.item(open).forced && self.has_comment(open, close);
        if self.item(open).tok == Tok::LParen && self.hugs(open, close) && !has_line_comment {
            style = Style::Tight;
        }
        if style == Style::Tight {
            self.tight(open, close);
            return;
        }
        let padded = !matches!(style, Style::Commas { padded: false, .. });
        let group = self.doc.group(self.item(open).forced);
        self.doc.push(Cmd::Begin(group));
        self.doc.push(Cmd::Indent(group));
        let mut start = open + 1;
        while start < close {
            let mut end = start;
            while end < close && self.item(end).tok != Tok::Comma {
                end = self.after(end);
            }
            let place = if start == open + 1 {
                Place::First
            } else {
                Place::Between
            };
            self.line(start, group, padded || place == Place::Between, place);
            self.expression(start, end);
            if end < close {
                self.comma(end, group, style);
            }
            start = end + 1;
        }
        if matches!(style, Style::Commas { trailing: true, .. }) && close > open + 1 {
            self.doc.push(Cmd::IfBroken(group, ","));
        }
        self.end(close, group, padded);
    }

    /// The comma behind an entry; where lines separate, it is written if a newline would not end the entry.
    fn comma(&mut self, comma: usize, group: Group, style: Style) {
        self.gap(comma, Break::Glued, Place::Between);
        let needed = !self.item(comma - 1).tok.ends_statement();
        if style == Style::Lines && !needed {
            self.doc.push(Cmd::IfFlat(group, ","));
        } else {
            self.sign(",");
        }
    }

    /// The end of a bracket that may be broken.
    fn end(&mut self, close: usize, group: Group, padded: bool) {
        self.closer_comments(close);
        self.doc.push(Cmd::Dedent(group));
        self.line_cmd(group, padded);
        self.text_of(close);
        self.doc.push(Cmd::End(group));
    }

    fn text_of(&mut self, index: usize) {
        let item = self.item(index);
        self.text(item.start, item.end);
    }

    fn has_comment(&self, open: usize, close: usize) -> bool {
        let mut at = open + 1;
        while at <= close {
            if !self.item(at).gap.is_bare() && self.items.is_broken_before(at) {
                return true;
            }
            at = self.after(at);
        }
        false
    }

    fn tight(&mut self, open: usize, close: usize) {
        let mut start = open + 1;
        while start < close {
            let mut end = start;
            while end < close && self.item(end).tok != Tok::Comma {
                end = self.after(end);
            }
            self.expression(start, end);
            if end < close {
                self.token(end);
            }
            start = end + 1;
        }
        self.token(close);
    }

    /// A block, and the `else` and `catch` parts behind it, which break together; the index behind them.
    pub(super) fn blocks(&mut self, open: usize, to: usize) -> usize {
        let parts = self.parts_of(open, to);
        let forced = parts.iter().any(|&part| self.item(part).forced);
        self.lead_brace(open);
        let group = self.doc.group(forced);
        self.doc.push(Cmd::Begin(group));
        let mut from = open;
        for &part in &parts {
            if part > from {
                // `else if …` or `catch e` between two blocks.
                if self.items.is_broken_before(from) && !self.item(from).gap.is_bare() {
                    self.gap(from, Break::Hard, Place::Between);
                }
                self.token(from);
                self.expression(from + 1, part);
                self.lead_brace(part);
            }
            self.block(part, group);
            from = self.item(part).partner + 1;
        }
        self.doc.push(Cmd::End(group));
        from
    }

    fn lead_brace(&mut self, open: usize) {
        if !self.is_written(open) {
            self.gap(open, Break::Blank, Place::Between);
        }
    }

    /// The block at `open` and those that belong to it.
    fn parts_of(&self, open: usize, to: usize) -> Vec<usize> {
        let mut parts = vec![open];
        let mut at = self.item(open).partner + 1;
        while at < to && matches!(self.item(at).tok, Tok::ElseBlock | Tok::Catch) {
            let mut next = at + 1;
            while next < to && self.item(next).tok != Tok::LBrace {
                next = self.after(next);
            }
            if next >= to {
                break;
            }
            parts.push(next);
            at = self.item(next).partner + 1;
        }
        parts
    }

    /// One pair of braces in a group that is begun.
    fn block(&mut self, open: usize, group: Group) {
        let close = self.item(open).partner;
        self.text_of(open);
        if close == open + 1 && self.item(close).gap.is_bare() {
            self.set_written(close);
            self.text_of(close);
            return;
        }
        self.doc.push(Cmd::Indent(group));
        if self.items.is_statements(open) {
            if close > open + 1 {
                self.line(open + 1, group, true, Place::First);
            }
            self.statements(open + 1, close, None);
        } else {
            self.lines(open, close, group);
        }
        self.closer_comments(close);
        self.doc.push(Cmd::Dedent(group));
        self.line_cmd(group, true);
        self.text_of(close);
    }

    /// Fields, variants, arms.
    fn lines(&mut self, open: usize, close: usize, group: Group) {
        let mut start = open + 1;
        while start < close {
            let mut end = start;
            while end < close && self.item(end).tok != Tok::Comma {
                end = self.after(end);
            }
            let place = if start == open + 1 {
                Place::First
            } else {
                Place::Between
            };
            self.line(start, group, true, place);
            self.expression(start, end);
            if end < close {
                self.comma(end, group, Style::Lines);
            }
            start = end + 1;
        }
    }

    /// `{…}` of an event: statements, separated by `; ` on one line.
    fn handler(&mut self, open: usize, close: usize) {
        self.token(open);
        let group = self.doc.group(self.item(open).forced);
        self.doc.push(Cmd::Begin(group));
        self.doc.push(Cmd::Indent(group));
        if close > open + 1 {
            self.line(open + 1, group, false, Place::First);
            self.statements(open + 1, close, Some(group));
        }
        self.end(close, group, false);
    }

    /// A view: always on lines of its own.
    pub(super) fn view(&mut self, open: usize) {
        let close = self.item(open).partner;
        self.sign("view {");
        if close == open + 1 && self.item(close).gap.is_bare() {
            self.set_written(close);
            self.sign("}");
            return;
        }
        self.doc.push(Cmd::Indent(ALWAYS));
        self.nodes(open + 1, close + 1);
    }
}
