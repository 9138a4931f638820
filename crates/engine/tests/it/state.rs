//! Values that outlive the instances of a workflow.

use akkaflow_engine::Order;
use akkaflow_model::definition::Workflow;
use akkaflow_model::id::InstanceId;
use akkaflow_model::message::Message;
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;

use crate::world::{BEGIN, Change, World, instance_of, workflow};

fn incremental() -> Workflow {
    let text = "start a
        a: ok=b output=max body=${state:last}
        b: ok=e
        end e";
    workflow("wf", text)
        .keeps("last", "0", ("a", "max"))
        .limit(2)
}

fn world() -> World {
    let mut world = World::with_worker();
    world.put(incremental());
    world
}

fn value(world: &World) -> Option<&str> {
    let row = world
        .rows
        .states
        .get(&("wf".to_owned(), "last".to_owned()))?;
    Some(&row.value)
}

fn run_of_day(world: &mut World, day: i64) -> InstanceId {
    let order = Order::Run {
        name: "wf".to_owned(),
        params: Vec::new(),
        fire_time: Some(Timestamp::from_millis(BEGIN + day * 86_400_000)),
        idempotency: None,
        user: String::new(),
    };
    instance_of(world.order(order))
}

fn set(world: &mut World, value: &str) {
    let order = Order::SetState {
        name: "wf".to_owned(),
        values: vec![("last".to_owned(), value.to_owned())],
        user: "u".to_owned(),
    };
    world.order(order).unwrap();
}

#[test]
fn a_success_writes_the_state_and_the_next_instance_sees_it() {
    let mut world = world();
    world.run("wf");
    let dispatch = world.running[0].clone();
    assert_eq!(dispatch.body.text(), "0");
    world.hand_on("a", &[("max", "100")]);
    assert_eq!(value(&world), None, "only once the instance has succeeded");
    world.ok("b");
    assert_eq!(value(&world), Some("100"));
    world.restart();
    world.attach_again("w", 10, 1, &[]);
    world.run("wf");
    assert_eq!(world.take("a").body.text(), "100");
}

#[test]
fn a_failure_writes_nothing_and_its_rerun_sees_what_it_saw() {
    let mut world = world();
    let id = world.run("wf");
    world.hand_on("a", &[("max", "100")]);
    world.fail("b");
    assert_eq!(world.state(id), InstanceState::Failed);
    assert_eq!(value(&world), None);
    world.pass(1);
    world.run("wf");
    world.hand_on("a", &[("max", "200")]);
    world.ok("b");
    assert_eq!(value(&world), Some("200"));
    world.rerun(id, false).unwrap();
    assert_eq!(world.take("a").body.text(), "0");
}

#[test]
fn an_older_date_does_not_move_the_state_back() {
    let mut world = world();
    let newer = run_of_day(&mut world, 2);
    world.hand_on("a", &[("max", "200")]);
    world.ok("b");
    let older = run_of_day(&mut world, 1);
    world.hand_on("a", &[("max", "100")]);
    world.ok("b");
    assert_eq!(value(&world), Some("200"));
    assert_eq!(world.row(newer).message, None);
    let kept = Message::StateKept {
        names: vec!["last".to_owned()],
        by_hand: false,
    };
    assert_eq!(world.row(older).message, Some(kept));
}

#[test]
fn what_a_person_sets_is_not_overwritten_by_an_instance_that_has_read_before() {
    let mut world = world();
    world.run("wf");
    world.pass(1);
    set(&mut world, "5");
    world.hand_on("a", &[("max", "100")]);
    world.ok("b");
    assert_eq!(value(&world), Some("5"));
    world.pass(1);
    run_of_day(&mut world, -30);
    assert_eq!(world.running[0].body.text(), "5");
    world.hand_on("a", &[("max", "6")]);
    world.ok("b");
    assert_eq!(value(&world), Some("6"), "whatever its date");
}

#[test]
fn only_declared_values_of_known_workflows_are_set() {
    let mut world = world();
    let order = |name: &str, variable: &str| Order::SetState {
        name: name.to_owned(),
        values: vec![(variable.to_owned(), "1".to_owned())],
        user: String::new(),
    };
    assert_eq!(
        world.refused(order("wf", "first")),
        "没有状态值 `first`，可用：last"
    );
    assert!(world.refused(order("none", "last")).contains("不存在"));
}
