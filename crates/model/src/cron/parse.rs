//! From text to rule: fields, `@daily` and the like. Phrases are read by [`english`](super::english).

use std::ops::Range;

use crate::cron::piece::Piece;
use crate::cron::rule::{DayMode, DayRule, Rule, TimeSet};
use crate::cron::{Cron, CronError, Note, StepUnit, Style, english, words};
use crate::quote::shortened;
use crate::shape::half_width;
use crate::suggest::closest;
use crate::text::Text;

/// One field: what it is called, its range and its names.
struct FieldKind {
    zh: &'static str,
    en: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const SECOND: FieldKind = field("秒", "second", 0, 59, &[]);
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
/// No schedule that a person writes is longer, and what is longer costs memory for nothing.
const MOST_BYTES: usize = 1000;

/// Short words for whole expressions, as crontab has them.
const MACROS: &[(&str, &str)] = &[
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

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

pub(super) fn parse(text: &str, style: Style) -> Result<Cron, Vec<CronError>> {
    let whole = Piece::trimmed(text);
    if whole.text.len() > MOST_BYTES {
        return Err(vec![
            whole
                .error(
                    format!("表达式超过{MOST_BYTES}字节"),
                    format!("an expression takes at most {MOST_BYTES} bytes"),
                )
                .helped(
                    "请检查是否误写了别的内容；多个时间可用多个cron",
                    "see that it is an expression at all; many times go into several crons",
                ),
        ]);
    }
    if whole.text.starts_with('@') {
        return parse_macro(text, whole, style);
    }
    let mut cron = if is_phrase(whole) {
        english::parse(text, whole, style)
    } else {
        parse_fields(text, whole, style)
    }?;
    // A list that happens to look so is meant.
    if whole.text.contains('/') || whole.text.to_ascii_lowercase().contains("every") {
        cron.notes.extend(words::uneven(&cron.rule));
    }
    Ok(cron)
}

/// Whether a text is English: it says `every`, as akkaflow decides it, or it begins with a time, a day or another word
/// and has no field that is a star.
fn is_phrase(whole: Piece<'_>) -> bool {
    let begins_with_word = || {
        let first = whole.words().next().map_or("", |word| word.text);
        first.starts_with(|first: char| first.is_ascii_alphanumeric())
            && first
                .chars()
                .any(|character| character.is_ascii_alphabetic() || character == ':')
            && !whole.text.contains(['*', '?'])
    };
    whole.text.to_ascii_lowercase().contains("every") || begins_with_word()
}

fn parse_macro(text: &str, whole: Piece<'_>, style: Style) -> Result<Cron, Vec<CronError>> {
    let word = whole.text.to_ascii_lowercase();
    match MACROS.iter().find(|(name, _)| *name == word) {
        Some((_, fields)) => {
            let cron = parse(fields, Style::Akkaflow)?;
            Ok(Cron {
                text: text.to_owned(),
                style,
                ..cron
            })
        }
        None => {
            let names: Vec<&str> = MACROS.iter().map(|(name, _)| *name).collect();
            let found = shortened(whole.text);
            let error = whole.error(
                format!("未知的简写 `{found}`"),
                format!("there is no short form `{found}`"),
            );
            let (zh, en) = match closest(&word, names.iter().copied()) {
                Some(name) => (
                    format!("是否想写 `{name}`？"),
                    format!("did you mean `{name}`?"),
                ),
                None => (
                    format!("可用：{}", names.join("、")),
                    format!("there are {}", names.join(", ")),
                ),
            };
            Err(vec![error.helped(zh, en)])
        }
    }
}

/// Mistakes of one expression that are told: nobody reads more, and a hostile one could make as many as it has letters.
const MOST_ERRORS: usize = 20;

/// Collects what is wrong while fields are read, so that all of it is reported.
struct Errors(Vec<CronError>);

impl Errors {
    fn add(&mut self, error: CronError) {
        if self.0.len() < MOST_ERRORS {
            self.0.push(error);
        }
    }

    /// The value, or the default with the error kept.
    fn keep<T: Default>(&mut self, result: Result<T, CronError>) -> T {
        result.unwrap_or_else(|error| {
            self.add(error);
            T::default()
        })
    }
}

fn parse_fields(text: &str, whole: Piece<'_>, style: Style) -> Result<Cron, Vec<CronError>> {
    let fields: Vec<Piece<'_>> = whole.words().collect();
    let (second, fields, surplus) = match (style, fields.as_slice()) {
        (Style::Crontab, [second, five @ ..]) if five.len() == 5 => (Some(*second), five, None),
        (Style::Crontab, five) if five.len() == 5 => (None, five, None),
        (Style::Akkaflow, fields) if fields.len() >= 5 => {
            let (five, rest) = fields.split_at(5);
            let surplus = rest
                .first()
                .map(|first| first.start..whole.start + whole.text.len());
            (None, five, surplus)
        }
        (_, fields) => return Err(vec![wrong_count(whole, fields.len(), style)]),
    };
    let [minute, hour, day, month, weekday] = fields else {
        return Err(vec![wrong_count(whole, fields.len(), style)]);
    };
    let mut errors = Errors(Vec::new());
    let seconds = second.map_or(1, |second| parse_numbers(second, &SECOND, &mut errors));
    let minutes = parse_numbers(*minute, &MINUTE, &mut errors);
    let hours = parse_numbers(*hour, &HOUR, &mut errors);
    let mut days = DayRule::every_day();
    parse_month_days(*day, &mut days, &mut errors);
    days.months = parse_numbers(*month, &MONTH, &mut errors);
    // Both are read in any case, so that a mistake in the one that is ignored does not pass.
    parse_weekdays(*weekday, &mut days, &mut errors);
    days.mode = day_mode(*day, *weekday, style);
    let with_seconds = surplus
        .as_ref()
        .and_then(|_| parse_fields(text, whole, Style::Crontab).ok());
    if !errors.0.is_empty() {
        return Err(match with_seconds {
            Some(cron) => vec![needs_crontab(whole, &cron)],
            None => errors.0,
        });
    }
    let is_day_ignored =
        style == Style::Akkaflow && days.mode == DayMode::Weekdays && !day.is_any();
    let steps_beyond = [
        second.and_then(|field| step_beyond(field, &SECOND, StepUnit::Second)),
        step_beyond(*minute, &MINUTE, StepUnit::Minute),
        step_beyond(*hour, &HOUR, StepUnit::Hour),
        step_beyond(*day, &DAY, StepUnit::Day).filter(|_| days.mode != DayMode::Weekdays),
    ];
    let rule = Rule {
        times: vec![TimeSet {
            hours,
            minutes,
            seconds,
        }],
        days: days.without_ignored(),
    };
    let notes = [
        is_day_ignored.then_some(Note::DayIgnored),
        surplus.map(|range: Range<usize>| Note::Surplus {
            range,
            meaning: words::describe(&rule),
            with_seconds: with_seconds.map(|cron| words::describe(&cron.rule)),
        }),
    ];
    let notes = notes.into_iter().chain(steps_beyond);
    Ok(Cron {
        text: text.to_owned(),
        style,
        rule,
        follows_elapsed_time: hour.text.starts_with(['*', '?']) && !hour.text.contains(','),
        notes: notes.flatten().collect(),
    })
}

/// Which of the two fields of the day count.
fn day_mode(day: Piece<'_>, weekday: Piece<'_>, style: Style) -> DayMode {
    let begins_with_star = |piece: Piece<'_>| piece.text.starts_with(['*', '?']);
    match style {
        Style::Akkaflow if weekday.is_any() => DayMode::MonthDays,
        Style::Akkaflow => DayMode::Weekdays,
        Style::Crontab if weekday.is_any() => DayMode::MonthDays,
        Style::Crontab if day.is_any() => DayMode::Weekdays,
        Style::Crontab if begins_with_star(day) || begins_with_star(weekday) => DayMode::Both,
        Style::Crontab => DayMode::Either,
    }
}

impl DayRule {
    /// Every day.
    pub(super) fn every_day() -> Self {
        Self {
            years: Vec::new(),
            months: bits(1, 12),
            month_days: bits(1, 31),
            has_last_day: false,
            weekdays: 0,
            nth_weekdays: [0; 5],
            last_weekdays: 0,
            mode: DayMode::MonthDays,
        }
    }

    /// Without what its mode does not look at, so that equal rules are equal.
    pub(super) fn without_ignored(mut self) -> Self {
        if self.mode == DayMode::Weekdays {
            self.month_days = 0;
            self.has_last_day = false;
        }
        if self.mode == DayMode::MonthDays {
            (self.weekdays, self.nth_weekdays, self.last_weekdays) = (0, [0; 5], 0);
        }
        self
    }
}

fn parse_month_days(field: Piece<'_>, days: &mut DayRule, errors: &mut Errors) {
    days.month_days = 0;
    for item in field.split(',') {
        if matches!(item.text, "L" | "l") {
            days.has_last_day = true;
        } else {
            days.month_days |= errors.keep(item_bits(item, &DAY));
        }
    }
}

fn parse_weekdays(field: Piece<'_>, days: &mut DayRule, errors: &mut Errors) {
    let bit = |weekday: u32| 1_u64 << (weekday % 7);
    for item in field.split(',') {
        if matches!(item.text, "L" | "l") {
            days.weekdays |= bit(6);
        } else if let Some((weekday, number)) = item.split_once('#') {
            let weekday = errors.keep(parse_value(weekday, &WEEKDAY).map(bit));
            match parse_nth(number) {
                Ok(nth) => days.nth_weekdays[nth - 1] |= weekday,
                Err(error) => errors.add(error),
            }
        } else if let Some(weekday) = item.strip_suffix(['L', 'l']) {
            days.last_weekdays |= errors.keep(parse_value(weekday, &WEEKDAY).map(bit));
        } else {
            let found = errors.keep(item_bits(item, &WEEKDAY));
            days.weekdays |= found & 0x7f | found >> 7;
        }
    }
}

fn parse_nth(piece: Piece<'_>) -> Result<usize, CronError> {
    match piece.text.parse() {
        Ok(nth @ 1..=5) => Ok(nth),
        _ => Err(piece.error(
            format!("`#` 之后应为1到5，写的是 `{}`", shortened(piece.text)),
            format!(
                "`#` must be followed by 1 to 5, found `{}`",
                shortened(piece.text)
            ),
        )),
    }
}

fn parse_numbers(field: Piece<'_>, kind: &FieldKind, errors: &mut Errors) -> u64 {
    field
        .split(',')
        .map(|item| errors.keep(item_bits(item, kind)))
        .fold(0, |all, one| all | one)
}

/// The bits from `first` to `last`.
pub(super) fn bits(first: u32, last: u32) -> u64 {
    (first..=last).fold(0, |all, bit| all | 1 << bit)
}

fn item_bits(item: Piece<'_>, kind: &FieldKind) -> Result<u64, CronError> {
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => (span, Some(parse_step(step)?)),
        None => (item, None),
    };
    let (first, last) = if span.is_any() {
        // 7 is another name for 0, not one more day.
        (kind.min, if kind.max == 7 { 6 } else { kind.max })
    } else if let Some((first, last)) = span.split_once('-') {
        parse_range(span, first, last, kind)?
    } else {
        let first = parse_value(span, kind)?;
        if step.is_some() && kind.max == 7 {
            return Err(every_few_weeks(item, step));
        }
        (first, step.map_or(first, |_| kind.max))
    };
    let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
    Ok((first..=last)
        .step_by(step)
        .fold(0, |all, bit| all | 1 << bit))
}

/// A field of one item whose step leads out of it at once: `*/90`.
fn step_beyond(field: Piece<'_>, kind: &FieldKind, unit: StepUnit) -> Option<Note> {
    let (_, step) = field.split_once('/')?;
    let step = parse_step(step).ok().filter(|step| *step > 1)?;
    let set = item_bits(field, kind).ok()?;
    (set.count_ones() == 1).then(|| Note::StepBeyond {
        step,
        at: set.trailing_zeros(),
        unit,
        range: field.start..field.start + field.text.len(),
    })
}

fn parse_range(
    span: Piece<'_>,
    first: Piece<'_>,
    last: Piece<'_>,
    kind: &FieldKind,
) -> Result<(u32, u32), CronError> {
    if first.text.is_empty() || last.text.is_empty() {
        let text = span.text;
        return Err(span
            .error(
                format!("`{text}` 不是范围"),
                format!("`{text}` is no range"),
            )
            .helped(
                "范围的两端都要写，例如 1-5；没有负数",
                "name both ends, as in 1-5; there are no negative numbers",
            ));
    }
    let (first, mut last) = (parse_value(first, kind)?, parse_value(last, kind)?);
    if kind.max == 7 && last == 0 && first > 0 {
        // A week that ends on Sunday.
        last = 7;
    }
    if first > last {
        let (text, min, max) = (span.text, kind.min, kind.max.min(59));
        let split = format!("{first}-{max},{min}-{last}");
        return Err(span
            .error(
                format!("范围 `{text}` 的起点大于终点"),
                format!("range `{text}` runs backwards"),
            )
            .helped(
                format!("若要跨越边界，请写 `{split}`"),
                format!("write `{split}` to go around"),
            ));
    }
    Ok((first, last))
}

/// cronish means "every n weeks" by `1/2`; taking it for anything else would be worse than refusing it.
fn every_few_weeks(item: Piece<'_>, weeks: Option<u32>) -> CronError {
    let days = 7 * weeks.unwrap_or(2);
    item.error(
        format!("不支持 `{}`", item.text),
        format!("`{}` is not supported", item.text),
    )
    .helped(
        format!("每隔几周运行请用固定间隔：every=\"{days}d\""),
        format!("to run every few weeks use a fixed rate: every=\"{days}d\""),
    )
}

fn parse_step(piece: Piece<'_>) -> Result<u32, CronError> {
    match piece.text.parse() {
        Ok(step @ 1..=99) => Ok(step),
        _ => Err(piece.error(
            format!("`/` 之后应为正整数，写的是 `{}`", shortened(piece.text)),
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
        _ => Err(wrong_value(piece, kind)),
    }
}

fn wrong_value(piece: Piece<'_>, kind: &FieldKind) -> CronError {
    let (min, max) = (kind.min, kind.max);
    let found = shortened(piece.text);
    let error = piece.error(
        format!("{}应在{min}到{max}之间，写的是 `{found}`", kind.zh),
        format!(
            "the {} must lie between {min} and {max}, found `{found}`",
            kind.en
        ),
    );
    if piece.text.is_empty() {
        return error.helped("逗号之间不能为空", "something must stand between commas");
    }
    if let Some(hint) = hint(piece.text, kind) {
        return error.helped(hint.zh, hint.en);
    }
    match closest(&piece.text.to_ascii_uppercase(), kind.names.iter().copied()) {
        Some(name) => error.helped(
            format!("是否想写 `{name}`？"),
            format!("did you mean `{name}`?"),
        ),
        None => error.helped(
            format!("请写{min}到{max}的数；字段依次为 {}分 时 日 月 星期", if kind.en == SECOND.en { "秒 " } else { "" }),
            format!("write a number from {min} to {max}; the fields are {}minute hour day month weekday", if kind.en == SECOND.en { "second " } else { "" }),
        ),
    }
}

/// What is likely meant by something that is no value of its field.
fn hint(text: &str, kind: &FieldKind) -> Option<Text> {
    let narrow = half_width(text);
    if narrow != text {
        let narrow = shortened(&narrow);
        return Some(Text::new(
            format!("含有全角字符，请写半角的 `{narrow}`"),
            format!("it holds full-width characters; write `{narrow}`"),
        ));
    }
    if text.contains(';') {
        return Some(Text::new(
            "多个表达式请各写一个 <cron expression=\"...\"/>",
            "write a <cron expression=\"...\"/> for each of several expressions",
        ));
    }
    let upper = text.to_ascii_uppercase();
    let is_name = text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if let Some(name) = kind
        .names
        .iter()
        .find(|name| is_name && upper.starts_with(**name))
    {
        return Some(Text::new(
            format!("名称只写前三个字母：`{name}`"),
            format!("names have three letters: `{name}`"),
        ));
    }
    match upper.as_str() {
        "L" if kind.en == DAY.en => Some(Text::new(
            "`L`（最后一天）只能单独书写，不支持L-3",
            "`L`, the last day, stands alone; there is no `L-3`",
        )),
        _ if kind.en == DAY.en && upper.ends_with('W') => Some(Text::new(
            "不支持W（最近的工作日）；请用calendar与calendar-policy=\"next\"或\"previous\"",
            "`W`, the nearest workday, is not supported; use a calendar with calendar-policy=\"next\" or \"previous\"",
        )),
        _ => None,
    }
}

/// Six fields, of which the first is meant as the second.
fn needs_crontab(whole: Piece<'_>, cron: &Cron) -> CronError {
    let meaning = words::describe(&cron.rule);
    whole
        .error(
            "有六个字段，而cron表达式只有五个（分 时 日 月 星期）",
            "there are six fields, and a cron expression has five (minute hour day month weekday)",
        )
        .helped(
            format!("若第一个是秒，请写cron-style=\"crontab\"，即{}", meaning.zh),
            format!(
                "if the first one is the second, write cron-style=\"crontab\": it fires {} then",
                meaning.en
            ),
        )
}

fn wrong_count(whole: Piece<'_>, count: usize, style: Style) -> CronError {
    let error = match style {
        Style::Akkaflow => whole.error(
            format!("cron表达式应有五个字段（分 时 日 月 星期），却有{count}个"),
            format!("a cron expression has five fields (minute hour day month weekday), found {count}"),
        ),
        Style::Crontab => whole.error(
            format!("cron表达式应有五个字段（分 时 日 月 星期），或在最前加上秒共六个，却有{count}个"),
            format!(
                "a cron expression has five fields (minute hour day month weekday), or six with the second in front, found {count}"
            ),
        ),
    };
    error.helped(
        "例如每天1点：0 1 * * *，或 every day at 1am",
        "every day at one is `0 1 * * *`, or `every day at 1am`",
    )
}
