//! Named limits of the front door, each with the reason for its size.
//!
//! Whatever a source text may contain, memory and stack stay bounded because of these numbers. Each of them has an
//! ordinary diagnostic.

/// Open brackets, tags and text literals inside one another. People stay below 20; every level costs stack in all walks.
pub const BRACKET_DEPTH_MAX: u32 = 256;

/// Height of any tree, see [`crate::ast::Height`]. Left-leaning chains (`a + a + …`) count too: walks recurse into them.
pub const TREE_HEIGHT_MAX: u32 = 2_000;

/// Size of one source file in bytes. Offsets are `u32`, and no person writes files this long.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Words, numbers, signs and pieces of text of one source file; 100,000 lines of a program have about 700,000. Each costs
/// time and memory in all stages, so that a file of nothing but the smallest ones is no burden.
pub const TOKENS_MAX: usize = 1_000_000;

/// Errors shown per run. More than that help nobody, and recovery costs time per error.
pub const ERRORS_SHOWN_MAX: usize = 50;

/// Warnings shown per run, for the same reason.
pub const WARNINGS_SHOWN_MAX: usize = 50;

/// Tokens looked at to find the end of a generic's `<…>`. Without it, a line of many `<` would take quadratic time.
pub const GENERIC_LOOK_TOKENS_MAX: usize = 64;

/// Messages kept by one stage before sorting. Bounds the memory that a file of nothing but mistakes can take.
pub const MESSAGES_KEPT_MAX: usize = 1_000;
