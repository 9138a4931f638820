//! `<action>` without its body.

use super::nodes::{after, node_shape, when};
use super::{
    INT_MIN, boolean, choice, desc, duration, identifier, integer, priority, text, to, value_type,
};
use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// More slots of a pool than any has.
const MOST_SLOTS: i64 = 10_000;

/// `<action>`; open, because its body is the matter of the action type.
pub(super) fn action_shape() -> Shape {
    let edge = |tag, zh: &str, en: &str| {
        Shape::new(tag, Text::new(zh, en))
            .attribute(to("下一个节点", "the next node"))
            .attribute(when())
    };
    let shape = node_shape("action", "由worker执行的动作", "work for a worker")
        .example("<action name=\"load\" retry-times=\"2\" interval=\"60\" timeout=\"3600\">\n  <sql db-link=\"dw\">delete from report where day = '${param:day}'</sql>\n  <ok to=\"report\"/>\n  <error to=\"stop\"/>\n</action>").attribute(
        text(
            "host",
            "指定执行的主机，-1为任意",
            "the worker's host that must run it, -1 for any",
        )
        .default("-1"),
    );
    let shape = timeouts(retries(shape))
        .attribute(boolean(
            "is-ignore",
            "false",
            "不执行，视为成功",
            "not run, counts as succeeded",
        ))
        .attribute(after());
    resources(shape)
        .child(output_shape(), 0, None)
        .child(
            edge(
                "ok",
                "成功后的节点：<ok to=\"节点\"/>",
                "where to go after success: <ok to=\"node\"/>",
            ),
            // Whether it may be missing depends on the graph, and is looked at there.
            0,
            Some(1),
        )
        .needed(Text::new(
            "必填，除非文件中使用了after",
            "required, unless the file uses `after`",
        ))
        .child(
            edge("error", "失败后的节点", "where to go after failure"),
            0,
            Some(1),
        )
        .open()
}

fn retries(shape: Shape) -> Shape {
    let times = integer(
        "retry-times",
        INT_MIN,
        "0",
        "失败后的重试次数",
        "attempts after the first one failed",
    )
    .help(Text::new("不重试时请写0", "write 0 to switch retries off"));
    let interval = integer(
        "interval",
        INT_MIN,
        "0",
        "重试间隔（秒）",
        "seconds between attempts",
    )
    .help(Text::new(
        "单位为秒，立即重试时请写0",
        "seconds; write 0 to retry at once",
    ));
    let backoff = choice(
        "backoff",
        &["fixed", "linear", "exponential"],
        "重试间隔如何增长：fixed不变，linear每次增加interval，exponential每次翻倍",
        "how interval grows: fixed not at all, linear by interval each time, exponential doubles it each time",
    );
    let jitter = AttributeShape::new(
        "jitter",
        AttributeKind::Integer { min: 0, max: 100 },
        Text::new(
            "重试间隔随机增减的百分比，避免同时重试",
            "hundredths of the pause that are added or taken away at random, so that not all retry at once",
        ),
    )
    .default("0");
    let exit_codes = AttributeShape::new(
        "retry-exit-codes",
        AttributeKind::Codes { min: 0, max: 255 },
        Text::new(
            "只有退出码在其中时才重试，例如 75,100-110",
            "retry only after these exit codes, for example 75,100-110",
        ),
    );
    shape
        .attribute(times)
        .attribute(interval)
        .attribute(backoff)
        .attribute(duration(
            "max-interval",
            "重试间隔的上限",
            "the longest pause between attempts",
        ))
        .attribute(jitter)
        .attribute(exit_codes)
}

fn timeouts(shape: Shape) -> Shape {
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
    let scope = choice(
        "timeout-scope",
        &["node", "attempt"],
        "timeout的范围：node整个节点，attempt每次尝试",
        "what timeout covers: node the node with all its retries, attempt each attempt",
    );
    let on_timeout = choice(
        "on-timeout",
        &["fail", "kill"],
        "超时后：fail节点失败并走error出口，kill杀死实例",
        "when it is over: fail makes the node fail and take its error edge, kill ends the instance as killed",
    );
    shape
        .attribute(timeout)
        .attribute(scope)
        .attribute(on_timeout)
}

fn resources(shape: Shape) -> Shape {
    let labels = AttributeShape::new(
        "worker-labels",
        AttributeKind::Words,
        Text::new(
            "worker必须具有的全部标签，以空格分隔",
            "labels that a worker must have, all of them, parted by blanks",
        ),
    );
    let pool = AttributeShape::new(
        "pool",
        AttributeKind::Name,
        Text::new(
            "资源池名称，池中有空位才运行",
            "a pool that must have room before it runs",
        ),
    );
    let slots = AttributeShape::new(
        "pool-slots",
        AttributeKind::Integer {
            min: 1,
            max: MOST_SLOTS,
        },
        Text::new("占用资源池的份数", "how much of the pool it takes"),
    )
    .default("1");
    shape
        .attribute(labels)
        .attribute(priority(
            "等待worker时的优先级，大者先运行；默认与工作流相同",
            "among the nodes that wait for a worker: the greater, the earlier; the workflow's by default",
        ))
        .attribute(pool)
        .attribute(slots)
}

/// `<output>`.
fn output_shape() -> Shape {
    Shape::new(
        "output",
        Text::new(
            "传给后续节点的值，以 ${output:节点.名称} 引用；脚本向文件$AKKAFLOW_OUTPUT写入 名称=值，或输出一行 akkaflow-output 名称=值，sql取最后一个查询第一行的同名列，transfer给出rows、milliseconds与bytes，http取JSON应答的同名字段",
            "a value for later nodes, used as ${output:node.name}; a script writes name=value into the file $AKKAFLOW_OUTPUT or prints a line akkaflow-output name=value, sql takes the column of that name of its last query's first row, transfer has rows, milliseconds and bytes, http the field of a JSON answer",
        ),
    )
    .attribute(identifier(
        "名称，在节点内唯一",
        "its name, unique in the node",
    ))
    .attribute(value_type())
    .attribute(desc())
    .example("<output name=\"rows\" type=\"integer\"/>")
}
