//! The log of an instance: told by its rows, woven into the output, followed without loss.

use akkaflow_model::command::Answer;
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, WorkerId};
use akkaflow_model::landing::{Blame, Landing, LandingNotice};
use akkaflow_model::message::Message;
use akkaflow_model::record::{
    AttemptRow, EarlierRun, InstanceRow, Intervention, NodeRow, Record, VersionRow, WaitTold,
};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::text::Text;
use akkaflow_store::{LogChunk, MemoryStore, Store, Stream};
use serde_json::Value;

use crate::support::{
    FakeMaster, Server, XML, at, id, instance_row, led_by, node_row, put, workflow_records,
};

fn key(node: &str, attempt: u32) -> AttemptKey {
    AttemptKey {
        instance: id(),
        node: node.into(),
        run: 1,
        attempt,
    }
}

fn attempt(number: u32, state: AttemptState, from: i64, to: i64, log_length: u64) -> AttemptRow {
    let is_over = state.is_terminal();
    AttemptRow {
        key: key("a", number),
        state,
        worker: WorkerId("w1".into()),
        incarnation: Incarnation(1),
        host: "host1".into(),
        epoch: Epoch(1),
        assigned_at: at(from),
        accepted_at: None,
        ended_at: is_over.then(|| at(to)),
        cancel: None,
        message: (state == AttemptState::Failed)
            .then(|| Message::said(Text::new("退出码1", "exit code 1"))),
        exit_code: None,
        log_length,
        figures: None,
    }
}

fn chunk(number: u32, stream: Stream, offset: u64, millis: i64, data: &[u8]) -> LogChunk {
    LogChunk {
        key: key("a", number),
        stream,
        offset,
        at: at(millis),
        data: data.to_vec(),
    }
}

fn node_a(state: NodeState, attempts: u32) -> NodeRow {
    NodeRow {
        attempts,
        message: state.is_terminal().then_some(Message::Succeeded),
        ..node_row("a", "script", state, 10)
    }
}

fn ended() -> InstanceRow {
    InstanceRow {
        state: InstanceState::Succeeded,
        ended_at: Some(at(20_000)),
        ..instance_row()
    }
}

async fn store() -> MemoryStore {
    let master = FakeMaster::saying(Ok(Answer::Done));
    let store = led_by(&master.serve().await).await;
    put(&store, 1, workflow_records(XML)).await;
    store
}

/// A whole life: one failure with a retry, then success.
async fn lived() -> MemoryStore {
    let store = store().await;
    put(
        &store,
        2,
        vec![
            Record::instance(ended()),
            Record::node(node_row("start", "start", NodeState::Succeeded, 6)),
            Record::node(node_a(NodeState::Succeeded, 2)),
            Record::node(NodeRow {
                message: Some(Message::Ignored),
                ..node_row("b", "script", NodeState::Succeeded, 19_000)
            }),
            Record::node(node_row("end", "end", NodeState::Succeeded, 20_000)),
            Record::attempt(attempt(1, AttemptState::Failed, 20, 100, 12)),
            Record::attempt(attempt(2, AttemptState::Succeeded, 10_100, 18_000, 6)),
        ],
    )
    .await;
    let chunks = [
        chunk(1, Stream::Stdout, 0, 50, b"one\ntwo\n"),
        chunk(1, Stream::Stderr, 0, 60, b"bad\n"),
        chunk(2, Stream::Stdout, 0, 11_000, b"good\xff\n"),
    ];
    store.append_log(&chunks).await.unwrap();
    store
}

fn text_of(line: &Value) -> String {
    line["text"].as_str().unwrap().to_owned()
}

async fn all(server: &Server, query: &str) -> Vec<String> {
    let path = format!("/api/v1/instances/{}/logs?{query}", id());
    let got = server.get(&path).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json().as_array().unwrap().iter().map(text_of).collect()
}

#[tokio::test]
async fn a_whole_life_is_told_in_akkaflow_s_words() {
    let server = Server::start(&lived().await).await;
    let name = format!("日报:{}", id());
    let expected = [
        format!("生成工作流实例：{name}"),
        "开始运行实例".to_owned(),
        "执行【StartNode】节点：start".to_owned(),
        "执行【ScriptNode】节点：a".to_owned(),
        "节点a分配到Worker[host1]".to_owned(),
        "one".to_owned(),
        "two".to_owned(),
        "bad".to_owned(),
        "动作节点[a]执行失败，等待10秒...：退出码1".to_owned(),
        "动作节点[a]进行第1次重试".to_owned(),
        "节点a分配到Worker[host1]".to_owned(),
        "good\u{fffd}".to_owned(),
        "节点执行成功".to_owned(),
        "忽略【ScriptNode】节点：b".to_owned(),
        "执行【EndNode】节点：end".to_owned(),
        format!("工作流实例：{name}执行完毕.执行状态: 成功"),
    ];
    assert_eq!(all(&server, "lang=zh").await, expected);
}

#[tokio::test]
async fn lines_know_their_level_node_and_attempt() {
    let server = Server::start(&lived().await).await;
    let got = server
        .get(&format!("/api/v1/instances/{}/logs", id()))
        .await;
    assert_eq!(got.header("akkaflow-log-complete"), "true");
    let lines = got.json();
    let bad = &lines[7];
    assert_eq!(bad["text"], "bad");
    assert_eq!(bad["level"], "ERROR");
    assert_eq!(bad["node"], "a");
    assert_eq!(bad["attempt"], 1);
    assert_eq!(bad["time"], at(60).to_rfc3339());
    assert_eq!(lines[0]["node"], Value::Null);
}

#[tokio::test]
async fn the_whole_log_comes_as_text_in_local_time() {
    let server = Server::start(&lived().await).await;
    let path = format!("/api/v1/instances/{}/logs?lang=zh", id());
    let got = server
        .send("GET", &path, &[("accept", "text/plain")], "")
        .await;
    assert!(got.header("content-type").starts_with("text/plain"));
    assert_eq!(got.body.lines().count(), 16);
    let line = got.body.lines().nth(5).unwrap();
    assert_eq!(line, "[INFO] [2026-11-21 13:00:00.050] [a]\tone");
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_log() {
    let server = Server::start(&lived().await).await;
    let whole = all(&server, "").await;
    for limit in 1..=17 {
        let mut lines = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!(
                "/api/v1/instances/{}/logs?after={cursor}&limit={limit}",
                id()
            );
            let got = server.get(&path).await;
            let page = got.json();
            let page = page.as_array().unwrap();
            assert!(page.len() <= limit, "{limit}: {page:?}");
            lines.extend(page.iter().map(text_of));
            cursor = got.header("akkaflow-log-cursor").to_owned();
            if got.header("akkaflow-log-complete") == "true" {
                break;
            }
            assert!(!page.is_empty(), "{limit}: stuck at {cursor}");
        }
        assert_eq!(lines, whole, "limit {limit}");
    }
}

#[tokio::test]
async fn a_follower_gets_each_line_once_though_pieces_and_rows_come_late() {
    let store = store().await;
    let server = Server::start(&store).await;
    let mut follower = Follower::default();
    put(&store, 2, vec![Record::instance(instance_row())]).await;
    follower.poll(&server, 2).await;
    follower.poll(&server, 0).await;
    let running = attempt(1, AttemptState::Running, 20, 0, 0);
    put(
        &store,
        3,
        vec![
            Record::node(node_row("start", "start", NodeState::Succeeded, 6)),
            Record::node(node_a(NodeState::Running, 1)),
            Record::attempt(running),
        ],
    )
    .await;
    // A line in three pieces, with another stream between them.
    let pieces = [
        chunk(1, Stream::Stdout, 0, 30, b"first\nsec"),
        chunk(1, Stream::Stderr, 0, 31, b"warn\n"),
    ];
    store.append_log(&pieces).await.unwrap();
    follower.poll(&server, 5).await;
    let piece = chunk(1, Stream::Stdout, 9, 32, b"o");
    store.append_log(&[piece]).await.unwrap();
    follower.poll(&server, 0).await;
    let piece = chunk(1, Stream::Stdout, 10, 33, b"nd\nlast words");
    store.append_log(&[piece]).await.unwrap();
    follower.poll(&server, 1).await;
    assert!(!follower.is_complete);
    put(
        &store,
        4,
        vec![
            Record::instance(ended()),
            Record::node(node_a(NodeState::Succeeded, 1)),
            Record::attempt(attempt(1, AttemptState::Succeeded, 20, 100, 27)),
        ],
    )
    .await;
    follower.poll(&server, 3).await;
    assert!(follower.is_complete);
    let lines: Vec<&str> = follower.lines.iter().map(String::as_str).collect();
    let last = format!("instance 日报:{} has ended: succeeded", id());
    assert_eq!(
        lines[2..],
        [
            "reached start node start",
            "reached script node a",
            "assigned to worker w1 on host1",
            "first",
            "warn",
            "second",
            "last words",
            "succeeded",
            &last,
        ]
    );
}

#[tokio::test]
async fn a_last_line_without_its_break_stands_where_it_was_written() {
    let store = lived().await;
    let mut first = attempt(1, AttemptState::Failed, 20, 100, 17);
    first.message = None;
    put(&store, 3, vec![Record::attempt(first)]).await;
    let piece = chunk(1, Stream::Stderr, 4, 70, b"break");
    let other = chunk(2, Stream::Stdout, 6, 12_000, b"\n");
    store.append_log(&[piece, other]).await.unwrap();
    let server = Server::start(&store).await;
    let lines = all(&server, "lang=zh").await;
    // It arrived after the output of the second attempt, but the first one had ended when it was written.
    let place = |wanted: &str| lines.iter().position(|line| line == wanted).unwrap();
    assert_eq!(
        place("break"),
        place("动作节点[a]执行失败，等待10秒...") - 1,
        "{lines:?}"
    );
    assert!(place("bad") < place("break"), "{lines:?}");
}

#[tokio::test]
async fn the_log_of_a_rerun_begins_with_the_earlier_run() {
    let store = lived().await;
    let again = InstanceRow {
        run: 2,
        started_at: Some(at(30_000)),
        ended_at: Some(at(40_000)),
        earlier: vec![EarlierRun {
            run: 1,
            started_at: Some(at(5)),
            ended_at: Some(at(20_000)),
            state: InstanceState::Failed,
            message: Some(Message::said(Text::new("出错", "an error"))),
        }],
        ..ended()
    };
    let mut start = node_row("start", "start", NodeState::Succeeded, 30_000);
    start.run = 2;
    put(
        &store,
        3,
        vec![Record::instance(again), Record::node(start)],
    )
    .await;
    let server = Server::start(&store).await;
    let lines = all(&server, "lang=zh").await;
    let name = format!("日报:{}", id());
    let expected = [
        format!("生成工作流实例：{name}"),
        "开始运行实例".to_owned(),
        "执行【ScriptNode】节点：a".to_owned(),
        "节点a分配到Worker[host1]".to_owned(),
        "one".to_owned(),
        "two".to_owned(),
        "bad".to_owned(),
        "动作节点[a]执行失败，等待10秒...：退出码1".to_owned(),
        "动作节点[a]进行第1次重试".to_owned(),
        "节点a分配到Worker[host1]".to_owned(),
        "good\u{fffd}".to_owned(),
        "节点执行成功".to_owned(),
        "出错".to_owned(),
        format!("工作流实例：{name}执行完毕.执行状态: 失败"),
        "重跑工作流实例，第2次运行".to_owned(),
        "执行【StartNode】节点：start".to_owned(),
        format!("工作流实例：{name}执行完毕.执行状态: 成功"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn the_end_of_an_attempt_and_of_the_instance_wait_for_the_last_output() {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = i64::try_from(since_epoch.as_millis()).unwrap();
    let store = store().await;
    let mut node = node_a(NodeState::Succeeded, 1);
    node.ready_at = at(now - 200);
    let instance = InstanceRow {
        ended_at: Some(at(now - 40)),
        ..ended()
    };
    let only = attempt(1, AttemptState::Succeeded, now - 100, now - 50, 8);
    let records = vec![
        Record::instance(instance),
        Record::node(node),
        Record::attempt(only),
    ];
    put(&store, 2, records).await;
    let early = chunk(1, Stream::Stdout, 0, now - 70, b"one\n");
    store.append_log(&[early]).await.unwrap();
    let server = Server::start(&store).await;
    let mut follower = Follower::default();
    follower.poll(&server, 5).await;
    assert_eq!(follower.lines[4], "one");
    assert!(!follower.is_complete);
    let late = chunk(1, Stream::Stdout, 4, now - 60, b"two\n");
    store.append_log(&[late]).await.unwrap();
    follower.poll(&server, 3).await;
    let name = format!("日报:{}", id());
    assert_eq!(
        follower.lines[5..],
        [
            "two".to_owned(),
            "succeeded".to_owned(),
            format!("instance {name} has ended: succeeded")
        ]
    );
    assert!(follower.is_complete);
    assert_eq!(all(&server, "lang=en").await, follower.lines);
}

#[derive(Default)]
struct Follower {
    cursor: String,
    lines: Vec<String>,
    is_complete: bool,
}

impl Follower {
    async fn poll(&mut self, server: &Server, expected: usize) {
        let path = format!("/api/v1/instances/{}/logs?after={}", id(), self.cursor);
        let got = server.get(&path).await;
        let page = got.json();
        let page: Vec<String> = page.as_array().unwrap().iter().map(text_of).collect();
        assert_eq!(page.len(), expected, "{page:?}");
        self.lines.extend(page);
        self.cursor = got.header("akkaflow-log-cursor").to_owned();
        self.is_complete = got.header("akkaflow-log-complete") == "true";
    }
}

#[tokio::test]
async fn a_foreign_cursor_is_refused() {
    let server = Server::start(&lived().await).await;
    let path = format!("/api/v1/instances/{}/logs?after=nonsense", id());
    assert_eq!(server.get(&path).await.status, 400);
}

#[tokio::test]
async fn a_wait_for_a_missing_host_is_told_and_stays_told_once_the_node_is_given_away() {
    let told = |at_millis, is_warning| WaitTold {
        attempt: 1,
        at: at(at_millis),
        is_warning,
        reason: Message::NoWorker {
            host: Some("nowhere".to_owned()),
            hosts: vec!["host1".to_owned()],
            more: 0,
            since: at(10),
            labels: Vec::new(),
        },
    };
    let waiting = NodeRow {
        waits: vec![told(10, false), told(60_010, true)],
        ..node_a(NodeState::Ready, 0)
    };
    let store = store().await;
    put(
        &store,
        2,
        vec![
            Record::instance(instance_row()),
            Record::node(waiting.clone()),
        ],
    )
    .await;
    let server = Server::start(&store).await;
    let before = all(&server, "lang=zh").await;
    let expected = [
        "节点a等待分配：没有主机为nowhere的在线Worker，在线的主机：host1；请修改host或在该主机启动Worker",
        "节点a仍在等待：没有主机为nowhere的在线Worker，在线的主机：host1；请修改host或在该主机启动Worker",
    ];
    assert_eq!(before[before.len() - 2..], expected, "{before:?}");
    put(
        &store,
        3,
        vec![
            Record::node(NodeRow {
                state: NodeState::Running,
                attempts: 1,
                message: None,
                ..waiting
            }),
            Record::attempt(attempt(1, AttemptState::Running, 70_000, 0, 0)),
        ],
    )
    .await;
    let after = all(&server, "lang=zh").await;
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after[before.len()..], ["节点a分配到Worker[host1]"]);
}

#[tokio::test]
async fn a_deadline_at_risk_and_one_that_was_missed_are_told_where_they_belong() {
    let notice = |millis, was_waiting| LandingNotice {
        at: at(millis),
        run: 1,
        was_waiting,
        expected: at(90_000),
        blame: Some(Blame {
            node: "a".to_owned(),
            behind_ms: Some(61_000),
        }),
        path: vec!["a".to_owned(), "b".to_owned()],
    };
    let with = |late, missed| InstanceRow {
        landing: Some(Box::new(Landing {
            deadline: at(60_000),
            usual: None,
            late,
            missed,
        })),
        ..instance_row()
    };
    let store = store().await;
    let server = Server::start(&store).await;
    put(
        &store,
        2,
        vec![Record::instance(with(Some(notice(5_000, false)), None))],
    )
    .await;
    let before = all(&server, "lang=en").await;
    let late = before.last().unwrap();
    assert!(late.contains("is expected to end at"), "{before:?}");
    assert!(
        late.ends_with("node `a` is to blame, 1m01s behind its usual time; critical path: a → b"),
        "{late}"
    );
    let both = with(Some(notice(5_000, false)), Some(notice(60_001, false)));
    put(&store, 3, vec![Record::instance(both)]).await;
    let after = all(&server, "lang=en").await;
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 1, "{after:?}");
    assert!(
        after.last().unwrap().contains("has missed its deadline"),
        "{after:?}"
    );
}

#[tokio::test]
async fn what_an_action_reports_is_read_in_one_language() {
    let store = lived().await;
    let said = Text::new("执行后置语句", "running the statements after").to_line();
    let report = chunk(2, Stream::Warn, 0, 12_000, format!("{said}\n").as_bytes());
    store.append_log(&[report]).await.unwrap();
    let server = Server::start(&store).await;
    for (lang, wanted) in [
        ("lang=zh", "执行后置语句"),
        ("lang=en", "running the statements after"),
    ] {
        let lines = all(&server, lang).await;
        assert!(lines.iter().any(|line| line == wanted), "{lines:?}");
    }
}

#[tokio::test]
async fn what_people_did_is_told_and_a_follower_loses_nothing_by_a_repair() {
    let store = store().await;
    let did = |millis, what| Intervention {
        run: 1,
        at: at(millis),
        node: None,
        what,
    };
    let (user, reason) = ("ann".to_owned(), "the disk is full".to_owned());
    let paused = Message::Paused {
        user: user.clone(),
        reason,
    };
    let waiting = NodeRow {
        attempts: 0,
        ..node_row("a", "script", NodeState::Ready, 7)
    };
    let before = vec![
        Record::instance(InstanceRow {
            interventions: vec![did(6_000, paused.clone())],
            ..instance_row()
        }),
        Record::node(node_row("start", "start", NodeState::Succeeded, 6)),
        Record::node(waiting.clone()),
    ];
    put(&store, 2, before).await;
    let server = Server::start(&store).await;
    let path = format!("/api/v1/instances/{}/logs?lang=en&after=", id());
    let got = server.get(&path).await;
    let lines = |got: &crate::support::Got| -> Vec<String> {
        got.json().as_array().unwrap().iter().map(text_of).collect()
    };
    let seen = lines(&got);
    assert_eq!(
        seen[2..],
        [
            "reached start node start",
            "reached script node a",
            "paused by ann: the disk is full"
        ]
    );
    // The new definition has a node before all others, and none called `a`.
    let xml = XML
        .replace("to=\"a\"", "to=\"z\"")
        .replace("name=\"a\"", "name=\"z\"");
    let version = akkaflow_model::read::version_of(&xml);
    let repaired = Message::Repaired {
        version: version.clone(),
        user,
        reason: String::new(),
    };
    let after = vec![
        Record::Version(VersionRow {
            version: version.clone(),
            workflow: "日报".to_owned(),
            xml,
            created_at: at(7_000),
        }),
        Record::instance(InstanceRow {
            version,
            interventions: vec![did(6_000, paused), did(7_000, repaired)],
            ..instance_row()
        }),
        Record::node(NodeRow {
            state: NodeState::Killed,
            message: Some(Message::Removed),
            ended_at: Some(at(7_000)),
            ..waiting
        }),
        Record::node(node_row("z", "script", NodeState::Ready, 7_000)),
    ];
    put(&store, 3, after).await;
    let more = lines(
        &server
            .get(&format!("{path}{}", got.header("akkaflow-log-cursor")))
            .await,
    );
    assert!(more[0].starts_with("repaired by ann"), "{more:?}");
    assert!(
        more[1..].contains(&"reached script node z".to_owned()),
        "{more:?}"
    );
    assert!(
        more[1..]
            .iter()
            .any(|line| line.contains("no longer has this node")),
        "{more:?}"
    );
    assert_eq!(more.len(), 3);
    let whole = all(&server, "lang=en").await;
    assert_eq!(whole, [seen, more].concat());
}
