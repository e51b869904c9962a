//! A layout as a flat list of commands, and the printer that decides which lines are broken.
//!
//! A group is broken if its source was (`forced`) or if it does not fit; all its lines break together. What must stay true: a
//! decision depends only on the column, on the text up to the next possible break, and on what is forced; what breaks once is forced
//! the next time, therefore printing what was printed changes nothing. No recursion; time is linear.

/// The widest line that is not broken if it can be.
const WIDTH_MAX: u32 = 100;

/// Deeper than this, lines are not indented further: programs of people stay below, and generated ones must not explode.
const INDENT_MAX: u32 = 40;

/// Index of a group.
pub(super) type Group = u32;

/// For indents that belong to no group.
pub(super) const ALWAYS: Group = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) enum Cmd {
    /// A piece of the source.
    Text {
        start: u32,
        end: u32,
    },
    /// Fixed characters.
    Sign(&'static str),
    /// A newline if the group is broken, else a blank or nothing.
    Line {
        group: Group,
        blank: bool,
        empty_line: bool,
    },
    /// A newline.
    Hard {
        empty_line: bool,
    },
    /// A blank, or a newline if what follows does not fit.
    Fill,
    Begin(Group),
    End(Group),
    Indent(Group),
    Dedent(Group),
    IfBroken(Group, &'static str),
    IfFlat(Group, &'static str),
}

#[derive(Default)]
pub(super) struct Doc {
    pub(super) commands: Vec<Cmd>,
    /// For each group: its source was broken.
    forced: Vec<bool>,
    /// For each group: only its source decides.
    rigid: Vec<bool>,
    /// Groups made now are rigid.
    pub(super) is_rigid: bool,
}

/// What lies ahead of a command.
#[derive(Clone, Copy, Default)]
struct Ahead {
    /// Columns up to the next place that may break.
    to_any: u32,
    /// Columns up to the next `Fill` or sure break.
    to_fill: u32,
    /// Index of the next place that surely breaks.
    forced_at: u32,
    /// Columns up to there.
    to_forced: u32,
}

impl Doc {
    pub(super) fn push(&mut self, command: Cmd) {
        self.commands.push(command);
    }

    pub(super) fn group(&mut self, forced: bool) -> Group {
        self.forced.push(forced);
        self.rigid.push(self.is_rigid);
        u32::try_from(self.forced.len() - 1).unwrap_or(ALWAYS)
    }

    fn is_forced(&self, group: Group) -> bool {
        self.forced.get(group as usize).copied().unwrap_or(true)
    }

    /// Never broken, whatever its width.
    fn is_stiff(&self, group: Group) -> bool {
        !self.is_forced(group) && self.rigid.get(group as usize) == Some(&true)
    }

    /// Columns of a command that is not broken (for a text up to its first newline), and whether it surely breaks.
    fn flat(&self, source: &str, command: Cmd) -> (u32, bool) {
        match command {
            Cmd::Text { start, end } => {
                let text = &source[start as usize..end as usize];
                match text.find('\n') {
                    Some(newline) => (columns(&text[..newline]), true),
                    None => (columns(text), false),
                }
            }
            Cmd::Sign(text) | Cmd::IfFlat(_, text) => (columns(text), false),
            Cmd::Line { group, blank, .. } => (u32::from(blank), self.is_forced(group)),
            Cmd::Hard { .. } => (0, true),
            Cmd::Fill => (1, false),
            Cmd::Begin(_) | Cmd::End(_) | Cmd::Indent(_) | Cmd::Dedent(_) | Cmd::IfBroken(..) => {
                (0, false)
            }
        }
    }

    fn look_ahead(&self, source: &str) -> Vec<Ahead> {
        let mut all = vec![Ahead::default(); self.commands.len() + 1];
        let count = u32::try_from(self.commands.len()).unwrap_or(u32::MAX);
        all[self.commands.len()].forced_at = count;
        for (index, &command) in self.commands.iter().enumerate().rev() {
            let (width, breaks) = self.flat(source, command);
            let next = all[index + 1];
            let is_text = matches!(command, Cmd::Text { .. });
            let may_break = match command {
                Cmd::Line { group, .. } => !self.is_stiff(group),
                other => breaks || matches!(other, Cmd::Fill),
            };
            let fills = breaks || matches!(command, Cmd::Fill);
            let before_break = if is_text { width } else { 0 };
            all[index] = Ahead {
                to_any: if may_break {
                    before_break
                } else {
                    width.saturating_add(next.to_any)
                },
                to_fill: if fills {
                    before_break
                } else {
                    width.saturating_add(next.to_fill)
                },
                forced_at: if breaks {
                    u32::try_from(index).unwrap_or(u32::MAX)
                } else {
                    next.forced_at
                },
                to_forced: if breaks {
                    before_break
                } else {
                    width.saturating_add(next.to_forced)
                },
            };
        }
        all
    }

    /// The text. `source` is what the `Text` commands refer to.
    pub(super) fn print(&self, source: &str) -> String {
        let ahead = self.look_ahead(source);
        let ends = self.ends();
        let mut sums = Vec::with_capacity(self.commands.len() + 1);
        let mut sum = 0u64;
        for &command in &self.commands {
            sums.push(sum);
            sum += u64::from(self.flat(source, command).0);
        }
        sums.push(sum);
        let mut out = Output {
            text: String::with_capacity(source.len() + source.len() / 8),
            column: 0,
            indent: 0,
            fresh: None,
        };
        let mut broken = vec![false; self.forced.len()];
        for (index, &command) in self.commands.iter().enumerate() {
            let is_broken =
                |group: Group| group == ALWAYS || broken.get(group as usize) == Some(&true);
            match command {
                Cmd::Text { start, end } => out.text(&source[start as usize..end as usize]),
                Cmd::Sign(text) => out.text(text),
                Cmd::IfBroken(group, text) if is_broken(group) => out.text(text),
                Cmd::IfFlat(group, text) if !is_broken(group) => out.text(text),
                Cmd::IfBroken(..) | Cmd::IfFlat(..) | Cmd::End(_) => {}
                Cmd::Hard { empty_line } => out.newline(empty_line),
                Cmd::Line {
                    group, empty_line, ..
                } if is_broken(group) => out.newline(empty_line),
                Cmd::Line { blank, .. } if blank => out.text(" "),
                Cmd::Line { .. } => {}
                Cmd::Fill => {
                    let width = 1 + ahead[index + 1].to_fill;
                    if out.column.saturating_add(width) > WIDTH_MAX {
                        out.newline(false);
                    } else {
                        out.text(" ");
                    }
                }
                Cmd::Indent(group) => out.indent += u32::from(is_broken(group)),
                Cmd::Dedent(group) => {
                    out.indent = out.indent.saturating_sub(u32::from(is_broken(group)));
                }
                Cmd::Begin(group) => {
                    let end = ends[group as usize];
                    let forced = ahead[index];
                    let width = if (forced.forced_at as usize) < end {
                        u64::from(forced.to_forced)
                    } else {
                        sums[end] - sums[index] + u64::from(ahead[end].to_any)
                    };
                    broken[group as usize] = self.is_forced(group)
                        || !self.is_stiff(group)
                            && u64::from(out.column) + width > u64::from(WIDTH_MAX);
                }
            }
        }
        out.text
    }

    /// Where each group ends.
    fn ends(&self) -> Vec<usize> {
        let mut ends = vec![self.commands.len(); self.forced.len()];
        for (index, command) in self.commands.iter().enumerate() {
            if let Cmd::End(group) = command {
                ends[*group as usize] = index;
            }
        }
        ends
    }
}

fn columns(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

struct Output {
    text: String,
    column: u32,
    indent: u32,
    /// A newline was written, this indentation not yet.
    fresh: Option<u32>,
}

impl Output {
    fn newline(&mut self, empty_line: bool) {
        self.text.push('\n');
        if empty_line {
            self.text.push('\n');
        }
        self.fresh = Some(self.indent.min(INDENT_MAX));
        self.column = 2 * self.indent.min(INDENT_MAX);
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(indent) = self.fresh.take() {
            for _ in 0..indent {
                self.text.push_str("  ");
            }
        }
        self.text.push_str(text);
        match text.rfind('\n') {
            Some(newline) => self.column = columns(&text[newline + 1..]),
            None => self.column = self.column.saturating_add(columns(text)),
        }
    }
}
