//! Elements as sections of a page.

use akkaflow_actions::Registry;
use akkaflow_model::db_links;
use akkaflow_model::file_links;
use akkaflow_model::read::workflow_shape;
use akkaflow_model::reference;
use akkaflow_model::shape::{AttributeKind, AttributeShape, ChildShape, Shape, TextRule};
use akkaflow_model::text::Lang;

use super::describe::{fenced, plain, say, sentence, table};

/// The deepest heading of Markdown.
const DEEPEST_HEADING: usize = 6;

/// The root's own attributes and contents.
pub(super) fn root(lang: Lang) -> String {
    let shape = workflow_shape();
    format!("{}{}", attributes(lang, shape), contents(lang, shape))
}

/// The children of the root that are neither nodes nor the coordinator, if there are any.
pub(super) fn others(lang: Lang) -> String {
    root_children(lang, |shape| !is_node(shape) && shape.tag != "coordinator")
}

/// The coordinator.
pub(super) fn coordinator(lang: Lang) -> String {
    root_children(lang, |shape| shape.tag == "coordinator")
}

/// Every node but actions.
pub(super) fn nodes(lang: Lang) -> String {
    root_children(lang, |shape| is_node(shape) && shape.tag != "action")
}

/// What all actions have in common.
pub(super) fn action(lang: Lang) -> String {
    root_children(lang, |shape| shape.tag == "action")
}

/// Every action type.
pub(super) fn actions(lang: Lang) -> String {
    let shapes = Registry::builtin().shapes();
    let list: Vec<String> = shapes
        .iter()
        .map(|shape| section(lang, shape, 2, ""))
        .collect();
    list.concat()
}

/// One line for each action type.
pub(super) fn action_list(lang: Lang) -> String {
    let rows: Vec<Vec<String>> = Registry::builtin()
        .shapes()
        .iter()
        .map(|shape| {
            let tag = shape.tag;
            vec![format!("[`<{tag}>`](#{tag})"), plain(shape.doc.get(lang))]
        })
        .collect();
    let head = say(lang, "类型 用途", "Type Does");
    let head: Vec<&str> = head.split(' ').collect();
    table(&head, &rows)
}

/// The file of the db-links.
pub(super) fn database_links(lang: Lang) -> String {
    section(lang, &db_links::shape(), 2, "")
}

/// The file of the file-links.
pub(super) fn file_links(lang: Lang) -> String {
    section(lang, &file_links::shape(), 2, "")
}

fn is_node(shape: &Shape) -> bool {
    let name = shape.attribute_named("name");
    name.is_some_and(|name| name.is_required && name.kind == AttributeKind::Name)
}

fn root_children(lang: Lang, is_wanted: impl Fn(&Shape) -> bool) -> String {
    let root = workflow_shape();
    let wanted = root
        .children
        .iter()
        .map(|child| &child.shape)
        .filter(|shape| is_wanted(shape));
    let list: Vec<String> = wanted.map(|shape| section(lang, shape, 3, "")).collect();
    list.concat()
}

/// An element and everything inside it.
fn section(lang: Lang, shape: &Shape, depth: usize, parents: &str) -> String {
    let tag = shape.tag;
    let heading = "#".repeat(depth.min(DEEPEST_HEADING));
    let mut text = if parents.is_empty() {
        format!("{heading} `<{tag}>`\n\n")
    } else {
        format!("{heading} {parents}`<{tag}>`\n\n")
    };
    let doc = sentence(lang, shape.doc.get(lang));
    let doc = planned(lang, shape.is_planned, doc);
    text.push_str(&format!("{doc}\n\n"));
    if parents.is_empty() || shape.example.is_some() {
        text.push_str(&fenced("xml", &reference::example(shape)));
        text.push('\n');
    }
    text.push_str(&attributes(lang, shape));
    text.push_str(&contents(lang, shape));
    let parents = format!("{parents}`<{tag}>` › ");
    for child in shape
        .children
        .iter()
        .filter(|child| !is_plain(&child.shape))
    {
        text.push_str(&section(lang, &child.shape, depth + 1, &parents));
    }
    text
}

/// Whether the line in its parent's table says everything about an element.
fn is_plain(shape: &Shape) -> bool {
    shape.attributes.is_empty() && shape.children.is_empty() && shape.example.is_none()
}

fn attributes(lang: Lang, shape: &Shape) -> String {
    if shape.attributes.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = shape
        .attributes
        .iter()
        .map(|attribute| {
            vec![
                format!("`{}`", attribute.name),
                reference::describe(attribute.kind).get(lang).to_owned(),
                default(lang, attribute),
                planned(lang, attribute.is_planned, plain(attribute.doc.get(lang))),
            ]
        })
        .collect();
    let head = say(
        lang,
        "属性 取值 默认 含义",
        "Attribute Value Default Meaning",
    );
    let head: Vec<&str> = head.split(' ').collect();
    format!("{}\n", table(&head, &rows))
}

/// Marks what this version checks and keeps, but cannot run.
fn planned(lang: Lang, is_planned: bool, words: String) -> String {
    if is_planned {
        let mark = say(
            lang,
            "（当前版本暂不执行）",
            " (not run by this version yet)",
        );
        format!("{words}{mark}")
    } else {
        words
    }
}

fn default(lang: Lang, attribute: &AttributeShape) -> String {
    match attribute.default {
        _ if attribute.is_required => say(lang, "**必填**", "**required**").to_owned(),
        Some("") | None => match &attribute.needed {
            Some(when) => when.get(lang).to_owned(),
            None => String::new(),
        },
        Some(default) => format!("`{default}`"),
    }
}

fn contents(lang: Lang, shape: &Shape) -> String {
    let mut rows: Vec<Vec<String>> = shape
        .children
        .iter()
        .map(|child| {
            let doc = child.shape.doc.get(lang);
            vec![
                format!("`<{}>`", child.shape.tag),
                times(lang, child),
                planned(lang, child.shape.is_planned, plain(doc)),
            ]
        })
        .collect();
    if shape.is_open && shape.tag == "action" {
        rows.push(vec![
            say(lang, "动作类型", "an action type").to_owned(),
            say(lang, "一个", "once").to_owned(),
            say(
                lang,
                "见[动作](actions.zh-CN.md)",
                "what to do: see [actions](actions.md)",
            )
            .to_owned(),
        ]);
    } else if shape.is_open {
        rows.push(vec![
            say(lang, "任意元素", "any element").to_owned(),
            say(lang, "任意个", "any number").to_owned(),
            String::new(),
        ]);
    }
    let text = match shape.text {
        TextRule::None => None,
        TextRule::Optional => Some(say(lang, "可选", "optional")),
        TextRule::Required => Some(say(lang, "必填", "required")),
    };
    if let Some(text) = text {
        let is_only = rows.is_empty() && shape.attributes.is_empty();
        if !is_only {
            let name = say(lang, "文本", "text").to_owned();
            rows.push(vec![name, text.to_owned(), String::new()]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = say(lang, "内容 个数 含义", "Inside Times Meaning");
    let head: Vec<&str> = head.split(' ').collect();
    format!("{}\n", table(&head, &rows))
}

fn times(lang: Lang, child: &ChildShape) -> String {
    let times = match (child.min, child.max) {
        (0, Some(1)) => say(lang, "至多一个", "at most once"),
        (_, Some(1)) => say(lang, "一个", "once"),
        (0, _) => say(lang, "任意个", "any number"),
        (1, _) => say(lang, "至少一个", "once or more"),
        (min, _) => {
            return match lang {
                Lang::Zh => format!("至少{min}个"),
                Lang::En => format!("{min} times or more"),
            };
        }
    };
    match &child.needed {
        Some(when) => format!("{times}{}{}", say(lang, "，", "; "), when.get(lang)),
        None => times.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::code;
    use akkaflow_model::diagnostic::Diagnostics;
    use akkaflow_model::xml;

    use super::*;

    fn check(shape: &Shape, wrong: &mut Vec<String>) {
        let example = reference::example(shape);
        let mut document = xml::read(example.as_bytes());
        let root = document.root.take().expect("an example is an element");
        assert_eq!(root.name, shape.tag);
        let mut diagnostics = Diagnostics::new();
        shape.check(&root, &mut diagnostics);
        let found = document
            .findings()
            .into_iter()
            .chain(diagnostics.into_sorted())
            // Right, but for a later version.
            .filter(|finding| finding.code != code::NOT_RUNNABLE);
        wrong.extend(found.map(|finding| format!("<{}>: {}", shape.tag, finding.message.en)));
        for child in &shape.children {
            check(&child.shape, wrong);
        }
    }

    #[test]
    fn every_example_is_right() {
        let mut wrong = Vec::new();
        check(workflow_shape(), &mut wrong);
        check(&db_links::shape(), &mut wrong);
        check(&file_links::shape(), &mut wrong);
        for shape in Registry::builtin().shapes() {
            check(&shape, &mut wrong);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
