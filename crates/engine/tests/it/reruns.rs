use std::sync::Arc;

use akkaflow_engine::{Order, OutcomeKind, RerunFrom};
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::time::Timestamp;

use crate::world::{Change, World, how, single, workflow};

const TEXT: &str = "start a
    a: ok=f
    fork f: b c
    b: ok=j
    c: ok=j
    join j: d
    d: ok=e
    end e";

/// `a` and `b` have succeeded, `c` has failed.
fn broken() -> (World, akkaflow_model::id::InstanceId) {
    let mut world = World::with_worker();
    world.put(workflow("wf", TEXT));
    let id = world.run("wf");
    world.ok("a");
    world.ok("b");
    world.fail("c");
    assert_eq!(world.state(id), InstanceState::Failed);
    (world, id)
}

#[test]
fn rerun_from_failed_keeps_what_has_succeeded() {
    let (mut world, id) = broken();
    world.pass(60);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "c");
    let row = world.row(id);
    assert_eq!((row.run, row.state), (2, InstanceState::Running));
    let [earlier] = row.earlier.as_slice() else {
        panic!("the first run is forgotten: {row:?}");
    };
    assert_eq!((earlier.run, earlier.state), (1, InstanceState::Failed));
    assert!(earlier.started_at.is_some() && earlier.ended_at.is_some());
    assert!(row.ended_at.is_none() && row.message.is_none());
    world.restart();
    let key = world.running[0].key.clone();
    world.attach_again("w", 10, 1, &[key]);
    world.ok("c");
    world.ok("d");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.node(id, "a").run, 2);
    assert_eq!(world.rows.attempts.len(), 5, "a b c, then c d");
}

#[test]
fn rerun_of_all_starts_from_the_beginning() {
    let (mut world, id) = broken();
    world.rerun(id, false).unwrap();
    assert_eq!(world.running_nodes(), "a");
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.rows.attempts.len(), 7, "earlier attempts stay");
}

#[test]
fn waiting_rerun_remembers_what_it_keeps_over_a_restart() {
    let (mut world, id) = broken();
    world.run("wf");
    world.rerun(id, true).unwrap();
    assert_eq!(world.state(id), InstanceState::Ready);
    world.restart();
    world.attach_again("w", 10, 2, &[]);
    world.running.clear();
    let other = world.instances_of("wf")[1].id;
    world.kill(other);
    for key in world.cancelled.clone() {
        world.input(akkaflow_engine::Input::AttemptFinished {
            worker: akkaflow_model::id::WorkerId("w".into()),
            key: key.0,
            outcome: akkaflow_engine::Outcome::new(OutcomeKind::Cancelled),
        });
    }
    assert_eq!(world.running_nodes(), "c");
}

#[test]
fn rerun_takes_the_newest_definition_and_nodes_that_it_lacks_vanish() {
    let (mut world, id) = broken();
    world.put(workflow("wf", "start b\n b: ok=n\n n: ok=e\n end e"));
    world.rerun(id, true).unwrap();
    assert_eq!(world.nodes(id), "b:succeeded n:running start:succeeded");
    world.ok("n");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn pinned_rerun_keeps_the_definition_it_ran_with() {
    let (mut world, id) = broken();
    let pinned = world.definitions.get(&world.row(id).version).cloned();
    world.put(single("wf"));
    let stored = world.stored(id);
    world
        .order(Order::Rerun {
            id,
            stored,
            how: how(RerunFrom::Failed, pinned),
        })
        .unwrap();
    assert_eq!(world.running_nodes(), "c");
}

#[test]
fn what_comes_after_a_node_that_runs_again_runs_again() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=c error=x\n x: ok=c\n c: ok=d\n d: ok=e\n end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    world.ok("x");
    world.ok("c");
    world.fail("d");
    world.rerun(id, true).unwrap();
    world.ok("a");
    assert_eq!(world.running_nodes(), "c");
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert!(!world.row(id).handled_errors);
    assert!(!world.nodes(id).contains("x:"));
}

#[test]
fn rerun_of_a_success_ends_as_success_again() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    world.ok("a");
    world.rerun(id, true).unwrap();
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.row(id).run, 2);
}

#[test]
fn rerun_keeps_dates_trigger_and_parameters() {
    let mut world = World::with_worker();
    let daily = || single("wf").cron("0 1 * * *");
    world.put(daily().params(&[("day", "${time.today|yyyyMMdd}")]));
    world.pass(3600);
    world.fail("a");
    let id = world.instances_of("wf")[0].id;
    world.pass(3 * 3600);
    world.put(daily().params(&[
        ("day", "${time.yestoday|yyyyMMdd}"),
        ("new", "${time.today|yyyy}"),
    ]));
    world.rerun(id, false).unwrap();
    let row = world.row(id);
    assert_eq!(row.trigger, TriggerKind::Cron);
    assert_eq!(
        row.params,
        [
            ("day".to_owned(), "20260101".to_owned()),
            ("new".to_owned(), "2026".to_owned())
        ]
    );
}

#[test]
fn retry_counts_start_anew_in_a_rerun() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=e retry=1\n end e"));
    let id = world.run("wf");
    world.fail("a");
    world.fail("a");
    world.rerun(id, true).unwrap();
    world.fail("a");
    world.ok("a");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.node_state(id, "a"), NodeState::Succeeded);
}

#[test]
fn reruns_that_make_no_sense_are_refused_in_the_words_of_akkaflow() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    let waiting = world.run("wf");
    let refused = |world: &mut World, id| {
        let stored = world.stored(id);
        world.refused(Order::Rerun {
            id,
            stored,
            how: how(RerunFrom::Start, None),
        })
    };
    assert_eq!(
        refused(&mut world, id),
        format!("工作流实例[{id}]已经在重跑")
    );
    assert_eq!(
        refused(&mut world, waiting),
        format!("工作流实例[{waiting}]已经存在等待队列中")
    );
    world.run_out();
    let nobody = akkaflow_model::id::InstanceId::from_u128(5);
    assert_eq!(
        refused(&mut world, nobody),
        format!("工作流实例[{nobody}]不存在")
    );
    world
        .order(Order::DeleteWorkflow { name: "wf".into() })
        .unwrap();
    assert_eq!(
        refused(&mut world, id),
        format!("找不到该工作流实例[{id}]中的工作流[wf]")
    );
}

#[test]
fn an_action_that_was_a_fork_before_has_not_run_yet() {
    let (mut world, id) = broken();
    let text = "start a
        a: ok=f
        f: ok=c
        c: ok=e
        end e";
    world.put(workflow("wf", text));
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "f");
}

#[test]
fn what_the_store_calls_open_is_not_run_again() {
    let (mut world, id) = broken();
    let mut stored = world.stored(id).unwrap();
    stored.instance.state = InstanceState::Running;
    let order = Order::Rerun {
        id,
        stored: Some(stored),
        how: how(RerunFrom::Failed, None),
    };
    assert!(world.refused(order).contains("尚未结束"));
}

#[test]
fn a_node_whose_edges_cannot_be_decided_by_the_new_definition_runs_again() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    let id = world.run("wf");
    world.ok("a");
    world.fail("b");
    let text = "start a\n a: ok=b[param.n=='1']\n b: ok=e\n end e";
    let changed = Arc::new(workflow("wf", text));
    world
        .definitions
        .insert(changed.version.clone(), Arc::clone(&changed));
    let stored = world.stored(id);
    world
        .order(Order::Rerun {
            id,
            stored,
            how: how(RerunFrom::Failed, Some(changed)),
        })
        .unwrap();
    assert_eq!(world.running_nodes(), "a");
}

#[test]
fn an_instance_replays_alone_though_a_clock_goes_back() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=b\n b: ok=e\n end e"));
    let id = world.run("wf");
    world.pass(60);
    world.ok("a");
    let ended = world.node(id, "a").ended_at;
    // Within the term of a master time stands still until it has come back; each step is replayed alone.
    world.now = Timestamp::from_millis(world.now.as_millis() - 30_000);
    world.ok("b");
    assert_eq!(world.state(id), InstanceState::Succeeded);
    assert_eq!(world.row(id).ended_at, ended);
}
