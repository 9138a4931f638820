//! Where a file of a transfer lies, and how its bytes come and go.

use std::future::Future;
use std::io;
use std::path::PathBuf;

use akkaflow_connectors::{Content, Error, LocalSink, Remote, Sink, Ssh};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::file_links::{FileAccess, FileKind, LOCAL};
use akkaflow_model::text::Text;
use tokio_util::task::TaskTracker;

use super::body::warn_useless;
use super::web;
use crate::context::AttemptContext;
use crate::error::ActionError;

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On the machine of a file-link; the worker itself is one of them.
    Link { link: String, path: String },
    /// At an address of the web, to be read only.
    Web(String),
}

/// A place, now that its file-link is known.
enum Found<'a> {
    Local(PathBuf),
    Remote {
        access: &'a FileAccess,
        path: &'a str,
    },
    Web(&'a str),
}

impl Place {
    /// The place of a source.
    pub(super) fn of_source(element: &Element, diagnostics: &mut Diagnostics) -> Self {
        let path = element.text().trim().to_owned();
        if is_address(&path) {
            let whom = Text::new("网址", "an address of the web");
            warn_useless(element, &["file-link"], &whom, diagnostics);
            return Self::Web(path);
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
        if !is_address(&path) {
            let link = link(element);
            return Some(Self::Link { link, path });
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
        match self.found(attempt)? {
            Found::Local(path) => Ok(blocking(move || Content::local(&path)).await?),
            Found::Remote { access, path } => {
                let name = name(access, path);
                let stop = attempt.cancel.clone();
                Ok(remote(access).await?.content(path, &name, stop).await?)
            }
            Found::Web(address) => web::content(attempt, address).await,
        }
    }

    /// Where the file comes into being that will replace this one, and what people call it. Once all of `tasks` have ended, nothing
    /// half written is left.
    pub(super) async fn sink(
        &self,
        attempt: &AttemptContext,
        tasks: &TaskTracker,
    ) -> Result<(Box<dyn Sink>, PathBuf), ActionError> {
        let unique = format!(
            "{}-{}-{}",
            attempt.key.instance.short(),
            attempt.key.run,
            attempt.key.attempt
        );
        match self.found(attempt)? {
            Found::Local(path) => {
                let at = path.clone();
                let sink = blocking(move || LocalSink::create(&at, &unique)).await?;
                Ok((Box::new(sink), path))
            }
            Found::Remote { access, path } => {
                let name = name(access, path);
                let stop = attempt.cancel.clone();
                let create = async {
                    let remote = remote(access).await?;
                    remote.create(path, &name, &unique, stop, tasks).await
                };
                let sink = unless_cancelled(attempt, create).await?;
                Ok((Box::new(sink), name.into()))
            }
            Found::Web(_) => unreachable!("a target at an address is refused at the check"),
        }
    }

    /// Removes the file, if there is one.
    pub(super) async fn remove(&self, attempt: &AttemptContext) -> Result<(), ActionError> {
        let (name, removed) = match self.found(attempt)? {
            Found::Local(path) => {
                let removed = tokio::fs::remove_file(&path).await;
                (path.display().to_string(), removed)
            }
            Found::Remote { access, path } => {
                let remove = async { Ok(remote(access).await?.remove(path).await) };
                let removed = unless_cancelled(attempt, remove).await?;
                (name(access, path), removed)
            }
            Found::Web(_) => return Ok(()),
        };
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

    fn found<'a>(&'a self, attempt: &'a AttemptContext) -> Result<Found<'a>, ActionError> {
        let (link, path) = match self {
            Self::Web(address) => return Ok(Found::Web(address)),
            Self::Link { link, path } => (link, path),
        };
        if link != LOCAL {
            let access = attempt.file_link(link)?;
            if access.link.kind != FileKind::Local {
                return Ok(Found::Remote { access, path });
            }
        }
        Ok(Found::Local(attempt.base_directory.join(path)))
    }
}

async fn unless_cancelled<T>(
    attempt: &AttemptContext,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, ActionError> {
    tokio::select! {
        biased;
        () = attempt.cancelled() => Err(ActionError::Cancelled),
        done = work => Ok(done?),
    }
}

/// The files of another machine.
async fn remote(access: &FileAccess) -> Result<Remote, Error> {
    Remote::open(Ssh::open(access).await?).await
}

/// What people call a file of another machine.
fn name(access: &FileAccess, path: &str) -> String {
    format!("{}:{path}", access.link.name)
}

fn link(element: &Element) -> String {
    let link = element.attribute("file-link").map(|link| link.value.trim());
    link.filter(|link| !link.is_empty())
        .unwrap_or(LOCAL)
        .to_owned()
}

fn is_address(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// Work for a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("reading and writing files does not panic")
}
