//! A rule in words, made of what it means and not of how it was written.

use crate::cron::note::{Note, StepUnit};
use crate::cron::parse::bits;
use crate::cron::rule::{DayMode, DayRule, Rule, TimeSet};
use crate::text::Text;

/// So many times of day are listed one by one.
const MOST_TIMES: usize = 6;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const WEEKDAYS_ZH: [&str; 7] = ["周日", "周一", "周二", "周三", "周四", "周五", "周六"];

/// `at 01:00 every day`, `每天 01:00`.
pub(super) fn describe(rule: &Rule) -> Text {
    let (times, is_list) = describe_times(&rule.times);
    let days = describe_days(&rule.days);
    let every_day = DayRule::every_day();
    if rule.days == every_day && !is_list {
        return times;
    }
    let separator = if days.zh.ends_with(|last: char| last.is_ascii()) {
        ""
    } else {
        " "
    };
    Text::new(
        format!("{}{separator}{}", days.zh, times.zh),
        format!("{} {}", times.en, days.en),
    )
}

/// The words, and whether they are a list of times of day.
fn describe_times(sets: &[TimeSet]) -> (Text, bool) {
    if let Some(list) = listed_times(sets) {
        return (
            Text::new(list.join("、"), format!("at {}", join_en(&list))),
            true,
        );
    }
    let parts: Vec<Text> = sets.iter().map(|set| describe_set(*set)).collect();
    let zh: Vec<&str> = parts.iter().map(|part| part.zh.as_str()).collect();
    let en: Vec<String> = parts.iter().map(|part| part.en.clone()).collect();
    (Text::new(zh.join("；"), join_en(&en)), false)
}

/// All times as `01:00` when there are few.
fn listed_times(sets: &[TimeSet]) -> Option<Vec<String>> {
    let mut times = Vec::new();
    for set in sets {
        let (hours, minutes, seconds) = (
            numbers(set.hours),
            numbers(set.minutes),
            numbers(set.seconds),
        );
        if hours.len() * minutes.len() * seconds.len() > MOST_TIMES {
            return None;
        }
        for hour in &hours {
            for minute in &minutes {
                for second in &seconds {
                    times.push((*hour, *minute, *second));
                }
            }
        }
    }
    times.sort_unstable();
    times.dedup();
    (times.len() <= MOST_TIMES).then(|| {
        times
            .into_iter()
            .map(|(hour, minute, second)| match second {
                0 => format!("{hour:02}:{minute:02}"),
                _ => format!("{hour:02}:{minute:02}:{second:02}"),
            })
            .collect()
    })
}

fn describe_set(set: TimeSet) -> Text {
    let beat = beat(set);
    let all_hours = bits(0, 23);
    let is_hourly = numbers(set.minutes).len() == 1 && set.seconds == 1;
    if set.hours == all_hours || (is_hourly && step(set.hours, 0, 23).is_some()) {
        return beat;
    }
    let hours = match (span(set.hours), step(set.hours, 0, 23)) {
        (Some((first, last)), _) if !is_hourly => Text::new(
            format!("（{first:02}:00至{last:02}:59）"),
            format!("from {first:02}:00 to {last:02}:59"),
        ),
        (Some((first, last)), _) => {
            let minute = set.minutes.trailing_zeros();
            Text::new(
                format!("（{first:02}:{minute:02}至{last:02}:{minute:02}）"),
                format!("from {first:02}:{minute:02} to {last:02}:{minute:02}"),
            )
        }
        (None, Some(hours)) => Text::new(
            format!("（每{hours}小时中的一小时）"),
            format!("in every {} hour", nth(hours)),
        ),
        (None, None) => {
            let list = words(set.hours);
            Text::new(
                format!("（{}点）", list.join("、")),
                format!("in the hours {}", join_en(&list)),
            )
        }
    };
    Text::new(
        format!("{}{}", beat.zh, hours.zh),
        format!("{} {}", beat.en, hours.en),
    )
}

/// What minutes and seconds say, as if the hour were any; hours enter where only one minute counts.
fn beat(set: TimeSet) -> Text {
    if set.seconds != 1 {
        let seconds = unit_beat(set.seconds, "秒", "second");
        if set.minutes == bits(0, 59) {
            return seconds;
        }
        let minutes = unit_beat(set.minutes, "分钟", "minute");
        let joined = if minutes.en.starts_with("at ") {
            ","
        } else {
            " of"
        };
        return Text::new(
            format!("{}的{}", minutes.zh, seconds.zh),
            format!("{}{joined} {}", seconds.en, minutes.en),
        );
    }
    let minutes = numbers(set.minutes);
    let &[minute] = minutes.as_slice() else {
        return unit_beat(set.minutes, "分钟", "minute");
    };
    let hours = step(set.hours, 0, 23).filter(|_| span(set.hours).is_none());
    let (zh, en) = match hours {
        Some(hours) => (format!("每{hours}小时"), format!("every {hours} hours")),
        None => ("每小时".to_owned(), "every hour".to_owned()),
    };
    match minute {
        0 => Text::new(zh, en),
        _ => Text::new(
            format!("{zh}的第{minute}分"),
            format!("{en} at minute {minute}"),
        ),
    }
}

/// `every minute`, `every 10 minutes`, `at minute 5 and 50 of every hour`.
fn unit_beat(set: u64, zh: &str, en: &str) -> Text {
    if set == bits(0, 59) {
        return Text::new(format!("每{zh}"), format!("every {en}"));
    }
    if let Some(step) = step(set, 0, 59) {
        if 60 % step == 0 {
            return Text::new(format!("每{step}{zh}"), format!("every {step} {en}s"));
        }
        if numbers(set).len() > MOST_TIMES {
            let (zh_whole, en_whole) = if en == "second" {
                ("每分钟", "of every minute")
            } else {
                ("每小时", "of every hour")
            };
            let last = 63 - set.leading_zeros();
            return Text::new(
                format!("{zh_whole}从第0到第{last}{zh}每隔{step}{zh}"),
                format!("every {step} {en}s from {en} 0 to {last} {en_whole}"),
            );
        }
    }
    let list = match span(set) {
        Some((first, last)) if last > first => vec![format!("{first}-{last}")],
        _ => words(set),
    };
    let (zh_whole, en_whole) = if en == "second" {
        ("每分钟", "every minute")
    } else {
        ("每小时", "every hour")
    };
    let zh_unit = if en == "second" { "秒" } else { "分" };
    Text::new(
        format!("{zh_whole}的第{}{zh_unit}", list.join("、")),
        format!("at {en} {} of {en_whole}", join_en(&list)),
    )
}

fn describe_days(rule: &DayRule) -> Text {
    let has_all_months = rule.months == bits(1, 12);
    let month_days = || describe_month_days(rule, has_all_months);
    let weekdays = || describe_weekdays(rule);
    let days = match rule.mode {
        DayMode::MonthDays => month_days(),
        DayMode::Weekdays => weekdays(),
        DayMode::Either => {
            let (one, other) = (month_days(), weekdays());
            Text::new(
                format!("{}或{}", one.zh, other.zh),
                format!("{} or {}", one.en, other.en),
            )
        }
        DayMode::Both => {
            let (one, other) = (month_days(), weekdays());
            Text::new(
                format!("{}且为{}", one.zh, other.zh),
                format!("{} when it is also {}", one.en, other.en),
            )
        }
    };
    let days = if has_all_months {
        days
    } else {
        let months = listed(rule.months, |month| MONTHS[month - 1].to_owned());
        let numbers: Vec<String> = words(rule.months);
        let months_zh = match span(rule.months) {
            Some((first, last)) if last > first + 1 => format!("{first}月至{last}月"),
            _ => format!("{}月", numbers.join("、")),
        };
        Text::new(
            format!("{months_zh}{}", days.zh),
            format!("{} in {months}", days.en),
        )
    };
    if rule.years.is_empty() {
        return days;
    }
    let years: Vec<String> = rule
        .years
        .iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    Text::new(
        format!("{}年{}", years.join("、"), days.zh),
        format!("{} of {}", days.en, join_en(&years)),
    )
}

fn describe_month_days(rule: &DayRule, has_all_months: bool) -> Text {
    if rule.month_days == bits(1, 31) {
        return Text::new("每天", "every day");
    }
    let per_month_zh = if has_all_months { "每月" } else { "" };
    let of_month = if has_all_months { " of the month" } else { "" };
    let mut zh: Vec<String> = Vec::new();
    let mut en: Vec<String> = Vec::new();
    if rule.month_days != 0 {
        let list = ranges(rule.month_days);
        let zh_list: Vec<String> = list.iter().map(|range| format!("{range}日")).collect();
        let word = if list.len() == 1 && !list[0].contains('-') {
            "day"
        } else {
            "days"
        };
        zh.push(zh_list.join("、"));
        en.push(format!("on {word} {}", join_en(&list)));
    }
    if rule.has_last_day {
        zh.push("最后一天".to_owned());
        en.push(if en.is_empty() {
            "on the last day".to_owned()
        } else {
            "the last day".to_owned()
        });
    }
    Text::new(
        format!("{per_month_zh}{}", zh.join("、")),
        format!("{}{of_month}", en.join(" and ")),
    )
}

fn describe_weekdays(rule: &DayRule) -> Text {
    let mut zh: Vec<String> = Vec::new();
    let mut en: Vec<String> = Vec::new();
    match rule.weekdays {
        0 => {}
        0x7f => {
            zh.push("每天".to_owned());
            en.push("every day".to_owned());
        }
        days => {
            zh.push(match span(days) {
                Some((first, last)) if last > first + 1 => {
                    format!("每{}至{}", zh_weekday(first), zh_weekday(last))
                }
                _ => format!("每{}", listed_zh(days)),
            });
            en.push(match span(days) {
                Some((first, last)) if last > first + 1 => {
                    format!("{} to {}", weekday(first), weekday(last))
                }
                _ => listed(days, |day| WEEKDAYS[day].to_owned()),
            });
        }
    }
    for (index, days) in rule.nth_weekdays.iter().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or_default();
        for day in numbers(*days) {
            zh.push(format!("每月第{number}个{}", zh_weekday(day)));
            en.push(format!("the {} {} of the month", nth(number), weekday(day)));
        }
    }
    for day in numbers(rule.last_weekdays) {
        zh.push(format!("每月最后一个{}", zh_weekday(day)));
        en.push(format!("the last {} of the month", weekday(day)));
    }
    let en = join_en(&en);
    Text::new(
        zh.join("、"),
        if rule.weekdays == 0x7f {
            en
        } else {
            format!("on {en}")
        },
    )
}

fn weekday(number: u32) -> &'static str {
    usize::try_from(number).map_or("", |index| WEEKDAYS[index % 7])
}

fn zh_weekday(number: u32) -> &'static str {
    usize::try_from(number).map_or("", |index| WEEKDAYS_ZH[index % 7])
}

fn listed_zh(days: u64) -> String {
    let names: Vec<&str> = numbers(days).into_iter().map(zh_weekday).collect();
    names.join("、")
}

fn listed(set: u64, name: impl Fn(usize) -> String) -> String {
    let names: Vec<String> = numbers(set)
        .into_iter()
        .filter_map(|number| usize::try_from(number).ok())
        .map(name)
        .collect();
    join_en(&names)
}

/// `1st`, `2nd`, `11th`.
fn nth(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (1, hundred) if hundred != 11 => "st",
        (2, hundred) if hundred != 12 => "nd",
        (3, hundred) if hundred != 13 => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn numbers(set: u64) -> Vec<u32> {
    (0..64).filter(|bit| set >> bit & 1 == 1).collect()
}

fn words(set: u64) -> Vec<String> {
    numbers(set).iter().map(u32::to_string).collect()
}

/// `1`, `3-7`: three or more in a row as a range.
fn ranges(set: u64) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers(set) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
        .into_iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first}-{last}")],
        })
        .collect()
}

/// First and last of an unbroken row.
fn span(set: u64) -> Option<(u32, u32)> {
    if set == 0 {
        return None;
    }
    let (first, last) = (set.trailing_zeros(), 63 - set.leading_zeros());
    (set == bits(first, last)).then_some((first, last))
}

/// Why a rule never fires.
pub(super) fn never(rule: &Rule) -> Text {
    let days = &rule.days;
    let is_of_month = matches!(days.mode, DayMode::MonthDays) && days.years.is_empty();
    let first = days.month_days.trailing_zeros();
    let longest = |month: u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let months = numbers(days.months);
    if !is_of_month || months.iter().any(|month| first <= longest(*month)) {
        return Text::new("没有任何日期符合", "no date fits it");
    }
    match months.as_slice() {
        [month] => {
            let count = longest(*month);
            let name = usize::try_from(*month).map_or("", |index| MONTHS[index - 1]);
            Text::new(
                format!("{month}月只有{count}天"),
                format!("{name} has {count} days"),
            )
        }
        _ => Text::new(
            format!("这些月份都没有{first}日"),
            format!("none of these months has a day {first}"),
        ),
    }
}

/// Where a rule that is written with a step does not go evenly on into the next hour or day.
pub(super) fn uneven(rule: &Rule) -> Option<Note> {
    let [times] = rule.times.as_slice() else {
        return None;
    };
    let parts = [
        (times.seconds, StepUnit::Second),
        (times.minutes, StepUnit::Minute),
        (times.hours, StepUnit::Hour),
    ];
    let of_times = parts.into_iter().find_map(|(set, unit)| {
        let count = unit.count();
        let step = step(set, 0, count - 1).filter(|step| !count.is_multiple_of(*step))?;
        let at = numbers(set);
        Some(Note::Uneven { step, at, unit })
    });
    // Months have different lengths: no number of days goes evenly into all of them.
    let of_days = || {
        let set = rule.days.month_days;
        let step = step(set, 1, 31).filter(|_| !rule.days.has_last_day)?;
        Some(Note::Uneven {
            step,
            at: numbers(set),
            unit: StepUnit::Day,
        })
    };
    of_times.or_else(of_days)
}

/// The n of `*/n`, when the set is every n-th number from `first` to `last` and n is 2 at least.
fn step(set: u64, first: u32, last: u32) -> Option<u32> {
    let list = numbers(set);
    let step = match list.as_slice() {
        [a, b, ..] if *a == first => b - a,
        _ => return None,
    };
    let whole = (first..=last).step_by(usize::try_from(step).ok()?);
    (step > 1 && whole.eq(list.iter().copied())).then_some(step)
}

fn join_en(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
