//! `<ssh>`: runs a command on another machine.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

use crate::planned::Planned;

/// `<ssh>`: runs a command on the machine that an SFTP link names.
pub(crate) struct Ssh;

impl Planned for Ssh {
    const TAG: &'static str = "ssh";

    fn shape() -> Shape {
        let link = AttributeShape::new(
            "file-link",
            AttributeKind::NonBlank,
            Text::new(
                "SFTP类型的文件连接，给出主机、端口和用户",
                "a file-link of type SFTP: it names the host, the port and the user",
            ),
        );
        let command = Shape::new(
            "command",
            Text::new("在该主机上执行的命令", "the command to run there"),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "通过SSH在其他主机上执行命令，退出码为0表示成功",
                "runs a command on another machine over SSH; exit code 0 is success",
            ),
        )
        .attribute(link.required())
        .child(command.text(TextRule::Required), 1, Some(1))
        .example(
            "<ssh file-link=\"etl-host\">\n  <command>/opt/jobs/rebuild.sh ${param:date}</command>\n</ssh>",
        )
        .planned()
    }

    fn check(_element: &Element, _diagnostics: &mut Diagnostics) {}
}
