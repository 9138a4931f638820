use std::collections::BTreeSet;

use akkaflow_model::file_links::FileLink;

use super::*;

#[test]
fn no_two_connectors_serve_the_same() {
    let mut seen = BTreeSet::new();
    for connector in file_connectors() {
        let kind = connector.kind().map(FileKind::as_str);
        let schemes = connector.schemes().iter().copied();
        for name in kind.into_iter().chain(schemes) {
            assert!(seen.insert(name), "{name}");
        }
    }
}

#[test]
fn a_path_is_an_address_by_its_scheme_alone() {
    for (path, is_address) in [
        ("http://h/a.csv", true),
        ("https://h/a.csv", true),
        ("hdfs://h/a.csv", false),
        ("/data/http://h", false),
        ("http:/h", false),
        ("a.csv", false),
    ] {
        assert_eq!(addressed(path).is_some(), is_address, "{path}");
    }
}

#[tokio::test]
async fn a_kind_that_is_only_known_by_name_says_which_there_are() {
    let lake = FileAccess {
        link: FileLink {
            name: "lake".to_owned(),
            kind: FileKind::Hdfs,
            ..FileLink::local()
        },
        ..FileAccess::local()
    };
    let options = Options {
        base_dir: "/".into(),
    };
    let error = open_files(&lake, &options).await.err().unwrap();
    assert_eq!(
        error.text().en,
        "file-link `lake` is of type HDFS, which is not supported by this version; supported: LOCAL, SFTP"
    );
}

#[tokio::test]
async fn what_can_only_be_read_says_so_when_it_is_written() {
    let options = Options {
        base_dir: "/".into(),
    };
    let path = "http://user:hidden@h/a.csv";
    let web = addressed(path).unwrap().open(None, &options).await.unwrap();
    let new = NewFile {
        unique: "1".to_owned(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let error = Arc::clone(&web).create(path, new).await.err().unwrap();
    assert_eq!(error.text().en, "http://h/a.csv can be read, not written");
    let error = web.list("/").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}
