//! `<shell>`: runs a command by `/bin/sh`.

use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, ProcessSpec, Work};
use crate::context::AttemptContext;
use crate::error::ActionError;

/// A longer command goes into a file: the kernel takes at most 128 KiB in one argument.
const LONGEST_ARGUMENT: usize = 100_000;

/// `<shell>`.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    command: String,
}

#[async_trait]
impl Action for Shell {
    const TAG: &'static str = "shell";

    fn shape() -> Shape {
        let command = Shape::new(
            "command",
            Text::new("由/bin/sh执行的命令", "the command, run by /bin/sh"),
        );
        Shape::new(
            Self::TAG,
            Text::new("在worker上执行一条命令", "runs a command on a worker"),
        )
        .child(command.text(TextRule::Required), 1, Some(1))
    }

    fn parse(element: &Element, _: &mut Diagnostics) -> Option<Self> {
        let command = element
            .elements_named("command")
            .next()?
            .text()
            .replace("\r\n", "\n");
        Some(Self { command })
    }

    fn work(&self, _: &AttemptContext) -> Result<Work, ActionError> {
        let (arguments, files) = if self.command.len() > LONGEST_ARGUMENT {
            let file = "akkaflow_run".to_owned();
            (
                vec![file.clone()],
                vec![(file, self.command.clone().into_bytes(), true)],
            )
        } else {
            (vec!["-c".to_owned(), self.command.clone()], Vec::new())
        };
        Ok(Work::Process(ProcessSpec {
            program: PathBuf::from("/bin/sh"),
            arguments,
            environment: Vec::new(),
            files,
        }))
    }
}
