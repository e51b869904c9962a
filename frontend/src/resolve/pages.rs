//! Main, pages and routes: the functions by which a program is entered. Must stay true: in a file without pages and routes
//! all statements of the top level are `main`; in one with them `main` holds only what is no declaration.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use flin_syntax::ast::{Block, Name, PlainText, StmtKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, FnKind, GlobalIx, PageDef, RouteDef};

use super::Resolver;
use super::collect::{Section, first_value, taken_apart};
use super::markup::Shown;
use super::names::{Item, World};
use super::patterns::Target;
use super::scope::{FrameHead, Link, Place};

impl<'a> Resolver<'a> {
    /// `main`, if there is anything for it to do.
    pub(super) fn main_function(&mut self, sections: &[(usize, Section<'a>)], span: Span) {
        let only_declarations = sections
            .iter()
            .flat_map(|(_, section)| &section.statements)
            .all(|(_, _, vars)| !vars.is_empty());
        if self.serves && only_declarations {
            return;
        }
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: "main".to_owned(),
                span,
                kind: FnKind::Internal,
                place: Place::Main,
                link: Link::Root,
            },
        );
        let mut ids = Vec::new();
        let all = sections.iter().flat_map(|(world, section)| {
            let statements = section.statements.iter();
            statements.map(|(order, statement, vars)| (*world, *order, *statement, vars))
        });
        for (world, order, statement, vars) in all {
            self.world = world;
            self.frame_mut().limit = Some(order);
            if self.serves && !vars.is_empty() {
                for var in vars {
                    let place = self.emit(ExprKind::None, statement.span);
                    self.main_inits.push((place, *var));
                    ids.push(place);
                }
            } else if let Some((pattern, ty, value)) = taken_apart(statement) {
                self.destructure(pattern, ty, value, Target::First, &mut ids);
            } else if let ([var], Some(value)) = (vars.as_slice(), first_value(statement)) {
                let value = self.expr(value);
                ids.push(self.first_assignment(*var, value, statement.span));
            } else if !matches!(statement.kind, StmtKind::Error) {
                self.statement(statement, &mut ids);
            }
        }
        let body = self.emit(ExprKind::Block(ids, false), span);
        self.close(body);
        self.main = Some(id);
    }

    fn first_assignment(&mut self, var: usize, value: ExprId, span: Span) -> ExprId {
        let id = self.emit(ExprKind::SetGlobal(GlobalIx(var as u32), value), span);
        self.main_declarations.insert(id, var);
        id
    }

    /// A name of a pattern at the top level of `main`.
    pub(super) fn first_value(&mut self, name: &Name, value: ExprId, span: Span) -> ExprId {
        match self.top(&name.text) {
            Some(Item::Var(var)) if Some(self.vars[var].order) == self.frame().limit => {
                self.first_assignment(var, value, span)
            }
            _ => self.set_name(name, value, span),
        }
    }

    /// The page of the file's own view, and the `page` blocks.
    pub(super) fn file_pages(&mut self, section: &Section<'a>, span: Span) {
        self.one_view(&section.views);
        if !section.view.is_empty() || !section.views.is_empty() {
            let at = section
                .views
                .first()
                .copied()
                .or_else(|| section.view.first().map(|node| node.span));
            self.page("/", at.unwrap_or(span), &section.shown());
        } else {
            self.life_without_view(section);
        }
        for (path, body) in &section.pages {
            self.page_block(path, body);
        }
    }

    /// Lifecycle blocks of a file that shows nothing.
    pub(super) fn life_without_view(&mut self, section: &Section<'a>) {
        for statement in &section.life {
            let at = Span::at(statement.span.start);
            let title = "nothing is shown here that could appear or go";
            self.report(
                Diagnostic::error(Code::DeclarationPlace, at, title)
                    .hint("such a block belongs to a component, or to a page with a view"),
            );
        }
    }

    pub(super) fn one_view(&mut self, views: &[Span]) {
        if let [first, second, ..] = views {
            let heads: Vec<Span> = [first, second]
                .iter()
                .map(|view| Span::new(view.start, view.start + 4))
                .collect();
            self.report(
                Diagnostic::error(Code::SeveralViews, heads[1], "a page has one view")
                    .also(heads[0], "the first one")
                    .hint("put everything into one `view { … }`, or make a `page \"/path\" { … }` of it"),
            );
        }
    }

    pub(super) fn page_block(&mut self, path: &'a PlainText, body: &'a Block) {
        if !self.check_path(path) {
            return;
        }
        let file = self.world;
        self.worlds
            .push(World::new(Some(file), Some(self.pages.len() as u32)));
        self.world = self.worlds.len() - 1;
        self.worlds[self.world].params = parts_of(&path.value).map(Arc::from).collect();
        let section = self.collect(&body.statements);
        for (_, statement, vars) in &section.statements {
            if vars.is_empty() {
                self.report(
                    Diagnostic::error(
                        Code::DeclarationPlace,
                        statement.span,
                        "a `page` block holds variables, functions and a view",
                    )
                    .hint("put statements into a handler, or to the top level of the file"),
                );
            }
        }
        let nested = section.pages.iter().map(|(path, _)| path.span);
        for span in nested.chain(section.routes.iter().map(|route| route.3)) {
            self.report(Diagnostic::error(
                Code::DeclarationPlace,
                Span::at(span.start),
                "pages and routes stand at the top level of the file",
            ));
        }
        self.bodies(&section);
        self.one_view(&section.views);
        self.page(&path.value, path.span, &section.shown());
        self.world = file;
    }

    /// One page: its view function and handlers.
    pub(super) fn page(&mut self, path: &str, span: Span, view: &Shown<'a>) {
        if let Some(first) = self.declared_before("page", path, span) {
            self.report(
                Diagnostic::error(
                    Code::DuplicatePath,
                    span,
                    format!("there are two pages `{path}`"),
                )
                .also(first, "the first one"),
            );
        }
        let id = self.reserve();
        let number = self.pages.len();
        self.pages.push(PageDef {
            path: path.to_owned(),
            view: id,
            handlers: Vec::new(),
            span,
        });
        self.handlers = Vec::new();
        self.open(
            id,
            FrameHead {
                name: format!("view {path}"),
                span,
                kind: FnKind::Internal,
                place: Place::View,
                link: Link::Root,
            },
        );
        let mut ids = self.view(view, span);
        self.keep_shown(number + 1, span, &mut ids);
        self.component_styles(&mut ids);
        let body = self.emit(ExprKind::Block(ids, false), span);
        self.close(body);
        self.pages[number].handlers = std::mem::take(&mut self.handlers);
    }

    /// `route METHOD "/path" { … }`
    pub(super) fn route(
        &mut self,
        method: &Name,
        path: Option<&PlainText>,
        body: &Block,
        span: Span,
    ) {
        let (path, at) = match (path, &self.file_path) {
            (Some(path), _) => {
                self.check_path(path);
                (path.value.to_string(), path.span)
            }
            (None, Some(path)) => (path.clone(), method.span),
            (None, None) => {
                let wrong = Diagnostic::error(
                    Code::BadPath,
                    method.span,
                    "a route of a single file has a path",
                );
                return self.report(wrong.hint("write the path: `route GET \"/x\" { … }`"));
            }
        };
        let upper = method.text.to_uppercase();
        let head = Span::new(span.start, at.end);
        if let Some(first) = self.declared_before(&upper, &path, head) {
            self.report(
                Diagnostic::error(
                    Code::DuplicatePath,
                    at,
                    format!("there are two routes `{upper} {path}`"),
                )
                .also(first, "the first one"),
            );
        }
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: format!("route {upper} {path}"),
                span: at,
                kind: FnKind::Internal,
                place: Place::Route,
                link: Link::Root,
            },
        );
        let body = self.block(body, true);
        self.close(body);
        self.routes.push(RouteDef {
            method: upper,
            path,
            func: id,
            span: head,
        });
    }

    /// Where a page or route of this method and path stands already; else notes it. Two paths are the same if they can
    /// match the same path: the names of their parts do not matter.
    fn declared_before(&mut self, method: &str, path: &str, span: Span) -> Option<Span> {
        let parts: Vec<&str> = path
            .split('/')
            .map(|part| match part.as_bytes().first() {
                Some(b':') => ":",
                Some(b'*') => "*",
                _ => part,
            })
            .collect();
        match self.paths.entry(format!("{method} {}", parts.join("/"))) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(free) => {
                free.insert(span);
                None
            }
        }
    }

    fn check_path(&mut self, path: &PlainText) -> bool {
        let text = &*path.value;
        let parts: Vec<&str> = parts_of(text).collect();
        let rest = text.rsplit('/').skip(1).any(|part| part.starts_with('*'));
        let reason = if !text.starts_with('/') {
            "a path starts with `/`"
        } else if text.starts_with("/_") {
            "paths that start with `/_` belong to the server"
        } else if parts.iter().any(|part| part.is_empty()) {
            "`:` and `*` are followed by the name of the part"
        } else if rest {
            "`*name` takes all the rest of the path, so it is the last part"
        } else if parts
            .iter()
            .enumerate()
            .any(|(at, part)| parts[..at].contains(part))
        {
            "each name of a part may stand once"
        } else if text.contains(['?', '#', ' ']) {
            "a path has no blanks, no `?` and no `#`"
        } else {
            return true;
        };
        self.report(
            Diagnostic::error(
                Code::BadPath,
                path.span,
                format!("the path `{text}` cannot be used"),
            )
            .reason(reason),
        );
        false
    }
}

/// The names of the variable parts of a path: `:name` is one part, `*name` the rest.
pub(super) fn parts_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix([':', '*']))
}
