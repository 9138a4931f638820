//! `<script>`: runs an inline script in a fresh directory, with its attachments beside it.

use std::path::{Path, PathBuf};

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, ProcessSpec, Work};
use crate::context::AttemptContext;
use crate::error::ActionError;

/// `<script>`.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    code: String,
    param_line: String,
    attachments: Vec<PathBuf>,
}

#[async_trait]
impl Action for Script {
    const TAG: &'static str = "script";

    fn shape() -> Shape {
        shape(Self::TAG)
    }

    fn parse(element: &Element, _: &mut Diagnostics) -> Option<Self> {
        Self::read(element)
    }

    fn attachments(&self) -> Vec<PathBuf> {
        self.attachments.clone()
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        Ok(Work::Process(self.process(&attempt.directory)))
    }
}

/// What a script may hold; `<transfer>` may hold one too.
pub(crate) fn shape(tag: &'static str) -> Shape {
    let text = |tag, zh, en| Shape::new(tag, Text::new(zh, en));
    Shape::new(
        tag,
        Text::new("在worker上执行一段脚本", "runs a script on a worker"),
    )
    .child(
        text(
            "code",
            "脚本内容，原样写入文件；首行可用#!指定解释器，默认bash",
            "the script, written as it is; a first line #! names the interpreter, bash otherwise",
        )
        .text(TextRule::Required),
        1,
        Some(1),
    )
    .child(
        text(
            "param-line",
            "附加在脚本之后的命令行参数",
            "arguments of the script",
        )
        .text(TextRule::Optional),
        0,
        Some(1),
    )
    .child(
        text(
            "attach-list",
            "master上的附件，复制到脚本所在目录",
            "files of the master that are copied beside the script",
        )
        .child(
            text("file", "附件的绝对路径", "absolute path of an attachment")
                .text(TextRule::Required),
            1,
            None,
        ),
        0,
        Some(1),
    )
}

impl Script {
    /// Reads a checked body; `None` when it lacks its code.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        let code = element.elements_named("code").next()?.text();
        let param_line = element.elements_named("param-line").next();
        let attachments = element
            .elements_named("attach-list")
            .flat_map(|list| list.elements_named("file"))
            .map(|file| PathBuf::from(file.text().trim()))
            .collect();
        Some(Self {
            code: runnable(&code),
            param_line: param_line.map_or_else(String::new, |line| line.text().trim().to_owned()),
            attachments,
        })
    }

    /// The process that runs it in `directory`, as akkaflow 2.12 does: the user's profile first.
    pub(crate) fn process(&self, directory: &Path) -> ProcessSpec {
        let interpreter = if self.code.starts_with("#!") {
            ""
        } else {
            "/bin/bash "
        };
        let directory = quoted(&directory.display().to_string());
        let param_line = &self.param_line;
        let run = format!(
            "if [ -r /etc/profile ]; then . /etc/profile; fi\ncd {directory}\nexec {interpreter}./akkaflow_script {param_line}\n"
        );
        ProcessSpec {
            program: PathBuf::from("/bin/bash"),
            arguments: vec!["akkaflow_run".to_owned()],
            environment: Vec::new(),
            files: vec![
                ("akkaflow_run".to_owned(), run.into_bytes(), true),
                (
                    "akkaflow_script".to_owned(),
                    self.code.clone().into_bytes(),
                    true,
                ),
            ],
        }
    }
}

/// The text as it must stand in the file: line ends of Windows are no part of a script, and a `#!` counts only as the
/// very first characters. Everything else stays byte for byte.
fn runnable(code: &str) -> String {
    let code = code.replace("\r\n", "\n");
    let trimmed = code.trim_start();
    if trimmed.starts_with("#!") {
        trimmed.to_owned()
    } else {
        code
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(xml: &str) -> Script {
        let document = akkaflow_model::xml::read(xml.as_bytes());
        Script::read(&document.root.unwrap()).unwrap()
    }

    #[test]
    fn the_text_is_passed_byte_for_byte() {
        let script = script("<script><code><![CDATA[\n  a='x  y' \n\n\tb\n]]></code></script>");
        assert_eq!(script.code, "\n  a='x  y' \n\n\tb\n");
    }

    #[test]
    fn an_interpreter_line_is_moved_to_the_front() {
        let script = script(
            "<script><code>\n\n   #!/usr/bin/env python3\nif 1:\n    print(2)\n</code></script>",
        );
        assert!(
            script
                .code
                .starts_with("#!/usr/bin/env python3\nif 1:\n    print(2)")
        );
        let run = script.process(Path::new("/d")).files.remove(0).1;
        assert!(
            String::from_utf8(run)
                .unwrap()
                .ends_with("exec ./akkaflow_script \n")
        );
    }

    #[test]
    fn arguments_and_attachments_are_read() {
        let script = script(
            "<script><code>x</code><param-line> a 'b c' </param-line><attach-list><file> /a/b.txt </file></attach-list></script>",
        );
        assert_eq!(script.attachments, [PathBuf::from("/a/b.txt")]);
        let run = script.process(Path::new("/it's")).files.remove(0).1;
        let run = String::from_utf8(run).unwrap();
        assert!(
            run.contains(r"cd '/it'\''s'") && run.ends_with("./akkaflow_script a 'b c'\n"),
            "{run}"
        );
    }
}
