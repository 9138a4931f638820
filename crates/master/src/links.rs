//! The db-links and file-links that attempts need: those of the files, read again whenever they have changed, and those that
//! the store keeps. A name that stands in a file is the file's.

pub(crate) mod key;
mod stored;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use akkaflow_model::db_links::{DbLink, Secret, read_with_source};
use akkaflow_model::diagnostic::{Diagnostic, Severity};
use akkaflow_model::file_links::{FileAccess, FileLink, read_file_links};
use akkaflow_model::links::{Link, LinkKey, LinkKind, LinkRow};
use akkaflow_model::render::{locate_all, render_findings};
use akkaflow_model::text::{Lang, Text};

use self::key::KeyFile;
pub(crate) use self::stored::StoredLinks;

/// The file of the file-links, beside that of the db-links.
const FILE_LINKS: &str = "file_links.xml";

/// The file of the keys of hosts, beside them, as `ssh-keyscan` writes it.
const KNOWN_HOSTS: &str = "known_hosts";

/// The key of the links in the store, beside them where nobody names another place.
const KEY_FILE: &str = "links.key";

/// The links file and what it held last, and the links in the store.
#[derive(Debug)]
pub(crate) struct LinkBook {
    path: PathBuf,
    known: Mutex<Known>,
    pub(crate) stored: StoredLinks,
    /// Held by whoever changes a link in the store, from the look at what is there until the change is durable.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// A link as people see it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) key: LinkKey,
    /// What it says; an error says why that cannot be read.
    pub(crate) link: Result<Link, Text>,
    /// The row of one in the store.
    pub(crate) row: Option<LinkRow>,
    /// The file in which its name stands.
    pub(crate) file: Option<PathBuf>,
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
    /// `key_file`: where the key of the links in the store lies, beside the files when it is empty; `makes_key`: whether it
    /// may be made.
    pub(crate) fn new(path: PathBuf, key_file: PathBuf, makes_key: bool) -> Self {
        let key_file = match key_file.as_os_str().is_empty() {
            true => path.with_file_name(KEY_FILE),
            false => key_file,
        };
        Self {
            path,
            known: Mutex::default(),
            stored: StoredLinks::new(KeyFile::new(key_file, makes_key)),
            changing: tokio::sync::Mutex::default(),
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

    /// The file in which the name of a link stands.
    pub(crate) fn file_of(&self, key: &LinkKey) -> Option<PathBuf> {
        let mut known = self.known.lock().expect("no panic while held");
        self.refresh(&mut known);
        match key.kind {
            LinkKind::Db if known.links.contains_key(&key.name) => Some(self.path.clone()),
            LinkKind::File if known.file_links.contains_key(&key.name) => {
                Some(self.path.with_file_name(FILE_LINKS))
            }
            LinkKind::Db | LinkKind::File => None,
        }
    }

    /// A link, as the files or else the store say it now; an error says why it cannot be opened. A file that cannot be read
    /// keeps its last good content.
    pub(crate) fn get(&self, key: &LinkKey) -> Option<Result<Link, Text>> {
        let in_file = {
            let mut known = self.known.lock().expect("no panic while held");
            self.refresh(&mut known);
            match key.kind {
                LinkKind::Db => known.links.get(&key.name).cloned().map(Link::Db),
                LinkKind::File => known.file_links.get(&key.name).cloned().map(Link::File),
            }
        };
        in_file.map(Ok).or_else(|| self.stored.get(key))
    }

    /// All links: those of the files, then those of the store.
    pub(crate) fn all(&self) -> Vec<Listed> {
        let mut listed = {
            let mut known = self.known.lock().expect("no panic while held");
            self.refresh(&mut known);
            let listed = |kind, name: &str, link, file| Listed {
                key: LinkKey {
                    kind,
                    name: name.to_owned(),
                },
                link: Ok(link),
                row: None,
                file: Some(file),
            };
            let db = (known.links.iter()).map(|(name, link)| {
                listed(
                    LinkKind::Db,
                    name,
                    Link::Db(link.clone()),
                    self.path.clone(),
                )
            });
            let file_links = self.path.with_file_name(FILE_LINKS);
            let file = (known.file_links.iter()).map(|(name, link)| {
                listed(
                    LinkKind::File,
                    name,
                    Link::File(link.clone()),
                    file_links.clone(),
                )
            });
            db.chain(file).collect::<Vec<_>>()
        };
        for (row, link) in self.stored.all() {
            listed.push(Listed {
                key: row.key.clone(),
                link,
                file: self.file_of(&row.key),
                row: Some(row),
            });
        }
        listed
    }

    /// A file-link with what belongs to it, as the files say it now.
    pub(crate) fn access(&self, link: FileLink) -> FileAccess {
        let (private_key, problem) = match link.key_file.as_ref().map(|file| self.key(file)) {
            None => (String::new(), String::new()),
            Some(Ok(key)) => (key, String::new()),
            Some(Err(problem)) => (String::new(), problem),
        };
        let known_hosts = std::fs::read_to_string(self.path.with_file_name(KNOWN_HOSTS));
        FileAccess {
            link,
            private_key: Secret::new(private_key),
            // Whoever has no such file has the hosts' keys on the workers.
            known_hosts: known_hosts.unwrap_or_default(),
            problem,
        }
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
        let links = read.links.into_iter();
        let links = links.map(|link| (link.name.clone(), link)).collect();
        take_over(&mut known.file_links, links, &read.diagnostics);
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
        let links = links.into_iter();
        let links = links.map(|link| (link.name.clone(), link)).collect();
        take_over(&mut known.links, links, &diagnostics);
    }
}

/// Replaces what was known of a file. While it holds errors, a half-written one perhaps, what it no longer tells stays in force.
fn take_over<T>(
    known: &mut BTreeMap<String, T>,
    links: BTreeMap<String, T>,
    diagnostics: &[Diagnostic],
) {
    if !diagnostics.iter().any(|it| it.severity == Severity::Error) {
        known.clear();
    }
    known.extend(links);
}

fn stamp_of(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_key(name: &str) -> LinkKey {
        LinkKey {
            kind: LinkKind::File,
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_from_one_without_links() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db_links.xml");
        let book = LinkBook::new(path.clone(), PathBuf::new(), false);
        assert_eq!(book.count(), None);
        std::fs::write(&path, "<db-links></db-links>").unwrap();
        assert_eq!(book.count(), Some(0));
        let link = r#"<link name="a" type="SQLITE" jdbc-url="jdbc:sqlite:a.db"/>"#;
        std::fs::write(&path, format!("<db-links>{link}</db-links>")).unwrap();
        assert_eq!(book.count(), Some(1));
    }

    #[test]
    fn what_a_broken_file_no_longer_tells_stays_until_it_is_mended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db_links.xml");
        let book = LinkBook::new(path.clone(), PathBuf::new(), false);
        let link = |name: &str, kind: &str| {
            format!(r#"<link name="{name}" type="{kind}" jdbc-url="jdbc:sqlite:a.db"/>"#)
        };
        let (a, b) = (link("a", "SQLITE"), link("b", "SQLITE"));
        for (text, count) in [
            (format!("<db-links>{a}{b}</db-links>"), 2),
            ("<db-links><link name=\"a\"".to_owned(), 2),
            (
                format!("<db-links>{}{a}</db-links>", link("b", "SQLTIE")),
                2,
            ),
            (format!("<db-links>{a}</db-links>"), 1),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(book.count(), Some(count), "{text}");
        }
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
        let path = directory.path().join("db_links.xml");
        let book = LinkBook::new(path, PathBuf::new(), false);
        let access = |name: &str| match book.get(&file_key(name))? {
            Ok(Link::File(link)) => Some(book.access(link)),
            other => panic!("{other:?}"),
        };
        let a = access("a").unwrap();
        assert_eq!((a.private_key.reveal(), a.problem.as_str()), ("KEY", ""));
        assert_eq!(a.known_hosts, "h ssh-ed25519 AAAA");
        let b = access("b").unwrap();
        assert!(b.problem.contains("gone"), "{}", b.problem);
        let c = access("c").unwrap();
        assert_eq!((c.private_key.reveal(), c.problem.as_str()), ("", ""));
        assert!(access("d").is_none());
    }
}
