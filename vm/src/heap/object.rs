//! Objects: an 8-byte header (kind, flags, aux, meta) and 8-byte words after it. Here because header and word access is
//! all that the typed layouts in the neighbour files are built from.
//!
//! Header bits: 0-7 kind, 8-15 flags, 16-31 aux, 32-63 meta; what aux and meta mean is said at each kind.
//! Must stay true: an `Obj` is the address of a live object. Objects die only in `Heap::collect`, which runs between
//! operations, so an `Obj` may be used freely inside one operation and never be kept across operations except in a root.

use std::ptr::NonNull;

use super::{checked, text};
use crate::value::View;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A free block of a page.
    Free = 0,
    /// The one static none object.
    None,
    /// Boxed int: word 1.
    Int,
    /// Boxed float: word 1.
    Float,
    /// Time: word 1, ms since 1970 UTC.
    Time,
    /// Duration: word 1, ms.
    Duration,
    /// Text: see `text.rs`.
    Text,
    /// List: see `list.rs`.
    List,
    /// Record: meta is the shape, slots from word 1.
    Record,
    /// Dictionary: word 1 is its table.
    Dict,
    /// Table of a dictionary (never a value).
    Table,
    /// Bytes that belong to one list or to texts (never a value).
    Buffer,
    /// Closure: meta is the function, aux the number of captures.
    Closure,
    /// Cell: aux is the class of word 1.
    Cell,
    /// Entity: meta is the type; see `entity.rs`.
    Entity,
    /// Query: meta is the entity type, aux the base; see `things.rs`.
    Query,
    /// Error.
    Error,
    /// Response.
    Response,
    /// Range: words 1 and 2, aux 1 if the end is included.
    Range,
    /// Tuple: meta is the number of words.
    Tuple,
    /// Enum value: meta is the number of words from word 2; word 1 is enum and variant.
    Enum,
}

/// A large object that the running collection marked; the marks of blocks stand elsewhere.
pub(super) const FLAG_MARK: u64 = 1 << 8;
/// Not in the VM's heap: never marked, never freed.
pub(super) const FLAG_STATIC: u64 = 2 << 8;
/// A text of ASCII only.
pub(crate) const FLAG_ASCII: u64 = 4 << 8;

/// Has an allocation of its own.
pub(super) const FLAG_LARGE: u64 = 8 << 8;

/// Header bits of a new object.
#[inline(always)]
pub(crate) const fn header(kind: Kind, aux: u16, meta: u32) -> u64 {
    kind as u64 | (aux as u64) << 16 | (meta as u64) << 32
}

/// An object that is part of the program image.
#[repr(C, align(8))]
pub(crate) struct StaticObject([u64; 2]);

/// The none object.
pub(crate) static NONE_OBJECT: StaticObject =
    StaticObject([header(Kind::None, 0, 0) | FLAG_STATIC, 0]);

/// Address of a live object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(crate) struct Obj(NonNull<u64>);

impl Obj {
    /// From an address that is known to be an object's.
    #[inline(always)]
    pub(crate) fn from_non_null(address: NonNull<u64>) -> Obj {
        Obj(address)
    }

    /// Its address.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0.as_ptr() as u64
    }

    #[inline(always)]
    pub(super) fn pointer(self) -> *mut u64 {
        self.0.as_ptr()
    }

    /// The header bits.
    #[inline(always)]
    pub(crate) fn header(self) -> u64 {
        checked::word(self, 0);
        // SAFETY: an `Obj` is the address of a live object, whose first word is the header.
        unsafe { *self.0.as_ptr() }
    }

    #[inline(always)]
    pub(super) fn set_header(self, bits: u64) {
        debug_assert!(
            self.header() & FLAG_STATIC == 0,
            "static objects never change"
        );
        // SAFETY: as for `header`; static objects are never written (asserted).
        unsafe { *self.0.as_ptr() = bits }
    }

    /// Its kind.
    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        // SAFETY: the low byte of a header is only ever written from a `Kind`.
        unsafe { std::mem::transmute::<u8, Kind>(self.header() as u8) }
    }

    /// The aux bits.
    #[inline(always)]
    pub(crate) fn aux(self) -> u16 {
        (self.header() >> 16) as u16
    }

    /// The meta bits.
    #[inline(always)]
    pub(crate) fn meta(self) -> u32 {
        (self.header() >> 32) as u32
    }

    #[inline(always)]
    pub(super) fn set_meta(self, meta: u32) {
        self.set_header((self.header() & 0xffff_ffff) | (u64::from(meta) << 32));
    }

    #[inline(always)]
    pub(super) fn set_aux(self, aux: u16) {
        self.set_header((self.header() & !0xffff_0000) | (u64::from(aux) << 16));
    }

    /// Whether kind and aux are these (one load, one compare).
    #[inline(always)]
    pub(crate) fn is(self, kind: Kind, aux: u16) -> bool {
        self.header() & 0xffff_00ff == header(kind, aux, 0)
    }

    /// Whether kind and meta are these. (Two short compares: a mask for one long compare takes longer to build.)
    #[inline(always)]
    pub(crate) fn is_meta(self, kind: Kind, meta: u32) -> bool {
        let header = self.header();
        (header >> 32) as u32 == meta && header as u8 == kind as u8
    }

    /// Word `index` of the object (the header is word 0). The caller knows the layout.
    #[inline(always)]
    pub(super) fn raw(self, index: usize) -> u64 {
        checked::word(self, index);
        // SAFETY: the typed layouts ask only for words inside the object.
        unsafe { *self.0.as_ptr().add(index) }
    }

    /// Writes word `index`.
    #[inline(always)]
    pub(super) fn set_raw(self, index: usize, bits: u64) {
        checked::word(self, index);
        debug_assert!(index > 0 && self.header() & FLAG_STATIC == 0);
        // SAFETY: as for `raw`; static objects are never written (asserted).
        unsafe { *self.0.as_ptr().add(index) = bits }
    }

    /// What the object means as a value.
    #[inline]
    pub(crate) fn view(self) -> View {
        match self.kind() {
            Kind::None => View::None,
            Kind::Int => View::Int(self.raw(1) as i64),
            Kind::Float => View::Float(f64::from_bits(self.raw(1))),
            Kind::Time => View::Time(self.raw(1) as i64),
            Kind::Duration => View::Duration(self.raw(1) as i64),
            Kind::Text => View::Text(self),
            Kind::List => View::List(self),
            Kind::Record | Kind::Dict => View::Map(self),
            Kind::Closure => View::Closure(self),
            Kind::Cell => View::Cell(self),
            Kind::Entity => View::Entity(self),
            Kind::Query => View::Query(self),
            Kind::Error => View::Error(self),
            Kind::Response => View::Response(self),
            Kind::Range => View::Range(self),
            Kind::Tuple => View::Tuple(self),
            Kind::Enum => View::Enum(self),
            Kind::Free | Kind::Table | Kind::Buffer => {
                unreachable!("an object of kind {:?} is never a value", self.kind())
            }
        }
    }

    /// The text, if it is one.
    #[inline(always)]
    pub(crate) fn text(&self) -> Option<&str> {
        (self.kind() == Kind::Text).then(|| text::as_str(self))
    }

    /// Whether this is the none object.
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.address() == &raw const NONE_OBJECT as u64
    }
}

impl std::fmt::Debug for Obj {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}@{:#x}", self.kind(), self.address())
    }
}
