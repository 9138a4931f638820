//! `sql` on every database that can be had.

use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, databases, mysql, parse, row};

#[tokio::test]
async fn statements_run_in_order_and_are_reported() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let body = format!(
            "<sql db-link='{}'>create table t(a int, b varchar(20)); -- one; two\n\
             insert into t values (1, 'x;y'), (2, 'z');\n update t set b = 'w' where a = 2;</sql>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        assert_eq!(
            database.query("select a, b from t order by a").await,
            [row(&["1", "x;y"]), row(&["2", "w"])]
        );
        let log = bench.log();
        assert!(log.contains("语句2/3（第2行）影响2行"), "{log}");
        assert!(
            log.contains("statement 3 of 3 (line 3): 1 rows affected"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn a_failing_statement_is_named_and_undoes_all_before_it() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database
            .execute(&["create table t(a int primary key)"])
            .await;
        let body = format!(
            "<sql db-link='{}'>insert into t values (1);\n\ninsert into t values (1)</sql>",
            database.name()
        );
        let words = bench.failure(&body).await;
        assert!(
            words.contains("第2条语句（第3行）") && words.contains("statement 2 (line 3)"),
            "{words}"
        );
        assert_eq!(database.text("select count(*) from t").await, "0");
    }
}

#[tokio::test]
async fn a_failing_statement_undoes_all_before_it_but_what_the_database_commits_by_itself() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        database.execute(&["create table old(a int)"]).await;
        let body = format!(
            "<sql db-link='{}'>create table new(a int); insert into old values (1); insert into new values (1); select * from nowhere</sql>",
            database.name()
        );
        let words = bench.failure(&body).await;
        assert!(words.contains("statement 4"), "{words}");
        assert_eq!(database.text("select count(*) from old").await, "0");
        // MySQL commits a table that is made, and nothing else.
        if database.kind() == DbKind::Mysql {
            assert_eq!(database.text("select count(*) from new").await, "0");
        }
    }
}

#[tokio::test]
async fn b19_routines_are_one_statement() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let routine = match database.kind() {
            DbKind::Mysql => {
                "create procedure p() begin insert into t values (1); insert into t values (2); end; call p();"
            }
            DbKind::Postgres => {
                "create function p() returns void language plpgsql as $$ begin insert into t values (1); insert into t values (2); end $$; select p();"
            }
            _ => {
                "create trigger p after insert on u begin insert into t values (1); insert into t values (2); end; insert into u values (1);"
            }
        };
        let body = format!(
            "<sql db-link='{}'>create table t(a int); create table u(a int); {routine}</sql>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "2");
    }
}

#[tokio::test]
async fn a_single_statement_and_transactions_of_the_text_need_none_of_ours() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let alone = match database.kind() {
            DbKind::Mysql => "flush tables",
            _ => "vacuum",
        };
        bench
            .run(&format!("<sql db-link='{}'>{alone}</sql>", database.name()))
            .await
            .unwrap();
        let body = format!(
            "<sql db-link='{}'>create table t(a int); begin; insert into t values (1); commit</sql>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        assert_eq!(database.text("select count(*) from t").await, "1");
    }
}

#[tokio::test]
async fn a_procedure_may_give_several_results() {
    let Some(database) = mysql().await else {
        return;
    };
    let bench = Bench::with(&[&database]);
    database
        .execute(&["create procedure p() begin select 1; select 2 union select 3; end"])
        .await;
    bench
        .run("<sql db-link='mysql'>call p(); call p(); select 1</sql>")
        .await
        .unwrap();
}

#[tokio::test]
async fn rows_of_a_query_are_shown_as_a_table() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let body = format!(
            "<sql db-link='{}'>create table t(id int, name varchar(20)); insert into t values (1, '上海'), (22, null);\
             select id, name from t order by id; select id from t where id > 99</sql>",
            database.name()
        );
        bench.run(&body.replace("> 99", "&gt; 99")).await.unwrap();
        let log = bench.log();
        let table = "Info id | name\nInfo ---+-----\nInfo 1  | 上海\nInfo 22 | NULL";
        assert!(log.contains(table), "{log}");
        assert!(log.contains("语句3/4（第1行）返回2行"), "{log}");
        assert!(
            log.contains("statement 3 of 4 (line 1): 2 rows returned"),
            "{log}"
        );
        // Nothing was changed, whatever the statement before did.
        assert!(log.contains("statement 4 of 4 (line 1): 0 rows"), "{log}");
    }
}

#[tokio::test]
async fn of_many_rows_the_first_are_shown_and_the_others_counted() {
    for database in databases().await {
        let bench = Bench::with(&[&database]);
        let digits = "(select 0 d union all select 1 union all select 2 union all select 3 union all select 4 union all \
                      select 5 union all select 6 union all select 7 union all select 8 union all select 9)";
        let body = format!(
            "<sql db-link='{}'>select a.d + 10 * b.d + 100 * c.d as n from {digits} a, {digits} b, {digits} c order by 1</sql>",
            database.name()
        );
        bench.run(&body).await.unwrap();
        let log = bench.log();
        assert!(log.contains("1000 rows returned"), "{log}");
        assert!(
            log.contains("\nInfo 99\n") && !log.contains("\nInfo 100\n"),
            "{log}"
        );
        assert!(log.contains("900 more rows not shown"), "{log}");
        assert!(log.contains("还有900行未显示"), "{log}");
    }
}

#[tokio::test]
async fn a_procedure_that_fails_behind_its_first_result_fails_the_action() {
    let Some(database) = mysql().await else {
        return;
    };
    let bench = Bench::with(&[&database]);
    database
        .execute(&[
            "create procedure p() begin select 1; signal sqlstate '45000' set message_text = 'too late'; end",
        ])
        .await;
    let said = bench.failure("<sql db-link='mysql'>call p()</sql>").await;
    assert!(said.contains("too late"), "{said}");
}

#[tokio::test]
async fn statements_whose_result_lacks_a_declared_output_are_undone() {
    for database in databases().await {
        database.execute(&["create table t(i int)"]).await;
        let bench = Bench::with(&[&database]);
        let mut attempt = bench.attempt();
        attempt.outputs = vec!["total".to_owned()];
        let body = format!(
            "<sql db-link='{}'>insert into t values (1); select 1 as other</sql>",
            database.name()
        );
        let error = parse(&body).run(&attempt).await.unwrap_err();
        assert!(format!("{error:?}").contains("output `total`"), "{error:?}");
        assert_eq!(database.text("select count(*) from t").await, "0");
    }
}
