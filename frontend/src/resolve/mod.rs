//! Names: the syntax tree becomes the resolved program. Here is the order of the work and what all parts share.
//!
//! First everything at the top level is collected, so that the order of declarations does not matter; then each body is
//! walked once with a stack of functions under construction; at the end it is known which function touches which
//! top-level variable, and each gets its kind. Must stay true: what cannot be resolved gives a diagnostic and an `Error`
//! expression, never a guess; nothing of the tree is skipped in silence; resolving looks at no file and no clock.

mod arguments;
mod assets;
mod assign;
mod binding;
mod call;
mod choices;
mod classes;
mod collect;
mod components;
mod control;
mod coverage;
mod decorators;
pub mod dump;
mod effects;
mod entities;
mod expr;
mod facts;
mod former;
mod functions;
mod handlers;
mod inverse;
mod kinds;
mod library;
mod literals;
mod markup;
mod matching;
mod mentions;
mod names;
mod pages;
mod patterns;
mod project;
mod query;
mod scope;
mod scoped;
mod statements;
mod suggest;
mod tags;
mod typenames;
mod variants;
mod waiting;

use std::sync::Arc;

use flin_bytecode::module::Asset;
use flin_syntax::limits::MESSAGES_KEPT_MAX;
use flin_syntax::{Diagnostic, FileId, Span, ast};
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::hir::{
    EntityDef, EnumDef, EnumIx, Expr, ExprId, ExprKind, FnId, Function, HandlerDef, LocalId,
    PageDef, Program, RouteDef,
};
use crate::project::Role;
use crate::unsupported::Unsupported;
pub(crate) use facts::CHANGING;
use functions::Signature;
pub(crate) use markup::escape;
use names::{Alias, TopVar, World};
use project::Layer;
use scope::Frame;

/// Binds the names of a program and of the prelude it may call.
///
/// The program is complete even with errors; then it holds `Error` expressions where something could not be bound.
/// Recursion follows the tree, whose height the parser limits: call this on a thread with a large stack.
#[must_use]
pub fn resolve(ast: &ast::Program, prelude: &ast::Program) -> (Program, Vec<Diagnostic>) {
    resolve_without(ast, prelude, Lost::default())
}

/// What the parts of a program that cannot be read may have declared.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    /// Names.
    pub names: HashSet<Arc<str>>,
    /// An enum, whose variants need not be among the names.
    pub has_enum: bool,
    /// A type of which the name is missing.
    pub nameless_type: bool,
    /// A function of which the name is missing.
    pub nameless_function: bool,
    /// A variable of which the name is missing.
    pub nameless_variable: bool,
    /// Names of functions with something else glued behind: `rows_of` where a `(` is missing behind `rows`.
    pub glued: Vec<Arc<str>>,
}

impl Lost {
    /// What two texts may have declared.
    pub(crate) fn join(&mut self, other: Lost) {
        self.names.extend(other.names);
        self.has_enum |= other.has_enum;
        self.nameless_type |= other.nameless_type;
        self.nameless_function |= other.nameless_function;
        self.nameless_variable |= other.nameless_variable;
        self.glued.extend(other.glued);
    }

    /// Whether what could not be read may have declared a name, going by more than the names that stand there.
    fn may_declare(&self, name: &str) -> bool {
        let is_type = name.starts_with(char::is_uppercase);
        is_type && self.nameless_type
            || !is_type && (self.nameless_function || self.nameless_variable)
            || self.glued.iter().any(|glued| glued.starts_with(name))
    }
}

/// The same for a program of which parts are missing: nothing is said about names that may have been declared there.
#[must_use]
pub fn resolve_without(
    ast: &ast::Program,
    prelude: &ast::Program,
    lost: Lost,
) -> (Program, Vec<Diagnostic>) {
    resolve_checked(ast, prelude, lost, false)
}

/// The same; `unused`: with the components and layouts that no page uses, each as a page of its own. Of such a program only
/// what is said about it counts.
#[must_use]
pub fn resolve_checked(
    ast: &ast::Program,
    prelude: &ast::Program,
    lost: Lost,
    unused: bool,
) -> (Program, Vec<Diagnostic>) {
    let mut resolver = Resolver::new();
    resolver.checking = unused;
    resolver.refused.clone_from(&lost.names);
    resolver.lost = lost;
    resolver.prelude(prelude);
    resolver.file(ast);
    resolver.finish()
}

/// The same for the files of a project: each with what it is; places in them are counted through. `assets`: what it serves
/// as it is; `unused` as in [`resolve_checked`].
#[must_use]
pub fn resolve_project(
    files: Vec<(&Role, &ast::Program)>,
    assets: &[Asset],
    prelude: &ast::Program,
    lost: Lost,
    unused: bool,
) -> (Program, Vec<Diagnostic>) {
    let mut resolver = Resolver::new();
    resolver.assets = assets;
    resolver.checking = unused;
    resolver.refused.clone_from(&lost.names);
    resolver.lost = lost;
    resolver.prelude(prelude);
    resolver.project(&files);
    resolver.finish()
}

/// Where a name was told to be unknown: in which function, and in which part of it.
type ToldIn = Option<(FnId, Option<u32>)>;

/// Everything that is known while the tree is walked.
pub(super) struct Resolver<'a> {
    entities: Vec<EntityDef>,
    /// Their declarations.
    entity_decls: Vec<&'a ast::EntityDecl>,
    enums: Vec<EnumDef>,
    aliases: Vec<Alias<'a>>,
    /// None while a function is still under construction.
    functions: Vec<Option<Function>>,
    signatures: HashMap<FnId, Signature>,
    /// Top-level variables and constants; positions are `GlobalIx` until the kinds are known.
    vars: Vec<TopVar>,
    /// Variables that say how far another one is, by that one.
    statuses: HashMap<usize, usize>,
    /// Variables whose first value asks another server.
    waiting: HashSet<usize>,
    /// Names at the top level: of the prelude, of the file, of each page.
    worlds: Vec<World>,
    world: usize,
    /// Functions under construction, outermost first.
    frames: Vec<Frame>,
    diagnostics: Vec<Diagnostic>,
    pages: Vec<PageDef>,
    /// Handlers of the page whose view is being walked.
    handlers: Vec<HandlerDef>,
    routes: Vec<RouteDef>,
    tests: Vec<(String, FnId)>,
    main: Option<FnId>,
    const_init: Option<FnId>,
    /// Expressions of `main` that declare a variable.
    main_declarations: HashMap<ExprId, usize>,
    /// Places in `main` where a derived variable is computed if `main` needs it.
    main_inits: Vec<(ExprId, usize)>,
    /// Functions that compute a default value of a parameter.
    defaults: HashSet<FnId>,
    /// Inner functions above whose declaration the reading still is: what their default values use is not known.
    undeclared: HashSet<FnId>,
    /// Calls by name of lambdas in variables: which variable of which function, and the place of the call.
    calls_by_signature: Vec<(FnId, LocalId, Span)>,
    /// Locals that hide a top-level variable standing below.
    hiding: Vec<assign::Hiding>,
    /// Where pages and routes were declared, by method and path without the names of its parts.
    paths: HashMap<String, Span>,
    /// Unknown names that were told, by function or statement of `main`.
    told: HashSet<(ToldIn, Arc<str>)>,
    /// What could not be read.
    lost: Lost,
    /// Files that are served as they are.
    assets: &'a [Asset],
    /// Variants of all enums by their names.
    variants: HashMap<Arc<str>, Vec<(EnumIx, u32)>>,
    /// Values of the constants at the top level, by their variables.
    constant_values: HashMap<usize, &'a ast::Expr>,
    /// Variants whose enum is not known yet.
    ambiguous: Vec<choices::Ambiguous>,
    /// Names that could not be declared; uses of them are no mistakes of their own.
    refused: HashSet<Arc<str>>,
    /// Names of all fields of all entities.
    field_names: HashSet<Arc<str>>,
    /// The file has a page or a route, so that its variables belong to requests.
    serves: bool,
    /// Where the event of the handler under construction was named.
    event_span: Span,
    has_tests: bool,
    /// The path of the file that is being read, for routes without one.
    file_path: Option<String>,
    /// What fills the `<slot/>` of a layout: the layer inside of it, outermost last.
    layers: Vec<Layer<'a>>,
    components: Vec<components::Component<'a>>,
    /// The uses of components around what is being read, outermost first.
    uses: Vec<components::Use<'a>>,
    /// How many `{if}` and `{for}` are around what is being read.
    choices: usize,
    use_count: u32,
    instance: Option<components::Instance<'a>>,
    /// Code that components got as props.
    callbacks: Vec<components::Callback<'a>>,
    /// What no page uses is looked at, too.
    checking: bool,
    /// There is such a thing.
    checks_unused: bool,
    /// Layouts with a page, by where they are in memory.
    used_layouts: HashSet<usize>,
    /// The lifecycle block being read.
    phase: Option<components::Phase>,
    /// Its attributes, for the next element that is read.
    life: Vec<ExprId>,
    /// Where pages (by number) keep the instances of components.
    stores: Vec<((usize, usize), components::Store)>,
    /// The keys of the loops around, in the view being read.
    part_keys: Vec<LocalId>,
    /// Styles of the components of the page being read, by component.
    styles: Vec<(usize, Span, String)>,
}

/// Positions in `Resolver::worlds`.
pub(super) const PRELUDE_WORLD: usize = 0;
pub(super) const FILE_WORLD: usize = 1;

impl<'a> Resolver<'a> {
    fn new() -> Resolver<'a> {
        Resolver {
            entities: Vec::new(),
            entity_decls: Vec::new(),
            enums: Vec::new(),
            aliases: Vec::new(),
            functions: Vec::new(),
            signatures: HashMap::new(),
            vars: Vec::new(),
            statuses: HashMap::new(),
            waiting: HashSet::new(),
            worlds: vec![World::new(None, None), World::new(None, None)],
            world: PRELUDE_WORLD,
            frames: Vec::new(),
            diagnostics: Vec::new(),
            pages: Vec::new(),
            handlers: Vec::new(),
            routes: Vec::new(),
            tests: Vec::new(),
            main: None,
            const_init: None,
            main_declarations: HashMap::new(),
            main_inits: Vec::new(),
            defaults: HashSet::new(),
            undeclared: HashSet::new(),
            calls_by_signature: Vec::new(),
            hiding: Vec::new(),
            paths: HashMap::new(),
            told: HashSet::new(),
            lost: Lost::default(),
            assets: &[],
            constant_values: HashMap::new(),
            ambiguous: Vec::new(),
            variants: HashMap::new(),
            refused: HashSet::new(),
            field_names: HashSet::new(),
            serves: false,
            event_span: Span::default(),
            has_tests: false,
            file_path: None,
            layers: Vec::new(),
            components: Vec::new(),
            uses: Vec::new(),
            choices: 0,
            use_count: 0,
            instance: None,
            callbacks: Vec::new(),
            checking: false,
            checks_unused: false,
            used_layouts: HashSet::new(),
            phase: None,
            life: Vec::new(),
            stores: Vec::new(),
            part_keys: Vec::new(),
            styles: Vec::new(),
        }
    }

    /// Whether no more messages are kept.
    fn is_full(&self) -> bool {
        self.diagnostics.len() >= MESSAGES_KEPT_MAX
    }

    /// Reports a diagnostic; one found in the prelude is moved there.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            if diagnostic.is_error() && !self.diagnostics.last().is_some_and(Diagnostic::is_error) {
                self.diagnostics.pop();
            } else {
                return;
            }
        }
        self.diagnostics.push(if self.world == PRELUDE_WORLD {
            diagnostic.in_file(FileId(1))
        } else {
            diagnostic
        });
    }

    /// Reports that a name is unknown, once per function, unless it could not be declared because of another mistake.
    fn report_missing(&mut self, name: &ast::Name, diagnostic: Diagnostic) {
        let root = self.frames.first();
        let place = root.map(|frame| (frame.id, frame.limit));
        let is_first = self.told.insert((place, name.text.clone()));
        let excused = self.refused.contains(&name.text) || self.lost.may_declare(&name.text);
        if is_first && !excused {
            self.report(diagnostic);
        }
    }

    fn unsupported(&mut self, what: Unsupported, span: Span) {
        self.report(what.at(span));
    }

    /// Adds an expression to the function under construction.
    fn emit(&mut self, kind: ExprKind, span: Span) -> ExprId {
        let exprs = &mut self.frame_mut().exprs;
        exprs.push(Expr { kind, span });
        ExprId(exprs.len() as u32 - 1)
    }

    /// Stands for what could not be resolved.
    fn error(&mut self, span: Span) -> ExprId {
        self.emit(ExprKind::Error, span)
    }

    fn finish(mut self) -> (Program, Vec<Diagnostic>) {
        let prelude = self.worlds[PRELUDE_WORLD].functions();
        let mut program = Program {
            entities: std::mem::take(&mut self.entities),
            enums: std::mem::take(&mut self.enums),
            globals: Vec::new(),
            functions: std::mem::take(&mut self.functions)
                .into_iter()
                .map(|function| function.expect("every function was finished"))
                .collect(),
            main: self.main,
            const_init: self.const_init,
            pages: std::mem::take(&mut self.pages),
            routes: std::mem::take(&mut self.routes),
            tests: std::mem::take(&mut self.tests),
            prelude,
            has_unused: self.checks_unused,
        };
        self.settle(&mut program);
        let mut seen = HashSet::new();
        self.diagnostics
            .retain(|d| seen.insert((d.code, d.span(), d.title.clone())));
        self.diagnostics.sort_by_key(|d| d.span());
        (program, self.diagnostics)
    }
}
