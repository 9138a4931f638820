//! Links: kept, replaced, removed.

use std::sync::Arc;

use akkaflow_model::links::{LinkKey, LinkKind, LinkRow};
use akkaflow_model::record::Record;

use super::Leader;
use super::samples::{NAME, NASTY, at};
use crate::contract::Store;

fn link(kind: LinkKind, name: &str, sealed: Vec<u8>) -> LinkRow {
    LinkRow {
        key: LinkKey {
            kind,
            name: name.to_owned(),
        },
        key_id: "0123456789abcdef".to_owned(),
        sealed,
        changed_at: at(i64::MAX),
        user: NASTY.to_owned(),
    }
}

/// Any bytes come back; each kind has its own names; of several changes in one batch the last one holds.
pub async fn links_round_trip_and_the_last_change_of_one_holds(store: Arc<dyn Store>) {
    let mut leader = Leader::new(&store).await;
    let put = |row: &LinkRow| Record::Link(Box::new(row.clone()));
    let delete = |row: &LinkRow| Record::DeleteLink {
        key: row.key.clone(),
    };
    let any: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let a = link(LinkKind::Db, NAME, any);
    let b = link(LinkKind::Db, "b", vec![0]);
    let file = link(LinkKind::File, NAME, vec![1]);
    leader.commit(vec![put(&file), put(&b), put(&a)]).await;
    let links = async || store.links().await.unwrap();
    assert_eq!(links().await, [b.clone(), a.clone(), file.clone()]);
    let newer = link(LinkKind::Db, "b", vec![2]);
    let batch = vec![
        delete(&b),
        put(&newer),
        put(&file),
        delete(&file),
        delete(&a),
    ];
    leader.commit(batch).await;
    assert_eq!(links().await, std::slice::from_ref(&newer));
    leader.commit(vec![put(&b), put(&newer), delete(&a)]).await;
    assert_eq!(links().await, [newer]);
}
