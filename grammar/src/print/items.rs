//! The terminals as the formatter walks them: texts as one piece, separators gone, each with the comments before it.
//!
//! What must stay true: `partner` is complete and properly nested (else [`read`] gives nothing and the file is left alone);
//! everything that depends on what encloses a terminal is decided here, so that the walk itself only looks at neighbours.

use super::gaps::{self, Comment, Gap};
use crate::token::Tok;

/// A terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) tok: Tok,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) gap: Gap,
    /// Index of the bracket that belongs to it; its own index for everything else.
    pub(super) partner: usize,
    /// Of an opening bracket: it must be broken, because its source is or because something inside must be.
    pub(super) forced: bool,
    /// Of a `:`: it belongs to a `?`, or stands in square brackets.
    pub(super) colon: Colon,
    /// Of a tag or `{if}`/`{for}`: there are block-level elements directly inside.
    pub(super) has_blocks: bool,
    /// A statement starts here.
    pub(super) starts: bool,
}

/// The kinds of `:` that are terminals of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colon {
    /// `c ? a : b`.
    Ternary,
    /// `[a:b]`, `[K:V]`.
    Square,
    /// `name: type`, `'label: for`, `[key]: value`.
    After,
}

pub(super) struct Items {
    pub(super) list: Vec<Item>,
    pub(super) comments: Vec<Comment>,
    /// What stands behind the last terminal.
    pub(super) tail: Gap,
}

/// Elements that begin a line of their own in a page.
const BLOCKS: [&str; 51] = [
    "address",
    "article",
    "aside",
    "base",
    "blockquote",
    "body",
    "caption",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "title",
    "tr",
    "ul",
];

/// True for the name of an element that begins a line of its own.
pub(super) fn is_block_element(name: &str) -> bool {
    BLOCKS.binary_search(&name).is_ok()
}

/// The items of a source without errors; `starts` are the offsets where statements start, in order.
pub(super) fn read(source: &str, tokens: &[(u32, Tok, u32)], starts: &[u32]) -> Option<Items> {
    let mut items = Items {
        list: Vec::with_capacity(tokens.len()),
        comments: Vec::new(),
        tail: Gap::default(),
    };
    let mut from = 0;
    let mut next = 0;
    while let Some(&(start, tok, end)) = tokens.get(next) {
        next += 1;
        let (tok, end) = match tok {
            Tok::Separator => continue,
            Tok::TextOpen => {
                next = after_text(tokens, next)?;
                (Tok::RawText, tokens[next - 1].2)
            }
            other => (other, end),
        };
        let gap = if tok == Tok::Comma {
            before_comma(source, &mut from, start, &mut items.comments)
        } else {
            let gap = gaps::read(source, from, start, &mut items.comments);
            from = end;
            gap
        };
        let index = items.list.len();
        items.list.push(Item {
            tok,
            start,
            end,
            gap,
            partner: index,
            forced: false,
            colon: Colon::After,
            has_blocks: false,
            starts: starts.binary_search(&start).is_ok() && tok != Tok::Comma,
        });
    }
    let end = u32::try_from(source.len()).unwrap_or(u32::MAX);
    items.tail = gaps::read(source, from, end, &mut items.comments);
    items.pair(source)?;
    items.mark_blocks(source)?;
    Some(items)
}

/// Before a comma stand only comments that take no line; all others go to the terminal behind it.
fn before_comma(source: &str, from: &mut u32, comma: u32, comments: &mut Vec<Comment>) -> Gap {
    let count = comments.len();
    let gap = gaps::read(source, *from, comma.max(*from), comments);
    let takes_line =
        |comment: &Comment| comment.to_line_end || comment.lines_before > 0 || gap.lines > 0;
    if comments[count..].iter().any(takes_line) {
        comments.truncate(count);
        return Gap::default();
    }
    *from = comma.max(*from);
    gap
}

/// The index behind the end of a text, `next` being the one behind its opening quote.
fn after_text(tokens: &[(u32, Tok, u32)], mut next: usize) -> Option<usize> {
    let mut depth = 1;
    while depth > 0 {
        match tokens.get(next)?.1 {
            Tok::TextOpen => depth += 1,
            Tok::TextClose => depth -= 1,
            _other => {}
        }
        next += 1;
    }
    Some(next)
}

pub(super) fn opens(tok: Tok) -> bool {
    tok.is_open_bracket()
        || matches!(
            tok,
            Tok::InterpolationOpen
                | Tok::HandlerOpen
                | Tok::MarkupIf
                | Tok::MarkupElseIf
                | Tok::MarkupFor
                | Tok::ViewOpen
        )
}

pub(super) fn closes(tok: Tok) -> bool {
    tok.is_close_bracket()
        || matches!(
            tok,
            Tok::GenericClose | Tok::InterpolationClose | Tok::HandlerClose | Tok::ViewClose
        )
}

struct Open {
    index: usize,
    questions: u32,
    entries: u32,
    /// Something at this level or below breaks surely.
    inner: bool,
    /// A comment at this level takes a line.
    comment: bool,
}

impl Open {
    fn new(index: usize) -> Open {
        Open {
            index,
            questions: 0,
            entries: 0,
            inner: false,
            comment: false,
        }
    }
}

impl Items {
    pub(super) fn comments(&self, gap: Gap) -> &[Comment] {
        &self.comments[gap.first as usize..gap.end as usize]
    }

    /// A newline stands in the gap.
    pub(super) fn is_broken_before(&self, index: usize) -> bool {
        let gap = self.list[index].gap;
        gap.lines > 0
            || self
                .comments(gap)
                .iter()
                .any(|comment| comment.to_line_end || comment.lines_before > 0)
    }

    /// A newline stands beside an operator here, so that its row is broken, and all blocks around it have to be.
    fn is_broken_at_operator(&self, index: usize) -> bool {
        let before = index.checked_sub(1).map(|before| self.list[before].tok);
        (joins_operands(self.list[index].tok) || before.is_some_and(joins_operands))
            && self.is_broken_before(index)
    }

    /// Pairs the brackets, and decides what is forced and what each `:` is.
    fn pair(&mut self, source: &str) -> Option<()> {
        let mut stack = vec![Open::new(usize::MAX)];
        for index in 0..self.list.len() {
            let Item {
                tok,
                start,
                end,
                gap,
                starts,
                ..
            } = self.list[index];
            let takes_line = self
                .comments(gap)
                .iter()
                .any(|comment| comment.to_line_end || comment.lines_before > 0);
            let in_broken_row = !starts && self.is_broken_at_operator(index);
            if let Some(open) = stack.last_mut() {
                open.comment |= takes_line;
                open.inner |= takes_line
                    || in_broken_row
                    || matches!(tok, Tok::ViewOpen | Tok::TagOpen)
                    || (tok == Tok::RawText && source[start as usize..end as usize].contains('\n'));
                open.entries += u32::from(starts || matches!(tok, Tok::Comma | Tok::On));
                if starts || matches!(tok, Tok::Comma | Tok::Key | Tok::KeyText) {
                    open.questions = 0;
                }
                match tok {
                    Tok::Question => open.questions += 1,
                    Tok::Colon if open.questions > 0 => {
                        open.questions -= 1;
                        self.list[index].colon = Colon::Ternary;
                    }
                    Tok::Colon
                        if self.list.get(open.index).is_some_and(|open| {
                            matches!(open.tok, Tok::LBracket | Tok::DestructureBracket)
                        }) =>
                    {
                        self.list[index].colon = Colon::Square;
                    }
                    _other => {}
                }
            }
            if closes(tok) {
                let open = stack.pop().filter(|_| !stack.is_empty())?;
                self.close(&open, index);
                let forced = self.list[open.index].forced || open.inner;
                if let Some(outer) = stack.last_mut() {
                    outer.inner |= forced;
                }
            }
            if opens(tok) {
                stack.push(Open::new(index));
            }
        }
        (stack.len() == 1).then_some(())
    }

    fn close(&mut self, open: &Open, index: usize) {
        self.list[open.index].partner = index;
        self.list[index].partner = open.index;
        let by_author = open.index + 1 < index && self.is_broken_before(open.index + 1);
        let tok = self.list[open.index].tok;
        let is_block = tok == Tok::LBrace;
        let statements = is_block && self.is_statements(open.index);
        let several = if statements {
            open.entries > 1
        } else {
            open.entries > 0
        };
        let by_content = match tok {
            Tok::LBrace => open.inner || (statements && several),
            Tok::MapBrace
            | Tok::EntityBrace
            | Tok::DestructureBrace
            | Tok::LBracket
            | Tok::DestructureBracket => open.inner && several,
            _other => false,
        };
        self.list[open.index].forced = by_author || open.comment || by_content;
    }

    /// True if the brace at `open` holds statements.
    pub(super) fn is_statements(&self, open: usize) -> bool {
        self.list
            .get(open + 1)
            .is_some_and(|first| first.starts || matches!(first.tok, Tok::On | Tok::RBrace))
    }

    /// The end of the opening tag that starts at `tag`.
    pub(super) fn tag_end(&self, tag: usize) -> Option<usize> {
        let mut at = tag + 1;
        loop {
            let item = self.list.get(at)?;
            if matches!(item.tok, Tok::TagEnd | Tok::TagSelfEnd) {
                return Some(at);
            }
            at = item.partner.max(at) + 1;
        }
    }

    /// Finds out which tags and blocks of the markup have block-level content.
    fn mark_blocks(&mut self, source: &str) -> Option<()> {
        let mut stack: Vec<usize> = Vec::new();
        for index in 0..self.list.len() {
            let Item {
                tok, start, end, ..
            } = self.list[index];
            match tok {
                Tok::TagOpen => {
                    let name = &source[start as usize + 1..end as usize];
                    if is_block_element(name)
                        && let Some(&outer) = stack.last()
                    {
                        self.list[outer].has_blocks = true;
                    }
                    let close = self.tag_end(index)?;
                    if self.list[close].tok == Tok::TagEnd {
                        stack.push(index);
                    }
                }
                Tok::ViewOpen | Tok::MarkupIf | Tok::MarkupFor => stack.push(index),
                Tok::TagClose | Tok::ViewClose => {
                    stack.pop()?;
                }
                Tok::MarkupEndIf | Tok::MarkupEndFor => {
                    let inner = stack.pop()?;
                    if self.list[inner].has_blocks
                        && let Some(&outer) = stack.last()
                    {
                        self.list[outer].has_blocks = true;
                    }
                }
                _other => {}
            }
        }
        stack.is_empty().then_some(())
    }
}

/// What stands between two operands, and may begin or end a line.
fn joins_operands(tok: Tok) -> bool {
    matches!(
        tok,
        Tok::ElseThen
            | Tok::Dot
            | Tok::OptionalDot
            | Tok::Pipe
            | Tok::Question
            | Tok::Elvis
            | Tok::OrOr
            | Tok::AndAnd
            | Tok::EqualEqual
            | Tok::NotEqual
            | Tok::Less
            | Tok::LessEqual
            | Tok::Greater
            | Tok::GreaterEqual
            | Tok::In
            | Tok::NotIn
            | Tok::Is
            | Tok::IsNot
            | Tok::Plus
            | Tok::Minus
            | Tok::Star
            | Tok::Slash
            | Tok::Percent
    )
}
