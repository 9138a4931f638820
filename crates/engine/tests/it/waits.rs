//! Nodes that no attached worker may take say so, warn after a minute, and forget it once they are given away.

use akkaflow_engine::ExplainObject;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::state::NodeState;
use akkaflow_model::text::Lang;

use crate::world::{World, workflow};

fn asks_for(host: &str) -> (World, InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        &format!("start a\n a: ok=e host={host}\n end e"),
    ));
    let id = world.run("wf");
    (world, id)
}

fn message(world: &World, id: InstanceId) -> String {
    let message = world.node(id, "a").message.as_ref();
    message.map_or_else(String::new, |message| message.render(Lang::En))
}

fn told(world: &World, id: InstanceId) -> Vec<(u32, bool)> {
    let waits = &world.node(id, "a").waits;
    waits
        .iter()
        .map(|told| (told.attempt, told.is_warning))
        .collect()
}

#[test]
fn a_node_whose_host_no_worker_has_says_so_at_once_and_names_the_hosts_there_are() {
    let (world, id) = asks_for("nowhere");
    let text = message(&world, id);
    assert!(text.contains("has host `nowhere`"), "{text}");
    assert!(text.contains("host-w"), "{text}");
    assert_eq!(told(&world, id), [(1, false)]);
}

#[test]
fn it_warns_once_after_a_minute() {
    let (mut world, id) = asks_for("nowhere");
    let due = world.now.plus(std::time::Duration::from_secs(60));
    assert_eq!(world.engine.next_deadline(), Some(due));
    world.pass(59);
    assert_eq!(told(&world, id), [(1, false)]);
    world.pass(2);
    assert_eq!(told(&world, id), [(1, false), (1, true)]);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn the_warning_outlives_a_restart_of_the_master_in_between() {
    let (mut world, id) = asks_for("nowhere");
    world.pass(30);
    world.restart();
    let text = message(&world, id);
    assert!(text.contains("no worker is attached"), "{text}");
    world.attach_again("w", 10, 2, &[]);
    let text = message(&world, id);
    assert!(text.contains("host-w"), "{text}");
    world.pass(31);
    assert_eq!(told(&world, id), [(1, false), (1, true)]);
    world.restart();
    world.pass(120);
    assert_eq!(told(&world, id), [(1, false), (1, true)]);
}

#[test]
fn without_any_worker_it_says_that_none_is_attached_until_one_takes_it() {
    let mut world = World::new();
    world.put(workflow("wf", "start a\n a: ok=e\n end e"));
    let id = world.run("wf");
    assert_eq!(message(&world, id), "no worker is attached: start one");
    world.attach("w", 1);
    assert_eq!(world.running_nodes(), "a");
    assert_eq!(world.node(id, "a").message, None);
    assert_eq!(told(&world, id), [(1, false)]);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_worker_that_is_busy_ends_the_complaint_and_one_that_leaves_begins_another() {
    let mut world = World::new();
    world.put(workflow(
        "wf",
        "start f\n fork f: a b\n a: ok=e\n b: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.attach("w", 1);
    assert_eq!(world.running_nodes(), "a");
    assert_eq!(world.node(id, "b").message, None);
    assert_eq!(world.why(id, "b"), ["no_free_slot"]);
    assert_eq!(world.engine.next_deadline(), None);
    world.pass(10);
    world.detach("w");
    let Some(Message::NoWorker { since, .. }) = world.node(id, "b").message else {
        panic!("{:?}", world.node(id, "b"));
    };
    assert_eq!(since, world.now);
    assert_eq!(world.node(id, "b").waits.len(), 1);
}

#[test]
fn an_unknown_host_names_a_few_hosts_and_counts_the_rest() {
    let mut world = World::new();
    for number in 10..22 {
        world.attach(&format!("w{number}"), 1);
    }
    world.put(workflow("wf", "start a\n a: ok=e host=nowhere\n end e"));
    let id = world.run("wf");
    let text = message(&world, id);
    assert!(
        text.contains("host-w17 and 4 more") && !text.contains("w18"),
        "{text}"
    );
}

#[test]
fn killed_while_it_waits_it_no_longer_complains() {
    let (mut world, id) = asks_for("nowhere");
    world.kill(id);
    assert_eq!(world.node_state(id, "a"), NodeState::Killed);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_workflow_says_what_its_open_instances_wait_for() {
    let (mut world, id) = asks_for("nowhere");
    let of_workflow = || ExplainObject::Workflow("wf".into());
    let reasons = world.engine.explain(&of_workflow());
    assert_eq!(reasons[0].code, "no_worker");
    assert_eq!(reasons[0].object, id.to_string());
    assert!(reasons[0].text.en.contains("`nowhere`"), "{reasons:?}");
    world.attach("nowhere", 1);
    assert!(!world.codes(of_workflow()).contains(&"no_worker"));
}

#[test]
fn many_waiting_nodes_are_told_a_step_at_a_time() {
    let mut world = World::new();
    let names: Vec<String> = (0..1200).map(|number| format!("n{number}")).collect();
    let nodes: String = names
        .iter()
        .map(|name| format!(" {name}: ok=e\n"))
        .collect();
    world.put(workflow(
        "wf",
        &format!("start f\n fork f: {}\n{nodes} end e", names.join(" ")),
    ));
    let id = world.run("wf");
    let silent = |world: &World| {
        let rows = names.iter().map(|name| world.node(id, name));
        rows.filter(|row| row.message.is_none()).count()
    };
    assert_eq!(silent(&world), 200);
    assert_eq!(world.engine.next_deadline(), Some(world.now));
    world.tick();
    assert_eq!(silent(&world), 0);
}
