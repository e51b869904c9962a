//! Histories of clients that append to lists and read them: they must have a serial order.
//!
//! From what was read follows which transaction came before which: versions of a list follow each other, who read a
//! version came behind its writer and before the next one's. What must stay true: a cycle among these, a lost append or
//! a list that nobody can have seen is a finding. (The method is Elle's: Kingsbury and Alvaro, 2020.)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flin_store::{
    CommitOutcome, Disk, EntityId, FieldValue, MemoryDisk, Record, Store, StoreOptions, Transaction,
};
use flin_testkit::rng::Rng;

use crate::model::{NOTE, schema};

/// Lists that are fought for.
const LISTS: u64 = 4;

/// What a committed transaction saw and did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// Lists as they were read, before own appends.
    pub reads: BTreeMap<u64, Vec<u64>>,
    /// One value appended to each of these lists; values are unique.
    pub appends: BTreeMap<u64, u64>,
}

/// A client's transaction under way.
struct Client {
    transaction: Option<Transaction>,
    done: Done,
    steps: usize,
    clashes: u32,
}

fn list_of(record: &Record) -> Vec<u64> {
    match &record.fields[0] {
        FieldValue::Text(text) => text
            .split_whitespace()
            .filter_map(|one| one.parse().ok())
            .collect(),
        _ => Vec::new(),
    }
}

fn fields(list: &[u64]) -> Vec<FieldValue> {
    let words: Vec<String> = list.iter().map(u64::to_string).collect();
    vec![
        FieldValue::text(words.join(" ")),
        FieldValue::Int(0),
        FieldValue::None,
    ]
}

fn read(transaction: &mut Transaction, list: u64) -> Result<Vec<u64>, String> {
    let record = transaction
        .get(NOTE, EntityId(list))
        .map_err(|error| error.to_string())?;
    Ok(record.map(|record| list_of(&record)).unwrap_or_default())
}

/// A store with the empty lists.
///
/// # Errors
/// When it cannot be made.
pub fn store(options: StoreOptions) -> Result<Store, String> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    let opened = Store::open(disk, &schema(), options).map_err(|error| error.to_string())?;
    let mut transaction = opened.store.begin();
    for _ in 0..LISTS {
        transaction
            .insert(NOTE, fields(&[]))
            .map_err(|error| error.to_string())?;
    }
    match opened.store.commit_wait(transaction, None) {
        CommitOutcome::Committed { .. } => Ok(opened.store),
        other => Err(other.to_string()),
    }
}

/// One step of a transaction: reads a list and sometimes appends to it.
///
/// # Errors
/// When the store refuses it.
pub fn step(
    rng: &mut Rng,
    transaction: &mut Transaction,
    done: &mut Done,
    value: u64,
) -> Result<(), String> {
    let list = 1 + rng.below(LISTS as usize) as u64;
    let seen = read(transaction, list)?;
    if !done.appends.contains_key(&list) {
        done.reads.insert(list, seen.clone());
        if rng.one_in(2) {
            let mut longer = seen;
            longer.push(value);
            transaction
                .update(NOTE, EntityId(list), fields(&longer))
                .map_err(|error| error.to_string())?;
            done.appends.insert(list, value);
        }
    }
    Ok(())
}

/// Clients on one thread, interleaved by a seed: each step of each of them in any order.
///
/// # Errors
/// What is wrong with the history.
pub fn interleaved(seed: u64) -> Result<(), String> {
    let mut rng = Rng::new(seed ^ 0xE11E);
    let store = store(StoreOptions::inline())?;
    let mut clients: Vec<Client> = (0..2 + rng.below(6))
        .map(|_| Client {
            transaction: None,
            done: Done::default(),
            steps: 0,
            clashes: 0,
        })
        .collect();
    let (mut committed, mut value) = (Vec::new(), 0);
    for _ in 0..400 {
        let at = rng.below(clients.len());
        let client = &mut clients[at];
        let Some(transaction) = &mut client.transaction else {
            client.transaction = Some(store.begin());
            client.done = Done::default();
            client.steps = 1 + rng.below(4);
            continue;
        };
        if client.steps > 0 {
            client.steps -= 1;
            value += 1;
            step(&mut rng, transaction, &mut client.done, value)?;
            continue;
        }
        let Some(transaction) = client.transaction.take() else {
            continue;
        };
        match store.commit_wait(transaction, None) {
            CommitOutcome::Committed { .. } => committed.push(client.done.clone()),
            CommitOutcome::Clash => client.clashes += 1,
            other => return Err(other.to_string()),
        }
    }
    check(&committed, &last_lists(&store)?)
}

/// What stands in the lists now.
///
/// # Errors
/// When they cannot be read.
pub fn last_lists(store: &Store) -> Result<BTreeMap<u64, Vec<u64>>, String> {
    let mut transaction = store.begin();
    (1..=LISTS)
        .map(|list| Ok((list, read(&mut transaction, list)?)))
        .collect()
}

/// Whether committed transactions have a serial order, given what stands in the lists at the end.
///
/// # Errors
/// What contradicts any order.
pub fn check(committed: &[Done], last: &BTreeMap<u64, Vec<u64>>) -> Result<(), String> {
    let mut writers = BTreeMap::new();
    for (number, done) in committed.iter().enumerate() {
        for (list, value) in &done.appends {
            writers.insert((*list, *value), number);
            let there = last[list].iter().filter(|one| **one == *value).count();
            if there != 1 {
                return Err(format!(
                    "LOST: append of {value} to list {list} is there {there} times"
                ));
            }
        }
    }
    for (list, values) in last {
        if let Some(value) = values
            .iter()
            .find(|value| !writers.contains_key(&(*list, **value)))
        {
            return Err(format!(
                "WRONG: nobody who committed appended {value} to list {list}"
            ));
        }
    }
    let mut before: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut edge = |from: usize, to: usize| {
        if from != to {
            before.entry(from).or_default().insert(to);
        }
    };
    for (list, values) in last {
        for pair in values.windows(2) {
            edge(writers[&(*list, pair[0])], writers[&(*list, pair[1])]);
        }
    }
    for (number, done) in committed.iter().enumerate() {
        for (list, seen) in &done.reads {
            if !last[list].starts_with(seen) {
                return Err(format!(
                    "WRONG: list {list} was read as {seen:?} and never was so"
                ));
            }
            if let Some(value) = seen.last() {
                edge(writers[&(*list, *value)], number);
            }
            if let Some(next) = last[list].get(seen.len()) {
                edge(number, writers[&(*list, *next)]);
            }
        }
    }
    match cycle(&before, committed.len()) {
        None => Ok(()),
        Some(cycle) => Err(format!(
            "WRONG: no serial order: transactions {cycle:?} each precede the next"
        )),
    }
}

/// A cycle, if there is one.
fn cycle(before: &BTreeMap<usize, BTreeSet<usize>>, count: usize) -> Option<Vec<usize>> {
    // 0 not seen, 1 on the way, 2 done.
    let mut marks = vec![0; count];
    for start in 0..count {
        if marks[start] != 0 {
            continue;
        }
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let next = |node: usize| before.get(&node).into_iter().flatten().copied().collect();
        marks[start] = 1;
        way.push((start, next(start)));
        while let Some((node, rest)) = way.last_mut() {
            let Some(to) = rest.pop() else {
                marks[*node] = 2;
                way.pop();
                continue;
            };
            if marks[to] == 1 {
                let nodes = way.iter().map(|(node, _)| *node);
                return Some(nodes.skip_while(|node| *node != to).collect());
            }
            if marks[to] == 0 {
                marks[to] = 1;
                way.push((to, next(to)));
            }
        }
    }
    None
}
