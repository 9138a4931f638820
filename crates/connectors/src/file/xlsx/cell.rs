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

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) kind: Kind,
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
        Ok(Some(Self { text, kind }).filter(|value| !value.text.is_empty()))
    }

    /// As it stands in a column of this kind: its days look like its other moments.
    pub(super) fn spelled(&self, column: Kind) -> Cow<'_, str> {
        match (self.kind, column) {
            (Kind::Date, Kind::DateTime(_)) => format!("{} 00:00:00", self.text).into(),
            _ => self.text.as_str().into(),
        }
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
        return Ok(Value { text, kind });
    }
    text += &format!(
        " {hour:02}:{minute:02}:{second:02}{}",
        fraction(milli.into())
    );
    let kind = Kind::DateTime(3);
    Ok(Value { text, kind })
}

/// A part of a day, or several days.
fn time_of(serial: f64) -> Value {
    let milliseconds = (serial * MILLISECONDS_A_DAY).round() as i64;
    let sign = if milliseconds < 0 { "-" } else { "" };
    let all = milliseconds.unsigned_abs();
    let (seconds, rest) = (all / 1000, fraction(all % 1000));
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Value {
        text: format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{rest}"),
        kind: Kind::Time(3),
    }
}

fn fraction(milliseconds: u64) -> String {
    match milliseconds {
        0 => String::new(),
        some => format!(".{some:03}"),
    }
}

/// What a column is that holds values of both.
pub(super) fn common(one: Kind, other: Kind) -> Kind {
    let is_number = |kind| matches!(kind, Kind::Integer { .. } | Kind::Double);
    let is_day = |kind| matches!(kind, Kind::Date | Kind::DateTime(_));
    match one == other {
        true => one,
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
