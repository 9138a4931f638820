//! Links: changed in order, durable before anybody uses them, and without their content in the journal.

use akkaflow_engine::{Input, Order};
use akkaflow_model::command::Answer;
use akkaflow_model::id::RequestId;
use akkaflow_model::links::{LinkKey, LinkKind, LinkRow};
use akkaflow_model::time::Timestamp;

use crate::world::World;

fn link() -> Box<LinkRow> {
    Box::new(LinkRow {
        key: LinkKey {
            kind: LinkKind::Db,
            name: "dw".to_owned(),
        },
        key_id: "SEALEDWITH".to_owned(),
        sealed: b"SEALED".to_vec(),
        changed_at: Timestamp::default(),
        user: "li".to_owned(),
    })
}

#[test]
fn a_link_is_kept_replaced_and_removed() {
    let mut world = World::new();
    let link = link();
    let put = Order::PutLink { link: link.clone() };
    assert_eq!(world.order(put), Ok(Answer::Done));
    assert_eq!(world.rows.links.get(&link.key), Some(&*link));
    let delete = Order::DeleteLink {
        key: link.key.clone(),
        user: "li".to_owned(),
    };
    assert_eq!(world.order(delete), Ok(Answer::Done));
    assert!(world.rows.links.is_empty());
}

#[test]
fn the_journal_says_which_link_was_changed_by_whom_and_nothing_of_its_content() {
    let input = Input::Order {
        request: RequestId(1),
        order: Order::PutLink { link: link() },
    };
    let journaled = serde_json::to_string(&input).unwrap();
    assert!(
        journaled.contains("dw") && journaled.contains("li"),
        "{journaled}"
    );
    // The bytes of a content stand there as numbers, if they do.
    for content in ["SEALED", "83,69,65"] {
        assert!(!journaled.contains(content), "{journaled}");
    }
}
