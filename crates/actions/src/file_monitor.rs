//! `<file-monitor>`: holds the number and the size of files against limits.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

use crate::planned::Planned;

/// `<file-monitor>`: succeeds once enough files of a name are there, and all of them are large enough.
pub(crate) struct FileMonitor;

/// `<warn-msg>`.
pub(crate) fn warn_msg_shape() -> Shape {
    Shape::new(
        "warn-msg",
        Text::new("检测不通过时的补充信息", "what is said beside a failure"),
    )
    .text(TextRule::Optional)
}

impl Planned for FileMonitor {
    const TAG: &'static str = "file-monitor";

    fn shape() -> Shape {
        let min_num = AttributeShape::new(
            "min-num",
            AttributeKind::Integer {
                min: 0,
                max: i64::from(i32::MAX),
            },
            Text::new("文件个数下限", "how many files there must be at least"),
        );
        let min_size = AttributeShape::new(
            "min-each-size",
            AttributeKind::Size,
            Text::new(
                "每个文件大小的下限，例如 2.3MB",
                "how large each must be at least, for example 2.3MB",
            ),
        );
        let link = AttributeShape::new(
            "file-link",
            AttributeKind::NonBlank,
            Text::new("文件连接的名称", "the file-link's name"),
        );
        let file = Shape::new(
            "file",
            Text::new(
                "文件路径，文件名可用*通配",
                "a path whose file name may hold *",
            ),
        )
        .attribute(min_num.default("1"))
        .attribute(min_size.default("0B"))
        .attribute(link.default("local"))
        .text(TextRule::Required);
        Shape::new(
            Self::TAG,
            Text::new(
                "检测文件的个数和大小，低于下限时失败",
                "fails unless enough files are there and all are large enough",
            ),
        )
        .child(file, 1, Some(1))
        .child(warn_msg_shape(), 0, Some(1))
        .example(
            "<file-monitor>\n  <file min-num=\"3\" min-each-size=\"2MB\">/data/in/orders_*.csv</file>\n  <warn-msg>orders are late</warn-msg>\n</file-monitor>",
        )
        .planned()
    }

    fn check(_element: &Element, _diagnostics: &mut Diagnostics) {}
}
