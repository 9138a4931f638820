use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{World, single, workflow};

const FORK: &str = "start f
    fork f: a b
    a: ok=j error=x
    b: ok=j
    x: ok=e
    join j: c
    c: ok=e
    end e";

#[test]
fn single_action_succeeds() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    assert_eq!(world.nodes(id), "a:running start:succeeded");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.nodes(id), "a:succeeded e:succeeded start:succeeded");
    assert_eq!(world.engine.counts().open_instances, 0);
}

#[test]
fn control_nodes_alone_end_in_the_step_of_the_request() {
    let mut world = World::new();
    let chain: String = (0..10_000)
        .map(|n| format!("join j{n}: j{}\n", n + 1))
        .collect();
    world.put(workflow("wf", &format!("start j0\n{chain}end j10000")));
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn join_waits_for_every_branch() {
    let mut world = World::with_worker();
    world.put(workflow("wf", FORK));
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
    world.ok("b");
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.row(id).handled_errors);
}

#[test]
fn b4_join_does_not_wait_for_a_branch_that_went_another_way() {
    let mut world = World::with_worker();
    world.put(workflow("wf", FORK));
    let id = world.run("wf");
    world.ok("b");
    world.fail("a");
    assert_eq!(world.running_nodes(), "c x");
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(world.row(id).handled_errors);
}

#[test]
fn join_that_no_branch_takes_is_dead_and_so_is_what_follows() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f
        fork f: a b
        a: ok=j error=x
        b: ok=j error=x
        join j: c
        c: ok=k
        x: ok=k
        join k: d
        d: ok=e
        end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    assert_eq!(world.running_nodes(), "b x");
    world.fail("b");
    world.ok("x");
    assert_eq!(world.running_nodes(), "d");
    world.ok("d");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.nodes(id).contains("c:"));
}

#[test]
fn join_fires_when_ok_and_error_of_one_action_both_lead_to_it() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=j error=j\n join j: e\n end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn join_does_not_wait_for_nodes_that_nothing_reaches() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=j\n island: ok=j\n join j: e\n end e",
    ));
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn b22_diamond_without_join_runs_its_last_node_once() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f\n fork f: a b\n a: ok=c\n b: ok=c\n c: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.ok("a");
    assert_eq!(world.running_nodes(), "b c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Running);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.node(id, "c").attempts, 1);
}

#[test]
fn b22_end_waits_for_live_branches() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start f\n fork f: a e\n a: ok=e\n end e"));
    let id = world.run("wf");
    assert_eq!(world.node_state(id, "e"), NodeState::Succeeded);
    assert_eq!(world.state(id), InstanceState::Running);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn failure_without_error_edge_fails_the_instance_and_cancels_the_others() {
    let mut world = World::with_worker();
    world.put(workflow("wf", FORK));
    let id = world.run("wf");
    world.fail("b");
    assert_eq!(world.state(id), InstanceState::Running);
    assert_eq!(world.row(id).ending, Some(InstanceState::Failed));
    assert_eq!(world.cancelled.len(), 1);
    world.finish("a", akkaflow_engine::OutcomeKind::Cancelled);
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        world.row(id).message,
        Some(Message::NodeFailed { node: "b".into() })
    );
    assert_eq!(world.node_state(id, "a"), NodeState::Killed);
}

#[test]
fn success_that_crosses_a_cancel_counts_as_success_of_the_node() {
    let mut world = World::with_worker();
    world.put(workflow("wf", FORK));
    let id = world.run("wf");
    world.fail("b");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(world.node_state(id, "a"), NodeState::Succeeded);
}

#[test]
fn kill_node_ends_the_instance_as_killed_with_its_message() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start f\n fork f: a k\n a: ok=e\n kill k: day ${param:day} is bad\n end e",
    ));
    let id = world.run("wf");
    // Undefined here, so it stays as it is written.
    assert_eq!(
        world.engine.instance(id).map(|row| row.ending),
        None,
        "nothing ran yet when the kill node was reached"
    );
    assert_eq!(world.state(id), InstanceState::Killed);
    assert_eq!(
        world.row(id).message,
        Some(Message::KillNode {
            node: "k".into(),
            message: "day ${param:day} is bad".into()
        })
    );
    assert_eq!(world.node_state(id, "a"), NodeState::Killed);
    assert_eq!(world.running_nodes(), "");
}

#[test]
fn nothing_is_reached_behind_a_kill_node() {
    let mut world = World::with_worker();
    let text = "start f\n fork f: k a\n a: ok=e\n kill k: no\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Killed);
    let rows = world.current_nodes(id);
    assert!(rows.iter().all(|row| row.node != "a"), "{rows:?}");
}

#[test]
fn ignored_node_takes_its_ok_edge_without_running() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=b ignore\n b: ok=e error=k\n kill k:\n end e",
    ));
    let id = world.run("wf");
    assert_eq!(world.node(id, "a").message, Some(Message::Ignored));
    assert_eq!(world.running_nodes(), "b");
}

#[test]
fn undefined_parameter_fails_the_node_by_name_without_an_attempt() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=e error=b body=${param:gone}\n b: ok=e\n end e",
    ));
    let id = world.run("wf");
    assert_eq!(
        world.node(id, "a").message,
        Some(Message::UndefinedParameter {
            name: "gone".into()
        })
    );
    assert_eq!(world.node(id, "a").attempts, 0);
    assert_eq!(world.running_nodes(), "b");
}

#[test]
fn the_start_may_stand_behind_what_it_leads_to() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "a: ok=b\n b: ok=e\n start a\n end e"));
    let id = world.run("wf");
    world.take_over();
    world.ok("a");
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}
