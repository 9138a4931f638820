//! Rules by which successes of upstreams count, as stories. The upstreams run when people trigger them, so that their
//! business date is the day of the story.

use akkaflow_engine::{ExplainObject, Order};
use akkaflow_model::definition::{DateRule, Dependency, DependencyTerm, Workflow};

use crate::world::{Change, World, by, single};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn world(down: Workflow) -> World {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    world.put(single("up2").after(&[]));
    world.put(down.limit(99));
    world
}

/// A slot each day at noon.
fn daily(rule: DateRule) -> World {
    world(
        single("down")
            .cron("0 12 * * *")
            .after_all(&[by("up", rule)]),
    )
}

fn held(world: &World) -> usize {
    world.rows.tokens.values().filter(|it| it.is_held).count()
}

fn why(world: &World) -> Vec<String> {
    let reasons = world
        .engine
        .explain(&ExplainObject::Workflow("down".into()));
    reasons.into_iter().map(|reason| reason.text.en).collect()
}

#[test]
fn same_day_waits_for_the_success_of_its_own_date() {
    let mut world = daily(DateRule::SameDay);
    world.give("up");
    world.pass(DAY);
    assert_eq!(world.slots_of("down"), ["01T12:00 fired"]);
    world.pass(DAY);
    assert_eq!(world.slots_of("down")[1], "02T12:00 waiting");
    assert_eq!(
        why(&world),
        ["upstream workflow `up` lacks a success of business date 2026-01-02"]
    );
}

#[test]
fn each_date_waits_by_itself_and_a_late_success_serves_its_own() {
    let mut world = daily(DateRule::SameDay);
    let late = world.trigger("up");
    world.fail("a");
    world.pass(DAY);
    world.give("up");
    world.pass(DAY);
    assert_eq!(
        world.slots_of("down"),
        ["01T12:00 waiting", "02T12:00 fired"]
    );
    world.restart();
    world.attach("w", 10);
    world.rerun(late, false).unwrap();
    world.succeed("up");
    assert_eq!(world.slots_of("down"), ["01T12:00 fired", "02T12:00 fired"]);
}

#[test]
fn same_day_counts_for_every_slot_of_its_date() {
    let down = single("down").cron("0 */6 * * *");
    let mut world = world(down.after_all(&[by("up", DateRule::SameDay)]));
    world.pass(7 * HOUR);
    world.give("up");
    world.pass(13 * HOUR);
    assert_eq!(
        world.slots_of("down"),
        ["01T06:00 fired", "01T12:00 fired", "01T18:00 fired"]
    );
    world.pass(13 * HOUR);
    assert_eq!(
        world.slots_of("down")[3..],
        ["02T00:00 waiting", "02T06:00 coalesced"],
        "slots of one date that wait are one"
    );
}

#[test]
fn previous_of_itself_makes_a_day_wait_for_the_day_before() {
    let mut world = world(
        single("down")
            .cron("0 12 * * *")
            .after_all(&[by("down", DateRule::Previous)]),
    );
    world.pass(DAY);
    assert_eq!(world.slots_of("down"), ["01T12:00 waiting"]);
    assert_eq!(
        why(&world),
        ["upstream workflow `down` lacks a success of business date 2025-12-31"]
    );
    world.give("down");
    world.pass(DAY);
    assert_eq!(
        world.slots_of("down").last().unwrap(),
        "02T12:00 waiting",
        "triggered on the second, which is the day before the third"
    );
    world.pass(DAY);
    let fired = world.instances_of("down").last().unwrap().id;
    assert_eq!(world.slots_of("down").last().unwrap(), "03T12:00 fired");
    world.fail("a");
    world.pass(DAY);
    assert_eq!(world.slots_of("down").last().unwrap(), "04T12:00 waiting");
    world.rerun(fired, false).unwrap();
    world.succeed("down");
    assert_eq!(world.slots_of("down").last().unwrap(), "04T12:00 fired");
}

#[test]
fn previous_goes_back_over_days_off() {
    let down = single("down").cron("0 12 * * *").with(|coordinator| {
        coordinator.timing.calendar = Some(("week".into(), Default::default()));
    });
    let mut world = world(down.after_all(&[by("up", DateRule::Previous)]));
    world.calendar("d/week.calendar", "weekend sat sun\n");
    // The first of January 2026 is a Thursday.
    world.pass(DAY);
    world.give("up");
    world.pass(4 * DAY);
    assert_eq!(
        world.slots_of("down"),
        ["01T12:00 waiting", "02T12:00 waiting", "05T12:00 fired"]
    );
}

#[test]
fn latest_counts_a_success_that_was_used_before() {
    let mut world = daily(DateRule::Latest);
    world.pass(DAY);
    assert_eq!(world.slots_of("down"), ["01T12:00 waiting"]);
    world.give("up");
    world.restart();
    world.attach("w", 10);
    world.pass(3 * DAY);
    assert!(
        world
            .slots_of("down")
            .iter()
            .all(|it| it.ends_with("fired"))
    );
    assert_eq!(world.slots_of("down").len(), 4);
    assert_eq!(held(&world), 1);
    world.give("up");
    world.pass(DAY);
    assert_eq!(held(&world), 1, "the one before is let go");
    world
        .order(Order::ResetWorkflow {
            name: "down".into(),
        })
        .unwrap();
    assert_eq!(held(&world), 0);
}

#[test]
fn all_of_the_last_days_must_have_succeeded() {
    let mut world = daily(DateRule::AllOfLast(3));
    for _ in 0..2 {
        world.give("up");
        world.pass(DAY);
    }
    assert_eq!(
        world.slots_of("down"),
        ["01T12:00 waiting", "02T12:00 waiting"]
    );
    world.give("up");
    world.pass(DAY);
    assert_eq!(world.slots_of("down")[2], "03T12:00 fired");
    let texts = why(&world);
    assert!(
        texts[0].contains("every business date from 2025-12-30 to 2026-01-01"),
        "{texts:?}"
    );
    world.pass(DAY);
    assert_eq!(world.slots_of("down")[3], "04T12:00 waiting");
}

#[test]
fn any_of_the_last_days_is_enough() {
    let mut world = daily(DateRule::AnyOfLast(3));
    world.give("up");
    world.pass(5 * DAY);
    let states: Vec<String> = world.slots_of("down");
    assert_eq!(
        states,
        [
            "01T12:00 fired",
            "02T12:00 fired",
            "03T12:00 fired",
            "04T12:00 waiting",
            "05T12:00 waiting"
        ]
    );
}

#[test]
fn success_that_is_too_old_does_not_count() {
    let term = DependencyTerm::One(Dependency {
        max_age_seconds: Some(2 * HOUR),
        ..Dependency::fresh("up")
    });
    let mut world = world(single("down").cron("0 12 * * *").after_all(&[term]));
    world.pass(9 * HOUR);
    world.give("up");
    world.pass(6 * HOUR);
    assert_eq!(world.slots_of("down"), ["01T12:00 waiting"]);
    assert!(
        why(&world)[0].contains("not older than 2 h"),
        "{:?}",
        why(&world)
    );
    world.give("up");
    assert_eq!(world.slots_of("down"), ["01T12:00 fired"]);
}

#[test]
fn one_of_several_is_enough() {
    let any = DependencyTerm::AnyOf(vec![Dependency::fresh("up"), Dependency::fresh("up2")]);
    let mut world = world(single("down").after_all(&[any]));
    assert_eq!(
        world.codes(ExplainObject::Workflow("down".into())),
        ["none_of_upstreams"]
    );
    world.give("up2");
    assert_eq!(world.instances_of("down").len(), 1);
    world.run_out();
    world.give("up");
    assert_eq!(
        world.instances_of("down").len(),
        2,
        "and each success starts it"
    );
}

#[test]
fn successes_alone_fire_each_date_once_in_its_order() {
    let rules = [by("up", DateRule::SameDay), by("up2", DateRule::SameDay)];
    let mut world = world(single("down").after_all(&rules));
    let mut late = Vec::new();
    for _ in 0..3 {
        world.give("up");
        world.give("up");
        late.push(world.trigger("up2"));
        world.fail("a");
        world.pass(DAY);
    }
    assert_eq!(world.instances_of("down").len(), 0);
    for id in [late[2], late[0], late[1]] {
        world.rerun(id, false).unwrap();
        world.succeed("up2");
    }
    let dates: Vec<String> = world
        .instances_of("down")
        .iter()
        .map(|row| row.fire_time.to_rfc3339()[8..10].to_owned())
        .collect();
    assert_eq!(dates, ["03", "01", "02"], "as they became complete");
    world.restart();
    world.attach("w", 10);
    world.tick();
    assert_eq!(world.instances_of("down").len(), 3);
}

#[test]
fn what_is_held_is_bounded() {
    let mut world = daily(DateRule::SameDay);
    for _ in 0..150 {
        world.give("up");
        world.give("up");
        world.pass(DAY);
        world.run_out();
    }
    assert!(held(&world) <= 102, "{} tokens are held", held(&world));
    world.put(single("down").after(&["up"]));
    assert_eq!(
        held(&world),
        world.engine.readiness("down")[0].1,
        "plain rules look at nothing that was used"
    );
}

#[test]
fn so_many_dates_wait_each_and_later_ones_with_the_last() {
    let mut world = daily(DateRule::SameDay);
    for _ in 0..102 {
        world.pass(DAY);
    }
    let slots = world.slots_of("down");
    let waiting = slots.iter().filter(|it| it.ends_with("waiting")).count();
    assert_eq!(waiting, 100);
    assert!(slots[101].contains("coalesced"), "{}", slots[101]);
}

#[test]
fn a_chain_runs_through_a_workflow_that_waits_for_its_own_day_before() {
    let rules = [by("up", DateRule::Fresh), by("down", DateRule::Previous)];
    let mut world = world(single("down").cron("0 12 * * *").after_all(&rules));
    world
        .order(Order::TriggerBlood {
            name: "up".into(),
            fire_time: None,
            user: String::new(),
        })
        .unwrap();
    world.ok("a");
    assert_eq!(world.instances_of("down").len(), 1);
}

#[test]
fn the_time_of_a_date_is_that_of_the_last_success_of_that_date() {
    let rules = [by("up", DateRule::Previous), by("up2", DateRule::SameDay)];
    let mut world = world(single("down").after_all(&rules));
    world.pass(5 * HOUR);
    world.give("up");
    world.pass(22 * HOUR);
    world.give("up2");
    let fired = world.instances_of("down")[0].fire_time.to_rfc3339();
    assert!(fired.starts_with("2026-01-02T03:00"), "{fired}");
}

#[test]
fn only_what_may_fire_wakes_up_at_the_beginning_of_its_window() {
    let down = single("down")
        .after(&["up"])
        .window("2026-01-03 00:00:00", "2026-02-01 00:00:00");
    let mut world = world(down.clone());
    world.give("up");
    let begin = world.engine.next_deadline().unwrap().to_rfc3339();
    assert!(begin.starts_with("2026-01-03T00:00"), "{begin}");
    world.put(down.limit(99).disabled());
    assert_eq!(world.engine.readiness("down")[0].1, 1);
    assert_eq!(world.engine.next_deadline(), None);
}
