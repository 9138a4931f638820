//! Waits: moments are the engine's own, files and rows are looked at by workers.

use akkaflow_engine::{Input, Outcome, OutcomeKind};
use akkaflow_model::id::InstanceId;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::{Lang, Text};

use crate::world::{World, workflow};

fn world(words: &str) -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        &format!("start w\n w: {words} ok=e\n end e"),
    ));
    let id = world.run("wf");
    (world, id)
}

#[test]
fn a_wait_for_a_while_takes_no_worker_and_survives_a_restart() {
    let (mut world, id) = world("for=90s");
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.why(id, "w"), ["wait"]);
    world.pass(60);
    world.restart();
    world.pass(29);
    assert_eq!(world.node_state(id, "w"), NodeState::Running);
    world.pass(1);
    assert_eq!(world.state(id), InstanceState::Succeeded);
    let row = world.node(id, "w");
    assert_eq!(
        row.ended_at
            .unwrap()
            .since(row.started_at.unwrap())
            .as_secs(),
        90
    );
}

#[test]
fn a_wait_until_a_time_of_day_is_over_at_once_when_that_is_past() {
    // The world begins at midnight.
    let (mut world, id) = world("until=00:10");
    world.pass(599);
    assert_eq!(world.state(id), InstanceState::Running);
    world.pass(1);
    assert_eq!(world.state(id), InstanceState::Succeeded);
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_look_that_sees_nothing_is_repeated_and_leaves_no_row() {
    let (mut world, id) = world("sql=select timeout=600");
    world.finish("w", OutcomeKind::NotYet);
    assert_eq!(
        (world.running_nodes(), world.rows.attempts.len()),
        (String::new(), 0)
    );
    assert_eq!(world.why(id, "w"), ["wait"]);
    world.pass(30);
    world.restart();
    world.attach_again("w", 10, 2, &[]);
    world.pass(30);
    world.finish("w", OutcomeKind::NotYet);
    world.pass(60);
    world.ok("w");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.rows.attempts.len(), 1);
}

#[test]
fn a_file_must_look_the_same_twice() {
    let (mut world, id) = world("file=/in/x");
    let look = |world: &mut World, seen: &str| {
        let dispatch = world.take("w");
        world.report_with(
            &dispatch,
            OutcomeKind::NotYet,
            None,
            &[("seen", seen), ("mark", seen)],
        );
    };
    look(&mut world, "x (1 B)");
    let message = world.node(id, "w").message.clone().unwrap();
    assert_eq!(
        message.render(Lang::En),
        "found x (1 B), waits until it no longer changes"
    );
    let row = world.node(id, "w");
    assert_eq!((row.failures, row.losses), (0, 0), "it is no failure");
    world.pass(9);
    assert_eq!(world.running_nodes(), "");
    world.pass(1);
    look(&mut world, "x (2 B)");
    assert_eq!(world.state(id), InstanceState::Running);
    world.restart();
    world.attach_again("w", 10, 2, &[]);
    world.pass(10);
    look(&mut world, "x (2 B)");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_monitor_of_files_looks_twice_holds_no_slot_in_between_and_retries_what_fails() {
    let (mut world, id) = world("monitor=/in/x retry=2 interval=60");
    let look = |world: &mut World, seen: &str| {
        let dispatch = world.take("w");
        let seen = [("seen", seen), ("mark", seen)];
        world.report_with(&dispatch, OutcomeKind::NotYet, None, &seen);
    };
    look(&mut world, "x (1 B)");
    assert_eq!(world.why(id, "w"), ["wait"]);
    world.pass(9);
    assert_eq!(world.running_nodes(), "");
    world.pass(1);
    world.fail("w");
    assert_eq!(world.node(id, "w").failures, 1);
    world.restart();
    world.attach_again("w", 10, 2, &[]);
    world.pass(60);
    look(&mut world, "x (2 B)");
    world.pass(10);
    look(&mut world, "x (2 B)");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(world.node(id, "w").outputs.is_empty());
}

#[test]
fn a_wait_whose_time_is_up_fails_between_two_looks_and_during_one() {
    let (mut world, id) = world("sql=select timeout=90");
    world.finish("w", OutcomeKind::NotYet);
    world.pass(60);
    assert_eq!(world.running_nodes(), "w");
    world.pass(30);
    world.finish("w", OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
    let (mut world, id) = self::world("sql=select timeout=30");
    world.finish("w", OutcomeKind::NotYet);
    world.pass(31);
    assert_eq!(world.state(id), InstanceState::Failed);
    let message = world.node(id, "w").message.clone().unwrap();
    assert!(message.render(Lang::En).contains("limit of 30 s"));
}

#[test]
fn a_wait_is_killed_between_two_looks() {
    let (mut world, id) = world("sql=select");
    world.finish("w", OutcomeKind::NotYet);
    world.kill(id);
    assert_eq!(world.state(id), InstanceState::Killed);
    let (mut world, id) = self::world("for=1h");
    world.kill(id);
    assert_eq!(world.state(id), InstanceState::Killed);
}

/// The worker lacks something that the attempt needs.
fn cannot_begin(world: &mut World) {
    let dispatch = world.take("w");
    let why = Text::new("缺少密钥", "the key is missing");
    let outcome = Outcome {
        text: Some(why),
        ..Outcome::new(OutcomeKind::NotYet)
    };
    world.input(Input::AttemptFinished {
        worker: dispatch.worker,
        key: dispatch.key,
        outcome,
    });
}

#[test]
fn what_cannot_begin_waits_without_a_slot_a_row_a_retry_or_a_time_out() {
    let mut world = World::with_worker();
    let nodes = "start w\n w: retry=1 interval=10 timeout=60 ok=e\n end e";
    world.put(workflow("wf", nodes));
    let id = world.run("wf");
    for _ in 0..9 {
        cannot_begin(&mut world);
        let left = (world.running_nodes(), world.rows.attempts.len());
        assert_eq!(left, (String::new(), 0));
        assert_eq!(world.why(id, "w"), ["cannot_begin"]);
        let row = world.node(id, "w");
        assert_eq!((row.failures, row.started_at), (0, None));
        let said = row.message.clone().unwrap().render(Lang::En);
        assert_eq!(said, "cannot begin yet: the key is missing");
        world.pass(9);
        world.take_over();
        assert_eq!(world.running_nodes(), "");
        world.pass(1);
    }
    world.fail("w");
    assert_eq!(world.node(id, "w").failures, 1);
    world.pass(10);
    cannot_begin(&mut world);
    assert!(world.node(id, "w").started_at.is_some(), "it has begun");
    world.pass(10);
    world.ok("w");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn what_cannot_begin_can_be_killed_and_a_look_that_cannot_keeps_its_time_out() {
    let (mut world, id) = world("sql=select timeout=60");
    for _ in 0..6 {
        cannot_begin(&mut world);
        assert_eq!(world.state(id), InstanceState::Running);
        world.pass(10);
    }
    assert_eq!(world.state(id), InstanceState::Failed);
    let mut world = World::with_worker();
    world.put(workflow("wf", "start w\n w: ok=e\n end e"));
    let id = world.run("wf");
    cannot_begin(&mut world);
    world.kill(id);
    assert_eq!(world.state(id), InstanceState::Killed);
}
