//! Columns in memory: the fields that conditions look at, by record number, packed in chunks.
//!
//! What must stay true: a slot holds what the newest applied version of its record holds; which slots are newer than a
//! snapshot is known, so that an older snapshot reads those from their records. A clone never changes: whoever reads
//! holds a clone, whoever writes copies the chunks that are shared.

use std::collections::HashMap;
use std::sync::Arc;

use crate::codec::cursor::Undecodable;
use crate::codec::value::ValueRef;
use crate::limits::{COLUMN_TEXT_BYTES_MAX, COLUMN_TEXTS_MAX};
use crate::query::Column;
use crate::query::row::Row;
use crate::schema::FieldType;
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, TypeIx};

/// Records in a chunk.
pub(crate) const CHUNK: usize = 4096;
/// Changed slots that a chunk remembers for older snapshots, before these read the whole chunk from the records.
const RECENT: usize = 256;

/// One bit per record of a chunk.
pub(crate) type Bits = [u64; CHUNK / 64];
pub(crate) const NO_BITS: Bits = [0; CHUNK / 64];

fn get(bits: &Bits, slot: usize) -> bool {
    bits[slot / 64] >> (slot % 64) & 1 == 1
}

fn put(bits: &mut Bits, slot: usize, on: bool) {
    let bit = 1 << (slot % 64);
    if on {
        bits[slot / 64] |= bit;
    } else {
        bits[slot / 64] &= !bit;
    }
}

/// How values of a field are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Bool,
    Int,
    Float,
    Time,
    Duration,
    /// The number of the target.
    Ref(TypeIx),
    /// A number for each different text.
    Text,
    /// The same for variants that carry nothing.
    Enum,
}

/// A field that is kept.
#[derive(Clone, Debug)]
pub(crate) struct ColumnDef {
    pub(crate) field: FieldIx,
    pub(crate) kind: ColumnKind,
    /// Name of the enum.
    name: Arc<str>,
}

impl ColumnDef {
    /// How values of a field would be kept; `None` for types that are not.
    pub(crate) fn of(
        field: FieldIx,
        ty: &FieldType,
        target: &dyn Fn(&str) -> Option<TypeIx>,
    ) -> Option<Self> {
        let mut of = Arc::from("");
        let kind = match ty {
            FieldType::Bool => ColumnKind::Bool,
            FieldType::Int => ColumnKind::Int,
            FieldType::Float => ColumnKind::Float,
            FieldType::Time => ColumnKind::Time,
            FieldType::Duration => ColumnKind::Duration,
            FieldType::Ref(name) => ColumnKind::Ref(target(name)?),
            FieldType::Text => ColumnKind::Text,
            FieldType::Enum(name) => {
                of = Arc::from(name.as_str());
                ColumnKind::Enum
            }
            FieldType::Bytes | FieldType::List(_) | FieldType::Map(_) | FieldType::Any => {
                return None;
            }
        };
        Some(ColumnDef {
            field,
            kind,
            name: of,
        })
    }
}

impl ColumnDef {
    /// The value that a text stands for.
    fn value_of(&self, text: Arc<str>) -> FieldValue {
        match self.kind {
            ColumnKind::Enum => FieldValue::Enum {
                name: self.name.clone(),
                variant: text,
                payload: Vec::new(),
            },
            ColumnKind::Text
            | ColumnKind::Bool
            | ColumnKind::Int
            | ColumnKind::Float
            | ColumnKind::Time
            | ColumnKind::Duration
            | ColumnKind::Ref(_) => FieldValue::Text(text),
        }
    }
}

/// The values of one column in one chunk. What lies beyond the length was never set.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Bits {
        values: Box<Bits>,
        some: Box<Bits>,
    },
    Words {
        values: Vec<u64>,
        some: Box<Bits>,
    },
    /// Codes of a dictionary; 0 is none.
    Codes(Vec<u16>),
}

/// Texts by code; code 0 is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    codes: HashMap<Arc<str>, u16>,
    values: Vec<FieldValue>,
    bytes: usize,
}

impl Dictionary {
    pub(crate) fn new() -> Self {
        Dictionary {
            codes: HashMap::new(),
            values: vec![FieldValue::None],
            bytes: 0,
        }
    }

    /// The texts by code; nothing for none.
    pub(crate) fn texts(&self) -> Vec<&str> {
        fn text(value: &FieldValue) -> &str {
            match value {
                FieldValue::Text(text) => text,
                FieldValue::Enum { variant, .. } => variant,
                _ => "",
            }
        }
        self.values.iter().map(text).collect()
    }

    /// Gives the next code to a text; without one the code stands for nothing that any record has.
    pub(crate) fn restore(&mut self, text: Option<&str>, def: &ColumnDef) {
        let code = self.values.len() as u16;
        let Some(text) = text else {
            self.values.push(FieldValue::None);
            return;
        };
        let text = Arc::<str>::from(text);
        self.bytes += 2 * size_of::<FieldValue>() + text.len() + 16;
        self.values.push(def.value_of(text.clone()));
        self.codes.insert(text, code);
    }

    /// The values by code.
    pub(crate) fn values(&self) -> &[FieldValue] {
        &self.values
    }

    fn code(&mut self, text: &str, value: &dyn Fn(Arc<str>) -> FieldValue) -> Option<u16> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        if self.values.len() > COLUMN_TEXTS_MAX || text.len() > COLUMN_TEXT_BYTES_MAX {
            return None;
        }
        let (code, text) = (self.values.len() as u16, Arc::<str>::from(text));
        self.bytes += 2 * size_of::<FieldValue>() + text.len() + 16;
        self.values.push(value(text.clone()));
        self.codes.insert(text, code);
        Some(code)
    }
}

/// The records of one range of numbers.
#[derive(Clone, Debug)]
pub(crate) struct ColumnChunk {
    pub(crate) live: Bits,
    pub(crate) deleted: Bits,
    /// The newest change of any slot,
    newest: u64,
    /// the newest one that `recent` does not have any more,
    forgotten: u64,
    /// and those after it.
    recent: Vec<(u16, u64)>,
    pub(crate) data: Vec<Data>,
}

/// All columns of a type.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) defs: Arc<Vec<ColumnDef>>,
    /// By column: the texts, where there are any; `None` where keeping the column was given up.
    dictionaries: Vec<Option<Arc<Dictionary>>>,
    chunks: Arc<Vec<Option<Arc<ColumnChunk>>>>,
}

impl ColumnChunk {
    fn new(columns: &Columns) -> Self {
        let data = columns.defs.iter().map(|def| match def.kind {
            ColumnKind::Bool => Data::Bits {
                values: Box::new(NO_BITS),
                some: Box::new(NO_BITS),
            },
            ColumnKind::Text | ColumnKind::Enum => Data::Codes(Vec::new()),
            ColumnKind::Int
            | ColumnKind::Float
            | ColumnKind::Time
            | ColumnKind::Duration
            | ColumnKind::Ref(_) => Data::Words {
                values: Vec::new(),
                some: Box::new(NO_BITS),
            },
        });
        ColumnChunk {
            live: NO_BITS,
            deleted: NO_BITS,
            newest: 0,
            forgotten: 0,
            recent: Vec::new(),
            data: data.collect(),
        }
    }

    /// An empty chunk of which only the newest change is known.
    pub(crate) fn as_of(columns: &Columns, newest: u64) -> Self {
        ColumnChunk {
            newest,
            forgotten: newest,
            ..ColumnChunk::new(columns)
        }
    }

    /// The newest change of any slot.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Slots whose record has changed after a snapshot; `None`: no slot has.
    pub(crate) fn stale(&self, until: Lsn) -> Option<Bits> {
        if self.newest <= until.0 {
            return None;
        }
        let mut stale = NO_BITS;
        if self.forgotten > until.0 {
            stale.fill(u64::MAX);
        }
        for (slot, lsn) in &self.recent {
            if *lsn > until.0 {
                put(&mut stale, usize::from(*slot), true);
            }
        }
        Some(stale)
    }

    fn touched(&mut self, slot: usize, lsn: Lsn) {
        self.newest = self.newest.max(lsn.0);
        if self.recent.len() == RECENT {
            let kept = self.recent.split_off(RECENT / 2);
            for (_, lsn) in std::mem::replace(&mut self.recent, kept) {
                self.forgotten = self.forgotten.max(lsn);
            }
        }
        self.recent.push((slot as u16, lsn.0));
    }

    fn memory(&self) -> usize {
        let data = self.data.iter().map(|data| match data {
            Data::Bits { .. } => 2 * size_of::<Bits>(),
            Data::Words { values, .. } => size_of::<Bits>() + 8 * values.capacity(),
            Data::Codes(codes) => 2 * codes.capacity(),
        });
        size_of::<Self>()
            + 16 * self.recent.capacity()
            + size_of::<Data>() * self.data.len()
            + data.sum::<usize>()
    }
}

/// Room for a slot, without making much of few records.
fn reach<T: Default + Clone>(values: &mut Vec<T>, slot: usize) {
    if values.len() <= slot {
        let len = (slot + 1).next_power_of_two().clamp(64, CHUNK);
        values.reserve_exact(len - values.len());
        values.resize(len, T::default());
    }
}

impl Columns {
    pub(crate) fn new(defs: Vec<ColumnDef>) -> Self {
        Columns {
            dictionaries: vec![Some(Arc::new(Dictionary::new())); defs.len()],
            defs: Arc::new(defs),
            chunks: Arc::default(),
        }
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        let dictionaries = self.dictionaries.iter().flatten();
        let dictionaries: usize = dictionaries.map(|dictionary| dictionary.bytes).sum();
        let chunks = self.chunks.iter().flatten();
        dictionaries + chunks.map(|chunk| chunk.memory() + 8).sum::<usize>()
    }

    /// The position of a field among the columns, if it is kept.
    pub(crate) fn column(&self, field: FieldIx) -> Option<usize> {
        let at = self.defs.iter().position(|def| def.field == field)?;
        self.dictionaries[at].is_some().then_some(at)
    }

    /// Whether a column can be answered from here.
    pub(crate) fn has(&self, column: Column) -> bool {
        match column {
            Column::Id => true,
            Column::Field(field) => self.column(field).is_some(),
            Column::Version | Column::CreatedAt | Column::UpdatedAt | Column::DeletedAt => false,
        }
    }

    /// The texts of a column.
    pub(crate) fn dictionary(&self, at: usize) -> Option<&Dictionary> {
        self.dictionaries[at].as_deref()
    }

    /// The chunks with the first record number of each.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (u64, &Arc<ColumnChunk>)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.filter_map(|(at, chunk)| Some(((at * CHUNK) as u64, chunk.as_ref()?)))
    }

    /// The chunk at a position, if there is any record in it, and how many positions there are.
    pub(crate) fn chunk(&self, at: usize) -> Option<&Arc<ColumnChunk>> {
        self.chunks.get(at)?.as_ref()
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// The record with a number as an old or new snapshot sees it; `None` where only its record can tell.
    pub(crate) fn slot(&self, id: EntityId, until: Lsn) -> Option<Slot<'_>> {
        let chunk = self.chunk(id.0 as usize / CHUNK)?;
        let slot = id.0 as usize % CHUNK;
        if chunk.newest > until.0 && chunk.stale(until).is_some_and(|stale| get(&stale, slot)) {
            return None;
        }
        Some(Slot {
            columns: self,
            chunk,
            slot,
            id,
        })
    }

    /// Puts a chunk in place.
    pub(crate) fn set_chunk(&mut self, at: usize, chunk: Arc<ColumnChunk>) {
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.len() <= at {
            chunks.resize(at + 1, None);
        }
        chunks[at] = Some(chunk);
    }

    /// Puts the texts of a column in place.
    pub(crate) fn set_dictionary(&mut self, at: usize, dictionary: Dictionary) {
        self.dictionaries[at] = Some(Arc::new(dictionary));
    }

    /// Does not keep a column any more.
    pub(crate) fn give_up(&mut self, at: usize) {
        self.dictionaries[at] = None;
    }

    fn chunk_mut(&mut self, at: usize) -> &mut ColumnChunk {
        let fresh = (self.chunks.get(at).is_none_or(Option::is_none))
            .then(|| Arc::new(ColumnChunk::new(self)));
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.len() <= at {
            chunks.resize(at + 1, None);
        }
        let chunk = chunks[at].get_or_insert_with(|| fresh.unwrap_or_else(|| unreachable!()));
        Arc::make_mut(chunk)
    }

    /// Takes over a version of a record. `row` is `None` when the record was destroyed.
    pub(crate) fn set<R: Row>(
        &mut self,
        id: EntityId,
        lsn: Lsn,
        row: Option<(&R, bool)>,
    ) -> Result<(), Undecodable> {
        let (at, slot) = (id.0 as usize / CHUNK, id.0 as usize % CHUNK);
        let mut codes = Vec::new();
        if let Some((row, _)) = row {
            codes = self.codes(row)?;
        }
        let chunk = self.chunk_mut(at);
        put(
            &mut chunk.live,
            slot,
            row.is_some_and(|(_, deleted)| !deleted),
        );
        put(
            &mut chunk.deleted,
            slot,
            row.is_some_and(|(_, deleted)| deleted),
        );
        if lsn > Lsn(0) {
            chunk.touched(slot, lsn);
        }
        let defs = self.defs.clone();
        let chunk = self.chunk_mut(at);
        for (at, def) in defs.iter().enumerate() {
            let value = match row {
                Some((row, _)) => row.value(Column::Field(def.field))?,
                None => ValueRef::None,
            };
            match &mut chunk.data[at] {
                Data::Bits { values, some } => {
                    put(some, slot, !matches!(value, ValueRef::None));
                    put(values, slot, matches!(value, ValueRef::Bool(true)));
                }
                Data::Words { values, some } => {
                    let word = word_of(&value);
                    put(some, slot, word.is_some());
                    reach(values, slot);
                    values[slot] = word.unwrap_or(0);
                }
                Data::Codes(kept) => {
                    reach(kept, slot);
                    kept[slot] = codes.get(at).copied().unwrap_or(0);
                }
            }
        }
        Ok(())
    }

    /// The codes of a record's texts by column. A text that does not fit makes an end of its column.
    fn codes<R: Row>(&mut self, row: &R) -> Result<Vec<u16>, Undecodable> {
        let defs = self.defs.clone();
        let mut codes = vec![0; defs.len()];
        for (at, def) in defs.iter().enumerate() {
            let kept = match def.kind {
                ColumnKind::Text | ColumnKind::Enum => &mut self.dictionaries[at],
                ColumnKind::Bool
                | ColumnKind::Int
                | ColumnKind::Float
                | ColumnKind::Time
                | ColumnKind::Duration
                | ColumnKind::Ref(_) => continue,
            };
            let Some(dictionary) = kept else { continue };
            let value = row.value(Column::Field(def.field))?;
            let code = match &value {
                ValueRef::None => Some(0),
                ValueRef::Text(text) => match dictionary.codes.get(*text) {
                    Some(code) => Some(*code),
                    None => Arc::make_mut(dictionary).code(text, &FieldValue::Text),
                },
                ValueRef::Nested(nested) => match &**nested {
                    FieldValue::Enum {
                        variant, payload, ..
                    } if payload.is_empty() => {
                        let value = |variant| FieldValue::Enum {
                            name: def.name.clone(),
                            variant,
                            payload: Vec::new(),
                        };
                        match dictionary.codes.get(variant) {
                            Some(code) => Some(*code),
                            None => Arc::make_mut(dictionary).code(variant, &value),
                        }
                    }
                    _ => None,
                },
                _ => None,
            };
            match code {
                Some(code) => codes[at] = code,
                None => *kept = None,
            }
        }
        Ok(codes)
    }
}

/// What is kept of a value; `None` for none. Fields hold values of their declared kind only.
fn word_of(value: &ValueRef<'_>) -> Option<u64> {
    match value {
        ValueRef::Int(value) | ValueRef::Time(value) | ValueRef::Duration(value) => {
            Some(*value as u64)
        }
        ValueRef::Float(value) => Some(value.to_bits()),
        ValueRef::Ref { id, .. } => Some(id.0),
        ValueRef::None
        | ValueRef::Bool(_)
        | ValueRef::Text(_)
        | ValueRef::Bytes(_)
        | ValueRef::Nested(_) => None,
    }
}

/// One record in the columns.
pub(crate) struct Slot<'a> {
    columns: &'a Columns,
    chunk: &'a ColumnChunk,
    slot: usize,
    id: EntityId,
}

impl<'a> Slot<'a> {
    pub(crate) fn new(columns: &'a Columns, chunk: &'a ColumnChunk, id: EntityId) -> Self {
        Slot {
            columns,
            chunk,
            slot: id.0 as usize % CHUNK,
            id,
        }
    }

    fn field(&self, at: usize) -> ValueRef<'a> {
        let slot = self.slot;
        match &self.chunk.data[at] {
            Data::Bits { values, some } if get(some, slot) => ValueRef::Bool(get(values, slot)),
            Data::Words { values, some } if get(some, slot) => {
                let word = values[slot];
                match self.columns.defs[at].kind {
                    ColumnKind::Float => ValueRef::Float(f64::from_bits(word)),
                    ColumnKind::Time => ValueRef::Time(word as i64),
                    ColumnKind::Duration => ValueRef::Duration(word as i64),
                    ColumnKind::Ref(ty) => ValueRef::Ref {
                        ty,
                        id: EntityId(word),
                    },
                    ColumnKind::Int | ColumnKind::Bool | ColumnKind::Text | ColumnKind::Enum => {
                        ValueRef::Int(word as i64)
                    }
                }
            }
            Data::Bits { .. } | Data::Words { .. } => ValueRef::None,
            Data::Codes(codes) => {
                let code = codes.get(slot).copied().unwrap_or(0);
                let dictionary = self.columns.dictionary(at);
                let value = dictionary.and_then(|known| known.values.get(usize::from(code)));
                value.map_or(ValueRef::None, ValueRef::of)
            }
        }
    }
}

impl Row for Slot<'_> {
    fn value(&self, column: Column) -> Result<ValueRef<'_>, Undecodable> {
        match column {
            Column::Id => Ok(ValueRef::Int(self.id.0 as i64)),
            Column::Field(field) => match self.columns.column(field) {
                Some(at) => Ok(self.field(at)),
                None => Err(Undecodable {
                    expected: "a column that is kept",
                }),
            },
            Column::Version | Column::CreatedAt | Column::UpdatedAt | Column::DeletedAt => {
                Err(Undecodable {
                    expected: "a column that is kept",
                })
            }
        }
    }
}
