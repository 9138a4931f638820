//! What a target's database remembers: transfers that are tried again, and reading what is new.

use akkaflow_actions::{ActionError, AttemptContext};
use akkaflow_model::db_links::{DbKind, DbLink, Secret};
use akkaflow_model::id::InstanceId;

use crate::bodies::findings;
use crate::support::{Bench, Database, databases, parse};
use crate::transfer_modes::{from_csv, write};

/// The outputs of `body` as an attempt that `change` makes.
async fn outputs(
    bench: &Bench,
    body: &str,
    change: impl FnOnce(&mut AttemptContext),
) -> Result<Vec<(String, String)>, ActionError> {
    let mut attempt = bench.attempt();
    attempt.outputs = ["rows", "watermark"].map(str::to_owned).into();
    change(&mut attempt);
    let outcome = parse(body).run(&attempt).await?;
    let mut outputs = outcome.outputs;
    outputs.sort();
    Ok(outputs)
}

fn pairs(rows: &str, watermark: &str) -> Vec<(String, String)> {
    [("rows", rows), ("watermark", watermark)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

async fn count(database: &Database) -> String {
    database.text("select count(*) from t").await
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_writes_nothing_and_hands_on_the_first_counters() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int)", "create table done(a int)"])
            .await;
        let body = from_csv(&database, "guard='true'").replace(
            "/></transfer>",
            "><pre>delete from t where a = 7</pre><after>insert into done values (1)</after></target></transfer>",
        );
        write(&bench, "a\n7\n8\n");
        let rows = vec![("rows".to_owned(), "2".to_owned())];
        assert_eq!(outputs(&bench, &body, |_| {}).await.unwrap(), rows);
        // The source has other rows by now, or is gone.
        write(&bench, "a\n9\n");
        let again = outputs(&bench, &body, |attempt| attempt.key.attempt = 2).await;
        assert_eq!(again.unwrap(), rows);
        assert!(bench.log().contains("不再写入"), "{}", bench.log());
        assert_eq!(count(&database).await, "2", "{}", database.name());
        // What comes after the rows may not have been done.
        assert_eq!(database.text("select count(*) from done").await, "2");
        let rerun = outputs(&bench, &body, |attempt| attempt.key.run = 2).await;
        assert_eq!(rerun.unwrap()[0].1, "1");
        assert_eq!(database.text("select sum(a) from t").await, "17");
        let other = |attempt: &mut AttemptContext| attempt.key.instance = InstanceId::from_u128(8);
        assert_eq!(outputs(&bench, &body, other).await.unwrap()[0].1, "1");
        assert_eq!(database.text("select sum(a) from t").await, "26");
    }
}

#[tokio::test]
async fn a_failed_attempt_leaves_no_mark_and_old_marks_go() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&["create table t(a int not null)"]).await;
        let body = from_csv(&database, "guard='true'");
        write(&bench, "a\n1\n\"\"\n");
        bench.failure(&body).await;
        let marks = "select count(*) from akkaflow_guard";
        assert_eq!(database.text(marks).await, "0");
        write(&bench, "a\n1\n");
        bench.run(&body).await.unwrap();
        assert_eq!(database.text(marks).await, "1");
        database
            .execute(&["update akkaflow_guard set committed_at = '2020-01-01 00:00:00'"])
            .await;
        outputs(&bench, &body, |attempt| attempt.key.run = 2)
            .await
            .unwrap();
        assert_eq!(database.text("select run from akkaflow_guard").await, "2");
        assert_eq!(database.text(marks).await, "1");
    }
}

/// The same database for a user who may not make tables, and the statements that remove the user again. `None` where there are no users.
pub(crate) async fn without_tables(database: &Database, user: &str) -> Option<(DbLink, String)> {
    let user = format!("{user}_{}", std::process::id());
    let removal = match database.kind() {
        DbKind::Sqlite => return None,
        DbKind::Mysql => {
            let name = database.link.jdbc_url.rsplit('/').next().unwrap();
            database
                .execute(&[
                    "create table t(a int)",
                    &format!("create or replace user {user}@'%' identified by 'secret'"),
                    &format!("grant select, insert, update, delete on {name}.* to {user}@'%'"),
                ])
                .await;
            format!("drop user {user}@'%'")
        }
        _ => {
            database
                .execute(&[
                    "create table t(a int)",
                    &format!("drop role if exists {user}"),
                    &format!("create role {user} login password 'secret'"),
                    "revoke create on schema public from public",
                    &format!("grant select, insert on t to {user}"),
                ])
                .await;
            format!("drop owned by {user}; drop role {user}")
        }
    };
    let mut link = database.link.clone();
    link.username = user;
    link.password = Secret::new("secret");
    Some((link, removal))
}

#[tokio::test]
async fn a_guard_that_cannot_be_made_says_what_to_do() {
    for database in databases().await {
        let Some((link, removal)) = without_tables(&database, "reader").await else {
            continue;
        };
        let mut bench = Bench::new();
        bench.add(link);
        write(&bench, "a\n1\n");
        let words = bench.failure(&from_csv(&database, "guard='true'")).await;
        database.execute(&[&removal]).await;
        assert!(
            words.contains("cannot make table akkaflow_guard")
                && words.contains("create table if not exists"),
            "{words}"
        );
        assert_eq!(count(&database).await, "0");
    }
}

#[tokio::test]
async fn without_the_right_to_make_tables_one_connection_writes_and_the_log_warns() {
    for database in databases().await {
        let Some((link, removal)) = without_tables(&database, "writer").await else {
            continue;
        };
        let mut bench = Bench::new();
        bench.add(link);
        let rows: String = (0..5000).map(|i| format!("{i}\n")).collect();
        write(&bench, &format!("a\n{rows}"));
        let done = bench.run(&from_csv(&database, "task-num='3'")).await;
        database.execute(&[&removal]).await;
        assert_eq!(done, Ok(()));
        assert_eq!(count(&database).await, "5000");
        let log = bench.log();
        assert!(
            log.contains("cannot make tables beside the target, one connection writes")
                && log.contains("同步到目标，将启动1个线程"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn another_attempt_of_the_same_run_cannot_commit_too() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&["create table t(a int)"]).await;
        write(&bench, "a\n1\n");
        let body = from_csv(&database, "guard='true'");
        let attempts = [1, 2, 3]
            .map(|number| outputs(&bench, &body, move |attempt| attempt.key.attempt = number));
        let [first, second, third] = attempts;
        let (first, second, third) = tokio::join!(first, second, third);
        let good = [first, second, third]
            .iter()
            .filter(|it| it.is_ok())
            .count();
        assert!(good > 0, "{}", database.name());
        assert_eq!(count(&database).await, "1", "{}", database.name());
    }
}

fn incremental(source: &Database, target: &Database, since: &str, more: &str) -> String {
    format!(
        "<transfer><source type='DB' db-link='{}' watermark='seen' since='{since}'>select id, seen from s -- all</source>\
         <target type='DB' db-link='{}' table='t' mode='incremental' {more}/></transfer>",
        source.name(),
        target.name(),
    )
}

#[tokio::test]
async fn only_what_is_new_is_read_and_the_watermark_is_handed_on() {
    for (declared, first, last, next) in [
        (
            "bigint",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
        ),
        ("varchar(9)", "a", "b'\\", "c"),
        (
            "timestamp(6)",
            "2026-01-01 00:00:00.000001",
            "2026-01-01 00:00:00.000002",
            "2026-01-02 00:00:00.000000",
        ),
        (
            "decimal(30,2)",
            "1.10",
            "12345678901234567890.20",
            "12345678901234567890.30",
        ),
        ("date", "2026-01-01", "2026-01-02", "2026-01-03"),
    ] {
        for database in databases().await {
            let sqlite_rounds =
                declared.starts_with("decimal") && database.kind() == DbKind::Sqlite;
            if sqlite_rounds {
                continue;
            }
            let declared = match database.kind() {
                DbKind::Mysql => declared.replace("timestamp", "datetime"),
                _ => declared.to_owned(),
            };
            let bench = Bench::with(&[&database]);
            let quoted = |value: &str| match database.kind() {
                DbKind::Mysql => format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
                _ => format!("'{}'", value.replace('\'', "''")),
            };
            database
                .execute(&[
                    &format!("create table s(id int, seen {declared})"),
                    &format!("create table t(id int, seen {declared})"),
                    &format!(
                        "insert into s values (1, {}), (2, {}), (3, null)",
                        quoted(first),
                        quoted(last)
                    ),
                ])
                .await;
            let said = format!("{} {declared}", database.name());
            let run = async |since: &str, run: u32| {
                let since = since.replace('\'', "&apos;");
                let body = incremental(&database, &database, &since, "");
                outputs(&bench, &body, |attempt| attempt.key.run = run)
                    .await
                    .unwrap()
            };
            let of_spelling = |(rows, value): (&str, &str)| {
                let spelled = match value {
                    "2026-01-01 00:00:00.000002" | "2026-01-02 00:00:00.000000"
                        if database.kind() == DbKind::Postgres =>
                    {
                        value.trim_end_matches('0').trim_end_matches('.').to_owned()
                    }
                    other => other.to_owned(),
                };
                pairs(rows, &spelled)
            };
            let held = run("", 1).await;
            assert_eq!(held, of_spelling(("2", last)), "{said}");
            let seen = held[1].1.clone();
            assert_eq!(run(&seen, 2).await, pairs("0", &seen), "{said}");
            database
                .execute(&[&format!("insert into s values (4, {})", quoted(next))])
                .await;
            let held = run(&seen, 3).await;
            assert_eq!(held, of_spelling(("1", next)), "{said}");
            assert_eq!(database.text("select count(*) from t").await, "3", "{said}");
        }
    }
}

#[tokio::test]
async fn what_was_committed_for_the_same_state_is_neither_doubled_nor_lost() {
    for source in databases().await {
        for target in databases().await {
            let mut bench = Bench::with(&[&target]);
            let mut link = source.link.clone();
            link.name = "from".to_owned();
            bench.add(link);
            source
                .execute(&[
                    "drop table if exists s",
                    "create table s(id int, seen int)",
                    "insert into s values (1, 1), (2, 2)",
                ])
                .await;
            target.execute(&["create table t(id int, seen int)"]).await;
            let body = |since: &str| {
                incremental(&source, &target, since, "").replacen(
                    &format!("db-link='{}'", source.name()),
                    "db-link='from'",
                    1,
                )
            };
            let run = async |since: &str, instance: u128, attempt: u32| {
                let change = |context: &mut AttemptContext| {
                    context.key.instance = InstanceId::from_u128(instance);
                    context.key.attempt = attempt;
                };
                outputs(&bench, &body(since), change).await.unwrap()
            };
            let said = format!("{} to {}", source.name(), target.name());
            assert_eq!(run("0", 1, 1).await, pairs("2", "2"), "{said}");
            // Its answer was lost.
            source.execute(&["insert into s values (3, 3)"]).await;
            assert_eq!(run("0", 1, 2).await, pairs("2", "2"), "{said}");
            // Another node of the instance failed: the state is what it was.
            assert_eq!(run("0", 2, 1).await, pairs("1", "3"), "{said}");
            assert_eq!(run("0", 3, 1).await, pairs("0", "3"), "{said}");
            source.execute(&["insert into s values (4, 4)"]).await;
            assert_eq!(run("3", 4, 1).await, pairs("1", "4"), "{said}");
            assert_eq!(target.text("select count(*) from t").await, "4", "{said}");
            // A person sets the state back.
            assert_eq!(run("1", 5, 1).await, pairs("3", "4"), "{said}");
            assert_eq!(target.text("select count(*) from t").await, "7", "{said}");
        }
    }
}

#[tokio::test]
async fn what_has_changed_takes_the_place_of_what_was_read_before() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(id int, seen int)",
                "insert into s values (1, 1), (2, 2)",
            ])
            .await;
        let run = async |since: &str, run: u32| {
            let body = incremental(&database, &database, since, "key='id'");
            outputs(&bench, &body, |attempt| attempt.key.run = run)
                .await
                .unwrap()
        };
        assert_eq!(run("", 1).await, pairs("2", "2"));
        database
            .execute(&[
                "update s set seen = 5 where id = 1",
                "insert into s values (3, 4)",
            ])
            .await;
        assert_eq!(run("2", 2).await, pairs("2", "5"));
        assert_eq!(
            database
                .text("select concat(count(*), ',', sum(seen)) from t")
                .await,
            "3,11",
            "{}",
            database.name()
        );
    }
}

#[tokio::test]
async fn a_column_that_is_no_watermark_is_refused_before_anything_is_written() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(id int, seen double precision)",
                "insert into s values (1, 1.5)",
                "create table t(id int, seen double precision)",
            ])
            .await;
        let words = bench
            .failure(&incremental(&database, &database, "", ""))
            .await;
        assert!(words.contains("cannot be a watermark"), "{words}");
        let body = incremental(&database, &database, "", "")
            .replace("watermark='seen'", "watermark='sen'");
        let words = bench.failure(&body).await;
        assert!(words.contains("是否应为 `seen`？"), "{words}");
        let body = incremental(&database, &database, "x", "")
            .replace("watermark='seen'", "watermark='id'");
        let words = bench.failure(&body).await;
        assert!(words.contains("since is `x`"), "{words}");
        assert_eq!(count(&database).await, "0");
    }
}

#[test]
fn a_watermark_and_its_mode_need_each_other() {
    let found = |source: &str, target: &str| {
        let body = format!(
            "<transfer><source {source}>s</source><target type='DB' db-link='a' table='t' {target}/></transfer>"
        );
        findings(&body)
    };
    let of = |code, text: &str| vec![(code, text.to_owned())];
    let database = "type='DB' db-link='a'";
    let with_watermark = &format!("{database} watermark='x'");
    assert_eq!(
        found(database, "mode='incremental'"),
        of("AF511", "incremental")
    );
    assert_eq!(found(with_watermark, ""), of("AF511", "watermark"));
    let since = &format!("{database} since='1'");
    assert_eq!(found(since, ""), of("AF511", "since"));
    assert_eq!(
        found("type='FILE'", "mode='incremental'"),
        of("AF511", "incremental")
    );
    assert_eq!(found(with_watermark, "mode='incremental' key='id'"), []);
}

#[tokio::test]
async fn rows_without_a_watermark_are_told_of_since_nobody_reads_them() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table s(a int, n int)",
                "insert into s values (1, 1), (2, null)",
                "create table t(a int, n int)",
            ])
            .await;
        let link = database.name();
        let body = format!(
            "<transfer><source type='DB' db-link='{link}' watermark='n'>s</source><target type='DB' db-link='{link}' table='t' mode='incremental'/></transfer>"
        );
        let run = async || parse(&body).run(&bench.attempt()).await.unwrap().text;
        let text = run().await.unwrap();
        assert!(text.en.contains("rows whose `n` is NULL"), "{text:?}");
        assert!(bench.log().contains("永远不会被读取"), "{}", bench.log());
        database
            .execute(&[
                "update s set n = 3 where n is null",
                "delete from akkaflow_guard",
            ])
            .await;
        assert_eq!(run().await, None);
        assert_eq!(count(&database).await, "3");
    }
}
