//! Why bytes are no module. Here because every layer that opens a file reports it. Must stay true: one variant per
//! reason, with offset, expected and found where they are known.

use std::fmt;

use super::{FILE_BYTES_MAX, FORMAT_VERSION, Section};

/// Why bytes are no module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FbcError {
    /// The file is larger than `FILE_BYTES_MAX`.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The first bytes are not `MAGIC`.
    NotFbc,
    /// Another layout.
    Version {
        /// The version in the file.
        found: u32,
    },
    /// The file was made for other op or library tables.
    Tables {
        /// The fingerprint in the file.
        found: u64,
        /// The fingerprint of this program.
        expected: u64,
    },
    /// The bytes end too early.
    Truncated {
        /// Where.
        section: Section,
        /// Offset in the section.
        offset: usize,
        /// How many bytes should have followed.
        needed: usize,
        /// How many did.
        left: usize,
    },
    /// The bytes are not those that were written.
    Checksum {
        /// Where.
        section: Section,
        /// The CRC-32 in the file.
        stored: u32,
        /// The CRC-32 of the bytes.
        computed: u32,
    },
    /// There are bytes after the end.
    Trailing {
        /// After the end of what.
        section: Section,
        /// How many.
        bytes: usize,
    },
    /// A number that stands for one of several forms is none of them.
    BadTag {
        /// Where.
        section: Section,
        /// Offset in the section.
        offset: usize,
        /// What was to be read.
        what: &'static str,
        /// The number.
        tag: u64,
    },
    /// A number is too big for its place, or not written in the shortest form.
    BadNumber {
        /// Where.
        section: Section,
        /// Offset in the section.
        offset: usize,
    },
    /// A text is not UTF-8.
    BadText {
        /// Where.
        section: Section,
        /// Offset in the section.
        offset: usize,
    },
    /// The lines section speaks of another number of functions.
    LineTables {
        /// How many functions there are.
        functions: usize,
        /// How many line tables.
        tables: usize,
    },
}

impl fmt::Display for FbcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FbcError::TooLarge { bytes } => {
                write!(
                    f,
                    "the file has {bytes} bytes; compiled FLIN files have at most {FILE_BYTES_MAX}"
                )
            }
            FbcError::NotFbc => write!(
                f,
                "this is not a compiled FLIN file (its first bytes are not those of .fbc)"
            ),
            FbcError::Version { found } => {
                write!(
                    f,
                    "the file has format version {found}, this program reads version {FORMAT_VERSION}; compile the source again"
                )
            }
            FbcError::Tables { found, expected } => write!(
                f,
                "the file was compiled for other operations (tables {found:016x}, this program has {expected:016x}); compile the source again"
            ),
            FbcError::Truncated {
                section,
                offset,
                needed,
                left,
            } => write!(
                f,
                "the file ends too early: {section} at byte {offset} needs {needed} bytes, {left} are left"
            ),
            FbcError::Checksum {
                section,
                stored,
                computed,
            } => write!(
                f,
                "the file is damaged: checksum of {section} is {computed:08x}, the file says {stored:08x}"
            ),
            FbcError::Trailing { section, bytes } => {
                write!(
                    f,
                    "the file is damaged: {bytes} bytes too many after the {section}"
                )
            }
            FbcError::BadTag {
                section,
                offset,
                what,
                tag,
            } => {
                write!(
                    f,
                    "the file is damaged: {section} at byte {offset}: no {what} has the number {tag}"
                )
            }
            FbcError::BadNumber { section, offset } => {
                write!(
                    f,
                    "the file is damaged: {section} at byte {offset}: a number does not fit"
                )
            }
            FbcError::BadText { section, offset } => {
                write!(
                    f,
                    "the file is damaged: {section} at byte {offset}: a text is not UTF-8"
                )
            }
            FbcError::LineTables { functions, tables } => {
                write!(
                    f,
                    "the file is damaged: {functions} functions, but {tables} line tables"
                )
            }
        }
    }
}

impl std::error::Error for FbcError {}
