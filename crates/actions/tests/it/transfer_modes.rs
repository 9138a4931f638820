//! What becomes of the rows that are in the table already.

use crate::bodies::findings;
use crate::support::{Bench, Database, LOCAL_INFILE, Rows, databases, mysql, row};

/// A transfer of `in.csv`.
pub(crate) fn from_csv(database: &Database, target: &str) -> String {
    format!(
        "<transfer><source type='FILE' format='csv'>in.csv</source><target type='DB' db-link='{}' table='t' {target}/></transfer>",
        database.name()
    )
}

pub(crate) fn write(bench: &Bench, text: &str) {
    std::fs::write(bench.path("in.csv"), text).unwrap();
}

fn rows(rows: &[&[&str]]) -> Rows {
    rows.iter().map(|values| row(values)).collect()
}

#[tokio::test]
async fn replace_empties_the_table_and_append_keeps_it() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int)", "insert into t values (9)"])
            .await;
        write(&bench, "a\n1\n");
        let count = "select count(*), min(a) from t";
        for (mode, held) in [
            ("mode='append'", ["2", "1"]),
            ("", ["3", "1"]),
            ("mode='replace'", ["1", "1"]),
            ("mode='replace' is-pre-truncate='true'", ["1", "1"]),
        ] {
            bench.run(&from_csv(&database, mode)).await.unwrap();
            assert_eq!(database.query(count).await, [row(&held)], "{mode}");
        }
    }
}

#[tokio::test]
async fn upsert_updates_rows_of_the_same_key_and_inserts_the_others() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(id int primary key, kept varchar(9) default 'new', v varchar(9))",
                "insert into t values (1, 'old', 'a'), (2, 'old', 'b')",
            ])
            .await;
        // The last of several rows of one key counts.
        write(&bench, "v,id\nx,2\ny,3\nz,2\n,4\nw,3\nend,2\n");
        bench
            .run(&from_csv(&database, "mode='upsert'"))
            .await
            .unwrap();
        let held = "select id, kept, coalesce(v, '-') from t order by id";
        let expected = rows(&[
            &["1", "old", "a"],
            &["2", "old", "end"],
            &["3", "new", "w"],
            &["4", "new", "-"],
        ]);
        assert_eq!(database.query(held).await, expected, "{}", database.name());
        let log = bench.log();
        assert!(log.contains("一共插入6条数据"), "{log}");
        assert!(log.contains("按键（id）更新"), "{log}");
        // Again, and nothing changes.
        bench
            .run(&from_csv(&database, "mode='upsert' key='ID'"))
            .await
            .unwrap();
        assert_eq!(database.query(held).await, expected, "{}", database.name());
    }
}

#[tokio::test]
async fn rows_are_found_by_their_key_alone_and_never_by_another_one() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(id int primary key, a varchar(9), b int, v varchar(9))",
                "create unique index by_a_b on t(a, b)",
                "insert into t values (5, 'y', 1, 'old'), (9, 'x', 1, 'old')",
            ])
            .await;
        let held = "select id, a, b, v from t order by id";
        // Found by (a, b) it would be row 9, by its id row 5.
        write(&bench, "id,a,b,v\n5,x,1,new\n");
        let words = bench
            .failure(&from_csv(&database, "mode='upsert' key='b, a'"))
            .await;
        assert!(
            words.to_lowercase().contains("unique") || words.contains("Duplicate"),
            "{words}"
        );
        assert_eq!(
            database.query(held).await,
            rows(&[&["5", "y", "1", "old"], &["9", "x", "1", "old"]])
        );
        write(&bench, "id,a,b,v\n7,x,1,new\n8,z,1,new\n");
        bench
            .run(&from_csv(&database, "mode='upsert' key='b, a'"))
            .await
            .unwrap();
        assert_eq!(
            database.query(held).await,
            rows(&[
                &["5", "y", "1", "old"],
                &["7", "x", "1", "new"],
                &["8", "z", "1", "new"]
            ])
        );
        // Nothing but a key.
        write(&bench, "id\n5\n6\n5\n");
        bench
            .run(&from_csv(&database, "mode='upsert'"))
            .await
            .unwrap();
        assert_eq!(database.text("select count(*) from t").await, "4");
    }
}

#[tokio::test]
async fn a_table_without_a_usable_key_is_refused_before_anything_is_written() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&["create table t(id int, v int)"]).await;
        write(&bench, "id,v\n1,1\n");
        let pre = |mode: &str| {
            let pre = "><pre>insert into t values (7, 7)</pre></target>";
            from_csv(&database, mode).replace("/></transfer>", &format!("{pre}</transfer>"))
        };
        let failure = async |mode: &str| {
            let words = bench.failure(&pre(mode)).await;
            assert_eq!(
                database.text("select count(*) from t").await,
                "0",
                "{words}"
            );
            words
        };
        let words = failure("mode='upsert'").await;
        assert!(
            words.contains("alter table t add primary key (id)"),
            "{words}"
        );
        let words = failure("mode='upsert' key='id'").await;
        assert!(
            words.contains("create unique index akkaflow_key on t (id)"),
            "{words}"
        );
        let words = failure("mode='upsert' key='idd'").await;
        assert!(words.contains("是否应为 `id`？"), "{words}");
        database
            .execute(&[
                "create unique index k on t(id)",
                "create unique index l on t(v)",
            ])
            .await;
        let words = failure("mode='upsert'").await;
        assert!(words.contains("several unique indexes (id; v)"), "{words}");
        write(&bench, "v\n1\n");
        let words = failure("mode='upsert' key='id'").await;
        assert!(
            words.contains("the source does not give `id`, which key names"),
            "{words}"
        );
        write(&bench, "id,v\n1,1\n,2\n");
        bench
            .run(&from_csv(&database, "mode='upsert' key='v'"))
            .await
            .unwrap();
        let words = bench
            .failure(&from_csv(&database, "mode='upsert' key='id'"))
            .await;
        assert!(
            words.contains("row 2: column `id` of the key is NULL"),
            "{words}"
        );
        assert_eq!(database.text("select count(*) from t").await, "2");
    }
}

#[tokio::test]
async fn a_missing_table_is_made_with_the_key_that_is_named() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        write(&bench, "day,shop,v\n1,a,x\n1,b,y\n1,a,z\n");
        let words = bench.failure(&from_csv(&database, "mode='upsert'")).await;
        assert!(
            words.contains("表t不存在") && words.contains("key=\"id\""),
            "{words}"
        );
        for _ in 0..2 {
            bench
                .run(&from_csv(&database, "mode='upsert' key='shop,day'"))
                .await
                .unwrap();
            assert_eq!(
                database
                    .query("select day, shop, v from t order by shop")
                    .await,
                rows(&[&["1", "a", "z"], &["1", "b", "y"]])
            );
        }
        assert!(bench.log().contains("primary key"), "{}", bench.log());
    }
}

#[tokio::test]
async fn a_bad_row_of_an_upsert_keeps_everything_as_it_was() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&[
                "create table t(id int primary key, v decimal(10,2), n int not null)",
                "insert into t values (1, 1.5, 1)",
            ])
            .await;
        let mut lines = "id,v,n\n".to_owned();
        lines.extend((1..40_000).map(|id| format!("{id},2,2\n")));
        for bad in ["40000,wrong,2\n", "40000,2,\n"] {
            write(&bench, &format!("{lines}{bad}"));
            bench.failure(&from_csv(&database, "mode='upsert'")).await;
            let held = database
                .text("select concat(count(*), ',', sum(n)) from t")
                .await;
            assert_eq!(held, "1,1", "{bad}");
        }
        write(&bench, &lines);
        bench
            .run(&from_csv(&database, "mode='upsert'"))
            .await
            .unwrap();
        let held = database
            .text("select concat(count(*), ',', sum(n)) from t")
            .await;
        assert_eq!(held, "39999,79998");
    }
}

#[tokio::test]
async fn an_upsert_works_where_the_server_takes_no_local_files() {
    let Some(database) = mysql().await else {
        return;
    };
    let _alone = LOCAL_INFILE.lock().await;
    let bench = Bench::with(&[&database]);
    database
        .execute(&[
            "set global local_infile = 0",
            "create table t(id int primary key, v int)",
        ])
        .await;
    write(&bench, "id,v\n1,1\n1,2\n2,3\n");
    let result = bench.run(&from_csv(&database, "mode='upsert'")).await;
    database.execute(&["set global local_infile = 1"]).await;
    result.unwrap();
    assert_eq!(
        database.query("select id, v from t order by id").await,
        rows(&[&["1", "2"], &["2", "3"]])
    );
}

#[tokio::test]
async fn values_of_all_kinds_survive_an_upsert() {
    for source in databases().await {
        crate::transfer_values::nasty(&source).await;
        let bench = Bench::with(&[&source]);
        let link = source.name();
        let body = format!(
            "<transfer><source type='DB' db-link='{link}'>s</source><target type='DB' db-link='{link}' table='back' mode='upsert'/></transfer>"
        );
        for _ in 0..2 {
            bench.run(&body).await.unwrap();
            let of = async |table: &str| {
                crate::transfer_values::meaning(
                    source
                        .query(&format!("select * from {table} order by id"))
                        .await,
                )
            };
            assert_eq!(of("back").await, of("s").await, "{link}");
        }
    }
}

#[test]
fn modes_that_contradict_each_other_are_refused_where_they_stand() {
    let found = |target: &str| {
        let body = format!(
            "<transfer><source type='DB' db-link='a'>s</source><target type='DB' db-link='a' table='t' {target}/></transfer>"
        );
        findings(&body)
    };
    let of = |code, text: &str| vec![(code, text.to_owned())];
    assert_eq!(
        found("mode='upsert' is-pre-truncate='true'"),
        of("AF511", "is-pre-truncate")
    );
    assert_eq!(
        found("mode='append' is-pre-truncate='true'"),
        of("AF511", "is-pre-truncate")
    );
    assert_eq!(found("key='id'"), of("AF511", "key"));
    assert_eq!(found("mode='merge'"), of("AF107", "merge"));
    assert_eq!(found("mode='upsert' key='a,b'"), []);
}
