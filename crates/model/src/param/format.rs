//! Dates in the letters of Java's SimpleDateFormat; names are English, weeks begin on Sunday and the first one of a year or
//! month is the one that holds its first day, as in Java's Chinese and American locales.
//!
//! All its letters are read. `Y`, the year of the week, is told of: it stands for a mistyped `y` almost always, and differs
//! from it in the days around New Year alone.

use chrono::{DateTime, Datelike, Days, NaiveDate, Offset, Timelike};
use chrono_tz::{OffsetName, Tz};

use crate::param::error::ParamError;
use crate::text::Text;

/// Years that are written with four digits, as people expect them.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9999;
/// The widest field that makes sense; a longer one would only eat memory.
const WIDEST_FIELD: usize = 32;

/// A format, read.
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

enum Piece {
    Literal(String),
    /// A letter and how often it stands there.
    Field(Letter, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Year,
    WeekYear,
    Month,
    DayOfMonth,
    DayOfYear,
    Hour24,
    Hour24FromOne,
    Hour12,
    Hour12FromZero,
    Minute,
    Second,
    Millisecond,
    Weekday,
    WeekdayNumber,
    HalfDay,
    Era,
    WeekOfYear,
    WeekOfMonth,
    WeekdayInMonth,
    ZoneName,
    ZoneOffset,
    ZoneOffsetIso,
}

impl Letter {
    fn from_char(letter: char) -> Option<Self> {
        Some(match letter {
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            'M' | 'L' => Self::Month,
            'd' => Self::DayOfMonth,
            'D' => Self::DayOfYear,
            'H' => Self::Hour24,
            'k' => Self::Hour24FromOne,
            'h' => Self::Hour12,
            'K' => Self::Hour12FromZero,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Millisecond,
            'E' => Self::Weekday,
            'u' => Self::WeekdayNumber,
            'a' => Self::HalfDay,
            'G' => Self::Era,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'F' => Self::WeekdayInMonth,
            'z' => Self::ZoneName,
            'Z' => Self::ZoneOffset,
            'X' => Self::ZoneOffsetIso,
            _ => return None,
        })
    }

    fn write(self, moment: &DateTime<Tz>, width: usize) -> String {
        let number = match self {
            Self::Year if width == 2 => {
                return format!("{:02}", moment.year().rem_euclid(100));
            }
            Self::WeekYear if width == 2 => {
                return format!("{:02}", week_year(moment.date_naive()).rem_euclid(100));
            }
            Self::Month if width >= 3 => return name(moment.format("%B").to_string(), width),
            Self::Weekday => return name(moment.format("%A").to_string(), width),
            Self::HalfDay => return moment.format("%p").to_string(),
            Self::Era => return "AD".to_owned(),
            Self::ZoneName => return zone_name(moment),
            Self::ZoneOffset => return zone_offset(moment, 2),
            Self::ZoneOffsetIso if offset_seconds(moment) == 0 => return "Z".to_owned(),
            Self::ZoneOffsetIso => return zone_offset(moment, width),
            Self::WeekOfYear => week_of_year(moment.date_naive()),
            Self::WeekOfMonth => weeks_since(moment.date_naive().with_day(1), moment.date_naive()),
            Self::WeekdayInMonth => moment.day0() / 7 + 1,
            Self::Year => u32::try_from(moment.year()).unwrap_or_default(),
            Self::WeekYear => u32::try_from(week_year(moment.date_naive())).unwrap_or_default(),
            Self::Month => moment.month(),
            Self::DayOfMonth => moment.day(),
            Self::DayOfYear => moment.ordinal(),
            Self::Hour24 => moment.hour(),
            Self::Hour24FromOne => (moment.hour() + 23) % 24 + 1,
            Self::Hour12 => (moment.hour() + 11) % 12 + 1,
            Self::Hour12FromZero => moment.hour() % 12,
            Self::Minute => moment.minute(),
            Self::Second => moment.second(),
            Self::Millisecond => moment.nanosecond() / 1_000_000,
            Self::WeekdayNumber => moment.weekday().number_from_monday(),
        };
        format!("{number:0width$}")
    }
}

/// Names are full from four letters on.
fn name(full: String, width: usize) -> String {
    if width >= 4 {
        full
    } else {
        full.chars().take(3).collect()
    }
}

impl Pattern {
    pub(super) fn parse(format: &str) -> Result<Self, ParamError> {
        let error = || ParamError::Format {
            format: crate::quote::shortened(format),
        };
        let mut pieces = Vec::new();
        let mut characters = format.chars().peekable();
        while let Some(character) = characters.next() {
            if character == '\'' {
                pieces.push(Piece::Literal(quoted(&mut characters).ok_or_else(error)?));
            } else if character.is_ascii_alphabetic() {
                let letter = Letter::from_char(character).ok_or_else(error)?;
                let mut width = 1;
                while characters.next_if_eq(&character).is_some() {
                    width += 1;
                }
                if width > WIDEST_FIELD {
                    return Err(error());
                }
                pieces.push(Piece::Field(letter, width));
            } else {
                pieces.push(Piece::Literal(character.to_string()));
            }
        }
        Ok(Self { pieces })
    }

    /// Whether it writes the year of the week.
    pub(super) fn has_week_year(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Field(Letter::WeekYear, _)))
    }

    /// Letters that were most likely meant to be others: what was meant, and why.
    pub(super) fn other_part(&self, format: &str) -> Option<(String, Text)> {
        // The letters of other languages, which are told of as such.
        if format.contains('%') {
            return None;
        }
        let fields: Vec<(Letter, usize)> = self.fields().collect();
        let mut wrong = Vec::new();
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        let months = months_written_as_minutes(&fields);
        if !months.is_empty() {
            zh.push("`m` 是分钟，月是 `M`");
            en.push("`m` are minutes; months are `M`");
            wrong.extend(months.into_iter().map(|index| (index, 'M')));
        }
        let minutes = minutes_written_as_months(&fields);
        if !minutes.is_empty() {
            zh.push("`M` 是月，分钟是 `m`");
            en.push("`M` are months; minutes are `m`");
            wrong.extend(minutes.into_iter().map(|index| (index, 'm')));
        }
        let has_half_day = indexes(&fields, Letter::HalfDay).next().is_some();
        let halves = [Letter::Hour12, Letter::Hour12FromZero].into_iter();
        let halves: Vec<usize> = halves
            .flat_map(|letter| indexes(&fields, letter).collect::<Vec<_>>())
            .filter(|_| !has_half_day)
            .collect();
        if !halves.is_empty() {
            zh.push("`h` 与 `K` 是12小时制且没有 `a`，24小时制是 `H`");
            en.push("`h` and `K` are hours of half a day, and there is no `a`; those of the day are `H`");
            wrong.extend(halves.into_iter().map(|index| (index, 'H')));
        }
        let days = days_written_as_days_of_the_year(&fields);
        if !days.is_empty() {
            zh.push("`D` 是一年中的第几天，日是 `d`");
            en.push("`D` is the day of the year; the day of the month is `d`");
            wrong.extend(days.into_iter().map(|index| (index, 'd')));
        }
        (!wrong.is_empty()).then(|| {
            let why = Text::new(zh.join("；"), en.join("; "));
            (with_letters(format, &wrong), why)
        })
    }

    fn fields(&self) -> impl Iterator<Item = (Letter, usize)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(letter, width) => Some((*letter, *width)),
            Piece::Literal(_) => None,
        })
    }

    pub(super) fn write(&self, moment: &DateTime<Tz>) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Field(letter, width) => letter.write(moment, *width),
            })
            .collect()
    }
}

impl Letter {
    fn is_hour(self) -> bool {
        matches!(
            self,
            Self::Hour24 | Self::Hour24FromOne | Self::Hour12 | Self::Hour12FromZero
        )
    }
}

/// Whether what precedes the field is an hour.
fn is_behind_hour(fields: &[(Letter, usize)], index: usize) -> bool {
    index > 0 && fields[index - 1].0.is_hour()
}

/// `yyyy-mm-dd`: minutes beside a year or a day, in a format without a month.
fn months_written_as_minutes(fields: &[(Letter, usize)]) -> Vec<usize> {
    let is_date = |index: usize| {
        let field = fields.get(index).map(|(letter, _)| *letter);
        matches!(field, Some(Letter::Year | Letter::DayOfMonth))
    };
    let mut months = indexes(fields, Letter::Month);
    if months.any(|index| !is_behind_hour(fields, index)) {
        return Vec::new();
    }
    indexes(fields, Letter::Minute)
        .filter(|index| !is_behind_hour(fields, *index))
        .filter(|index| is_date(index.wrapping_sub(1)) || is_date(index + 1))
        .collect()
}

/// `HH:MM`: a month in numbers behind an hour.
fn minutes_written_as_months(fields: &[(Letter, usize)]) -> Vec<usize> {
    indexes(fields, Letter::Month)
        .filter(|index| fields[*index].1 <= 2 && is_behind_hour(fields, *index))
        .collect()
}

/// `yyyy-MM-DD`.
fn days_written_as_days_of_the_year(fields: &[(Letter, usize)]) -> Vec<usize> {
    let has = |letter: Letter| indexes(fields, letter).next().is_some();
    if !has(Letter::Month) || has(Letter::DayOfMonth) {
        return Vec::new();
    }
    indexes(fields, Letter::DayOfYear).collect()
}

fn indexes(fields: &[(Letter, usize)], wanted: Letter) -> impl Iterator<Item = usize> {
    let fields = fields.iter().enumerate();
    fields
        .filter(move |(_, (letter, _))| *letter == wanted)
        .map(|(index, _)| index)
}

/// The format with other letters in some of its fields, which are counted from 0.
fn with_letters(format: &str, letters: &[(usize, char)]) -> String {
    let mut is_quoted = false;
    let mut fields = 0;
    let mut last = None;
    let replaced = format.chars().map(|character| {
        is_quoted ^= character == '\'';
        let field = Some(character).filter(|c| !is_quoted && c.is_ascii_alphabetic());
        fields += usize::from(field.is_some() && field != last);
        last = field;
        let other = letters.iter().find(|(index, _)| index + 1 == fields);
        match (field, other) {
            (Some(_), Some((_, letter))) => *letter,
            _ => character,
        }
    });
    replaced.collect()
}

/// How far the wall is ahead of UTC.
fn offset_seconds(moment: &DateTime<Tz>) -> i32 {
    moment.offset().fix().local_minus_utc()
}

/// `CST`, or the offset where the zone has no such name.
fn zone_name(moment: &DateTime<Tz>) -> String {
    let name = moment.offset().abbreviation().map(str::to_owned);
    name.unwrap_or_else(|| format!("GMT{}", zone_offset(moment, 3)))
}

/// `+08`, `+0800` or `+08:00`, by how often the letter stands.
fn zone_offset(moment: &DateTime<Tz>, width: usize) -> String {
    let seconds = offset_seconds(moment);
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60);
    match width {
        1 => format!("{sign}{hours:02}"),
        2 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}"),
    }
}

fn sunday_of(date: NaiveDate) -> NaiveDate {
    let days = u64::from(date.weekday().num_days_from_sunday());
    date.checked_sub_days(Days::new(days)).unwrap_or(date)
}

/// In which week a day lies, counted from the one that holds `first`.
fn weeks_since(first: Option<NaiveDate>, date: NaiveDate) -> u32 {
    let first = sunday_of(first.unwrap_or(date));
    let days = sunday_of(date).signed_duration_since(first).num_days();
    u32::try_from(days / 7 + 1).unwrap_or_default()
}

/// The year of the Saturday that ends the week: from Sunday on a week belongs to the year whose first of January it holds.
fn week_year(date: NaiveDate) -> i32 {
    let saturday = sunday_of(date).checked_add_days(Days::new(6));
    saturday.map_or(date.year(), |saturday| saturday.year())
}

/// The last days of December are in the first week when it holds the first of January.
fn week_of_year(date: NaiveDate) -> u32 {
    let saturday = sunday_of(date).checked_add_days(Days::new(6));
    if saturday.is_some_and(|saturday| saturday.year() > date.year()) {
        return 1;
    }
    weeks_since(date.with_ordinal(1), date)
}

/// What stands up to the closing quote; two quotes are one. `None` when it never closes.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if characters.next_if_eq(&'\'').is_some() {
        return Some("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match characters.next()? {
            '\'' if characters.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            character => text.push(character),
        }
    }
}

/// Whether the year is one that a format can write.
pub(super) fn is_writable(moment: &impl Datelike) -> bool {
    YEARS.contains(&moment.year())
}
