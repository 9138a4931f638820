//! An instance for people.

use akkaflow_api::{InstanceDetail, Params};
use akkaflow_model::definition::legacy_type_name;
use akkaflow_model::record::TriggerKind;
use akkaflow_model::state::InstanceState;
use akkaflow_model::text::Lang;

use comfy_table::Cell;

use crate::screen::{Paint, Screen, plain};

/// The labels of akkaflow in their order; what it does not have follows.
pub(super) fn render(screen: &Screen, detail: &InstanceDetail) -> String {
    let instance = &detail.summary;
    let started = instance.started_at;
    let mut pairs = vec![
        (screen.say("实 例 ID", "Instance"), plain(&instance.id)),
        (
            screen.say("工 作 流", "Workflow"),
            plain(&instance.workflow),
        ),
        (
            screen.say("运行状态", "State"),
            screen.instance_state(instance.state),
        ),
        (
            screen.say("开始时间", "Started"),
            plain(screen.optional_time(started)),
        ),
        (
            screen.say("运行时长", "Duration"),
            plain(screen.duration(started, instance.ended_at)),
        ),
        (screen.say("目    录", "Folder"), plain(&instance.dir)),
        (
            screen.say("参    数", "Parameters"),
            plain(params(&detail.params)),
        ),
        (
            screen.say("告警级别", "Alerts"),
            plain(mail_levels(screen, &detail.mail_level)),
        ),
        (
            screen.say("收件人员", "Receivers"),
            plain(detail.mail_receivers.join(", ")),
        ),
        (
            screen.say("实例上限", "Instance limit"),
            plain(
                detail
                    .instance_limit
                    .map(|limit| limit.to_string())
                    .unwrap_or_default(),
            ),
        ),
        (
            screen.say("描    述", "Description"),
            plain(detail.desc.as_deref().unwrap_or_default()),
        ),
        (
            screen.say("业务时间", "Fire time"),
            plain(screen.time(instance.fire_time)),
        ),
        (
            screen.say("触发方式", "Trigger"),
            plain(trigger(screen, instance.trigger)),
        ),
    ];
    if let Some(backfill) = &detail.backfill {
        pairs.push((screen.say("补 数 ID", "Backfill"), plain(backfill)));
    }
    if let Some(landing) = &detail.landing {
        let deadline = plain(screen.time(landing.deadline));
        pairs.push((screen.say("期    限", "Deadline"), deadline));
        let (label, notice, paint) = match (&landing.missed, &landing.late) {
            (Some(missed), _) => (screen.say("错过期限", "Missed"), Some(missed), Paint::Red),
            (None, late) => (
                screen.say("期限告警", "At risk"),
                late.as_ref(),
                Paint::Yellow,
            ),
        };
        if let Some(notice) = notice {
            pairs.push((label, screen.cell(&notice.text, Some(paint))));
        }
    }
    if let Some(user) = &instance.asked_by {
        pairs.push((screen.say("运行者", "Asked by"), plain(user)));
    }
    if let Some(parent) = &detail.parent {
        let node = format!("{}:{}", parent.instance, parent.node);
        pairs.push((screen.say("上级节点", "Parent"), plain(node)));
    }
    if !detail.state_values.0.is_empty() {
        pairs.push((
            screen.say("状态值", "State values"),
            plain(params(&detail.state_values)),
        ));
    }
    if instance.run > 1 {
        pairs.push((screen.say("运行次数", "Run"), plain(instance.run)));
    }
    if let Some(message) = &instance.message {
        pairs.push((screen.say("执行信息", "Message"), plain(message)));
    }
    if instance.handled_errors {
        let handled = screen.say("有节点失败后走了error分支", "an error edge was taken");
        pairs.push((screen.say("失败处理", "Errors"), plain(handled)));
    }
    let mut text = screen.title("工作流实例信息", "Instance");
    text.push_str(&screen.pairs(pairs));
    text.push('\n');
    text.push_str(&screen.title("节点运行信息", "Nodes"));
    text.push_str(&nodes(screen, detail));
    let values = values(screen, detail);
    if !values.is_empty() {
        text.push('\n');
        text.push_str(&screen.title("输出与子工作流", "Outputs and sub-workflows"));
        text.push_str(&screen.pairs(values));
    }
    text
}

/// What nodes have handed on, and the instances that they have started.
fn values<'a>(screen: &Screen, detail: &'a InstanceDetail) -> Vec<(&'a str, Cell)> {
    let mut values = Vec::new();
    for node in &detail.nodes {
        if !node.outputs.0.is_empty() {
            values.push((node.name.as_str(), plain(params(&node.outputs))));
        }
        if let Some(child) = &node.child {
            let words = screen.say("实例", "instance");
            values.push((node.name.as_str(), plain(format!("{words} {child}"))));
        }
    }
    values
}

fn nodes(screen: &Screen, detail: &InstanceDetail) -> String {
    let header = [
        screen.say("节点名称", "node"),
        screen.say("节点类型", "type"),
        screen.say("状态", "state"),
        screen.say("运行时长（s）", "seconds"),
        screen.say("开始时间", "started"),
        screen.say("执行信息", "message"),
        screen.say("描述", "description"),
    ];
    let rows = detail
        .nodes
        .iter()
        .map(|node| {
            vec![
                plain(&node.name),
                plain(type_name(screen, &node.kind)),
                screen.node_state(&node.state),
                plain(screen.seconds(node.started_at, node.ended_at)),
                plain(screen.optional_time(node.started_at)),
                plain(node.message.as_deref().unwrap_or_default()),
                plain(node.desc.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    // Description, type, start.
    screen.table_without(&header, rows, &[header[6], header[1], header[4]])
}

/// akkaflow's class names in Chinese, the types of the file in English.
pub(super) fn type_name(screen: &Screen, kind: &str) -> String {
    match screen.lang {
        Lang::Zh => legacy_type_name(kind),
        Lang::En => kind.to_owned(),
    }
}

/// `k:v, ...`
pub(super) fn params(params: &Params) -> String {
    let pairs: Vec<String> = params
        .0
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    pairs.join(", ")
}

/// akkaflow's words for the end states that send mail.
pub(super) fn mail_levels(screen: &Screen, levels: &[InstanceState]) -> String {
    let words: Vec<&str> = levels
        .iter()
        .filter_map(|state| match state {
            InstanceState::Failed => Some(screen.say("失败告警", "failed")),
            InstanceState::Killed => Some(screen.say("杀死告警", "killed")),
            InstanceState::Succeeded => Some(screen.say("成功告警", "succeeded")),
            InstanceState::Ready | InstanceState::Running | InstanceState::Suspended => None,
        })
        .collect();
    words.join(", ")
}

/// Why it was started.
pub(super) fn trigger(screen: &Screen, kind: TriggerKind) -> &'static str {
    let (zh, en) = match kind {
        TriggerKind::Cron => ("时间触发", "cron"),
        TriggerKind::Dependency => ("依赖触发", "dependencies"),
        TriggerKind::Trigger => ("手动触发", "trigger"),
        TriggerKind::Blood => ("blood触发", "trigger-blood"),
        TriggerKind::Run => ("手动运行", "run"),
        TriggerKind::Backfill => ("补数", "backfill"),
        TriggerKind::SubWorkflow => ("子工作流", "sub-workflow"),
    };
    screen.say(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::testing::screen;
    use serde_json::json;

    fn detail() -> InstanceDetail {
        let node = |name: &str, kind: &str, state: &str, desc: Option<&str>| {
            let is_over = state == "succeeded" || state == "failed";
            json!({
                "name": name, "type": kind, "state": state, "attempts": 1, "worker": "w1",
                "started_at": "2026-11-21T01:00:00.010Z",
                "ended_at": is_over.then_some("2026-11-21T01:01:02.345Z"),
                "message": is_over.then_some("节点执行成功"), "desc": desc, "retry_at": null
            })
        };
        serde_json::from_value(json!({
            "id": "01933333-3333-7333-8333-33338f3a11bb", "short_id": "8f3a11bb", "workflow": "日报",
            "state": "failed", "run": 1, "trigger": "run", "fire_time": "2026-11-21T01:00:00.000Z",
            "created_at": "2026-11-21T01:00:00.000Z", "started_at": "2026-11-21T01:00:00.010Z",
            "ended_at": "2026-11-21T01:01:03.010Z", "message": "节点[抽取]执行失败", "handled_errors": false,
            "dir": "/报表/日", "creator": "张三", "params": {"stadate": "2026-11-20", "n": "3"},
            "version": "0123456789abcdef", "ending": null, "desc": "每天的报表",
            "mail_level": ["failed", "killed"], "mail_receivers": ["a@b.c"], "instance_limit": 1,
            "nodes": [
                node("start", "start", "succeeded", None), node("抽取", "script", "failed", Some("从源库抽取")),
                node("检查", "file-monitor", "running", None), node("end", "end", "skipped", None),
            ]
        }))
        .unwrap()
    }

    #[test]
    fn an_instance_keeps_akkaflow_s_labels_and_order() {
        insta::assert_snapshot!(render(&screen(Lang::Zh, None), &detail()));
    }

    #[test]
    fn an_instance_is_readable_on_eighty_columns() {
        let text = render(&screen(Lang::Zh, Some(80)), &detail());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn an_instance_names_its_backfill() {
        let id = "01933333-3333-7333-8333-33338f3a11aa";
        let of_backfill = InstanceDetail {
            backfill: Some(id.to_owned()),
            ..detail()
        };
        for lang in [Lang::Zh, Lang::En] {
            assert!(render(&screen(lang, None), &of_backfill).contains(id));
            assert!(!render(&screen(lang, None), &detail()).contains(id));
        }
    }

    #[test]
    fn an_instance_tells_of_its_deadline_and_who_is_to_blame() {
        let at = || "2026-11-21T08:00:00Z";
        let notice = |text: &str| {
            json!({
                "at": at(), "run": 1, "expected": at(), "node": "load", "behind_seconds": 90,
                "critical_path": ["load"], "text": text
            })
        };
        let landing = |late, missed| InstanceDetail {
            landing: serde_json::from_value(json!({
                "deadline": at(), "late": late, "missed": missed
            }))
            .unwrap(),
            ..detail()
        };
        let (late, missed) = (notice("will be late"), notice("was late"));
        for lang in [Lang::Zh, Lang::En] {
            let shown = |detail| render(&screen(lang, None), &detail);
            assert!(shown(landing(late.clone(), json!(null))).contains("will be late"));
            let text = shown(landing(late.clone(), missed.clone()));
            assert!(
                text.contains("was late") && !text.contains("will be late"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_instance_reads_well_in_english() {
        insta::assert_snapshot!(render(&screen(Lang::En, None), &detail()));
    }
}
