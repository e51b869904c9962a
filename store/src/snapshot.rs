//! A fixed view of the data: everything up to one LSN, nothing after it.
//!
//! Taking one copies a number; it pins nothing, because the log is never changed behind a published place. What must
//! stay true: a snapshot gives the same answers for as long as it lives (destroyed records are the exception: they are
//! gone at once, everywhere).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::codec::cursor::Undecodable;
use crate::error::ReadError;
use crate::index::Head;
use crate::query::key::KeyRange;
use crate::query::{Query, RecordView, Run, choose};
use crate::segments::SegmentSet;
use crate::shared::{Shared, Until};
use crate::times::lsn_at;
use crate::value::{EntityId, FieldIx, FieldValue, Lsn, Record, TypeIx};

/// Which records a scan shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// Live records.
    #[default]
    Hide,
    /// Deleted records.
    Only,
    /// Both.
    Include,
}

impl Deleted {
    pub(crate) fn shows(self, record: &Record) -> bool {
        match self {
            Deleted::Hide => !record.is_deleted(),
            Deleted::Only => record.is_deleted(),
            Deleted::Include => true,
        }
    }

    /// The same for a state that is known without the record.
    pub(crate) fn shows_state(self, deleted: bool) -> bool {
        match self {
            Deleted::Hide => !deleted,
            Deleted::Only => deleted,
            Deleted::Include => true,
        }
    }
}

/// A consistent view of the store at one LSN.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) until: Until,
    /// The segments there were when it was taken: what stands in them is read without asking anybody.
    segments: Arc<SegmentSet>,
}

impl Snapshot {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (until, segments) = {
            let state = shared.state();
            (Until::lsn(state.published), state.segments.clone())
        };
        Snapshot {
            shared,
            until,
            segments,
        }
    }

    /// The last transaction this snapshot sees.
    pub fn lsn(&self) -> Lsn {
        self.until.lsn
    }

    /// The data as it was at a time (milliseconds UTC): what was committed later is not seen.
    #[must_use]
    pub fn at_time(&self, time_ms: i64) -> Snapshot {
        if self.until.time_ms.is_none()
            && let Some(lsn) = lsn_at(&self.shared, &self.segments, self.until.lsn, time_ms)
        {
            return self.at_lsn(lsn);
        }
        // Where the log cannot be read, the times of the records decide.
        let earlier = self
            .until
            .time_ms
            .map_or(time_ms, |already| already.min(time_ms));
        let until = Until {
            time_ms: Some(earlier),
            ..self.until
        };
        Snapshot {
            until,
            ..self.clone()
        }
    }

    /// The data as it was after a transaction: what was committed later is not seen.
    #[must_use]
    pub fn at_lsn(&self, lsn: Lsn) -> Snapshot {
        let until = Until {
            lsn: lsn.min(self.until.lsn),
            ..self.until
        };
        Snapshot {
            until,
            ..self.clone()
        }
    }

    /// Whether nothing of a type changed after what this snapshot sees, so that the indexes, which are about now, hold.
    fn is_newest(&self, last_lsn: Lsn) -> bool {
        self.until.time_ms.is_none() && last_lsn <= self.until.lsn
    }

    /// The live record with this number.
    pub fn get(&self, ty: TypeIx, id: EntityId) -> Result<Option<Arc<Record>>, ReadError> {
        Ok(self.get_any(ty, id)?.filter(|record| !record.is_deleted()))
    }

    /// The record with this number, deleted or not.
    pub fn get_any(&self, ty: TypeIx, id: EntityId) -> Result<Option<Arc<Record>>, ReadError> {
        let Some(head) = self.head(ty, id) else {
            return Ok(None);
        };
        self.view(ty, id, head, |view| view.decode().map(Arc::new))
    }

    /// Looks at a record, deleted or not, without decoding it; `None` if there is none. What `look` gives is the answer;
    /// it must be quick to pass on what it needs, because the bytes are only lent to it.
    ///
    /// # Errors
    /// When the record cannot be read, or a field that was asked for does not decode.
    #[inline]
    pub fn read<T>(
        &self,
        ty: TypeIx,
        id: EntityId,
        look: impl FnOnce(&RecordView<'_>) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, ReadError> {
        match self.head(ty, id) {
            Some(head) => self.view(ty, id, head, |view| look(&view)),
            None => Ok(None),
        }
    }

    /// All versions of a record, oldest first; a deletion and a restoration are versions too.
    pub fn history(&self, ty: TypeIx, id: EntityId) -> Result<Vec<Record>, ReadError> {
        let Some(head) = self.head(ty, id) else {
            return Ok(Vec::new());
        };
        let segments = &self.segments;
        let mut versions = self.shared.versions(segments, ty, id, head, self.until)?;
        versions.reverse();
        Ok(versions)
    }

    /// The newest place of a record; it may be of a version after this snapshot.
    #[inline]
    pub(crate) fn head(&self, ty: TypeIx, id: EntityId) -> Option<Head> {
        self.shared.head(ty, id)
    }

    /// All records of a type, by number.
    pub fn scan(&self, ty: TypeIx, deleted: Deleted) -> Scan {
        Scan {
            deleted,
            heads: self.heads(ty),
        }
    }

    /// The newest places of all records of a type, by number; some may be of versions after this snapshot.
    pub(crate) fn heads(&self, ty: TypeIx) -> Heads {
        self.heads_in(ty, (0, u64::MAX))
    }

    /// The same for numbers in a range, both ends included.
    pub(crate) fn heads_in(&self, ty: TypeIx, (low, high): (u64, u64)) -> Heads {
        Heads {
            snapshot: self.clone(),
            ty,
            next: Some(low),
            high,
            page: VecDeque::new(),
            destroys: 0,
        }
    }

    /// Looks at the version of a record that this snapshot sees, without decoding it; `None` if it sees none.
    #[inline]
    pub(crate) fn view<T>(
        &self,
        ty: TypeIx,
        id: EntityId,
        head: Head,
        visit: impl FnOnce(RecordView<'_>) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, ReadError> {
        self.shared
            .view_at(&self.segments, ty, id, head, self.until, visit)
    }

    /// Number of live records of a type.
    pub fn count(&self, ty: TypeIx) -> Result<u64, ReadError> {
        {
            let state = self.shared.state();
            match state.index.ty(self.shared.mapping.number(ty)) {
                None => return Ok(0),
                Some(index) if self.is_newest(index.last_lsn) => return Ok(index.live),
                Some(_) => {}
            }
        }
        let query = Query::all(ty);
        let chosen = choose(self, &query)?;
        let run = Run {
            snapshot: self,
            query: &query,
            chosen: &chosen,
        };
        run.count(u64::MAX)
    }

    /// The live record whose unique field holds `value`; `none` is held by nobody. A field that is not declared
    /// unique finds nothing.
    pub fn find_unique(
        &self,
        ty: TypeIx,
        field: FieldIx,
        value: &FieldValue,
    ) -> Result<Option<Arc<Record>>, ReadError> {
        let Some(key) = self.shared.unique_key(ty, field, value) else {
            return Ok(None);
        };
        let holds = |record: &Record| {
            self.shared
                .unique_key(ty, field, record.field(field))
                .as_ref()
                == Some(&key)
        };
        if self.until.time_ms.is_some() {
            // Which transaction that was is not known: look at all.
            let mut all = self.scan(ty, Deleted::Hide);
            let found = all.find(|record| record.as_ref().map_or(true, |record| holds(record)));
            return found.transpose();
        }
        let table = self.shared.tables.table(&self.shared, ty)?;
        let defs = &self.shared.tables.def(ty).indexes;
        let mut found = Vec::new();
        for (index, _) in
            (table.indexes.iter().zip(defs)).filter(|(_, def)| def.field == field && def.unique)
        {
            index.walk(
                &KeyRange::prefix(key.clone()),
                self.until.lsn,
                &mut |entry| {
                    found.push(entry.id);
                    true
                },
            );
        }
        for id in found {
            if let Some(record) = self.get(ty, id)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

/// The records of a type, by number.
pub struct Scan {
    deleted: Deleted,
    heads: Heads,
}

/// The newest places of all records of a type, by number, read from the index page by page.
pub(crate) struct Heads {
    pub(crate) snapshot: Snapshot,
    pub(crate) ty: TypeIx,
    next: Option<u64>,
    high: u64,
    page: VecDeque<(EntityId, Head)>,
    /// Records destroyed when the page was read: what was destroyed since is not shown any more.
    destroys: u64,
}

impl Iterator for Heads {
    type Item = (EntityId, Head);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.page.pop_front() {
                if self.snapshot.shared.destroys.load(Ordering::Acquire) != self.destroys
                    && self.snapshot.head(self.ty, found.0).is_none()
                {
                    continue;
                }
                return (found.0.0 <= self.high).then_some(found);
            }
            let next = self.next.filter(|next| *next <= self.high)?;
            self.destroys = self.snapshot.shared.destroys.load(Ordering::Acquire);
            let page = self.snapshot.shared.heads_page(self.ty, next);
            (self.page, self.next) = (page.heads.into(), page.next);
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Arc<Record>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (snapshot, ty) = (self.heads.snapshot.clone(), self.heads.ty);
        let deleted = self.deleted;
        for (id, head) in self.heads.by_ref() {
            let found = snapshot.view(ty, id, head, |view| {
                let shown = deleted.shows_state(view.is_deleted());
                shown.then(|| view.decode().map(Arc::new)).transpose()
            });
            if let Some(found) = found.map(Option::flatten).transpose() {
                return Some(found);
            }
        }
        None
    }
}
