//! The compiler as a library: source text in, module or diagnostics out; no file, clock or environment is touched here.
//! Stages, in order: `flin_syntax::parse`, `resolve` (names), `infer` (types), `lower` (bytecode), `optimise`.

pub mod browser;
pub mod cases;
mod compile;
mod copies;
pub mod disk;
pub mod hir;
mod html;
mod ids;
pub mod infer;
mod intact;
mod kinds;
pub mod lower;
mod near;
pub mod operands;
pub mod optimise;
mod prelude;
pub mod project;
pub mod resolve;
mod surface;
mod texts;
mod travels;
pub mod types;
pub mod unsupported;

pub use compile::{
    Compiled, DIAGNOSTICS_MAX, compile, compile_project, compile_with, page_script, script,
};
pub use flin_syntax as syntax;
pub use prelude::PRELUDE;
pub use surface::surface;
