//! The db-links and file-links that attempts need, read again whenever their files have changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use akkaflow_model::db_links::{DbLink, Secret, read_with_source};
use akkaflow_model::file_links::{FileAccess, FileLink, read_file_links};
use akkaflow_model::render::{locate_all, render_findings};
use akkaflow_model::text::Lang;

/// The file of the file-links, beside that of the db-links.
const FILE_LINKS: &str = "file_links.xml";

/// The file of the keys of hosts, beside them, as `ssh-keyscan` writes it.
const KNOWN_HOSTS: &str = "known_hosts";

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
    file_links: BTreeMap<String, FileLink>,
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

    /// The file-link called `name` with what belongs to it, as the files say it now.
    pub(crate) fn file_access(&self, name: &str) -> Option<FileAccess> {
        let mut known = self.known.lock().expect("no panic while held");
        self.refresh(&mut known);
        let link = known.file_links.get(name).cloned()?;
        let (private_key, problem) = match link.key_file.as_ref().map(|file| self.key(file)) {
            None => (String::new(), String::new()),
            Some(Ok(key)) => (key, String::new()),
            Some(Err(problem)) => (String::new(), problem),
        };
        let known_hosts = std::fs::read_to_string(self.path.with_file_name(KNOWN_HOSTS));
        Some(FileAccess {
            link,
            private_key: Secret::new(private_key),
            // Whoever has no such file has the hosts' keys on the workers.
            known_hosts: known_hosts.unwrap_or_default(),
            problem,
        })
    }

    /// A relative path begins where the link files lie.
    fn key(&self, file: &str) -> Result<String, String> {
        let path = self.path.with_file_name(file);
        std::fs::read_to_string(&path)
            .map_err(|error| format!("key-file {}: {error}", path.display()))
    }

    /// Reads the file of the file-links, which lies beside that of the db-links, and tells what is wrong with it.
    fn check_file_links(&self, known: &mut Known) {
        let path = self.path.with_file_name(FILE_LINKS);
        let stamp = stamp_of(&path);
        if stamp == known.file_links_stamp {
            return;
        }
        known.file_links_stamp = stamp;
        // Nobody needs the file: local files are there without it. One that is gone keeps its last good content.
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
        known.file_links = read
            .links
            .into_iter()
            .map(|link| (link.name.clone(), link))
            .collect();
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

    #[test]
    fn a_file_link_comes_with_its_key_and_the_keys_of_hosts() {
        let directory = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("db_links.xml", "<db-links></db-links>");
        let link = r#"type="SFTP" host="h" port="22" username="u""#;
        write(
            "file_links.xml",
            &format!(
                r#"<file-links><link name="a" {link} key-file="id"/><link name="b" {link} key-file="gone"/><link name="c" {link} password="p"/></file-links>"#
            ),
        );
        write("id", "KEY");
        write("known_hosts", "h ssh-ed25519 AAAA");
        let book = LinkBook::new(directory.path().join("db_links.xml"));
        let a = book.file_access("a").unwrap();
        assert_eq!((a.private_key.reveal(), a.problem.as_str()), ("KEY", ""));
        assert_eq!(a.known_hosts, "h ssh-ed25519 AAAA");
        let b = book.file_access("b").unwrap();
        assert!(b.problem.contains("gone"), "{}", b.problem);
        let c = book.file_access("c").unwrap();
        assert_eq!((c.private_key.reveal(), c.problem.as_str()), ("", ""));
        assert!(book.file_access("d").is_none());
    }
}
