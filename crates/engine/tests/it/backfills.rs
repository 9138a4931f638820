use akkaflow_engine::{ExplainObject, Order, OutcomeKind};
use akkaflow_model::backfill::{
    BackfillHold, BackfillRunRow, BackfillSpec, BackfillState, RunState, date_of,
};
use akkaflow_model::command::Answer;
use akkaflow_model::definition::{DateRule, Overlap, Workflow};
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{InstanceRow, TriggerKind};
use akkaflow_model::state::InstanceState;
use akkaflow_model::time::Timestamp;
use chrono::{Datelike, NaiveDate, TimeZone, Utc};

use crate::world::{BEGIN, Change, World, ann, by, single, workflow};

/// A day of December 2025; 32 is the first of January 2026.
fn day(number: u32) -> i32 {
    NaiveDate::from_ymd_opt(2025, 12, 1)
        .unwrap()
        .num_days_from_ce()
        + number as i32
        - 1
}

fn at(number: u32, hour: u32) -> Timestamp {
    Utc.with_ymd_and_hms(2025, 12, number, hour, 0, 0)
        .unwrap()
        .into()
}

fn range(workflow: &str, from: u32, to: u32) -> BackfillSpec {
    BackfillSpec {
        workflow: workflow.into(),
        from: day(from),
        to: day(to),
        with_dependants: false,
        max_parallel: 2,
        keep_going: false,
        again: false,
    }
}

fn order(spec: BackfillSpec, good: &[(&str, Timestamp)]) -> Order {
    Order::StartBackfill {
        spec,
        good: good
            .iter()
            .map(|(name, at)| ((*name).to_owned(), *at))
            .collect(),
        is_dry_run: false,
        idempotency: None,
        by: ann("late data"),
    }
}

fn start(world: &mut World, spec: BackfillSpec) -> InstanceId {
    start_with(world, spec, &[])
}

fn start_with(world: &mut World, spec: BackfillSpec, good: &[(&str, Timestamp)]) -> InstanceId {
    match world.order(order(spec, good)) {
        Ok(Answer::Backfill { id: Some(id), .. }) => id,
        other => panic!("{other:?}"),
    }
}

fn runs(world: &World, id: InstanceId) -> Vec<&BackfillRunRow> {
    let all = world.rows.backfill_runs.values();
    all.filter(|run| run.backfill == id).collect()
}

/// `a 25 succeeded, b 25 running`, in order.
fn told(world: &World, id: InstanceId) -> String {
    let tell = |run: &&BackfillRunRow| {
        let date = date_of(run.day);
        format!("{} {} {}", run.workflow, &date[8..], run.state.as_str())
    };
    runs(world, id)
        .iter()
        .map(tell)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What runs, as `a 25`, by date.
fn open(world: &World) -> String {
    let mut rows: Vec<_> = world.engine.open_instances().collect();
    rows.sort_by_key(|row| (row.fire_time, &row.workflow));
    let tell =
        |row: &InstanceRow| format!("{} {}", row.workflow, &row.fire_time.to_rfc3339()[8..10]);
    rows.into_iter().map(tell).collect::<Vec<_>>().join(", ")
}

/// The run of a workflow's date ends.
fn end(world: &mut World, workflow: &str, number: u32, kind: OutcomeKind) {
    let position = world.running.iter().position(|dispatch| {
        *dispatch.workflow == *workflow
            && dispatch.fire_time.to_rfc3339()[8..10] == format!("{number:02}")
    });
    let position =
        position.unwrap_or_else(|| panic!("{workflow} {number} does not run, but {}", open(world)));
    let dispatch = world.running.remove(position);
    world.report(&dispatch, kind);
}

fn ok(world: &mut World, workflow: &str, number: u32) {
    end(world, workflow, number, OutcomeKind::Succeeded);
}

fn fail(world: &mut World, workflow: &str, number: u32) {
    end(world, workflow, number, OutcomeKind::Failed);
}

fn state(world: &World, id: InstanceId) -> BackfillState {
    world.rows.backfills[&id].state
}

fn why(world: &World, id: InstanceId, run: u32) -> Vec<&'static str> {
    world.codes(ExplainObject::Backfill { id, run: Some(run) })
}

fn daily(name: &str) -> Workflow {
    single(name).limit(10).cron("0 3 * * *")
}

fn world_of(workflows: impl IntoIterator<Item = Workflow>) -> World {
    let mut world = World::with_worker();
    workflows
        .into_iter()
        .for_each(|workflow| world.put(workflow));
    world
}

#[test]
fn each_date_runs_once_in_order_within_the_bound_over_take_overs() {
    let mut world = world_of([daily("w")]);
    let id = start(&mut world, range("w", 20, 24));
    assert_eq!(open(&world), "w 20, w 21");
    assert_eq!(why(&world, id, 2), ["backfill_parallel"]);
    world.take_over();
    ok(&mut world, "w", 21);
    assert_eq!(open(&world), "w 20, w 22");
    world.take_over();
    for number in [20, 22, 23, 24] {
        ok(&mut world, "w", number);
    }
    assert_eq!(state(&world, id), BackfillState::Succeeded);
    assert_eq!(world.rows.backfills[&id].ended_at, Some(world.now));
    let made = world.instances_of("w");
    assert_eq!(made.len(), 5);
    for row in made {
        assert_eq!((row.trigger, row.chain), (TriggerKind::Backfill, Some(id)));
        assert_eq!(&row.fire_time.to_rfc3339()[11..16], "03:00");
        assert_eq!(row.asked_by.as_deref(), Some("ann"));
    }
}

#[test]
fn a_date_that_is_good_is_passed_over_unless_it_shall_run_again() {
    let mut world = world_of([daily("w")]);
    // The very slot, and a success of the date at another time.
    let good = [("w", at(20, 3)), ("w", at(22, 9)), ("w", at(28, 3))];
    let id = start_with(&mut world, range("w", 20, 23), &good);
    assert_eq!(
        told(&world, id),
        "w 20 good, w 21 running, w 22 good, w 23 running"
    );
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Succeeded);
    let again = BackfillSpec {
        again: true,
        ..range("w", 20, 20)
    };
    let id = start_with(&mut world, again, &good);
    assert_eq!(told(&world, id), "w 20 running");
    world.run_out();
    assert_eq!(world.instances_of("w").len(), 3);
}

#[test]
fn a_workflow_with_several_times_a_day_runs_at_each_of_them() {
    let mut world = world_of([single("w").limit(10).cron("0 3,15 * * *")]);
    let id = start_with(&mut world, range("w", 20, 21), &[("w", at(20, 15))]);
    assert_eq!(
        told(&world, id),
        "w 20 running, w 20 good, w 21 running, w 21 waiting"
    );
}

#[test]
fn only_dates_on_which_the_calendar_lets_it_run_are_filled() {
    let mut world = World::with_worker();
    world.calendar("xmlconfig/work.calendar", "weekend sat sun\n");
    world.put(daily("w").with(|coordinator| {
        coordinator.timing.calendar =
            Some(("work".into(), akkaflow_model::schedule::DayPolicy::Only));
    }));
    // The 20th and 21st are a weekend; its window begins later and does not count.
    let spec = range("w", 18, 23);
    let id = start(&mut world, spec);
    assert_eq!(
        told(&world, id),
        "w 18 running, w 19 running, w 22 waiting, w 23 waiting"
    );
}

#[test]
fn a_workflow_without_times_runs_each_day_at_midnight() {
    let mut world = world_of([single("w").limit(10)]);
    let id = start(&mut world, range("w", 30, 32));
    assert_eq!(told(&world, id), "w 30 running, w 31 running, w 01 waiting");
    assert_eq!(runs(&world, id)[0].fire_time, at(30, 0));
}

/// a, then b that waits for it and has no times, then c at its own time; d waits for both.
fn family() -> World {
    world_of([
        daily("a"),
        single("b").limit(10).after(&["a"]),
        single("c").limit(10).cron("30 4 * * *").after(&["a"]),
        single("d").limit(10).after(&["b", "c"]),
        single("off").after(&["a"]).disabled(),
        single("tail").after(&["off"]),
    ])
}

fn whole(from: u32, to: u32, max_parallel: u32) -> BackfillSpec {
    BackfillSpec {
        with_dependants: true,
        max_parallel,
        ..range("a", from, to)
    }
}

#[test]
fn a_date_of_a_dependant_waits_for_that_date_of_its_upstreams() {
    let mut world = family();
    let Ok(Answer::Backfill {
        id: Some(id),
        left_out,
        ..
    }) = world.order(order(whole(20, 21, 3), &[]))
    else {
        panic!("it starts");
    };
    let left_out: Vec<&str> = left_out.iter().map(|it| it.workflow.as_str()).collect();
    assert_eq!(left_out, ["off", "tail"]);
    let told_at_first = "a 20 running, b 20 waiting, c 20 waiting, d 20 waiting, \
                         a 21 running, b 21 waiting, c 21 waiting, d 21 waiting";
    assert_eq!(told(&world, id), told_at_first);
    assert_eq!(why(&world, id, 1), ["backfill_upstream"]);
    ok(&mut world, "a", 21);
    assert_eq!(open(&world), "a 20, b 21, c 21");
    assert_eq!(
        why(&world, id, 3),
        [
            "backfill_upstream",
            "backfill_upstream",
            "backfill_parallel"
        ]
    );
    ok(&mut world, "a", 20);
    // The earlier date goes first.
    assert_eq!(open(&world), "b 20, b 21, c 21");
    world.take_over();
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Succeeded);
    let fired = |name: &str| world.instances_of(name)[0].fire_time.to_rfc3339();
    assert!(
        fired("b").contains("T03:00"),
        "the time of what it waits for"
    );
    assert!(fired("c").contains("T04:30"), "its own time");
    assert!(fired("d").contains("T04:30"), "the latest of them");
}

#[test]
fn a_plan_says_what_would_run_and_changes_nothing() {
    let mut world = family();
    let Order::StartBackfill { spec, .. } = order(whole(20, 21, 3), &[]) else {
        unreachable!()
    };
    let asked = Order::StartBackfill {
        spec: spec.clone(),
        good: vec![("a".into(), at(20, 3))],
        is_dry_run: true,
        idempotency: None,
        by: ann(""),
    };
    let before = world.engine.digest();
    let Ok(Answer::Backfill {
        id: None,
        runs,
        left_out,
    }) = world.order(asked)
    else {
        panic!("a plan");
    };
    assert_eq!((runs.len(), left_out.len()), (8, 2));
    assert_eq!(runs[0].state, RunState::Good);
    assert_eq!(runs[3].needs, [1, 2]);
    assert_eq!(world.engine.digest(), before);
    let scope = world.engine.backfill_scope(&spec);
    let names: Vec<&str> = scope.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!((scope[0].1, scope[0].2), (at(20, 0), at(22, 0)));
}

#[test]
fn dates_that_are_all_good_make_no_backfill() {
    let mut world = world_of([daily("w")]);
    let asked = |good| Order::StartBackfill {
        spec: range("w", 20, 20),
        good,
        is_dry_run: false,
        idempotency: None,
        by: ann(""),
    };
    let answer = world.order(asked(vec![("w".into(), at(20, 3))]));
    let Ok(Answer::Backfill { id, runs, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((id, runs[0].state), (None, RunState::Good));
    assert_eq!(world.engine.backfills().count(), 0);
    let answer = world.order(asked(Vec::new()));
    assert!(
        matches!(answer, Ok(Answer::Backfill { id: Some(_), .. })),
        "{answer:?}"
    );
}

#[test]
fn a_workflow_that_waits_for_its_own_date_before_runs_one_date_after_the_other() {
    let mut world = world_of([daily("w").after_all(&[by("w", DateRule::Previous)])]);
    let id = start(&mut world, range("w", 20, 22));
    assert_eq!(open(&world), "w 20");
    ok(&mut world, "w", 20);
    assert_eq!(open(&world), "w 21");
    fail(&mut world, "w", 21);
    assert_eq!(
        told(&world, id),
        "w 20 succeeded, w 21 failed, w 22 waiting"
    );
    assert_eq!(open(&world), "");
}

#[test]
fn a_workflow_that_waits_for_any_success_of_its_own_runs_one_date_after_the_other() {
    let mut world = world_of([daily("w").after_all(&[by("w", DateRule::Latest)])]);
    let id = start(&mut world, range("w", 20, 22));
    let needs: Vec<&[u32]> = runs(&world, id)
        .into_iter()
        .map(|run| run.needs.as_slice())
        .collect();
    assert_eq!(needs, [&[][..], &[0], &[1]]);
    assert_eq!(open(&world), "w 20");
}

#[test]
fn a_rule_that_counts_dates_waits_for_those_that_are_planned() {
    let mut world = world_of([
        daily("a"),
        single("b")
            .limit(10)
            .after_all(&[by("a", DateRule::AllOfLast(2))]),
    ]);
    let id = start(&mut world, whole(20, 21, 5));
    assert_eq!(runs(&world, id)[3].needs, [0, 2]);
    ok(&mut world, "a", 21);
    assert_eq!(open(&world), "a 20");
    ok(&mut world, "a", 20);
    assert_eq!(open(&world), "b 20, b 21");
}

#[test]
fn a_failure_pauses_the_backfill_and_a_rerun_mends_it() {
    let mut world = family();
    let id = start(&mut world, whole(20, 21, 1));
    fail(&mut world, "a", 20);
    let row = &world.rows.backfills[&id];
    assert!(matches!(
        row.hold,
        Some(BackfillHold::Failure { position: 0, .. })
    ));
    assert_eq!(state(&world, id), BackfillState::Running);
    assert_eq!(open(&world), "");
    assert_eq!(why(&world, id, 1), ["backfill_paused", "backfill_upstream"]);
    assert_eq!(why(&world, id, 4), ["backfill_paused"]);
    let failed = runs(&world, id)[0].instance.unwrap();
    world.take_over();
    world.rerun(failed, true).unwrap();
    assert!(told(&world, id).starts_with("a 20 running"));
    ok(&mut world, "a", 20);
    assert_eq!(open(&world), "", "it is still paused");
    world.order(Order::ResumeBackfill { id }).unwrap();
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Succeeded);
}

#[test]
fn who_goes_on_without_a_failed_date_leaves_out_what_waits_for_it() {
    let mut world = family();
    let id = start(&mut world, whole(20, 21, 1));
    fail(&mut world, "a", 20);
    world.order(Order::ResumeBackfill { id }).unwrap();
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Failed);
    assert_eq!(
        told(&world, id),
        "a 20 failed, b 20 waiting, c 20 waiting, d 20 waiting, \
         a 21 succeeded, b 21 succeeded, c 21 succeeded, d 21 succeeded"
    );
    // What is over stays as it was.
    let failed = runs(&world, id)[0].instance.unwrap();
    world.rerun(failed, true).unwrap();
    world.run_out();
    assert!(told(&world, id).starts_with("a 20 failed"));
}

#[test]
fn a_backfill_may_keep_going() {
    let mut world = world_of([daily("w")]);
    let spec = BackfillSpec {
        keep_going: true,
        max_parallel: 1,
        ..range("w", 20, 22)
    };
    let id = start(&mut world, spec);
    fail(&mut world, "w", 20);
    assert_eq!(world.rows.backfills[&id].hold, None);
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Failed);
    assert_eq!(
        told(&world, id),
        "w 20 failed, w 21 succeeded, w 22 succeeded"
    );
}

#[test]
fn the_last_failure_ends_it() {
    let mut world = world_of([daily("w")]);
    let id = start(&mut world, range("w", 20, 20));
    fail(&mut world, "w", 20);
    assert_eq!(state(&world, id), BackfillState::Failed);
}

#[test]
fn what_is_paused_starts_nothing_until_it_is_resumed() {
    let mut world = world_of([daily("w")]);
    let id = start(&mut world, range("w", 20, 23));
    let pause = |reason: &str| Order::PauseBackfill {
        id,
        by: ann(reason),
    };
    world.order(pause("too slow")).unwrap();
    world.order(pause("again")).unwrap();
    ok(&mut world, "w", 20);
    assert_eq!(open(&world), "w 21", "what runs goes on");
    assert_eq!(why(&world, id, 2), ["backfill_paused"]);
    world.take_over();
    let Some(BackfillHold::Person(hold)) = &world.rows.backfills[&id].hold else {
        panic!("it is paused");
    };
    assert_eq!(
        (&*hold.user, &*hold.reason),
        ("ann", "too slow"),
        "the first one stands"
    );
    for _ in 0..2 {
        world.order(Order::ResumeBackfill { id }).unwrap();
    }
    assert_eq!(open(&world), "w 21, w 22");
}

fn abort(id: InstanceId, kills: bool) -> Order {
    Order::AbortBackfill {
        id,
        kills,
        by: ann("wrong range"),
    }
}

#[test]
fn what_is_aborted_ends_with_what_runs() {
    let mut world = world_of([daily("w")]);
    let id = start(&mut world, range("w", 20, 23));
    world.order(abort(id, false)).unwrap();
    ok(&mut world, "w", 20);
    assert_eq!(open(&world), "w 21");
    assert_eq!(why(&world, id, 2), ["backfill_aborted"]);
    world.take_over();
    // Said again, it may also kill.
    world.order(abort(id, true)).unwrap();
    end(&mut world, "w", 21, OutcomeKind::Cancelled);
    assert_eq!(state(&world, id), BackfillState::Aborted);
    assert_eq!(
        told(&world, id),
        "w 20 succeeded, w 21 failed, w 22 waiting, w 23 waiting"
    );
    let killed = runs(&world, id)[1].instance.unwrap();
    assert_eq!(world.state(killed), InstanceState::Killed);
    assert!(world.refused(abort(id, false)).contains("已结束"));
}

#[test]
fn production_goes_first_and_is_told_nothing() {
    let mut world = world_of([single("w").cron("0 3 * * *"), single("down").after(&["w"])]);
    let id = start(&mut world, range("w", 20, 22));
    // The limit of the workflow holds too.
    assert_eq!(open(&world), "w 20");
    assert_eq!(why(&world, id, 1), ["instance_limit"]);
    let production = world.trigger("w");
    assert_eq!(why(&world, id, 1), ["instance_limit", "queued"][..1]);
    ok(&mut world, "w", 20);
    assert_eq!(world.state(production), InstanceState::Running);
    assert!(world.rows.tokens.is_empty(), "a backfill gives no tokens");
    world.succeed("w");
    assert_eq!(world.instances_of("down").len(), 1, "production does");
    world.run_out();
    assert_eq!(state(&world, id), BackfillState::Succeeded);
    assert_eq!(world.instances_of("down").len(), 1);
}

#[test]
fn a_backfill_costs_production_no_slot_and_production_kills_none_of_it() {
    for overlap in [Overlap::Skip, Overlap::CancelRunning] {
        let mut world = world_of([single("w").cron("0 3 * * *").overlap(overlap)]);
        let id = start(&mut world, range("w", 20, 21));
        world.pass(4 * 3600);
        assert_eq!(open(&world), "w 20, w 01", "{overlap:?}");
        ok(&mut world, "w", 20);
        assert_eq!(
            world.state(world.instances_of("w")[1].id),
            InstanceState::Running
        );
        world.run_out();
        assert_eq!(state(&world, id), BackfillState::Succeeded);
    }
}

#[test]
fn a_backfill_ranks_an_hour_behind_production() {
    let mut world = World::new();
    world.put(daily("w"));
    world.put(single("p").limit(10));
    world.put(single("q").limit(10));
    start(&mut world, range("w", 20, 20));
    world.pass(3590);
    world.run("p");
    world.pass(20);
    world.run("q");
    world.attach("w1", 1);
    assert_eq!(&*world.running[0].workflow, "p");
    world.succeed("p");
    assert_eq!(&*world.running[0].workflow, "w", "nobody starves");
}

#[test]
fn a_backfill_waits_for_a_suspended_workflow_and_a_frozen_cluster() {
    let mut world = world_of([daily("w"), daily("v")]);
    let id = start(&mut world, range("w", 20, 23));
    let name = || "w".to_owned();
    world
        .order(Order::SuspendWorkflow {
            name: name(),
            by: ann(""),
        })
        .unwrap();
    ok(&mut world, "w", 20);
    assert_eq!(why(&world, id, 2), ["suspended"]);
    world.take_over();
    assert_eq!(open(&world), "w 21");
    assert!(
        world
            .refused(order(range("w", 10, 11), &[]))
            .contains("暂停")
    );
    world.order(Order::ResumeWorkflow { name: name() }).unwrap();
    assert_eq!(open(&world), "w 21, w 22");
    world.order(Order::Freeze { by: ann("") }).unwrap();
    ok(&mut world, "w", 21);
    assert_eq!(why(&world, id, 3), ["frozen"]);
    world.order(Order::Thaw).unwrap();
    assert_eq!(open(&world), "w 22, w 23");
}

#[test]
fn a_run_that_waits_for_another_date_is_not_told_what_comes_after_that() {
    let mut world = world_of([daily("a"), single("b").after(&["a"])]);
    let id = start(&mut world, whole(20, 20, 1));
    world
        .order(Order::SuspendWorkflow {
            name: "b".into(),
            by: ann(""),
        })
        .unwrap();
    assert_eq!(open(&world), "a 20");
    let why = why(&world, id, 1);
    assert!(!why.contains(&"suspended"), "{why:?}");
}

#[test]
fn later_dates_run_with_the_definition_then_in_force_and_it_cannot_be_deleted() {
    let mut world = world_of([daily("w").limit(1)]);
    let id = start(&mut world, range("w", 20, 23));
    assert_eq!(open(&world), "w 20");
    world.put(daily("w").limit(5));
    assert_eq!(open(&world), "w 20, w 21", "the limit has grown");
    world.put(daily("w").limit(5).cron("0 9 * * *"));
    world
        .order(Order::PauseBackfill { id, by: ann("") })
        .unwrap();
    world.run_out();
    let delete = || Order::DeleteWorkflow { name: "w".into() };
    assert!(world.refused(delete()).contains("补数"));
    world.order(Order::ResumeBackfill { id }).unwrap();
    world.run_out();
    let at_three = |row: &&InstanceRow| row.fire_time.to_rfc3339().contains("T03:00");
    assert_eq!(
        world
            .instances_of("w")
            .iter()
            .filter(|row| at_three(row))
            .count(),
        4,
        "times stay as planned"
    );
    let versions: std::collections::BTreeSet<_> = world
        .instances_of("w")
        .iter()
        .map(|row| &row.version)
        .collect();
    assert_eq!(versions.len(), 3);
    world.order(delete()).unwrap();
}

#[test]
fn parameters_that_cannot_be_computed_fail_the_run() {
    let mut world = world_of([daily("w").params(&[("x", "${param:nowhere}")])]);
    let id = start(&mut world, range("w", 20, 21));
    assert_eq!(told(&world, id), "w 20 failed, w 21 waiting");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut world = world_of([
        daily("w"),
        single("yearly").cron("0 3 1 7 *"),
        single("often").cron("* * * * *"),
        single("never").limit(0),
    ]);
    let mut refused = |spec: BackfillSpec| world.refused(order(spec, &[]));
    assert!(refused(range("w", 22, 20)).contains("晚于结束日期"));
    assert!(refused(range("nobody", 20, 22)).contains("不存在"));
    assert!(refused(range("w", 20, 33)).contains("晚于今天"));
    assert!(refused(range("yearly", 20, 22)).contains("没有触发时间"));
    assert!(refused(range("often", 1, 20)).contains("超过10000"));
    assert!(refused(range("never", 20, 22)).contains("instance-limit"));
    let long = BackfillSpec {
        from: day(1) - 20_000,
        ..range("w", 1, 2)
    };
    assert!(refused(long).contains("天"));
    let none = BackfillSpec {
        max_parallel: 0,
        ..range("w", 20, 22)
    };
    assert!(refused(none).contains("并行数"));
    let id = start(&mut world, range("w", 20, 22));
    let text = world.refused(order(range("w", 22, 23), &[]));
    assert!(text.contains(&id.to_string()), "{text}");
    // Today's time has not come yet.
    let id = start(&mut world, range("w", 31, 32));
    assert_eq!(told(&world, id), "w 31 running");
}

#[test]
fn a_repeated_request_makes_one_backfill() {
    let mut world = world_of([daily("w")]);
    let asked = || Order::StartBackfill {
        spec: range("w", 20, 21),
        good: Vec::new(),
        is_dry_run: false,
        idempotency: Some(("key".into(), "hash".into())),
        by: ann(""),
    };
    let id = |answer| match answer {
        Ok(Answer::Backfill { id, .. }) => id,
        other => panic!("{other:?}"),
    };
    let first = id(world.order(asked()));
    world.take_over();
    assert_eq!(id(world.order(asked())), first);
    assert_eq!(world.rows.backfills.len(), 1);
}

#[test]
fn a_large_backfill_takes_each_date_once() {
    let mut world = world_of([single("w").limit(50).cron("0 */2 * * *")]);
    let spec = BackfillSpec {
        max_parallel: 20,
        ..range("w", 1, 10)
    };
    let id = start(&mut world, spec);
    assert_eq!(runs(&world, id).len(), 120);
    let mut most = 0;
    while let Some(dispatch) = world.running.first().cloned() {
        most = most.max(world.engine.counts().open_instances);
        world.running.remove(0);
        world.report(&dispatch, OutcomeKind::Succeeded);
    }
    assert_eq!((most, state(&world, id)), (20, BackfillState::Succeeded));
    let times: std::collections::BTreeSet<_> = world
        .instances_of("w")
        .iter()
        .map(|row| row.fire_time)
        .collect();
    assert_eq!((times.len(), world.instances_of("w").len()), (120, 120));
    assert!(times.iter().all(|at| at.as_millis() < BEGIN));
}

#[test]
fn a_backfill_reads_the_state_and_writes_none() {
    let text = "start a\n a: ok=e output=max body=${state:last}\n end e";
    let kept = workflow("wf", text).keeps("last", "0", ("a", "max"));
    let mut world = world_of([kept.cron("0 3 * * *")]);
    let id = start(&mut world, range("wf", 20, 20));
    assert_eq!(world.running[0].body.text(), "0");
    world.hand_on("a", &[("max", "7")]);
    assert_eq!(state(&world, id), BackfillState::Succeeded);
    assert!(world.rows.states.is_empty(), "{:?}", world.rows.states);
}

#[test]
fn a_new_master_looks_at_its_backfills_at_once() {
    let mut world = world_of([daily("w")]);
    start(&mut world, range("w", 20, 23));
    world
        .order(Order::SuspendWorkflow {
            name: "w".into(),
            by: ann(""),
        })
        .unwrap();
    ok(&mut world, "w", 20);
    ok(&mut world, "w", 21);
    assert_eq!(
        (open(&world).as_str(), world.engine.next_deadline()),
        ("", None)
    );
    assert!(world.loaded().next_deadline().is_some());
}
