//! `<attach-list>`: files that lie beside a program while it runs.

use std::path::PathBuf;

use akkaflow_model::element::Element;
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
            Text::new(
                "master上的普通文件的路径；存有akkaflow自身密码或密钥的文件不能作为附件",
                "the path of a regular file on the master; those that hold akkaflow's own passwords or keys are not handed on",
            ),
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

/// The paths in an `<attach-list>` of a body.
pub(crate) fn attach_list(body: &Element) -> Vec<PathBuf> {
    body.elements_named("attach-list")
        .flat_map(|list| list.elements_named("file"))
        .filter_map(path_on_master)
        .collect()
}

/// The path that an element holds.
pub(crate) fn path_on_master(element: &Element) -> Option<PathBuf> {
    let path = element.text().trim().to_owned();
    (!path.is_empty()).then(|| path.into())
}

/// The text of a body's `<param-line>`.
pub(crate) fn param_line(body: &Element) -> String {
    let line = body.elements_named("param-line").next();
    line.map(Element::text).unwrap_or_default()
}
