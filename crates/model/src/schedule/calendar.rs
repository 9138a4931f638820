//! Calendars: which days are workdays. One file each, beside the workflows, named `NAME.calendar`.
//!
//! ```text
//! # Days off and make-up workdays. Everything behind a # is a remark.
//! title    中国法定节假日
//! weekend  sat sun                              # the days off of every week; `none` for none
//! holiday  2026-01-01..2026-01-03  元旦          # days off, the last one included, and their name
//! holiday  12-25  Christmas                     # a day off in every year
//! workday  2026-01-04  元旦调休                   # a workday, whatever else it is
//! until    2026-12-31                           # nothing is known later: weekends alone count
//! ```
//!
//! A date of its own wins over one of every year, and that over the weekend. Without `weekend` Saturday and Sunday are
//! off; without `until` the year of the last date is the last one known.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate};

use crate::code;
use crate::cron::{WEEKDAYS, days_on};
use crate::diagnostic::{Diagnostics, Finding};
use crate::element::Span;
use crate::quote::shortened;
use crate::render::locate_all;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// A larger file is not read: this is a hundred years and more.
const MOST_BYTES: usize = 1 << 20;
/// A longer range is surely a mistake, and no run of days off is looked through for longer.
const MOST_DAYS: u64 = 400;
const DIRECTIVES: [&str; 5] = ["title", "weekend", "holiday", "workday", "until"];

/// Which days are workdays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    name: String,
    title: Option<String>,
    /// Bits 0 to 6 from Sunday.
    weekend: u8,
    dates: BTreeMap<NaiveDate, Day>,
    /// Month and day.
    yearly: BTreeMap<(u32, u32), Day>,
    known_until: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Day {
    is_workday: bool,
    name: Option<String>,
    /// The line that says it, from 1.
    line: usize,
}

/// What came of reading a file.
#[derive(Debug)]
pub struct CalendarFile {
    /// The calendar; `None` when there is an error.
    pub calendar: Option<Calendar>,
    /// The decoded text; empty where it could not be decoded.
    pub text: String,
    /// Everything found, in the order of the file.
    pub findings: Vec<Finding>,
}

impl Calendar {
    /// The ending of calendars' file names, without the dot.
    pub const EXTENSION: &'static str = "calendar";

    /// Reads a file's content in UTF-8 or GB 18030; `file` is how findings call it, and its stem is the calendar's name.
    /// Never stops at the first mistake.
    pub fn read(file: &str, bytes: &[u8]) -> CalendarFile {
        let name = Path::new(file)
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let mut diagnostics = Diagnostics::new();
        let text = decode(bytes, &mut diagnostics);
        let mut reader = Reader {
            calendar: Calendar {
                name,
                title: None,
                weekend: 1 | 1 << 6,
                dates: BTreeMap::new(),
                yearly: BTreeMap::new(),
                known_until: None,
            },
            has_weekend: false,
            diagnostics,
        };
        reader.read_lines(&text);
        let Reader {
            mut calendar,
            diagnostics,
            ..
        } = reader;
        if calendar.known_until.is_none() {
            calendar.known_until = calendar
                .dates
                .last_key_value()
                .and_then(|(date, _)| NaiveDate::from_ymd_opt(date.year(), 12, 31));
        }
        let has_errors = diagnostics.has_errors();
        CalendarFile {
            calendar: (!has_errors).then_some(calendar),
            findings: locate_all(&text, file, &diagnostics.into_sorted()),
            text,
        }
    }

    /// Its name: the stem of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its file calls it, else its name.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether people work that day.
    pub fn is_workday(&self, date: NaiveDate) -> bool {
        match self.day(date) {
            Some(day) => day.is_workday,
            None => self.weekend >> date.weekday().num_days_from_sunday() & 1 == 0,
        }
    }

    /// The workdays of the month that begins on `first`, as bits 1 to 31; what stands behind the month's end means nothing.
    pub(crate) fn workdays_of(&self, first: NaiveDate) -> u32 {
        let mut days = !days_on(self.weekend, first) as u32;
        let mut set = |date: u32, is_workday: bool| {
            days = days & !(1 << date) | u32::from(is_workday) << date;
        };
        let month = first.month();
        for ((_, date), day) in self.yearly.range((month, 1)..=(month, 31)) {
            set(*date, day.is_workday);
        }
        let last = first + Days::new(u64::from(first.num_days_in_month()) - 1);
        for (date, day) in self.dates.range(first..=last) {
            set(date.day(), day.is_workday);
        }
        days
    }

    /// What the file calls the day, a holiday or a make-up workday.
    pub fn day_name(&self, date: NaiveDate) -> Option<&str> {
        self.day(date)?.name.as_deref()
    }

    /// The last day that the file knows about; `None` when it has no dates, but only rules.
    pub fn known_until(&self) -> Option<NaiveDate> {
        self.known_until
    }

    fn day(&self, date: NaiveDate) -> Option<&Day> {
        self.dates
            .get(&date)
            .or_else(|| self.yearly.get(&(date.month(), date.day())))
    }

    /// The last workday strictly before `date`, unless it is more than 400 days away.
    pub fn workday_before(&self, date: NaiveDate) -> Option<NaiveDate> {
        (1..=MOST_DAYS)
            .map_while(|days| date.checked_sub_days(Days::new(days)))
            .find(|day| self.is_workday(*day))
    }

    /// The first workday from `date` on, unless it is more than 400 days away.
    pub(crate) fn workday_from(&self, date: NaiveDate) -> Option<NaiveDate> {
        (0..=MOST_DAYS)
            .map_while(|days| date.checked_add_days(Days::new(days)))
            .find(|day| self.is_workday(*day))
    }
}

fn decode(bytes: &[u8], diagnostics: &mut Diagnostics) -> String {
    if bytes.len() > MOST_BYTES {
        diagnostics.error(
            code::TOO_LARGE,
            Span::default(),
            Text::new("日历文件过大", "the calendar is too large"),
            Text::new("请保持在1 MiB以内", "keep it below 1 MiB"),
        );
        return String::new();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let (text, _, is_malformed) = encoding_rs::GB18030.decode(bytes);
    if is_malformed {
        diagnostics.error(
            code::MALFORMED_BYTES,
            Span::default(),
            Text::new("既不是UTF-8也不是GBK", "the file is neither UTF-8 nor GBK"),
            Text::new("请另存为UTF-8", "save it as UTF-8"),
        );
        return String::new();
    }
    text.into_owned()
}

/// A word of a line and where it stands.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    start: usize,
}

impl Word<'_> {
    fn span(self) -> Span {
        Span {
            start: self.start,
            end: self.start + self.text.len(),
        }
    }
}

struct Reader {
    calendar: Calendar,
    has_weekend: bool,
    diagnostics: Diagnostics,
}

/// A day or days that a line names.
enum When {
    Dates(NaiveDate, NaiveDate),
    EveryYear(u32, u32),
}

impl Reader {
    fn read_lines(&mut self, text: &str) {
        let mut start = 0;
        for (index, line) in text.split('\n').enumerate() {
            let content = line.split('#').next().unwrap_or_default();
            if let Some((directive, rest)) = first_word(content, start) {
                self.read_line(directive, rest, index + 1);
            }
            start += line.len() + 1;
        }
    }

    fn read_line(&mut self, directive: Word<'_>, rest: Word<'_>, line: usize) {
        match directive.text {
            "title" => self.read_title(directive, rest),
            "weekend" => self.read_weekend(directive, rest),
            "holiday" => self.read_days(directive, rest, line, false),
            "workday" => self.read_days(directive, rest, line, true),
            "until" => self.read_until(directive, rest),
            found => {
                let help = did_you_mean(found, DIRECTIVES).unwrap_or_else(|| {
                    Text::new(
                        format!("每行以{}之一开头", DIRECTIVES.join("、")),
                        format!("a line begins with one of {}", DIRECTIVES.join(", ")),
                    )
                });
                let found = shortened(found);
                self.error(
                    directive.span(),
                    format!("不认识 `{found}`"),
                    format!("`{found}` is not known here"),
                    help,
                );
            }
        }
    }

    fn read_title(&mut self, directive: Word<'_>, rest: Word<'_>) {
        if rest.text.is_empty() {
            self.missing(directive, "名称", "a title");
        } else {
            self.calendar.title = Some(rest.text.to_owned());
        }
    }

    fn read_weekend(&mut self, directive: Word<'_>, rest: Word<'_>) {
        if self.has_weekend {
            self.error(
                directive.span(),
                "`weekend` 只能出现一次",
                "`weekend` stands twice",
                Text::new("请合并为一行", "make them one line"),
            );
        }
        self.has_weekend = true;
        if rest.text.is_empty() {
            self.missing(
                directive,
                "星期，例如 weekend sat sun",
                "days, as in `weekend sat sun`",
            );
            return;
        }
        let mut weekend = 0;
        let mut remaining = rest;
        while let Some((word, next)) = first_word(remaining.text, remaining.start) {
            remaining = next;
            let name = word.text.trim_end_matches(',').to_ascii_lowercase();
            if name == "none" {
                continue;
            }
            // Three letters of each are enough.
            let found = WEEKDAYS
                .iter()
                .position(|day| name.len() >= 3 && day.starts_with(&name));
            match found {
                Some(day) => weekend |= 1 << day,
                None => {
                    let found = shortened(word.text);
                    let help = Text::new(
                        "星期写作 mon tue wed thu fri sat sun",
                        "write mon tue wed thu fri sat sun",
                    );
                    self.error(
                        word.span(),
                        format!("`{found}` 不是星期"),
                        format!("`{found}` is no day of the week"),
                        help,
                    );
                }
            }
        }
        self.calendar.weekend = weekend;
    }

    fn read_until(&mut self, directive: Word<'_>, rest: Word<'_>) {
        let Some((word, _)) = first_word(rest.text, rest.start) else {
            self.missing(directive, "日期", "a date");
            return;
        };
        match parse_date(word.text) {
            Some(date) => self.calendar.known_until = Some(date),
            None => self.wrong_date(word),
        }
    }

    fn read_days(&mut self, directive: Word<'_>, rest: Word<'_>, line: usize, is_workday: bool) {
        let Some((word, name)) = first_word(rest.text, rest.start) else {
            self.missing(
                directive,
                "日期，例如 2026-01-01",
                "a date, as in 2026-01-01",
            );
            return;
        };
        let Some(when) = self.read_when(word) else {
            return;
        };
        let day = Day {
            is_workday,
            name: (!name.text.is_empty()).then(|| name.text.to_owned()),
            line,
        };
        match when {
            When::EveryYear(month, date) => {
                if let Some(earlier) = self.calendar.yearly.get(&(month, date)) {
                    let (text, line) = (format!("{month:02}-{date:02}"), earlier.line);
                    self.repeated(word, &text, line);
                    return;
                }
                self.calendar.yearly.insert((month, date), day);
            }
            When::Dates(first, last) => {
                for date in first.iter_days().take_while(|date| *date <= last) {
                    if let Some(earlier) = self.calendar.dates.get(&date) {
                        let line = earlier.line;
                        self.repeated(word, &date.to_string(), line);
                        return;
                    }
                    self.calendar.dates.insert(date, day.clone());
                }
            }
        }
    }

    fn read_when(&mut self, word: Word<'_>) -> Option<When> {
        if let Some((first, last)) = word.text.split_once("..") {
            let first = Word {
                text: first,
                ..word
            };
            let last = Word {
                text: last,
                start: word.start + first.text.len() + 2,
            };
            let (from, to) = (parse_date(first.text), parse_date(last.text));
            for (date, word) in [(from, first), (to, last)] {
                if date.is_none() {
                    self.wrong_date(word);
                }
            }
            let (from, to) = (from?, to?);
            if from > to {
                self.error(
                    word.span(),
                    "起始日期晚于结束日期",
                    "the range runs backwards",
                    Text::new("请交换两者", "swap the dates"),
                );
                return None;
            }
            let days = to.signed_duration_since(from).num_days();
            if days.unsigned_abs() >= MOST_DAYS {
                self.error(
                    word.span(),
                    format!("范围长达{}天", days + 1),
                    format!("the range is {} days long", days + 1),
                    Text::new(
                        format!("不能超过{MOST_DAYS}天，请检查年份"),
                        format!("at most {MOST_DAYS} are allowed; look at the year"),
                    ),
                );
                return None;
            }
            return Some(When::Dates(from, to));
        }
        if let Some(date) = parse_date(word.text) {
            return Some(When::Dates(date, date));
        }
        // 29 February is a day of some years.
        if let Some(date) = parse_date(&format!("2000-{}", word.text)) {
            return Some(When::EveryYear(date.month(), date.day()));
        }
        self.wrong_date(word);
        None
    }

    fn repeated(&mut self, word: Word<'_>, date: &str, line: usize) {
        self.error(
            word.span(),
            format!("{date} 已在第{line}行定义"),
            format!("{date} stands in line {line} already"),
            Text::new("请删除其中之一", "remove one of them"),
        );
    }

    fn wrong_date(&mut self, word: Word<'_>) {
        let found = shortened(word.text);
        self.error(
            word.span(),
            format!("`{found}` 不是日期"),
            format!("`{found}` is no date"),
            Text::new(
                "写法为 2026-01-31、2026-01-01..2026-01-03，或每年重复的 12-25",
                "write 2026-01-31, 2026-01-01..2026-01-03, or 12-25 for every year",
            ),
        );
    }

    fn missing(&mut self, directive: Word<'_>, zh: &str, en: &str) {
        let word = directive.text;
        self.error(
            directive.span(),
            format!("`{word}` 之后缺少{zh}"),
            format!("`{word}` needs {en}"),
            Text::new(
                "写法为 holiday 2026-01-01..2026-01-03 元旦",
                "an example is `holiday 2026-01-01..2026-01-03 New Year`",
            ),
        );
    }

    fn error(&mut self, span: Span, zh: impl Into<String>, en: impl Into<String>, help: Text) {
        self.diagnostics
            .error(code::BAD_CALENDAR, span, Text::new(zh, en), help);
    }
}

/// The first word and what follows it, trimmed; `None` when there is only white space.
fn first_word(text: &str, start: usize) -> Option<(Word<'_>, Word<'_>)> {
    let trimmed = text.trim_start();
    let start = start + (text.len() - trimmed.len());
    let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    let (word, rest) = trimmed.split_at(end);
    let follows = rest.trim_start();
    let rest = Word {
        text: follows.trim_end(),
        start: start + end + (rest.len() - follows.len()),
    };
    (!word.is_empty()).then_some((Word { text: word, start }, rest))
}

/// Reads `2026-01-31`, and nothing else.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let is_written_well = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_written_well {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}
