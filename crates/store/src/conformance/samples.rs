//! Rows with everything that a database might spoil.

use akkaflow_model::backfill::{
    BackfillRow, BackfillRunRow, BackfillSpec, BackfillState, RunState,
};
use akkaflow_model::definition::Version;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId, WorkerId};
use akkaflow_model::landing::{Blame, Landing, LandingNotice, UsualTime};
use akkaflow_model::mail::{
    AffectedWorkflow, DeliveryRow, EndFacts, MailFacts, MailKey, MailRow, NodeFacts,
};
use akkaflow_model::message::Message;
use akkaflow_model::outcome::{Figures, Measured};
use akkaflow_model::record::{
    AttemptRow, CalendarRow, CancelReason, ChainRow, CleanUp, FileProblemRow, FireRow, FireState,
    Hold, InstanceRow, Mark, NodeRow, PoolRow, RequestRow, ScheduleRow, StateRow, TokenRow,
    TriggerKind, VersionRow, WorkflowRow, WorkflowStatus,
};
use akkaflow_model::state::{AttemptState, InstanceState, NodeState};
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;

/// Chinese, an emoji beyond the first plane, quotes, escapes, NUL, what patterns and placeholders are made of.
pub(crate) const NASTY: &str = "工作流🎉 'a' \"b\" `c` \\ \0 %_ ? $1 :x \r\n\t -- ;/* é";

/// A name as people give it.
pub(crate) const NAME: &str = "日报_汇总-🎉";

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn id(number: u128) -> InstanceId {
    InstanceId::from_parts(at(1_790_000_000_000 + number as i64), number)
}

pub(crate) fn workflow(name: &str, version: &str) -> WorkflowRow {
    WorkflowRow {
        name: name.to_owned(),
        version: Version(version.to_owned()),
        status: WorkflowStatus::Live,
        dir: "/报表/日".to_owned(),
        creator: NASTY.to_owned(),
        desc: None,
        file_path: Some("xmlconfig/日报.xml".to_owned()),
        created_at: at(1),
        updated_at: at(i64::MAX),
        hold: None,
    }
}

pub(crate) fn version(version: &str) -> VersionRow {
    VersionRow {
        version: Version(version.to_owned()),
        workflow: NAME.to_owned(),
        xml: format!("<work-flow>{NASTY}</work-flow>"),
        created_at: at(i64::MIN),
    }
}

pub(crate) fn schedule(workflow: &str) -> ScheduleRow {
    ScheduleRow {
        workflow: workflow.to_owned(),
        generation: u32::MAX,
        trigger: "0 1 * * *\n0 2 * * *".to_owned(),
        is_enabled: true,
        fired_through: at(1_790_000_000_000),
    }
}

pub(crate) fn fire(workflow: &str, key: &str, due_at: i64) -> FireRow {
    FireRow {
        workflow: workflow.to_owned(),
        kind: TriggerKind::Cron,
        generation: 1,
        key: key.to_owned(),
        due_at: at(due_at),
        state: FireState::Waiting,
        instance: None,
        through: None,
        reason: None,
    }
}

pub(crate) fn token(upstream_instance: InstanceId, dependant: &str, given_at: i64) -> TokenRow {
    TokenRow {
        upstream_instance,
        upstream: "上游".to_owned(),
        dependant: dependant.to_owned(),
        business_at: at(-1),
        given_at: at(given_at),
        consumed_by: None,
        business_day: -1,
        is_held: true,
    }
}

pub(crate) fn calendar(name: &str) -> CalendarRow {
    CalendarRow {
        name: name.to_owned(),
        path: format!("xmlconfig/{name}.calendar"),
        text: format!("title {NASTY}"),
        read_at: at(5),
        is_file_gone: false,
    }
}

pub(crate) fn instance(id: InstanceId, workflow: &str) -> InstanceRow {
    InstanceRow {
        id,
        workflow: workflow.to_owned(),
        version: Version("0123456789abcdef".to_owned()),
        run: 1,
        state: InstanceState::Running,
        trigger: TriggerKind::Run,
        fire_time: at(1_790_000_000_000),
        created_at: at(1_790_000_000_001),
        started_at: None,
        ended_at: None,
        params: vec![
            ("b".to_owned(), NASTY.to_owned()),
            ("a".to_owned(), String::new()),
        ],
        message: None,
        handled_errors: false,
        ignore_nodes: Vec::new(),
        ending: None,
        chain: None,
        dir: String::new(),
        creator: "赵".to_owned(),
        gave_tokens: false,
        earlier: Vec::new(),
        clean_up: CleanUp::Ahead,
        hold: None,
        marks: Vec::new(),
        asked_by: None,
        pinned: None,
        parent: None,
        landing: None,
        interventions: Vec::new(),
    }
}

/// A deadline of which everything has been said.
pub(crate) fn landing(node: &str) -> Landing {
    let notice = LandingNotice {
        at: at(9),
        run: u32::MAX,
        was_waiting: true,
        expected: at(-1),
        blame: Some(Blame {
            node: node.to_owned(),
            behind_ms: Some(u64::MAX),
        }),
        path: vec![node.to_owned(), String::new()],
    };
    Landing {
        deadline: at(i64::MAX),
        usual: Some(vec![UsualTime {
            node: node.to_owned(),
            ms: u64::MAX,
        }]),
        late: Some(notice.clone()),
        missed: Some(LandingNotice {
            blame: None,
            ..notice
        }),
    }
}

pub(crate) fn node(instance: InstanceId, name: &str) -> NodeRow {
    NodeRow {
        instance,
        node: name.into(),
        run: 1,
        type_name: "script".into(),
        state: NodeState::Running,
        attempts: 1,
        failures: 0,
        losses: 0,
        ready_at: at(1_790_000_000_002),
        started_at: Some(at(1_790_000_000_003)),
        ended_at: None,
        deadline: None,
        retry_at: None,
        message: None,
        worker: Some(WorkerId("工人-1".into())),
        waits: Vec::new(),
        outputs: Vec::new(),
        child: None,
    }
}

pub(crate) fn attempt(instance: InstanceId, name: &str, run: u32, attempt: u32) -> AttemptRow {
    AttemptRow {
        key: AttemptKey {
            instance,
            node: name.into(),
            run,
            attempt,
        },
        state: AttemptState::Assigned,
        worker: WorkerId("w".into()),
        incarnation: Incarnation(u64::MAX),
        host: "host-1".into(),
        epoch: Epoch(7),
        assigned_at: at(1_790_000_000_004),
        accepted_at: None,
        ended_at: None,
        cancel: None,
        message: None,
        exit_code: None,
        log_length: 0,
        figures: None,
    }
}

/// The same attempt with every optional column set, to its extreme.
pub(crate) fn full_attempt(instance: InstanceId, name: &str) -> AttemptRow {
    AttemptRow {
        state: AttemptState::Lost,
        accepted_at: Some(at(0)),
        ended_at: Some(at(i64::MAX)),
        cancel: Some(CancelReason::Orphan),
        message: Some(said(NASTY)),
        exit_code: Some(i32::MIN),
        log_length: u64::MAX,
        figures: Some(Box::new(Figures {
            cpu_millis: Some(u64::MAX),
            peak_memory: Some(0),
            bytes: None,
            measured: Some(Measured {
                value: NASTY.to_owned(),
                min: None,
                max: Some(String::new()),
            }),
        })),
        ..attempt(instance, name, u32::MAX, u32::MAX)
    }
}

pub(crate) fn chain(root: InstanceId, remaining: &[&str]) -> ChainRow {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ChainRow {
        root,
        remaining: owned(remaining),
        started: owned(&["甲", "b"]),
        fire_time: at(5),
    }
}

pub(crate) fn state(workflow: &str, name: &str) -> StateRow {
    StateRow {
        workflow: workflow.to_owned(),
        name: name.to_owned(),
        value: NASTY.to_owned(),
        set_at: at(6),
        instance: None,
        fire_time: None,
        user: String::new(),
    }
}

pub(crate) fn request(key: &str, requested_at: i64) -> RequestRow {
    RequestRow {
        key: key.to_owned(),
        body_hash: "hash".to_owned(),
        instance: id(9),
        at: at(requested_at),
    }
}

pub(crate) fn problem(path: &str) -> FileProblemRow {
    FileProblemRow {
        path: path.to_owned(),
        workflow: Some(NAME.to_owned()),
        found_at: at(77),
        findings: vec![Finding {
            code: "AF104".to_owned(),
            severity: Severity::Error,
            file: path.to_owned(),
            line: 2,
            column: 33,
            width: 1,
            excerpt: NASTY.to_owned(),
            excerpt_from: 0,
            message: Text::new("错", "wrong"),
            help: None,
        }],
    }
}

pub(crate) fn hold(reason: &str) -> Hold {
    Hold {
        user: "李".to_owned(),
        reason: reason.to_owned(),
        since: at(78),
    }
}

pub(crate) fn mark(node: &str) -> Mark {
    Mark {
        node: node.to_owned(),
        is_skipped: true,
        user: String::new(),
        reason: NASTY.to_owned(),
        at: at(79),
    }
}

pub(crate) fn pool(name: &str, slots: Option<u32>) -> PoolRow {
    PoolRow {
        name: name.to_owned(),
        slots,
        user: "李".to_owned(),
        updated_at: at(80),
    }
}

pub(crate) fn backfill(number: u128) -> BackfillRow {
    BackfillRow {
        id: id(number),
        spec: BackfillSpec {
            workflow: NAME.to_owned(),
            from: i32::MIN,
            to: i32::MAX,
            with_dependants: true,
            max_parallel: u32::MAX,
            keep_going: false,
            again: true,
        },
        user: NASTY.to_owned(),
        reason: String::new(),
        created_at: at(81),
        state: BackfillState::Running,
        hold: None,
        abort: None,
        ended_at: None,
    }
}

pub(crate) fn backfill_run(number: u128, position: u32) -> BackfillRunRow {
    BackfillRunRow {
        backfill: id(number),
        position,
        workflow: NAME.to_owned(),
        day: i32::MIN,
        fire_time: at(i64::MIN),
        needs: vec![0, u32::MAX],
        state: RunState::Waiting,
        instance: None,
        changed_at: at(82),
    }
}

pub(crate) fn mail(key: MailKey, born_at: i64) -> MailRow {
    MailRow {
        key,
        workflow: NAME.to_owned(),
        born_at: at(born_at),
        receivers: vec!["a@x".to_owned(), NASTY.to_owned()],
        facts: MailFacts::Ended(Box::new(EndFacts {
            state: InstanceState::Failed,
            message: Some(said(NASTY)),
            trigger: TriggerKind::Cron,
            fire_time: at(i64::MIN),
            started_at: None,
            ended_at: at(i64::MAX),
            dir: NASTY.to_owned(),
            params: vec![(NASTY.to_owned(), String::new())],
            levels: vec![InstanceState::Failed],
            desc: None,
            nodes: vec![NodeFacts {
                name: NAME.into(),
                type_name: "script".into(),
                state: NodeState::Failed,
                started_at: Some(at(1)),
                ended_at: None,
                message: None,
                desc: Some(NASTY.to_owned()),
            }],
            more_nodes: 1,
            affected: vec![AffectedWorkflow {
                name: NAME.to_owned(),
                creator: NASTY.to_owned(),
                receivers: Vec::new(),
                dir: String::new(),
                desc: Some(NASTY.to_owned()),
            }],
            more_affected: 2,
        })),
    }
}

pub(crate) fn delivery(key: MailKey, next_at: i64) -> DeliveryRow {
    DeliveryRow {
        next_at: at(next_at),
        ..DeliveryRow::new(key, at(3))
    }
}

pub(crate) fn said(words: &str) -> Message {
    Message::said(Text::verbatim(words))
}
