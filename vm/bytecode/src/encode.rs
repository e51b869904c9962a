//! The instruction word: how an operation and its operands stand in 8 bytes. Here because the builder, the verifier, the
//! disassembler and both engines take words apart. Must stay true: bits 0-15 op, 16-23 a, 24-31 b, then either a 32-bit
//! immediate, or c in bits 32-39 and a signed 24-bit immediate in bits 40-63; which one is a property of the op's row.

use std::fmt;

use crate::ops::{Op, Place};

/// Smallest narrow immediate.
pub const NARROW_MIN: i32 = -(1 << 23);
/// Largest narrow immediate.
pub const NARROW_MAX: i32 = (1 << 23) - 1;

/// An instruction taken apart. Places that the row does not use are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instr {
    /// The operation.
    pub op: Op,
    /// Byte operand a.
    pub a: u8,
    /// Byte operand b.
    pub b: u8,
    /// Byte operand c (rows with `c` only).
    pub c: u8,
    /// The immediate, sign-extended.
    pub imm: i32,
}

/// Why a word is no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// No row has this number.
    UnknownOp {
        /// The number found.
        number: u16,
    },
    /// A place that the row does not use is not zero.
    UnusedNotZero {
        /// The operation.
        op: Op,
        /// The place.
        place: Place,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownOp { number } => {
                write!(
                    f,
                    "there is no operation number {number} (the highest is {})",
                    Op::COUNT - 1
                )
            }
            DecodeError::UnusedNotZero { op, place } => {
                write!(
                    f,
                    "`{}` has no operand {}, but its bits are not zero",
                    op.mnemonic(),
                    place.name()
                )
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// The op number of a word.
#[inline(always)]
pub const fn op_number(word: u64) -> u16 {
    word as u16
}

/// Byte operand a of a word.
#[inline(always)]
pub const fn a(word: u64) -> u8 {
    (word >> 16) as u8
}

/// Byte operand b of a word.
#[inline(always)]
pub const fn b(word: u64) -> u8 {
    (word >> 24) as u8
}

/// Byte operand c of a word.
#[inline(always)]
pub const fn c(word: u64) -> u8 {
    (word >> 32) as u8
}

/// The wide immediate of a word (rows without `c`).
#[inline(always)]
pub const fn imm32(word: u64) -> i32 {
    (word >> 32) as i32
}

/// The narrow immediate of a word (rows with `c`), sign-extended.
#[inline(always)]
pub const fn imm24(word: u64) -> i32 {
    ((word as i64) >> 40) as i32
}

/// A `mov.wide` immediate from its two registers.
pub const fn reg_pair(destination: u16, source: u16) -> i32 {
    (((destination as u32) << 16) | source as u32) as i32
}

/// The (destination, source) registers of a `mov.wide` immediate.
#[inline(always)]
pub const fn split_reg_pair(imm: i32) -> (u16, u16) {
    ((imm as u32 >> 16) as u16, imm as u16)
}

impl Instr {
    /// An instruction with all operands zero.
    pub const fn new(op: Op) -> Instr {
        Instr {
            op,
            a: 0,
            b: 0,
            c: 0,
            imm: 0,
        }
    }

    /// The word. A narrow immediate must fit (own bug otherwise).
    pub fn encode(self) -> u64 {
        let low = u64::from(self.op.number()) | u64::from(self.a) << 16 | u64::from(self.b) << 24;
        if self.op.is_narrow() {
            assert!(
                (NARROW_MIN..=NARROW_MAX).contains(&self.imm),
                "immediate {} of {:?} needs more than 24 bits",
                self.imm,
                self.op
            );
            low | u64::from(self.c) << 32 | u64::from(self.imm as u32) << 40
        } else {
            low | u64::from(self.imm as u32) << 32
        }
    }

    /// Takes a word apart; refuses unknown numbers and bits in unused places.
    pub fn decode(word: u64) -> Result<Instr, DecodeError> {
        let number = op_number(word);
        let Some(op) = Op::from_u16(number) else {
            return Err(DecodeError::UnknownOp { number });
        };
        let (c, imm) = if op.is_narrow() {
            (c(word), imm24(word))
        } else {
            (0, imm32(word))
        };
        let instr = Instr {
            op,
            a: a(word),
            b: b(word),
            c,
            imm,
        };
        for place in Place::ALL {
            let used = match op.operand(place) {
                None | Some(crate::ops::OperandKind::Unused) => false,
                Some(_) => true,
            };
            if !used && instr.at(place) != 0 {
                return Err(DecodeError::UnusedNotZero { op, place });
            }
        }
        Ok(instr)
    }

    /// The raw number at a place.
    pub const fn at(&self, place: Place) -> i32 {
        match place {
            Place::A => self.a as i32,
            Place::B => self.b as i32,
            Place::C => self.c as i32,
            Place::Imm => self.imm,
        }
    }

    /// Puts a number at a place; false if it does not fit there.
    pub fn set(&mut self, place: Place, number: i32) -> bool {
        let byte = u8::try_from(number);
        match (place, byte) {
            (Place::A, Ok(n)) => self.a = n,
            (Place::B, Ok(n)) => self.b = n,
            (Place::C, Ok(n)) => self.c = n,
            (Place::Imm, _) => {
                if self.op.is_narrow() && !(NARROW_MIN..=NARROW_MAX).contains(&number) {
                    return false;
                }
                self.imm = number;
            }
            (Place::A | Place::B | Place::C, Err(_)) => return false,
        }
        true
    }
}
