//! A table that finds by hash: at the same cost however much it holds. Hash order decides nothing: what it holds is told in
//! the order of the keys, or counted.
#![expect(
    clippy::disallowed_types,
    reason = "nothing here is gone through in hash order"
)]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use akkaflow_model::id::mix;

type Build = BuildHasherDefault<FastHasher>;

/// Finds values.
#[derive(Debug)]
pub(crate) struct FastMap<K, V>(HashMap<K, V, Build>);

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

/// Costs a few instructions, for keys that nobody chooses to do harm: ids, and names within one definition.
#[derive(Debug, Default)]
struct FastHasher(u64);

impl FastHasher {
    fn add(&mut self, word: u64) {
        // Both halves of the product: in the lower one alone the upper bits of a word would move few others.
        let product = u128::from(self.0.rotate_left(5) ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, number: u8) {
        self.add(number.into());
    }

    fn write_u128(&mut self, number: u128) {
        self.add(number as u64);
        self.add((number >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn names_that_differ_little_are_told_apart() {
        let hasher = Build::default();
        let mut seen = BTreeSet::new();
        for number in 0..100_000 {
            seen.insert(hasher.hash_one(format!("node-{number}")) & 0xff_ffff);
        }
        assert!(seen.len() > 99_000, "{} of 100,000 low bits", seen.len());
    }
}
