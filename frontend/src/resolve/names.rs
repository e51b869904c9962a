//! Names at the top level, and looking up any name: locals first, then the page, the file, the library. Must stay true:
//! a program's own names hide the library's; the prelude sees only itself and the library, and is seen by nobody.

use std::sync::Arc;

use flin_syntax::{Code, Diagnostic, Span, ast};
use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{
    EntityIx, EnumIx, ExprId, ExprKind, FnId, GlobalIx, LocalId, RecordEntry, TypeAnn,
};
use crate::unsupported::Unsupported;
use flin_bytecode::module::Injected;

use super::scope::{Binding, Place};
use super::{PRELUDE_WORLD, Resolver, library, suggest};

/// A declaration at the top level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Function(FnId),
    /// Variable or constant: position in `Resolver::vars`.
    Var(usize),
    Entity(EntityIx),
    Enum(EnumIx),
    Alias(usize),
    /// Position in `Resolver::components`.
    Component(usize),
}

/// The top-level names of the prelude, of a file or of a page.
#[derive(Debug)]
pub(super) struct World {
    items: HashMap<Arc<str>, (Item, Span)>,
    /// The file of a page.
    parent: Option<usize>,
    /// The page (index into `Program::pages`) of a `page` block.
    pub(super) page: Option<u32>,
    /// The names of the variable parts of its path.
    pub(super) params: Vec<Arc<str>>,
}

/// A type alias.
#[derive(Debug)]
pub(super) struct Alias<'a> {
    pub(super) decl: &'a ast::TypeAliasDecl,
    /// Being expanded: to notice aliases that contain themselves.
    pub(super) open: bool,
    pub(super) world: usize,
}

/// A variable or constant at the top level.
#[derive(Clone, Debug)]
pub(super) struct TopVar {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) annotation: Option<TypeAnn>,
    pub(super) role: Role,
    pub(super) world: usize,
    /// Number of the statement that gives it its first value.
    pub(super) order: u32,
    pub(super) init: Option<FnId>,
    pub(super) start: Start,
}

/// What a top-level variable is, as far as its declaration tells.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// A constant whose value stands where its name is used.
    Literal(ExprKind),
    Constant,
    Variable,
    Injected(Injected),
    /// A variable part of a page's path.
    Param,
}

/// The form of a variable's first value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A list or map literal, or annotated as such: changing it in place is changing the variable.
    Container,
    Other,
}

/// What a name means where it is read.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Local(LocalId),
    Function(FnId),
    Closure(LocalId, FnId),
    Var(usize),
    Entity(EntityIx),
    Enum(EnumIx),
    Alias,
    Component,
    /// Code that a component got as a prop: position in `Resolver::callbacks`.
    Callback(usize),
    Nothing,
}

impl World {
    pub(super) fn new(parent: Option<usize>, page: Option<u32>) -> World {
        World {
            items: HashMap::new(),
            parent,
            page,
            params: Vec::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<(Item, Span)> {
        self.items.get(name).copied()
    }

    pub(super) fn parent(&self) -> Option<usize> {
        self.parent
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&Arc<str>, Item)> {
        self.items.iter().map(|(name, (item, _))| (name, *item))
    }

    /// Functions by name.
    pub(super) fn functions(&self) -> HashMap<String, FnId> {
        self.names()
            .filter_map(|(name, item)| match item {
                Item::Function(id) => Some((name.to_string(), id)),
                Item::Var(_)
                | Item::Entity(_)
                | Item::Enum(_)
                | Item::Alias(_)
                | Item::Component(_) => None,
            })
            .collect()
    }
}

impl Resolver<'_> {
    /// Adds a top-level name to the world at hand; a second declaration of a name is an error.
    pub(super) fn declare_top(&mut self, name: &ast::Name, item: Item) -> bool {
        if let Some((_, first)) = self.top_entry(&name.text) {
            self.report(
                Diagnostic::error(
                    Code::DuplicateName,
                    name.span,
                    format!("`{}` is declared twice", name.text),
                )
                .label("declared again here")
                .also(first, "first declared here")
                .hint("give one of them another name"),
            );
            return false;
        }
        let world = self.world;
        self.worlds[world]
            .items
            .insert(name.text.clone(), (item, name.span));
        true
    }

    fn top_entry(&self, name: &str) -> Option<(Item, Span)> {
        let mut world = Some(self.world);
        while let Some(at) = world {
            if let Some(entry) = self.worlds[at].get(name) {
                return Some(entry);
            }
            world = self.worlds[at].parent;
        }
        None
    }

    /// The top-level declaration of a name, seen from the world at hand.
    pub(super) fn top(&self, name: &str) -> Option<Item> {
        self.top_entry(name).map(|(item, _)| item)
    }

    /// Where a top-level name is declared.
    pub(super) fn top_span(&self, name: &str) -> Option<Span> {
        self.top_entry(name).map(|(_, span)| span)
    }

    /// What a name means here; reading it makes it a local of the innermost function if it belongs to an outer one.
    pub(super) fn meaning(&mut self, name: &str) -> Meaning {
        if let Some(visible) = self.find_local(name) {
            return match visible.binding {
                Binding::Variable(local) | Binding::Constant(local) => Meaning::Local(local),
                Binding::Function(id) => Meaning::Function(id),
                Binding::Closure(local, id) => Meaning::Closure(local, id),
                Binding::Callback(at) => Meaning::Callback(at),
            };
        }
        match self.top(name) {
            Some(Item::Function(id)) => Meaning::Function(id),
            Some(Item::Var(var)) => Meaning::Var(var),
            Some(Item::Entity(entity)) => Meaning::Entity(entity),
            Some(Item::Enum(at)) => Meaning::Enum(at),
            Some(Item::Alias(_)) => Meaning::Alias,
            Some(Item::Component(_)) => Meaning::Component,
            None => Meaning::Nothing,
        }
    }

    /// Whether a name is visible, without touching anything.
    pub(super) fn is_visible(&self, name: &str) -> bool {
        self.search(name).is_some() || self.top(name).is_some()
    }

    /// A name where a value is read.
    pub(super) fn read_name(&mut self, name: &ast::Name) -> ExprId {
        if let Some(field) = self.implicit_field(name) {
            return field;
        }
        self.read_plain(name)
    }

    /// A name that is no field of a query's entity.
    pub(super) fn read_plain(&mut self, name: &ast::Name) -> ExprId {
        match self.meaning(&name.text) {
            Meaning::Local(local) | Meaning::Closure(local, _) => {
                self.emit(ExprKind::Local(local), name.span)
            }
            Meaning::Function(id) => self.emit(ExprKind::FnRef(id), name.span),
            Meaning::Var(var) => self.read_var(var, name),
            Meaning::Entity(entity) => self.emit(ExprKind::Query(entity), name.span),
            Meaning::Enum(at) => {
                let (first, enum_name) =
                    (self.enums[at.index()].variants.first().cloned(), &name.text);
                let hint =
                    first.map(|(variant, _)| format!("name a variant: `{enum_name}.{variant}`"));
                self.not_a_value(name, "an enum", hint)
            }
            Meaning::Callback(at) => self.callback_as_value(at, name.span),
            Meaning::Alias => self.not_a_value(name, "a type", None),
            Meaning::Component => {
                let hint = format!("a component is a tag of a view: `<{}/>`", name.text);
                self.not_a_value(name, "a component", Some(hint))
            }
            Meaning::Nothing => match self.enum_with(&name.text) {
                Some(owner) => self.variant(owner, name, &[], name.span),
                None if self.enums_with(&name.text).is_empty() => self.read_outside(name),
                None => self.variant_of_several(name, Vec::new()),
            },
        }
    }

    fn not_a_value(&mut self, name: &ast::Name, what: &str, hint: Option<String>) -> ExprId {
        let mut diagnostic = Diagnostic::error(
            Code::NotAValue,
            name.span,
            format!("`{}` is {what}, not a value", name.text),
        );
        diagnostic.hint = hint;
        self.report(diagnostic);
        self.error(name.span)
    }

    pub(super) fn read_var(&mut self, var: usize, name: &ast::Name) -> ExprId {
        if self.too_early(var) {
            return self.report_too_early(var, name);
        }
        match &self.vars[var].role {
            Role::Literal(literal) => {
                let literal = literal.clone();
                self.emit(literal, name.span)
            }
            Role::Constant | Role::Variable | Role::Injected(_) | Role::Param => {
                self.emit(ExprKind::Global(GlobalIx(var as u32)), name.span)
            }
        }
    }

    /// Whether the code here runs before the variable has its first value.
    pub(super) fn too_early(&self, var: usize) -> bool {
        let var = &self.vars[var];
        let limit = self.frames.iter().rev().find_map(|frame| frame.limit);
        let below = var.world == self.world && limit.is_some_and(|limit| var.order >= limit);
        match var.role {
            Role::Literal(_) | Role::Injected(_) | Role::Param => false,
            Role::Constant => self.place() == Place::ConstInit && below,
            Role::Variable => match self.place() {
                Place::ConstInit | Place::Check => true,
                _ => below,
            },
        }
    }

    fn report_too_early(&mut self, var: usize, name: &ast::Name) -> ExprId {
        let declared = self.vars[var].span;
        let refused = match (&self.vars[var].role, self.place()) {
            (Role::Variable, Place::ConstInit) => Some("a constant"),
            (Role::Variable, Place::Check) => Some("an entity"),
            _ => None,
        };
        let diagnostic = match refused {
            Some(what) => Diagnostic::error(
                Code::ConstantDepends,
                name.span,
                format!("{what} cannot depend on the variable `{}`", name.text),
            )
            .also(declared, "a variable")
            .reason("a variable belongs to one visitor or request; constants and entities belong to all"),
            None => Diagnostic::error(
                Code::UsedTooEarly,
                name.span,
                format!("`{}` has no value yet", name.text),
            )
            .label("read here")
            .also(declared, "gets its first value here")
            .hint("move the declaration up"),
        };
        self.report(diagnostic);
        self.error(name.span)
    }

    /// A name that the program does not declare: a value of the library, something the server provides, or an error.
    fn read_outside(&mut self, name: &ast::Name) -> ExprId {
        // What could not be read may have declared it, so it need not be the library's.
        if self.world != PRELUDE_WORLD && self.lost.names.contains(&name.text) {
            return self.error(name.span);
        }
        if library::is_value(&name.text) {
            return self.emit(
                ExprKind::CallLib(name.text.to_string(), Vec::new()),
                name.span,
            );
        }
        if let Some(value) = self.provided(name) {
            return value;
        }
        if self.world != PRELUDE_WORLD && library::exists(&name.text) {
            return self.library_function_value(name);
        }
        self.report_unknown(name);
        self.error(name.span)
    }

    /// `params query body headers cookies request session` in a route.
    fn provided(&mut self, name: &ast::Name) -> Option<ExprId> {
        let place = self.place();
        if &*name.text == "session" {
            self.unsupported(Unsupported::Session, name.span);
            return Some(self.error(name.span));
        }
        let injected = injected(&name.text)?;
        if place != Place::Route {
            return match injected {
                Injected::Params => self.page_params(name),
                _ => None,
            };
        }
        let known = self
            .vars
            .iter()
            .position(|var| matches!(var.role, Role::Injected(it) if it == injected));
        let var = known.unwrap_or_else(|| {
            self.vars.push(TopVar {
                name: name.text.clone(),
                span: name.span,
                annotation: None,
                role: Role::Injected(injected),
                world: self.world,
                order: 0,
                init: None,
                start: Start::Other,
            });
            self.vars.len() - 1
        });
        Some(self.emit(ExprKind::Global(GlobalIx(var as u32)), name.span))
    }

    /// The world around with a path that has variable parts.
    fn world_with_params(&self) -> Option<usize> {
        let mut world = Some(self.world);
        while let Some(at) = world {
            if !self.worlds[at].params.is_empty() {
                return Some(at);
            }
            world = self.worlds[at].parent;
        }
        None
    }

    /// `params` as a whole in a page: a map of all variable parts of its path.
    fn page_params(&mut self, name: &ast::Name) -> Option<ExprId> {
        let world = self.world_with_params()?;
        let entries = self.worlds[world].params.clone();
        let entries = entries
            .into_iter()
            .map(|part| {
                let value = self.page_param(world, &part, name.span);
                RecordEntry::Field(part.to_string(), name.span, value)
            })
            .collect();
        Some(self.emit(ExprKind::Record(entries), name.span))
    }

    /// `params.slug` in a page whose path has a part of that name.
    pub(super) fn page_param_field(
        &mut self,
        object: &ast::Expr,
        name: &ast::Name,
    ) -> Option<ExprId> {
        let ast::ExprKind::Name(params) = &object.kind else {
            return None;
        };
        let elsewhere = self.place() == Place::Route || self.is_visible("params");
        if &*params.text != "params" || elsewhere {
            return None;
        }
        let world = self.world_with_params()?;
        let parts = &self.worlds[world].params;
        if parts.contains(&name.text) {
            return Some(self.page_param(world, &name.text, name.span));
        }
        let known: Vec<&str> = parts.iter().map(|part| &**part).collect();
        let title = format!("the path of this page has no part `{}`", name.text);
        let hint = match suggest::nearest_of(&name.text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known.join(", ")),
        };
        self.report(Diagnostic::error(Code::NoSuchField, name.span, title).hint(hint));
        Some(self.error(name.span))
    }

    /// A variable part of a page's path, always a text.
    fn page_param(&mut self, world: usize, part: &Arc<str>, span: Span) -> ExprId {
        let known = self.vars.iter().position(|var| {
            matches!(var.role, Role::Param) && var.world == world && var.name == *part
        });
        let var = known.unwrap_or_else(|| {
            self.vars.push(TopVar {
                name: part.clone(),
                span,
                annotation: Some(TypeAnn::Text),
                role: Role::Param,
                world,
                order: 0,
                init: None,
                start: Start::Other,
            });
            self.vars.len() - 1
        });
        self.emit(ExprKind::Global(GlobalIx(var as u32)), span)
    }

    fn report_unknown(&mut self, name: &ast::Name) {
        let text = &*name.text;
        let title = format!("`{text}` is not known here");
        let mut diagnostic = Diagnostic::error(Code::UnknownName, name.span, title);
        if let Some(place) = self.ended_block(text) {
            diagnostic = diagnostic
                .also(place, "declared here, inside of a block that has ended")
                .hint(format!("give `{text}` a first value before that block"));
        } else if text == "params" {
            diagnostic = diagnostic
                .reason("`params` exists only inside of a route, or of a page whose path has variable parts: `page \"/blog/:slug\" { … }`")
                .hint("pass what the function needs as an argument");
        } else if injected(text).is_some() {
            diagnostic = diagnostic
                .reason(format!("`{text}` exists only inside of a route"))
                .hint("pass what the function needs as an argument");
        } else if let Some(here) = suggest::value_from_elsewhere(text) {
            diagnostic = diagnostic.hint(format!("in FLIN that is `{here}`"));
        } else if let Some((entity, near)) = self.nearest_field(text) {
            diagnostic = diagnostic
                .label(format!("neither a variable nor a field of {entity}"))
                .hint(format!("did you mean the field `{near}`?"));
        } else if let Some(near) = self.nearest(text, suggest::Wanted::Value) {
            diagnostic = diagnostic.hint(format!("did you mean `{near}`?"));
        } else {
            diagnostic = diagnostic.hint(format!("declare it first: `{text} = …`"));
        }
        self.report_missing(name, diagnostic);
    }
}

/// The value that the server provides to a route under this name.
pub(super) fn injected(name: &str) -> Option<Injected> {
    match name {
        "params" => Some(Injected::Params),
        "query" => Some(Injected::Query),
        "body" => Some(Injected::Body),
        "headers" => Some(Injected::Headers),
        "request" => Some(Injected::Request),
        "cookies" => Some(Injected::Cookies),
        _ => None,
    }
}
