//! What a test of a link says, against real databases and a real sshd.

use std::path::PathBuf;

use akkaflow_actions::{LinkPart, PartName, TestedLink, test_link};
use akkaflow_connectors::{Options, open_files};
use akkaflow_model::db_links::{DbKind, DbLink, Secret};
use akkaflow_model::file_links::{FileAccess, FileLink};
use tokio::sync::mpsc;

use crate::ssh::ssh;
use crate::support::{mysql, postgres};

const DB_PARTS: [PartName; 5] = [
    PartName::Connect,
    PartName::Read,
    PartName::Write,
    PartName::Bulk,
    PartName::Cancel,
];

async fn test(link: TestedLink, base: PathBuf) -> Vec<LinkPart> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    test_link(&link, base, sender).await;
    let mut parts = Vec::new();
    while let Some(part) = receiver.recv().await {
        parts.push(part);
    }
    let shown = format!("{parts:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    parts
}

fn names(parts: &[LinkPart]) -> Vec<PartName> {
    parts.iter().map(|part| part.name).collect()
}

#[track_caller]
fn assert_all_work(parts: &[LinkPart], names: &[PartName]) {
    assert!(parts.iter().all(|part| part.works), "{parts:?}");
    assert_eq!(self::names(parts), names);
}

fn said(parts: &[LinkPart], name: PartName) -> &str {
    let part = parts.iter().find(|part| part.name == name);
    &part.unwrap().said.en
}

fn sqlite(url: &str) -> DbLink {
    DbLink {
        name: "l".to_owned(),
        kind: DbKind::Sqlite,
        jdbc_url: url.to_owned(),
        username: String::new(),
        password: Secret::new("hunter2"),
        desc: None,
        properties: Vec::new(),
    }
}

#[tokio::test]
async fn every_part_of_a_database_works_and_says_how_fast() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().to_owned();
    let file = sqlite("jdbc:sqlite:t.db");
    let (mysql, postgres) = (mysql().await, postgres().await);
    let mut links = vec![(file, "INSERT in one transaction")];
    links.extend(mysql.iter().map(|it| (it.link.clone(), "LOAD DATA LOCAL")));
    links.extend(postgres.iter().map(|it| (it.link.clone(), "COPY")));
    for (link, bulk) in links {
        let parts = test(TestedLink::Db(link), base.clone()).await;
        assert_all_work(&parts, &DB_PARTS);
        assert!(said(&parts, PartName::Bulk).starts_with(bulk), "{parts:?}");
        for part in [PartName::Read, PartName::Bulk] {
            let said = said(&parts, part);
            assert!(said.contains("100000 rows"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_test_leaves_no_table_behind() {
    let directory = tempfile::tempdir().unwrap();
    let link = sqlite("jdbc:sqlite:t.db");
    let parts = test(TestedLink::Db(link.clone()), directory.path().to_owned()).await;
    assert_all_work(&parts, &DB_PARTS);
    let url = format!("sqlite://{}/t.db", directory.path().display());
    let mut file = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_schema")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn what_does_not_connect_says_why_and_nothing_else_is_tried() {
    let parts = test(
        TestedLink::Db(sqlite("jdbc:sqlite:/nowhere/at/all.db")),
        PathBuf::new(),
    )
    .await;
    assert_eq!(names(&parts), [PartName::Connect]);
    assert!(!parts[0].works);
    assert!(parts[0].said.en.contains("/nowhere/at/all.db"), "{parts:?}");
}

#[tokio::test]
async fn every_part_of_a_file_link_works_and_leaves_nothing_behind() {
    let Some(access) = ssh() else {
        return;
    };
    let parts = test(TestedLink::File(access.clone()), PathBuf::new()).await;
    let expected = [
        PartName::Connect,
        PartName::List,
        PartName::Write,
        PartName::Read,
        PartName::Rename,
    ];
    assert_all_work(&parts, &expected);
    let options = Options {
        base_dir: PathBuf::new(),
    };
    let remote = open_files(&access, &options).await.unwrap();
    let left = remote.list(".").await.unwrap();
    let is_ours = |name: &str| name.contains(".akkaflow-link-test");
    assert!(!left.iter().any(|entry| is_ours(&entry.name)), "{left:?}");
}

#[tokio::test]
async fn a_host_that_is_not_known_is_not_talked_to() {
    let Some(access) = ssh() else {
        return;
    };
    let unknown = FileAccess {
        known_hosts: String::new(),
        ..access
    };
    let parts = test(TestedLink::File(unknown), PathBuf::new()).await;
    assert_eq!(names(&parts), [PartName::Connect]);
    assert!(
        !parts[0].works && parts[0].said.en.contains("known"),
        "{parts:?}"
    );
}

#[tokio::test]
async fn local_files_need_no_connection_and_a_key_that_is_gone_is_said() {
    let local = FileAccess::local();
    let parts = test(TestedLink::File(local.clone()), PathBuf::new()).await;
    assert_all_work(&parts, &[PartName::Connect]);
    let keyed = FileAccess {
        link: FileLink {
            kind: akkaflow_model::file_links::FileKind::Sftp,
            ..FileLink::local()
        },
        problem: "key-file id: gone".to_owned(),
        ..local
    };
    let parts = test(TestedLink::File(keyed), PathBuf::new()).await;
    assert_eq!(
        (parts[0].works, &*parts[0].said.en),
        (false, "key-file id: gone")
    );
}
