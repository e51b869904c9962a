//! Pass 1, the code mode: characters to tokens.
//!
//! The modes stand on an explicit stack, so nesting costs no call stack; its depth is limited. If something is still open at the
//! end of the file, the text is scanned once more with everything from that opening on limited to its line or indentation, so
//! that one missing quote does not swallow the file. What must stay true: at the end every mode has been closed, with
//! a synthetic token and a message where the source has no closer.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::{BRACKET_DEPTH_MAX, MESSAGES_KEPT_MAX, TOKENS_MAX};
use crate::span::Span;
use crate::token::{Tok, Token, reserved};

use super::characters::operator;
pub(super) use super::characters::{identifier_length, indent_of};
use super::tag::Closer;

/// What pass 1 gives.
pub(crate) struct Scanned {
    pub(crate) tokens: Vec<Token>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The scan stopped early because of the depth limit; missing closers are then no news.
    pub(crate) stopped: bool,
}

/// Scans a whole source text.
pub(crate) fn scan(source: &str) -> Scanned {
    let first = Scanner::new(source, u32::MAX).run();
    let Some(opening) = first.open_at_end.filter(|_| !first.stopped) else {
        return first.into_scanned();
    };
    // What is open at the end may be the consequence of a text that was left open before and closed by the quote of another
    // one: a text over several lines is such a candidate. The scan with the fewest messages wins, the earliest of equals.
    let suspect = first.suspect.unwrap_or(opening).min(opening);
    let candidate = Scanner::new(source, suspect).run().into_scanned();
    if suspect == opening || candidate.diagnostics.len() <= 1 {
        return candidate;
    }
    let plain = Scanner::new(source, opening).run().into_scanned();
    if plain.diagnostics.len() < candidate.diagnostics.len() {
        plain
    } else {
        candidate
    }
}

/// What the code of a mode is embedded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    File,
    Text,
    Markup,
    /// `name={…}`; a handler holds statements.
    Attribute {
        handler: bool,
    },
}

/// Which markup word began the embedded code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Plain,
    /// `{if`: block form or an expression, known at its end.
    If,
    ElseIf,
    For,
}

/// A stretch of code.
#[derive(Debug)]
pub(super) struct CodeMode {
    pub(super) host: Host,
    pub(super) word: Word,
    /// Index of the token that opened it.
    pub(super) first: usize,
    pub(super) start: u32,
    /// Open brackets of this stretch.
    pub(super) brackets: Vec<Tok>,
    /// `{if …` turned out to be an expression (`then` or a block was seen).
    pub(super) is_expression: bool,
}

/// One level of the mode stack.
#[derive(Debug)]
pub(super) enum Mode {
    Code(CodeMode),
    Text {
        quote: u8,
        start: u32,
        attribute: bool,
    },
    Tag {
        name: Span,
        start: u32,
    },
    Markup {
        /// How many open elements belong to the modes below.
        base: usize,
        /// A `view { }`, not a bare element.
        view: bool,
        start: u32,
        indent: u32,
    },
}

/// An open element or markup block.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenNode {
    pub(super) kind: OpenKind,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenKind {
    Element { name: Span, keeps_space: bool },
    If,
    For,
}

pub(super) struct Scanner<'s> {
    pub(super) source: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) pos: usize,
    pub(super) tokens: Vec<Token>,
    pub(super) modes: Vec<Mode>,
    pub(super) nodes: Vec<OpenNode>,
    pub(super) diagnostics: Vec<Diagnostic>,
    bracket_count: u32,
    /// Openings from here on are limited to their line or indentation.
    pub(super) limit_from: u32,
    pub(super) open_at_end: Option<u32>,
    pub(super) stopped: bool,
    /// The first text over several lines.
    pub(super) suspect: Option<u32>,
    /// A comment was found to be open to the end of the file: later ones are limited to their line at once.
    pub(super) unclosed_comment: bool,
    /// Closers of raw markup (`-->`, `</style`) that do not occur any more.
    pub(super) absent: Vec<&'static str>,
    /// A position and the start of its line, so that lines are searched only once.
    line_cache: (usize, usize),
    pub(super) spaced: bool,
    pub(super) newline: bool,
}

impl<'s> Scanner<'s> {
    fn new(source: &'s str, limit_from: u32) -> Scanner<'s> {
        Scanner {
            source,
            bytes: source.as_bytes(),
            pos: if source.starts_with('\u{FEFF}') { 3 } else { 0 },
            tokens: Vec::with_capacity((source.len() / 4).min(TOKENS_MAX)),
            modes: Vec::new(),
            nodes: Vec::new(),
            diagnostics: Vec::new(),
            bracket_count: 0,
            limit_from,
            open_at_end: None,
            stopped: false,
            suspect: None,
            unclosed_comment: false,
            absent: Vec::new(),
            line_cache: (0, 0),
            spaced: false,
            newline: false,
        }
    }

    fn into_scanned(self) -> Scanned {
        Scanned {
            tokens: self.tokens,
            diagnostics: self.diagnostics,
            stopped: self.stopped,
        }
    }

    fn run(mut self) -> Scanner<'s> {
        self.push_code(Host::File, Word::Plain, 0);
        while self.pos < self.bytes.len() && !self.stopped {
            match self.modes.last() {
                Some(Mode::Code(_)) => self.code(),
                Some(Mode::Text { .. }) => self.text(),
                Some(Mode::Tag { .. }) => self.tag(),
                Some(Mode::Markup { .. }) => self.markup(),
                None => unreachable!("the file's own mode is never popped"),
            }
            self.stopped |= self.tokens.len() > TOKENS_MAX;
        }
        self.finish();
        self
    }

    /// Closes whatever is open at the end of the file.
    fn finish(&mut self) {
        self.open_at_end = self.modes.get(1).map(Mode::start);
        while self.modes.len() > 1 {
            self.close_unclosed();
        }
    }

    /// Closes the innermost mode although its closer is missing, and says so.
    pub(super) fn close_unclosed(&mut self) {
        match self.modes.last() {
            Some(Mode::Code(code)) => {
                let start = code.start;
                self.report_unclosed_code(start);
                self.end_code(None);
            }
            Some(&Mode::Text {
                quote,
                start,
                attribute,
            }) => self.end_text_unclosed(quote, start, attribute),
            Some(&Mode::Tag { start, name }) => {
                self.report(
                    Diagnostic::error(
                        Code::BadMarkup,
                        Span::new(start, name.end),
                        "this tag is not finished",
                    )
                    .label("no `>` follows")
                    .hint("end the tag with `>` or `/>`"),
                );
                self.end_tag(Closer::Missing);
            }
            Some(&Mode::Markup {
                view, start, base, ..
            }) => {
                if view && self.nodes.len() == base {
                    self.report(
                        Diagnostic::error(
                            Code::UnclosedBracket,
                            Span::new(start, start + 4),
                            "this `view {` is not closed",
                        )
                        .label("no `}` follows")
                        .hint("add `}` after the markup"),
                    );
                }
                self.end_markup();
            }
            None => unreachable!("the file's own mode is never popped"),
        }
    }

    /// Reports, unless the scan was stopped: then everything is open and one message says why.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.stopped && self.diagnostics.len() < MESSAGES_KEPT_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn offset(&self) -> u32 {
        u32::try_from(self.pos).unwrap_or(u32::MAX)
    }

    /// The start of the line of the current position.
    pub(super) fn line_start(&mut self) -> usize {
        let (known, start) = self.line_cache;
        let start = match self.source[known..self.pos].rfind('\n') {
            Some(offset) => known + offset + 1,
            None => start,
        };
        self.line_cache = (self.pos, start);
        start
    }

    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.pos..]
    }

    /// Emits a token that ends at `end` and moves there.
    pub(super) fn emit(&mut self, tok: Tok, end: usize) {
        let start = self.offset();
        self.tokens.push(Token {
            tok,
            start,
            end: u32::try_from(end).unwrap_or(u32::MAX),
            spaced: self.spaced,
            newline: self.newline,
        });
        self.spaced = false;
        self.newline = false;
        self.pos = end;
    }

    /// Emits a token that is not in the source.
    pub(super) fn emit_synthetic(&mut self, tok: Tok) {
        let end = self.tokens.last().map_or(self.offset(), |token| token.end);
        let at = end.max(self.offset().min(end));
        self.tokens.push(Token::glued(tok, at, at));
    }

    /// Notes that a mode, element or bracket was opened; stops the scan at the depth limit.
    pub(super) fn deeper(&mut self) {
        let depth = self.bracket_count as usize + self.modes.len() + self.nodes.len();
        if depth > BRACKET_DEPTH_MAX as usize && !self.stopped {
            let at = self.tokens.last().map_or(0, |token| token.start);
            self.report(
                Diagnostic::error(
                    Code::TooDeep,
                    Span::new(at, self.offset().max(at)),
                    format!("brackets are nested more than {BRACKET_DEPTH_MAX} deep"),
                )
                .label("this one is too deep; the rest of the file is not read")
                .hint("give inner parts a name or a function of their own"),
            );
            self.stopped = true;
        }
    }

    pub(super) fn push_code(&mut self, host: Host, word: Word, start: u32) {
        self.modes.push(Mode::Code(CodeMode {
            host,
            word,
            first: self.tokens.len().saturating_sub(1),
            start,
            brackets: Vec::new(),
            is_expression: false,
        }));
        self.spaced = false;
        self.newline = false;
        self.deeper();
    }

    /// The code mode on top of the stack.
    pub(super) fn code_mode(&mut self) -> &mut CodeMode {
        match self.modes.last_mut() {
            Some(Mode::Code(code)) => code,
            other => unreachable!("code is being scanned, not {other:?}"),
        }
    }

    /// One token of code.
    fn code(&mut self) {
        if !self.skip_blanks() {
            return;
        }
        let byte = self.peek(0);
        match byte {
            b'0'..=b'9' => self.number(),
            b'"' => self.open_text(b'"'),
            b'\'' => {
                if !self.label() {
                    self.open_text(b'\'');
                }
            }
            b'r' if matches!(self.peek(1), b'"' | b'\'') => self.raw_text(),
            b'<' if self.at_doctype() => self.doctype(),
            b'<' if self.leaves_markup() => self.close_unclosed(),
            b'{' if self.peek(1) == b'/' && self.leaves_markup() => self.close_unclosed(),
            b'<' if self.peek(1) == b'/' && self.peek(2).is_ascii_alphabetic() => self.stray_tag(),
            b'<' if self.peek(1).is_ascii_alphabetic() && self.markup_may_start() => {
                self.open_bare();
            }
            b'(' | b'[' | b'{' => self.open_bracket(byte),
            b')' | b']' | b'}' => self.close_bracket(byte),
            _other => self.word_or_operator(),
        }
    }

    /// Skips blanks and comments. False if the mode changed or the text ended.
    fn skip_blanks(&mut self) -> bool {
        loop {
            match self.peek(0) {
                b'\n' => {
                    if self.limited_by_line() {
                        self.close_unclosed();
                        return false;
                    }
                    self.newline = true;
                    self.spaced = true;
                    self.pos += 1;
                }
                b' ' | b'\t' | b'\r' => {
                    self.spaced = true;
                    self.pos += 1;
                }
                b'/' if self.peek(1) == b'/' => {
                    self.spaced = true;
                    self.pos += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                b'/' if self.peek(1) == b'*' => {
                    self.spaced = true;
                    self.block_comment();
                }
                _other => return self.pos < self.bytes.len(),
            }
        }
    }

    /// True if a newline here ends a limited text or stretch of embedded code.
    fn limited_by_line(&mut self) -> bool {
        let Some(Mode::Code(code)) = self.modes.last() else {
            return false;
        };
        let (host, start) = (code.host, code.start);
        if start < self.limit_from || host == Host::File {
            return false;
        }
        if host == Host::Text {
            return true;
        }
        let limit = self.modes.iter().rev().find_map(|mode| match mode {
            Mode::Markup { indent, .. } => Some(*indent),
            Mode::Code(_) | Mode::Text { .. } | Mode::Tag { .. } => None,
        });
        limit.is_some_and(|limit| {
            indent_of(self.source, self.pos + 1).is_some_and(|own| own <= limit)
        })
    }

    fn open_bracket(&mut self, byte: u8) {
        let tok = match byte {
            b'(' => Tok::LParen,
            b'[' => Tok::LBracket,
            _brace => Tok::LBrace,
        };
        let block = tok == Tok::LBrace && self.tokens.last().is_some_and(|t| t.tok.ends_operand());
        self.emit(tok, self.pos + 1);
        let code = self.code_mode();
        code.is_expression |= block && code.brackets.is_empty();
        code.brackets.push(tok);
        self.bracket_count += 1;
        self.deeper();
    }

    fn close_bracket(&mut self, byte: u8) {
        let (tok, open) = match byte {
            b')' => (Tok::RParen, Tok::LParen),
            b']' => (Tok::RBracket, Tok::LBracket),
            _brace => (Tok::RBrace, Tok::LBrace),
        };
        let code = self.code_mode();
        let host = code.host;
        let found = code.brackets.iter().rposition(|&bracket| bracket == open);
        let barrier = code
            .brackets
            .iter()
            .rposition(|&bracket| bracket == Tok::LBrace);
        match found {
            Some(position) if tok == Tok::RBrace || barrier.is_none_or(|b| b < position) => {
                let dropped = code.brackets.len() - position;
                code.brackets.truncate(position);
                self.bracket_count -= u32::try_from(dropped).unwrap_or(0);
                self.emit(tok, self.pos + 1);
            }
            None if tok == Tok::RBrace && host != Host::File => self.end_code(Some(self.pos + 1)),
            _stray => self.emit(tok, self.pos + 1),
        }
    }

    /// Ends embedded code, at a `}` of the source or without one.
    pub(super) fn end_code(&mut self, end: Option<usize>) {
        let Some(Mode::Code(code)) = self.modes.pop() else {
            unreachable!("only called in a code mode");
        };
        self.bracket_count -= u32::try_from(code.brackets.len()).unwrap_or(0);
        let tok = match code.host {
            Host::Attribute { handler: true } => Tok::HandlerClose,
            Host::File | Host::Text | Host::Markup | Host::Attribute { handler: false } => {
                Tok::InterpolationClose
            }
        };
        self.newline = false;
        match end {
            Some(end) => self.emit(tok, end),
            None => self.emit_synthetic(tok),
        }
        self.enter_markup_block(&code);
        self.spaced = false;
        self.newline = false;
    }

    fn report_unclosed_code(&mut self, start: u32) {
        self.report(
            Diagnostic::error(
                Code::UnclosedBracket,
                Span::new(start, start + 1),
                "this `{` is not closed",
            )
            .label("no `}` follows")
            .hint("close the expression with `}`"),
        );
    }

    /// True in code embedded in markup when what follows can only be markup: `</p`, `{/if}`.
    fn leaves_markup(&mut self) -> bool {
        let embedded = matches!(self.code_mode().host, Host::Markup | Host::Attribute { .. });
        let rest = &self.bytes[self.pos..];
        embedded
            && (rest.starts_with(b"{/if}")
                || rest.starts_with(b"{/for}")
                || (rest.starts_with(b"</") && rest.get(2).is_some_and(u8::is_ascii_alphabetic)))
    }

    /// True if `<` before a letter opens an element here.
    fn markup_may_start(&mut self) -> bool {
        let newline = self.newline;
        let count = self.tokens.len();
        let last = self.tokens.last().map(|token| token.tok);
        let code = self.code_mode();
        let in_round = matches!(code.brackets.last(), Some(Tok::LParen | Tok::LBracket));
        let statements = matches!(code.host, Host::File | Host::Attribute { handler: true });
        if count == 0 || (code.host != Host::File && count == code.first + 1) {
            return true;
        }
        match last {
            None => true,
            Some(tok) if !tok.ends_operand() => true,
            Some(tok) => !in_round && statements && (newline || tok == Tok::RBrace),
        }
    }

    /// True if `view {` here stands at the start of a statement (after a newline it does even if a bracket was left open).
    fn at_statement_start(&mut self) -> bool {
        let newline = self.newline;
        let last = self.tokens.last().map(|token| token.tok);
        let in_round = matches!(
            self.code_mode().brackets.last(),
            Some(Tok::LParen | Tok::LBracket)
        );
        newline
            || (!in_round
                && matches!(
                    last,
                    None | Some(
                        Tok::LBrace
                            | Tok::RBrace
                            | Tok::Separator
                            | Tok::TagClose
                            | Tok::TagSelfEnd
                            | Tok::ViewClose
                    )
                ))
    }

    fn word_or_operator(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or(' ');
        if first == '_' || first.is_alphabetic() {
            let length = identifier_length(rest);
            let text = &rest[..length];
            if text == "view" && self.at_statement_start() && self.open_view() {
                return;
            }
            let tok = if first.is_uppercase() {
                Tok::TypeIdent
            } else {
                reserved(text).unwrap_or(Tok::Ident)
            };
            if tok == Tok::Then {
                let code = self.code_mode();
                code.is_expression |= code.brackets.is_empty();
            }
            self.emit(tok, self.pos + length);
            return;
        }
        match operator(rest.as_bytes()) {
            Some((tok, length)) => self.emit(tok, self.pos + length),
            None => self.unknown_character(first),
        }
    }
}

impl Mode {
    fn start(&self) -> u32 {
        match self {
            Mode::Code(code) => code.start,
            Mode::Text { start, .. } | Mode::Tag { start, .. } | Mode::Markup { start, .. } => {
                *start
            }
        }
    }
}
