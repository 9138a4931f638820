use akkaflow_engine::OutcomeKind;
use akkaflow_model::message::Message;
use akkaflow_model::record::CancelReason;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{World, workflow};

fn world(action: &str) -> (World, akkaflow_model::id::InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        &format!("start a\n a: ok=e {action}\n end e"),
    ));
    let id = world.run("wf");
    (world, id)
}

#[test]
fn failed_action_is_tried_again_after_its_interval() {
    let (mut world, id) = world("retry=1 interval=10");
    world.fail("a");
    assert_eq!(world.node_state(id, "a"), NodeState::Running);
    assert_eq!(world.why(id, "a"), ["retry_interval"]);
    world.pass(9);
    assert_eq!(world.running_nodes(), "");
    world.pass(1);
    assert_eq!(world.running_nodes(), "a");
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        (world.node(id, "a").attempts, world.node(id, "a").failures),
        (2, 2)
    );
}

#[test]
fn retry_without_interval_is_given_out_at_once() {
    let (mut world, id) = world("retry=2");
    world.fail("a");
    world.fail("a");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn failure_for_good_is_not_tried_again() {
    let (mut world, id) = world("retry=5");
    world.finish("a", OutcomeKind::FailedForGood);
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn retry_survives_a_restart() {
    let (mut world, _) = world("retry=1 interval=10");
    world.fail("a");
    world.restart();
    world.attach("w", 10);
    world.pass(10);
    assert_eq!(world.running_nodes(), "a");
}

#[test]
fn timeout_cancels_the_attempt_and_fails_the_node() {
    let (mut world, id) = world("timeout=30 retry=9");
    world.pass(30);
    assert_eq!(world.cancelled[0].1, CancelReason::TimedOut);
    assert_eq!(world.why(id, "a"), ["cancelling"]);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(
        world.node(id, "a").message,
        Some(Message::TimedOut { seconds: 30 })
    );
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn timeout_covers_all_retries() {
    let (mut world, id) = world("timeout=30 retry=9 interval=20");
    world.fail("a");
    world.pass(20);
    world.pass(9);
    assert!(world.cancelled.is_empty());
    world.pass(1);
    assert_eq!(world.cancelled.len(), 1);
    world.finish("a", OutcomeKind::Failed);
    assert_eq!(
        world.node(id, "a").message,
        Some(Message::TimedOut { seconds: 30 })
    );
}

#[test]
fn timeout_strikes_at_once_while_the_node_waits_for_its_retry() {
    let (mut world, id) = world("timeout=30 retry=9 interval=100");
    world.fail("a");
    world.pass(30);
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn success_that_arrives_after_the_deadline_but_before_the_cancel_counts() {
    let (mut world, id) = world("timeout=30");
    world.pass(31);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn timeout_takes_the_error_edge() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=e error=b timeout=5\n b: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.pass(5);
    world.finish("a", OutcomeKind::Cancelled);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(world.row(id).handled_errors);
}

#[test]
fn deadline_survives_a_restart() {
    let (mut world, id) = world("timeout=30");
    world.pass(10);
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.pass(20);
    assert_eq!(world.cancelled.len(), 1);
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    assert_eq!(world.cancelled.len(), 2, "told again");
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
}
