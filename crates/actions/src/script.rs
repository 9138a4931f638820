//! `<script>`: runs an inline script in a fresh working directory.

use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, ProcessSpec, Work};
use crate::attachments::{attach_list, attach_list_shape, param_line, param_line_shape};
use crate::context::AttemptContext;
use crate::error::ActionError;

/// Sets the scene for the script, as in akkaflow.
const RUN_FILE: &str = "akkaflow_run";

/// The script itself.
const SCRIPT_FILE: &str = "akkaflow_script";

/// `<script>`: runs an inline script in a fresh working directory.
///
/// The text is passed byte for byte; only blanks before a leading `#!` go, so that the system honours it. A text without one is
/// run by bash. `/etc/profile` is read first, as users rely on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    code: String,
    attachments: Vec<PathBuf>,
    /// Written behind the script's name as it stands: the shell takes it apart.
    param_line: String,
}

impl Script {
    /// A script without attachments and parameters.
    pub(crate) fn inline(code: &str) -> Self {
        Self {
            code: normalized(code),
            attachments: Vec::new(),
            param_line: String::new(),
        }
    }

    /// The process that runs it in `attempt`'s directory.
    pub(crate) fn process(&self, attempt: &AttemptContext) -> ProcessSpec {
        let interpreter = if self.code.starts_with("#!") {
            ""
        } else {
            "/bin/bash "
        };
        // One process after the other in the same place: the shell that read the profile becomes the script.
        let line = format!(
            "exec {interpreter}./{SCRIPT_FILE} {}",
            one_line(&self.param_line)
        );
        let script = (SCRIPT_FILE.to_owned(), self.code.clone().into_bytes(), true);
        by_bash(attempt, &line, vec![script])
    }
}

#[async_trait]
impl Action for Script {
    const TAG: &'static str = "script";

    fn shape() -> Shape {
        Shape::new(
            Self::TAG,
            Text::new(
                "在独立的工作目录中执行脚本",
                "runs an inline script in a fresh working directory",
            ),
        )
        .example(
            r#"<script>
  <code><![CDATA[
    #!/usr/bin/env python3
    import sys
    print(open("orders.sql").read(), sys.argv[1])
  ]]></code>
  <attach-list><file>/etl/orders.sql</file></attach-list>
  <param-line>${param:day}</param-line>
</script>"#,
        )
        .child(
            Shape::new(
                "code",
                Text::new(
                    "脚本内容，可用#!指定解释器，默认为bash",
                    "the script; `#!` names its interpreter, bash without one",
                ),
            )
            .text(TextRule::Required),
            1,
            Some(1),
        )
        .child(attach_list_shape(), 0, Some(1))
        .child(param_line_shape(), 0, Some(1))
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let code = element.elements_named("code").next()?.text();
        Some(Self {
            code: normalized(&code),
            attachments: attach_list(element),
            param_line: param_line(element),
        })
        .filter(|script| !script.code.trim().is_empty())
    }

    fn attachments(&self) -> Vec<PathBuf> {
        self.attachments.clone()
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        Ok(Work::Process(self.process(attempt)))
    }
}

/// A line that bash runs in the directory of an attempt, after `/etc/profile`, which users rely on; with the files that it needs.
pub(crate) fn by_bash(
    attempt: &AttemptContext,
    line: &str,
    mut files: Vec<(String, Vec<u8>, bool)>,
) -> ProcessSpec {
    let directory = quoted(&attempt.directory.to_string_lossy());
    let run = format!(
        "if [ -r /etc/profile ]; then . /etc/profile; fi >/dev/null 2>&1\n\
         cd {directory} || exit 1\n\
         {line}\n"
    );
    files.push((RUN_FILE.to_owned(), run.into_bytes(), false));
    let run = attempt.directory.join(RUN_FILE);
    ProcessSpec {
        program: PathBuf::from("/bin/bash"),
        arguments: vec![run.to_string_lossy().into_owned()],
        environment: Vec::new(),
        files,
    }
}

/// Arguments as they stand, on one line: the shell takes them apart.
pub(crate) fn one_line(arguments: &str) -> String {
    arguments.replace(['\n', '\r'], " ").trim().to_owned()
}

/// Only what keeps a system from honouring `#!` is changed: blanks before it, and line ends of Windows.
pub(crate) fn normalized(code: &str) -> String {
    let code = code.replace("\r\n", "\n");
    match code.trim_start() {
        script if script.starts_with("#!") => script.to_owned(),
        _ => code,
    }
}

/// As one word of the shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
