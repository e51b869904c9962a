//! Library functions that stand in the VM. Here, apart from the operations, because they are called by `call.lib` and
//! work on values only. Must stay true: a body never calls FLIN code (what calls back is written in FLIN, in the prelude)
//! and no collection happens inside a body, so words and objects may be held freely until it returns, not longer.

mod data;
mod json;
mod list;
mod map;
mod number;
mod pattern;
mod plain;
mod query;
mod record;
mod rows;
mod secret;
mod set;
mod sort;
mod spelling;
mod text;
mod time;
mod web;

pub(crate) use plain::{PlainBody, plain};

use flin_bytecode::{Bank, LibId, Native};

use crate::fault::{Blame, Fault, Res};
use crate::frame::Regs;
use crate::heap::{Kind, Obj, list_len};
use crate::host::{Host, Slice};
use crate::machine::Machine;
use crate::semantics::types;
use crate::value::{View, Word};

/// Work beyond this, in units of an instruction, is charged by the body itself (less is covered by the call's own fuel).
const SLICE_UNITS: usize = 1024;

/// Bytes of a text, and elements of a list or map, that cost as much to look at as an instruction to execute.
const BYTES_PER_UNIT: usize = 64;
const ELEMENTS_PER_UNIT: usize = 16;

/// What a body sees of its call. Arguments are counted per bank: `int float bool` among the scalar ones, `any obj text
/// list map` among the references.
pub(crate) struct LibCall<'a> {
    pub(crate) m: &'a mut Machine,
    pub(crate) host: &'a mut dyn Host,
    pub(crate) window: Regs,
    pub(crate) lib: LibId,
}

/// What a body gives back; it must be of the result class of its row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ret {
    /// Nothing, or none where the row says `T?`.
    None,
    Int(i64),
    Float(f64),
    Bool(bool),
    Obj(Obj),
    Any(Word),
}

impl LibCall<'_> {
    /// The n-th scalar argument as an int, time or duration.
    pub(crate) fn int(&self, n: usize) -> i64 {
        self.window.slot(Bank::Scalar, n) as i64
    }

    /// The n-th scalar argument as a float.
    pub(crate) fn float(&self, n: usize) -> f64 {
        f64::from_bits(self.window.slot(Bank::Scalar, n))
    }

    /// The n-th reference argument.
    pub(crate) fn any(&self, n: usize) -> Word {
        Word::from_bits(self.window.slot(Bank::Reference, n))
    }

    fn kind(&self, n: usize, kind: Kind, name: &str) -> Res<Obj> {
        self.any(n).as_kind(kind).ok_or_else(|| self.wrong(n, name))
    }

    /// The position among all arguments of the n-th reference argument.
    fn position_of(&self, n: usize) -> usize {
        let params = &self.lib.signature().params;
        let mut references = (0..params.len()).filter(|at| params[*at].bank() == Bank::Reference);
        references.nth(n).unwrap_or_default()
    }

    /// The error for the n-th reference argument, which is not what it must be.
    #[cold]
    pub(crate) fn wrong(&self, n: usize, expected: &str) -> Fault {
        let found = types::found(self.m, self.any(n));
        Fault::misfit(
            format!("expected {expected}, found {found}"),
            Blame::Argument(self.lib, self.position_of(n)),
        )
    }

    /// The error for an element of the n-th reference argument, a list.
    #[cold]
    pub(crate) fn wrong_element(&self, n: usize, expected: &str, element: Word) -> Fault {
        let found = types::found(self.m, element);
        Fault::misfit(
            format!("expected {expected}, found {found}"),
            Blame::Element(self.lib, self.position_of(n)),
        )
    }

    /// The n-th reference argument, which must be a text (`obj.text()` gives its `&str`).
    pub(crate) fn text(&self, n: usize) -> Res<Obj> {
        self.kind(n, Kind::Text, "text")
    }

    /// The n-th reference argument, which must be a list; of a range the list of its numbers.
    pub(crate) fn list(&mut self, n: usize) -> Res<Obj> {
        match self.any(n).view() {
            View::List(list) => Ok(list),
            View::Range(range) => data::numbers(self, range),
            _ => Err(self.wrong(n, "list")),
        }
    }

    /// The n-th reference argument, which must be a map (record or dictionary).
    pub(crate) fn map(&self, n: usize) -> Res<Obj> {
        match self.any(n).view() {
            View::Map(map) => Ok(map),
            _ => Err(self.wrong(n, "map")),
        }
    }

    /// The n-th reference argument, which must be a query.
    pub(crate) fn query(&self, n: usize) -> Res<Obj> {
        self.kind(n, Kind::Query, "query")
    }

    /// The n-th reference argument, which must be a range.
    pub(crate) fn range(&self, n: usize) -> Res<Obj> {
        self.kind(n, Kind::Range, "range")
    }

    /// Refuses a result of so many bytes before it is made, if it would not fit in memory.
    pub(crate) fn fits(&self, bytes: usize) -> Res<()> {
        let limit = self.m.limits.memory_bytes;
        if bytes > limit {
            Err(Fault::memory(limit))
        } else {
            Ok(())
        }
    }

    /// Charges work that no instruction counts, in units of an instruction; asks the host when it is a slice's worth.
    pub(crate) fn spend(&mut self, units: usize) -> Res<()> {
        if units < SLICE_UNITS {
            return Ok(());
        }
        self.m.fuel_used += units as u64;
        match self.host.slice(units as u64, self.m.heap.used_bytes()) {
            Slice::Go => Ok(()),
            Slice::Stop => Err(Fault::stopped()),
        }
    }

    /// How much work a body has with its arguments: most look at each element once.
    fn size_of_arguments(&self, count: usize) -> usize {
        (0..count)
            .map(|n| match self.any(n).view() {
                View::Text(text) => text.meta() as usize / BYTES_PER_UNIT,
                View::List(list) => list_len(list) / ELEMENTS_PER_UNIT,
                View::Map(map) => self.m.heap.map_len(map) / ELEMENTS_PER_UNIT,
                _ => 0,
            })
            .sum()
    }

    /// A new text as the result.
    pub(crate) fn text_result(&mut self, text: &str) -> Res<Ret> {
        self.m.heap.new_text(text).map(Ret::Obj)
    }
}

/// The characters of a text object.
fn str_of(text: &Obj) -> &str {
    text.text().unwrap_or_default()
}

/// Functions whose work does not grow with their arguments, or which charge for it themselves: in a loop over a long text or
/// list they must not count as if they walked it each time.
fn looks_at_one_place(native: Native) -> bool {
    use Native::{
        AnyIsEmpty, AnyLen, ListFirst, ListIsEmpty, ListLast, ListPop, MapContains, MapDeleteKey,
        MapHasKey, MapIsEmpty, MapKeyAt, MapLen, MapValueAt, TextCodeAt, TextIsEmpty, TextSlice1,
        TextSlice2,
    };
    matches!(
        native,
        TextCodeAt
            | TextIsEmpty
            | TextSlice1
            | TextSlice2
            | ListFirst
            | ListIsEmpty
            | ListLast
            | ListPop
            | MapContains
            | MapDeleteKey
            | MapHasKey
            | MapIsEmpty
            | MapKeyAt
            | MapLen
            | MapValueAt
            | AnyIsEmpty
            | AnyLen
    )
}

/// Runs a library row; the verifier lets only native ones through.
pub(crate) fn call(lib: LibId, call: &mut LibCall<'_>) -> Res<Ret> {
    let native = Native::from_lib(lib).expect("verified: a native library row");
    if !looks_at_one_place(native) {
        let refs = call.m.program.lib(lib).refs;
        call.spend(call.size_of_arguments(refs))?;
    }
    rows::dispatch(native, call)
}
