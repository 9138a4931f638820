//! What people hold up and let go on.

use akkaflow_engine::{ExplainObject, Order, OutcomeKind};
use akkaflow_model::command::Answer;
use akkaflow_model::message::Message;
use akkaflow_model::record::Mark;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;

use crate::world::{Change, World, ann, resume, run, single, workflow};

const DONE: Result<Answer, akkaflow_model::command::Rejection> = Ok(Answer::Done);

const CLEANED: &str = "start a\n a: ok=e\n finally z: drop\n drop: ok=e\n end e";

fn pause(id: akkaflow_model::id::InstanceId) -> Order {
    Order::PauseInstance {
        id,
        by: ann("upgrade"),
    }
}

#[test]
fn what_runs_in_a_paused_instance_finishes_and_nothing_new_starts() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    let id = world.run("wf");
    assert_eq!(world.order(pause(id)), DONE);
    assert_eq!(world.order(pause(id)), DONE, "asking again changes nothing");
    assert_eq!(world.state(id), InstanceState::Suspended);
    world.ok("a");
    assert_eq!(world.node_state(id, "b"), NodeState::Ready);
    world.restart();
    world.attach("w", 10);
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.why(id, "b"), ["paused"]);
    let reasons = world.engine.explain(&ExplainObject::Instance(id));
    assert!(
        reasons[0].text.en.contains("by ann: upgrade"),
        "{reasons:?}"
    );
    assert_eq!(world.order(resume(id)), DONE);
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(world.order(resume(id)), DONE);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(world.order(pause(id)).is_err(), "it has ended");
}

#[test]
fn an_instance_that_is_paused_while_it_waits_leaves_the_queue_to_others() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let first = world.run("wf");
    let second = world.run("wf");
    let third = world.run("wf");
    assert_eq!(world.order(pause(second)), DONE);
    world.restart();
    world.attach("w", 10);
    world.ok("a");
    assert_eq!(world.state(first), InstanceState::Succeeded);
    assert_eq!(world.state(second), InstanceState::Suspended);
    assert_eq!(world.state(third), InstanceState::Running);
    assert_eq!(world.order(resume(second)), DONE);
    assert_eq!(world.state(second), InstanceState::Ready);
    world.ok("a");
    assert_eq!(world.state(second), InstanceState::Running);
}

#[test]
fn a_paused_instance_can_be_killed_before_and_after_its_start() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    let running = world.run("wf");
    let waiting = world.run("wf");
    world.order(pause(running)).unwrap();
    world.order(pause(waiting)).unwrap();
    world.kill(waiting);
    assert_eq!(world.state(waiting), InstanceState::Killed);
    world.ok("a");
    world.kill(running);
    assert_eq!(world.state(running), InstanceState::Killed);
    let next = world.run("wf");
    assert_eq!(world.state(next), InstanceState::Running);
}

#[test]
fn the_clean_up_of_an_instance_that_breaks_off_while_it_is_paused_waits() {
    let mut world = World::with_worker();
    world.put(workflow("wf", CLEANED));
    let id = world.run("wf");
    world.order(pause(id)).unwrap();
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Suspended);
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.why(id, "drop"), ["paused"]);
    world.restart();
    world.attach("w", 10);
    assert_eq!(world.running_nodes(), "");
    world.order(resume(id)).unwrap();
    world.ok("drop");
    assert_eq!(world.state(id), InstanceState::Failed);
    let message = Message::NodeFailed { node: "a".into() };
    assert_eq!(world.row(id).message, Some(message));
}

#[test]
fn a_kill_ends_a_pause_so_that_the_clean_up_begins() {
    let mut world = World::with_worker();
    world.put(workflow("wf", CLEANED));
    let id = world.run("wf");
    world.order(pause(id)).unwrap();
    let request = world.kill(id);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.running_nodes(), "drop");
    world.ok("drop");
    assert_eq!(world.state(id), InstanceState::Killed);
    assert!(world.replies.contains_key(&request));
}

#[test]
fn the_time_of_a_node_that_does_not_run_stands_still_during_a_pause() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=e retry=3 interval=30 timeout=100\n end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    world.order(pause(id)).unwrap();
    world.pass(1000);
    assert_eq!(world.state(id), InstanceState::Suspended);
    world.order(resume(id)).unwrap();
    assert_eq!(world.running_nodes(), "a");
    world.pass(99);
    assert_eq!(world.state(id), InstanceState::Running);
    world.pass(1);
    assert_eq!(world.cancelled.len(), 1, "its time is up");
}

#[test]
fn a_person_lets_an_instance_in_quarantine_go_on() {
    let mut world = World::new();
    world.put(single("wf"));
    let id = world.run("wf");
    for incarnation in 1..=3 {
        world.attach_again("w", 1, incarnation, &[]);
    }
    world.attach_again("w", 1, 4, &[]);
    assert_eq!(world.state(id), InstanceState::Suspended);
    world.running.clear();
    assert_eq!(world.order(resume(id)), DONE);
    assert_eq!(world.running_nodes(), "a");
}

#[test]
fn a_suspended_workflow_starts_nothing_by_itself() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("*/10 * * * *").limit(10));
    let suspend = || Order::SuspendWorkflow {
        name: "wf".into(),
        by: ann("upgrade"),
    };
    assert_eq!(world.order(suspend()), DONE);
    assert_eq!(world.order(suspend()), DONE);
    assert!(
        world
            .codes(ExplainObject::Workflow("wf".into()))
            .contains(&"suspended")
    );
    world.pass(3600);
    assert!(world.instances_of("wf").is_empty());
    world.run("wf");
    world.ok("a");
    world.restart();
    world.attach("w", 10);
    world.pass(3600);
    assert_eq!(world.instances_of("wf").len(), 1, "people may still run it");
    let resume = || Order::ResumeWorkflow { name: "wf".into() };
    assert_eq!(world.order(resume()), DONE);
    assert_eq!(world.order(resume()), DONE);
    assert_eq!(
        world.instances_of("wf").len(),
        1,
        "what has passed meanwhile is passed"
    );
    world.pass(600);
    assert_eq!(world.instances_of("wf").len(), 2);
}

#[test]
fn a_new_definition_does_not_end_a_suspension() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("*/10 * * * *"));
    world
        .order(Order::SuspendWorkflow {
            name: "wf".into(),
            by: ann(""),
        })
        .unwrap();
    world.put(single("wf").cron("*/5 * * * *"));
    world.pass(3600);
    assert!(world.instances_of("wf").is_empty());
}

#[test]
fn a_suspended_dependant_keeps_its_tokens() {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    world.put(single("down").after(&["up"]));
    world
        .order(Order::SuspendWorkflow {
            name: "down".into(),
            by: ann(""),
        })
        .unwrap();
    world.trigger("up");
    world.run_out();
    assert!(world.instances_of("down").is_empty());
    world
        .order(Order::ResumeWorkflow {
            name: "down".into(),
        })
        .unwrap();
    assert_eq!(world.instances_of("down").len(), 1);
}

#[test]
fn a_chain_waits_for_a_follower_that_was_suspended_meanwhile() {
    let mut world = World::with_worker();
    world.put(single("root").after(&[]));
    world.put(single("next").after(&["root"]));
    world
        .order(Order::TriggerBlood {
            name: "root".into(),
            fire_time: None,
            user: String::new(),
        })
        .unwrap();
    world
        .order(Order::SuspendWorkflow {
            name: "next".into(),
            by: ann(""),
        })
        .unwrap();
    world.ok("a");
    assert!(world.instances_of("next").is_empty());
    world
        .order(Order::ResumeWorkflow {
            name: "next".into(),
        })
        .unwrap();
    assert_eq!(world.instances_of("next").len(), 1);
}

#[test]
fn a_frozen_cluster_fires_starts_and_dispatches_nothing() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    world.put(single("timed").cron("*/10 * * * *").limit(10));
    let id = world.run("wf");
    let freeze = || Order::Freeze { by: ann("upgrade") };
    assert_eq!(world.order(freeze()), DONE);
    assert_eq!(world.order(freeze()), DONE);
    world.ok("a");
    assert_eq!(world.why(id, "b"), ["frozen"]);
    let asked = world.run("timed");
    world.restart();
    world.attach("w", 10);
    world.pass(3600);
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.state(asked), InstanceState::Ready);
    assert_eq!(world.codes(ExplainObject::Instance(asked)), ["frozen"]);
    assert_eq!(world.instances_of("timed").len(), 1);
    assert_eq!(world.order(Order::Thaw), DONE);
    assert_eq!(world.order(Order::Thaw), DONE);
    assert_eq!(world.running_nodes(), "a a b");
    assert_eq!(
        world.instances_of("timed").len(),
        2,
        "the slots of the hour became one"
    );
}

#[test]
fn who_asked_for_a_run_is_remembered() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let Order::Run {
        name,
        params,
        fire_time,
        idempotency,
        ..
    } = run("wf")
    else {
        panic!();
    };
    let id = crate::world::instance_of(world.order(Order::Run {
        name,
        params,
        fire_time,
        idempotency,
        user: "ann".into(),
    }));
    assert_eq!(world.row(id).asked_by.as_deref(), Some("ann"));
}

#[test]
fn the_time_of_a_node_between_two_tries_stands_still_while_its_instance_is_paused() {
    let mut world = World::with_worker();
    let text = "start a\n a: ok=e retry=1 interval=60 timeout=100\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    let before = world.node(id, "a").deadline.unwrap();
    world.fail("a");
    assert_eq!(world.order(pause(id)), DONE);
    world.pass(500);
    assert_eq!(world.order(resume(id)), DONE);
    let after = world.node(id, "a").deadline.unwrap();
    assert_eq!(after.since(before).as_secs(), 500);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_node_whose_attempt_is_lost_in_a_paused_instance_says_so() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=e\n end e"));
    let id = world.run("wf");
    assert_eq!(world.order(pause(id)), DONE);
    world.detach("w");
    let fence = Order::FenceWorker {
        id: akkaflow_model::id::WorkerId("w".into()),
    };
    assert_eq!(world.order(fence), DONE);
    assert_eq!(world.node_state(id, "a"), NodeState::Ready);
    let message = &world.node(id, "a").message;
    assert!(matches!(message, Some(Message::Lost { .. })), "{message:?}");
}

#[test]
fn what_people_do_to_an_open_instance_is_kept_with_who_and_why() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    let id = world.run("wf");
    world.order(pause(id)).unwrap();
    world.order(pause(id)).unwrap();
    world.pass(5);
    let by = ann("done");
    world.order(Order::ResumeInstance { id, by }).unwrap();
    world
        .order(Order::MarkNode {
            id,
            mark: Mark {
                node: "b".into(),
                is_skipped: true,
                user: "bob".into(),
                reason: String::new(),
                at: Timestamp::default(),
            },
            stored: None,
            pinned: None,
        })
        .unwrap();
    world.restart();
    world.attach("w", 10);
    let told: Vec<(Option<String>, String)> = world
        .row(id)
        .interventions
        .iter()
        .map(|it| (it.node.clone(), it.what.render(Lang::En)))
        .collect();
    let of_b = Some("b".to_owned());
    assert_eq!(
        told,
        [
            (None, "paused by ann: upgrade".to_owned()),
            (None, "resumed by ann: done".to_owned()),
            (of_b, told[2].1.clone()),
        ]
    );
    assert!(told[2].1.contains("by bob"), "{told:?}");
    let times: Vec<_> = world.row(id).interventions.iter().map(|it| it.at).collect();
    assert_eq!(times[1].since(times[0]).as_secs(), 5);
}

#[test]
fn an_instance_that_is_ending_takes_no_more_orders() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    world.kill(id);
    let mark = Mark {
        node: "a".into(),
        is_skipped: true,
        user: String::new(),
        reason: String::new(),
        at: Timestamp::default(),
    };
    let repair = Order::Repair {
        id,
        workflow: None,
        is_dry_run: false,
        by: ann(""),
    };
    let marking = Order::MarkNode {
        id,
        mark,
        stored: None,
        pinned: None,
    };
    for order in [pause(id), marking, repair] {
        assert_eq!(world.refused(order), format!("工作流实例[{id}]正在结束"));
    }
    assert!(world.row(id).interventions.is_empty());
}
