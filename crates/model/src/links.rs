//! Links of either kind: what they are called, what people say of them, and what the store keeps.

mod fields;
mod files;
mod masks;
mod missing;
mod stars;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::db_links::DbLink;
use crate::file_links::FileLink;
use crate::text::Text;
use crate::time::Timestamp;

pub use fields::{Fields, LinkEdit, Write};
pub use files::{LinksFile, read_file};
pub use masks::{bare_url, may_hold_password};

/// Which kind of link. Each kind has its own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// A database.
    Db,
    /// A file system.
    File,
}

impl LinkKind {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Db => "db",
            Self::File => "file",
        }
    }

    /// Reads [`LinkKind::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Db, Self::File]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// Which link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    /// Its kind.
    pub kind: LinkKind,
    /// Its name.
    pub name: String,
}

impl LinkKey {
    /// As sentences call it.
    pub fn text(&self) -> Text {
        let name = &self.name;
        match self.kind {
            LinkKind::Db => Text::new(format!("数据库连接[{name}]"), format!("db-link `{name}`")),
            LinkKind::File => Text::new(format!("文件连接[{name}]"), format!("file-link `{name}`")),
        }
    }
}

/// `db/NAME`: what its content is bound to when it is sealed.
impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

/// A link of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// A database.
    Db(DbLink),
    /// A file system.
    File(FileLink),
}

impl Link {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Db(link) => &link.name,
            Self::File(link) => &link.name,
        }
    }
}

/// A link as the store keeps it: only a master that has the key can read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRow {
    /// Which.
    pub key: LinkKey,
    /// Names the key that its content was sealed with.
    pub key_id: String,
    /// Its content.
    pub sealed: Vec<u8>,
    /// When somebody changed it last.
    pub changed_at: Timestamp,
    /// Who; may be empty.
    pub user: String,
}

impl fmt::Debug for LinkRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkRow")
            .field("key", &self.key)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
