//! Crons against a scan of every minute, in every zone of the time zone database, around its transitions from 1970 to
//! 2037.
//!
//! A case is a cron, a zone and an outage: a moment from which all later slots of a window must be found, none twice and
//! none missing. The oracle is written here and shares no code with the product: it looks at each minute of real time
//! and asks what the wall shows. `AKKAFLOW_CRON_CASES` sets how many cases are made, `AKKAFLOW_SEED` which;
//! `cargo xtask prove-cron` runs many.

#![expect(clippy::print_stdout, reason = "seeds and sums of cases")]

use akkaflow_model::cron::{Cron, Style};
use akkaflow_model::time::Timestamp;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

const DEFAULT_CASES: u64 = 20_000;
const DEFAULT_SEED: u64 = 20_261_121;
/// Crons that share one scan of a zone.
const CRONS_PER_WINDOW: u64 = 12;
/// Outages of each cron.
const OUTAGES: u64 = 4;
const SECOND: i64 = 1_000;
const DAY: i64 = 86_400;
/// Around a transition, each way.
const HALF_WINDOW: i64 = 2 * DAY;

/// A small generator: the same seed gives the same cases on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*, whose high bits are good.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn number(&mut self, first: u32, last: u32) -> u32 {
        first + u32::try_from(self.below(u64::from(last - first + 1))).unwrap()
    }
}

/// A field as text, and which numbers it means, made together so that the oracle needs no parser.
struct Field {
    text: String,
    means: [bool; 64],
    is_any: bool,
}

fn random_item(random: &mut Random, first: u32, last: u32, means: &mut [bool; 64]) -> String {
    let mut add = |from: u32, to: u32, step: usize| {
        for number in (from..=to).step_by(step) {
            means[usize::try_from(number).unwrap()] = true;
        }
    };
    let (a, b) = (random.number(first, last), random.number(first, last));
    let (low, high) = (a.min(b), a.max(b));
    let step = 1 + usize::try_from(random.below(9)).unwrap();
    match random.below(5) {
        0 => {
            add(first, last, step);
            format!("*/{step}")
        }
        1 => {
            add(low, high, 1);
            format!("{low}-{high}")
        }
        2 => {
            add(low, high, step);
            format!("{low}-{high}/{step}")
        }
        _ => {
            add(a, a, 1);
            a.to_string()
        }
    }
}

fn random_field(random: &mut Random, first: u32, last: u32) -> Field {
    let mut means = [false; 64];
    if random.below(3) == 0 {
        for number in first..=last {
            means[usize::try_from(number).unwrap()] = true;
        }
        return Field {
            text: "*".into(),
            means,
            is_any: true,
        };
    }
    let count = 1 + random.below(3);
    let items: Vec<String> = (0..count)
        .map(|_| random_item(random, first, last, &mut means))
        .collect();
    Field {
        text: items.join(","),
        means,
        is_any: false,
    }
}

/// Which days of a week a field of weekdays means.
enum Week {
    Any,
    Plain([bool; 64]),
    Nth(u32, u32),
    Last(u32),
}

/// An expression, and what it means.
struct Sample {
    text: String,
    style: Style,
    minutes: [bool; 64],
    hours: [bool; 64],
    follows_elapsed_time: bool,
    months: [bool; 64],
    days: [bool; 64],
    is_any_day: bool,
    day_begins_with_star: bool,
    has_last_day: bool,
    week: Week,
    week_begins_with_star: bool,
}

impl Sample {
    fn random(random: &mut Random) -> Self {
        let minute = random_field(random, 0, 59);
        let hour = random_field(random, 0, 23);
        let month = if random.below(3) == 0 {
            random_field(random, 1, 12)
        } else {
            Field {
                text: "*".into(),
                means: [true; 64],
                is_any: true,
            }
        };
        let mut day = random_field(random, 1, 31);
        let has_last_day = random.below(6) == 0;
        if has_last_day {
            day = Field {
                text: "L".into(),
                means: [false; 64],
                is_any: false,
            };
        }
        let names = ["sun", "MON", "Tue", "wed", "THU", "fri", "Sat"];
        let weekday = random.number(0, 6);
        let (weekday_text, week) = match random.below(6) {
            0..=2 => ("*".to_owned(), Week::Any),
            3 => {
                let field = random_field(random, 0, 6);
                let week = if field.is_any {
                    Week::Any
                } else {
                    Week::Plain(field.means)
                };
                (field.text, week)
            }
            4 => {
                let nth = random.number(1, 5);
                (
                    format!("{}#{nth}", names[usize::try_from(weekday).unwrap()]),
                    Week::Nth(weekday, nth),
                )
            }
            _ => (format!("{weekday}L"), Week::Last(weekday)),
        };
        Self {
            text: format!(
                "{} {} {} {} {weekday_text}",
                minute.text, hour.text, day.text, month.text
            ),
            style: if random.below(3) == 0 {
                Style::Crontab
            } else {
                Style::Akkaflow
            },
            minutes: minute.means,
            follows_elapsed_time: hour.text.starts_with('*') && !hour.text.contains(','),
            hours: hour.means,
            months: month.means,
            is_any_day: day.is_any,
            day_begins_with_star: day.text.starts_with('*'),
            days: day.means,
            has_last_day,
            week_begins_with_star: weekday_text.starts_with('*'),
            week,
        }
    }

    fn is_on(&self, date: NaiveDate) -> bool {
        let at = |set: &[bool; 64], number: u32| set[usize::try_from(number).unwrap()];
        let month_day = at(&self.days, date.day())
            || (self.has_last_day && (date + Days::new(1)).month() != date.month());
        let weekday = date.weekday().num_days_from_sunday();
        let in_week = match &self.week {
            Week::Any => true,
            Week::Plain(days) => at(days, weekday),
            Week::Nth(day, nth) => weekday == *day && date.day().div_ceil(7) == *nth,
            Week::Last(day) => weekday == *day && (date + Days::new(7)).month() != date.month(),
        };
        let day_counts = match (self.style, &self.week) {
            (_, Week::Any) => month_day,
            (Style::Akkaflow, _) => in_week,
            (Style::Crontab, _) if self.is_any_day => in_week,
            (Style::Crontab, _) if self.day_begins_with_star || self.week_begins_with_star => {
                month_day && in_week
            }
            (Style::Crontab, _) => month_day || in_week,
        };
        at(&self.months, date.month()) && day_counts
    }
}

/// What the wall of a zone shows, minute by minute of real time.
struct Window {
    zone: Tz,
    from: i64,
    to: i64,
    /// Moment and wall time at each full minute of the wall, and where it has jumped.
    minutes: Vec<(i64, NaiveDateTime)>,
}

fn offset(second: i64, zone: Tz) -> i64 {
    let moment = DateTime::from_timestamp(second, 0).unwrap();
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc());
    i64::from(offset.fix().local_minus_utc())
}

impl Window {
    /// Around a transition of the zone in a year, if it has one, else anywhere in it.
    fn random(random: &mut Random, zone: Tz) -> Self {
        let year = i32::try_from(1970 + random.below(68)).unwrap();
        let begin = Utc
            .with_ymd_and_hms(year, 1, 1, 0, 0, 0)
            .unwrap()
            .timestamp();
        let changes: Vec<i64> = (0..730)
            .map(|half_day| begin + half_day * DAY / 2)
            .filter(|second| offset(*second, zone) != offset(second + DAY / 2, zone))
            .collect();
        let pick = |random: &mut Random, count: usize| {
            usize::try_from(random.below(u64::try_from(count).unwrap())).unwrap()
        };
        let centre = match changes.len() {
            0 => begin + i64::from(random.number(0, 364)) * DAY,
            count => changes[pick(random, count)],
        };
        let shift = i64::from(random.number(0, 86_399)) - DAY / 2;
        Self::around(centre + shift, zone)
    }

    fn around(centre: i64, zone: Tz) -> Self {
        let (from, to) = (centre - HALF_WINDOW, centre + HALF_WINDOW);
        // Two days earlier, so that an overlap just before the window is seen.
        let mut second = from - 2 * DAY;
        let mut minutes = Vec::new();
        while second <= to {
            let wall = second + offset(second, zone);
            let time = DateTime::from_timestamp(wall, 0).unwrap().naive_utc();
            if wall.rem_euclid(60) != 0 {
                // To the next full minute on this wall. A jump may lead between two minutes: Monrovia in 1972.
                if offset(second, zone) != offset(second - 1, zone) {
                    minutes.push((second, time));
                }
                second += 1;
                continue;
            }
            minutes.push((second, time));
            second += 60;
            if offset(second, zone) != offset(second - 60, zone) {
                // Somewhere in this minute the wall jumped: look at each second of it.
                second -= 59;
            }
        }
        Self {
            zone,
            from,
            to,
            minutes,
        }
    }

    /// With a fixed hour a local minute counts when the wall first reaches or passes it; else whenever it is shown.
    fn slots(&self, sample: &Sample) -> Vec<i64> {
        let mut slots = Vec::new();
        let mut dates: Vec<(NaiveDate, bool)> = Vec::new();
        let mut matches = |time: NaiveDateTime| {
            let is_time = sample.minutes[usize::try_from(time.minute()).unwrap()]
                && sample.hours[usize::try_from(time.hour()).unwrap()];
            if !is_time {
                return false;
            }
            let date = time.date();
            match dates.iter().rev().find(|(known, _)| *known == date) {
                Some((_, is_on)) => *is_on,
                None => {
                    let is_on = sample.is_on(date);
                    dates.push((date, is_on));
                    is_on
                }
            }
        };
        let mut reached = self.minutes[0].1.with_second(0).unwrap();
        let minute = chrono::TimeDelta::minutes(1);
        for (second, wall) in &self.minutes {
            let mut is_slot = false;
            if sample.follows_elapsed_time {
                is_slot = wall.second() == 0 && matches(*wall);
            } else {
                while reached + minute <= *wall {
                    reached += minute;
                    is_slot |= matches(reached);
                }
            }
            if is_slot && *second > self.from && *second <= self.to {
                slots.push(*second);
            }
        }
        slots
    }
}

fn seed() -> u64 {
    let given = std::env::var("AKKAFLOW_SEED").ok();
    let seed = given.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(DEFAULT_SEED);
    println!("AKKAFLOW_SEED={seed}");
    seed.max(1)
}

/// From each of the outages on, the product finds what the oracle found.
fn check_window(random: &mut Random, window: &Window, seed: u64) -> u64 {
    for _ in 0..CRONS_PER_WINDOW {
        let sample = Sample::random(random);
        let cron = Cron::read(&sample.text, sample.style).unwrap();
        let expected = window.slots(&sample);
        let context = || {
            format!(
                "`{}` ({}) in {} from {} UTC, seed {seed}",
                sample.text,
                sample.style.as_str(),
                window.zone,
                DateTime::from_timestamp(window.from, 0)
                    .unwrap()
                    .naive_utc(),
            )
        };
        for outage in 0..OUTAGES {
            let after = if outage == 0 {
                window.from * SECOND
            } else {
                let length = u64::try_from((window.to - window.from) * SECOND).unwrap();
                window.from * SECOND + i64::try_from(random.below(length)).unwrap()
            };
            let next = |after: i64| {
                cron.next_after(Timestamp::from_millis(after), window.zone)
                    .map(Timestamp::as_millis)
                    .filter(|at| *at <= window.to * SECOND)
            };
            let mut expected = expected
                .iter()
                .map(|slot| slot * SECOND)
                .filter(|slot| *slot > after);
            let mut found = next(after);
            // The whole window once, and the first slots after the other outages.
            let most = if outage == 0 { usize::MAX } else { 3 };
            let mut count = 0;
            loop {
                let wanted = expected.next();
                assert_eq!(found, wanted, "{} after {after}", context());
                count += 1;
                match found {
                    Some(at) if count < most => found = next(at),
                    _ => break,
                }
            }
        }
    }
    CRONS_PER_WINDOW * OUTAGES
}

#[test]
fn crons_agree_with_a_scan_of_every_minute_in_every_zone() {
    let cases: u64 = std::env::var("AKKAFLOW_CRON_CASES")
        .ok()
        .map_or(DEFAULT_CASES, |cases| cases.parse().unwrap());
    let seed = seed();
    let mut random = Random(seed);
    let first = usize::try_from(random.below(600)).unwrap();
    let mut done = 0;
    let mut zones = 0;
    for zone in TZ_VARIANTS.iter().cycle().skip(first) {
        if done >= cases {
            break;
        }
        let window = Window::random(&mut random, *zone);
        done += check_window(&mut random, &window, seed);
        zones += 1;
        if zones % 10_000 == 0 {
            println!("{done} cases");
        }
    }
    println!(
        "{done} cases in {zones} windows over {} zones, seed {seed}",
        TZ_VARIANTS.len().min(zones)
    );
}

/// Monrovia's clock went from 00:00:00 to 00:44:30: a slot between fires when it has jumped, not at the next full minute.
#[test]
fn a_jump_may_lead_between_two_minutes() {
    let zone = chrono_tz::Africa::Monrovia;
    let at = |text: &str| Timestamp::from(DateTime::parse_from_rfc3339(text).unwrap());
    let next = |cron: &str, after: &str| Cron::parse(cron).unwrap().next_after(at(after), zone);
    let before = "1972-01-07T00:00:00Z";
    let jump = Some(at("1972-01-07T00:44:30Z"));
    assert_eq!(next("18 0,12 * * *", before), jump);
    assert_eq!(
        next("50 0,12 * * *", before),
        Some(at("1972-01-07T00:50:00Z"))
    );
    let centre = at(before).as_millis() / SECOND;
    let window = Window::around(centre, zone);
    let seed = seed();
    let mut random = Random(seed);
    for _ in 0..20 {
        check_window(&mut random, &window, seed);
    }
}

/// What the search through gaps and overlaps relies on: within 40 hours no zone changes its clock twice.
#[test]
fn no_zone_changes_its_clock_twice_within_forty_hours() {
    let is_long_run = std::env::var_os("AKKAFLOW_CRON_CASES").is_some();
    // Since 1900 in a long run; otherwise some zones, from 1970 to 2037.
    let (from, to, step) = if is_long_run {
        (-2_208_988_800, 4_102_444_800, 1)
    } else {
        (0, 2_145_916_800, 12)
    };
    let first = usize::try_from(Random(seed()).below(12)).unwrap() % step;
    for zone in TZ_VARIANTS.iter().skip(first).step_by(step) {
        let zone = *zone;
        let mut last: Option<i64> = None;
        let mut second = from;
        let mut current = offset(second, zone);
        while second < to {
            let next = second + DAY / 2;
            let later = offset(next, zone);
            if later != current {
                let (mut same, mut other) = (second, next);
                while other - same > 1 {
                    let middle = (same + other) / 2;
                    if offset(middle, zone) == current {
                        same = middle;
                    } else {
                        other = middle;
                    }
                }
                if let Some(last) = last {
                    assert!(other - last > 40 * 3_600, "{zone}: {last} and {other}");
                }
                last = Some(other);
                current = later;
            }
            second = next;
        }
    }
}

/// A second opinion on what croner reads too, where daylight saving plays no part.
#[test]
fn croner_finds_the_same_slots() {
    let seed = seed();
    let mut random = Random(seed);
    let parser = croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Disallowed)
        .build();
    let mut compared = 0;
    for _ in 0..2_000 {
        let sample = Sample::random(&mut random);
        // Both fields of the day set: croner knows OR alone, and that without our rule about stars.
        let is_star = sample.day_begins_with_star || sample.week_begins_with_star;
        let is_both = !sample.is_any_day && !matches!(sample.week, Week::Any);
        if is_both && (is_star || sample.style == Style::Akkaflow) {
            continue;
        }
        let ours = Cron::read(&sample.text, sample.style).unwrap();
        let theirs = parser.parse(&sample.text).unwrap();
        let start = i64::try_from(random.below(4_000_000_000)).unwrap();
        let mut at = DateTime::from_timestamp(start, 0).unwrap();
        for _ in 0..5 {
            let mine = ours.next_after(Timestamp::from(at), Tz::UTC);
            let other = theirs.find_next_occurrence(&at, false).ok();
            assert_eq!(
                mine,
                other.map(Timestamp::from),
                "`{}` after {at}, seed {seed}",
                sample.text
            );
            compared += 1;
            match other {
                Some(next) => at = next,
                None => break,
            }
        }
    }
    println!("{compared} slots compared");
    assert!(compared > 5_000);
}
