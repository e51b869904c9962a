//! Handlers that change what they were given and do nothing else with it. Here because a handler gets copies of what the view
//! shows, so such a change is forgotten; and because only the types tell a plain value from a record of the store. Must stay
//! true: what is refused here is lost in every run; a copy that is kept, handed on or read again is the program's business.

use flin_syntax::{Code, Diagnostic, Span};
use foldhash::HashMap;

use crate::hir::{ExprId, ExprKind, FnId, Function, LocalId, Program};
use crate::operands::operands;
use crate::resolve::CHANGING;
use crate::types::{Instance, Meaning, Ty, Types};

/// What becomes of a parameter's value inside of a function and of what it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fate {
    /// The first place that changes a part of it.
    changed: Option<Span>,
    /// It is saved, kept, handed on or read after the change.
    kept: bool,
}

/// What one function does with one of its locals.
#[derive(Clone, Debug, Default)]
struct Deeds {
    changes: Vec<Span>,
    reads: Vec<Span>,
    kept: bool,
    /// Functions that get it, as an argument or by capturing it: what it is in there, and the place.
    given: Vec<(FnId, LocalId, Span)>,
}

/// How the value of an expression is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Not at all.
    Dropped,
    /// Looked at, and nothing of it stays.
    Looked,
    /// It may stay somewhere.
    Whole,
    /// As what the function gives.
    Given,
}

/// Messages about changes that only copies get.
pub(crate) fn check(program: &Program, types: &Types) -> Vec<Diagnostic> {
    let handlers = program.pages.iter().flat_map(|page| &page.handlers);
    let handlers: Vec<FnId> = handlers.map(|handler| handler.func).collect();
    if handlers.is_empty() {
        return Vec::new();
    }
    let deeds = all_deeds(program, types);
    let fates = settled(program, &deeds);
    let mut found = Vec::new();
    for handler in handlers {
        let function = &program.functions[handler.index()];
        let Some(entry) = types.entry.get(&handler) else {
            continue;
        };
        let instance = &types.instances[entry.index()];
        for param in &function.params {
            let fate = fates[handler.index()].get(&param.local);
            if let Some(Fate {
                changed: Some(span),
                kept: false,
            }) = fate
            {
                let ty = instance.locals[param.local.index()];
                let name = &function.locals[param.local.index()].name;
                found.extend(message(name, ty, types, *span));
            }
        }
    }
    found
}

fn message(name: &str, ty: Ty, types: &Types, span: Span) -> Option<Diagnostic> {
    let (values, records) = contents(ty, types);
    if records && !values {
        let title = format!("this change of `{name}` is not saved");
        let told = Diagnostic::warning(Code::LostChange, span, title)
            .reason("a record changes when it is saved; the handler ends without that")
            .hint(format!("write `save {name}` behind it"));
        return Some(told);
    }
    if !values {
        return None;
    }
    let title = format!("this changes only a copy of `{name}`");
    // What may be a record of the store is one perhaps.
    let told = match records {
        false => Diagnostic::error(Code::ReadOnlyCopy, span, title),
        true => Diagnostic::warning(Code::ReadOnlyCopy, span, title),
    };
    Some(
        told.reason("a handler gets copies of what the view shows, and this one is forgotten when it ends")
            .hint("change the list that holds it: walk it with positions, `{for row, i in rows}`, and assign `rows[i].name` in the handler"),
    )
}

/// Whether values of a type may be plain ones that have parts, and records of the store.
fn contents(ty: Ty, types: &Types) -> (bool, bool) {
    match ty {
        Ty::Record(_) | Ty::List(_) | Ty::Map(_) => (true, false),
        Ty::Entity(_) => (false, true),
        Ty::Any => (true, true),
        Ty::Union(union) => {
            let members = &types.unions[union.index()];
            let each = members.iter().map(|member| contents(*member, types));
            each.fold((false, false), |(a, b), (c, d)| (a || c, b || d))
        }
        Ty::Never
        | Ty::None
        | Ty::Bool
        | Ty::Int
        | Ty::Float
        | Ty::Text
        | Ty::Time
        | Ty::Duration
        | Ty::Range
        | Ty::Error
        | Ty::Response
        | Ty::Tuple(_)
        | Ty::Query(_)
        | Ty::Enum(_)
        | Ty::Func(_) => (false, false),
    }
}

type OfLocals = HashMap<LocalId, Deeds>;

fn all_deeds(program: &Program, types: &Types) -> Vec<OfLocals> {
    let mut deeds: Vec<OfLocals> = vec![OfLocals::default(); program.functions.len()];
    let mut seen = vec![false; program.functions.len()];
    for instance in &types.instances {
        let at = instance.func.index();
        if !std::mem::replace(&mut seen[at], true) && !program.functions[at].from_prelude {
            let mut walk = Walk {
                program,
                function: &program.functions[at],
                instance,
                deeds: OfLocals::default(),
            };
            walk.expr(walk.function.body, Use::Given);
            deeds[at] = walk.deeds;
        }
    }
    for (at, inner) in program.functions.iter().enumerate() {
        if let Some(outer) = inner.parent {
            for it in &inner.captures {
                let of_outer = deeds[outer.index()].entry(it.outer).or_default();
                of_outer.given.push((FnId(at as u32), it.inner, inner.span));
            }
        }
    }
    deeds
}

/// The fates of all locals, with what other functions do with them.
fn settled(program: &Program, deeds: &[OfLocals]) -> Vec<HashMap<LocalId, Fate>> {
    let mut fates = vec![HashMap::default(); program.functions.len()];
    let mut order: Vec<usize> = (0..program.functions.len()).collect();
    loop {
        let mut is_settled = true;
        // Once from each side: chains of calls go either way.
        order.reverse();
        for at in order.iter().copied() {
            for (local, deeds) in &deeds[at] {
                let fate = fate_of(deeds, program, &fates);
                is_settled &= fates[at].insert(*local, fate) == Some(fate);
            }
        }
        if is_settled {
            return fates;
        }
    }
}

fn fate_of(deeds: &Deeds, program: &Program, fates: &[HashMap<LocalId, Fate>]) -> Fate {
    let mut changes = deeds.changes.clone();
    let mut kept = deeds.kept;
    for (function, local, span) in &deeds.given {
        let fate = fates[function.index()].get(local).copied();
        let fate = fate.unwrap_or_default();
        kept |= fate.kept || program.functions[function.index()].from_prelude;
        changes.extend(fate.changed.map(|_| *span));
    }
    let changed = changes.into_iter().min_by_key(|span| span.start);
    let is_read = |change: Span| deeds.reads.iter().any(|read| read.start >= change.end);
    Fate {
        changed,
        kept: kept || changed.is_some_and(is_read),
    }
}

/// A walk over the code of one function.
struct Walk<'a> {
    program: &'a Program,
    function: &'a Function,
    instance: &'a Instance,
    deeds: OfLocals,
}

impl<'a> Walk<'a> {
    fn of(&mut self, local: LocalId) -> &mut Deeds {
        self.deeds.entry(local).or_default()
    }

    /// The variable in which a place such as `row.tags[0]` lies.
    fn root(&self, id: ExprId) -> Option<LocalId> {
        match &self.function.exprs[id.index()].kind {
            ExprKind::Local(local) => Some(*local),
            ExprKind::Field { recv, .. } | ExprKind::Index(recv, _) => self.root(*recv),
            _ => None,
        }
    }

    fn has_parts(&self, id: ExprId) -> bool {
        !matches!(
            self.instance.exprs[id.index()],
            Ty::Never
                | Ty::None
                | Ty::Bool
                | Ty::Int
                | Ty::Float
                | Ty::Text
                | Ty::Time
                | Ty::Duration
                | Ty::Range
        )
    }

    fn expr(&mut self, id: ExprId, how: Use) {
        let expr = &self.function.exprs[id.index()];
        match &expr.kind {
            ExprKind::Local(local) => {
                let stays = matches!(how, Use::Whole | Use::Given);
                self.of(*local).kept |= stays;
            }
            ExprKind::Field { recv, .. } if self.changes(id, how) => self.change(*recv, expr.span),
            ExprKind::Field { .. } | ExprKind::Index(..) if self.root(id).is_some() => {
                self.part(id, how);
            }
            ExprKind::SetField { recv, value, .. } => {
                self.change(*recv, expr.span);
                self.expr(*value, Use::Whole);
            }
            ExprKind::SetIndex(recv, index, value) => {
                self.change(*recv, expr.span);
                self.expr(*index, Use::Looked);
                self.expr(*value, Use::Whole);
            }
            ExprKind::Method { recv, args, .. } if self.changes(id, how) => {
                self.change(*recv, expr.span);
                args.iter().for_each(|arg| self.expr(*arg, Use::Whole));
            }
            ExprKind::CallLib(_, args) if self.changes(id, how) => {
                if let Some((first, others)) = args.split_first() {
                    self.change(*first, expr.span);
                    others.iter().for_each(|arg| self.expr(*arg, Use::Whole));
                }
            }
            ExprKind::CallFn(callee, args) => self.call(*callee, args, expr.span),
            ExprKind::Block(items, _) => {
                let Some((last, before)) = items.split_last() else {
                    return;
                };
                before
                    .iter()
                    .for_each(|item| self.expr(*item, Use::Dropped));
                self.expr(*last, how);
            }
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                self.expr(*cond, Use::Looked);
                self.expr(*then, how);
                otherwise.iter().for_each(|it| self.expr(*it, how));
            }
            ExprKind::Binary(..)
            | ExprKind::Concat(_)
            | ExprKind::Not(_)
            | ExprKind::Neg(_)
            | ExprKind::Is(..)
            | ExprKind::IsVariant(..) => self.all(&expr.kind, Use::Looked),
            other => self.all(other, Use::Whole),
        }
    }

    fn all(&mut self, kind: &ExprKind, how: Use) {
        let mut found = Vec::new();
        operands(kind, &mut |id| found.push(id));
        found.into_iter().for_each(|id| self.expr(id, how));
    }

    /// A part of a variable is read.
    fn part(&mut self, id: ExprId, how: Use) {
        let Some(local) = self.root(id) else {
            return;
        };
        let span = self.function.exprs[id.index()].span;
        let stays = matches!(how, Use::Whole | Use::Given) && self.has_parts(id);
        let deeds = self.of(local);
        deeds.kept |= stays;
        deeds.reads.push(span);
        self.indices(id);
    }

    /// The positions in a place such as `row.tags[at]` are read.
    fn indices(&mut self, id: ExprId) {
        match &self.function.exprs[id.index()].kind {
            ExprKind::Field { recv, .. } => self.indices(*recv),
            ExprKind::Index(recv, index) => {
                self.expr(*index, Use::Looked);
                self.indices(*recv);
            }
            _ => {}
        }
    }

    fn change(&mut self, recv: ExprId, span: Span) {
        match self.root(recv) {
            Some(local) => {
                self.of(local).changes.push(span);
                self.indices(recv);
            }
            None => self.expr(recv, Use::Whole),
        }
    }

    /// Whether an expression is a call of a library function that changes its receiver and gives nothing that is used.
    fn changes(&self, id: ExprId, how: Use) -> bool {
        let name = match &self.function.exprs[id.index()].kind {
            ExprKind::Method { name, .. }
            | ExprKind::Field { name, .. }
            | ExprKind::CallLib(name, _) => name,
            _ => return false,
        };
        let of_library = matches!(
            self.instance.meaning.get(&id),
            Some(Meaning::Lib(_) | Meaning::LibOp(_) | Meaning::KeyOr(_) | Meaning::Dynamic)
        );
        of_library && matches!(how, Use::Dropped | Use::Given) && CHANGING.contains(&&**name)
    }

    fn call(&mut self, callee: FnId, args: &[ExprId], span: Span) {
        for (position, arg) in args.iter().enumerate() {
            match self.root(*arg) {
                Some(local) if self.has_parts(*arg) => {
                    let param = self.program.functions[callee.index()].params.get(position);
                    match param {
                        Some(param) => self.of(local).given.push((callee, param.local, span)),
                        None => self.of(local).kept = true,
                    }
                    self.indices(*arg);
                }
                _ => self.expr(*arg, Use::Whole),
            }
        }
    }
}
