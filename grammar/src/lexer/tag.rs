//! Pass 1: opening tags with their attributes, and what follows `<style>` and `<script>`.

use super::scan::{Host, Mode, OpenKind, OpenNode, Scanner, Word, indent_of};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::token::{Tok, Token};

/// Elements that have no content and no closing tag.
pub(super) const VOID_ELEMENTS: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Attribute names that are event handlers.
const EVENTS: [&str; 52] = [
    "click",
    "dblclick",
    "submit",
    "change",
    "input",
    "keydown",
    "keyup",
    "keypress",
    "focus",
    "blur",
    "focusin",
    "focusout",
    "mousedown",
    "mouseup",
    "mousemove",
    "mouseenter",
    "mouseleave",
    "mouseover",
    "mouseout",
    "contextmenu",
    "wheel",
    "scroll",
    "touchstart",
    "touchmove",
    "touchend",
    "touchcancel",
    "pointerdown",
    "pointerup",
    "pointermove",
    "pointerenter",
    "pointerleave",
    "pointercancel",
    "drag",
    "dragstart",
    "dragend",
    "dragenter",
    "dragleave",
    "dragover",
    "drop",
    "copy",
    "cut",
    "paste",
    "reset",
    "select",
    "toggle",
    "load",
    "error",
    "invalid",
    "animationstart",
    "animationiteration",
    "animationend",
    "transitionend",
];

/// How an opening tag ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closer {
    /// `>`
    Open,
    /// `/>`
    SelfClosed,
    /// `/`, whose `>` was forgotten
    Slash,
    /// Not at all: what comes next does not belong to it.
    Missing,
}

impl Closer {
    /// Bytes before the position that it takes.
    fn bytes(self) -> u32 {
        match self {
            Closer::Open | Closer::Slash => 1,
            Closer::SelfClosed => 2,
            Closer::Missing => 0,
        }
    }
}

impl Scanner<'_> {
    /// `<name`.
    pub(super) fn open_tag(&mut self) {
        let start = self.offset();
        let name_start = self.pos + 1;
        let length = self.source[name_start..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':')))
            .unwrap_or(self.source.len() - name_start);
        let end = name_start + length;
        let name = Span::new(start + 1, u32::try_from(end).unwrap_or(u32::MAX));
        if name.text(self.source).eq_ignore_ascii_case("script") {
            self.report(
                Diagnostic::error(Code::ScriptRefused, Span::new(start, name.end), "`<script>` is not allowed")
                    .label("code in markup is FLIN code")
                    .hint("handlers that can run in the browser become scripts by themselves; put a script file of your own into public/"),
            );
        }
        self.emit(Tok::TagOpen, end);
        self.modes.push(Mode::Tag { name, start });
        self.deeper();
    }

    /// The next piece of an opening tag.
    pub(super) fn tag(&mut self) {
        let byte = self.peek(0);
        match byte {
            b'\n' if self.tag_is_limited() => self.close_unclosed(),
            b' ' | b'\t' | b'\n' | b'\r' => self.pos += 1,
            b'>' => {
                self.pos += 1;
                self.end_tag(Closer::Open);
            }
            b'/' if self.peek(1) == b'>' => {
                self.pos += 2;
                self.end_tag(Closer::SelfClosed);
            }
            b'/' if self.rest()[1..]
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n') =>
            {
                self.pos += 1;
                self.self_close_unfinished();
            }
            b'=' => self.attribute_value(),
            b'<' => self.close_unclosed(),
            b'{' => {
                let at = self.offset();
                self.report(
                    Diagnostic::error(
                        Code::BadMarkup,
                        Span::new(at, at + 1),
                        "a value without the name of an attribute",
                    )
                    .hint("attributes are written name=\"text\" or name={expression}"),
                );
                self.emit_synthetic(Tok::AttributeName);
                self.emit_synthetic(Tok::AttributeEqual);
                self.open_attribute_code(false);
            }
            _name if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'@') => {
                self.attribute_name();
            }
            _other => self.stray_in_tag(),
        }
    }

    /// A `/` at the end of a line, whose `>` was forgotten.
    fn self_close_unfinished(&mut self) {
        let at = self.offset();
        self.report(
            Diagnostic::error(
                Code::BadMarkup,
                Span::new(at - 1, at),
                "this tag is not finished",
            )
            .label("`/>` is expected")
            .hint("end the tag with `/>`"),
        );
        self.end_tag(Closer::Slash);
    }

    /// In a limited scan: true if the next line lies outside of the tag.
    fn tag_is_limited(&self) -> bool {
        let Some(Mode::Tag { start, .. }) = self.modes.last() else {
            return false;
        };
        let line = self.source[..*start as usize]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let limit = indent_of(self.source, line).unwrap_or(0);
        let next = indent_of(self.source, self.pos + 1);
        *start >= self.limit_from
            && next.is_some_and(|next| next <= limit)
            && !self.rest().trim_start().starts_with(['>', '/'])
    }

    /// A closing tag in code.
    pub(super) fn stray_tag(&mut self) {
        let start = self.offset();
        let length = self.rest().find(['>', '\n']).unwrap_or(self.rest().len());
        let end = self.pos + length + usize::from(self.rest()[length..].starts_with('>'));
        let span = Span::new(start, u32::try_from(end).unwrap_or(u32::MAX));
        let text = span.text(self.source).to_owned();
        self.report(
            Diagnostic::error(
                Code::StrayTag,
                span,
                format!("`{text}` closes nothing that is open here"),
            )
            .hint("remove it, or open the element before"),
        );
        self.pos = end;
    }

    fn stray_in_tag(&mut self) {
        let character = self.rest().chars().next().unwrap_or(' ');
        let at = self.offset();
        let end = at + u32::try_from(character.len_utf8()).unwrap_or(1);
        if character == '}' {
            self.close_unclosed();
            return;
        }
        self.report(
            Diagnostic::error(
                Code::BadMarkup,
                Span::new(at, end),
                format!("`{character}` cannot stand in a tag"),
            )
            .hint("attributes are written name=\"text\", name={expression} or name alone"),
        );
        self.pos += character.len_utf8();
    }

    fn attribute_name(&mut self) {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '@')))
            .unwrap_or(rest.len());
        let name = &rest[..length];
        let has_value = rest[length..].trim_start().starts_with('=');
        let base = name.split('.').next().unwrap_or(name);
        if let Some(event) = name.strip_prefix("on").filter(|rest| {
            let event = rest.split('.').next().unwrap_or(rest);
            EVENTS.contains(&event)
        }) {
            let start = self.offset();
            let span = Span::new(start, start + u32::try_from(length).unwrap_or(0));
            self.report(
                Diagnostic::error(
                    Code::BadMarkup,
                    span,
                    format!("events are written without `on`: `{event}`"),
                )
                .hint(format!(
                    "write `{event}={{…}}` with FLIN code in the braces"
                )),
            );
        }
        let is_event = EVENTS.contains(&base) || self.in_component() && is_callback(base);
        let tok = if has_value && name == "bind" {
            Tok::BindName
        } else if has_value && is_event {
            Tok::EventName
        } else {
            Tok::AttributeName
        };
        self.emit(tok, self.pos + length);
    }

    /// Whether the tag is one of a component.
    fn in_component(&self) -> bool {
        match self.modes.last() {
            Some(Mode::Tag { name, .. }) => name.text(self.source).starts_with(char::is_uppercase),
            _ => false,
        }
    }

    /// `=` and what follows it.
    fn attribute_value(&mut self) {
        let name = self.tokens.last().map(|token| token.tok);
        if !matches!(
            name,
            Some(Tok::AttributeName | Tok::EventName | Tok::BindName)
        ) {
            self.stray_in_tag();
            return;
        }
        self.emit(Tok::AttributeEqual, self.pos + 1);
        self.pos = self.source.len() - self.rest().trim_start().len();
        match self.peek(0) {
            quote @ (b'"' | b'\'') => self.push_text(quote, true),
            b'{' => self.open_attribute_code(name == Some(Tok::EventName)),
            _other => self.unquoted_value(),
        }
    }

    fn unquoted_value(&mut self) {
        let rest = self.rest();
        let length = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '>' | '<' | '{' | '}'))
            .unwrap_or(rest.len());
        let start = self.offset();
        let end = self.pos + length;
        let span = Span::new(start, u32::try_from(end).unwrap_or(u32::MAX));
        let value = span.text(self.source);
        self.report(
            Diagnostic::error(
                Code::BadMarkup,
                span,
                "the value of an attribute needs quotes or braces",
            )
            .hint(if is_name(value) {
                format!("write \"{value}\", or {{{value}}} for the value of a variable")
            } else {
                format!("write \"{value}\"")
            }),
        );
        self.emit_synthetic(Tok::TextOpen);
        if length > 0 {
            self.emit(Tok::AttributeChunk, end);
        }
        self.emit_synthetic(Tok::TextClose);
    }

    fn open_attribute_code(&mut self, handler: bool) {
        let open = self.offset();
        let tok = if handler {
            Tok::HandlerOpen
        } else {
            Tok::InterpolationOpen
        };
        self.emit(tok, self.pos + 1);
        self.push_code(Host::Attribute { handler }, Word::Plain, open);
    }

    /// The end of an opening tag; the position is behind it already.
    pub(super) fn end_tag(&mut self, closer: Closer) {
        let Some(Mode::Tag { name, start }) = self.modes.pop() else {
            unreachable!("only called in a tag mode");
        };
        let text = name.text(self.source);
        let end = self.offset();
        let begin = end - closer.bytes();
        let self_closed = matches!(closer, Closer::SelfClosed | Closer::Slash);
        let script = text.eq_ignore_ascii_case("script");
        if self_closed || script || VOID_ELEMENTS.contains(&text) {
            self.tokens.push(Token::glued(Tok::TagSelfEnd, begin, end));
            if script && !self_closed {
                let (_, after) = self.raw_content("</script");
                self.pos = after;
            }
            self.leave_bare();
            return;
        }
        self.tokens.push(Token::glued(Tok::TagEnd, begin, end));
        let span = Span::new(start, end.max(name.end));
        if text == "style" {
            self.style(span);
            self.leave_bare();
            return;
        }
        self.nodes.push(OpenNode {
            kind: OpenKind::Element {
                name,
                keeps_space: matches!(text, "pre" | "textarea"),
            },
            span,
        });
        self.deeper();
    }

    fn style(&mut self, opener: Span) {
        let (content_end, after) = self.raw_content("</style");
        if content_end == after {
            self.report(
                Diagnostic::error(Code::UnclosedTag, opener, "`<style>` is not closed")
                    .label("opened here")
                    .hint("add `</style>`"),
            );
        }
        self.emit(Tok::StyleRaw, content_end);
        self.emit(Tok::TagClose, after);
    }

    /// Ends of the raw content and of the closer; if there is no closer, both are the end of the line.
    fn raw_content(&mut self, closer: &'static str) -> (usize, usize) {
        let rest = self.rest();
        let known_absent = self.absent.contains(&closer);
        let found = rest.match_indices('<').find(|(at, _)| {
            known_absent
                || rest
                    .get(*at..at + closer.len())
                    .is_some_and(|text| text.eq_ignore_ascii_case(closer))
        });
        let found = found.filter(|_| !known_absent);
        if found.is_none() {
            self.absent.push(closer);
        }
        match found {
            Some((at, _)) => {
                let length = rest[at..].find('>').map_or(rest.len() - at, |l| l + 1);
                (self.pos + at, self.pos + at + length)
            }
            None => {
                let line = self.pos + rest.find('\n').unwrap_or(rest.len());
                (line, line)
            }
        }
    }
}

/// Whether an attribute of a component has code, as an event has: `onSave`.
fn is_callback(name: &str) -> bool {
    name.strip_prefix("on")
        .is_some_and(|rest| rest.starts_with(char::is_uppercase))
}

/// Whether a text could be the name of a variable.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|c| c.is_lowercase() || c == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}
