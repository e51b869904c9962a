//! Data as text: JSON lines and CSV out of a snapshot and into a store, for people and other programs.
//!
//! What must stay true: what was exported is imported as the same records with the same numbers, versions and times, and
//! exporting that gives the same text; nothing is imported before everything was checked.

mod check;
mod csv;
mod export;
mod head;
mod import;
mod iso;
pub(crate) mod json;
mod order;
mod stop;
mod used;
mod values;

#[cfg(test)]
mod odd_input;
#[cfg(test)]
mod tests;

pub use export::{ExportError, Exported, Form, export};
pub use head::schema_of_export;
pub use import::{ImportOptions, ImportPlan, Imported, plan_import};
pub use iso::{parse_time, time_text};
pub use stop::{ImportError, Stop};
pub use values::value_text;
