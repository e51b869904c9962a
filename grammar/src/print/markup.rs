//! Markup: elements, `{if}`, `{for}`, text.
//!
//! White space between two pieces of markup is part of what is shown: one blank, however long the run. So a run stays a run and
//! nothing stays nothing; only whether it is a blank or a newline with indentation is decided here. Around block-level elements it is a
//! newline; elsewhere it is what the author wrote, and a blank turns into a newline where the line gets too long. Texts of
//! `<pre>` and `<textarea>`, attribute values and styles are copied.

use super::doc::{ALWAYS, Cmd};
use super::items::is_block_element;
use super::walk::{Place, Walk};
use crate::token::Tok;

/// White space that waits for the next piece.
#[derive(Clone, Copy, Default)]
struct White {
    present: bool,
    lines: u32,
}

/// An open tag, `{if}`, `{for}` or view.
struct Container {
    has_blocks: bool,
    is_block: bool,
}

struct Nodes {
    white: White,
    /// What was written last ends a line of its own.
    after_block: bool,
    /// Nothing was written yet in the innermost container.
    first: bool,
    open: Vec<Container>,
}

impl Walk<'_> {
    /// The index behind the element that starts at `tag`.
    pub(super) fn after_element(&self, tag: usize) -> usize {
        let mut depth = 0u32;
        let mut at = tag;
        while let Some(item) = self.items.list.get(at) {
            match item.tok {
                Tok::TagOpen => depth += 1,
                Tok::TagClose | Tok::TagSelfEnd => depth -= 1,
                _other => {}
            }
            at = item.partner.max(at) + 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    fn block_name(&self, tag: usize) -> bool {
        let item = self.item(tag);
        is_block_element(&self.source[item.start as usize + 1..item.end as usize])
    }

    /// The markup `from..to`: one element, or the content of a view with its closing brace.
    pub(super) fn nodes(&mut self, from: usize, to: usize) {
        let in_view = from > 0 && self.item(from - 1).tok == Tok::ViewOpen;
        let mut nodes = Nodes {
            white: White {
                present: in_view,
                lines: u32::from(in_view),
            },
            after_block: in_view,
            first: true,
            open: Vec::new(),
        };
        let mut at = from;
        while at < to {
            self.comments_of(at, &mut nodes);
            at = self.node(at, &mut nodes);
        }
    }

    /// Comments before a piece stand where they stood.
    fn comments_of(&mut self, index: usize, nodes: &mut Nodes) {
        if self.is_written(index) {
            return;
        }
        self.set_written(index);
        let gap = self.item(index).gap;
        for at in gap.first..gap.end {
            let comment = self.items.comments[at as usize];
            self.flush(nodes, false);
            self.text(comment.start, comment.end);
            nodes.first = false;
        }
    }

    /// Writes the white space before a piece.
    fn flush(&mut self, nodes: &mut Nodes, own_line: bool) {
        let white = std::mem::take(&mut nodes.white);
        if !white.present {
            return;
        }
        if own_line || nodes.after_block || white.lines > 0 {
            self.doc.push(Cmd::Hard {
                empty_line: white.lines > 1 && !nodes.first,
            });
        } else {
            self.doc.push(Cmd::Fill);
        }
    }

    /// One piece; the index behind it.
    fn node(&mut self, at: usize, nodes: &mut Nodes) -> usize {
        let item = self.item(at);
        match item.tok {
            Tok::MarkupText => {
                self.words(at, nodes);
                at + 1
            }
            Tok::TagOpen => self.tag(at, nodes),
            Tok::MarkupIf | Tok::MarkupFor => {
                self.flush(nodes, item.has_blocks);
                self.embedded(at);
                nodes.open.push(Container {
                    has_blocks: item.has_blocks,
                    is_block: item.has_blocks,
                });
                self.enter(nodes);
                item.partner + 1
            }
            Tok::MarkupElseIf | Tok::MarkupElse | Tok::MarkupEmpty => {
                self.leave(nodes);
                let next = if item.tok == Tok::MarkupElseIf {
                    self.embedded(at);
                    item.partner + 1
                } else {
                    self.word_in_braces(at);
                    at + 1
                };
                self.enter(nodes);
                next
            }
            Tok::MarkupEndIf | Tok::MarkupEndFor | Tok::TagClose | Tok::ViewClose => {
                self.leave(nodes);
                self.word_in_braces(at);
                nodes.after_block = nodes.open.pop().is_some_and(|container| container.is_block);
                nodes.first = false;
                at + 1
            }
            Tok::InterpolationOpen => {
                self.flush(nodes, false);
                self.doc.is_rigid = true;
                self.embedded(at);
                self.doc.is_rigid = false;
                nodes.after_block = false;
                nodes.first = false;
                item.partner + 1
            }
            _kept_text => {
                self.flush(nodes, false);
                self.text(item.start, item.end);
                nodes.after_block = false;
                nodes.first = false;
                at + 1
            }
        }
    }

    fn enter(&mut self, nodes: &mut Nodes) {
        self.doc.push(Cmd::Indent(ALWAYS));
        nodes.after_block = nodes.open.last().is_some_and(|open| open.has_blocks);
        nodes.first = true;
    }

    /// Before what ends a container or its part.
    fn leave(&mut self, nodes: &mut Nodes) {
        self.doc.push(Cmd::Dedent(ALWAYS));
        let own_line = nodes.open.last().is_none_or(|open| open.has_blocks);
        if nodes.open.is_empty() {
            // The end of a view: white space there is only layout.
            nodes.white.present = true;
        }
        nodes.white.lines = nodes.white.lines.min(1);
        self.flush(nodes, own_line);
    }

    /// A token of signs and words without white space in it: `{/if}`, `</p>`.
    fn word_in_braces(&mut self, index: usize) {
        let item = self.item(index);
        let text = &self.source[item.start as usize..item.end as usize];
        let fixed = match item.tok {
            Tok::MarkupElse => "{else}",
            Tok::MarkupEmpty => "{empty}",
            Tok::MarkupEndIf => "{/if}",
            Tok::MarkupEndFor => "{/for}",
            _tag => {
                let name = text.trim_end_matches('>').trim_end();
                if text.ends_with('>') && name.len() < text.len() - 1 {
                    let end = item.start + u32::try_from(name.len()).unwrap_or(0);
                    self.text(item.start, end);
                    self.sign(">");
                } else {
                    self.text(item.start, item.end);
                }
                return;
            }
        };
        self.sign(fixed);
    }

    /// `{expression}`, `{if …}`.
    fn embedded(&mut self, open: usize) {
        self.set_written(open);
        self.bracket(open);
    }

    fn words(&mut self, index: usize, nodes: &mut Nodes) {
        let item = self.item(index);
        let source = &self.source[item.start as usize..item.end as usize];
        let is_white = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{C}');
        let mut at = 0;
        while at < source.len() {
            let rest = &source[at..];
            let white = rest.find(|c| !is_white(c)).unwrap_or(rest.len());
            if white > 0 {
                let lines = rest[..white].matches('\n').count();
                nodes.white.present = true;
                nodes.white.lines += u32::try_from(lines).unwrap_or(u32::MAX).min(2);
                at += white;
                continue;
            }
            let length = rest.find(is_white).unwrap_or(rest.len());
            self.flush(nodes, false);
            let start = item.start + u32::try_from(at).unwrap_or(0);
            self.text(start, start + u32::try_from(length).unwrap_or(0));
            nodes.after_block = false;
            nodes.first = false;
            at += length;
        }
    }

    /// An opening tag, with the content if that is a style; the index behind it.
    fn tag(&mut self, open: usize, nodes: &mut Nodes) -> usize {
        let is_block = self.block_name(open);
        self.flush(nodes, is_block);
        nodes.first = false;
        let Some(end) = self.items.tag_end(open) else {
            unreachable!("the end of every tag was found when the items were read");
        };
        let self_closed = self.item(end).tok == Tok::TagSelfEnd;
        self.attributes(open, end, self_closed);
        if self_closed {
            nodes.after_block = is_block;
            return end + 1;
        }
        nodes.open.push(Container {
            has_blocks: self.item(open).has_blocks,
            is_block,
        });
        self.enter(nodes);
        end + 1
    }

    fn attribute_count(&self, open: usize, end: usize) -> usize {
        let mut count = 0;
        let mut at = open + 1;
        while at < end {
            count += usize::from(matches!(
                self.item(at).tok,
                Tok::AttributeName | Tok::EventName | Tok::BindName
            ));
            at = self.after(at);
        }
        count
    }

    /// An opening tag. A single attribute stays on the line of its tag.
    fn attributes(&mut self, open: usize, end: usize, self_closed: bool) {
        let lines = self.attribute_count(open, end) > 1;
        let forced = lines && self.items.is_broken_before(open + 1);
        let group = self.doc.group(forced);
        self.doc.push(Cmd::Begin(group));
        let name = self.item(open);
        self.text(name.start, name.end);
        if lines {
            self.doc.push(Cmd::Indent(group));
        }
        let mut at = open + 1;
        while at < end {
            let item = self.item(at);
            match item.tok {
                Tok::AttributeName | Tok::EventName | Tok::BindName => {
                    if lines {
                        self.line(at, group, true, Place::First);
                    } else {
                        self.set_written(at);
                        self.sign(" ");
                    }
                    self.text(item.start, item.end);
                }
                Tok::AttributeEqual => self.sign("="),
                Tok::RawText => self.text(item.start, item.end),
                _code => self.embedded(at),
            }
            at = item.partner.max(at) + 1;
        }
        if lines {
            self.doc.push(Cmd::Dedent(group));
        }
        if self_closed {
            if lines {
                self.line_cmd(group, true);
            } else {
                self.sign(" ");
            }
            self.sign("/>");
        } else {
            if lines {
                self.line_cmd(group, false);
            }
            self.sign(">");
        }
        self.doc.push(Cmd::End(group));
    }
}
