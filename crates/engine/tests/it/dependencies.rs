use akkaflow_engine::{ExplainObject, Order};
use akkaflow_model::record::{FireState, TriggerKind};
use akkaflow_model::state::InstanceState;

use crate::world::{BEGIN, Change, World, run, single};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn world() -> World {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    world.put(single("up2").after(&[]));
    world
}

fn count(world: &World, workflow: &str) -> usize {
    world.instances_of(workflow).len()
}

fn give(world: &mut World, upstream: &str) {
    world.trigger(upstream);
    world.ok("a");
}

#[test]
fn dependant_fires_once_all_upstreams_have_succeeded() {
    let mut world = world();
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up");
    assert_eq!(count(&world, "down"), 0);
    let why = world.codes(ExplainObject::Workflow("down".into()));
    assert_eq!(why, ["upstream_not_ready"]);
    give(&mut world, "up2");
    assert_eq!(count(&world, "down"), 1);
    let fire = world.fires_of("down")[0];
    assert_eq!(
        (fire.kind, fire.state),
        (TriggerKind::Dependency, FireState::Fired)
    );
    assert_eq!(
        fire.key,
        world.instances_of("up2")[0].id.to_string(),
        "named by the newest token"
    );
    let consumer = fire.instance;
    assert!(
        world
            .rows
            .tokens
            .values()
            .all(|token| token.consumed_by == consumer)
    );
}

#[test]
fn surplus_tokens_are_consumed_together() {
    let mut world = world();
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up");
    give(&mut world, "up");
    give(&mut world, "up2");
    world.ok("a");
    give(&mut world, "up2");
    assert_eq!(count(&world, "down"), 1, "the second token of up is gone");
    assert_eq!(world.rows.tokens.len(), 4);
}

#[test]
fn run_gives_no_token_and_neither_does_failure() {
    let mut world = world();
    world.put(single("down").after(&["up"]));
    world.run("up");
    world.ok("a");
    world.trigger("up");
    world.fail("a");
    assert_eq!(count(&world, "down"), 0);
}

#[test]
fn rerun_after_failure_gives_the_token_once() {
    let mut world = world();
    world.put(single("down").after(&["up"]));
    let id = world.trigger("up");
    world.fail("a");
    world.rerun(id, false).unwrap();
    world.ok("a");
    assert_eq!(count(&world, "down"), 1);
    world.ok("a");
    for _ in 0..2 {
        world.rerun(id, false).unwrap();
        world.ok("a");
    }
    world.rerun(id, false).unwrap();
    world.fail("a");
    world.rerun(id, false).unwrap();
    world.ok("a");
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn dependant_that_comes_later_gets_nothing_from_the_past() {
    let mut world = world();
    let id = world.trigger("up");
    world.ok("a");
    world.put(single("down").after(&["up"]));
    world.rerun(id, false).unwrap();
    world.ok("a");
    assert_eq!(count(&world, "down"), 0);
}

#[test]
fn tokens_survive_a_restart_and_a_replacement_that_keeps_the_edge() {
    let mut world = world();
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up");
    world.restart();
    world.attach("w", 10);
    world.put(single("down").after(&["up", "up2"]).limit(3));
    give(&mut world, "up2");
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn dropped_edge_drops_its_tokens() {
    let mut world = world();
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up");
    world.put(single("down").after(&["up2"]));
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up2");
    assert_eq!(count(&world, "down"), 0);
}

#[test]
fn reset_clears_readiness() {
    let mut world = world();
    world.put(single("down").after(&["up", "up2"]));
    give(&mut world, "up");
    world
        .order(Order::ResetWorkflow {
            name: "down".into(),
        })
        .unwrap();
    give(&mut world, "up2");
    assert_eq!(count(&world, "down"), 0);
    world.order(Order::ResetAll).unwrap();
    assert_eq!(
        world.engine.readiness("down"),
        [("up".to_owned(), 0), ("up2".to_owned(), 0)]
    );
}

#[test]
fn disabled_dependant_keeps_its_tokens_until_it_is_enabled() {
    let mut world = world();
    world.put(single("down").after(&["up"]).disabled());
    give(&mut world, "up");
    assert_eq!(count(&world, "down"), 0);
    world.put(single("down").after(&["up"]));
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn workflow_without_cron_and_dependency_never_fires() {
    let mut world = world();
    world.pass(100 * 24 * 3600);
    assert_eq!(count(&world, "up"), 0);
    assert_eq!(
        world.codes(ExplainObject::Workflow("up".into())),
        ["no_trigger"]
    );
}

#[test]
fn workflows_that_wait_for_each_other_do_not_hang_the_engine() {
    let mut world = World::new();
    let text = "start e\n end e";
    world.put(crate::world::workflow("a", text).after(&["b"]));
    world.put(crate::world::workflow("b", text).after(&["a"]));
    world.trigger("a");
    assert!(count(&world, "a") > 100);
    assert_eq!(world.engine.next_deadline(), Some(world.now));
    world.put(single("z"));
    world.attach("w", 1);
    world.run("z");
    world.tick();
    assert_eq!(world.running_nodes(), "a", "and keep nobody else waiting");
}

#[test]
fn cron_fires_each_slot_with_its_date() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("0 1 * * *")
            .params(&[("day", "${time.today|yyyyMMdd|-1 day}")]),
    );
    assert_eq!(
        world.engine.next_fire("wf").map(|at| at.as_millis()),
        Some(BEGIN + HOUR)
    );
    world.pass(3600);
    assert_eq!(world.instances_of("wf")[0].params[0].1, "20251231");
    world.ok("a");
    world.pass(24 * 3600);
    let dates: Vec<i64> = world
        .instances_of("wf")
        .iter()
        .map(|row| row.fire_time.as_millis() - BEGIN)
        .collect();
    assert_eq!(dates, [HOUR, HOUR + DAY]);
}

#[test]
fn new_file_never_fires_the_past() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("0 * * * *"));
    world.tick();
    assert_eq!(count(&world, "wf"), 0);
}

#[test]
fn missed_slots_are_merged_into_the_latest_and_old_ones_skipped_as_ranges() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("* * * * *"));
    let engine_went_away_for = 3 * 365 * DAY;
    world.now = akkaflow_model::time::Timestamp::from_millis(BEGIN + engine_went_away_for);
    world.tick();
    let fires: Vec<_> = world
        .fires_of("wf")
        .iter()
        .map(|fire| {
            (
                fire.state,
                fire.due_at.as_millis() - BEGIN,
                fire.through.map(|at| at.as_millis() - BEGIN),
            )
        })
        .collect();
    let minute = 60_000;
    let last = engine_went_away_for;
    assert_eq!(
        fires,
        [
            (FireState::Skipped, minute, Some(last - DAY - minute)),
            (FireState::Coalesced, last - DAY, Some(last - minute)),
            (FireState::Fired, last, None),
        ]
    );
    assert_eq!(count(&world, "wf"), 1);
}

#[test]
fn slot_that_is_too_old_is_skipped() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("0 1 1 * *"));
    world.now = akkaflow_model::time::Timestamp::from_millis(BEGIN + 3 * DAY);
    world.tick();
    assert_eq!(world.fires_of("wf")[0].state, FireState::Skipped);
    assert_eq!(count(&world, "wf"), 0);
}

#[test]
fn slots_that_come_due_while_one_waits_for_its_upstream_are_merged_into_it() {
    let mut world = world();
    world.put(single("down").cron("0 * * * *").after(&["up"]));
    world.pass(3 * 3600);
    let states: Vec<_> = world.fires_of("down").iter().map(|it| it.state).collect();
    assert_eq!(
        states,
        [
            FireState::Waiting,
            FireState::Coalesced,
            FireState::Coalesced
        ]
    );
    world.restart();
    world.attach("w", 10);
    give(&mut world, "up");
    let instances = world.instances_of("down");
    assert_eq!(instances.len(), 1);
    assert_eq!(instances[0].fire_time.as_millis(), BEGIN + HOUR);
    assert_eq!(world.fires_of("down")[0].state, FireState::Fired);
}

#[test]
fn token_before_the_slot_lets_the_slot_fire_on_time() {
    let mut world = world();
    world.put(single("down").cron("0 * * * *").after(&["up"]));
    give(&mut world, "up");
    assert_eq!(count(&world, "down"), 0);
    world.pass(3600);
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn window_is_inclusive_at_both_ends() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("0 * * * *")
            .limit(10)
            .window("2026-01-01 02:00:00", "2026-01-01 04:00:00"),
    );
    world.pass(24 * 3600);
    let hours: Vec<i64> = world
        .instances_of("wf")
        .iter()
        .map(|row| (row.fire_time.as_millis() - BEGIN) / HOUR)
        .collect();
    assert_eq!(hours, [2, 3, 4]);
}

#[test]
fn dependency_fire_waits_for_its_window() {
    let mut world = world();
    world.put(
        single("down")
            .after(&["up"])
            .window("2026-01-01 02:00:00", "2026-01-01 04:00:00"),
    );
    give(&mut world, "up");
    assert_eq!(
        world.codes(ExplainObject::Workflow("down".into())),
        ["outside_window"]
    );
    world.pass(2 * 3600 - 1);
    assert_eq!(count(&world, "down"), 0);
    world.pass(1);
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn disabling_skips_the_waiting_slot_and_enabling_starts_anew() {
    let mut world = world();
    let down = || single("down").cron("0 * * * *").after(&["up"]);
    world.put(down());
    world.pass(3600);
    world.put(down().disabled());
    assert_eq!(world.fires_of("down")[0].state, FireState::Skipped);
    world.pass(5 * 3600);
    world.put(down());
    give(&mut world, "up");
    assert_eq!(count(&world, "down"), 0);
    world.pass(3600);
    assert_eq!(count(&world, "down"), 1);
}

#[test]
fn generation_grows_only_with_the_cron_text() {
    let mut world = World::with_worker();
    let generation = |world: &World| world.rows.schedules["wf"].generation;
    world.put(single("wf").cron("0 * * * *"));
    world.put(single("wf").cron("0 * * * *").limit(2));
    assert_eq!(generation(&world), 1);
    world.put(single("wf").cron("1 * * * *"));
    assert_eq!(generation(&world), 2);
    world.put(single("wf").cron("1 * * * *").disabled());
    world.put(single("wf").cron("1 * * * *"));
    assert_eq!(generation(&world), 2);
}

#[test]
fn wrong_parameters_of_a_fire_fail_its_instance_visibly() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("0 * * * *")
            .params(&[("x", "${param:gone}")]),
    );
    world.pass(3600);
    let row = world.instances_of("wf")[0];
    assert_eq!(row.state, InstanceState::Failed);
    assert!(row.message.is_some());
    assert!(world.order(run("wf")).is_err());
}

#[test]
fn explain_names_a_missing_upstream() {
    let mut world = World::new();
    world.put(single("down").after(&["nowhere"]));
    assert_eq!(
        world.codes(ExplainObject::Workflow("down".into())),
        ["upstream_missing"]
    );
}

#[test]
fn ten_thousand_workflows_due_at_once_are_served_in_bounded_steps() {
    let mut world = World::new();
    let mut engine = akkaflow_engine::Engine::load(
        crate::world::options(),
        Default::default(),
        Default::default(),
    );
    for n in 0..10_000 {
        let workflow = std::sync::Arc::new(single(&format!("wf{n}")).cron("0 * * * *"));
        engine.step(
            world.now,
            akkaflow_engine::Input::Order {
                request: akkaflow_model::id::RequestId(n),
                order: Order::PutWorkflow {
                    workflow,
                    origin: crate::world::api(),
                    findings: Vec::new(),
                },
            },
        );
    }
    world.now = akkaflow_model::time::Timestamp::from_millis(BEGIN + HOUR);
    let mut steps = 0;
    while engine
        .next_deadline()
        .is_some_and(|deadline| deadline <= world.now)
    {
        let step = engine.step(world.now, akkaflow_engine::Input::Tick);
        assert!(step.records.len() < 20_000);
        steps += 1;
    }
    assert_eq!(engine.counts().open_instances, 10_000);
    assert!((10..100).contains(&steps), "{steps} steps");
}
