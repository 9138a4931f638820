use chrono::{DateTime, Datelike, Days, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::Cron;
use crate::time::Timestamp;

const NEW_YORK: Tz = chrono_tz::America::New_York;
const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;
const MINUTE: i64 = 60_000;

fn utc(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().into()
}

/// The first slots after a moment, in the zone's local time with offset.
#[track_caller]
fn check(text: &str, zone: Tz, after: &str, expected: &[&str]) {
    let cron = Cron::parse(text).unwrap();
    let mut moment = utc(after);
    let mut found = Vec::new();
    for _ in expected {
        moment = cron.next_after(moment, zone).unwrap();
        found.push(
            moment
                .to_utc()
                .with_timezone(&zone)
                .format("%m-%d %H:%M %z")
                .to_string(),
        );
    }
    assert_eq!(found, expected, "{text}");
}

#[test]
fn the_dialect_of_akkaflow() {
    let after = "2026-01-30T12:34:56.789Z";
    let table: &[(&str, [&str; 3])] = &[
        ("0 1 * * *", ["01-31 01:00", "02-01 01:00", "02-02 01:00"]),
        ("* * * * *", ["01-30 12:35", "01-30 12:36", "01-30 12:37"]),
        (
            "*/20 * * * *",
            ["01-30 12:40", "01-30 13:00", "01-30 13:20"],
        ),
        (
            "5,50 3 * * *",
            ["01-31 03:05", "01-31 03:50", "02-01 03:05"],
        ),
        (
            "0 22-23 * * *",
            ["01-30 22:00", "01-30 23:00", "01-31 22:00"],
        ),
        ("0 0 29 * *", ["03-29 00:00", "04-29 00:00", "05-29 00:00"]),
        ("0 0 L * *", ["01-31 00:00", "02-28 00:00", "03-31 00:00"]),
        ("0 0 L,1 * *", ["01-31 00:00", "02-01 00:00", "02-28 00:00"]),
        (
            "0 0 * 3,12 *",
            ["03-01 00:00", "03-02 00:00", "03-03 00:00"],
        ),
        ("0 0 * * 0", ["02-01 00:00", "02-08 00:00", "02-15 00:00"]),
        ("0 0 * * 7", ["02-01 00:00", "02-08 00:00", "02-15 00:00"]),
        ("0 0 * * 6", ["01-31 00:00", "02-07 00:00", "02-14 00:00"]),
        ("0 0 * * L", ["01-31 00:00", "02-07 00:00", "02-14 00:00"]),
        ("0 0 * * 5#2", ["02-13 00:00", "03-13 00:00", "04-10 00:00"]),
        ("0 0 * * 5L", ["02-27 00:00", "03-27 00:00", "04-24 00:00"]),
        ("0 0 * * 1#5", ["03-30 00:00", "06-29 00:00", "08-31 00:00"]),
        // A weekday silences the day of month.
        ("0 0 1 * 1", ["02-02 00:00", "02-09 00:00", "02-16 00:00"]),
        // More than akkaflow takes.
        (
            "10-30/10,45 8 * * *",
            ["01-31 08:10", "01-31 08:20", "01-31 08:30"],
        ),
        (
            "  0   1  *  *  mon-tue ",
            ["02-02 01:00", "02-03 01:00", "02-09 01:00"],
        ),
        ("0 0 1 jan *", ["01-01 00:00", "01-01 00:00", "01-01 00:00"]),
        (
            "0 1 * * * 2030",
            ["01-31 01:00", "02-01 01:00", "02-02 01:00"],
        ),
    ];
    for (text, expected) in table {
        let expected: Vec<String> = expected
            .iter()
            .map(|slot| format!("{slot} +0000"))
            .collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(text, Tz::UTC, after, &expected);
    }
}

#[test]
fn a_slot_is_strictly_later() {
    let cron = Cron::parse("0 1 * * *").unwrap();
    let slot = utc("2026-01-30T17:00:00Z");
    assert_eq!(
        cron.next_after(Timestamp::from_millis(slot.as_millis() - 1), SHANGHAI),
        Some(slot)
    );
    assert_eq!(
        cron.next_after(slot, SHANGHAI),
        Some(utc("2026-01-31T17:00:00Z"))
    );
}

#[test]
fn a_fixed_hour_in_a_gap_fires_once_at_its_end() {
    check(
        "30 2 * * *",
        NEW_YORK,
        "2026-03-07T12:00:00Z",
        &["03-08 03:00 -0400", "03-09 02:30 -0400"],
    );
    check(
        "*/10 2 * * *",
        NEW_YORK,
        "2026-03-08T06:59:59Z",
        &["03-08 03:00 -0400", "03-09 02:00 -0400"],
    );
    check(
        "0 2,3 * * *",
        NEW_YORK,
        "2026-03-08T06:59:59Z",
        &["03-08 03:00 -0400", "03-09 02:00 -0400"],
    );
}

#[test]
fn a_fixed_hour_in_an_overlap_fires_at_its_first_occurrence() {
    check(
        "30 1 * * *",
        NEW_YORK,
        "2026-11-01T00:00:00Z",
        &["11-01 01:30 -0400", "11-02 01:30 -0500"],
    );
    check(
        "30 1 * * *",
        NEW_YORK,
        "2026-11-01T06:00:00Z",
        &["11-02 01:30 -0500"],
    );
}

#[test]
fn any_hour_follows_elapsed_time() {
    check(
        "30 * * * *",
        NEW_YORK,
        "2026-11-01T05:00:00Z",
        &[
            "11-01 01:30 -0400",
            "11-01 01:30 -0500",
            "11-01 02:30 -0500",
        ],
    );
    check(
        "30 * * * *",
        NEW_YORK,
        "2026-03-08T06:00:00Z",
        &["03-08 01:30 -0500", "03-08 03:30 -0400"],
    );
    check(
        "0 */2 * * *",
        NEW_YORK,
        "2026-03-08T04:00:00Z",
        &["03-08 00:00 -0500", "03-08 04:00 -0400"],
    );
}

#[test]
fn what_never_comes_is_none() {
    let next = |text, after| Cron::parse(text).unwrap().next_after(after, SHANGHAI);
    assert_eq!(next("0 0 30 2 *", Timestamp::from_millis(0)), None);
    assert_eq!(
        next("0 0 29 2 *", utc("2026-01-01T00:00:00Z")),
        Some(utc("2028-02-28T16:00:00Z"))
    );
    // The longest wait of all, across a century without a leap day.
    assert_eq!(
        next("0 0 * 2 1#5", utc("2072-03-01T00:00:00Z")),
        Some(utc("2112-02-28T16:00:00Z"))
    );
    assert_eq!(
        next("0 0 1 1 *", utc("2100-01-01T00:00:00Z")),
        Some(utc("2100-12-31T16:00:00Z"))
    );
    assert_eq!(next("* * * * *", utc("9999-12-31T00:00:00Z")), None);
    assert_eq!(
        next("0 0 * 2 1#5", utc("2044-03-01T00:00:00Z")),
        Some(utc("2072-02-28T16:00:00Z"))
    );
    for after in [
        i64::MIN,
        -62_135_596_800_001,
        0,
        4_133_980_799_999,
        253_402_300_800_000,
        i64::MAX,
    ] {
        for text in ["* * * * *", "0 1 * * *", "0 0 L * 5L"] {
            let _ = next(text, Timestamp::from_millis(after));
        }
    }
}

#[test]
fn wrong_expressions_name_the_piece() {
    let table: &[(&str, &str, &str)] = &[
        (
            "",
            "",
            "a cron expression has five fields (minute hour day month weekday), found 0",
        ),
        (
            "0 1 * *",
            "0 1 * *",
            "a cron expression has five fields (minute hour day month weekday), found 4",
        ),
        (
            "60 1 * * *",
            "60",
            "the minute must lie between 0 and 59, found `60`",
        ),
        (
            "0 24 * * *",
            "24",
            "the hour must lie between 0 and 23, found `24`",
        ),
        (
            "0 0 0 * *",
            "0",
            "the day of month must lie between 1 and 31, found `0`",
        ),
        (
            "0 0 * 13 *",
            "13",
            "the month must lie between 1 and 12, found `13`",
        ),
        (
            "0 0 * * 8",
            "8",
            "the weekday must lie between 0 and 7, found `8`",
        ),
        (
            "0 0 * * 1#6",
            "6",
            "`#` must be followed by 1 to 5, found `6`",
        ),
        ("0 0 * * 1/2", "1/2", "`1/2` is not supported"),
        (
            "0 0 15W * *",
            "15W",
            "the day of month must lie between 1 and 31, found `15W`",
        ),
        (
            "1,,2 0 * * *",
            "",
            "the minute must lie between 0 and 59, found ``",
        ),
        (
            "*/0 0 * * *",
            "0",
            "`/` must be followed by a number from 1, found `0`",
        ),
        ("0 5-1 * * *", "5-1", "range `5-1` runs backwards"),
        (
            "零 0 * * *",
            "零",
            "the minute must lie between 0 and 59, found `零`",
        ),
        (
            "0 +1 * * *",
            "+1",
            "the hour must lie between 0 and 23, found `+1`",
        ),
        (
            "0 0 99 * 1",
            "99",
            "the day of month must lie between 1 and 31, found `99`",
        ),
    ];
    for (text, place, message) in table {
        let error = Cron::parse(text).unwrap_err();
        assert_eq!(
            (&text[error.range.clone()], error.to_string().as_str()),
            (*place, *message),
            "{text}"
        );
    }
}

#[test]
fn what_has_no_effect_is_known() {
    let cron = Cron::parse("0 0 1 * 1 ? x").unwrap();
    assert!(cron.is_day_ignored());
    assert_eq!(cron.surplus(), Some(10..13));
    let cron = Cron::parse("0 0 * * 1").unwrap();
    assert!(!cron.is_day_ignored() && cron.surplus().is_none());
}

/// A small generator: the same seed gives the same expressions on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).unwrap()
    }
}

/// A field as text and as the numbers that it means, made together so that the oracle needs no parser.
fn random_field(random: &mut Random, min: u32, max: u32) -> (String, Vec<u32>) {
    let pick = |random: &mut Random| min + random.below(max - min + 1);
    match random.below(6) {
        0 | 1 => ("*".into(), (min..=max).collect()),
        2 => {
            let step = 1 + random.below(10);
            let numbers = (min..=max)
                .filter(|n| (n - min).is_multiple_of(step))
                .collect();
            (format!("*/{step}"), numbers)
        }
        3 => {
            let (a, b) = (pick(random), pick(random));
            (
                format!("{}-{}", a.min(b), a.max(b)),
                (a.min(b)..=a.max(b)).collect(),
            )
        }
        4 => {
            let (a, b) = (pick(random), pick(random));
            (format!("{a},{b}"), vec![a, b])
        }
        _ => {
            let a = pick(random);
            (a.to_string(), vec![a])
        }
    }
}

struct Sample {
    text: String,
    minutes: Vec<u32>,
    hours: Vec<u32>,
    is_any_hour: bool,
    months: Vec<u32>,
    days: Box<dyn Fn(NaiveDateTime) -> bool>,
}

fn random_sample(random: &mut Random) -> Sample {
    let (minute, minutes) = random_field(random, 0, 59);
    let (hour, hours) = random_field(random, 0, 23);
    let (month, months) = if random.below(3) == 0 {
        random_field(random, 1, 12)
    } else {
        ("*".into(), (1..=12).collect())
    };
    let (day, day_numbers) = random_field(random, 1, 31);
    let weekday_number = random.below(7);
    let nth = 1 + random.below(4);
    let is_same =
        move |time: NaiveDateTime| time.weekday().num_days_from_sunday() == weekday_number;
    type Rule = Box<dyn Fn(NaiveDateTime) -> bool>;
    let (day, weekday, days): (String, String, Rule) = match random.below(6) {
        0 | 1 => (
            day,
            "*".into(),
            Box::new(move |time| day_numbers.contains(&time.day())),
        ),
        2 => (
            "L".into(),
            "*".into(),
            Box::new(|time| (time + Days::new(1)).month() != time.month()),
        ),
        3 => (day, weekday_number.to_string(), Box::new(is_same)),
        4 => (
            day,
            format!("{weekday_number}#{nth}"),
            Box::new(move |time| is_same(time) && (time.day() - 1) / 7 + 1 == nth),
        ),
        _ => (
            "*".into(),
            format!("{weekday_number}L"),
            Box::new(move |time| is_same(time) && (time + Days::new(7)).month() != time.month()),
        ),
    };
    Sample {
        text: format!("{minute} {hour} {day} {month} {weekday}"),
        minutes,
        is_any_hour: hour.starts_with('*'),
        hours,
        months,
        days,
    }
}

impl Sample {
    fn matches(&self, time: NaiveDateTime) -> bool {
        self.minutes.contains(&time.minute())
            && self.hours.contains(&time.hour())
            && self.months.contains(&time.month())
            && (self.days)(time)
    }

    /// Looks at every minute of real time. With a fixed hour a local minute counts when the wall first reaches or
    /// passes it, which is all there is to say about gaps and overlaps.
    fn slots(&self, from: i64, to: i64, zone: Tz) -> Vec<i64> {
        let wall = |moment| {
            Utc.timestamp_millis_opt(moment)
                .unwrap()
                .with_timezone(&zone)
                .naive_local()
        };
        let mut slots = Vec::new();
        // Two days earlier, so that an overlap just before the window is seen.
        let mut reached = wall(from - 2 * 1440 * MINUTE);
        let mut moment = from - 2 * 1440 * MINUTE;
        while moment < to {
            moment += MINUTE;
            let now = wall(moment);
            let is_slot = if self.is_any_hour {
                self.matches(now)
            } else {
                let mut is_slot = false;
                while reached < now {
                    reached += chrono::TimeDelta::minutes(1);
                    is_slot |= self.matches(reached);
                }
                is_slot
            };
            if is_slot && moment > from && moment <= to {
                slots.push(moment);
            }
        }
        slots
    }
}

#[test]
fn random_schedules_agree_with_a_scan_of_every_minute() {
    let seed = std::env::var("AKKAFLOW_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_121);
    println!("AKKAFLOW_SEED={seed}");
    let mut random = Random(seed);
    let windows = [
        "2026-03-06T00:00:00Z",
        "2026-03-27T00:00:00Z",
        "2026-04-03T00:00:00Z",
        "2026-10-02T00:00:00Z",
        "2026-10-23T00:00:00Z",
        "2026-10-30T00:00:00Z",
        "2028-02-26T00:00:00Z",
        "2026-12-29T12:00:00Z",
    ];
    let zones = [
        SHANGHAI,
        NEW_YORK,
        chrono_tz::Europe::London,
        chrono_tz::Australia::Lord_Howe,
    ];
    for _ in 0..40 {
        let sample = random_sample(&mut random);
        let cron = Cron::parse(&sample.text).unwrap();
        for zone in zones {
            for window in windows {
                let from = utc(window).as_millis() + i64::from(random.below(2_000)) * MINUTE;
                let to = from + 4 * 1440 * MINUTE;
                let mut found = Vec::new();
                let mut moment = Timestamp::from_millis(from);
                while let Some(next) = cron
                    .next_after(moment, zone)
                    .filter(|next| next.as_millis() <= to)
                {
                    found.push(next.as_millis());
                    moment = next;
                }
                let expected = sample.slots(from, to, zone);
                let first = found.iter().zip(&expected).find(|(a, b)| a != b);
                assert_eq!(
                    found.len(),
                    expected.len(),
                    "{} in {zone} from {window} ({from}) {first:?}",
                    sample.text
                );
                assert_eq!(
                    first, None,
                    "{} in {zone} from {window} ({from})",
                    sample.text
                );
            }
        }
    }
}

#[test]
fn the_first_slot_is_found_from_anywhere_near_a_jump() {
    let cron = Cron::parse("*/15 1,2,3 * * *").unwrap();
    let start = utc("2026-10-31T20:00:00Z").as_millis();
    let slots: Vec<i64> = {
        let mut moment = Timestamp::from_millis(start - 1);
        std::iter::from_fn(|| {
            moment = cron.next_after(moment, NEW_YORK)?;
            Some(moment.as_millis())
        })
        .take(30)
        .collect()
    };
    for minute in 0..1_000 {
        let after = start + minute * MINUTE + 1;
        let expected = slots.iter().copied().find(|slot| *slot > after);
        let found = cron.next_after(Timestamp::from_millis(after), NEW_YORK);
        assert_eq!(found.map(Timestamp::as_millis), expected);
    }
}
