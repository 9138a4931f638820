//! The db-links and file-links that attempts need: those of the files, read again whenever they have changed, and those that
//! the store keeps. A name that stands in a file is the file's.

pub(crate) mod key;
mod stored;
mod watched;

use std::path::PathBuf;

use akkaflow_model::db_links::Secret;
use akkaflow_model::file_links::{FileAccess, FileLink};
use akkaflow_model::links::{Link, LinkKey, LinkKind, LinkRow};
use akkaflow_model::text::Text;

use self::key::KeyFile;
pub(crate) use self::stored::StoredLinks;
use self::watched::WatchedFile;

/// The file of the file-links, beside that of the db-links.
const FILE_LINKS: &str = "file_links.xml";

/// The file of the keys of hosts, beside them, as `ssh-keyscan` writes it.
const KNOWN_HOSTS: &str = "known_hosts";

/// The key of the links in the store, beside them where nobody names another place.
const KEY_FILE: &str = "links.key";

/// The files of links, and the links in the store.
#[derive(Debug)]
pub(crate) struct LinkBook {
    db_links: WatchedFile,
    file_links: WatchedFile,
    key_file: PathBuf,
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

impl LinkBook {
    /// `path`: the file of the db-links; `key_file`: where the key of the links in the store lies, beside the files when it is
    /// empty; `makes_key`: whether it may be made.
    pub(crate) fn new(path: PathBuf, key_file: PathBuf, makes_key: bool) -> Self {
        let key_file = match key_file.as_os_str().is_empty() {
            true => path.with_file_name(KEY_FILE),
            false => key_file,
        };
        let file_links = path.with_file_name(FILE_LINKS);
        Self {
            db_links: WatchedFile::new(LinkKind::Db, path),
            file_links: WatchedFile::new(LinkKind::File, file_links),
            key_file: key_file.clone(),
            stored: StoredLinks::new(KeyFile::new(key_file, makes_key)),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Reads the files and says where they lie and how many links they hold: a master without its links leads all the same.
    pub(crate) fn announce(&self) {
        let path = self.db_links.path.display();
        match self.db_links.count() {
            Some(count) => tracing::info!(%path, count, "db-links read"),
            None => tracing::info!(
                %path,
                "there is no db-links file here: db-links are those of the database (akka link); put a file there for others, or name it with --links (key master.links)"
            ),
        }
        // Nobody needs the other one: local files are there without it.
        if let Some(count) = self.file_links.count() {
            let path = self.file_links.path.display();
            tracing::info!(%path, count, "file-links read");
        }
    }

    fn file(&self, kind: LinkKind) -> &WatchedFile {
        match kind {
            LinkKind::Db => &self.db_links,
            LinkKind::File => &self.file_links,
        }
    }

    /// The file in which the name of a link stands.
    pub(crate) fn file_of(&self, key: &LinkKey) -> Option<PathBuf> {
        let file = self.file(key.kind);
        file.get(&key.name).map(|_| file.path.clone())
    }

    /// A link, as the files or else the store say it now; an error says why it cannot be used. A file that cannot be read
    /// keeps its last good content.
    pub(crate) fn get(&self, key: &LinkKey) -> Option<Result<Link, Text>> {
        let in_file = self.file(key.kind).get(&key.name);
        in_file.or_else(|| self.stored.get(key))
    }

    /// All links: those of the files, then those of the store.
    pub(crate) fn all(&self) -> Vec<Listed> {
        let mut listed = self.db_links.all();
        listed.extend(self.file_links.all());
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

    /// The files that hold secrets: those of links, the key, and the private keys that links name.
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let mut old_key = self.key_file.clone().into_os_string();
        old_key.push(".old");
        let links = [&self.db_links.path, &self.file_links.path].map(Clone::clone);
        let private_keys = self
            .all()
            .into_iter()
            .filter_map(|listed| match listed.link {
                Ok(Link::File(link)) => Some(self.file_links.path.with_file_name(link.key_file?)),
                _ => None,
            });
        let private_keys = private_keys.collect();
        [
            links.to_vec(),
            vec![self.key_file.clone(), old_key.into()],
            private_keys,
        ]
        .concat()
    }

    /// A file-link with what belongs to it, as the files say it now.
    pub(crate) fn access(&self, link: FileLink) -> FileAccess {
        let (private_key, problem) = match link.key_file.as_ref().map(|file| self.key(file)) {
            None => (String::new(), String::new()),
            Some(Ok(key)) => (key, String::new()),
            Some(Err(problem)) => (String::new(), problem),
        };
        let known_hosts = std::fs::read_to_string(self.file_links.path.with_file_name(KNOWN_HOSTS));
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
        let path = self.file_links.path.with_file_name(file);
        std::fs::read_to_string(&path)
            .map_err(|error| format!("key-file {}: {error}", path.display()))
    }
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
        assert_eq!(book.db_links.count(), None);
        std::fs::write(&path, "<db-links></db-links>").unwrap();
        assert_eq!(book.db_links.count(), Some(0));
        let link = r#"<link name="a" type="SQLITE" jdbc-url="jdbc:sqlite:a.db"/>"#;
        std::fs::write(&path, format!("<db-links>{link}</db-links>")).unwrap();
        assert_eq!(book.db_links.count(), Some(1));
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
            assert_eq!(book.db_links.count(), Some(count), "{text}");
        }
    }

    #[test]
    fn a_name_that_stands_wrong_in_a_file_is_the_file_s_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db_links.xml");
        let wrong = r#"<link name="dw" type="MYSQL" jdbc-url="jdbc:mysql://h/dw" username="u"/>"#;
        std::fs::write(&path, format!("<db-links>{wrong}</db-links>")).unwrap();
        let book = LinkBook::new(path.clone(), PathBuf::new(), false);
        let key = |name: &str| LinkKey {
            kind: LinkKind::Db,
            name: name.to_owned(),
        };
        let said = book.get(&key("dw")).unwrap().unwrap_err();
        assert!(said.en.contains("akka check"), "{}", said.en);
        assert_eq!(book.file_of(&key("dw")), Some(path.clone()));
        assert!(book.get(&key("other")).is_none());
        let [listed] = book.all().try_into().unwrap();
        assert_eq!((listed.key.name.as_str(), listed.link), ("dw", Err(said)));
        std::fs::write(&path, "<db-links").unwrap();
        let names: Vec<String> = book.all().into_iter().map(|it| it.key.name).collect();
        assert_eq!(names, ["dw", "db_links.xml"], "it is wrong as a whole");
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
