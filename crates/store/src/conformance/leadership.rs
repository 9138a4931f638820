//! The lease: found, renew, take over, give back.

use std::sync::Arc;

use akkaflow_model::id::Epoch;

use crate::conformance::candidate;
use crate::contract::Store;

/// Founding, proof of life, giving back.
pub async fn a_lease_is_founded_renewed_and_given_back(store: Arc<dyn Store>) {
    assert_eq!(store.lease().await.unwrap(), None);
    let taken = store.take_over(None, &candidate(1)).await.unwrap().unwrap();
    assert_eq!((taken.epoch, taken.seq), (Epoch(1), 1));
    let lease = store.lease().await.unwrap().unwrap();
    assert_eq!(lease.holder, "master-1");
    assert_eq!((lease.incarnation, lease.renew_seq), (1, 0));
    assert_ne!(lease.cluster, 0);

    assert!(store.renew(taken.epoch, 1).await.unwrap());
    assert!(store.renew(taken.epoch, 1).await.unwrap());
    assert!(!store.renew(taken.epoch, 2).await.unwrap());
    assert!(!store.renew(Epoch(2), 1).await.unwrap());
    assert_eq!(store.lease().await.unwrap().unwrap().renew_seq, 2);

    store.release(taken.epoch, 2).await.unwrap();
    assert_eq!(store.lease().await.unwrap().unwrap().holder, "master-1");
    store.release(taken.epoch, 1).await.unwrap();
    let given_back = store.lease().await.unwrap().unwrap();
    assert_eq!(given_back.holder, "");
    assert_eq!(given_back.cluster, lease.cluster);
    assert!(!store.renew(taken.epoch, 1).await.unwrap());
}

/// A candidate that saw an older lease is told so and changes nothing.
pub async fn a_take_over_needs_the_lease_as_it_was_seen(store: Arc<dyn Store>) {
    let first = store.take_over(None, &candidate(1)).await.unwrap().unwrap();
    assert_eq!(store.take_over(None, &candidate(2)).await.unwrap(), None);
    let seen = store.lease().await.unwrap().unwrap();
    assert!(store.renew(first.epoch, 1).await.unwrap());
    assert_eq!(
        store.take_over(Some(&seen), &candidate(2)).await.unwrap(),
        None
    );
    assert!(store.renew(first.epoch, 1).await.unwrap());

    let seen = store.lease().await.unwrap().unwrap();
    let second = store
        .take_over(Some(&seen), &candidate(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((second.epoch, second.seq), (Epoch(2), 2));
    assert!(!store.renew(first.epoch, 1).await.unwrap());
    assert!(store.renew(second.epoch, 2).await.unwrap());
    assert_eq!(store.lease().await.unwrap().unwrap().cluster, seen.cluster);
    assert_ne!(
        store.batch_at(first.seq).await.unwrap(),
        store.batch_at(second.seq).await.unwrap()
    );
    assert_eq!(store.batch_at(3).await.unwrap(), None);
}

/// Of candidates that saw the same lease exactly one wins, again and again.
pub async fn only_one_of_many_candidates_wins(store: Arc<dyn Store>) {
    for round in 1..=5_u64 {
        let seen = store.lease().await.unwrap();
        let tries = (1..=6).map(|number| {
            let (store, seen) = (&store, &seen);
            async move { store.take_over(seen.as_ref(), &candidate(number)).await }
        });
        let taken: Vec<_> = futures::future::join_all(tries)
            .await
            .into_iter()
            .filter_map(|outcome| outcome.unwrap())
            .collect();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].epoch, taken[0].seq), (Epoch(round), round));
    }
}
