//! What the registries hold, and how tests reach it.

use std::path::Path;

use akkaflow_actions::Registry;
use akkaflow_connectors::file_connectors;
use akkaflow_model::file_links::{FileAccess, FileKind};
use akkaflow_model::shape::AttributeKind;

use crate::ssh::ssh;
use crate::support::Bench;
use crate::web::Web;

/// Files of one kind. All of them lie in the directory of the bench, so that what one kind writes another can read.
pub(crate) struct Files {
    pub(crate) name: &'static str,
    pub(crate) is_writable: bool,
    /// The server that they are asked of, where there is one.
    pub(crate) server: Option<String>,
    /// The link that an attempt is given.
    pub(crate) access: Option<FileAccess>,
    /// What stands before the path.
    prefix: String,
    _web: Option<Web>,
}

impl Files {
    /// How a source says that it reads the file called `name`.
    pub(crate) fn source(&self, bench: &Bench, name: &str, format: &str) -> String {
        let (link, path) = (self.link(), self.path(bench, name));
        format!("<source type='FILE' {link} {format}>{path}</source>")
    }

    /// How a target says that it writes it.
    pub(crate) fn target(&self, bench: &Bench, name: &str, format: &str) -> String {
        let (link, path) = (self.link(), self.path(bench, name));
        format!("<target type='FILE' {link} {format} path='{path}'/>")
    }

    fn link(&self) -> String {
        let name = self.access.as_ref().map(|access| &access.link.name);
        name.map_or_else(String::new, |name| format!("file-link='{name}'"))
    }

    fn path(&self, bench: &Bench, name: &str) -> String {
        format!("{}{}", self.prefix, bench.path(name))
    }

    /// The same over another way to the server.
    pub(crate) fn through(&self, port: u16) -> Self {
        let access = self.access.clone().map(|mut access| {
            let key: Vec<&str> = access.known_hosts.split_whitespace().skip(1).collect();
            access.known_hosts = format!("[127.0.0.1]:{port} {} {}\n", key[0], key[1]);
            access.link.host = "127.0.0.1".to_owned();
            access.link.port = Some(port);
            access
        });
        let prefix = match self.prefix.as_str() {
            "" => String::new(),
            _ => format!("http://127.0.0.1:{port}"),
        };
        Self {
            access,
            prefix,
            server: None,
            _web: None,
            ..*self
        }
    }
}

/// Of each kind in the registry that can be had here; `bench` gets their links.
pub(crate) fn all_files(bench: &mut Bench) -> Vec<Files> {
    let mut all = Vec::new();
    for connector in file_connectors() {
        let own = Files {
            name: "local",
            is_writable: connector.is_writable(),
            server: None,
            access: None,
            prefix: String::new(),
            _web: None,
        };
        all.extend(match (connector.kind(), connector.schemes()) {
            (Some(FileKind::Local), []) => Some(own),
            (Some(FileKind::Sftp), []) => ssh().map(|access| {
                let link = &access.link;
                let server = format!("{}:{}", link.host, link.port.unwrap());
                bench.file_links.insert(link.name.clone(), access.clone());
                Files {
                    name: "sftp",
                    server: Some(server),
                    access: Some(access),
                    ..own
                }
            }),
            (None, ["http", "https"]) => {
                let web = Web::serving(Path::new("/"));
                Some(Files {
                    name: "http",
                    server: web.url.strip_prefix("http://").map(str::to_owned),
                    prefix: web.url.clone(),
                    _web: Some(web),
                    ..own
                })
            }
            (kind, schemes) => {
                panic!("no test reaches files of {kind:?} {schemes:?}: say here how")
            }
        });
    }
    all
}

/// A format of files, and whether every value survives it.
pub(crate) struct Format {
    pub(crate) word: &'static str,
    pub(crate) attributes: &'static str,
    pub(crate) is_exact: bool,
}

/// Each format that can be written.
pub(crate) fn written_formats() -> Vec<Format> {
    let registry = Registry::builtin();
    let transfer = registry.shape("transfer").unwrap();
    let mut children = transfer.children.iter();
    let target = children.find(|it| it.shape.tag == "target").unwrap();
    let format = target.shape.attribute_named("format").unwrap();
    let AttributeKind::Choice(words) = format.kind else {
        panic!("the formats are no choice any more");
    };
    let known = words.iter().filter_map(|word| {
        let (attributes, is_exact) = match *word {
            "text" => ("delimited='\\u0001'", false),
            "csv" => ("format='csv'", true),
            "jsonl" => ("format='jsonl'", true),
            "parquet" => ("format='parquet'", true),
            // To be read only.
            "xlsx" => return None,
            other => panic!("no test writes {other}: say here how"),
        };
        Some(Format {
            word,
            attributes,
            is_exact,
        })
    });
    known.collect()
}
