//! Pass 1: markup. Tags are matched here, so that the parser never sees unbalanced markup.
//!
//! One stack holds open elements and `{if}`/`{for}` blocks. A wrong or missing closer is one message and a synthetic closing
//! token. Void elements are emitted as self-closed; the content of `<style>` is one raw token.

use super::scan::{
    CodeMode, Host, Mode, OpenKind, OpenNode, Scanner, Word, identifier_length, indent_of,
};
use super::tag::VOID_ELEMENTS;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::Tok;

impl Scanner<'_> {
    /// `view {`: markup up to its `}`. False if no brace follows.
    pub(super) fn open_view(&mut self) -> bool {
        let after = &self.source[self.pos + 4..];
        let brace = after.len() - after.trim_start().len();
        if !after[brace..].starts_with('{') {
            return false;
        }
        let start = self.offset();
        let indent = self.line_indent();
        self.emit(Tok::ViewOpen, self.pos + 4 + brace + 1);
        self.push_markup(true, start, indent);
        true
    }

    /// An element where a statement stands.
    pub(super) fn open_bare(&mut self) {
        let start = self.offset();
        let indent = self.line_indent();
        self.push_markup(false, start, indent);
        self.open_tag();
    }

    fn push_markup(&mut self, view: bool, start: u32, indent: u32) {
        self.modes.push(Mode::Markup {
            base: self.nodes.len(),
            view,
            start,
            indent,
        });
        self.deeper();
    }

    fn line_indent(&mut self) -> u32 {
        let line = self.line_start();
        indent_of(self.source, line).unwrap_or(0)
    }

    /// The next piece of markup.
    pub(super) fn markup(&mut self) {
        let Some(&Mode::Markup {
            base,
            view,
            start,
            indent,
        }) = self.modes.last()
        else {
            unreachable!("only called in a markup mode");
        };
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        if rest.starts_with("<!--") {
            self.markup_comment();
        } else if self.at_doctype() {
            self.doctype();
        } else if bytes[0] == b'<' && letter(1) {
            self.open_tag();
        } else if rest.starts_with("</") && letter(2) {
            self.close_tag(base);
        } else if bytes[0] == b'{' {
            self.markup_brace(base);
        } else if bytes[0] == b'}' {
            self.markup_close_brace(base, view);
        } else {
            let limit = (start >= self.limit_from).then_some(indent);
            self.markup_text(base, limit);
        }
        self.leave_bare();
    }

    /// Leaves the mode of a bare element once it is closed.
    pub(super) fn leave_bare(&mut self) {
        if let Some(&Mode::Markup {
            base, view: false, ..
        }) = self.modes.last()
            && self.nodes.len() <= base
        {
            self.modes.pop();
        }
    }

    /// True at `<!doctype`.
    pub(super) fn at_doctype(&self) -> bool {
        self.bytes
            .get(self.pos..self.pos + 9)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"<!doctype"))
    }

    /// Reports and skips `<!doctype …>`.
    pub(super) fn doctype(&mut self) {
        let start = self.offset();
        let rest = self.rest();
        let length = rest.find('\n').unwrap_or(rest.len());
        let length = rest[..length].find('>').map_or(length, |at| at + 1);
        self.pos += length;
        self.report(
            Diagnostic::error(
                Code::BadMarkup,
                Span::new(start, self.offset()),
                "the doctype is written by the runtime",
            )
            .hint("remove it; begin with the content of the page"),
        );
    }

    fn markup_comment(&mut self) {
        if !self.absent.contains(&"-->") {
            if let Some(length) = self.rest().find("-->") {
                self.pos += length + 3;
                return;
            }
            self.absent.push("-->");
        }
        let start = self.offset();
        self.report(
            Diagnostic::error(
                Code::UnclosedComment,
                Span::new(start, start + 4),
                "this comment is not closed",
            )
            .label("no `-->` follows"),
        );
        self.pos += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// Text up to the next tag or brace; in a limited scan also up to a line that lies outside of the markup.
    fn markup_text(&mut self, base: usize, limit: Option<u32>) {
        let start = self.pos;
        let mut at = start + usize::from(self.bytes[start] == b'<');
        while let Some(&byte) = self.bytes.get(at) {
            let next = self.bytes.get(at + 1).copied().unwrap_or(0);
            match byte {
                b'{' | b'}' => break,
                b'<' if next.is_ascii_alphabetic() || matches!(next, b'/' | b'!') => break,
                b'\n' => {
                    let own = indent_of(self.source, at + 1);
                    if let (Some(limit), Some(own)) = (limit, own)
                        && own <= limit
                        && !self.source[at..].trim_start().starts_with(['<', '}'])
                    {
                        self.emit_text(base, at);
                        self.close_unclosed();
                        return;
                    }
                    at += 1;
                }
                _other => at += 1,
            }
        }
        self.emit_text(base, at);
    }

    fn emit_text(&mut self, base: usize, end: usize) {
        if end <= self.pos {
            return;
        }
        let kept = self.nodes[base.min(self.nodes.len())..].iter().any(|node| {
            matches!(
                node.kind,
                OpenKind::Element {
                    keeps_space: true,
                    ..
                }
            )
        });
        let tok = if kept {
            Tok::MarkupTextKept
        } else {
            Tok::MarkupText
        };
        self.emit(tok, end);
    }

    /// `{`: a word of the markup or an interpolation.
    fn markup_brace(&mut self, base: usize) {
        let inner = self.source[self.pos + 1..].trim_start();
        let from = self.source.len() - inner.len();
        if let Some(name) = inner.strip_prefix('/')
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            self.close_block(base, name);
            return;
        }
        let length = identifier_length(inner);
        let behind = inner[length..].trim_start();
        let behind_at = self.source.len() - behind.len();
        let open = self.offset();
        match &inner[..length] {
            "if" => {
                self.emit(Tok::InterpolationOpen, self.pos + 1);
                self.push_code(Host::Markup, Word::If, open);
                self.pos = from;
                self.emit(Tok::If, from + 2);
            }
            "for" => {
                self.emit(Tok::MarkupFor, from + 3);
                self.push_code(Host::Markup, Word::For, open);
            }
            "else" if behind.starts_with('}') => {
                self.middle(base, false, Tok::MarkupElse, behind_at + 1);
            }
            "else" if behind.starts_with("if") && identifier_length(behind) == 2 => {
                if self.middle(base, false, Tok::MarkupElseIf, behind_at + 2) {
                    self.push_code(Host::Markup, Word::ElseIf, open);
                }
            }
            "empty" if behind.starts_with('}') => {
                self.middle(base, true, Tok::MarkupEmpty, behind_at + 1);
            }
            _expression => {
                self.emit(Tok::InterpolationOpen, self.pos + 1);
                self.push_code(Host::Markup, Word::Plain, open);
            }
        }
    }

    /// `{else}`, `{else if`, `{empty}`: emitted if the block it belongs to is open.
    fn middle(&mut self, base: usize, of_for: bool, tok: Tok, end: usize) -> bool {
        let wanted = if of_for { OpenKind::For } else { OpenKind::If };
        let found = self.nodes[base..]
            .iter()
            .rposition(|node| matches!(node.kind, OpenKind::If | OpenKind::For))
            .map(|position| base + position);
        match found {
            Some(position) if self.nodes[position].kind == wanted => {
                self.close_nodes(position + 1, Some(end));
                self.emit(tok, end);
                true
            }
            _other => {
                let span = Span::new(self.offset(), u32::try_from(end).unwrap_or(u32::MAX));
                let text = span.text(self.source).to_owned();
                let hint = if of_for {
                    "`{empty}` stands inside of `{for}`; a variable of that name is shown by `{(empty)}`"
                } else {
                    "`{else}` stands between `{if …}` and `{/if}`"
                };
                self.report(
                    Diagnostic::error(
                        Code::StrayTag,
                        span,
                        format!("`{text}` belongs to nothing that is open here"),
                    )
                    .hint(hint),
                );
                self.pos = if tok == Tok::MarkupElseIf {
                    self.source[end..]
                        .find(['}', '\n'])
                        .map_or(self.bytes.len(), |length| end + length + 1)
                } else {
                    end
                };
                false
            }
        }
    }

    /// `{/if}`, `{/for}`.
    fn close_block(&mut self, base: usize, name: &str) {
        let length = identifier_length(name);
        let behind = name[length..].trim_start();
        let closed = behind.starts_with('}');
        let end = self.source.len() - behind.len() + usize::from(closed);
        let kind = match &name[..length] {
            "if" => Some((OpenKind::If, Tok::MarkupEndIf)),
            "for" => Some((OpenKind::For, Tok::MarkupEndFor)),
            _unknown => None,
        };
        let found = kind.and_then(|(kind, tok)| {
            let position = self.nodes[base..]
                .iter()
                .rposition(|node| node.kind == kind)?;
            Some((base + position, tok))
        });
        match found {
            Some((position, tok)) => {
                self.close_nodes(position + 1, Some(end));
                self.nodes.truncate(position);
                self.emit(tok, end);
            }
            None => {
                let span = Span::new(self.offset(), u32::try_from(end).unwrap_or(u32::MAX));
                let text = span.text(self.source).to_owned();
                self.report(
                    Diagnostic::error(
                        Code::StrayTag,
                        span,
                        format!("`{text}` closes nothing that is open here"),
                    )
                    .hint("blocks of the markup are `{if …}…{/if}` and `{for …}…{/for}`"),
                );
                self.pos = end;
            }
        }
    }

    /// `}` in markup: the end of the view, or a mistake.
    fn markup_close_brace(&mut self, base: usize, view: bool) {
        let line = self.line_start();
        let first_of_line = self.source[line..self.pos].trim().is_empty();
        if view && (self.nodes.len() == base || first_of_line) {
            self.close_nodes(base, None);
            self.emit(Tok::ViewClose, self.pos + 1);
            self.modes.pop();
        } else if first_of_line {
            self.close_nodes(base, None);
        } else {
            let at = self.offset();
            self.report(
                Diagnostic::error(
                    Code::BadMarkup,
                    Span::new(at, at + 1),
                    "a `}` in the text of an element",
                )
                .label("this closes nothing")
                .hint("to show a brace write {\"}\"}"),
            );
            self.pos += 1;
        }
    }

    /// Closes all nodes from `from` on, reporting each; `before` is the end of the closer that came instead.
    fn close_nodes(&mut self, from: usize, before: Option<usize>) {
        while self.nodes.len() > from {
            let Some(node) = self.nodes.pop() else { return };
            if self.nodes.len() > from && self.closes_by_mistake(node) {
                self.nodes.pop();
                self.emit_synthetic(Tok::TagClose);
                self.emit_synthetic(Tok::TagClose);
                continue;
            }
            let (what, closer, tok) = match node.kind {
                OpenKind::Element { name, .. } => {
                    let name = name.text(self.source);
                    (
                        format!("`<{name}>` is not closed"),
                        format!("`</{name}>`"),
                        Tok::TagClose,
                    )
                }
                OpenKind::If => (
                    "`{if}` is not closed".to_owned(),
                    "`{/if}`".to_owned(),
                    Tok::MarkupEndIf,
                ),
                OpenKind::For => (
                    "`{for}` is not closed".to_owned(),
                    "`{/for}`".to_owned(),
                    Tok::MarkupEndFor,
                ),
            };
            let mut diagnostic = Diagnostic::error(Code::UnclosedTag, node.span, what)
                .label("opened here")
                .hint(format!("add {closer}"));
            if let Some(end) = before {
                let at = Span::new(self.offset(), u32::try_from(end).unwrap_or(u32::MAX));
                diagnostic = diagnostic.also(at, format!("{closer} should stand before this"));
            }
            self.report(diagnostic);
            self.emit_synthetic(tok);
        }
    }

    /// Whether `node`, taken from the open ones and never closed, was meant to close the one below it: the same bare tag
    /// once more, where its closing tag would stand, as in `<b>one<b>`. Reports it then: one slip of a `/`, one message for both tags.
    fn closes_by_mistake(&mut self, node: OpenNode) -> bool {
        let (source, Some(below)) = (self.source, self.nodes.last()) else {
            return false;
        };
        let (OpenKind::Element { name, .. }, OpenKind::Element { name: first, .. }) =
            (node.kind, below.kind)
        else {
            return false;
        };
        let (name, opener) = (name.text(source), below.span);
        let bare = node.span.text(source).len() <= name.len() + "<>".len();
        if first.text(source) != name
            || !bare
            || !self.is_place_of_closer(opener, node.span.start as usize)
        {
            return false;
        }
        let what = format!("`<{name}>` opens a second time here, and neither is closed");
        self.report(
            Diagnostic::error(Code::UnclosedTag, node.span, what)
                .hint(format!("to close the first one, write `</{name}>`"))
                .also(opener, "opened here first"),
        );
        true
    }

    /// Ends the markup mode on top, closing what is open in it.
    pub(super) fn end_markup(&mut self) {
        let Some(&Mode::Markup { base, view, .. }) = self.modes.last() else {
            unreachable!("only called in a markup mode");
        };
        self.close_nodes(base, None);
        if view {
            self.emit_synthetic(Tok::ViewClose);
        }
        self.modes.pop();
    }

    /// Whether a place is where the closing tag of an element would stand: on one line with its opening tag, or first on
    /// a line that is indented like the one of the opening tag.
    fn is_place_of_closer(&self, opener: Span, place: usize) -> bool {
        let line_of = |place: usize| self.source[..place].rfind('\n').map_or(0, |at| at + 1);
        let (first, here) = (line_of(opener.start as usize), line_of(place));
        let begins = self.source[here..place].trim_start().is_empty();
        let indented_alike = indent_of(self.source, first) == indent_of(self.source, here);
        first == here || begins && indented_alike
    }

    /// `</name>`.
    fn close_tag(&mut self, base: usize) {
        let name_start = self.pos + 2;
        let length = self.source[name_start..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':')))
            .unwrap_or(self.source.len() - name_start);
        let name = &self.source[name_start..name_start + length];
        let behind = self.source[name_start + length..].trim_start();
        let closed = behind.starts_with('>');
        let end = if closed {
            self.source.len() - behind.len() + 1
        } else {
            name_start + length
        };
        let span = Span::new(self.offset(), u32::try_from(end).unwrap_or(u32::MAX));
        if !closed {
            self.report(
                Diagnostic::error(Code::BadMarkup, span, "this closing tag is not finished")
                    .hint(format!("write `</{name}>`")),
            );
        }
        let source = self.source;
        let found = self.nodes[base..].iter().rposition(|node| {
            matches!(node.kind, OpenKind::Element { name: open, .. } if open.text(source) == name)
        });
        if let Some(position) = found {
            self.close_nodes(base + position + 1, Some(end));
            self.nodes.pop();
            self.emit(Tok::TagClose, end);
            return;
        }
        let top = self.nodes.last().copied();
        if let Some(OpenNode {
            kind: OpenKind::Element { name: open, .. },
            span: opener,
        }) = top
            && self.is_place_of_closer(opener, self.pos)
        {
            let open = open.text(source);
            self.report(
                Diagnostic::error(
                    Code::StrayTag,
                    span,
                    format!("`</{name}>` does not close `<{open}>`"),
                )
                .label(format!("`</{open}>` is expected"))
                .also(opener, "opened here"),
            );
            self.nodes.pop();
            self.emit(Tok::TagClose, end);
            return;
        }
        let hint = if VOID_ELEMENTS.contains(&name) {
            format!("`<{name}>` needs no closing tag")
        } else {
            format!("remove it, or open `<{name}>` before")
        };
        self.report(
            Diagnostic::error(
                Code::StrayTag,
                span,
                format!("`</{name}>` closes nothing that is open here"),
            )
            .hint(hint),
        );
        self.pos = end;
    }

    /// After the code of `{if …}`, `{else if …}`, `{for …}` has ended: the block is open.
    pub(super) fn enter_markup_block(&mut self, code: &CodeMode) {
        let end = self.tokens.last().map_or(code.start, |token| token.end);
        let span = Span::new(code.start, end.max(code.start));
        let kind = match code.word {
            Word::Plain | Word::ElseIf => return,
            Word::If if code.is_expression => return,
            Word::If => {
                self.tokens[code.first].tok = Tok::MarkupIf;
                self.tokens[code.first + 1].tok = Tok::Trivia;
                OpenKind::If
            }
            Word::For => OpenKind::For,
        };
        self.nodes.push(OpenNode { kind, span });
        self.deeper();
    }
}
