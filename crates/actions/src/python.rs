//! `<python>`: runs Python code.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

use crate::attachments::{attach_list_shape, param_line_shape};
use crate::planned::Planned;

/// `<python>`: runs Python code with the packages that it needs.
pub(crate) struct Python;

impl Planned for Python {
    const TAG: &'static str = "python";

    fn shape() -> Shape {
        let interpreter = AttributeShape::new(
            "interpreter",
            AttributeKind::NonBlank,
            Text::new("解释器", "the interpreter"),
        );
        let requirements = Shape::new(
            "requirements",
            Text::new(
                "需要的包，每行一个，与requirements.txt相同",
                "the packages that it needs, one a line, as in requirements.txt",
            ),
        );
        let code = Shape::new("code", Text::new("Python代码", "the code"));
        Shape::new(
            Self::TAG,
            Text::new(
                "在独立环境中执行Python代码",
                "runs Python code in an environment of its own",
            ),
        )
        .attribute(interpreter.default("python3"))
        .child(requirements.text(TextRule::Optional), 0, Some(1))
        .child(code.text(TextRule::Required), 1, Some(1))
        .child(attach_list_shape(), 0, Some(1))
        .child(param_line_shape(), 0, Some(1))
        .example(
            "<python>\n  <requirements>pandas==2.2.3</requirements>\n  <code>import pandas; print(pandas.__version__)</code>\n</python>",
        )
        .planned()
    }

    fn check(_element: &Element, _diagnostics: &mut Diagnostics) {}
}
