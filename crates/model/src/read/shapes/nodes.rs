//! Control nodes.

use super::{desc, name, to};
use crate::condition::EDGE_VARIABLES;
use crate::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::text::Text;

/// A node without edges.
pub(super) fn node_shape(tag: &'static str, zh: &str, en: &str) -> Shape {
    Shape::new(tag, Text::new(zh, en))
        .attribute(name(
            "节点名称，在工作流内唯一",
            "the node's name, unique in its workflow",
        ))
        .attribute(desc())
}

/// What a node comes after, in place of edges that lead to it.
pub(super) fn after() -> AttributeShape {
    AttributeShape::new(
        "after",
        AttributeKind::NodeNames,
        Text::new(
            "这些节点全部成功后才开始，以空格分隔；代替fork与join",
            "starts once all of these nodes have succeeded, parted by blanks; in place of fork and join",
        ),
    )
}

/// The condition of an edge.
pub(super) fn when() -> AttributeShape {
    AttributeShape::new(
        "when",
        AttributeKind::Condition(EDGE_VARIABLES),
        Text::new(
            "CEL条件，成立时才走这条边；可用param.名称、state.名称（均为文本，比较数字写 int(param.n) > 3），以及output.节点.名称（按其声明的类型；节点名含中文或连字符等时写作output['节点'].名称）",
            "a condition in CEL, the edge is taken where it holds; there are param.NAME and state.NAME, which are texts (int(param.n) > 3), and output.NODE.NAME in its declared type (output['my-node'].NAME where the node's name is no plain word)",
        ),
    )
}

pub(super) fn start_shape() -> Shape {
    node_shape("start", "实例从此开始", "where an instance begins")
        .example("<start name=\"start\" to=\"load\"/>")
        .attribute(to("下一个节点", "the next node"))
}

pub(super) fn join_shape() -> Shape {
    node_shape("join", "等待所有分支", "waits for all branches")
        .example("<join name=\"both\" to=\"report\"/>")
        .attribute(to("下一个节点", "the next node"))
}

pub(super) fn fork_shape() -> Shape {
    let path = Shape::new(
        "path",
        Text::new(
            "一条分支：<path to=\"节点\"/>",
            "a branch: <path to=\"node\"/>",
        ),
    )
    .attribute(to("分支的第一个节点", "the first node of the branch"))
    .attribute(when());
    node_shape("fork", "并行执行各分支", "takes all its branches at once")
        .example(
            "<fork name=\"split\">\n  <path to=\"orders\"/>\n  <path to=\"customers\"/>\n</fork>",
        )
        .attribute(after())
        .child(path, 1, None)
}

pub(super) fn decision_shape() -> Shape {
    let case = Shape::new(
        "case",
        Text::new(
            "一种情况：<case when=\"条件\" to=\"节点\"/>",
            "a case: <case when=\"condition\" to=\"node\"/>",
        ),
    )
    .attribute(when().required())
    .attribute(to("条件成立时的下一个节点", "the next node where it holds"));
    let default = Shape::new(
        "default",
        Text::new(
            "其他情况：<default to=\"节点\"/>",
            "otherwise: <default to=\"node\"/>",
        ),
    )
    .attribute(to(
        "都不成立时的下一个节点",
        "the next node where none holds",
    ));
    node_shape(
        "decision",
        "按顺序取第一个成立的条件，只走一条分支",
        "takes the first branch whose condition holds, and only that one",
    )
    .attribute(after())
    .child(case, 1, None)
    .child(default, 0, Some(1))
    .example(
        "<decision name=\"any_rows\">\n  <case when=\"output.count.rows &gt; 0\" to=\"load\"/>\n  <default to=\"end\"/>\n</decision>",
    )
}

pub(super) fn kill_shape() -> Shape {
    let message = Shape::new("message", Text::new("杀死原因", "why")).text(TextRule::Optional);
    node_shape(
        "kill",
        "到达后实例被杀死",
        "reaching it ends the instance as killed",
    )
    .example("<kill name=\"stop\"><message>no orders on ${param:day}</message></kill>")
    .attribute(after())
    .child(message, 0, Some(1))
}

pub(super) fn end_shape() -> Shape {
    node_shape(
        "end",
        "到达后实例成功结束",
        "reaching it ends the instance as succeeded",
    )
    .example("<end name=\"end\"/>")
    .attribute(after())
}

pub(super) fn finally_shape() -> Shape {
    node_shape(
        "finally",
        "其余部分结束后，无论成功、失败还是被杀死，都从此执行收尾节点",
        "where the clean-up begins once everything else is over, whether it succeeded, failed or was killed",
    )
    .attribute(to("第一个收尾节点", "the first node of the clean-up"))
    .example("<finally name=\"finally\" to=\"drop_temporary_tables\"/>")
}
