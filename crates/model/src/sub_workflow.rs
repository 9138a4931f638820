//! `<sub-workflow>`: an action that runs another workflow. The engine does it itself.

use std::sync::LazyLock;

use crate::diagnostic::Diagnostics;
use crate::element::Element;
use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// The body of an action that runs another workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubWorkflow {
    /// The workflow.
    pub workflow: String,
    /// Whether the node ends with the instance, and as it does; otherwise it has succeeded once the instance exists.
    pub waits: bool,
    /// What the instance is given, in order.
    pub params: Vec<(String, String)>,
}

impl SubWorkflow {
    /// The label of the body.
    pub const TAG: &'static str = "sub-workflow";

    /// What it may hold.
    pub fn shape() -> Shape {
        let attribute =
            |name, kind, zh: &str, en: &str| AttributeShape::new(name, kind, Text::new(zh, en));
        let name = attribute("name", AttributeKind::NonBlank, "参数名", "its name");
        let value = attribute("value", AttributeKind::Text, "参数值", "its value");
        let param = Shape::new(
            "param",
            Text::new("传给该工作流的参数", "a parameter that it is given"),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "运行另一个工作流，业务日期与当前实例相同",
                "runs another workflow with the business date of this instance",
            ),
        )
        .attribute(
            attribute(
                "workflow",
                AttributeKind::NonBlank,
                "工作流名称",
                "the workflow's name",
            )
            .required(),
        )
        .attribute(
            attribute(
                "wait",
                AttributeKind::Boolean,
                "是否等待其结束；结束状态即节点状态",
                "whether the node ends with it, and as it does",
            )
            .default("true"),
        )
        .child(param.attribute(name.required()).attribute(value.required()), 0, None)
        .example(
            "<sub-workflow workflow=\"load_region\">\n  <param name=\"region\" value=\"north\"/>\n</sub-workflow>",
        )
    }

    /// Reads a body that its shape has been checked against; `None` when it reported an error.
    pub fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(SubWorkflow::shape);
        let shape = &*SHAPE;
        let params = element.elements_named("param").map(|param| {
            let name = param.attribute("name")?.value.trim().to_owned();
            Some((name, param.attribute("value")?.value.to_string()))
        });
        Some(Self {
            workflow: shape.value(element, "workflow")?.to_owned(),
            waits: shape.boolean(element, "wait")?,
            params: params.collect::<Option<_>>()?,
        })
    }
}
