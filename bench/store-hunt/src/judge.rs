//! The judge: opens what a fault left and compares all of it with the model.
//!
//! Current state, every version, states in the past, unique values, links, queries, request ids, and `verify`. What must
//! stay true: it accepts exactly the states after k transactions, with k at least the number of acknowledged ones.

use std::sync::Arc;

use flin_store::{
    CommitOutcome, CrashChoice, Deleted, Disk, FieldValue, OpenError, SimDisk, Snapshot, Store,
    verify,
};

use crate::life::{Life, options};
use crate::model::{
    Key, NAME, NAMES, NOTE, State, TAG, Version, above_query, is_above, live, schema,
};

/// Everything a snapshot shows.
///
/// # Errors
/// When something cannot be read or does not fit together.
pub fn read_all(snapshot: &Snapshot) -> Result<State, String> {
    let mut state = State::new();
    for ty in [NOTE, TAG] {
        for record in snapshot.scan(ty, Deleted::Include) {
            let record = record.map_err(|error| format!("scan: {error}"))?;
            let versions = snapshot
                .history(ty, record.id)
                .map_err(|error| format!("history: {error}"))?;
            let counted = (versions.iter().enumerate())
                .all(|(at, version)| version.version as usize == at + 1 && version.ty == ty);
            if !counted || versions.last() != Some(&*record) {
                return Err(format!("the versions of {} do not fit", record.id));
            }
            let versions = versions.into_iter().map(|one| Version {
                deleted: one.is_deleted(),
                fields: one.fields,
            });
            state.insert((ty, record.id), versions.collect());
        }
        let expected = state.keys().filter(|key| live(&state, **key).is_some());
        let expected = expected.filter(|key| key.0 == ty).count();
        let counted = snapshot.count(ty).map_err(|error| error.to_string())?;
        if counted != expected as u64 {
            return Err(format!("count says {counted}, a scan finds {expected}"));
        }
    }
    Ok(state)
}

/// Opens the disk and compares. Returns how many of the life's transactions are there.
///
/// # Errors
/// What is wrong.
pub fn judge(disk: &SimDisk, life: &Life) -> Result<usize, String> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    if life.checkpoints {
        same_without_checkpoints(disk)?;
    }
    let opened = Store::open(shared, &schema(), options(life.checkpoints))
        .map_err(|error| format!("LOST: the open is refused: {error}"))?;
    let store = opened.store;
    let found = compare(&store, life)?;
    drop(store);
    let report = match verify(disk) {
        Ok(report) => report,
        Err(OpenError::NoStore { .. }) if life.acknowledged == 0 => return Ok(found),
        Err(error) => return Err(format!("verify: {error}")),
    };
    if report.is_intact() {
        Ok(found)
    } else {
        Err(format!("verify finds damage: {report}"))
    }
}

/// A start from a checkpoint and one from the log alone give the same.
fn same_without_checkpoints(disk: &SimDisk) -> Result<(), String> {
    let state = |disk: SimDisk| {
        let shared: Arc<dyn Disk> = Arc::new(disk);
        let opened = Store::open(shared, &schema(), options(false));
        let opened = opened.map_err(|error| format!("LOST: the open is refused: {error}"))?;
        Ok::<_, String>((read_all(&opened.store.snapshot())?, opened.store.head()))
    };
    let without = disk.after_crash(CrashChoice::KeepAll);
    for name in without.all_names() {
        if name.starts_with("index-") {
            without.remove(&name).map_err(|error| error.to_string())?;
        }
    }
    if state(disk.after_crash(CrashChoice::KeepAll))? == state(without)? {
        Ok(())
    } else {
        Err("WRONG: a start from the checkpoint gives other data than the log".to_owned())
    }
}

/// Compares an open store with a life.
///
/// # Errors
/// What is wrong.
pub fn compare(store: &Store, life: &Life) -> Result<usize, String> {
    let snapshot = store.snapshot();
    let state = read_all(&snapshot)?;
    let tried = life.states.len() - 1;
    let mut candidates = life.acknowledged..=tried;
    let Some(found) = candidates.find(|k| life.states[*k] == state) else {
        let earlier = (0..life.acknowledged).any(|k| life.states[k] == state);
        let what = if earlier {
            "LOST: acknowledged transactions are missing"
        } else {
            "WRONG: the data are those after no number of transactions"
        };
        return Err(format!(
            "{what} ({} acknowledged, {tried} tried)",
            life.acknowledged
        ));
    };
    past(&snapshot, life, found)?;
    unique_values(&snapshot, &state)?;
    links(store, &state)?;
    queries(&snapshot, &state)?;
    requests(store, life)?;
    Ok(found)
}

/// States in the past; what was destroyed since is gone from them too.
fn past(snapshot: &Snapshot, life: &Life, found: usize) -> Result<(), String> {
    let there = &life.states[found];
    let step = (found / 5).max(1);
    for at in (0..found).step_by(step) {
        let Some((Some(lsn), _)) = life.marks.get(at) else {
            continue;
        };
        let mut expected = life.states[at + 1].clone();
        expected.retain(|key, _| there.contains_key(key));
        if read_all(&snapshot.at_lsn(*lsn))? != expected {
            return Err(format!("WRONG: the state as of LSN {lsn} differs"));
        }
    }
    Ok(())
}

fn unique_values(snapshot: &Snapshot, state: &State) -> Result<(), String> {
    for name in NAMES {
        let value = FieldValue::text(name);
        let found = snapshot
            .find_unique(TAG, NAME, &value)
            .map_err(|error| error.to_string())?;
        let holds = |key: &&Key| live(state, **key).is_some_and(|one| one.fields[0] == value);
        let mut tags = state.keys().filter(|key| key.0 == TAG);
        let expected = tags.find(holds).map(|key| key.1);
        if found.map(|tag| tag.id) != expected {
            return Err(format!("WRONG: another holder of the unique value {name}"));
        }
    }
    Ok(())
}

/// What a deletion of each of some notes would do.
fn links(store: &Store, state: &State) -> Result<(), String> {
    let notes = state.keys().copied().filter(|key| key.0 == NOTE);
    let notes = notes.filter(|key| live(state, *key).is_some());
    for key in notes.take(6) {
        let mut transaction = store.begin();
        let found = transaction
            .consequences(key.0, key.1)
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("WRONG: no rule forbids this deletion: {error}"))?;
        let linking = |ty| {
            let all = state.keys().copied().filter(move |one| one.0 == ty);
            let holders = all.filter(|one| *one != key && live(state, *one).is_some());
            holders.filter(move |one| {
                let link = live(state, *one).and_then(|version| version.fields.last());
                matches!(link, Some(FieldValue::Ref { ty, id }) if (*ty, *id) == key)
            })
        };
        let mut deleted = found.deleted.clone();
        deleted.sort_unstable();
        let unlinked: Vec<Key> = (found.unlinked.iter())
            .map(|(ty, id, _)| (*ty, *id))
            .filter(|one| *one != key)
            .collect();
        if deleted != linking(TAG).collect::<Vec<_>>()
            || unlinked != linking(NOTE).collect::<Vec<_>>()
        {
            return Err(format!("WRONG: other records link to note {}", key.1));
        }
    }
    Ok(())
}

fn queries(snapshot: &Snapshot, state: &State) -> Result<(), String> {
    for size in [10, 60] {
        let found = snapshot
            .count_where(&above_query(size))
            .map_err(|error| error.to_string())?;
        let notes = state.keys().filter(|key| key.0 == NOTE);
        let above = notes.filter(|key| live(state, **key).is_some_and(|one| is_above(one, size)));
        if found != above.count() as u64 {
            return Err("WRONG: a query finds another number of notes".to_owned());
        }
    }
    Ok(())
}

/// Requests that were acknowledged and are sent again are not committed again.
fn requests(store: &Store, life: &Life) -> Result<(), String> {
    let acknowledged = life.marks[..life.acknowledged.min(life.marks.len())].iter();
    for mark in acknowledged.rev().filter(|mark| mark.1.is_some()).take(3) {
        match store.commit_wait(store.begin(), mark.1) {
            CommitOutcome::Duplicate { lsn, event } if Some(lsn) == mark.0 => match event {
                Ok(event) if event.lsn == lsn => {}
                other => return Err(format!("WRONG: the first answer is not there: {other:?}")),
            },
            other => return Err(format!("WRONG: a request was taken twice: {other}")),
        }
    }
    Ok(())
}
