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
    let links = vec![*link()];
    let user = "li".to_owned();
    for order in [
        Order::PutLink { link: link() },
        Order::ResealLinks { links, user },
    ] {
        let input = Input::Order {
            request: RequestId(1),
            order,
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
}

#[test]
fn links_that_are_sealed_anew_are_kept_all_at_once() {
    let mut world = World::new();
    let mut links = Vec::new();
    for name in ["a", "b"] {
        let mut link = link();
        link.key.name = name.to_owned();
        assert_eq!(
            world.order(Order::PutLink { link: link.clone() }),
            Ok(Answer::Done)
        );
        link.key_id = "ANOTHER".to_owned();
        links.push(*link);
    }
    let user = "li".to_owned();
    let order = Order::ResealLinks {
        links: links.clone(),
        user,
    };
    assert_eq!(world.order(order), Ok(Answer::Done));
    let kept: Vec<LinkRow> = world.rows.links.values().cloned().collect();
    assert_eq!(kept, links);
}
