//! A day of a smaller cluster; `cargo xtask week` lives the whole week.

use akkaflow_testkit::week::{Options, Report, live};

fn day(seed: u64) -> Report {
    let options = Options {
        seed,
        workflows: 200,
        days: 1,
    };
    live(options, &mut |_| {})
}

fn seed() -> u64 {
    let given = std::env::var("AKKAFLOW_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

#[test]
fn no_fire_is_lost_doubled_or_late_without_a_reason() {
    let report = day(seed());
    assert_eq!(report.violation, None, "seed {}\n{report}", seed());
    for name in [
        "of them with one instance",
        "worker losses",
        "attempts lost with them",
        "further attempts of a node",
    ] {
        let figure = report.figure(name).expect(name);
        assert_ne!(figure, "0", "{name}: the day must show it\n{report}");
    }
    for reason in ["no_free_slot", "retry_interval", "upstream_not_ready"] {
        let name = format!("late, told `{reason}`");
        assert!(
            report.figure(&name).is_some(),
            "the day must show {reason}\n{report}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    assert_eq!(day(7), day(7));
}
