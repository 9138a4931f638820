use akkaflow_engine::{ExplainObject, Input, Order};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::Record;
use akkaflow_model::state::InstanceState;

use crate::world::{Change, World, run, single};

#[test]
fn instances_beyond_the_limit_wait_first_in_first_out() {
    let mut world = World::with_worker();
    world.put(single("wf").limit(2));
    let ids: Vec<_> = (0..5).map(|_| world.run("wf")).collect();
    let states = |world: &World| {
        ids.iter()
            .map(|id| world.state(*id).code().to_string())
            .collect::<String>()
    };
    assert_eq!(states(&world), "11000");
    assert_eq!(
        world.codes(ExplainObject::Instance(ids[3])),
        ["instance_limit", "queued"]
    );
    world.restart();
    world.attach_again(
        "w",
        10,
        1,
        &world
            .running
            .iter()
            .map(|dispatch| dispatch.key.clone())
            .collect::<Vec<_>>(),
    );
    world.ok("a");
    assert_eq!(states(&world), "31100");
    world.run_out();
    assert_eq!(states(&world), "33333");
}

#[test]
fn higher_limit_lets_waiting_instances_start() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    world.run("wf");
    let second = world.run("wf");
    world.put(single("wf").limit(2));
    assert_eq!(world.state(second), InstanceState::Running);
}

#[test]
fn limit_of_zero_never_starts_and_says_so() {
    let mut world = World::with_worker();
    world.put(single("wf").limit(0));
    let id = world.run("wf");
    assert_eq!(world.state(id), InstanceState::Ready);
    assert_eq!(
        world.codes(ExplainObject::Instance(id)),
        ["instance_limit_zero"]
    );
}

#[test]
fn workflows_do_not_wait_for_each_other() {
    let mut world = World::with_worker();
    world.put(single("one"));
    world.put(single("two"));
    world.run("one");
    let waiting = world.run("one");
    let other = world.run("two");
    assert_eq!(world.state(waiting), InstanceState::Ready);
    assert_eq!(world.state(other), InstanceState::Running);
}

#[test]
fn waiting_instance_can_be_killed() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let first = world.run("wf");
    let second = world.run("wf");
    let third = world.run("wf");
    let request = world.kill(second);
    assert!(world.replies[&request].is_ok());
    assert_eq!(world.state(second), InstanceState::Killed);
    world.ok("a");
    assert_eq!(world.state(first), InstanceState::Succeeded);
    assert_eq!(world.state(third), InstanceState::Running);
}

#[test]
fn workflow_that_cannot_run_refuses_and_says_why() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("* * * * *").not_runnable("no such type"));
    assert_eq!(world.refused(run("wf")), "no such type");
    assert_eq!(
        world.refused(Order::Trigger {
            name: "wf".into(),
            ignore_nodes: Vec::new(),
            fire_time: None,
            user: String::new(),
        }),
        "no such type"
    );
    world.pass(600);
    assert!(world.instances_of("wf").is_empty());
    let of_workflow = ExplainObject::Workflow("wf".into());
    assert_eq!(world.codes(of_workflow.clone()), ["not_runnable"]);
    world.take_over();
    assert_eq!(world.engine.not_runnable().len(), 1);
    world.put(single("wf").cron("* * * * *"));
    let reasons = world.engine.explain(&of_workflow);
    let text = &reasons[0].text;
    assert_eq!(text.en, "its next time is 2026-01-01 00:11:00 UTC");
    assert_eq!(text.zh, "下次触发时间2026-01-01 00:11:00 UTC");
    world.tick();
    assert!(world.instances_of("wf").is_empty(), "the past stays past");
    world.pass(60);
    assert_eq!(world.instances_of("wf").len(), 1);
}

#[test]
fn definition_that_cannot_be_read_any_more_holds_everything_visibly() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    let waiting = world.run("wf");
    let definitions = std::mem::take(&mut world.definitions);
    world.restart();
    world.attach("w", 10);
    assert_eq!(
        world.codes(ExplainObject::Instance(waiting))[0],
        "definition_unreadable"
    );
    let request = world.kill(id);
    let key = world.running[0].key.clone();
    world.input(akkaflow_engine::Input::Tombstoned {
        worker: akkaflow_model::id::WorkerId("w".into()),
        key,
    });
    assert!(world.replies[&request].is_ok());
    assert_eq!(world.state(id), InstanceState::Killed);
    world.definitions = definitions;
}

#[test]
fn an_instance_whose_definition_is_gone_fails_when_its_turn_comes() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    let waiting = world.run("wf");
    let version = world.row(waiting).version.clone();
    world.put(single("wf").cron("0 0 1 1 *"));
    world.definitions.remove(&version);
    world.restart();
    // Past the replays of the world, which remember the definition.
    let order = Order::Kill {
        id,
        user: "ann".into(),
    };
    let request = akkaflow_model::id::RequestId(99);
    let mut records = world
        .engine
        .step(world.now, Input::Order { request, order })
        .records;
    let tombstoned = Input::Tombstoned {
        worker: akkaflow_model::id::WorkerId("w".into()),
        key: world.running[0].key.clone(),
    };
    records.extend(world.engine.step(world.now, tombstoned).records);
    let ended = |wanted: InstanceId, state: InstanceState| {
        let is_it = |record: &Record| matches!(record, Record::Instance(row) if row.id == wanted && row.state == state);
        records.iter().any(is_it)
    };
    assert!(ended(id, InstanceState::Killed));
    assert!(ended(waiting, InstanceState::Failed));
}
