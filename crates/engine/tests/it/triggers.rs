//! When a workflow starts by itself, as a table: times x upstreams x enabled x window.

use akkaflow_model::record::FireState;

use crate::world::{Change, World, single};

/// What a workflow is put with at midnight, and what has become of it at two o'clock. Its slot, if it has one, is at one
/// (`due`) or at five (`later`); its upstream, if it has one, has succeeded at ten past midnight (`ready`) or not at all
/// (`lacking`); its window begins at three (`before`), ends at five past midnight (`after`), or holds everything (`in`).
const TABLE: &str = "
    times  upstream  enabled  window  | then
    *      *         no       *       | nothing   a disabled one never starts by itself
    none   none      yes      *       | nothing   neither has one without times and upstreams a reason
    none   ready     yes      before  | nothing   it waits for its window
    none   ready     yes      in      | fires     a success is enough
    none   ready     yes      after   | nothing   its window is over
    none   lacking   yes      *       | nothing
    due    none      yes      before  | nothing   a slot outside of the window is none
    due    none      yes      in      | fires
    due    none      yes      after   | nothing
    due    ready     yes      before  | nothing
    due    ready     yes      in      | fires     both are needed
    due    ready     yes      after   | nothing
    due    lacking   yes      before  | nothing
    due    lacking   yes      in      | waits     the slot has its row, and waits for the upstream
    due    lacking   yes      after   | nothing
    later  *         yes      *       | nothing   a ready upstream does not bring the slot forward
";

const AXES: [&[&str]; 4] = [
    &["none", "due", "later"],
    &["none", "ready", "lacking"],
    &["yes", "no"],
    &["before", "in", "after"],
];

fn outcome(case: [&str; 4]) -> &'static str {
    let [times, upstream, enabled, window] = case;
    let mut world = World::with_worker();
    world.put(single("up").after(&[]));
    let mut down = single("down").with(|_| {});
    down = match times {
        "due" => down.cron("0 1 * * *"),
        "later" => down.cron("0 5 * * *"),
        _ => down,
    };
    if upstream != "none" {
        down = down.after(&["up"]);
    }
    if enabled == "no" {
        down = down.disabled();
    }
    down = match window {
        "before" => down.window("2026-01-01 03:00:00", "2090-01-01 00:00:00"),
        "after" => down.window("2020-01-01 00:00:00", "2026-01-01 00:05:00"),
        _ => down,
    };
    world.put(down);
    world.pass(600);
    if upstream == "ready" {
        world.give("up");
    }
    world.pass(6600);
    let fires = world.fires_of("down");
    let is_waiting = |state| fires.iter().any(|fire| fire.state == state);
    match world.instances_of("down").len() {
        0 if is_waiting(FireState::Waiting) => "waits",
        0 if fires.is_empty() => "nothing",
        1 => "fires",
        other => panic!("{case:?} made {other} instances and {fires:?}"),
    }
}

#[test]
fn every_row_of_the_table_holds_and_every_case_has_one_row() {
    let rows: Vec<(Vec<&str>, &str)> = TABLE
        .lines()
        .filter_map(|line| line.split_once('|'))
        .skip(1)
        .map(|(case, then)| {
            let then = then.split_whitespace().next().unwrap();
            (case.split_whitespace().collect(), then)
        })
        .collect();
    let mut cases = 0;
    for times in AXES[0] {
        for upstream in AXES[1] {
            for enabled in AXES[2] {
                for window in AXES[3] {
                    let case = [*times, *upstream, *enabled, *window];
                    let fits = |row: &&(Vec<&str>, &str)| {
                        row.0
                            .iter()
                            .zip(case)
                            .all(|(cell, value)| *cell == "*" || *cell == value)
                    };
                    let fitting: Vec<_> = rows.iter().filter(fits).collect();
                    assert_eq!(fitting.len(), 1, "{case:?} has {fitting:?}");
                    assert_eq!(outcome(case), fitting[0].1, "{case:?}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 54);
}
