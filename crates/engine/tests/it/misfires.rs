//! What becomes of slots that nobody could fire in time, as stories: a policy, an outage, what each slot became.

use akkaflow_model::definition::Misfire;

use crate::world::{Change, World, single};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A daily slot at one o'clock; the master is away from the first of January, noon, until the sixth.
fn after_five_days_away(misfire: Misfire, has_upstream: bool) -> Vec<String> {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    let mut daily = single("daily").cron("0 1 * * *").misfire(misfire).limit(9);
    if has_upstream {
        daily = daily.after(&["up"]);
    }
    world.now = world.now.plus(std::time::Duration::from_secs(12 * HOUR));
    world.put(daily);
    world.outage(5 * DAY);
    world.pass(HOUR);
    world.slots_of("daily")
}

#[test]
fn once_makes_one_run_of_what_was_missed_within_a_day() {
    assert_eq!(
        after_five_days_away(Misfire::Once, false),
        ["02T01:00..05T01:00 skipped too_old", "06T01:00 fired"]
    );
}

#[test]
fn deadline_makes_one_run_of_what_is_not_older() {
    let days = |days| Misfire::Deadline {
        seconds: days * DAY,
    };
    assert_eq!(
        after_five_days_away(days(3), false),
        [
            "02T01:00..03T01:00 skipped too_old",
            "04T01:00..05T01:00 coalesced",
            "06T01:00 fired"
        ]
    );
    assert_eq!(
        after_five_days_away(Misfire::Deadline { seconds: 60 }, false),
        ["02T01:00..06T01:00 skipped too_old"]
    );
    assert_eq!(
        after_five_days_away(Misfire::Deadline { seconds: u64::MAX }, false),
        ["02T01:00..05T01:00 coalesced", "06T01:00 fired"]
    );
}

#[test]
fn skip_makes_none() {
    assert_eq!(
        after_five_days_away(Misfire::Skip, false),
        ["02T01:00..06T01:00 skipped missed"]
    );
}

#[test]
fn all_makes_each_the_earliest_first() {
    assert_eq!(
        after_five_days_away(Misfire::All, false),
        ["02", "03", "04", "05", "06"].map(|day| format!("{day}T01:00 fired"))
    );
}

#[test]
fn what_the_policy_lets_fire_waits_for_upstreams_like_any_slot() {
    assert_eq!(
        after_five_days_away(Misfire::Once, true),
        ["02T01:00..05T01:00 skipped too_old", "06T01:00 waiting"]
    );
    assert_eq!(
        after_five_days_away(Misfire::All, true),
        ["02", "03", "04", "05", "06"].map(|day| format!("{day}T01:00 waiting"))
    );
}

#[test]
fn under_all_each_success_serves_one_waiting_slot() {
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    let down = single("down").cron("0 * * * *").after(&["up"]).limit(9);
    world.put(down.misfire(Misfire::All));
    world.pass(2 * HOUR);
    world.give("up");
    assert_eq!(
        world.slots_of("down"),
        ["01T01:00 fired", "01T02:00 waiting"]
    );
    world.give("up");
    assert_eq!(world.slots_of("down"), ["01T01:00 fired", "01T02:00 fired"]);
}

#[test]
fn a_slot_that_is_seconds_late_was_not_missed() {
    let mut world = World::with_worker();
    world.put(single("wf").cron("0 * * * *").misfire(Misfire::Skip));
    world.outage(HOUR + 59);
    assert_eq!(world.slots_of("wf"), ["01T01:00 fired"]);
    world.outage(HOUR + 2);
    assert_eq!(
        world.slots_of("wf"),
        ["01T01:00 fired", "01T02:00 skipped missed"]
    );
}

#[test]
fn all_makes_up_for_the_newest_hundred_and_records_the_rest() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("* * * * *")
            .misfire(Misfire::All)
            .limit(999),
    );
    world.outage(400 * DAY);
    let slots = world.slots_of("wf");
    assert_eq!(slots.len(), 101);
    assert_eq!(slots[0], "01T00:01..02-04T22:20 skipped too_many");
    assert!(slots[1..].iter().all(|slot| slot.ends_with(" fired")));
    assert_eq!(world.instances_of("wf").len(), 100);
    let dates: Vec<_> = world
        .instances_of("wf")
        .iter()
        .map(|it| it.fire_time)
        .collect();
    assert!(dates.is_sorted(), "the earliest first");
}

#[test]
fn all_finds_its_hundred_where_slots_lie_unevenly() {
    let mut world = World::with_worker();
    let wf = single("wf")
        .cron("* * 1 * *")
        .misfire(Misfire::All)
        .limit(999);
    world.now = world.now.plus(std::time::Duration::from_secs(2 * DAY));
    world.put(wf);
    world.outage(39 * DAY);
    let slots = world.slots_of("wf");
    assert_eq!(slots[0], "02-01T00:00..02-01T22:19 skipped too_many");
    assert_eq!((slots.len(), &*slots[100]), (101, "02-01T23:59 fired"));
}

#[test]
fn catch_up_fires_the_past_once_at_first_load() {
    let wf = |misfire| {
        let wf = single("wf").cron("0 1 * * *").limit(999).misfire(misfire);
        wf.window("2025-12-29 00:00:00", "2090-01-01 00:00:00")
            .with(|coordinator| coordinator.catch_up = true)
    };
    let mut world = World::with_worker();
    world.put(wf(Misfire::All));
    world.tick();
    let past = ["12-29", "12-30", "12-31"].map(|day| format!("{day}T01:00 fired"));
    assert_eq!(world.slots_of("wf"), past);
    world.restart();
    world.put(wf(Misfire::All).limit(998));
    world.put(wf(Misfire::All).disabled());
    world.put(wf(Misfire::All));
    world.tick();
    assert_eq!(world.slots_of("wf"), past, "and never again");

    let mut world = World::with_worker();
    world.put(wf(Misfire::Once));
    world.tick();
    assert_eq!(
        world.slots_of("wf"),
        ["12-29T01:00..12-30T01:00 coalesced", "12-31T01:00 fired"]
    );
    world.outage(4 * DAY);
    assert_eq!(
        world.slots_of("wf")[2..],
        ["01T01:00..03T01:00 skipped too_old", "04T01:00 fired"],
        "what was missed later is missed as ever"
    );
}

#[test]
fn catch_up_is_not_cut_off_by_the_deadline_of_a_day_but_by_one_that_is_said() {
    let wf = |misfire| {
        let monthly = single("wf").cron("0 1 5 * *").misfire(misfire);
        monthly
            .window("2025-11-01 00:00:00", "2090-01-01 00:00:00")
            .with(|coordinator| coordinator.catch_up = true)
    };
    let mut world = World::with_worker();
    world.put(wf(Misfire::Once));
    world.tick();
    assert_eq!(
        world.slots_of("wf"),
        ["11-05T01:00 coalesced", "12-05T01:00 fired"]
    );
    let mut world = World::with_worker();
    world.put(wf(Misfire::Deadline { seconds: DAY }));
    world.tick();
    assert_eq!(
        world.slots_of("wf"),
        ["11-05T01:00..12-05T01:00 skipped too_old"]
    );
}
