//! `transfer`: order, all or nothing, and what it says.

use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, LOCAL_INFILE, databases, mysql, row, sqlite};

#[tokio::test]
async fn the_load_data_example_loads_its_rows() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        let path = bench.path("load_data.txt");
        let lines: String = (0..=20)
            .map(|i| format!("{i}\t{i}\t2026-11-20\n"))
            .collect();
        std::fs::write(&path, lines).unwrap();
        bench
            .run(&format!("<sql db-link='{link}'>drop table if exists load_data; create table load_data(col1 int, col2 int, ds varchar(10))</sql>"))
            .await
            .unwrap();
        bench
            .run(&format!("<transfer><source type='FILE'>{path}</source><target type='DB' db-link='{link}' table='load_data'/></transfer>"))
            .await
            .unwrap();
        assert_eq!(
            database
                .query("select count(*), sum(col1), min(ds) from load_data")
                .await,
            [row(&["21", "210", "2026-11-20"])]
        );
        let log = bench.log();
        for line in [
            "目标表存在",
            "同步到目标，将启动1个线程",
            "同步结束，耗时",
            "一共插入21条数据",
        ] {
            assert!(log.contains(line), "{log}");
        }
    }
}

#[tokio::test]
async fn b18_a_table_that_exists_is_found_behind_any_port_and_in_any_case() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        database.execute(&["create table Orders(a int)"]).await;
        // The servers of tests listen on ports that are not theirs by default. MySQL alone tells cases apart.
        let table = if database.kind() == DbKind::Mysql {
            "Orders"
        } else {
            "ORDERS"
        };
        let body = format!(
            "<transfer><source type='DB' db-link='{link}'>select 1 as a</source><target type='DB' db-link='{link}' table='{table}'/></transfer>"
        );
        bench.run(&body).await.unwrap();
        assert!(bench.log().contains("目标表存在"), "{}", bench.log());
        assert_eq!(database.text("select count(*) from Orders").await, "1");
    }
}

#[tokio::test]
async fn a_missing_table_is_made_after_a_file() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let path = bench.path("in.txt");
        std::fs::write(&path, "1,a\n,NULL\n").unwrap();
        let body = format!(
            "<transfer><source type='FILE' delimited=','>{path}</source><target type='DB' db-link='{}' table='t'/></transfer>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        assert!(bench.log().contains("目标表不存在，将自动建表"));
        assert_eq!(
            database
                .query("select col_0, col_1 from t order by col_0 is null, col_0")
                .await,
            [row(&["1", "a"]), vec![None, None]]
        );
        std::fs::write(&path, "").unwrap();
        let words = bench.failure(&body.replace("table='t'", "table='u'")).await;
        assert!(words.contains("the source file is empty"), "{words}");
        bench.run(&body).await.unwrap();
    }
}

#[tokio::test]
async fn b15_a_bad_row_keeps_everything_as_it_was() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(a int, b varchar(5))",
                "insert into t values (7, 'old')",
            ])
            .await;
        let path = bench.path("in.txt");
        // Beyond the first batch, so that rows have already been written.
        let mut lines: String = (0..40_000).map(|i| format!("{i},name\n")).collect();
        lines.push_str("wrong,name\n");
        std::fs::write(&path, &lines).unwrap();
        let body = format!(
            "<transfer><source type='FILE' delimited=','>{path}</source><target type='DB' db-link='{}' table='t' is-pre-truncate='true'><after>insert into t values (8, 'no')</after></target></transfer>",
            database.name()
        );
        let words = bench.failure(&body).await;
        assert!(
            words.contains("40001") && words.contains('a') && words.contains("wrong"),
            "{words}"
        );
        assert_eq!(
            database.query("select a, b from t").await,
            [row(&["7", "old"])]
        );
        std::fs::write(&path, "1,name\n2,name,3\n").unwrap();
        let words = bench.failure(&body).await;
        assert!(
            words.contains("存在某（多条）记录的字段个数不等于2：第2行有3个字段"),
            "{words}"
        );
        assert_eq!(
            database.query("select a, b from t").await,
            [row(&["7", "old"])]
        );
    }
}

#[tokio::test]
async fn b12_duplicates_and_cut_values_are_errors_and_never_lost_rows() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int primary key, b varchar(3))"])
            .await;
        let body = format!(
            "<transfer><source type='FILE' delimited=','>in.txt</source><target type='DB' db-link='{}' table='t'/></transfer>",
            database.name()
        );
        std::fs::write(bench.path("in.txt"), "1,a\n1,b\n").unwrap();
        bench.failure(&body).await;
        assert_eq!(database.text("select count(*) from t").await, "0");
        std::fs::write(bench.path("in.txt"), "1,abcd\n").unwrap();
        if database.kind() != DbKind::Sqlite {
            bench.failure(&body).await;
            assert_eq!(database.text("select count(*) from t").await, "0");
        }
    }
}

#[tokio::test]
async fn b12_an_error_at_commit_is_the_nodes_failure() {
    let Some(database) = crate::support::postgres().await else {
        return;
    };
    let bench = Bench::with(&[&database]);
    database
        .execute(&[
            "create table p(a int primary key)",
            "create table t(a int references p deferrable initially deferred)",
        ])
        .await;
    std::fs::write(bench.path("in.txt"), "1\n").unwrap();
    let words = bench
        .failure("<transfer><source type='FILE'>in.txt</source><target type='DB' db-link='postgres' table='t'/></transfer>")
        .await;
    assert!(
        words.contains("cannot commit") && words.contains("foreign key"),
        "{words}"
    );
    assert_eq!(database.text("select count(*) from t").await, "0");
}

#[tokio::test]
async fn b16_pre_runs_before_the_rows_are_read_and_after_once_they_are_kept() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        database
            .execute(&[
                "create table s(a int)",
                "create table t(a int)",
                "insert into t values (9)",
            ])
            .await;
        let body = format!(
            "<transfer><source type='DB' db-link='{link}'>s</source><target type='DB' db-link='{link}' table='t' is-pre-truncate='TRUE'>\
             <pre>insert into s values (1); insert into s values (2);</pre><after>update t set a = a + 10</after></target></transfer>"
        );
        bench.run(&body).await.unwrap();
        assert_eq!(
            database.query("select a from t order by a").await,
            [row(&["11"]), row(&["12"])]
        );
        let failing = body.replace("update t set a = a + 10", "nonsense");
        let words = bench.failure(&failing).await;
        assert!(words.contains("第1条语句"), "{words}");
    }
}

#[tokio::test]
async fn b13_a_failing_target_ends_the_reader() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let digits: Vec<String> = (0..100).map(|digit| format!("({digit})")).collect();
        let insert = format!("insert into d values {}", digits.join(","));
        database.execute(&["create table d(a int)", &insert]).await;
        // Ten thousand million rows, which nobody would wait for.
        let endless = "select v.a, 'xx' y from d v, d w, d x, d y, d z";
        // Every value holds the delimiter.
        let body = format!(
            "<transfer><source type='DB' db-link='{}'>{endless}</source><target type='FILE' path='out' delimited='x'/></transfer>",
            database.name()
        );
        let words = bench.failure(&body).await;
        assert!(words.contains("row 1, column `y`"), "{words}");
        assert_eq!(
            std::fs::read_dir(bench.directory.path()).unwrap().count(),
            0
        );
    }
}

#[tokio::test]
async fn b14_commands_around_a_file_count_by_their_exit_status() {
    let database = sqlite();
    let bench = Bench::with(&[&database]);
    let body = |pre: &str, after: &str| {
        format!(
            "<transfer><source type='DB' db-link='sqlite'>select 1 a, 'x' b</source><target type='FILE' path='out.txt' is-pre-del='true'><pre>{pre}</pre><after>{after}</after></target></transfer>"
        )
    };
    std::fs::write(bench.path("out.txt"), "old").unwrap();
    let words = bench
        .failure(&body("echo said; exit 3", "touch after"))
        .await;
    assert!(
        words.contains("the command before failed") && words.contains('3'),
        "{words}"
    );
    assert!(bench.log().contains("Info said"));
    assert!(!std::path::Path::new(&bench.path("after")).exists());
    assert!(!std::path::Path::new(&bench.path("out.txt")).exists());
    let words = bench
        .failure(&body("true", "echo bad >&amp;2; false"))
        .await;
    assert!(words.contains("the command after failed"), "{words}");
    assert!(bench.log().contains("Error bad"));
    bench
        .run(&body(
            "",
            "cp out.txt copy.txt; test \"$AKKAFLOW_PARAM_day\" = 2026-11-21",
        ))
        .await
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(bench.path("copy.txt")).unwrap(),
        "1\tx\n"
    );
}

#[tokio::test]
async fn a_file_goes_to_a_file() {
    let bench = Bench::new();
    std::fs::write(bench.path("in.txt"), "a,b\n\nc,,d").unwrap();
    bench
        .run("<transfer><source type='FILE' delimited=','>in.txt</source><target type='FILE' path='out.txt' delimited='|'/></transfer>")
        .await
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(bench.path("out.txt")).unwrap(),
        "a|b\nnull\nc|null|d\n"
    );
}

#[tokio::test]
async fn sources_that_are_not_there_are_named() {
    let database = sqlite();
    let bench = Bench::with(&[&database]);
    let target = "<target type='DB' db-link='sqlite' table='t'/>";
    let words = bench
        .failure(&format!(
            "<transfer><source type='FILE'>/no/such.txt</source>{target}</transfer>"
        ))
        .await;
    assert!(words.contains("文件/no/such.txt不存在"), "{words}");
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let link = database.name();
        for wrong in [
            "nowhere",
            "select * from nowhere",
            "delete from nowhere where 1 = 1",
        ] {
            let words = bench
                .failure(&format!("<transfer><source type='DB' db-link='{link}'>{wrong}</source><target type='FILE' path='out'/></transfer>"))
                .await;
            assert!(
                words.contains("nowhere") || words.contains("syntax"),
                "{words}"
            );
        }
    }
}

#[tokio::test]
async fn servers_without_local_infile_take_rows_too() {
    let Some(database) = mysql().await else {
        return;
    };
    let bench = Bench::with(&[&database]);
    let _turn = LOCAL_INFILE.lock().await;
    let before = database.text("select @@global.local_infile").await;
    database
        .execute(&[
            "set global local_infile = 0",
            "create table t(a int primary key, b varbinary(9), c bit(8), d varchar(9))",
        ])
        .await;
    let lines: String = (0..2500)
        .map(|i| format!("{i},\\x00ff27,7,a'b\\c\n"))
        .collect();
    std::fs::write(bench.path("in.txt"), lines).unwrap();
    let body = "<transfer><source type='FILE' delimited=','>in.txt</source><target type='DB' db-link='mysql' table='t'/></transfer>";
    let done = bench.run(body).await;
    std::fs::write(
        bench.path("in.txt"),
        "9999,a,1,b\n9998,a,1,too long a text\n",
    )
    .unwrap();
    let words = bench.failure(body).await;
    let restore = format!("set global local_infile = {before}");
    database.execute(&[&restore]).await;
    done.unwrap();
    assert!(
        words.contains("'d'") && words.contains("rows 1 to 2"),
        "{words}"
    );
    assert_eq!(
        database
            .query(
                "select count(*), count(distinct hex(b)), min(hex(b)), min(c + 0), min(d) from t"
            )
            .await,
        [row(&["2500", "1", "00FF27", "7", "a'b\\c"])]
    );
}

#[tokio::test]
async fn an_engine_without_transactions_is_told_before_it_is_written() {
    let Some(database) = mysql().await else {
        return;
    };
    database
        .execute(&[
            "create table loose(a int primary key) engine = MyISAM",
            "create table safe(a int primary key) engine = InnoDB",
        ])
        .await;
    let bench = Bench::with(&[&database]);
    std::fs::write(bench.path("in.txt"), "1\n2\n1\n").unwrap();
    let body = |table: &str| {
        format!(
            "<transfer><source type='FILE'>in.txt</source><target type='DB' db-link='mysql' table='{table}'/></transfer>"
        )
    };
    bench.failure(&body("safe")).await;
    assert!(!bench.log().contains("InnoDB"), "{}", bench.log());
    assert_eq!(database.text("select count(*) from safe").await, "0");
    bench.failure(&body("loose")).await;
    let log = bench.log();
    assert!(log.contains("引擎MyISAM不支持事务"), "{log}");
    assert!(
        log.contains("MyISAM of the target table loose knows no transactions"),
        "{log}"
    );
    assert_ne!(database.text("select count(*) from loose").await, "0");
}
