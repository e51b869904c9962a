//! Regular expressions. Here because compiled ones are kept for the next call. Must stay true: matching takes time linear
//! in the text, and compiled expressions are bounded in size and number.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::{LibCall, Ret, str_of};
use crate::fault::{Fault, Res};
use crate::trap::ErrorKind;

/// Most expressions kept per thread.
const KEPT_MAX: usize = 64;
/// Largest compiled expression.
const COMPILED_BYTES_MAX: usize = 1 << 20;

thread_local! {
    static KEPT: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

pub(super) fn matches(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, pattern) = (call.text(0)?, call.text(1)?);
    let (text, pattern) = (str_of(&text), str_of(&pattern));
    let kept = KEPT.with_borrow(|kept| kept.get(pattern).map(|regex| regex.is_match(text)));
    if let Some(found) = kept {
        return Ok(Ret::Bool(found));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            Fault::new(
                ErrorKind::ArgumentError,
                format!("`{pattern}` is no regular expression: {reason}"),
            )
        })?;
    let found = regex.is_match(text);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), regex);
    });
    Ok(Ret::Bool(found))
}
