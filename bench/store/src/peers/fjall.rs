//! fjall: one keyspace from numbers to bytes; every batch is synced (`SyncData`).

use std::ops::Range;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::contestant::{Contestant, said};
use crate::note::{Note, Pool};

struct Fjall {
    db: Database,
    notes: Keyspace,
}

/// Opens or creates a database.
///
/// # Errors
/// Whatever fjall says.
pub fn open(dir: &Path) -> Result<Box<dyn Contestant>, String> {
    std::fs::create_dir_all(dir).map_err(said)?;
    let db = Database::builder(dir.join("notes")).open().map_err(said)?;
    let notes = db
        .keyspace("notes", KeyspaceCreateOptions::default)
        .map_err(said)?;
    Ok(Box::new(Fjall { db, notes }))
}

impl Fjall {
    fn count(&self, holds: impl Fn(&[u8]) -> bool) -> Result<u64, String> {
        let mut count = 0;
        for entry in self.notes.iter() {
            count += u64::from(holds(&entry.value().map_err(said)?));
        }
        Ok(count)
    }
}

impl Contestant for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn save(&self, ids: &[u64], pool: &Pool) -> Result<(), String> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for id in ids {
            batch.insert(
                &self.notes,
                id.to_be_bytes().as_slice(),
                pool.note(*id).encode(),
            );
        }
        batch.commit().map_err(said)
    }

    fn load(&self, ids: Range<u64>, pool: &Pool) -> Result<(), String> {
        let ids: Vec<u64> = ids.collect();
        ids.chunks(super::LOAD)
            .try_for_each(|part| self.save(part, pool))
    }

    fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        let mut weight = 0;
        for id in ids {
            let value = self.notes.get(id.to_be_bytes()).map_err(said)?;
            let note = value.and_then(|value| Note::decode(&value));
            let note = note.ok_or_else(|| format!("note {id} is missing"))?;
            weight += std::hint::black_box(&note).weight();
        }
        Ok(weight)
    }

    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String> {
        let mut weight = 0;
        for id in ids {
            let value = self.notes.get(id.to_be_bytes()).map_err(said)?;
            let found = value.and_then(|value| Note::weight_in(&value));
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
