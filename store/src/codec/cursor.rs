//! Little-endian reading with a definite error, and the matching writes.

/// Bytes that do not decode; `expected` says what should have stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// What should have stood there.
    pub expected: &'static str,
}

/// Reads forward through a slice.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// A reader that starts in the middle; a start beyond the end reads nothing.
    #[inline]
    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Self {
        Cursor {
            bytes,
            at: at.min(bytes.len()),
        }
    }

    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(crate) fn take(
        &mut self,
        len: usize,
        expected: &'static str,
    ) -> Result<&'a [u8], Undecodable> {
        if len > self.left() {
            return Err(Undecodable { expected });
        }
        let found = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(found)
    }

    #[inline]
    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Undecodable> {
        let bytes = self.take(N, expected)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok(array)
    }

    #[inline]
    pub(crate) fn u8(&mut self, expected: &'static str) -> Result<u8, Undecodable> {
        Ok(self.array::<1>(expected)?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self, expected: &'static str) -> Result<u16, Undecodable> {
        Ok(u16::from_le_bytes(self.array(expected)?))
    }

    #[inline]
    pub(crate) fn u32(&mut self, expected: &'static str) -> Result<u32, Undecodable> {
        Ok(u32::from_le_bytes(self.array(expected)?))
    }

    #[inline]
    pub(crate) fn u64(&mut self, expected: &'static str) -> Result<u64, Undecodable> {
        Ok(u64::from_le_bytes(self.array(expected)?))
    }

    #[inline]
    pub(crate) fn i64(&mut self, expected: &'static str) -> Result<i64, Undecodable> {
        Ok(i64::from_le_bytes(self.array(expected)?))
    }

    /// A number in as few bytes as it needs, seven bits each, the lowest first.
    #[inline]
    pub(crate) fn varint(&mut self, expected: &'static str) -> Result<u64, Undecodable> {
        const STOPS: u64 = 0x8080_8080_8080_8080;
        if let Some(word) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            if word & 0x80 == 0 {
                self.at += 1;
                return Ok(word & 0x7F);
            }
            // The first byte without the top bit is the last one; it is 0 in no shortest form.
            let bits = (!word & STOPS).trailing_zeros() + 1;
            if bits <= u64::BITS && word >> (bits - 8) & 0xFF != 0 {
                self.at += bits as usize / 8;
                return Ok(packed(word & (u64::MAX >> (u64::BITS - bits))));
            }
        }
        self.varint_by_byte(expected)
    }

    /// The same for what is near the end, long or wrong.
    fn varint_by_byte(&mut self, expected: &'static str) -> Result<u64, Undecodable> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8(expected)?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                // The tenth byte has room for one bit; and one number has one form.
                let fits = shift < 63 || byte == 1;
                let shortest = byte != 0 || shift == 0;
                return if fits && shortest {
                    Ok(value)
                } else {
                    Err(Undecodable { expected })
                };
            }
        }
        Err(Undecodable { expected })
    }

    /// Where the next byte is read.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn bytes16(&mut self, expected: &'static str) -> Result<[u8; 16], Undecodable> {
        self.array(expected)
    }

    /// A `u32` length and that many bytes of UTF-8.
    pub(crate) fn text(&mut self, expected: &'static str) -> Result<&'a str, Undecodable> {
        let len = self.u32(expected)? as usize;
        std::str::from_utf8(self.take(len, expected)?).map_err(|_| Undecodable { expected })
    }
}

/// The seven low bits of each byte, next to each other.
#[inline]
fn packed(word: u64) -> u64 {
    let by_7 = word & 0x7F7F_7F7F_7F7F_7F7F;
    let by_14 = by_7 & 0x007F_007F_007F_007F | (by_7 & 0x7F00_7F00_7F00_7F00) >> 1;
    let by_28 = by_14 & 0x0000_3FFF_0000_3FFF | (by_14 & 0x3FFF_0000_3FFF_0000) >> 2;
    by_28 & 0x0FFF_FFFF | (by_28 & 0x0FFF_FFFF_0000_0000) >> 4
}

/// The `u32` at `at` of a slice known to be long enough.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut array = [0; 4];
    array.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(array)
}

/// The `u64` at `at` of a slice known to be long enough.
#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut array = [0; 8];
    array.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(array)
}

/// Appends a number in as few bytes as it needs (see `Cursor::varint`).
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed number so that small ones of both signs are small (0, -1, 1, -2, … become 0, 1, 2, 3, …).
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The signed number again.
#[inline]
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a `u32` length and the text.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends zeros up to the next multiple of eight.
pub(crate) fn pad8(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a number is read as when eight bytes follow it, so that they are taken at once, and when nothing does.
    fn both_ways(bytes: &[u8]) -> [(Result<u64, Undecodable>, usize); 2] {
        let followed = [bytes, &[0xFF; 8]].concat();
        [&followed[..], bytes].map(|bytes| {
            let mut cursor = Cursor::new(bytes);
            (cursor.varint("a number"), cursor.position())
        })
    }

    #[test]
    fn numbers_are_read_alike_eight_bytes_at_once_and_one_by_one() {
        let edges = (0..u64::BITS).flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit]);
        for number in edges.chain([0x0123_4567_89AB_CDEF, 0xFEDC_BA98]) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            let right = (Ok(number), bytes.len());
            assert_eq!(both_ways(&bytes), [right, right], "{number}");
        }
    }

    #[test]
    fn a_number_has_one_form_however_it_is_read() {
        // A last byte that adds nothing, and bits that no number has.
        for bytes in [
            &[0x80, 0x00][..],
            &[0xFF, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            &[0x80; 8],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
        ] {
            let found = both_ways(bytes);
            assert!(found[1].0.is_err(), "{bytes:?}");
            // Eight continued bytes go on with what follows them, which is no end either.
            assert!(found[0].0.is_err(), "{bytes:?}");
        }
    }
}
