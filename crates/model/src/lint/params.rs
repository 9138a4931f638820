//! Parameters that nothing uses, and parameters that stand twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Lint, Value, attributes, texts, visit};
use crate::code;
use crate::element::{Attribute, Element};
use crate::param;
use crate::quote::shortened;
use crate::text::Text;

/// Under this name and a parameter's, processes find its value in their environment.
pub(super) const ENVIRONMENT: &str = "AKKAFLOW_PARAM_";

/// Every text of a file is searched, and most hold none: the search is prepared once.
static IN_ENVIRONMENT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(ENVIRONMENT));

/// The elements of the parameter lists.
pub(super) fn listed(root: &Element) -> impl Iterator<Item = &Element> {
    root.elements_named("coordinator")
        .flat_map(|coordinator| coordinator.elements_named("param-list"))
        .flat_map(|list| list.elements_named("param"))
}

/// The name of a parameter in the environment of a process.
pub(super) fn variable(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            '_'
        } else {
            c
        }
    };
    format!(
        "{ENVIRONMENT}{}",
        name.chars().map(letter).collect::<String>()
    )
}

impl Lint<'_> {
    pub(super) fn params(&mut self) {
        let root = self.root;
        if listed(root).next().is_none() {
            return;
        }
        let used = Used::of(root);
        let mut first: BTreeMap<&str, &Attribute> = BTreeMap::new();
        for param in listed(root) {
            let Some(name) = param.attribute("name") else {
                continue;
            };
            let word = name.value.trim();
            if word.is_empty() {
                continue;
            }
            if let Some(earlier) = first.get(word) {
                self.repeated(name, earlier);
                continue;
            }
            first.insert(word, name);
            if !used.holds(word) {
                self.unused(name);
            }
        }
    }

    fn unused(&mut self, name: &Attribute) {
        let found = shortened(&name.value);
        self.warning(
            code::UNUSED_PARAM,
            name.value_span,
            Text::new(
                format!("参数 `{found}` 已定义，但没有任何地方使用"),
                format!("parameter `{found}` is defined, but nothing uses it"),
            ),
            Text::new(
                format!("请用 `${{param:{found}}}` 引用它，或删除它"),
                format!("use it as `${{param:{found}}}`, or remove it"),
            ),
        );
    }

    fn repeated(&mut self, name: &Attribute, earlier: &Attribute) {
        let found = shortened(&name.value);
        if self.left == 0 {
            return;
        }
        let line = self.line(earlier.value_span);
        self.warning(
            code::REPEATED_PARAM,
            name.value_span,
            Text::new(
                format!("参数 `{found}` 已在第{line}行定义，以此处的值为准"),
                format!("parameter `{found}` is defined in line {line} already; this value wins"),
            ),
            Text::new("请删除其中一个，或改名", "remove one of them, or rename it"),
        );
    }
}

/// What a file uses.
struct Used<'a> {
    /// As `${param:x}`, or as `${x}` in a parameter's value.
    names: BTreeSet<&'a str>,
    /// Variables of the environment, by which scripts find parameters.
    variables: BTreeSet<&'a str>,
    /// Words of attributes elsewhere, where expressions name parameters by other means.
    words: BTreeSet<&'a str>,
}

impl<'a> Used<'a> {
    fn of(root: &'a Element) -> Self {
        let mut used = Self {
            names: BTreeSet::new(),
            variables: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        visit(root, &mut |element| {
            for (_, value) in attributes(element) {
                used.take_in(value);
                if element.name == "param" {
                    let bare = param::bare_names(value.text);
                    used.names.extend(bare.into_iter().map(|(_, name)| name));
                } else if value.text.contains("param") {
                    let is_break = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
                    used.words.extend(value.text.split(is_break));
                }
            }
            texts(element).for_each(|value| used.take_in(value));
        });
        used
    }

    fn take_in(&mut self, value: Value<'a>) {
        let references = param::references(value.text).into_iter();
        self.names.extend(references.map(|(_, name)| name));
        for at in IN_ENVIRONMENT.find_iter(value.text.as_bytes()) {
            let rest = &value.text[at..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            self.variables.insert(&rest[..end.unwrap_or(rest.len())]);
        }
    }

    fn holds(&self, name: &str) -> bool {
        self.names.contains(name)
            || self.variables.contains(variable(name).as_str())
            || self.words.contains(name)
    }
}
