use akkaflow_engine::OutcomeKind;
use akkaflow_model::definition::FailurePolicy;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{Change, World, workflow};

const TEXT: &str = "start f
    fork f: a b c
    a: ok=j
    b: ok=b2
    b2: ok=j
    c: ok=c2 retry=1 interval=10
    c2: ok=e
    join j: t
    t: ok=e
    end e";

fn broken(policy: FailurePolicy) -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT).on_failure(policy));
    let id = world.run("wf");
    world.fail("a");
    world.take_over();
    (world, id)
}

fn message() -> Option<Message> {
    Some(Message::NodeFailed { node: "a".into() })
}

#[test]
fn cancel_running_cancels_the_others() {
    let (mut world, id) = broken(FailurePolicy::CancelRunning);
    assert_eq!(
        world.cancelled.len(),
        4,
        "two, and again after the take-over"
    );
    world.finish("b", OutcomeKind::Cancelled);
    world.finish("c", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
}

#[test]
fn finish_running_lets_what_has_begun_finish_with_its_retries_and_begins_nothing() {
    let (mut world, id) = broken(FailurePolicy::FinishRunning);
    assert!(world.cancelled.is_empty());
    assert_eq!(world.row(id).ending, Some(InstanceState::Failed));
    world.ok("b");
    assert_eq!(world.running_nodes(), "c", "b2 does not start");
    assert_eq!(world.why(id, "b2"), ["instance_ending"]);
    world.fail("c");
    assert_eq!(world.why(id, "c"), ["retry_interval"]);
    world.take_over();
    world.pass(10);
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
    assert_eq!(world.node_state(id, "c"), NodeState::Succeeded);
}

#[test]
fn finish_running_does_not_start_what_waits_for_a_worker() {
    let mut world = World::new();
    world.attach("w", 2);
    world.put(workflow("wf", TEXT).on_failure(FailurePolicy::FinishRunning));
    let id = world.run("wf");
    assert_eq!(world.running_nodes(), "a b");
    world.fail("a");
    // The free slot went to c in the same step only if nothing had ended by then.
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(world.node_state(id, "c"), NodeState::Killed);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn a_second_failure_under_finish_running_changes_nothing() {
    let (mut world, id) = broken(FailurePolicy::FinishRunning);
    world.finish("b", OutcomeKind::FailedForGood);
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
    assert_eq!(world.node_state(id, "b"), NodeState::Failed);
}

#[test]
fn a_kill_does_not_wait_for_what_may_finish() {
    let (mut world, id) = broken(FailurePolicy::FinishRunning);
    world.kill(id);
    assert_eq!(world.cancelled.len(), 2);
    world.finish("b", OutcomeKind::Cancelled);
    world.take_over();
    world.finish("c", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Killed);
    assert!(matches!(
        world.row(id).message,
        Some(Message::KilledBy { .. })
    ));
}

#[test]
fn finish_possible_runs_everything_that_does_not_come_after_the_failed_node() {
    let (mut world, id) = broken(FailurePolicy::FinishPossible);
    assert!(world.cancelled.is_empty());
    assert_eq!(world.row(id).ending, None);
    world.ok("b");
    world.ok("c");
    assert_eq!(world.running_nodes(), "b2 c2");
    world.take_over();
    world.ok("b2");
    assert_eq!(
        world.running_nodes(),
        "c2",
        "the join comes after the failed node"
    );
    assert_eq!(world.why(id, "t"), ["not_taken"]);
    world.ok("c2");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
}

#[test]
fn finish_possible_blocks_a_join_whichever_branch_comes_first() {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT).on_failure(FailurePolicy::FinishPossible));
    let id = world.run("wf");
    world.ok("b");
    world.ok("b2");
    world.fail("a");
    world.ok("c");
    world.ok("c2");
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn under_finish_possible_a_failure_that_was_taken_care_of_blocks_nothing() {
    let mut world = World::with_worker();
    world.put(
        workflow(
            "wf",
            "start f
            fork f: a b
            a: ok=j error=x
            x: ok=e
            b: ok=j
            join j: t
            t: ok=e
            end e",
        )
        .on_failure(FailurePolicy::FinishPossible),
    );
    let id = world.run("wf");
    world.fail("a");
    world.ok("b");
    assert_eq!(world.running_nodes(), "t x");
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn finish_possible_names_the_first_failure_and_cleans_up_at_the_end() {
    let mut world = World::with_worker();
    world.put(
        workflow("wf", "b:\n a:\n c: after=a\n finally z: d\n d:")
            .on_failure(FailurePolicy::FinishPossible),
    );
    let id = world.run("wf");
    world.fail("a");
    world.pass(1);
    world.fail("b");
    assert_eq!(world.running_nodes(), "d");
    world.ok("d");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
}

#[test]
fn under_finish_running_a_node_in_quarantine_does_not_hold_the_others() {
    let (mut world, id) = {
        let mut world = World::with_worker();
        world.put(workflow("wf", TEXT).on_failure(FailurePolicy::FinishRunning));
        let id = world.run("wf");
        (world, id)
    };
    for _ in 0..3 {
        world.finish("b", OutcomeKind::Lost);
    }
    assert_eq!(world.state(id), InstanceState::Suspended);
    world.fail("a");
    world.fail("c");
    world.pass(10);
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.row(id).message, message());
    assert_eq!(world.node_state(id, "b"), NodeState::Killed);
}
