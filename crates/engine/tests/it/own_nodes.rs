//! What people hold up, mark, repair and limit, where nodes are the engine's own: waits and instances of other workflows.

use std::sync::Arc;

use akkaflow_engine::{ExplainObject, Order, OutcomeKind};
use akkaflow_model::command::{Answer, By};
use akkaflow_model::definition::{FailurePolicy, Overlap};
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;

use crate::world::{Change, World, ann, resume, single, workflow};

const DONE: Result<Answer, akkaflow_model::command::Rejection> = Ok(Answer::Done);

fn pause(id: InstanceId) -> Order {
    Order::PauseInstance {
        id,
        by: ann("wait"),
    }
}

/// `s` is an instance of `child`, whose only node `a` runs.
fn nested(words: &str) -> (World, InstanceId, InstanceId) {
    let mut world = World::with_worker();
    world.put(single("child").limit(5));
    let text = format!("start s\n s: sub=child {words} ok=z\n z: ok=e\n end e");
    world.put(workflow("wf", &text));
    let id = world.run("wf");
    let child = world.instances_of("child")[0].id;
    (world, id, child)
}

fn attach_with_what_runs(world: &mut World) {
    let keys: Vec<_> = world.running.iter().map(|it| it.key.clone()).collect();
    world.attach_again("w", 10, 1, &keys);
}

fn said(world: &World, id: InstanceId, node: &str) -> String {
    let message = world.node(id, node).message.clone();
    message.map_or_else(String::new, |message| message.render(Lang::En))
}

fn repair(world: &mut World, id: InstanceId, text: &str) -> Result<Answer, String> {
    let workflow = Arc::new(workflow("wf", text));
    world
        .definitions
        .insert(workflow.version.clone(), Arc::clone(&workflow));
    let order = Order::Repair {
        id,
        workflow: Some(workflow),
        is_dry_run: false,
        by: By::default(),
    };
    world.order(order).map_err(|rejection| rejection.text.en)
}

#[test]
fn a_frozen_cluster_starts_no_child_and_begins_no_wait() {
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow(
        "wf",
        "start a\n a: ok=f\n fork f: s w\n s: sub=child ok=j\n w: for=60s ok=j\n join j: e\n end e",
    ));
    let id = world.run("wf");
    world.order(Order::Freeze { by: ann("upgrade") }).unwrap();
    world.ok("a");
    world.restart();
    world.attach("w", 10);
    world.pass(600);
    assert!(world.instances_of("child").is_empty());
    assert_eq!(world.node_state(id, "w"), NodeState::Ready);
    assert_eq!(world.why(id, "s"), ["frozen"]);
    assert_eq!(world.why(id, "w"), ["frozen"]);
    world.order(Order::Thaw).unwrap();
    assert_eq!(world.running_nodes(), "a", "the child's");
    world.pass(60);
    assert_eq!(world.node_state(id, "w"), NodeState::Succeeded);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn the_child_of_a_paused_instance_runs_on_and_its_end_starts_nothing() {
    let (mut world, id, child) = nested("timeout=100");
    world.order(pause(id)).unwrap();
    world.pass(50);
    world.restart();
    attach_with_what_runs(&mut world);
    assert_eq!(
        world.codes(ExplainObject::Instance(id)),
        ["paused", "sub_workflow"]
    );
    world.ok("a");
    assert_eq!(world.state(child), InstanceState::Succeeded);
    assert_eq!(world.node_state(id, "s"), NodeState::Succeeded);
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.why(id, "z"), ["paused"]);
    world.order(resume(id)).unwrap();
    assert_eq!(world.running_nodes(), "z");
}

#[test]
fn the_time_of_a_node_with_a_child_goes_on_during_a_pause() {
    let (mut world, id, _) = nested("timeout=100");
    world.order(pause(id)).unwrap();
    world.pass(100);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(
        world.node(id, "s").message,
        Some(Message::TimedOut { seconds: 100 })
    );
}

#[test]
fn no_child_is_started_for_a_paused_instance() {
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow(
        "wf",
        "start a\n a: ok=s\n s: sub=child ok=w\n w: for=60s ok=e\n end e",
    ));
    let id = world.run("wf");
    world.order(pause(id)).unwrap();
    world.ok("a");
    world.restart();
    world.attach("w", 10);
    assert!(world.instances_of("child").is_empty());
    assert_eq!(world.why(id, "s"), ["paused"]);
    world.order(resume(id)).unwrap();
    world.ok("a");
    assert_eq!(world.why(id, "w"), ["wait"]);
}

#[test]
fn a_wait_that_has_begun_is_over_at_its_moment_though_its_instance_is_paused() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start w\n w: for=60s timeout=100 ok=z\n z: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.order(pause(id)).unwrap();
    world.pass(59);
    assert_eq!(world.node_state(id, "w"), NodeState::Running);
    world.pass(1);
    assert_eq!(world.node_state(id, "w"), NodeState::Succeeded);
    assert_eq!(world.running_nodes(), "");
    world.order(resume(id)).unwrap();
    assert_eq!(world.running_nodes(), "z");
}

#[test]
fn a_paused_wait_looks_no_more_and_its_time_stands_still() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start w\n w: sql=select timeout=100 ok=e\n end e",
    ));
    let id = world.run("wf");
    world.finish("w", OutcomeKind::NotYet);
    world.order(pause(id)).unwrap();
    world.pass(1000);
    assert_eq!(world.running_nodes(), "");
    world.order(resume(id)).unwrap();
    assert_eq!(world.running_nodes(), "w");
    world.ok("w");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_paused_child_keeps_its_parent_waiting_by_name() {
    let (mut world, id, child) = nested("");
    world.order(pause(child)).unwrap();
    world.fail("a");
    assert_eq!(world.state(child), InstanceState::Failed);
    let _ = id;
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow("wf", "start s\n s: sub=child ok=e\n end e"));
    world.run("child");
    let id = world.run("wf");
    let child = world.instances_of("child")[1].id;
    world.order(pause(child)).unwrap();
    world.ok("a");
    assert_eq!(world.why(id, "s"), ["sub_workflow", "paused"]);
    let reasons = world.engine.explain(&ExplainObject::Instance(id));
    assert_eq!(reasons[0].object, child.to_string());
    assert!(reasons[0].text.en.contains(&child.to_string()));
    assert!(reasons[1].text.en.contains("by ann"), "{reasons:?}");
}

#[test]
fn a_marked_node_goes_on_once_its_child_is_proven_gone() {
    let (mut world, id, child) = nested("retry=3");
    assert_eq!(world.mark(id, "s", true), DONE);
    assert_eq!(world.node_state(id, "s"), NodeState::Running);
    world.restart();
    attach_with_what_runs(&mut world);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(child), InstanceState::Killed);
    assert_eq!(world.node_state(id, "s"), NodeState::Succeeded);
    assert!(said(&world, id, "s").contains("by ann"));
    assert_eq!(world.running_nodes(), "z");
    assert_eq!(world.instances_of("child").len(), 1);
}

#[test]
fn a_node_marked_before_its_turn_starts_no_child() {
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow(
        "wf",
        "start a\n a: ok=s\n s: sub=child ok=w\n w: for=1h ok=e\n end e",
    ));
    let id = world.run("wf");
    world.mark(id, "s", true).unwrap();
    world.ok("a");
    assert!(world.instances_of("child").is_empty());
    world.mark(id, "w", false).unwrap();
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn what_a_marked_wait_saw_is_no_output() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start w\n w: file=/x ok=e\n end e"));
    let id = world.run("wf");
    let dispatch = world.take("w");
    let seen = [("seen", "x"), ("mark", "y")];
    world.report_with(&dispatch, OutcomeKind::NotYet, None, &seen);
    let why = world.engine.explain(&ExplainObject::Instance(id));
    assert!(
        why[0].text.en.starts_with("waits for file /x: found x")
            && why[0].text.zh.starts_with("等待文件/x："),
        "{why:?}"
    );
    world.mark(id, "w", true).unwrap();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(world.node(id, "w").outputs.is_empty());
}

#[test]
fn a_repair_lets_a_changed_wait_begin_anew_and_leaves_other_ones_alone() {
    let text = |seconds| {
        format!(
            "start f\n fork f: v w\n v: for=90s ok=j\n w: for={seconds}s ok=j\n join j: e\n end e"
        )
    };
    let mut world = World::with_worker();
    world.put(workflow("wf", &text(3600)));
    let id = world.run("wf");
    world.pass(60);
    repair(&mut world, id, &text(20)).unwrap();
    world.restart();
    world.pass(20);
    assert_eq!(world.node_state(id, "w"), NodeState::Succeeded);
    assert_eq!(world.node_state(id, "v"), NodeState::Running);
    world.pass(10);
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_repair_turns_a_wait_into_work_at_once_and_work_into_a_wait() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start w\n w: for=1h ok=e\n end e"));
    let id = world.run("wf");
    repair(&mut world, id, "start w\n w: ok=e\n end e").unwrap();
    assert_eq!(world.running_nodes(), "w");
    world.ok("w");
    world.put(workflow(
        "wf",
        "start w\n w: ok=e retry=5 interval=60\n end e",
    ));
    let id = world.run("wf");
    world.fail("w");
    repair(&mut world, id, "start w\n w: for=1h ok=e\n end e").unwrap();
    world.pass(60);
    assert_eq!(world.node_state(id, "w"), NodeState::Running);
    assert_eq!(world.why(id, "w"), ["wait"]);
}

#[test]
fn a_node_whose_child_runs_can_neither_change_nor_go() {
    let (mut world, id, _) = nested("");
    for text in [
        "start s\n s: sub=other ok=z\n z: ok=e\n end e",
        "start z\n z: ok=e\n end e",
    ] {
        let refused = repair(&mut world, id, text).unwrap_err();
        assert!(refused.contains("node `s` is running"), "{refused}");
    }
    repair(
        &mut world,
        id,
        "start s\n s: sub=child ok=y\n y: ok=e\n end e",
    )
    .unwrap();
    world.ok("a");
    assert_eq!(world.running_nodes(), "y");
}

#[test]
fn a_node_that_was_turned_into_a_wait_has_nothing_to_do_with_its_old_child() {
    let (mut world, id, child) = nested("retry=1 interval=60");
    world.fail("a");
    repair(
        &mut world,
        id,
        "start s\n s: for=90s ok=z\n z: ok=e\n end e",
    )
    .unwrap();
    assert_eq!(world.node(id, "s").child, None);
    assert_eq!(world.why(id, "s"), ["wait"]);
    world.rerun(child, true).unwrap();
    world.ok("a");
    assert_eq!(world.node_state(id, "s"), NodeState::Running);
    world.pass(90);
    assert_eq!(world.running_nodes(), "z");
}

#[test]
fn a_repair_lets_the_instance_read_the_state_that_it_had_not() {
    let text = "start a\n a: ok=b output=rows\n b: ok=e body=${state:last}\n end e";
    let mut world = World::with_worker();
    world.put(workflow("wf", text));
    let id = world.run("wf");
    let mended = Arc::new(workflow("wf", text).keeps("last", "7", ("a", "rows")));
    world
        .definitions
        .insert(mended.version.clone(), Arc::clone(&mended));
    let order = Order::Repair {
        id,
        workflow: Some(mended),
        is_dry_run: false,
        by: By::default(),
    };
    world.order(order).unwrap();
    world.hand_on("a", &[("rows", "8")]);
    assert_eq!(world.take("b").body.text(), "7");
}

#[test]
fn a_time_limit_that_kills_the_instance_kills_the_child() {
    let (mut world, id, child) = nested("timeout=30 kills");
    world.pass(30);
    assert_eq!(world.state(id), InstanceState::Running);
    world.restart();
    attach_with_what_runs(&mut world);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(
        (world.state(id), world.state(child)),
        (InstanceState::Killed, InstanceState::Killed)
    );
    let timed_out = Message::TimedOut { seconds: 30 };
    assert_eq!(world.node(id, "s").message, Some(timed_out));
}

#[test]
fn a_limit_of_each_attempt_holds_for_each_child() {
    let (mut world, id, _) = nested("timeout=30 each retry=1");
    world.pass(30);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.instances_of("child").len(), 2);
    world.pass(29);
    world.ok("a");
    assert_eq!(world.node_state(id, "s"), NodeState::Succeeded);
    let (mut world, id, _) = nested("timeout=30 each retry=1 interval=60");
    world.pass(30);
    world.finish("a", OutcomeKind::Cancelled);
    world.restart();
    world.attach("w", 10);
    world.pass(60);
    world.ok("a");
    assert_eq!(world.node_state(id, "s"), NodeState::Succeeded);
}

#[test]
fn the_time_of_a_node_is_up_while_somebody_has_its_failed_child_run_again() {
    let (mut world, id, child) = nested("timeout=100 retry=1 interval=60");
    world.fail("a");
    world.rerun(child, true).unwrap();
    assert_eq!(world.why(id, "s")[0], "sub_workflow");
    world.pass(60);
    assert_eq!(
        world.instances_of("child").len(),
        1,
        "it takes that one's end"
    );
    world.pass(40);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.node_state(id, "s"), NodeState::Failed);
    let (mut world, id, child) = nested("timeout=50 retry=1 interval=60");
    world.fail("a");
    world.rerun(child, true).unwrap();
    world.pass(50);
    assert_eq!(world.node(id, "s").retry_at, None, "it waits for no retry");
    world.restart();
    attach_with_what_runs(&mut world);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.node_state(id, "s"), NodeState::Failed);
    assert_eq!(world.state(child), InstanceState::Killed);
}

#[test]
fn a_failed_child_that_somebody_has_run_again_is_a_try_more() {
    let (mut world, id, child) = nested("retry=2 interval=60");
    world.fail("a");
    world.rerun(child, true).unwrap();
    world.fail("a");
    let row = world.node(id, "s");
    assert_eq!((row.attempts, row.failures), (2, 2));
    world.rerun(child, true).unwrap();
    world.pass(60);
    world.fail("a");
    assert_eq!(world.node(id, "s").attempts, 3);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.instances_of("child").len(), 1);
}

#[test]
fn what_has_begun_may_finish_where_the_policy_says_so() {
    let mut world = World::with_worker();
    world.put(single("child"));
    let text = "start f\n fork f: a s w\n a: ok=j\n s: sub=child ok=j\n w: for=60s ok=j\n join j: e\n end e";
    world.put(workflow("wf", text).on_failure(FailurePolicy::FinishRunning));
    let id = world.run("wf");
    let dispatch = world.running.iter().find(|it| it.key.instance == id);
    let dispatch = dispatch.cloned().unwrap();
    world.running.retain(|it| it.key != dispatch.key);
    world.report(&dispatch, OutcomeKind::Failed);
    assert_eq!(world.state(id), InstanceState::Running);
    world.ok("a");
    assert_eq!(world.node_state(id, "s"), NodeState::Succeeded);
    assert_eq!(world.node_state(id, "w"), NodeState::Running);
    world.pass(60);
    assert_eq!(world.node_state(id, "w"), NodeState::Succeeded);
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn a_child_waits_its_turn_whatever_its_workflow_does_with_fires_that_overlap() {
    let mut world = World::with_worker();
    world.put(single("child").overlap(Overlap::Skip));
    world.put(workflow("wf", "start s\n s: sub=child ok=e\n end e"));
    world.run("child");
    let id = world.run("wf");
    assert_eq!(world.why(id, "s"), ["sub_workflow", "instance_limit"]);
    world.ok("a");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_child_that_makes_room_for_a_fire_fails_its_node() {
    let mut world = World::with_worker();
    world.put(
        single("child")
            .overlap(Overlap::CancelRunning)
            .cron("* * * * *"),
    );
    world.put(workflow("wf", "start s\n s: sub=child ok=e\n end e"));
    let id = world.run("wf");
    world.pass(60);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert!(said(&world, id, "s").contains("of workflow `child` was killed"));
    assert_eq!(world.running_nodes(), "a", "the fire's");
}

#[test]
fn a_suspended_workflow_is_started_by_the_nodes_of_others_as_by_people() {
    let mut world = World::with_worker();
    world.put(single("child").cron("* * * * *"));
    world.put(workflow("wf", "start s\n s: sub=child ok=e\n end e"));
    let name = "child".to_owned();
    let by = ann("");
    world.order(Order::SuspendWorkflow { name, by }).unwrap();
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn pools_labels_and_priorities_of_such_nodes_hold_nothing_up() {
    let mut world = World::with_worker();
    world.put(single("child"));
    let words = "pool=none labels=nobody priority=9 host=nowhere";
    let text = format!("start s\n s: sub=child {words} ok=w\n w: for=10s {words} ok=e\n end e");
    world.put(workflow("wf", &text));
    let id = world.run("wf");
    world.ok("a");
    world.pass(10);
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn the_end_of_a_child_that_was_run_again_counts_while_the_next_try_is_held_up() {
    let (mut world, id, child) = nested("retry=2 interval=60");
    world.fail("a");
    world.rerun(child, true).unwrap();
    world.order(Order::Freeze { by: ann("") }).unwrap();
    world.pass(60);
    assert_eq!(world.node_state(id, "s"), NodeState::Ready);
    world.fail("a");
    let row = world.node(id, "s");
    assert_eq!((row.attempts, row.failures), (2, 2));
    world.order(Order::Thaw).unwrap();
    assert_eq!(world.instances_of("child").len(), 1, "the interval counts");
    world.pass(60);
    assert_eq!(world.instances_of("child").len(), 2);
}

#[test]
fn the_time_of_a_node_whose_child_is_being_killed_no_longer_counts() {
    let (mut world, id, _) = nested("timeout=30");
    assert!(world.engine.next_deadline().is_some());
    world.kill(id);
    assert_eq!(world.engine.next_deadline(), None);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Killed);
}
