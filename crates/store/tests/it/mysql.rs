//! What only MySQL and MariaDB do: connections that are cut, two masters on one server.

use std::time::{Duration, Instant};

use akkaflow_model::id::Epoch;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{Record, RequestRow};
use akkaflow_model::time::Timestamp;
use akkaflow_store::{
    Batch, BatchId, Candidate, CommitError, Error, MysqlOptions, MysqlStore, Queries, Store,
    TakenOver,
};
use sqlx::Row as _;

use crate::proxy::{Fault, Proxy};
use crate::server::Database;

fn candidate(number: u128) -> Candidate {
    Candidate {
        holder: format!("master-{number}"),
        incarnation: number,
        endpoint: "127.0.0.1:2751".to_owned(),
        seed: 1,
    }
}

fn batch(seq: u64, epoch: Epoch) -> Batch {
    Batch {
        seq,
        epoch,
        id: BatchId(seq.into()),
        journal: Vec::new(),
        records: vec![Record::Request(RequestRow {
            key: format!("key-{seq}"),
            body_hash: String::new(),
            instance: InstanceId::from_u128(1),
            at: Timestamp::from_millis(0),
        })],
    }
}

async fn lead(store: &MysqlStore, number: u128) -> TakenOver {
    let seen = store.lease().await.unwrap();
    store
        .take_over(seen.as_ref(), &candidate(number))
        .await
        .unwrap()
        .unwrap()
}

async fn kill_all_others(database: &Database) {
    let mut plain = database.plain().await;
    let rows = sqlx::query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()",
    )
    .fetch_all(&mut plain)
    .await
    .unwrap();
    for row in rows {
        let id: i64 = row.try_get_unchecked(0).unwrap();
        let _ = sqlx::query("KILL CONNECTION ?")
            .bind(id)
            .execute(&mut plain)
            .await;
    }
}

#[tokio::test]
async fn a_successor_in_another_process_shuts_the_old_master_out() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (old, new) = (database.connect().await, database.connect().await);
    let first = lead(&old, 1).await;
    old.commit(&batch(first.seq + 1, first.epoch))
        .await
        .unwrap();
    let second = lead(&new, 2).await;
    assert_eq!((second.epoch, second.seq), (Epoch(2), 3));
    assert!(!old.renew(first.epoch, 1).await.unwrap());
    // Its connection was cut; on a new one it finds that the lease is gone, before it writes anything.
    let late = batch(first.seq + 2, first.epoch);
    let outcome = old.commit(&late).await;
    assert!(matches!(outcome, Err(CommitError::Fenced)), "{outcome:?}");
    // What it had committed it still knows as such.
    old.commit(&batch(first.seq + 1, first.epoch))
        .await
        .unwrap();
    new.commit(&batch(second.seq + 1, second.epoch))
        .await
        .unwrap();
    database.remove().await;
}

#[tokio::test]
async fn an_open_transaction_of_the_old_master_does_not_hold_up_its_successor() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (old, new) = (database.connect().await, database.connect().await);
    let first = lead(&old, 1).await;
    // A master that is paused in the middle of a commit: its connection is in the lease row, its entry is not committed.
    let mut paused = database.plain().await;
    sqlx::query("UPDATE af_lease SET connections = CONNECTION_ID()")
        .execute(&mut paused)
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut paused).await.unwrap();
    sqlx::query(
        "INSERT INTO af_journal VALUES (?, ?, x'000102030405060708090a0b0c0d0e0f', 1, 1, UTC_TIMESTAMP(6), '')",
    )
    .bind((first.seq + 1).cast_signed())
    .bind(first.epoch.0.cast_signed())
    .execute(&mut paused)
    .await
    .unwrap();
    let start = Instant::now();
    let second = lead(&new, 2).await;
    assert_eq!(second.seq, first.seq + 1);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    database.remove().await;
}

#[tokio::test]
async fn connections_that_are_cut_are_replaced() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.connect().await;
    let taken = lead(&store, 1).await;
    store
        .commit(&batch(taken.seq + 1, taken.epoch))
        .await
        .unwrap();
    let before = store.lease().await.unwrap().unwrap().connections;
    kill_all_others(&database).await;
    store
        .commit(&batch(taken.seq + 2, taken.epoch))
        .await
        .unwrap();
    let after = store.lease().await.unwrap().unwrap().connections;
    assert_ne!(before, after, "a new connection publishes its number");
    kill_all_others(&database).await;
    assert!(store.renew(taken.epoch, 1).await.unwrap());
    kill_all_others(&database).await;
    assert!(
        store
            .instance(InstanceId::from_u128(1))
            .await
            .unwrap()
            .is_none()
    );
    store
        .commit(&batch(taken.seq + 3, taken.epoch))
        .await
        .unwrap();
    database.remove().await;
}

#[tokio::test]
async fn processes_that_start_together_on_an_empty_database_make_its_tables_once() {
    let Some(database) = Database::create().await else {
        return;
    };
    let starts = (0..6).map(|_| MysqlStore::connect(database.options()));
    for outcome in futures::future::join_all(starts).await {
        assert!(outcome.is_ok(), "{:?}", outcome.err());
    }
    database.remove().await;
}

#[tokio::test]
async fn of_masters_in_many_processes_one_founds_the_cluster() {
    let Some(database) = Database::create().await else {
        return;
    };
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(database.connect().await);
    }
    let tries = stores
        .iter()
        .zip(1..)
        .map(|(store, number)| async move { store.take_over(None, &candidate(number)).await });
    let outcomes = futures::future::join_all(tries).await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Some(_))))
        .count();
    assert_eq!(won, 1, "{outcomes:?}");
    database.remove().await;
}

#[tokio::test]
async fn tables_of_others_in_the_same_database_stay_as_they_are() {
    let Some(database) = Database::create().await else {
        return;
    };
    let mut plain = database.plain().await;
    for text in [
        "CREATE TABLE workflow (name VARCHAR(10))",
        "INSERT INTO workflow VALUES ('old')",
        "CREATE TABLE _sqlx_migrations (other INT)",
    ] {
        sqlx::raw_sql(text).execute(&mut plain).await.unwrap();
    }
    let store = database.connect().await;
    lead(&store, 1).await;
    drop(database.connect().await);
    let rows = sqlx::query("SHOW TABLES")
        .fetch_all(&mut plain)
        .await
        .unwrap();
    let foreign = rows
        .iter()
        .filter(|row| !row.get_unchecked::<String, _>(0).starts_with("af_"))
        .count();
    assert_eq!(foreign, 2);
    database.remove().await;
}

#[tokio::test]
async fn an_unreachable_server_is_said_soon() {
    let options = MysqlOptions::from_url("mysql://root:geheim@127.0.0.1:1/akkaflow").unwrap();
    let start = Instant::now();
    let error = MysqlStore::connect(options).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(6));
    let text = error.text();
    for words in [&text.zh, &text.en] {
        assert!(words.contains("127.0.0.1:1"), "{words}");
        assert!(words.contains("akkaflow"), "{words}");
        assert_eq!(words.matches("refused").count(), 1, "{words}");
    }
    let all = format!("{error} {error:?} {text:?}");
    assert!(!all.contains("geheim"), "{all}");
}

#[tokio::test]
async fn a_missing_database_and_a_wrong_password_say_what_to_do() {
    let Some(database) = Database::create().await else {
        return;
    };
    let gone = database.options();
    let wrong = database.options().with_password("certainly wrong");
    database.remove().await;
    let message = MysqlStore::connect(gone).await.unwrap_err().to_string();
    assert!(message.contains("CREATE DATABASE"), "{message}");
    let text = MysqlStore::connect(wrong).await.unwrap_err().text();
    for words in [&text.zh, &text.en] {
        assert!(words.contains("GRANT ALL"), "{words}");
        assert!(words.contains("DROP USER ''@'"), "{words}");
        assert_eq!(words.matches("Access denied").count(), 1, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_unknown_and_then_found() {
    let Some(database) = Database::create().await else {
        return;
    };
    for (fault, is_committed) in [(Fault::LoseAnswer, true), (Fault::LoseRequest, false)] {
        let proxy = Proxy::start(&database.address()).await;
        let store = database.connect_by(proxy.address()).await;
        let taken = lead(&store, 1).await;
        let batch = batch(taken.seq + 1, taken.epoch);
        proxy.fault_at_commit(fault);
        let outcome = store.commit(&batch).await;
        assert!(
            matches!(outcome, Err(CommitError::Unknown(_))),
            "{outcome:?}"
        );
        let found = store.batch_at(batch.seq).await.unwrap();
        assert_eq!(found, is_committed.then_some(batch.id));
        store.commit(&batch).await.unwrap();
        assert_eq!(store.batch_at(batch.seq).await.unwrap(), Some(batch.id));
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_take_over_whose_answer_is_lost_is_read_back() {
    let Some(database) = Database::create().await else {
        return;
    };
    let proxy = Proxy::start(&database.address()).await;
    let store = database.connect_by(proxy.address()).await;
    proxy.fault_at_commit(Fault::LoseAnswer);
    let taken = lead(&store, 1).await;
    assert_eq!((taken.epoch, taken.seq), (Epoch(1), 1));
    store.commit(&batch(2, taken.epoch)).await.unwrap();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_used_again() {
    let Some(database) = Database::create().await else {
        return;
    };
    let proxy = Proxy::start(&database.address()).await;
    let store = database.connect_by(proxy.address()).await;
    let taken = lead(&store, 1).await;
    proxy.close();
    let start = Instant::now();
    let error = store.renew(taken.epoch, 1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let outcome = store.commit(&batch(taken.seq + 1, taken.epoch)).await;
    assert!(
        matches!(outcome, Err(CommitError::Unknown(_))),
        "{outcome:?}"
    );
    let error = store.lease().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.text().en.contains(proxy.address()), "{error}");
    assert!(
        start.elapsed() < Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
    proxy.open();
    assert!(store.renew(taken.epoch, 1).await.unwrap());
    store
        .commit(&batch(taken.seq + 1, taken.epoch))
        .await
        .unwrap();
    assert!(store.lease().await.unwrap().is_some());
    database.remove().await;
}
