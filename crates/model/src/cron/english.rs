//! The English grammar of akkaflow's library cronish, and a little more.
//!
//! ```text
//! phrase     = every what | daily | weekly | ... | nothing, then any of the following in any order
//! every what = second | minute | hour | day | month | year | other UNIT | N UNITs
//!            | TIME | WEEKDAYS | ORDINAL day | ORDINAL WEEKDAY
//! at         TIME, TIME and TIME | TIME to TIME | every N minutes
//! on         WEEKDAYS | the weekday | the weekend | the last day of week | the ORDINALS day | the ORDINAL WEEKDAY
//! in         MONTHS | every month | the year 2027
//! of         the month | MONTHS
//! from       TIME to TIME
//! TIME       noon | midnight | 3am | 3:30 | 3:30:15 | 3:30pm
//! ```
//!
//! Names may be short (`mon`, `jan`) and in any case; lists are parted by commas and `and`, ranges by `to`, `through`
//! or `-`. A weekday overrides the day of month, as in the fields.
//!
//! **A deliberate departure.** cronish takes every unit that a phrase does not name as "any", so that `every last friday`
//! fires at each minute of that day, `every hour` at each minute, and `every month at noon` daily. Here the units
//! below the named ones are at their begin: midnight, minute 0, the 1st. Whenever that makes a difference the
//! expression carries [`Note::OtherInAkkaflow`](crate::cron::Note::OtherInAkkaflow) with the fields that akkaflow 2.12
//! used.

mod phrase;
mod token;

use crate::cron::parse::bits;
use crate::cron::piece::Piece;
use crate::cron::{Cron, CronError, Style};
use crate::quote::shortened;
use crate::suggest::closest;
use phrase::{Clock, Field, Phrase, Unit};
pub(crate) use token::WEEKDAYS;
use token::{Ordinal, Token, tokens, vocabulary};

pub(super) fn parse(text: &str, whole: Piece<'_>, style: Style) -> Result<Cron, Vec<CronError>> {
    let mut parser = Parser {
        tokens: tokens(whole),
        at: 0,
        whole,
        phrase: Phrase::default(),
    };
    match parser.phrase() {
        Ok(()) => Ok(parser.phrase.into_cron(text, style)),
        Err(error) => Err(vec![error]),
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    /// The next token.
    at: usize,
    whole: Piece<'a>,
    phrase: Phrase,
}

type Read<T> = Result<T, CronError>;

/// A time of day, and the hour that akkaflow takes it for: `12am` is noon there.
struct Time {
    clock: Clock,
    akkaflow_hour: u32,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn peek_second(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at + 1)
    }

    /// Takes the next token if it is `word`.
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes the next token if it is one of `words`.
    fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(word))
    }

    /// From here on akkaflow would refuse the phrase.
    fn beyond_akkaflow(&mut self) {
        self.phrase.akkaflow.is_refused = true;
    }

    fn phrase(&mut self) -> Read<()> {
        self.phrase.akkaflow.is_lead = true;
        if self.peek().is_some_and(|token| token.is("each")) {
            self.beyond_akkaflow();
        }
        if self.take_any(&["every", "each"]) {
            self.every(true)?;
        } else {
            self.beyond_akkaflow();
            self.adverb();
        }
        self.phrase.akkaflow.is_lead = false;
        while self.peek().is_some() {
            self.clause()?;
        }
        Ok(())
    }

    /// `daily` and the like at the begin.
    fn adverb(&mut self) {
        let adverbs = [
            ("hourly", Unit::Hour),
            ("daily", Unit::Day),
            ("weekly", Unit::Week),
            ("monthly", Unit::Month),
            ("yearly", Unit::Year),
            ("annually", Unit::Year),
        ];
        if let Some((_, unit)) = adverbs.into_iter().find(|(word, _)| self.take(word)) {
            self.each_unit(unit, 1, true);
        }
    }

    fn clause(&mut self) -> Read<()> {
        if self.take_any(&[","]) || self.take("and") {
            self.beyond_akkaflow();
            if self.peek().is_none() {
                return Err(self.ends("接下来的内容", "more"));
            }
        }
        if self.take("at") {
            self.at_clause()
        } else if self.take("on") {
            self.on_clause()
        } else if self.take("in") {
            self.in_clause()
        } else if self.take("of") {
            self.beyond_akkaflow();
            self.of_clause()
        } else if self.take_any(&["from", "between"]) {
            self.beyond_akkaflow();
            self.times()
        } else if self.take_any(&["every", "each"]) {
            self.beyond_akkaflow();
            self.every(false)
        } else {
            self.bare_clause()
        }
    }

    /// A time or days without the word before them.
    fn bare_clause(&mut self) -> Read<()> {
        self.beyond_akkaflow();
        let Some(token) = self.peek() else {
            return Err(self.ends("时间", "a time"));
        };
        if token.clock().is_some() {
            self.times()
        } else if token.weekday().is_some() || token.ordinal().is_some() || is_day_group(token) {
            self.on_clause()
        } else if token.month().is_some() {
            self.months()
        } else {
            Err(self.unexpected(
                "at、on、in、every，或时间、星期",
                "`at`, `on`, `in`, `every`, a time or a day",
            ))
        }
    }

    /// What follows `every`.
    fn every(&mut self, is_lead: bool) -> Read<()> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.ends("时间单位", "what comes after `every`, as in `every day`"));
        };
        if token.clock().is_some() {
            return self.times();
        }
        if token.is("other") {
            self.at += 1;
            return self.every_other(is_lead);
        }
        if let Some(count) = token.number() {
            self.at += 1;
            return self.every_few(count, &token, is_lead);
        }
        let is_ordinal_second = token.is("second")
            && self
                .peek_second()
                .is_some_and(|next| next.weekday().is_some());
        if token.is("second") && self.peek_second().is_some_and(|next| next.is("day")) {
            return Err(self
                .unexpected("明确的写法", "something less ambiguous")
                .helped(
                    "请写 `every other day`（隔天）或 `every 2nd day`（每月2日）",
                    "write `every other day`, or `every 2nd day` for the 2nd of the month",
                ));
        }
        if let Some(unit) = token.unit().filter(|_| !is_ordinal_second) {
            if token.word.ends_with('s') || unit == Unit::Week {
                self.beyond_akkaflow();
            }
            self.at += 1;
            self.each_unit(unit, 1, is_lead);
            return Ok(());
        }
        if token.ordinal().is_some() || token.weekday().is_some() || is_day_group(&token) {
            if is_lead {
                self.phrase.lead = Some(Unit::Day);
            }
            return self.day_clause();
        }
        if token.month().is_some() {
            self.beyond_akkaflow();
            if is_lead {
                self.phrase.lead = Some(Unit::Month);
            }
            return self.months();
        }
        Err(self.unexpected(
            "时间单位、星期或时间",
            "a unit, a weekday or a time after `every`",
        ))
    }

    fn every_other(&mut self, is_lead: bool) -> Read<()> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.ends("时间单位", "a unit after `other`"));
        };
        match token.unit() {
            Some(Unit::Week) => Err(every_few_weeks(token.piece, 2)),
            Some(Unit::Year) => Err(every_few_years(token.piece)),
            Some(unit) => {
                self.at += 1;
                self.each_unit(unit, 2, is_lead);
                Ok(())
            }
            None if token.weekday().is_some() => Err(every_few_weeks(token.piece, 2)),
            None => Err(self.unexpected("时间单位", "a unit after `other`")),
        }
    }

    fn every_few(&mut self, count: u32, number: &Token<'a>, is_lead: bool) -> Read<()> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.ends(
                "时间单位",
                "a unit after the number, as in `every 10 minutes`",
            ));
        };
        let Some(unit) = token.unit() else {
            return Err(self.unexpected(
                "时间单位（如minutes）",
                "a unit after the number, as in `every 10 minutes`",
            ));
        };
        if !token.word.ends_with('s') {
            self.beyond_akkaflow();
        }
        let most = match unit {
            Unit::Second | Unit::Minute => 59,
            Unit::Hour => 23,
            Unit::Day => 31,
            Unit::Month => 12,
            Unit::Week => 0,
            Unit::Year => return Err(every_few_years(token.piece)),
        };
        if unit == Unit::Week && count > 1 {
            return Err(every_few_weeks(number.piece, count));
        }
        if count == 0 {
            return Err(zero(number.piece));
        }
        if count > most && unit != Unit::Week {
            return Err(too_many(number.piece, &token.word, most));
        }
        self.at += 1;
        self.each_unit(unit, count, is_lead);
        Ok(())
    }

    /// Each unit, or one of `step`.
    fn each_unit(&mut self, unit: Unit, step: u32, is_lead: bool) {
        let phrase = &mut self.phrase;
        if is_lead {
            phrase.lead = Some(unit);
        }
        let steps = |first: u32, last: u32| {
            (first..=last)
                .step_by(usize::try_from(step).unwrap_or(1))
                .fold(0, |all, bit| all | 1 << bit)
        };
        let field = match unit {
            Unit::Second => {
                phrase.seconds = Some(steps(0, 59));
                None
            }
            Unit::Minute => {
                phrase.minutes = Some(steps(0, 59));
                Some(Field::Minute)
            }
            Unit::Hour => {
                phrase.hours = Some(steps(0, 23));
                Some(Field::Hour)
            }
            Unit::Day => {
                phrase.month_days = Some(steps(1, 31));
                Some(Field::Day)
            }
            Unit::Month => {
                phrase.months = Some(steps(1, 12));
                Some(Field::Month)
            }
            Unit::Week | Unit::Year => None,
        };
        if let Some(field) = field {
            let text = if step == 1 {
                "*".to_owned()
            } else {
                format!("*/{step}")
            };
            phrase.akkaflow.set(field, text);
        }
    }

    fn at_clause(&mut self) -> Read<()> {
        if self.take("every") {
            let is_short = |token: &Token<'_>| {
                matches!(token.unit(), Some(Unit::Second | Unit::Minute | Unit::Hour))
            };
            let is_time = self.peek().is_some_and(|token| {
                is_short(token)
                    || ((token.number().is_some() || token.is("other"))
                        && self.peek_second().is_some_and(is_short))
            });
            if !is_time {
                self.beyond_akkaflow();
            }
            return self.every(false);
        }
        self.times()
    }

    /// `TIME`, lists and ranges of it.
    fn times(&mut self) -> Read<()> {
        let first = self.clock()?;
        let is_range =
            self.take_any(&["to", "through", "-", "–"]) || (self.is_between() && self.take("and"));
        if is_range {
            let last = self.clock()?;
            self.clock_range(&first, &last);
            return Ok(());
        }
        let mut clocks = vec![first];
        while self.next_in_list(|token| token.clock().is_some()) {
            clocks.push(self.clock()?);
        }
        let distinct = |numbers: Vec<u32>| {
            let mut words: Vec<String> = Vec::new();
            for number in numbers {
                let word = number.to_string();
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            words.join(",")
        };
        let hours = distinct(clocks.iter().map(|time| time.akkaflow_hour).collect());
        let minutes = distinct(clocks.iter().map(|time| time.clock.1).collect());
        self.phrase.akkaflow.set(Field::Hour, hours);
        self.phrase.akkaflow.set(Field::Minute, minutes);
        let clocks = clocks.into_iter().map(|time| time.clock);
        self.phrase.clocks.extend(clocks);
        Ok(())
    }

    /// Whether the range began with `between`, whose middle is `and`.
    fn is_between(&self) -> bool {
        self.at
            .checked_sub(2)
            .and_then(|at| self.tokens.get(at))
            .is_some_and(|token| token.is("between"))
    }

    fn clock(&mut self) -> Read<Time> {
        const WANTED: (&str, &str) = (
            "时间（如3:30、3am、noon）",
            "a time, as in 3:30, 3am or noon",
        );
        let Some(token) = self.peek().cloned() else {
            return Err(self.ends(WANTED.0, WANTED.1));
        };
        self.at += 1;
        let mut word = token.word.clone();
        let is_bare = token.number().is_some();
        // `3 am`, `3:30 pm`, and even `at 3`.
        if is_bare || (word.contains(':') && !word.ends_with('m')) {
            match ["am", "pm"].into_iter().find(|half| self.take(half)) {
                Some(half) => word.push_str(half),
                None if is_bare => {
                    self.beyond_akkaflow();
                    word.push_str(":00");
                }
                None => {}
            }
        }
        let is_half_of_minutes = word.ends_with('m') && word.contains(':');
        if is_half_of_minutes {
            self.beyond_akkaflow();
        }
        let is_twelve_am = word == "12am";
        let token = Token {
            word,
            piece: token.piece,
        };
        match token.clock() {
            Some(Ok(clock)) => Ok(Time {
                clock,
                akkaflow_hour: if is_twelve_am { 12 } else { clock.0 },
            }),
            Some(Err(())) => Err(wrong_clock(token.piece)),
            None => {
                self.at -= 1;
                Err(self.unexpected(WANTED.0, WANTED.1))
            }
        }
    }

    fn clock_range(&mut self, first: &Time, last: &Time) {
        let theirs = (first.akkaflow_hour, last.akkaflow_hour);
        let (first, last) = (first.clock, last.clock);
        let around = |first: u32, last: u32, most: u32| {
            if first <= last {
                bits(first, last)
            } else {
                bits(first, most) | bits(0, last)
            }
        };
        let text = |first: u32, last: u32| {
            if first == last {
                first.to_string()
            } else {
                format!("{}-{}", first.min(last), first.max(last))
            }
        };
        let hours = around(first.0, last.0, 23);
        let minutes = around(first.1.min(last.1), first.1.max(last.1), 59);
        self.phrase.clock_ranges.push((hours, minutes));
        let akkaflow = &mut self.phrase.akkaflow;
        akkaflow.set(Field::Hour, text(theirs.0, theirs.1));
        akkaflow.set(Field::Minute, text(first.1, last.1));
    }

    /// Whether a list goes on with something that `fits`; takes what parts it.
    fn next_in_list(&mut self, fits: impl Fn(&Token<'_>) -> bool) -> bool {
        let comma = self.tokens.get(self.at).is_some_and(|token| token.is(","));
        let after_comma = self.at + usize::from(comma);
        let and = self
            .tokens
            .get(after_comma)
            .is_some_and(|token| token.is("and"));
        let next = after_comma + usize::from(and);
        let goes_on = (comma || and) && self.tokens.get(next).is_some_and(fits);
        if goes_on {
            self.at = next;
        }
        goes_on
    }

    fn on_clause(&mut self) -> Read<()> {
        if self.take_any(&["every", "each"]) {
            return self.every(false);
        }
        self.day_clause()
    }

    /// Weekdays, `the weekend`, or ordinals with what they count.
    fn day_clause(&mut self) -> Read<()> {
        let has_article = self.take("the");
        let Some(token) = self.peek().cloned() else {
            return Err(self.ends("星期或日期", "a day, as in `monday` or `the 1st day`"));
        };
        if is_day_group(&token) {
            self.at += 1;
            if !has_article || token.word.ends_with('s') {
                self.beyond_akkaflow();
            }
            let (days, text) = if token.word.starts_with("weekday") {
                (bits(1, 5), "1-5")
            } else {
                (1 | 1 << 6, "0,6")
            };
            self.phrase.weekdays |= days;
            self.phrase.akkaflow.set(Field::Weekday, text);
            return Ok(());
        }
        if token.ordinal().is_some() {
            return self.ordinals();
        }
        if token.weekday().is_some() {
            if has_article {
                self.beyond_akkaflow();
            }
            return self.weekdays();
        }
        Err(self.unexpected(
            "星期（如monday）或日期（如the 1st day）",
            "a day, as in `monday`, `the weekend` or `the 1st day`",
        ))
    }

    fn weekdays(&mut self) -> Read<()> {
        let first = self.weekday()?;
        if self.take_any(&["to", "through", "-", "–"]) {
            let last = self.weekday()?;
            let days = if first <= last {
                bits(first, last)
            } else {
                bits(first, 6) | bits(0, last)
            };
            self.phrase.weekdays |= days;
            let text = format!("{first}-{last}");
            self.phrase.akkaflow.set(Field::Weekday, text);
            return Ok(());
        }
        let mut days = vec![first];
        while self.next_in_list(|token| token.weekday().is_some()) {
            if self.phrase.akkaflow.is_lead {
                self.beyond_akkaflow();
            }
            days.push(self.weekday()?);
        }
        let text: Vec<String> = days.iter().map(u32::to_string).collect();
        self.phrase.weekdays |= days.iter().fold(0, |all, day| all | 1 << day);
        self.phrase.akkaflow.set(Field::Weekday, text.join(","));
        Ok(())
    }

    fn weekday(&mut self) -> Read<u32> {
        match self.peek().and_then(Token::weekday) {
            Some(named) => {
                self.at += 1;
                if !named.is_plain {
                    self.beyond_akkaflow();
                }
                Ok(named.number)
            }
            None if self.peek().is_none() => Err(self.ends("星期", "a weekday")),
            None => Err(self.unexpected("星期（如monday）", "a weekday, as in `monday`")),
        }
    }

    /// `1st, 3rd days`, `last day`, `2nd Monday`, `last day of week`.
    fn ordinals(&mut self) -> Read<()> {
        let first = self.ordinal()?;
        let mut ordinals = vec![first];
        let mut text = ordinal_text(first);
        if self.take_any(&["to", "through", "-", "–"]) {
            let last = self.ordinal()?;
            text = format!("{text}-{}", ordinal_text(last));
            if let (Some(from), Some(to)) = (first, last) {
                ordinals.extend((from..=to).map(Some));
            } else {
                ordinals.extend((first.unwrap_or(31)..=31).map(Some));
                ordinals.push(last);
            }
        } else {
            while self.next_in_list(|token| token.ordinal().is_some()) {
                let next = self.ordinal()?;
                text = format!("{text},{}", ordinal_text(next));
                ordinals.push(next);
            }
        }
        match self.peek() {
            Some(token) if token.weekday().is_some() => self.nth_weekdays(&ordinals),
            Some(token) if is_day_group(token) => Err(nth_of_group(token)),
            _ => self.month_days(&ordinals, text),
        }
    }

    fn ordinal(&mut self) -> Read<Ordinal> {
        let Some((ordinal, is_known)) = self.peek().and_then(Token::ordinal) else {
            return Err(self.unexpected("序数（如1st、last）", "a number, as in `1st` or `last`"));
        };
        if !is_known {
            self.beyond_akkaflow();
        }
        if ordinal.is_some_and(|number| !(1..=31).contains(&number)) {
            let found = self.peek().map_or(self.whole, |token| token.piece);
            return Err(found.error(
                format!("每月没有 `{}`", found.text),
                format!("a month has no `{}` day", found.text),
            ));
        }
        self.at += 1;
        Ok(ordinal)
    }

    fn nth_weekdays(&mut self, ordinals: &[Ordinal]) -> Read<()> {
        if ordinals.len() > 1 {
            self.beyond_akkaflow();
        }
        let place = self.at;
        let mut days = vec![self.weekday()?];
        while self.next_in_list(|token| token.weekday().is_some()) {
            self.beyond_akkaflow();
            days.push(self.weekday()?);
        }
        for ordinal in ordinals {
            for day in &days {
                match ordinal {
                    None => self.phrase.last_weekdays |= 1 << day,
                    Some(nth @ 1..=5) => {
                        let index = usize::try_from(nth - 1).unwrap_or_default();
                        self.phrase.nth_weekdays[index] |= 1 << day;
                    }
                    Some(nth) => {
                        let piece = self.tokens[place].piece;
                        return Err(piece.error(
                            format!("一个月没有第{nth}个`{}`", piece.text),
                            format!("no month has a {nth}th `{}`", piece.text),
                        ));
                    }
                }
            }
        }
        let text = match ordinals[0] {
            None => format!("{}L", days[0]),
            Some(nth) => format!("{}#{nth}", days[0]),
        };
        self.phrase.akkaflow.set(Field::Weekday, text);
        Ok(())
    }

    fn month_days(&mut self, ordinals: &[Ordinal], text: String) -> Read<()> {
        let has_word = self.take_any(&["day", "days"]);
        if !has_word {
            self.beyond_akkaflow();
            let is_of_month = self.peek().is_some_and(|token| token.is("of"));
            if ordinals.contains(&None) && !is_of_month {
                return Err(self.unexpected(
                    "day或星期（如last day、last friday）",
                    "a day after `last`, as in `last day` or `last friday`",
                ));
            }
        }
        let is_of_week = has_word
            && self.peek().is_some_and(|token| token.is("of"))
            && self.tokens[self.at + 1..]
                .iter()
                .find(|token| !token.is("the"))
                .is_some_and(|token| token.is("week"));
        if is_of_week {
            self.take("of");
            if self.take("the") {
                self.beyond_akkaflow();
            }
            self.take("week");
            if ordinals != [None] {
                return Err(self.whole.error(
                    "只能写 `the last day of week`（周六）",
                    "only `the last day of week` (Saturday) can be said",
                ));
            }
            self.phrase.weekdays |= 1 << 6;
            self.phrase.akkaflow.set(Field::Weekday, "L");
            return Ok(());
        }
        let mut days = self
            .phrase
            .month_days
            .filter(|days| *days != bits(1, 31))
            .unwrap_or_default();
        for ordinal in ordinals {
            match ordinal {
                Some(day) => days |= 1 << day,
                None => self.phrase.has_last_day = true,
            }
        }
        self.phrase.month_days = (days != 0 || !self.phrase.has_last_day).then_some(days);
        self.phrase.akkaflow.set(Field::Day, text);
        Ok(())
    }

    fn in_clause(&mut self) -> Read<()> {
        if self.take_any(&["every", "each"]) {
            return self.every(false);
        }
        let is_year = self.peek().is_some_and(|token| token.is("the"))
            && self.peek_second().is_some_and(|token| token.is("year"));
        if is_year {
            self.at += 2;
            return self.years();
        }
        if self.peek().is_some_and(|token| token.number().is_some()) {
            self.beyond_akkaflow();
            return self.years();
        }
        self.months()
    }

    fn of_clause(&mut self) -> Read<()> {
        if self.take_any(&["the", "each", "every"]) {
            if self.take_any(&["month", "year", "week"]) {
                return Ok(());
            }
            return Err(self.unexpected("month", "`month`"));
        }
        self.months()
    }

    fn months(&mut self) -> Read<()> {
        let first = self.month()?;
        let (months, text) = if self.take_any(&["to", "through", "-", "–"]) {
            let last = self.month()?;
            let months = if first <= last {
                bits(first, last)
            } else {
                bits(first, 12) | bits(1, last)
            };
            (months, format!("{first}-{last}"))
        } else {
            let mut months = 1 << first;
            let mut text = first.to_string();
            while self.next_in_list(|token| token.month().is_some()) {
                let next = self.month()?;
                months |= 1 << next;
                text = format!("{text},{next}");
            }
            (months, text)
        };
        self.phrase.months = Some(months);
        self.phrase.akkaflow.set(Field::Month, text);
        // `in january 1st` reads as a day of that month.
        if self.peek().is_some_and(|token| token.ordinal().is_some()) {
            self.beyond_akkaflow();
            return self.ordinals();
        }
        Ok(())
    }

    fn month(&mut self) -> Read<u32> {
        match self.peek().and_then(Token::month) {
            Some(named) => {
                self.at += 1;
                if !named.is_plain {
                    self.beyond_akkaflow();
                }
                Ok(named.number)
            }
            None if self.peek().is_none() => Err(self.ends("月份", "a month")),
            None => Err(self.unexpected("月份（如april）", "a month, as in `april`")),
        }
    }

    fn years(&mut self) -> Read<()> {
        let mut years = vec![self.year()?];
        if self.take_any(&["to", "through", "-", "–"]) {
            let last = self.year()?;
            self.phrase.years.push((years[0], last));
            return Ok(());
        }
        while self.next_in_list(|token| token.number().is_some()) {
            years.push(self.year()?);
        }
        let years = years.into_iter().map(|year| (year, year));
        self.phrase.years.extend(years);
        Ok(())
    }

    fn year(&mut self) -> Read<i32> {
        let found = self.peek().and_then(Token::number);
        match found.and_then(|year| i32::try_from(year).ok()) {
            Some(year @ 1970..=9999) => {
                self.at += 1;
                Ok(year)
            }
            _ if self.peek().is_none() => Err(self.ends("年份", "a year")),
            _ => Err(self.unexpected("年份（1970到9999）", "a year from 1970 to 9999")),
        }
    }

    /// The phrase is over too early.
    fn ends(&self, zh: &str, en: &str) -> CronError {
        self.whole
            .error(
                format!("短语不完整，此处缺少{zh}"),
                format!("the phrase is incomplete: it needs {en}"),
            )
            .helped(EXAMPLES_ZH, EXAMPLES_EN)
    }

    /// The next word is not what must stand there.
    fn unexpected(&self, zh: &str, en: &str) -> CronError {
        let Some(token) = self.peek() else {
            return self.ends(zh, en);
        };
        let found = shortened(token.piece.text);
        let error = token.piece.error(
            format!("不理解 `{found}`，此处应为{zh}"),
            format!("`{found}` is not understood here; expected {en}"),
        );
        let near = token
            .meant_unit()
            .or_else(|| closest(&token.word, vocabulary()));
        match near {
            Some(word) if vocabulary().all(|known| known != token.word) => error.helped(
                format!("是否想写 `{word}`？"),
                format!("did you mean `{word}`?"),
            ),
            _ => error.helped(EXAMPLES_ZH, EXAMPLES_EN),
        }
    }
}

const EXAMPLES_ZH: &str = "例如 every day at midnight、every 10 minutes、every last friday at 3am、3:30 on monday；或五个字段：分 时 日 月 星期";
const EXAMPLES_EN: &str = "examples: every day at midnight, every 10 minutes, every last friday at 3am, 3:30 on monday; or five fields: minute hour day month weekday";

/// `weekday` and `weekend`, which name several days.
fn is_day_group(token: &Token<'_>) -> bool {
    ["weekday", "weekdays", "weekend", "weekends"]
        .iter()
        .any(|word| token.is(word))
}

/// `every last weekday`: no rule counts working days.
fn nth_of_group(group: &Token<'_>) -> CronError {
    let found = shortened(group.piece.text);
    group
        .piece
        .error(
            format!("无法表示每月第几个 `{found}`"),
            format!("a `{found}` cannot be counted within its month"),
        )
        .helped(
            "请写明星期，例如 every last friday；每月最后一个工作日可写 every last day，并用calendar与calendar-policy=\"previous\"",
            "name the day, as in `every last friday`; for the last workday of each month write `every last day` with a calendar and calendar-policy=\"previous\"",
        )
}

fn ordinal_text(ordinal: Ordinal) -> String {
    ordinal.map_or("L".to_owned(), |number| number.to_string())
}

fn wrong_clock(piece: Piece<'_>) -> CronError {
    let found = shortened(piece.text);
    piece
        .error(
            format!("`{found}` 不是时间"),
            format!("`{found}` is no time of day"),
        )
        .helped(
            "写法为 3:30、15:30、3am、3:30pm、noon、midnight",
            "write 3:30, 15:30, 3am, 3:30pm, noon or midnight",
        )
}

fn zero(piece: Piece<'_>) -> CronError {
    piece
        .error(
            "`every` 之后的数应大于0",
            "the number after `every` must be greater than 0",
        )
        .helped(
            "例如 every 5 minutes；最短的间隔是 every second",
            "an example is `every 5 minutes`; the shortest is `every second`",
        )
}

fn too_many(piece: Piece<'_>, unit: &str, most: u32) -> CronError {
    let found = shortened(piece.text);
    piece
        .error(
            format!("`every` 之后的数应在1到{most}之间，写的是 `{found}`"),
            format!("a number before `{unit}` must lie between 1 and {most}, found `{found}`"),
        )
        .helped(
            "更长的间隔请用固定间隔，例如 every=\"90m\"",
            "for longer pauses use a fixed rate, as in every=\"90m\"",
        )
}

fn every_few_weeks(piece: Piece<'_>, count: u32) -> CronError {
    let days = u64::from(count) * 7;
    piece
        .error(
            "无法表示每隔几周",
            "weeks cannot be counted by such a phrase",
        )
        .helped(
            format!("请用固定间隔：every=\"{days}d\""),
            format!("use a fixed rate: every=\"{days}d\""),
        )
}

fn every_few_years(piece: Piece<'_>) -> CronError {
    piece
        .error(
            "无法表示每隔几年",
            "years cannot be counted by such a phrase",
        )
        .helped(
            "请写明年份，例如 in the year 2027",
            "name the years, as in `in the year 2027`",
        )
}
