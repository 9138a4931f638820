//! The words of a phrase, where they stand, and what single ones mean.

use crate::cron::piece::Piece;

use super::phrase::{Clock, Unit};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(crate) const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
const UNITS: [(&str, Unit); 7] = [
    ("second", Unit::Second),
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("year", Unit::Year),
];
const OTHERS: [&str; 27] = [
    "every", "each", "other", "at", "on", "in", "of", "the", "and", "to", "through", "from",
    "between", "last", "noon", "midnight", "weekday", "weekdays", "weekend", "weekends", "hourly",
    "daily", "weekly", "monthly", "yearly", "annually", "minutes",
];

/// What people write for short, and akkaflow does not know.
const SHORT_UNITS: [(&str, &str); 6] = [
    ("sec", "seconds"),
    ("secs", "seconds"),
    ("min", "minutes"),
    ("mins", "minutes"),
    ("hr", "hours"),
    ("hrs", "hours"),
];

/// One word, number or mark.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    /// In lower case.
    pub(super) word: String,
    pub(super) piece: Piece<'a>,
}

/// The nth of something; `None` for the last.
pub(super) type Ordinal = Option<u32>;

/// A name that stands for a number, and whether it is spelled as akkaflow wants it.
pub(super) struct Named {
    pub(super) number: u32,
    pub(super) is_plain: bool,
}

/// Splits at blanks and around marks.
pub(super) fn tokens(whole: Piece<'_>) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut begin = None;
    let mut add = |from: usize, to: usize| {
        let text = &whole.text[from..to];
        tokens.push(Token {
            word: text.to_lowercase(),
            piece: Piece {
                text,
                start: whole.start + from,
            },
        });
    };
    for (at, character) in whole.text.char_indices() {
        if character.is_alphanumeric() || matches!(character, ':' | '\'') {
            begin.get_or_insert(at);
            continue;
        }
        if let Some(from) = begin.take() {
            add(from, at);
        }
        if !character.is_whitespace() {
            add(at, at + character.len_utf8());
        }
    }
    if let Some(from) = begin {
        add(from, whole.text.len());
    }
    tokens
}

/// All words that may stand in a phrase.
pub(super) fn vocabulary() -> impl Iterator<Item = &'static str> {
    let units = UNITS.iter().map(|(word, _)| *word);
    OTHERS
        .into_iter()
        .chain(MONTHS)
        .chain(WEEKDAYS)
        .chain(ORDINALS)
        .chain(units)
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.word == word
    }

    /// January is 1.
    pub(super) fn month(&self) -> Option<Named> {
        named(self, &MONTHS, 1)
    }

    /// Sunday is 0; a plural is one too.
    pub(super) fn weekday(&self) -> Option<Named> {
        named(self, &WEEKDAYS, 0)
    }

    /// A unit, in the singular or the plural.
    pub(super) fn unit(&self) -> Option<Unit> {
        let singular = self.word.strip_suffix('s').unwrap_or(&self.word);
        let found = UNITS.iter().find(|(word, _)| *word == singular);
        found.map(|(_, unit)| *unit)
    }

    /// The unit that a short form means.
    pub(super) fn meant_unit(&self) -> Option<&'static str> {
        let meant = SHORT_UNITS.iter().find(|(short, _)| self.is(short));
        meant.map(|(_, unit)| *unit)
    }

    pub(super) fn number(&self) -> Option<u32> {
        let is_number = self.word.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| self.word.parse().ok()).flatten()
    }

    /// `1st`, `2nd`, `last`, and `first` to `fifth`; with whether akkaflow knows it.
    pub(super) fn ordinal(&self) -> Option<(Ordinal, bool)> {
        if self.is("last") {
            return Some((None, true));
        }
        if let Some(index) = ORDINALS.iter().position(|word| self.is(word)) {
            return Some((Some(u32::try_from(index).ok()? + 1), false));
        }
        let digits = self
            .word
            .trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let is_suffix = matches!(&self.word[digits.len()..], "st" | "nd" | "rd" | "th");
        let number = digits.parse().ok().filter(|_| is_suffix)?;
        Some((Some(number), true))
    }

    /// `noon`, `midnight`, `3:30`, `3am`, `3:30:15pm`; `Some(Err)` when it looks like a time and is none.
    pub(super) fn clock(&self) -> Option<Result<Clock, ()>> {
        match self.word.as_str() {
            "noon" => return Some(Ok((12, 0, 0))),
            "midnight" => return Some(Ok((0, 0, 0))),
            _ => {}
        }
        if !self.word.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (digits, half) = match (self.word.strip_suffix("am"), self.word.strip_suffix("pm")) {
            (Some(digits), _) => (digits, Some(false)),
            (_, Some(digits)) => (digits, Some(true)),
            _ => (self.word.as_str(), None),
        };
        if half.is_none() && !digits.contains(':') {
            return None;
        }
        Some(read_clock(digits, half).ok_or(()))
    }
}

fn read_clock(digits: &str, is_afternoon: Option<bool>) -> Option<Clock> {
    let parts: Vec<&str> = digits.split(':').collect();
    let is_written_well = |part: &&str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_written_well) {
        return None;
    }
    let number = |index: usize| parts.get(index).map_or(Some(0), |part| part.parse().ok());
    let (hour, minute, second): Clock = (number(0)?, number(1)?, number(2)?);
    let hour = match is_afternoon {
        Some(false) if hour == 12 => 0,
        Some(_) if hour > 12 => return None,
        Some(true) if hour < 12 => hour + 12,
        _ => hour,
    };
    (hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
}

fn named(token: &Token<'_>, names: &[&str], first: u32) -> Option<Named> {
    let word = token.word.as_str();
    let singular = word.strip_suffix('s').unwrap_or(word);
    let index = names.iter().position(|name| {
        // `sept`, `tues` and `thurs` are short too.
        *name == singular
            || (singular.len() >= 3 && singular.len() <= 5 && name.starts_with(singular))
            || (word.len() == 4 && name.starts_with(word))
    })?;
    let name = names[index];
    let text = token.piece.text;
    let is_plain =
        text.starts_with(|first: char| first.is_ascii_uppercase()) && text[1..] == name[1..];
    Some(Named {
        number: u32::try_from(index).ok()? + first,
        is_plain,
    })
}
