//! A schedule in words.

use chrono::Timelike;

use crate::schedule::{DayPolicy, FixedRate, Schedule};
use crate::text::Text;

/// So many dates are listed.
const MOST_DATES: usize = 3;

impl Schedule {
    /// All its parts in one line, without zone and window: `at 01:00 every day, on workdays of 中国法定节假日`. Empty when it
    /// has none.
    pub fn describe(&self) -> Text {
        let mut parts: Vec<Text> = self.crons.iter().map(|cron| cron.describe()).collect();
        parts.extend(self.every.map(describe_rate));
        if !self.dates.is_empty() {
            parts.push(self.describe_dates());
        }
        let zh: Vec<&str> = parts.iter().map(|part| part.zh.as_str()).collect();
        let en: Vec<&str> = parts.iter().map(|part| part.en.as_str()).collect();
        let text = Text::new(zh.join("；"), en.join("; "));
        match &self.calendar {
            Some((calendar, policy)) if !self.is_empty() => {
                let title = calendar.title();
                let (zh, en) = match policy {
                    DayPolicy::Only => (
                        format!("仅{title}的工作日"),
                        format!("on workdays of {title}"),
                    ),
                    DayPolicy::Except => (
                        format!("仅{title}的休息日"),
                        format!("on days off of {title}"),
                    ),
                    DayPolicy::Next => (
                        format!("遇{title}的休息日顺延至下一工作日"),
                        format!("moved to the next workday of {title}"),
                    ),
                    DayPolicy::Previous => (
                        format!("遇{title}的休息日提前至上一工作日"),
                        format!("moved to the previous workday of {title}"),
                    ),
                };
                Text::new(format!("{}，{zh}", text.zh), format!("{}, {en}", text.en))
            }
            _ => text,
        }
    }

    fn describe_dates(&self) -> Text {
        let mut dates = self.dates.clone();
        dates.sort_unstable();
        let mut listed: Vec<String> = dates
            .iter()
            .take(MOST_DATES)
            .map(|date| {
                let format = match date.second() {
                    0 => "%Y-%m-%d %H:%M",
                    _ => "%Y-%m-%d %H:%M:%S",
                };
                date.format(format).to_string()
            })
            .collect();
        let rest = dates.len().saturating_sub(MOST_DATES);
        let mut zh = listed.join("、");
        if rest > 0 {
            zh = format!("{zh}等{}个时间", dates.len());
            listed.push(format!("{rest} more"));
        }
        Text::new(zh, format!("at {}", listed.join(", ")))
    }
}

fn describe_rate(rate: FixedRate) -> Text {
    let units = [
        (86_400, "天", "day"),
        (3_600, "小时", "hour"),
        (60, "分钟", "minute"),
        (1, "秒", "second"),
    ];
    let (size, zh, en) = units
        .into_iter()
        .find(|(size, ..)| rate.seconds > 0 && rate.seconds.is_multiple_of(*size))
        .unwrap_or(units[3]);
    let count = rate.seconds / size;
    let anchor = rate.anchor.format("%Y-%m-%d %H:%M:%S");
    let en = if count == 1 {
        format!("every {en}")
    } else {
        format!("every {count} {en}s")
    };
    Text::new(
        format!("每{count}{zh}（自{anchor}起）"),
        format!("{en} from {anchor} on"),
    )
}
