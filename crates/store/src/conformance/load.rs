//! Large batches, and readers beside a writer.

use std::sync::Arc;

use akkaflow_model::record::Record;
use akkaflow_model::state::NodeState;

use crate::conformance::Leader;
use crate::conformance::samples::{attempt, id, instance, node};
use crate::contract::Store;

/// 2,500 nodes with an attempt each.
pub async fn a_batch_of_5000_records_is_written(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let owner = id(1);
    let mut records = vec![Record::instance(instance(owner, "wide"))];
    let mut expected = Vec::new();
    for number in 0..2500 {
        let name = format!("node-{number}");
        expected.push(attempt(owner, &name, 1, 1));
        records.push(Record::node(node(owner, &name)));
        records.push(Record::attempt(attempt(owner, &name, 1, 1)));
    }
    leader.commit(records).await;
    assert_eq!(store.attempts(owner).await.unwrap(), expected);
    let nodes = store.nodes(owner).await.unwrap();
    assert_eq!(nodes.len(), 2500);
    assert!(
        nodes
            .iter()
            .zip(&expected)
            .all(|(node, attempt)| node.node == attempt.key.node)
    );
}

/// While batches change ten nodes together, nobody ever sees some of them changed.
pub async fn readers_see_whole_batches(store: Arc<dyn Store>) {
    const BATCHES: u32 = 40;
    let mut leader = Leader::new(&store).await;
    let owner = id(1);
    let rows = |attempts: u32| -> Vec<Record> {
        (0..10)
            .map(|number| {
                let mut row = node(owner, &format!("n{number}"));
                row.attempts = attempts;
                row.state = NodeState::ALL[attempts as usize % NodeState::ALL.len()];
                Record::node(row)
            })
            .collect()
    };
    leader
        .commit(vec![Record::instance(instance(owner, "w"))])
        .await;
    leader.commit(rows(0)).await;
    let writer = async {
        for attempts in 1..=BATCHES {
            leader.commit(rows(attempts)).await;
        }
    };
    let reader = async {
        let mut seen = 0;
        while seen < BATCHES {
            let nodes = store.nodes(owner).await.unwrap();
            assert_eq!(nodes.len(), 10);
            assert!(nodes.iter().all(|row| row.attempts == nodes[0].attempts));
            assert!(nodes[0].attempts >= seen);
            seen = nodes[0].attempts;
            // The twin never waits: without this the writer would not get its turn.
            yield_once().await;
        }
    };
    futures::join!(writer, reader, async {
        for _ in 0..BATCHES {
            assert_eq!(store.instances(&Default::default()).await.unwrap().len(), 1);
            yield_once().await;
        }
    });
}

async fn yield_once() {
    tokio::task::yield_now().await;
}
