//! A table that finds by hash: at the same cost however much it holds. Hash order decides nothing: what it holds is told in
//! the order of the keys, or counted.
#![expect(
    clippy::disallowed_types,
    reason = "nothing here is gone through in hash order"
)]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use rustc_hash::FxBuildHasher;

/// Finds values. A hash costs a few instructions, for keys that nobody chooses to do harm: ids, and names within one definition.
#[derive(Debug)]
pub(crate) struct FastMap<K, V>(HashMap<K, V, FxBuildHasher>);

impl<K, V> Default for FastMap<K, V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K, V> FastMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many values are like that.
    pub(crate) fn count(&self, is_wanted: impl Fn(&V) -> bool) -> usize {
        self.0.values().filter(|value| is_wanted(value)).count()
    }
}

impl<K: Hash + Eq, V> FastMap<K, V> {
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }
}

impl<K: Copy + Ord, V> FastMap<K, V> {
    /// All keys, in order. Costs putting them in order.
    pub(crate) fn keys(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.0.keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}

impl<K: Hash + Eq, V> FromIterator<(K, V)> for FastMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
