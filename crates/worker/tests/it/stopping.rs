//! Kills reach everything that descends from an attempt.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use akkaflow_model::outcome::OutcomeKind;
use akkaflow_worker::OnStop;
use rustix::fs::{FlockOperation, flock};

use crate::fake_master::{FakeMaster, key};
use crate::worker::{DataDir, Worker, eventually, options};

/// Whether a process with this id, read from a file, is there and no zombie.
pub(crate) fn lives(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[tokio::test]
async fn a_kill_reaches_grandchildren_and_those_who_left_their_session() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let (child, stray) = (data.file("child"), data.file("stray"));
    // The stray is started by a shell that is gone at once: nothing links it to the attempt but its environment.
    let script = format!(
        "sh -c 'echo $$ > {child}; trap \"\" TERM; while :; do sleep 60; done' &\n\
         (setsid sh -c 'echo $$ > {stray}; trap \"\" TERM; while :; do sleep 60; done' &)\n\
         until [ -s {child} ] && [ -s {stray} ]; do sleep 0.01; done\n\
         echo ready; wait",
        child = child.display(),
        stray = stray.display(),
    );
    master.run(&key(1), "sh", &script);
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    assert!(lives(&child) && lives(&stray));
    master.cancel(&key(1));
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Cancelled);
    assert!(!lives(&child) && !lives(&stray));
}

#[tokio::test]
async fn a_script_may_clean_up_before_it_goes() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(
        &key(1),
        "sh",
        "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
    );
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    master.cancel(&key(1));
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Cancelled);
    master
        .output(&key(1), 1, |out| out.ends_with(b"bye\n"))
        .await;
}

#[tokio::test]
async fn a_task_is_cancelled() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "wait");
    master.accepted(&key(1)).await;
    master.cancel(&key(1));
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Cancelled);
}

#[tokio::test]
async fn processes_of_a_dead_supervisor_are_killed_and_lost() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let child = data.file("child");
    let script = format!("echo $$ > {}; echo ready; sleep 300", child.display());
    master.run(&key(1), "sh", &script);
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    let supervisor = parent_of(&child);
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Lost);
    assert!(!lives(&child));
    master.run(&key(2), "sh", "true");
    assert_eq!(
        master.finished(&key(2)).await.kind,
        OutcomeKind::Succeeded,
        "under the next supervisor"
    );
}

#[tokio::test]
async fn a_dead_supervisor_costs_no_process_of_another_worker_on_the_machine() {
    let (ours, theirs) = (DataDir::new(), DataDir::new());
    let mut our_master = FakeMaster::start(1).await;
    let mut their_master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(ours.path(), &[&our_master.address]));
    let _neighbour = Worker::start(options(theirs.path(), &[&their_master.address]));
    our_master.attached().await;
    their_master.attached().await;
    let (our_pid, their_pid) = (ours.file("pid"), theirs.file("pid"));
    our_master.run(&key(1), "sh", &endless(&our_pid));
    their_master.run(&key(1), "sh", &endless(&their_pid));
    our_master.output(&key(1), 1, |out| out == b"ready\n").await;
    their_master
        .output(&key(1), 1, |out| out == b"ready\n")
        .await;
    rustix::process::kill_process(parent_of(&our_pid), rustix::process::Signal::KILL).unwrap();
    assert_eq!(our_master.finished(&key(1)).await.kind, OutcomeKind::Lost);
    assert!(!lives(&our_pid));
    assert!(lives(&their_pid), "the same attempt of another worker");
}

#[tokio::test]
async fn a_shutdown_that_shall_kill_leaves_nothing() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let options = options(data.path(), &[&master.address]);
    options.kill_on_shutdown.cancel();
    let worker = Worker::start(options);
    master.attached().await;
    let child = data.file("child");
    let script = format!("echo $$ > {}; echo ready; sleep 300", child.display());
    master.run(&key(1), "sh", &script);
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    worker.stop().await;
    assert!(!lives(&child));
    assert_eq!(master.finished(&key(1)).await.kind, OutcomeKind::Lost);
}

#[tokio::test]
async fn a_supervisor_without_children_and_agent_goes_away() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let pid = data.file("pid");
    master.run(&key(1), "sh", &format!("echo $PPID > {}", pid.display()));
    master.finished(&key(1)).await;
    assert!(lives(&pid));
    worker.stop().await;
    eventually(|| !lives(&pid)).await;
}

fn parent_of(file: &Path) -> rustix::process::Pid {
    let pid = std::fs::read_to_string(file).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap();
    let parent = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap();
    rustix::process::Pid::from_raw(parent.parse().unwrap()).unwrap()
}

/// Whether a supervisor lives on this data directory: it holds its lock as long as it does.
fn is_supervised(data: &DataDir) -> bool {
    let lock = std::fs::File::open(data.file("supervisor/lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err()
}

/// A script that runs until it is killed, with its process id in `file`.
fn endless(file: &Path) -> String {
    format!("echo $$ > {}; echo ready; exec sleep 600", file.display())
}

#[tokio::test]
async fn with_nothing_running_the_supervisor_goes_with_its_worker() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "sh", "true");
    master.finished(&key(1)).await;
    assert!(is_supervised(&data));
    worker.stop().await;
    let stopped = Instant::now();
    eventually(|| !is_supervised(&data)).await;
    // One that nobody told waits 5 s for the next worker; a busy machine must not fail the test by a little.
    assert!(
        stopped.elapsed() < Duration::from_secs(4),
        "{:?}",
        stopped.elapsed()
    );
}

#[tokio::test]
async fn a_supervisor_with_a_running_script_stays_to_be_adopted_and_goes_after_it() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let (pid, go) = (data.file("pid"), data.file("go"));
    let script = format!(
        "echo $$ > {}; echo ready; until [ -e {} ]; do sleep 0.01; done",
        pid.display(),
        go.display()
    );
    master.run(&key(1), "sh", &script);
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    worker.stop().await;
    assert!(lives(&pid) && is_supervised(&data));
    let next = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    next.stop().await;
    assert!(lives(&pid) && is_supervised(&data));
    std::fs::write(go, "").unwrap();
    eventually(|| !is_supervised(&data)).await;
}

#[tokio::test]
async fn a_worker_that_starts_while_the_supervisor_goes_gets_another_one() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    for attempt in 1..=5 {
        let worker = Worker::start(options(data.path(), &[&master.address]));
        master.attached().await;
        master.run(&key(attempt), "sh", "true");
        let outcome = master.finished(&key(attempt)).await;
        assert_eq!(outcome.kind, OutcomeKind::Succeeded);
        worker.stop().await;
    }
}

#[tokio::test]
async fn without_word_from_a_master_the_supervisor_kills_everything_agent_or_not() {
    for is_agent_dead in [false, true] {
        let data = DataDir::new();
        let mut master = FakeMaster::start(1).await;
        master.set_stop_after(1_000);
        let worker = Worker::start(options(data.path(), &[&master.address]));
        master.attached().await;
        let pid = data.file("pid");
        master.run(&key(1), "sh", &endless(&pid));
        master.output(&key(1), 1, |out| out == b"ready\n").await;
        assert!(lives(&pid));
        drop(master);
        if is_agent_dead {
            worker.crash();
            eventually(|| !lives(&pid)).await;
        } else {
            eventually(|| !lives(&pid)).await;
            worker.crash();
        }
    }
}

#[tokio::test]
async fn whoever_stops_it_hears_how_many_scripts_run_on_while_they_can_still_be_killed() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let mut options = options(data.path(), &[&master.address]);
    let told = Arc::new(AtomicUsize::new(0));
    let is_asked = Arc::new(OnceLock::new());
    let (hears, asked) = (Arc::clone(&told), Arc::clone(&is_asked));
    options.on_stop = Some(OnStop(Arc::new(move |count| {
        hears.store(count, Ordering::Relaxed);
        asked.set(()).unwrap();
        Duration::from_secs(60)
    })));
    let kill = options.kill_on_shutdown.clone();
    let worker = Worker::start(options);
    master.attached().await;
    let pid = data.file("pid");
    master.run(&key(1), "sh", &endless(&pid));
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    let second = async {
        eventually(|| is_asked.get().is_some()).await;
        assert!(lives(&pid));
        kill.cancel();
    };
    let began = Instant::now();
    tokio::join!(worker.stop(), second);
    assert!(!lives(&pid));
    assert_eq!(told.load(Ordering::Relaxed), 1);
    assert!(began.elapsed() < Duration::from_secs(30));
}
