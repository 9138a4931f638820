//! How many `sh -c true` a worker runs in a second, and how long one takes from the order to the report, beside the limit
//! of the machine: `cargo run --release -p akkaflow-worker --example rate [COUNT] [AT_ONCE]`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark by hand"
)]

#[path = "../tests/it/actions.rs"]
mod actions;
#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/it/fake_master.rs"]
mod fake_master;

use std::process::Command;
use std::time::{Duration, Instant};

use akkaflow_worker::{Options, Service, supervisor};
use fake_master::{FakeMaster, Seen, key};
use tokio_util::sync::CancellationToken;

fn main() {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(data_dir) = supervisor::is_invocation(&arguments) {
        supervisor::main(data_dir).unwrap();
        return;
    }
    let number = |at: usize, default| {
        arguments
            .get(at)
            .and_then(|text| text.to_str()?.parse().ok())
            .unwrap_or(default)
    };
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(measure(number(1, 5_000), number(2, 64)));
}

async fn measure(count: u32, at_once: u32) {
    let data = tempfile::tempdir_in(".").unwrap();
    let mut master = FakeMaster::start(1).await;
    let shutdown = CancellationToken::new();
    let options = Options::new(data.path(), vec![master.address.clone()]);
    let service = Service::with_registry(options, actions::registry());
    let worker = tokio::spawn(service.run(shutdown.clone()));
    master.attached().await;

    let mut times = Vec::new();
    for attempt in 1..=500 {
        let begin = Instant::now();
        master.run(&key(attempt), "sh", "true");
        master.finished(&key(attempt)).await;
        times.push(begin.elapsed());
        master.acknowledge(&key(attempt));
    }
    times.sort();
    println!(
        "one by one: median {:.2} ms, 99% {:.2} ms",
        millis(times[times.len() / 2]),
        millis(times[times.len() * 99 / 100])
    );

    let begin = Instant::now();
    let (mut started, mut ended) = (0, 0);
    while ended < count {
        while started < count && started - ended < at_once {
            started += 1;
            master.run(&key(1_000 + started), "sh", "true");
        }
        if let Seen::Finished(key, _) = master.next().await {
            ended += 1;
            master.acknowledge(&key);
        }
    }
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    println!("{at_once} at once: {rate:.0} attempts/s");
    print_cpu(count);

    let begin = Instant::now();
    let script = format!("seq {count} | xargs -P2 -n1 sh -c true");
    Command::new("sh").arg("-c").arg(script).status().unwrap();
    let limit = f64::from(count) / begin.elapsed().as_secs_f64();
    println!(
        "xargs -P2: {limit:.0}/s; the worker reaches {:.2} of it",
        rate / limit
    );

    shutdown.cancel();
    worker.await.unwrap().unwrap();
}

/// What this process (agent and fake master), its supervisor and the scripts have used, a figure that a busy machine
/// spoils less than the rate.
fn print_cpu(count: u32) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let us = std::process::id().to_string();
        let name = match (entry.file_name().to_str() == Some(&us), fields[1] == us) {
            (true, _) => "agent and fake master",
            (_, true) if stat.contains("(rate)") => "supervisor",
            _ => continue,
        };
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap() * 10.0;
        let each = |at: usize| ticks(at) / f64::from(count + 500);
        println!(
            "{name}: {:.3} ms user, {:.3} ms system an attempt; its children {:.3} ms user, {:.3} ms system",
            each(11),
            each(12),
            each(13),
            each(14)
        );
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
