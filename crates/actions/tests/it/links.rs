//! Links that do not work say what to do, and never a password.

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::{DbKind, DbLink, Secret};

use crate::support::{Bench, mysql, postgres};

fn link(kind: DbKind, jdbc_url: &str) -> DbLink {
    DbLink {
        name: "l".to_owned(),
        kind,
        jdbc_url: jdbc_url.to_owned(),
        username: "somebody".to_owned(),
        password: Secret::new("hunter2"),
        desc: None,
        properties: Vec::new(),
    }
}

async fn failure(link: DbLink) -> ActionError {
    let mut bench = Bench::new();
    bench.add(link);
    let error = bench
        .run("<sql db-link='l'>select 1</sql>")
        .await
        .unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    error
}

#[tokio::test]
async fn a_missing_link_says_where_to_configure_it() {
    let words = Bench::new()
        .failure("<sql db-link='nowhere'>select 1</sql>")
        .await;
    assert!(
        words.contains("nowhere") && words.contains("db_links.xml"),
        "{words}"
    );
}

#[tokio::test]
async fn products_of_later_versions_and_wrong_urls_cannot_work_again() {
    for (kind, url, words) in [
        (
            DbKind::Oracle,
            "jdbc:oracle:thin:@h:1521:x",
            "Oracle is not supported by this version",
        ),
        (
            DbKind::Hive,
            "jdbc:hive2://h:10000/d",
            "Hive is not supported by this version",
        ),
        (
            DbKind::Mysql,
            "jdbc:postgresql://h/d",
            "its JDBC URL is of another product",
        ),
        (DbKind::Mysql, "jdbc:mysql:h", "cannot read the JDBC URL"),
    ] {
        match failure(link(kind, url)).await {
            ActionError::Fatal(text) => assert!(text.en.contains(words), "{text:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_unreachable_database_is_named_by_host_and_port() {
    // Bound and never listened on: nobody else can take it, and connecting is refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for (kind, product) in [(DbKind::Mysql, "mysql"), (DbKind::Postgres, "postgresql")] {
        let url = format!("jdbc:{product}://127.0.0.1:{port}/d");
        match failure(link(kind, &url)).await {
            ActionError::Retryable(text) => {
                assert!(
                    text.en.contains(&format!("cannot reach 127.0.0.1:{port}")),
                    "{text:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    match failure(link(DbKind::Sqlite, "jdbc:sqlite:/nowhere/at/all.db")).await {
        ActionError::Retryable(text) => assert!(
            text.en.contains("cannot open /nowhere/at/all.db"),
            "{text:?}"
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("jdbc:mysql://127.0.0.1:{port}/d?connectTimeout=300");
    match failure(link(DbKind::Mysql, &url)).await {
        ActionError::Retryable(text) => {
            let words = format!("cannot reach 127.0.0.1:{port}: no answer within 0.3 s");
            assert!(text.en.contains(&words), "{text:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn wrong_credentials_and_databases_are_refusals() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let wrong_password = DbLink {
            name: "l".to_owned(),
            password: Secret::new("hunter2"),
            ..database.link.clone()
        };
        let wrong_database = DbLink {
            name: "l".to_owned(),
            jdbc_url: format!("{}_not", database.link.jdbc_url),
            ..database.link.clone()
        };
        for link in [wrong_password, wrong_database] {
            match failure(link).await {
                ActionError::Retryable(text) => {
                    assert!(
                        text.en.contains("refuses user") && text.zh.contains("请检查"),
                        "{text:?}"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn options_without_meaning_are_noted() {
    let mut bench = Bench::new();
    bench.add(link(
        DbKind::Sqlite,
        "jdbc:sqlite:relative.db?allowLoadLocalInfile=true",
    ));
    bench
        .run("<sql db-link='l'>create table t(a int)</sql>")
        .await
        .unwrap();
    assert!(
        bench
            .log()
            .contains("option allowLoadLocalInfile of the JDBC URL is ignored")
    );
    assert!(std::path::Path::new(&bench.path("relative.db")).exists());
}
