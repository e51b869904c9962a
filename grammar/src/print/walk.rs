//! The walk's state, what stands between two terminals, and statements.
//!
//! Each terminal is written by [`Walk::token`], which first writes its gap; where a line may break, [`Walk::line`] writes the gap
//! instead. What must stay true: every gap is written exactly once, so every comment is.

use super::doc::{ALWAYS, Cmd, Doc, Group};
use super::items::{Colon, Item, Items};
use crate::token::Tok;

pub(super) struct Walk<'s> {
    pub(super) source: &'s str,
    pub(super) items: Items,
    pub(super) doc: Doc,
    /// The item whose gap is written already.
    written: Option<usize>,
}

/// What stands between two terminals if there is no comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    Glued,
    Blank,
    /// A line of a group; `blank` if it is a blank while it is not broken.
    Line {
        group: Group,
        blank: bool,
    },
    Hard,
}

/// Where in a list a gap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind an opening bracket or at the start of the file.
    First,
    Between,
    /// Before a closing bracket.
    Last,
}

impl<'s> Walk<'s> {
    pub(super) fn new(source: &'s str, items: Items) -> Walk<'s> {
        Walk {
            source,
            items,
            doc: Doc::default(),
            written: None,
        }
    }

    /// Writes the whole file.
    pub(super) fn file(mut self) -> String {
        let count = self.items.list.len();
        self.statements(0, count, None);
        for index in self.items.tail.first..self.items.tail.end {
            let comment = self.items.comments[index as usize];
            let first = self.doc.commands.is_empty();
            if comment.lines_before > 0 && !first {
                self.doc.push(Cmd::Hard {
                    empty_line: comment.lines_before > 1,
                });
            } else if !first {
                self.doc.push(Cmd::Sign(" "));
            }
            self.text(comment.start, comment.end);
        }
        if !self.doc.commands.is_empty() {
            self.doc.push(Cmd::Hard { empty_line: false });
        }
        self.doc.print(self.source)
    }

    pub(super) fn item(&self, index: usize) -> Item {
        self.items.list[index]
    }

    pub(super) fn tok(&self, index: usize) -> Option<Tok> {
        self.items.list.get(index).map(|item| item.tok)
    }

    pub(super) fn text(&mut self, start: u32, end: u32) {
        self.doc.push(Cmd::Text { start, end });
    }

    pub(super) fn sign(&mut self, text: &'static str) {
        self.doc.push(Cmd::Sign(text));
    }

    pub(super) fn line_cmd(&mut self, group: Group, blank: bool) {
        self.doc.push(Cmd::Line {
            group,
            blank,
            empty_line: false,
        });
    }

    pub(super) fn is_written(&self, index: usize) -> bool {
        self.written == Some(index)
    }

    pub(super) fn set_written(&mut self, index: usize) {
        self.written = Some(index);
    }

    /// Writes the gap before an item: its comments, and `want` after them.
    pub(super) fn gap(&mut self, index: usize, want: Break, place: Place) {
        if self.is_written(index) {
            return;
        }
        self.set_written(index);
        let gap = self.item(index).gap;
        let empty_line = place == Place::Between && gap.lines > 1;
        if gap.is_bare() {
            match want {
                Break::Glued => {}
                Break::Blank => self.sign(" "),
                Break::Line { group, blank } => self.doc.push(Cmd::Line {
                    group,
                    blank,
                    empty_line,
                }),
                Break::Hard => self.doc.push(Cmd::Hard { empty_line }),
            }
            return;
        }
        let breaks = matches!(want, Break::Line { .. } | Break::Hard);
        let last_takes_line = self.gap_comments(index, want, place);
        if breaks && (last_takes_line || gap.lines > 0) {
            self.doc.push(Cmd::Hard {
                empty_line: gap.lines > 1,
            });
        } else if last_takes_line {
            self.continued_line();
        } else if want != Break::Glued || !self.is_glued_behind_comment(index) {
            self.sign(" ");
        }
    }

    fn is_glued_behind_comment(&self, index: usize) -> bool {
        self.tok(index).is_some_and(|tok| {
            super::items::closes(tok) || matches!(tok, Tok::Dot | Tok::OptionalDot | Tok::Comma)
        })
    }

    /// A newline inside of an expression where only a comment asks for it.
    fn continued_line(&mut self) {
        self.doc.push(Cmd::Indent(ALWAYS));
        self.doc.push(Cmd::Hard { empty_line: false });
        self.doc.push(Cmd::Dedent(ALWAYS));
    }

    /// Writes the comments before an item; true if the last one reaches to the end of its line.
    fn gap_comments(&mut self, index: usize, want: Break, place: Place) -> bool {
        let gap = self.item(index).gap;
        let breaks = matches!(want, Break::Line { .. } | Break::Hard);
        let all_on_one_line = gap.lines == 0
            && self
                .items
                .comments(gap)
                .iter()
                .all(|comment| comment.lines_before == 0 && !comment.to_line_end);
        let mut before_takes_line = false;
        for at in gap.first..gap.end {
            let comment = self.items.comments[at as usize];
            let first = at == gap.first;
            if first && breaks && all_on_one_line && place != Place::Last {
                self.line_of(want);
            } else if comment.lines_before > 0 || before_takes_line {
                if breaks {
                    self.doc.push(Cmd::Hard {
                        empty_line: comment.lines_before > 1 && !(first && place == Place::First),
                    });
                } else {
                    self.continued_line();
                }
            } else if !(first && want == Break::Glued && place == Place::First) {
                self.sign(" ");
            }
            self.text(comment.start, comment.end);
            before_takes_line = comment.to_line_end;
        }
        before_takes_line
    }

    fn line_of(&mut self, want: Break) {
        match want {
            Break::Line { group, blank } => self.line_cmd(group, blank),
            Break::Glued | Break::Blank | Break::Hard => {
                self.doc.push(Cmd::Hard { empty_line: false });
            }
        }
    }

    /// Writes the comments before a closing bracket, still indented.
    pub(super) fn closer_comments(&mut self, index: usize) {
        if self.is_written(index) {
            return;
        }
        self.set_written(index);
        // What is returned does not matter: a group with a comment that takes a line is broken at its end.
        self.gap_comments(index, Break::Hard, Place::Last);
    }

    /// Writes the gap of an item as a line of a group.
    pub(super) fn line(&mut self, index: usize, group: Group, blank: bool, place: Place) {
        self.gap(index, Break::Line { group, blank }, place);
    }

    /// Writes an item with its gap.
    pub(super) fn token(&mut self, index: usize) {
        let want = if self.space_before(index) {
            Break::Blank
        } else {
            Break::Glued
        };
        let place = if index > 0 && super::items::opens(self.item(index - 1).tok) {
            Place::First
        } else {
            Place::Between
        };
        self.gap(index, want, place);
        self.sign_of(index);
    }

    fn sign_of(&mut self, index: usize) {
        let Item {
            tok, start, end, ..
        } = self.item(index);
        let has_comment = || self.source[start as usize..end as usize].contains('/');
        match tok {
            Tok::Comma => self.sign(","),
            Tok::IsNot if !has_comment() => self.sign("is not"),
            Tok::NotIn if !has_comment() => self.sign("not in"),
            Tok::MarkupIf => self.sign("{if"),
            Tok::MarkupElseIf if !has_comment() => self.sign("{else if"),
            Tok::MarkupFor => self.sign("{for"),
            Tok::Key | Tok::KeyText => {
                self.text(start, end);
                self.sign(":");
            }
            _as_written => self.text(start, end),
        }
    }

    /// Statements between two indices; with a group, its lines (and `; ` while it is not broken) separate them.
    pub(super) fn statements(&mut self, from: usize, to: usize, group: Option<Group>) {
        let mut at = from;
        while at < to {
            let mut end = self.after(at);
            while end < to && !self.is_statement(end) {
                end = self.after(end);
            }
            let end = end.min(to);
            if at > from {
                match group {
                    Some(group) => {
                        self.doc.push(Cmd::IfFlat(group, ";"));
                        self.line(at, group, true, Place::Between);
                    }
                    None => self.gap(at, Break::Hard, Place::Between),
                }
            } else if !self.is_written(at) {
                self.start_of_file(at);
            }
            match self.item(at).tok {
                Tok::TagOpen => self.nodes(at, end),
                Tok::ViewOpen => self.view(at),
                _code => self.expression(at, end),
            }
            at = end;
        }
    }

    fn start_of_file(&mut self, index: usize) {
        let gap = self.item(index).gap;
        self.set_written(index);
        if gap.is_bare() {
            return;
        }
        for at in gap.first..gap.end {
            let comment = self.items.comments[at as usize];
            if at > gap.first {
                if comment.lines_before > 0 {
                    self.doc.push(Cmd::Hard {
                        empty_line: comment.lines_before > 1,
                    });
                } else {
                    self.sign(" ");
                }
            }
            self.text(comment.start, comment.end);
        }
        if gap.lines > 0 {
            self.doc.push(Cmd::Hard {
                empty_line: gap.lines > 1,
            });
        } else {
            self.sign(" ");
        }
    }

    fn is_statement(&self, index: usize) -> bool {
        let item = self.item(index);
        item.starts || item.tok == Tok::On
    }

    /// The index behind an item, its partner or the whole element that starts with it.
    pub(super) fn after(&self, index: usize) -> usize {
        let item = self.item(index);
        if item.tok == Tok::TagOpen {
            return self.after_element(index);
        }
        item.partner.max(index) + 1
    }

    /// True if a blank stands before the item when no line does.
    pub(super) fn space_before(&self, index: usize) -> bool {
        let Some(previous) = index.checked_sub(1).map(|before| self.item(before)) else {
            return false;
        };
        let item = self.item(index);
        match previous.tok {
            Tok::LParen
            | Tok::LambdaParen
            | Tok::DestructureParen
            | Tok::LBracket
            | Tok::DestructureBracket
            | Tok::GenericOpen
            | Tok::Dot
            | Tok::OptionalDot
            | Tok::DecoratorAt
            | Tok::Bang
            | Tok::Ellipsis
            | Tok::DotDot
            | Tok::DotDotEqual
            | Tok::InterpolationOpen
            | Tok::HandlerOpen
            | Tok::AttributeEqual => return false,
            Tok::Minus if self.is_unary(index - 1) => {
                return self.source.as_bytes().get(item.start as usize) == Some(&b'-');
            }
            Tok::Colon if previous.colon == Colon::Square => return false,
            _other => {}
        }
        match item.tok {
            Tok::RParen
            | Tok::RBracket
            | Tok::GenericOpen
            | Tok::GenericClose
            | Tok::Comma
            | Tok::Dot
            | Tok::OptionalDot
            | Tok::Optional
            | Tok::PlusPlus
            | Tok::MinusMinus
            | Tok::InterpolationClose
            | Tok::HandlerClose
            | Tok::DotDot
            | Tok::DotDotEqual => false,
            Tok::Colon => item.colon == Colon::Ternary,
            Tok::LParen if is_verb(previous.tok) => previous.end != item.start,
            Tok::LParen | Tok::LBracket => !previous.tok.ends_operand(),
            _other => true,
        }
    }

    /// True if the `-` at `index` is a sign.
    pub(super) fn is_unary(&self, index: usize) -> bool {
        self.item(index).starts || index == 0 || !self.item(index - 1).tok.ends_operand()
    }
}

/// Words that may stand glued to the parenthesis of their operand.
fn is_verb(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::Assert | Tok::Save | Tok::Delete | Tok::Restore | Tok::Destroy
    )
}
