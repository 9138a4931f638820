use super::{Outline, Set};

/// A workflow and those that it waits for.
fn waiting(edges: &[(&str, &[&str])]) -> Vec<Outline> {
    let owned =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    edges
        .iter()
        .map(|(name, upstreams)| Outline::waiting_for(name, &owned(upstreams)))
        .collect()
}

fn circle(edges: &[(&str, &[&str])], workflow: &str) -> Vec<String> {
    let outlines = waiting(edges);
    Set::of(outlines.iter().map(|outline| ("", outline))).circle_of(workflow)
}

#[test]
fn a_circle_is_named_from_the_workflow_that_was_asked_for() {
    let edges: &[(&str, &[&str])] = &[("a", &["x"]), ("b", &["a"]), ("c", &["b"]), ("x", &["c"])];
    assert_eq!(circle(edges, "a"), ["a", "x", "c", "b"]);
    assert_eq!(circle(edges, "c"), ["c", "b", "a", "x"]);
}

#[test]
fn the_shortest_circle_is_named() {
    let edges: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["c"]), ("c", &["a"])];
    assert_eq!(circle(edges, "a"), ["a", "c"]);
}

#[test]
fn a_workflow_beside_a_circle_waits_in_none() {
    let edges: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["a"]), ("c", &["a"])];
    assert!(circle(edges, "c").is_empty());
    assert!(circle(edges, "nobody").is_empty());
}

#[test]
fn missing_upstreams_are_named_in_the_order_of_the_file() {
    let outlines = waiting(&[("a", &["z", "b", "y", "a"]), ("b", &[])]);
    let set = Set::of(outlines.iter().map(|outline| ("", outline)));
    assert_eq!(set.missing_upstreams(&outlines[0]), ["z", "y"]);
}
