//! `transfer`: the connection is cut exactly at the commit, and nobody can tell by it whether the rows are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::{DbKind, DbLink};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Bench, Database, mysql, parse, postgres};
use crate::transfer_modes::{from_csv, write};

/// When the first commit does not come to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// The server commits, and its answer is lost.
    Behind,
    /// The server never hears of it.
    Before,
}

/// A way to the same database that is cut at its first commit, once.
async fn cut_at_commit(database: &Database, cut: Cut) -> DbLink {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut link = database.link.clone();
    let (scheme, rest) = link.jdbc_url.split_once("://").unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let (server, url) = (
        server.to_owned(),
        format!("{scheme}://127.0.0.1:{port}/{name}"),
    );
    link.jdbc_url = url;
    let commit: &[u8] = match database.kind() {
        DbKind::Mysql => b"\x03commit",
        _ => b"commit\0",
    };
    let is_cut = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(pass(client, server, commit, cut, Arc::clone(&is_cut)));
        }
    });
    link
}

async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    commit: &[u8],
    cut: Cut,
    is_cut: Arc<AtomicBool>,
) {
    let (mut sent, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            count = client.read(&mut sent) => {
                let Ok(count @ 1..) = count else { return };
                let is_commit = sent[..count].ends_with(commit) && !is_cut.swap(true, Ordering::SeqCst);
                if is_commit && cut == Cut::Before {
                    return;
                }
                server.write_all(&sent[..count]).await.unwrap();
                if is_commit {
                    // It has committed once it answers, which nobody hears.
                    assert!(server.read(&mut answered).await.unwrap() > 0);
                    return;
                }
            }
            count = server.read(&mut answered) => {
                let Ok(count @ 1..) = count else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What an attempt comes to whose commit is cut, and how many rows are there then.
async fn attempted(
    bench: &mut Bench,
    database: &Database,
    cut: Cut,
    more: &str,
) -> (Result<(), ActionError>, String) {
    database
        .execute(&["drop table if exists t", "create table t(a int)"])
        .await;
    bench.add(cut_at_commit(database, cut).await);
    write(bench, "a\n1\n2\n");
    let action = parse(&from_csv(database, more));
    let done = action.run(&bench.attempt()).await.map(|_| ());
    (done, count(database).await)
}

async fn count(database: &Database) -> String {
    database.text("select count(*) from t").await
}

#[tokio::test]
async fn without_a_guard_a_lost_answer_is_not_tried_again_by_itself() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        for (cut, rows) in [(Cut::Behind, "2"), (Cut::Before, "0")] {
            let mut bench = Bench::new();
            let (done, count) = attempted(&mut bench, &database, cut, "").await;
            let Err(ActionError::Fatal(text)) = done else {
                panic!("{cut:?}: {done:?}");
            };
            assert!(
                text.en
                    .contains("the rows may be there, so nothing is tried again by itself"),
                "{text:?}"
            );
            assert_eq!(count, rows, "{} {cut:?}", database.name());
            // Emptying first makes another attempt harmless.
            let (done, count) = attempted(&mut bench, &database, cut, "mode='replace'").await;
            assert!(
                matches!(&done, Err(ActionError::Retryable(text)) if text.en.contains("does not double them")),
                "{done:?}"
            );
            assert_eq!(count, rows, "{} {cut:?}", database.name());
        }
    }
}

#[tokio::test]
async fn with_a_guard_a_lost_answer_is_looked_up_and_no_row_is_doubled_or_lost() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let mut bench = Bench::new();
        let (done, rows) = attempted(&mut bench, &database, Cut::Behind, "guard='true'").await;
        assert_eq!((done, rows.as_str()), (Ok(()), "2"), "{}", bench.log());
        assert!(
            bench
                .log()
                .contains("the connection broke during the commit, but the rows are there"),
            "{}",
            bench.log()
        );
        let mut again = bench.attempt();
        again.key.attempt = 2;
        parse(&from_csv(&database, "guard='true'"))
            .run(&again)
            .await
            .unwrap();
        assert_eq!(count(&database).await, "2");

        database.execute(&["delete from akkaflow_guard"]).await;
        let (done, rows) = attempted(&mut bench, &database, Cut::Before, "guard='true'").await;
        assert!(
            matches!(&done, Err(ActionError::Retryable(text)) if text.en.contains("does not double them")),
            "{done:?}"
        );
        assert_eq!(rows, "0");
        parse(&from_csv(&database, "guard='true'"))
            .run(&again)
            .await
            .unwrap();
        assert_eq!(count(&database).await, "2");
    }
}
