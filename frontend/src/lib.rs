//! The compiler as a library: source text in, module or diagnostics out; no file, clock or environment is touched here.
//! Stages, in order: `flin_syntax::parse`, `resolve` (names), `infer` (types), `lower` (bytecode).

pub mod hir;
pub mod types;
