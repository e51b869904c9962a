//! Arguments of queries that the store can answer: the leading parts of a condition that compare fields of the record with
//! values known when the query starts, and keys that are a field. Here because it needs names, types and code at once.
//! Must stay true: the function of the condition stays what it is; what is said about it here only tells which records it
//! certainly refuses. Nothing is said about a function that changes something.

use flin_bytecode::{
    AskedField, Class, EntityTypeId, FuncId, FunctionBuilder, QueryArg, QueryColumn,
    QueryComparison, QueryMeaning, QueryTest, Signature, emit,
};
use foldhash::{HashMap, HashMapExt as _};

use super::Lowering;
use super::function;
use super::quiet::Look;
use crate::hir::{BinOp, EntityIx, ExprId, ExprKind, Function, LocalId, TypeAnn};
use crate::operands::operands;
use crate::types::{InstId, Instance, Meaning, SystemField, Ty};

/// What a function is to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It decides.
    Condition,
    /// Records are sorted by what it gives, or the least or greatest of that is looked for.
    Order,
    /// What it gives is added up or collected.
    Value,
}

/// The role of the first argument of a query's method.
pub(super) fn role_of(method: &str) -> Option<Role> {
    match method {
        "where" => Some(Role::Condition),
        "order" | "min" | "max" => Some(Role::Order),
        "sum" | "avg" | "distinct" | "group_by" => Some(Role::Value),
        _ => None,
    }
}

/// Functions that stand in queries, found while code is written: the closure function, its instance and its role.
#[derive(Default)]
pub(super) struct Found {
    arguments: Vec<(FuncId, InstId, Role)>,
    /// Whether any of this is wanted.
    pub(super) wanted: bool,
}

impl Found {
    pub(super) fn add(&mut self, func: FuncId, inst: InstId, role: Role) {
        let known = self.arguments.iter().any(|(other, ..)| *other == func);
        if self.wanted && !known {
            self.arguments.push((func, inst, role));
        }
    }
}

/// A value that is known when the query starts.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Expr(ExprId),
    None,
}

/// One argument under examination.
struct Argument<'c, 'a> {
    cx: &'c Lowering<'a>,
    inst: &'a Instance,
    f: &'a Function,
    it: LocalId,
    entity: EntityIx,
    known: Vec<Known>,
}

impl Lowering<'_> {
    /// Says what is known of the functions that were found, once all code is written.
    pub(super) fn queries(&mut self) {
        self.module.module.queries.pushed = self.found.wanted;
        let found = std::mem::take(&mut self.found.arguments);
        let mut asked: HashMap<(EntityTypeId, u32), (bool, bool)> = HashMap::new();
        for (func, inst, role) in found {
            if let Some((argument, known)) = self.query_argument(func, inst, role) {
                note_fields(&argument, role, &mut asked);
                let argument = QueryArg {
                    known: self.known_values(inst, &known),
                    ..argument
                };
                self.module.module.queries.arguments.push(argument);
            }
        }
        let queries = &mut self.module.module.queries;
        queries.arguments.sort_by_key(|argument| argument.func.0);
        queries.fields = asked
            .into_iter()
            .map(|((entity, field), (queried, ordered))| AskedField {
                entity,
                field,
                queried,
                ordered,
            })
            .collect();
        queries
            .fields
            .sort_by_key(|asked| (asked.entity.0, asked.field));
    }

    fn query_argument(
        &self,
        func: FuncId,
        inst: InstId,
        role: Role,
    ) -> Option<(QueryArg, Vec<Known>)> {
        let instance = &self.types.instances[inst.index()];
        let f = &self.program.functions[instance.func.index()];
        let [param] = f.params.as_slice() else {
            return None;
        };
        let Ty::Entity(entity) = instance.locals[param.local.index()] else {
            return None;
        };
        if param.default.is_some() || f.locals[param.local.index()].reassigned {
            return None;
        }
        let mut argument = Argument {
            cx: self,
            inst: instance,
            f,
            it: param.local,
            entity,
            known: Vec::new(),
        };
        let meaning = match role {
            Role::Condition => argument.conditions(f.body)?,
            Role::Order | Role::Value => QueryMeaning::Key(argument.column(argument.bare(f.body))?),
        };
        let found = QueryArg {
            func,
            entity: self.entity_id(entity),
            known: None,
            meaning,
        };
        Some((found, argument.known))
    }

    /// The function that computes what a condition compares with: it has the captures of the condition.
    fn known_values(&mut self, inst: InstId, known: &[Known]) -> Option<FuncId> {
        if known.is_empty() {
            return None;
        }
        let signature = Signature {
            params: Vec::new(),
            result: Some(Class::Ref),
        };
        let instance = &self.types.instances[inst.index()];
        let f = &self.program.functions[instance.func.index()];
        let (name, span) = (format!("known to {}", f.name), f.span);
        let func = self.module.declare_function(&name, signature.clone());
        let b = FunctionBuilder::closure(name, signature, Vec::new());
        let mut lower = function::start(self, inst, b);
        lower.enter_with_captures();
        let list = lower.b.temp(Class::Ref);
        emit!(lower.b, ListNew, list, Class::Any, 0);
        for value in known {
            let mark = lower.b.mark();
            let value = match value {
                Known::Expr(e) => lower.eval_as(*e, Ty::Any, None),
                Known::None => lower.none_as(Ty::Any, None),
            };
            emit!(lower.b, ListPushAny, list, value);
            lower.b.release(mark);
        }
        emit!(lower.b, RetRef, list);
        let b = lower.b;
        self.finish(func, b, span);
        Some(func)
    }
}

fn note_fields(
    argument: &QueryArg,
    role: Role,
    asked: &mut HashMap<(EntityTypeId, u32), (bool, bool)>,
) {
    let mut note = |column: QueryColumn, ordered: bool| {
        if let QueryColumn::Field(field) = column {
            let entry = asked.entry((argument.entity, field)).or_default();
            entry.0 |= !ordered || role == Role::Condition;
            entry.1 |= ordered;
        }
    };
    match &argument.meaning {
        QueryMeaning::Key(column) => note(*column, role == Role::Order),
        QueryMeaning::Conditions(parts, _) => {
            for test in parts.iter().flatten() {
                match test {
                    QueryTest::Compare(column, comparison, _) => {
                        let ranged =
                            !matches!(comparison, QueryComparison::Eq | QueryComparison::Ne);
                        note(*column, ranged);
                    }
                    QueryTest::In(column, _)
                    | QueryTest::Prefix(column, _)
                    | QueryTest::Contains(column, _)
                    | QueryTest::Truth(column) => note(*column, false),
                    QueryTest::Known(_)
                    | QueryTest::All(_)
                    | QueryTest::Any(_)
                    | QueryTest::Not => {}
                }
            }
        }
    }
}

impl Argument<'_, '_> {
    fn kind(&self, e: ExprId) -> &ExprKind {
        &self.f.exprs[e.index()].kind
    }

    /// The expression that a block of one consists of.
    fn bare(&self, e: ExprId) -> ExprId {
        match self.kind(e) {
            ExprKind::Block(items, true) if items.len() == 1 => self.bare(items[0]),
            _ => e,
        }
    }

    /// The leading parts of a conjunction that can be said in columns.
    fn conditions(&mut self, body: ExprId) -> Option<QueryMeaning> {
        let mut parts = Vec::new();
        self.split(body, &mut parts);
        let mut tests = Vec::new();
        let mut whole = true;
        for part in parts {
            let mut test = Vec::new();
            let before = self.known.len();
            if !whole || !self.test(part, &mut test) {
                self.known.truncate(before);
                whole = false;
                if !Look::quiet(self.cx.program, self.cx.types, self.inst, part) {
                    return None;
                }
                continue;
            }
            tests.push(test);
        }
        (!tests.is_empty()).then_some(QueryMeaning::Conditions(tests, whole))
    }

    fn split(&self, e: ExprId, parts: &mut Vec<ExprId>) {
        let e = self.bare(e);
        match self.kind(e) {
            ExprKind::And(a, b) if !self.is_known(e) => {
                let (a, b) = (*a, *b);
                self.split(a, parts);
                self.split(b, parts);
            }
            _ => parts.push(e),
        }
    }

    /// Writes an expression's truth in postfix order; false if it cannot be said.
    fn test(&mut self, e: ExprId, out: &mut Vec<QueryTest>) -> bool {
        let e = self.bare(e);
        if self.is_known(e) {
            let value = self.value(Known::Expr(e));
            out.push(QueryTest::Known(value));
            return true;
        }
        match self.kind(e) {
            ExprKind::And(a, b) => {
                let (a, b) = (*a, *b);
                let said = self.test(a, out) && self.test(b, out);
                out.push(QueryTest::All(2));
                said
            }
            ExprKind::Or(a, b) => {
                let (a, b) = (*a, *b);
                let said = self.test(a, out) && self.test(b, out);
                out.push(QueryTest::Any(2));
                said
            }
            ExprKind::Not(inner) => {
                let inner = *inner;
                let said = self.test(inner, out);
                out.push(QueryTest::Not);
                said
            }
            _ => match self.simple(e) {
                Some(test) => {
                    out.push(test);
                    true
                }
                None => false,
            },
        }
    }

    fn simple(&mut self, e: ExprId) -> Option<QueryTest> {
        if let Some(column) = self.column(e) {
            return (self.inst.exprs[e.index()] == Ty::Bool || self.is_bool_field(column))
                .then_some(QueryTest::Truth(column));
        }
        match self.kind(e) {
            ExprKind::Binary(op, a, b) => {
                let (comparison, a, b) = (comparison_of(*op)?, *a, *b);
                if let (Some(column), true) = (self.column(a), self.is_known(b)) {
                    let value = self.value(Known::Expr(b));
                    return Some(QueryTest::Compare(column, comparison, value));
                }
                let (column, true) = (self.column(b)?, self.is_known(a)) else {
                    return None;
                };
                let value = self.value(Known::Expr(a));
                Some(QueryTest::Compare(column, comparison.flipped(), value))
            }
            ExprKind::Is(value, TypeAnn::None) => {
                let column = self.column(*value)?;
                let value = self.value(Known::None);
                Some(QueryTest::Compare(column, QueryComparison::Eq, value))
            }
            ExprKind::In(item, container) => {
                let (item, container) = (*item, *container);
                self.membership(container, item)
            }
            ExprKind::Method {
                recv,
                name,
                args,
                optional: false,
                ..
            } => {
                let ([arg], recv) = (args.as_slice(), *recv) else {
                    return None;
                };
                let (arg, name) = (*arg, name.as_str());
                self.is_library(e).then_some(())?;
                match name {
                    "contains" => self.membership(recv, arg),
                    "starts_with" => self.prefix(recv, arg),
                    _ => None,
                }
            }
            ExprKind::CallLib(name, args) => {
                let ([whole, part], name) = (args.as_slice(), name.as_str()) else {
                    return None;
                };
                let (whole, part) = (*whole, *part);
                self.is_library(e).then_some(())?;
                match name {
                    "contains" => self.membership(whole, part),
                    "starts_with" => self.prefix(whole, part),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn is_library(&self, e: ExprId) -> bool {
        matches!(
            self.inst.meaning.get(&e),
            Some(Meaning::Lib(_) | Meaning::LibOp(_))
        )
    }

    /// `item in whole`: a column in a list, or a text in a column.
    fn membership(&mut self, whole: ExprId, item: ExprId) -> Option<QueryTest> {
        if let Some(column) = self.column(whole) {
            let text = self.inst.exprs[whole.index()] == Ty::Text && self.is_known(item);
            return text.then(|| QueryTest::Contains(column, self.value(Known::Expr(item))));
        }
        let column = self.column(item)?;
        let list = matches!(self.inst.exprs[whole.index()], Ty::List(_)) && self.is_known(whole);
        list.then(|| QueryTest::In(column, self.value(Known::Expr(whole))))
    }

    fn prefix(&mut self, whole: ExprId, part: ExprId) -> Option<QueryTest> {
        let column = self.column(whole)?;
        let text = self.inst.exprs[whole.index()] == Ty::Text && self.is_known(part);
        text.then(|| QueryTest::Prefix(column, self.value(Known::Expr(part))))
    }

    fn value(&mut self, known: Known) -> u32 {
        self.known.push(known);
        self.known.len() as u32 - 1
    }

    fn is_bool_field(&self, column: QueryColumn) -> bool {
        let QueryColumn::Field(field) = column else {
            return false;
        };
        let fields = &self.cx.program.entities[self.entity.index()].fields;
        let ty = match &fields[field as usize].ty {
            TypeAnn::Optional(inner) => inner,
            ty => ty,
        };
        *ty == TypeAnn::Bool
    }

    /// The column that an expression is just the value of.
    fn column(&self, e: ExprId) -> Option<QueryColumn> {
        let e = self.bare(e);
        let meaning = match (self.kind(e), self.inst.meaning.get(&e)?) {
            (
                ExprKind::Field {
                    recv,
                    optional: false,
                    ..
                },
                meaning,
            ) if matches!(self.kind(*recv), ExprKind::Local(local) if *local == self.it) => meaning,
            (ExprKind::ImplicitField { it, .. }, Meaning::ImplicitOwn(inner)) if *it == self.it => {
                inner
            }
            _ => return None,
        };
        match meaning {
            Meaning::EntityField(field) => {
                let fields = &self.cx.program.entities[self.entity.index()].fields;
                is_plain(&fields.get(*field as usize)?.ty).then_some(QueryColumn::Field(*field))
            }
            Meaning::SystemField(SystemField::Id) => Some(QueryColumn::Id),
            Meaning::SystemField(SystemField::Version) => Some(QueryColumn::Version),
            Meaning::SystemField(SystemField::CreatedAt) => Some(QueryColumn::CreatedAt),
            Meaning::SystemField(SystemField::UpdatedAt) => Some(QueryColumn::UpdatedAt),
            Meaning::SystemField(SystemField::DeletedAt) => Some(QueryColumn::DeletedAt),
            _ => None,
        }
    }

    /// Whether an expression's value is the same for all records, and can be computed before any is looked at.
    fn is_known(&self, e: ExprId) -> bool {
        !self.names_record(e) && Look::total(self.cx.program, self.cx.types, self.inst, e)
    }

    fn names_record(&self, e: ExprId) -> bool {
        match self.kind(e) {
            ExprKind::Local(local) => *local == self.it,
            ExprKind::ImplicitField { .. } => {
                !matches!(self.inst.meaning.get(&e), Some(Meaning::ImplicitOuter))
            }
            kind => {
                let mut names = false;
                operands(kind, &mut |operand| {
                    names = names || self.names_record(operand);
                });
                names
            }
        }
    }
}

/// Whether values of a type are compared as they are stored.
fn is_plain(ty: &TypeAnn) -> bool {
    match ty {
        TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Entity(_)
        | TypeAnn::Enum(..) => true,
        TypeAnn::Optional(inner) => is_plain(inner),
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::List(_)
        | TypeAnn::Map(..)
        | TypeAnn::Tuple(_)
        | TypeAnn::Union(_)
        | TypeAnn::Func(..)
        | TypeAnn::Var(_) => false,
    }
}

fn comparison_of(op: BinOp) -> Option<QueryComparison> {
    match op {
        BinOp::Eq => Some(QueryComparison::Eq),
        BinOp::Ne => Some(QueryComparison::Ne),
        BinOp::Lt => Some(QueryComparison::Lt),
        BinOp::Le => Some(QueryComparison::Le),
        BinOp::Gt => Some(QueryComparison::Gt),
        BinOp::Ge => Some(QueryComparison::Ge),
        BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div | BinOp::Rem | BinOp::Pow => None,
    }
}
