//! `file_links.xml`: the named file systems that people configure.

use serde::{Deserialize, Serialize};

use crate::code;
use crate::db_links::Secret;
use crate::diagnostic::Diagnostics;
use crate::element::Element;
use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// The link that everybody has without writing it: the worker's own files.
pub const LOCAL: &str = "local";

/// What a remote file system cannot do without.
const NEEDED: [&str; 4] = ["host", "port", "username", "password"];

/// A named file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLink {
    /// Unique among file-links.
    pub name: String,
    /// Which kind.
    pub kind: FileKind,
    /// Where it is; empty for local files.
    pub host: String,
    /// At which port; absent for local files.
    pub port: Option<u16>,
    /// Who connects; empty for local files.
    pub username: String,
    /// With which password; that of the key where there is one.
    pub password: Secret,
    /// A file of the master that holds the private key of whoever connects (SFTP).
    pub key_file: Option<String>,
    /// What it is for.
    pub desc: Option<String>,
}

/// A link with all that a worker needs to use it, as the master knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAccess {
    /// The link.
    pub link: FileLink,
    /// What its [`FileLink::key_file`] holds; empty without one.
    pub private_key: Secret,
    /// The keys of hosts, in the format of OpenSSH's `known_hosts`.
    pub known_hosts: String,
    /// Why it cannot be used; empty when it can.
    pub problem: String,
}

impl FileAccess {
    /// To the worker's own files, which needs nothing.
    pub fn local() -> Self {
        Self {
            link: FileLink::local(),
            private_key: Secret::default(),
            known_hosts: String::new(),
            problem: String::new(),
        }
    }
}

/// Which kind of file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// The worker's own files.
    Local,
    /// HDFS.
    Hdfs,
    /// SFTP.
    Sftp,
}

impl FileKind {
    /// How `type` is spelled in a link file, in any case.
    const SPELLINGS: [(Self, &'static str); 3] = [
        (Self::Local, "LOCAL"),
        (Self::Hdfs, "HDFS"),
        (Self::Sftp, "SFTP"),
    ];

    /// The spellings of `type` in a link file, in any case.
    pub const WORDS: &'static [&'static str] = &{
        let mut words = [""; Self::SPELLINGS.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::SPELLINGS[at].1;
            at += 1;
        }
        words
    };

    /// Reads one of [`FileKind::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let spelled = |(_, spelling): &&(Self, &str)| spelling.eq_ignore_ascii_case(word);
        Self::SPELLINGS.iter().find(spelled).map(|(kind, _)| *kind)
    }

    /// The word that the API and akkaflow's tables show.
    pub fn as_str(self) -> &'static str {
        let spelled = Self::SPELLINGS.iter().find(|(kind, _)| *kind == self);
        spelled.expect("every kind is spelled").1
    }

    /// Whether it is reached over the net, by a host and an account.
    pub fn is_remote(self) -> bool {
        self != Self::Local
    }
}

impl FileLink {
    /// The link called [`LOCAL`] where no file says otherwise.
    pub fn local() -> Self {
        Self {
            name: LOCAL.to_owned(),
            kind: FileKind::Local,
            host: String::new(),
            port: None,
            username: String::new(),
            password: Secret::new(String::new()),
            key_file: None,
            desc: None,
        }
    }
}

/// What `file_links.xml` may hold.
pub fn shape() -> Shape {
    Shape::new("file-links", Text::new("文件连接", "named file systems"))
        .child(link_shape(), 0, None)
        .example(
            r#"
<file-links>
  <link name="lake" type="HDFS" host="namenode.example" port="8020" username="etl" password=""/>
  <link name="partner" type="SFTP" host="sftp.example" port="22" username="etl" password="PASSWORD"/>
  <link name="etl-host" type="SFTP" host="etl.example" port="22" username="etl" key-file="id_ed25519"/>
</file-links>"#,
        )
}

fn link_shape() -> Shape {
    let text = |name, zh: &str, en: &str| {
        AttributeShape::new(name, AttributeKind::Text, Text::new(zh, en))
    };
    let name = Text::new("唯一名称", "its unique name");
    let kind = Text::new("文件系统类型", "which kind of file system");
    Shape::new("link", Text::new("一个文件连接", "a file-link"))
        .attribute(AttributeShape::new("name", AttributeKind::Name, name).required())
        .attribute(
            AttributeShape::new(
                "type",
                AttributeKind::ChoiceIgnoringCase(FileKind::WORDS),
                kind,
            )
            .required(),
        )
        .attribute(text(
            "host",
            "主机（LOCAL可省略）",
            "where it is (not for LOCAL)",
        ))
        // The file that akkaflow brings says port="-1" of LOCAL: only the others have theirs checked.
        .attribute(port(-1))
        .attribute(text(
            "username",
            "用户名（LOCAL可省略）",
            "who connects (not for LOCAL)",
        ))
        .attribute(text(
            "password",
            "密码（LOCAL可省略）；有key-file时为私钥的口令，可省略",
            "the password (not for LOCAL); with key-file that of the key, if it has one",
        ))
        .attribute(text(
            "key-file",
            "SSH私钥文件（SFTP），在master上，相对路径从该配置文件所在目录开始",
            "the file of a private key (SFTP) on the master; a relative path begins at the directory of this file",
        ))
        .attribute(text("desc", "描述", "what it is for"))
}

fn port(min: i64) -> AttributeShape {
    let doc = Text::new(
        "端口，1到65535（LOCAL可省略）",
        "at which port, 1 to 65535 (not for LOCAL)",
    );
    let max = u16::MAX.into();
    AttributeShape::new("port", AttributeKind::Integer { min, max }, doc)
}

pub(crate) fn check_root(root: &Element, file: &str, diagnostics: &mut Diagnostics) {
    if root.name != "file-links" {
        diagnostics.warning(
            code::ROOT_LABEL,
            root.name_span,
            Text::new(
                format!("{file} 的根节点应为 <file-links>"),
                format!("{file} should begin with <file-links>"),
            ),
            None,
        );
    }
    shape().check(root, diagnostics);
}

/// Reads one link that stands in no file.
pub(crate) fn read_one(element: &Element, diagnostics: &mut Diagnostics) -> Option<FileLink> {
    link_shape().check(element, diagnostics);
    read_link(element, diagnostics)
}

/// Reads one of a file whose [`shape`] was checked.
pub(crate) fn read_link(element: &Element, diagnostics: &mut Diagnostics) -> Option<FileLink> {
    // What is wrong with single values is reported by the root's check already.
    let mut unseen = Diagnostics::new();
    let shape = link_shape();
    shape.check(element, &mut unseen);
    if unseen.has_errors() {
        return None;
    }
    let kind = FileKind::from_word(shape.value(element, "type")?)?;
    let missing = NEEDED
        .into_iter()
        .filter(|name| kind.is_remote() && element.attribute(name).is_none())
        .filter(|name| *name != "password" || element.attribute("key-file").is_none());
    let is_port_right = !kind.is_remote() || is_port_right(element, diagnostics);
    let mut is_whole = is_port_right;
    for name in missing {
        is_whole = false;
        missing_attribute(element, kind, name, diagnostics);
    }
    let value = |name: &str| {
        element
            .attribute(name)
            .map_or_else(String::new, |attribute| attribute.value.to_string())
    };
    is_whole.then(|| FileLink {
        name: value("name").trim().to_owned(),
        kind,
        host: value("host").trim().to_owned(),
        port: value("port").trim().parse().ok().filter(|port| *port > 0),
        username: value("username"),
        password: Secret::new(value("password")),
        key_file: Some(value("key-file").trim().to_owned()).filter(|path| !path.is_empty()),
        desc: Some(value("desc")).filter(|desc| !desc.trim().is_empty()),
    })
}

fn is_port_right(element: &Element, diagnostics: &mut Diagnostics) -> bool {
    let port = port(1);
    let Some(attribute) = element.attribute("port") else {
        return true;
    };
    let mut found = Diagnostics::new();
    port.check(attribute, &mut found);
    port.check(attribute, diagnostics);
    !found.has_errors()
}

fn missing_attribute(element: &Element, kind: FileKind, name: &str, diagnostics: &mut Diagnostics) {
    let kind = kind.as_str();
    diagnostics.error(
        code::FILE_LINK_INCOMPLETE,
        element.name_span,
        Text::new(
            format!("节点<link/>未配置{name}属性"),
            format!("<link> needs the attribute `{name}`"),
        ),
        Text::new(
            format!("{kind} 需要host、port、username和password；没有密码时请写 password=\"\""),
            format!("{kind} needs host, port, username and password; write password=\"\" where there is none"),
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::{FileKind, FileLink};
    use crate::links::{Link, LinkKind, LinksFile, read_file};

    const FILE: &str = "config/file_links.xml";

    fn read(text: &str) -> LinksFile {
        read_file(LinkKind::File, text.as_bytes(), FILE, &|_| Ok(()))
    }

    #[test]
    fn the_links_of_akkaflow_users_are_read() {
        let text = r#"<file-links>
          <link name="lake" type="HDFS" host="nn" port="8020" username="u" password="p" desc="湖"/>
          <link name="partner" type="sftp" host=" h " port=" 22 " username="u" password=""/>
          <link name="local" type="LOCAL" host="127.0.0.1" port="22" username="x" password="y"/>
          <link name="here" type="Local"/>
          <link name="keyed" type="SFTP" host="h" port="22" username="u" key-file=" id_rsa "/>
          <link name="as akkaflow brings it" type="LOCAL" host="local" port="-1" username="root" password="root"/>
        </file-links>"#;
        let read = read(text);
        assert_eq!(read.diagnostics, []);
        let links: Vec<FileLink> = read
            .links
            .into_iter()
            .map(|link| match link {
                Link::File(link) => link,
                Link::Db(_) => unreachable!("a file of file-links holds no others"),
            })
            .collect();
        let found: Vec<_> = links
            .iter()
            .map(|link| (link.name.as_str(), link.kind, link.host.as_str(), link.port))
            .collect();
        let expected = [
            ("lake", FileKind::Hdfs, "nn", Some(8020)),
            ("partner", FileKind::Sftp, "h", Some(22)),
            ("local", FileKind::Local, "127.0.0.1", Some(22)),
            ("here", FileKind::Local, "", None),
            ("keyed", FileKind::Sftp, "h", Some(22)),
            ("as akkaflow brings it", FileKind::Local, "local", None),
        ];
        assert_eq!(found, expected);
        assert_eq!(links[0].desc.as_deref(), Some("湖"));
        assert_eq!(links[4].key_file.as_deref(), Some("id_rsa"));
    }

    #[test]
    fn a_wrong_link_does_not_hide_the_others_and_every_mistake_has_its_place() {
        let text = r#"<file-links>
  <link name="a" type="FTP" host="h" port="1" username="u" password="p"/>
  <link name="b" type="SFTP" host="h" port="99999" username="u" password="p"/>
  <link name="c" type="SFTP" host="h"/>
  <link name="d" type="LOCAL"/>
  <link name="d" type="LOCAL"/>
</file-links>"#;
        let read = read(text);
        let names: Vec<&str> = read.links.iter().map(Link::name).collect();
        assert_eq!(names, ["d"]);
        assert_eq!(read.wrong, ["a", "b", "c"]);
        let findings = crate::render::locate_all(&read.source, FILE, &read.diagnostics);
        let found: Vec<(&str, u32)> = findings
            .iter()
            .map(|finding| (finding.code.as_str(), finding.line))
            .collect();
        let expected = [
            ("AF107", 2),
            ("AF105", 3),
            ("AF604", 4),
            ("AF604", 4),
            ("AF604", 4),
            ("AF603", 6),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_said_of_a_line_hides_the_password_on_it() {
        let text = r#"<file-links>
  <link password='TOPSECRET' name="a" typ="SFTP" host="h" port="1" username="u"/>
  <link password="TOPSECRET
</file-links>"#;
        let read = read(text);
        let findings = crate::render::locate_all(&read.source, FILE, &read.diagnostics);
        assert!(findings.iter().any(|finding| finding.line == 2));
        assert!(findings.iter().any(|finding| finding.line == 3));
        for finding in findings {
            assert!(!finding.excerpt.contains("SECRET"), "{finding:?}");
        }
    }

    #[test]
    fn every_kind_has_its_word() {
        for word in FileKind::WORDS {
            let kind = FileKind::from_word(&word.to_lowercase()).unwrap();
            assert_eq!(kind.as_str(), *word);
        }
        assert_eq!(FileLink::local().kind, FileKind::Local);
    }
}
