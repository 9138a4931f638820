//! `<file-executor>`: runs a program of the master on a worker.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;

use crate::attachments::attach_list_shape;
use crate::planned::Planned;

/// `<file-executor>`: copies a program and its attachments from the master to the worker and runs it there.
pub(crate) struct FileExecutor;

impl Planned for FileExecutor {
    const TAG: &'static str = "file-executor";

    fn shape() -> Shape {
        let command = Shape::new(
            "command",
            Text::new(
                "命令，其中恰好有一个词含有/，即master上的程序路径",
                "the command; exactly one of its words holds a /: the program's path on the master",
            ),
        );
        let attachment = Shape::new(
            "attach-file",
            Text::new(
                "附件，与attach-list中的file相同",
                "an attachment, as a file of attach-list",
            ),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "把master上的程序及附件复制到worker上执行",
                "copies a program and its attachments from the master to the worker and runs it there",
            ),
        )
        .child(command.text(TextRule::Required), 1, Some(1))
        .child(attach_list_shape(), 0, Some(1))
        .child(attachment.text(TextRule::Required), 0, None)
        .example(
            "<file-executor>\n  <command>/data/jobs/clean.sh full</command>\n  <attach-list><file>/data/jobs/rules.csv</file></attach-list>\n</file-executor>",
        )
        .planned()
    }

    fn check(element: &Element, diagnostics: &mut Diagnostics) {
        let Some(command) = element.elements_named("command").next() else {
            return;
        };
        let text = command.text();
        // What a reference brings is known only when it runs.
        if text.trim().is_empty() || text.contains("${") {
            return;
        }
        let paths = text
            .split_whitespace()
            .filter(|word| word.contains('/'))
            .count();
        if paths == 1 {
            return;
        }
        diagnostics.error(
            code::BAD_EXECUTABLE,
            command.name_span,
            Text::new(
                format!("命令中须有且只有一个词含有/，现有{paths}个"),
                format!("exactly one word of the command must hold a /, {paths} do"),
            ),
            Text::new(
                "该词是master上的程序路径，例如 /data/jobs/clean.sh；其他文件请放入 <attach-list>",
                "it is the program's path on the master, /data/jobs/clean.sh; put other files into <attach-list>",
            ),
        );
    }
}
