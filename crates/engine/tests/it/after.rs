use akkaflow_model::state::{InstanceState, NodeState};

use crate::world::{World, workflow};

fn running(text: &str) -> (World, akkaflow_model::id::InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow("wf", text));
    let id = world.run("wf");
    (world, id)
}

#[test]
fn a_plain_graph_needs_no_start_fork_join_or_end() {
    let (mut world, id) =
        running("orders:\n rates:\n report: after=orders,rates\n mail: after=report");
    assert_eq!(world.running_nodes(), "orders rates");
    assert_eq!(world.why(id, "report"), ["predecessor_open"; 2]);
    world.ok("rates");
    assert_eq!(world.running_nodes(), "orders");
    assert_eq!(world.why(id, "report"), ["predecessor_open"]);
    world.take_over();
    world.ok("orders");
    assert_eq!(world.running_nodes(), "report");
    world.ok("report");
    world.ok("mail");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_failure_that_nothing_takes_care_of_fails_the_instance() {
    let (mut world, id) = running("a:\n b:\n c: after=a,b");
    world.ok("b");
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "a");
    world.ok("a");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn what_comes_after_a_failure_that_was_taken_care_of_never_starts() {
    let (mut world, id) = running("a: error=x\n x:\n b:\n c: after=a,b\n d: after=c");
    world.fail("a");
    assert_eq!(world.running_nodes(), "b x");
    world.ok("b");
    world.ok("x");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.nodes(id), "a:failed b:succeeded x:succeeded");
}

#[test]
fn a_node_with_an_edge_waits_for_that_too() {
    let text = "start f
        fork f: a b
        a: ok=c
        b:
        c: ok=e after=b
        end e";
    let (mut world, _) = running(text);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
    world.take_over();
    world.ok("b");
    assert_eq!(world.running_nodes(), "c");
    let (mut world, _) = running(text);
    world.ok("b");
    assert_eq!(world.running_nodes(), "a");
    world.ok("a");
    assert_eq!(world.running_nodes(), "c");
}

#[test]
fn with_an_edge_not_taken_it_never_starts() {
    let text = "start a\n a: ok=b error=c\n b:\n d: ok=e\n c: ok=e after=b\n end e";
    let (mut world, id) = running(text);
    world.ok("a");
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.nodes(id).contains("c:"));
}

#[test]
fn decisions_ends_and_kills_come_after_nodes_too() {
    let text = "a:\n b:\n decision d: param.n=='1'->c after=a,b\n c:\n kill k: enough after=c";
    let mut world = World::with_worker();
    world.put(workflow("wf", text));
    let id = world.run_with("wf", &[("n", "1")]);
    world.ok("a");
    world.ok("b");
    assert_eq!(world.running_nodes(), "c");
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Killed);
    let (mut world, id) = running("a:\n end e: after=a");
    world.ok("a");
    assert_eq!(world.node_state(id, "e"), NodeState::Succeeded);
    assert_eq!(world.state(id), InstanceState::Succeeded);
}
