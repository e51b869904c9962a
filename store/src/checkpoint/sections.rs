//! The door for other indexes: they put sections into checkpoints and get them back, mapped, when the store opens.
//!
//! How: return what is to be kept from `Shared::freeze_sections`; ask `Shared::base` for a section by its name, and
//! `TypeIndex::changed_since_base` for what changed behind the checkpoint. What must stay true: a section is optional for
//! its reader; a bad block of it means "build it from the records".

use crate::shared::Shared;

/// A section taken at one moment and turned into bytes later, on the checkpoint's thread.
pub(crate) struct FrozenSection {
    /// Name in the checkpoint, such as `query/…`; at most 65,535 bytes.
    pub(crate) name: String,
    /// Makes the bytes; runs while the store goes on, so it owns or shares what it needs.
    pub(crate) bytes: Box<dyn FnOnce() -> Vec<u8> + Send>,
}

impl Shared {
    /// Sections of other indexes as of the published state. Runs on the committer's thread between two batches: it clones
    /// pointers, nothing more.
    pub(crate) fn freeze_sections(&self) -> Vec<FrozenSection> {
        self.tables.freeze(self)
    }
}
