//! Operands as the caller of the builder hands them over. Here so that every id type can be one. Must stay true: a
//! number is never taken for a register.

use crate::class::Class;
use crate::ids::{
    ConstId, EntityTypeId, FieldNo, FuncId, GlobalId, HandlerId, LibId, Reg, ShapeId, SigId, TypeId,
};

/// A place in the code that jumps name before it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub(super) u32);

/// An operand handed to `FunctionBuilder::emit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A register, or the first register of a window.
    Reg(Reg),
    /// A number or an id.
    Number(i32),
    /// A jump target.
    Label(Label),
}

macro_rules! arg_from {
    ($($ty:ty => |$v:ident| $e:expr;)*) => {$(
        impl From<$ty> for Arg { fn from($v: $ty) -> Arg { $e } }
    )*};
}

arg_from! {
    Reg => |r| Arg::Reg(r);
    Label => |l| Arg::Label(l);
    i32 => |n| Arg::Number(n);
    bool => |n| Arg::Number(i32::from(n));
    Class => |n| Arg::Number(n as i32);
    ConstId => |n| Arg::Number(n.0 as i32);
    ShapeId => |n| Arg::Number(n.0 as i32);
    TypeId => |n| Arg::Number(n.0 as i32);
    GlobalId => |n| Arg::Number(n.0 as i32);
    FuncId => |n| Arg::Number(n.0 as i32);
    SigId => |n| Arg::Number(n.0 as i32);
    LibId => |n| Arg::Number(i32::from(n.0));
    EntityTypeId => |n| Arg::Number(n.0 as i32);
    FieldNo => |n| Arg::Number(n.0);
    HandlerId => |n| Arg::Number(n.0 as i32);
}

/// `emit!(builder, AddI64, dst, x, y)`: emits one instruction, operands in row order (rows' `c: none` left out).
#[macro_export]
macro_rules! emit {
    ($builder:expr, $op:ident $(, $arg:expr)* $(,)?) => {
        $builder.emit($crate::Op::$op, &[$($crate::Arg::from($arg)),*])
    };
}
