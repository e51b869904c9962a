//! Alias regions: kinds of memory that never overlap, so that a store to one does not make Cranelift forget what it
//! loaded from another. Here because every load and store names one. Must stay true: one address is always reached
//! through one region between two calls (a call may change any memory); what is parked is written before it is read on
//! every way, and the regions of both differ on purpose.

use std::borrow::Cow;

use cranelift_codegen::ir::{AliasRegion, AliasRegionData, Function, MemFlagsData};
use flin_bytecode::Class;

/// A kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// Slots of frames, in both stacks.
    Frame,
    /// The context of the machine, the call words, the table of functions.
    Context,
    /// Headers of objects.
    Header,
    /// Length and buffer of lists.
    List,
    /// Elements of lists of a class.
    Elements(Class),
    /// Slots of records.
    Record,
    /// What cells and closures hold.
    Captured,
    /// Globals.
    Globals,
    /// What boxed numbers hold (never changes).
    Boxed,
    /// Bump pointers of the heap.
    Bump,
    /// Writing what native code parks in its machine frame.
    Parking,
    /// Reading what is parked. A region of its own, so that Cranelift reads it where it stands instead of keeping it in a
    /// register since it was written.
    Parked,
}

const COUNT: usize = 16;

impl Region {
    const fn number(self) -> usize {
        match self {
            Region::Frame => 0,
            Region::Context => 1,
            Region::Header => 2,
            Region::List => 3,
            Region::Record => 4,
            Region::Captured => 5,
            Region::Globals => 6,
            Region::Boxed => 7,
            Region::Bump => 8,
            Region::Parking => 9,
            Region::Parked => 10,
            Region::Elements(class) => 11 + class as usize,
        }
    }
}

/// The regions of one Cranelift function.
pub(crate) struct Regions([AliasRegion; COUNT]);

impl Regions {
    /// Makes all regions known to the function.
    pub(crate) fn new(func: &mut Function) -> Regions {
        const NAMES: [&str; COUNT] = [
            "frame", "context", "header", "list", "record", "captured", "globals", "boxed", "bump",
            "parking", "parked", "i64s", "f64s", "bools", "refs", "anys",
        ];
        let mut number = 0;
        Regions(NAMES.map(|name| {
            number += 1;
            func.dfg.alias_regions.insert(AliasRegionData {
                user_id: number,
                description: Cow::Borrowed(name),
            })
        }))
    }

    /// Flags of an access in a region: aligned and never trapping, because code is verified and objects are live.
    pub(crate) fn flags(&self, region: Region) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.0[region.number()]))
    }
}
