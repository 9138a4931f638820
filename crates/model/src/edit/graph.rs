//! Nodes, and the edges between them.
//!
//! Which attributes lead to nodes is declared by the shapes: an edge is an attribute of its node (`to`), an attribute of a
//! child (`<ok to="..."/>`), or an item of a list that the node at its end keeps (`after`).

use std::collections::BTreeMap;

use crate::edit::{EditError, Place, Replacement, element as single};
use crate::element::{Attribute, Element};
use crate::read::workflow_shape;
use crate::shape::{AttributeKind, Shape};
use crate::xsd::is_node;

/// The element at a place.
pub(super) fn find<'e>(root: &'e Element, place: &Place) -> Result<&'e Element, EditError> {
    let start = match &place.node {
        Some(name) => node_named(root, name)?,
        None => root,
    };
    place.path.iter().try_fold(start, |parent, step| {
        let mut named = parent.elements().filter(|element| element.name == step.tag);
        named
            .nth(step.index)
            .ok_or_else(|| EditError::UnknownElement {
                parent: parent.name.to_string(),
                tag: step.tag.clone(),
                index: step.index,
            })
    })
}

/// Whether the element is a node of the workflow.
pub(super) fn is_node_of(root: &Element, element: &Element) -> bool {
    let shape = workflow_shape();
    nodes(root, shape).any(|(node, _)| std::ptr::eq(node, element))
}

fn nodes<'e, 's>(
    root: &'e Element,
    workflow: &'s Shape,
) -> impl Iterator<Item = (&'e Element, &'s Shape)> {
    root.elements().filter_map(|element| {
        let shape = child_shape(workflow, &element.name)?;
        is_node(shape).then_some((element, shape))
    })
}

fn child_shape<'s>(shape: &'s Shape, tag: &str) -> Option<&'s Shape> {
    let found = shape.children.iter().find(|child| child.shape.tag == tag);
    found.map(|child| &child.shape)
}

fn name_of(node: &Element) -> &str {
    node.attribute("name")
        .map_or("", |attribute| attribute.value.trim())
}

fn node_named<'e>(root: &'e Element, name: &str) -> Result<&'e Element, EditError> {
    let shape = workflow_shape();
    let found = nodes(root, shape).find(|(node, _)| name_of(node) == name.trim());
    let unknown = || EditError::UnknownNode {
        name: name.to_owned(),
    };
    found.map(|(node, _)| node).ok_or_else(unknown)
}

fn check_free(root: &Element, name: &str) -> Result<(), EditError> {
    if name.trim().is_empty() {
        return Err(EditError::BadName {
            name: name.to_owned(),
        });
    }
    match node_named(root, name) {
        Ok(_) => Err(EditError::NameTaken {
            name: name.trim().to_owned(),
        }),
        Err(_) => Ok(()),
    }
}

/// A place where a node is named.
struct Reference<'e> {
    /// The node that holds it.
    owner: &'e Element,
    /// The owner itself or a child of it.
    element: &'e Element,
    attribute: &'e Attribute,
    is_list: bool,
    is_required: bool,
    /// How many such children the owner must keep; 0 for the owner's own attributes.
    min: usize,
}

impl Reference<'_> {
    fn is_own(&self) -> bool {
        std::ptr::eq(self.owner, self.element)
    }

    fn names(&self, name: &str) -> bool {
        if self.is_list {
            words(&self.attribute.value).any(|word| word == name)
        } else {
            self.attribute.value.trim() == name
        }
    }

    /// Which edge of its owner it is.
    fn label(&self) -> &str {
        if self.is_own() {
            &self.attribute.name
        } else {
            &self.element.name
        }
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split_whitespace()
}

fn references<'e>(root: &'e Element, workflow: &Shape) -> Vec<Reference<'e>> {
    let mut found = Vec::new();
    for (owner, shape) in nodes(root, workflow) {
        collect(owner, owner, shape, 0, &mut found);
        for child in &shape.children {
            let named = owner
                .elements()
                .filter(|element| element.name == child.shape.tag);
            for element in named {
                collect(owner, element, &child.shape, child.min as usize, &mut found);
            }
        }
    }
    found
}

fn collect<'e>(
    owner: &'e Element,
    element: &'e Element,
    shape: &Shape,
    min: usize,
    found: &mut Vec<Reference<'e>>,
) {
    for rule in &shape.attributes {
        let is_list = rule.kind == AttributeKind::NodeNames;
        if !is_list && rule.kind != AttributeKind::NodeName {
            continue;
        }
        if let Some(attribute) = element.attribute(rule.name) {
            found.push(Reference {
                owner,
                element,
                attribute,
                is_list,
                is_required: rule.is_required,
                min,
            });
        }
    }
}

pub(super) fn add_node(
    source: &str,
    root: &Element,
    node: &Element,
    after: Option<&str>,
) -> Result<Vec<Replacement>, EditError> {
    let workflow = workflow_shape();
    let name = name_of(node);
    let is_known = child_shape(workflow, &node.name).is_some_and(is_node);
    if !is_known || name.is_empty() {
        return Err(EditError::NotANode {
            tag: node.name.to_string(),
        });
    }
    check_free(root, name)?;
    let after = match after {
        Some(name) => Some(node_named(root, name)?),
        None => root.elements().last(),
    };
    single::add(source, root, after, node).map(|added| vec![added])
}

pub(super) fn rename_node(
    source: &str,
    root: &Element,
    name: &str,
    to: &str,
) -> Result<Vec<Replacement>, EditError> {
    let node = node_named(root, name)?;
    let (name, to) = (name.trim(), to.trim());
    if name == to {
        return Ok(Vec::new());
    }
    check_free(root, to)?;
    let mut replacements = single::set_attribute(source, node, "name", to)?;
    let workflow = workflow_shape();
    for reference in references(root, workflow) {
        if reference.names(name) {
            replacements.extend(lead(source, &reference, name, to)?);
        }
    }
    Ok(replacements)
}

/// Makes a reference to `old` one to `to`.
fn lead(
    source: &str,
    reference: &Reference<'_>,
    old: &str,
    to: &str,
) -> Result<Vec<Replacement>, EditError> {
    let Reference {
        element, attribute, ..
    } = reference;
    if !reference.is_list {
        return single::set_attribute(source, element, &attribute.name, to);
    }
    check_word(to)?;
    let mut list: Vec<&str> = Vec::new();
    for word in words(&attribute.value) {
        let word = if word == old { to } else { word };
        if !list.contains(&word) {
            list.push(word);
        }
    }
    single::set_attribute(source, element, &attribute.name, &list.join(" "))
}

/// Takes `name` out of a list; the list goes with its last item.
fn leave_out(
    source: &str,
    reference: &Reference<'_>,
    name: &str,
) -> Result<Vec<Replacement>, EditError> {
    let attribute = reference.attribute;
    let rest: Vec<&str> = words(&attribute.value)
        .filter(|word| *word != name)
        .collect();
    if rest.is_empty() {
        single::remove_attribute(source, reference.element, &attribute.name)
            .map(|removed| vec![removed])
    } else {
        let list = rest.join(" ");
        single::set_attribute(source, reference.element, &attribute.name, &list)
    }
}

fn check_word(name: &str) -> Result<(), EditError> {
    if name.contains(char::is_whitespace) {
        return Err(EditError::BadName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

pub(super) fn remove_node(
    source: &str,
    root: &Element,
    name: &str,
    to: Option<&str>,
) -> Result<Vec<Replacement>, EditError> {
    let node = node_named(root, name)?;
    let name = name.trim();
    let to = match to.map(str::trim) {
        Some(to) if to == name => {
            return Err(EditError::ToItself {
                name: to.to_owned(),
            });
        }
        Some(to) => {
            node_named(root, to)?;
            Some(to)
        }
        None => None,
    };
    let workflow = workflow_shape();
    let all = references(root, workflow);
    // Children that stay, by owner and label: what must be there is never taken away.
    let mut left: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for reference in all.iter().filter(|reference| !reference.is_own()) {
        *left
            .entry((name_of(reference.owner), reference.label()))
            .or_default() += 1;
    }
    let mut replacements = vec![single::remove(source, node)];
    let incoming = all
        .iter()
        .filter(|reference| !std::ptr::eq(reference.owner, node) && reference.names(name));
    for reference in incoming {
        let owner = name_of(reference.owner);
        if to == Some(owner) && !reference.is_list {
            return Err(EditError::ToItself {
                name: owner.to_owned(),
            });
        }
        let is_there_already = |to: &str| {
            all.iter().any(|other| {
                std::ptr::eq(other.owner, reference.owner)
                    && other.label() == reference.label()
                    && other.names(to)
            })
        };
        let new_end = to.filter(|to| *to != owner && !is_there_already(to));
        if let Some(to) = new_end {
            replacements.extend(lead(source, reference, name, to)?);
            continue;
        }
        if reference.is_list {
            replacements.extend(leave_out(source, reference, name)?);
            continue;
        }
        let count = left.entry((owner, reference.label())).or_default();
        let may_go = if reference.is_own() {
            !reference.is_required
        } else {
            *count > reference.min
        };
        if !may_go {
            return Err(EditError::StillNeeded {
                name: name.to_owned(),
                by: owner.to_owned(),
                label: reference.label().to_owned(),
            });
        }
        if reference.is_own() {
            let attribute = &reference.attribute.name;
            replacements.push(single::remove_attribute(
                source,
                reference.element,
                attribute,
            )?);
        } else {
            *count -= 1;
            replacements.push(single::remove(source, reference.element));
        }
    }
    Ok(replacements)
}

/// How a kind of edge is written.
enum Form {
    /// An attribute of the node where it begins.
    Own,
    /// A child of that node, with this attribute.
    Child {
        attribute: &'static str,
        max: Option<u32>,
    },
    /// An item of a list of the node where it ends.
    List,
}

fn form(workflow: &Shape, from: &Element, to: &Element, label: &str) -> Result<Form, EditError> {
    let unknown = || EditError::NoSuchKind {
        tag: from.name.to_string(),
        label: label.to_owned(),
    };
    let shape = child_shape(workflow, &from.name).ok_or_else(unknown)?;
    let has = |shape: &Shape, kind: AttributeKind| {
        shape
            .attribute_named(label)
            .is_some_and(|attribute| attribute.kind == kind)
    };
    if has(shape, AttributeKind::NodeName) {
        return Ok(Form::Own);
    }
    let child = shape.children.iter().find(|child| child.shape.tag == label);
    let leading = child.and_then(|child| {
        let attributes = &child.shape.attributes;
        let attribute = attributes
            .iter()
            .find(|attribute| attribute.kind == AttributeKind::NodeName)?;
        Some(Form::Child {
            attribute: attribute.name,
            max: child.max,
        })
    });
    if let Some(form) = leading {
        return Ok(form);
    }
    let ends_in_list =
        child_shape(workflow, &to.name).is_some_and(|shape| has(shape, AttributeKind::NodeNames));
    ends_in_list.then_some(Form::List).ok_or_else(unknown)
}

pub(super) fn add_edge(
    source: &str,
    root: &Element,
    from: &str,
    label: &str,
    to: &str,
) -> Result<Vec<Replacement>, EditError> {
    let (begin, end) = (node_named(root, from)?, node_named(root, to)?);
    let (from, to) = (from.trim(), to.trim());
    let exists = || EditError::EdgeExists {
        from: from.to_owned(),
        label: label.to_owned(),
    };
    match form(workflow_shape(), begin, end, label)? {
        Form::Own if begin.attribute(label).is_some() => Err(exists()),
        Form::Own => single::set_attribute(source, begin, label, to),
        Form::Child { attribute, max } => {
            let count = begin.elements_named(label).count();
            let leads_there = begin.elements_named(label).any(|child| {
                child
                    .attribute(attribute)
                    .is_some_and(|known| known.value.trim() == to)
            });
            if leads_there || max.is_some_and(|max| count >= max as usize) {
                return Err(exists());
            }
            let mut edge = Element::new(label);
            edge.attributes.push(plain_attribute(attribute, to));
            single::add(source, begin, begin.elements().last(), &edge).map(|added| vec![added])
        }
        Form::List => {
            check_word(from)?;
            let list = end
                .attribute(label)
                .map_or("", |attribute| attribute.value.trim());
            if words(list).any(|word| word == from) {
                return Err(exists());
            }
            let list = format!("{list} {from}");
            single::set_attribute(source, end, label, list.trim())
        }
    }
}

fn plain_attribute(name: &str, value: &str) -> Attribute {
    Attribute {
        name: name.into(),
        value: value.into(),
        name_span: Default::default(),
        value_span: Default::default(),
    }
}

/// The reference that an edge is.
fn edge<'a, 'e>(
    all: &'a [Reference<'e>],
    from: &str,
    label: &str,
    to: &str,
) -> Result<&'a Reference<'e>, EditError> {
    let (from, to) = (from.trim(), to.trim());
    let is_edge = |reference: &&Reference<'_>| {
        let (begin, end) = if reference.is_list {
            (to, from)
        } else {
            (from, to)
        };
        reference.label() == label && name_of(reference.owner) == begin && reference.names(end)
    };
    all.iter()
        .find(is_edge)
        .ok_or_else(|| EditError::UnknownEdge {
            from: from.to_owned(),
            label: label.to_owned(),
            to: to.to_owned(),
        })
}

pub(super) fn redirect_edge(
    source: &str,
    root: &Element,
    from: &str,
    label: &str,
    old: &str,
    to: &str,
) -> Result<Vec<Replacement>, EditError> {
    node_named(root, from)?;
    node_named(root, to)?;
    let workflow = workflow_shape();
    let all = references(root, workflow);
    let found = edge(&all, from, label, old)?;
    if found.is_list {
        if old.trim() == to.trim() {
            return Ok(Vec::new());
        }
        let mut replacements = leave_out(source, found, from.trim())?;
        replacements.extend(add_edge(source, root, from, label, to)?);
        return Ok(replacements);
    }
    let is_double = old.trim() != to.trim() && edge(&all, from, label, to).is_ok();
    if is_double {
        return Err(EditError::EdgeExists {
            from: from.trim().to_owned(),
            label: label.to_owned(),
        });
    }
    lead(source, found, old.trim(), to.trim())
}

pub(super) fn remove_edge(
    source: &str,
    root: &Element,
    from: &str,
    label: &str,
    to: &str,
) -> Result<Vec<Replacement>, EditError> {
    node_named(root, from)?;
    let workflow = workflow_shape();
    let all = references(root, workflow);
    let found = edge(&all, from, label, to)?;
    if found.is_list {
        return leave_out(source, found, from.trim());
    }
    if found.is_own() {
        return single::remove_attribute(source, found.element, label).map(|gone| vec![gone]);
    }
    Ok(vec![single::remove(source, found.element)])
}
