//! `<wait>`: an action that waits for a time, a file or a row. The engine does it itself: it holds no slot of a worker.

use std::sync::LazyLock;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::Element;
use crate::quote::shortened;
use crate::shape::{AttributeKind, AttributeShape, DATE_TIME_FORMAT, Shape, TextRule};
use crate::text::Text;
use crate::time::Timestamp;

/// The body of an action that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What it waits for.
    pub what: Awaited,
    /// Seconds between two looks at a file or a database.
    pub every_seconds: u64,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// So many seconds, from when the node is reached.
    Elapsed {
        /// How many.
        seconds: u64,
    },
    /// A moment; passed already, the wait is over at once. `None` while the text holds references.
    Until(Option<Moment>),
    /// A file exists and no longer grows.
    File {
        /// The file-link.
        link: String,
        /// Its path; the file name may hold `*`.
        path: String,
    },
    /// The first value of a query is neither NULL nor 0, false or empty.
    Sql {
        /// The db-link.
        link: String,
        /// The query.
        query: String,
    },
}

/// A moment in the zone of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A time of the day on which the node is reached.
    TimeOfDay(NaiveTime),
    /// A time of a given day.
    DateTime(NaiveDateTime),
}

impl Moment {
    /// Reads `HH:mm`, `HH:mm:ss` or `yyyy-MM-dd HH:mm:ss`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let time = |format| NaiveTime::parse_from_str(text, format).ok();
        time("%H:%M:%S")
            .or_else(|| time("%H:%M"))
            .map(Self::TimeOfDay)
            .or_else(|| {
                NaiveDateTime::parse_from_str(text, DATE_TIME_FORMAT)
                    .ok()
                    .map(Self::DateTime)
            })
    }
}

impl Moment {
    /// The moment that it means when the node is reached at `now`; `None` when no calendar holds it.
    ///
    /// A time in a daylight-saving gap means the end of the gap, a repeated one its first occurrence.
    pub fn at(self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = match self {
            Self::DateTime(local) => local,
            Self::TimeOfDay(time) => now
                .to_utc()
                .with_timezone(&zone)
                .date_naive()
                .and_time(time),
        };
        crate::cron::moment_of(local, zone)
    }
}

/// The label of the body of a monitor of files. Workers look for it as for a wait, and its limits are theirs to know.
pub const FILE_MONITOR: &str = "file-monitor";

impl Wait {
    /// The label of the body.
    pub const TAG: &'static str = "wait";

    /// What it may hold.
    pub fn shape() -> Shape {
        let attribute =
            |name, kind, zh: &str, en: &str| AttributeShape::new(name, kind, Text::new(zh, en));
        let file = Shape::new(
            "file",
            Text::new(
                "等待文件出现且不再变化，文件名可用*通配",
                "waits until a file is there and no longer grows; its name may hold *",
            ),
        )
        .attribute(
            attribute(
                "file-link",
                AttributeKind::NonBlank,
                "文件连接的名称",
                "the file-link's name",
            )
            .default("local"),
        );
        let sql = Shape::new(
            "sql",
            Text::new(
                "等待查询的第一个值不为NULL、0、false或空",
                "waits until the first value of a query is neither NULL nor 0, false or empty",
            ),
        )
        .attribute(
            attribute(
                "db-link",
                AttributeKind::NonBlank,
                "数据库连接的名称",
                "the db-link's name",
            )
            .required(),
        );
        Shape::new(
            Self::TAG,
            Text::new(
                "等待一段时间、某个时刻、一个文件或一个SQL条件；上限为action的timeout",
                "waits for a while, a moment, a file or an SQL condition; the action's timeout limits it",
            ),
        )
        .attribute(attribute(
            "for",
            AttributeKind::Duration,
            "等待多久",
            "how long to wait",
        ))
        .attribute(attribute(
            "until",
            AttributeKind::NonBlank,
            "等到何时：HH:mm、HH:mm:ss 或 yyyy-MM-dd HH:mm:ss，已过则立即继续",
            "until when: HH:mm, HH:mm:ss or yyyy-MM-dd HH:mm:ss; at once when that is past",
        ))
        .attribute(
            attribute(
                "every",
                AttributeKind::Duration,
                "检查文件或SQL的间隔",
                "how often it looks at the file or the database",
            )
            .default("60s"),
        )
        .child(file.text(TextRule::Required), 0, Some(1))
        .child(sql.text(TextRule::Required), 0, Some(1))
        .example(
            "<wait every=\"30s\">\n  <sql db-link=\"local\">select count(*) from batches where day = '${param:date}'</sql>\n</wait>",
        )
    }

    /// Reads a body that its shape has been checked against. Reports what is still wrong; `None` when anything is.
    pub fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(Wait::shape);
        let shape = &*SHAPE;
        let child = |tag| element.elements_named(tag).next();
        let given = [
            element.attribute("for").is_some(),
            element.attribute("until").is_some(),
            child("file").is_some(),
            child("sql").is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            wrong_parts(element, diagnostics);
            return None;
        }
        let what = if let Some(file) = child("file") {
            Awaited::File {
                link: file
                    .attribute("file-link")
                    .map_or("local", |link| link.value.trim())
                    .to_owned(),
                path: file.text().trim().to_owned(),
            }
        } else if let Some(sql) = child("sql") {
            Awaited::Sql {
                link: sql.attribute("db-link")?.value.trim().to_owned(),
                query: sql.text(),
            }
        } else if let Some(until) = shape.value(element, "until") {
            let moment = Moment::parse(until);
            if moment.is_none() && !until.contains("${") {
                wrong_moment(element, until, diagnostics);
                return None;
            }
            Awaited::Until(moment)
        } else {
            Awaited::Elapsed {
                seconds: shape.duration(element, "for")?,
            }
        };
        Some(Self {
            what,
            every_seconds: shape.duration(element, "every")?,
        })
    }
}

fn wrong_parts(element: &Element, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::WAIT_PARTS,
        element.name_span,
        Text::new(
            "<wait> 需要 for、until、<file>、<sql> 之一，且只能有一个",
            "<wait> needs one of for, until, <file> and <sql>, and one only",
        ),
        Text::new(
            "例如 <wait for=\"10m\"/> 或 <wait until=\"02:30\"/>",
            "an example is <wait for=\"10m\"/> or <wait until=\"02:30\"/>",
        ),
    );
}

fn wrong_moment(element: &Element, until: &str, diagnostics: &mut Diagnostics) {
    let found = shortened(until);
    let span = element
        .attribute("until")
        .map_or(element.name_span, |attribute| attribute.value_span);
    diagnostics.error(
        code::BAD_DATE_TIME,
        span,
        Text::new(
            format!("`until` 必须是时刻，写的是 `{found}`"),
            format!("`until` must be a moment, found `{found}`"),
        ),
        Text::new(
            "写法为 HH:mm、HH:mm:ss 或 yyyy-MM-dd HH:mm:ss",
            "write HH:mm, HH:mm:ss or yyyy-MM-dd HH:mm:ss",
        ),
    );
}
