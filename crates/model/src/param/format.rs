//! Dates in the letters of Java's SimpleDateFormat; names are English.

use chrono::{Datelike, NaiveDateTime, Timelike};

use crate::param::error::ParamError;

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

#[derive(Clone, Copy)]
enum Letter {
    Year,
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
}

impl Letter {
    fn from_char(letter: char) -> Option<Self> {
        Some(match letter {
            'y' => Self::Year,
            'M' => Self::Month,
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
            _ => return None,
        })
    }

    fn write(self, moment: NaiveDateTime, width: usize) -> String {
        let number = match self {
            Self::Year if width == 2 => {
                return format!("{:02}", moment.year().rem_euclid(100));
            }
            Self::Month if width >= 3 => return name(moment.format("%B").to_string(), width),
            Self::Weekday => return name(moment.format("%A").to_string(), width),
            Self::HalfDay => return moment.format("%p").to_string(),
            Self::Year => u32::try_from(moment.year()).unwrap_or_default(),
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

    pub(super) fn write(&self, moment: NaiveDateTime) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Field(letter, width) => letter.write(moment, *width),
            })
            .collect()
    }
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
pub(super) fn is_writable(moment: NaiveDateTime) -> bool {
    YEARS.contains(&moment.year())
}
