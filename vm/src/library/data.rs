//! Functions on values of any type, ranges, tuples, enums, responses. Here because they look at what a value is at run
//! time. Must stay true: an `any` row gives what the typed row of the same name gives for the same value.

use flin_bytecode::Class;

use super::text::Bounds;
use super::{LibCall, Ret, list, map, str_of, text};
use crate::fault::{Blame, Fault, FaultData, NewError, Res};
use crate::heap::{Obj, list_len, range_parts};
use crate::semantics::{compare, print};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// Name of the error that `error(status, message)` raises.
const HTTP_ERROR: &str = "HttpError";

/// How many numbers are in a range.
fn range_count(range: Obj) -> u64 {
    let (start, end, inclusive) = range_parts(range);
    if start > end {
        0
    } else {
        end.abs_diff(start).saturating_add(u64::from(inclusive))
    }
}

pub(super) fn range_len(call: &mut LibCall<'_>) -> Res<Ret> {
    let count = range_count(call.range(0)?);
    i64::try_from(count).map(Ret::Int).map_err(|_| {
        Fault::new(
            ErrorKind::IntegerOverflow,
            "the length of this range does not fit an int (64 bits)",
        )
    })
}

fn in_range(range: Obj, value: i64) -> bool {
    let (start, end, inclusive) = range_parts(range);
    start <= value && (value < end || (inclusive && value == end))
}

pub(super) fn range_contains(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(in_range(call.range(0)?, call.int(0))))
}

pub(super) fn range_start(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Int(range_parts(call.range(0)?).0))
}

pub(super) fn range_end(call: &mut LibCall<'_>) -> Res<Ret> {
    let (_, end, inclusive) = range_parts(call.range(0)?);
    match end.checked_add(i64::from(inclusive)) {
        Some(end) => Ok(Ret::Int(end)),
        None => Err(Fault::new(
            ErrorKind::IntegerOverflow,
            "a range that ends at the greatest int cannot be walked",
        )),
    }
}

pub(super) fn range_to_list(call: &mut LibCall<'_>) -> Res<Ret> {
    let range = call.range(0)?;
    numbers(call, range).map(Ret::Obj)
}

/// The numbers of a range as a list.
pub(super) fn numbers(call: &mut LibCall<'_>, range: Obj) -> Res<Obj> {
    int_list(call, range_parts(range).0, range_count(range), 1)
}

/// `range(start, end, step)`
pub(super) fn range_list(call: &mut LibCall<'_>, start: i64, end: i64, step: i64) -> Res<Ret> {
    let ahead = match step {
        0 => {
            return Err(Fault::new(
                ErrorKind::ArgumentError,
                "a range cannot go in steps of 0",
            ));
        }
        1.. => end > start,
        _ => end < start,
    };
    let count = if ahead {
        end.abs_diff(start).div_ceil(step.unsigned_abs())
    } else {
        0
    };
    int_list(call, start, count, step).map(Ret::Obj)
}

/// A list of `count` ints; all of them are known to fit.
fn int_list(call: &mut LibCall<'_>, start: i64, count: u64, step: i64) -> Res<Obj> {
    call.fits(usize::try_from(count.saturating_mul(8)).unwrap_or(usize::MAX))?;
    let list = call.m.heap.new_list(Class::I64, count as usize)?;
    let mut value = start;
    for _ in 0..count {
        call.m.heap.list_push_bits(list, value as u64)?;
        value = value.wrapping_add(step);
    }
    Ok(list)
}

pub(super) fn any_contains(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(1);
    match call.any(0).view() {
        View::Text(_) => text::contains(call),
        View::List(_) => list::contains(call),
        View::Map(_) => map::has_key(call),
        View::Range(range) => Ok(Ret::Bool(
            matches!(value.view(), View::Int(value) if in_range(range, value)),
        )),
        View::Tuple(tuple) => {
            for word in (0..tuple.tuple_len()).filter_map(|at| tuple.tuple_get(at)) {
                if compare::equal(call.m, word, value)? {
                    return Ok(Ret::Bool(true));
                }
            }
            Ok(Ret::Bool(false))
        }
        _ => Err(call.wrong(0, "a text, list, map or range")),
    }
}

pub(super) fn any_index_of(call: &mut LibCall<'_>) -> Res<Ret> {
    match call.any(0).view() {
        View::Text(_) => text::index_of(call),
        View::List(_) | View::Range(_) => list::index_of(call),
        _ => Err(call.wrong(0, "a text or list")),
    }
}

/// What a typed row gives, as a value of any type.
fn as_any(result: Res<Ret>) -> Res<Ret> {
    result.map(|ret| match ret {
        Ret::Obj(obj) => Ret::Any(Word::object(obj)),
        Ret::None | Ret::Int(_) | Ret::Float(_) | Ret::Bool(_) | Ret::Any(_) => ret,
    })
}

pub(super) fn any_slice(call: &mut LibCall<'_>, with_end: bool) -> Res<Ret> {
    as_any(match (call.any(0).view(), with_end) {
        (View::Text(_), false) => text::slice_from(call),
        (View::Text(_), true) => text::slice_between(call),
        (View::List(_) | View::Range(_), false) => list::slice_from(call),
        (View::List(_) | View::Range(_), true) => list::slice_between(call),
        _ => Err(call.wrong(0, "a text or list")),
    })
}

pub(super) fn any_slice_by_step(call: &mut LibCall<'_>) -> Res<Ret> {
    match call.any(0).view() {
        View::Text(_) => as_any(text::slice_by_step(call)),
        View::List(_) | View::Range(_) => as_any(list::slice_by_step(call)),
        View::Tuple(tuple) => {
            let positions = Bounds::of(call)?.positions(tuple.tuple_len());
            let words: Vec<Word> = positions.filter_map(|at| tuple.tuple_get(at)).collect();
            call.m
                .heap
                .new_tuple(&words)
                .map(|tuple| Ret::Any(Word::object(tuple)))
        }
        _ => Err(call.wrong(0, "a text or list")),
    }
}

pub(super) fn any_reverse(call: &mut LibCall<'_>) -> Res<Ret> {
    as_any(match call.any(0).view() {
        View::Text(_) => text::reverse(call),
        View::List(_) | View::Range(_) => list::reverse(call),
        _ => Err(call.wrong(0, "a text or list")),
    })
}

/// Length of what has one.
fn length(call: &LibCall<'_>, value: View) -> Option<u64> {
    match value {
        View::Text(text) => Some(call.m.heap.text_len(text) as u64),
        View::List(list) => Some(list_len(list) as u64),
        View::Map(map) => Some(call.m.heap.map_len(map) as u64),
        View::Tuple(tuple) => Some(tuple.tuple_len() as u64),
        View::Range(range) => Some(range_count(range)),
        View::None
        | View::Bool(_)
        | View::Int(_)
        | View::Float(_)
        | View::Time(_)
        | View::Duration(_)
        | View::Closure(_)
        | View::Cell(_)
        | View::Entity(_)
        | View::Query(_)
        | View::Error(_)
        | View::Response(_)
        | View::Enum(_) => None,
    }
}

pub(super) fn any_len(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(0).view();
    match length(call, value).map(i64::try_from) {
        Some(Ok(len)) => Ok(Ret::Int(len)),
        Some(Err(_)) => range_len(call),
        None => Err(call.wrong(0, "a text, list, map, tuple or range")),
    }
}

pub(super) fn any_is_empty(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(0).view();
    match (value, length(call, value)) {
        (View::None, _) => Ok(Ret::Bool(true)),
        (_, Some(len)) => Ok(Ret::Bool(len == 0)),
        (_, None) => Err(call.wrong(0, "a text, list, map or range")),
    }
}

pub(super) fn any_clear(call: &mut LibCall<'_>) -> Res<Ret> {
    as_any(match call.any(0).view() {
        View::List(_) => list::clear(call),
        View::Map(_) => map::clear(call),
        _ => Err(call.wrong(0, "a list or map")),
    })
}

pub(super) fn any_clone(call: &mut LibCall<'_>) -> Res<Ret> {
    let value = call.any(0);
    as_any(match value.view() {
        View::List(_) => list::clone(call),
        View::Map(_) => map::clone(call),
        _ => Ok(Ret::Any(value)),
    })
}

pub(super) fn tuple_new(call: &mut LibCall<'_>) -> Res<Ret> {
    let list = call.list(0)?;
    let words = call.m.heap.list_words(list)?;
    call.m.heap.new_tuple(&words).map(Ret::Obj)
}

/// `(a, b) = value`: a tuple is taken apart as a whole.
pub(super) fn tuple_names(call: &mut LibCall<'_>) -> Res<Ret> {
    let (value, names) = (call.any(0), call.int(0));
    if let View::Tuple(tuple) = value.view()
        && tuple.tuple_len() as i64 != names
    {
        let members = tuple.tuple_len();
        let message = format!("the tuple has {members} members, but {names} names take it apart");
        return Err(Fault::new(ErrorKind::TypeError, message));
    }
    Ok(Ret::None)
}

pub(super) fn enum_new(call: &mut LibCall<'_>) -> Res<Ret> {
    let (number, variant, list) = (call.int(0), call.int(1), call.list(0)?);
    let known = usize::try_from(number)
        .ok()
        .and_then(|number| call.m.program.module().enums.get(number));
    let variant_known =
        known.is_some_and(|e| usize::try_from(variant).is_ok_and(|v| v < e.variants.len()));
    if !variant_known {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("there is no variant {variant} of enum {number}"),
        ));
    }
    let words = call.m.heap.list_words(list)?;
    call.m
        .heap
        .new_enum(number as u32, variant as u32, &words)
        .map(Ret::Obj)
}

pub(super) fn enum_variant(call: &mut LibCall<'_>) -> Res<Ret> {
    let number = call.int(0);
    let variant = match call.any(0).view() {
        View::Enum(value) if i64::from(value.enum_parts().0) == number => {
            i64::from(value.enum_parts().1)
        }
        _ => -1,
    };
    Ok(Ret::Int(variant))
}

pub(super) fn enum_data(call: &mut LibCall<'_>) -> Res<Ret> {
    let at = call.int(0);
    match call.any(0).view() {
        View::Enum(value) => {
            let found = usize::try_from(at).ok().and_then(|at| value.enum_get(at));
            found.map(Ret::Any).ok_or_else(|| {
                Fault::type_error(format!(
                    "piece {at} of an enum value with {} pieces of data",
                    value.tuple_len()
                ))
            })
        }
        _ => Err(call.wrong(0, "an enum value")),
    }
}

pub(super) fn type_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let view = call.any(0).view();
    let program = call.m.program.clone();
    let module = program.module();
    let name = match view {
        View::Entity(entity) => module
            .entities
            .get(entity.meta() as usize)
            .map(|e| e.name.as_str()),
        View::Enum(value) => module
            .enums
            .get(value.enum_parts().0 as usize)
            .map(|e| e.name.as_str()),
        _ => None,
    };
    call.text_result(name.unwrap_or(view.type_name()))
}

pub(super) fn assert(call: &mut LibCall<'_>, with_message: bool) -> Res<Ret> {
    if compare::truthy(call.m, call.any(0)) {
        return Ok(Ret::None);
    }
    let message = if with_message {
        str_of(&call.text(1)?).to_owned()
    } else {
        "the assertion does not hold".to_owned()
    };
    Err(Fault::new(ErrorKind::AssertionError, message))
}

/// `assert left == right` that does not hold: both sides, each on its line and not too long.
pub(super) fn assert_failed(call: &mut LibCall<'_>) -> Res<Ret> {
    /// More characters of a side are not shown.
    const SHOWN_MAX: usize = 500;
    let mut message = format!("assertion failed: {}", str_of(&call.text(0)?));
    for (name, at) in [("left: ", 1), ("right:", 2)] {
        let value = print::inside_text(call.m, call.any(at))?;
        let cut = value.char_indices().nth(SHOWN_MAX);
        let shown = cut.map_or(value.as_str(), |(end, _)| &value[..end]);
        let more = if cut.is_some() { "…" } else { "" };
        message.push_str(&format!("\n  {name} {shown}{more}"));
    }
    Err(Fault::new(ErrorKind::AssertionError, message))
}

pub(super) fn validation_error(call: &mut LibCall<'_>) -> Res<Ret> {
    let [entity, field, rule, message] =
        [call.text(0)?, call.text(1)?, call.text(2)?, call.text(3)?];
    Err(Fault::validation(
        str_of(&entity),
        str_of(&field),
        str_of(&rule),
        str_of(&message).to_owned(),
    ))
}

/// Kind of the error that `fail` raises when only a message is given.
const PLAIN_KIND: &str = "Error";

/// `fail(message)`
pub(super) fn fail_text(call: &mut LibCall<'_>) -> Res<Ret> {
    let message = call.text(0)?;
    Err(Fault::named(PLAIN_KIND, str_of(&message), None))
}

/// `fail(x)` with what is known only now.
pub(super) fn fail_any(call: &mut LibCall<'_>) -> Res<Ret> {
    match call.any(0).view() {
        View::Error(error) => Err(Fault::thrown(error)),
        View::Text(message) => Err(Fault::named(PLAIN_KIND, str_of(&message), None)),
        _ => Err(call.wrong(0, "text or error")),
    }
}

/// `fail(kind, message, cause)`
pub(super) fn fail_because(call: &mut LibCall<'_>) -> Res<Ret> {
    let (kind, message) = (call.text(0)?, call.text(1)?);
    let cause = match call.any(2).view() {
        View::Error(cause) => Some(cause),
        View::None => None,
        _ => return Err(call.wrong(2, "error")),
    };
    Err(Fault::named(str_of(&kind), str_of(&message), cause))
}

fn status_of(status: i64) -> Res<i64> {
    if (200..=599).contains(&status) {
        return Ok(status);
    }
    Err(Fault::new(
        ErrorKind::ArgumentError,
        format!("{status} is no HTTP status of an answer (200 to 599)"),
    ))
}

/// `error(status, message)`: the status travels as the rule of the error.
pub(super) fn http_error(call: &mut LibCall<'_>) -> Res<Ret> {
    let (status, message) = (status_of(call.int(0))?, call.text(0)?);
    Err(Fault(Box::new(FaultData::New(NewError {
        kind: ErrorKind::Custom(HTTP_ERROR.to_owned()),
        message: str_of(&message).to_owned(),
        entity: None,
        field: None,
        rule: Some(status.to_string()),
        blame: Blame::Nobody,
        cause: None,
    }))))
}

pub(super) fn redirect(call: &mut LibCall<'_>, status: i64) -> Res<Ret> {
    if !(300..=399).contains(&status) {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("{status} is no status of a redirect (300 to 399)"),
        ));
    }
    let address = call.text(0)?;
    if str_of(&address).chars().any(char::is_control) {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            "an address cannot contain control characters",
        ));
    }
    let status = call.m.heap.int_word(status)?;
    let parts = [status, Word::none(), Word::none(), Word::object(address)];
    call.m.heap.new_response(parts).map(Ret::Obj)
}

/// `response { status, headers, body }`
pub(super) fn response(call: &mut LibCall<'_>) -> Res<Ret> {
    let map = call.map(0)?;
    let mut parts = [
        call.m.heap.int_word(200)?,
        Word::none(),
        Word::none(),
        Word::none(),
    ];
    for (key, value) in call.m.heap.map_entries(map)? {
        let name = print::to_string(call.m, key)?;
        match (name.as_str(), value.view()) {
            ("status", View::Int(status)) => parts[0] = call.m.heap.int_word(status_of(status)?)?,
            ("status", found) => {
                return Err(Fault::type_error(format!(
                    "status of a response: expected int, found {}",
                    found.type_name()
                )));
            }
            ("headers", View::Map(_) | View::None) => parts[1] = value,
            ("headers", found) => {
                return Err(Fault::type_error(format!(
                    "headers of a response: expected a map, found {}",
                    found.type_name()
                )));
            }
            ("body", _) => parts[2] = value,
            (other, _) => {
                let message = format!("a response has status, headers and body, but no `{other}`");
                return Err(Fault::new(ErrorKind::ArgumentError, message));
            }
        }
    }
    call.m.heap.new_response(parts).map(Ret::Obj)
}
