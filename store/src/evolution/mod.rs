//! How a store follows a program that changes: what differs, what that does to the data, and who has to agree.
//!
//! What must stay true: what loses nothing is done without asking; what would lose or misread a value is refused with what
//! it would cost and what to do, and is done only by consent; the log itself keeps everything either way.

mod change;
mod convert;
mod evolve;
mod judge;

pub use change::{Consent, SchemaChange};
pub(crate) use convert::convert;
pub(crate) use evolve::evolve;
pub(crate) use judge::judge;
pub use judge::{SchemaPlan, plan_schema};
