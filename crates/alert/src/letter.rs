//! What a mail says, made from the facts of its row when it is sent or shown.

use std::time::Duration;

use akkaflow_api::{Level, LogLine};
use akkaflow_model::mail::{EndFacts, MailFacts, MailKind, MailRow, NodeFacts, RetryFacts};
use akkaflow_model::read::is_secret_name;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::sheet::{Cell, HIDDEN, Part, Sheet, Tone};

/// So many lines of a log a mail shows: the first ones, and twice as many of the last.
pub const LOG_LINES: (usize, usize) = (100, 200);
/// Characters of a line of a log that a mail shows.
const LINE_LENGTH: usize = 500;
/// A shorter text is no secret that could be told from other words.
const SHORTEST_SECRET: usize = 4;
/// Characters of a subject: mail programs show fewer.
const SUBJECT_LENGTH: usize = 150;

/// A mail, ready to be sent or shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The whole page.
    pub html: String,
    /// The same for those who read no HTML.
    pub text: String,
}

/// The log of the instance that a mail is about.
#[derive(Debug, Clone, Default)]
pub struct LogExcerpt {
    /// Its first lines, see [`LOG_LINES`].
    pub first: Vec<LogLine>,
    /// How many lines were left out after them.
    pub left_out: usize,
    /// Its last lines.
    pub last: Vec<LogLine>,
}

impl LogExcerpt {
    /// One more line; of a long log the middle is left out.
    pub fn push(&mut self, line: LogLine) {
        let (first, last) = LOG_LINES;
        if self.first.len() < first {
            self.first.push(line);
            return;
        }
        if self.last.len() == last {
            self.last.remove(0);
            self.left_out += 1;
        }
        self.last.push(line);
    }
}

/// Makes the mail. Times are those of `zone`; only a mail about the end of an instance shows a log.
pub fn letter(mail: &MailRow, log: Option<&LogExcerpt>, lang: Lang, zone: Tz) -> Letter {
    let writer = Writer { mail, lang, zone };
    let title = writer.title();
    let parts = match &mail.facts {
        MailFacts::Ended(facts) => writer.ended(facts, log),
        MailFacts::Retry(facts) => vec![writer.retry(facts)],
        MailFacts::Notice { content } => {
            vec![Part::Content(content.clone()), Part::Note(writer.origin())]
        }
    };
    let mut sheet = Sheet { title, parts };
    sheet.hide(&secrets(mail));
    Letter {
        subject: subject(mail, lang),
        html: sheet.html(writer.say("zh-CN", "en")),
        text: sheet.text(),
    }
}

/// What is known to be secret: parameters that are called so. It may stand in messages and in the log, too.
fn secrets(mail: &MailRow) -> Vec<&str> {
    let MailFacts::Ended(facts) = &mail.facts else {
        return Vec::new();
    };
    let secret = facts.params.iter().filter(|(name, _)| is_secret_name(name));
    let values = secret.map(|(_, value)| value.trim());
    let mut values: Vec<&str> = values
        .filter(|value| value.chars().count() >= SHORTEST_SECRET)
        .collect();
    // One may be part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// Its subject. It begins as akkaflow's do, for the sake of people's filters.
pub fn subject(mail: &MailRow, lang: Lang) -> String {
    let zone = Tz::UTC;
    let title = Writer { mail, lang, zone }.title();
    plain_line(&format!("【Akkaflow】{}", title.text), SUBJECT_LENGTH)
}

struct Writer<'a> {
    mail: &'a MailRow,
    lang: Lang,
    zone: Tz,
}

impl Writer<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// What happened, and to what.
    fn title(&self) -> Cell {
        let (workflow, node) = (&self.mail.workflow, &self.mail.key.node);
        match &self.mail.facts {
            MailFacts::Ended(facts) => {
                let what = match facts.state {
                    InstanceState::Succeeded => self.say("任务执行成功", "workflow succeeded"),
                    InstanceState::Failed => self.say("任务执行失败", "workflow failed"),
                    _ => self.say("任务执行杀死", "workflow was killed"),
                };
                Cell::toned(format!("{what}: {workflow}"), tone_of_end(facts.state))
            }
            MailFacts::Retry(facts) if self.has_recovered() => {
                let what = self.say("节点执行成功", " node works again");
                let title = format!("{}{what}: {workflow}/{node}", facts.type_name);
                Cell::toned(title, Tone::Good)
            }
            MailFacts::Retry(facts) => {
                let what = self.say("节点执行失败", " node fails");
                let title = format!("{}{what}: {workflow}/{node}", facts.type_name);
                Cell::toned(title, Tone::Bad)
            }
            MailFacts::Notice { .. } => {
                let title = format!("{}: {workflow}", self.say("通知", "notice"));
                Cell::toned(title, Tone::Info)
            }
        }
    }

    fn has_recovered(&self) -> bool {
        self.mail.key.kind == MailKind::Recovered
    }

    fn ended(&self, facts: &EndFacts, log: Option<&LogExcerpt>) -> Vec<Part> {
        let mut parts = vec![
            Part::Heading(self.say("实例执行基本信息", "The instance")),
            Part::Facts(self.instance_facts(facts)),
            Part::Heading(self.say("节点执行信息", "Its nodes")),
            self.node_table(&facts.nodes),
        ];
        if facts.more_nodes > 0 {
            parts.push(Part::Note(match self.lang {
                Lang::Zh => format!("另有{}个节点未列出", facts.more_nodes),
                Lang::En => format!("{} more nodes are not listed", facts.more_nodes),
            }));
        }
        if !facts.affected.is_empty() {
            parts.push(Part::Heading(self.say(
                "后置触发受影响的工作流列表",
                "Workflows that wait for it, directly or not",
            )));
            parts.push(self.affected_table(facts));
            if facts.more_affected > 0 {
                parts.push(Part::Note(match self.lang {
                    Lang::Zh => format!("另有{}个工作流未列出", facts.more_affected),
                    Lang::En => format!("{} more workflows are not listed", facts.more_affected),
                }));
            }
        }
        if let Some(log) = log.filter(|log| !log.first.is_empty()) {
            parts.push(Part::Heading(self.say("执行日志", "Its log")));
            parts.push(self.log_lines(log));
        }
        parts
    }

    fn instance_facts(&self, facts: &EndFacts) -> Vec<(&'static str, Cell)> {
        let mail = self.mail;
        let params: Vec<String> = facts
            .params
            .iter()
            .map(
                |(name, value)| match is_secret_name(name) && !value.trim().is_empty() {
                    true => format!("{name}:{HIDDEN}"),
                    false => format!("{name}:{value}"),
                },
            )
            .collect();
        let levels: Vec<&str> = facts.levels.iter().map(|it| it.label(self.lang)).collect();
        let mut rows = vec![
            (
                self.say("实例ID", "instance"),
                Cell::new(mail.key.instance.to_string()),
            ),
            (self.say("工作流", "workflow"), Cell::new(&mail.workflow)),
            (
                self.say("运行状态", "state"),
                Cell::toned(facts.state.label(self.lang), tone_of_end(facts.state)),
            ),
        ];
        if let Some(message) = &facts.message {
            rows.push((
                self.say("原因", "reason"),
                Cell::new(message.render(self.lang)),
            ));
        }
        if mail.key.run > 1 {
            rows.push((
                self.say("第几次运行", "run"),
                Cell::new(mail.key.run.to_string()),
            ));
        }
        rows.extend([
            (
                self.say("业务时间", "fire time"),
                Cell::new(self.time(Some(facts.fire_time))),
            ),
            (
                self.say("开始时间", "started"),
                Cell::new(self.time(facts.started_at)),
            ),
            (
                self.say("运行时长", "took"),
                Cell::new(self.span(facts.started_at, Some(facts.ended_at))),
            ),
            (self.say("目录", "folder"), Cell::new(&facts.dir)),
            (self.say("参数", "parameters"), Cell::new(params.join(", "))),
            (
                self.say("告警级别", "mail-level"),
                Cell::new(levels.join(", ")),
            ),
            (
                self.say("收件人员", "receivers"),
                Cell::new(mail.receivers.join(", ")),
            ),
            (
                self.say("描述", "description"),
                Cell::new(facts.desc.clone().unwrap_or_default()),
            ),
        ]);
        rows.retain(|(_, cell)| !cell.text.is_empty());
        rows
    }

    fn node_table(&self, nodes: &[NodeFacts]) -> Part {
        let columns = vec![
            self.say("节点名称", "node"),
            self.say("节点类型", "type"),
            self.say("节点状态", "state"),
            self.say("开始时间", "started"),
            self.say("运行时长", "took"),
            self.say("执行信息", "message"),
            self.say("描述", "description"),
        ];
        let rows = nodes.iter().map(|node| {
            let message = node.message.as_ref().map(|it| it.render(self.lang));
            vec![
                Cell::new(node.name.as_str()),
                Cell::new(node.type_name.as_str()),
                Cell::toned(node.state.label(self.lang), tone_of_node(node.state)),
                Cell::new(self.short_time(node.started_at)),
                Cell::new(self.span(node.started_at, node.ended_at)),
                Cell::new(message.unwrap_or_default()),
                Cell::new(node.desc.clone().unwrap_or_default()),
            ]
        });
        Part::Table(columns, rows.collect())
    }

    fn affected_table(&self, facts: &EndFacts) -> Part {
        let columns = vec![
            self.say("工作流名称", "workflow"),
            self.say("创建者", "creator"),
            self.say("收件人", "receivers"),
            self.say("目录", "folder"),
            self.say("描述", "description"),
        ];
        let rows = facts.affected.iter().map(|workflow| {
            vec![
                Cell::new(&workflow.name),
                Cell::new(&workflow.creator),
                Cell::new(workflow.receivers.join(", ")),
                Cell::new(&workflow.dir),
                Cell::new(workflow.desc.clone().unwrap_or_default()),
            ]
        });
        Part::Table(columns, rows.collect())
    }

    fn log_lines(&self, log: &LogExcerpt) -> Part {
        let mut lines: Vec<Cell> = log.first.iter().map(|it| self.log_line(it)).collect();
        if log.left_out > 0 {
            lines.push(Cell::new(match self.lang {
                Lang::Zh => format!("... 省略{}行 ...", log.left_out),
                Lang::En => format!("... {} lines left out ...", log.left_out),
            }));
        }
        lines.extend(log.last.iter().map(|it| self.log_line(it)));
        Part::Lines(lines)
    }

    fn log_line(&self, line: &LogLine) -> Cell {
        let time = line.time.0.to_utc().with_timezone(&self.zone);
        let time = time.format("%Y-%m-%d %H:%M:%S%.3f");
        let node = line.node.as_ref().map(|node| format!(" [{node}]"));
        let text = format!(
            "[{}] [{time}]{} {}",
            line.level.as_str(),
            node.unwrap_or_default(),
            shortened(&line.text, LINE_LENGTH)
        );
        let tone = match line.level {
            Level::Info => Tone::Info,
            Level::Warn => Tone::Doubtful,
            Level::Error => Tone::Bad,
        };
        Cell::toned(text, tone)
    }

    fn retry(&self, facts: &RetryFacts) -> Part {
        let (mail, key) = (self.mail, &self.mail.key);
        let tone = if self.has_recovered() {
            Tone::Good
        } else {
            Tone::Bad
        };
        let pause = facts
            .pause_ms
            .map(|it| self.duration(Duration::from_millis(it)));
        let pause = pause.unwrap_or_else(|| self.say("不再重试", "not tried again").to_owned());
        let mut rows = vec![
            (
                self.say("实例ID(工作流名称)", "instance (workflow)"),
                Cell::new(format!("{} ({})", key.instance, mail.workflow)),
            ),
            (
                self.say("工作流描述", "its description"),
                Cell::new(facts.desc.clone().unwrap_or_default()),
            ),
            (self.say("节点名称", "node"), Cell::new(key.node.as_str())),
            (
                self.say("告警信息", "message"),
                Cell::toned(facts.message.render(self.lang), tone),
            ),
            (
                self.say("总重试次数", "retry-times"),
                Cell::new(facts.retry_times.to_string()),
            ),
            (
                self.say("当前重试次数", "failed retries"),
                Cell::new(facts.failures.saturating_sub(1).to_string()),
            ),
        ];
        if !self.has_recovered() {
            rows.push((self.say("重试间隔", "next try after"), Cell::new(pause)));
        }
        rows.push((
            self.say("发生时间", "happened"),
            Cell::new(mail.born_at.wall_clock(self.zone)),
        ));
        rows.push((
            self.say("收件人员", "receivers"),
            Cell::new(mail.receivers.join(", ")),
        ));
        rows.retain(|(_, cell)| !cell.text.is_empty());
        Part::Facts(rows)
    }

    /// From where a notice comes.
    fn origin(&self) -> String {
        let key = &self.mail.key;
        let at = self.mail.born_at.wall_clock(self.zone);
        match self.lang {
            Lang::Zh => format!(
                "由工作流{}的节点{}于{at}发出，实例{}",
                self.mail.workflow, key.node, key.instance
            ),
            Lang::En => format!(
                "sent by node {} of workflow {} at {at}, instance {}",
                key.node, self.mail.workflow, key.instance
            ),
        }
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(String::new, |at| at.wall_clock(self.zone))
    }

    /// Where many stand below each other; the zone is named above.
    fn short_time(&self, at: Option<Timestamp>) -> String {
        let local = |at: Timestamp| at.to_utc().with_timezone(&self.zone);
        at.map_or_else(String::new, |at| {
            local(at).format("%Y-%m-%d %H:%M:%S").to_string()
        })
    }

    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> String {
        let span = from.zip(until).map(|(from, until)| until.since(from));
        span.map_or_else(String::new, |span| self.duration(span))
    }

    fn duration(&self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let exact = (span.as_millis() % 60_000) as f64 / 1000.0;
        match (self.lang, hours, minutes) {
            (Lang::Zh, 0, 0) => format!("{exact}秒"),
            (Lang::Zh, 0, _) => format!("{minutes}分{}秒", seconds % 60),
            (Lang::Zh, ..) => format!("{hours}小时{minutes}分{}秒", seconds % 60),
            (Lang::En, 0, 0) => format!("{exact} s"),
            (Lang::En, 0, _) => format!("{minutes} min {} s", seconds % 60),
            (Lang::En, ..) => format!("{hours} h {minutes} min {} s", seconds % 60),
        }
    }
}

fn tone_of_end(state: InstanceState) -> Tone {
    match state {
        InstanceState::Succeeded => Tone::Good,
        InstanceState::Failed => Tone::Bad,
        _ => Tone::Doubtful,
    }
}

fn tone_of_node(state: NodeState) -> Tone {
    match state {
        NodeState::Succeeded => Tone::Good,
        NodeState::Failed => Tone::Bad,
        NodeState::Killed => Tone::Doubtful,
        _ => Tone::Plain,
    }
}

/// One line without control characters, and no longer than so many characters.
fn plain_line(text: &str, longest: usize) -> String {
    let line: String = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    // Else it would be read as an encoded word, which may hold anything (RFC 2047).
    shortened(&line.replace("=?", "= ?"), longest)
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
