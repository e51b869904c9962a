//! The files of a project. Must stay true: what `lib/`, `entities/` and `components/` declare is visible everywhere, what a
//! page's file declares only there; each page has its layouts' variables and functions for itself; statements of all
//! files are one `main`, in the order of the files.

use std::sync::Arc;

use flin_syntax::ast::{self, Stmt, StmtKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::project::Role;

use super::collect::Section;
use super::markup::{Around, Output, Shown};
use super::names::World;
use super::{FILE_WORLD, Resolver};

/// The view of a page or layout, to be put where the layout around it has its `<slot/>`.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    world: usize,
    shown: Shown<'a>,
    /// The layout's or page's view.
    span: Span,
    /// The slot that it fills was there.
    met: bool,
}

/// A file of the project.
type File<'a> = (&'a Role, &'a ast::Program);

impl<'a> Resolver<'a> {
    /// A whole project.
    pub(super) fn project(&mut self, files: &[File<'a>]) {
        self.world = FILE_WORLD;
        let statements = || files.iter().flat_map(|(_, ast)| &ast.statements);
        self.serves = files
            .iter()
            .any(|(role, _)| matches!(role, Role::Page { .. }));
        self.has_tests = statements().any(|it| matches!(it.kind, StmtKind::Test { .. }));
        let mut shared = Section::default();
        for (_, ast) in files.iter().filter(|(role, _)| **role == Role::Shared) {
            self.collect_more(&ast.statements, &mut shared);
        }
        for (role, ast) in files {
            if let Role::Component(name) = role {
                self.component_file(name, ast);
            }
        }
        self.only_for_pages(&shared);
        self.bodies(&shared);
        let mut sections = vec![(FILE_WORLD, shared)];
        let mut paths = vec![None];
        for (role, ast) in files {
            if let Role::Page { path, folder } = role {
                sections.push(self.page_file((path, folder), ast, files));
                paths.push(Some(path.clone()));
            }
        }
        let span = files.last().map_or(Span::at(0), |(_, ast)| ast.span);
        self.world = FILE_WORLD;
        self.main_function(&sections, span);
        for ((world, section), path) in sections.iter().zip(paths) {
            self.world = *world;
            self.file_path = path;
            self.routes_and_tests(section);
        }
        self.world = FILE_WORLD;
        let layouts = || {
            files
                .iter()
                .filter(|(role, _)| matches!(role, Role::Layout(_)))
        };
        let unused: Vec<&'a ast::Program> = layouts()
            .map(|(_, ast)| *ast)
            .filter(|ast| !self.used_layouts.contains(&std::ptr::from_ref(*ast).addr()))
            .collect();
        self.checks_unused |= self.has_unused_components() || !unused.is_empty();
        if self.checking {
            self.check_unused_components();
            for layout in unused {
                self.check_unused_layout(layout);
            }
            self.world = FILE_WORLD;
        }
    }

    /// Looks at a layout without a page: with an empty one in it.
    fn check_unused_layout(&mut self, layout: &'a ast::Program) {
        let world = self.page_world("/", Some(self.pages.len() as u32));
        let nothing = Layer {
            world,
            shown: Shown::default(),
            span: Span::at(layout.span.start),
            met: false,
        };
        let around = self.layout("/", layout);
        self.page_in_layers("/unused", around.span, vec![nothing, around]);
    }

    /// What belongs to a visitor cannot stand in a file for all.
    fn only_for_pages(&mut self, shared: &Section<'a>) {
        for variable in &shared.variables {
            let (name, span) = {
                let var = &self.vars[variable.var];
                (var.name.clone(), var.span)
            };
            self.report(
                Diagnostic::error(
                    Code::DeclarationPlace,
                    span,
                    format!("`{name}` is a variable in a file for the whole project"),
                )
                .reason("a variable belongs to the page of a visitor")
                .hint(format!(
                    "write `const {name} = …` if it never changes, or move it into the page"
                )),
            );
        }
        let views = shared.views.iter().copied();
        let markup = shared.view.iter().map(|node| node.span);
        if let Some(span) = views.chain(markup).min() {
            self.report(
                Diagnostic::error(
                    Code::DeclarationPlace,
                    Span::at(span.start),
                    "a view stands in a page, a layout or a component",
                )
                .hint("move the file into `app/`, where its name is the path"),
            );
        }
    }

    /// A file of `app/`: a page, if it has a view, and perhaps routes.
    fn page_file(
        &mut self,
        (path, folder): (&str, &str),
        ast: &'a ast::Program,
        files: &[File<'a>],
    ) -> (usize, Section<'a>) {
        let world = self.page_world(path, None);
        let section = self.collect(&ast.statements);
        let has_view = !section.view.is_empty() || !section.views.is_empty();
        if has_view {
            self.worlds[world].page = Some(self.pages.len() as u32);
        }
        self.bodies(&section);
        self.one_view(&section.views);
        if has_view {
            let at = section.views.first().copied();
            let span = at.unwrap_or_else(|| section.view[0].span);
            let head = Span::new(span.start, span.start.max(span.end.min(span.start + 4)));
            let mut layers = vec![Layer {
                world,
                shown: section.shown(),
                span: head,
                met: false,
            }];
            for layout in layouts_of(folder, files) {
                self.used_layouts.insert(std::ptr::from_ref(layout).addr());
                layers.push(self.layout(path, layout));
            }
            self.page_in_layers(path, head, layers);
        } else {
            self.life_without_view(&section);
        }
        for (path, body) in &section.pages {
            self.world = world;
            self.page_block(path, body);
        }
        (world, section)
    }

    fn page_world(&mut self, path: &str, page: Option<u32>) -> usize {
        self.worlds.push(World::new(Some(FILE_WORLD), page));
        self.world = self.worlds.len() - 1;
        self.worlds[self.world].params = super::pages::parts_of(path).map(Arc::from).collect();
        self.world
    }

    /// A layout as one page has it: the variables in it are the page's.
    fn layout(&mut self, path: &str, ast: &'a ast::Program) -> Layer<'a> {
        let world = self.page_world(path, Some(self.pages.len() as u32));
        self.only_a_view(&ast.statements, "a layout");
        let section = self.collect(&ast.statements);
        self.bodies(&section);
        self.one_view(&section.views);
        let first = section.view.first().map(|node| node.span);
        let span = section.views.first().copied().or(first).unwrap_or(ast.span);
        Layer {
            world,
            shown: section.shown(),
            span: Span::at(span.start),
            met: false,
        }
    }

    /// What is there once for each page, or for each place of use, declares nothing for all.
    pub(super) fn only_a_view(&mut self, statements: &[Stmt], what: &str) {
        for statement in statements {
            let fits = match &statement.kind {
                StmtKind::Let { .. }
                | StmtKind::Declare { .. }
                | StmtKind::Const { .. }
                | StmtKind::Destructure { .. }
                | StmtKind::Fn(_)
                | StmtKind::View(_)
                | StmtKind::Markup(_)
                | StmtKind::Lifecycle { .. }
                | StmtKind::Error => true,
                StmtKind::Expr(expr) => matches!(
                    &expr.kind,
                    ast::ExprKind::Assign { op: ast::AssignOp::Set, target, .. }
                        if matches!(target.kind, ast::ExprKind::Name(_))
                ),
                StmtKind::Entity(_)
                | StmtKind::Enum(_)
                | StmtKind::TypeAlias(_)
                | StmtKind::Page { .. }
                | StmtKind::Component(_)
                | StmtKind::Route { .. }
                | StmtKind::Validate(_)
                | StmtKind::Guard(_)
                | StmtKind::GuardDefinition { .. }
                | StmtKind::Middleware(_)
                | StmtKind::Ws { .. }
                | StmtKind::Every { .. }
                | StmtKind::Cron { .. }
                | StmtKind::Test { .. }
                | StmtKind::For { .. }
                | StmtKind::While { .. }
                | StmtKind::WhileLet { .. } => false,
            };
            if !fits {
                let at = Span::at(statement.span.start);
                let title = format!("{what} holds variables, functions and a view");
                let wrong = Diagnostic::error(Code::DeclarationPlace, at, title);
                self.report(wrong.hint(
                    "put declarations for all into `lib/` or `entities/`, and statements into a handler",
                ));
            }
        }
    }

    /// A page inside of its layouts, the innermost first.
    fn page_in_layers(&mut self, path: &str, span: Span, mut layers: Vec<Layer<'a>>) {
        let Some(outermost) = layers.pop() else {
            return;
        };
        self.layers = layers;
        self.world = outermost.world;
        self.page(path, span, &outermost.shown);
        // What stands inside of a slot that was never met was not looked at either, so the first such layout is told.
        let mut outer = outermost.span;
        for layer in std::mem::take(&mut self.layers).iter().rev() {
            if !layer.met {
                self.report(
                    Diagnostic::error(Code::BadSlot, outer, "this layout has no `<slot/>`")
                        .hint("write `<slot/>` where its pages shall stand"),
                );
                return;
            }
            outer = layer.span;
        }
    }

    /// `<slot/>` in a layout: the layer inside of it, with names of its own.
    pub(super) fn layout_slot(&mut self, around: &Around, out: &mut Output) -> bool {
        let Some(mut layer) = self.layers.pop() else {
            return false;
        };
        layer.met = true;
        let outer = std::mem::replace(&mut self.world, layer.world);
        self.open_barrier(0);
        let inside = Around {
            keyed: false,
            ..around.clone()
        };
        let (shown, span) = (std::mem::take(&mut layer.shown), layer.span);
        self.shown(&shown, &inside, span, out);
        layer.shown = shown;
        self.close_block();
        self.world = outer;
        self.layers.push(layer);
        true
    }
}

/// The layouts around the pages of a folder, the innermost first.
fn layouts_of<'a>(folder: &str, files: &[File<'a>]) -> Vec<&'a ast::Program> {
    let mut found: Vec<(usize, &ast::Program)> = files
        .iter()
        .filter_map(|(role, ast)| match role {
            Role::Layout(outer) => {
                let rest = folder.strip_prefix(outer.as_str())?;
                let inside = rest.is_empty() || rest.starts_with('/');
                inside.then_some((outer.len(), *ast))
            }
            Role::Shared | Role::Component(_) | Role::Page { .. } | Role::Misplaced(..) => None,
        })
        .collect();
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    found.into_iter().map(|(_, ast)| ast).collect()
}
