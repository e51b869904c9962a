//! Maps and sets of mostly few things: a sorted vector up to a size, a tree beyond it.
//!
//! A transaction is made on one thread and taken apart on the committer's. A node of a tree has room for eleven entries, and
//! memory of that size goes through a lock of the allocator that both threads then wait for; most transactions touch a record
//! or two. What must stay true: it does what a `BTreeMap` does, in the same order.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Entries kept in a vector.
const FEW: usize = 12;

/// A sorted map.
#[derive(Clone, Debug)]
pub(crate) struct FewMap<K, V> {
    /// Sorted; empty as soon as there are `many`.
    few: Vec<(K, V)>,
    /// All of them, once there were more than [`FEW`].
    many: BTreeMap<K, V>,
}

/// A sorted set.
#[derive(Clone, Debug)]
pub(crate) struct FewSet<T>(FewMap<T, ()>);

impl<K, V> Default for FewMap<K, V> {
    fn default() -> Self {
        FewMap {
            few: Vec::new(),
            many: BTreeMap::new(),
        }
    }
}

impl<K: Ord, V> FewMap<K, V> {
    fn place(&self, key: &K) -> Result<usize, usize> {
        self.few.binary_search_by(|(one, _)| one.cmp(key))
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.place(key) {
            Ok(at) => Some(&self.few[at].1),
            Err(_) => self.many.get(key),
        }
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.place(key) {
            Ok(at) => Some(&mut self.few[at].1),
            Err(_) => self.many.get_mut(key),
        }
    }

    /// Whether there is a value for a key.
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Puts a value in the place of a key; what stood there before is the answer.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if !self.many.is_empty() {
            return self.many.insert(key, value);
        }
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.few[at].1, value)),
            Err(_) if self.few.len() == FEW => {
                self.many.extend(self.few.drain(..));
                self.many.insert(key, value)
            }
            Err(at) => {
                if self.few.capacity() == 0 {
                    self.few.reserve_exact(1);
                }
                self.few.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out with its value.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self.place(key) {
            Ok(at) => Some(self.few.remove(at).1),
            Err(_) => self.many.remove(key),
        }
    }

    /// Keeps what passes a test.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.few.retain(|(key, value)| keep(key, value));
        self.many.retain(|key, value| keep(key, value));
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let few = self.few.iter().map(|(key, value)| (key, value));
        few.chain(&self.many)
    }

    /// The entries with keys in a range, in order.
    pub(crate) fn range(&self, keys: RangeInclusive<K>) -> impl Iterator<Item = (&K, &V)> {
        let from = self.few.partition_point(|(key, _)| key < keys.start());
        let to = self.few.partition_point(|(key, _)| key <= keys.end());
        let few = self.few[from..to.max(from)].iter();
        few.map(|(key, value)| (key, value))
            .chain(self.many.range(keys))
    }
}

impl<K: Ord, V> std::ops::Index<&K> for FewMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        match self.get(key) {
            Some(value) => value,
            None => panic!("there is no such key"),
        }
    }
}

impl<T> Default for FewSet<T> {
    fn default() -> Self {
        FewSet(FewMap::default())
    }
}

/// The same members, whatever holds them.
impl<T: Ord> PartialEq for FewSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Ord> FewSet<T> {
    /// Puts one in; whether it is new.
    pub(crate) fn insert(&mut self, one: T) -> bool {
        self.0.insert(one, ()).is_none()
    }

    /// Whether it is there.
    pub(crate) fn contains(&self, one: &T) -> bool {
        self.0.contains_key(one)
    }

    /// All of them in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(one, ())| one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_tree_does() {
        let mut state = 7_u64;
        let mut below = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % most
        };
        for round in 0..300 {
            let (mut few, mut tree) = (FewMap::default(), BTreeMap::new());
            let keys = 1 + round % 40;
            for _ in 0..60 {
                let (key, value) = (below(keys), below(1000));
                match below(6) {
                    0 => assert_eq!(few.remove(&key), tree.remove(&key)),
                    1 => {
                        let odd = |value: &u64| !value.is_multiple_of(3);
                        few.retain(|_, value| odd(value));
                        tree.retain(|_, value| odd(value));
                    }
                    2 => assert_eq!(few.get_mut(&key), tree.get_mut(&key)),
                    _ => assert_eq!(few.insert(key, value), tree.insert(key, value)),
                }
                assert!(few.iter().eq(&tree), "{few:?}");
                let (low, high) = (below(keys), below(keys));
                if low <= high {
                    assert!(few.range(low..=high).eq(tree.range(low..=high)));
                }
                assert_eq!((few.len(), few.is_empty()), (tree.len(), tree.is_empty()));
                assert_eq!(few.get(&key), tree.get(&key));
                assert_eq!(few.contains_key(&low), tree.contains_key(&low));
            }
        }
    }
}
