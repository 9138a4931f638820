//! Reading the files of links.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Link, LinkKind};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::element::Element;
use crate::text::Text;
use crate::{db_links, file_links, xml};

/// What a file of links holds.
#[derive(Debug)]
pub struct LinksFile {
    /// The decoded text, to which the places of the findings refer.
    pub source: Arc<str>,
    /// The links that are right, even if others are not.
    pub links: Vec<Link>,
    /// The names of those that are wrong: they are taken nevertheless.
    pub wrong: Vec<String>,
    /// Everything found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `db_links.xml` or `file_links.xml`. `file` names it in messages; `use_of` says what is wrong with a link that reads well,
/// for whoever connects to it.
pub fn read_file(
    kind: LinkKind,
    bytes: &[u8],
    file: &str,
    use_of: &dyn Fn(&Link) -> Result<(), Text>,
) -> LinksFile {
    let mut document = xml::read(bytes);
    let diagnostics = &mut document.diagnostics;
    let (mut links, mut wrong) = (Vec::new(), Vec::new());
    let mut names: BTreeSet<String> = BTreeSet::new();
    if let Some(root) = document.root.take() {
        match kind {
            LinkKind::Db => db_links::check_root(&root, file, diagnostics),
            LinkKind::File => file_links::check_root(&root, file, diagnostics),
        }
        for element in root.elements_named("link") {
            let name = (element.attribute("name")).map_or("", |name| name.value.trim());
            if !name.is_empty() && !names.insert(name.to_owned()) {
                duplicate(kind, element, name, diagnostics);
                continue;
            }
            let link = match kind {
                LinkKind::Db => db_links::read_link(element, diagnostics).map(Link::Db),
                LinkKind::File => file_links::read_link(element, diagnostics).map(Link::File),
            };
            let unusable = link.as_ref().and_then(|link| use_of(link).err());
            match link.filter(|_| unusable.is_none()) {
                Some(link) => links.push(link),
                None if name.is_empty() => {}
                None => wrong.push(name.to_owned()),
            }
            if let Some(why) = unusable {
                cannot_be_used(element, why, diagnostics);
            }
        }
    }
    let diagnostics = document.findings();
    LinksFile {
        source: document.source,
        links,
        wrong,
        diagnostics,
    }
}

fn cannot_be_used(element: &Element, why: Text, diagnostics: &mut Diagnostics) {
    let url = element.attribute("jdbc-url");
    let span = url.map_or(element.name_span, |attribute| attribute.value_span);
    let help = Text::new(
        "akka link test 可检查连接是否可用",
        "akka link test tells whether a link works",
    );
    diagnostics.error(code::LINK_UNUSABLE, span, why, help);
}

fn duplicate(kind: LinkKind, element: &Element, name: &str, diagnostics: &mut Diagnostics) {
    let span = element
        .attribute("name")
        .map_or(element.name_span, |attribute| attribute.value_span);
    let (code, text) = match kind {
        LinkKind::Db => (
            code::DUPLICATE_LINK,
            Text::new(
                format!("数据库连接名称 `{name}` 重复"),
                format!("db-link `{name}` stands twice"),
            ),
        ),
        LinkKind::File => (
            code::DUPLICATE_FILE_LINK,
            Text::new(
                format!("文件连接名称 `{name}` 重复"),
                format!("file-link `{name}` stands twice"),
            ),
        ),
    };
    let help = Text::new("请改名或删除其中一个", "rename or remove one of them");
    diagnostics.error(code, span, text, help);
}
