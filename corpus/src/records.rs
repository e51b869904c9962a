//! Records in memory with their whole history and the rules between them. Here because programs are run without a disk,
//! and because it says in a few lines what the store must do. Must stay true: ids count from 1 per entity and are never
//! used again; one transaction makes at most one version of a record; a refused change changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use flin_bytecode::module::{Entity, OnDelete};
use flin_bytecode::{EntityTypeId, Module, Rule};
use flin_vm::{Consequences, HostError, HostPast, HostRecord, HostValue, Moment, ScanMode};

/// Entity and id.
type Key = (usize, i64);

/// All records of a program's entities.
pub(crate) struct Records {
    entities: Vec<Entity>,
    /// Versions of each record, oldest first; never empty.
    versions: Vec<BTreeMap<i64, Vec<HostRecord>>>,
    next_id: Vec<i64>,
    /// Records that the transaction under way has written.
    touched: BTreeSet<Key>,
    now_ms: i64,
}

impl Records {
    pub(crate) fn new(module: &Module, now_ms: i64) -> Records {
        Records {
            entities: module.entities.clone(),
            versions: vec![BTreeMap::new(); module.entities.len()],
            next_id: vec![1; module.entities.len()],
            touched: BTreeSet::new(),
            now_ms,
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What was written stands; the clock goes on by a second.
    pub(crate) fn commit(&mut self) {
        if self.touched.is_empty() {
            return;
        }
        for (ty, id) in std::mem::take(&mut self.touched) {
            // Made and unmade in one transaction: never there.
            let unmade = self
                .newest((ty, id))
                .is_some_and(|record| record.version == 1 && record.deleted_at.is_some());
            if unmade {
                self.versions[ty].remove(&id);
            }
        }
        self.now_ms += 1000;
    }

    fn newest(&self, (ty, id): Key) -> Option<&HostRecord> {
        self.versions[ty].get(&id)?.last()
    }

    fn live(&self, key: Key) -> Option<&HostRecord> {
        self.newest(key)
            .filter(|record| record.deleted_at.is_none())
    }

    fn missing(&self, (ty, id): Key) -> HostError {
        HostError::NotFound {
            entity: self.entities[ty].name.clone(),
            id,
        }
    }

    /// All versions of all records, as one text.
    pub(crate) fn all(&self) -> String {
        let versions = self.versions.iter().flat_map(BTreeMap::values).flatten();
        versions.map(|version| format!("{version:?}\n")).collect()
    }

    pub(crate) fn get(&self, ty: EntityTypeId, id: i64) -> Option<HostRecord> {
        self.newest((ty.index(), id)).cloned()
    }

    pub(crate) fn scan(&self, ty: EntityTypeId, mode: ScanMode) -> Vec<HostRecord> {
        let all = self.versions[ty.index()].values();
        let newest = all.filter_map(|versions| versions.last());
        newest
            .filter(|record| shows(mode, record))
            .cloned()
            .collect()
    }

    pub(crate) fn history(&self, ty: EntityTypeId, id: i64) -> Vec<HostRecord> {
        let Some(versions) = self.versions[ty.index()].get(&id) else {
            return Vec::new();
        };
        let of_past = |at: usize| HostRecord {
            past: Some(HostPast {
                as_of: Moment::Time(versions[at].updated_at),
                valid_to: versions.get(at + 1).map(|next| next.updated_at),
            }),
            ..versions[at].clone()
        };
        (0..versions.len()).map(of_past).collect()
    }

    pub(crate) fn get_at(&self, ty: EntityTypeId, id: i64, when: Moment) -> Option<HostRecord> {
        // Each commit has a time of its own here.
        let Moment::Time(time_ms) = when else {
            return self.get(ty, id);
        };
        let mut versions = self.history(ty, id).into_iter().rev();
        let mut found = versions.find(|version| version.updated_at <= time_ms)?;
        if let Some(past) = &mut found.past {
            past.as_of = when;
        }
        Some(found)
    }

    pub(crate) fn scan_at(
        &self,
        ty: EntityTypeId,
        mode: ScanMode,
        when: Moment,
    ) -> Vec<HostRecord> {
        let ids = self.versions[ty.index()].keys();
        let then = ids.filter_map(|id| self.get_at(ty, *id, when));
        then.filter(|record| shows(mode, record)).collect()
    }

    pub(crate) fn insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        let at = ty.index();
        self.check(at, None, &fields)?;
        let id = self.next_id[at];
        self.next_id[at] += 1;
        let record = HostRecord {
            ty,
            id,
            version: 1,
            created_at: self.now_ms,
            updated_at: self.now_ms,
            deleted_at: None,
            fields,
            past: None,
        };
        self.touched.insert((at, id));
        self.versions[at].insert(id, vec![record.clone()]);
        Ok(record)
    }

    pub(crate) fn update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        let key = (ty.index(), id);
        self.is_there(key)?;
        self.check(key.0, Some(id), &fields)?;
        self.write(key, |record| record.fields = fields)
    }

    pub(crate) fn delete(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<(HostRecord, Consequences), HostError> {
        let key = (ty.index(), id);
        self.is_there(key)?;
        let others = self.unlink(key)?;
        let now = self.now_ms;
        let record = self.write(key, |record| record.deleted_at = Some(now))?;
        Ok((record, others))
    }

    pub(crate) fn restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        let key = (ty.index(), id);
        let Some(record) = self.newest(key) else {
            return Err(self.missing(key));
        };
        if record.deleted_at.is_none() {
            let entity = self.entities[key.0].name.clone();
            return Err(HostError::NotDeleted { entity, id });
        }
        let fields = record.fields.clone();
        self.check(key.0, Some(id), &fields)?;
        self.write(key, |record| record.deleted_at = None)
    }

    pub(crate) fn destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<Consequences, HostError> {
        let key = (ty.index(), id);
        if self.newest(key).is_none() {
            return Err(self.missing(key));
        }
        let others = match self.live(key) {
            Some(_) => self.unlink(key)?,
            None => Consequences::default(),
        };
        self.touched.insert(key);
        self.versions[key.0].remove(&id);
        Ok(others)
    }

    /// A record that can be changed is there and not deleted.
    fn is_there(&self, key: Key) -> Result<(), HostError> {
        match self.newest(key) {
            None => Err(self.missing(key)),
            Some(record) if record.deleted_at.is_some() => Err(HostError::Deleted {
                entity: self.entities[key.0].name.clone(),
                id: key.1,
            }),
            Some(_) => Ok(()),
        }
    }

    /// A new version, or another state of the one that this transaction makes.
    fn write(
        &mut self,
        key: Key,
        change: impl FnOnce(&mut HostRecord),
    ) -> Result<HostRecord, HostError> {
        let first = self.touched.insert(key);
        let missing = self.missing(key);
        let versions = self.versions[key.0].get_mut(&key.1);
        let Some((versions, mut record)) =
            versions.and_then(|versions| versions.last().cloned().map(|last| (versions, last)))
        else {
            return Err(missing);
        };
        if first {
            record.version += 1;
        } else {
            versions.pop();
        }
        record.updated_at = self.now_ms;
        change(&mut record);
        versions.push(record.clone());
        Ok(record)
    }

    fn refused(&self, (ty, field): (usize, usize), rule: &str, message: String) -> HostError {
        HostError::Constraint {
            entity: self.entities[ty].name.clone(),
            field: self.entities[ty].fields[field].name.clone(),
            rule: rule.to_owned(),
            message,
        }
    }

    /// Unique values and links of fields that are to be saved.
    fn check(&self, ty: usize, own: Option<i64>, fields: &[HostValue]) -> Result<(), HostError> {
        for (at, (field, value)) in self.entities[ty].fields.iter().zip(fields).enumerate() {
            let name = &field.name;
            let taken = field.unique
                && *value != HostValue::None
                && self.versions[ty].keys().any(|id| {
                    let other = self.live((ty, *id)).filter(|_| Some(*id) != own);
                    other.is_some_and(|other| other.fields[at] == *value)
                });
            if taken {
                return Err(self.refused((ty, at), "unique", format!("{name} is already taken")));
            }
            let mut targets = Vec::new();
            links(value, &mut targets);
            for (target, id) in targets {
                if id == 0 {
                    let message = format!(
                        "{name} holds a record that is not saved yet, which cannot be saved"
                    );
                    return Err(self.refused((ty, at), "reference", message));
                }
                if self.live((target, id)).is_none() {
                    let message = format!("{name} links to a record that does not exist");
                    return Err(self.refused((ty, at), "reference", message));
                }
            }
        }
        Ok(())
    }

    /// The live records and fields that link to a record.
    fn referrers(&self, target: Key) -> Vec<(Key, usize)> {
        let mut found = Vec::new();
        for (ty, records) in self.versions.iter().enumerate() {
            for id in records.keys() {
                let Some(record) = self.live((ty, *id)) else {
                    continue;
                };
                for (at, value) in record.fields.iter().enumerate() {
                    let mut targets = Vec::new();
                    links(value, &mut targets);
                    if targets.contains(&target) {
                        found.push(((ty, *id), at));
                    }
                }
            }
        }
        found
    }

    /// What a deletion does to the records that link to what is deleted: cascades first, then links that become none;
    /// what then still links forbids it.
    fn unlink(&mut self, first: Key) -> Result<Consequences, HostError> {
        let mut gone = vec![first];
        let mut next = 0;
        while let Some(target) = gone.get(next).copied() {
            next += 1;
            for (holder, at) in self.referrers(target) {
                let rule = self.entities[holder.0].fields[at].on_delete;
                if rule == OnDelete::Cascade && !gone.contains(&holder) {
                    gone.push(holder);
                }
            }
        }
        let mut changed: BTreeMap<Key, Vec<HostValue>> = BTreeMap::new();
        for target in &gone {
            for (holder, at) in self.referrers(*target) {
                if gone.contains(&holder) {
                    continue;
                }
                let (entity, field) = {
                    let entity = &self.entities[holder.0];
                    (entity.name.clone(), entity.fields[at].clone())
                };
                if field.on_delete == OnDelete::Restrict {
                    let message = format!(
                        "{} {} cannot be deleted: {entity} {} links to it in {}",
                        self.entities[target.0].name, target.1, holder.1, field.name
                    );
                    return Err(self.refused((holder.0, at), "on_delete", message));
                }
                let fields = match self.live(holder) {
                    Some(record) => changed
                        .entry(holder)
                        .or_insert_with(|| record.fields.clone()),
                    None => continue,
                };
                fields[at] = without(&fields[at], *target);
                if field.rules.contains(&Rule::Required) && fields[at] == HostValue::None {
                    let message = format!(
                        "{entity} {} needs a value in {}, and deleting what it links to would empty it",
                        holder.1, field.name
                    );
                    return Err(self.refused((holder.0, at), "required", message));
                }
            }
        }
        let now = self.now_ms;
        let named = |(ty, id): Key| (EntityTypeId(ty as u32), id);
        let mut others = Consequences::default();
        for key in gone.into_iter().skip(1) {
            self.write(key, |record| record.deleted_at = Some(now))?;
            others.deleted.push(named(key));
        }
        for (key, fields) in changed {
            self.write(key, |record| record.fields = fields)?;
            others.unlinked.push(named(key));
        }
        Ok(others)
    }
}

fn shows(mode: ScanMode, record: &HostRecord) -> bool {
    match mode {
        ScanMode::Live => record.deleted_at.is_none(),
        ScanMode::Deleted => record.deleted_at.is_some(),
        ScanMode::All => true,
    }
}

fn link(value: &HostValue) -> Option<Key> {
    match value {
        HostValue::Link(ty, id) => Some((ty.index(), *id)),
        HostValue::Entity(record) => Some((record.ty.index(), record.id)),
        _ => None,
    }
}

/// All links in a value, however deep.
fn links(value: &HostValue, found: &mut Vec<Key>) {
    match value {
        HostValue::List(items) | HostValue::Tuple(items) | HostValue::Enum { data: items, .. } => {
            items.iter().for_each(|item| links(item, found));
        }
        HostValue::Map(entries) => entries.iter().for_each(|(_, item)| links(item, found)),
        other => found.extend(link(other)),
    }
}

/// A value without links to a record: left out of lists and maps, none elsewhere.
fn without(value: &HostValue, target: Key) -> HostValue {
    let is_it = |value: &HostValue| link(value) == Some(target);
    let inside = |items: &[HostValue]| items.iter().map(|item| without(item, target)).collect();
    match value {
        value if is_it(value) => HostValue::None,
        HostValue::List(items) => {
            let kept = items.iter().filter(|item| !is_it(item));
            HostValue::List(kept.map(|item| without(item, target)).collect())
        }
        HostValue::Map(entries) => {
            let kept = entries.iter().filter(|(_, item)| !is_it(item));
            let kept = kept.map(|(key, item)| (key.clone(), without(item, target)));
            HostValue::Map(kept.collect())
        }
        HostValue::Tuple(items) => HostValue::Tuple(inside(items)),
        HostValue::Enum {
            index,
            variant,
            data,
        } => HostValue::Enum {
            index: *index,
            variant: *variant,
            data: inside(data),
        },
        other => other.clone(),
    }
}
