//! LMDB by heed: one database from numbers to bytes, with its default durability (a sync at each commit).

use std::ops::Range;
use std::path::Path;

use heed::byteorder::BigEndian;
use heed::types::{Bytes, U64};
use heed::{Database, Env, EnvOpenOptions};

use crate::contestant::{Contestant, said};
use crate::note::{Note, Pool};

/// The address space it may fill.
const MAP_BYTES: usize = 8 << 30;

type Notes = Database<U64<BigEndian>, Bytes>;

struct Lmdb {
    env: Env,
    notes: Notes,
}

/// Opens or creates a database.
///
/// # Errors
/// Whatever LMDB says.
pub fn open(dir: &Path) -> Result<Box<dyn Contestant>, String> {
    std::fs::create_dir_all(dir).map_err(said)?;
    // SAFETY: nobody but this process opens the files of this folder, and nobody changes them while it runs.
    let env = unsafe { EnvOpenOptions::new().map_size(MAP_BYTES).open(dir) }.map_err(said)?;
    let mut transaction = env.write_txn().map_err(said)?;
    let notes = env.create_database(&mut transaction, None).map_err(said)?;
    transaction.commit().map_err(said)?;
    Ok(Box::new(Lmdb { env, notes }))
}

impl Lmdb {
    fn count(&self, holds: impl Fn(&[u8]) -> bool) -> Result<u64, String> {
        let transaction = self.env.read_txn().map_err(said)?;
        let mut count = 0;
        for entry in self.notes.iter(&transaction).map_err(said)? {
            count += u64::from(holds(entry.map_err(said)?.1));
        }
        Ok(count)
    }
}

impl Contestant for Lmdb {
    fn name(&self) -> &'static str {
        "lmdb"
    }

    fn save(&self, ids: &[u64], pool: &Pool) -> Result<(), String> {
        let mut transaction = self.env.write_txn().map_err(said)?;
        for id in ids {
            self.notes
                .put(&mut transaction, id, &pool.note(*id).encode())
                .map_err(said)?;
        }
        transaction.commit().map_err(said)
    }

    fn load(&self, ids: Range<u64>, pool: &Pool) -> Result<(), String> {
        let ids: Vec<u64> = ids.collect();
        ids.chunks(super::LOAD)
            .try_for_each(|part| self.save(part, pool))
    }

    fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        let transaction = self.env.read_txn().map_err(said)?;
        let mut weight = 0;
        for id in ids {
            let value = self.notes.get(&transaction, id).map_err(said)?;
            let note = value.and_then(Note::decode);
            let note = note.ok_or_else(|| format!("note {id} is missing"))?;
            weight += std::hint::black_box(&note).weight();
        }
        Ok(weight)
    }

    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String> {
        let transaction = self.env.read_txn().map_err(said)?;
        let mut weight = 0;
        for id in ids {
            let value = self.notes.get(&transaction, id).map_err(said)?;
            let found = value.and_then(Note::weight_in);
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
