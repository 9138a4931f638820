//! A file with mutants in it, each asleep until its number is chosen at run time.

use std::ops::Range;

use super::places::{Place, Shape};

/// The module that answers whether a mutant is awake.
pub(crate) const MODULE: &str = r#"//! Which mutant this process is.

static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();

/// Whether it is this one.
#[inline]
pub(crate) fn is(number: u32) -> bool {
    let read = || {
        let name = std::env::var("AKKAFLOW_MUTANT").ok();
        name.and_then(|name| name.parse().ok()).unwrap_or_default()
    };
    *CHOSEN.get_or_init(read) == number
}
"#;

/// Where the mutant of a number stands in the new text.
pub(crate) type Spots = Vec<(u32, Range<usize>)>;

/// Writes mutants into a text. They do not overlap, and stand in order.
pub(crate) fn rewrite(text: &str, mutants: &[(u32, &Place)]) -> (String, Spots) {
    let mut new = String::with_capacity(2 * text.len());
    let mut spots = Vec::new();
    let mut done = 0;
    for (number, place) in mutants {
        new.push_str(&text[done..place.range.start]);
        let begin = new.len();
        let original = &text[place.range.clone()];
        new.push_str(&alternative(*number, place, original));
        spots.push((*number, begin..new.len()));
        done = place.range.end;
    }
    new.push_str(&text[done..]);
    (new, spots)
}

fn alternative(number: u32, place: &Place, original: &str) -> String {
    let is_awake = format!("crate::mutant::is({number})");
    let mutated = &place.mutated;
    match place.shape {
        Shape::Expression => format!("(if {is_awake} {{ {mutated} }} else {{ {original} }})"),
        Shape::Statement => format!("if !{is_awake} {{ {original} }}"),
        Shape::Entry => format!(" if {is_awake} {{ {mutated} }}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::places::places;

    #[test]
    fn each_mutant_sleeps_beside_the_original() {
        let text = "fn f() -> bool { g(三); a < b }";
        let found = places(text).unwrap();
        let chosen: Vec<(u32, &Place)> = found
            .iter()
            .filter(|place| place.mutated != "return false;")
            .zip(1..)
            .map(|(place, number)| (number, place))
            .collect();
        let (new, spots) = rewrite(text, &chosen);
        assert_eq!(
            new,
            "fn f() -> bool { if crate::mutant::is(1) { return true; } if !crate::mutant::is(2) { g(三); } \
             (if crate::mutant::is(3) { a <= b } else { a < b }) }"
        );
        assert_eq!(spots.len(), 3);
        for (number, range) in spots {
            assert!(new[range].contains(&format!("is({number})")));
        }
        syn::parse_file(&new).unwrap();
        syn::parse_file(MODULE).unwrap();
    }
}
