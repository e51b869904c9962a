//! What a function reaches: functions, top-level variables, entities; and which page state flows into which entity
//! field. Here because the page, route and test tables are made from it. Must stay true: reachability is never too
//! small (a page that misses a variable would be wrong); the flow into fields may be incomplete, it only places messages.

use std::collections::BTreeSet;

use flin_bytecode::Purity;
use foldhash::{HashMap, HashMapExt as _};

use crate::hir::{
    Control, EntityIx, EnumIx, ExprId, ExprKind, FnId, GlobalIx, GlobalKind, LocalId, Program,
    TypeAnn,
};
use crate::kinds::{
    computed_kinds, constant_kinds, flow_kinds, query_kinds, record_kinds, view_kinds,
};
use crate::operands::operands;
use crate::types::{InstId, Instance, Meaning, Ty, Types};

/// What one function touches itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) functions: BTreeSet<FnId>,
    pub(super) globals: BTreeSet<GlobalIx>,
    pub(super) entities: BTreeSet<EntityIx>,
    /// It asks or changes the world: records, the clock, other servers, what is printed.
    pub(super) host: bool,
}

/// What all functions touch.
pub(super) struct Reach<'a> {
    program: &'a Program,
    touched: Vec<Touched>,
}

/// What a set of roots reaches.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub(super) functions: BTreeSet<FnId>,
    pub(super) globals: BTreeSet<GlobalIx>,
    pub(super) entities: BTreeSet<EntityIx>,
}

impl<'a> Reach<'a> {
    pub(super) fn new(program: &'a Program, types: &Types) -> Reach<'a> {
        let mut touched = vec![Touched::default(); program.functions.len()];
        for (at, function) in program.functions.iter().enumerate() {
            let defaults = program.defaults_of(FnId(at as u32));
            touched[at].functions.extend(defaults);
            for e in &function.exprs {
                touched_by(program, &e.kind, &mut touched[at]);
            }
        }
        for instance in &types.instances {
            let entry = &mut touched[instance.func.index()];
            for (e, meaning) in &instance.meaning {
                meant_at(program, types, instance, (*e, meaning), entry);
            }
        }
        Reach { program, touched }
    }

    /// Variables that some of these functions read for more than to fill the control bound to them.
    pub(super) fn shown(&self, functions: &BTreeSet<FnId>) -> impl Iterator<Item = GlobalIx> {
        let mut shown = BTreeSet::new();
        for function in functions {
            let exprs = &self.program.functions[function.index()].exprs;
            let mut reads: HashMap<GlobalIx, isize> = HashMap::new();
            for e in exprs {
                if let ExprKind::Global(global) = &e.kind {
                    *reads.entry(*global).or_default() += 1;
                }
                // An option is compared with the variable, a text area holds it: a read each that shows nothing more.
                let filled = match &e.kind {
                    ExprKind::ViewOption { bound, .. } => match &exprs[bound.index()].kind {
                        ExprKind::Global(global) => Some(*global),
                        _ => None,
                    },
                    ExprKind::ViewBind {
                        global,
                        control: Control::Textarea,
                        part: None,
                    } => Some(*global),
                    _ => None,
                };
                if let Some(global) = filled {
                    *reads.entry(global).or_default() -= 1;
                }
            }
            shown.extend(reads.into_iter().filter(|(_, n)| *n > 0).map(|(g, _)| g));
        }
        shown.into_iter()
    }

    /// Everything reached from some functions; the initialisers of variables that are reached count as called.
    pub(super) fn from(&self, roots: impl IntoIterator<Item = FnId>) -> Reached {
        let mut found = Reached::default();
        let mut waiting: Vec<FnId> = roots.into_iter().collect();
        while let Some(function) = waiting.pop() {
            if !found.functions.insert(function) {
                continue;
            }
            let touched = &self.touched[function.index()];
            waiting.extend(&touched.functions);
            found.entities.extend(&touched.entities);
            for global in &touched.globals {
                if found.globals.insert(*global) {
                    let def = &self.program.globals[global.index()];
                    if def.kind != GlobalKind::Const {
                        waiting.extend(def.init);
                    }
                }
            }
        }
        found
    }
}

impl Reach<'_> {
    /// What a function touches itself.
    pub(super) fn of(&self, function: FnId) -> &Touched {
        &self.touched[function.index()]
    }

    /// What some expressions of a function touch, what stands in them included.
    pub(super) fn of_exprs(&self, types: &Types, inst: &Instance, exprs: &[ExprId]) -> Touched {
        let program = self.program;
        let function = &program.functions[inst.func.index()];
        let mut touched = Touched::default();
        let mut waiting = exprs.to_vec();
        while let Some(e) = waiting.pop() {
            let kind = &function.exprs[e.index()].kind;
            touched_by(program, kind, &mut touched);
            if let Some(meaning) = inst.meaning.get(&e) {
                meant_at(program, types, inst, (e, meaning), &mut touched);
            }
            operands(kind, &mut |part| waiting.push(part));
        }
        touched
    }
}

/// What an expression touches by its meaning.
fn meant_at(
    program: &Program,
    types: &Types,
    instance: &Instance,
    (e, meaning): (ExprId, &Meaning),
    touched: &mut Touched,
) {
    let recv = receiver(program, instance.func, e).map(|r| instance.exprs[r.index()]);
    meant(program, types, meaning, recv, touched);
    if let (Meaning::Dynamic | Meaning::KeyOr(_), Some(name)) = (
        meaning,
        name_read(&program.functions[instance.func.index()].exprs[e.index()].kind),
    ) {
        follow_any(program, name, touched);
    }
}

fn receiver(program: &Program, function: FnId, e: ExprId) -> Option<ExprId> {
    match &program.functions[function.index()]
        .exprs
        .get(e.index())?
        .kind
    {
        ExprKind::Method { recv, .. } | ExprKind::Field { recv, .. } => Some(*recv),
        ExprKind::CallLib(_, args) => args.first().copied(),
        _ => None,
    }
}

fn touched_by(program: &Program, kind: &ExprKind, touched: &mut Touched) {
    if let ExprKind::CallFn(f, _) | ExprKind::FnRef(f) | ExprKind::Lambda(f) = kind {
        touched.functions.insert(*f);
    }
    if let ExprKind::Global(g) | ExprKind::SetGlobal(g, _) | ExprKind::ViewBind { global: g, .. } =
        kind
    {
        touched.globals.insert(*g);
    }
    if let ExprKind::Query(entity) = kind {
        touched.entities.insert(*entity);
    }
    touched.host |= matches!(
        kind,
        record_kinds!() | ExprKind::EntityNew(..) | ExprKind::Response(_)
    );
    if let ExprKind::EntityNew(entity, _) = kind {
        for field in &program.entities[entity.index()].fields {
            touched.functions.extend(field.default);
            touched.functions.extend(&field.checks);
        }
    }
}

/// The name that an expression reads of a value.
fn name_read(kind: &ExprKind) -> Option<&str> {
    match kind {
        ExprKind::Field { name, .. } | ExprKind::ImplicitField { name, .. } => Some(name),
        _ => None,
    }
}

/// A name read of a value that may be anything: if that is a record, the name may be one of its links.
fn follow_any(program: &Program, name: &str, touched: &mut Touched) {
    for field in program.entities.iter().flat_map(|entity| &entity.fields) {
        if field.name == name {
            linked(program, &field.ty, touched, &mut Vec::new());
        }
    }
    for inverse in program.entities.iter().flat_map(|entity| &entity.inverses) {
        if inverse.name == name {
            touched
                .entities
                .extend(inverse.of.map(|(entity, _)| entity));
        }
    }
}

/// The entities that values of a type link to.
fn linked(program: &Program, ty: &TypeAnn, touched: &mut Touched, seen: &mut Vec<EnumIx>) {
    match ty {
        TypeAnn::Entity(entity) => {
            touched.entities.insert(*entity);
        }
        TypeAnn::List(item) | TypeAnn::Optional(item) | TypeAnn::Map(_, item) => {
            linked(program, item, touched, seen);
        }
        TypeAnn::Tuple(items) | TypeAnn::Union(items) => {
            for item in items {
                linked(program, item, touched, seen);
            }
        }
        TypeAnn::Enum(def, args) => {
            for arg in args {
                linked(program, arg, touched, seen);
            }
            if !seen.contains(def) {
                seen.push(*def);
                let variants = &program.enums[def.index()].variants;
                for ty in variants.iter().flat_map(|(_, types)| types) {
                    linked(program, ty, touched, seen);
                }
            }
        }
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::Func(..)
        | TypeAnn::Var(_) => {}
    }
}

fn meant(
    program: &Program,
    types: &Types,
    meaning: &Meaning,
    recv: Option<Ty>,
    touched: &mut Touched,
) {
    if let Meaning::Lib(row) = meaning {
        touched.host |= row.row().purity == Purity::Host;
    }
    let mut call = |inst: &InstId| touched.functions.insert(types.instances[inst.index()].func);
    match meaning {
        Meaning::Direct(inst) => {
            call(inst);
        }
        Meaning::ViaList(inst, _, inner) => {
            call(inst);
            meant(program, types, inner, None, touched);
        }
        Meaning::KeyOr(inner) | Meaning::ImplicitOwn(inner) => {
            meant(program, types, inner, recv, touched)
        }
        Meaning::EntityFind(entity) | Meaning::EntityCount(entity) => {
            touched.entities.insert(*entity);
        }
        Meaning::Inverse(list) => {
            // Reading an inverse list walks the records of the other entity.
            let of = recv.and_then(|recv| entity_of(types, recv));
            touched.entities.extend(of);
            for (at, entity) in program.entities.iter().enumerate() {
                let known = of.is_none_or(|of| of.index() == at);
                if let (true, Some(inverse)) = (known, entity.inverses.get(*list as usize)) {
                    touched
                        .entities
                        .extend(inverse.of.map(|(entity, _)| entity));
                }
            }
        }
        Meaning::SystemField(_) => {
            touched
                .entities
                .extend(recv.and_then(|recv| entity_of(types, recv)));
        }
        Meaning::EntityField(field) => {
            // A record that came as a link is loaded by the first look at it.
            touched
                .entities
                .extend(recv.and_then(|recv| entity_of(types, recv)));
            // Reading a link loads the other record. Without the receiver's type any entity with such a field counts.
            for (at, entity) in program.entities.iter().enumerate() {
                let known = match recv {
                    Some(Ty::Entity(of)) => of.index() == at,
                    _ => true,
                };
                if let (true, Some(field)) = (known, entity.fields.get(*field as usize)) {
                    linked(program, &field.ty, touched, &mut Vec::new());
                }
            }
        }
        // What reads the history of a record reads its entity; where that is not known, it may be any.
        Meaning::Lib(row) if matches!(row.row().name, "history" | "__entity_at") => {
            match recv.and_then(|recv| entity_of(types, recv)) {
                Some(entity) => {
                    touched.entities.insert(entity);
                }
                None => {
                    let all = 0..program.entities.len() as u32;
                    touched.entities.extend(all.map(EntityIx));
                }
            }
        }
        Meaning::Closure { .. }
        | Meaning::Lib(_)
        | Meaning::LibOp(_)
        | Meaning::RecordField
        | Meaning::MapKey
        | Meaning::ErrorField
        | Meaning::Dynamic
        | Meaning::ImplicitOuter
        | Meaning::VariantData(_) => {}
    }
}

/// Which page state each variable may hold unchanged (or trimmed), followed through calls and assignments.
pub(super) struct Sources<'a> {
    program: &'a Program,
    held: HashMap<(FnId, LocalId), BTreeSet<GlobalIx>>,
}

impl<'a> Sources<'a> {
    /// Follows values until nothing new is found.
    pub(super) fn new(program: &'a Program) -> Sources<'a> {
        let mut sources = Sources {
            program,
            held: HashMap::new(),
        };
        let mut grew = true;
        while grew {
            grew = false;
            for at in 0..program.functions.len() {
                grew |= sources.pass(FnId(at as u32));
            }
        }
        sources
    }

    fn pass(&mut self, id: FnId) -> bool {
        let program = self.program;
        let function = &program.functions[id.index()];
        let mut grew = false;
        for capture in &function.captures {
            if let Some(parent) = function.parent {
                let from = self
                    .held
                    .get(&(parent, capture.outer))
                    .cloned()
                    .unwrap_or_default();
                grew |= self.add(id, capture.inner, from);
            }
        }
        for e in &function.exprs {
            match &e.kind {
                ExprKind::Let(local, Some(value)) | ExprKind::SetLocal(local, value) => {
                    let from = self.of(id, *value);
                    grew |= self.add(id, *local, from);
                }
                ExprKind::CallFn(callee, args) => {
                    for (param, arg) in program.functions[callee.index()].params.iter().zip(args) {
                        let from = self.of(id, *arg);
                        grew |= self.add(*callee, param.local, from);
                    }
                }
                // These give no local a value, or one that is looked up where it is read.
                constant_kinds!()
                | computed_kinds!()
                | flow_kinds!()
                | record_kinds!()
                | query_kinds!()
                | view_kinds!()
                | ExprKind::Let(_, None)
                | ExprKind::List(_)
                | ExprKind::Record(_)
                | ExprKind::Local(_)
                | ExprKind::Global(_)
                | ExprKind::SetGlobal(..)
                | ExprKind::FnRef(_)
                | ExprKind::Lambda(_)
                | ExprKind::CallValue(..)
                | ExprKind::CallLib(..)
                | ExprKind::Method { .. }
                | ExprKind::Field { .. }
                | ExprKind::SetField { .. }
                | ExprKind::Index(..)
                | ExprKind::SetIndex(..)
                | ExprKind::Binary(..)
                | ExprKind::And(..)
                | ExprKind::Or(..)
                | ExprKind::Coalesce(..)
                | ExprKind::VariantData(..)
                | ExprKind::Block(..) => {}
            }
        }
        grew
    }

    fn add(&mut self, function: FnId, local: LocalId, from: BTreeSet<GlobalIx>) -> bool {
        if from.is_empty() {
            return false;
        }
        let held = self.held.entry((function, local)).or_default();
        let before = held.len();
        held.extend(from);
        held.len() > before
    }

    /// The state variables whose value an expression may be.
    pub(super) fn of(&self, function: FnId, e: ExprId) -> BTreeSet<GlobalIx> {
        let f = &self.program.functions[function.index()];
        match &f.exprs[e.index()].kind {
            ExprKind::Global(global)
                if self.program.globals[global.index()].kind == GlobalKind::State =>
            {
                BTreeSet::from([*global])
            }
            ExprKind::Local(local) => self
                .held
                .get(&(function, *local))
                .cloned()
                .unwrap_or_default(),
            ExprKind::Method { recv, name, .. } | ExprKind::Field { recv, name, .. }
                if is_reshaping(name) =>
            {
                self.of(function, *recv)
            }
            ExprKind::CallLib(name, args) if is_reshaping(name) && args.len() == 1 => {
                self.of(function, args[0])
            }
            ExprKind::Coalesce(a, b) | ExprKind::Or(a, b) => {
                let mut both = self.of(function, *a);
                both.extend(self.of(function, *b));
                both
            }
            constant_kinds!()
            | computed_kinds!()
            | flow_kinds!()
            | record_kinds!()
            | query_kinds!()
            | view_kinds!()
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Let(..)
            | ExprKind::SetLocal(..)
            | ExprKind::Global(_)
            | ExprKind::SetGlobal(..)
            | ExprKind::FnRef(_)
            | ExprKind::Lambda(_)
            | ExprKind::CallFn(..)
            | ExprKind::CallValue(..)
            | ExprKind::CallLib(..)
            | ExprKind::Method { .. }
            | ExprKind::Field { .. }
            | ExprKind::SetField { .. }
            | ExprKind::Index(..)
            | ExprKind::SetIndex(..)
            | ExprKind::Binary(..)
            | ExprKind::And(..)
            | ExprKind::VariantData(..)
            | ExprKind::Block(..) => BTreeSet::new(),
        }
    }

    /// The functions' entity writes: (entity, field, state variable).
    pub(super) fn fields(
        &self,
        types: &Types,
        functions: &BTreeSet<FnId>,
    ) -> BTreeSet<(EntityIx, u32, GlobalIx)> {
        let mut found = BTreeSet::new();
        for id in functions {
            for e in &self.program.functions[id.index()].exprs {
                if let ExprKind::EntityNew(entity, fields) = &e.kind {
                    for (field, value) in fields {
                        found.extend(
                            self.of(*id, *value)
                                .into_iter()
                                .map(|g| (*entity, *field, g)),
                        );
                    }
                }
            }
        }
        for instance in types
            .instances
            .iter()
            .filter(|i| functions.contains(&i.func))
        {
            for (e, meaning) in &instance.meaning {
                let kind = &self.program.functions[instance.func.index()].exprs[e.index()].kind;
                if let (ExprKind::SetField { recv, value, .. }, Meaning::EntityField(field)) =
                    (kind, meaning)
                    && let Some(entity) = entity_of(types, instance.exprs[recv.index()])
                {
                    found.extend(
                        self.of(instance.func, *value)
                            .into_iter()
                            .map(|g| (entity, *field, g)),
                    );
                }
            }
        }
        found
    }
}

pub(super) fn entity_of(types: &Types, ty: Ty) -> Option<EntityIx> {
    match ty {
        Ty::Entity(entity) => Some(entity),
        Ty::Union(u) => types.unions[u.index()]
            .iter()
            .find_map(|member| match member {
                Ty::Entity(entity) => Some(*entity),
                _ => None,
            }),
        _ => None,
    }
}

/// Functions that leave a text what the visitor typed, but for its outside.
fn is_reshaping(name: &str) -> bool {
    matches!(
        name,
        "trim"
            | "trim_start"
            | "trim_end"
            | "lower"
            | "upper"
            | "to_int"
            | "to_float"
            | "to_text"
            | "capitalize"
    )
}
