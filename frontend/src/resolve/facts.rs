//! What each finished function touches: top-level variables, other functions, entities. Here because the kinds of
//! variables and several rules follow from it. Must stay true: facts are about what may happen, so a function that is
//! only mentioned counts as called.

use flin_syntax::Span;
use foldhash::{HashMap, HashMapExt as _, HashSet};

use crate::hir::{ExprId, ExprKind, FnId, Function, GlobalIx, Program};

/// Methods that change a list or map in place.
pub(crate) const CHANGING: &[&str] = &[
    "push",
    "pop",
    "shift",
    "unshift",
    "insert_at",
    "remove_at",
    "set",
    "delete_key",
    "clear",
];

/// What one function touches by itself.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) reads: Vec<(GlobalIx, Span)>,
    pub(super) assigns: Vec<(GlobalIx, Span)>,
    /// Changes of a list or map that a variable holds.
    pub(super) changes: Vec<(GlobalIx, Span)>,
    pub(super) calls: Vec<(FnId, Span)>,
    /// The first place that changes stored entities, with the word for it.
    pub(super) writes: Option<(Span, &'static str)>,
    pub(super) binds: Vec<GlobalIx>,
    /// Variables whose value is handed on (argument, other name), so that it may be changed elsewhere.
    pub(super) hands_on: Vec<GlobalIx>,
}

impl Facts {
    pub(super) fn of(program: &Program, function: &Function) -> Facts {
        let mut facts = Facts::default();
        for expr in &function.exprs {
            facts.note(function, &expr.kind, expr.span);
            if let ExprKind::FnRef(id) | ExprKind::Lambda(id) = &expr.kind {
                let defaults = program.defaults_of(*id);
                facts.calls.extend(defaults.map(|id| (id, expr.span)));
            }
        }
        facts
    }

    fn note(&mut self, function: &Function, kind: &ExprKind, span: Span) {
        self.note_handed_on(function, kind);
        match kind {
            ExprKind::Global(global) => self.reads.push((*global, span)),
            ExprKind::SetGlobal(global, _) => self.assigns.push((*global, span)),
            ExprKind::ViewBind { global, .. } => {
                self.reads.push((*global, span));
                self.binds.push(*global);
            }
            ExprKind::CallFn(id, _) | ExprKind::FnRef(id) | ExprKind::Lambda(id) => {
                self.calls.push((*id, span))
            }
            ExprKind::Save(_) => self.write(span, "saves"),
            ExprKind::Delete(_) => self.write(span, "deletes"),
            ExprKind::Restore(_) => self.write(span, "restores"),
            ExprKind::Destroy(_) => self.write(span, "destroys"),
            ExprKind::SetField { recv, .. } | ExprKind::SetIndex(recv, _, _) => {
                self.change(function, *recv, span)
            }
            ExprKind::Method { recv, name, .. } | ExprKind::Field { recv, name, .. }
                if CHANGING.contains(&name.as_str()) =>
            {
                self.change(function, *recv, span);
            }
            ExprKind::CallLib(name, args) if CHANGING.contains(&name.as_str()) => {
                if let Some(recv) = args.first() {
                    self.change(function, *recv, span);
                }
            }
            _ => {}
        }
    }

    fn note_handed_on(&mut self, function: &Function, kind: &ExprKind) {
        let values: &[ExprId] = match kind {
            ExprKind::CallFn(_, args) | ExprKind::CallValue(_, args) => args,
            ExprKind::Let(_, Some(value)) | ExprKind::SetLocal(_, value) => {
                std::slice::from_ref(value)
            }
            _ => &[],
        };
        let roots = values.iter().filter_map(|value| root(function, *value));
        self.hands_on.extend(roots);
    }

    fn write(&mut self, span: Span, word: &'static str) {
        self.writes = self.writes.or(Some((span, word)));
    }

    fn change(&mut self, function: &Function, recv: ExprId, span: Span) {
        if let Some(global) = root(function, recv) {
            self.changes.push((global, span));
        }
    }
}

/// The top-level variable in which a place such as `form.tags[0]` lies.
fn root(function: &Function, id: ExprId) -> Option<GlobalIx> {
    match &function.exprs[id.index()].kind {
        ExprKind::Global(global) => Some(*global),
        ExprKind::Field { recv, .. } => root(function, *recv),
        ExprKind::Index(recv, _) => root(function, *recv),
        _ => None,
    }
}

/// The functions that may run when some functions run, those included; each with who mentions it and where.
pub(super) fn reachable(
    facts: &[Facts],
    from: impl IntoIterator<Item = FnId>,
) -> HashMap<FnId, Option<(FnId, Span)>> {
    let mut found: HashMap<FnId, Option<(FnId, Span)>> = HashMap::new();
    let mut next: Vec<FnId> = Vec::new();
    for start in from {
        if found.insert(start, None).is_none() {
            next.push(start);
        }
    }
    let mut at = 0;
    while at < next.len() {
        let caller = next[at];
        at += 1;
        for (callee, span) in &facts[caller.index()].calls {
            if !found.contains_key(callee) {
                found.insert(*callee, Some((caller, *span)));
                next.push(*callee);
            }
        }
    }
    found
}

/// The reachable functions in a fixed order.
pub(super) fn in_order(found: &HashMap<FnId, Option<(FnId, Span)>>) -> Vec<FnId> {
    let set: HashSet<FnId> = found.keys().copied().collect();
    let mut order: Vec<FnId> = set.into_iter().collect();
    order.sort_unstable();
    order
}
