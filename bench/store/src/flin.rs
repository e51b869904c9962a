//! FLIN's store as its users hold it. Must stay true: default options, a committer thread, every commit waited for.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    CommitOutcome, EntityId, FieldDef, FieldIx, FieldRef, FieldType, FieldValue, RealDisk, Record,
    Schema, Store, StoreOptions, Transaction, TypeDef, TypeIx,
};

use crate::contestant::{Contestant, said};
use crate::note::{Note, Pool};

/// The type of notes.
pub const NOTE: TypeIx = TypeIx(0);
const COUNT: FieldIx = FieldIx(2);
const DONE: FieldIx = FieldIx(3);
const FIELDS: u32 = 5;
/// Transactions handed over at once while loading.
const LOAD: usize = 1024;

/// An open store.
pub struct Flin {
    /// The store itself.
    pub store: Store,
    /// Made when they are needed: opening is measured without them.
    fields: OnceLock<Vec<Vec<FieldValue>>>,
}

/// Opens or creates a store.
///
/// # Errors
/// Whatever opening says.
pub fn open(dir: &Path) -> Result<Box<dyn Contestant>, String> {
    Ok(Box::new(Flin::open(dir)?))
}

/// The declaration of a note.
pub fn schema() -> Schema {
    Schema {
        types: vec![TypeDef {
            name: "Note".into(),
            fields: vec![
                FieldDef::new("title", FieldType::Text),
                FieldDef::new("body", FieldType::Text),
                queried("count", FieldType::Int),
                queried("done", FieldType::Bool),
                FieldDef::new("at", FieldType::Time),
            ],
            ..TypeDef::default()
        }],
        ..Schema::default()
    }
}

/// A field that the program's queries look at, as the compiler tells the store.
fn queried(name: &str, ty: FieldType) -> FieldDef {
    FieldDef {
        queried: true,
        ..FieldDef::new(name, ty)
    }
}

fn fields_of(note: &Note) -> Vec<FieldValue> {
    vec![
        FieldValue::text(note.title.as_str()),
        FieldValue::text(note.body.as_str()),
        FieldValue::Int(note.count),
        FieldValue::Bool(note.done),
        FieldValue::Time(note.at_ms),
    ]
}

impl Flin {
    /// Opens or creates a store.
    ///
    /// # Errors
    /// Whatever opening says.
    pub fn open(dir: &Path) -> Result<Flin, String> {
        let disk = RealDisk::open(dir).map_err(said)?;
        let opened =
            Store::open(Arc::new(disk), &schema(), StoreOptions::default()).map_err(said)?;
        Ok(Flin {
            store: opened.store,
            fields: OnceLock::new(),
        })
    }

    fn fields(&self, like: u64) -> Vec<FieldValue> {
        let all = self.fields.get_or_init(|| {
            let pool = Pool::default();
            (0..1024).map(|id| fields_of(pool.note(id))).collect()
        });
        all[like as usize % all.len()].clone()
    }

    /// A transaction with one new note.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn inserting(&self, like: u64) -> Result<Transaction, String> {
        let mut transaction = self.store.begin();
        transaction.insert(NOTE, self.fields(like)).map_err(said)?;
        Ok(transaction)
    }

    /// A transaction that gives a note a new version.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn changing(&self, id: u64, like: u64) -> Result<Transaction, String> {
        let mut transaction = self.store.begin();
        transaction
            .update(NOTE, EntityId(id), self.fields(like))
            .map_err(said)?;
        Ok(transaction)
    }

    /// Commits and waits for all; each is a transaction of its own.
    ///
    /// # Errors
    /// The first outcome that is no commit.
    pub fn commit_all(&self, transactions: Vec<Transaction>) -> Result<(), String> {
        let jobs = transactions
            .into_iter()
            .map(|transaction| (transaction, None))
            .collect();
        self.store.commit_all(jobs).iter().try_for_each(committed)
    }

    fn count_where(&self, predicate: Predicate) -> Result<u64, String> {
        let query = Query::all(NOTE).matching(predicate);
        self.store.snapshot().count_where(&query).map_err(said)
    }
}

/// An outcome as a result.
///
/// # Errors
/// Unless it was committed.
pub fn committed(outcome: &CommitOutcome) -> Result<(), String> {
    match outcome {
        CommitOutcome::Committed { .. } => Ok(()),
        other => Err(other.to_string()),
    }
}

impl Contestant for Flin {
    fn name(&self) -> &'static str {
        "flin"
    }

    fn save(&self, ids: &[u64], _pool: &Pool) -> Result<(), String> {
        let mut transaction = self.store.begin();
        for id in ids {
            transaction.insert(NOTE, self.fields(*id)).map_err(said)?;
        }
        committed(&self.store.commit_wait(transaction, None))
    }

    fn load(&self, ids: Range<u64>, _pool: &Pool) -> Result<(), String> {
        let ids: Vec<u64> = ids.collect();
        for part in ids.chunks(LOAD) {
            let transactions: Result<Vec<_>, _> =
                part.iter().map(|id| self.inserting(*id)).collect();
            self.commit_all(transactions?)?;
        }
        Ok(())
    }

    fn read_all(&self, ids: &[u64]) -> Result<u64, String> {
        let snapshot = self.store.snapshot();
        let mut weight = 0;
        for id in ids {
            let record = snapshot.get(NOTE, EntityId(*id)).map_err(said)?;
            let record = record.ok_or_else(|| format!("note {id} is missing"))?;
            weight += weight_of(std::hint::black_box(&record));
        }
        Ok(weight)
    }

    fn look_at_all(&self, ids: &[u64]) -> Result<u64, String> {
        let snapshot = self.store.snapshot();
        let mut weight = 0;
        for id in ids {
            let found = snapshot.read(NOTE, EntityId(*id), |note| {
                let mut weight = 0;
                for at in 0..FIELDS {
                    weight += match std::hint::black_box(note.field(FieldIx(at))?) {
                        FieldRef::Text(text) => text.len() as u64,
                        FieldRef::Int(count) => count as u64,
                        FieldRef::Bool(done) => u64::from(done),
                        _ => 0,
                    };
                }
                Ok(weight)
            });
            weight += found
                .map_err(said)?
                .ok_or_else(|| format!("note {id} is missing"))?;
        }
        Ok(weight)
    }

    fn count_done(&self) -> Result<u64, String> {
        let done = FieldValue::Bool(true);
        self.count_where(Predicate::equals(Column::Field(DONE), done))
    }

    fn count_below(&self, bound: i64) -> Result<u64, String> {
        let (column, bound) = (Column::Field(COUNT), FieldValue::Int(bound));
        self.count_where(Predicate::compare(column, Comparison::Lt, bound))
    }
}

fn weight_of(record: &Record) -> u64 {
    let of = |value: &FieldValue| match value {
        FieldValue::Text(text) => text.len() as u64,
        FieldValue::Int(count) => *count as u64,
        FieldValue::Bool(done) => u64::from(*done),
        _ => 0,
    };
    record.fields.iter().map(of).sum()
}
