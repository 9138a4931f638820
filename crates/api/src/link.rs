//! Links: named databases and file systems.

use std::collections::BTreeMap;

use akkaflow_model::db_links::Secret;
use akkaflow_model::links::LinkKind;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// A link. Passwords are never given out: stars stand for them, also inside of URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDetail {
    /// `db` or `file`.
    pub kind: LinkKind,
    /// Unique among those of its kind.
    pub name: String,
    /// `MYSQL`, `POSTGRESQL`, `SQLITE`, `ORACLE`, `HIVE`; `LOCAL`, `SFTP`, `HDFS`. `null` when it cannot be read.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Where a database is.
    pub jdbc_url: Option<String>,
    /// Where a file system is.
    pub host: Option<String>,
    /// At which port.
    pub port: Option<u16>,
    /// Who connects.
    pub username: Option<String>,
    /// Stars; empty or `null` where there is none.
    pub password: Option<String>,
    /// A file of the master with the private key of whoever connects.
    pub key_file: Option<String>,
    /// What it is for.
    pub desc: Option<String>,
    /// Further settings.
    pub properties: BTreeMap<String, String>,
    /// The master's file in which its name stands; `null` when it was made by API or command.
    pub file: Option<String>,
    /// When somebody changed it last; `null` when it stands in a file alone.
    pub changed_at: Option<Time>,
    /// Who.
    pub changed_by: Option<String>,
    /// Why it cannot be used, and what to do.
    pub problem: Option<String>,
}

/// What a link shall say. What is left out is not there, or with `PATCH` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutLink {
    /// As in [`LinkDetail::type_name`].
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Where a database is; it may hold a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_url: Option<Secret>,
    /// Where a file system is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// At which port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Who connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// With which password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A file of the master with the private key of whoever connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// Further settings of a database; they may hold passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, Secret>>,
    /// Who asks.
    #[serde(default)]
    pub user: String,
}

/// How one part of a link's test went: a line of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkTestPart {
    /// `connect`, `list`, `read`, `write`, `bulk`, `cancel` or `rename`.
    pub part: String,
    /// Whether it works.
    pub works: bool,
    /// How long it took.
    pub seconds: f64,
    /// How fast it is; why it does not work, and what to do.
    pub said: String,
    /// Who has tried it.
    pub worker: String,
}
