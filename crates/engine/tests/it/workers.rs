use akkaflow_engine::{ExplainObject, Input, Order, Outcome, OutcomeKind};
use akkaflow_model::id::{AttemptKey, Incarnation, InstanceId, WorkerId};
use akkaflow_model::message::Message;
use akkaflow_model::record::CancelReason;
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};

use crate::world::{LOST_AFTER, World, single, workflow};

fn running() -> (World, InstanceId, AttemptKey) {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    let key = world.running[0].key.clone();
    (world, id, key)
}

fn state(world: &World, key: &AttemptKey) -> AttemptState {
    world.rows.attempts[key].state
}

fn worker(id: &str) -> WorkerId {
    WorkerId(id.into())
}

#[test]
fn b24_node_without_worker_waits_with_a_reason() {
    let mut world = World::new();
    world.put(single("wf"));
    let id = world.run("wf");
    assert_eq!(world.why(id, "a"), ["no_worker"]);
    world.attach("w", 1);
    assert_eq!(world.running_nodes(), "a");
    assert!(world.why(id, "a").is_empty());
}

#[test]
fn slots_are_never_exceeded_and_freed_slots_go_to_the_oldest_node() {
    let mut world = World::new();
    world.attach("w", 2);
    world.put(workflow(
        "wf",
        "start f\n fork f: a b c d\n a: ok=e\n b: ok=e\n c: ok=e\n d: ok=e\n end e",
    ));
    let id = world.run("wf");
    assert_eq!(world.running_nodes(), "a b");
    assert_eq!(world.why(id, "c"), ["no_free_slot"]);
    world.ok("b");
    assert_eq!(world.running_nodes(), "a c");
}

#[test]
fn least_loaded_worker_is_chosen_by_fraction_then_id() {
    let mut world = World::new();
    world.attach("big", 4);
    world.attach("small", 2);
    world.put(workflow(
        "wf",
        "start f\n fork f: a b c d\n a: ok=e\n b: ok=e\n c: ok=e\n d: ok=e\n end e",
    ));
    world.run("wf");
    let chosen: Vec<String> = world
        .running
        .iter()
        .map(|dispatch| dispatch.worker.to_string())
        .collect();
    assert_eq!(chosen, ["big", "small", "big", "big"]);
}

#[test]
fn b7_host_pins_a_node_to_a_host_or_a_worker() {
    let mut world = World::new();
    world.attach("one", 10);
    world.attach("two", 1);
    world.put(workflow(
        "wf",
        "start f
        fork f: a b c d
        a: ok=e host=host-two
        b: ok=e host=two
        c: ok=e host=host-three
        d: ok=e
        end e",
    ));
    let id = world.run("wf");
    assert_eq!(world.running_nodes(), "a d");
    assert_eq!(world.running[0].worker, worker("two"));
    assert_eq!(world.why(id, "b"), ["no_free_slot"]);
    assert_eq!(world.why(id, "c"), ["no_worker"]);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b d");
    world.attach("three", 1);
    assert_eq!(world.running_nodes(), "b c d");
}

#[test]
fn accepted_attempt_runs_and_late_reports_change_nothing() {
    let (mut world, id, key) = running();
    let accepted = || Input::AttemptAccepted {
        worker: worker("w"),
        key: key.clone(),
    };
    world.input(accepted());
    assert_eq!(state(&world, &key), AttemptState::Running);
    let dispatch = world.take("a");
    world.report(&dispatch, OutcomeKind::Succeeded);
    world.report(&dispatch, OutcomeKind::Failed);
    world.input(accepted());
    assert_eq!(world.acknowledged, 2);
    assert_eq!(state(&world, &key), AttemptState::Succeeded);
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn report_of_another_worker_changes_nothing() {
    let (mut world, id, key) = running();
    let mut dispatch = world.take("a");
    dispatch.worker = worker("other");
    world.report(&dispatch, OutcomeKind::Failed);
    assert_eq!(world.acknowledged, 1);
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    assert_eq!(world.state(id), InstanceState::Running);
}

#[test]
fn held_attempt_is_adopted_by_the_next_master_and_not_run_again() {
    let (mut world, id, key) = running();
    world.restart();
    assert_eq!(world.why(id, "a"), ["worker_detached"]);
    world.attach_again("w", 10, 2, std::slice::from_ref(&key));
    assert_eq!(state(&world, &key), AttemptState::Running);
    assert_eq!(world.rows.attempts[&key].incarnation, Incarnation(2));
    assert_eq!(world.running.len(), 1);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.node(id, "a").attempts, 1);
}

#[test]
fn attempt_that_the_same_incarnation_does_not_hold_needs_a_tombstone() {
    let (mut world, _, key) = running();
    world.detach("w");
    world.attach_again("w", 10, 1, &[]);
    assert_eq!(world.tombstones, std::slice::from_ref(&key));
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    world.running.clear();
    world.input(Input::Tombstoned {
        worker: worker("w"),
        key: key.clone(),
    });
    assert_eq!(state(&world, &key), AttemptState::Lost);
    assert_eq!(world.running[0].key.attempt, 2);
}

#[test]
fn attempt_that_another_incarnation_does_not_hold_is_lost_at_once() {
    let (mut world, id, key) = running();
    world.running.clear();
    world.attach_again("w", 10, 2, &[]);
    assert_eq!(state(&world, &key), AttemptState::Lost);
    assert_eq!(world.running[0].key.attempt, 2);
    assert_eq!(
        (world.node(id, "a").losses, world.node(id, "a").failures),
        (1, 0)
    );
}

#[test]
fn unknown_and_ended_attempts_that_a_worker_holds_are_cancelled() {
    let (mut world, _, key) = running();
    world.ok("a");
    let unknown = AttemptKey {
        instance: InstanceId::from_u128(7),
        ..key.clone()
    };
    world.attach_again("w", 10, 1, &[key.clone(), unknown.clone()]);
    let mut cancelled = world.cancelled.clone();
    cancelled.sort_by_key(|(key, _)| key.instance);
    assert_eq!(
        cancelled,
        [(unknown, CancelReason::Orphan), (key, CancelReason::Orphan)]
    );
}

#[test]
fn detached_worker_keeps_its_attempts_until_its_time_is_over() {
    let (mut world, id, key) = running();
    world.detach("w");
    world.attach("other", 1);
    assert_eq!(world.why(id, "a"), ["worker_detached"]);
    world.pass(LOST_AFTER - 1);
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    world.pass(1);
    assert_eq!(state(&world, &key), AttemptState::Lost);
    assert_eq!(world.running[1].worker, worker("other"));
}

#[test]
fn what_a_leaving_worker_has_not_accepted_goes_to_another_one_at_once() {
    let (mut world, _, key) = running();
    world.attach("v", 1);
    world.running.clear();
    world.leave("w", &[]);
    assert_eq!(state(&world, &key), AttemptState::Lost);
    assert_eq!(world.running[0].key.attempt, 2);
    assert_eq!(world.running[0].worker, worker("v"));
}

#[test]
fn what_a_leaving_worker_reports_lost_goes_to_another_one_at_once() {
    let (mut world, _, key) = running();
    world.attach("v", 1);
    world.running.clear();
    world.leave("w", std::slice::from_ref(&key));
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    assert!(world.running.is_empty());
    world.input(Input::AttemptFinished {
        worker: worker("w"),
        key,
        outcome: Outcome::new(OutcomeKind::Lost),
    });
    assert_eq!(world.running[0].worker, worker("v"));
}

#[test]
fn a_leaving_worker_gets_nothing_new_until_it_starts_again() {
    let (mut world, _, key) = running();
    world.leave("w", &[key]);
    world.put(single("other"));
    let other = world.run("other");
    assert_eq!(world.why(other, "a"), ["no_worker"]);
    world.attach_again("w", 10, 2, &[]);
    assert!(world.why(other, "a").is_empty());
}

#[test]
fn goodbye_of_an_earlier_incarnation_is_ignored() {
    let (mut world, _, key) = running();
    world.attach_again("w", 10, 2, std::slice::from_ref(&key));
    world.leave("w", &[]);
    assert_eq!(state(&world, &key), AttemptState::Running);
}

#[test]
fn worker_that_comes_back_in_time_goes_on() {
    let (mut world, _, key) = running();
    world.detach("w");
    world.pass(LOST_AFTER - 1);
    world.attach_again("w", 10, 1, std::slice::from_ref(&key));
    world.pass(10 * LOST_AFTER);
    assert_eq!(state(&world, &key), AttemptState::Running);
}

#[test]
fn detach_of_an_earlier_incarnation_is_ignored() {
    let (mut world, _, key) = running();
    world.attach_again("w", 10, 2, std::slice::from_ref(&key));
    world.detach("w");
    assert_eq!(world.engine.counts().attached_workers, 1);
}

#[test]
fn after_a_restart_the_clock_of_absent_workers_starts_anew() {
    let (mut world, id, key) = running();
    world.detach("w");
    world.pass(LOST_AFTER - 1);
    world.restart();
    world.pass(LOST_AFTER - 1);
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    world.pass(1);
    assert_eq!(state(&world, &key), AttemptState::Lost);
    let message = &world.node(id, "a").message;
    assert!(
        matches!(message, Some(Message::NoWorker { .. })),
        "{message:?}"
    );
}

#[test]
fn new_work_is_given_out_before_old_workers_are_back() {
    let (mut world, _, _) = running();
    world.restart();
    world.attach("other", 1);
    world.put(single("new"));
    world.run("new");
    assert_eq!(world.running[1].worker, worker("other"));
}

#[test]
fn fence_gives_up_a_detached_worker_at_once() {
    let (mut world, _, key) = running();
    let fence = || Order::FenceWorker { id: worker("w") };
    assert_eq!(world.refused(fence()), "Worker[w]仍然在线，请先停止它");
    world.detach("w");
    world.order(fence()).unwrap();
    assert_eq!(state(&world, &key), AttemptState::Lost);
    assert!(world.order(fence()).is_err());
}

fn quarantined() -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f\n fork f: a b\n a: ok=e\n b: ok=c\n c: ok=e\n end e",
    ));
    let id = world.run("wf");
    for _ in 0..3 {
        world.finish("a", OutcomeKind::Lost);
    }
    (world, id)
}

#[test]
fn node_lost_three_times_quarantines_its_instance() {
    let (mut world, id) = quarantined();
    assert_eq!(world.state(id), InstanceState::Suspended);
    assert_eq!(
        world.row(id).message,
        Some(Message::Quarantined {
            node: "a".into(),
            times: 3
        })
    );
    assert_eq!(world.codes(ExplainObject::Instance(id))[0], "quarantined");
    world.ok("b");
    assert_eq!(world.running_nodes(), "", "nothing new starts");
    assert_eq!(world.node_state(id, "c"), NodeState::Ready);
    world.restart();
    world.attach("w", 10);
    assert_eq!(world.running_nodes(), "");
}

#[test]
fn quarantined_instance_can_be_killed_and_then_rerun() {
    let (mut world, id) = quarantined();
    world.ok("b");
    let request = world.kill(id);
    assert!(world.replies[&request].is_ok());
    assert_eq!(world.state(id), InstanceState::Killed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "a c");
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn lost_attempt_of_an_ending_instance_counts_as_gone() {
    let (mut world, id, _) = running();
    let request = world.kill(id);
    assert!(!world.replies.contains_key(&request));
    world.detach("w");
    world.pass(LOST_AFTER);
    assert!(world.replies[&request].is_ok());
    assert_eq!(world.state(id), InstanceState::Killed);
}

#[test]
fn late_attach_of_an_earlier_start_loses_nothing_and_detaches() {
    let (mut world, id, _) = running();
    world.attach_again("w", 2, 2, &[]);
    let key = world.running[world.running.len() - 1].key.clone();
    world.attach_again("w", 2, 1, &[]);
    assert_eq!(state(&world, &key), AttemptState::Assigned);
    world.attach_again("w", 2, 2, std::slice::from_ref(&key));
    assert_eq!(state(&world, &key), AttemptState::Running);
    assert_eq!(world.state(id), InstanceState::Running);
}
