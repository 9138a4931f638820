//! Whole schedules: several crons, seconds, a rate, dates, calendars, zones.

use akkaflow_engine::{ExplainObject, Input};
use akkaflow_model::cron::{Cron, Style};
use akkaflow_model::definition::{DateRule, Workflow};
use akkaflow_model::schedule::DayPolicy;

use crate::world::{Change, World, by, single};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn by_calendar(policy: DayPolicy) -> Workflow {
    single("wf")
        .cron("0 8 * * *")
        .limit(99)
        .with(|coordinator| {
            coordinator.timing.calendar = Some(("cn".into(), policy));
        })
}

fn generation(world: &World) -> u32 {
    world.rows.schedules["wf"].generation
}

#[test]
fn crons_a_rate_and_dates_fire_together_and_once_where_they_meet() {
    let mut world = World::with_worker();
    let moment = |text| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    world.put(
        single("wf")
            .cron("0 6 * * *")
            .limit(99)
            .window("2026-01-01 00:00:00", "2090-01-01 00:00:00")
            .with(|coordinator| {
                coordinator.timing.crons = vec![Cron::parse("30 7 * * *").unwrap()];
                coordinator.timing.every_seconds = Some(6 * HOUR);
                coordinator.timing.dates = vec![moment("2026-01-01 09:15")];
            }),
    );
    world.pass(13 * HOUR);
    assert_eq!(
        world.slots_of("wf"),
        ["06:00", "07:30", "09:15", "12:00"].map(|time| format!("01T{time} fired"))
    );
}

#[test]
fn crontab_style_has_seconds() {
    let mut world = World::with_worker();
    let cron = Cron::read("*/20 0 0 * * *", Style::Crontab).unwrap();
    world.put(single("wf").limit(99).with(|it| it.cron = Some(cron)));
    world.pass(120);
    assert_eq!(world.instances_of("wf").len(), 2, "at 20 and 40 seconds");
}

#[test]
fn a_year_of_missed_seconds_is_a_few_rows() {
    let mut world = World::with_worker();
    let cron = Cron::read("* * * * * *", Style::Crontab).unwrap();
    world.put(single("wf").with(|it| it.cron = Some(cron)));
    world.outage(365 * DAY);
    let slots = world.slots_of("wf");
    assert_eq!(slots.len(), 3);
    assert!(slots[2].ends_with("fired"), "{slots:?}");
}

#[test]
fn each_coordinator_has_its_own_zone_for_slots_dates_and_successes() {
    let mut world = World::with_worker();
    world.put(
        single("wf")
            .cron("0 1 * * *")
            .params(&[("day", "${time.today|yyyyMMdd}")])
            .with(|it| it.time_zone = Some(chrono_tz::Asia::Shanghai)),
    );
    world.put(
        single("down")
            .cron("0 20 * * *")
            .after_all(&[by("wf", DateRule::SameDay)]),
    );
    world.pass(18 * HOUR);
    let row = world.instances_of("wf")[0];
    assert_eq!(row.fire_time.to_rfc3339(), "2026-01-01T17:00:00.000Z");
    assert_eq!(row.params[0].1, "20260102", "it is the second there");
    assert_eq!(world.running[0].zone, chrono_tz::Asia::Shanghai);
    world.ok("a");
    world.pass(DAY);
    assert_eq!(world.slots_of("down"), ["01T20:00 waiting"]);
    world.pass(DAY / 2);
    assert_eq!(
        world.slots_of("down"),
        ["01T20:00 waiting", "02T20:00 fired"]
    );
}

#[test]
fn unknown_calendar_is_named_and_fires_nothing() {
    let mut world = World::with_worker();
    world.put(by_calendar(DayPolicy::Only));
    world.pass(DAY);
    assert!(world.fires_of("wf").is_empty());
    assert_eq!(
        world.codes(ExplainObject::Workflow("wf".into())),
        ["calendar_missing"]
    );
    world.calendar("d/cn.calendar", "holiday 2026-01-03 x\n");
    world.tick();
    assert_eq!(
        world.slots_of("wf"),
        ["01T08:00 fired"],
        "what came due meanwhile is for the misfire policy"
    );
    world.pass(DAY);
    assert_eq!(world.slots_of("wf").len(), 2);
}

#[test]
fn calendars_leave_workdays_days_off_or_move_slots() {
    let text =
        "weekend sat sun\nholiday 2026-01-01..2026-01-02 new year\nworkday 2026-01-04 make-up\n";
    for (policy, days) in [
        (DayPolicy::Only, vec!["04", "05", "06"]),
        (DayPolicy::Except, vec!["01", "02", "03"]),
        (DayPolicy::Next, vec!["04", "05", "06"]),
    ] {
        let mut world = World::with_worker();
        world.calendar("d/cn.calendar", text);
        world.put(by_calendar(policy));
        world.pass(6 * DAY);
        let expected: Vec<String> = days
            .iter()
            .map(|day| format!("{day}T08:00 fired"))
            .collect();
        assert_eq!(world.slots_of("wf"), expected, "{policy:?}");
    }
}

#[test]
fn changed_calendar_is_a_new_generation_from_now_on() {
    let mut world = World::with_worker();
    world.calendar("d/cn.calendar", "title a\n");
    world.put(by_calendar(DayPolicy::Only));
    world.pass(DAY);
    assert_eq!(generation(&world), 1);
    world.calendar("d/cn.calendar", "title a\n");
    assert_eq!(generation(&world), 1, "the same text is no change");
    world.calendar("d/cn.calendar", "title a\nholiday 2026-01-02 x\n");
    assert_eq!(generation(&world), 2);
    world.restart();
    world.attach("w", 10);
    world.pass(DAY);
    assert_eq!(world.slots_of("wf"), ["01T08:00 fired"]);
    assert_eq!(generation(&world), 2);
}

#[test]
fn calendar_stays_in_force_when_its_file_is_gone_and_another_file_may_take_its_name() {
    let mut world = World::with_worker();
    world.calendar("d/cn.calendar", "holiday 2026-01-01 x\n");
    world.put(by_calendar(DayPolicy::Only));
    world.calendar("e/cn.calendar", "title other\n");
    assert!(world.rows.problems.contains_key("e/cn.calendar"));
    assert_eq!(world.rows.calendars["cn"].path, "d/cn.calendar");
    world.input(Input::FileGone {
        path: "d/cn.calendar".into(),
    });
    world.restart();
    world.attach("w", 10);
    world.pass(DAY);
    assert_eq!(generation(&world), 1);
    assert!(world.slots_of("wf").is_empty(), "the holiday is still one");
    world.calendar("e/cn.calendar", "title other\n");
    assert!(world.rows.problems.is_empty());
    assert_eq!(world.rows.calendars["cn"].path, "e/cn.calendar");
    assert_eq!(generation(&world), 2);
}

#[test]
fn generation_grows_with_crons_zone_and_rate_and_with_nothing_else() {
    let mut world = World::with_worker();
    let wf = || single("wf").cron("0 * * * *");
    let mut expect = |workflow: Workflow, expected: u32| {
        world.put(workflow);
        assert_eq!(generation(&world), expected);
    };
    expect(wf(), 1);
    expect(wf().misfire(akkaflow_model::definition::Misfire::All), 1);
    expect(wf().after_all(&[by("up", DateRule::SameDay)]), 1);
    expect(
        wf().with(|it| it.timing.crons = vec![Cron::parse("5 * * * *").unwrap()]),
        2,
    );
    expect(
        wf().with(|it| it.time_zone = Some(chrono_tz::Asia::Tokyo)),
        3,
    );
    expect(wf().with(|it| it.timing.every_seconds = Some(60)), 4);
    expect(wf(), 5);
}

#[test]
fn explain_names_the_next_time_of_the_whole_schedule() {
    let mut world = World::with_worker();
    world.put(single("wf").with(|it| {
        it.timing.every_seconds = Some(7 * HOUR);
        it.time_zone = Some(chrono_tz::Asia::Tokyo);
    }));
    let reasons = world.engine.explain(&ExplainObject::Workflow("wf".into()));
    let next = world.engine.next_fire("wf").unwrap().to_utc();
    let next = next.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    assert!(reasons[0].text.en.contains(&next), "{reasons:?}");
}
