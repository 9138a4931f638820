//! Mails: who is told of what, once and in the step of its cause.

use std::sync::Arc;
use std::time::Duration;

use akkaflow_engine::{Order, OutcomeKind};
use akkaflow_model::command::{Answer, By};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::mail::{
    DeliveryRow, DeliveryState, EndFacts, MOST_NODES, MailFacts, MailKey, MailKind, RetryFacts,
};
use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{Change, World, resume, single, workflow};

/// `kind of node to receivers`, in the order of their birth.
fn mails(world: &World) -> Vec<String> {
    let told = world.rows.mails.iter().map(|mail| {
        let delivery = &world.rows.deliveries[&mail.key];
        // The mail about an end waits for what is printed last.
        let pause = Duration::from_secs(if mail.key.kind == MailKind::Ended {
            3
        } else {
            0
        });
        let born = DeliveryRow {
            next_at: mail.born_at.plus(pause),
            ..DeliveryRow::new(mail.key.clone(), mail.born_at)
        };
        assert_eq!(*delivery, born);
        let (kind, node) = (mail.key.kind.as_str(), &mail.key.node);
        format!("{kind} {node} {}", mail.receivers.join(","))
    });
    told.collect()
}

fn end(world: &World) -> &EndFacts {
    match &world.rows.mails.last().unwrap().facts {
        MailFacts::Ended(facts) => facts,
        other => panic!("{other:?}"),
    }
}

fn retry(world: &World) -> &RetryFacts {
    match &world.rows.mails.last().unwrap().facts {
        MailFacts::Retry(facts) => facts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_end_is_told_only_where_its_level_asks_for_it() {
    for (levels, outcome, told) in [
        ("s", OutcomeKind::Succeeded, 1),
        ("fk", OutcomeKind::Succeeded, 0),
        ("f", OutcomeKind::Failed, 1),
        ("sk", OutcomeKind::Failed, 0),
        ("", OutcomeKind::Failed, 0),
    ] {
        let mut world = World::with_worker();
        world.put(single("wf").mails(levels, &["a@x"]));
        world.run("wf");
        world.finish("a", outcome);
        assert_eq!(mails(&world).len(), told, "{levels} {outcome:?}");
    }
}

#[test]
fn a_kill_by_a_user_is_told_and_names_the_user() {
    let mut world = World::with_worker();
    world.put(single("wf").mails("k", &["a@x"]));
    let id = world.run("wf");
    world.kill(id);
    assert_eq!(mails(&world), [""; 0], "it has not ended yet");
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(mails(&world), ["ended  a@x"]);
    let facts = end(&world);
    assert_eq!(facts.state, InstanceState::Killed);
    assert_eq!(
        facts.message,
        Some(Message::KilledBy {
            user: "ann".to_owned()
        })
    );
    assert_eq!(facts.nodes.last().unwrap().state, NodeState::Killed);
}

#[test]
fn one_that_never_left_its_queue_is_told_as_well() {
    let mut world = World::with_worker();
    world.put(single("wf").mails("k", &["a@x"]).limit(0));
    let id = world.run("wf");
    world.kill(id);
    assert_eq!(mails(&world), ["ended  a@x"]);
    assert_eq!(end(&world).started_at, None);
}

#[test]
fn everybody_downstream_is_told_once_as_far_as_workflows_are_enabled() {
    let mut world = World::with_worker();
    world.put(single("root").mails("f", &["b@x", "a@x", "b@x"]));
    world.put(single("one").after(&["root"]).mails("", &["a@x", "one@x"]));
    world.put(single("two").after(&["one"]).mails("", &["two@x"]));
    world.put(
        single("off")
            .after(&["root"])
            .mails("", &["off@x"])
            .disabled(),
    );
    world.put(single("behind").after(&["off"]).mails("", &["behind@x"]));
    world.put(single("other").mails("", &["other@x"]));
    world.run("root");
    world.fail("a");
    assert_eq!(mails(&world), ["ended  b@x,a@x,one@x,two@x"]);
    let affected = end(&world).affected.iter();
    let affected: Vec<_> = affected
        .map(|it| (it.name.as_str(), it.receivers.join(",")))
        .collect();
    assert_eq!(
        affected,
        [("one", "a@x,one@x".to_owned()), ("two", "two@x".to_owned())]
    );
}

#[test]
fn those_downstream_are_told_where_the_workflow_itself_names_nobody() {
    let mut world = World::with_worker();
    world.put(single("root").mails("f", &[]));
    world.run("root");
    world.fail("a");
    assert_eq!(mails(&world), [""; 0], "there is nobody to tell");
    world.put(single("one").after(&["root"]).mails("", &["one@x"]));
    world.run("root");
    world.fail("a");
    assert_eq!(mails(&world), ["ended  one@x"]);
}

#[test]
fn receivers_and_levels_are_those_of_the_version_that_ran() {
    let mut world = World::with_worker();
    world.put(single("wf").mails("f", &["old@x"]));
    world.run("wf");
    world.put(single("wf").mails("s", &["new@x"]));
    world.fail("a");
    assert_eq!(mails(&world), ["ended  old@x"]);
}

#[test]
fn each_run_of_an_instance_has_its_own_mail_and_a_new_master_writes_none_again() {
    let mut world = World::with_worker();
    world.put(single("wf").mails("sf", &["a@x"]));
    let id = world.run("wf");
    world.fail("a");
    world.take_over();
    assert_eq!(mails(&world).len(), 1);
    world.rerun(id, false).unwrap();
    world.ok("a");
    let keys: Vec<_> = world.rows.mails.iter().map(|it| it.key.clone()).collect();
    assert_eq!(keys, [MailKey::ended(id, 1), MailKey::ended(id, 2)]);
}

#[test]
fn a_mail_holds_the_nodes_as_they_were() {
    let mut world = World::with_worker();
    let text = "start a
        a: ok=b
        b: ok=e
        end e";
    let mut workflow = workflow("wf", text);
    workflow.desc = Some("what for".to_owned());
    workflow.nodes[2].desc = Some("of b".to_owned());
    world.put(workflow.mails("f", &["a@x"]));
    let id = world.run_with("wf", &[("day", "1")]);
    world.ok("a");
    world.fail("b");
    world.rerun(id, false).unwrap();
    let facts = end(&world);
    let nodes: Vec<_> = facts
        .nodes
        .iter()
        .map(|node| (&*node.name, &*node.type_name, node.state))
        .collect();
    assert_eq!(
        nodes,
        [
            ("start", "start", NodeState::Succeeded),
            ("a", "shell", NodeState::Succeeded),
            ("b", "shell", NodeState::Failed),
        ]
    );
    assert_eq!(facts.nodes[2].desc.as_deref(), Some("of b"));
    assert_eq!(facts.desc.as_deref(), Some("what for"));
    assert_eq!(facts.params, [("day".to_owned(), "1".to_owned())]);
    assert_eq!(facts.levels, [InstanceState::Failed]);
}

#[test]
fn of_too_many_nodes_those_that_went_wrong_are_kept() {
    let mut world = World::with_worker();
    let count = MOST_NODES + 10;
    let mut text = "start n0\n".to_owned();
    for number in 0..count {
        let next = if number + 1 == count {
            "last".to_owned()
        } else {
            format!("n{}", number + 1)
        };
        text.push_str(&format!("n{number}: ok={next} ignore\n"));
    }
    text.push_str("last: ok=e\nend e");
    world.put(workflow("wf", &text).mails("f", &["a@x"]));
    world.run("wf");
    world.fail("last");
    let facts = end(&world);
    assert_eq!((facts.nodes.len(), facts.more_nodes), (MOST_NODES, 12));
    let is_told = |name: &str| facts.nodes.iter().any(|node| node.name == name);
    assert!(is_told("last") && is_told("n0") && !is_told(&format!("n{}", count - 1)));
}

fn retrying(threshold: u32, text: &str) -> World {
    let mut world = World::with_worker();
    world.retry_fail_times(threshold);
    world.put(workflow("wf", &format!("start a\n {text}\n end e")).mails("", &["a@x"]));
    world.put(single("down").after(&["wf"]).mails("", &["down@x"]));
    world.run("wf");
    world
}

#[test]
fn a_failing_node_is_told_of_once_and_so_is_its_recovery() {
    let mut world = retrying(0, "a: ok=e retry=3 interval=5");
    world.fail("a");
    assert_eq!(mails(&world), ["failing a a@x,down@x"]);
    let facts = retry(&world);
    assert_eq!(
        (facts.failures, facts.retry_times, facts.pause_ms),
        (1, 3, Some(5000))
    );
    world.pass(5);
    world.fail("a");
    world.pass(5);
    assert_eq!(mails(&world).len(), 1, "told once");
    world.take_over();
    world.ok("a");
    assert_eq!(
        mails(&world),
        ["failing a a@x,down@x", "recovered a a@x,down@x"]
    );
    assert_eq!(retry(&world).failures, 2);
    let attempts: Vec<_> = world.rows.mails.iter().map(|it| it.key.attempt).collect();
    assert_eq!(attempts, [1, 3]);
}

#[test]
fn the_threshold_counts_retries_beyond_the_first_failure() {
    let mut world = retrying(1, "a: ok=e retry=3");
    world.fail("a");
    assert_eq!(mails(&world), [""; 0]);
    world.fail("a");
    assert_eq!(mails(&world), ["failing a a@x,down@x"]);
    let mut world = retrying(1, "a: ok=e retry=3");
    world.fail("a");
    world.ok("a");
    assert_eq!(mails(&world), [""; 0], "nobody knew that it failed");
}

#[test]
fn a_node_without_retries_is_told_of_with_its_instance_only() {
    let mut world = retrying(0, "a: ok=e");
    world.fail("a");
    assert_eq!(mails(&world), [""; 0]);
}

#[test]
fn a_failure_that_no_retry_follows_is_told_of_too() {
    let mut world = retrying(0, "a: ok=e retry=3");
    world.finish("a", OutcomeKind::FailedForGood);
    assert_eq!(mails(&world), ["failing a a@x,down@x"]);
    assert_eq!(retry(&world).pause_ms, None);
}

#[test]
fn retries_that_nobody_is_to_hear_of_make_no_mail() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=e retry=3\n end e"));
    world.run("wf");
    world.fail("a");
    world.ok("a");
    assert_eq!(mails(&world), [""; 0]);
}

#[test]
fn lost_attempts_are_no_failures() {
    let mut world = retrying(0, "a: ok=e retry=3");
    world.finish("a", OutcomeKind::Lost);
    world.ok("a");
    assert_eq!(mails(&world), [""; 0]);
}

#[test]
fn a_child_that_fails_and_recovers_is_told_of() {
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow("wf", "start s\n s: sub=child ok=e retry=1\n end e").mails("", &["a@x"]));
    world.run("wf");
    world.fail("a");
    assert_eq!(mails(&world), ["failing s a@x"]);
    world.ok("a");
    assert_eq!(mails(&world), ["failing s a@x", "recovered s a@x"]);
}

#[test]
fn a_repair_that_has_a_failing_node_start_a_child_at_once_is_told_as_its_recovery() {
    let mut world = World::with_worker();
    world.put(single("child"));
    let wf = |node: &str| {
        let text = format!("start s\n s: {node} ok=e retry=1 interval=5\n end e");
        workflow("wf", &text).mails("", &["a@x"])
    };
    world.put(wf(""));
    let id = world.run("wf");
    world.fail("s");
    assert_eq!(mails(&world), ["failing s a@x"]);
    let mended = Arc::new(wf("sub=child wait=false"));
    world
        .definitions
        .insert(mended.version.clone(), Arc::clone(&mended));
    let repair = Order::Repair {
        id,
        workflow: Some(mended),
        is_dry_run: false,
        by: By::default(),
    };
    world.order(repair).unwrap();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(mails(&world), ["failing s a@x", "recovered s a@x"]);
}

#[test]
fn an_email_node_needs_no_worker_and_its_mail_has_all_values() {
    let mut world = World::new();
    let text = "start m\n m: mail=day-${param:day} ok=e\n end e";
    world.put(workflow("wf", text).mails("", &["a@x", "a@x", "b@x"]));
    world.put(single("down").after(&["wf"]).mails("", &["down@x"]));
    let id = world.run_with("wf", &[("day", "<7>")]);
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(mails(&world), ["notice m a@x,b@x"], "its own people alone");
    match &world.rows.mails[0].facts {
        MailFacts::Notice { content } => {
            let parts: Vec<_> = content.iter().map(|it| (&*it.name, it.text())).collect();
            let of = |name, text: &str| (name, text.to_owned());
            assert_eq!(parts, [of("span", "bare text"), of("p", "day-<7>")]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_email_node_without_receivers_says_so_and_goes_on() {
    let mut world = World::new();
    world.put(workflow("wf", "start m\n m: mail=x ok=e\n end e"));
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(mails(&world), [""; 0]);
    let said = world.node(id, "m").message.clone();
    assert!(matches!(said, Some(Message::Said { .. })), "{said:?}");
}

#[test]
fn an_email_node_with_an_unknown_value_fails() {
    let mut world = World::new();
    world.put(workflow("wf", "start m\n m: mail=${param:x} ok=e\n end e").mails("", &["a@x"]));
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(mails(&world), [""; 0]);
}

#[test]
fn an_email_node_waits_while_its_instance_is_paused() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=m\n m: mail=x ok=e\n end e";
    world.put(workflow("wf", text).mails("", &["a@x"]));
    let id = world.run("wf");
    let by = crate::world::ann("look");
    world.order(Order::PauseInstance { id, by }).unwrap();
    world.ok("a");
    assert_eq!(mails(&world), [""; 0]);
    world.restart();
    world.order(resume(id)).unwrap();
    assert_eq!(mails(&world), ["notice m a@x"]);
}

#[test]
fn how_the_sending_goes_is_written_and_a_finished_one_may_be_asked_for_again() {
    let mut world = World::with_worker();
    world.put(single("wf").mails("s", &["a@x", "b@x"]));
    let id = world.run("wf");
    world.ok("a");
    let key = MailKey::ended(id, 1);
    let stored = world.rows.deliveries[&key].clone();
    let again = |stored: Option<DeliveryRow>| Order::SendMail {
        key: key.clone(),
        stored: stored.map(Box::new),
        user: "li".to_owned(),
    };
    world.pass(1);
    world.order(again(Some(stored.clone()))).unwrap();
    let now = world.rows.deliveries[&key].next_at;
    assert!(now < stored.next_at, "it need not wait for its turn");
    let refused = world.order(again(None)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);

    let dead = DeliveryRow {
        state: DeliveryState::Dead,
        tries: 9,
        accepted: vec!["a@x".to_owned()],
        ..stored
    };
    let tried = Order::MailTried {
        delivery: Box::new(dead.clone()),
    };
    assert_eq!(world.order(tried), Ok(Answer::Done));
    assert_eq!(world.rows.deliveries[&key], dead);
    world.order(again(Some(dead))).unwrap();
    let row = &world.rows.deliveries[&key];
    assert_eq!((row.state, row.tries), (DeliveryState::Waiting, 0));
    assert_eq!(row.user, "li");
    assert_eq!(row.accepted, ["a@x"]);
    assert_eq!(key.kind, MailKind::Ended);
}
