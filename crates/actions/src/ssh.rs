//! `<ssh>`: runs a command on another machine.

use akkaflow_connectors::{Ended, Ssh as Connection, Stream};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::file_links::{FileAccess, LOCAL};
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::lines::Lines;
use crate::printed::Printed;

/// So much of the last line on standard error stands in the message, characters.
const EXCERPT: usize = 300;

/// `<ssh>`: runs a command on the machine that an SFTP link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ssh {
    link: String,
    command: String,
}

#[async_trait]
impl Action for Ssh {
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
            Text::new(
                "在该主机上由该用户的shell执行的命令，可以有多行；标准输出中的 akkaflow-output 名称=值 作为输出",
                "the command, of any number of lines, for that user's shell; lines `akkaflow-output name=value` of its standard output are handed on",
            ),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "通过SSH在其他主机上执行命令，退出码为0表示成功；杀死、超时或连接中断时该命令也会结束",
                "runs a command on another machine over SSH; exit code 0 is success; killed, timed out or cut off, the command ends there too",
            ),
        )
        .attribute(link.required())
        .child(command.text(TextRule::Required), 1, Some(1))
        .example(
            "<ssh file-link=\"etl-host\">\n  <command>/opt/jobs/rebuild.sh ${param:date}</command>\n</ssh>",
        )
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let command = element.elements_named("command").next()?.text();
        let link = element.attribute("file-link")?.value.trim().to_owned();
        Some(Self {
            link,
            command: command.replace("\r\n", "\n"),
        })
        .filter(|ssh| !ssh.link.is_empty() && !ssh.command.trim().is_empty())
    }

    fn file_links(&self) -> Vec<String> {
        vec![self.link.clone()]
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        if attempt.cancel.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        let local = FileAccess::local();
        // The link that everybody has is configured nowhere, and leads to no other machine.
        let access = match attempt.file_link(&self.link) {
            Err(_) if self.link == LOCAL => &local,
            access => access?,
        };
        let connection = tokio::select! {
            biased;
            () = attempt.cancelled() => return Err(ActionError::Cancelled),
            connection = Connection::open(access) => connection?,
        };
        let mut heard = Heard::new(attempt);
        let ended = connection
            .run(&self.command, &attempt.cancel, |stream, bytes| {
                heard.hear(stream, bytes);
            })
            .await;
        heard.end();
        connection.close().await;
        let ended = ended?;
        let why = match ended {
            Ended::Code(0) => return heard.outcome(attempt),
            Ended::Killed { is_proven } => {
                if !is_proven {
                    attempt.log.say(Level::Warn, &unproven(&self.link));
                }
                return Err(ActionError::Cancelled);
            }
            Ended::Code(code) => Text::new(format!("退出码 {code}"), format!("exit code {code}")),
            Ended::Signal(signal) => Text::new(
                format!("被信号 {signal} 终止"),
                format!("ended by signal {signal}"),
            ),
        };
        Err(ActionError::Retryable(heard.with_excerpt(&why)))
    }
}

fn unproven(link: &str) -> Text {
    Text::new(
        format!("文件连接{link}的主机没有确认命令已结束，请在该主机上检查"),
        format!(
            "the host of file-link `{link}` did not confirm that the command has ended, look there"
        ),
    )
}

/// What the command prints.
struct Heard<'a> {
    attempt: &'a AttemptContext,
    out: Lines,
    err: Lines,
    outputs: Printed,
    /// What is wrong with the first of them that is; none behind it counts.
    wrong_output: Option<Text>,
    last_error: String,
}

impl<'a> Heard<'a> {
    fn new(attempt: &'a AttemptContext) -> Self {
        Self {
            attempt,
            out: Lines::default(),
            err: Lines::default(),
            outputs: Printed::default(),
            wrong_output: None,
            last_error: String::new(),
        }
    }

    fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        let lines = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        for line in lines.add(bytes) {
            self.line(stream, &line);
        }
    }

    /// What has no line break at its end.
    fn end(&mut self) {
        for (stream, line) in [(Stream::Out, self.out.end()), (Stream::Err, self.err.end())] {
            if let Some(line) = line {
                self.line(stream, &line);
            }
        }
    }

    fn line(&mut self, stream: Stream, line: &str) {
        let level = match stream {
            Stream::Out => Level::Info,
            Stream::Err => Level::Error,
        };
        self.attempt.log.line(level, line);
        match stream {
            Stream::Out if self.wrong_output.is_none() => {
                self.wrong_output = self.outputs.line(line.as_bytes()).err();
            }
            Stream::Err if !line.trim().is_empty() => {
                self.last_error = line.trim().chars().take(EXCERPT).collect();
            }
            _ => {}
        }
    }

    fn with_excerpt(&self, why: &Text) -> Text {
        match self.last_error.as_str() {
            "" => why.clone(),
            line => Text::new(format!("{}: {line}", why.zh), format!("{}: {line}", why.en)),
        }
    }

    fn outcome(self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        if let Some(wrong) = self.wrong_output {
            return Err(ActionError::Retryable(wrong));
        }
        Ok(Outcome {
            outputs: attempt.declared(self.outputs.into_values()),
            ..Outcome::default()
        })
    }
}
