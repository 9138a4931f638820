//! What is to come, told by an engine that lives ahead of time.

use std::collections::BTreeSet;
use std::time::Duration;

use akkaflow_engine::{Ahead, Cut, Forecast, Learned, Order, Planned, RerunFrom, WorkerInfo};
use akkaflow_model::id::{Incarnation, WorkerId};
use akkaflow_model::landing::Deadline;
use akkaflow_model::record::Success;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::world::{BEGIN, Change, World, ann, single, workflow};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a test asks for.
struct Asked<'a> {
    horizon: u64,
    slots: u32,
    only: Option<&'a str>,
    most_instances: usize,
    may_go_on: bool,
    /// Workflow, node, seconds.
    usual: &'a [(&'a str, &'a str, u64)],
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self {
            horizon: DAY,
            slots: 10,
            only: None,
            most_instances: 10_000,
            may_go_on: true,
            usual: &[],
        }
    }
}

fn learned(usual: &[(&str, &str, u64)]) -> Learned {
    let mut learned = Learned::new(Tz::UTC);
    for (workflow, _, _) in usual {
        let of_workflow = usual.iter().filter(|(name, _, _)| name == workflow);
        let successes = of_workflow.flat_map(|(_, node, seconds)| {
            (0..3).map(|_| Success {
                node: (*node).to_owned(),
                from: Timestamp::from_millis(BEGIN),
                to: Timestamp::from_millis(BEGIN).plus(Duration::from_secs(*seconds)),
                since: None,
            })
        });
        learned.learn(workflow, successes.collect());
    }
    learned
}

fn forecast(world: &World, asked: Asked<'_>) -> Forecast {
    let workers = (asked.slots > 0).then(|| WorkerInfo {
        id: WorkerId("w".into()),
        incarnation: Incarnation(1),
        host: "host-w".into(),
        slots: asked.slots,
        labels: BTreeSet::new(),
    });
    let before = world.engine.digest();
    let forecast = Forecast::of(
        world.loaded(),
        &Ahead {
            from: world.now,
            until: world.now.plus(Duration::from_secs(asked.horizon)),
            workers: workers.into_iter().collect(),
            learned: &learned(asked.usual),
            guess: Duration::from_secs(MINUTE),
            late_after: Duration::from_secs(5 * MINUTE),
            only: asked.only,
            most_instances: asked.most_instances,
            may_go_on: &|| asked.may_go_on,
        },
    );
    assert_eq!(before, world.engine.digest(), "the real one has not moved");
    forecast
}

/// `00:10` of the first day, `2d00:10` of the second.
fn clock(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    match &text[8..10] {
        "01" => text[11..16].to_owned(),
        day => format!("{}d{}", day.trim_start_matches('0'), &text[11..16]),
    }
}

/// `down 01:10-01:15 late (instance_limit)` each.
fn told(forecast: &Forecast) -> Vec<String> {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "?".to_owned(), clock);
    let one = |it: &Planned| {
        let late = if it.is_late { " late" } else { "" };
        let guess = if it.is_guess { " guess" } else { "" };
        let why = it.why.as_ref();
        let why = why.map_or_else(String::new, |why| format!(" ({})", why.code));
        let (start, end) = (moment(it.start), moment(it.end));
        format!("{} {start}-{end}{late}{guess}{why}", it.workflow)
    };
    forecast.instances.iter().map(one).collect()
}

fn stuck(forecast: &Forecast) -> Vec<String> {
    let stuck = forecast.stuck.iter();
    stuck
        .map(|stuck| {
            let codes: Vec<&str> = stuck.reasons.iter().map(|reason| reason.code).collect();
            format!("{} {}", stuck.workflow, codes.join(" "))
        })
        .collect()
}

#[test]
fn what_ends_after_its_deadline_is_late() {
    let mut world = World::new();
    let due = |text| {
        single("wf")
            .cron("0 1 * * *")
            .with(|it| it.deadline = Deadline::parse(text))
    };
    let usual = [("wf", "a", 600)];
    for (deadline, expected) in [("01:11", "wf 01:00-01:10"), ("9m", "wf 01:00-01:10 late")] {
        world.put(due(deadline));
        let forecast = forecast(
            &world,
            Asked {
                usual: &usual,
                ..Asked::default()
            },
        );
        assert_eq!(told(&forecast), [expected]);
        assert!(forecast.instances[0].deadline.is_some());
    }
}

#[test]
fn a_chain_of_dependencies_ends_when_all_its_nodes_have_taken_their_time() {
    let mut world = World::new();
    world.put(single("up").cron("0 1 * * *"));
    let two = "start a\na: ok=b\nb: ok=e\nend e";
    world.put(workflow("down", two).after(&["up"]));
    let usual = [("up", "a", 600), ("down", "a", 300), ("down", "b", 7200)];
    let forecast = forecast(
        &world,
        Asked {
            usual: &usual,
            ..Asked::default()
        },
    );
    assert_eq!(told(&forecast), ["up 01:00-01:10", "down 01:10-03:15"]);
    assert_eq!(
        forecast.instances[1].date.unwrap().to_string(),
        "2026-01-01"
    );
    assert_eq!(stuck(&forecast), [""; 0]);
    assert_eq!((forecast.cut, forecast.slots), (None, 10));
    let load: Vec<_> = forecast
        .hours
        .iter()
        .map(|it| (it.started, it.busy))
        .collect();
    assert_eq!(load[..5], [(0, 0), (2, 1), (0, 1), (0, 1), (0, 0)]);
    assert_eq!(load.len(), 25, "the hour in which it ends is one of them");
}

#[test]
fn a_node_of_which_nothing_is_known_is_a_guess() {
    let mut world = World::new();
    world.put(single("wf").cron("0 1 * * *"));
    assert_eq!(
        told(&forecast(&world, Asked::default())),
        ["wf 01:00-01:01 guess"]
    );
}

#[test]
fn those_beyond_the_limit_wait_and_are_late() {
    let mut world = World::new();
    world.put(single("wf").cron("0,10,20 1 * * *"));
    let usual = [("wf", "a", 12 * MINUTE)];
    let asked = Asked {
        usual: &usual,
        ..Asked::default()
    };
    assert_eq!(
        told(&forecast(&world, asked)),
        [
            "wf 01:00-01:12",
            "wf 01:12-01:24 (instance_limit)",
            "wf 01:24-01:36 (instance_limit)",
        ],
        "those few minutes are no delay"
    );
    let usual = [("wf", "a", 20 * MINUTE)];
    let asked = Asked {
        usual: &usual,
        ..Asked::default()
    };
    assert_eq!(
        told(&forecast(&world, asked)),
        [
            "wf 01:00-01:20",
            "wf 01:20-01:40 late (instance_limit)",
            "wf 01:40-02:00 late (instance_limit)",
        ]
    );
}

#[test]
fn slots_and_pools_make_later_ones_wait() {
    let mut world = World::new();
    world.set_pool("db", Some(1));
    let drains = "start a\na: ok=e pool=db*1\nend e";
    for name in ["one", "two"] {
        world.put(workflow(name, drains).cron("0 1 * * *"));
    }
    world.put(single("three").cron("0 1 * * *"));
    let usual = [("one", "a", HOUR), ("two", "a", HOUR), ("three", "a", HOUR)];
    let with = |slots| {
        let asked = Asked {
            usual: &usual,
            slots,
            ..Asked::default()
        };
        let mut told = told(&forecast(&world, asked));
        told.sort();
        told
    };
    assert_eq!(
        with(10),
        [
            "one 01:00-02:00",
            "three 01:00-02:00",
            "two 02:00-03:00 late (pool_full)",
        ]
    );
    let late = with(1).iter().filter(|it| it.contains("late")).count();
    assert_eq!(late, 2, "{:?}", with(1));
    assert!(with(1).concat().contains("no_free_slot"));
    assert!(with(0).concat().contains("no_worker"));
}

#[test]
fn what_nothing_would_let_go_on_waits_for_ever() {
    let mut world = World::new();
    world.put(single("daily").cron("0 1 * * *"));
    world.put(single("weekly").cron("0 1 * * 1"));
    world.put(single("by hand"));
    world.put(single("off").cron("0 1 * * *").disabled());
    world.put(single("after missing").after(&["nowhere"]));
    world.put(single("after hand").after(&["by hand"]));
    world.put(single("after daily").after(&["daily"]));
    world.put(single("after weekly").after(&["weekly", "daily"]));
    world.put(single("behind").after(&["after missing"]));
    world.put(single("limit").cron("0 1 * * *").limit(0));
    assert_eq!(
        stuck(&forecast(&world, Asked::default())),
        [
            "after hand upstream_not_ready",
            "after missing upstream_missing",
            "behind upstream_not_ready",
            "limit instance_limit_zero",
        ]
    );
    world.order(Order::Freeze { by: ann("night") }).unwrap();
    let frozen = forecast(
        &world,
        Asked {
            only: Some("daily"),
            ..Asked::default()
        },
    );
    assert_eq!(told(&frozen), [""; 0]);
    assert!(stuck(&frozen)[0].contains("frozen"), "{frozen:?}");
}

#[test]
fn what_runs_goes_on_for_the_rest_of_its_time_and_keeps_its_id() {
    let mut world = World::with_worker();
    world.put(single("wf").limit(2));
    let id = world.run("wf");
    world.pass(20 * MINUTE);
    let paused = world.run("wf");
    world
        .order(Order::PauseInstance {
            id: paused,
            by: ann(""),
        })
        .unwrap();
    let waiting = world.run("wf");
    let usual = [("wf", "a", HOUR)];
    let forecast = forecast(
        &world,
        Asked {
            usual: &usual,
            ..Asked::default()
        },
    );
    assert_eq!(
        told(&forecast),
        [
            "wf 00:00-01:00",
            "wf 00:20-01:20 (paused)",
            "wf 01:00-02:00 late (instance_limit)",
        ]
    );
    let ids: Vec<_> = forecast.instances.iter().map(|it| it.id.unwrap()).collect();
    assert_eq!(ids, [id, paused, waiting]);
}

#[test]
fn a_node_that_succeeds_does_so_before_its_time_is_up() {
    let mut world = World::new();
    let text = "start a\na: ok=e timeout=30\nend e";
    world.put(workflow("wf", text).cron("0 1 * * *"));
    let forecast = forecast(&world, Asked::default());
    let end = forecast.instances[0].end.unwrap();
    assert_eq!(end.to_rfc3339(), "2026-01-01T01:00:29.999Z");
}

#[test]
fn one_workflow_is_told_of_alone_though_all_run() {
    let mut world = World::new();
    world.put(single("one").cron("0 1 * * *"));
    world.put(single("two").cron("0 1 * * *"));
    let usual = [("one", "a", HOUR), ("two", "a", HOUR)];
    let asked = Asked {
        usual: &usual,
        only: Some("two"),
        slots: 1,
        ..Asked::default()
    };
    let forecast = forecast(&world, asked);
    assert_eq!(told(&forecast), ["two 02:00-03:00 late (no_free_slot)"]);
    assert_eq!(forecast.hours[1].busy, 0);
    assert_eq!((forecast.hours[2].busy, forecast.hours[1].started), (1, 1));
}

#[test]
fn it_ends_early_and_says_so_when_there_is_too_much() {
    let mut world = World::new();
    world.put(single("wf").cron("* * * * *"));
    let cut = forecast(
        &world,
        Asked {
            most_instances: 30,
            ..Asked::default()
        },
    );
    assert_eq!((cut.cut, cut.instances.len()), (Some(Cut::Instances), 31));
    assert_eq!(clock(cut.until), "00:31");
    let cut = forecast(
        &world,
        Asked {
            may_go_on: false,
            ..Asked::default()
        },
    );
    assert_eq!((cut.cut, cut.until), (Some(Cut::Time), cut.from));
}

#[test]
fn an_instance_that_has_failed_and_was_run_again_is_told_of_as_it_is() {
    let mut world = World::with_worker();
    world.put(single("wf"));
    let id = world.run("wf");
    world.fail("a");
    assert_eq!(told(&forecast(&world, Asked::default())), [""; 0]);
    let stored = world.stored(id);
    let how = crate::world::how(RerunFrom::Start, None);
    world.order(Order::Rerun { id, stored, how }).unwrap();
    assert_eq!(
        told(&forecast(&world, Asked::default())),
        ["wf 00:00-00:01 guess"]
    );
}

#[test]
fn waits_children_and_what_nodes_hand_on_are_foreseen() {
    let mut world = World::new();
    world.put(single("child").disabled());
    let text = "start a
        a: ok=w output=rows:integer
        w: for=3600s ok=f
        f: file=/in/${output:a.rows} ok=s
        s: sub=child ok=e
        end e";
    world.put(workflow("wf", text).cron("0 1 * * *"));
    world.put(single("other").cron("20 2 * * *"));
    let usual = [
        ("wf", "a", 600),
        ("wf", "f", 1800),
        ("child", "a", 300),
        ("other", "a", 300),
    ];
    let forecast = forecast(
        &world,
        Asked {
            usual: &usual,
            slots: 1,
            ..Asked::default()
        },
    );
    // Between two looks a wait holds no slot; a look waits for one as any other attempt.
    assert_eq!(
        told(&forecast),
        [
            "wf 01:00-02:45 (no_free_slot)",
            "other 02:20-02:25",
            "child 02:40-02:45"
        ]
    );
    assert_eq!(stuck(&forecast), [""; 0]);
}

#[test]
fn who_waits_for_days_is_not_stuck() {
    let mut world = World::new();
    let text = "start w\n w: for=259200s ok=e\n end e";
    world.put(workflow("wf", text).cron("0 1 * * *"));
    let horizon = Asked {
        horizon: 2 * DAY,
        ..Asked::default()
    };
    assert_eq!(stuck(&forecast(&world, horizon)), [""; 0]);
}

#[test]
fn an_instance_that_waits_for_ever_is_stuck_for_those_who_ask_for_it() {
    let mut world = World::with_worker();
    world.put(workflow("wf", "start a\n a: ok=e host=nowhere\n end e"));
    world.put(single("other"));
    world.run("wf");
    let asked = |only| Asked {
        only,
        ..Asked::default()
    };
    let all = stuck(&forecast(&world, asked(None)));
    assert_eq!(all, ["wf no_worker"]);
    assert_eq!(stuck(&forecast(&world, asked(Some("wf")))), all);
    assert_eq!(stuck(&forecast(&world, asked(Some("other")))), [""; 0]);
}
