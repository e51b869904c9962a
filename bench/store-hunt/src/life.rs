//! One life of a store on a simulated disk: random transactions, what they were answered, what the data must be then.
//!
//! What must stay true: every answer is compared with the model's prediction; what was acknowledged is counted apart from
//! what was only tried.

use std::collections::VecDeque;
use std::sync::Arc;

use flin_store::{
    Checkpoints, CommitOutcome, Disk, EntityId, FieldValue, Lsn, RequestId, SimDisk, Store,
    StoreOptions, Transaction,
};
use flin_testkit::rng::Rng;

use crate::model::{ChangeOfKey, Draft, NOTE, State, Version, live, schema};

/// Small segments, so that a few commits roll; no threads. With checkpoints there is one after a few commits.
pub fn options(checkpoints: bool) -> StoreOptions {
    let often = Checkpoints {
        log_bytes: 2500,
        after_ms: 300,
        log_bytes_min: 300,
    };
    StoreOptions {
        segment_bytes_min: 8192,
        segment_bytes_max: 16384,
        checkpoints: if checkpoints {
            often
        } else {
            Checkpoints::never()
        },
        ..StoreOptions::inline()
    }
}

/// What a process did with a store until it ended.
pub struct Life {
    /// `states[k]` is the data after k transactions.
    pub states: Vec<State>,
    /// `changes[k]` leads from `states[k]` to the next one.
    changes: Vec<Vec<ChangeOfKey>>,
    /// Number of transactions that were answered with `Committed`.
    pub acknowledged: usize,
    /// LSN and request id of each transaction, where there are any.
    pub marks: Vec<(Option<Lsn>, Option<RequestId>)>,
    /// The store, if it is still open.
    pub store: Option<Store>,
    /// Whether something was refused for lack of room.
    pub full: bool,
    /// Whether checkpoints are taken.
    pub checkpoints: bool,
}

/// A transaction under way and the state it was begun on.
struct Open {
    transaction: Transaction,
    draft: Draft,
    base: usize,
    request: Option<RequestId>,
}

/// How a life goes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Feeds everything random.
    pub seed: u64,
    /// So many batches of one to three transactions.
    pub batches: usize,
    /// Whether the store is closed at the end.
    pub close: bool,
    /// Whether checkpoints are taken.
    pub checkpoints: bool,
}

/// Lives as planned on `disk`, whose data are `start`; ends early when the store takes no more.
///
/// # Errors
/// When an answer is not the one that the model expects.
pub fn live_on(disk: &SimDisk, plan: Plan, start: State) -> Result<Life, String> {
    let mut rng = Rng::new(plan.seed);
    let mut life = Life {
        states: vec![start],
        changes: Vec::new(),
        acknowledged: 0,
        marks: Vec::new(),
        store: None,
        full: false,
        checkpoints: plan.checkpoints,
    };
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    // An open that fails is one of the planned faults; the judge looks at the disk.
    let Ok(opened) = Store::open(shared, &schema(), options(plan.checkpoints)) else {
        return Ok(life);
    };
    let store = opened.store;
    life.store = Some(store.clone());
    let mut held: VecDeque<Open> = VecDeque::new();
    for _ in 0..plan.batches {
        let mut batch = Vec::new();
        for _ in 0..1 + rng.below(3) {
            let open = life.begin(&store, &mut rng)?;
            // Some wait until others have been committed: they meet changes after their snapshot.
            if rng.one_in(4) {
                held.push_back(open);
            } else {
                batch.push(open);
            }
        }
        if rng.one_in(2) {
            batch.extend(held.pop_front());
        }
        let goes_on = life.commit(&store, batch)?;
        disk.set_clock_ms(disk.now_ms() + rng.below(3) as i64 * 400);
        if !goes_on {
            break;
        }
    }
    drop(held);
    if plan.close && store.poisoned().is_none() && !disk.crashed() {
        // A failure here is one of the planned ones; the judge looks at the disk.
        let _closed = store.close().is_ok();
    }
    Ok(life)
}

impl Life {
    fn newest(&self) -> &State {
        &self.states[self.states.len() - 1]
    }

    fn begin(&self, store: &Store, rng: &mut Rng) -> Result<Open, String> {
        let mut open = Open {
            transaction: store.begin(),
            draft: Draft::default(),
            base: self.states.len() - 1,
            request: None,
        };
        if rng.one_in(2) {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&rng.bits().to_le_bytes());
            id[15] = 1;
            open.request = Some(RequestId(id));
        }
        for _ in 0..1 + rng.below(4) {
            open.draft.step(rng, &mut open.transaction, self.newest())?;
        }
        Ok(open)
    }

    /// Commits a batch and compares the answers. `false` when the store takes no more.
    fn commit(&mut self, store: &Store, batch: Vec<Open>) -> Result<bool, String> {
        let (mut jobs, mut drafts) = (Vec::new(), Vec::new());
        for open in batch {
            if !open.draft.is_empty() {
                jobs.push((open.transaction, open.request));
                drafts.push((open.draft, open.base, open.request));
            }
        }
        let outcomes = store.commit_all(jobs);
        let mut goes_on = true;
        for (outcome, (draft, base, request)) in outcomes.iter().zip(drafts) {
            match outcome {
                CommitOutcome::StorageFull | CommitOutcome::CannotExtend { .. } => {
                    self.full = true;
                    continue;
                }
                CommitOutcome::Poisoned { .. } => {
                    goes_on = false;
                    continue;
                }
                _ => {}
            }
            let clashes = draft.clashes(self.changes[base..].iter().flatten());
            let expected = draft.outcome(self.newest());
            match (outcome, clashes, expected) {
                (CommitOutcome::Clash, true, _) => {}
                (CommitOutcome::Constraint(error), false, Err(rule))
                    if error.rule.name() == rule => {}
                (CommitOutcome::Committed { lsn, .. }, false, Ok((state, changes))) => {
                    self.acknowledged += 1;
                    self.push(state, changes, Some(*lsn), request);
                }
                (CommitOutcome::OutcomeUnknown { .. }, false, Ok((state, changes))) => {
                    goes_on = false;
                    self.push(state, changes, None, request);
                }
                // It was not looked at before something broke.
                (CommitOutcome::OutcomeUnknown { .. }, _, _) => goes_on = false,
                (outcome, clashes, expected) => {
                    let expected = expected.map(|_| "committed");
                    return Err(format!(
                        "an answer was `{outcome}`, the model says: clashes {clashes}, {expected:?}"
                    ));
                }
            }
        }
        if store.poisoned().is_some() {
            goes_on = false;
            self.tries_in_vain(store)?;
        }
        Ok(goes_on)
    }

    fn push(
        &mut self,
        state: State,
        changes: Vec<ChangeOfKey>,
        lsn: Option<Lsn>,
        request: Option<RequestId>,
    ) {
        self.states.push(state);
        self.changes.push(changes);
        self.marks.push((lsn, request));
    }

    /// After a failed write or sync nothing is taken, and nothing is shown that may be lost.
    fn tries_in_vain(&self, store: &Store) -> Result<(), String> {
        let shown = crate::judge::read_all(&store.snapshot())?;
        if shown != self.states[self.acknowledged] {
            return Err("after a failed write something is shown that was not acknowledged".into());
        }
        let mut transaction = store.begin();
        let fields = vec![
            FieldValue::text("too late"),
            FieldValue::Int(0),
            FieldValue::None,
        ];
        transaction
            .insert(NOTE, fields)
            .map_err(|error| error.to_string())?;
        match store.commit_wait(transaction, None) {
            CommitOutcome::Poisoned { .. } => Ok(()),
            other => Err(format!(
                "after a failed write another one is tried: {other}"
            )),
        }
    }

    /// Inserts notes until there is no room.
    ///
    /// # Errors
    /// When another answer comes.
    pub fn fills(&mut self, store: &Store, rng: &mut Rng) -> Result<(), String> {
        loop {
            let mut transaction = store.begin();
            let text = FieldValue::text("f".repeat(rng.below(600)));
            let fields = vec![text, FieldValue::Int(5), FieldValue::None];
            let id = transaction
                .insert(NOTE, fields.clone())
                .map_err(|error| error.to_string())?;
            match store.commit_wait(transaction, None) {
                CommitOutcome::Committed { lsn, .. } => {
                    let version = Version {
                        fields,
                        deleted: false,
                    };
                    let mut after = self.newest().clone();
                    after.insert((NOTE, id), vec![version.clone()]);
                    self.acknowledged += 1;
                    self.push(
                        after,
                        vec![((NOTE, id), None, Some(version))],
                        Some(lsn),
                        None,
                    );
                }
                CommitOutcome::StorageFull => return Ok(()),
                other => return Err(format!("filling a full disk: {other}")),
            }
        }
    }

    /// On a full disk: destroying a record to which nothing links must work. The life goes on with the state after it.
    ///
    /// # Errors
    /// When it does not.
    pub fn destroys_one(&mut self, store: &Store) -> Result<(), String> {
        let state = self.newest();
        let linked = |id: EntityId| {
            let mut all = state.values().flatten();
            all.any(|version| {
                matches!(version.fields.last(), Some(FieldValue::Ref { id: to, .. }) if *to == id)
            })
        };
        let alone = (state.keys().copied())
            .find(|key| live(state, *key).is_some() && (key.0 != NOTE || !linked(key.1)));
        let Some(key) = alone else { return Ok(()) };
        let mut transaction = store.begin();
        transaction
            .destroy(key.0, key.1)
            .map_err(|error| error.to_string())?;
        match store.commit_wait(transaction, None) {
            CommitOutcome::Committed { lsn, .. } => {
                let mut after = state.clone();
                let before = after.remove(&key).and_then(|mut versions| versions.pop());
                self.acknowledged += 1;
                self.push(after, vec![(key, before, None)], Some(lsn), None);
                Ok(())
            }
            other => Err(format!("destroying on a full disk: {other}")),
        }
    }
}
