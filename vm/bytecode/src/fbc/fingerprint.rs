//! The fingerprint of the op and library tables. Here because a `.fbc` file is only meaningful with the tables it was
//! compiled for. Must stay true: whatever changes the meaning of bytes (numbers, operands, effects, schemes) changes
//! it; wording of docs does not.

use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher};
use std::sync::OnceLock;

use crate::library::{LIBRARY, LibBody};
use crate::ops::Op;

/// The fingerprint of the tables of this build.
pub fn fingerprint() -> u64 {
    static FINGERPRINT: OnceLock<u64> = OnceLock::new();
    *FINGERPRINT.get_or_init(|| {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for op in Op::ALL {
            let row = op.row();
            hash.text(row.mnemonic);
            (row.family, row.operands, row.effects).hash(&mut hash);
        }
        for row in LIBRARY {
            // What the compiler does in place or in FLIN is in the file itself.
            if let LibBody::Native(native) = row.body {
                hash.text(row.name);
                hash.text(row.scheme_text);
                // A hash takes everything.
                let _ = write!(hash, "{native:?}");
            }
        }
        hash.0
    })
}

/// FNV-1a, 64 bits: small, stable for ever, and no adversary chooses the tables. Each program start computes it, so the rows
/// are hashed as they are, not as text.
struct Fnv(u64);

impl Fnv {
    fn text(&mut self, text: &str) {
        self.write(text.as_bytes());
        self.write_u8(0xff);
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    // Numbers are small and count as one step, so word size and byte order of the machine do not matter.
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl std::fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.text(text);
        Ok(())
    }
}
