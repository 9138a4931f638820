//! What a workflow file may hold, but for the bodies of actions.

use crate::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::text::Text;

/// What akkaflow's numbers hold.
const INT_MIN: i64 = i32::MIN as i64;
const INT_MAX: i64 = i32::MAX as i64;

/// The whole file. `<action>` is open: its body is the matter of the action type.
pub fn workflow_shape() -> Shape {
    root_shape()
        .child(coordinator_shape(), 0, Some(1))
        .child(start_shape(), 0, Some(1))
        .child(action_shape(), 0, None)
        .child(fork_shape(), 0, None)
        .child(join_shape(), 0, None)
        .child(kill_shape(), 0, None)
        .child(
            node_shape(
                "end",
                "到达后实例成功结束",
                "reaching it ends the instance as succeeded",
            ),
            0,
            None,
        )
}

fn text(name: &'static str, zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new(name, AttributeKind::Text, Text::new(zh, en))
}

fn name(zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new("name", AttributeKind::Name, Text::new(zh, en)).required()
}

fn to(zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new("to", AttributeKind::NodeName, Text::new(zh, en)).required()
}

fn integer(
    name: &'static str,
    min: i64,
    default: &'static str,
    zh: &str,
    en: &str,
) -> AttributeShape {
    let kind = AttributeKind::Integer { min, max: INT_MAX };
    AttributeShape::new(name, kind, Text::new(zh, en)).default(default)
}

pub(super) fn root_shape() -> Shape {
    let limit = integer(
        "instance-limit",
        INT_MIN,
        "1",
        "同时运行的实例上限",
        "how many instances may run at once",
    );
    let create_time = AttributeShape::new(
        "create-time",
        AttributeKind::DateTime,
        Text::new("创建时间", "when it was written"),
    );
    Shape::new("work-flow", Text::new("一个工作流", "a workflow"))
        .attribute(name("工作流的唯一名称", "the workflow's unique name"))
        .attribute(text("creator", "创建者", "who wrote it").default("Unknown"))
        .attribute(text("desc", "描述", "what it is for"))
        .attribute(create_time)
        .attribute(
            text(
                "mail-level",
                "哪些结束状态发送邮件，逗号分隔",
                "end states that send mail, separated by commas",
            )
            .default("W_FAILED"),
        )
        .attribute(text(
            "mail-receivers",
            "收件人，逗号分隔",
            "who is told, separated by commas",
        ))
        .attribute(limit.help(Text::new("通常写1", "1 is usual")))
        .attribute(
            text(
                "dir",
                "目录，以 / 分隔",
                "folder in the tree, separated by /",
            )
            .default("/tmp"),
        )
}

pub(super) fn coordinator_shape() -> Shape {
    let moment = |name, zh: &str, en: &str, default| {
        AttributeShape::new(name, AttributeKind::DateTime, Text::new(zh, en)).default(default)
    };
    let is_enabled = AttributeShape::new(
        "is-enabled",
        AttributeKind::Boolean,
        Text::new("是否启用", "whether it starts by itself"),
    );
    Shape::new(
        "coordinator",
        Text::new("调度配置", "when it starts by itself"),
    )
    .attribute(is_enabled.default("true"))
    .attribute(moment(
        "start-time",
        "生效开始时间",
        "not before",
        "1990-12-29 00:00:00",
    ))
    .attribute(moment(
        "end-time",
        "生效结束时间",
        "not after",
        "2090-12-29 00:00:00",
    ))
    .child(depend_list_shape(), 0, Some(1))
    .child(param_list_shape(), 0, None)
}

fn depend_list_shape() -> Shape {
    let workflow = Shape::new(
        "workflow",
        Text::new("前置工作流", "a workflow that it waits for"),
    )
    .attribute(name(
        "前置工作流的名称",
        "the name of the workflow that it waits for",
    ));
    Shape::new("depend-list", Text::new("触发条件", "what it waits for"))
        .attribute(text(
            "cron",
            "五个字段：分 时 日 月 星期",
            "five fields: minute hour day month weekday",
        ))
        .child(workflow, 0, None)
}

fn param_list_shape() -> Shape {
    let name = AttributeShape::new(
        "name",
        AttributeKind::NonBlank,
        Text::new("参数名", "its name"),
    );
    let param = Shape::new("param", Text::new("一个参数", "a parameter"))
        .attribute(name.required())
        .attribute(text("value", "参数值", "its value").required());
    Shape::new("param-list", Text::new("参数", "parameters")).child(param, 0, None)
}

/// A node without edges.
fn node_shape(tag: &'static str, zh: &str, en: &str) -> Shape {
    Shape::new(tag, Text::new(zh, en))
        .attribute(name(
            "节点名称，在工作流内唯一",
            "the node's name, unique in its workflow",
        ))
        .attribute(text("desc", "描述", "what it is for"))
}

fn start_shape() -> Shape {
    node_shape("start", "实例从此开始", "where an instance begins")
        .attribute(to("下一个节点", "the next node"))
}

fn join_shape() -> Shape {
    node_shape("join", "等待所有分支", "waits for all branches")
        .attribute(to("下一个节点", "the next node"))
}

fn fork_shape() -> Shape {
    let path = Shape::new(
        "path",
        Text::new(
            "一条分支：<path to=\"节点\"/>",
            "a branch: <path to=\"node\"/>",
        ),
    )
    .attribute(to("分支的第一个节点", "the first node of the branch"));
    node_shape("fork", "并行执行各分支", "takes all its branches at once").child(path, 1, None)
}

fn kill_shape() -> Shape {
    let message = Shape::new("message", Text::new("杀死原因", "why")).text(TextRule::Optional);
    node_shape(
        "kill",
        "到达后实例被杀死",
        "reaching it ends the instance as killed",
    )
    .child(message, 0, Some(1))
}

pub(super) fn action_shape() -> Shape {
    let edge = |tag, zh: &str, en: &str| {
        Shape::new(tag, Text::new(zh, en)).attribute(to("下一个节点", "the next node"))
    };
    let retries = integer(
        "retry-times",
        0,
        "0",
        "失败后的重试次数",
        "attempts after the first one failed",
    )
    .help(Text::new("不重试时请写0", "write 0 to switch retries off"));
    let interval = integer(
        "interval",
        0,
        "0",
        "重试间隔（秒）",
        "seconds between attempts",
    )
    .help(Text::new(
        "单位为秒，立即重试时请写0",
        "seconds; write 0 to retry at once",
    ));
    let timeout = integer(
        "timeout",
        INT_MIN,
        "-1",
        "整个节点的时限（秒），包括重试",
        "limit in seconds for the node, retries included",
    )
    .help(Text::new(
        "单位为秒，不限时请写-1",
        "seconds; write -1 for no limit",
    ));
    let is_ignore = AttributeShape::new(
        "is-ignore",
        AttributeKind::Boolean,
        Text::new("不执行，视为成功", "not run, counts as succeeded"),
    );
    node_shape("action", "由worker执行的动作", "work for a worker")
        .attribute(
            text(
                "host",
                "指定执行的主机，-1为任意",
                "the worker's host that must run it, -1 for any",
            )
            .default("-1"),
        )
        .attribute(retries)
        .attribute(interval)
        .attribute(timeout)
        .attribute(is_ignore.default("false"))
        .child(
            edge(
                "ok",
                "成功后的节点：<ok to=\"节点\"/>",
                "where to go after success: <ok to=\"node\"/>",
            ),
            1,
            Some(1),
        )
        .child(
            edge("error", "失败后的节点", "where to go after failure"),
            0,
            Some(1),
        )
        .open()
}
