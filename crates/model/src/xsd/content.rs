//! What elements may stand inside one, in any order, as a schema can say it.
//!
//! XSD 1.0 lets elements stand in any order only where each stands once at most (`xs:all`). Elsewhere an order is spelled
//! out as a tree: whichever of those that stand once comes first, then whichever of the rest, with the repeatable ones in between.
//! At every point the next label decides, as the schema's rule of unique attribution wants it.

use crate::shape::ChildShape;

use super::Writer;

/// The tree of orders of more elements would be too large; beyond that optional ones lose their upper bound.
const MOST_SINGLE: usize = 4;

/// What stands inside.
#[derive(Debug, Clone)]
pub(super) struct Item {
    kind: Kind,
    is_required: bool,
    is_repeatable: bool,
}

/// One element or one of a group's.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Element {
        tag: &'static str,
        type_name: String,
    },
    Group(&'static str),
}

impl Item {
    pub(super) fn element(child: &ChildShape, type_name: String) -> Self {
        Self {
            kind: Kind::Element {
                tag: child.shape.tag,
                type_name,
            },
            is_required: child.min > 0,
            is_repeatable: child.max != Some(1),
        }
    }

    /// One of a group's elements, exactly once.
    pub(super) fn group(name: &'static str) -> Self {
        Self {
            kind: Kind::Group(name),
            is_required: true,
            is_repeatable: false,
        }
    }

    /// Whether the tree must know if it has been seen.
    fn is_counted(&self) -> bool {
        self.is_required || !self.is_repeatable
    }
}

/// How often a particle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Once,
    Optional,
    Many,
    OnceOrMore,
}

impl Times {
    fn attributes(self) -> &'static str {
        match self {
            Self::Once => "",
            Self::Optional => " minOccurs=\"0\"",
            Self::Many => " minOccurs=\"0\" maxOccurs=\"unbounded\"",
            Self::OnceOrMore => " maxOccurs=\"unbounded\"",
        }
    }
}

/// A piece of a content model.
#[derive(Debug)]
pub(super) enum Particle {
    Item(Kind, Times),
    Compositor(&'static str, Vec<Particle>, Times),
}

fn compositor(name: &'static str, particles: Vec<Particle>, times: Times) -> Particle {
    Particle::Compositor(name, particles, times)
}

fn once(item: &Item) -> Particle {
    Particle::Item(item.kind.clone(), Times::Once)
}

/// The model of these items.
pub(super) fn content(items: &[Item]) -> Particle {
    let is_plain = |item: &Item| matches!(item.kind, Kind::Element { .. });
    if items
        .iter()
        .all(|item| is_plain(item) && !item.is_repeatable)
    {
        let particles = items.iter().map(with_own_times).collect();
        return compositor("all", particles, Times::Once);
    }
    if let [item] = items {
        return compositor("sequence", vec![with_own_times(item)], Times::Once);
    }
    let (mut counted, mut free): (Vec<&Item>, Vec<&Item>) =
        items.iter().partition(|item| item.is_counted());
    // Required ones first, so that these keep their place in the tree.
    counted.sort_by_key(|item| !item.is_required);
    while counted.len() > MOST_SINGLE {
        free.extend(counted.pop());
    }
    let particles = sequence(&counted, &free);
    compositor("sequence", particles, Times::Once)
}

fn with_own_times(item: &Item) -> Particle {
    let times = match (item.is_required, item.is_repeatable) {
        (true, false) => Times::Once,
        (false, false) => Times::Optional,
        (false, true) => Times::Many,
        (true, true) => Times::OnceOrMore,
    };
    Particle::Item(item.kind.clone(), times)
}

/// `free` in any number, and `counted` in any order between them.
fn sequence(counted: &[&Item], free: &[&Item]) -> Vec<Particle> {
    let mut particles = Vec::new();
    if !free.is_empty() {
        let choices = free.iter().map(|item| once(item)).collect();
        particles.push(compositor("choice", choices, Times::Many));
    }
    if counted.is_empty() {
        return particles;
    }
    let is_required = counted.iter().any(|item| item.is_required);
    let times = if is_required {
        Times::Once
    } else {
        Times::Optional
    };
    if let ([last], true) = (counted, free.is_empty())
        && !last.is_repeatable
    {
        return vec![Particle::Item(last.kind.clone(), times)];
    }
    let branches: Vec<Particle> = (0..counted.len())
        .map(|first| {
            let item = counted[first];
            let mut rest = counted.to_vec();
            rest.remove(first);
            let mut free = free.to_vec();
            if item.is_repeatable {
                free.push(item);
            }
            let mut branch = vec![once(item)];
            branch.extend(sequence(&rest, &free));
            compositor("sequence", branch, Times::Once)
        })
        .collect();
    particles.push(compositor("choice", branches, times));
    particles
}

impl Particle {
    pub(super) fn write(&self, depth: usize, writer: &mut Writer<'_>) {
        match self {
            Self::Item(Kind::Group(name), times) => {
                let times = times.attributes();
                writer.line(depth, &format!("<xs:group ref=\"{name}\"{times}/>"));
            }
            Self::Item(Kind::Element { tag, type_name }, times) => {
                writer.element(depth, tag, type_name, times.attributes());
            }
            Self::Compositor(name, particles, times) => {
                let times = times.attributes();
                writer.line(depth, &format!("<xs:{name}{times}>"));
                for particle in particles {
                    particle.write(depth + 1, writer);
                }
                writer.line(depth, &format!("</xs:{name}>"));
            }
        }
    }
}
