//! FLIN bytecode: the op table, the library table and the module image, with everything that is derived from them.
//! Here because compiler, VM, native code and tools must agree on one machine. Must stay true: this crate knows nobody
//! of the workspace and touches no disk, clock or environment.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod build;
pub mod class;
pub mod encode;
pub mod fbc;
pub mod ids;
pub mod library;
pub mod module;
pub mod ops;
pub mod pool;
pub mod query;
pub mod template;
pub mod text;
pub mod verify;

pub use build::{Arg, BuildError, FunctionBuilder, Label, Life, Mark, Window};
pub use class::{Bank, Class};
pub use encode::{DecodeError, Instr};
pub use ids::{
    ConstId, EntityTypeId, FieldNo, FuncId, GlobalId, HandlerId, LibId, PageId, Reg, ShapeId,
    SigId, TypeId,
};
pub use library::{Inline, LIBRARY, LibBody, LibRow, LibType, Native, Purity, Scheme};
pub use module::*;
pub use ops::{Effects, Family, Op, OpRow, Operand, OperandKind, Place};
pub use pool::ModuleBuilder;
pub use query::{
    AskedField, Queries, QueryArg, QueryColumn, QueryComparison, QueryMeaning, QueryTest,
};
pub use template::{ListPlace, Owner, PlaceKind, Runs, Template, TemplatePlace};
pub use text::{assemble, assemble_into, disassemble};
pub use verify::{CodeFault, RegisterFault, VerifyError, VerifyFault, VerifyPlace, verify};
