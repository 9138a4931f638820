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
    let said = world.rows.attempts.values().next().unwrap().message.clone();
    assert!(said.is_some());
    assert_eq!(
        world.node(id, "a").message,
        said,
        "people see why it is tried again"
    );
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
fn b23_timeout_covers_all_retries() {
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

#[test]
fn pauses_grow_by_the_policy_and_survive_a_restart() {
    let (mut world, id) = world("retry=9 interval=10 exponential max=35");
    for pause in [10, 20, 35, 35] {
        world.fail("a");
        world.take_over();
        world.pass(pause - 1);
        assert_eq!(world.running_nodes(), "", "{pause}");
        world.pass(1);
        assert_eq!(world.running_nodes(), "a", "{pause}");
    }
    assert_eq!(world.node(id, "a").failures, 4);
}

#[test]
fn jitter_moves_the_pause_within_its_share() {
    let (mut world, id) = world("retry=9 interval=100 jitter=20");
    let mut pauses = std::collections::BTreeSet::new();
    for _ in 0..9 {
        world.fail("a");
        let at = world.node(id, "a").retry_at.unwrap();
        let pause = at.as_millis() - world.now.as_millis();
        assert!((80_000..=120_000).contains(&pause), "{pause}");
        pauses.insert(pause);
        world.pass(120);
    }
    assert!(pauses.len() > 5, "{pauses:?}");
}

#[test]
fn only_the_exit_codes_that_are_named_are_tried_again() {
    let (mut world, id) = world("retry=9 codes=75,100-110");
    world.exit("a", 75);
    world.exit("a", 105);
    assert_eq!(world.running_nodes(), "a");
    world.exit("a", 1);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.node(id, "a").failures, 3);
}

#[test]
fn a_failure_without_exit_code_is_not_among_those_that_are_named() {
    let (mut world, id) = world("retry=9 codes=75");
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn a_limit_of_each_attempt_counts_as_a_failure_that_is_tried_again() {
    let (mut world, id) = world("retry=1 interval=100 timeout=30 each");
    world.pass(30);
    assert_eq!(world.cancelled.len(), 1);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.node(id, "a").deadline, None, "pauses do not count");
    world.take_over();
    world.pass(100);
    assert_eq!(world.running_nodes(), "a");
    world.pass(29);
    assert_eq!(world.cancelled.len(), 1);
    world.take_over();
    world.pass(1);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        world.node(id, "a").message,
        Some(Message::TimedOut { seconds: 30 })
    );
}

#[test]
fn a_limit_may_kill_the_instance() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f\n fork f: a b\n a: ok=e error=b timeout=30 kills\n b: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.pass(30);
    assert_eq!(world.cancelled.len(), 2);
    world.finish("a", OutcomeKind::Cancelled);
    world.take_over();
    world.finish("b", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Killed);
    assert_eq!(world.node_state(id, "a"), NodeState::Failed);
    assert_eq!(
        world.row(id).message,
        Some(Message::NodeTimedOut {
            node: "a".into(),
            seconds: 30
        })
    );
}

#[test]
fn a_limit_that_kills_does_so_between_two_attempts_too() {
    let (mut world, id) = world("retry=9 interval=100 timeout=30 kills");
    world.fail("a");
    world.pass(30);
    assert_eq!(world.state(id), InstanceState::Killed);
    assert_eq!(world.node_state(id, "a"), NodeState::Failed);
}
