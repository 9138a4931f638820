//! The db-links that attempts need, read again whenever their file has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use akkaflow_model::db_links::{DbLink, read_with_source};
use akkaflow_model::file_links::read_file_links;
use akkaflow_model::render::{locate_all, render_findings};
use akkaflow_model::text::Lang;

/// The file of the file-links, beside that of the db-links.
const FILE_LINKS: &str = "file_links.xml";

/// The links file and what it held last.
#[derive(Debug)]
pub(crate) struct LinkBook {
    path: PathBuf,
    known: Mutex<Known>,
}

/// What tells a changed file from an unchanged one.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Debug, Default)]
struct Known {
    stamp: Stamp,
    file_links_stamp: Stamp,
    links: BTreeMap<String, DbLink>,
}

impl LinkBook {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::default(),
        }
    }

    /// Reads the file and says where it lies and how many links it holds: a master without its links leads all the same.
    pub(crate) fn announce(&self) {
        let path = self.path.display();
        match self.count() {
            Some(count) => tracing::info!(%path, count, "db-links read"),
            None => tracing::warn!(
                %path,
                "there is no db-links file here: nodes with a db-link will fail when this master leads; put the file there, or name it with --links (key master.links)"
            ),
        }
    }

    /// How many links there are; `None` when there is no file.
    fn count(&self) -> Option<usize> {
        let mut known = self.known.lock().expect("no panic while held");
        self.refresh(&mut known);
        known.stamp.map(|_| known.links.len())
    }

    /// The link called `name`, as the file says it now. A file that cannot be read keeps its last good content.
    pub(crate) fn get(&self, name: &str) -> Option<DbLink> {
        let mut known = self.known.lock().expect("no panic while held");
        self.refresh(&mut known);
        known.links.get(name).cloned()
    }

    /// Reads the file of the file-links, which lies beside that of the db-links, and tells what is wrong with it.
    fn check_file_links(&self, known: &mut Known) {
        let path = self.path.with_file_name(FILE_LINKS);
        let stamp = stamp_of(&path);
        if stamp == known.file_links_stamp {
            return;
        }
        known.file_links_stamp = stamp;
        // Nobody needs the file: local files are there without it.
        let Ok(bytes) = std::fs::read(&path) else {
            return;
        };
        let file = path.display().to_string();
        let read = read_file_links(&bytes, &file);
        if read.diagnostics.is_empty() {
            tracing::info!(path = file, count = read.links.len(), "file-links read");
        } else {
            let findings = locate_all(&read.source, &file, &read.diagnostics);
            tracing::warn!(
                "the file-links file has problems\n{}",
                render_findings(&findings, Lang::En, false)
            );
        }
    }

    fn refresh(&self, known: &mut Known) {
        self.check_file_links(known);
        let stamp = stamp_of(&self.path);
        if stamp == known.stamp {
            return;
        }
        known.stamp = stamp;
        let Ok(bytes) = std::fs::read(&self.path) else {
            tracing::warn!(path = %self.path.display(), "cannot read the db-links file; the last good links stay in force");
            return;
        };
        let file = self.path.display().to_string();
        let (source, links, diagnostics) = read_with_source(&bytes, &file);
        if !diagnostics.is_empty() {
            let findings = locate_all(&source, &file, &diagnostics);
            tracing::warn!(
                "the db-links file has problems\n{}",
                render_findings(&findings, Lang::En, false)
            );
        }
        known.links = links
            .into_iter()
            .map(|link| (link.name.clone(), link))
            .collect();
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_told_from_one_without_links() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db_links.xml");
        let book = LinkBook::new(path.clone());
        assert_eq!(book.count(), None);
        std::fs::write(&path, "<db-links></db-links>").unwrap();
        assert_eq!(book.count(), Some(0));
        let link = r#"<link name="a" type="SQLITE" jdbc-url="jdbc:sqlite:a.db"/>"#;
        std::fs::write(&path, format!("<db-links>{link}</db-links>")).unwrap();
        assert_eq!(book.count(), Some(1));
    }
}
