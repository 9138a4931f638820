//! `db_links.xml`: the named databases that people configure.

mod account;
mod secret;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::Element;
use crate::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::text::Text;

pub use account::anonymous_user_hint;
pub use secret::Secret;

/// A named database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbLink {
    /// Unique among db-links.
    pub name: String,
    /// Which product.
    pub kind: DbKind,
    /// Where it is, as akkaflow users write it: `jdbc:mysql://host:3306/db?useSSL=false`.
    pub jdbc_url: String,
    /// Who connects; empty for SQLite.
    pub username: String,
    /// With which password; empty for SQLite.
    pub password: Secret,
    /// What it is for.
    pub desc: Option<String>,
    /// Further settings, in order.
    pub properties: Vec<(String, String)>,
}

impl DbLink {
    /// The property that bounds how many attempts of a worker use the link at a time.
    pub const MAX_ATTEMPTS: &'static str = "max-attempts";

    /// The property that says for how many seconds an open connection waits for its next user; 0 closes each at once.
    pub const IDLE_TIMEOUT: &'static str = "idle-timeout";

    /// Properties that bound the use of the link; all others are options of its URL.
    pub const LIMITS: [&'static str; 2] = [Self::MAX_ATTEMPTS, Self::IDLE_TIMEOUT];

    /// How many attempts of a worker may use it at a time; `None` where it does not say.
    ///
    /// # Errors
    /// What is said is no number from 1 on.
    pub fn max_attempts(&self) -> Result<Option<usize>, Text> {
        let count = self.number(Self::MAX_ATTEMPTS, 1)?;
        Ok(count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// How long an open connection waits for its next user before it is closed: a minute where the link does not say.
    ///
    /// # Errors
    /// What is said is no number of seconds.
    pub fn idle_timeout(&self) -> Result<Duration, Text> {
        let seconds = self.number(Self::IDLE_TIMEOUT, 0)?.unwrap_or(60);
        // A day is as good as for ever, and no clock overflows.
        Ok(Duration::from_secs(seconds.min(86_400)))
    }

    /// The number that a property says.
    fn number(&self, property: &str, least: u64) -> Result<Option<u64>, Text> {
        let said = self.properties.iter().find(|(name, _)| name == property);
        let Some((name, value)) = said else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(Text::new(
                format!("属性{name}应为{least}以上的整数，不是`{value}`"),
                format!(
                    "the property {name} must be a whole number from {least} on, not `{value}`"
                ),
            )),
        }
    }
}

/// Which database product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DbKind {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
    /// Oracle.
    Oracle,
    /// Hive, Impala too.
    Hive,
}

impl DbKind {
    /// How `type` is spelled in a link file, in any case: of each the word that is shown comes first.
    const SPELLINGS: [(Self, &'static str); 7] = [
        (Self::Mysql, "MYSQL"),
        (Self::Mysql, "MARIADB"),
        (Self::Postgres, "POSTGRESQL"),
        (Self::Postgres, "POSTGRES"),
        (Self::Sqlite, "SQLITE"),
        (Self::Oracle, "ORACLE"),
        (Self::Hive, "HIVE"),
    ];

    /// The spellings of `type` in a link file, in any case.
    pub const WORDS: &'static [&'static str] = &{
        let mut words = [""; Self::SPELLINGS.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::SPELLINGS[at].1;
            at += 1;
        }
        words
    };

    /// Reads one of [`DbKind::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let spelled = |(_, spelling): &&(Self, &str)| spelling.eq_ignore_ascii_case(word);
        Self::SPELLINGS.iter().find(spelled).map(|(kind, _)| *kind)
    }

    /// The word that the API and akkaflow's tables show.
    pub fn as_str(self) -> &'static str {
        let spelled = Self::SPELLINGS.iter().find(|(kind, _)| *kind == self);
        spelled.expect("every kind is spelled").1
    }

    /// Whether somebody must say who connects: a file asks nobody.
    pub fn has_accounts(self) -> bool {
        self != Self::Sqlite
    }
}

/// What `db_links.xml` may hold.
pub fn shape() -> Shape {
    Shape::new("db-links", Text::new("数据库连接", "named databases")).child(
        whole_link_shape(),
        0,
        None,
    )
}

fn whole_link_shape() -> Shape {
    let property = Shape::new("property", Text::new("一个连接属性", "a setting"))
        .attribute(
            AttributeShape::new(
                "name",
                AttributeKind::NonBlank,
                Text::new("属性名", "its name"),
            )
            .required(),
        )
        .text(TextRule::Optional);
    let properties = Shape::new("properties", Text::new("连接属性", "further settings"))
        .child(property, 0, None);
    link_shape().child(properties, 0, Some(1))
}

fn link_shape() -> Shape {
    let optional = |name, zh: &str, en: &str| {
        AttributeShape::new(name, AttributeKind::Text, Text::new(zh, en))
    };
    Shape::new("link", Text::new("一个数据库连接", "a named database"))
        .attribute(
            AttributeShape::new(
                "name",
                AttributeKind::Name,
                Text::new("唯一名称", "its unique name"),
            )
            .required(),
        )
        .attribute(
            AttributeShape::new(
                "type",
                AttributeKind::ChoiceIgnoringCase(DbKind::WORDS),
                Text::new("数据库类型", "which database product"),
            )
            .required(),
        )
        .attribute(
            AttributeShape::new(
                "jdbc-url",
                AttributeKind::NonBlank,
                Text::new("jdbc地址", "where it is: jdbc:mysql://host:3306/db"),
            )
            .required(),
        )
        .attribute(optional("username", "用户名", "who connects"))
        .attribute(optional("password", "密码", "the password"))
        .attribute(optional("desc", "描述", "what it is for"))
}

pub(crate) fn check_root(root: &Element, file: &str, diagnostics: &mut Diagnostics) {
    if root.name != "db-links" {
        diagnostics.warning(
            code::ROOT_LABEL,
            root.name_span,
            Text::new(
                format!("{file} 的根节点应为 <db-links>"),
                format!("{file} should begin with <db-links>"),
            ),
            None,
        );
    }
    shape().check(root, diagnostics);
}

/// Reads one link that stands in no file.
pub(crate) fn read_one(element: &Element, diagnostics: &mut Diagnostics) -> Option<DbLink> {
    whole_link_shape().check(element, diagnostics);
    read_link(element, diagnostics)
}

/// Reads one of a file whose [`shape`] was checked.
pub(crate) fn read_link(element: &Element, diagnostics: &mut Diagnostics) -> Option<DbLink> {
    let has_account = check_account(element, diagnostics);
    let mut unseen = Diagnostics::new();
    link_shape().open().check(element, &mut unseen);
    if !has_account || unseen.has_errors() {
        return None;
    }
    let value = |name: &str| {
        element
            .attribute(name)
            .map(|attribute| attribute.value.to_string())
    };
    Some(DbLink {
        name: value("name")?.trim().to_owned(),
        kind: DbKind::from_word(&value("type")?)?,
        jdbc_url: value("jdbc-url")?.trim().to_owned(),
        username: value("username").unwrap_or_default(),
        password: Secret::new(value("password").unwrap_or_default()),
        desc: value("desc").filter(|desc| !desc.trim().is_empty()),
        properties: read_properties(element),
    })
}

/// Whether it says who connects, where its type is not known to do without.
fn check_account(element: &Element, diagnostics: &mut Diagnostics) -> bool {
    let kind = element.attribute("type").map(|kind| kind.value.as_str());
    let kind = kind.and_then(DbKind::from_word);
    if kind.is_some_and(|kind| !kind.has_accounts()) {
        return true;
    }
    let missing = ["username", "password"]
        .into_iter()
        .find(|name| element.attribute(name).is_none());
    if let Some(name) = missing {
        missing_credential(element, name, diagnostics);
    }
    missing.is_none()
}

fn read_properties(element: &Element) -> Vec<(String, String)> {
    element
        .elements_named("properties")
        .flat_map(|list| list.elements_named("property"))
        .filter_map(|property| {
            let name = property.attribute("name")?.value.trim().to_owned();
            Some((name, property.text().trim().to_owned()))
        })
        .collect()
}

fn missing_credential(element: &Element, name: &str, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::LINK_CREDENTIALS,
        element.name_span,
        Text::new(
            format!("节点<link/>未配置{name}属性"),
            format!("<link> needs the attribute `{name}`"),
        ),
        Text::new(
            "只有SQLITE可以没有用户名和密码；没有密码时请写 password=\"\"",
            "only SQLITE does without; write password=\"\" where there is none",
        ),
    );
}

#[cfg(test)]
mod tests;
