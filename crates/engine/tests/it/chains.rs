use akkaflow_engine::Order;
use akkaflow_model::command::Answer;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::InstanceState;

use crate::world::{Change, World, single};

/// root, then left and right, then bottom, then tail; beside them one that is disabled.
fn diamond() -> World {
    let mut world = World::with_worker();
    world.put(single("root").after(&[]));
    world.put(single("left").after(&["root"]));
    world.put(single("right").after(&["root"]));
    world.put(single("bottom").after(&["left", "right", "elsewhere"]));
    world.put(single("tail").after(&["bottom"]));
    world.put(single("off").after(&["root"]).disabled());
    world
}

fn begin(world: &mut World) -> (InstanceId, Vec<String>) {
    match world.order(Order::TriggerBlood {
        name: "root".into(),
        fire_time: None,
        user: String::new(),
    }) {
        Ok(Answer::Chain { id, workflows }) => (id, workflows),
        other => panic!("{other:?}"),
    }
}

fn open(world: &World) -> String {
    let mut names: Vec<&str> = world
        .engine
        .open_instances()
        .map(|row| row.workflow.as_str())
        .collect();
    names.sort_unstable();
    names.join(" ")
}

fn end(world: &mut World, workflow: &str, is_good: bool) {
    let position = world
        .running
        .iter()
        .position(|dispatch| *dispatch.workflow == *workflow)
        .unwrap();
    let dispatch = world.running.remove(position);
    let kind = if is_good {
        akkaflow_engine::OutcomeKind::Succeeded
    } else {
        akkaflow_engine::OutcomeKind::Failed
    };
    world.report(&dispatch, kind);
}

#[test]
fn chain_runs_everything_downstream_once_its_upstreams_are_through() {
    let mut world = diamond();
    let (id, workflows) = begin(&mut world);
    assert_eq!(workflows, ["left", "right", "bottom", "tail"]);
    assert_eq!(open(&world), "root");
    end(&mut world, "root", true);
    assert_eq!(open(&world), "left right");
    world.restart();
    let held: Vec<_> = world.running.iter().map(|it| it.key.clone()).collect();
    world.attach_again("w", 10, 1, &held);
    end(&mut world, "left", true);
    assert_eq!(open(&world), "right");
    end(&mut world, "right", true);
    assert_eq!(open(&world), "bottom");
    end(&mut world, "bottom", true);
    end(&mut world, "tail", true);
    assert!(world.rows.chains[&id].remaining.is_empty());
    assert_eq!(world.rows.instances.len(), 5);
    assert!(
        world
            .rows
            .instances
            .values()
            .all(|row| row.chain == Some(id) && row.trigger == TriggerKind::Blood)
    );
    assert!(world.rows.tokens.is_empty(), "a chain gives no tokens");
}

#[test]
fn failure_ends_the_chain_but_not_what_runs() {
    let mut world = diamond();
    let (id, _) = begin(&mut world);
    end(&mut world, "root", true);
    end(&mut world, "left", false);
    end(&mut world, "right", true);
    assert_eq!(open(&world), "");
    assert!(world.rows.chains[&id].remaining.is_empty());
    assert_eq!(
        world.instances_of("right")[0].state,
        InstanceState::Succeeded
    );
}

#[test]
fn several_chains_run_at_once() {
    let mut world = diamond();
    world.put(single("root").after(&[]).limit(2));
    begin(&mut world);
    begin(&mut world);
    end(&mut world, "root", true);
    end(&mut world, "root", false);
    assert_eq!(open(&world), "left right");
    for name in ["left", "right", "bottom", "tail"] {
        end(&mut world, name, true);
    }
    assert_eq!(world.engine.chains().count(), 0);
}

#[test]
fn chain_of_a_workflow_without_dependants_is_a_run() {
    let mut world = diamond();
    let answer = world
        .order(Order::TriggerBlood {
            name: "tail".into(),
            fire_time: None,
            user: String::new(),
        })
        .unwrap();
    assert!(matches!(answer, Answer::Chain { workflows, .. } if workflows.is_empty()));
    world.run_out();
    assert_eq!(open(&world), "");
}

#[test]
fn chain_ends_when_one_of_its_workflows_is_gone() {
    let mut world = diamond();
    begin(&mut world);
    for name in ["tail", "bottom", "left"] {
        world
            .order(Order::DeleteWorkflow { name: name.into() })
            .unwrap();
    }
    end(&mut world, "root", true);
    assert_eq!(world.engine.chains().count(), 0);
}
