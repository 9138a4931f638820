//! Instances that nodes of others start.

use akkaflow_engine::{ExplainObject, OutcomeKind};
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;

use crate::world::{Change, World, single, workflow};

fn parent(words: &str) -> String {
    format!("start s\n s: sub=child give=day:7 {words}\n z: ok=e\n end e")
}

fn world(words: &str) -> (World, InstanceId, InstanceId) {
    let mut world = World::with_worker();
    world.put(single("child").limit(5));
    world.put(workflow("parent", &parent(words)));
    let id = world.run("parent");
    let child = world.instances_of("child")[0].id;
    (world, id, child)
}

#[test]
fn a_node_ends_as_the_instance_that_it_has_started() {
    let (mut world, id, child) = world("ok=z");
    let row = world.row(child);
    assert_eq!(row.trigger, TriggerKind::SubWorkflow);
    assert_eq!(row.fire_time, world.row(id).fire_time);
    assert_eq!(row.params, [("day".to_owned(), "7".to_owned())]);
    assert_eq!(row.parent.as_ref().unwrap().instance, id);
    assert_eq!(world.node(id, "s").child, Some(child));
    let codes = world.codes(ExplainObject::Instance(id));
    assert_eq!(codes, ["sub_workflow"]);
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    assert_eq!(world.instances_of("child").len(), 1);
    world.ok("a");
    assert_eq!(world.state(child), InstanceState::Succeeded);
    assert_eq!(world.running_nodes(), "z");
    world.ok("z");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn a_failed_child_is_tried_again_as_a_new_instance_and_then_fails_its_node() {
    let (mut world, id, child) = world("ok=z retry=1");
    world.fail("a");
    assert_eq!(world.state(child), InstanceState::Failed);
    assert_eq!(world.instances_of("child").len(), 2);
    world.fail("a");
    assert_eq!(world.state(id), InstanceState::Failed);
    let message = world.node(id, "s").message.clone().unwrap();
    assert!(
        message
            .render(Lang::En)
            .contains("of workflow `child` failed"),
        "{message:?}"
    );
}

#[test]
fn a_killed_parent_is_over_once_its_child_is_proven_gone() {
    let (mut world, id, child) = world("ok=z");
    world.kill(id);
    assert_eq!(
        (world.state(id), world.state(child)),
        (InstanceState::Running, InstanceState::Running)
    );
    let ended = Message::ParentEnded {
        instance: id,
        node: "s".to_owned(),
    };
    assert_eq!(world.row(child).message, Some(ended));
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(
        (world.state(id), world.state(child)),
        (InstanceState::Killed, InstanceState::Killed)
    );
    assert_eq!(world.node_state(id, "s"), NodeState::Killed);
}

#[test]
fn a_waiting_child_is_killed_with_its_parent_at_once() {
    let mut world = World::with_worker();
    world.put(single("child"));
    world.put(workflow("parent", &parent("ok=z")));
    world.run("child");
    let id = world.run("parent");
    let child = world.instances_of("child")[1].id;
    assert_eq!(world.state(child), InstanceState::Ready);
    assert_eq!(
        world.codes(ExplainObject::Instance(id)),
        ["sub_workflow", "instance_limit"]
    );
    world.kill(id);
    assert_eq!(
        (world.state(id), world.state(child)),
        (InstanceState::Killed, InstanceState::Killed)
    );
}

#[test]
fn a_node_that_does_not_wait_goes_on_and_its_instance_stands_alone() {
    let (mut world, id, child) = world("ok=z wait=false");
    assert_eq!(world.running_nodes(), "a z");
    world.kill(id);
    world.finish("z", OutcomeKind::Cancelled);
    assert_eq!(
        (world.state(id), world.state(child)),
        (InstanceState::Killed, InstanceState::Running)
    );
    world.ok("a");
    assert_eq!(world.state(child), InstanceState::Succeeded);
}

#[test]
fn a_node_whose_time_is_up_fails_once_its_child_is_gone() {
    let (mut world, id, child) = world("ok=z timeout=30");
    world.pass(31);
    assert_eq!(world.node_state(id, "s"), NodeState::Running);
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.finish("a", OutcomeKind::Cancelled);
    assert_eq!(world.state(child), InstanceState::Killed);
    assert_eq!(
        world.node(id, "s").message,
        Some(Message::TimedOut { seconds: 30 })
    );
    assert_eq!(world.state(id), InstanceState::Failed);
}

#[test]
fn what_cannot_be_started_fails_the_node_with_the_reason() {
    for (name, reason) in [
        ("none", "workflow `none` does not exist"),
        (
            "parent",
            "workflow `parent` waits for this node and cannot be started by it",
        ),
    ] {
        let mut world = World::with_worker();
        world.put(workflow(
            "parent",
            &format!("start s\n s: sub={name} ok=e\n end e"),
        ));
        let id = world.run("parent");
        assert_eq!(world.state(id), InstanceState::Failed);
        let message = world.node(id, "s").message.clone().unwrap();
        assert_eq!(message.render(Lang::En), reason);
    }
}

#[test]
fn a_workflow_that_starts_itself_without_waiting_comes_to_an_end() {
    let mut world = World::with_worker();
    let text = "start s\n s: sub=loop wait=false ok=e\n end e";
    world.put(workflow("loop", text).limit(100));
    world.run("loop");
    let all = world.instances_of("loop");
    assert_eq!(all.len(), 17);
    let failed: Vec<_> = all
        .iter()
        .filter(|row| row.state == InstanceState::Failed)
        .collect();
    assert_eq!(failed.len(), 1);
    let message = world.node(failed[0].id, "s").message.clone().unwrap();
    assert!(message.render(Lang::En).contains("nested deeper than 16"));
}
