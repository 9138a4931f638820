//! `time.today|format|shift`.

use chrono::{
    DateTime, MappedLocalTime, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
};
use chrono_tz::{GapInfo, Tz};

use crate::param::error::ParamError;
use crate::param::format::{self, Pattern};
use crate::param::misleading::{self, Misleading};
use crate::shape::half_width;
use crate::time::Timestamp;

/// A date expression, read.
struct Expression<'a> {
    keyword: Keyword,
    format: &'a str,
    shift: Option<Shift>,
}

#[derive(Clone, Copy)]
enum Keyword {
    Today,
    Yesterday,
    CurrentMonth,
    LastMonth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    count: i64,
    unit: Unit,
    /// Whether the unit is one of the four words, rather than one that happens to contain it or none.
    is_plain_unit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
    Hour,
    Minute,
}

impl Unit {
    const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Hour => "hour",
            Self::Minute => "minute",
        }
    }
}

impl Keyword {
    const WORDS: [&str; 4] = [
        "time.today",
        "time.yestoday",
        "time.cur_month",
        "time.last_month",
    ];

    fn parse(word: &str) -> Result<Self, ParamError> {
        match word {
            "time.today" => Ok(Self::Today),
            "time.yestoday" => Ok(Self::Yesterday),
            "time.cur_month" => Ok(Self::CurrentMonth),
            "time.last_month" => Ok(Self::LastMonth),
            _ => Err(ParamError::Keyword {
                keyword: crate::quote::shortened(word),
                meant: closest_keyword(word),
            }),
        }
    }

    fn default_format(self) -> &'static str {
        match self {
            Self::Today | Self::Yesterday => "yyyy-MM-dd",
            Self::CurrentMonth | Self::LastMonth => "yyyy-MM",
        }
    }

    fn shift(self) -> Option<Shift> {
        let unit = match self {
            Self::Today | Self::CurrentMonth => return None,
            Self::Yesterday => Unit::Day,
            Self::LastMonth => Unit::Month,
        };
        Some(Shift {
            count: -1,
            unit,
            is_plain_unit: true,
        })
    }
}

/// The keyword that was most likely meant; `yesterday` is what people write for akkaflow's `yestoday`.
fn closest_keyword(word: &str) -> Option<&'static str> {
    let aliases = [
        ("time.yesterday", "time.yestoday"),
        ("time.now", "time.today"),
        ("time.this_month", "time.cur_month"),
        ("time.current_month", "time.cur_month"),
        ("time.month", "time.cur_month"),
        ("time.date", "time.today"),
        ("time.day", "time.today"),
    ];
    let word = word.to_lowercase();
    let meant = |written: &str| {
        let alias = aliases.iter().find(|(alias, _)| *alias == written);
        alias.map_or_else(
            || Keyword::WORDS.into_iter().find(|known| *known == written),
            |(_, meant)| Some(*meant),
        )
    };
    let known = || {
        let aliases = aliases.into_iter().map(|(alias, _)| alias);
        Keyword::WORDS.into_iter().chain(aliases)
    };
    // `time.` is five letters that are always right: only what follows tells words apart.
    let ending = |word: &'static str| word.strip_prefix("time.").unwrap_or(word);
    let rest = word.strip_prefix("time.").unwrap_or(&word);
    meant(&word).or_else(|| {
        let close = crate::suggest::closest(rest, known().map(ending))?;
        meant(&format!("time.{close}"))
    })
}

impl Shift {
    fn parse(text: &str) -> Result<Self, ParamError> {
        let error = || ParamError::Shift {
            shift: crate::quote::shortened(text),
        };
        let (count, unit) = text.split_once(char::is_whitespace).ok_or_else(error)?;
        let count: i64 = count.parse().map_err(|_| error())?;
        let unit = unit.trim().to_lowercase();
        if unit.is_empty() {
            return Err(error());
        }
        // The order and the substring rule are akkaflow's: `-1 weekday` is a day.
        let known = [
            ("day", Unit::Day),
            ("month", Unit::Month),
            ("hour", Unit::Hour),
            ("minute", Unit::Minute),
        ];
        let found = known.into_iter().find(|(word, _)| unit.contains(word));
        Ok(Self {
            count,
            unit: found.map_or(Unit::Day, |(_, unit)| unit),
            is_plain_unit: found
                .is_some_and(|(word, _)| unit == word || unit.strip_suffix('s') == Some(word)),
        })
    }

    /// Moves the wall's date by days or months; the last day of a shorter month stands in for one that it lacks.
    fn move_date(self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        match self.unit {
            Unit::Day => moment.checked_add_signed(TimeDelta::try_days(self.count)?),
            Unit::Month => {
                let months = Months::new(u32::try_from(self.count.unsigned_abs()).ok()?);
                if self.count < 0 {
                    moment.checked_sub_months(months)
                } else {
                    moment.checked_add_months(months)
                }
            }
            Unit::Hour | Unit::Minute => Some(moment),
        }
    }

    /// Hours and minutes elapse, whatever the wall does; `Some(None)` when there are too many.
    fn elapsed(self) -> Option<Option<TimeDelta>> {
        match self.unit {
            Unit::Hour => Some(TimeDelta::try_hours(self.count)),
            Unit::Minute => Some(TimeDelta::try_minutes(self.count)),
            Unit::Day | Unit::Month => None,
        }
    }
}

fn parse(expression: &str) -> Result<Expression<'_>, ParamError> {
    parse_as_written(expression).map_err(|error| {
        let narrow = half_width(expression);
        if narrow != expression && parse_as_written(&narrow).is_ok() {
            return ParamError::Wide {
                expression: crate::quote::shortened(expression),
                meant: crate::quote::shortened(&narrow),
            };
        }
        error
    })
}

fn parse_as_written(expression: &str) -> Result<Expression<'_>, ParamError> {
    let parts: Vec<&str> = expression.split('|').map(str::trim).collect();
    let (keyword, format, shift) = match parts.as_slice() {
        [keyword] => (*keyword, None, None),
        [keyword, format] => (*keyword, Some(*format), None),
        [keyword, format, shift] => (*keyword, Some(*format), Some(*shift)),
        _ => {
            return Err(ParamError::Parts {
                expression: crate::quote::shortened(expression),
            });
        }
    };
    let keyword = Keyword::parse(keyword)?;
    Ok(Expression {
        keyword,
        format: format.unwrap_or(keyword.default_format()),
        shift: shift.map(Shift::parse).transpose()?,
    })
}

/// The text that an expression stands for.
pub(super) fn evaluate(
    expression: &str,
    fire_time: Timestamp,
    zone: Tz,
) -> Result<String, ParamError> {
    let parsed = parse(expression)?;
    let pattern = pattern(&parsed)?;
    moment(&parsed, fire_time, zone)
        .map(|moment| pattern.write(&moment))
        .ok_or_else(|| ParamError::OutOfRange {
            expression: crate::quote::shortened(expression),
        })
}

/// Its format; a shift that stands in the place of one is most likely that, and the format was forgotten.
fn pattern(expression: &Expression<'_>) -> Result<Pattern, ParamError> {
    Pattern::parse(expression.format).map_err(|error| match expression.shift_as_format() {
        Some(shift) => ParamError::NoFormat {
            shift: crate::quote::shortened(shift),
            default: expression.keyword.default_format(),
        },
        None => error,
    })
}

impl<'a> Expression<'a> {
    /// What stands in the place of the format, if it is a shift.
    fn shift_as_format(&self) -> Option<&'a str> {
        let is_shift = Shift::parse(self.format).is_ok_and(|shift| shift.is_plain_unit);
        (self.shift.is_none() && is_shift).then_some(self.format)
    }

    /// `yyyyMMdd|-1 day` where `yyyyMMdd,-1 day` is written.
    fn shift_in_format(&self) -> Option<String> {
        if self.shift.is_some() {
            return None;
        }
        let (format, shift) = self.format.rsplit_once([',', '，', ';', '；', '、'])?;
        let is_shift = Shift::parse(shift.trim()).is_ok_and(|shift| shift.is_plain_unit);
        is_shift.then(|| crate::quote::shortened(&format!("{}|{}", format.trim(), shift.trim())))
    }
}

fn moment(expression: &Expression<'_>, fire_time: Timestamp, zone: Tz) -> Option<DateTime<Tz>> {
    let mut utc = fire_time.to_utc().naive_utc();
    let shifts = || {
        [expression.keyword.shift(), expression.shift]
            .into_iter()
            .flatten()
    };
    for elapsed in shifts().filter_map(Shift::elapsed) {
        utc = utc.checked_add_signed(elapsed?)?;
    }
    // Far from the ends of chrono's range, where adding an offset would leave it.
    if !format::is_writable(&utc) {
        return None;
    }
    let mut wall = utc.and_utc().with_timezone(&zone);
    for shift in shifts().filter(|shift| shift.elapsed().is_none()) {
        wall = shown(shift.move_date(wall.naive_local())?, zone)?;
    }
    format::is_writable(&wall).then_some(wall)
}

/// The wall at a local time, the first of two. One that it leaves out is as much later as the wall moves forward, as in Java.
fn shown(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    if !format::is_writable(&local) {
        return None;
    }
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(wall) | MappedLocalTime::Ambiguous(wall, _) => Some(wall),
        MappedLocalTime::None => {
            let (_, before) = GapInfo::new(&local, &zone)?.begin?;
            let utc = local.checked_sub_offset(before.fix())?;
            Some(utc.and_utc().with_timezone(&zone))
        }
    }
}

/// What is wrong with an expression whatever the time is, or what in it will be taken for something else.
pub(crate) fn check(expression: &str) -> Result<Vec<Misleading>, ParamError> {
    let parsed = parse(expression)?;
    let pattern = pattern(&parsed)?;
    let other_part = pattern.other_part(parsed.format);
    let written = other_part
        .as_ref()
        .map_or(parsed.format, |(meant, _)| meant);
    // Both at once where both are wrong: `YYYYMMDD`.
    let meant = match pattern.has_week_year() {
        true => misleading::meant_format(written),
        false => written.to_owned(),
    };
    let week_year = pattern.has_week_year().then(|| Misleading::WeekYear {
        format: crate::quote::shortened(parsed.format),
        meant: meant.clone(),
    });
    let no_format = parsed
        .format
        .trim()
        .is_empty()
        .then(|| Misleading::NoFormat {
            expression: crate::quote::shortened(expression),
            default: parsed.keyword.default_format(),
        });
    let shift_as_format = parsed
        .shift_as_format()
        .map(|shift| Misleading::ShiftAsFormat {
            shift: crate::quote::shortened(shift),
            default: parsed.keyword.default_format(),
        });
    let shift_in_format = parsed
        .shift_in_format()
        .map(|meant| Misleading::ShiftInFormat {
            format: crate::quote::shortened(parsed.format),
            meant,
        });
    let other_part = other_part.map(|(_, why)| Misleading::OtherPart {
        format: crate::quote::shortened(parsed.format),
        meant,
        why,
    });
    let shift = parsed.shift.filter(|shift| !shift.is_plain_unit);
    let unit = shift.map(|shift| Misleading::Unit {
        shift: crate::quote::shortened(expression.rsplit('|').next().unwrap_or_default()),
        counts_as: shift.unit.word(),
    });
    let found = match shift_as_format.or(shift_in_format) {
        // Whatever its letters would mean.
        Some(shift) => [Some(shift), None, None, None],
        None => [week_year, no_format, other_part, unit],
    };
    Ok(found.into_iter().flatten().collect())
}

/// Reads `yyyy-MM-dd` and `yyyy-MM-ddTHH:mm:ss`, the latter with a blank and without seconds too.
pub(crate) fn parse_local(text: &str) -> Option<NaiveDateTime> {
    const TIMES: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    // chrono would take signs and short years.
    let has_four_digit_year = text.len() >= 10
        && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && text.as_bytes()[4] == b'-';
    if !has_four_digit_year {
        return None;
    }
    let date = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    TIMES
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(date)
}
