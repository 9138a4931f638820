//! W1 to W3: how fast nodes follow each other, and how many a second.

use std::time::Duration;

use anyhow::{Context, Result};

use super::client::Client;
use super::report::{Figure, Limit, Mark};
use super::servers::Servers;
use super::{Bench, On, definitions, limits, moment};

/// Nodes of W1.
const CHAIN: usize = 40;
/// Branches of W2.
const WIDTH: usize = 1000;
/// Instances of W3.
const INSTANCES: usize = 200;
/// Nodes of an instance of W3.
const DIAMOND: usize = 5;
/// Connections that ask for the instances of W3: enough to keep the front door busy.
const CONNECTIONS: usize = 4;
/// A record of a small commit, and a page of SQLite with the head of its frame.
const FLUSHED_BYTES: [usize; 2] = [128, 4096 + 24];

/// W1.
pub(crate) fn chain(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let servers = Servers::start(bench, on, "")?;
    let client = servers.client();
    client.put(&definitions::chain("w1", CHAIN))?;
    let (mut hops, mut spawns, mut flushes, mut pages) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        spawns.push(limits::spawn_ms()?);
        flushes.push(limits::flush_ms(&bench.root, FLUSHED_BYTES[0])?);
        pages.push(limits::flush_ms(&bench.root, FLUSHED_BYTES[1])?);
        let seconds = instance(&client, "w1", CHAIN, Duration::from_millis(10))
            .with_context(|| servers.errors())?;
        #[expect(clippy::cast_precision_loss, reason = "40")]
        hops.push(seconds * 1000.0 / CHAIN as f64);
    }
    let both = spawns
        .iter()
        .zip(&flushes)
        .map(|(spawn, flush)| spawn + flush)
        .collect();
    Ok(vec![Figure {
        workload: "W1",
        on: on.name(),
        name: "a hop",
        unit: "ms",
        values: hops,
        limits: vec![
            Limit {
                name: "posix_spawn sh + flush",
                values: both,
            },
            Limit {
                name: "ms posix_spawn sh",
                values: spawns,
            },
            Limit {
                name: "ms flush of 128 bytes",
                values: flushes,
            },
            Limit {
                name: "ms flush of a 4 KiB page",
                values: pages,
            },
        ],
        first: vec![Mark::AtMost(6.0)],
        last: vec![Mark::AtMost(2.0), Mark::RatioAtMost(2.0)],
    }])
}

/// W2.
pub(crate) fn fan_out(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let servers = Servers::start(bench, on, "")?;
    let client = servers.client();
    client.put(&definitions::fan_out("w2", WIDTH))?;
    let (mut rates, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        limit.push(limits::xargs_per_second(WIDTH)?);
        // The whole instance with its thousand nodes is read each time: seldom, so that reading costs nothing.
        let seconds = instance(&client, "w2", WIDTH, Duration::from_millis(250))
            .with_context(|| servers.errors())?;
        rates.push(limits::rate(WIDTH, Duration::from_secs_f64(seconds)));
    }
    Ok(vec![Figure {
        workload: "W2",
        on: on.name(),
        name: "fan-out",
        unit: "tasks/s",
        values: rates,
        limits: vec![Limit {
            name: "xargs -P2 sh",
            values: limit,
        }],
        first: vec![Mark::AtLeast(600.0)],
        last: vec![Mark::AtLeast(1400.0), Mark::RatioAtLeast(0.7)],
    }])
}

/// Seconds from the request of one instance to its end.
fn instance(client: &Client, workflow: &str, actions: usize, pause: Duration) -> Result<f64> {
    let requested_ms = moment::now_ms();
    let id = client.run(workflow)?;
    let finished = client.wait(&id, actions, pause)?;
    Ok((finished.ended_ms - requested_ms) / 1000.0)
}

/// W3.
pub(crate) fn small_instances(bench: &Bench, on: On) -> Result<Vec<Figure>> {
    let servers = Servers::start(bench, on, "")?;
    servers.client().put(&definitions::diamond("w3"))?;
    let (mut rates, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        limit.push(limits::xargs_per_second(INSTANCES * DIAMOND)?);
        let seconds = instances(&servers).with_context(|| servers.errors())?;
        rates.push(limits::rate(
            INSTANCES * DIAMOND,
            Duration::from_secs_f64(seconds),
        ));
    }
    Ok(vec![Figure {
        workload: "W3",
        on: on.name(),
        name: "small instances",
        unit: "nodes/s",
        values: rates,
        limits: vec![Limit {
            name: "xargs -P2 sh",
            values: limit,
        }],
        first: vec![Mark::AtLeast(300.0)],
        last: vec![Mark::AtLeast(1200.0), Mark::RatioAtLeast(0.6)],
    }])
}

/// Seconds from the first request to the end of the last instance.
fn instances(servers: &Servers<'_>) -> Result<f64> {
    let clients: Vec<Client> = (0..CONNECTIONS).map(|_| servers.client()).collect();
    let requested_ms = moment::now_ms();
    let ids = request_all(&clients)?;
    let mut last_ms = requested_ms;
    // The oldest first: when it has ended most others have too, so few answers are read before their time.
    for id in ids {
        last_ms = clients[0]
            .wait(&id, DIAMOND, Duration::from_millis(50))?
            .ended_ms
            .max(last_ms);
    }
    Ok((last_ms - requested_ms) / 1000.0)
}

fn request_all(clients: &[Client]) -> Result<Vec<String>> {
    let share = INSTANCES / CONNECTIONS;
    let request = |client: &Client| {
        (0..share)
            .map(|_| client.run("w3"))
            .collect::<Result<Vec<_>>>()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter()
            .map(|client| scope.spawn(move || request(client)))
            .collect();
        let answers = threads
            .into_iter()
            .map(|thread| thread.join().expect("requests do not panic"));
        Ok(answers.collect::<Result<Vec<_>>>()?.concat())
    })
}
