//! What only SQLite does: files, the lock, restarts.

use std::path::Path;

use akkaflow_store::{Batch, BatchId, Candidate, Error, Queries, SqliteStore, Store};

async fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(&directory.join("akkaflow.db"))
        .await
        .unwrap()
}

fn candidate(number: u128) -> Candidate {
    Candidate {
        holder: format!("master-{number}"),
        incarnation: number,
        endpoint: "127.0.0.1:2751".to_owned(),
        seed: 1,
    }
}

#[tokio::test]
async fn a_second_process_cannot_lead_while_the_first_lives() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).await;
    let second = open(directory.path()).await;
    first.take_over(None, &candidate(1)).await.unwrap().unwrap();
    let seen = second.lease().await.unwrap().unwrap();
    assert_eq!(seen.holder, "master-1");
    let refused = second.take_over(Some(&seen), &candidate(2)).await.unwrap();
    assert_eq!(refused, None);
    drop(first);
    let seen = second.lease().await.unwrap().unwrap();
    assert_eq!(
        seen.holder, "",
        "a free lock proves that the holder is gone"
    );
    let taken = second.take_over(Some(&seen), &candidate(2)).await.unwrap();
    assert_eq!(taken.unwrap().seq, 2);
}

#[tokio::test]
async fn giving_the_lease_back_lets_another_process_lead() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).await;
    let second = open(directory.path()).await;
    let taken = first.take_over(None, &candidate(1)).await.unwrap().unwrap();
    first.release(taken.epoch, 1).await.unwrap();
    let seen = second.lease().await.unwrap();
    assert!(
        second
            .take_over(seen.as_ref(), &candidate(2))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let taken = store.take_over(None, &candidate(1)).await.unwrap().unwrap();
    let batch = Batch {
        seq: taken.seq + 1,
        epoch: taken.epoch,
        id: BatchId(7),
        journal: Vec::new(),
        records: Vec::new(),
    };
    store.commit(&batch).await.unwrap();
    let cluster = store.lease().await.unwrap().unwrap().cluster;
    drop(store);
    let store = open(directory.path()).await;
    assert_eq!(store.batch_at(batch.seq).await.unwrap(), Some(BatchId(7)));
    assert_eq!(store.lease().await.unwrap().unwrap().cluster, cluster);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("akkaflow.db");
    std::fs::write(
        &path,
        "not a database, certainly not, by no means at all".repeat(100),
    )
    .unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(&error, Error::Unsuitable { .. }), "{error:?}");
    let text = error.text();
    assert!(text.en.contains("akkaflow.db"), "{text:?}");
    assert!(text.en.contains("check that"), "{text:?}");
    assert!(text.zh.contains("请检查"), "{text:?}");
    assert_eq!(text.en.matches("not a database").count(), 1, "{text:?}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_named_with_what_to_do() {
    let error = SqliteStore::open(Path::new("/proc/akkaflow/akkaflow.db"))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("/proc/akkaflow"), "{message}");
}
