//! From the order to the acknowledgement, over crashes and lost connections.

use akkaflow_model::outcome::OutcomeKind;
use akkaflow_rpc::wire;

use crate::fake_master::{CLUSTER, FakeMaster, Seen, key};
use crate::worker::{DataDir, Worker, eventually, options};

#[tokio::test]
async fn a_script_runs_and_says_how_it_ended() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let attach = master.attached().await;
    assert_eq!(attach.protocol_version, 1);
    assert_eq!(attach.host, "test-host");
    assert!(attach.slots >= 8);
    master.run(
        &key(1),
        "sh",
        "cat akkaflow_beside; echo $AKKAFLOW_PARAM_sta_date $AKKAFLOW_ATTEMPT; echo oops >&2; exit 7",
    );
    master.accepted(&key(1)).await;
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Failed);
    assert_eq!(outcome.exit_code, Some(7));
    assert_eq!(outcome.text.unwrap().en, "exit code 7: oops");
    let expected = format!("content\n2026-11-21 {}\n", key(1));
    let length = expected.len();
    let output = master.output(&key(1), 1, |out| out.len() >= length).await;
    assert_eq!(String::from_utf8(output).unwrap(), expected);
    master.output(&key(1), 2, |err| err == b"oops\n").await;
    assert_eq!(outcome.log_length, length as u64 + 5);
}

#[tokio::test]
async fn what_a_process_and_its_children_used_is_told_with_its_end() {
    let data = DataDir::new();
    // More than the script holds, as an agent with much work may: neither the supervisor nor the script has used it.
    let _held_by_the_agent = vec![1_u8; 128 << 20];
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let busy =
        "python3 -c 'import time\nx = bytearray(64 << 20)\nwhile time.process_time() < 0.2: pass'";
    master.run(&key(1), "sh", busy);
    let outcome = master.finished(&key(1)).await;
    let used = outcome.figures.unwrap();
    assert!(used.cpu_millis.unwrap() >= 200, "{used:?}");
    assert!(used.peak_memory.unwrap() >= 64 << 20, "{used:?}");
    assert_eq!((used.bytes, used.measured), (None, None));
}

#[tokio::test]
async fn a_kill_is_heard_while_tasks_hold_all_their_threads_and_their_time_is_told() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let keys: Vec<_> = (1..=8).map(key).collect();
    for key in &keys {
        master.run(key, "report", "spin");
        master.accepted(key).await;
    }
    // Its line is at the master: the first one runs.
    master.output(&keys[0], 3, |lines| !lines.is_empty()).await;
    for key in &keys {
        master.cancel(key);
    }
    let outcome = master.finished(&keys[0]).await;
    assert_eq!(outcome.kind, OutcomeKind::Cancelled);
    let used = outcome.figures.unwrap();
    assert!(used.cpu_millis.is_some(), "{used:?}");
    assert_eq!(used.peak_memory, None, "nobody knows it");
}

#[tokio::test]
async fn nothing_is_left_of_an_acknowledged_attempt() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "sh", "echo done");
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
    assert_eq!(outcome.text, None);
    master.output(&key(1), 1, |out| out == b"done\n").await;
    master.acknowledge(&key(1));
    // An order after it: when that is carried out, the acknowledgement was.
    master.run(&key(2), "sh", "true");
    master.finished(&key(2)).await;
    worker.stop().await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let attach = master.attached().await;
    assert_eq!(attach.holds, [wire::AttemptKey::from(&key(2))]);
    eventually(|| data.attempts() == 1).await;
}

#[tokio::test]
async fn a_new_agent_adopts_what_runs() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    let before = master.attached().await;
    let go = data.file("go");
    let script = format!(
        "echo before; until [ -e {} ]; do sleep 0.01; done; echo after",
        go.display()
    );
    master.run(&key(1), "sh", &script);
    master.output(&key(1), 1, |out| out == b"before\n").await;
    worker.crash();
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let after = master.attached().await;
    assert!(after.incarnation > before.incarnation);
    assert_eq!(after.worker_id, before.worker_id);
    assert_eq!(after.holds, [wire::AttemptKey::from(&key(1))]);
    assert_eq!(after.cluster, CLUSTER.to_be_bytes());
    std::fs::write(go, "").unwrap();
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
    master
        .output(&key(1), 1, |out| out == b"before\nafter\n")
        .await;
}

#[tokio::test]
async fn an_exit_while_the_agent_is_away_is_reported_by_the_next() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let (go, done) = (data.file("go"), data.file("done"));
    let script = format!(
        "echo ready; until [ -e {} ]; do sleep 0.01; done; touch {}; exit 3",
        go.display(),
        done.display()
    );
    master.run(&key(1), "sh", &script);
    // An acceptance would not do: it is said before the start.
    master.output(&key(1), 1, |out| out == b"ready\n").await;
    worker.crash();
    std::fs::write(go, "").unwrap();
    eventually(|| done.exists()).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.exit_code, Some(3));
}

#[tokio::test]
async fn a_task_of_a_dead_agent_is_lost() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "wait");
    master.accepted(&key(1)).await;
    worker.crash();
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Lost);
}

#[tokio::test]
async fn a_task_of_a_stopping_agent_is_lost_and_said_so_at_once() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "wait");
    master.output(&key(1), 3, |out| out == b"wait\n").await;
    worker.stop().await;
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Lost);
}

#[tokio::test]
async fn an_outcome_is_repeated_until_it_is_acknowledged() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "sh", "exit 4");
    let first = master.finished(&key(1)).await;
    master.hang_up();
    let attach = master.attached().await;
    assert_eq!(attach.holds, [wire::AttemptKey::from(&key(1))]);
    assert_eq!(master.finished(&key(1)).await, first);
    master.acknowledge(&key(1));
    master.run(&key(2), "sh", "true");
    master.finished(&key(2)).await;
    master.hang_up();
    let attach = master.attached().await;
    assert_eq!(attach.holds, [wire::AttemptKey::from(&key(2))]);
}

#[tokio::test]
async fn a_worker_finds_the_next_master_and_refuses_the_one_before() {
    let data = DataDir::new();
    let mut old = FakeMaster::start(3).await;
    let mut new = FakeMaster::start(4).await;
    let worker = Worker::start(options(data.path(), &[&new.address]));
    new.attached().await;
    // Accepting something makes sure that the epoch was made durable.
    new.run(&key(1), "sh", "true");
    new.finished(&key(1)).await;
    worker.crash();
    let _worker = Worker::start(options(data.path(), &[&old.address, &new.address]));
    assert_eq!(old.attached().await.max_epoch, 4);
    assert_eq!(old.next().await, Seen::Gone);
    new.attached().await;
    new.finished(&key(1)).await;
}

#[tokio::test]
async fn an_order_of_an_older_epoch_or_for_another_incarnation_starts_nothing() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(5).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let proof = data.file("proof");
    let script = format!("touch {}", proof.display());
    let mut stale = master.order(&key(1), "sh", &script);
    stale.epoch = 4;
    master.send(wire::master_event::Event::Start(stale));
    let mut foreign = master.order(&key(2), "sh", &script);
    foreign.incarnation ^= 1;
    master.send(wire::master_event::Event::Start(foreign));
    master.run(&key(3), "sh", "true");
    assert_eq!(master.next().await, Seen::Accepted(key(3)));
    master.finished(&key(3)).await;
    assert!(!proof.exists());
}

#[tokio::test]
async fn a_tombstoned_attempt_never_starts() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.send(wire::master_event::Event::Tombstone((&key(1)).into()));
    master.tombstoned(&key(1)).await;
    master.run(&key(1), "sh", "true");
    assert_eq!(master.next().await, Seen::Tombstoned(key(1)));
}

#[tokio::test]
async fn an_order_given_twice_runs_once() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "sh", "echo once");
    master.run(&key(1), "sh", "echo once");
    master.finished(&key(1)).await;
    master.output(&key(1), 1, |out| out == b"once\n").await;
}

#[tokio::test]
async fn attachments_lie_beside_the_script() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.set_attachment(b"from the master");
    let mut order = master.order(&key(1), "sh", "cat 附件.txt");
    order.attachments = vec!["附件.txt".to_owned()];
    master.send(wire::master_event::Event::Start(order));
    master.finished(&key(1)).await;
    master
        .output(&key(1), 1, |out| out == b"from the master")
        .await;
}

#[tokio::test]
async fn an_attachment_travels_once_and_one_that_changed_under_way_is_refused() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    let content = b"many pieces of three bytes";
    let hash = ring::digest::digest(&ring::digest::SHA256, content);
    master.set_attachment(content);
    master.set_attachment_hash(hash.as_ref());
    for attempt in [1, 2] {
        let mut order = master.order(&key(attempt), "sh", "cat a; echo x > a");
        order.attachments = vec!["a".to_owned()];
        master.send(wire::master_event::Event::Start(order));
        master.finished(&key(attempt)).await;
        master.output(&key(attempt), 1, |out| out == content).await;
        if attempt == 1 {
            // From now on there is only what the worker has kept.
            master.set_attachment(b"");
        }
    }
    assert_eq!(master.attachment_pieces(), content.len().div_ceil(3));
    master.set_attachment(b"other");
    master.set_attachment_hash(&[7; 32]);
    let mut order = master.order(&key(3), "sh", "cat a");
    order.attachments = vec!["a".to_owned()];
    master.send(wire::master_event::Event::Start(order));
    let outcome = master.finished(&key(3)).await;
    let text = outcome.text.unwrap().en;
    assert!(text.contains("changed while it was sent"), "{text}");
}

#[tokio::test]
async fn an_attachment_whose_name_leaves_the_directory_is_refused() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.set_attachment(b"evil");
    let mut order = master.order(&key(1), "sh", "true");
    order.attachments = vec!["../../evil".to_owned()];
    master.send(wire::master_event::Event::Start(order));
    let outcome = master.finished(&key(1)).await;
    assert!(outcome.text.unwrap().en.contains("evil"));
}

#[tokio::test]
async fn an_unknown_action_type_fails_for_good() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "nonsense", "");
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::FailedForGood);
    assert!(outcome.text.unwrap().en.contains("nonsense"));
}

#[tokio::test]
async fn a_panic_of_an_action_is_its_failure() {
    let data = DataDir::new();
    let mut master = FakeMaster::start(1).await;
    let _worker = Worker::start(options(data.path(), &[&master.address]));
    master.attached().await;
    master.run(&key(1), "report", "panic");
    let outcome = master.finished(&key(1)).await;
    assert_eq!(outcome.kind, OutcomeKind::Failed);
    assert!(outcome.text.unwrap().en.contains("as told"));
    master.run(&key(2), "report", "fine");
    let outcome = master.finished(&key(2)).await;
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
}
