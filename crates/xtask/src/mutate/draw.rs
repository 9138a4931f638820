//! Which places are mutated: as chance has it, but the same ones for the same seed, even when code elsewhere changes.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Place;

/// A place of a file with the name that it keeps while code around it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// From the root of the repository.
    pub(crate) file: String,
    pub(crate) place: Place,
    pub(crate) key: String,
}

/// Names the places of a file.
pub(crate) fn candidates(file: &str, places: Vec<Place>) -> Vec<Candidate> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let name = |place: Place| {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (original, mutated) = (words(&place.original), words(&place.mutated));
        let key = format!("{file} {}: {original} -> {mutated}", place.function);
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        Candidate {
            file: file.to_owned(),
            place,
            key: format!("{key} ({count})"),
        }
    };
    places.into_iter().map(name).collect()
}

/// Draws so many candidates that do not overlap, none of `unfit`; in order of chance.
pub(crate) fn draw<'a>(
    candidates: &'a [Candidate],
    unfit: &BTreeSet<String>,
    seed: u64,
    count: usize,
) -> Vec<&'a Candidate> {
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by_cached_key(|candidate| (hash(seed, &candidate.key), candidate.key.as_str()));
    let mut drawn: Vec<&Candidate> = Vec::new();
    for candidate in order {
        if drawn.len() == count {
            break;
        }
        let is_free = drawn.iter().all(|other| !overlap(other, candidate));
        if is_free && !unfit.contains(&candidate.key) {
            drawn.push(candidate);
        }
    }
    drawn
}

/// Places at the same point overlap too.
fn overlap(one: &Candidate, other: &Candidate) -> bool {
    let (a, b) = (&one.place.range, &other.place.range);
    one.file == other.file && (a == b || a.start < b.end && b.start < a.end)
}

/// FNV-1a with a mixing end: the same in every release of the compiler.
pub(crate) fn hash(seed: u64, text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for byte in seed.to_le_bytes().iter().chain(text.as_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    for _ in 0..2 {
        hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::places::places;

    fn of(text: &str) -> Vec<Candidate> {
        candidates("f.rs", places(text).unwrap())
    }

    fn keys<'a>(drawn: &[&'a Candidate]) -> Vec<&'a str> {
        drawn
            .iter()
            .map(|candidate| candidate.key.as_str())
            .collect()
    }

    const TEXT: &str = "fn f() { g(1); g(1); h(2 < 3); }";

    #[test]
    fn a_seed_draws_the_same_places_and_others_draw_others() {
        let all = of(TEXT);
        let none = BTreeSet::new();
        let drawn = |seed| keys(&draw(&all, &none, seed, 2));
        assert_eq!(drawn(1), drawn(1));
        assert!((2..20).any(|seed| drawn(seed) != drawn(1)));
        // Lines above move nothing.
        let moved = of(&format!("\n\nfn e() {{ i(); }}\n{TEXT}"));
        let rank = |all: &[Candidate]| {
            let drawn = draw(all, &none, 1, 100);
            let of_f = drawn
                .iter()
                .filter(|candidate| candidate.place.function == "f");
            of_f.map(|candidate| candidate.key.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(rank(&moved), rank(&all));
    }

    #[test]
    fn places_do_not_overlap_and_what_is_unfit_is_passed_over() {
        let all = of(TEXT);
        let mut unfit = BTreeSet::new();
        for seed in 0..50 {
            let drawn = draw(&all, &unfit, seed, 100);
            for (index, one) in drawn.iter().enumerate() {
                assert!(drawn[..index].iter().all(|other| !overlap(one, other)));
            }
        }
        let first = draw(&all, &unfit, 1, 1)[0].key.clone();
        unfit.insert(first.clone());
        assert!(!keys(&draw(&all, &unfit, 1, 100)).contains(&first.as_str()));
    }
}
