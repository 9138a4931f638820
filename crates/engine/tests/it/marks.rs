//! Nodes that need not run because a person says so.

use akkaflow_engine::{Order, OutcomeKind};
use akkaflow_model::command::Answer;
use akkaflow_model::message::Message;
use akkaflow_model::record::CancelReason;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{World, ann, workflow};

fn chain() -> World {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=b\n b: ok=c\n c: ok=e\n end e",
    ));
    world
}

#[test]
fn a_node_that_waits_ends_at_once_and_the_next_one_starts() {
    let mut world = World::new();
    world.put(workflow(
        "wf",
        "start a\n a: ok=b host=nowhere\n b: ok=e\n end e",
    ));
    world.attach("w", 1);
    let id = world.run("wf");
    assert_eq!(world.mark(id, "a", false), Ok(Answer::Done));
    assert_eq!(world.running_nodes(), "b");
    let said = world.node(id, "a").message.clone().unwrap();
    let said = said.render(akkaflow_model::text::Lang::En);
    assert!(
        said.contains("by ann") && said.contains("done by hand"),
        "{said}"
    );
    assert_eq!(
        world.mark(id, "a", false),
        Ok(Answer::Done),
        "asking again changes nothing"
    );
    assert!(world.mark(id, "nothing", false).is_err());
}

#[test]
fn a_node_that_runs_is_stopped_first() {
    let mut world = chain();
    let id = world.run("wf");
    let attempt = world.take("a");
    assert_eq!(world.mark(id, "a", true), Ok(Answer::Done));
    assert_eq!(
        world.cancelled,
        [(attempt.key.clone(), CancelReason::Marked)]
    );
    assert_eq!(
        world.node_state(id, "a"),
        NodeState::Running,
        "it may still run"
    );
    world.restart();
    world.attach_again("w", 10, 1, std::slice::from_ref(&attempt.key));
    world.report(&attempt, OutcomeKind::Cancelled);
    assert_eq!(world.node_state(id, "a"), NodeState::Succeeded);
    assert!(matches!(
        world.node(id, "a").message,
        Some(Message::Marked {
            is_skipped: true,
            ..
        })
    ));
    assert_eq!(world.running_nodes(), "b");
}

#[test]
fn a_node_that_was_not_reached_will_be_passed_over() {
    let mut world = chain();
    let id = world.run("wf");
    world.mark(id, "b", true).unwrap();
    world.restart();
    world.attach("w", 10);
    world.ok("a");
    assert_eq!(world.running_nodes(), "c");
    assert_eq!(world.node_state(id, "b"), NodeState::Succeeded);
}

#[test]
fn an_ended_instance_goes_on_behind_the_marked_node() {
    let mut world = chain();
    let id = world.run("wf");
    world.ok("a");
    world.fail("b");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert!(world.mark(id, "a", false).is_err(), "it has succeeded");
    assert_eq!(world.mark(id, "b", false), Ok(Answer::Instance { id }));
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.row(id).run, 2);
    assert!(world.mark(id, "b", false).is_err());
}

#[test]
fn a_whole_rerun_forgets_the_marks_and_one_from_where_it_broke_keeps_them() {
    let mut world = chain();
    let id = world.run("wf");
    world.mark(id, "c", true).unwrap();
    world.fail("a");
    world.rerun(id, true).unwrap();
    world.ok("a");
    world.ok("b");
    assert_eq!(
        world.state(id),
        InstanceState::Succeeded,
        "c was passed over"
    );
    world.rerun(id, false).unwrap();
    world.ok("a");
    world.ok("b");
    assert_eq!(world.running_nodes(), "c");
}

#[test]
fn a_mark_frees_an_instance_from_quarantine_but_not_from_a_pause() {
    let mut world = chain();
    let id = world.run("wf");
    for incarnation in 2..=4 {
        world.running.clear();
        world.attach_again("w", 10, incarnation, &[]);
    }
    assert_eq!(world.state(id), InstanceState::Suspended);
    world.mark(id, "a", true).unwrap();
    assert_eq!(world.state(id), InstanceState::Running);
    world
        .order(Order::PauseInstance { id, by: ann("") })
        .unwrap();
    world.ok("b");
    world.mark(id, "c", true).unwrap();
    assert_eq!(
        world.state(id),
        InstanceState::Succeeded,
        "nothing was left to start"
    );
}

#[test]
fn a_failed_instance_has_no_mark_for_a_node_that_it_does_not_have() {
    let mut world = chain();
    let id = world.run("wf");
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert!(world.mark(id, "nothing", true).is_err());
    assert!(world.mark(id, "e", true).is_err(), "the end is no action");
    assert_eq!(world.state(id), InstanceState::Failed);
}
