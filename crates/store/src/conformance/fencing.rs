//! The fence: a position of the journal is taken once.

use std::sync::Arc;

use akkaflow_model::record::Record;

use crate::batch::CommitError;
use crate::conformance::{Leader, batch, candidate, samples};
use crate::contract::Store;

/// A superseded master commits nothing; the same batch again is no harm.
pub async fn the_fence_holds(store: Arc<dyn Store>) {
    let mut old = Leader::new(&store).await;
    let first = old.batch(vec![Record::Workflow(samples::workflow("a", "1"))]);
    store.commit(&first).await.unwrap();
    assert_eq!(store.batch_at(first.seq).await.unwrap(), Some(first.id));
    store.commit(&first).await.unwrap();

    let seen = store.lease().await.unwrap().unwrap();
    let taken = store
        .take_over(Some(&seen), &candidate(2))
        .await
        .unwrap()
        .unwrap();
    let late = old.batch(vec![Record::Workflow(samples::workflow("b", "1"))]);
    assert_eq!(late.seq, taken.seq);
    let outcome = store.commit(&late).await;
    assert!(matches!(outcome, Err(CommitError::Fenced)), "{outcome:?}");
    assert_eq!(store.workflow("b").await.unwrap(), None);
    assert_ne!(store.batch_at(late.seq).await.unwrap(), Some(late.id));

    // What was committed before the take-over is known as such for ever.
    store.commit(&first).await.unwrap();
    let next = batch(
        taken.seq + 1,
        taken.epoch,
        vec![Record::Workflow(samples::workflow("c", "1"))],
    );
    store.commit(&next).await.unwrap();
    assert!(store.workflow("c").await.unwrap().is_some());
}

/// A fenced batch leaves nothing behind, however large.
pub async fn a_batch_is_all_or_nothing(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    leader.commit(Vec::new()).await;
    let id = samples::id(1);
    let nodes = (0..500).map(|n| Record::node(samples::node(id, &format!("n{n}"))));
    let mut records = vec![Record::instance(samples::instance(id, "w"))];
    records.extend(nodes);
    let stale = batch(leader.seq, leader.epoch, records);
    let outcome = store.commit(&stale).await;
    assert!(matches!(outcome, Err(CommitError::Fenced)), "{outcome:?}");
    assert_eq!(store.instance(id).await.unwrap(), None);
    leader.commit(stale.records).await;
    assert_eq!(store.nodes(id).await.unwrap().len(), 500);
}
