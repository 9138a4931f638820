//! `<python>`: runs Python code.

use std::path::PathBuf;

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Work};
use crate::attachments::{attach_list, attach_list_shape, param_line, param_line_shape};
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::script::{by_bash, one_line, quoted};

/// The code.
const SCRIPT_FILE: &str = "akkaflow_script.py";

/// Makes the environment and becomes the code.
const ENVIRONMENT_FILE: &str = "akkaflow_environment.py";
const ENVIRONMENT: &str = include_str!("python/environment.py");

/// What is to be installed. The name stands in `environment.py` too.
const REQUIREMENTS_FILE: &str = "akkaflow_requirements";

/// Below the data directory: the environments, one for each set of packages and each interpreter.
const CACHE: &str = "python";

/// `<python>`: runs Python code with the packages that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    interpreter: String,
    /// Blank for a script that needs nothing.
    requirements: String,
    code: String,
    attachments: Vec<PathBuf>,
    param_line: String,
}

#[async_trait]
impl Action for Python {
    const TAG: &'static str = "python";

    fn shape() -> Shape {
        let interpreter = AttributeShape::new(
            "interpreter",
            AttributeKind::NonBlank,
            Text::new("worker上的解释器", "the interpreter on the worker"),
        );
        let requirements = Shape::new(
            "requirements",
            Text::new(
                "需要的包，每行一个，与requirements.txt相同；由venv和pip安装一次，之后复用",
                "the packages that it needs, one a line, as in requirements.txt; installed once by venv and pip, and kept",
            ),
        );
        let code = Shape::new("code", Text::new("Python代码", "the code"));
        Shape::new(
            Self::TAG,
            Text::new(
                "在独立环境中执行Python代码",
                "runs Python code in an environment of its own",
            ),
        )
        .attribute(interpreter.default("python3"))
        .child(requirements.text(TextRule::Optional), 0, Some(1))
        .child(code.text(TextRule::Required), 1, Some(1))
        .child(attach_list_shape(), 0, Some(1))
        .child(param_line_shape(), 0, Some(1))
        .example(
            "<python>\n  <requirements>pandas==2.2.3</requirements>\n  <code>import pandas; print(pandas.__version__)</code>\n</python>",
        )
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = |tag| element.elements_named(tag).next().map(Element::text);
        Some(Self {
            interpreter: Self::shape().value(element, "interpreter")?.to_owned(),
            requirements: packages(&text("requirements").unwrap_or_default()),
            code: dedented(&text("code")?),
            attachments: attach_list(element),
            param_line: param_line(element),
        })
        .filter(|python| !python.code.trim().is_empty())
    }

    fn attachments(&self) -> Vec<PathBuf> {
        self.attachments.clone()
    }

    fn work(&self, attempt: &AttemptContext) -> Result<Work, ActionError> {
        let interpreter = quoted(&self.interpreter);
        let arguments = one_line(&self.param_line);
        let mut files = vec![file(SCRIPT_FILE, &self.code)];
        let line = if self.requirements.is_empty() {
            format!("exec {interpreter} {SCRIPT_FILE} {arguments}")
        } else {
            files.push(file(REQUIREMENTS_FILE, &self.requirements));
            files.push(file(ENVIRONMENT_FILE, ENVIRONMENT));
            let cache = attempt.base_directory.join(CACHE);
            let cache = quoted(&cache.to_string_lossy());
            format!("exec {interpreter} {ENVIRONMENT_FILE} {cache} {SCRIPT_FILE} {arguments}")
        };
        let mut process = by_bash(attempt, &line, files);
        // Lines reach the log when they are printed, in whatever locale.
        process.environment = [("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "utf-8")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Ok(Work::Process(process))
    }
}

fn file(name: &str, text: &str) -> (String, Vec<u8>, bool) {
    (name.to_owned(), text.as_bytes().to_vec(), false)
}

/// The lines that ask for something, each without blanks around it, so that layout makes no new environment.
fn packages(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Without the blanks that all lines begin with: in a definition the code may stand as deep as its element.
fn dedented(code: &str) -> String {
    let code = code.replace("\r\n", "\n");
    let filled = || code.lines().filter(|line| !line.trim().is_empty());
    let blanks = |line: &str| line[..line.len() - line.trim_start().len()].to_owned();
    // What follows the opening tag at once stands at no depth.
    let mut depth = filled().next().map(blanks).unwrap_or_default();
    for line in filled() {
        let shared = depth
            .bytes()
            .zip(line.bytes())
            .take_while(|(one, other)| one == other)
            .count();
        depth.truncate(shared);
    }
    let lines = code.split('\n');
    let lines: Vec<&str> = lines
        .map(|line| {
            line.strip_prefix(depth.as_str())
                .unwrap_or(line.trim_start())
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_as_deep_as_its_element() {
        let code = "\n    if 1:\r\n      print('a')\n\n    print('b')\n  ";
        assert_eq!(dedented(code), "\nif 1:\n  print('a')\n\nprint('b')\n");
        for kept in [
            "import x; print(1)",
            "\nif 1:\n\tprint('a')\n",
            "a\n  b",
            "",
        ] {
            assert_eq!(dedented(kept), kept);
        }
    }

    #[test]
    fn layout_and_comments_ask_for_nothing() {
        assert_eq!(packages("\n  a==1 \n\n # why\n b>2"), "a==1\nb>2\n");
        assert_eq!(packages(" \n# none\n"), "");
    }
}
