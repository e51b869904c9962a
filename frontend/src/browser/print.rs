//! Statements as text, with the place in the program of each line. Here because layout is one thing and meaning another.
//! Must stay true: what is printed is what the statements say; a declaration right before its value is one line.

use std::collections::HashMap;

use super::tree::{At, Stmt, Text, mentions};
use super::variables::Var;

/// One printed line: its text and what it came from.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) at: Option<At>,
}

/// Prints the statements of a function.
pub(super) struct Printer<'p> {
    pub(super) locals: &'p [String],
    /// How often each variable is set.
    sets: HashMap<Var, usize>,
    pub(super) lines: Vec<Line>,
    depth: usize,
    labels: Vec<usize>,
    /// Innermost loop, whose breaks need no label.
    loops: Vec<usize>,
}

impl<'p> Printer<'p> {
    pub(super) fn new(locals: &'p [String], body: &[Stmt]) -> Printer<'p> {
        let mut sets = HashMap::new();
        count_sets(body, &mut sets);
        Printer {
            locals,
            sets,
            lines: Vec::new(),
            depth: 1,
            labels: Vec::new(),
            loops: Vec::new(),
        }
    }

    fn line(&mut self, text: &str, at: Option<At>) {
        self.lines.push(Line {
            text: format!("{}{text}", "  ".repeat(self.depth)),
            at: at.filter(|(line, _)| *line > 0),
        });
    }

    /// The name of a label, by the order of first mention.
    fn label(&mut self, label: usize) -> String {
        let at = self.labels.iter().position(|known| *known == label);
        let at = at.unwrap_or_else(|| {
            self.labels.push(label);
            self.labels.len() - 1
        });
        format!("way{}", at + 1)
    }

    pub(super) fn list(&mut self, list: &[Stmt]) {
        let mut rest = list;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            if let (Stmt::Declare(var), Some(Stmt::Set(set, text, at))) = (first, after.first())
                && var == set
                && !text.vars.contains(var)
            {
                let word = if self.sets.get(var) == Some(&1) {
                    "const"
                } else {
                    "let"
                };
                let line = format!("{word} {} = {};", self.locals[*var], text.text);
                self.line(&line, Some(*at));
                rest = &after[1..];
                continue;
            }
            self.statement(first);
        }
    }

    fn inner(&mut self, list: &[Stmt]) {
        self.depth += 1;
        self.list(list);
        self.depth -= 1;
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Do(Text { text, .. }, at) => self.line(&format!("{text};"), Some(*at)),
            Stmt::Set(var, text, at) => {
                let line = format!("{} = {};", self.locals[*var], text.text);
                self.line(&line, Some(*at));
            }
            Stmt::Declare(var) => {
                let line = format!("let {};", self.locals[*var]);
                self.line(&line, None);
            }
            Stmt::If(condition, then, other, at) => {
                self.line(&format!("if ({}) {{", condition.yes), Some(*at));
                self.inner(then);
                self.otherwise(other);
            }
            Stmt::Loop {
                label,
                condition,
                body,
                at,
                ..
            } => self.turns(
                *label,
                condition.as_ref().map(|c| c.yes.as_str()),
                body,
                *at,
            ),
            Stmt::Block(label, body) => {
                let name = self.label(*label);
                self.line(&format!("{name}: {{"), None);
                self.inner(body);
                self.line("}", None);
            }
            Stmt::Break(label) => {
                let line = if self.loops.last() == Some(label) {
                    "break;".to_owned()
                } else {
                    format!("break {};", self.label(*label))
                };
                self.line(&line, None);
            }
            Stmt::Continue(label) => {
                let line = if self.loops.last() == Some(label) {
                    "continue;".to_owned()
                } else {
                    format!("continue {};", self.label(*label))
                };
                self.line(&line, None);
            }
            Stmt::Return(Some(Text { text, .. }), at) => {
                self.line(&format!("return {text};"), Some(*at))
            }
            Stmt::Return(None, at) => self.line("return;", Some(*at)),
            Stmt::Raise(Text { text, .. }, at) => self.line(&format!("throw {text};"), Some(*at)),
            Stmt::Function(name, params, body, at) => {
                let params: Vec<&str> = (params.iter())
                    .map(|var| self.locals[*var].as_str())
                    .collect();
                let head = format!("const {name} = ({}) => {{", params.join(", "));
                self.line(&head, Some(*at));
                let loops = std::mem::take(&mut self.loops);
                self.inner(body);
                self.loops = loops;
                self.line("};", None);
            }
            Stmt::Try { body, handler, at } => {
                self.line("try {", Some(*at));
                self.inner(body);
                self.line("} catch (raised) {", None);
                self.inner(handler);
                self.line("}", None);
            }
        }
    }

    /// What stands behind the first block of an `if`.
    fn otherwise(&mut self, other: &[Stmt]) {
        match other {
            [] => self.line("}", None),
            [Stmt::If(condition, then, more, at)] => {
                self.line(&format!("}} else if ({}) {{", condition.yes), Some(*at));
                self.inner(then);
                self.otherwise(more);
            }
            other => {
                self.line("} else {", None);
                self.inner(other);
                self.line("}", None);
            }
        }
    }

    fn turns(&mut self, label: usize, condition: Option<&str>, body: &[Stmt], at: At) {
        let condition = condition.unwrap_or("true");
        // Inner loops have breaks of their own: those to this one are named.
        let needs_label = named_inside(body, label);
        let head = if needs_label {
            format!("{}: while ({condition}) {{", self.label(label))
        } else {
            format!("while ({condition}) {{")
        };
        self.line(&head, Some(at));
        self.loops.push(label);
        self.depth += 1;
        self.line("turn();", None);
        self.list(body);
        self.depth -= 1;
        self.loops.pop();
        self.line("}", None);
    }
}

/// Whether an inner loop names the label.
fn named_inside(list: &[Stmt], label: usize) -> bool {
    list.iter().any(|stmt| match stmt {
        Stmt::Loop { body, .. } => mentions(body, label),
        Stmt::If(_, then, other, _) => named_inside(then, label) || named_inside(other, label),
        Stmt::Block(_, body) => named_inside(body, label),
        Stmt::Try { body, handler, .. } => {
            named_inside(body, label) || named_inside(handler, label)
        }
        Stmt::Do(..)
        | Stmt::Set(..)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Return(..)
        | Stmt::Raise(..)
        | Stmt::Declare(_)
        | Stmt::Function(..) => false,
    })
}

fn count_sets(list: &[Stmt], sets: &mut HashMap<Var, usize>) {
    for stmt in list {
        match stmt {
            Stmt::Set(var, ..) => *sets.entry(*var).or_default() += 1,
            Stmt::If(_, then, other, _) => {
                count_sets(then, sets);
                count_sets(other, sets);
            }
            Stmt::Loop { body, .. } | Stmt::Block(_, body) | Stmt::Function(_, _, body, _) => {
                count_sets(body, sets);
            }
            Stmt::Try { body, handler, .. } => {
                count_sets(body, sets);
                count_sets(handler, sets);
            }
            Stmt::Do(..)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Return(..)
            | Stmt::Raise(..)
            | Stmt::Declare(_) => {}
        }
    }
}
