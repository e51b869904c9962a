//! What is known at a point of the program beyond the cells: narrower types of variables, of fields behind them, and
//! which variables are other names of these. Here because the rules of what ends such knowledge belong together. Must stay
//! true: what another function could have changed is forgotten at every call; a loop begins without what could change in
//! it; the number of paths is bounded, so that joining two ways stays cheap.

use crate::hir::{ExprKind, FnKind, GlobalIx, LocalId, Program, RecordEntry};
use crate::kinds::{
    computed_kinds, constant_kinds, flow_kinds, query_kinds, record_kinds, view_kinds,
};

use super::cells::Cells;
use super::set::Set;

use foldhash::{HashMap, HashSet};

/// More paths than this are not remembered at one point; the oldest go first.
const PATHS_MAX: usize = 24;

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Local(LocalId),
    Global(GlobalIx),
}

/// A variable, or a field behind one: `user`, `user.boss.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'p> {
    pub(super) root: Root,
    pub(super) fields: Vec<&'p str>,
    /// A key of a map is on the way: whatever changes a map may change it.
    pub(super) volatile: bool,
}

impl<'p> Path<'p> {
    pub(super) fn new(root: Root) -> Path<'p> {
        Path {
            root,
            fields: Vec::new(),
            volatile: false,
        }
    }

    fn same_place(&self, other: &Path<'_>) -> bool {
        self.root == other.root && self.fields == other.fields
    }
}

/// What is known at one point.
#[derive(Clone, Default, Debug)]
pub(super) struct Env<'p> {
    /// Variables that no other function can change, sorted.
    known: Vec<(LocalId, Set)>,
    /// Everything else, oldest first.
    paths: Vec<(Path<'p>, Set)>,
    /// Variables that hold what a path held, and still does.
    aliases: Vec<(LocalId, Path<'p>)>,
    /// A test says that no value comes here.
    pub(super) impossible: bool,
}

/// What other functions than the one at hand may change.
#[derive(Debug, Default)]
pub(super) struct Shared<'p> {
    /// Names of fields that are assigned anywhere.
    fields: HashSet<&'p str>,
    /// Keys that are written anywhere: in a map literal, or set by name.
    keys: HashSet<&'p str>,
    /// How often each global is assigned; once in `main` or its initialiser is its first value.
    globals: HashMap<GlobalIx, u32>,
}

impl<'p> Shared<'p> {
    pub(super) fn of(program: &'p Program) -> Shared<'p> {
        let mut shared = Shared::default();
        for function in &program.functions {
            for expr in &function.exprs {
                match &expr.kind {
                    ExprKind::SetField { name, .. } => {
                        shared.fields.insert(name);
                        shared.keys.insert(name);
                    }
                    ExprKind::SetIndex(_, key, _) => {
                        if let ExprKind::Text(name) = &function.exprs[key.index()].kind {
                            shared.keys.insert(name);
                        }
                    }
                    ExprKind::Record(entries) => {
                        let names = entries.iter().filter_map(|entry| match entry {
                            RecordEntry::Field(name, ..) => Some(&**name),
                            RecordEntry::Spread(..) => None,
                        });
                        shared.keys.extend(names);
                    }
                    ExprKind::SetGlobal(global, _) => {
                        // Functions run as often as they are called.
                        let times = 1 + u32::from(function.kind != FnKind::Internal);
                        *shared.globals.entry(*global).or_default() += times;
                    }
                    constant_kinds!()
                    | computed_kinds!()
                    | flow_kinds!()
                    | record_kinds!()
                    | query_kinds!()
                    | view_kinds!()
                    | ExprKind::List(_)
                    | ExprKind::Local(_)
                    | ExprKind::Let(..)
                    | ExprKind::SetLocal(..)
                    | ExprKind::Global(_)
                    | ExprKind::FnRef(_)
                    | ExprKind::Lambda(_)
                    | ExprKind::CallFn(..)
                    | ExprKind::CallValue(..)
                    | ExprKind::CallLib(..)
                    | ExprKind::Method { .. }
                    | ExprKind::Field { .. }
                    | ExprKind::Index(..)
                    | ExprKind::Binary(..)
                    | ExprKind::And(..)
                    | ExprKind::Or(..)
                    | ExprKind::Coalesce(..)
                    | ExprKind::VariantData(..)
                    | ExprKind::Block(..) => {}
                }
            }
        }
        shared
    }

    /// Whether a map could have the key, as far as the program writes keys down.
    pub(super) fn writes_key(&self, name: &str) -> bool {
        self.keys.contains(name)
    }

    /// Whether another function could change what the path holds. (A local in a path is one that others share, or the
    /// beginning of fields.)
    fn may_change(&self, path: &Path<'_>, shares: &dyn Fn(LocalId) -> bool) -> bool {
        let root = match path.root {
            Root::Global(global) => self.globals.get(&global).is_some_and(|times| *times > 1),
            Root::Local(local) => shares(local),
        };
        root || path.volatile || path.fields.iter().any(|name| self.fields.contains(name))
    }
}

impl<'p> Env<'p> {
    pub(super) fn get(&self, local: LocalId) -> Option<Set> {
        self.known
            .binary_search_by_key(&local, |entry| entry.0)
            .ok()
            .map(|at| self.known[at].1)
    }

    pub(super) fn put(&mut self, local: LocalId, set: Set) {
        match self.known.binary_search_by_key(&local, |entry| entry.0) {
            Ok(at) => self.known[at].1 = set,
            Err(at) => self.known.insert(at, (local, set)),
        }
    }

    /// The variable gets another value.
    pub(super) fn forget(&mut self, local: LocalId) {
        if let Ok(at) = self.known.binary_search_by_key(&local, |entry| entry.0) {
            self.known.remove(at);
        }
        self.forget_root(Root::Local(local));
    }

    pub(super) fn forget_root(&mut self, root: Root) {
        self.paths.retain(|entry| entry.0.root != root);
        self.aliases
            .retain(|(local, path)| path.root != root && Root::Local(*local) != root);
    }

    pub(super) fn path(&self, path: &Path<'_>) -> Option<Set> {
        let found = self.paths.iter().find(|entry| entry.0.same_place(path));
        found.map(|entry| entry.1)
    }

    pub(super) fn put_path(&mut self, path: Path<'p>, set: Set) {
        self.paths.retain(|entry| !entry.0.same_place(&path));
        if self.paths.len() == PATHS_MAX {
            self.paths.remove(0);
        }
        self.paths.push((path, set));
    }

    /// Records were saved: the store fills in what is missing.
    pub(super) fn forget_fields(&mut self) {
        self.paths.retain(|entry| entry.0.fields.is_empty());
        self.aliases.retain(|entry| entry.1.fields.is_empty());
    }

    /// A field of this name was assigned, of whatever value.
    pub(super) fn forget_field(&mut self, name: &str) {
        self.paths.retain(|entry| !entry.0.fields.contains(&name));
        self.aliases.retain(|entry| !entry.1.fields.contains(&name));
    }

    /// A map changed.
    pub(super) fn forget_volatile(&mut self) {
        self.paths.retain(|entry| !entry.0.volatile);
        self.aliases.retain(|entry| !entry.1.volatile);
    }

    /// Other functions ran.
    pub(super) fn forget_shared(&mut self, shared: &Shared<'_>, shares: &dyn Fn(LocalId) -> bool) {
        if self.paths.is_empty() && self.aliases.is_empty() {
            return;
        }
        self.paths
            .retain(|entry| !shared.may_change(&entry.0, shares));
        self.aliases
            .retain(|entry| !shared.may_change(&entry.1, shares));
    }

    pub(super) fn alias(&self, local: LocalId) -> Option<&Path<'p>> {
        let found = self.aliases.iter().find(|entry| entry.0 == local);
        found.map(|entry| &entry.1)
    }

    pub(super) fn put_alias(&mut self, local: LocalId, path: Path<'p>) {
        self.aliases.retain(|entry| entry.0 != local);
        if self.aliases.len() == PATHS_MAX {
            self.aliases.remove(0);
        }
        self.aliases.push((local, path));
    }

    /// A variable has no type left: no value comes here.
    pub(super) fn is_impossible(&self) -> bool {
        self.impossible || self.known.iter().any(|entry| entry.1.is_never())
    }

    /// What both ways know.
    pub(super) fn meet(&self, other: &Env<'p>, cells: &mut Cells) -> Env<'p> {
        let mut env = Env::default();
        for (local, set) in &self.known {
            if let Some(other) = other.get(*local) {
                let joined = cells.join_sets(*set, other);
                env.known.push((*local, joined));
            }
        }
        for (path, set) in &self.paths {
            if let Some(other) = other.path(path) {
                let joined = cells.join_sets(*set, other);
                env.paths.push((path.clone(), joined));
            }
        }
        let same = |entry: &&(LocalId, Path<'p>)| other.aliases.contains(entry);
        env.aliases = self.aliases.iter().filter(same).cloned().collect();
        env.impossible = self.impossible && other.impossible;
        env
    }
}
