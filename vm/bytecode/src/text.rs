//! Functions as text, and back. Here because people read disassembly (`flinc disasm`) and tests of the machine are
//! written as text. Must stay true: what `disassemble` writes for a function, `assemble_into` reads back to the same
//! function, given the same tables.
//!
//! One instruction per line: mnemonic, then operands in row order: registers `s0` (scalar) and `r0` (reference),
//! constants as literals, shapes as `{x f64, y f64}`, signatures as `(i64) -> ref`, library rows as `name: scheme`,
//! everything else by number as `#3`. `;` begins a comment. A label is a name and a colon.

mod assemble;
mod disassemble;
mod lines;
mod opcodes;

pub use assemble::{AssembleError, AssembleFault, assemble, assemble_into};
pub use disassemble::{disassemble, disassemble_function};
pub use opcodes::opcodes_page;
