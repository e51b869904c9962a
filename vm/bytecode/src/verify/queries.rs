//! Checks of what a module says about its queries. Here because the machine builds calls and columns from it. Must stay
//! true: a function that computes known values can be entered with the captures of the function it belongs to; a postfix
//! condition leaves exactly one result.

use super::program::{Checked, at_most, each, has_entity, in_range};
use super::{VerifyError, VerifyFault, VerifyPlace};
use crate::class::Class;
use crate::ids::EntityTypeId;
use crate::module::Module;
use crate::query::{QueryArg, QueryColumn, QueryMeaning, QueryTest};

/// Values that the conditions of one function may compare with, and tests in one of its conditions; programs have few.
const TESTS_MAX: usize = 1000;

pub(super) fn check(module: &Module) -> Result<(), VerifyError> {
    let queries = &module.queries;
    let sorted = queries
        .arguments
        .windows(2)
        .position(|pair| pair[0].func.0 >= pair[1].func.0);
    if let Some(at) = sorted {
        return Err(VerifyError {
            place: VerifyPlace::Table {
                table: "queries",
                index: at as u32 + 1,
            },
            fault: VerifyFault::Duplicate {
                what: "functions",
                name: format!("#{}", queries.arguments[at + 1].func.0),
            },
        });
    }
    each(&queries.arguments, "queries", |arg| argument(module, arg))?;
    each(&queries.fields, "fields of queries", |asked| {
        has_entity(module, asked.entity)?;
        column(module, asked.entity, QueryColumn::Field(asked.field))
    })
}

fn argument(module: &Module, argument: &QueryArg) -> Checked {
    has_entity(module, argument.entity)?;
    in_range("function", argument.func.0, module.functions.len())?;
    let func = &module.functions[argument.func.index()];
    let wrong = |name: &str, expected| VerifyFault::WrongSignature {
        function: name.to_owned(),
        role: "the argument of a query",
        expected,
    };
    if !func.is_closure || func.signature.params != [Class::Ref] {
        return Err(wrong(&func.name, "a closure of one record"));
    }
    if let Some(known) = argument.known {
        in_range("function", known.0, module.functions.len())?;
        let known = &module.functions[known.index()];
        let fits = known.is_closure
            && known.captures == func.captures
            && known.signature.params.is_empty()
            && known.signature.result == Some(Class::Ref);
        if !fits {
            return Err(wrong(
                &known.name,
                "a closure with the same captures and no parameters, result ref",
            ));
        }
    }
    match &argument.meaning {
        QueryMeaning::Key(key) => column(module, argument.entity, *key),
        QueryMeaning::Conditions(parts, _) => {
            at_most("conditions", parts.len(), TESTS_MAX)?;
            parts
                .iter()
                .try_for_each(|part| condition(module, argument, part))
        }
    }
}

fn column(module: &Module, entity: EntityTypeId, column: QueryColumn) -> Checked {
    match column {
        QueryColumn::Field(field) => {
            in_range("field", field, module.entities[entity.index()].fields.len())
        }
        QueryColumn::Id
        | QueryColumn::Version
        | QueryColumn::CreatedAt
        | QueryColumn::UpdatedAt
        | QueryColumn::DeletedAt => Ok(()),
    }
}

fn condition(module: &Module, argument: &QueryArg, tests: &[QueryTest]) -> Checked {
    at_most("tests", tests.len(), TESTS_MAX)?;
    let values = if argument.known.is_some() {
        TESTS_MAX
    } else {
        0
    };
    let mut depth = 0_usize;
    for test in tests {
        let (column_of, value, takes) = match test {
            QueryTest::Compare(column, _, value)
            | QueryTest::In(column, value)
            | QueryTest::Prefix(column, value)
            | QueryTest::Contains(column, value) => (Some(*column), Some(*value), 0),
            QueryTest::Truth(column) => (Some(*column), None, 0),
            QueryTest::Known(value) => (None, Some(*value), 0),
            QueryTest::All(count) | QueryTest::Any(count) => (None, None, *count as usize),
            QueryTest::Not => (None, None, 1),
        };
        if let Some(of) = column_of {
            column(module, argument.entity, of)?;
        }
        if let Some(value) = value {
            in_range("known value", value, values)?;
        }
        let left = depth.checked_sub(takes);
        depth = left.ok_or(VerifyFault::OutOfRange {
            what: "condition before this one",
            found: takes as i64,
            count: depth,
        })? + 1;
    }
    if depth == 1 {
        return Ok(());
    }
    Err(VerifyFault::OutOfRange {
        what: "result of a condition",
        found: depth as i64,
        count: 1,
    })
}
