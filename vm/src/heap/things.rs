//! Queries, errors, responses: objects of a few words each. Here because the collector must know their layouts.
//! Must stay true: a query never changes; adding a step makes a new one.

use super::Heap;
use super::entity::{moment_of, moment_word};
use super::object::{Kind, Obj, header};
use crate::fault::Res;
use crate::host::{Moment, ScanMode};
use crate::semantics::pushing::Wanted;
use crate::value::{View, Word};

const QUERY_STEP_COUNT: usize = 1;
const QUERY_AS_OF: usize = 2;
/// Which of its records are wanted, of a prepared query.
const QUERY_WANTED: usize = 3;
/// Of a prepared query: for each of its leading conditions, the list of the values it compares with. Else none.
pub(super) const QUERY_PLAN: usize = 4;
/// First word of a query's steps: kind, argument, kind, argument …
const QUERY_STEPS: usize = 5;
/// In aux: the mode.
const QUERY_MODE: u16 = 0x3;
/// In aux: the host gave all and only what the query finds.
const QUERY_ANSWERED: u16 = 0x4;
/// `as of` of a query over what is there now.
const NOW: u64 = i64::MIN as u64;
/// First word of an error's words; word 1 is line and column.
pub(super) const ERROR_WORDS: usize = 2;
/// Kind, message, entity, field, rule, cause, trace.
pub(super) const ERROR_WORD_COUNT: usize = 7;
/// Status, headers, body, redirect.
pub(super) const RESPONSE_WORD_COUNT: usize = 4;
/// More steps than any program writes; keeps the size of a query small.
pub(crate) const QUERY_STEPS_MAX: usize = 1000;

/// Which records a query walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueryBase {
    /// Which of them.
    pub(crate) mode: ScanMode,
    /// As they were at a moment; none: as they are.
    pub(crate) as_of: Option<Moment>,
}

impl QueryBase {
    /// What is there and not deleted.
    pub(crate) const LIVE: QueryBase = QueryBase {
        mode: ScanMode::Live,
        as_of: None,
    };
}

/// The parts of an error object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorParts {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) kind: Word,
    pub(crate) message: Word,
    pub(crate) entity: Word,
    pub(crate) field: Word,
    pub(crate) rule: Word,
    pub(crate) cause: Word,
    /// List of i64: function number in the upper, instruction in the lower half; negative: so many calls left out.
    pub(crate) trace: Word,
}

/// Words of a query from its plan on.
pub(super) fn query_words(query: Obj) -> usize {
    1 + query.raw(QUERY_STEP_COUNT) as usize * 2
}

impl Obj {
    /// Which records a query walks.
    pub(crate) fn query_base(self) -> QueryBase {
        debug_assert_eq!(self.kind(), Kind::Query);
        QueryBase {
            mode: match self.aux() & QUERY_MODE {
                0 => ScanMode::Live,
                1 => ScanMode::Deleted,
                _ => ScanMode::All,
            },
            as_of: Some(self.raw(QUERY_AS_OF))
                .filter(|ms| *ms != NOW)
                .map(moment_of),
        }
    }

    /// Of a prepared query: what its leading conditions compare with, and which of the records are wanted.
    pub(crate) fn query_plan(self) -> Option<(Obj, Wanted)> {
        debug_assert_eq!(self.kind(), Kind::Query);
        let View::List(known) = Word::from_bits(self.raw(QUERY_PLAN)).view() else {
            return None;
        };
        let wanted = match self.raw(QUERY_WANTED) {
            0 => Wanted::All,
            1 => Wanted::First,
            _ => Wanted::Last,
        };
        Some((known, wanted))
    }

    /// Notes whether the host gave all and only what a prepared query finds.
    pub(crate) fn query_set_answered(self, answered: bool) {
        let mode = self.aux() & QUERY_MODE;
        self.set_aux(mode | if answered { QUERY_ANSWERED } else { 0 });
    }

    /// Whether the host gave all and only what the query finds, when it was asked last.
    pub(crate) fn query_answered(self) -> bool {
        self.aux() & QUERY_ANSWERED != 0
    }

    /// Number of steps of a query.
    pub(crate) fn query_len(self) -> usize {
        debug_assert_eq!(self.kind(), Kind::Query);
        self.raw(QUERY_STEP_COUNT) as usize
    }

    /// Kind and argument of a step, if there are so many.
    pub(crate) fn query_step(self, index: usize) -> Option<(i64, Word)> {
        (index < self.query_len()).then(|| {
            let at = QUERY_STEPS + index * 2;
            let kind = Word::from_bits(self.raw(at))
                .as_inline_int()
                .expect("a step's kind is a small int");
            (kind, Word::from_bits(self.raw(at + 1)))
        })
    }

    /// The parts of an error.
    pub(crate) fn error_parts(self) -> ErrorParts {
        debug_assert_eq!(self.kind(), Kind::Error);
        let word = |index: usize| Word::from_bits(self.raw(ERROR_WORDS + index));
        ErrorParts {
            line: self.raw(1) as u32,
            column: (self.raw(1) >> 32) as u32,
            kind: word(0),
            message: word(1),
            entity: word(2),
            field: word(3),
            rule: word(4),
            cause: word(5),
            trace: word(6),
        }
    }

    /// Status, headers, body, redirect of a response.
    pub(crate) fn response_parts(self) -> [Word; 4] {
        debug_assert_eq!(self.kind(), Kind::Response);
        [1, 2, 3, 4].map(|index| Word::from_bits(self.raw(index)))
    }
}

impl Heap {
    /// A query without steps.
    pub(crate) fn new_query(&mut self, ty: u32, base: QueryBase) -> Res<Obj> {
        self.query_of(ty, base, &[])
    }

    fn query_of(&mut self, ty: u32, base: QueryBase, steps: &[(i64, Word)]) -> Res<Obj> {
        let aux = match base.mode {
            ScanMode::Live => 0,
            ScanMode::Deleted => 1,
            ScanMode::All => 2,
        };
        let query = self.allocate(header(Kind::Query, aux, ty), QUERY_STEPS + steps.len() * 2)?;
        query.set_raw(QUERY_STEP_COUNT, steps.len() as u64);
        query.set_raw(QUERY_AS_OF, base.as_of.map_or(NOW, moment_word));
        query.set_raw(QUERY_WANTED, 0);
        query.set_raw(QUERY_PLAN, Word::none().bits());
        for (index, (kind, argument)) in steps.iter().enumerate() {
            let kind = Word::inline_int(*kind).expect("step kinds are small");
            query.set_raw(QUERY_STEPS + index * 2, kind.bits());
            query.set_raw(QUERY_STEPS + index * 2 + 1, argument.bits());
        }
        Ok(query)
    }

    /// A copy of the query with one more step.
    pub(crate) fn query_with_step(&mut self, query: Obj, kind: i64, argument: Word) -> Res<Obj> {
        let mut steps: Vec<(i64, Word)> = (0..query.query_len())
            .filter_map(|index| query.query_step(index))
            .collect();
        steps.push((kind, argument));
        self.query_of(query.meta(), query.query_base(), &steps)
    }

    /// A copy of the query, prepared: with the list of what its leading conditions compare with.
    pub(crate) fn query_prepared(&mut self, query: Obj, known: Obj, wanted: Wanted) -> Res<Obj> {
        let steps: Vec<(i64, Word)> = (0..query.query_len())
            .filter_map(|index| query.query_step(index))
            .collect();
        let prepared = self.query_of(query.meta(), query.query_base(), &steps)?;
        prepared.set_raw(QUERY_WANTED, wanted as u64);
        prepared.set_raw(QUERY_PLAN, Word::object(known).bits());
        Ok(prepared)
    }

    /// A copy of the query over other records.
    pub(crate) fn query_with_base(&mut self, query: Obj, base: QueryBase) -> Res<Obj> {
        let steps: Vec<(i64, Word)> = (0..query.query_len())
            .filter_map(|index| query.query_step(index))
            .collect();
        self.query_of(query.meta(), base, &steps)
    }

    /// An error object.
    pub(crate) fn new_error(&mut self, parts: ErrorParts) -> Res<Obj> {
        let error = self.allocate(header(Kind::Error, 0, 0), ERROR_WORDS + ERROR_WORD_COUNT)?;
        error.set_raw(1, u64::from(parts.line) | u64::from(parts.column) << 32);
        let words = [
            parts.kind,
            parts.message,
            parts.entity,
            parts.field,
            parts.rule,
            parts.cause,
            parts.trace,
        ];
        for (index, word) in words.iter().enumerate() {
            error.set_raw(ERROR_WORDS + index, word.bits());
        }
        Ok(error)
    }

    /// A response: status (int), headers (map or none), body, redirect (text or none).
    pub(crate) fn new_response(&mut self, parts: [Word; 4]) -> Res<Obj> {
        let response = self.allocate(header(Kind::Response, 0, 0), 1 + RESPONSE_WORD_COUNT)?;
        for (index, word) in parts.iter().enumerate() {
            response.set_raw(1 + index, word.bits());
        }
        Ok(response)
    }
}
