//! What becomes of processes that an attempt leaves behind at its end.

use std::path::Path;

use akkaflow_model::outcome::OutcomeKind;
use rustix::process::{Pid, Signal, kill_process};

use crate::fake_master::{FakeMaster, key};
use crate::stopping::lives;
use crate::worker::{DataDir, Worker, options};

/// Output of these streams is what the worker says itself.
const INFO: u32 = 3;
const WARN: u32 = 4;

fn pid_in(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

async fn said(master: &mut FakeMaster, stream: u32) -> String {
    let said = master.output(&key(1), stream, |out| !out.is_empty()).await;
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn what_a_script_leaves_behind_in_its_session_is_ended_and_named() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let child = data.file("child");
    let script = format!("sleep 300 & echo $! > {}", child.display());
    master.run(&key(1), "sh", &script);
    assert_eq!(master.finished(&key(1)).await.kind, OutcomeKind::Succeeded);
    assert!(!lives(&child));
    let said = said(&mut master, WARN).await;
    assert!(
        said.contains(&pid_in(&child)) && said.contains("sleep 300"),
        "{said}"
    );
}

#[tokio::test]
async fn a_daemon_of_a_script_that_succeeds_stays_and_is_named() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let daemon = data.file("daemon");
    let script = format!(
        "setsid sh -c 'echo $$ > {daemon}; exec sleep 301' & until [ -s {daemon} ]; do sleep 0.01; done",
        daemon = daemon.display()
    );
    master.run(&key(1), "sh", &script);
    assert_eq!(master.finished(&key(1)).await.kind, OutcomeKind::Succeeded);
    assert!(lives(&daemon));
    let said = said(&mut master, INFO).await;
    assert!(
        said.contains("left running") && said.contains(&pid_in(&daemon)),
        "{said}"
    );
    // It holds up nobody who comes later.
    master.run(&key(2), "sh", "true");
    assert_eq!(master.finished(&key(2)).await.kind, OutcomeKind::Succeeded);
    assert!(lives(&daemon));
    let pid = Pid::from_raw(pid_in(&daemon).parse().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

#[tokio::test]
async fn nothing_of_a_failed_script_runs_beside_its_retry() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let (child, daemon) = (data.file("child"), data.file("daemon"));
    let script = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {child}; while :; do sleep 60; done' &\n\
         setsid sh -c 'echo $$ > {daemon}; exec sleep 302' &\n\
         until [ -s {child} ] && [ -s {daemon} ]; do sleep 0.01; done; exit 7",
        child = child.display(),
        daemon = daemon.display(),
    );
    master.run(&key(1), "sh", &script);
    let outcome = master.finished(&key(1)).await;
    assert_eq!(
        (outcome.kind, outcome.exit_code),
        (OutcomeKind::Failed, Some(7))
    );
    assert!(!lives(&child) && !lives(&daemon));
    let said = said(&mut master, WARN).await;
    assert!(
        said.contains(&pid_in(&child)) && said.contains(&pid_in(&daemon)),
        "{said}"
    );
}

#[tokio::test]
async fn who_reads_what_a_script_prints_may_finish() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let script = "mkfifo p; (cat p; echo last) & exec > p; echo first";
    master.run(&key(1), "sh", script);
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
    master
        .output(&key(1), 1, |out| out == b"first\nlast\n")
        .await;
    assert!(master.output_now(&key(1), WARN).is_empty());
}
