//! redb: one table from numbers to bytes, durability `Immediate` (its default).

use std::ops::Range;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::contestant::{Contestant, said};
use crate::note::{Note, Pool};

const NOTES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("notes");

struct Redb(Database);

/// Opens or creates a database.
///
/// # Errors
/// Whatever redb says.
pub fn open(dir: &Path) -> Result<Box<dyn Contestant>, String> {
    std::fs::create_dir_all(dir).map_err(said)?;
    Ok(Box::new(Redb(
        Database::create(dir.join("notes.redb")).map_err(said)?,
    )))
}

impl Redb {
    fn count(&self, holds: impl Fn(&[u8]) -> bool) -> Result<u64, String> {
        let transaction = self.0.begin_read().map_err(said)?;
        let notes = transaction.open_table(NOTES).map_err(said)?;
        let mut count = 0;
        for entry in notes.iter().map_err(said)? {
            count += u64::from(holds(entry.map_err(said)?.1.value()));
        }
        Ok(count)
    }
}

impl Contestant for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn save(&self, ids: &[u64], pool: &Pool) -> Result<(), String> {
        let transaction = self.0.begin_write().map_err(said)?;
        {
            let mut notes = transaction.open_table(NOTES).map_err(said)?;
            for id in ids {
                notes
                    .insert(*id, pool.note(*id).encode().as_slice())
                    .map_err(said)?;
            }
        }
        transaction.commit().map_err(said)
    }

    fn load(&self, ids: Range<u64>, pool: &Pool) -> Result<(), String> {
        let ids: Vec<u64> = ids.collect();
        ids.chunks(super::LOAD)
            .try_for_each(|part| self.save(part, pool))
    }

    fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        let transaction = self.0.begin_read().map_err(said)?;
        let notes = transaction.open_table(NOTES).map_err(said)?;
        let mut weight = 0;
        for id in ids {
            let value = notes.get(*id).map_err(said)?;
            let note = value.and_then(|value| Note::decode(value.value()));
            let note = note.ok_or_else(|| format!("note {id} is missing"))?;
            weight += std::hint::black_box(&note).weight();
        }
        Ok(weight)
    }

    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String> {
        let transaction = self.0.begin_read().map_err(said)?;
        let notes = transaction.open_table(NOTES).map_err(said)?;
        let mut weight = 0;
        for id in ids {
            let value = notes.get(*id).map_err(said)?;
            let found = value.and_then(|value| Note::weight_in(value.value()));
            let found = found.ok_or_else(|| format!("note {id} is missing"))?;
            weight += found;
        }
        Ok(weight)
    }

    fn count_done(&self) -> Result<u64, String> {
        self.count(|value| value[0] != 0)
    }

    fn count_below(&self, bound: i64) -> Result<u64, String> {
        self.count(|value| super::count_in(value) < bound)
    }
}
