use akkaflow_engine::{ExplainObject, OutcomeKind};
use akkaflow_model::message::Message;
use akkaflow_model::record::{CancelReason, CleanUp};
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{Change, World, single, workflow};

const TEXT: &str = "start f
    fork f: a b
    a: ok=e
    b: ok=e
    finally z: drop
    drop: ok=tell
    tell: ok=e
    end e";

fn running() -> (World, akkaflow_model::id::InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    assert_eq!(world.running_nodes(), "a b");
    (world, id)
}

fn failed(node: &str) -> Option<Message> {
    Some(Message::NodeFailed { node: node.into() })
}

#[test]
fn the_clean_up_begins_once_everything_has_succeeded() {
    let (mut world, id) = running();
    assert_eq!(world.why(id, "z"), ["predecessor_open"; 2]);
    assert_eq!(world.why(id, "drop"), ["predecessor_open"]);
    assert_eq!(world.why(id, "tell"), ["predecessor_open"]);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
    world.ok("b");
    assert_eq!(world.running_nodes(), "drop");
    assert_eq!(world.state(id), InstanceState::Running);
    assert_eq!(world.row(id).ending, Some(InstanceState::Succeeded));
    world.take_over();
    world.ok("drop");
    world.ok("tell");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(
        (&world.row(id).message, world.row(id).ending),
        (&None, None)
    );
}

#[test]
fn after_a_failure_the_clean_up_begins_once_what_was_cancelled_is_gone() {
    let (mut world, id) = running();
    world.fail("a");
    assert_eq!(world.running_nodes(), "b");
    world.take_over();
    world.finish("b", OutcomeKind::Cancelled);
    assert_eq!(world.running_nodes(), "drop");
    world.take_over();
    world.ok("drop");
    world.ok("tell");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, failed("a"));
}

#[test]
fn after_a_kill_too_and_the_kill_is_answered_when_all_is_over() {
    let (mut world, id) = running();
    let request = world.kill(id);
    world.finish("a", OutcomeKind::Cancelled);
    world.finish("b", OutcomeKind::Cancelled);
    assert_eq!(world.running_nodes(), "drop");
    assert!(!world.replies.contains_key(&request));
    world.ok("drop");
    world.ok("tell");
    assert_eq!(world.state(id), InstanceState::Killed);
    assert_eq!(
        world.row(id).message,
        Some(Message::KilledBy { user: "ann".into() })
    );
    assert!(world.replies.contains_key(&request));
}

#[test]
fn a_second_kill_ends_the_clean_up_and_survives_a_restart() {
    let (mut world, id) = running();
    world.fail("a");
    world.finish("b", OutcomeKind::Cancelled);
    world.kill(id);
    assert_eq!(world.row(id).clean_up, CleanUp::Stopped);
    assert_eq!(world.codes(ExplainObject::Instance(id)), ["cancelling"]);
    world.take_over();
    assert_eq!(
        world.cancelled.last().unwrap().1,
        CancelReason::InstanceEnding
    );
    // It succeeds before the cancel reaches it: nothing follows all the same.
    world.ok("drop");
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        world.row(id).message,
        failed("a"),
        "the first failure is told"
    );
}

#[test]
fn a_kill_during_the_clean_up_of_a_success_kills_the_instance() {
    let (mut world, id) = running();
    world.ok("a");
    world.ok("b");
    world.kill(id);
    world.finish("drop", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Killed);
    assert!(matches!(
        world.row(id).message,
        Some(Message::KilledBy { .. })
    ));
}

#[test]
fn a_failure_of_the_clean_up_fails_an_instance_that_had_succeeded() {
    let (mut world, id) = running();
    world.ok("a");
    world.ok("b");
    world.fail("drop");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, failed("drop"));
}

#[test]
fn a_failure_of_the_clean_up_does_not_hide_the_first_one() {
    let (mut world, id) = running();
    world.fail("a");
    world.finish("b", OutcomeKind::Cancelled);
    world.fail("drop");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, failed("a"));
    assert_eq!(world.node_state(id, "drop"), NodeState::Failed);
}

#[test]
fn the_clean_up_does_all_that_it_can() {
    let mut world = World::with_worker();
    let text = "start a
        a: ok=e
        finally z: f
        fork f: x y
        x: ok=j
        y: ok=w
        w: ok=j
        join j: t
        t: ok=e
        end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.ok("a");
    world.fail("x");
    assert_eq!(world.running_nodes(), "y");
    world.take_over();
    world.ok("y");
    world.ok("w");
    assert_eq!(
        world.running_nodes(),
        "",
        "what comes after the failure does not run"
    );
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, failed("x"));
}

#[test]
fn a_waiting_instance_that_is_killed_has_nothing_to_clean_up() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    world.run("wf");
    let waiting = world.run("wf");
    world.kill(waiting);
    assert_eq!(world.state(waiting), InstanceState::Killed);
    assert_eq!(world.nodes(waiting), "");
}

#[test]
fn a_rerun_from_the_failed_node_cleans_up_again() {
    let (mut world, id) = running();
    world.ok("a");
    world.fail("b");
    world.ok("drop");
    world.ok("tell");
    assert_eq!(world.state(id), InstanceState::Failed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(world.row(id).clean_up, CleanUp::Ahead);
    world.take_over();
    world.ok("b");
    assert_eq!(world.running_nodes(), "drop");
    world.ok("drop");
    world.ok("tell");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn what_depends_on_the_instance_waits_for_its_clean_up() {
    let mut world = World::with_worker();
    world.put(workflow("up", "start a\n a: ok=e\n finally z: c\n c: ok=e\n end e").params(&[]));
    world.put(single("down").after(&["up"]));
    let id = world.trigger("up");
    world.ok("a");
    assert!(world.instances_of("down").is_empty());
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.instances_of("down").len(), 1);
}

#[test]
fn a_kill_node_leads_to_the_clean_up_as_well() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=k\n kill k: enough\n finally z: c\n c: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Killed);
}

#[test]
fn a_clean_up_of_control_nodes_alone_ends_in_the_same_step() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=e\n finally z: e\n end e"));
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.node_state(id, "z"), NodeState::Succeeded);
}

#[test]
fn during_the_clean_up_nothing_else_is_waited_for() {
    let text = "start a\n a: ok=b\n b: ok=c\n c: ok=e\n finally z: drop\n drop: ok=tell\n tell: ok=e\n end e";
    let mut world = World::with_worker();
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.kill(id);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.running_nodes(), "drop");
    assert_eq!(world.why(id, "c"), ["not_taken"]);
    assert_eq!(world.why(id, "tell"), ["predecessor_open"]);
}

#[test]
fn a_kill_node_stops_the_other_branches_of_its_fork_and_the_clean_up_follows() {
    for fork in ["k a", "a k"] {
        let mut world = World::with_worker();
        let text = format!(
            "start f\n fork f: {fork}\n kill k: enough\n a: ok=e\n finally z: drop\n drop: ok=e\n end e"
        );
        world.put(workflow("wf", &text));
        let id = world.run("wf");
        assert_eq!(world.running_nodes(), "drop", "{fork}");
        world.ok("drop");
        assert_eq!(world.state(id), InstanceState::Killed);
    }
}
