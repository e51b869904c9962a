//! The `.fbc` file: a module as bytes. Here because compiler and VM exchange modules only in this form. Must stay true:
//! equal modules give equal bytes; a reader refuses everything it does not know, with a reason, and never panics or
//! allocates more than the input is worth.
//!
//! Layout, all numbers little endian: magic (8 bytes), format version (u32), fingerprint of op and library table (u64),
//! then per section in `Section::ALL` order its length (u32) and CRC-32 (u32), then the CRC-32 (u32) of all before;
//! then the sections' bytes without gaps, and nothing after them. Inside sections counts and ids are LEB128 numbers,
//! texts a length and UTF-8, instruction words 8 bytes.

mod error;
mod fingerprint;
mod sections;
mod wire;

pub use error::FbcError;
pub use fingerprint::fingerprint;

use crate::module::Module;
use sections::{read_section, write_section};
use wire::Reader;

/// First bytes of every file.
pub const MAGIC: [u8; 8] = *b"\x7fFLINBC\n";
/// Version of the layout described above.
pub const FORMAT_VERSION: u32 = 5;
/// Largest file that is read (a module that big is a mistake or an attack).
pub const FILE_BYTES_MAX: usize = 256 << 20;

const TABLE_AT: usize = 8 + 4 + 8;
const HEADER_BYTES: usize = TABLE_AT + Section::ALL.len() * 8 + 4;

/// A part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Magic, version, fingerprint, lengths and checksums.
    Header,
    /// Source name, entry functions.
    Program,
    /// Constants.
    Constants,
    /// Types.
    Types,
    /// Record shapes.
    Shapes,
    /// Entities.
    Entities,
    /// Enums.
    Enums,
    /// Globals.
    Globals,
    /// Signatures of closures.
    Signatures,
    /// Functions, without their lines.
    Functions,
    /// Line tables of the functions.
    Lines,
    /// Pages.
    Pages,
    /// Routes.
    Routes,
    /// Tests.
    Tests,
    /// What queries ask.
    Queries,
    /// Files that are served as they are.
    Assets,
}

impl Section {
    /// The sections behind the header, in file order.
    pub const ALL: [Section; 15] = [
        Section::Program,
        Section::Constants,
        Section::Types,
        Section::Shapes,
        Section::Entities,
        Section::Enums,
        Section::Globals,
        Section::Signatures,
        Section::Functions,
        Section::Lines,
        Section::Pages,
        Section::Routes,
        Section::Tests,
        Section::Queries,
        Section::Assets,
    ];

    /// The word used in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Header => "header",
            Section::Program => "program",
            Section::Constants => "constants",
            Section::Types => "types",
            Section::Shapes => "shapes",
            Section::Entities => "entities",
            Section::Enums => "enums",
            Section::Globals => "globals",
            Section::Signatures => "signatures",
            Section::Functions => "functions",
            Section::Lines => "lines",
            Section::Pages => "pages",
            Section::Routes => "routes",
            Section::Tests => "tests",
            Section::Queries => "queries",
            Section::Assets => "assets",
        }
    }
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The bytes of a module.
pub fn write(module: &Module) -> Vec<u8> {
    let sections: Vec<Vec<u8>> = Section::ALL
        .iter()
        .map(|s| write_section(module, *s))
        .collect();
    let mut out = Vec::with_capacity(HEADER_BYTES + sections.iter().map(Vec::len).sum::<usize>());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&fingerprint().to_le_bytes());
    for bytes in &sections {
        let length = u32::try_from(bytes.len()).expect("a section fits in 4 GiB");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    }
    let header_crc = crc32fast::hash(&out);
    out.extend_from_slice(&header_crc.to_le_bytes());
    for bytes in &sections {
        out.extend_from_slice(bytes);
    }
    out
}

/// The module that these bytes hold. It is not verified yet (`crate::verify`).
pub fn read(bytes: &[u8]) -> Result<Module, FbcError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FbcError::TooLarge { bytes: bytes.len() });
    }
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] || bytes.is_empty() {
        return Err(FbcError::NotFbc);
    }
    let mut header = Reader::new(bytes, Section::Header);
    header.take(MAGIC.len())?;
    let version = header.fixed_u32()?;
    if version != FORMAT_VERSION {
        return Err(FbcError::Version { found: version });
    }
    let found = header.fixed_u64()?;
    header.take(HEADER_BYTES - TABLE_AT - 4)?;
    let stored = header.fixed_u32()?;
    let computed = crc32fast::hash(&bytes[..HEADER_BYTES - 4]);
    if stored != computed {
        return Err(FbcError::Checksum {
            section: Section::Header,
            stored,
            computed,
        });
    }
    if found != fingerprint() {
        return Err(FbcError::Tables {
            found,
            expected: fingerprint(),
        });
    }
    let mut table = Reader::new(&bytes[TABLE_AT..], Section::Header);
    let mut rest = &bytes[HEADER_BYTES..];
    let mut module = Module::default();
    for section in Section::ALL {
        let length = table.fixed_u32()? as usize;
        let stored = table.fixed_u32()?;
        if length > rest.len() {
            return Err(FbcError::Truncated {
                section,
                offset: 0,
                needed: length,
                left: rest.len(),
            });
        }
        let (payload, after) = rest.split_at(length);
        rest = after;
        let computed = crc32fast::hash(payload);
        if stored != computed {
            return Err(FbcError::Checksum {
                section,
                stored,
                computed,
            });
        }
        let mut reader = Reader::new(payload, section);
        read_section(&mut module, section, &mut reader)?;
        if reader.left() != 0 {
            return Err(FbcError::Trailing {
                section,
                bytes: reader.left(),
            });
        }
    }
    if rest.is_empty() {
        Ok(module)
    } else {
        Err(FbcError::Trailing {
            section: Section::Tests,
            bytes: rest.len(),
        })
    }
}
