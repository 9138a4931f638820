//! What a cell holds, in words of a database.

use std::borrow::Cow;

use akkaflow_model::text::Text;
use calamine::{DataRef, ExcelDateTime};

use crate::column::Kind;

/// Beyond these a double does not hold every whole number.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// The serial of the day after the last one, 9999-12-31.
const DAYS: f64 = 2_958_466.0;

/// The day that Excel alone believes in.
const NO_DAY: (u16, u8, u8) = (1900, 2, 29);

const MILLISECONDS_A_DAY: f64 = 86_400_000.0;

/// Digits of the longest decimals that databases declare.
const MOST_DIGITS: u32 = 65;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Whether it is a whole number that a double would round.
    pub(super) is_beyond: bool,
}

impl Value {
    /// `None` for an empty cell, or what is wrong with it.
    pub(super) fn of(cell: &DataRef<'_>) -> Result<Option<Self>, Text> {
        let (text, kind) = match cell {
            DataRef::Empty => return Ok(None),
            DataRef::Int(number) => (number.to_string(), Kind::signed(64)),
            DataRef::Float(number) if number.fract() == 0.0 && number.abs() < WHOLE => {
                ((*number as i64).to_string(), Kind::signed(64))
            }
            DataRef::Float(number) => (number.to_string(), Kind::Double),
            DataRef::String(text) => (text.clone(), Kind::Field),
            DataRef::SharedString(text) => ((*text).to_owned(), Kind::Field),
            DataRef::Bool(is_true) => (is_true.to_string(), Kind::Boolean),
            DataRef::DateTime(moment) => return moment_of(moment).map(Some),
            DataRef::DateTimeIso(text) => (text.replacen('T', " ", 1), iso_kind(text)),
            DataRef::DurationIso(text) => (text.clone(), Kind::Field),
            DataRef::Error(error) => {
                return Err(Text::new(
                    format!("的值是错误{error}；请在Excel中更正"),
                    format!("holds the error {error}: mend it in Excel"),
                ));
            }
        };
        // A formula that comes to nothing looks like an empty cell.
        Ok(Some(Self::new(text, kind)).filter(|value| !value.text.is_empty()))
    }

    fn new(text: String, kind: Kind) -> Self {
        Self {
            text,
            kind,
            is_beyond: false,
        }
    }

    /// A number that [`may_be_rounded`], as its cell spells it: with all digits where that is a whole number, else the double that it is.
    pub(super) fn spelled_out(number: f64, digits: &str) -> Self {
        let rounded = number.to_string();
        let (sign, bare) = match digits.strip_prefix('-') {
            Some(bare) => ("-", bare),
            None => ("", digits.strip_prefix('+').unwrap_or(digits)),
        };
        let bare = bare.trim_start_matches('0');
        if bare.is_empty() || !bare.bytes().all(|digit| digit.is_ascii_digit()) {
            return Self::new(rounded, Kind::Double);
        }
        let text = format!("{sign}{bare}");
        let kind = match text.parse::<i64>() {
            Ok(_) => Kind::signed(64),
            Err(_) if bare.len() <= MOST_DIGITS as usize => Kind::Decimal(Some((MOST_DIGITS, 0))),
            Err(_) => Kind::Field,
        };
        Self {
            is_beyond: text != rounded,
            text,
            kind,
        }
    }

    /// As it stands in a column of this kind: its days look like its other moments.
    pub(super) fn spelled(&self, column: Kind) -> Cow<'_, str> {
        match (self.kind, column) {
            (Kind::Date, Kind::DateTime(_)) => format!("{} 00:00:00", self.text).into(),
            _ => self.text.as_str().into(),
        }
    }
}

/// Whether the cell holds a number of which a double may have lost digits.
pub(super) fn may_be_rounded(cell: &DataRef<'_>) -> Option<f64> {
    match cell {
        DataRef::Float(number) => Some(*number).filter(|it| it.is_finite() && it.abs() >= WHOLE),
        _ => None,
    }
}

fn iso_kind(text: &str) -> Kind {
    match text.contains('T') {
        true => Kind::DateTime(3),
        false => Kind::Date,
    }
}

/// A number that the cell's format shows as a day, a time or both.
fn moment_of(moment: &ExcelDateTime) -> Result<Value, Text> {
    let serial = moment.as_f64();
    if moment.is_duration() {
        return Ok(time_of(serial));
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    if !(0.0..DAYS).contains(&serial) || (year, month, day) == NO_DAY {
        return Err(Text::new(
            format!("按日期显示，但{serial}不是日期"),
            format!("is shown as a date, but {serial} is none"),
        ));
    }
    if serial < 1.0 {
        return Ok(time_of(serial));
    }
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second, milli) == (0, 0, 0, 0) {
        let kind = Kind::Date;
        return Ok(Value::new(text, kind));
    }
    text += &format!(
        " {hour:02}:{minute:02}:{second:02}{}",
        fraction(milli.into())
    );
    Ok(Value::new(text, Kind::DateTime(3)))
}

/// A part of a day, or several days.
fn time_of(serial: f64) -> Value {
    let milliseconds = (serial * MILLISECONDS_A_DAY).round() as i64;
    let sign = if milliseconds < 0 { "-" } else { "" };
    let all = milliseconds.unsigned_abs();
    let (seconds, rest) = (all / 1000, fraction(all % 1000));
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{rest}");
    Value::new(text, Kind::Time(3))
}

fn fraction(milliseconds: u64) -> String {
    match milliseconds {
        0 => String::new(),
        some => format!(".{some:03}"),
    }
}

/// What a column is that holds values of both.
pub(super) fn common(one: Kind, other: Kind) -> Kind {
    let is_whole = |kind| matches!(kind, Kind::Integer { .. } | Kind::Decimal(_));
    let is_number = |kind| is_whole(kind) || kind == Kind::Double;
    let is_day = |kind| matches!(kind, Kind::Date | Kind::DateTime(_));
    match one == other {
        true => one,
        false if is_whole(one) && is_whole(other) => Kind::Decimal(Some((MOST_DIGITS, 0))),
        false if is_number(one) && is_number(other) => Kind::Double,
        false if is_day(one) && is_day(other) => Kind::DateTime(3),
        false => Kind::Field,
    }
}

/// `C5` for row 4, column 2, both from 0.
pub(super) fn name_of(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.reverse();
    format!("{}{}", String::from_utf8_lossy(&letters), row + 1)
}
