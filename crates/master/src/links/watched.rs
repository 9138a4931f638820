//! A file of links, read again whenever it has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use akkaflow_actions::check_link;
use akkaflow_model::diagnostic::Severity;
use akkaflow_model::links::{Link, LinkKey, LinkKind, read_file};
use akkaflow_model::render::{locate_all, render_findings};
use akkaflow_model::text::{Lang, Text};

use super::Listed;

/// The file, and what it held last.
#[derive(Debug)]
pub(super) struct WatchedFile {
    kind: LinkKind,
    pub(super) path: PathBuf,
    known: Mutex<Known>,
}

/// What tells a changed file from an unchanged one.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Debug, Default)]
struct Known {
    stamp: Stamp,
    /// Its links by name; an error for one that has never been right.
    links: BTreeMap<String, Result<Link, Text>>,
    /// That something of it is wrong, no link that has a name.
    problem: Option<Text>,
}

impl WatchedFile {
    pub(super) fn new(kind: LinkKind, path: PathBuf) -> Self {
        Self {
            kind,
            path,
            known: Mutex::default(),
        }
    }

    /// How many links there are; `None` when there has never been a file.
    pub(super) fn count(&self) -> Option<usize> {
        let known = self.known();
        known.stamp.map(|_| known.links.len())
    }

    pub(super) fn get(&self, name: &str) -> Option<Result<Link, Text>> {
        self.known().links.get(name).cloned()
    }

    /// Its links by name, and what is wrong with it as a whole.
    pub(super) fn all(&self) -> Vec<Listed> {
        let known = self.known();
        let listed = |name: &str, link| Listed {
            key: LinkKey {
                kind: self.kind,
                name: name.to_owned(),
            },
            link,
            row: None,
            file: Some(self.path.clone()),
        };
        let links = known.links.iter();
        let links = links.map(|(name, link)| listed(name, link.clone()));
        let problem = known.problem.iter().map(|problem| {
            let name = self.path.file_name().unwrap_or_default();
            listed(&name.to_string_lossy(), Err(problem.clone()))
        });
        links.chain(problem).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().expect("no panic while held");
        let stamp = stamp_of(&self.path);
        if stamp != known.stamp {
            known.stamp = stamp;
            self.read(&mut known);
        }
        known
    }

    /// While the file holds errors, a half-written one perhaps, what it no longer tells stays in force; so does all of one that
    /// is gone.
    fn read(&self, known: &mut Known) {
        let path = self.path.display().to_string();
        let Ok(bytes) = std::fs::read(&self.path) else {
            if !known.links.is_empty() {
                tracing::warn!(
                    path,
                    "cannot read the links file; its last good links stay in force"
                );
            }
            return;
        };
        let read = read_file(self.kind, &bytes, &path, &check_link);
        if !read.diagnostics.is_empty() {
            let findings = locate_all(&read.source, &path, &read.diagnostics);
            tracing::warn!(
                "the links file has problems\n{}",
                render_findings(&findings, Lang::En, false)
            );
        }
        let is_wrong = (read.diagnostics.iter()).any(|it| it.severity == Severity::Error);
        let why = Text::new(
            format!("文件有误，请执行 akka check {path}"),
            format!("the file has errors: akka check {path}"),
        );
        if !is_wrong {
            known.links.clear();
        }
        known.problem = (is_wrong && read.wrong.is_empty()).then(|| why.clone());
        for name in read.wrong {
            known.links.entry(name).or_insert(Err(why.clone()));
        }
        let links = read.links.into_iter();
        (known.links).extend(links.map(|link| (link.name().to_owned(), Ok(link))));
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}
