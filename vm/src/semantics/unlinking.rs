//! What a deletion did to records that the program has in memory: they show it at once, and keep what the program did to
//! them. Here because the host changes its records only, while lists and maps of an object may be in the program's hands.
//! Must stay true: no change of the program's is lost, in place or not, before the deletion or after it; a list or map
//! stays the same value, and loses a link only when the record is looked at again (who deletes what a list holds, one by
//! one, is still walking over that list); the rules are those of the store: links in lists and maps of links are left
//! out, others become none.

use std::sync::Arc;

use flin_bytecode::{Bank, EntityTypeId, OnDelete, TypeDesc, TypeId};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Gone, Obj, list_class};
use crate::host::{Consequences, Host};
use crate::machine::Machine;
use crate::semantics::{Walk, entity};
use crate::value::{View, Word};

/// Shows what the deletion of a record did to others.
pub(crate) fn deleted(
    m: &mut Machine,
    host: &mut dyn Host,
    (ty, id): (EntityTypeId, i64),
    others: &Consequences,
) -> Res<()> {
    if others.deleted.is_empty() && others.unlinked.is_empty() {
        return Ok(());
    }
    let also = others.deleted.iter().map(|(ty, id)| (ty.0, *id));
    let gone: Arc<Gone> = Arc::new(also.chain([(ty.0, id)]).collect());
    for (ty, id) in &others.deleted {
        renew(m, host, (*ty, *id))?;
    }
    for (ty, id) in &others.unlinked {
        if let Some(object) = renew(m, host, (*ty, *id))? {
            unlink(m, object, &gone)?;
        }
    }
    Ok(())
}

/// Gives the object of a record, if there is one, what the record holds by now; gives the object if its fields have to
/// stay as they are.
pub(crate) fn renew(
    m: &mut Machine,
    host: &mut dyn Host,
    (ty, id): (EntityTypeId, i64),
) -> Res<Option<Obj>> {
    let known = m.heap.entity_known(ty.0, id);
    let Some(object) = known.filter(|known| known.entity_state() == EntityState::Loaded) else {
        return Ok(None);
    };
    m.entity_reads += 1;
    let record = host.entity_get(ty, id).map_err(Fault::host)?;
    match record {
        Some(record) => entity::renew(m, object, &record),
        None => Ok(None),
    }
}

/// Takes links to what is gone out of an object that is in use: at once where nobody else can have what holds them.
fn unlink(m: &mut Machine, object: Obj, gone: &Arc<Gone>) -> Res<()> {
    for index in losing_fields(m, object.meta()) {
        let word = object.entity_field(index);
        match word.view() {
            View::Entity(target) if is_gone(target, gone) => {
                object.entity_settle_field(index, Word::none());
            }
            View::List(_) | View::Map(_) | View::Tuple(_) | View::Enum(_) => {
                m.heap.entity_lost_links(object, gone);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The fields of an entity whose links become none.
fn losing_fields(m: &Machine, ty: u32) -> Vec<usize> {
    let fields = m.program.module().entities[ty as usize].fields.iter();
    let losing = fields.enumerate();
    losing
        .filter(|(_, field)| field.on_delete == OnDelete::SetNone)
        .map(|(index, _)| index)
        .collect()
}

fn is_gone(target: Obj, gone: &Gone) -> bool {
    gone.contains(&(target.meta(), target.entity_id()))
}

/// Whether reading this field may show links that its record has lost.
pub(crate) fn is_stale(m: &Machine, object: Obj, index: usize) -> bool {
    let fields = &m.program.module().entities[object.meta() as usize].fields;
    object.entity_is_stale() && fields[index].on_delete == OnDelete::SetNone
}

/// Takes links that the record has lost out of the object's lists and maps, before somebody looks at them.
pub(crate) fn settle(m: &mut Machine, object: Obj) -> Res<()> {
    if !object.entity_is_stale() {
        return Ok(());
    }
    let lost = m.heap.entity_lost(object);
    for index in losing_fields(m, object.meta()) {
        let word = without(m, object, index, &lost, true)?;
        object.entity_settle_field(index, word);
    }
    m.heap.entity_settled(object);
    Ok(())
}

/// The value of a field without links that the record has lost, to be saved or shown; what the object holds is left as it
/// is.
pub(crate) fn as_kept(m: &mut Machine, object: Obj, index: usize) -> Res<Word> {
    if !is_stale(m, object, index) {
        return Ok(object.entity_field(index));
    }
    let lost = m.heap.entity_lost(object);
    without(m, object, index, &lost, false)
}

fn without(
    m: &mut Machine,
    object: Obj,
    index: usize,
    lost: &[Arc<Gone>],
    in_place: bool,
) -> Res<Word> {
    let ty = m.program.module().entities[object.meta() as usize].fields[index].ty;
    let mut unlinking = Unlinking {
        m,
        lost,
        in_place,
        walk: Walk::new("take deleted records out of this value"),
    };
    unlinking.value(object.entity_field(index), Some(ty))
}

/// One walk over the value of a field.
struct Unlinking<'a> {
    m: &'a mut Machine,
    lost: &'a [Arc<Gone>],
    /// Lists and maps lose their links themselves; else copies of them do.
    in_place: bool,
    walk: Walk,
}

impl Unlinking<'_> {
    fn is_lost(&self, word: Word) -> bool {
        matches!(word.view(), View::Entity(target) if self.lost.iter().any(|gone| is_gone(target, gone)))
    }

    /// The declared type inside of an optional one.
    fn described(&self, ty: Option<TypeId>) -> Option<TypeDesc> {
        let types = &self.m.program.module().types;
        let mut desc = &types[ty?.index()];
        while let TypeDesc::Optional(inner) = desc {
            desc = &types[inner.index()];
        }
        Some(desc.clone())
    }

    fn value(&mut self, word: Word, ty: Option<TypeId>) -> Res<Word> {
        self.walk.enter()?;
        let desc = self.described(ty);
        let result = match word.view() {
            View::Entity(_) if self.is_lost(word) => Word::none(),
            View::List(list) if list_class(list).bank() == Bank::Reference => {
                let item = match desc {
                    Some(TypeDesc::List(item, _)) => Some(item),
                    Some(_) | None => None,
                };
                self.list(list, item)?
            }
            View::Map(map) => {
                let item = match desc {
                    Some(TypeDesc::Map(item)) => Some(item),
                    Some(_) | None => None,
                };
                self.map(map, item)?
            }
            View::Tuple(tuple) => {
                let places = 0..tuple.tuple_len();
                let old: Vec<Word> = places.filter_map(|at| tuple.tuple_get(at)).collect();
                match self.parts(&old)? {
                    Some(new) => Word::object(self.m.heap.new_tuple(&new)?),
                    None => word,
                }
            }
            View::Enum(found) => {
                let places = 0..found.tuple_len();
                let old: Vec<Word> = places.filter_map(|at| found.enum_get(at)).collect();
                let (index, variant) = found.enum_parts();
                match self.parts(&old)? {
                    Some(new) => Word::object(self.m.heap.new_enum(index, variant, &new)?),
                    None => word,
                }
            }
            _ => word,
        };
        self.walk.leave();
        Ok(result)
    }

    /// Values that cannot be changed, if they change.
    fn parts(&mut self, old: &[Word]) -> Res<Option<Vec<Word>>> {
        let new = old
            .iter()
            .map(|word| self.value(*word, None))
            .collect::<Res<Vec<Word>>>()?;
        Ok((new != old).then_some(new))
    }

    /// `item` is the declared type of the elements; where there is none, links become none.
    fn list(&mut self, list: Obj, item: Option<TypeId>) -> Res<Word> {
        let old = self.m.heap.list_words(list)?;
        let mut new = Vec::with_capacity(old.len());
        for word in &old {
            if item.is_none() || !self.is_lost(*word) {
                new.push(self.value(*word, item)?);
            }
        }
        if new == old {
            return Ok(Word::object(list));
        }
        let target = if self.in_place {
            self.m.heap.list_truncate(list, 0);
            list
        } else {
            self.m.heap.new_list(list_class(list), new.len())?
        };
        for word in new {
            self.m.heap.list_push(target, word)?;
        }
        Ok(Word::object(target))
    }

    fn map(&mut self, map: Obj, item: Option<TypeId>) -> Res<Word> {
        let mut changes = Vec::new();
        for (key, old) in self.m.heap.map_entries(map)? {
            if item.is_some() && self.is_lost(old) {
                changes.push((key, None));
                continue;
            }
            let new = self.value(old, item)?;
            if new != old {
                changes.push((key, Some(new)));
            }
        }
        if changes.is_empty() {
            return Ok(Word::object(map));
        }
        let target = if self.in_place {
            map
        } else {
            self.m.heap.map_clone(map)?
        };
        for (key, new) in changes {
            match new {
                Some(new) => self.m.heap.map_set(target, key, new)?,
                None => self.m.heap.map_remove(target, key).map(drop)?,
            }
        }
        Ok(Word::object(target))
    }
}
