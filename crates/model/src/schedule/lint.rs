//! What is legal in a schedule but surely not meant.

use std::ops::Range;

use crate::code;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::Span;
use crate::render::locate;
use crate::schedule::Schedule;
use crate::text::Text;
use crate::time::Timestamp;

/// A warning about a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The index in [`Schedule::crons`] of the expression that it is about; `None` for the whole schedule.
    pub cron: Option<usize>,
    /// Where in the expression's text; `None` for all of it.
    pub range: Option<Range<usize>>,
    /// The stable code.
    pub code: &'static str,
    /// What is odd.
    pub message: Text,
    /// What to do.
    pub help: Option<Text>,
}

impl Lint {
    /// As a finding in a file that holds the expression alone.
    pub fn finding(&self, file: &str, expression: &str) -> Finding {
        let range = self.range.clone().unwrap_or(0..expression.len());
        let diagnostic = Diagnostic {
            code: self.code,
            severity: Severity::Warning,
            span: Span {
                start: range.start,
                end: range.end,
            },
            message: self.message.clone(),
            help: self.help.clone(),
        };
        locate(expression, file, &diagnostic)
    }
}

impl Schedule {
    /// Everything odd about it: notes of its expressions, expressions that never fire or stand twice, and, when it has
    /// parts of which none ever fires, that.
    pub fn lints(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        for (index, cron) in self.crons.iter().enumerate() {
            lints.extend(cron.notes().iter().map(|note| Lint {
                cron: Some(index),
                range: note.range(),
                code: note.code(),
                message: note.message(),
                help: Some(note.help()),
            }));
            if cron.never_fires() {
                lints.push(never_fires(index, cron.why_never()));
            }
            if let Some(earlier) = self.crons[..index].iter().position(|other| {
                other.as_str().trim() == cron.as_str().trim() && other.style() == cron.style()
            }) {
                lints.push(repeated(index, earlier));
            }
        }
        let has_live_part = self.every.is_some()
            || !self.dates.is_empty()
            || !self.crons.iter().all(|cron| cron.never_fires());
        let long_ago = Timestamp::from_millis(0);
        if has_live_part && self.next_after(long_ago).is_none() {
            lints.push(nothing_left(self));
        }
        lints
    }
}

fn never_fires(index: usize, why: Text) -> Lint {
    Lint {
        cron: Some(index),
        range: None,
        code: code::NEVER_FIRES,
        message: Text::new(
            format!("cron永远不会触发：{}", why.zh),
            format!("the cron never fires: {}", why.en),
        ),
        help: Some(Text::new(
            "请检查日与月；月末写作 `L`",
            "look at the day and the month; write `L` for the last day",
        )),
    }
}

fn repeated(index: usize, earlier: usize) -> Lint {
    Lint {
        cron: Some(index),
        range: None,
        code: code::REPEATED_CRON,
        message: Text::new(
            format!("与第{}个cron相同", earlier + 1),
            format!("it is the same as cron {}", earlier + 1),
        ),
        help: Some(Text::new("请删除其中之一", "remove one of them")),
    }
}

fn nothing_left(schedule: &Schedule) -> Lint {
    let (zh, en) = if schedule.calendar.is_some() {
        (
            "日历与有效期没有留下任何触发时间",
            "the calendar and the window leave no time at which it fires",
        )
    } else {
        (
            "有效期内没有任何触发时间",
            "there is no time within its window at which it fires",
        )
    };
    Lint {
        cron: None,
        range: None,
        code: code::NEVER_FIRES,
        message: Text::new(zh, en),
        help: Some(Text::new(
            "请检查start-time、end-time与calendar",
            "look at start-time, end-time and calendar",
        )),
    }
}
