use akkaflow_model::message::Message;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;

use crate::world::{World, workflow};

const DECISION: &str = "start d
    decision d: param.kind=='full'->a param.kind=='part'->b
    a: ok=e
    b: ok=e
    end e";

fn running(text: &str, params: &[(&str, &str)]) -> (World, akkaflow_model::id::InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow("wf", text));
    let id = world.run_with("wf", params);
    (world, id)
}

fn message(world: &World, id: akkaflow_model::id::InstanceId, node: &str) -> String {
    let message = world.node(id, node).message.clone().unwrap();
    assert!(!message.render(Lang::Zh).is_empty());
    message.render(Lang::En)
}

#[test]
fn a_decision_takes_the_first_case_that_holds_and_says_so() {
    let (mut world, id) = running(DECISION, &[("kind", "part")]);
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(
        message(&world, id, "d"),
        "`param.kind=='part'` holds: on to node `b`"
    );
    world.take_over();
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.nodes(id).contains("a:"));
}

#[test]
fn a_decision_without_a_case_that_holds_takes_the_default_or_ends_the_branch() {
    let (world, id) = running(DECISION, &[("kind", "none")]);
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(
        message(&world, id, "d"),
        "no condition holds: the branch ends here"
    );
    let (world, id) = running(
        &DECISION.replace("'part'->b", "'part'->a ->b"),
        &[("kind", "")],
    );
    assert_eq!(world.running_nodes(), "b");
    assert_eq!(
        message(&world, id, "d"),
        "no condition holds: on to the default, node `b`"
    );
}

#[test]
fn a_decision_that_cannot_be_decided_fails_with_the_condition_and_the_reason() {
    let (world, id) = running(DECISION, &[]);
    assert_eq!(world.node_state(id, "d"), NodeState::Failed);
    assert_eq!(
        message(&world, id, "d"),
        "condition `param.kind=='full'` cannot be decided: there is no value `kind`"
    );
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(
        world.row(id).message,
        Some(Message::NodeFailed { node: "d".into() })
    );
}

#[test]
fn a_fork_takes_the_paths_whose_conditions_hold() {
    let text = "start f
        fork f: a[param.n=='1'] b[param.n=='2'] c
        a: ok=j
        b: ok=j
        c: ok=j
        join j: t
        t: ok=e
        end e";
    let (mut world, id) = running(text, &[("n", "1")]);
    assert_eq!(world.running_nodes(), "a c");
    world.ok("a");
    world.ok("c");
    assert_eq!(world.running_nodes(), "t");
    world.ok("t");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    let (world, id) = running(text, &[]);
    assert_eq!(world.node_state(id, "f"), NodeState::Failed);
    assert_eq!(world.running_nodes(), "");
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn the_branch_ends_where_the_condition_of_the_ok_edge_does_not_hold() {
    let text = "start a\n a: ok=b[int(param.n)>5]\n b: ok=e\n end e";
    let (mut world, id) = running(text, &[("n", "5")]);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.nodes(id).contains("b:"));
    let (mut world, _) = running(text, &[("n", "6")]);
    world.ok("a");
    assert_eq!(world.running_nodes(), "b");
}

#[test]
fn nothing_takes_care_of_a_failure_where_the_condition_of_the_error_edge_does_not_hold() {
    let text = "start a\n a: ok=e error=b[param.n=='1']\n b: ok=e\n end e";
    let (mut world, id) = running(text, &[("n", "1")]);
    world.fail("a");
    assert_eq!(world.running_nodes(), "b");
    assert!(world.row(id).handled_errors);
    let (mut world, id) = running(text, &[("n", "2")]);
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert!(!world.row(id).handled_errors);
}

#[test]
fn an_action_fails_whose_ok_edge_cannot_be_decided_and_takes_its_error_edge() {
    let text = "start a\n a: ok=b[param.gone=='1'] error=c\n b: ok=e\n c: ok=e\n end e";
    let (mut world, id) = running(text, &[]);
    world.ok("a");
    assert_eq!(world.node_state(id, "a"), NodeState::Failed);
    assert_eq!(
        message(&world, id, "a"),
        "condition `param.gone=='1'` cannot be decided: there is no value `gone`"
    );
    assert_eq!(world.running_nodes(), "c");
    world.take_over();
    world.ok("c");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn so_does_one_that_is_passed_over() {
    let text = "start a\n a: ok=b[param.gone=='1'] error=c ignore\n b: ok=e\n c: ok=e\n end e";
    let (world, id) = running(text, &[]);
    assert_eq!(world.node_state(id, "a"), NodeState::Failed);
    assert!(message(&world, id, "a").contains("there is no value `gone`"));
    assert_eq!(world.running_nodes(), "c");
}

#[test]
fn an_error_edge_that_cannot_be_decided_takes_care_of_nothing() {
    let text = "start a\n a: ok=e error=c[param.gone=='1']\n c: ok=e\n end e";
    let (mut world, id) = running(text, &[]);
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert!(message(&world, id, "a").contains("cannot be decided"));
}

#[test]
fn a_rerun_from_the_failed_node_goes_the_way_that_was_decided() {
    let text = "start a\n a: ok=d\n decision d: param.n=='1'->b ->c\n b: ok=e\n c: ok=e\n end e";
    let (mut world, id) = running(text, &[("n", "1")]);
    world.ok("a");
    world.fail("b");
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "b");
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_rerun_runs_a_node_again_whose_ok_edge_could_not_be_decided() {
    let text = "start a\n a: ok=b[param.n=='1']\n b: ok=e\n end e";
    let (mut world, id) = running(text, &[]);
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "a");
}
