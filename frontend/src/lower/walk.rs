//! What follows from walking over a function before it is lowered: which subtrees assign variables and which subtree
//! each variable lives in. Here because registers are handed out by these scopes. Must stay true: a variable's scope
//! contains every expression that names it, captures by lambdas included.

use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{ExprId, ExprKind, FnId, Function, LocalId, Program, ViewItem};
use crate::operands::operands;

/// The local variables that an expression itself names (not its operands).
fn locals_named(program: &Program, kind: &ExprKind, visit: &mut dyn FnMut(LocalId)) {
    if let ExprKind::Local(l)
    | ExprKind::Let(l, _)
    | ExprKind::SetLocal(l, _)
    | ExprKind::ViewItem(ViewItem {
        of: Some((l, _)), ..
    }) = kind
    {
        visit(*l);
    }
    if let ExprKind::ForRange { var: l, .. } | ExprKind::ImplicitField { it: l, .. } = kind {
        visit(*l);
    }
    if let ExprKind::For { first, second, .. } = kind {
        visit(*first);
        second.iter().for_each(|l| visit(*l));
    }
    if let ExprKind::TryCatch { error, .. } = kind {
        error.iter().for_each(|l| visit(*l));
    }
    if let ExprKind::Lambda(f) = kind {
        program.functions[f.index()]
            .captures
            .iter()
            .for_each(|c| visit(c.outer));
    }
}

/// What lowering wants to know about a function before it starts.
pub(super) struct Scopes {
    /// Variables by the smallest expression that contains all their uses: they have registers while it runs.
    pub(super) owned: HashMap<ExprId, Vec<LocalId>>,
    /// Whether a subtree assigns a local variable of this function.
    assigns: Vec<bool>,
}

impl Scopes {
    /// Walks over a function. Parameters and captured variables are left out: they live as long as the function.
    pub(super) fn of(program: &Program, function: &Function) -> Scopes {
        let count = function.exprs.len();
        let mut walk = Walk {
            program,
            function,
            parent: vec![None; count],
            depth: vec![0; count],
            assigns: vec![false; count],
            owner: vec![None; function.locals.len()],
        };
        walk.visit(function.body, None);
        let mut fixed = vec![false; function.locals.len()];
        function
            .params
            .iter()
            .for_each(|p| fixed[p.local.index()] = true);
        function
            .captures
            .iter()
            .for_each(|c| fixed[c.inner.index()] = true);
        let mut owned: HashMap<ExprId, Vec<LocalId>> = HashMap::new();
        for (at, owner) in walk.owner.iter().enumerate() {
            if let (Some(owner), false) = (owner, fixed[at]) {
                owned.entry(*owner).or_default().push(LocalId(at as u32));
            }
        }
        Scopes {
            owned,
            assigns: walk.assigns,
        }
    }

    /// Whether evaluating the expression may assign a local variable.
    pub(super) fn assigns(&self, e: ExprId) -> bool {
        self.assigns[e.index()]
    }
}

struct Walk<'a> {
    program: &'a Program,
    function: &'a Function,
    parent: Vec<Option<ExprId>>,
    depth: Vec<u32>,
    assigns: Vec<bool>,
    owner: Vec<Option<ExprId>>,
}

impl Walk<'_> {
    fn visit(&mut self, e: ExprId, parent: Option<ExprId>) {
        let function = self.function;
        let kind = &function.exprs[e.index()].kind;
        self.parent[e.index()] = parent;
        self.depth[e.index()] = parent.map_or(0, |p| self.depth[p.index()] + 1);
        let mut assigns = matches!(kind, ExprKind::SetLocal(..));
        let program = self.program;
        locals_named(program, kind, &mut |l| self.mention(l, e));
        operands(kind, &mut |child| {
            self.visit(child, Some(e));
            assigns |= self.assigns[child.index()];
        });
        self.assigns[e.index()] = assigns;
    }

    /// Moves the owner of a variable up to the nearest common ancestor with a further use.
    fn mention(&mut self, local: LocalId, at: ExprId) {
        let Some(mut a) = self.owner[local.index()] else {
            self.owner[local.index()] = Some(at);
            return;
        };
        let mut b = at;
        while a != b {
            let (da, db) = (self.depth[a.index()], self.depth[b.index()]);
            if da >= db {
                a = self.parent[a.index()]
                    .expect("expressions of one function have a common ancestor");
            }
            if db >= da {
                b = self.parent[b.index()]
                    .expect("expressions of one function have a common ancestor");
            }
        }
        self.owner[local.index()] = Some(a);
    }
}

/// Where a variable was declared: captured variables lead to the function that owns them.
pub(super) fn origin(program: &Program, function: FnId, local: LocalId) -> (FnId, LocalId) {
    let (mut function, mut local) = (function, local);
    loop {
        let f = &program.functions[function.index()];
        match (f.captures.iter().find(|c| c.inner == local), f.parent) {
            (Some(capture), Some(parent)) => (function, local) = (parent, capture.outer),
            _ => return (function, local),
        }
    }
}

/// Variables that a lambda in their own initialiser captures (local functions that call themselves).
pub(super) fn self_captured(program: &Program, function: &Function) -> Vec<LocalId> {
    let mut found = Vec::new();
    for e in &function.exprs {
        if let ExprKind::Let(local, Some(value)) = &e.kind
            && mentions_in_lambda(program, function, *value, *local)
        {
            found.push(*local);
        }
    }
    found
}

fn mentions_in_lambda(program: &Program, function: &Function, e: ExprId, local: LocalId) -> bool {
    let kind = &function.exprs[e.index()].kind;
    if let ExprKind::Lambda(f) = kind {
        return program.functions[f.index()]
            .captures
            .iter()
            .any(|c| c.outer == local);
    }
    if !function.locals[local.index()].captured {
        return false;
    }
    let mut found = false;
    operands(kind, &mut |child| {
        found = found || mentions_in_lambda(program, function, child, local)
    });
    found
}
