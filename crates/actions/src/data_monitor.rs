//! `<data-monitor>`: holds a number against limits.
//!
//! The number and its limits are read twice, and all must stay the same in between: what is still being loaded passes no check. What was
//! seen is kept with the attempt, whichever way it ends, so that each run has its own value.

mod number;

use std::time::Duration;

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::outcome::Measured;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::database::{self, Borrowed};
use crate::error::ActionError;
use crate::file_monitor::warn_msg_shape;
use crate::lines::excerpt;
use crate::shell_command;

use self::number::Number;

/// So much of what is no number is shown, characters.
const SHOWN: usize = 40;

/// `<data-monitor>`: succeeds when a number lies between its limits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataMonitor {
    source: Origin,
    min: Option<Origin>,
    max: Option<Origin>,
    /// Between the two readings.
    interval: Duration,
    warning: String,
}

/// Where a number comes from.
#[derive(Debug, Clone, PartialEq)]
enum Origin {
    /// The first value of a query.
    Sql { link: String, query: String },
    /// What a command prints.
    Command(String),
    /// As it stands.
    Fixed(Number),
}

/// One reading.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    value: Number,
    min: Option<Number>,
    max: Option<Number>,
}

#[async_trait]
impl Action for DataMonitor {
    const TAG: &'static str = "data-monitor";

    fn shape() -> Shape {
        let interval = AttributeShape::new(
            "interval",
            AttributeKind::Duration,
            Text::new(
                "两次检测的间隔，其间数值与上下限须不变",
                "between the two readings, in which the number and its limits must not change",
            ),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "检测一个数值是否在上下限之间，不在时失败；每次的检测值都会保留",
                "fails unless a number lies between its limits; what each run has seen is kept",
            ),
        )
        .attribute(interval.default("10s"))
        .child(number("source", "检测值", "the number"), 1, Some(1))
        .child(number("min", "下限", "the smallest"), 0, Some(1))
        .child(number("max", "上限", "the greatest"), 0, Some(1))
        .child(warn_msg_shape(), 0, Some(1))
        .example(
            "<data-monitor>\n  <source type=\"SQL\" db-link=\"local\">select count(*) from orders</source>\n  <min type=\"NUM\">1</min>\n</data-monitor>",
        )
    }

    fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut origin = |name| {
            let found = element.elements_named(name).next();
            found.map(|found| parse_number(found, diagnostics))
        };
        let (source, min, max) = (origin("source"), origin("min"), origin("max"));
        if let (Some(Some(Origin::Fixed(least))), Some(Some(Origin::Fixed(most)))) = (&min, &max)
            && least > most
        {
            nothing_between(element, diagnostics, (least, most));
            return None;
        }
        let warning = element.elements_named("warn-msg").next();
        let interval = Self::shape().duration(element, "interval")?;
        Some(Self {
            source: source??,
            min: optional(min)?,
            max: optional(max)?,
            interval: Duration::from_secs(interval),
            warning: warning.map_or_else(String::new, |warning| warning.text().trim().to_owned()),
        })
    }

    fn outputs(_: &Element) -> Option<&'static [&'static str]> {
        Some(OUTPUTS)
    }

    fn links(&self) -> Vec<String> {
        let mut links: Vec<String> = Vec::new();
        for origin in [Some(&self.source), self.min.as_ref(), self.max.as_ref()] {
            if let Some(Origin::Sql { link, .. }) = origin
                && !links.contains(link)
            {
                links.push(link.clone());
            }
        }
        links
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        // A reading that fails is told of too: as a number that is not there.
        attempt.meter.measured(Measured::default());
        let first = self.look(attempt).await?;
        attempt.meter.measured(first.measured());
        let seconds = self.interval.as_secs();
        attempt.log.both(
            format_args!("{}，{seconds}秒后再次检测", first.zh()),
            format_args!("{}, read again in {seconds} s", first.en()),
        );
        tokio::select! {
            biased;
            () = attempt.cancelled() => return Err(ActionError::Cancelled),
            () = tokio::time::sleep(self.interval) => {}
        }
        let last = self.look(attempt).await?;
        attempt.meter.measured(last.measured());
        if let Some(failure) = failure(&first, &last) {
            return Err(ActionError::Retryable(self.with_warning(failure)));
        }
        attempt
            .log
            .both("检测通过", "the number lies between its limits");
        let values = [OUTPUTS[0]].map(|name| (name.to_owned(), last.value.to_string()));
        Ok(Outcome {
            outputs: attempt.declared(values.into()),
            ..Outcome::default()
        })
    }
}

/// The names of what a node may declare as outputs.
const OUTPUTS: &[&str] = &["value"];

/// `None` for a limit that stands there and is wrong.
fn optional(origin: Option<Option<Origin>>) -> Option<Option<Origin>> {
    match origin {
        None => Some(None),
        Some(origin) => origin.map(Some),
    }
}

impl DataMonitor {
    async fn look(&self, attempt: &AttemptContext) -> Result<Seen, ActionError> {
        Ok(Seen {
            value: self.read(attempt, "source", &self.source).await?,
            min: self.limit(attempt, "min", self.min.as_ref()).await?,
            max: self.limit(attempt, "max", self.max.as_ref()).await?,
        })
    }

    async fn limit(
        &self,
        attempt: &AttemptContext,
        tag: &str,
        origin: Option<&Origin>,
    ) -> Result<Option<Number>, ActionError> {
        match origin {
            Some(origin) => self.read(attempt, tag, origin).await.map(Some),
            None => Ok(None),
        }
    }

    /// One number; why there is none is told with the workflow's own words before it.
    async fn read(
        &self,
        attempt: &AttemptContext,
        tag: &str,
        origin: &Origin,
    ) -> Result<Number, ActionError> {
        let result = match origin {
            Origin::Fixed(number) => Ok(number.clone()),
            Origin::Command(command) => printed(attempt, tag, command).await,
            Origin::Sql { link, query } => queried(attempt, tag, link, query).await,
        };
        let warning = &self.warning;
        result.map_err(|error| match error {
            ActionError::Retryable(text) if !warning.is_empty() => {
                ActionError::Retryable(Text::new(
                    format!("告警留言：{warning}；{}", text.zh),
                    format!("{warning}: {}", text.en),
                ))
            }
            other => other,
        })
    }

    fn with_warning(&self, text: Text) -> Text {
        let warning = &self.warning;
        if warning.is_empty() {
            return text;
        }
        Text::new(
            format!("{} 自定义信息：{warning}", text.zh),
            format!("{}; {warning}", text.en),
        )
    }
}

async fn printed(
    attempt: &AttemptContext,
    tag: &str,
    command: &str,
) -> Result<Number, ActionError> {
    let name = Text::new(format!("<{tag}>的命令"), format!("the command of <{tag}>"));
    let printed = shell_command::run(attempt, &name, command).await?;
    Number::parse(&printed).ok_or_else(|| {
        let found = excerpt(&printed, SHOWN);
        ActionError::Retryable(Text::new(
            format!("<{tag}>的命令输出不是数字：`{found}`"),
            format!("the command of <{tag}> printed no number: `{found}`"),
        ))
    })
}

async fn queried(
    attempt: &AttemptContext,
    tag: &str,
    link: &str,
    query: &str,
) -> Result<Number, ActionError> {
    let mut borrowed = Borrowed::new(attempt, link).await?;
    let session = borrowed.session();
    let read_only = session.dialect().begin_read_only();
    database::execute(attempt, session, read_only).await?;
    let query = query.trim().trim_end_matches(';');
    let done = database::execute(attempt, session, query)
        .await
        .map_err(|error| {
            error.within(&Text::new(
                format!("<{tag}>的查询失败"),
                format!("the query of <{tag}> failed"),
            ))
        })?;
    borrowed.give_back().await;
    let first = done.results.last().and_then(|result| result.first.first());
    let (zh, en) = match first {
        Some(Some(value)) => match Number::parse(value) {
            Some(number) => return Ok(number),
            None => {
                let found = excerpt(value, SHOWN);
                (
                    format!("不是数字：`{found}`"),
                    format!("is no number: `{found}`"),
                )
            }
        },
        Some(None) => ("为NULL".to_owned(), "is NULL".to_owned()),
        None => ("没有行".to_owned(), "has no row".to_owned()),
    };
    Err(ActionError::Retryable(Text::new(
        format!("<{tag}>的查询结果{zh}"),
        format!("the result of the query of <{tag}> {en}"),
    )))
}

/// Why what was seen twice is not good.
fn failure(first: &Seen, last: &Seen) -> Option<Text> {
    if first != last {
        return Some(Text::new(
            format!("两次检测不一致：{}；{}", first.zh(), last.zh()),
            format!("the readings differ: {}; then {}", first.en(), last.en()),
        ));
    }
    let is_below = last.min.as_ref().is_some_and(|min| last.value < *min);
    let is_above = last.max.as_ref().is_some_and(|max| last.value > *max);
    (is_below || is_above).then(|| {
        Text::new(
            format!("检测值未在范围内，{}", last.zh()),
            format!("the number is out of its limits: {}", last.en()),
        )
    })
}

impl Seen {
    fn measured(&self) -> Measured {
        let shown = |limit: &Option<Number>| limit.as_ref().map(Number::to_string);
        Measured {
            value: self.value.to_string(),
            min: shown(&self.min),
            max: shown(&self.max),
        }
    }

    fn zh(&self) -> String {
        self.words(["检测值:", "，下限:", "，上限:"])
    }

    fn en(&self) -> String {
        self.words(["value ", ", min ", ", max "])
    }

    fn words(&self, [value, min, max]: [&str; 3]) -> String {
        let mut words = format!("{value}{}", self.value);
        for (name, limit) in [(min, &self.min), (max, &self.max)] {
            if let Some(limit) = limit {
                words += &format!("{name}{limit}");
            }
        }
        words
    }
}

fn number(tag: &'static str, zh: &str, en: &str) -> Shape {
    let kind = AttributeShape::new(
        "type",
        AttributeKind::Choice(&["SQL", "COMMAND", "NUM"]),
        Text::new(
            "来源：SQL查询结果，COMMAND命令的输出，NUM直接写数值",
            "where it comes from: SQL the result of a query, COMMAND the output of a command, NUM as it stands",
        ),
    );
    let link = AttributeShape::new(
        "db-link",
        AttributeKind::NonBlank,
        Text::new("数据库连接的名称（SQL）", "the db-link's name (SQL)"),
    );
    Shape::new(tag, Text::new(zh, en))
        .attribute(kind.required())
        .attribute(link)
        .text(TextRule::Required)
}

/// Names what is wrong with a number although its shape allows it.
fn parse_number(element: &Element, diagnostics: &mut Diagnostics) -> Option<Origin> {
    let tag = &element.name;
    let kind = element.attribute("type")?.value.trim();
    let link = element.attribute("db-link");
    if let (kind @ ("COMMAND" | "NUM"), Some(link)) = (kind, link) {
        diagnostics.warning(
            code::USELESS_ATTRIBUTE,
            link.name_span,
            Text::new(
                format!("属性 `db-link` 对类型为{kind}的 <{tag}> 无作用"),
                format!("`db-link` means nothing for <{tag}> of type {kind}"),
            ),
            None,
        );
    }
    let text = element.text();
    let text = text.trim();
    match kind {
        "SQL" => {
            let Some(link) = link else {
                no_link(element, diagnostics);
                return None;
            };
            Some(Origin::Sql {
                link: link.value.trim().to_owned(),
                query: text.to_owned(),
            })
        }
        "COMMAND" => Some(Origin::Command(text.to_owned())),
        "NUM" => {
            let number = Number::parse(text);
            // The shape has complained of an empty one, and references stand for something else.
            if number.is_none() && !text.is_empty() && !text.contains("${") {
                no_number(element, text, diagnostics);
            }
            number.map(Origin::Fixed)
        }
        _ => None,
    }
}

fn no_link(element: &Element, diagnostics: &mut Diagnostics) {
    let tag = &element.name;
    diagnostics.error(
        code::BODY_ATTRIBUTE,
        element.name_span,
        Text::new(
            format!("类型为SQL的 <{tag}> 需要属性 `db-link`"),
            format!("<{tag}> of type SQL needs the attribute `db-link`"),
        ),
        None,
    );
}

fn no_number(element: &Element, text: &str, diagnostics: &mut Diagnostics) {
    let (tag, found) = (&element.name, excerpt(text, SHOWN));
    diagnostics.error(
        code::NOT_A_NUMBER,
        element.name_span,
        Text::new(
            format!("类型为NUM的 <{tag}> 必须是数字，写的是 `{found}`"),
            format!("<{tag}> of type NUM must be a number, found `{found}`"),
        ),
        None,
    );
}

fn nothing_between(
    element: &Element,
    diagnostics: &mut Diagnostics,
    (min, max): (&Number, &Number),
) {
    let at = element.elements_named("min").next().unwrap_or(element);
    diagnostics.error(
        code::NOTHING_BETWEEN,
        at.name_span,
        Text::new(
            format!("<min>（{min}）大于 <max>（{max}），没有数值能通过检测"),
            format!("<min> ({min}) is greater than <max> ({max}): no number passes"),
        ),
        Some(Text::new(
            "可能是写反了",
            "they may stand the wrong way round",
        )),
    );
}
