//! `<shell>`: runs a command.

use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, ProcessSpec, Work};
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::script::normalized;

const RUN_FILE: &str = "akkaflow_run";

/// The longest command that is passed as an argument: Linux takes 128 KiB. Longer ones are passed in a file, which costs a little time.
const LONGEST_ARGUMENT: usize = 100_000;

/// `<shell>`: runs a command by `/bin/sh`, or by what its leading `#!` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    command: String,
}

#[async_trait]
impl Action for Shell {
    const TAG: &'static str = "shell";

    fn shape() -> Shape {
        Shape::new(
            Self::TAG,
            Text::new("由/bin/sh执行命令", "runs a command by /bin/sh"),
        )
        .example(r#"<shell><command>hdfs dfs -ls "/orders/${param:day}"</command></shell>"#)
        .child(
            Shape::new("command", Text::new("命令", "the command")).text(TextRule::Required),
            1,
            Some(1),
        )
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let command = element.elements_named("command").next()?.text();
        Some(Self {
            command: normalized(&command),
        })
        .filter(|shell| !shell.command.trim().is_empty())
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        let path = attempt.directory.join(RUN_FILE);
        let has_interpreter = self.command.starts_with("#!");
        if !has_interpreter && self.command.len() <= LONGEST_ARGUMENT {
            return Ok(process("/bin/sh".into(), ["-c", &self.command], Vec::new()));
        }
        let file = (RUN_FILE.to_owned(), self.command.clone().into_bytes(), true);
        Ok(match has_interpreter {
            true => process(path, [], vec![file]),
            false => process("/bin/sh".into(), [&*path.to_string_lossy()], vec![file]),
        })
    }
}

fn process<const N: usize>(
    program: PathBuf,
    arguments: [&str; N],
    files: Vec<(String, Vec<u8>, bool)>,
) -> Work {
    Work::Process(ProcessSpec {
        program,
        arguments: arguments.map(str::to_owned).to_vec(),
        environment: Vec::new(),
        files,
    })
}
