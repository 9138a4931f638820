//! Why a change cannot be made.

use std::fmt;

use crate::text::Text;

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// The text is no well-formed XML.
    IllFormed,
    /// The text is not the decoded one.
    NotDecoded,
    /// There is no such node.
    UnknownNode {
        /// Its name.
        name: String,
    },
    /// There is no such element.
    UnknownElement {
        /// Where it was looked for.
        parent: String,
        /// Its label.
        tag: String,
        /// Which of them, from 0.
        index: usize,
    },
    /// There is no such attribute.
    UnknownAttribute {
        /// The element's label.
        tag: String,
        /// The attribute's name.
        name: String,
    },
    /// An attribute or an element cannot be called so.
    BadLabel {
        /// The name.
        name: String,
    },
    /// A value holds a character that XML forbids.
    ForbiddenCharacter {
        /// The character's number.
        number: u32,
    },
    /// The text of an element cannot be set beside its elements.
    HasElements {
        /// The element's label.
        tag: String,
    },
    /// A node's name is changed by renaming the node.
    IsNodeName,
    /// Nodes and the root are no mere elements.
    NotRemovable {
        /// The element's label.
        tag: String,
    },
    /// An element is no node, or has no name.
    NotANode {
        /// The element's label.
        tag: String,
    },
    /// Another node has the name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name is blank, or cannot be named in a list of names because of the blanks in it.
    BadName {
        /// The name.
        name: String,
    },
    /// A node of this kind has no such edge.
    NoSuchKind {
        /// The node's label.
        tag: String,
        /// Which edge was asked for.
        label: String,
    },
    /// There is no such edge.
    UnknownEdge {
        /// Where it should begin.
        from: String,
        /// Which one.
        label: String,
        /// Where it should end.
        to: String,
    },
    /// The node has as many such edges as it may have.
    EdgeExists {
        /// Where it begins.
        from: String,
        /// Which one.
        label: String,
    },
    /// An edge that must be there leads to the node that shall go.
    StillNeeded {
        /// The node that shall go.
        name: String,
        /// The node where the edge begins.
        by: String,
        /// Which of its edges.
        label: String,
    },
    /// An edge would lead back to its own node.
    ToItself {
        /// The node.
        name: String,
    },
}

impl EditError {
    /// What people read.
    pub fn text(&self) -> Text {
        match self {
            Self::IllFormed => Text::new(
                "定义不是格式良好的XML，请先改正",
                "the definition is not well-formed XML; mend that first",
            ),
            Self::NotDecoded => Text::new(
                "请传入解码后的文本：没有字节序标记，也没有其他编码的声明",
                "pass the decoded text: without a byte order mark and without the name of another encoding",
            ),
            Self::UnknownNode { name } => Text::new(
                format!("没有节点 `{name}`"),
                format!("there is no node `{name}`"),
            ),
            Self::UnknownElement { parent, tag, index } => Text::new(
                format!("<{parent}> 中没有第{}个 <{tag}>", index + 1),
                format!("<{parent}> holds no <{tag}> number {}", index + 1),
            ),
            Self::UnknownAttribute { tag, name } => Text::new(
                format!("该 <{tag}> 没有属性 `{name}`"),
                format!("this <{tag}> has no attribute `{name}`"),
            ),
            Self::BadLabel { name } => Text::new(
                format!("`{name}` 不能作为属性名或标签名"),
                format!("`{name}` cannot be the name of an attribute or an element"),
            ),
            Self::ForbiddenCharacter { number } => Text::new(
                format!("XML中不允许字符U+{number:04X}，请删除"),
                format!("character U+{number:04X} is not allowed in XML; remove it"),
            ),
            Self::HasElements { tag } => Text::new(
                format!("<{tag}> 中有元素，请修改这些元素的文本"),
                format!("<{tag}> holds elements; change the text of those"),
            ),
            Self::IsNodeName => Text::new(
                "节点名称请用重命名来修改，以便同时修改指向它的边",
                "rename the node instead, so that the edges to it follow",
            ),
            Self::NotRemovable { tag } => Text::new(
                format!("<{tag}> 不能作为普通元素删除，节点请用删除节点"),
                format!("<{tag}> cannot be removed as a mere element; remove a node as one"),
            ),
            Self::NotANode { tag } => Text::new(
                format!("<{tag}> 不是节点，或没有名称"),
                format!("<{tag}> is no node, or has no name"),
            ),
            Self::NameTaken { name } => Text::new(
                format!("节点 `{name}` 已存在，请换一个名称"),
                format!("a node called `{name}` exists already; choose another name"),
            ),
            Self::BadName { name } => Text::new(
                format!("节点不能叫 `{name}`"),
                format!("a node cannot be called `{name}` here"),
            ),
            Self::NoSuchKind { tag, label } => Text::new(
                format!("<{tag}> 没有 `{label}` 这种边"),
                format!("a <{tag}> has no edge called `{label}`"),
            ),
            Self::UnknownEdge { from, label, to } => Text::new(
                format!("节点 `{from}` 没有通向 `{to}` 的 `{label}` 边"),
                format!("node `{from}` has no edge `{label}` to `{to}`"),
            ),
            Self::EdgeExists { from, label } => Text::new(
                format!("节点 `{from}` 已有 `{label}` 边，请改为重定向"),
                format!("node `{from}` has its edge `{label}` already; redirect it"),
            ),
            Self::StillNeeded { name, by, label } => Text::new(
                format!("节点 `{by}` 的 `{label}` 边通向 `{name}`，请指明它改为通向哪里"),
                format!(
                    "the edge `{label}` of node `{by}` leads to `{name}`; say where it leads instead"
                ),
            ),
            Self::ToItself { name } => Text::new(
                format!("节点 `{name}` 的边会通向它自身"),
                format!("an edge of node `{name}` would lead to itself"),
            ),
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for EditError {}
