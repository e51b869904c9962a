//! Scopes: functions under construction, the blocks open in them, and how a variable of an enclosing function becomes a
//! local of an inner one. Must stay true: a name is looked up from the innermost block outwards; a variable that crosses
//! a function is captured through every level between; a handler gets copies as parameters instead.

use std::sync::Arc;

use flin_syntax::Span;
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::hir::{Capture, Expr, ExprId, FnId, FnKind, Function, Local, LocalId, Param, TypeAnn};

use super::Resolver;

/// How the code of a function reaches variables of the function around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Not at all.
    Root,
    /// As captured variables.
    Capture,
    /// As copies, passed as parameters (event handlers).
    Params,
}

/// What a function under construction is, as far as rules about its content depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Main,
    Function,
    Lambda,
    View,
    Handler,
    /// Initial value of a top-level variable.
    Init,
    ConstInit,
    /// Default of a parameter.
    Default,
    /// Default or check of an entity field.
    Check,
    Route,
    Test,
}

/// What a name in a block stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Binding {
    Variable(LocalId),
    /// `const` inside of a function.
    Constant(LocalId),
    /// A function inside of a function that captures nothing.
    Function(FnId),
    /// A function inside of a function that captures variables: the local holds it.
    Closure(LocalId, FnId),
    /// Code that a component got as a prop: position in `Resolver::callbacks`.
    Callback(usize),
}

/// One open block.
#[derive(Debug, Default)]
pub(super) struct Scope {
    names: HashMap<Arc<str>, Binding>,
    /// Of the blocks around only so many are visible in it: a component sees none, what fills its slot those of its tag.
    below: Option<usize>,
    /// What is around it is elsewhere: so many blocks of the function at this depth.
    elsewhere: Option<(usize, usize)>,
}

/// An open loop.
#[derive(Debug)]
pub(super) struct OpenLoop {
    pub(super) name: Option<Arc<str>>,
    pub(super) label: u32,
    /// `loop`: `break` may carry a value.
    pub(super) takes_value: bool,
}

/// A function under construction.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) id: FnId,
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) kind: FnKind,
    pub(super) place: Place,
    pub(super) link: Link,
    pub(super) read_only: bool,
    pub(super) params: Vec<Param>,
    pub(super) result: Option<TypeAnn>,
    pub(super) generics: Vec<Arc<str>>,
    pub(super) locals: Vec<Local>,
    captures: Vec<Capture>,
    pub(super) exprs: Vec<Expr>,
    scopes: Vec<Scope>,
    /// Names whose block has ended, for messages.
    ended: HashMap<Arc<str>, Span>,
    pub(super) loops: Vec<OpenLoop>,
    pub(super) labels: u32,
    /// Values of the enclosing function, in the order of the last parameters (`Link::Params`).
    pub(super) copied: Vec<LocalId>,
    /// Variables that were declared with a lambda.
    pub(super) lambdas: HashMap<LocalId, FnId>,
    /// The entity of a query argument whose bare names may be fields.
    pub(super) implicit: Option<Implicit>,
    /// Top-level variables of this statement number and later have no value yet.
    pub(super) limit: Option<u32>,
}

/// The parameter `it` of a query argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Implicit {
    pub(super) it: LocalId,
    /// The entity, if the receiver shows it.
    pub(super) entity: Option<crate::hir::EntityIx>,
    /// Whether a variable of a field's name could be meant as well: not where the field alone makes sense.
    pub(super) ambiguous: bool,
}

/// What a frame is opened with.
pub(super) struct FrameHead {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) kind: FnKind,
    pub(super) place: Place,
    pub(super) link: Link,
}

/// What a local name was found to be, as seen from the innermost function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visible {
    pub(super) binding: Binding,
    /// It is a handler's copy of a variable of the view.
    pub(super) copy: bool,
}

impl Frame {
    /// So many of the open blocks, innermost first, up to one that sees nothing around it.
    fn visible_scopes(&self, open: usize) -> impl Iterator<Item = &Scope> {
        let mut left = open;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let scope = &self.scopes[left];
            left = scope.below.unwrap_or(left);
            Some(scope)
        })
    }

    pub(super) fn add_local(
        &mut self,
        name: &str,
        span: Span,
        annotation: Option<TypeAnn>,
    ) -> LocalId {
        self.locals.push(Local {
            name: name.to_owned(),
            span,
            annotation,
            reassigned: false,
            captured: false,
            function: None,
            lambda: None,
            tuple: None,
        });
        LocalId(self.locals.len() as u32 - 1)
    }
}

impl Resolver<'_> {
    /// A number for a function whose content comes later.
    pub(super) fn reserve(&mut self) -> FnId {
        self.functions.push(None);
        FnId(self.functions.len() as u32 - 1)
    }

    pub(super) fn open(&mut self, id: FnId, head: FrameHead) {
        let read_only = matches!(
            head.place,
            Place::View | Place::Init | Place::ConstInit | Place::Check
        );
        self.frames.push(Frame {
            id,
            name: head.name,
            span: head.span,
            kind: head.kind,
            place: head.place,
            link: head.link,
            read_only,
            params: Vec::new(),
            result: None,
            generics: Vec::new(),
            locals: Vec::new(),
            captures: Vec::new(),
            exprs: Vec::new(),
            scopes: vec![Scope::default()],
            ended: HashMap::new(),
            loops: Vec::new(),
            labels: 0,
            copied: Vec::new(),
            lambdas: HashMap::new(),
            implicit: None,
            limit: None,
        });
    }

    /// Finishes the innermost function; gives the variables of the outer one that it got as parameters.
    pub(super) fn close(&mut self, body: ExprId) -> Vec<LocalId> {
        let frame = self.frames.pop().expect("a function is open");
        let parent = match frame.link {
            Link::Capture => self.frames.last().map(|outer| outer.id),
            Link::Root | Link::Params => None,
        };
        self.functions[frame.id.index()] = Some(Function {
            name: frame.name,
            span: frame.span,
            kind: frame.kind,
            from_prelude: self.world == super::PRELUDE_WORLD,
            type_vars: frame.generics.len() as u32,
            params: frame.params,
            result: frame.result,
            locals: frame.locals,
            captures: frame.captures,
            parent,
            exprs: frame.exprs,
            body,
            read_only: frame.read_only,
        });
        frame.copied
    }

    pub(super) fn frame(&self) -> &Frame {
        self.frames.last().expect("a function is open")
    }

    pub(super) fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a function is open")
    }

    /// What the code here is part of, lambdas left out.
    pub(super) fn place(&self) -> Place {
        self.frames
            .iter()
            .rev()
            .map(|frame| frame.place)
            .find(|place| *place != Place::Lambda)
            .unwrap_or(Place::Lambda)
    }

    pub(super) fn open_block(&mut self) {
        self.frame_mut().scopes.push(Scope::default());
    }

    /// How many blocks are open in the innermost function.
    pub(super) fn open_blocks(&self) -> usize {
        self.frame().scopes.len()
    }

    /// A block that sees only the first so many blocks of the function around it.
    pub(super) fn open_barrier(&mut self, visible: usize) {
        self.frame_mut().scopes.push(Scope {
            below: Some(visible),
            ..Scope::default()
        });
    }

    /// A block that sees, instead of what is around it, the first so many blocks of the function at a depth.
    pub(super) fn open_elsewhere(&mut self, depth: usize, blocks: usize) {
        self.frame_mut().scopes.push(Scope {
            below: Some(0),
            elsewhere: Some((depth, blocks)),
            ..Scope::default()
        });
    }

    /// Visits the blocks that are visible here, innermost first, each with the depth of its function, until it says stop.
    fn each_block<'f>(&'f self, visit: &mut dyn FnMut(usize, &'f Scope) -> bool) {
        let mut above = self.frames.len();
        let mut open = None;
        while let Some(depth) = above.checked_sub(1) {
            let frame = &self.frames[depth];
            above = depth;
            for scope in frame.visible_scopes(open.take().unwrap_or(frame.scopes.len())) {
                if visit(depth, scope) {
                    return;
                }
                if let Some((other, blocks)) = scope.elsewhere {
                    above = other + 1;
                    open = Some(blocks);
                }
            }
        }
    }

    pub(super) fn close_block(&mut self) {
        let frame = self.frame_mut();
        let scope = frame.scopes.pop().expect("a block is open");
        for (name, binding) in scope.names {
            if let Binding::Variable(local) | Binding::Constant(local) = binding {
                frame.ended.insert(name, frame.locals[local.index()].span);
            }
        }
    }

    /// Binds a name in the innermost block.
    pub(super) fn bind(&mut self, name: &Arc<str>, binding: Binding) {
        let frame = self.frame_mut();
        let scope = frame.scopes.last_mut().expect("a block is open");
        scope.names.insert(name.clone(), binding);
    }

    /// A new variable in the innermost block.
    pub(super) fn declare(
        &mut self,
        name: &Arc<str>,
        span: Span,
        annotation: Option<TypeAnn>,
    ) -> LocalId {
        let local = self.frame_mut().add_local(name, span, annotation);
        if &**name != "_" {
            self.bind(name, Binding::Variable(local));
        }
        local
    }

    /// Notes that a variable was declared with this value.
    pub(super) fn declared_with(&mut self, local: LocalId, value: ExprId) {
        let frame = self.frame_mut();
        use crate::hir::ExprKind::{FnRef, Lambda};
        if let Lambda(func) | FnRef(func) = frame.exprs[value.index()].kind {
            frame.lambdas.insert(local, func);
        }
        if let Lambda(func) = frame.exprs[value.index()].kind {
            frame.locals[local.index()].lambda = Some(func);
        }
    }

    /// A variable without a name.
    pub(super) fn temporary(&mut self, span: Span) -> LocalId {
        self.frame_mut().add_local("", span, None)
    }

    /// Finds a local name, and makes it a local of the innermost function if it belongs to an outer one.
    pub(super) fn find_local(&mut self, name: &str) -> Option<Visible> {
        let (depth, binding) = self.search(name)?;
        let (local, again): (LocalId, fn(LocalId, FnId) -> Binding) = match binding {
            Binding::Variable(local) => (local, |local, _| Binding::Variable(local)),
            Binding::Constant(local) => (local, |local, _| Binding::Constant(local)),
            Binding::Closure(local, _) => (local, Binding::Closure),
            Binding::Function(_) | Binding::Callback(_) => {
                return Some(Visible {
                    binding,
                    copy: false,
                });
            }
        };
        let function = match binding {
            Binding::Closure(_, function) => function,
            Binding::Variable(_)
            | Binding::Constant(_)
            | Binding::Function(_)
            | Binding::Callback(_) => FnId(0),
        };
        let (local, copy) = self.bring_inside(depth, local);
        Some(Visible {
            binding: again(local, function),
            copy,
        })
    }

    /// Where a local name is declared: depth of its function, and the binding there. A function that captures nothing
    /// sees of the blocks around it only functions like itself.
    pub(super) fn search(&self, name: &str) -> Option<(usize, Binding)> {
        let mut found = None;
        self.each_block(&mut |depth, scope| {
            found = scope.names.get(name).map(|binding| (depth, *binding));
            found.is_some()
        });
        found.filter(|(depth, binding)| {
            matches!(binding, Binding::Function(_) | Binding::Callback(_))
                || !self.is_beyond(*depth)
        })
    }

    /// Whether a function between the one at `depth` and the innermost sees nothing outside of it.
    fn is_beyond(&self, depth: usize) -> bool {
        let inner = &self.frames[depth + 1..];
        inner.iter().any(|frame| frame.link == Link::Root)
    }

    /// Makes a local of the function at `depth` a local of the innermost function.
    pub(super) fn bring_inside(&mut self, depth: usize, local: LocalId) -> (LocalId, bool) {
        let mut local = local;
        let mut copy = false;
        for inner in depth + 1..self.frames.len() {
            let (outer_frames, inner_frames) = self.frames.split_at_mut(inner);
            let (outer, frame) = (&mut outer_frames[inner - 1], &mut inner_frames[0]);
            local = match frame.link {
                Link::Root => {
                    unreachable!("a name was found beyond a function that sees nothing outside")
                }
                Link::Capture => capture(outer, frame, local),
                Link::Params => {
                    copy = true;
                    copied(outer, frame, local)
                }
            };
        }
        (local, copy)
    }

    /// Notes that a variable is assigned after its declaration.
    pub(super) fn mark_assigned(&mut self, local: LocalId) {
        self.frame_mut().locals[local.index()].reassigned = true;
    }

    /// All local names that are visible here.
    pub(super) fn visible_locals(&self) -> HashSet<Arc<str>> {
        let mut names = HashSet::new();
        self.each_block(&mut |depth, scope| {
            let beyond = self.is_beyond(depth);
            if !beyond {
                names.extend(scope.names.keys().cloned());
            }
            beyond
        });
        names
    }

    /// Where a name was declared whose block has ended, in this function.
    pub(super) fn ended_block(&self, name: &str) -> Option<Span> {
        self.frame().ended.get(name).copied()
    }
}

fn capture(outer: &mut Frame, inner: &mut Frame, local: LocalId) -> LocalId {
    if let Some(known) = inner.captures.iter().find(|capture| capture.outer == local) {
        return known.inner;
    }
    let source = &mut outer.locals[local.index()];
    source.captured = true;
    let copy = source.clone();
    inner.locals.push(copy);
    let id = LocalId(inner.locals.len() as u32 - 1);
    inner.captures.push(Capture {
        outer: local,
        inner: id,
    });
    id
}

fn copied(outer: &Frame, inner: &mut Frame, local: LocalId) -> LocalId {
    if let Some(position) = inner.copied.iter().position(|known| *known == local) {
        // A default value has parameters before those.
        let before = inner.params.len() - inner.copied.len();
        return inner.params[before + position].local;
    }
    let source = &outer.locals[local.index()];
    let id = inner.add_local(&source.name, source.span, source.annotation.clone());
    inner.locals[id.index()].function = source.function;
    inner.copied.push(local);
    inner.params.push(Param {
        local: id,
        annotation: None,
        default: None,
    });
    id
}

/// Captured variables agree in all functions on whether they are assigned and captured; called once all are finished.
pub(super) fn spread_flags(functions: &mut [Function]) {
    for inner in (0..functions.len()).rev() {
        share(functions, inner, |outer, inner| {
            outer.captured = true;
            outer.reassigned |= inner.reassigned;
        });
    }
    for inner in 0..functions.len() {
        share(functions, inner, |outer, inner| {
            inner.captured = true;
            inner.reassigned |= outer.reassigned;
        });
    }
}

/// Applies `agree` to each captured variable (outer one, inner one) of a function. Parents have smaller numbers.
fn share(functions: &mut [Function], inner: usize, agree: fn(&mut Local, &mut Local)) {
    let Some(parent) = functions[inner].parent else {
        return;
    };
    let (outer_functions, inner_functions) = functions.split_at_mut(inner);
    let function = &mut inner_functions[0];
    let outer = &mut outer_functions[parent.index()];
    for capture in &function.captures {
        agree(
            &mut outer.locals[capture.outer.index()],
            &mut function.locals[capture.inner.index()],
        );
    }
}
