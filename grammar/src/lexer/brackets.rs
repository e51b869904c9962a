//! Makes the brackets of code balance, and finds the partner of each.
//!
//! The parser cannot skip balanced groups while it recovers, so it must never see unbalanced ones. Wrong closers are reported and
//! dropped or taken for the right one, missing ones inserted. Only if the file does not balance, indentation helps: a line that starts
//! no deeper than the line of an open bracket ends that bracket; a line that is deeper than the one before, although nothing was
//! opened there, and that ends in a `}` that closes nothing, lacks the `{` of its block. In balanced files indentation has no
//! meaning. Texts and interpolations are balanced by the scanner already and are walls for the search.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::limits::MESSAGES_KEPT_MAX;
use crate::span::Span;
use crate::token::{Tok, Token};

/// Tokens looked at to see whether the right closer follows. Without it many mistakes in one long line would cost the square.
const LOOK_AHEAD_TOKENS_MAX: usize = 64;

/// Tokens with a table of partners.
pub(super) struct Balanced {
    pub(super) tokens: Vec<Token>,
    /// For each bracket, text or interpolation the index of its partner; for other tokens the token's own index.
    pub(super) partner: Vec<u32>,
}

/// Balances; with `quiet` the repairs are not reported (the scan was stopped and said why).
pub(super) fn balance(
    source: &str,
    tokens: &[Token],
    quiet: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Balanced {
    let mut plain = Balancer::new(source, false);
    plain.run(tokens);
    if plain.diagnostics.is_empty() {
        return plain.balanced;
    }
    if quiet {
        return plain.balanced;
    }
    let mut by_indent = Balancer::new(source, true);
    by_indent.excess_close = plain.excess_close;
    by_indent.run(tokens);
    let chosen = if by_indent.diagnostics.is_empty() {
        plain
    } else {
        by_indent
    };
    diagnostics.extend(chosen.diagnostics);
    chosen.balanced
}

struct Open {
    tok: Tok,
    /// Index in the output.
    index: usize,
    /// Indentation of the line it stands on.
    indent: u32,
    /// Number of that line, as far as tokens begin lines.
    line: u32,
}

struct Balancer<'s> {
    source: &'s str,
    by_indent: bool,
    /// There are more closing braces than opening ones.
    excess_close: bool,
    stack: Vec<Open>,
    line_indent: u32,
    line: u32,
    /// Where in the output the current line begins.
    line_first: usize,
    /// Ends of lines after which the lines are deeper although no bracket says so.
    gaps: Vec<Gap>,
    /// How often the output was changed in its middle.
    moves: usize,
    balanced: Balanced,
    diagnostics: Vec<Diagnostic>,
}

/// A place where a `{` may be missing.
struct Gap {
    /// Index in the output.
    index: usize,
    /// Indentation of the line that ends there.
    indent: u32,
    /// How many brackets were open.
    depth: usize,
}

/// Repairs that move the rest of the output; each takes time.
const MOVES_MAX: usize = 64;

impl<'s> Balancer<'s> {
    fn new(source: &'s str, by_indent: bool) -> Balancer<'s> {
        Balancer {
            source,
            by_indent,
            excess_close: false,
            stack: Vec::new(),
            line_indent: 0,
            line: 0,
            line_first: 0,
            gaps: Vec::new(),
            moves: 0,
            balanced: Balanced {
                tokens: Vec::new(),
                partner: Vec::new(),
            },
            diagnostics: Vec::new(),
        }
    }

    fn run(&mut self, tokens: &[Token]) {
        self.balanced.tokens.reserve(tokens.len());
        self.balanced.partner.reserve(tokens.len());
        for (at, &token) in tokens.iter().enumerate() {
            if token.tok == Tok::Trivia {
                continue;
            }
            self.line += u32::from(token.newline);
            if token.newline && self.by_indent {
                self.new_line(token);
            }
            if token.tok.is_open_bracket() || is_wall_open(token.tok) {
                self.stack.push(Open {
                    tok: token.tok,
                    index: self.balanced.tokens.len(),
                    indent: self.line_indent,
                    line: self.line,
                });
                self.push(token);
            } else if token.tok.is_close_bracket() {
                self.close(token, &tokens[at + 1..]);
            } else if is_wall_close(token.tok) {
                while self
                    .stack
                    .last()
                    .is_some_and(|open| open.tok.is_open_bracket())
                {
                    self.insert_closer();
                }
                self.pair(token);
            } else {
                self.push(token);
            }
        }
        while !self.stack.is_empty() {
            self.insert_closer();
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MESSAGES_KEPT_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    fn push(&mut self, token: Token) {
        let index = u32::try_from(self.balanced.tokens.len()).unwrap_or(u32::MAX);
        self.balanced.tokens.push(token);
        self.balanced.partner.push(index);
    }

    /// Emits a closer that belongs to the innermost opener.
    fn pair(&mut self, token: Token) {
        let index = self.balanced.tokens.len();
        self.push(token);
        if let Some(open) = self.stack.pop() {
            self.balanced.partner[open.index] = u32::try_from(index).unwrap_or(u32::MAX);
            self.balanced.partner[index] = u32::try_from(open.index).unwrap_or(u32::MAX);
        }
    }

    fn new_line(&mut self, token: Token) {
        if continues_line(token.tok) {
            return;
        }
        let line = self.source[..token.start as usize]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let indent = super::scan::indent_of(self.source, line).unwrap_or(0);
        self.note_gap(indent);
        self.line_indent = indent;
        self.line_first = self.balanced.tokens.len();
        // A text without end has swallowed the closers on its line.
        let last = self.balanced.tokens.last();
        let swallowed = last.is_some_and(|it| it.tok == Tok::TextClose && it.start == it.end);
        while let Some(open) = self.stack.last() {
            let ends = open.tok.is_open_bracket()
                && if token.tok.is_close_bracket() {
                    self.line_indent < open.indent
                } else {
                    self.line_indent <= open.indent && (swallowed || token.tok != Tok::LBrace)
                };
            if !ends {
                return;
            }
            self.insert_closer();
        }
    }

    /// Notes the end of the line before if the next one is deeper without a reason.
    fn note_gap(&mut self, indent: u32) {
        let opened = self
            .stack
            .last()
            .is_some_and(|open| open.index >= self.line_first);
        let ends = (self.balanced.tokens.last()).is_some_and(|last| {
            last.tok.ends_operand() || matches!(last.tok, Tok::ElseThen | Tok::Loop | Tok::Try)
        });
        if indent > self.line_indent && !opened && ends {
            self.gaps.push(Gap {
                index: self.balanced.tokens.len(),
                indent: self.line_indent,
                depth: self.stack.len(),
            });
        }
    }

    /// Gives a `}` that closes nothing its `{`, if indentation shows where that is missing.
    fn insert_opener(&mut self, closer: Token) -> bool {
        let innermost = self.stack.last().map_or(0, |open| open.index);
        let fits = |gap: &Gap| {
            gap.indent == self.line_indent
                && gap.depth == self.stack.len()
                && gap.index >= innermost
        };
        let usable =
            self.by_indent && closer.tok == Tok::RBrace && closer.newline && self.moves < MOVES_MAX;
        let Some(at) = self.gaps.iter().rposition(fits).filter(|_| usable) else {
            return false;
        };
        let index = self.gaps[at].index;
        self.gaps.truncate(at);
        self.moves += 1;
        let end = self.balanced.tokens[index - 1].end;
        self.report(
            Diagnostic::error(
                Code::MissingBlock,
                Span::at(end),
                "the `{` of a block is missing",
            )
            .label("expected `{`")
            .also(closer.span(), "its `}` seems to be this one")
            .hint("add `{` at the end of the line"),
        );
        for partner in &mut self.balanced.partner {
            *partner += u32::from(*partner as usize >= index);
        }
        let opener = Token {
            spaced: true,
            ..Token::glued(Tok::LBrace, end, end)
        };
        self.balanced.tokens.insert(index, opener);
        let after = u32::try_from(self.balanced.tokens.len()).unwrap_or(u32::MAX);
        self.balanced.partner.insert(index, after);
        self.push(closer);
        if let Some(last) = self.balanced.partner.last_mut() {
            *last = u32::try_from(index).unwrap_or(u32::MAX);
        }
        true
    }

    /// Takes an opener out again that stands twice, as in `fn f() { {`.
    fn drop_doubled(&mut self, index: usize) -> bool {
        let again = self.balanced.tokens.get(index + 1);
        let doubled = self.balanced.tokens[index].tok == Tok::LBrace
            && again.is_some_and(|next| next.tok == Tok::LBrace && !next.newline);
        if !doubled || self.moves >= MOVES_MAX {
            return false;
        }
        self.moves += 1;
        self.stack.pop();
        self.balanced.tokens.remove(index);
        self.balanced.partner.remove(index);
        for partner in &mut self.balanced.partner {
            *partner -= u32::from(*partner as usize > index);
        }
        true
    }

    fn close(&mut self, token: Token, rest: &[Token]) {
        let doubled = self
            .balanced
            .tokens
            .last()
            .is_some_and(|last| last.tok == Tok::RBrace);
        let deeper_than_opener = self.by_indent
            && self.excess_close
            && (token.newline || doubled)
            && self
                .stack
                .last()
                .is_some_and(|open| open.indent < self.line_indent);
        let wall = self
            .stack
            .iter()
            .rposition(|open| !open.tok.is_open_bracket())
            .map_or(0, |wall| wall + 1);
        let found = self.stack[wall..]
            .iter()
            .rposition(|open| Some(open.tok) == token.tok.opener())
            .map(|position| wall + position);
        match found {
            Some(position) if !deeper_than_opener => {
                while self.stack.len() > position + 1 {
                    self.insert_closer();
                }
                self.pair(token);
            }
            None if self.is_mistaken(rest) => self.close_mistaken(token),
            _stray if self.insert_opener(token) => {}
            _stray => {
                self.excess_close |= token.tok == Tok::RBrace;
                let text = token.span().text(self.source);
                self.report(
                    Diagnostic::error(
                        Code::StrayCloser,
                        token.span(),
                        format!("this `{text}` closes nothing"),
                    )
                    .hint("remove it, or add the opening bracket before"),
                );
            }
        }
    }

    /// Whether a closer without an opener of its kind was meant for the innermost bracket: both on one line, and the right
    /// one does not follow on it.
    fn is_mistaken(&self, rest: &[Token]) -> bool {
        let Some(open) = self.stack.last() else {
            return false;
        };
        let right = match open.tok {
            Tok::LParen => Tok::RParen,
            Tok::LBracket => Tok::RBracket,
            _other => return false,
        };
        let mut line = rest.iter().take(LOOK_AHEAD_TOKENS_MAX);
        open.line == self.line
            && line
                .find(|next| next.newline || next.tok == right)
                .is_none_or(|next| next.newline)
    }

    /// Takes a closer of another kind for the one that was meant, and reports it.
    fn close_mistaken(&mut self, token: Token) {
        let Some(open) = self.stack.last() else {
            return;
        };
        let opener = self.balanced.tokens[open.index];
        let (tok, right) = match open.tok {
            Tok::LParen => (Tok::RParen, ")"),
            _bracket => (Tok::RBracket, "]"),
        };
        let (opened, found) = (
            opener.span().text(self.source),
            token.span().text(self.source),
        );
        self.report(
            Diagnostic::error(
                Code::StrayCloser,
                token.span(),
                format!("`{found}` does not close `{opened}`"),
            )
            .label(format!("`{right}` is expected"))
            .also(opener.span(), "opened here"),
        );
        self.pair(Token { tok, ..token });
    }

    /// Inserts the closer of the innermost bracket and reports it.
    fn insert_closer(&mut self) {
        let Some(open) = self.stack.last() else {
            return;
        };
        let index = open.index;
        let opener = self.balanced.tokens[index];
        let (tok, text) = match open.tok {
            Tok::LParen => (Tok::RParen, ")"),
            Tok::LBracket => (Tok::RBracket, "]"),
            _brace => (Tok::RBrace, "}"),
        };
        let end = self.balanced.tokens.last().map_or(0, |token| token.end);
        let opened = opener.span().text(self.source);
        self.report(
            Diagnostic::error(
                Code::UnclosedBracket,
                opener.span(),
                format!("this `{opened}` is not closed"),
            )
            .label("opened here")
            .also(Span::at(end), format!("`{text}` seems to be missing here"))
            .hint(format!("add `{text}`")),
        );
        if !self.drop_doubled(index) {
            self.pair(Token::glued(tok, end, end));
        }
    }
}

/// Operators at the start of a line: the line belongs to the one before, whatever its indentation.
fn continues_line(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::Dot
            | Tok::OptionalDot
            | Tok::Pipe
            | Tok::AndAnd
            | Tok::OrOr
            | Tok::Elvis
            | Tok::Question
            | Tok::Colon
            | Tok::Plus
            | Tok::EqualEqual
            | Tok::NotEqual
            | Tok::Bar
    )
}

fn is_wall_open(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::TextOpen
            | Tok::InterpolationOpen
            | Tok::HandlerOpen
            | Tok::MarkupIf
            | Tok::MarkupElseIf
            | Tok::MarkupFor
            | Tok::ViewOpen
    )
}

fn is_wall_close(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::TextClose | Tok::InterpolationClose | Tok::HandlerClose | Tok::ViewClose
    )
}
