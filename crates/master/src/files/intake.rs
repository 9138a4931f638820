//! Reads files and brings what they say into force. Reading and checking happen beside the core, on as many threads as
//! there are cores; the core gets one definition after the other, without waiting for what is not durable yet.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use akkaflow_actions::Registry;
use akkaflow_engine::{Input, Order, Origin};
use akkaflow_model::check::{
    Outline, is_calendar, is_readable_size, not_regular, reason, too_large, unreadable,
};
use akkaflow_model::code;
use akkaflow_model::command::Rejection;
use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::read::{read_unlinted, read_workflow, version_of_bytes};
use akkaflow_model::record::{FileProblemRow, WorkflowStatus};
use akkaflow_model::render::render_findings;
use akkaflow_model::schedule::Calendar;
use akkaflow_model::text::{Lang, Text};
use akkaflow_model::time::Timestamp;
use akkaflow_model::xml::MAX_BYTES;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::task::spawn_blocking;

use super::scan::{Stamp, dropped_at, look_at, stamp};
use super::told::Told;
use crate::clock::Clock;
use crate::core::{CoreHandle, Gone};

/// Files that one task reads: enough to be worth a thread's waking, few enough for all threads to end together.
const GROUP: usize = 32;
/// More files than this at once are no change that a person makes.
const BULK: usize = 64;
/// Files whose definitions are at the core and not durable yet: one half commits while the next is gathered. Their texts
/// are held meanwhile, some ten megabytes.
const IN_FLIGHT: usize = 1024;

/// Brings the contents of files into force.
pub(crate) struct Intake {
    pub(crate) core: CoreHandle,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<Clock>,
    /// What the log has said already, also in earlier terms.
    pub(crate) told: Arc<Told>,
}

/// A file as it was found.
struct Found {
    path: PathBuf,
    file: String,
    /// Taken before the content: a change in between is seen by the next scan.
    stamp: Option<Stamp>,
    dropped_at: Timestamp,
    bytes: Result<Bytes, Unread>,
}

/// Why there is no content.
enum Unread {
    Gone,
    Why(Text),
}

/// What a file holds, as far as it is worth reading.
enum Bytes {
    All(Vec<u8>),
    /// So many.
    TooMany(u64),
}

/// What a file says.
enum Content {
    Gone,
    /// Just what is in force already.
    Same,
    Wrong {
        bytes: Vec<u8>,
        name: Option<String>,
        findings: Vec<Finding>,
    },
    Good {
        bytes: Vec<u8>,
        good: Box<Good>,
    },
    Calendar {
        bytes: Vec<u8>,
        text: String,
        findings: Vec<Finding>,
    },
}

/// A definition to put in force.
struct Good {
    workflow: Arc<Workflow>,
    /// Not looked for where many files are loaded, nor are the warnings.
    outline: Option<Outline>,
    findings: Vec<Finding>,
}

/// A file and what it says.
struct Read {
    path: PathBuf,
    file: String,
    stamp: Option<Stamp>,
    dropped_at: Timestamp,
    content: Content,
}

impl Intake {
    /// Brings the content of each file into force, or records what is wrong with it. Calls `seen` with each path and its
    /// stamp, which is `None` when the file is gone.
    ///
    /// Beside each path stands whether no file was known there before. With `may_be_known` a file is first compared with what is in force: after a take-over hardly any differs.
    pub(super) async fn take_up(
        self: &Arc<Self>,
        paths: Vec<(PathBuf, bool)>,
        may_be_known: bool,
        mut seen: impl FnMut(PathBuf, Option<Stamp>),
    ) -> Result<(), Gone> {
        self.take_up_once(paths, may_be_known, &mut seen).await?;
        // Files that came second to one that is gone now: nobody will touch them, so they are looked at here. Once: what is
        // refused again has a reason that stays.
        let again = self.core.look(|engine| engine.files_in_waiting()).await?;
        if again.is_empty() {
            return Ok(());
        }
        let again = again.into_iter().map(|path| (PathBuf::from(path), false));
        self.take_up_once(again.collect(), false, &mut seen).await
    }

    async fn take_up_once(
        self: &Arc<Self>,
        paths: Vec<(PathBuf, bool)>,
        may_be_known: bool,
        seen: &mut impl FnMut(PathBuf, Option<Stamp>),
    ) -> Result<(), Gone> {
        // What is legal but surely not meant is looked for where people change files, not when a directory is loaded:
        // that would be a third of the time, and a log that nobody reads. `akka check` says it all.
        let is_bulk = paths.len() > BULK;
        let readers = std::thread::available_parallelism().map_or(2, usize::from);
        let groups: Vec<Vec<(PathBuf, bool)>> = paths.chunks(GROUP).map(<[_]>::to_vec).collect();
        drop(paths);
        let (reader, applier) = (Arc::clone(self), Arc::clone(self));
        let mut done = stream::iter(groups)
            .map(move |group| Arc::clone(&reader).read(group, may_be_known, is_bulk))
            .buffered(readers)
            .map_ok(|group| stream::iter(group.into_iter().map(Ok)))
            .try_flatten()
            .map(move |read| {
                let intake = Arc::clone(&applier);
                async move { intake.apply(read?, is_bulk).await }
            })
            .buffer_unordered(IN_FLIGHT);
        while let Some((path, stamp)) = done.try_next().await? {
            seen(path, stamp);
        }
        Ok(())
    }

    async fn read(
        self: Arc<Self>,
        paths: Vec<(PathBuf, bool)>,
        may_be_known: bool,
        is_bulk: bool,
    ) -> Result<Vec<Read>, Gone> {
        let found = spawn_blocking(move || {
            let find = |(path, is_new)| {
                let found = find(path, is_new);
                let version = match &found.bytes {
                    Ok(Bytes::All(bytes)) if may_be_known => Some(version_of_bytes(bytes)),
                    _ => None,
                };
                (found, version)
            };
            paths.into_iter().map(find).collect::<Vec<_>>()
        });
        let found = found.await.map_err(|_| Gone::NotTaken)?;
        let known = if may_be_known {
            let asked: Vec<_> = found
                .iter()
                .map(|(found, version)| (found.file.clone(), version.clone()))
                .collect();
            self.are_in_force(asked).await?
        } else {
            vec![false; found.len()]
        };
        let registry = Arc::clone(&self.registry);
        let read = spawn_blocking(move || {
            found
                .into_iter()
                .zip(known)
                .map(|((found, _), is_same)| found.read(is_same, is_bulk, &registry))
                .collect()
        });
        read.await.map_err(|_| Gone::NotTaken)
    }

    async fn are_in_force(&self, files: Vec<(String, Option<Version>)>) -> Result<Vec<bool>, Gone> {
        self.core
            .look(move |engine| {
                files
                    .iter()
                    .map(|(file, version)| {
                        version
                            .as_ref()
                            .is_some_and(|version| engine.is_file_in_force(file, version))
                    })
                    .collect()
            })
            .await
    }

    async fn apply(&self, read: Read, is_bulk: bool) -> Result<(PathBuf, Option<Stamp>), Gone> {
        let Read {
            path,
            file,
            stamp,
            dropped_at,
            content,
        } = read;
        match content {
            Content::Same => self.told.forget(&file),
            Content::Gone => {
                tracing::info!(path = file, "file is gone; what it said stays in force");
                self.told.forget(&file);
                self.core.input(Input::FileGone { path: file }).await?;
                return Ok((path, None));
            }
            Content::Wrong {
                bytes,
                name,
                findings,
            } => self.report(&file, &bytes, name, findings).await?,
            Content::Calendar {
                bytes,
                text,
                findings,
            } => self.take_calendar(&file, &bytes, text, &findings).await?,
            Content::Good { bytes, good } => {
                let origin = Origin::File {
                    path: file.clone(),
                    dropped_at,
                };
                self.put(&file, origin, &bytes, *good, is_bulk).await?;
            }
        }
        Ok((path, stamp))
    }

    async fn put(
        &self,
        file: &str,
        origin: Origin,
        bytes: &[u8],
        good: Good,
        is_bulk: bool,
    ) -> Result<(), Gone> {
        let Good {
            workflow,
            outline,
            findings,
        } = good;
        let mut warnings = findings.clone();
        let (name, version) = (workflow.name.clone(), workflow.version.clone());
        let order = Order::PutWorkflow {
            workflow,
            origin,
            findings,
        };
        match self.core.order(order).await? {
            Ok(_) if is_bulk => {
                self.told.forget(file);
                Ok(())
            }
            Ok(_) => {
                if let Some(outline) = outline {
                    warnings.extend(self.core.misfits(file, outline).await?);
                }
                self.warn(file, bytes, &warnings);
                Ok(())
            }
            Err(rejection) if self.is_deleted(&name, &version).await? => {
                self.pass_over(file, bytes, rejection).await
            }
            Err(rejection) => {
                let outline = outline.or_else(|| read_workflow(bytes, &*self.registry).outline);
                let findings = vec![as_finding(file, outline.as_ref(), rejection)];
                self.report(file, bytes, Some(name), findings).await
            }
        }
    }

    async fn take_calendar(
        &self,
        file: &str,
        bytes: &[u8],
        text: String,
        findings: &[Finding],
    ) -> Result<(), Gone> {
        let path = file.to_owned();
        self.core.input(Input::Calendar { path, text }).await?;
        let path = file.to_owned();
        let problem = self
            .core
            .look(move |engine| engine.file_problem(&path).cloned())
            .await?;
        match problem {
            Some(row) => self.say_unusable(file, bytes, &row.findings),
            None => self.warn(file, bytes, findings),
        }
        Ok(())
    }

    /// Says what is legal but surely not meant, once for each content.
    fn warn(&self, file: &str, bytes: &[u8], warnings: &[Finding]) {
        let text = render_findings(warnings, Lang::En, false);
        if text.is_empty() {
            self.told.forget(file);
        } else if self.told.is_news(file, bytes, &text) {
            tracing::warn!(
                path = file,
                "a file is in force; look at what it says\n{text}"
            );
        }
    }

    /// Whether a person has deleted the workflow with just this content.
    async fn is_deleted(&self, name: &str, version: &Version) -> Result<bool, Gone> {
        let (name, version) = (name.to_owned(), version.clone());
        self.core
            .look(move |engine| {
                engine.workflow(&name).is_some_and(|row| {
                    row.status == WorkflowStatus::Deleted && row.version == version
                })
            })
            .await
    }

    /// The file of a deleted workflow waits to be changed or dropped in again: no problem, but nothing that it defined before is in it.
    async fn pass_over(&self, file: &str, bytes: &[u8], why: Rejection) -> Result<(), Gone> {
        if self.told.is_news(file, bytes, &why.text.en) {
            tracing::info!(path = file, "{}", why.text.en);
        }
        let path = file.to_owned();
        self.core.input(Input::FileGone { path }).await
    }

    fn say_unusable(&self, file: &str, bytes: &[u8], findings: &[Finding]) {
        let text = render_findings(findings, Lang::En, false);
        if self.told.is_news(file, bytes, &text) {
            tracing::warn!(
                path = file,
                "a file cannot be used; its last good version, if any, stays in force\n{text}"
            );
        }
    }

    async fn report(
        &self,
        file: &str,
        bytes: &[u8],
        workflow: Option<String>,
        findings: Vec<Finding>,
    ) -> Result<(), Gone> {
        self.say_unusable(file, bytes, &findings);
        let row = FileProblemRow {
            path: file.to_owned(),
            workflow,
            found_at: self.clock.now(),
            findings,
        };
        self.core.input(Input::FileProblem(row)).await
    }
}

fn find(path: PathBuf, is_new: bool) -> Found {
    let meta = look_at(&path);
    let dropped_at = meta
        .as_ref()
        .map_or_else(|_| Timestamp::default(), |meta| dropped_at(meta, is_new));
    let bytes = match &meta {
        Ok(meta) => bytes_of(&path, meta),
        Err(error) => Err(Unread::of(error)),
    };
    Found {
        file: path.display().to_string(),
        stamp: meta.ok().map(|meta| stamp(&meta)),
        dropped_at,
        bytes,
        path,
    }
}

impl Unread {
    /// A file that cannot be looked at is not gone for that.
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            _ => Self::Why(reason(error)),
        }
    }
}

/// The content. Never waits: a pipe would be waited for, a device would never end.
fn bytes_of(path: &Path, meta: &fs::Metadata) -> Result<Bytes, Unread> {
    if meta.is_symlink() {
        // It leads nowhere, or in a circle: the system says which. The file itself is there.
        let why = fs::metadata(path).map_or_else(|error| reason(&error), |_| Text::verbatim(""));
        return Err(Unread::Why(Text::new(
            format!("链接没有指向任何文件：{}", why.zh),
            format!("it is a link that leads nowhere: {}", why.en),
        )));
    }
    if !meta.is_file() {
        return Err(Unread::Why(not_regular()));
    }
    if !is_readable_size(meta.len()) {
        return Ok(Bytes::TooMany(meta.len()));
    }
    // It may grow meanwhile; what is too large is refused by whoever reads it.
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| Unread::of(&error))?;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Unread::of(&error))?;
    Ok(Bytes::All(bytes))
}

impl Found {
    fn read(self, is_same: bool, is_bulk: bool, registry: &Registry) -> Read {
        let content = match self.bytes {
            Ok(_) if is_same => Content::Same,
            Err(Unread::Gone) => Content::Gone,
            Err(Unread::Why(why)) => Content::Wrong {
                bytes: Vec::new(),
                name: None,
                findings: unreadable(&self.file, &why).findings,
            },
            Ok(Bytes::TooMany(size)) => Content::Wrong {
                bytes: size.to_le_bytes().to_vec(),
                name: None,
                findings: too_large(&self.file, size).findings,
            },
            Ok(Bytes::All(bytes)) if is_calendar(&self.path) => {
                let read = Calendar::read(&self.file, &bytes);
                let (text, findings) = (read.text, read.findings);
                match read.calendar {
                    Some(_) => Content::Calendar {
                        bytes,
                        text,
                        findings,
                    },
                    None => Content::Wrong {
                        bytes,
                        name: None,
                        findings,
                    },
                }
            }
            Ok(Bytes::All(bytes)) => {
                let unlinted = is_bulk.then(|| Good::unlinted(&bytes, registry));
                match unlinted.flatten() {
                    Some(good) => Content::Good { bytes, good },
                    None => linted(&self.file, bytes, registry),
                }
            }
        };
        Read {
            path: self.path,
            file: self.file,
            stamp: self.stamp,
            dropped_at: self.dropped_at,
            content,
        }
    }
}

impl Good {
    fn unlinted(bytes: &[u8], registry: &Registry) -> Option<Box<Self>> {
        let workflow = read_unlinted(bytes, None, registry)?;
        Some(Box::new(Self {
            workflow: Arc::new(workflow),
            outline: None,
            findings: Vec::new(),
        }))
    }
}

fn linted(file: &str, bytes: Vec<u8>, registry: &Registry) -> Content {
    let reading = read_workflow(&bytes, registry);
    let findings = reading.findings(file);
    match reading.workflow {
        Some(workflow) => Content::Good {
            bytes,
            good: Box::new(Good {
                workflow: Arc::new(workflow),
                outline: reading.outline,
                findings,
            }),
        },
        None => Content::Wrong {
            bytes,
            name: reading.name,
            findings,
        },
    }
}

/// Why the core does not take a file whose text is good: another one has the name.
fn as_finding(file: &str, outline: Option<&Outline>, rejection: Rejection) -> Finding {
    let place = outline.map(|outline| outline.name_at.clone());
    let (line, column, width) = place
        .as_ref()
        .map_or((1, 1, 1), |place| (place.line, place.column, place.width));
    Finding {
        code: code::DUPLICATE_WORKFLOW.to_owned(),
        severity: Severity::Error,
        file: file.to_owned(),
        line,
        column,
        width,
        excerpt_from: place.as_ref().map_or(0, |place| place.excerpt_from),
        excerpt: place.map(|place| place.excerpt).unwrap_or_default(),
        message: rejection.text,
        help: Some(Text::new(
            "请改名，或删除其中一个文件",
            "rename it, or remove one of the files",
        )),
    }
}
