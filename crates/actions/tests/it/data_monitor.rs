//! `<data-monitor>`: numbers against limits, from statements, commands and as they stand.

use akkaflow_actions::ActionError;
use akkaflow_model::code;
use akkaflow_model::outcome::Measured;

use crate::bodies::findings;
use crate::support::{Bench, databases, parse, sqlite};

/// A body whose two readings are a second apart.
fn monitor(parts: &str) -> String {
    format!("<data-monitor interval='1s'>{parts}</data-monitor>")
}

/// How a body ends, and what it has seen.
async fn seen(bench: &Bench, body: &str) -> (Result<(), ActionError>, Option<Measured>) {
    let attempt = bench.attempt();
    let result = parse(body).run(&attempt).await.map(|_| ());
    let figures = attempt.meter.figures();
    (result, figures.and_then(|figures| figures.measured))
}

fn measured(value: &str, min: Option<&str>, max: Option<&str>) -> Option<Measured> {
    Some(Measured {
        value: value.to_owned(),
        min: min.map(str::to_owned),
        max: max.map(str::to_owned),
    })
}

#[tokio::test]
async fn numbers_come_from_statements_commands_and_as_they_stand() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let body = monitor(&format!(
            "<source type='SQL' db-link='{link}'>select cast(12.50 as decimal(10,2));</source>\
             <min type='COMMAND'>echo 12</min><max type='NUM'>1e20</max>"
        ));
        let (result, found) = seen(&bench, &body).await;
        assert_eq!(result, Ok(()), "{}", bench.log());
        assert_eq!(found, measured("12.5", Some("12"), Some("1e20")));
    }
}

#[tokio::test]
async fn a_number_outside_its_limits_fails_with_akkaflows_words_and_is_kept() {
    let bench = Bench::new();
    let source = "<source type='NUM'>5</source>";
    for (limits, words) in [
        (
            "<min type='NUM'>6</min><warn-msg>订单太少</warn-msg>",
            "检测值未在范围内，检测值:5，下限:6 自定义信息：订单太少 / the number is out of its limits: value 5, min 6; 订单太少",
        ),
        (
            "<min type='NUM'>1</min><max type='NUM'>4.5</max>",
            "检测值未在范围内，检测值:5，下限:1，上限:4.5 / the number is out of its limits: value 5, min 1, max 4.5",
        ),
    ] {
        let body = monitor(&format!("{source}{limits}"));
        assert_eq!(bench.failure(&body).await, words);
        assert!(seen(&bench, &body).await.1.is_some());
    }
    let inside = monitor(&format!(
        "{source}<min type='NUM'>5</min><max type='NUM'>5</max>"
    ));
    assert_eq!(bench.run(&inside).await, Ok(()), "limits are inclusive");
    assert_eq!(bench.run(&monitor(source)).await, Ok(()), "and not needed");
}

#[tokio::test]
async fn a_number_that_changes_between_the_readings_fails() {
    let bench = Bench::new();
    let count = bench.path("count");
    let body = monitor(&format!(
        "<source type='COMMAND'>echo x >> {count}; wc -l &lt; {count}</source><min type='NUM'>1</min>"
    ));
    let words = bench.failure(&body).await;
    assert!(
        words.contains("两次检测不一致：检测值:1，下限:1；检测值:2，下限:1"),
        "{words}"
    );
    assert!(
        words.contains("the readings differ: value 1, min 1; then value 2, min 1"),
        "{words}"
    );
}

#[tokio::test]
async fn why_there_is_no_number_is_said_behind_the_workflows_own_words() {
    let database = sqlite();
    let bench = Bench::with(&[&database]);
    for (source, words) in [
        (
            "<source type='SQL' db-link='sqlite'>select null</source>",
            "查询结果为NULL",
        ),
        (
            "<source type='SQL' db-link='sqlite'>select 1 where 0</source>",
            "查询结果没有行",
        ),
        (
            "<source type='SQL' db-link='sqlite'>select 'abc'</source>",
            "is no number: `abc`",
        ),
        (
            "<source type='SQL' db-link='sqlite'>select * from absent</source>",
            "absent",
        ),
        (
            "<source type='COMMAND'>echo many</source>",
            "输出不是数字：`many`",
        ),
        (
            "<source type='COMMAND'>echo 1; exit 3</source>",
            "the command of <source> failed: exit status: 3",
        ),
        (
            "<source type='SQL' db-link='other'>select 1</source>",
            "db-link `other` is not configured",
        ),
    ] {
        let body = monitor(&format!("{source}<warn-msg>请检查上游</warn-msg>"));
        let found = bench.failure(&body).await;
        assert!(found.starts_with("告警留言：请检查上游；"), "{found}");
        assert!(found.contains(words), "{found}");
    }
}

#[tokio::test]
async fn a_statement_that_would_change_something_is_refused() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int)", "insert into t values (1)"])
            .await;
        let source = format!(
            "<source type='SQL' db-link='{}'>delete from t</source>",
            database.name()
        );
        let words = bench.failure(&monitor(&source)).await;
        assert!(words.contains("the query of <source> failed"), "{words}");
        assert_eq!(database.text("select count(*) from t").await, "1");
    }
}

#[tokio::test]
async fn b9_a_kill_ends_a_monitor_between_its_readings_and_in_its_command() {
    let bench = Bench::new();
    let between = "<data-monitor interval='1h'><source type='NUM'>1</source></data-monitor>";
    killed_once(&bench, between, |bench| bench.log().contains("检测值:1")).await;
    let bench = Bench::new();
    let pid = bench.path("pid");
    let body = monitor(&format!(
        "<source type='COMMAND'>echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 600; echo 1</source>"
    ));
    killed_once(&bench, &body, |bench| {
        std::path::Path::new(&bench.path("pid")).exists()
    })
    .await;
    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists());
}

/// Runs `body`, cancels it once `is_under_way`, and expects nothing but that to end it.
async fn killed_once(bench: &Bench, body: &str, is_under_way: impl Fn(&Bench) -> bool) {
    let mut running = std::pin::pin!(bench.run(body));
    let begun = async {
        while !is_under_way(bench) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = &mut running => panic!("{body} ended by itself: {result:?}"),
        () = begun => {}
    }
    bench.cancel.cancel();
    assert_eq!(running.await, Err(ActionError::Cancelled), "{body}");
}

#[tokio::test]
async fn b20_nothing_is_said_to_have_passed_that_has_not() {
    let bench = Bench::new();
    let body = monitor("<source type='NUM'>5</source><min type='NUM'>6</min>");
    bench.run(&body).await.unwrap_err();
    assert!(!bench.log().contains("检测通过"), "{}", bench.log());
}

#[tokio::test]
async fn numbers_beyond_floating_point_are_compared_digit_by_digit() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let body = |value: &str| {
            monitor(&format!(
                "<source type='SQL' db-link='{link}'>select {value}</source><max type='NUM'>9007199254740992</max>"
            ))
        };
        assert_eq!(bench.run(&body("9007199254740992")).await, Ok(()));
        let words = bench.failure(&body("9007199254740993")).await;
        assert!(
            words.contains("value 9007199254740993, max 9007199254740992"),
            "{words}"
        );
    }
    let bench = Bench::new();
    let decimals =
        "<source type='COMMAND'>echo 0.10000000000000000001</source><max type='NUM'>0.1</max>";
    assert!(bench.run(&monitor(decimals)).await.is_err());
}

#[tokio::test]
async fn a_reading_that_fails_is_told_of_without_a_number() {
    let bench = Bench::new();
    let body = monitor("<source type='COMMAND'>echo many</source>");
    assert_eq!(seen(&bench, &body).await.1, measured("", None, None));
}

#[test]
fn limits_that_no_number_meets_are_refused_at_their_place() {
    let limits = |min: &str, max: &str| {
        monitor(&format!(
            "<source type='NUM'>5</source><min type='NUM'>{min}</min><max type='NUM'>{max}</max>"
        ))
    };
    let found = findings(&limits("5.01", "5"));
    assert_eq!(found, [(code::NOTHING_BETWEEN, "min".to_owned())]);
    assert_eq!(findings(&limits("5", "5.0")), []);
}
