//! Pass 2: balanced tokens to the terminals of the grammar.
//!
//! One walk with a stack of brackets ([`super::context`]). What must stay true: each decision depends only on what was emitted,
//! on the stack and on a bounded look ahead; a trailing comma or separator never reaches the grammar, and newlines
//! reach it only as `Comma` or `Separator`.

use super::brackets::Balanced;
use super::context::{Frame, Head, Kind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::MESSAGES_KEPT_MAX;
use crate::span::Span;
use crate::token::{Tok, Token};

pub(super) struct Cook<'a> {
    pub(super) source: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) partner: &'a [u32],
    pub(super) out: Vec<(u32, Tok, u32)>,
    frames: Vec<Frame>,
    /// The bracket that ended with the last `}`.
    pub(super) last_closed: Option<(Kind, Option<Head>)>,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Index of the next token.
    pub(super) next: usize,
}

/// Turns balanced tokens into terminals.
pub(super) fn cook(
    source: &str,
    balanced: &Balanced,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(u32, Tok, u32)> {
    let mut cook = Cook {
        source,
        tokens: &balanced.tokens,
        partner: &balanced.partner,
        out: Vec::with_capacity(balanced.tokens.len() + balanced.tokens.len() / 4),
        frames: vec![Frame::new(Kind::Statements, Tok::Separator)],
        last_closed: None,
        diagnostics,
        next: 0,
    };
    while let Some(token) = cook.at(cook.next) {
        let index = cook.next;
        cook.next += 1;
        if token.newline {
            cook.newline(index);
        }
        cook.token(index, token);
    }
    cook.drop_trailing_separator();
    cook.out
}

impl Cook<'_> {
    pub(super) fn frame(&self) -> &Frame {
        match self.frames.last() {
            Some(frame) => frame,
            None => unreachable!("the file's own frame is never popped"),
        }
    }

    pub(super) fn frame_mut(&mut self) -> &mut Frame {
        match self.frames.last_mut() {
            Some(frame) => frame,
            None => unreachable!("the file's own frame is never popped"),
        }
    }

    pub(super) fn last_tok(&self) -> Option<Tok> {
        self.out.last().map(|&(_, tok, _)| tok)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < 2 * MESSAGES_KEPT_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn emit(&mut self, tok: Tok, token: Token) {
        self.out.push((token.start, tok, token.end));
    }

    fn last_end(&self) -> u32 {
        self.out.last().map_or(0, |&(_, _, end)| end)
    }

    pub(super) fn push_head(&mut self, head: Head) {
        self.frame_mut().heads.push(head);
    }

    /// True if a statement begins with the next token.
    pub(super) fn at_statement_start(&self) -> bool {
        if self.frame().kind != Kind::Statements || !self.frame().heads.is_empty() {
            return false;
        }
        match self.last_tok() {
            None
            | Some(
                Tok::Separator
                | Tok::LBrace
                | Tok::HandlerOpen
                | Tok::TagClose
                | Tok::TagSelfEnd
                | Tok::ViewClose,
            ) => true,
            Some(Tok::RBrace) => self
                .last_closed
                .is_some_and(|(kind, _)| kind != Kind::Entries),
            Some(_other) => false,
        }
    }

    /// True if an entry begins with the next token.
    pub(super) fn at_entry_start(&self) -> bool {
        self.last_tok()
            .is_some_and(|tok| tok == Tok::Comma || tok.is_open_bracket())
    }

    /// A newline stands before the token at `index`.
    fn newline(&mut self, index: usize) {
        let kind = self.frame().kind;
        let statements = kind == Kind::Statements;
        if !statements && !kind.newline_is_comma() {
            return;
        }
        let Some(last) = self.last_tok() else { return };
        let closes = self
            .at(index)
            .is_some_and(|token| token.tok.is_close_bracket() || is_wall_close(token.tok));
        let brace_of_head = !self.frame().heads.is_empty()
            && self.at(index).is_some_and(|token| token.tok == Tok::LBrace);
        if closes || brace_of_head {
            return;
        }
        let ends = if last.ends_statement() {
            !self.continues_line(index)
        } else {
            statements
                && !matches!(
                    last,
                    Tok::Separator
                        | Tok::LBrace
                        | Tok::HandlerOpen
                        | Tok::Arrow
                        | Tok::FatArrow
                        | Tok::Then
                        | Tok::ElseThen
                )
                && self.starts_statement_surely(index)
        };
        if ends {
            let end = self.last_end();
            let tok = if statements {
                Tok::Separator
            } else {
                Tok::Comma
            };
            self.frame_mut().heads.clear();
            self.out.push((end, tok, end));
        }
    }

    fn token(&mut self, index: usize, token: Token) {
        match token.tok {
            word if word.is_word() => self.word(index, token),
            Tok::TextOpen | Tok::RawText => self.text(index, token),
            Tok::LParen => {
                let tok = match self.behind(index) {
                    Some(Tok::FatArrow) => Tok::LambdaParen,
                    Some(Tok::Assign) if self.at_statement_start() => Tok::DestructureParen,
                    _other => Tok::LParen,
                };
                self.open(tok, token, Frame::new(Kind::Round, Tok::RParen));
            }
            Tok::LBracket => {
                let destructures =
                    self.at_statement_start() && self.behind(index) == Some(Tok::Assign);
                let tok = if destructures {
                    Tok::DestructureBracket
                } else {
                    Tok::LBracket
                };
                self.open(tok, token, Frame::new(Kind::Square, Tok::RBracket));
            }
            Tok::LBrace => self.brace(index, token),
            Tok::RParen | Tok::RBracket | Tok::RBrace => self.close(token),
            Tok::InterpolationOpen | Tok::MarkupIf | Tok::MarkupElseIf | Tok::MarkupFor => {
                self.embedded(index, token);
            }
            Tok::HandlerOpen => self.open(
                Tok::HandlerOpen,
                token,
                Frame::new(Kind::Statements, Tok::HandlerClose),
            ),
            Tok::InterpolationClose | Tok::HandlerClose => self.close(token),
            Tok::Less if self.less_is_generic(index) => self.open(
                Tok::GenericOpen,
                token,
                Frame::new(Kind::Generic, Tok::GenericClose),
            ),
            Tok::Greater if self.frame().kind == Kind::Generic => {
                self.frames.pop();
                self.emit(Tok::GenericClose, token);
            }
            Tok::Question if self.question_is_optional(index) => self.emit(Tok::Optional, token),
            Tok::At => self.at_sign(index, token),
            Tok::Minus => self.minus(index, token),
            Tok::Int | Tok::Float => self.number(index, token),
            Tok::Separator => self.semicolon(token),
            Tok::Arrow => {
                if self.frame().kind == Kind::Arms {
                    self.frame_mut().heads.clear();
                }
                self.emit(Tok::Arrow, token);
            }
            other => self.emit(other, token),
        }
    }

    pub(super) fn open(&mut self, tok: Tok, token: Token, frame: Frame) {
        self.emit(tok, token);
        self.frames.push(frame);
    }

    fn drop_trailing_separator(&mut self) {
        if matches!(self.last_tok(), Some(Tok::Comma | Tok::Separator)) {
            self.out.pop();
        }
    }

    fn close(&mut self, token: Token) {
        self.drop_trailing_separator();
        while self.frame().kind == Kind::Generic && self.frames.len() > 1 {
            self.frames.pop();
        }
        debug_assert!(self.frames.len() > 1, "the tokens are balanced");
        if self.frames.len() > 1
            && let Some(frame) = self.frames.pop()
        {
            debug_assert_eq!(frame.close, token.tok, "the tokens are balanced");
            if token.tok == Tok::RBrace {
                self.last_closed = Some((frame.kind, frame.head));
            }
        }
        self.emit(token.tok, token);
    }

    fn semicolon(&mut self, token: Token) {
        let kind = self.frame().kind;
        self.frame_mut().heads.clear();
        if kind == Kind::Statements
            && matches!(
                self.last_tok(),
                None | Some(Tok::Separator | Tok::LBrace | Tok::HandlerOpen)
            )
        {
            return;
        }
        self.emit(Tok::Separator, token);
    }

    fn embedded(&mut self, index: usize, token: Token) {
        let close = self.partner[index] as usize;
        if close == index + 1 {
            let close = self.tokens[close];
            let inner = Span::new(token.end, close.start.max(token.end)).text(self.source);
            let in_markup = self.tokens.get(index.wrapping_sub(1)).is_none_or(|before| {
                !matches!(
                    before.tok,
                    Tok::TextOpen | Tok::TextChunk | Tok::AttributeChunk
                )
            });
            let is_note = inner.contains("/*") || inner.contains("//");
            let in_attribute = self.last_tok() == Some(Tok::AttributeEqual);
            if !(in_markup && is_note && !in_attribute && token.tok == Tok::InterpolationOpen) {
                self.empty_interpolation(token, close);
            }
            if token.tok == Tok::InterpolationOpen && !in_attribute {
                self.next = index + 2;
                return;
            }
            self.open(token.tok, token, Frame::new(Kind::Embedded, close.tok));
            self.out.push((token.end, Tok::Missing, token.end));
            return;
        }
        let frame = Frame::new(Kind::Embedded, Tok::InterpolationClose);
        self.open(token.tok, token, frame);
    }

    fn empty_interpolation(&mut self, open: Token, close: Token) {
        self.report(
            Diagnostic::error(
                Code::EmptyInterpolation,
                open.span().to(close.span()),
                "there is no expression between these braces",
            )
            .hint("for real braces write \\{\\} or a raw text r\"{}\""),
        );
    }

    /// `{` of code: a block, a map, fields, arms …
    fn brace(&mut self, index: usize, token: Token) {
        let last = self.last_tok();
        let head = self.frame().heads.last().copied();
        let ready = last.is_some_and(|tok| tok.ends_operand() || starts_block(tok));
        if let Some(head) = head
            && ready
        {
            self.frame_mut().heads.pop();
            let mut frame = Frame::new(head.kind(), Tok::RBrace);
            frame.head = Some(head);
            self.open(Tok::LBrace, token, frame);
            return;
        }
        if let Some(head) = head
            && matches!(last, Some(Tok::If | Tok::While | Tok::Match | Tok::In))
            && !self.brace_is_map(index)
        {
            self.missing_subject(token, head);
            return self.brace(index, token);
        }
        let (tok, kind) = match last {
            Some(Tok::Arrow | Tok::FatArrow) => {
                if self.brace_is_map(index) {
                    (Tok::MapBrace, Kind::Entries)
                } else {
                    (Tok::LBrace, Kind::Statements)
                }
            }
            Some(Tok::TypeIdent) => (Tok::EntityBrace, Kind::Entries),
            _start if self.at_statement_start() => {
                if self.behind(index) == Some(Tok::Assign) {
                    (Tok::DestructureBrace, Kind::Entries)
                } else {
                    (Tok::MapBrace, Kind::Entries)
                }
            }
            Some(tok) if tok.ends_operand() => (Tok::LBrace, Kind::Statements),
            _other => (Tok::MapBrace, Kind::Entries),
        };
        self.open(tok, token, Frame::new(kind, Tok::RBrace));
    }

    /// `if {`: reported; the head gets a missing expression.
    fn missing_subject(&mut self, brace: Token, head: Head) {
        let what = match head {
            Head::If => "the condition is missing",
            Head::Match
            | Head::Catch
            | Head::Fields
            | Head::Variants
            | Head::Bare
            | Head::Block => "an expression is missing",
        };
        let at = self.last_end();
        self.report(
            Diagnostic::error(
                Code::UnexpectedToken,
                brace.span(),
                format!("{what} before this block"),
            )
            .label("expected an expression"),
        );
        self.out.push((at, Tok::Missing, at));
    }

    fn at_sign(&mut self, index: usize, token: Token) {
        let decorates = self
            .at(index + 1)
            .is_some_and(|next| !next.spaced && next.tok.is_word());
        if !decorates {
            self.emit(Tok::At, token);
            return;
        }
        self.emit(Tok::DecoratorAt, token);
        let name = self.tokens[index + 1];
        self.emit(Tok::Ident, name);
        self.next = index + 2;
    }

    /// `-`, which may belong to the smallest int.
    fn minus(&mut self, index: usize, token: Token) {
        let prefix = !self.last_tok().is_some_and(Tok::ends_operand) || self.at_statement_start();
        if let Some(number) = self.at(index + 1)
            && prefix
            && number.tok == Tok::Int
            && Span::new(token.end, number.start)
                .text(self.source)
                .trim_start_matches([' ', '\t'])
                .is_empty()
            && number.span().text(self.source).replace('_', "") == "9223372036854775808"
        {
            self.out.push((token.start, Tok::Int, number.end));
            self.next = index + 2;
            return;
        }
        self.emit(Tok::Minus, token);
    }

    fn number(&mut self, index: usize, token: Token) {
        let text = token.span().text(self.source);
        let tok = if token.tok == Tok::Int && crate::make::int_value(text).is_none() {
            self.report(
                Diagnostic::error(
                    Code::IntTooLarge,
                    token.span(),
                    format!("`{text}` does not fit into 64 bits"),
                )
                .reason("ints go from -9223372036854775808 to 9223372036854775807")
                .hint("write a float, such as 1e20, for bigger numbers"),
            );
            Tok::Missing
        } else {
            token.tok
        };
        self.emit(tok, token);
        let unit = self.same_line(index + 1).filter(|unit| {
            let text = unit.span().text(self.source);
            unit.tok == Tok::TypeIdent
                && text.len() == 3
                && text.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        if let Some(unit) = unit {
            self.report(
                Diagnostic::error(
                    Code::NotInThisVersion,
                    token.span().to(unit.span()),
                    "money literals are not part of this version of FLIN",
                )
                .hint("count in the smallest unit with an int, such as cents"),
            );
            self.next = index + 2;
        }
    }

    /// A text: a fixed one, a quoted key, or an ordinary one.
    fn text(&mut self, index: usize, token: Token) {
        let end = if token.tok == Tok::RawText {
            index
        } else {
            self.partner[index] as usize
        };
        let count = self.out.len();
        let fixed = match self.last_tok() {
            Some(Tok::Page | Tok::Test | Tok::Ws | Tok::Cron) => Some(Tok::PlainText),
            Some(Tok::TypeIdent) if count >= 2 && self.out[count - 2].1 == Tok::Route => {
                Some(Tok::PlainText)
            }
            _other
                if self.frame().kind == Kind::Entries
                    && self.at_entry_start()
                    && self.at(end + 1).is_some_and(|next| next.tok == Tok::Colon) =>
            {
                Some(Tok::KeyText)
            }
            _other => None,
        };
        let Some(fixed) = fixed else {
            self.emit(token.tok, token);
            return;
        };
        let inner = &self.tokens[index..=end];
        if let Some(open) = inner
            .iter()
            .find(|inner| inner.tok == Tok::InterpolationOpen)
        {
            self.report(
                Diagnostic::error(
                    Code::InterpolationNotAllowed,
                    open.span(),
                    "this text is fixed and cannot contain expressions",
                )
                .hint("for a real brace write \\{"),
            );
        }
        self.out.push((token.start, fixed, self.tokens[end].end));
        self.next = end + 1 + usize::from(fixed == Tok::KeyText);
    }
}

/// Words after which `{` opens a block at once.
fn starts_block(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::ElseBlock
            | Tok::Try
            | Tok::Loop
            | Tok::Catch
            | Tok::Validate
            | Tok::Middleware
            | Tok::OnMount
            | Tok::OnUpdate
            | Tok::OnUnmount
    )
}

fn is_wall_close(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::InterpolationClose | Tok::HandlerClose | Tok::ViewClose
    )
}
