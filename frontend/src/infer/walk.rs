//! One walk over the body of one instance: types of all expressions, what flows into which cell, and (while checking)
//! messages. Here because fixpoint and diagnostics must see the same rules. Must stay true: a walk only joins and
//! unifies; it gives the same answer again if no cell it read has grown.

use std::rc::Rc;

use flin_syntax::Span;

use crate::hir::{
    BinOp, BoundPart, Control, ExprId, ExprKind, FnId, FnKind, Function, GlobalIx, LocalId,
};
use crate::types::{InstId, Meaning};

use super::cells::{CellId, InstIx, MapKind};
use super::control::LoopState;
use super::engine::Engine;
use super::flow::LoopWrites;
use super::instances::Key;
use super::mismatch::Into;
use super::paths::{Env, Root};
use super::set::{Nominal, Set};

/// The walk over one instance.
pub(super) struct Walker<'e, 'p> {
    pub(super) engine: &'e mut Engine<'p>,
    pub(super) inst: InstIx,
    pub(super) fid: FnId,
    pub(super) function: &'p Function,
    pub(super) locals: Rc<Vec<CellId>>,
    pub(super) env: Env<'p>,
    /// This point cannot be reached.
    pub(super) dead: bool,
    pub(super) writes: Rc<LoopWrites>,
    exprs: Vec<Set>,
    pub(super) loops: Vec<LoopState>,
    /// The next entity literal is saved where it stands.
    pub(super) saving: bool,
}

impl<'e, 'p> Walker<'e, 'p> {
    pub(super) fn new(engine: &'e mut Engine<'p>, inst: InstIx) -> Walker<'e, 'p> {
        let fid = engine.insts[inst.index()].func;
        let function = engine.function(fid);
        let writes = engine.loop_writes(fid);
        let state = &mut engine.insts[inst.index()];
        state.meaning.clear();
        let exprs = vec![Set::NEVER; function.exprs.len()];
        let locals = state.locals.clone();
        Walker {
            engine,
            inst,
            fid,
            function,
            locals,
            env: Env::default(),
            dead: false,
            writes,
            exprs,
            loops: Vec::new(),
            saving: false,
        }
    }

    pub(super) fn run(mut self) {
        let body = self.function.body;
        let result = self.engine.insts[self.inst.index()].result;
        self.default_values();
        if self.engine.resultless.contains(&self.fid) {
            self.effect(body);
            self.place(body);
            if !self.dead || self.function.kind == FnKind::Internal {
                self.engine.cells.join(result, Set::NONE);
            }
        } else {
            let value = self.eval(body);
            if !self.dead {
                let last = self.last_value(body);
                self.flow(result, value, last, Into::Result);
                self.check_generic_result(value, last);
            }
        }
        self.engine.insts[self.inst.index()].exprs = self.exprs;
    }

    /// The expression that gives a block its value, for messages.
    fn last_value(&self, expr: ExprId) -> ExprId {
        match &self.kind(expr) {
            ExprKind::Block(parts, true) => {
                parts.last().map_or(expr, |last| self.last_value(*last))
            }
            _ => expr,
        }
    }

    pub(super) fn kind(&self, expr: ExprId) -> &'p ExprKind {
        &self.function.exprs[expr.index()].kind
    }

    pub(super) fn span(&self, expr: ExprId) -> Span {
        self.function.exprs[expr.index()].span
    }

    pub(super) fn place(&mut self, expr: ExprId) {
        self.engine.cells.place = if self.function.from_prelude {
            None
        } else {
            Some(self.span(expr))
        };
    }

    pub(super) fn mean(&mut self, expr: ExprId, meaning: Meaning) {
        self.engine.insts[self.inst.index()]
            .meaning
            .insert(expr, meaning);
    }

    /// Lets the value of an expression flow into a cell.
    pub(super) fn flow(&mut self, cell: CellId, value: Set, at: ExprId, into: Into) {
        self.place(at);
        self.engine.cells.join(cell, value);
        if self.engine.diagnostics.is_some() && self.engine.cells.is_fixed(cell) {
            self.check_fits(cell, value, at, into);
        }
    }

    /// A cell that belongs to a place in the body.
    pub(super) fn site_cell(&mut self, expr: ExprId, n: u8) -> CellId {
        if let Some(cell) = self.engine.insts[self.inst.index()]
            .sites
            .cells
            .get(&(expr, n))
        {
            return *cell;
        }
        let cell = self.engine.cells.cell();
        self.engine.insts[self.inst.index()]
            .sites
            .cells
            .insert((expr, n), cell);
        cell
    }

    /// The type of an expression.
    pub(super) fn eval(&mut self, expr: ExprId) -> Set {
        let set = self.eval_kind(expr);
        self.exprs[expr.index()] = set;
        set
    }

    /// The type of an expression that was evaluated in this walk.
    pub(super) fn value_of(&self, expr: ExprId) -> Set {
        self.exprs[expr.index()]
    }

    pub(super) fn note(&mut self, expr: ExprId, set: Set) {
        self.exprs[expr.index()] = set;
    }

    /// Evaluates an expression whose value nobody takes: what the branches give does not meet.
    pub(super) fn effect(&mut self, expr: ExprId) {
        match self.kind(expr) {
            ExprKind::If { .. } | ExprKind::Block(..) | ExprKind::TryCatch { .. } => {
                let set = self.control(expr, false);
                self.exprs[expr.index()] = set;
            }
            _ => {
                self.eval(expr);
            }
        }
    }

    pub(super) fn value_or_effect(&mut self, expr: ExprId, wanted: bool) -> Set {
        if wanted {
            self.eval(expr)
        } else {
            self.effect(expr);
            if self.dead { Set::NEVER } else { Set::NONE }
        }
    }

    /// All sets, and whether one of them never comes.
    pub(super) fn eval_all(&mut self, exprs: &[ExprId]) -> (Vec<Set>, bool) {
        let sets: Vec<Set> = exprs.iter().map(|expr| self.eval(*expr)).collect();
        let never = sets.iter().any(|set| set.is_never());
        (sets, never)
    }

    fn after(&mut self, parts: &[ExprId], result: Set) -> Set {
        let (_, never) = self.eval_all(parts);
        if never { Set::NEVER } else { result }
    }

    fn eval_kind(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::Error
            | ExprKind::None
            | ExprKind::Bool(..)
            | ExprKind::Int(..)
            | ExprKind::Float(..)
            | ExprKind::Text(..)
            | ExprKind::Duration(..)
            | ExprKind::Concat(..)
            | ExprKind::List(..)
            | ExprKind::Record(..)
            | ExprKind::Tuple(..)
            | ExprKind::Range(..)
            | ExprKind::Local(..)
            | ExprKind::Let(..)
            | ExprKind::SetLocal(..)
            | ExprKind::Global(..)
            | ExprKind::SetGlobal(..)
            | ExprKind::FnRef(..)
            | ExprKind::Lambda(..)
            | ExprKind::ViewRaw(..)
            | ExprKind::ViewBind { .. }
            | ExprKind::ViewChars(..)
            | ExprKind::ViewNothing => self.value(expr),
            ExprKind::CallFn(..)
            | ExprKind::CallValue(..)
            | ExprKind::CallLib(..)
            | ExprKind::Method { .. }
            | ExprKind::Field { .. }
            | ExprKind::SetField { .. }
            | ExprKind::Index(..)
            | ExprKind::SetIndex(..)
            | ExprKind::Slice { .. }
            | ExprKind::ImplicitField { .. }
            | ExprKind::QueryArg { .. } => self.access(expr),
            ExprKind::Neg(..)
            | ExprKind::Not(..)
            | ExprKind::Binary(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Coalesce(..)
            | ExprKind::In(..)
            | ExprKind::Is(..)
            | ExprKind::IsVariant(..) => self.operator(expr),
            ExprKind::Block(..)
            | ExprKind::If { .. }
            | ExprKind::TryCatch { .. }
            | ExprKind::While { .. }
            | ExprKind::ForRange { .. }
            | ExprKind::For { .. }
            | ExprKind::Loop { .. }
            | ExprKind::Break(..)
            | ExprKind::Continue(..)
            | ExprKind::Return(..)
            | ExprKind::Try(..)
            | ExprKind::Cases(..)
            | ExprKind::Assert(..) => self.control_flow(expr),
            ExprKind::EntityNew(..)
            | ExprKind::Save(..)
            | ExprKind::Delete(..)
            | ExprKind::Restore(..)
            | ExprKind::Destroy(..)
            | ExprKind::Query(..)
            | ExprKind::Variant(..)
            | ExprKind::VariantData(..)
            | ExprKind::Response(..) => self.stored(expr),
            ExprKind::ViewText(..)
            | ExprKind::ViewHtml(..)
            | ExprKind::ViewAttr { .. }
            | ExprKind::ViewOption { .. }
            | ExprKind::ViewOn { .. }
            | ExprKind::ViewForm { .. }
            | ExprKind::ViewElement(..)
            | ExprKind::ViewBlock(..)
            | ExprKind::ViewItem(..)
            | ExprKind::ViewEmpty(..)
            | ExprKind::ViewStyle(..)
            | ExprKind::ViewHead(..) => self.shown(expr),
        }
    }

    /// Literals, variables, containers.
    fn value(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::Error => Set::NEVER,
            ExprKind::None
            | ExprKind::ViewRaw(_)
            | ExprKind::ViewChars(_)
            | ExprKind::ViewNothing => Set::NONE,
            ExprKind::ViewBind {
                global,
                control,
                part,
            } => {
                match part {
                    Some(part) => self.bound_part(expr, *part, *control),
                    None => self.bound(expr, *global, *control),
                }
                Set::NONE
            }
            ExprKind::Bool(_) => Set::BOOL,
            ExprKind::Int(_) => {
                if self.engine.float_literals.contains(&(self.fid, expr)) {
                    Set::FLOAT
                } else {
                    Set::INT
                }
            }
            ExprKind::Float(_) => Set::FLOAT,
            ExprKind::Text(_) => Set::TEXT,
            ExprKind::Duration(_) => Set::DURATION,
            ExprKind::Concat(parts) => {
                let (sets, never) = self.eval_all(parts);
                sets.iter().for_each(|set| self.shown_query(expr, *set));
                if never { Set::NEVER } else { Set::TEXT }
            }
            ExprKind::List(items) => self.list(expr, items),
            ExprKind::Record(entries) => self.record(expr, entries),
            ExprKind::Tuple(items) => self.tuple(expr, items),
            ExprKind::Range(from, to, _) => {
                let sets = (self.eval(*from), self.eval(*to));
                self.want_int(*from, sets.0);
                self.want_int(*to, sets.1);
                let is_int = |set: Set| set.is_any() || set.has(Set::INT);
                if !is_int(sets.0) || !is_int(sets.1) {
                    Set::NEVER
                } else {
                    Set::RANGE
                }
            }
            ExprKind::Local(local) => self.local_now(*local),
            ExprKind::Let(local, value) => self.declare(*local, *value),
            ExprKind::SetLocal(local, value) => {
                let set = self.eval(*value);
                let cell = self.locals[local.index()];
                self.flow(cell, set, *value, Into::Local(*local));
                self.assigned(*local, set);
                Set::NONE
            }
            ExprKind::Global(global) => self.global_now(*global),
            ExprKind::SetGlobal(global, value) => {
                let set = self.eval(*value);
                let cell = self.engine.globals[global.index()];
                let declared = self.engine.program.globals[global.index()].span;
                let here = self.function.exprs[expr.index()].span;
                let into = if here.start <= declared.start && declared.end <= here.end {
                    Into::FirstGlobal(*global)
                } else {
                    Into::Global(*global)
                };
                self.flow(cell, set, *value, into);
                self.assigned_global(*global, set);
                Set::NONE
            }
            ExprKind::FnRef(func) => {
                let inst = self.engine.instance_for_value(*func, (self.inst, expr));
                self.mean(expr, Meaning::Direct(InstId(inst.0)));
                Set::func(self.engine.func_node_of(inst))
            }
            ExprKind::Lambda(func) => self.lambda(expr, *func),
            other => unreachable!("{other:?} is of another group"),
        }
    }

    /// Calls, fields, elements.
    fn access(&mut self, expr: ExprId) -> Set {
        let set = self.access_kind(expr);
        let calls = !matches!(
            self.kind(expr),
            ExprKind::Field { .. } | ExprKind::SetField { .. } | ExprKind::Index(..)
        );
        let state = &self.engine.insts[self.inst.index()];
        match state.meaning.get(&expr) {
            Some(Meaning::Direct(_) | Meaning::Closure { .. }) => self.others_ran(),
            Some(Meaning::Dynamic | Meaning::KeyOr(_) | Meaning::ViaList(..)) if calls => {
                self.others_ran();
            }
            _ if calls => self.env.forget_volatile(),
            _ => {}
        }
        set
    }

    fn access_kind(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::CallFn(func, args) => self.call_fn(expr, *func, args),
            ExprKind::CallValue(callee, args) => self.call_value(expr, *callee, args),
            ExprKind::CallLib(name, args) => self.call_lib(expr, name, args),
            ExprKind::Method {
                recv,
                name,
                name_span,
                args,
                optional,
            } => self.method(expr, *recv, (name, *name_span), args, *optional),
            ExprKind::Field {
                recv,
                name,
                name_span,
                optional,
            } => self.field(expr, *recv, (name, *name_span), *optional),
            ExprKind::SetField {
                recv,
                name,
                name_span,
                value,
            } => self.set_field(expr, *recv, (name, *name_span), *value),
            ExprKind::Index(recv, index) => self.index(expr, *recv, *index),
            ExprKind::SetIndex(recv, index, value) => self.set_index(*recv, *index, *value),
            ExprKind::Slice {
                recv,
                from,
                to,
                step,
            } => self.slice(expr, *recv, [*from, *to, *step]),
            ExprKind::ImplicitField { it, name, outer } => self.implicit(expr, *it, name, *outer),
            ExprKind::QueryArg { plain, .. } => self.eval(*plain),
            other => unreachable!("{other:?} is of another group"),
        }
    }

    /// Operators.
    fn operator(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::Neg(value) => self.negate(*value),
            ExprKind::Not(value) => self.after(&[*value], Set::BOOL),
            ExprKind::Binary(op, a, b) => {
                let sets = (self.eval(*a), self.eval(*b));
                if *op == BinOp::Add {
                    self.shown_query(expr, sets.0);
                    self.shown_query(expr, sets.1);
                }
                self.binary(expr, *op, (*a, sets.0), (*b, sets.1))
            }
            ExprKind::And(a, b) => self.logic(*a, *b, true),
            ExprKind::Or(a, b) => self.logic(*a, *b, false),
            ExprKind::Coalesce(a, b) => self.coalesce(*a, *b),
            ExprKind::In(a, b) => self.contains(expr, *a, *b),
            ExprKind::Is(value, _) | ExprKind::IsVariant(value, ..) => {
                self.after(&[*value], Set::BOOL)
            }
            other => unreachable!("{other:?} is of another group"),
        }
    }

    /// Branches, loops and what leaves them.
    fn control_flow(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::Block(..) | ExprKind::If { .. } | ExprKind::TryCatch { .. } => {
                self.control(expr, true)
            }
            ExprKind::While { label, cond, body } => self.while_loop(expr, *label, *cond, *body),
            ExprKind::ForRange {
                label,
                var,
                from,
                to,
                body,
                ..
            } => {
                self.range_ends(*from, *to);
                self.engine.cells.join(self.locals[var.index()], Set::INT);
                self.turns(expr, *label, *body, &[*var]);
                Set::NONE
            }
            ExprKind::For {
                label,
                first,
                second,
                iter,
                body,
                empty,
            } => self.for_loop(expr, *label, (*first, *second), *iter, *body, *empty),
            ExprKind::Loop { label, body } => self.endless(expr, *label, *body),
            ExprKind::Break(label, value) => self.break_out(*label, *value),
            ExprKind::Continue(_) => {
                self.dead = true;
                Set::NEVER
            }
            ExprKind::Return(value) => self.return_value(expr, *value),
            ExprKind::Try(value) => self.try_value(expr, *value),
            ExprKind::Cases(subject, cases) => {
                self.check_cases(expr, *subject, cases);
                Set::NONE
            }
            ExprKind::Assert(cond) => {
                self.eval(*cond);
                self.assume(*cond, true);
                Set::NONE
            }
            other => unreachable!("{other:?} is of another group"),
        }
    }

    fn range_ends(&mut self, from: ExprId, to: ExprId) {
        let sets = (self.eval(from), self.eval(to));
        self.want_int(from, sets.0);
        self.want_int(to, sets.1);
        self.place(from);
    }

    fn break_out(&mut self, label: u32, value: Option<ExprId>) -> Set {
        let set = value.map_or(Set::NONE, |value| self.eval(value));
        if let Some(at) = self.loops.iter().rposition(|state| state.label == label) {
            self.loops[at].left |= !self.dead;
            let joined = self.engine.cells.join_sets(self.loops[at].value, set);
            self.loops[at].value = joined;
        }
        self.dead = true;
        Set::NEVER
    }

    fn return_value(&mut self, expr: ExprId, value: Option<ExprId>) -> Set {
        let set = value.map_or(Set::NONE, |value| self.eval(value));
        let result = self.engine.insts[self.inst.index()].result;
        if !self.engine.resultless.contains(&self.fid) {
            self.flow(result, set, value.unwrap_or(expr), Into::Result);
            self.check_generic_result(set, value.unwrap_or(expr));
        } else if !set.is_never() {
            self.engine.cells.join(result, Set::NONE);
        }
        self.dead = true;
        Set::NEVER
    }

    /// `try value`: what is known of variables afterwards holds also if the value broke off half way.
    fn try_value(&mut self, expr: ExprId, value: ExprId) -> Set {
        let before = (self.env.clone(), self.dead);
        let set = self.eval(value);
        let after = (std::mem::take(&mut self.env), self.dead);
        (self.env, self.dead) = before;
        self.forget_writes(expr);
        let before = (std::mem::take(&mut self.env), self.dead);
        self.meet(after, before);
        self.engine.cells.join_sets(set, Set::ERROR)
    }

    /// Entities, enum values, answers.
    fn stored(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::EntityNew(entity, fields) => {
                let saved = std::mem::take(&mut self.saving);
                self.entity_new(*entity, fields, saved)
            }
            ExprKind::Save(value) => {
                let set = self.saved(*value);
                self.want_entity(expr, *value, set)
            }
            ExprKind::Delete(value) | ExprKind::Restore(value) => {
                let set = self.eval(*value);
                self.env.forget_fields();
                self.want_entity(expr, *value, set)
            }
            ExprKind::Destroy(value) => {
                let set = self.eval(*value);
                if self.want_entity(expr, *value, set).is_never() {
                    Set::NEVER
                } else {
                    Set::NONE
                }
            }
            ExprKind::Query(entity) => self.engine.cells.nominal(Nominal::Query(*entity)),
            ExprKind::Variant(def, variant, data) => self.variant(expr, *def, *variant, data),
            ExprKind::VariantData(value, def, variant, n) => {
                self.data_of(*value, *def, *variant, *n)
            }
            ExprKind::Response(value) => self.after(&[*value], Set::RESPONSE),
            other => unreachable!("{other:?} is of another group"),
        }
    }

    /// A query in a text is the list of its records.
    fn shown_query(&mut self, expr: ExprId, set: Set) {
        if let Some(entity) = self.engine.cells.single_query(set) {
            let list = self.query_list(expr, entity);
            self.mean(expr, Meaning::Direct(InstId(list.0)));
        }
    }

    /// What a view writes.
    fn shown(&mut self, expr: ExprId) -> Set {
        match self.kind(expr) {
            ExprKind::ViewText(value) => {
                let set = self.eval(*value);
                self.shown_query(expr, set);
                Set::NONE
            }
            ExprKind::ViewHtml(value) | ExprKind::ViewAttr { value, .. } => {
                self.eval(*value);
                Set::NONE
            }
            ExprKind::ViewOption { own, bound, .. } => {
                self.eval(*own);
                self.eval(*bound);
                Set::NONE
            }
            ExprKind::ViewOn { handler, args, .. } | ExprKind::ViewForm { handler, args } => {
                self.handler(*handler, args);
                Set::NONE
            }
            ExprKind::ViewHead(parts)
            | ExprKind::ViewBlock(parts)
            | ExprKind::ViewEmpty(parts)
            | ExprKind::ViewStyle(parts) => {
                for part in parts {
                    self.effect(*part);
                }
                Set::NONE
            }
            ExprKind::ViewElement(element) => {
                let content = element.content.iter().flatten();
                for part in element.attributes.iter().chain(content) {
                    self.effect(*part);
                }
                Set::NONE
            }
            ExprKind::ViewItem(item) => {
                if let Some(key) = item.key {
                    self.eval(key);
                }
                for part in &item.content {
                    self.effect(*part);
                }
                Set::NONE
            }

            other => unreachable!("{other:?} is of another group"),
        }
    }

    // ---- variables and values

    fn declare(&mut self, local: LocalId, value: Option<ExprId>) -> Set {
        let cell = self.locals[local.index()];
        match value {
            Some(value) => {
                let set = self.eval(value);
                self.env.forget(local);
                self.flow(cell, set, value, Into::First(local));
                self.assigned(local, set);
                if let Some(path) = self.path_of(value)
                    && path.root != Root::Local(local)
                {
                    self.env.put_alias(local, path);
                }
            }
            None if self.function.locals[local.index()].function.is_some() => {}
            None => {
                self.engine.cells.join(cell, Set::NONE);
                self.assigned(local, Set::NONE);
            }
        }
        Set::NONE
    }

    /// A control sets its variable to what the user types, which the program itself may never do.
    fn bound(&mut self, expr: ExprId, global: GlobalIx, control: Control) {
        let cell = self.engine.globals[global.index()];
        let held = self.engine.cells.read(cell);
        if !held.without(Set::NONE).is_never() {
            return;
        }
        self.place(expr);
        self.engine.cells.join(cell, typed_by(control));
    }

    /// The same for a part of a variable, which must be one of maps and lists.
    fn bound_part(&mut self, expr: ExprId, part: BoundPart, control: Control) {
        let held = self.eval(part.value);
        self.eval(part.path);
        let mut at = part.target;
        while let ExprKind::Field { recv, .. } | ExprKind::Index(recv, _) = self.kind(at) {
            let set = self.engine.cells.norm(self.exprs[recv.index()]);
            let rest = set.without(Set::NONE);
            let fits = rest.is_any() || rest.list.is_some() || rest.map.is_some();
            if !fits && !rest.is_never() {
                return self.not_bindable(*recv, set);
            }
            if at == part.target
                && held.without(Set::NONE).is_never()
                && let Some(cell) = self.part_cell(set, at)
            {
                self.place(expr);
                self.engine.cells.join(cell, typed_by(control));
            }
            at = *recv;
        }
    }

    /// The cell of a field or an item.
    fn part_cell(&mut self, set: Set, part: ExprId) -> Option<CellId> {
        if let Some(element) = set.list {
            return Some(element);
        }
        match (self.engine.cells.map_kind(set.map?), self.kind(part)) {
            (MapKind::Record(fields), ExprKind::Field { name, .. }) => {
                let field = fields.iter().find(|field| &*field.0 == name.as_str());
                field.map(|field| field.1)
            }
            (MapKind::Record(_), _) => None,
            (MapKind::Dict(value, _), _) => Some(value),
        }
    }

    fn list(&mut self, expr: ExprId, items: &[ExprId]) -> Set {
        let cell = self.site_cell(expr, 0);
        for item in items {
            let set = self.eval(*item);
            self.flow(cell, set, *item, Into::Part);
        }
        Set::list(self.engine.cells.find(cell))
    }

    fn tuple(&mut self, expr: ExprId, items: &[ExprId]) -> Set {
        for (n, item) in items.iter().enumerate() {
            let set = self.eval(*item);
            let cell = self.site_cell(expr, n as u8);
            self.flow(cell, set, *item, Into::Part);
        }
        let sites = &self.engine.insts[self.inst.index()].sites;
        let known = sites.tuples.get(&(expr, 0)).copied();
        let node = known.unwrap_or_else(|| {
            let cells = (0..items.len())
                .map(|n| self.site_cell(expr, n as u8))
                .collect();
            let node = self.engine.cells.tuple_node(cells);
            self.engine.insts[self.inst.index()]
                .sites
                .tuples
                .insert((expr, 0), node);
            node
        });
        self.engine.cells.norm(Set::tuple(node))
    }

    fn lambda(&mut self, expr: ExprId, func: FnId) -> Set {
        let inst = self
            .engine
            .instance(func, Key::Lambda(self.inst), Some(self.inst));
        let inner = self.engine.function(func);
        for capture in &inner.captures {
            if !self.function.locals[capture.outer.index()].reassigned {
                let set = self.local_now(capture.outer);
                self.place(expr);
                let cell = self.engine.insts[inst.index()].locals[capture.inner.index()];
                self.engine.cells.join(cell, set);
            }
        }
        self.mean(expr, Meaning::Direct(InstId(inst.0)));
        let node = self.engine.func_node_of(inst);
        self.engine.cells.norm(Set::func(node))
    }

    pub(super) fn want_int(&mut self, expr: ExprId, set: Set) {
        if !set.is_never() && !set.is_any() && !set.has(Set::INT) {
            self.expected(expr, "int", set);
        }
    }

    /// The value cell of a map, or none if it is a record (for readers that can use both).
    pub(super) fn map_kind(&mut self, set: Set) -> Option<MapKind> {
        set.map.map(|map| self.engine.cells.map_kind(map))
    }
}

/// What a control sets.
fn typed_by(control: Control) -> Set {
    match control {
        Control::Text
        | Control::Textarea
        | Control::Radio
        | Control::Select
        | Control::Day
        | Control::Moment
        | Control::Several => Set::TEXT,
        Control::Number => Set::NUMBER,
        Control::Checkbox => Set::BOOL,
    }
}
