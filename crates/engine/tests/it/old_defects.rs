//! What akkaflow 2.12 got wrong, by the numbers of the list of its defects: each must be impossible. Further ones stand
//! beside their subjects, and those of actions there.

use akkaflow_engine::{ExplainObject, Order, OutcomeKind};
use akkaflow_model::definition::DateRule;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::InstanceState;

use crate::world::{Change, World, by, single, workflow};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn world() -> World {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    world.put(single("up2").after(&[]));
    world
}

fn run_single(world: &mut World) -> akkaflow_model::id::InstanceId {
    world.put(single("one"));
    world.run("one")
}

#[test]
fn b1_nodes_that_end_in_the_same_moment_all_count() {
    let mut world = World::with_worker();
    let names: Vec<String> = (0..50).map(|number| format!("n{number}")).collect();
    let branches: String = names.iter().map(|name| format!("{name}: ok=j\n")).collect();
    let fork = format!("start f\n fork f: {}\n", names.join(" "));
    world.attach("x", 50);
    world.put(workflow("wf", &(fork + &branches + "join j: e\n end e")));
    let id = world.run("wf");
    assert_eq!(world.running.len(), 50);
    world.run_out();
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn b2_an_attempt_that_nobody_accepts_is_made_again_and_the_instance_goes_on() {
    let mut world = World::with_worker();
    let id = run_single(&mut world);
    let lost = world.take("a");
    world.detach("w");
    // It comes back and knows nothing of what it was asked to run.
    world.attach_again("w", 10, 2, &[]);
    assert!(world.take("a").key.attempt > lost.key.attempt);
    assert_eq!(world.state(id), InstanceState::Running);
}

#[test]
fn b3_what_a_dead_worker_ran_is_run_by_another() {
    let mut world = World::with_worker();
    let id = run_single(&mut world);
    let first = world.take("a");
    world.detach("w");
    world.attach("x", 1);
    world.pass(HOUR);
    let second = world.take("a");
    assert_eq!(
        (first.worker.to_string(), second.worker.to_string()),
        ("w".into(), "x".into())
    );
    world.report(&second, OutcomeKind::Succeeded);
    assert_eq!(world.state(id), InstanceState::Succeeded);
}

#[test]
fn b23_nothing_starts_after_a_kill_though_a_retry_was_due() {
    let mut world = World::with_worker();
    world.put(workflow(
        "wf",
        "start a\n a: ok=e retry=9 interval=60\n end e",
    ));
    let id = world.run("wf");
    world.fail("a");
    world.kill(id);
    world.pass(HOUR);
    assert_eq!(
        (world.running_nodes().as_str(), world.state(id)),
        ("", InstanceState::Killed)
    );
}

#[test]
fn c1_midnight_erases_neither_half_met_dependencies_nor_a_late_slot() {
    let mut world = world();
    world.put(single("both").after(&["up", "up2"]));
    world.put(single("late").cron("58 23 * * *").after(&["up2"]));
    world.give("up");
    world.pass(2 * DAY);
    world.give("up2");
    assert_eq!(world.instances_of("both").len(), 1);
    assert_eq!(world.slots_of("late")[0], "01T23:58 fired");
}

#[test]
fn c2_late_success_of_yesterday_does_not_start_today() {
    let mut world = world();
    let down = single("down").cron("0 12 * * *");
    world.put(down.after_all(&[by("up", DateRule::SameDay)]));
    let yesterday = world.trigger("up");
    world.fail("a");
    world.pass(DAY + HOUR);
    world.rerun(yesterday, false).unwrap();
    world.succeed("up");
    world.pass(12 * HOUR);
    assert_eq!(
        world.slots_of("down"),
        ["01T12:00 fired", "02T12:00 waiting"]
    );
}

#[test]
fn c3_manual_trigger_uses_up_no_readiness() {
    let mut world = world();
    world.put(single("down").cron("0 1 * * *").after(&["up"]).limit(9));
    world.give("up");
    world.trigger("down");
    world.pass(HOUR);
    assert_eq!(world.slots_of("down").last().unwrap(), "01T01:00 fired");
}

#[test]
fn c4_slots_and_successes_from_before_a_restart_count_after_it() {
    let mut world = world();
    world.put(single("down").cron("0 1 * * *").after(&["up"]));
    world.give("up");
    world.outage(3 * HOUR);
    assert_eq!(world.slots_of("down"), ["01T01:00 fired"]);
}

#[test]
fn c5_rerun_and_restart_keep_why_an_instance_was_started() {
    let mut world = world();
    world.put(single("down").after(&["up"]));
    let id = world.run("up");
    world.fail("a");
    world.rerun(id, false).unwrap();
    world.restart();
    world.attach_again("w", 10, 1, &[world.running[0].key.clone()]);
    world.ok("a");
    assert_eq!(world.row(id).trigger, TriggerKind::Run);
    assert!(world.instances_of("down").is_empty());
}

#[test]
fn c6_rerun_next_day_has_the_same_dates_and_keeps_the_attempt_before() {
    let mut world = world();
    let wf = single("wf").cron("0 1 * * *");
    world.put(wf.params(&[("day", "${time.today|yyyyMMdd}")]));
    world.pass(HOUR);
    let id = world.instances_of("wf")[0].id;
    world.fail("a");
    world.pass(DAY - HOUR);
    world.rerun(id, false).unwrap();
    assert_eq!(world.row(id).params[0].1, "20260101");
    assert_eq!(
        world
            .rows
            .attempts
            .keys()
            .filter(|key| key.instance == id)
            .count(),
        2
    );
}

#[test]
fn c7_unknown_or_disabled_upstream_is_named() {
    let mut world = world();
    world.put(single("up2").cron("0 1 * * *").disabled());
    world.put(single("down").after(&["up2", "nowhere"]));
    assert_eq!(
        world.codes(ExplainObject::Workflow("down".into())),
        ["upstream_not_ready", "upstream_missing"]
    );
    let reasons = world
        .engine
        .explain(&ExplainObject::Workflow("down".into()));
    assert!(reasons[0].text.en.contains("does not start by itself"));
}

#[test]
fn c8_a_clock_change_drops_and_doubles_no_daily_slot() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("30 2 * * *")
            .limit(999)
            .with(|it| it.time_zone = Some(chrono_tz::Europe::Berlin)),
    );
    world.pass(365 * DAY);
    assert_eq!(world.instances_of("wf").len(), 365);
}

#[test]
fn c9_queued_instance_can_be_killed_and_then_deleted() {
    let mut world = world();
    world.trigger("up");
    let id = world.trigger("up");
    world.kill(id);
    assert_eq!(world.state(id), InstanceState::Killed);
    let is_stored = true;
    world
        .order(Order::DeleteInstance { id, is_stored })
        .unwrap();
}

#[test]
fn c10_why_an_instance_was_killed_is_stored() {
    let mut world = world();
    let id = world.trigger("up");
    world.kill(id);
    world.run_out();
    let message = world.row(id).message.as_ref().unwrap();
    assert!(
        message
            .render(akkaflow_model::text::Lang::En)
            .contains("ann")
    );
}
