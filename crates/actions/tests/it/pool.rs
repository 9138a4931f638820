//! Short pieces of work use the sessions of those before them, and find nothing of theirs in it.

use akkaflow_actions::AttemptContext;
use akkaflow_model::db_links::DbKind;

use crate::support::{Bench, Database, databases, mysql, parse, postgres};

/// The servers that can be had here.
async fn servers() -> Vec<Database> {
    let mut servers = databases().await;
    servers.retain(|database| database.kind() != DbKind::Sqlite);
    servers
}

fn session_id(database: &Database) -> &'static str {
    match database.kind() {
        DbKind::Mysql => "select connection_id() a",
        _ => "select pg_backend_pid() a",
    }
}

/// What the last query of some statements answers, in attempts that share their worker's sessions.
async fn answer(attempt: &AttemptContext, database: &Database, statements: &str) -> String {
    let mut attempt = attempt.clone();
    attempt.outputs = vec!["a".to_owned()];
    let body = format!("<sql db-link='{}'>{statements}</sql>", database.name());
    let outcome = parse(&body).run(&attempt).await.unwrap();
    outcome.outputs[0].1.clone()
}

#[tokio::test]
async fn a_session_serves_one_attempt_after_the_other() {
    for database in servers().await {
        let attempt = Bench::with(&[&database]).attempt();
        let first = answer(&attempt, &database, session_id(&database)).await;
        let second = answer(&attempt, &database, session_id(&database)).await;
        assert_eq!(first, second, "{}", database.name());
    }
}

#[tokio::test]
async fn a_session_that_is_used_again_knows_nothing_of_what_was_done_in_it() {
    if let Some(database) = mysql().await {
        database.execute(&["create table kept(i int)"]).await;
        let attempt = Bench::with(&[&database]).attempt();
        let state = "select concat(database(), ' ', @@sql_mode, ' ', @@autocommit, ' ', ifnull(@x, 'none')) a";
        let before = answer(&attempt, &database, state).await;
        let left = format!(
            "create temporary table t(i int); set @x = 1, sql_mode = '', autocommit = 0; \
             start transaction; insert into kept values (1); use mysql; {}",
            session_id(&database)
        );
        let id = answer(&attempt, &database, &left).await;
        assert_eq!(answer(&attempt, &database, state).await, before);
        let rows = "select count(*) a from kept";
        assert_eq!(
            answer(&attempt, &database, rows).await,
            "0",
            "not committed"
        );
        // A temporary table would stand before it.
        let again = "create table t(a int); insert into t values (7); select a from t";
        assert_eq!(answer(&attempt, &database, again).await, "7");
        let same = answer(&attempt, &database, session_id(&database)).await;
        assert_eq!(id, same);
    }
    if let Some(database) = postgres().await {
        let attempt = Bench::with(&[&database]).attempt();
        let state = "select current_schemas(false)::text || current_setting('statement_timeout') || to_regclass('t')::text is null a";
        let left = format!(
            "set search_path = pg_catalog; set statement_timeout = '77s'; create temporary table t(i int); \
             select pg_advisory_lock(7); {}",
            session_id(&database)
        );
        let before = answer(&attempt, &database, state).await;
        let id = answer(&attempt, &database, &left).await;
        assert_eq!(answer(&attempt, &database, state).await, before);
        let locks = "select count(*) a from pg_locks where locktype = 'advisory' and objid = 7";
        assert_eq!(answer(&attempt, &database, locks).await, "0");
        let same = answer(&attempt, &database, session_id(&database)).await;
        assert_eq!(id, same);
    }
}

#[tokio::test]
async fn a_session_that_the_server_has_closed_is_replaced() {
    for database in servers().await {
        let attempt = Bench::with(&[&database]).attempt();
        let id = answer(&attempt, &database, session_id(&database)).await;
        match database.kind() {
            DbKind::Mysql => database.execute(&[&format!("kill {id}")]).await,
            _ => drop(
                database
                    .query(&format!("select pg_terminate_backend({id})"))
                    .await,
            ),
        }
        let other = answer(&attempt, &database, session_id(&database)).await;
        assert_ne!(id, other, "{}", database.name());
    }
}

#[tokio::test]
async fn the_session_of_a_failed_attempt_is_closed() {
    for database in servers().await {
        let attempt = Bench::with(&[&database]).attempt();
        let id = answer(&attempt, &database, session_id(&database)).await;
        let body = format!(
            "<sql db-link='{}'>select * from nothing</sql>",
            database.name()
        );
        parse(&body).run(&attempt).await.unwrap_err();
        let other = answer(&attempt, &database, session_id(&database)).await;
        assert_ne!(id, other, "{}", database.name());
    }
}

#[tokio::test]
async fn the_link_says_how_long_a_session_waits() {
    for database in servers().await {
        let mut attempt = Bench::with(&[&database]).attempt();
        let mut wait = |seconds: &str| {
            let link = attempt.links.get_mut(database.name()).unwrap();
            link.properties = vec![("idle-timeout".to_owned(), seconds.to_owned())];
            attempt.clone()
        };
        let (none, short) = (wait("0"), wait("1"));
        let first = answer(&none, &database, session_id(&database)).await;
        assert_ne!(first, answer(&none, &database, session_id(&database)).await);
        let id = answer(&short, &database, session_id(&database)).await;
        let living = match database.kind() {
            DbKind::Mysql => {
                format!("select count(*) from information_schema.processlist where id = {id}")
            }
            _ => format!("select count(*) from pg_stat_activity where pid = {id}"),
        };
        while database.text(&living).await != "0" {
            tokio::task::yield_now().await;
        }
    }
}
