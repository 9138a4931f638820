//! Separate processes on MariaDB. Skipped, loudly, without a server.

mod key;

use std::time::{Duration, Instant};

use crate::harness::{
    Api, Place, Program, assert_all_succeeded, chain_of, fan_of, wait_until, workflow,
};
use crate::witness::{assert_ran_once, ten_nodes};

/// A database of its own on the test server.
struct Database {
    url: String,
    name: String,
}

impl Database {
    fn create() -> Option<Self> {
        let Ok(server) = std::env::var("AKKAFLOW_TEST_MYSQL_URL") else {
            assert!(
                std::env::var_os("AKKAFLOW_TEST_REQUIRE_SERVERS").is_none(),
                "AKKAFLOW_TEST_MYSQL_URL must name a MySQL server"
            );
            println!(
                "SKIPPED: AKKAFLOW_TEST_MYSQL_URL names no MySQL server; ./sbin/test starts one"
            );
            return None;
        };
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("akkaflow_server_{}_{count}", std::process::id());
        let database = Self { url: server, name };
        database.execute("CREATE DATABASE");
        Some(database)
    }

    fn url(&self) -> String {
        format!("{}/{}", self.url.trim_end_matches('/'), self.name)
    }

    fn execute(&self, verb: &str) {
        let statement = format!("{verb} {}", self.name);
        let url = self.url.clone();
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(async move {
                let mut connection =
                    mysql_async::Conn::new(mysql_async::Opts::from_url(&url).unwrap())
                        .await
                        .unwrap();
                mysql_async::prelude::Queryable::query_drop(&mut connection, statement)
                    .await
                    .unwrap();
                connection.disconnect().await.unwrap();
            });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.execute("DROP DATABASE");
    }
}

struct Cluster {
    // Ended before the database goes.
    programs: Vec<Program>,
    api: Api,
    master: Program,
    master_port: u16,
    standby_port: u16,
    place: Place,
    database: Database,
}

impl Cluster {
    fn start() -> Option<Self> {
        let database = Database::create()?;
        let place = Place::new();
        let (master_port, standby_port) = (free_port(), free_port());
        let master = start_master(&place, &database, "master", master_port);
        let masters = format!("127.0.0.1:{master_port},127.0.0.1:{standby_port}");
        let mut programs: Vec<_> = ["worker-a", "worker-b"]
            .iter()
            .map(|name| {
                Program::start(
                    env!("CARGO_BIN_EXE_akkaflow-worker"),
                    &place.path(&format!("{name}.log")),
                    &[
                        "--data-dir",
                        &place.text(name),
                        "--masters",
                        &masters,
                        "--slots",
                        "8",
                    ],
                )
            })
            .collect();
        let http = Program::start(
            env!("CARGO_BIN_EXE_akkaflow-http-server"),
            &place.path("http.log"),
            &[
                "--data-dir",
                &place.text("http"),
                "--store",
                &database.url(),
                "--http",
                "127.0.0.1:0",
            ],
        );
        let url = http.ready.clone();
        programs.push(http);
        let api = Api { url };
        api.wait("/readyz", |status, _| status == 200);
        api.wait("/api/v1/cluster", |_, body| {
            body["workers"]
                .as_array()
                .is_some_and(|workers| workers.len() == 2)
        });
        Some(Self {
            programs,
            api,
            master,
            master_port,
            standby_port,
            place,
            database,
        })
    }
}

/// `count` requests side by side that nobody answers.
fn unanswered(name: &str, url: &str, count: usize) -> String {
    let paths: String = (0..count)
        .map(|n| format!(r#"<path to="n{n}"/>"#))
        .collect();
    let nodes: String = (0..count)
        .map(|n| format!(r#"<action name="n{n}"><http url="{url}" time-limit="10m"/><ok to="join"/></action>"#))
        .collect();
    let nodes = format!(r#"<fork name="fork">{paths}</fork>{nodes}<join name="join" to="end"/>"#);
    workflow(name, "fork", &nodes)
}

/// The workers that run the nodes of an instance, one for each that runs.
fn running_on(instance: &serde_json::Value) -> Vec<&str> {
    let nodes = instance["nodes"].as_array().into_iter().flatten();
    let mut workers: Vec<&str> = nodes
        .filter(|node| node["state"] == "running" && node["type"] == "http")
        .filter_map(|node| node["worker"].as_str())
        .collect();
    workers.sort_unstable();
    workers
}

fn start_master(place: &Place, database: &Database, name: &str, port: u16) -> Program {
    Program::start(
        env!("CARGO_BIN_EXE_akkaflow-master"),
        &place.path(&format!("{name}.log")),
        &[
            "--data-dir",
            &place.text(name),
            "--store",
            &database.url(),
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--workflows",
            &place.text("xmlconfig"),
        ],
    )
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn a_dropped_file_is_live_within_a_second_and_runs() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let dropped = Instant::now();
    cluster.place.drop_file("chain", &chain_of("chain", 40));
    cluster.api.wait_for_workflow("chain");
    // Measured for the eye; a busy machine must not fail the test by a little.
    assert!(
        dropped.elapsed() < Duration::from_secs(5),
        "live after {:?}",
        dropped.elapsed()
    );
    assert_eq!(cluster.api.put_workflow(&fan_of("fan", 1000)).0, 200);
    let (chain, fan) = (cluster.api.run("chain"), cluster.api.run("fan"));
    assert_all_succeeded(&cluster.api.wait_for_end(&chain), 40);
    let fan = cluster.api.wait_for_end(&fan);
    assert_all_succeeded(&fan, 1000);
    let workers: std::collections::BTreeSet<_> = fan["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|node| node["worker"].as_str())
        .collect();
    assert_eq!(workers.len(), 2, "both workers took part: {workers:?}");
}

#[test]
fn a_killed_master_that_is_started_again_goes_on_and_runs_nothing_twice() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    assert_eq!(
        cluster.api.put_workflow(&ten_nodes(&cluster.place, 5)).0,
        200
    );
    let id = cluster.api.run("ten");
    wait_until("the long script has begun", || {
        cluster.place.witnessed("begin") == 1
    });
    let Cluster {
        master,
        place,
        database,
        api,
        master_port,
        programs,
        ..
    } = cluster;
    master.kill();
    let _master = start_master(&place, &database, "master", master_port);
    assert_all_succeeded(&api.wait_for_end(&id), 10);
    assert_ran_once(&place);
    drop(programs);
}

#[test]
fn what_runs_in_a_worker_that_is_stopped_goes_to_another_one_at_once() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    // It takes connections, and nobody ever looks at them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (status, answer) = cluster.api.put_workflow(&unanswered("fan", &url, 8));
    assert_eq!(status, 200, "{answer}");
    let id = cluster.api.run("fan");
    let path = format!("/api/v1/instances/{id}");
    let before = cluster
        .api
        .wait(&path, |_, instance| running_on(instance).len() == 8);
    let workers = running_on(&before);
    assert_ne!(workers[0], workers[7], "both have some: {workers:?}");
    let stopped = Instant::now();
    cluster.programs.remove(0).stop();
    let after = cluster.api.wait(&path, |_, instance| {
        let workers = running_on(instance);
        workers.len() == 8 && workers[0] == workers[7]
    });
    assert!(
        stopped.elapsed() < Duration::from_secs(20),
        "after {:?}: {after}",
        stopped.elapsed()
    );
    cluster
        .api
        .post(&format!("{path}/kill"), &serde_json::json!({}));
    assert_eq!(cluster.api.wait_for_end(&id)["state"], "killed");
}

#[test]
fn a_standby_goes_on_within_ten_seconds_and_runs_nothing_twice() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let _standby = start_master(
        &cluster.place,
        &cluster.database,
        "standby",
        cluster.standby_port,
    );
    assert_eq!(
        cluster.api.put_workflow(&ten_nodes(&cluster.place, 2)).0,
        200
    );
    let id = cluster.api.run("ten");
    wait_until("the long script has begun", || {
        cluster.place.witnessed("begin") == 1
    });
    let Cluster {
        master,
        place,
        api,
        programs,
        ..
    } = cluster;
    master.kill();
    let killed = Instant::now();
    api.wait("/readyz", |status, _| status == 503);
    api.wait("/readyz", |status, _| status == 200);
    assert!(
        killed.elapsed() < Duration::from_secs(10),
        "the standby led after {:?}",
        killed.elapsed()
    );
    assert_all_succeeded(&api.wait_for_end(&id), 10);
    assert_ran_once(&place);
    drop(programs);
}
