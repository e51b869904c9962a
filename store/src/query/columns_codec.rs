//! Columns as bytes in a checkpoint, and back.
//!
//! What must stay true: texts that no record holds any more are not written; what is read back is as old as the section
//! says, so snapshots before it read those chunks from the records.

use std::sync::Arc;

use crate::codec::cursor::{Cursor, Undecodable, put_text};
use crate::query::columns::{
    Bits, CHUNK, ColumnChunk, ColumnDef, ColumnKind, Columns, Data, Dictionary, NO_BITS,
};

const EXPECTED: &str = "the columns of a table";

fn put_bits(out: &mut Vec<u8>, bits: &Bits) {
    bits.iter()
        .for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

fn take_bits(cursor: &mut Cursor<'_>) -> Result<Bits, Undecodable> {
    let mut bits = NO_BITS;
    for word in &mut bits {
        *word = cursor.u64(EXPECTED)?;
    }
    Ok(bits)
}

impl Columns {
    /// Appends everything.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for at in 0..self.defs.len() {
            let Some(dictionary) = self.dictionary(at) else {
                out.push(0);
                continue;
            };
            out.push(1);
            let used = self.used_codes(at, dictionary.values().len());
            out.extend_from_slice(&(used.len() as u32).to_le_bytes());
            for (text, used) in dictionary.texts().into_iter().zip(used) {
                put_text(out, if used { text } else { "" });
                out.push(u8::from(used));
            }
        }
        out.extend_from_slice(&(self.chunk_count() as u64).to_le_bytes());
        for at in 0..self.chunk_count() {
            match self.chunk(at) {
                Some(chunk) => {
                    out.push(1);
                    chunk.encode(out);
                }
                None => out.push(0),
            }
        }
    }

    /// Which codes of a column some record has.
    fn used_codes(&self, at: usize, len: usize) -> Vec<bool> {
        let mut used = vec![false; len];
        for (_, chunk) in self.chunks() {
            if let Data::Codes(codes) = &chunk.data[at] {
                codes
                    .iter()
                    .for_each(|code| used[usize::from(*code)] = true);
            }
        }
        used
    }

    pub(crate) fn decode(
        cursor: &mut Cursor<'_>,
        defs: Vec<ColumnDef>,
    ) -> Result<Columns, Undecodable> {
        let mut columns = Columns::new(defs);
        for at in 0..columns.defs.len() {
            if cursor.u8(EXPECTED)? == 0 {
                columns.give_up(at);
                continue;
            }
            let def = columns.defs[at].clone();
            let mut dictionary = Dictionary::new();
            let count = cursor.u32(EXPECTED)?;
            for code in 0..count {
                let text = cursor.text(EXPECTED)?;
                let used = cursor.u8(EXPECTED)? != 0;
                if code > 0 {
                    dictionary.restore(used.then_some(text), &def);
                }
            }
            columns.set_dictionary(at, dictionary);
        }
        let count = cursor.u64(EXPECTED)?;
        for at in 0..count as usize {
            if cursor.u8(EXPECTED)? == 1 {
                let chunk = ColumnChunk::decode(cursor, &columns)?;
                columns.set_chunk(at, Arc::new(chunk));
            }
        }
        Ok(columns)
    }
}

impl ColumnChunk {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.newest().to_le_bytes());
        put_bits(out, &self.live);
        put_bits(out, &self.deleted);
        for data in &self.data {
            match data {
                Data::Bits { values, some } => {
                    put_bits(out, values);
                    put_bits(out, some);
                }
                Data::Words { values, some } => {
                    put_bits(out, some);
                    out.extend_from_slice(&(values.len() as u32).to_le_bytes());
                    for value in values {
                        out.extend_from_slice(&value.to_le_bytes());
                    }
                }
                Data::Codes(codes) => {
                    out.extend_from_slice(&(codes.len() as u32).to_le_bytes());
                    for code in codes {
                        out.extend_from_slice(&code.to_le_bytes());
                    }
                }
            }
        }
    }

    fn decode(cursor: &mut Cursor<'_>, columns: &Columns) -> Result<ColumnChunk, Undecodable> {
        let newest = cursor.u64(EXPECTED)?;
        let mut chunk = ColumnChunk::as_of(columns, newest);
        chunk.live = take_bits(cursor)?;
        chunk.deleted = take_bits(cursor)?;
        let defs = columns.defs.clone();
        for (at, def) in defs.iter().enumerate() {
            chunk.data[at] = match def.kind {
                ColumnKind::Bool => Data::Bits {
                    values: Box::new(take_bits(cursor)?),
                    some: Box::new(take_bits(cursor)?),
                },
                ColumnKind::Text | ColumnKind::Enum => {
                    let known = columns.dictionary(at).map_or(0, |one| one.values().len());
                    let mut codes = Vec::with_capacity(slots(cursor)?);
                    for _ in 0..codes.capacity() {
                        let code = cursor.u16(EXPECTED)?;
                        if usize::from(code) >= known.max(1) && known > 0 {
                            return Err(Undecodable { expected: EXPECTED });
                        }
                        codes.push(code);
                    }
                    Data::Codes(codes)
                }
                ColumnKind::Int
                | ColumnKind::Float
                | ColumnKind::Time
                | ColumnKind::Duration
                | ColumnKind::Ref(_) => {
                    let some = Box::new(take_bits(cursor)?);
                    let mut values = vec![0; slots(cursor)?];
                    for value in &mut values {
                        *value = cursor.u64(EXPECTED)?;
                    }
                    let beyond =
                        (values.len()..CHUNK).any(|slot| some[slot / 64] >> (slot % 64) & 1 == 1);
                    if beyond {
                        return Err(Undecodable { expected: EXPECTED });
                    }
                    Data::Words { values, some }
                }
            };
        }
        Ok(chunk)
    }
}

/// A number of slots: whole words of bits, at most a chunk.
fn slots(cursor: &mut Cursor<'_>) -> Result<usize, Undecodable> {
    let count = cursor.u32(EXPECTED)? as usize;
    if count <= CHUNK && count.is_multiple_of(64) {
        Ok(count)
    } else {
        Err(Undecodable { expected: EXPECTED })
    }
}
