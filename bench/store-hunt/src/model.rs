//! The judge's own picture of the data: what a transaction does to it, what the rules make of that, what clashes.
//!
//! Written from the promises and not from the store: it recomputes everything each time and shares no code with it. What
//! must stay true: it predicts every verdict exactly, so that a wrong "yes" is found as surely as a wrong "no".

use std::collections::{BTreeMap, BTreeSet};

use flin_store::query::{Column, Comparison, Predicate, Query};
use flin_store::{
    EntityId, FieldDef, FieldIx, FieldType, FieldValue, OnDelete, Schema, Transaction, TypeDef,
    TypeIx,
};
use flin_testkit::rng::Rng;

/// `Note { text, size, next: Note on_delete(set_none) }`
pub const NOTE: TypeIx = TypeIx(0);
/// `Tag { name unique, note: Note on_delete(cascade) }`
pub const TAG: TypeIx = TypeIx(1);
/// Where the size of a note stands.
pub const SIZE: FieldIx = FieldIx(1);
/// Where the name of a tag stands.
pub const NAME: FieldIx = FieldIx(0);
/// Few, so that they are fought for.
pub const NAMES: [&str; 5] = ["red", "green", "blue", "grey", "pink"];

/// A record.
pub type Key = (TypeIx, EntityId);

/// The schema of all trials.
pub fn schema() -> Schema {
    let link = FieldType::Ref("Note".into());
    let note = TypeDef {
        name: "Note".into(),
        fields: vec![
            FieldDef::new("text", FieldType::Text),
            FieldDef::new("size", FieldType::Int),
            FieldDef::new("next", link.clone()).on_delete(OnDelete::SetNone),
        ],
        ..TypeDef::default()
    };
    let tag = TypeDef {
        name: "Tag".into(),
        fields: vec![
            FieldDef::new("name", FieldType::Text).unique(),
            FieldDef::new("note", link).on_delete(OnDelete::Cascade),
        ],
        ..TypeDef::default()
    };
    Schema {
        types: vec![note, tag],
        ..Schema::default()
    }
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Values by field.
    pub fields: Vec<FieldValue>,
    /// Whether it is hidden.
    pub deleted: bool,
}

/// All records with all versions, oldest first. A destroyed record is not there.
pub type State = BTreeMap<Key, Vec<Version>>;

/// The newest version of a record, if it is live.
pub fn live(state: &State, key: Key) -> Option<&Version> {
    state.get(&key)?.last().filter(|newest| !newest.deleted)
}

/// One changed record: before and after; `None` where it was not there.
pub type ChangeOfKey = (Key, Option<Version>, Option<Version>);

/// What a transaction looked at beside the records it writes.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    records: BTreeSet<Key>,
    types: BTreeSet<TypeIx>,
    /// Names of tags that nobody had.
    free_names: BTreeSet<&'static str>,
    /// Sizes; the notes above them were counted.
    sizes_above: Vec<i64>,
}

/// A transaction as the model sees it: what it read, and what it wants each record to be.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    looked: Looked,
    /// Wanted states; `None`: destroyed.
    wanted: BTreeMap<Key, Option<Version>>,
    made: BTreeSet<Key>,
}

impl Draft {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    fn now(&self, state: &State, key: Key) -> Option<Version> {
        match self.wanted.get(&key) {
            Some(wanted) => wanted.clone(),
            None => state
                .get(&key)
                .and_then(|versions| versions.last().cloned()),
        }
    }

    fn keys(&self, state: &State, ty: TypeIx) -> Vec<Key> {
        let all: BTreeSet<Key> = state.keys().chain(self.wanted.keys()).copied().collect();
        let exists = |key: &Key| key.0 == ty && self.now(state, *key).is_some();
        all.into_iter().filter(exists).collect()
    }

    fn link(&self, rng: &mut Rng, state: &State) -> FieldValue {
        let notes = self.keys(state, NOTE);
        if notes.is_empty() || rng.one_in(3) {
            return FieldValue::None;
        }
        // Often a live one, sometimes one that is deleted, rarely one that was never there.
        let (ty, id) = if rng.one_in(20) {
            (NOTE, EntityId(9999))
        } else {
            *rng.pick(&notes)
        };
        FieldValue::Ref { ty, id }
    }

    fn fields(&self, rng: &mut Rng, state: &State, ty: TypeIx) -> Vec<FieldValue> {
        let link = self.link(rng, state);
        if ty == NOTE {
            let text = "x".repeat(rng.below(700));
            let text = FieldValue::text(format!("{text}{}", rng.below(1000)));
            vec![text, FieldValue::Int(rng.below(100) as i64), link]
        } else {
            let name = if rng.one_in(4) {
                FieldValue::None
            } else {
                FieldValue::text(*rng.pick(&NAMES))
            };
            vec![name, link]
        }
    }

    /// One random step, in the transaction and here. `state` is what the transaction's snapshot shows.
    ///
    /// # Errors
    /// When the store refuses what the model allows.
    pub fn step(
        &mut self,
        rng: &mut Rng,
        transaction: &mut Transaction,
        state: &State,
    ) -> Result<(), String> {
        if rng.one_in(4) {
            return self.look(rng, transaction, state);
        }
        let ty = if rng.one_in(3) { TAG } else { NOTE };
        let known = self.keys(state, ty);
        let failed = |error: flin_store::TxError| format!("a step was refused: {error}");
        if known.is_empty() || rng.one_in(3) {
            let fields = self.fields(rng, state, ty);
            let id = transaction.insert(ty, fields.clone()).map_err(failed)?;
            let first = Version {
                fields,
                deleted: false,
            };
            self.made.insert((ty, id));
            self.wanted.insert((ty, id), Some(first));
            return Ok(());
        }
        let key = *rng.pick(&known);
        let Some(before) = self.now(state, key) else {
            return Ok(());
        };
        if !self.made.contains(&key) {
            self.looked.records.insert(key);
        }
        let after = if rng.one_in(12) {
            transaction.destroy(ty, key.1).map_err(failed)?;
            None
        } else if before.deleted {
            transaction.restore(ty, key.1).map_err(failed)?;
            Some(Version {
                deleted: false,
                ..before
            })
        } else if rng.one_in(3) {
            transaction.delete(ty, key.1).map_err(failed)?;
            Some(Version {
                deleted: true,
                ..before
            })
        } else {
            let fields = self.fields(rng, state, ty);
            transaction
                .update(ty, key.1, fields.clone())
                .map_err(failed)?;
            Some(Version {
                fields,
                deleted: false,
            })
        };
        self.wanted.insert(key, after);
        Ok(())
    }

    /// Reads something, and compares it with the model.
    fn look(
        &mut self,
        rng: &mut Rng,
        transaction: &mut Transaction,
        state: &State,
    ) -> Result<(), String> {
        let failed = |error: flin_store::ReadError| format!("a read failed: {error}");
        let count = |found: u64, expected: usize, what: &str| {
            if found == expected as u64 {
                Ok(())
            } else {
                Err(format!("{found} {what}, the model has {expected}"))
            }
        };
        let is_live = |key: Key| self.now(state, key).filter(|one| !one.deleted);
        match rng.below(8) {
            0 => {
                let tags = self.keys(state, TAG);
                let expected = tags.iter().filter(|key| is_live(**key).is_some()).count();
                self.looked.types.insert(TAG);
                count(transaction.count(TAG).map_err(failed)?, expected, "tags")
            }
            1 | 2 => {
                let name = *rng.pick(&NAMES);
                let value = FieldValue::text(name);
                let holder = (self.keys(state, TAG).into_iter())
                    .find(|key| is_live(*key).is_some_and(|one| one.fields[0] == value));
                // What two records of one transaction claim is judged when it commits.
                if self.wanted.keys().any(|key| key.0 == TAG) {
                    return Ok(());
                }
                let found = transaction.find_unique(TAG, NAME, &value).map_err(failed)?;
                match holder {
                    Some(key) => self.looked.records.insert(key),
                    None => self.looked.free_names.insert(name),
                };
                if found.map(|tag| tag.id) == holder.map(|key| key.1) {
                    Ok(())
                } else {
                    Err(format!("another holder of {name}"))
                }
            }
            3 | 4 => {
                let above = rng.below(110) as i64;
                let expected = (self.keys(state, NOTE).into_iter())
                    .filter(|key| is_live(*key).is_some_and(|one| is_above(&one, above)))
                    .count();
                self.looked.sizes_above.push(above);
                let found = transaction
                    .count_where(&above_query(above))
                    .map_err(failed)?;
                count(found, expected, "notes above a size")
            }
            _ => {
                let known: Vec<Key> = state.keys().copied().collect();
                let Some(key) = known.get(rng.below(known.len().max(1))) else {
                    return Ok(());
                };
                if self.wanted.contains_key(key) {
                    return Ok(());
                }
                self.looked.records.insert(*key);
                let found = transaction.get(key.0, key.1).map_err(failed)?;
                if found.map(|one| one.fields.clone())
                    == live(state, *key).map(|v| v.fields.clone())
                {
                    Ok(())
                } else {
                    Err("a record reads differently".to_owned())
                }
            }
        }
    }

    /// Whether any of these changes is about what was read.
    pub fn clashes<'c>(&self, since: impl Iterator<Item = &'c ChangeOfKey>) -> bool {
        let mut since = since;
        since.any(|(key, before, after)| {
            let images = || {
                let images = [before, after].into_iter().flatten();
                images.filter(|one| !one.deleted)
            };
            let is_free_name = |one: &Version| {
                let names = &self.looked.free_names;
                matches!(&one.fields[0], FieldValue::Text(name) if names.contains(&**name))
            };
            let mut above = self.looked.sizes_above.iter();
            self.looked.records.contains(key)
                || self.looked.types.contains(&key.0)
                || (key.0 == TAG && images().any(is_free_name))
                || (key.0 == NOTE && above.any(|above| images().any(|one| is_above(one, *above))))
        })
    }

    /// What the rules make of it on a state, or the name of the rule that it breaks.
    ///
    /// # Errors
    /// The broken rule.
    pub fn outcome(&self, state: &State) -> Result<(State, Vec<ChangeOfKey>), &'static str> {
        let mut draft = self.clone();
        draft.rules(state)?;
        let mut after = state.clone();
        let mut changes = Vec::new();
        for (key, wanted) in &draft.wanted {
            let before = state.get(key).and_then(|versions| versions.last().cloned());
            match wanted {
                // What was made and unmade by one transaction was never there.
                Some(version) if version.deleted && draft.made.contains(key) => continue,
                None if draft.made.contains(key) => continue,
                Some(version) => after.entry(*key).or_default().push(version.clone()),
                None => drop(after.remove(key)),
            }
            changes.push((*key, before, wanted.clone()));
        }
        Ok((after, changes))
    }

    fn rules(&mut self, state: &State) -> Result<(), &'static str> {
        let is_live = |draft: &Draft, key: Key| {
            let now = draft.now(state, key);
            now.is_some_and(|version| !version.deleted)
        };
        let was_live = |key: &Key| live(state, *key).is_some();
        let gone: Vec<Key> = (self.wanted.keys().copied())
            .filter(|key| was_live(key) && !is_live(self, *key))
            .collect();
        for ty in [NOTE, TAG] {
            for key in self.keys(state, ty) {
                let Some(mut version) = self.now(state, key).filter(|one| !one.deleted) else {
                    continue;
                };
                let at = version.fields.len() - 1;
                let value = &version.fields[at];
                // A link that this very transaction makes to something it deletes is a broken reference.
                let is_old = live(state, key).is_some_and(|one| one.fields[at] == *value);
                let FieldValue::Ref { ty: of, id } = value else {
                    continue;
                };
                if !is_old || !gone.contains(&(*of, *id)) {
                    continue;
                }
                if ty == TAG {
                    version.deleted = true;
                } else {
                    version.fields[at] = FieldValue::None;
                }
                self.wanted.insert(key, Some(version));
            }
        }
        let mut names = BTreeSet::new();
        let mut references = Vec::new();
        for ty in [NOTE, TAG] {
            for key in self.keys(state, ty) {
                let Some(version) = self.now(state, key).filter(|one| !one.deleted) else {
                    continue;
                };
                if ty == TAG
                    && let FieldValue::Text(name) = &version.fields[0]
                    && !names.insert(name.to_string())
                {
                    return Err("unique");
                }
                if let Some(FieldValue::Ref { ty, id }) = version.fields.last() {
                    references.push((*ty, *id));
                }
            }
        }
        match references.iter().all(|target| is_live(self, *target)) {
            true => Ok(()),
            false => Err("reference"),
        }
    }
}

/// Whether a note is larger.
pub fn is_above(version: &Version, size: i64) -> bool {
    matches!(version.fields.get(1), Some(FieldValue::Int(of)) if *of > size)
}

/// Live notes above a size.
pub fn above_query(size: i64) -> Query {
    let size = FieldValue::Int(size);
    Query::all(NOTE).matching(Predicate::compare(
        Column::Field(SIZE),
        Comparison::Gt,
        size,
    ))
}
