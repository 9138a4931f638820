//! Workflows for people.

use std::collections::BTreeMap;

use akkaflow_api::{
    Dependency, Hold, NextFire, PastFire, Schedule, WorkflowDetail, WorkflowSummary,
};
use akkaflow_model::message::{because_en, because_zh, by_en, by_zh};
use akkaflow_model::record::WorkflowStatus;
use akkaflow_model::text::Lang;

use super::cron::written;
use super::instance_view::{mail_levels, params, type_name};
use crate::layout;
use crate::screen::{Paint, Screen, plain};

/// Characters of a description in the tree.
const DESC_LENGTH: usize = 60;

/// The labels of akkaflow in their order.
pub(super) fn render(screen: &Screen, detail: &WorkflowDetail) -> String {
    let mut text = screen.title("工作流信息", "Workflow");
    text.push_str(&screen.pairs(basics(screen, detail)));
    text.push('\n');
    text.push_str(&screen.title("调度配置", "Schedule"));
    match &detail.schedule {
        Some(schedule) => text.push_str(&screen.pairs(schedule_pairs(screen, schedule, detail))),
        None => {
            let none = screen.say("  未配置调度\n", "  none: only people start it\n");
            text.push_str(none);
            if !detail.dependants.is_empty() {
                let label = screen.say("后置触发", "Triggers");
                let list = detail.dependants.join(", ");
                text.push_str(&screen.pairs(vec![(label, plain(list))]));
            }
        }
    }
    text.push('\n');
    text.push_str(&nodes(screen, detail));
    text
}

type Pairs<'a> = Vec<(&'a str, comfy_table::Cell)>;

fn basics<'a>(screen: &Screen, detail: &WorkflowDetail) -> Pairs<'a> {
    let workflow = &detail.summary;
    let created = detail
        .create_time
        .clone()
        .unwrap_or_else(|| screen.time(workflow.created_at));
    let mut file = workflow.file.clone().unwrap_or_default();
    if workflow.status == WorkflowStatus::FileGone {
        file.push_str(screen.say("（文件已不存在）", " (gone)"));
    }
    let mut pairs = vec![
        (label(screen, "工 作 流", "Workflow"), plain(&workflow.name)),
        (
            label(screen, "创 建 者", "Creator"),
            plain(&workflow.creator),
        ),
        (label(screen, "目    录", "Folder"), plain(&workflow.dir)),
        (
            label(screen, "参    数", "Parameters"),
            plain(detail.used_params.join(", ")),
        ),
        (
            label(screen, "告警级别", "Alerts"),
            plain(mail_levels(screen, &detail.mail_level)),
        ),
        (
            label(screen, "收件人员", "Receivers"),
            plain(detail.mail_receivers.join(", ")),
        ),
        (
            label(screen, "实例上限", "Instance limit"),
            plain(detail.instance_limit),
        ),
        (label(screen, "创建时间", "Created"), plain(created)),
        (label(screen, "文件目录", "File"), plain(file)),
        (
            label(screen, "描    述", "Description"),
            plain(workflow.desc.as_deref().unwrap_or_default()),
        ),
    ];
    if let Some(why) = &workflow.not_runnable {
        pairs.push((label(screen, "不可运行", "Does not run"), plain(why)));
    }
    pairs
}

/// That a person has suspended the schedule, since when and why.
fn suspended(screen: &Screen, hold: &Hold) -> String {
    let since = screen.time(hold.since);
    match screen.lang {
        Lang::Zh => format!(
            "自{since}起被{}暂停{}",
            by_zh(&hold.user),
            because_zh(&hold.reason)
        ),
        Lang::En => format!(
            "suspended since {since}{}{}",
            by_en(&hold.user),
            because_en(&hold.reason)
        ),
    }
}

fn label(screen: &Screen, zh: &'static str, en: &'static str) -> &'static str {
    screen.say(zh, en)
}

fn schedule_pairs<'a>(screen: &Screen, schedule: &Schedule, detail: &WorkflowDetail) -> Pairs<'a> {
    let enabled = match &detail.summary.hold {
        Some(hold) => suspended(screen, hold),
        None if schedule.is_enabled => screen.say("可用", "yes").to_owned(),
        None => screen.say("不可用", "no").to_owned(),
    };
    let next = screen.optional_time(schedule.next_fire);
    let cron = match &schedule.cron {
        Some(cron) if next.is_empty() => cron.clone(),
        Some(cron) => format!("{cron}  ({next})"),
        // A rate or dates, which are told in words.
        None => next.clone(),
    };
    let coming: Vec<String> = schedule
        .next_fires
        .iter()
        .map(|fire| coming_text(screen, fire))
        .collect();
    let depends: Vec<String> = schedule
        .depends
        .iter()
        .map(|dependency| dependency_text(screen, dependency))
        .collect();
    let mut pairs = vec![
        (label(screen, "是否可用", "Enabled"), plain(enabled)),
        (
            label(screen, "调度参数", "Parameters"),
            plain(params(&schedule.params)),
        ),
        (label(screen, "时间触发", "Times"), plain(cron)),
        (
            label(screen, "前置依赖", "Waits for"),
            plain(depends.join("\n")),
        ),
        (
            label(screen, "后置触发", "Triggers"),
            plain(detail.dependants.join(", ")),
        ),
        (
            label(screen, "生效时段", "Valid"),
            plain(format!("{} ~ {}", schedule.start_time, schedule.end_time)),
        ),
    ];
    let zone = label(screen, "时    区", "Time zone");
    pairs.push((zone, plain(&schedule.time_zone)));
    if let Some(words) = &schedule.cron_words {
        pairs.push((label(screen, "时间说明", "In words"), plain(words)));
    }
    if !coming.is_empty() {
        pairs.push((label(screen, "触发预览", "Next"), plain(coming.join("\n"))));
    }
    let skipped: Vec<String> = schedule
        .recent_fires
        .iter()
        .filter_map(|fire| skipped_text(screen, fire))
        .collect();
    if !skipped.is_empty() {
        let label = label(screen, "最近跳过", "Skipped lately");
        pairs.push((label, plain(skipped.join("\n"))));
    }
    pairs
}

/// A slot that was passed over, and why.
fn skipped_text(screen: &Screen, fire: &PastFire) -> Option<String> {
    let reason = fire.reason.as_deref()?;
    let first = screen.time(fire.due_at);
    Some(match fire.through {
        Some(last) => format!("{first} ~ {}  {reason}", screen.time(last)),
        None => format!("{first}  {reason}"),
    })
}

fn coming_text(screen: &Screen, fire: &NextFire) -> String {
    let (time, _) = written(screen, fire);
    match &fire.note {
        Some(note) => format!("{time}  {note}"),
        None => time,
    }
}

fn dependency_text(screen: &Screen, dependency: &Dependency) -> String {
    let state = match dependency {
        Dependency { exists: false, .. } => screen.say("不存在", "does not exist"),
        Dependency { is_ready: true, .. } => screen.say("已准备", "ready"),
        Dependency { .. } => screen.say("未就绪", "not ready"),
    };
    let rule = dependency.rule.as_ref();
    let rule = rule.map_or_else(String::new, |rule| format!(" ({rule})"));
    format!("{}{rule} -> {state}", dependency.workflow)
}

fn nodes(screen: &Screen, detail: &WorkflowDetail) -> String {
    let header = [
        screen.say("节点名称", "node"),
        screen.say("节点类型", "type"),
        screen.say("描述", "description"),
    ];
    let rows = detail
        .nodes
        .iter()
        .map(|node| {
            vec![
                plain(&node.name),
                plain(type_name(screen, &node.kind)),
                plain(node.desc.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    screen.table(&header, rows)
}

/// A folder of the tree.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    workflows: Vec<&'a WorkflowSummary>,
}

/// Folders in blue, enabled workflows in green, all others in red.
pub(super) fn tree(screen: &Screen, workflows: &[WorkflowSummary]) -> String {
    let mut root = Folder::default();
    for workflow in workflows {
        let mut folder = &mut root;
        for name in workflow.dir.split('/').filter(|name| !name.is_empty()) {
            folder = folder.folders.entry(name).or_default();
        }
        folder.workflows.push(workflow);
    }
    let mut text = format!("{}\n", screen.paint("/", Paint::Blue));
    write_folder(screen, &root, 1, &mut text);
    text
}

fn write_folder(screen: &Screen, folder: &Folder<'_>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for (name, inner) in &folder.folders {
        let name = screen.paint(name, Paint::Blue);
        text.push_str(&format!("{indent}{name}/\n"));
        write_folder(screen, inner, depth + 1, text);
    }
    for workflow in &folder.workflows {
        let paint = if workflow.is_enabled == Some(true) {
            Paint::Green
        } else {
            Paint::Red
        };
        let name = screen.paint(&workflow.name, paint);
        let desc: String = workflow
            .desc
            .iter()
            .flat_map(|desc| desc.chars())
            .take(DESC_LENGTH)
            .collect();
        let mark = mark(screen, workflow);
        let before = format!("{indent}{}  [{}] [", workflow.name, workflow.creator);
        let room = screen.width.map(|width| {
            let taken = layout::width(&before) + "]".len() + layout::width(mark);
            usize::from(width).saturating_sub(taken).max(1)
        });
        let desc = room.map_or(desc.clone(), |room| layout::cut(&desc, room));
        text.push_str(&format!(
            "{indent}{name}  [{}] [{desc}]{mark}\n",
            workflow.creator
        ));
    }
}

/// What is wrong with a workflow that nobody sees by its colour.
fn mark(screen: &Screen, workflow: &WorkflowSummary) -> &'static str {
    match (workflow.not_runnable.is_some(), workflow.status) {
        (false, WorkflowStatus::FileGone) => screen.say("（文件已不存在）", " (file gone)"),
        (true, WorkflowStatus::FileGone) => screen.say(
            "（当前版本暂不能执行，文件已不存在）",
            " (not run by this version, file gone)",
        ),
        (true, _) => screen.say("（当前版本暂不能执行）", " (not run by this version)"),
        (false, _) => "",
    }
}

/// Whether `dir` is the folder or lies below it; a bare name means every folder of that name.
pub(super) fn lies_in(dir: &str, folder: &str) -> bool {
    if !folder.contains('/') {
        return dir.split('/').any(|name| name == folder);
    }
    let folder = folder.trim_end_matches('/');
    dir.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::testing::screen;
    use akkaflow_model::text::Lang;
    use serde_json::{Value, json};

    fn summary(name: &str, dir: &str, is_enabled: Option<bool>) -> Value {
        json!({
            "name": name, "dir": dir, "creator": "张三", "desc": "每天的报表", "status": "live",
            "is_enabled": is_enabled, "cron": "0 1 * * *", "version": "0123456789abcdef",
            "file": "xmlconfig/日报.xml", "created_at": "2026-11-21T01:00:00.000Z",
            "updated_at": "2026-11-21T01:00:00.000Z"
        })
    }

    fn detail() -> WorkflowDetail {
        let mut body = summary("日报", "/报表/日", Some(true));
        let more = json!({
            "create_time": null, "mail_level": ["failed"], "mail_receivers": ["a@b.c", "d@e.f"],
            "instance_limit": 2, "used_params": ["stadate"],
            "schedule": {
                "is_enabled": true, "cron": "0 1 * * *", "next_fire": "2026-11-21T17:00:00.000Z",
                "start_time": "1990-12-29 00:00:00", "end_time": "2090-12-29 00:00:00",
                "time_zone": "Asia/Shanghai", "params": {"stadate": "${time.today|yyyy-MM-dd|-1 day}"},
                "depends": [
                    {"workflow": "抽取", "is_ready": true, "tokens": 1, "exists": true},
                    {"workflow": "清洗", "is_ready": false, "tokens": 0, "exists": true},
                    {"workflow": "gone", "is_ready": false, "tokens": 0, "exists": false}
                ]
            },
            "dependants": ["月报"],
            "nodes": [
                {"name": "start", "type": "start", "desc": null, "targets": ["a"]},
                {"name": "a", "type": "data-monitor", "desc": "检查", "targets": ["end"]}
            ],
            "file_problems": []
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_workflow_keeps_akkaflow_s_labels_and_order() {
        insta::assert_snapshot!(render(&screen(Lang::Zh, None), &detail()));
    }

    #[test]
    fn a_workflow_reads_well_in_english() {
        insta::assert_snapshot!(render(&screen(Lang::En, Some(80)), &detail()));
    }

    #[test]
    fn the_tree_shows_folders_before_workflows() {
        let workflows: Vec<WorkflowSummary> = [
            summary("日报", "/报表/日", Some(true)),
            summary("月报", "/报表", Some(false)),
            summary("手动", "/tmp", None),
            {
                let mut gone = summary("旧的", "/tmp", Some(true));
                gone["status"] = json!("file_gone");
                gone["not_runnable"] = json!("http");
                gone
            },
        ]
        .into_iter()
        .map(|body| serde_json::from_value(body).unwrap())
        .collect();
        insta::assert_snapshot!(tree(&screen(Lang::Zh, None), &workflows));
    }

    #[test]
    fn a_folder_is_meant_by_its_name_or_its_path() {
        assert!(lies_in("/a/b", "b"));
        assert!(lies_in("/a/b", "/a"));
        assert!(lies_in("/a/b", "/a/b/"));
        assert!(!lies_in("/a/bc", "/a/b"));
        assert!(!lies_in("/a/bc", "b"));
    }
}
