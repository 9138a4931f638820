//! `<file-executor>`: runs a program of the master on a worker.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Work};
use crate::attachments::{attach_list, attach_list_shape, path_on_master};
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::script::{by_bash, one_line, quoted};

/// `<file-executor>`: copies a program and its attachments from the master to the worker and runs it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileExecutor {
    /// The command up to the program's path, and what follows it.
    around: (String, String),
    program: PathBuf,
    attachments: Vec<PathBuf>,
}

#[async_trait]
impl Action for FileExecutor {
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
                "把master上的程序及附件复制到worker的工作目录中执行，退出码为0表示成功",
                "copies a program and its attachments from the master into a directory of the worker and runs it there; exit code 0 is success",
            ),
        )
        .child(command.text(TextRule::Required), 1, Some(1))
        .child(attach_list_shape(), 0, Some(1))
        .child(attachment.text(TextRule::Required), 0, None)
        .example(
            "<file-executor>\n  <command>/data/jobs/clean.sh full</command>\n  <attach-list><file>/data/jobs/rules.csv</file></attach-list>\n</file-executor>",
        )
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let command = element.elements_named("command").next()?;
        let text = one_line(&command.text());
        let paths: Vec<&str> = text
            .split_whitespace()
            .filter(|word| word.contains('/'))
            .collect();
        let [path] = paths[..] else {
            // What a reference brings is known only when it runs.
            if !text.is_empty() && !text.contains("${") {
                no_program(command, paths.len(), diagnostics);
            }
            return None;
        };
        let (before, after) = text.split_once(path)?;
        let own = element.elements_named("attach-file");
        let mut attachments = attach_list(element);
        attachments.extend(own.filter_map(path_on_master));
        Some(Self {
            around: (before.to_owned(), after.to_owned()),
            program: path.trim_matches(['"', '\'']).into(),
            attachments,
        })
    }

    fn attachments(&self) -> Vec<PathBuf> {
        let mut files = vec![self.program.clone()];
        files.extend(self.attachments.iter().cloned());
        files
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        let mut names = BTreeSet::new();
        let files = Action::attachments(self);
        if let Some(twice) = files.iter().find(|file| !names.insert(name(file))) {
            return Err(ActionError::Fatal(same_name(&name(twice))));
        }
        let program = quoted(&format!("./{}", name(&self.program)));
        let (before, after) = &self.around;
        // Without exec: what stands around the program may be more than one command.
        let line = format!("chmod u+x {program} || exit 1\n{before}{program}{after}");
        Ok(Work::Process(by_bash(attempt, &line, Vec::new())))
    }
}

/// Under which name it lies beside the others.
fn name(path: &Path) -> String {
    let name = path.file_name();
    name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn same_name(name: &str) -> Text {
    Text::new(
        format!("有两个文件都名为`{name}`，它们会放在同一目录中，请改名"),
        format!("two files are called `{name}`, and they lie in one directory; rename one"),
    )
}

fn no_program(command: &Element, count: usize, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::BAD_EXECUTABLE,
        command.name_span,
        Text::new(
            format!("命令中须有且只有一个词含有/，现有{count}个"),
            format!("exactly one word of the command must hold a /, {count} do"),
        ),
        Text::new(
            "该词是master上的程序路径，例如 /data/jobs/clean.sh；其他文件请放入 <attach-list>",
            "it is the program's path on the master, /data/jobs/clean.sh; put other files into <attach-list>",
        ),
    );
}
