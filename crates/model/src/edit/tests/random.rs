//! Random changes of the examples, made by the program on the text and here on the tree: both must agree.

use std::hash::BuildHasher as _;

use compact_str::CompactString;

use crate::edit::tests::element;
use crate::edit::{Change, Place, Replacement, Step, apply, edit};
use crate::element::{Child, Element, Span};
use crate::xml;

const EXAMPLES: [&str; 2] = [
    include_str!("../../../../../examples/load_data.xml"),
    include_str!("../../../../../examples/count_rows.xml"),
];

/// Files of so many changes each.
const FILES: u64 = 150;
const CHANGES: usize = 12;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Text with everything that needs care.
    fn text(&mut self) -> String {
        const PIECES: [&str; 16] = [
            "a",
            " ",
            "\n",
            "\t",
            "<",
            ">",
            "&",
            "\"",
            "'",
            "]]>",
            "]]",
            "&amp;",
            "日报",
            "<!-- no -->",
            "${param:x}",
            "\r\n",
        ];
        (0..self.below(8)).map(|_| *self.pick(&PIECES)).collect()
    }
}

/// What stands in the file without places, and without blanks beside elements.
fn tree(source: &str) -> Element {
    let mut document = xml::read(source.as_bytes());
    let findings = document.findings();
    assert!(findings.is_empty(), "{findings:?}\n{source}");
    let mut root = document.root.take().unwrap();
    plain(&mut root);
    root
}

fn plain(element: &mut Element) {
    element.span = Span::default();
    element.name_span = Span::default();
    for attribute in &mut element.attributes {
        attribute.name_span = Span::default();
        attribute.value_span = Span::default();
    }
    let text = CompactString::from(element.text());
    let has_elements = element.elements().next().is_some();
    element
        .children
        .retain(|child| matches!(child, Child::Element(_)));
    // Where comments part a text, it is one here.
    let is_layout = text.is_empty() || has_elements && text.trim().is_empty();
    if !is_layout {
        let span = Span::default();
        element.children.push(Child::Text { text, span });
    }
    for child in &mut element.children {
        if let Child::Element(child) = child {
            plain(child);
        }
    }
}

fn comments(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find("<!") {
        rest = &rest[start..];
        let end = if rest.starts_with("<!--") {
            let end = rest.find("-->").unwrap() + 3;
            found.push(&rest[..end]);
            end
        } else {
            rest.find("]]>").unwrap() + 3
        };
        rest = &rest[end..];
    }
    found
}

/// Comments, single quotes and attributes on lines of their own, wherever they change nothing.
fn noisy(source: &str, random: &mut Random) -> String {
    let mut number = 0;
    let mut text = String::new();
    let mut rest = source;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = if rest.starts_with("<![") {
            rest.find("]]>").unwrap() + 3
        } else {
            rest.find('>').unwrap() + 1
        };
        let mut markup = rest[..end].to_owned();
        rest = &rest[end..];
        if !markup.starts_with("<!") && !markup.starts_with("</") {
            if random.chance() && !markup.contains('\'') {
                markup = markup.replace('"', "'");
            }
            if random.chance() {
                markup = markup.replacen(" name=", "\n        name=", 1);
            }
            if random.chance() {
                text.push_str(&format!("<!-- {number} <&> -->"));
                number += 1;
            }
        }
        text.push_str(&markup);
    }
    text + rest
}

fn node_names(root: &Element) -> Vec<String> {
    let nodes = root
        .elements()
        .filter(|element| element.name != "coordinator");
    nodes
        .filter_map(|node| Some(node.attribute("name")?.value.to_string()))
        .collect()
}

fn node_mut<'e>(root: &'e mut Element, name: &str) -> &'e mut Element {
    let is_it = |child: &&mut Child| match child {
        Child::Element(element) => {
            element.name != "coordinator"
                && element
                    .attribute("name")
                    .is_some_and(|found| found.value == name)
        }
        Child::Text { .. } => false,
    };
    match root.children.iter_mut().find(is_it).unwrap() {
        Child::Element(element) => element,
        Child::Text { .. } => unreachable!("only elements are looked for"),
    }
}

fn child_mut<'e>(parent: &'e mut Element, step: &Step) -> &'e mut Element {
    let elements = parent.children.iter_mut().filter_map(|child| match child {
        Child::Element(element) if element.name == step.tag => Some(element),
        _ => None,
    });
    elements.into_iter().nth(step.index).unwrap()
}

fn at_mut<'e>(root: &'e mut Element, place: &Place) -> &'e mut Element {
    let start = match &place.node {
        Some(name) => node_mut(root, name),
        None => root,
    };
    place.path.iter().fold(start, child_mut)
}

/// Every place below a node, the node included.
fn places(element: &Element, place: &Place, found: &mut Vec<Place>) {
    found.push(place.clone());
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for child in element.elements() {
        let index = counts.iter().filter(|(tag, _)| *tag == child.name).count();
        counts.push((&child.name, index));
        places(child, &place.clone().nth(child.name.as_str(), index), found);
    }
}

fn put(element: &mut Element, name: &str, value: &str) {
    match element
        .attributes
        .iter_mut()
        .find(|attribute| attribute.name == name)
    {
        Some(attribute) => attribute.value = value.into(),
        None => element
            .attributes
            .extend(self::element("x", &[(name, value)], Vec::new()).attributes),
    }
}

/// Gives every edge that leads to `old` another end.
fn lead(element: &mut Element, old: &str, to: &str) {
    let leads = ["start", "join", "ok", "error", "path"].contains(&element.name.as_str());
    for attribute in &mut element.attributes {
        if leads && attribute.name == "to" && attribute.value == old {
            attribute.value = to.into();
        }
    }
    for child in &mut element.children {
        if let Child::Element(child) = child {
            lead(child, old, to);
        }
    }
}

fn edges<'e>(root: &'e Element, tags: &[&str]) -> Vec<(&'e str, &'e str, &'e str)> {
    let name = |element: &'e Element, name| {
        element
            .attribute(name)
            .map_or("", |found| found.value.as_str())
    };
    root.elements()
        .flat_map(|node| node.elements().map(move |edge| (node, edge)))
        .filter(|(node, edge)| node.name != "coordinator" && tags.contains(&edge.name.as_str()))
        .map(|(node, edge)| (name(node, "name"), edge.name.as_str(), name(edge, "to")))
        .collect()
}

/// A change, and what it makes of the tree.
fn random_change(root: &Element, number: usize, random: &mut Random) -> (Change, Element) {
    let mut expected = root.clone();
    let names = node_names(root);
    let mut all = Vec::new();
    places(root, &Place::root(), &mut all);
    let below_nodes: Vec<Place> = names
        .iter()
        .flat_map(|name| {
            let mut found = Vec::new();
            let node = Place::node(name.as_str());
            places(at_mut(&mut expected.clone(), &node), &node, &mut found);
            found
        })
        .collect();
    let change = match random.below(8) {
        0 | 1 => {
            let at = random.pick(&below_nodes).clone();
            let name = (*random.pick(&["desc", "host", "db-link"])).to_owned();
            let value = random.text();
            put(at_mut(&mut expected, &at), &name, &value);
            Change::SetAttribute { at, name, value }
        }
        2 => {
            let with: Vec<&Place> = below_nodes
                .iter()
                .filter(|place| {
                    at_mut(&mut expected.clone(), place)
                        .attribute("desc")
                        .is_some()
                })
                .collect();
            let Some(at) = with.first().map(|_| (*random.pick(&with)).clone()) else {
                return random_change(root, number, random);
            };
            let name = "desc".to_owned();
            at_mut(&mut expected, &at)
                .attributes
                .retain(|attribute| attribute.name != name);
            Change::RemoveAttribute { at, name }
        }
        3 | 4 => {
            let leaves: Vec<&Place> = below_nodes
                .iter()
                .filter(|place| {
                    at_mut(&mut expected.clone(), place)
                        .elements()
                        .next()
                        .is_none()
                })
                .collect();
            let at = (*random.pick(&leaves)).clone();
            let text = random.text();
            let span = Span::default();
            let child = Child::Text {
                text: text.as_str().into(),
                span,
            };
            at_mut(&mut expected, &at).children = if text.is_empty() {
                Vec::new()
            } else {
                vec![child]
            };
            Change::SetText { at, text }
        }
        5 => {
            let (name, to) = (random.pick(&names).clone(), format!("n{number} <&'\"> 日"));
            put(node_mut(&mut expected, &name), "name", &to);
            lead(&mut expected, &name, &to);
            Change::RenameNode { name, to }
        }
        6 => {
            let code = element("code", &[], vec![]);
            let words = Child::Text {
                text: format!("x{}", random.text()).into(),
                span: Span::default(),
            };
            let code = Element {
                children: vec![words],
                ..code
            };
            let script = element("script", &[], vec![Child::Element(code)]);
            let ok = element("ok", &[("to", random.pick(&names).as_str())], Vec::new());
            let children = vec![Child::Element(script), Child::Element(ok)];
            let name = format!("n{number}");
            let node = element(
                "action",
                &[("name", &name), ("desc", &random.text())],
                children,
            );
            let after = random.pick(&names).clone();
            let is_after = |child: &Child| {
                matches!(child, Child::Element(element)
                if element.name != "coordinator" && element.attribute("name").is_some_and(|name| name.value == after))
            };
            let at = expected.children.iter().position(is_after).unwrap();
            expected
                .children
                .insert(at + 1, Child::Element(node.clone()));
            Change::AddNode {
                node,
                after: Some(after),
            }
        }
        _ => {
            let known = edges(root, &["ok"]);
            let (from, label, old) = *random.pick(&known);
            let to = random.pick(&names).clone();
            let from_node = node_mut(&mut expected, from);
            lead(
                child_mut(
                    from_node,
                    &Step {
                        tag: label.to_owned(),
                        index: 0,
                    },
                ),
                old,
                &to,
            );
            Change::RedirectEdge {
                from: from.into(),
                label: label.into(),
                old: old.into(),
                to,
            }
        }
    };
    (change, expected)
}

fn seed() -> u64 {
    let given = std::env::var("AKKAFLOW_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::collections::hash_map::RandomState::new().hash_one(0))
}

#[test]
fn random_changes_give_the_expected_definition_and_leave_the_rest_alone() {
    let seed = seed();
    for file in 0..FILES {
        let mut random = Random(seed.wrapping_add(file));
        let example = *random.pick(&EXAMPLES);
        let mut source = noisy(example, &mut random);
        assert_eq!(tree(&source), tree(example), "AKKAFLOW_SEED={seed}");
        for number in 0..CHANGES {
            let (change, expected) = random_change(&tree(&source), number, &mut random);
            let said = format!("AKKAFLOW_SEED={seed}, file {file}, {change:?}\n{source}");
            let replacements =
                edit(&source, &change).unwrap_or_else(|error| panic!("{error}: {said}"));
            let edited = apply(&source, &replacements);
            assert_eq!(tree(&edited), expected, "{said}\n{edited}");
            assert_eq!(comments(&edited), comments(&source), "{said}\n{edited}");
            check_extent(&change, &source, &replacements, &said);
            source = edited;
        }
    }
}

/// What a change replaces is what it is about: markup around it stays.
fn check_extent(change: &Change, source: &str, replacements: &[Replacement], said: &str) {
    for replacement in replacements {
        let old = &source[replacement.range.clone()];
        let is_small = match change {
            Change::SetText { .. } => !old.contains("</"),
            Change::AddNode { .. } => old.is_empty(),
            _ => !old.contains('<') && !old.contains("/>"),
        };
        assert!(is_small, "{old}: {said}");
    }
}
