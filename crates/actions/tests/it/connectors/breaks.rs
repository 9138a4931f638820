//! Connections that break in mid-stream, each kind of them at each end: nothing half written is left, and an attempt that waits for a server that
//! says nothing more is cancelled.

use std::time::{Duration, Instant};

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::DbLink;

use super::ends::{Files, all_files};
use super::proxy::{Fault, Proxy};
use crate::support::{Bench, Database, databases, row, wait_until_alone};

/// Far above the two seconds promised: machines that test are busy.
const LIMIT: Duration = Duration::from_secs(10);

/// Some megabytes of them, far more than is on its way at a time.
const ROWS: u32 = 40_000;

/// An end of a transfer.
#[derive(Clone, Copy)]
enum End<'a> {
    Database(&'a Database),
    Files(&'a Files),
}

impl End<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Database(database) => database.name(),
            Self::Files(files) => files.name,
        }
    }

    /// The server that it is reached by; `None` where nothing can break.
    fn server(&self) -> Option<String> {
        match self {
            Self::Database(database) => address(&database.link).map(str::to_owned),
            Self::Files(files) => files.server.clone(),
        }
    }

    fn is_writable(&self) -> bool {
        match self {
            Self::Database(_) => true,
            Self::Files(files) => files.is_writable,
        }
    }
}

/// Host and port in a URL.
fn address(link: &DbLink) -> Option<&str> {
    let (_, rest) = link.jdbc_url.split_once("//")?;
    rest.split('/').next()
}

/// Rows stand in each database and in a file, old ones in each target.
struct Place {
    databases: Vec<Database>,
    files: Vec<Files>,
    bench: Bench,
}

impl Place {
    async fn new() -> Self {
        let databases = databases().await;
        let all: Vec<&Database> = databases.iter().collect();
        let mut bench = Bench::with(&all);
        let files = all_files(&mut bench);
        let lines: String = (0..ROWS)
            .map(|id| format!("{id}\tthe name of a row that is not short at all, {id}\n"))
            .collect();
        std::fs::write(bench.path("in.txt"), lines).unwrap();
        std::fs::write(bench.path("out.txt"), "-1\told\n").unwrap();
        for database in &databases {
            let columns = "(id int primary key, name varchar(80))";
            database
                .execute(&[
                    &format!("create table s{columns}"),
                    &format!("create table t{columns}"),
                    "insert into t values (-1, 'old')",
                ])
                .await;
            let (source, link) = (files[0].source(&bench, "in.txt", ""), database.name());
            bench
                .run(&format!(
                    "<transfer>{source}<target type='DB' db-link='{link}' table='s'/></transfer>"
                ))
                .await
                .unwrap();
        }
        Self {
            databases,
            files,
            bench,
        }
    }

    fn ends(&self) -> Vec<End<'_>> {
        let databases = self.databases.iter().map(End::Database);
        databases.chain(self.files.iter().map(End::Files)).collect()
    }

    /// A transfer from one end to another, `broken` of which is reached over a proxy at that port.
    fn attempt(
        &self,
        (source, target): (End, End),
        (broken, port): (Side, u16),
    ) -> (Bench, String) {
        let mut bench = Bench::new();
        for database in &self.databases {
            bench.add(database.link.clone());
        }
        bench.file_links.clone_from(&self.bench.file_links);
        let mut end = |end: End, side| match end {
            End::Database(database) => {
                let mut link = database.link.clone();
                if side == broken {
                    let server = address(&link).unwrap().to_owned();
                    link.name = "broken".to_owned();
                    link.jdbc_url = link.jdbc_url.replace(&server, &format!("127.0.0.1:{port}"));
                }
                bench.add(link.clone());
                match side {
                    Side::Source => format!(
                        "<source type='DB' db-link='{}'>select * from s</source>",
                        link.name
                    ),
                    Side::Target => {
                        format!("<target type='DB' db-link='{}' table='t'/>", link.name)
                    }
                }
            }
            End::Files(files) if side == broken => {
                let mut files = files.through(port);
                if let Some(access) = &mut files.access {
                    access.link.name = "broken".to_owned();
                    bench.file_links.insert("broken".to_owned(), access.clone());
                }
                self.of_files(&files, side)
            }
            End::Files(files) => self.of_files(files, side),
        };
        let (from, to) = (end(source, Side::Source), end(target, Side::Target));
        (bench, format!("<transfer>{from}{to}</transfer>"))
    }

    fn of_files(&self, files: &Files, side: Side) -> String {
        match side {
            Side::Source => files.source(&self.bench, "in.txt", ""),
            Side::Target => files.target(&self.bench, "out.txt", ""),
        }
    }

    async fn assert_old(&self, target: End<'_>, way: &str) {
        match target {
            End::Database(database) => {
                wait_until_alone(database).await;
                let held = database.query("select * from t").await;
                assert_eq!(held, [row(&["-1", "old"])], "{way}");
            }
            End::Files(_) => {
                let held = std::fs::read_to_string(self.bench.path("out.txt"));
                assert_eq!(held.unwrap(), "-1\told\n", "{way}");
            }
        }
    }
}

/// Which end breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Source,
    Target,
}

#[tokio::test]
async fn a_connection_that_is_cut_in_mid_stream_leaves_nothing_half_written() {
    let place = Place::new().await;
    for broken in place.ends() {
        let Some(server) = broken.server() else {
            continue;
        };
        for other in place.ends() {
            for (side, source, target) in
                [(Side::Source, broken, other), (Side::Target, other, broken)]
            {
                if !target.is_writable() {
                    continue;
                }
                let proxy = Proxy::new(&server, Fault::Cut).await;
                let (bench, body) = place.attempt((source, target), (side, proxy.address.port()));
                let result = bench.run(&body).await;
                let way = format!(
                    "{} to {}, cut at the {side:?}",
                    source.name(),
                    target.name()
                );
                let Err(ActionError::Retryable(words)) = result else {
                    panic!("{way}: {result:?}");
                };
                if side == Side::Source && matches!(broken, End::Files(_)) {
                    let names_file = ["broken:/", "http://127.0.0.1:"]
                        .iter()
                        .any(|name| words.en.contains(name));
                    assert!(
                        names_file && words.en.contains("in.txt"),
                        "{way}: {words:?}"
                    );
                }
                place.assert_old(target, &way).await;
            }
        }
    }
}

#[tokio::test]
async fn an_attempt_is_cancelled_while_a_server_says_nothing_in_mid_stream() {
    let place = Place::new().await;
    let own = End::Files(&place.files[0]);
    for broken in place.ends() {
        let Some(server) = broken.server() else {
            continue;
        };
        for (side, source, target) in [(Side::Source, broken, own), (Side::Target, own, broken)] {
            if !target.is_writable() {
                continue;
            }
            let proxy = Proxy::new(&server, Fault::Silence).await;
            let (bench, body) = place.attempt((source, target), (side, proxy.address.port()));
            let stop = async {
                proxy.broken().await;
                bench.cancel.cancel();
                Instant::now()
            };
            let (result, since) = tokio::join!(bench.run(&body), stop);
            let way = format!("{} to {}", source.name(), target.name());
            assert_eq!(result, Err(ActionError::Cancelled), "{way}");
            assert!(since.elapsed() < LIMIT, "{way}");
            drop(proxy);
            place.assert_old(target, &way).await;
        }
    }
}
