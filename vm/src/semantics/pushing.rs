//! What of a query the host answers: the leading conditions that only compare columns with values known by now, then the
//! order and the number of records, if nothing of the conditions is left. Here because it needs the query, the module and
//! the objects in memory. Must stay true: whatever is asked for contains all records that the query finds; if it is the
//! `whole` of the query, it is exactly those, in its order; a record with changes that were not saved is always among them
//! and judged by its function.

use std::collections::HashSet;
use std::sync::Arc;

use flin_bytecode::ids::EntityTypeId;
use flin_bytecode::{
    FuncId, QueryArg, QueryColumn, QueryComparison, QueryMeaning, QueryTest, TypeDesc,
};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj};
use crate::host::{Host, HostValue, ScanMode};
use crate::machine::Machine;
use crate::program::Program;
use crate::select::{HostOrder, HostPredicate, HostQuery, HostTotal, TotalAnswer};
use crate::semantics::compare;
use crate::value::{View, Word};

/// Lists of more values than this are not asked for: a scan with the program's own condition is no slower.
const VALUES_MAX: usize = 10_000;

/// How the records are wanted, beside the query's own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    All,
    /// The first will do.
    First,
    /// The last will do.
    Last,
}

/// What is asked of the host.
pub(crate) struct Plan {
    pub(crate) query: HostQuery,
    /// Nothing is left to do.
    pub(crate) whole: bool,
    /// For each step of the query, whether the host does it.
    pub(crate) by_host: Vec<bool>,
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Int,
    Float,
    Bool,
    Text,
    Time,
    Duration,
    Link(EntityTypeId),
    Enum(u32),
}

impl Sort {
    /// Whether its values have an order in the store that is the program's.
    fn has_order(self) -> bool {
        match self {
            Sort::Int | Sort::Float | Sort::Text | Sort::Time | Sort::Duration => true,
            Sort::Bool | Sort::Link(_) | Sort::Enum(_) => false,
        }
    }
}

struct Maker<'a> {
    m: &'a mut Machine,
    host: &'a mut dyn Host,
    program: Arc<Program>,
    query: HostQuery,
    /// Columns that are not none in any record that the conditions so far let pass.
    present: HashSet<QueryColumn>,
    /// Columns that may be none in some record, by their declaration or against it, where reading or comparing that is an
    /// error, which the condition itself must come to.
    doubtful: Vec<QueryColumn>,
}

/// What is asked of the host for a query; none for one that was not prepared.
pub(crate) fn plan(m: &mut Machine, host: &mut dyn Host, of: Obj) -> Res<Option<Plan>> {
    let Some((known, wanted)) = of.query_plan() else {
        return Ok(None);
    };
    let program = m.program.clone();
    let base = of.query_base();
    let known = m.heap.list_words(known)?;
    let ty = EntityTypeId(of.meta());
    let query = HostQuery {
        ty,
        mode: base.mode,
        as_of: base.as_of,
        predicate: HostPredicate::Always,
        order: Vec::new(),
        skip: 0,
        limit: None,
    };
    let maker = Maker {
        m,
        host,
        program,
        query,
        present: HashSet::new(),
        doubtful: Vec::new(),
    };
    maker.make(of, &known, wanted).map(Some)
}

impl Maker<'_> {
    fn make(mut self, of: Obj, known: &[Word], wanted: Wanted) -> Res<Plan> {
        let steps: Vec<(i64, Word)> = (0..of.query_len())
            .filter_map(|at| of.query_step(at))
            .collect();
        let mut by_host = vec![false; steps.len()];
        let mut whole = true;
        let mut known = known.iter();
        for (at, (kind, argument)) in steps.iter().enumerate() {
            let answered = match kind {
                0 if whole => self.condition(*argument, known.next().copied())?,
                16.. if whole => self.linked(*kind - 16, *argument)?,
                8 if whole => self.with_id(*argument),
                0 | 8 | 16.. => false,
                _ => continue,
            };
            by_host[at] = answered;
            whole = whole && answered;
        }
        let changed = match self.query.as_of {
            Some(_) => Vec::new(),
            None => self.m.heap.entities_changed(self.query.ty.0),
        };
        if !changed.is_empty() && self.query.predicate != HostPredicate::Always {
            whole = false;
            let own = HostPredicate::In {
                column: QueryColumn::Id,
                values: changed.iter().map(|id| HostValue::Int(*id)).collect(),
            };
            let stored = std::mem::replace(&mut self.query.predicate, HostPredicate::Always);
            self.query.predicate = HostPredicate::Or(vec![stored, own]);
        }
        // Whoever walks the rows here also sorts them here, by keys as they are in memory.
        whole = whole && changed.is_empty() && self.ordered(&steps, &mut by_host)?;
        whole = whole && self.number(&steps, wanted);
        if whole {
            by_host.fill(true);
        } else {
            self.query.order.clear();
        }
        Ok(Plan {
            query: self.query,
            whole,
            by_host,
        })
    }

    /// Adds what a condition certainly asks; whether that is all of it.
    fn condition(&mut self, function: Word, known: Option<Word>) -> Res<bool> {
        let program = self.program.clone();
        let Some(argument) = argument_of(&program, function, self.query.ty) else {
            return Ok(false);
        };
        let QueryMeaning::Conditions(parts, all) = &argument.meaning else {
            return Ok(false);
        };
        let Some(View::List(values)) = known.map(Word::view) else {
            return Ok(false);
        };
        let values = self.m.heap.list_words(values)?;
        for part in parts {
            let Some(predicate) = self.part(part, &values)? else {
                return Ok(false);
            };
            if let HostPredicate::Compare {
                column,
                comparison: QueryComparison::Ne,
                value: HostValue::None,
            } = &predicate
            {
                self.present.insert(*column);
            }
            let predicate = self.or_doubtful(predicate);
            let before = std::mem::replace(&mut self.query.predicate, HostPredicate::Always);
            self.query.predicate = before.and(predicate);
        }
        Ok(*all && self.doubtful.is_empty())
    }

    /// A condition, or that a column has no value that must have one.
    fn or_doubtful(&self, predicate: HostPredicate) -> HostPredicate {
        if self.doubtful.is_empty() {
            return predicate;
        }
        let is_none = |column: &QueryColumn| HostPredicate::Compare {
            column: *column,
            comparison: QueryComparison::Eq,
            value: HostValue::None,
        };
        let none = self.doubtful.iter().map(is_none);
        any_of([predicate].into_iter().chain(none).collect())
    }

    /// One part of a conjunction; none if it cannot be asked like this.
    fn part(&mut self, tests: &[QueryTest], values: &[Word]) -> Res<Option<HostPredicate>> {
        let mut stack: Vec<HostPredicate> = Vec::new();
        for test in tests {
            let found = match test {
                QueryTest::All(count) => last(&mut stack, *count).map(all_of),
                QueryTest::Any(count) => last(&mut stack, *count).map(any_of),
                QueryTest::Not => stack.pop().map(|part| self.opposite(part)),
                QueryTest::Compare(..)
                | QueryTest::In(..)
                | QueryTest::Prefix(..)
                | QueryTest::Contains(..)
                | QueryTest::Truth(_)
                | QueryTest::Known(_) => self.simple(test, values)?,
            };
            match found {
                Some(found) => stack.push(found),
                None => return Ok(None),
            }
        }
        Ok(stack.pop())
    }

    /// The opposite, as plain as it can be said.
    fn opposite(&self, predicate: HostPredicate) -> HostPredicate {
        match predicate {
            HostPredicate::Not(inner) => *inner,
            HostPredicate::Compare {
                column,
                comparison: QueryComparison::Eq,
                value: HostValue::Bool(value),
            } if !self.is_optional(column) => HostPredicate::Compare {
                column,
                comparison: QueryComparison::Eq,
                value: HostValue::Bool(!value),
            },
            other => HostPredicate::Not(Box::new(other)),
        }
    }

    /// A test that is no combination of others.
    fn simple(&mut self, test: &QueryTest, values: &[Word]) -> Res<Option<HostPredicate>> {
        let value_of = |value: u32| values.get(value as usize).copied();
        Ok(match *test {
            QueryTest::Compare(column, comparison, value) => match value_of(value) {
                Some(value) => self.comparison(column, comparison, value)?,
                None => None,
            },
            QueryTest::In(column, value) => match value_of(value) {
                Some(value) => self.one_of(column, value)?,
                None => None,
            },
            QueryTest::Prefix(column, value) => self
                .text(column, value_of(value))?
                .map(|text| HostPredicate::Prefix { column, text }),
            QueryTest::Contains(column, value) => self
                .text(column, value_of(value))?
                .map(|text| HostPredicate::Contains { column, text }),
            QueryTest::Truth(column) => {
                self.doubt(column)?;
                let is_bool = self.sort(column) == Some(Sort::Bool);
                is_bool.then_some(HostPredicate::Compare {
                    column,
                    comparison: QueryComparison::Eq,
                    value: HostValue::Bool(true),
                })
            }
            QueryTest::Known(value) => value_of(value).map(|value| {
                if compare::truthy(self.m, value) {
                    HostPredicate::Always
                } else {
                    never()
                }
            }),
            QueryTest::All(_) | QueryTest::Any(_) | QueryTest::Not => None,
        })
    }

    fn comparison(
        &mut self,
        column: QueryColumn,
        comparison: QueryComparison,
        value: Word,
    ) -> Res<Option<HostPredicate>> {
        let Some(sort) = self.sort(column) else {
            return Ok(None);
        };
        self.doubt(column)?;
        let equality = matches!(comparison, QueryComparison::Eq | QueryComparison::Ne);
        if !equality {
            if !sort.has_order() {
                return Ok(None);
            }
            self.doubt_none(column);
        }
        let value = match value.view() {
            View::None if equality => HostValue::None,
            _ => match self.operand(sort, value) {
                Some(value) => value,
                None => return Ok(None),
            },
        };
        Ok(Some(HostPredicate::Compare {
            column,
            comparison,
            value,
        }))
    }

    /// Before a test that is an error for none: an optional column may be none, and then the condition itself must come
    /// to that error.
    fn doubt_none(&mut self, column: QueryColumn) {
        let may_be_none = self.is_optional(column) && !self.present.contains(&column);
        if may_be_none && !self.doubtful.contains(&column) {
            self.doubtful.push(column);
        }
    }

    fn one_of(&mut self, column: QueryColumn, list: Word) -> Res<Option<HostPredicate>> {
        let (Some(sort), View::List(list)) = (self.sort(column), list.view()) else {
            return Ok(None);
        };
        self.doubt(column)?;
        if crate::heap::list_len(list) > VALUES_MAX {
            return Ok(None);
        }
        let mut values = Vec::new();
        for word in self.m.heap.list_words(list)? {
            match self.operand(sort, word) {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        Ok(Some(HostPredicate::In { column, values }))
    }

    fn text(&mut self, column: QueryColumn, value: Option<Word>) -> Res<Option<String>> {
        if self.sort(column) != Some(Sort::Text) {
            return Ok(None);
        }
        self.doubt_none(column);
        self.doubt(column)?;
        Ok(match value.map(Word::view) {
            Some(View::Text(text)) => text.text().map(str::to_owned),
            Some(_) | None => None,
        })
    }

    /// A value that a column of this sort can be compared with.
    fn operand(&self, sort: Sort, value: Word) -> Option<HostValue> {
        Some(match (sort, value.view()) {
            (Sort::Int | Sort::Float, View::Int(value)) => HostValue::Int(value),
            (Sort::Int | Sort::Float, View::Float(value)) => HostValue::Float(value),
            (Sort::Bool, View::Bool(value)) => HostValue::Bool(value),
            (Sort::Text, View::Text(text)) => HostValue::Text(text.text()?.to_owned()),
            (Sort::Time, View::Time(ms)) => HostValue::Time(ms),
            (Sort::Duration, View::Duration(ms)) => HostValue::Duration(ms),
            (Sort::Link(ty), View::Entity(target)) => {
                let saved = matches!(
                    target.entity_state(),
                    EntityState::Loaded | EntityState::Link
                );
                if !saved || target.meta() != ty.0 {
                    return None;
                }
                HostValue::Link(ty, target.entity_id())
            }
            (Sort::Enum(index), View::Enum(value)) => {
                let (of, variant) = value.enum_parts();
                let has_data = self.program.module().enums[index as usize]
                    .variants
                    .iter()
                    .any(|(_, data)| !data.is_empty());
                if of != index || has_data {
                    return None;
                }
                HostValue::Enum {
                    index,
                    variant,
                    data: Vec::new(),
                }
            }
            _ => return None,
        })
    }

    /// The records that link to one, by a field that holds one link.
    fn linked(&mut self, field: i64, target: Word) -> Res<bool> {
        let Ok(field) = u32::try_from(field) else {
            return Ok(false);
        };
        let column = QueryColumn::Field(field);
        let Some(sort @ Sort::Link(_)) = self.sort(column) else {
            return Ok(false);
        };
        let Some(value) = self.operand(sort, target) else {
            return Ok(false);
        };
        let before = std::mem::replace(&mut self.query.predicate, HostPredicate::Always);
        self.query.predicate = before.and(HostPredicate::Compare {
            column,
            comparison: QueryComparison::Eq,
            value,
        });
        Ok(true)
    }

    /// The record with an id.
    fn with_id(&mut self, id: Word) -> bool {
        let View::Int(id) = id.view() else {
            return false;
        };
        let before = std::mem::replace(&mut self.query.predicate, HostPredicate::Always);
        self.query.predicate = before.and(HostPredicate::Compare {
            column: QueryColumn::Id,
            comparison: QueryComparison::Eq,
            value: HostValue::Int(id),
        });
        true
    }

    /// Takes over the order; false if a key is more than a column.
    fn ordered(&mut self, steps: &[(i64, Word)], by_host: &mut [bool]) -> Res<bool> {
        for (at, (kind, argument)) in steps.iter().enumerate() {
            if !matches!(kind, 1 | 2) {
                continue;
            }
            let Some(column) = self.key(*argument)? else {
                return Ok(false);
            };
            by_host[at] = true;
            self.query.order.push(HostOrder {
                column,
                descending: *kind == 2,
            });
        }
        Ok(true)
    }

    /// The column that a key function gives, if its values have an order.
    fn key(&mut self, function: Word) -> Res<Option<QueryColumn>> {
        let program = self.program.clone();
        let argument = argument_of(&program, function, self.query.ty);
        let Some(QueryMeaning::Key(column)) = argument.map(|argument| &argument.meaning) else {
            return Ok(None);
        };
        let fits = self.sort(*column).is_some_and(Sort::has_order) && self.readable(*column)?;
        Ok(fits.then_some(*column))
    }

    /// Takes over limit and offset; false if one is no number, which the program will say.
    fn number(&mut self, steps: &[(i64, Word)], wanted: Wanted) -> bool {
        for (kind, argument) in steps {
            let count = match (kind, argument.view()) {
                (3 | 4, View::Int(count)) => count,
                (3 | 4, _) => return false,
                _ => continue,
            };
            let known = u64::try_from(count).ok();
            if *kind == 4 {
                self.query.skip = known.unwrap_or(0);
            } else {
                self.query.limit = match (self.query.limit, known) {
                    (Some(before), Some(count)) => Some(before.min(count)),
                    (_, count) => count,
                };
            }
        }
        match wanted {
            Wanted::All => {}
            Wanted::First => {
                let limit = self.query.limit.unwrap_or(1);
                self.query.limit = Some(limit.min(1));
            }
            Wanted::Last => self.turn_around(),
        }
        true
    }

    /// Asks for the last record as the first of the opposite order, where there is one.
    fn turn_around(&mut self) {
        let turns = |order: &HostOrder| {
            let never_none = !self.is_optional(order.column);
            never_none && self.sort(order.column) != Some(Sort::Float)
        };
        let free = self.query.limit.is_none() && self.query.skip == 0;
        if !free || !self.query.order.iter().all(turns) {
            return;
        }
        for order in &mut self.query.order {
            order.descending = !order.descending;
        }
        self.query.order.push(HostOrder {
            column: QueryColumn::Id,
            descending: true,
        });
        self.query.limit = Some(1);
    }

    fn field(&self, field: u32) -> &flin_bytecode::EntityField {
        &self.program.module().entities[self.query.ty.index()].fields[field as usize]
    }

    /// Whether what the records link to is there. As it was then, and in deleted records, a link may lead to what is gone:
    /// such a field reads as none, which the store, that has the link, cannot tell.
    fn links_lead_on(&self) -> bool {
        self.query.as_of.is_none() && self.query.mode == ScanMode::Live
    }

    fn sort(&self, column: QueryColumn) -> Option<Sort> {
        let field = match column {
            QueryColumn::Id | QueryColumn::Version => return Some(Sort::Int),
            QueryColumn::CreatedAt | QueryColumn::UpdatedAt | QueryColumn::DeletedAt => {
                return Some(Sort::Time);
            }
            QueryColumn::Field(field) => field,
        };
        let types = &self.program.module().types;
        let mut ty = &types[self.field(field).ty.index()];
        if let TypeDesc::Optional(inner) = ty {
            ty = &types[inner.index()];
        }
        match ty {
            TypeDesc::Int => Some(Sort::Int),
            TypeDesc::Float => Some(Sort::Float),
            TypeDesc::Bool => Some(Sort::Bool),
            TypeDesc::Text => Some(Sort::Text),
            TypeDesc::Time => Some(Sort::Time),
            TypeDesc::Duration => Some(Sort::Duration),
            TypeDesc::Entity(entity) => self.links_lead_on().then_some(Sort::Link(*entity)),
            TypeDesc::Enum(index) => Some(Sort::Enum(*index)),
            TypeDesc::Any
            | TypeDesc::None
            | TypeDesc::List(..)
            | TypeDesc::Map(_)
            | TypeDesc::Record(..)
            | TypeDesc::Tuple(_)
            | TypeDesc::Optional(_)
            | TypeDesc::Union(_)
            | TypeDesc::Error
            | TypeDesc::Response
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range => None,
        }
    }

    fn is_optional(&self, column: QueryColumn) -> bool {
        match column {
            QueryColumn::Id
            | QueryColumn::Version
            | QueryColumn::CreatedAt
            | QueryColumn::UpdatedAt => false,
            QueryColumn::DeletedAt => true,
            QueryColumn::Field(field) => self.field(field).optional,
        }
    }

    /// Notes a column whose reading may fail.
    fn doubt(&mut self, column: QueryColumn) -> Res<()> {
        if !self.doubtful.contains(&column) && !self.readable(column)? {
            self.doubtful.push(column);
        }
        Ok(())
    }

    /// Whether reading the column cannot fail: what is never none by its declaration is so in every stored record.
    fn readable(&mut self, column: QueryColumn) -> Res<bool> {
        let QueryColumn::Field(field) = column else {
            return Ok(true);
        };
        if self.field(field).optional {
            return Ok(true);
        }
        let (ty, as_of) = (self.query.ty, self.query.as_of);
        let holds = self.host.entity_may_hold_none(ty, field, as_of);
        Ok(!holds.map_err(Fault::host)?)
    }
}

fn argument_of(program: &Program, function: Word, ty: EntityTypeId) -> Option<&QueryArg> {
    let View::Closure(closure) = function.view() else {
        return None;
    };
    let func = FuncId(closure.closure_func()?);
    program.module().queries.argument(func, ty)
}

fn last(stack: &mut Vec<HostPredicate>, count: u32) -> Option<Vec<HostPredicate>> {
    let from = stack.len().checked_sub(count as usize)?;
    Some(stack.split_off(from))
}

fn is_never(predicate: &HostPredicate) -> bool {
    matches!(predicate, HostPredicate::Not(inner) if **inner == HostPredicate::Always)
}

fn never() -> HostPredicate {
    HostPredicate::Not(Box::new(HostPredicate::Always))
}

fn all_of(mut parts: Vec<HostPredicate>) -> HostPredicate {
    if parts.iter().any(is_never) {
        return never();
    }
    parts.retain(|part| *part != HostPredicate::Always);
    match parts.len() {
        0 => HostPredicate::Always,
        1 => parts.remove(0),
        _ => HostPredicate::And(parts),
    }
}

fn any_of(mut parts: Vec<HostPredicate>) -> HostPredicate {
    if parts.contains(&HostPredicate::Always) {
        return HostPredicate::Always;
    }
    parts.retain(|part| !is_never(part));
    match parts.len() {
        0 => never(),
        1 => parts.remove(0),
        _ => HostPredicate::Or(parts),
    }
}

/// The closure that computes what the condition at a step compares with, for a step whose condition may be asked of the
/// host: all steps before it that decide are answered there as a whole.
pub(crate) fn known_values(m: &mut Machine, of: Obj, at: usize) -> Res<Option<Word>> {
    let program = m.program.clone();
    let Some((0, function)) = of.query_step(at) else {
        return Ok(None);
    };
    let Some(argument) = argument_of(&program, function, EntityTypeId(of.meta())) else {
        return Ok(None);
    };
    let (QueryMeaning::Conditions(..), View::Closure(closure)) =
        (&argument.meaning, function.view())
    else {
        return Ok(None);
    };
    let Some(known) = argument.known else {
        return Ok(Some(Word::none()));
    };
    let captures = &program.module().functions[known.index()].captures;
    let made = m.heap.new_closure(known.0, captures)?;
    for (slot, class) in captures.iter().enumerate() {
        if let Some(bits) = closure.capture_get(slot, *class) {
            made.capture_set(slot, *class, bits);
        }
    }
    Ok(Some(Word::object(made)))
}

/// How many records a prepared query finds, if the host can tell all of it.
pub(crate) fn count(m: &mut Machine, host: &mut dyn Host, of: Obj) -> Res<Option<i64>> {
    let Some(plan) = plan(m, host, of)?.filter(|plan| plan.whole) else {
        return Ok(None);
    };
    m.entity_reads += 1;
    let found = host.entity_count_where(&plan.query).map_err(Fault::host)?;
    Ok(Some(i64::try_from(found).unwrap_or(i64::MAX)))
}

/// What adding up, or looking for the least or greatest, gives for a prepared query, if the host can tell: the value as
/// the list of one, or of none.
pub(crate) fn total(
    m: &mut Machine,
    host: &mut dyn Host,
    (of, key): (Obj, Word),
    total: i64,
) -> Res<Option<Option<HostValue>>> {
    let Some(plan) = plan(m, host, of)?.filter(|plan| plan.whole) else {
        return Ok(None);
    };
    let mut query = plan.query;
    let program = m.program.clone();
    let mut maker = Maker {
        m,
        host,
        program,
        query: query.clone(),
        present: HashSet::new(),
        doubtful: Vec::new(),
    };
    let Some(column) = maker.key(key)? else {
        return Ok(None);
    };
    let sort = maker.sort(column);
    let mut ask = |query: &HostQuery, what| {
        let answer = maker.host.entity_total(query, column, what);
        answer.map_err(Fault::host)
    };
    let numbers = matches!(sort, Some(Sort::Int | Sort::Float | Sort::Duration));
    let answer = match total {
        0 if numbers => ask(&query, HostTotal::Sum)?,
        // Their mean is computed as floats: only floats are added up the same way there.
        1 if sort == Some(Sort::Float) => match ask(&query, HostTotal::Sum)? {
            TotalAnswer::Value(HostValue::Float(sum))
                if query.skip == 0 && query.limit.is_none() =>
            {
                let present = HostPredicate::Compare {
                    column,
                    comparison: QueryComparison::Ne,
                    value: HostValue::None,
                };
                let before = std::mem::replace(&mut query.predicate, HostPredicate::Always);
                query.predicate = before.and(present);
                query.order.clear();
                let count = host.entity_count_where(&query).map_err(Fault::host)?;
                TotalAnswer::Value(HostValue::Float(sum / count as f64))
            }
            TotalAnswer::Nothing => TotalAnswer::Nothing,
            TotalAnswer::Value(_) | TotalAnswer::Unclear => TotalAnswer::Unclear,
        },
        2 => ask(&query, HostTotal::Min)?,
        3 => ask(&query, HostTotal::Max)?,
        _ => TotalAnswer::Unclear,
    };
    m.entity_reads += 1;
    Ok(match answer {
        TotalAnswer::Nothing => Some(None),
        TotalAnswer::Value(value) => Some(Some(value)),
        TotalAnswer::Unclear => None,
    })
}

/// What is asked of the host, how the host goes about it, and what is left to the program.
pub(crate) fn explain(m: &mut Machine, host: &mut dyn Host, of: Obj) -> Res<String> {
    let program = m.program.clone();
    let module = program.module();
    let name = &module.entities[of.meta() as usize].name;
    let Some(plan) = plan(m, host, of)? else {
        let mode = match of.query_base().mode {
            ScanMode::Live => "",
            ScanMode::Deleted => ", deleted ones",
            ScanMode::All => ", deleted ones too",
        };
        return Ok(format!("asks for: {name}{mode}\nthe program does the rest"));
    };
    let mut out = format!("asks for: {}", plan.query.described(module));
    let how = host.entity_explain(&plan.query).map_err(Fault::host)?;
    for line in how.lines() {
        out.push_str(&format!("\nthe store: {line}"));
    }
    for (at, by_host) in plan.by_host.iter().enumerate() {
        let Some((kind, argument)) = of.query_step(at) else {
            continue;
        };
        let what = match kind {
            0 => "where",
            1 | 2 => "order",
            3 => "limit",
            4 => "offset",
            8 => "find",
            _ => "links",
        };
        let place = match argument.view() {
            View::Closure(closure) => place_of(&program, closure),
            View::Int(count) => format!(" {count}"),
            _ => String::new(),
        };
        if !by_host {
            out.push_str(&format!("\nthe program, on what comes back: {what}{place}"));
        }
    }
    Ok(out)
}

/// Where a function stands.
fn place_of(program: &Program, closure: Obj) -> String {
    let function = closure
        .closure_func()
        .map(|func| &program.module().functions[func as usize]);
    match function.and_then(|function| function.lines.first()) {
        Some((_, line, column)) => format!(" at {line}:{column}"),
        None => String::new(),
    }
}
