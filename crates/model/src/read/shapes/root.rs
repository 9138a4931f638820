//! The root and the values that outlive an instance.

use super::{INT_MIN, choice, desc, identifier, integer, name, priority, text};
use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// The root without the elements in it.
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
    )
    .for_people();
    Shape::new("work-flow", Text::new("一个工作流", "a workflow"))
        .attribute(name("工作流的唯一名称", "the workflow's unique name"))
        .attribute(
            text("creator", "创建者", "who wrote it")
                .default("Unknown")
                .for_people(),
        )
        .attribute(desc())
        .attribute(create_time)
        .attribute(
            text(
                "mail-level",
                "哪些结束状态须发送邮件，逗号分隔",
                "end states that people are told of by mail, separated by commas",
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
            .default("/tmp")
            .for_people(),
        )
        .attribute(overlap())
        .attribute(failure_policy())
        .attribute(
            priority(
                "与其他工作流的实例相比的优先级，大者先运行",
                "of its instances among those of others: the greater, the earlier",
            )
            .default("0"),
        )
        .attribute(keep(
            "keep-days",
            0,
            "已结束的实例在结束多少天后可被清理；0表示永久保留，不写则以配置为准",
            "days after its end at which an instance may be removed; 0 keeps all for ever, without it the configuration counts",
        ))
        .attribute(keep(
            "keep-instances",
            1,
            "无论多旧都保留的最新实例数；不写则以配置为准",
            "so many of the newest instances are kept whatever their age; without it the configuration counts",
        ))
}

fn keep(name: &'static str, min: i64, zh: &str, en: &str) -> AttributeShape {
    let kind = AttributeKind::Integer {
        min,
        max: super::INT_MAX,
    };
    AttributeShape::new(name, kind, Text::new(zh, en))
}

fn overlap() -> AttributeShape {
    choice(
        "overlap",
        &["queue", "skip", "cancel-running"],
        "已达到instance-limit时新实例如何处理：queue排队，skip跳过，cancel-running杀死最早运行的实例",
        "a new instance when instance-limit is reached: queue lets it wait, skip drops it, cancel-running kills the oldest running one",
    )
}

fn failure_policy() -> AttributeShape {
    choice(
        "failure-policy",
        &["cancel-running", "finish-running", "finish-possible"],
        "节点最终失败且没有error出口时其他分支如何处理：cancel-running取消运行中的节点，finish-running等其结束但不再启动新节点，finish-possible继续运行不依赖它的节点",
        "other branches when a node fails for good without an error edge: cancel-running cancels what runs, finish-running lets it finish and starts nothing new, finish-possible runs everything that does not come after the failed node",
    )
}

/// `<state-list>`.
pub(super) fn state_list_shape() -> Shape {
    Shape::new(
        "state-list",
        Text::new(
            "跨实例保留的值，以 ${state:名称} 引用",
            "values kept from one instance to the next, used as ${state:name}",
        ),
    )
    .child(state_shape(), 1, None)
    .example(
        "<state-list>\n  <state name=\"last_id\" initial=\"0\" from=\"load.max_id\"/>\n</state-list>",
    )
}

/// `<state>`.
pub(super) fn state_shape() -> Shape {
    let from = AttributeShape::new(
        "from",
        AttributeKind::NonBlank,
        Text::new(
            "实例成功后由哪个节点的输出更新：节点.输出",
            "whose output becomes the value once an instance has succeeded: node.output",
        ),
    );
    Shape::new("state", Text::new("一个保留的值", "a value that is kept"))
        .attribute(identifier(
            "名称，在工作流内唯一",
            "its name, unique in the workflow",
        ))
        .attribute(text(
            "initial",
            "第一次运行前的值",
            "the value before the first run",
        ))
        .attribute(from.required())
        .attribute(desc())
}
