//! From text to schedule.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::cron::days::{Alternative, DayFilter};
use crate::cron::{Cron, CronError};
use crate::quote::shortened;
use crate::text::Text;

/// One field: what it is called, its range and its names.
struct FieldKind {
    zh: &'static str,
    en: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTE: FieldKind = field("分钟", "minute", 0, 59, &[]);
const HOUR: FieldKind = field("小时", "hour", 0, 23, &[]);
const DAY: FieldKind = field("日", "day of month", 1, 31, &[]);
const MONTH: FieldKind = field(
    "月",
    "month",
    1,
    12,
    &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
);
const WEEKDAY: FieldKind = field(
    "星期",
    "weekday",
    0,
    7,
    &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
);

const fn field(
    zh: &'static str,
    en: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
) -> FieldKind {
    FieldKind {
        zh,
        en,
        min,
        max,
        names,
    }
}

/// A piece of the expression and where it stands.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Piece<'a> {
    fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn split(self, separator: char) -> impl Iterator<Item = Piece<'a>> {
        let mut start = self.start;
        self.text.split(separator).map(move |text| {
            let piece = Piece { text, start };
            start += text.len() + separator.len_utf8();
            piece
        })
    }

    fn split_once(self, separator: char) -> Option<(Piece<'a>, Piece<'a>)> {
        let (left, right) = self.text.split_once(separator)?;
        let start = self.start + left.len() + separator.len_utf8();
        Some((
            Piece {
                text: left,
                start: self.start,
            },
            Piece { text: right, start },
        ))
    }

    fn strip_suffix(self, suffix: [char; 2]) -> Option<Piece<'a>> {
        let text = self.text.strip_suffix(suffix)?;
        Some(Piece {
            text,
            start: self.start,
        })
    }

    fn is_any(self) -> bool {
        matches!(self.text, "*" | "?")
    }

    fn error(self, zh: String, en: String) -> CronError {
        CronError {
            message: Text::new(zh, en),
            range: self.range(),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Cron, CronError> {
    let whole = Piece {
        text: text.trim(),
        start: text.len() - text.trim_start().len(),
    };
    if text.to_ascii_lowercase().contains("every") {
        return Err(english(whole));
    }
    let fields: Vec<Piece<'_>> = whole
        .split(' ')
        .flat_map(|piece| piece.split('\t'))
        .flat_map(|piece| piece.split('\n'))
        .flat_map(|piece| piece.split('\r'))
        .filter(|piece| !piece.text.is_empty())
        .collect();
    let [minute, hour, day, month, weekday, surplus @ ..] = fields.as_slice() else {
        return Err(wrong_count(whole, fields.len()));
    };
    let days = parse_days(*day, *weekday)?;
    let prefix = format!(
        "0 {} {}",
        list(&parse_numbers(*minute, &MINUTE)?, &MINUTE),
        list(&parse_numbers(*hour, &HOUR)?, &HOUR)
    );
    let months = list(&parse_numbers(*month, &MONTH)?, &MONTH);
    let alternatives = days
        .into_iter()
        .map(|(days, weekdays, filter)| {
            Alternative::new(&format!("{prefix} {days} {months} {weekdays}"), filter)
        })
        .collect();
    Ok(Cron {
        text: text.to_owned(),
        alternatives,
        follows_elapsed_time: hour.text.starts_with(['*', '?']) && !hour.text.contains(','),
        is_day_ignored: !weekday.is_any() && !day.is_any(),
        surplus: surplus
            .first()
            .map(|first| first.start..whole.start + whole.text.len()),
    })
}

/// Which days: fields of the `cron` crate for day of month and weekday, and what to filter.
fn parse_days(
    day: Piece<'_>,
    weekday: Piece<'_>,
) -> Result<Vec<(String, String, DayFilter)>, CronError> {
    // Both are read in any case, so that a mistake in the one that is ignored does not pass.
    let (days, has_last) = parse_month_days(day)?;
    let weekdays = parse_weekdays(weekday)?;
    if !weekday.is_any() {
        return Ok(weekdays);
    }
    let any = || "*".to_owned();
    let mut alternatives = Vec::new();
    if !days.is_empty() {
        alternatives.push((list(&days, &DAY), any(), DayFilter::All));
    }
    if has_last {
        alternatives.push(("28-31".to_owned(), any(), DayFilter::LastOfMonth));
    }
    Ok(alternatives)
}

fn parse_month_days(field: Piece<'_>) -> Result<(BTreeSet<u32>, bool), CronError> {
    let mut days = BTreeSet::new();
    let mut has_last = false;
    for item in field.split(',') {
        if matches!(item.text, "L" | "l") {
            has_last = true;
        } else {
            add_item(item, &DAY, &mut days)?;
        }
    }
    Ok((days, has_last))
}

fn parse_weekdays(field: Piece<'_>) -> Result<Vec<(String, String, DayFilter)>, CronError> {
    let mut plain = BTreeSet::new();
    let mut alternatives = Vec::new();
    for item in field.split(',') {
        if matches!(item.text, "L" | "l") {
            plain.insert(6);
        } else if let Some((weekday, number)) = item.split_once('#') {
            let weekday = parse_value(weekday, &WEEKDAY)?;
            let nth = parse_nth(number)?;
            let days = format!("{}-{}", 7 * nth - 6, (7 * nth).min(31));
            alternatives.push((days, weekday_name(weekday), DayFilter::All));
        } else if let Some(weekday) = item.strip_suffix(['L', 'l']) {
            let weekday = parse_value(weekday, &WEEKDAY)?;
            let days = "22-31".to_owned();
            alternatives.push((days, weekday_name(weekday), DayFilter::LastWeekday));
        } else {
            add_item(item, &WEEKDAY, &mut plain)?;
        }
    }
    if !plain.is_empty() {
        let names: BTreeSet<String> = plain.into_iter().map(weekday_name).collect();
        let names: Vec<String> = names.into_iter().collect();
        alternatives.push(("*".to_owned(), names.join(","), DayFilter::All));
    }
    Ok(alternatives)
}

fn parse_nth(piece: Piece<'_>) -> Result<u32, CronError> {
    match piece.text.parse() {
        Ok(nth @ 1..=5) => Ok(nth),
        _ => Err(piece.error(
            format!("`#` 之后应为1到5，却是 `{}`", shortened(piece.text)),
            format!(
                "`#` must be followed by 1 to 5, found `{}`",
                shortened(piece.text)
            ),
        )),
    }
}

fn weekday_name(number: u32) -> String {
    let index = usize::try_from(number % 7).unwrap_or_default();
    WEEKDAY.names[index].to_owned()
}

fn parse_numbers(field: Piece<'_>, kind: &FieldKind) -> Result<BTreeSet<u32>, CronError> {
    let mut numbers = BTreeSet::new();
    for item in field.split(',') {
        add_item(item, kind, &mut numbers)?;
    }
    Ok(numbers)
}

fn add_item(
    item: Piece<'_>,
    kind: &FieldKind,
    numbers: &mut BTreeSet<u32>,
) -> Result<(), CronError> {
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => (span, Some(parse_step(step)?)),
        None => (item, None),
    };
    let (first, last) = if span.is_any() {
        // 7 is another name for 0, not one more day.
        (kind.min, if kind.max == 7 { 6 } else { kind.max })
    } else if let Some((first, last)) = span.split_once('-') {
        let (first, last) = (parse_value(first, kind)?, parse_value(last, kind)?);
        if first > last {
            return Err(span.error(
                format!("范围 `{}` 的起点大于终点", span.text),
                format!("range `{}` runs backwards", span.text),
            ));
        }
        (first, last)
    } else {
        let first = parse_value(span, kind)?;
        let is_from_weekday = step.is_some() && kind.max == 7;
        if is_from_weekday {
            // cronish means "every n weeks" by this; taking it for anything else would be worse than refusing it.
            return Err(item.error(
                format!("不支持 `{}`", item.text),
                format!("`{}` is not supported", item.text),
            ));
        }
        (first, step.map_or(first, |_| kind.max))
    };
    let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
    numbers.extend((first..=last).step_by(step));
    Ok(())
}

fn parse_step(piece: Piece<'_>) -> Result<u32, CronError> {
    match piece.text.parse() {
        Ok(step @ 1..=99) => Ok(step),
        _ => Err(piece.error(
            format!("`/` 之后应为正整数，却是 `{}`", shortened(piece.text)),
            format!(
                "`/` must be followed by a number from 1, found `{}`",
                shortened(piece.text)
            ),
        )),
    }
}

fn parse_value(piece: Piece<'_>, kind: &FieldKind) -> Result<u32, CronError> {
    let named = kind
        .names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(piece.text));
    if let Some(position) = named {
        return Ok(kind.min + u32::try_from(position).unwrap_or_default());
    }
    let is_number = !piece.text.is_empty() && piece.text.bytes().all(|byte| byte.is_ascii_digit());
    match piece.text.parse::<u32>() {
        Ok(number) if is_number && (kind.min..=kind.max).contains(&number) => Ok(number),
        _ => {
            let (min, max) = (kind.min, kind.max);
            let found = shortened(piece.text);
            Err(piece.error(
                format!("{}应在{min}到{max}之间，却是 `{found}`", kind.zh),
                format!(
                    "the {} must lie between {min} and {max}, found `{found}`",
                    kind.en
                ),
            ))
        }
    }
}

/// Numbers in the words of the `cron` crate.
fn list(numbers: &BTreeSet<u32>, kind: &FieldKind) -> String {
    if (kind.min..=kind.max).all(|number| numbers.contains(&number)) {
        return "*".to_owned();
    }
    let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
    words.join(",")
}

/// Where the English grammar of akkaflow (`every day at midnight`) will be read.
fn english(whole: Piece<'_>) -> CronError {
    whole.error(
        "暂不支持英文调度语法，请写五个字段：分 时 日 月 星期，例如 0 1 * * *".to_owned(),
        "the English grammar is not read yet; write five fields: minute hour day month weekday, for example 0 1 * * *"
            .to_owned(),
    )
}

fn wrong_count(whole: Piece<'_>, count: usize) -> CronError {
    whole.error(
        format!("cron表达式应有五个字段（分 时 日 月 星期），却有{count}个"),
        format!("a cron expression has five fields (minute hour day month weekday), found {count}"),
    )
}
