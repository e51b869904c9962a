//! Representation classes: what the bits of an 8-byte register mean. Here because the op table, the compiler, the
//! verifier and both engines speak of them. Must stay true: a register has one class in its whole function; scalars
//! live in the scalar bank, `ref` and `any` in the reference bank, so the reference bank is exactly the set of roots.

/// Representation class of a register, parameter, result, global, record slot or list element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 64-bit signed integer; also `time` (ms since 1970 UTC) and `duration` (ms).
    I64 = 0,
    /// IEEE 754 double.
    F64 = 1,
    /// 0 or 1 in the low byte; any other bit pattern counts as true.
    Bool = 2,
    /// Pointer to a heap or static object, never null once written; none is the static object of kind None.
    Ref = 3,
    /// Tagged word: small int, bool, none, common float inline; else a pointer to an object (boxed scalars included).
    Any = 4,
}

/// The two banks of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bank {
    /// Untyped 8-byte scalars; never looked at by the collector.
    Scalar,
    /// References and tagged words; nulled at entry, all of it roots.
    Reference,
}

impl Class {
    /// All classes in number order.
    pub const ALL: [Class; 5] = [Class::I64, Class::F64, Class::Bool, Class::Ref, Class::Any];

    /// The bank in which registers of this class live.
    pub const fn bank(self) -> Bank {
        match self {
            Class::I64 | Class::F64 | Class::Bool => Bank::Scalar,
            Class::Ref | Class::Any => Bank::Reference,
        }
    }

    /// Whether a register of this class may stand where `wanted` is read. Besides its own class a `ref` may be read as
    /// `any`: the address of an object is a valid tagged word, and the none object and the none word are the same bits.
    /// The reverse never holds, and nothing is ever written to a register of another class.
    pub const fn reads_as(self, wanted: Class) -> bool {
        self as u8 == wanted as u8 || matches!((self, wanted), (Class::Ref, Class::Any))
    }

    /// The class with this number, if there is one.
    pub const fn from_u8(n: u8) -> Option<Class> {
        match n {
            0 => Some(Class::I64),
            1 => Some(Class::F64),
            2 => Some(Class::Bool),
            3 => Some(Class::Ref),
            4 => Some(Class::Any),
            _ => None,
        }
    }

    /// The name used in mnemonics and disassembly.
    pub const fn name(self) -> &'static str {
        match self {
            Class::I64 => "i64",
            Class::F64 => "f64",
            Class::Bool => "bool",
            Class::Ref => "ref",
            Class::Any => "any",
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Bank {
    /// The word used in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Bank::Scalar => "scalar",
            Bank::Reference => "reference",
        }
    }
}
