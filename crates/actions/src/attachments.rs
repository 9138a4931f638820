//! `<attach-list>`: files that lie beside a program while it runs.

use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;

/// `<attach-list>`.
pub(crate) fn attach_list_shape() -> Shape {
    Shape::new(
        "attach-list",
        Text::new("附件列表", "files that lie beside the script"),
    )
    .child(
        Shape::new(
            "file",
            Text::new("master上的文件路径", "a path on the master"),
        )
        .text(TextRule::Required),
        0,
        None,
    )
}

/// `<param-line>`.
pub(crate) fn param_line_shape() -> Shape {
    Shape::new(
        "param-line",
        Text::new("脚本的命令行参数", "the script's arguments"),
    )
    .text(TextRule::Optional)
}
