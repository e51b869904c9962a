//! What is left to be checked of a program with syntax errors. Here because one missing bracket must not hide the wrong
//! types of all other functions, nor make up mistakes in them. Must stay true: nothing is said about a statement that
//! could not be read, nor about names that it may have declared; what others may expect of it is `any`.

use std::sync::Arc;

use flin_syntax::Span;
use flin_syntax::ast::{Program, Stmt, StmtKind, TypeExpr, TypeKind};

use crate::resolve::Lost;

/// The rest of a program.
pub(crate) struct Intact {
    pub(crate) program: Program,
    /// What may have been declared by what could not be read.
    pub(crate) lost: Lost,
    /// Statements with wrong syntax inside.
    broken: Vec<Span>,
}

impl Intact {
    /// Whether a place lies outside of all that could not be read.
    pub(crate) fn holds(&self, place: u32) -> bool {
        let after = self.broken.partition_point(|span| span.start <= place);
        after == 0 || self.broken[after - 1].end < place
    }
}

/// Leaves out what cannot be judged; `unread` are the places of the syntax errors, in order.
pub(crate) fn intact(program: Program, unread: &[u32], source: &str) -> Intact {
    let mut search = Search {
        unread,
        source,
        lost: Lost::default(),
        broken: Vec::new(),
    };
    let span = program.span;
    let statements = search.statements(program.statements, span);
    search.broken.sort_unstable();
    Intact {
        program: Program { statements, span },
        lost: search.lost,
        broken: search.broken,
    }
}

struct Search<'s> {
    unread: &'s [u32],
    source: &'s str,
    lost: Lost,
    broken: Vec<Span>,
}

impl Search<'_> {
    /// The statements of a file or page that can be judged; those between `span` and what the parser kept are lost.
    fn statements(&mut self, statements: Vec<Stmt>, span: Span) -> Vec<Stmt> {
        let mut kept = Vec::with_capacity(statements.len());
        let mut end = span.start;
        let mut headed: Option<usize> = None;
        let mut following = statements.into_iter().peekable();
        while let Some(statement) = following.next() {
            let at = statement.span;
            let next = following.peek().map_or(span.end, |next| next.span.start);
            let reach = Span::new(at.start, self.end_of_line(at.end).min(next).max(at.end));
            // What stands further right than a broken head that ends in `:` is its body, by the custom of other languages.
            if headed.is_some_and(|column| self.column(at.start) > column) {
                self.broken.push(at);
                self.lose(Span::new(end.min(at.start), at.end));
                end = at.end;
                continue;
            }
            headed = None;
            self.lose(Span::new(end.min(at.start), at.start));
            end = at.end;
            if self.is_broken(reach) {
                headed = self.ends_in_colon(at.start).then(|| self.column(at.start));
                kept.extend(self.rest_of(statement));
            } else {
                kept.push(statement);
            }
        }
        self.lose(Span::new(end.min(span.end), span.end));
        kept
    }

    /// The end of the line of a place: what stands behind a statement there may be the rest of it that was not read.
    fn end_of_line(&self, place: u32) -> u32 {
        let rest = self.source.get(place as usize..).unwrap_or("");
        place + rest.find('\n').unwrap_or(rest.len()) as u32
    }

    /// How far from the beginning of its line a place stands.
    fn column(&self, place: u32) -> usize {
        let before = self.source.get(..place as usize).unwrap_or("");
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Whether the line of a place ends in `:`.
    fn ends_in_colon(&self, place: u32) -> bool {
        let rest = self.source.get(place as usize..).unwrap_or("");
        rest.lines()
            .next()
            .is_some_and(|line| line.trim_end().ends_with(':'))
    }

    fn is_broken(&self, span: Span) -> bool {
        let from = self.unread.partition_point(|place| *place < span.start);
        self.unread
            .get(from)
            .is_some_and(|place| *place <= span.end)
    }

    /// What others may still use of a statement with wrong syntax.
    fn rest_of(&mut self, mut statement: Stmt) -> Option<Stmt> {
        let span = statement.span;
        match &mut statement.kind {
            StmtKind::Fn(decl) => {
                let head = Span::new(span.start, decl.body.span.start);
                if self.is_broken(head) {
                    self.broken.push(span);
                    self.lose(span);
                    return None;
                }
                self.lose_lines(decl.body.span);
                let inside = std::mem::take(&mut decl.body.statements);
                decl.body.statements = self.statements(inside, decl.body.span);
                // Its body may lack whatever gives the result.
                decl.result
                    .get_or_insert(TypeExpr::new(TypeKind::Error, head));
                self.broken.push(decl.body.span);
            }
            StmtKind::Page { body, .. } => {
                let inside = std::mem::take(&mut body.statements);
                body.statements = self.statements(inside, body.span);
            }
            StmtKind::View(_)
            | StmtKind::Markup(_)
            | StmtKind::Route { .. }
            | StmtKind::Test { .. } => {
                self.lose_lines(span);
                self.broken.push(span);
            }
            StmtKind::Expr(_)
            | StmtKind::Let { .. }
            | StmtKind::Declare { .. }
            | StmtKind::Const { .. }
            | StmtKind::Destructure { .. }
            | StmtKind::Entity(_)
            | StmtKind::Enum(_)
            | StmtKind::TypeAlias(_)
            | StmtKind::Component(_)
            | StmtKind::Validate(_)
            | StmtKind::Guard(_)
            | StmtKind::GuardDefinition { .. }
            | StmtKind::Middleware(_)
            | StmtKind::Ws { .. }
            | StmtKind::Every { .. }
            | StmtKind::Cron { .. }
            | StmtKind::Lifecycle { .. }
            | StmtKind::For { .. }
            | StmtKind::While { .. }
            | StmtKind::WhileLet { .. }
            | StmtKind::Error => {
                self.broken.push(span);
                self.lose(span);
                return None;
            }
        }
        Some(statement)
    }

    /// Loses what a body declares up to its last error: a bracket too many may have ended it in the middle, so that what
    /// follows stands outside of it.
    fn lose_lines(&mut self, body: Span) {
        let to = self.unread.partition_point(|place| *place <= body.end);
        let last = self.unread[..to].last().copied().unwrap_or(body.start);
        self.lose(Span::new(
            body.start,
            self.end_of_line(last).max(body.start),
        ));
    }

    /// Notes what a declaring word without a name behind it leaves open, an assignment without a name before it, and a
    /// function of which only `fn` is missing.
    fn lose_head(&mut self, line: &str) {
        let line = line.trim();
        self.lost.nameless_variable |= assignment_in(line) == Some(0);
        let length = line.find(|c| !is_of_name(c)).unwrap_or(line.len());
        let (word, behind) = line.split_at(length);
        let behind = behind.trim_start();
        let nameless = !behind.starts_with(is_of_name);
        match word {
            "enum" | "entity" | "type" => self.lost.nameless_type |= nameless,
            "fn" => self.lost.nameless_function |= nameless,
            _ if behind.starts_with('(') && line.ends_with('{') => {
                self.lost.names.insert(Arc::from(word));
            }
            _ => {}
        }
    }

    /// Notes the names that a lost text may have declared: capitalised ones, those after a declaring word, before `:`
    /// or `=`, all before a line's first `=`, and the first of two words that begin a
    /// line: the `=` between them may be what is missing.
    fn lose(&mut self, span: Span) {
        let Some(text) = self.source.get(span.range()) else {
            return;
        };
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or(line);
            let assigned = assignment_in(line).unwrap_or(0);
            self.lose_head(line);
            let mut before = "";
            let mut at = 0;
            while let Some(start) = line[at..].find(is_of_name) {
                let start = at + start;
                let rest = &line[start..];
                let length = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(length);
                let declared = matches!(
                    before,
                    "fn" | "let" | "const" | "type" | "function" | "def" | "func" | "fun" | "var"
                ) || word.starts_with(char::is_uppercase)
                    || behind.trim_start().starts_with([':', '='])
                    || start < assigned
                    || before.is_empty() && behind.trim_start().starts_with(is_of_name);
                if declared {
                    self.lost.names.insert(Arc::from(word));
                }
                if before == "fn" {
                    self.lost.glued.push(Arc::from(word));
                }
                self.lost.has_enum |= before == "enum";
                before = word;
                at = start + length;
            }
        }
    }
}

/// Where a line's first `=` stands that belongs to no other sign.
fn assignment_in(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    line.match_indices('=').map(|(at, _)| at).find(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + 1);
        !before.is_some_and(|byte| b"=!<>+-*/%".contains(byte))
            && !after.is_some_and(|byte| b"=>".contains(byte))
    })
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
