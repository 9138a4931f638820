//! What an attempt is given.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use akkaflow_connectors::{Options, Pool};
use akkaflow_model::db_links::DbLink;
use akkaflow_model::file_links::FileAccess;
use akkaflow_model::id::AttemptKey;
use akkaflow_model::links::{LinkKey, LinkKind};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::error::ActionError;
use crate::meter::Meter;

/// Everything that an attempt is given.
#[derive(Debug, Clone)]
pub struct AttemptContext {
    /// Which attempt.
    pub key: AttemptKey,
    /// The workflow's name.
    pub workflow: String,
    /// What the workflow is for, empty where it does not say.
    pub desc: String,
    /// The instance's parameters; also in the environment of processes as `AKKAFLOW_PARAM_<name>`.
    pub params: Vec<(String, String)>,
    /// The instance's fire time.
    pub fire_time: Timestamp,
    /// A private, empty directory that is removed after the attempt.
    pub directory: PathBuf,
    /// Where relative paths in the URLs of db-links start: the data directory of a standalone server, else the worker's.
    pub base_directory: PathBuf,
    /// The links that the master sent, by name. One that is missing is not configured there.
    pub links: BTreeMap<String, DbLink>,
    /// The same for file-links; the worker's own files need none.
    pub file_links: BTreeMap<String, FileAccess>,
    /// Links that are configured, but that the master cannot read: why.
    pub unusable_links: BTreeMap<LinkKey, Text>,
    /// Open sessions of the worker's earlier attempts.
    pub sessions: Pool,
    /// Where the action reports to the instance's log.
    pub log: LogSink,
    /// Fires when the attempt must stop.
    pub cancel: CancellationToken,
    /// The outputs that the node declares.
    pub outputs: Vec<String>,
    /// Where the action says what it used and measured, however it ends.
    pub meter: Meter,
}

impl AttemptContext {
    /// Returns once the attempt must stop.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// What connecting needs beside a link.
    pub(crate) fn options(&self) -> Options {
        Options {
            base_dir: self.base_directory.clone(),
        }
    }

    /// Those of some values that the node declares as its outputs.
    pub(crate) fn declared(&self, values: Vec<(String, String)>) -> Vec<(String, String)> {
        values
            .into_iter()
            .filter(|(name, _)| self.outputs.contains(name))
            .collect()
    }

    /// The link called `name`.
    ///
    /// # Errors
    /// [`ActionError::Retryable`] saying where to configure it.
    pub fn link(&self, name: &str) -> Result<&DbLink, ActionError> {
        self.links.get(name).ok_or_else(|| {
            self.unusable(LinkKind::Db, name).unwrap_or_else(|| ActionError::Retryable(Text::new(
                format!("数据库连接[{name}]未配置，请在所有master共用的config/db_links.xml中添加，或执行akka link add"),
                format!("db-link `{name}` is not configured; add it to config/db_links.xml, which all masters share, or with akka link add"),
            )))
        })
    }
}

impl AttemptContext {
    /// The file-link called `name`.
    ///
    /// # Errors
    /// [`ActionError::Retryable`] saying where to configure it, or what is wrong with it.
    pub fn file_link(&self, name: &str) -> Result<&FileAccess, ActionError> {
        let access = self.file_links.get(name).ok_or_else(|| {
            self.unusable(LinkKind::File, name).unwrap_or_else(|| ActionError::Retryable(Text::new(
                format!("文件连接[{name}]未配置，请在所有master共用的config/file_links.xml中添加，或执行akka link add"),
                format!("file-link `{name}` is not configured; add it to config/file_links.xml, which all masters share, or with akka link add"),
            )))
        })?;
        if access.problem.is_empty() {
            return Ok(access);
        }
        let why = &access.problem;
        Err(ActionError::Retryable(Text::new(
            format!("文件连接[{name}]不可用：{why}"),
            format!("file-link `{name}` cannot be used: {why}"),
        )))
    }

    /// Why a link that is configured cannot be used.
    fn unusable(&self, kind: LinkKind, name: &str) -> Option<ActionError> {
        let name = name.to_owned();
        let key = LinkKey { kind, name };
        let why = self.unusable_links.get(&key)?;
        let name = key.text();
        Some(ActionError::Retryable(Text::new(
            format!("{}不可用：{}", name.zh, why.zh),
            format!("{} cannot be used: {}", name.en, why.en),
        )))
    }
}

/// How people see a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As planned.
    Info,
    /// Worth a look.
    Warn,
    /// Went wrong.
    Error,
}

type WriteLine = dyn Fn(Level, &str) + Send + Sync;

/// Takes lines for the instance's log; never blocks for long.
#[derive(Clone)]
pub struct LogSink(Arc<WriteLine>);

impl LogSink {
    /// A sink that hands each line to `write`.
    pub fn new(write: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// Reports a line as it is: what a program or a database said.
    pub fn line(&self, level: Level, line: &str) {
        (self.0)(level, &Text::verbatim(line).to_line());
    }

    /// Reports a sentence; each reader of the log gets their language.
    pub fn say(&self, level: Level, text: &Text) {
        (self.0)(level, &text.to_line());
    }

    /// Reports a sentence as planned.
    pub(crate) fn both(&self, zh: impl fmt::Display, en: impl fmt::Display) {
        self.say(Level::Info, &Text::new(zh.to_string(), en.to_string()));
    }

    /// Reports as planned.
    pub fn info(&self, line: impl AsRef<str>) {
        self.line(Level::Info, line.as_ref());
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}
