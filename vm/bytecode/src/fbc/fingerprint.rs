//! The fingerprint of the op and library tables. Here because a `.fbc` file is only meaningful with the tables it was
//! compiled for. Must stay true: whatever changes the meaning of bytes (numbers, operands, effects, schemes) changes
//! it; wording of docs does not.

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
            hash.text(&format!(
                "{:?} {:?} {:?}",
                row.family, row.operands, row.effects
            ));
        }
        for row in LIBRARY {
            // What the compiler does in place or in FLIN is in the file itself.
            if let LibBody::Native(native) = row.body {
                hash.text(row.name);
                hash.text(row.scheme_text);
                hash.text(&format!("{native:?}"));
            }
        }
        hash.0
    })
}

/// FNV-1a, 64 bits: small, stable for ever, and no adversary chooses the tables.
struct Fnv(u64);

impl Fnv {
    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
