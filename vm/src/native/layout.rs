//! Where native code finds things: offsets in the context, in prepared functions, in the heap's tables and in objects; kind
//! numbers and the encoding of words. Here so that a compiler repeats no number: all are taken from the real types.
//! Must stay true: what stands here is what `heap/` and `frame.rs` do; nothing is written down twice.

use std::mem::{offset_of, size_of};

use flin_bytecode::Class;

use super::NativeContext;
use crate::frame::FuncInfo;
use crate::heap::{self, Kind, SizeClass};
use crate::value::repr;

/// `NativeContext::fuel`, bytes from its start; the same for all `CONTEXT_` offsets.
pub const CONTEXT_FUEL: i32 = offset_of!(NativeContext, fuel) as i32;
/// `NativeContext::depth_limit`.
pub const CONTEXT_DEPTH_LIMIT: i32 = offset_of!(NativeContext, depth_limit) as i32;
/// `NativeContext::globals`.
pub const CONTEXT_GLOBALS: i32 = offset_of!(NativeContext, globals) as i32;
/// `NativeContext::classes`.
pub const CONTEXT_CLASSES: i32 = offset_of!(NativeContext, classes) as i32;
/// `NativeContext::native_ops`.
pub const CONTEXT_NATIVE_OPS: i32 = offset_of!(NativeContext, native_ops) as i32;

/// `NativeContext::until_leaving`.
pub const CONTEXT_UNTIL_LEAVING: i32 = offset_of!(NativeContext, until_leaving) as i32;

/// Address of the native code of a prepared function, null while there is none.
pub const FUNC_NATIVE: i32 = offset_of!(FuncInfo, native) as i32;
/// Address of the trampoline that enters it.
pub const FUNC_TRAMPOLINE: i32 = offset_of!(FuncInfo, trampoline) as i32;
/// Key of its signature, u32.
pub const FUNC_SIGNATURE: i32 = offset_of!(FuncInfo, signature) as i32;
/// Bytes from one prepared function to the next.
pub const FUNC_STRIDE: i32 = size_of::<FuncInfo>() as i32;

/// Most slots in each bank of a frame for which native code may be published.
pub const SLOTS_MAX: usize = crate::stack_memory::NATIVE_SLOTS_MAX;
/// Most bytes of machine stack that a native frame may use.
pub const MACHINE_FRAME_BYTES: usize = super::entering::MACHINE_FRAME_BYTES;

/// The next block of a size class.
pub const SIZE_CLASS_BUMP: i32 = offset_of!(SizeClass, bump) as i32;
/// A block that would end behind this is left to the dispatch loop (which may find more, collect or refuse).
pub const SIZE_CLASS_BUMP_END: i32 = offset_of!(SizeClass, bump_end) as i32;
/// Bytes from one size class to the next.
pub const SIZE_CLASS_STRIDE: i32 = size_of::<SizeClass>() as i32;

/// Number of elements of a list, counted from its header in bytes; the same for all below.
pub const LIST_LEN: i32 = heap::LIST_LEN_WORD as i32 * 8;
/// Address of its buffer, 0 while there is none.
pub const LIST_BUFFER: i32 = heap::LIST_BUFFER_WORD as i32 * 8;
/// First element in the buffer. Elements are words; bools are bytes.
pub const LIST_DATA: i32 = 8;
/// Elements that fit into the buffer, u32 (the meta half of the header).
pub const LIST_CAPACITY: i32 = META;
/// First slot of a record, first capture of a closure, the value of a cell or boxed scalar.
pub const SLOT_FIRST: i32 = 8;
/// The meta half of a header: shape of a record, function of a closure, length in bytes of a text.
pub const META: i32 = 4;

/// Kind and aux of a header.
pub const KIND_AUX_MASK: u64 = 0xffff_00ff;
/// Kind and meta of a header.
pub const KIND_META_MASK: u64 = 0xffff_ffff_0000_00ff;
/// Kind of a header.
pub const KIND_MASK: u64 = 0xff;

/// Flag in the header of a text of ASCII only.
pub const TEXT_ASCII: u64 = heap::FLAG_ASCII;

/// Aux of a text whose bytes stand in the buffer of its word 1; of others they stand from word 1 on.
pub const TEXT_BUFFERED: u16 = heap::TEXT_BUFFERED;
/// Where the bytes begin in a text's buffer.
pub const TEXT_BUFFER_DATA: i32 = heap::TEXT_BUFFER_DATA_WORD as i32 * 8;
/// Bytes from the text of one ASCII character to that of the next code; `Native::characters` is the first one.
pub const CHARACTER_STRIDE: i64 = 16;

/// Kinds of objects that native code compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    /// The one none object.
    None,
    /// A boxed int.
    Int,
    /// A boxed float.
    Float,
    /// A boxed time.
    Time,
    /// A boxed duration.
    Duration,
    /// A text; meta is its length in bytes.
    Text,
    /// A list; aux is the class of its elements, meta its capacity.
    List,
    /// A record; meta is its shape.
    Record,
    /// A dictionary.
    Dict,
    /// An error.
    Error,
    /// A closure; meta is its function, aux the number of captures.
    Closure,
    /// A cell; aux is the class of its value.
    Cell,
}

impl NativeKind {
    const fn kind(self) -> Kind {
        match self {
            NativeKind::None => Kind::None,
            NativeKind::Int => Kind::Int,
            NativeKind::Float => Kind::Float,
            NativeKind::Time => Kind::Time,
            NativeKind::Duration => Kind::Duration,
            NativeKind::Text => Kind::Text,
            NativeKind::List => Kind::List,
            NativeKind::Record => Kind::Record,
            NativeKind::Dict => Kind::Dict,
            NativeKind::Error => Kind::Error,
            NativeKind::Closure => Kind::Closure,
            NativeKind::Cell => Kind::Cell,
        }
    }
}

/// Header of a new object without flags.
pub const fn header_bits(kind: NativeKind, aux: u16, meta: u32) -> u64 {
    heap::header(kind.kind(), aux, meta)
}

/// The aux bits that stand for a class (lists, cells).
pub const fn class_aux(class: Class) -> u16 {
    class as u16
}

/// Index of the size class for so many words (the header included) and the words of its blocks; none if an object of
/// that size gets an allocation of its own.
pub fn size_class(words: usize) -> Option<(usize, usize)> {
    heap::size_class(words)
}

/// How the `any` word encodes values that need no object; `value/repr.rs` says how they are used.
pub mod word {
    use super::repr;

    /// Low bit of an int of 63 bits.
    pub const INT_TAG: u64 = 1;
    /// Low two bits of an inline float.
    pub const FLOAT_TAG: u64 = repr::FLOAT_TAG;
    /// The word of 0.0.
    pub const FLOAT_ZERO: u64 = repr::FLOAT_ZERO;
    /// Bits of the one float with a common exponent that has no inline word.
    pub const FLOAT_CLASH: u64 = repr::FLOAT_CLASH;
    /// The word of false.
    pub const FALSE: u64 = repr::Word::FALSE.bits();
    /// The word of true.
    pub const TRUE: u64 = repr::Word::TRUE.bits();
}
