//! Comments of tables and columns, set in real databases.

use akkaflow_actions::ActionError;

use crate::support::{Bench, Database, check, mysql, open, parse, postgres, sqlite};

const BODY: &str = "<metadata db-link='LINK' table='orders' from='ods, other'>\
    <column-comment name='note'>it''s \\ \"all\" 备注</column-comment><table-comment>订单 'a'</table-comment></metadata>";

async fn run(database: &Database) -> (Bench, Result<(), ActionError>) {
    let bench = Bench::with(&[database]);
    let body = BODY
        .replace("LINK", database.name())
        .replace("it''s", "it's");
    let outcome = parse(&body).run(&bench.attempt()).await;
    (bench, outcome.map(drop))
}

async fn texts(database: &Database, query: &str) -> Vec<String> {
    let rows = database.query(query).await;
    let text =
        |value: &Option<Vec<u8>>| String::from_utf8(value.clone().unwrap_or_default()).unwrap();
    rows.iter().map(|row| text(&row[0])).collect()
}

const COMMENTS: [&str; 3] = ["number", "day of the order", "it's \\ \"all\" 备注"];

#[tokio::test]
async fn comments_are_set_in_mysql_and_declarations_stay() {
    let Some(database) = mysql().await else {
        return;
    };
    database
        .execute(&[
            "create table ods (id int comment 'number', day date comment '')",
            "create table other (day date comment 'day of the order')",
            "create table orders (id int unsigned not null auto_increment primary key comment 'old, (x)', day date not null default '2026-01-01', \
             note varchar(20) character set latin1 default 'a, comment ''b''' check (note <> ')'))",
        ])
        .await;
    let declared = "select concat_ws('|', column_type, is_nullable, column_default, extra, character_set_name) from \
        information_schema.columns where table_schema = database() and table_name = 'orders' order by ordinal_position";
    let before = texts(&database, declared).await;
    let (_, outcome) = run(&database).await;
    outcome.unwrap();
    assert_eq!(texts(&database, declared).await, before);
    let comments = "select column_comment from information_schema.columns where table_schema = database() and table_name = 'orders' order by ordinal_position";
    assert_eq!(texts(&database, comments).await, COMMENTS);
    let table = "select table_comment from information_schema.tables where table_schema = database() and table_name = 'orders'";
    assert_eq!(texts(&database, table).await, ["订单 'a'"]);
    let checks = "select count(*) from information_schema.check_constraints where constraint_schema = database() and table_name = 'orders'";
    assert_eq!(texts(&database, checks).await, ["1"]);
}

#[tokio::test]
async fn comments_are_set_in_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    database
        .execute(&[
            "create table ods (id int, day date)",
            "comment on column ods.id is 'number'",
            "create table other (day date)",
            "comment on column other.day is 'day of the order'",
            "create table orders (id int, day date, note text)",
        ])
        .await;
    let (_, outcome) = run(&database).await;
    outcome.unwrap();
    let comments = "select col_description('orders'::regclass, attnum::int) from pg_attribute where attrelid = 'orders'::regclass and attnum > 0 order by attnum";
    assert_eq!(texts(&database, comments).await, COMMENTS);
    let table = "select obj_description('orders'::regclass)";
    assert_eq!(texts(&database, table).await, ["订单 'a'"]);
}

#[tokio::test]
async fn b21_a_table_that_nothing_is_said_of_gets_what_the_workflow_is_for() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        database.execute(&["create table orders (id int)"]).await;
        let bench = Bench::with(&[&database]);
        let mut attempt = bench.attempt();
        attempt.desc = " 每日订单 'all' ".to_owned();
        let body = format!(
            "<metadata db-link='{}' table='orders'><column-comment name='id'>number</column-comment></metadata>",
            database.name()
        );
        parse(&body).run(&attempt).await.unwrap();
        let comment = match database.name() {
            "mysql" => {
                "select table_comment from information_schema.tables where table_schema = database() and table_name = 'orders'"
            }
            _ => "select obj_description('orders'::regclass)",
        };
        let kept = || async { texts(&database, comment).await };
        assert_eq!(kept().await, ["每日订单 'all'"]);
        // Without a word of either it stays.
        attempt.desc.clear();
        parse(&body).run(&attempt).await.unwrap();
        assert_eq!(kept().await, ["每日订单 'all'"]);
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_and_a_database_without_comments_say_so() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let (_, outcome) = run(&database).await;
        let ActionError::Fatal(text) = outcome.unwrap_err() else {
            panic!("{}", database.name());
        };
        assert_eq!(text.en, "there is no table orders");
    }
    let (_, outcome) = run(&sqlite()).await;
    let ActionError::Fatal(text) = outcome.unwrap_err() else {
        panic!("SQLite");
    };
    assert_eq!(text.en, "SQLite keeps no comments of tables and columns");
}

#[tokio::test]
async fn b6_a_kill_ends_it_while_somebody_holds_the_table() {
    for database in [mysql().await, postgres().await].into_iter().flatten() {
        let name = database.name();
        let (hold, waiting) = match name {
            "mysql" => (
                ["start transaction", "select * from orders"],
                "select count(*) from information_schema.processlist where db = database() and state like 'Waiting for table%'",
            ),
            _ => (
                ["begin", "lock table orders in access exclusive mode"],
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            ),
        };
        database.execute(&["create table orders (id int)"]).await;
        let mut holder = open(&database.link).await;
        for statement in hold {
            holder.execute(statement).await.unwrap();
        }
        let bench = Bench::with(&[&database]);
        let body = format!(
            "<metadata db-link='{name}' table='orders'><column-comment name='id'>number</column-comment></metadata>"
        );
        let stop = async {
            while database.text(waiting).await == "0" {}
            bench.cancel.cancel();
        };
        let (result, ()) = tokio::join!(bench.run(&body), stop);
        assert_eq!(result, Err(ActionError::Cancelled), "{name}");
        holder.execute("rollback").await.unwrap();
        while database.text(waiting).await != "0" {}
    }
}

/// What every type must do; its example needs a database that SQLite is not.
#[tokio::test]
async fn the_contract_of_actions_holds() {
    let body = "<metadata nonsense='1' db-link='sqlite' table='t'/>";
    let (_, diagnostics) = check(body);
    assert_eq!(&body[diagnostics[0].span.range()], "nonsense");
    let database = sqlite();
    let bench = Bench::with(&[&database]);
    bench.cancel.cancel();
    let action = parse("<metadata db-link='sqlite' table='t'/>");
    let error = action.run(&bench.attempt()).await.unwrap_err();
    assert_eq!(error, ActionError::Cancelled);
}

#[tokio::test]
async fn a_table_is_a_name_and_no_statement() {
    let Some(database) = mysql().await else {
        return;
    };
    database
        .execute(&["create table kept (id int)", "create table m (id int)"])
        .await;
    let bench = Bench::with(&[&database]);
    for (table, from) in [("m; drop table kept", "m"), ("m", "m; drop table kept")] {
        let body = format!(
            "<metadata db-link='mysql' table='{table}' from='{from}'><column-comment name='id'>c</column-comment></metadata>"
        );
        let words = bench.failure(&body).await;
        assert!(words.contains("is no name of a table"), "{words}");
        assert_eq!(database.text("select count(*) from kept").await, "0");
    }
}
