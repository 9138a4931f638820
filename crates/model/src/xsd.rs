//! An XML Schema (1.0) of workflow and link files, made of the very [`Shape`]s that the checker reads: editors complete
//! and check with it.
//!
//! It is never stricter than the checker's errors, but for unknown attributes, which the checker only warns about. What a
//! schema cannot express stays with `akka workflow check`.

mod content;
mod types;

use std::fmt::Write as _;

use crate::db_links;
use crate::file_links;
use crate::read::workflow_shape;
use crate::shape::{AttributeKind, AttributeShape, References, Shape, TextRule};
use crate::text::Text;

use content::{Item, content};
use types::{COMMON_TYPES, attribute_type, or_reference};

/// The labels that the root of a workflow may have.
const ROOTS: [&str; 2] = ["work-flow", "workflow"];

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- Generated from the declarations of the program: akka xsd prints it. 由程序中的声明生成：akka xsd 可输出本文件。 -->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
"#;

/// The schema; `bodies` are the action types.
pub fn schema(bodies: &[Shape]) -> String {
    let mut writer = Writer {
        text: HEAD.to_owned(),
        bodies,
    };
    let workflow = workflow_shape();
    for root in ROOTS {
        writer.root(root, workflow);
    }
    let links = [db_links::shape(), file_links::shape()];
    for links in &links {
        writer.element(1, links.tag, links.tag, "");
    }
    writer.text.push_str(COMMON_TYPES);
    writer.complex_type(workflow, "work-flow", "", References::Kept);
    for links in &links {
        writer.complex_type(links, links.tag, links.tag, References::Literal);
    }
    writer.body_group();
    writer.text.push_str("</xs:schema>\n");
    writer.text
}

struct Writer<'a> {
    text: String,
    bodies: &'a [Shape],
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        writeln!(self.text, "{:width$}{line}", "", width = depth * 2)
            .expect("a String takes everything");
    }

    fn element(&mut self, depth: usize, tag: &str, type_name: &str, times: &str) {
        self.line(
            depth,
            &format!("<xs:element name=\"{tag}\" type=\"{type_name}\"{times}/>"),
        );
    }

    fn documentation(&mut self, depth: usize, doc: &Text) {
        self.line(depth, "<xs:annotation>");
        for (lang, words) in [("zh", &doc.zh), ("en", &doc.en)] {
            let words = escaped(words);
            self.line(
                depth + 1,
                &format!("<xs:documentation xml:lang=\"{lang}\">{words}</xs:documentation>"),
            );
        }
        self.line(depth, "</xs:annotation>");
    }

    /// The root with what holds across its nodes: names are unique, edges lead to nodes.
    fn root(&mut self, label: &str, workflow: &Shape) {
        self.line(
            1,
            &format!("<xs:element name=\"{label}\" type=\"work-flow\">"),
        );
        let nodes: Vec<&str> = workflow
            .children
            .iter()
            .map(|child| &child.shape)
            .filter(|shape| is_node(shape))
            .map(|shape| shape.tag)
            .collect();
        self.line(2, &format!("<xs:key name=\"{label}.nodes\">"));
        self.line(
            3,
            &format!("<xs:selector xpath=\"{}\"/>", nodes.join(" | ")),
        );
        self.line(3, "<xs:field xpath=\"@name\"/>");
        self.line(2, "</xs:key>");
        for (attribute, places) in edges(workflow) {
            self.line(
                2,
                &format!("<xs:keyref name=\"{label}.{attribute}\" refer=\"{label}.nodes\">"),
            );
            self.line(
                3,
                &format!("<xs:selector xpath=\"{}\"/>", places.join(" | ")),
            );
            self.line(3, &format!("<xs:field xpath=\"@{attribute}\"/>"));
            self.line(2, "</xs:keyref>");
        }
        self.line(1, "</xs:element>");
    }

    /// The type called `name` and those of everything inside, whose names begin with `prefix`.
    fn complex_type(&mut self, shape: &Shape, name: &str, prefix: &str, references: References) {
        let is_container = !shape.children.is_empty() || shape.is_open;
        let mixed = if is_container && shape.text != TextRule::None {
            " mixed=\"true\""
        } else {
            ""
        };
        self.line(1, &format!("<xs:complexType name=\"{name}\"{mixed}>"));
        self.documentation(2, &shape.doc);
        if is_container {
            self.container(shape, prefix);
            self.attributes(2, shape, references);
        } else {
            let base = match shape.text {
                TextRule::None => "blank",
                TextRule::Optional => "xs:string",
                TextRule::Required => "filled",
            };
            self.line(2, "<xs:simpleContent>");
            self.line(3, &format!("<xs:extension base=\"{base}\">"));
            self.attributes(4, shape, references);
            self.line(3, "</xs:extension>");
            self.line(2, "</xs:simpleContent>");
        }
        self.line(1, "</xs:complexType>");
        for child in &shape.children {
            let name = type_name(prefix, child.shape.tag);
            self.complex_type(&child.shape, &name, &name, references);
        }
    }

    fn container(&mut self, shape: &Shape, prefix: &str) {
        let is_action = shape.is_open && prefix == "action";
        if shape.is_open && !is_action {
            self.line(2, "<xs:sequence>");
            self.line(
                3,
                "<xs:any minOccurs=\"0\" maxOccurs=\"unbounded\" processContents=\"skip\"/>",
            );
            self.line(2, "</xs:sequence>");
            return;
        }
        let mut items: Vec<Item> = shape
            .children
            .iter()
            .map(|child| Item::element(child, type_name(prefix, child.shape.tag)))
            .collect();
        if is_action {
            items.push(Item::group("action-type"));
        }
        content(&items).write(2, self);
    }

    fn attributes(&mut self, depth: usize, shape: &Shape, references: References) {
        for attribute in &shape.attributes {
            self.attribute(depth, attribute, references);
        }
        self.line(
            depth,
            "<xs:anyAttribute namespace=\"##other\" processContents=\"skip\"/>",
        );
    }

    fn attribute(&mut self, depth: usize, attribute: &AttributeShape, references: References) {
        let mut value = attribute_type(attribute.kind);
        if attribute.takes_references(references) {
            value = or_reference(value);
        }
        let (named, inline) = value;
        let name = attribute.name;
        let kind = named.map_or_else(String::new, |name| format!(" type=\"{name}\""));
        let usage = match attribute.default {
            _ if attribute.is_required => " use=\"required\"".to_owned(),
            Some(default) => format!(" default=\"{}\"", escaped(default)),
            None => String::new(),
        };
        self.line(
            depth,
            &format!("<xs:attribute name=\"{name}\"{kind}{usage}>"),
        );
        self.documentation(depth + 1, &attribute.doc);
        if let Some(inline) = inline {
            for line in inline.lines() {
                self.line(depth + 1, line);
            }
        }
        self.line(depth, "</xs:attribute>");
    }

    /// The action types: exactly one of them stands in an action.
    fn body_group(&mut self) {
        self.line(1, "<xs:group name=\"action-type\">");
        self.line(2, "<xs:choice>");
        for body in self.bodies {
            self.element(3, body.tag, &body_type(body.tag), "");
        }
        self.line(2, "</xs:choice>");
        self.line(1, "</xs:group>");
        for body in self.bodies {
            let name = body_type(body.tag);
            self.complex_type(body, &name, &name, References::Replaced);
        }
    }
}

fn type_name(prefix: &str, tag: &str) -> String {
    if prefix.is_empty() {
        tag.to_owned()
    } else {
        format!("{prefix}.{tag}")
    }
}

fn body_type(tag: &str) -> String {
    type_name("action", tag)
}

/// A child of the root that has a name is a node.
pub(crate) fn is_node(shape: &Shape) -> bool {
    shape
        .attribute_named("name")
        .is_some_and(|name| name.is_required && name.kind == AttributeKind::Name)
}

/// The attributes that lead to a node, each with the elements that have it, as paths below the root.
fn edges(workflow: &Shape) -> Vec<(&'static str, Vec<String>)> {
    let mut found: Vec<(&'static str, Vec<String>)> = Vec::new();
    for child in &workflow.children {
        collect_edges(&child.shape, child.shape.tag.to_owned(), &mut found);
    }
    found
}

fn collect_edges(shape: &Shape, path: String, found: &mut Vec<(&'static str, Vec<String>)>) {
    let names = shape
        .attributes
        .iter()
        .filter(|attribute| attribute.kind == AttributeKind::NodeName)
        .map(|attribute| attribute.name);
    for name in names {
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, places)) => places.push(path.clone()),
            None => found.push((name, vec![path.clone()])),
        }
    }
    for child in &shape.children {
        collect_edges(&child.shape, format!("{path}/{}", child.shape.tag), found);
    }
}

/// As text and inside double quotes.
fn escaped(words: &str) -> String {
    words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
