//! SQLite: one table, `journal_mode=WAL`, `synchronous=FULL`. Must stay true: statements are prepared once and kept.

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params};

use crate::contestant::{Contestant, said};
use crate::note::{Note, Pool};

struct Sqlite(Mutex<Connection>);

/// Opens or creates a database.
///
/// # Errors
/// Whatever SQLite says.
pub fn open(dir: &Path) -> Result<Box<dyn Contestant>, String> {
    std::fs::create_dir_all(dir).map_err(said)?;
    let connection = Connection::open(dir.join("notes.sqlite")).map_err(said)?;
    let settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=1073741824;
        PRAGMA cache_size=-262144;
        CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
            count INTEGER NOT NULL, done INTEGER NOT NULL, at INTEGER NOT NULL);";
    connection.execute_batch(settings).map_err(said)?;
    Ok(Box::new(Sqlite(Mutex::new(connection))))
}

impl Sqlite {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, String> {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)).map_err(said)
    }

    fn count(&self, query: &str, bound: i64) -> Result<u64, String> {
        self.with(|db| {
            let count: i64 = db
                .prepare_cached(query)?
                .query_row([bound], |row| row.get(0))?;
            Ok(count as u64)
        })
    }
}

impl Contestant for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn save(&self, ids: &[u64], pool: &Pool) -> Result<(), String> {
        self.with(|db| {
            let transaction = db.transaction()?;
            {
                let mut insert = transaction
                    .prepare_cached("INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?, ?)")?;
                for id in ids {
                    let note = pool.note(*id);
                    insert.execute(params![
                        *id as i64, note.title, note.body, note.count, note.done, note.at_ms
                    ])?;
                }
            }
            transaction.commit()
        })
    }

    fn load(&self, ids: Range<u64>, pool: &Pool) -> Result<(), String> {
        let ids: Vec<u64> = ids.collect();
        ids.chunks(super::LOAD)
            .try_for_each(|part| self.save(part, pool))
    }

    fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        self.with(|db| {
            let transaction = db.transaction()?;
            let mut select = transaction
                .prepare_cached("SELECT title, body, count, done, at FROM note WHERE id = ?")?;
            let mut weight = 0;
            for id in ids {
                let note = select.query_row([*id as i64], |row| {
                    Ok(Note {
                        title: row.get(0)?,
                        body: row.get(1)?,
                        count: row.get(2)?,
                        done: row.get(3)?,
                        at_ms: row.get(4)?,
                    })
                })?;
                weight += std::hint::black_box(&note).weight();
            }
            Ok(weight)
        })
    }

    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String> {
        self.with(|db| {
            let transaction = db.transaction()?;
            let mut select = transaction
                .prepare_cached("SELECT title, body, count, done, at FROM note WHERE id = ?")?;
            let mut weight = 0;
            for id in ids {
                weight += select.query_row([*id as i64], |row| {
                    let text =
                        |at| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str()?.len() as u64);
                    let (count, done): (i64, bool) = (row.get(2)?, row.get(3)?);
                    Ok(text(0)? + text(1)? + count as u64 + u64::from(done))
                })?;
            }
            Ok(weight)
        })
    }

    fn count_done(&self) -> Result<u64, String> {
        self.count("SELECT count(*) FROM note WHERE done = ?", 1)
    }

    fn count_below(&self, bound: i64) -> Result<u64, String> {
        self.count("SELECT count(*) FROM note WHERE count < ?", bound)
    }
}
