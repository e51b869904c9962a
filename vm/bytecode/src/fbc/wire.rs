//! Plain values as bytes and back: numbers, texts, lists, options. Here because every section is made of them. Must
//! stay true: `read` accepts exactly what `write` produces (numbers in their shortest form), bounds every count by the
//! bytes that are left, and reports the offset of what is wrong.

use super::{FbcError, Section};

/// Reads from the bytes of one section.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    section: Section,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], section: Section) -> Reader<'a> {
        Reader {
            bytes,
            at: 0,
            section,
        }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], FbcError> {
        if count > self.left() {
            return Err(FbcError::Truncated {
                section: self.section,
                offset: self.at,
                needed: count,
                left: self.left(),
            });
        }
        let bytes = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FbcError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(super) fn fixed_u32(&mut self) -> Result<u32, FbcError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn fixed_u64(&mut self) -> Result<u64, FbcError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn bad_tag(&self, offset: usize, what: &'static str, tag: u64) -> FbcError {
        FbcError::BadTag {
            section: self.section,
            offset,
            what,
            tag,
        }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// An unsigned LEB128 number in its shortest form.
    fn number(&mut self) -> Result<u64, FbcError> {
        let offset = self.at;
        let bad = FbcError::BadNumber {
            section: self.section,
            offset,
        };
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(bad);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 {
                    Err(bad)
                } else {
                    Ok(value)
                };
            }
        }
        Err(bad)
    }
}

/// A value with a form in bytes.
pub(super) trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError>;
}

pub(super) fn write_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

macro_rules! wire_unsigned {
    ($($ty:ty)*) => {$(
        impl Wire for $ty {
            fn write(&self, out: &mut Vec<u8>) {
                write_number(u64::from(*self), out);
            }
            fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
                let offset = reader.at;
                <$ty>::try_from(reader.number()?)
                    .map_err(|_| FbcError::BadNumber { section: reader.section, offset })
            }
        }
    )*};
}

wire_unsigned!(u8 u16 u32);

impl Wire for u64 {
    /// Instruction words: always 8 bytes.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        reader.fixed_u64()
    }
}

impl Wire for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok(i64::from_le_bytes(reader.array()?))
    }
}

impl Wire for f64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok(f64::from_bits(reader.fixed_u64()?))
    }
}

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        let offset = reader.at;
        match reader.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(reader.bad_tag(offset, "bool", u64::from(tag))),
        }
    }
}

impl Wire for String {
    fn write(&self, out: &mut Vec<u8>) {
        write_number(self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        let length = u32::read(reader)? as usize;
        let offset = reader.at;
        let bytes = reader.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(FbcError::BadText {
                section: reader.section,
                offset,
            }),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        write_number(self.len() as u64, out);
        for item in self {
            item.write(out);
        }
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        let count = u32::read(reader)? as usize;
        // Every item takes at least one byte, so the count is bounded by the input; the list grows as items arrive.
        if count > reader.left() {
            return Err(FbcError::Truncated {
                section: reader.section,
                offset: reader.at,
                needed: count,
                left: reader.left(),
            });
        }
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::read(reader)?);
        }
        Ok(items)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok(if bool::read(reader)? {
            Some(T::read(reader)?)
        } else {
            None
        })
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok((A::read(reader)?, B::read(reader)?))
    }
}

impl<A: Wire, B: Wire, C: Wire> Wire for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, FbcError> {
        Ok((A::read(reader)?, B::read(reader)?, C::read(reader)?))
    }
}
