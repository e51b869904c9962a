//! A map that keeps what was used last and forgets the rest. Here because whatever clients can make a server remember must be bounded.
//! Must stay true: at most so many entries and about so many bytes, but the newest entry always stays.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key, the newest used ones.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    by_key: HashMap<K, Entry<V>>,
    // By time of use, which is a number that only grows.
    by_use: BTreeMap<u64, K>,
    now: u64,
    bytes: usize,
    entries_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// An empty map with its bounds.
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Recent<K, V> {
        Recent {
            by_key: HashMap::new(),
            by_use: BTreeMap::new(),
            now: 0,
            bytes: 0,
            entries_max,
            bytes_max,
        }
    }

    /// A value, which counts as used by that.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.now += 1;
        let entry = self.by_key.get_mut(key)?;
        if let Some(key) = self.by_use.remove(&entry.used) {
            entry.used = self.now;
            self.by_use.insert(self.now, key);
        }
        Some(&entry.value)
    }

    /// Keeps a value of so many bytes, in place of the one of this key, and forgets what was not used for longest.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        self.now += 1;
        self.bytes += bytes;
        self.by_use.insert(self.now, key.clone());
        let used = self.now;
        self.by_key.insert(key, Entry { value, bytes, used });
        while (self.by_key.len() > self.entries_max || self.bytes > self.bytes_max)
            && self.by_key.len() > 1
        {
            let oldest = self.by_use.first_key_value().map(|(_, key)| key.clone());
            let Some(oldest) = oldest else { return };
            self.remove(&oldest);
        }
    }

    /// Forgets a value.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_was_not_used_for_longest_is_forgotten() {
        let mut recent = Recent::new(3, 1000);
        for n in 0..3 {
            recent.insert(n, n, 1);
        }
        assert_eq!(recent.get(&0), Some(&0));
        recent.insert(3, 3, 1);
        let there: Vec<i32> = (0..4).filter(|n| recent.get(n).is_some()).collect();
        assert_eq!(there, [0, 2, 3]);
        assert_eq!((recent.by_use.len(), recent.bytes), (3, 3));
    }

    #[test]
    fn bytes_are_bounded_too_but_the_newest_stays() {
        let mut recent = Recent::new(100, 10);
        for n in 0..40 {
            recent.insert(n % 7, n, 4);
            assert!(recent.bytes <= 10 && recent.by_key.len() <= 2);
        }
        recent.insert(99, 99, 1_000_000);
        assert_eq!((recent.by_key.len(), recent.get(&99)), (1, Some(&99)));
        recent.insert(1, 1, 4);
        assert_eq!((recent.by_key.len(), recent.bytes), (1, 4));
    }
}
