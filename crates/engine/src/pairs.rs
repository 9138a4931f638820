//! Names that belong to names, many to many, in order.

use std::collections::BTreeSet;

/// Pairs of names, found by the first. One flat set: most names have one or two others, and a set for each would cost
/// more than the names.
#[derive(Debug, Default)]
pub(crate) struct Pairs(BTreeSet<(Box<str>, Box<str>)>);

impl Pairs {
    pub(crate) fn insert(&mut self, first: &str, second: &str) {
        self.0.insert((first.into(), second.into()));
    }

    pub(crate) fn remove(&mut self, first: &str, second: &str) {
        self.0.remove(&(first.into(), second.into()));
    }

    /// All that belong to `first`.
    pub(crate) fn of<'a>(&'a self, first: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .range((Box::from(first), Box::default())..)
            .take_while(move |(other, _)| &**other == first)
            .map(|(_, second)| &**second)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(first, second)| (&**first, &**second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_own_others_in_order_and_loses_them_one_by_one() {
        let mut pairs = Pairs::default();
        for (first, second) in [("b", "y"), ("b", "x"), ("a", "z"), ("bb", "w"), ("b", "x")] {
            pairs.insert(first, second);
        }
        assert_eq!(pairs.of("b").collect::<Vec<_>>(), ["x", "y"]);
        pairs.remove("b", "x");
        assert_eq!(pairs.of("b").collect::<Vec<_>>(), ["y"]);
        assert_eq!(pairs.of("c").count(), 0);
    }
}
