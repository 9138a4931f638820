//! Where a file of a transfer lies, and how its bytes come and go.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use akkaflow_connectors::{Content, Error, FileSystem, NewFile, Sink, addressed, processor_time};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::file_links::LOCAL;
use akkaflow_model::text::Text;
use tokio_util::task::TaskTracker;

use super::body::warn_useless;
use super::leftovers;
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::files;

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On the machine of a file-link; the worker itself is one of them.
    Link { link: String, path: String },
    /// At an address, like those of the web.
    Address(String),
}

impl Place {
    /// The place of a source.
    pub(super) fn of_source(element: &Element, diagnostics: &mut Diagnostics) -> Self {
        let path = element.text().trim().to_owned();
        if addressed(&path).is_some() {
            let whom = Text::new("网址", "an address of the web");
            warn_useless(element, &["file-link"], &whom, diagnostics);
            return Self::Address(path);
        }
        let link = link(element);
        Self::Link { link, path }
    }

    /// The place of a target; `None` for what cannot be written.
    pub(super) fn of_target(
        element: &Element,
        path: String,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        match addressed(&path) {
            None => {
                let link = link(element);
                return Some(Self::Link { link, path });
            }
            Some(connector) if connector.is_writable() => return Some(Self::Address(path)),
            Some(_) => {}
        }
        let attribute = element.attribute("path");
        diagnostics.error(
            code::TRANSFER_OPTION,
            attribute.map_or(element.name_span, |attribute| attribute.value_span),
            Text::new(
                "网址只能读取，不能写入",
                "addresses of the web can be read, not written",
            ),
            Text::new(
                "请写文件路径；要上传，请在 <http> 节点中进行",
                "write the path of a file; an <http> node can send it",
            ),
        );
        None
    }

    /// The file-link that an attempt must be given.
    pub(super) fn file_link(&self) -> Option<&str> {
        match self {
            Self::Link { link, .. } if link != LOCAL => Some(link),
            _ => None,
        }
    }

    /// The file's bytes, as they come.
    pub(super) async fn content(&self, attempt: &AttemptContext) -> Result<Content, ActionError> {
        let (files, path) = self.files(attempt).await?;
        let mut content = files.content(path, attempt.cancel.clone()).await?;
        if let Some(note) = content.take_note() {
            attempt.log.say(Level::Warn, &note);
        }
        Ok(content)
    }

    /// Where the file comes into being that will replace this one, and what people call it. Once all of `tasks` have ended, nothing
    /// half written is left.
    pub(super) async fn sink(
        &self,
        attempt: &AttemptContext,
        tasks: &TaskTracker,
    ) -> Result<(Box<dyn Sink>, PathBuf), ActionError> {
        let new = NewFile {
            unique: leftovers::unique(attempt),
            stop: attempt.cancel.clone(),
            tasks: tasks.clone(),
        };
        let create = async {
            let (files, path) = self.files(attempt).await?;
            let name = files.name(path).into();
            leftovers::remove(attempt, &*files, path).await;
            Ok((files.create(path, new).await?, name))
        };
        unless_cancelled(attempt, create).await
    }

    /// Removes the file, if there is one.
    pub(super) async fn remove(&self, attempt: &AttemptContext) -> Result<(), ActionError> {
        let remove = async {
            let (files, path) = self.files(attempt).await?;
            Ok((files.name(path), files.remove(path).await))
        };
        let (name, removed) = unless_cancelled(attempt, remove).await?;
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ActionError::Retryable(Text::new(
                    format!("无法删除文件{name}：{error}"),
                    format!("cannot delete {name}: {error}"),
                )))
            }
            _ => Ok(()),
        }
    }

    /// The files among which it lies, and its path there.
    async fn files(
        &self,
        attempt: &AttemptContext,
    ) -> Result<(Arc<dyn FileSystem>, &str), ActionError> {
        match self {
            Self::Link { link, path } => Ok((files::open(attempt, link).await?, path)),
            Self::Address(address) => {
                let connector = addressed(address).expect("it was one when it was read");
                Ok((connector.open(None, &attempt.options()).await?, address))
            }
        }
    }
}

async fn unless_cancelled<T>(
    attempt: &AttemptContext,
    work: impl Future<Output = Result<T, ActionError>>,
) -> Result<T, ActionError> {
    tokio::select! {
        biased;
        () = attempt.cancelled() => Err(ActionError::Cancelled),
        done = work => done,
    }
}

fn link(element: &Element) -> String {
    let link = element.attribute("file-link").map(|link| link.value.trim());
    link.filter(|link| !link.is_empty())
        .unwrap_or(LOCAL)
        .to_owned()
}

/// Work for a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    processor_time::spawn_blocking(work)
        .await
        .expect("reading and writing files does not panic")
}
