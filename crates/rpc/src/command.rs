//! Commands, answers, findings and reasons on the wire, and what an error code is in gRPC.

use akkaflow_model::command::{Answer, By, ChangeKind, Command, NodeChange, Rejection};
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::id::{InstanceId, WorkerId};
use akkaflow_model::text::Text;
use tonic::Code;

use crate::Malformed;
use crate::links;
use crate::wire;
use crate::worker::{u128_from_wire, u128_to_wire};

/// Metadata key under which a master that does not lead names the endpoint that does.
pub const LEADER_METADATA: &str = "akkaflow-leader";

/// The gRPC status of an error code: one of its three total mappings.
pub fn status_code(code: ErrorCode) -> Code {
    match code {
        ErrorCode::Invalid => Code::InvalidArgument,
        ErrorCode::NotFound => Code::NotFound,
        ErrorCode::Conflict => Code::Aborted,
        ErrorCode::Forbidden => Code::PermissionDenied,
        ErrorCode::Exhausted => Code::ResourceExhausted,
        ErrorCode::Unavailable => Code::Unavailable,
        ErrorCode::Timeout => Code::DeadlineExceeded,
        ErrorCode::Internal => Code::Internal,
    }
}

/// The word of an error code on the wire.
pub fn code_word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Invalid => "invalid",
        ErrorCode::NotFound => "not_found",
        ErrorCode::Conflict => "conflict",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::Exhausted => "exhausted",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::Timeout => "timeout",
        ErrorCode::Internal => "internal",
    }
}

/// The error code that a word stands for; one that we do not know yet is the sender's fault.
pub fn code_of_word(word: &str) -> ErrorCode {
    match word {
        "invalid" => ErrorCode::Invalid,
        "not_found" => ErrorCode::NotFound,
        "conflict" => ErrorCode::Conflict,
        "forbidden" => ErrorCode::Forbidden,
        "exhausted" => ErrorCode::Exhausted,
        "unavailable" => ErrorCode::Unavailable,
        "timeout" => ErrorCode::Timeout,
        _ => ErrorCode::Internal,
    }
}

/// The sixteen bytes of an instance's id.
pub fn instance_bytes(id: InstanceId) -> Vec<u8> {
    u128_to_wire(id.as_u128())
}

/// The instance that sixteen bytes name.
///
/// # Errors
/// [`Malformed::Invalid`] when they are not sixteen.
pub fn instance_from_bytes(bytes: &[u8]) -> Result<InstanceId, Malformed> {
    u128_from_wire(bytes, "instance id").map(InstanceId::from_u128)
}

impl From<Text> for wire::Text {
    fn from(text: Text) -> Self {
        Self {
            zh: text.zh,
            en: text.en,
        }
    }
}

impl From<wire::Text> for Text {
    fn from(text: wire::Text) -> Self {
        Self {
            zh: text.zh,
            en: text.en,
        }
    }
}

impl From<(String, String)> for wire::Pair {
    fn from((name, value): (String, String)) -> Self {
        Self { name, value }
    }
}

impl From<wire::Pair> for (String, String) {
    fn from(pair: wire::Pair) -> Self {
        (pair.name, pair.value)
    }
}

impl From<By> for wire::By {
    fn from(by: By) -> Self {
        Self {
            user: by.user,
            reason: by.reason,
        }
    }
}

/// Who asked, read back; nobody when it was not said.
fn by(by: Option<wire::By>) -> By {
    let by = by.unwrap_or_default();
    By {
        user: by.user,
        reason: by.reason,
    }
}

fn named(name: String) -> wire::NamedWorkflow {
    wire::NamedWorkflow { name }
}

impl From<Command> for wire::ExecuteRequest {
    fn from(command: Command) -> Self {
        use wire::execute_request::Command as Wire;
        let command = match command {
            Command::PutWorkflow { xml, path } => {
                Wire::PutWorkflow(wire::PutWorkflow { xml, path })
            }
            Command::DeleteWorkflow { name } => Wire::DeleteWorkflow(named(name)),
            Command::Run {
                name,
                params,
                date,
                idempotency_key,
                user,
            } => Wire::Run(wire::Run {
                name,
                params: params.into_iter().map(Into::into).collect(),
                date,
                idempotency_key,
                user,
            }),
            Command::Trigger {
                name,
                ignore_nodes,
                date,
                user,
            } => Wire::Trigger(wire::Trigger {
                name,
                ignore_nodes,
                date,
                user,
            }),
            Command::TriggerBlood { name, date, user } => {
                Wire::TriggerBlood(wire::TriggerBlood { name, date, user })
            }
            Command::ResetWorkflow { name } => Wire::ResetWorkflow(named(name)),
            Command::ResetAll => Wire::ResetAll(wire::ResetAll {}),
            Command::Kill { id, user } => Wire::Kill(wire::Kill {
                id: instance_bytes(id),
                user,
            }),
            Command::Rerun {
                id,
                from_failed,
                same_version,
                nodes,
                user,
            } => Wire::Rerun(wire::Rerun {
                id: instance_bytes(id),
                from_failed,
                same_version,
                nodes,
                user,
            }),
            Command::DeleteInstance { id } => Wire::DeleteInstance(wire::NamedInstance {
                id: instance_bytes(id),
            }),
            Command::FenceWorker { id } => Wire::FenceWorker(wire::FenceWorker { id: id.0.into() }),
            Command::PauseInstance { id, by } => Wire::PauseInstance(wire::HoldInstance {
                id: instance_bytes(id),
                by: Some(by.into()),
            }),
            Command::ResumeInstance { id, by } => Wire::ResumeInstance(wire::HoldInstance {
                id: instance_bytes(id),
                by: Some(by.into()),
            }),
            Command::SuspendWorkflow { name, by } => Wire::SuspendWorkflow(wire::HoldWorkflow {
                name,
                by: Some(by.into()),
            }),
            Command::ResumeWorkflow { name } => Wire::ResumeWorkflow(named(name)),
            Command::Freeze { by } => Wire::Freeze(by.into()),
            Command::Thaw => Wire::Thaw(wire::Thaw {}),
            Command::SetPool { name, slots, user } => {
                Wire::SetPool(wire::SetPool { name, slots, user })
            }
            Command::MarkNode {
                id,
                node,
                is_skipped,
                by,
            } => Wire::MarkNode(wire::MarkNode {
                id: instance_bytes(id),
                node,
                is_skipped,
                by: Some(by.into()),
            }),
            Command::Repair {
                id,
                xml,
                is_dry_run,
                by,
            } => Wire::Repair(wire::Repair {
                id: instance_bytes(id),
                xml,
                is_dry_run,
                by: Some(by.into()),
            }),
            Command::StartBackfill {
                spec,
                is_dry_run,
                idempotency_key,
                by,
            } => Wire::StartBackfill(wire::StartBackfill {
                spec: Some(spec.into()),
                is_dry_run,
                idempotency_key,
                by: Some(by.into()),
            }),
            Command::PauseBackfill { id, by } => Wire::PauseBackfill(wire::HoldInstance {
                id: instance_bytes(id),
                by: Some(by.into()),
            }),
            Command::ResumeBackfill { id } => Wire::ResumeBackfill(wire::NamedInstance {
                id: instance_bytes(id),
            }),
            Command::AbortBackfill { id, kills, by } => Wire::AbortBackfill(wire::AbortBackfill {
                id: instance_bytes(id),
                kills,
                by: Some(by.into()),
            }),
            Command::SetState { name, values, user } => Wire::SetState(wire::SetState {
                name,
                values: values.into_iter().map(Into::into).collect(),
                user,
            }),
            Command::SendMail { key, user } => Wire::SendMail(wire::SendMail {
                key: key.to_string(),
                user,
            }),
            Command::PutLink { key, edit, user } => {
                Wire::PutLink(links::put_to_wire(key, edit, user))
            }
            Command::ResealLinks { user } => Wire::ResealLinks(wire::ResealLinks { user }),
            Command::DeleteLink { key, user } => Wire::DeleteLink(links::delete_to_wire(key, user)),
        };
        Self {
            command: Some(command),
        }
    }
}

impl TryFrom<wire::ExecuteRequest> for Command {
    type Error = Malformed;

    fn try_from(request: wire::ExecuteRequest) -> Result<Self, Malformed> {
        use wire::execute_request::Command as Wire;
        Ok(
            match request
                .command
                .ok_or(Malformed::Missing("request.command"))?
            {
                Wire::PutWorkflow(put) => Self::PutWorkflow {
                    xml: put.xml,
                    path: put.path,
                },
                Wire::DeleteWorkflow(workflow) => Self::DeleteWorkflow {
                    name: workflow.name,
                },
                Wire::Run(run) => Self::Run {
                    name: run.name,
                    params: run.params.into_iter().map(Into::into).collect(),
                    date: run.date,
                    idempotency_key: run.idempotency_key,
                    user: run.user,
                },
                Wire::Trigger(trigger) => Self::Trigger {
                    name: trigger.name,
                    ignore_nodes: trigger.ignore_nodes,
                    date: trigger.date,
                    user: trigger.user,
                },
                Wire::TriggerBlood(trigger) => Self::TriggerBlood {
                    name: trigger.name,
                    date: trigger.date,
                    user: trigger.user,
                },
                Wire::ResetWorkflow(workflow) => Self::ResetWorkflow {
                    name: workflow.name,
                },
                Wire::ResetAll(wire::ResetAll {}) => Self::ResetAll,
                Wire::Kill(kill) => Self::Kill {
                    id: instance_from_bytes(&kill.id)?,
                    user: kill.user,
                },
                Wire::Rerun(rerun) => Self::Rerun {
                    id: instance_from_bytes(&rerun.id)?,
                    from_failed: rerun.from_failed,
                    same_version: rerun.same_version,
                    nodes: rerun.nodes,
                    user: rerun.user,
                },
                Wire::DeleteInstance(instance) => Self::DeleteInstance {
                    id: instance_from_bytes(&instance.id)?,
                },
                Wire::FenceWorker(worker) => Self::FenceWorker {
                    id: WorkerId(worker.id.into()),
                },
                Wire::PauseInstance(hold) => Self::PauseInstance {
                    id: instance_from_bytes(&hold.id)?,
                    by: by(hold.by),
                },
                Wire::ResumeInstance(hold) => Self::ResumeInstance {
                    id: instance_from_bytes(&hold.id)?,
                    by: by(hold.by),
                },
                Wire::SuspendWorkflow(hold) => Self::SuspendWorkflow {
                    name: hold.name,
                    by: by(hold.by),
                },
                Wire::ResumeWorkflow(workflow) => Self::ResumeWorkflow {
                    name: workflow.name,
                },
                Wire::Freeze(freeze) => Self::Freeze {
                    by: by(Some(freeze)),
                },
                Wire::Thaw(wire::Thaw {}) => Self::Thaw,
                Wire::SetPool(pool) => Self::SetPool {
                    name: pool.name,
                    slots: pool.slots,
                    user: pool.user,
                },
                Wire::MarkNode(mark) => Self::MarkNode {
                    id: instance_from_bytes(&mark.id)?,
                    node: mark.node,
                    is_skipped: mark.is_skipped,
                    by: by(mark.by),
                },
                Wire::Repair(repair) => Self::Repair {
                    id: instance_from_bytes(&repair.id)?,
                    xml: repair.xml,
                    is_dry_run: repair.is_dry_run,
                    by: by(repair.by),
                },
                Wire::StartBackfill(start) => Self::StartBackfill {
                    spec: start
                        .spec
                        .ok_or(Malformed::Missing("backfill.spec"))?
                        .into(),
                    is_dry_run: start.is_dry_run,
                    idempotency_key: start.idempotency_key,
                    by: by(start.by),
                },
                Wire::PauseBackfill(hold) => Self::PauseBackfill {
                    id: instance_from_bytes(&hold.id)?,
                    by: by(hold.by),
                },
                Wire::ResumeBackfill(backfill) => Self::ResumeBackfill {
                    id: instance_from_bytes(&backfill.id)?,
                },
                Wire::AbortBackfill(abort) => Self::AbortBackfill {
                    id: instance_from_bytes(&abort.id)?,
                    kills: abort.kills,
                    by: by(abort.by),
                },
                Wire::SetState(state) => Self::SetState {
                    name: state.name,
                    values: state.values.into_iter().map(Into::into).collect(),
                    user: state.user,
                },
                Wire::SendMail(mail) => Self::SendMail {
                    key: mail
                        .key
                        .parse()
                        .map_err(|_| Malformed::Invalid("mail.key"))?,
                    user: mail.user,
                },
                Wire::PutLink(put) => links::put_from_wire(put)?,
                Wire::ResealLinks(reseal) => Command::ResealLinks { user: reseal.user },
                Wire::DeleteLink(delete) => links::delete_from_wire(delete)?,
            },
        )
    }
}

impl From<Finding> for wire::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code,
            severity: match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            }
            .to_owned(),
            file: finding.file,
            line: finding.line,
            column: finding.column,
            width: finding.width,
            excerpt: finding.excerpt,
            excerpt_from: finding.excerpt_from,
            message: Some(finding.message.into()),
            help: finding.help.map(Into::into),
        }
    }
}

impl TryFrom<wire::Finding> for Finding {
    type Error = Malformed;

    fn try_from(finding: wire::Finding) -> Result<Self, Malformed> {
        Ok(Self {
            code: finding.code,
            severity: match finding.severity.as_str() {
                "note" => Severity::Note,
                "warning" => Severity::Warning,
                "error" => Severity::Error,
                _ => return Err(Malformed::Invalid("finding.severity")),
            },
            file: finding.file,
            line: finding.line,
            column: finding.column,
            width: finding.width,
            excerpt: finding.excerpt,
            excerpt_from: finding.excerpt_from,
            message: finding
                .message
                .ok_or(Malformed::Missing("finding.message"))?
                .into(),
            help: finding.help.map(Into::into),
        })
    }
}

fn findings_from_wire(findings: Vec<wire::Finding>) -> Result<Vec<Finding>, Malformed> {
    findings.into_iter().map(Finding::try_from).collect()
}

impl From<Rejection> for wire::Rejection {
    fn from(rejection: Rejection) -> Self {
        Self {
            code: code_word(rejection.code).to_owned(),
            text: Some(rejection.text.into()),
            findings: rejection.findings.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<wire::Rejection> for Rejection {
    type Error = Malformed;

    fn try_from(rejection: wire::Rejection) -> Result<Self, Malformed> {
        Ok(Self {
            code: code_of_word(&rejection.code),
            text: rejection
                .text
                .ok_or(Malformed::Missing("rejection.text"))?
                .into(),
            findings: findings_from_wire(rejection.findings)?,
        })
    }
}

impl From<Result<Answer, Rejection>> for wire::ExecuteReply {
    fn from(result: Result<Answer, Rejection>) -> Self {
        use wire::execute_reply::Reply;
        let reply = match result {
            Ok(Answer::Done) => Reply::Done(wire::Done {}),
            Ok(Answer::Put {
                name,
                version,
                created,
                findings,
            }) => Reply::Put(wire::Put {
                name,
                version,
                created,
                findings: findings.into_iter().map(Into::into).collect(),
            }),
            Ok(Answer::Instance { id }) => Reply::Instance(instance_bytes(id)),
            Ok(Answer::Chain { id, workflows }) => Reply::Chain(wire::Chain {
                id: instance_bytes(id),
                workflows,
            }),
            Ok(Answer::Repair {
                id,
                is_applied,
                changes,
            }) => Reply::Repaired(wire::Repaired {
                id: instance_bytes(id),
                is_applied,
                changes: changes.into_iter().map(Into::into).collect(),
            }),
            Ok(Answer::Backfill { id, runs, left_out }) => Reply::Backfill(wire::BackfillPlan {
                id: id.map(instance_bytes).unwrap_or_default(),
                runs: runs.into_iter().map(Into::into).collect(),
                left_out: left_out.into_iter().map(Into::into).collect(),
            }),
            Err(rejection) => Reply::Rejection(rejection.into()),
        };
        Self { reply: Some(reply) }
    }
}

impl From<NodeChange> for wire::NodeChange {
    fn from(change: NodeChange) -> Self {
        Self {
            node: change.node,
            kind: change.kind.as_str().to_owned(),
            refusal: change.refusal.map(Into::into),
        }
    }
}

impl TryFrom<wire::NodeChange> for NodeChange {
    type Error = Malformed;

    fn try_from(change: wire::NodeChange) -> Result<Self, Malformed> {
        let kind = ChangeKind::ALL
            .iter()
            .find(|kind| kind.as_str() == change.kind)
            .ok_or(Malformed::Invalid("change.kind"))?;
        Ok(Self {
            node: change.node,
            kind: *kind,
            refusal: change.refusal.map(Into::into),
        })
    }
}

/// What the master said, read back.
///
/// # Errors
/// [`Malformed`] when it is no answer at all.
pub fn result_from_wire(reply: wire::ExecuteReply) -> Result<Result<Answer, Rejection>, Malformed> {
    use wire::execute_reply::Reply;
    let answer = match reply.reply.ok_or(Malformed::Missing("reply"))? {
        Reply::Done(wire::Done {}) => Answer::Done,
        Reply::Put(put) => Answer::Put {
            name: put.name,
            version: put.version,
            created: put.created,
            findings: findings_from_wire(put.findings)?,
        },
        Reply::Instance(id) => Answer::Instance {
            id: instance_from_bytes(&id)?,
        },
        Reply::Chain(chain) => Answer::Chain {
            id: instance_from_bytes(&chain.id)?,
            workflows: chain.workflows,
        },
        Reply::Repaired(repaired) => Answer::Repair {
            id: instance_from_bytes(&repaired.id)?,
            is_applied: repaired.is_applied,
            changes: repaired
                .changes
                .into_iter()
                .map(NodeChange::try_from)
                .collect::<Result<_, _>>()?,
        },
        Reply::Backfill(plan) => crate::backfill::answer(plan)?,
        Reply::Rejection(rejection) => return Ok(Err(rejection.try_into()?)),
    };
    Ok(Ok(answer))
}

#[cfg(test)]
mod tests {
    use akkaflow_model::mail::MailKey;

    use super::*;

    fn id() -> InstanceId {
        InstanceId::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001)
    }

    fn finding() -> Finding {
        Finding {
            code: "AF104".to_owned(),
            severity: Severity::Error,
            file: "report.xml".to_owned(),
            line: 2,
            column: 33,
            width: 1,
            excerpt: "<action>".to_owned(),
            excerpt_from: 3,
            message: Text::new("错", "wrong"),
            help: Some(Text::new("改", "mend it")),
        }
    }

    fn who() -> By {
        By {
            user: "王".to_owned(),
            reason: "停机".to_owned(),
        }
    }

    fn commands() -> Vec<Command> {
        let name = "日报".to_owned();
        vec![
            Command::PutWorkflow {
                xml: vec![0xff, 0],
                path: Some("/tmp/a.xml".to_owned()),
            },
            Command::DeleteWorkflow { name: name.clone() },
            Command::Run {
                name: name.clone(),
                params: vec![("k".to_owned(), "v&=".to_owned())],
                date: Some("2026-11-21".to_owned()),
                idempotency_key: Some("once".to_owned()),
                user: "王".to_owned(),
            },
            Command::Trigger {
                name: name.clone(),
                ignore_nodes: vec!["a".to_owned()],
                date: Some("2026-11-21".to_owned()),
                user: String::new(),
            },
            Command::TriggerBlood {
                name: name.clone(),
                date: Some("2026-11-21".to_owned()),
                user: "王".to_owned(),
            },
            Command::ResetWorkflow { name: name.clone() },
            Command::PauseInstance {
                id: id(),
                by: who(),
            },
            Command::ResumeInstance {
                id: id(),
                by: who(),
            },
            Command::SuspendWorkflow {
                name: name.clone(),
                by: who(),
            },
            Command::ResumeWorkflow { name: name.clone() },
            Command::Freeze { by: who() },
            Command::Thaw,
            Command::SetPool {
                name,
                slots: Some(0),
                user: "王".to_owned(),
            },
            Command::MarkNode {
                id: id(),
                node: "a".to_owned(),
                is_skipped: true,
                by: who(),
            },
            Command::Repair {
                id: id(),
                xml: Some(vec![1]),
                is_dry_run: true,
                by: who(),
            },
            Command::StartBackfill {
                spec: crate::backfill::tests::spec(),
                is_dry_run: true,
                idempotency_key: Some("once".to_owned()),
                by: who(),
            },
            Command::PauseBackfill {
                id: id(),
                by: who(),
            },
            Command::ResumeBackfill { id: id() },
            Command::AbortBackfill {
                id: id(),
                kills: true,
                by: who(),
            },
            Command::SendMail {
                key: MailKey::ended(id(), 2),
                user: "王".to_owned(),
            },
            Command::ResetAll,
            Command::Kill {
                id: id(),
                user: "root".to_owned(),
            },
            Command::Rerun {
                id: id(),
                from_failed: true,
                same_version: false,
                nodes: vec!["a".to_owned()],
                user: "王".to_owned(),
            },
            Command::DeleteInstance { id: id() },
            Command::FenceWorker {
                id: WorkerId("w1".into()),
            },
        ]
    }

    #[test]
    fn every_command_survives_the_wire() {
        for command in commands() {
            let wire = wire::ExecuteRequest::from(command.clone());
            assert_eq!(Command::try_from(wire), Ok(command));
        }
    }

    #[test]
    fn every_result_survives_the_wire() {
        let results = [
            Ok(Answer::Done),
            Ok(Answer::Put {
                name: "a".to_owned(),
                version: "0123".to_owned(),
                created: true,
                findings: vec![finding()],
            }),
            Ok(Answer::Instance { id: id() }),
            Ok(Answer::Chain {
                id: id(),
                workflows: vec!["b".to_owned()],
            }),
            Ok(Answer::Repair {
                id: id(),
                is_applied: true,
                changes: vec![NodeChange {
                    node: "a".to_owned(),
                    kind: ChangeKind::Kept,
                    refusal: Some(Text::new("不行", "no")),
                }],
            }),
            Ok(crate::backfill::tests::planned(None)),
            Ok(crate::backfill::tests::planned(Some(id()))),
            Err(Rejection {
                code: ErrorCode::Conflict,
                text: Text::new("不行", "no"),
                findings: vec![finding()],
            }),
        ];
        for result in results {
            let wire = wire::ExecuteReply::from(result.clone());
            assert_eq!(result_from_wire(wire), Ok(result));
        }
    }

    #[test]
    fn error_codes_and_their_words_are_one_to_one() {
        let codes = [
            ErrorCode::Invalid,
            ErrorCode::NotFound,
            ErrorCode::Conflict,
            ErrorCode::Forbidden,
            ErrorCode::Exhausted,
            ErrorCode::Unavailable,
            ErrorCode::Timeout,
            ErrorCode::Internal,
        ];
        for code in codes {
            assert_eq!(code_of_word(code_word(code)), code);
            assert_ne!(status_code(code), Code::Ok);
        }
        assert_eq!(code_of_word("something new"), ErrorCode::Internal);
    }

    #[test]
    fn an_empty_message_is_malformed() {
        let missing = Command::try_from(wire::ExecuteRequest { command: None }).unwrap_err();
        assert_eq!(missing, Malformed::Missing("request.command"));
        let status = tonic::Status::from(missing);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("request.command"), "{status}");
        assert!(result_from_wire(wire::ExecuteReply { reply: None }).is_err());
        assert_eq!(
            instance_from_bytes(&[1, 2]),
            Err(Malformed::Invalid("instance id"))
        );
    }
}
