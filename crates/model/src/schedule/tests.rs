use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Calendar, ClockMark, DayPolicy, FixedRate, Schedule, read_dates};
use crate::code;
use crate::cron::{Cron, Style};
use crate::param::parse_date;
use crate::text::Lang;
use crate::time::Timestamp;

const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;
const NEW_YORK: Tz = chrono_tz::America::New_York;
const CHINA: &[u8] = include_bytes!("../../../../examples/calendars/china.calendar");

fn china() -> Calendar {
    let file = Calendar::read("calendars/china.calendar", CHINA);
    assert_eq!(file.findings, []);
    file.calendar.unwrap()
}

fn with_china(cron: &str, policy: DayPolicy) -> Schedule {
    Schedule {
        calendar: Some((Arc::new(china()), policy)),
        ..Schedule::of_cron(Cron::parse(cron).unwrap(), SHANGHAI)
    }
}

fn at(text: &str, zone: Tz) -> Timestamp {
    parse_date(text, zone).unwrap()
}

/// The next fires on the wall.
#[track_caller]
fn check(schedule: &Schedule, after: &str, expected: &[&str]) {
    let found: Vec<String> = schedule
        .preview(at(after, schedule.zone), expected.len())
        .iter()
        .map(|fire| fire.local.format("%Y-%m-%d %H:%M").to_string())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_chinese_calendar_follows_the_notice_of_the_state_council() {
    let calendar = china();
    let is_workday =
        |month, day| calendar.is_workday(NaiveDate::from_ymd_opt(2026, month, day).unwrap());
    for (month, day) in [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)] {
        assert!(is_workday(month, day), "{month}-{day}");
    }
    for (month, first, last) in [
        (1, 1, 3),
        (2, 15, 23),
        (4, 4, 6),
        (5, 1, 5),
        (6, 19, 21),
        (9, 25, 27),
        (10, 1, 7),
    ] {
        for day in first..=last {
            assert!(!is_workday(month, day), "{month}-{day}");
        }
    }
    // 52 full weeks and a Thursday have 261 weekdays.
    let year = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().iter_days();
    let workdays = year.take(365).filter(|day| calendar.is_workday(*day));
    assert_eq!(workdays.count(), 248);
    assert_eq!(
        calendar.known_until(),
        NaiveDate::from_ymd_opt(2026, 12, 31)
    );
}

#[test]
fn a_cron_fires_on_workdays_alone_make_up_days_included() {
    check(
        &with_china("0 8 * * *", DayPolicy::Only),
        "2026-02-12T09:00:00",
        &[
            "2026-02-13 08:00",
            "2026-02-14 08:00",
            "2026-02-24 08:00",
            "2026-02-25 08:00",
            "2026-02-26 08:00",
            "2026-02-27 08:00",
            "2026-02-28 08:00",
            "2026-03-02 08:00",
        ],
    );
}

#[test]
fn a_cron_fires_on_days_off_alone() {
    check(
        &with_china("0 8 * * *", DayPolicy::Except),
        "2026-05-01T09:00:00",
        &[
            "2026-05-02 08:00",
            "2026-05-03 08:00",
            "2026-05-04 08:00",
            "2026-05-05 08:00",
            "2026-05-10 08:00",
        ],
    );
}

#[test]
fn a_slot_on_a_day_off_moves_and_two_that_meet_are_one() {
    // The 1st: New Year, a Sunday, a Sunday, Wednesday, Labour Day ...
    check(
        &with_china("30 8 1 * *", DayPolicy::Next),
        "2025-12-31",
        &[
            "2026-01-04 08:30",
            "2026-02-02 08:30",
            "2026-03-02 08:30",
            "2026-04-01 08:30",
            "2026-05-06 08:30",
        ],
    );
    check(
        &with_china("30 8 1 * *", DayPolicy::Previous),
        "2026-01-05",
        &[
            "2026-01-30 08:30",
            "2026-02-28 08:30",
            "2026-04-01 08:30",
            "2026-04-30 08:30",
        ],
    );
    check(
        &with_china("0 9 1-8 10 *", DayPolicy::Next),
        "2026-10-01T10:00:00",
        &["2026-10-08 09:00", "2027-10-01 09:00"],
    );
    // From within the holiday, and asked from each side of it, the answer is the same.
    for after in ["2026-09-30T10:00:00", "2026-10-03", "2026-10-07T23:59:59"] {
        check(
            &with_china("0 9 3 10 *", DayPolicy::Next),
            after,
            &["2026-10-08 09:00"],
        );
        check(
            &with_china("0 9 8 10 *", DayPolicy::Previous),
            after,
            &["2026-10-08 09:00"],
        );
    }
    check(
        &with_china("0 9 3 10 *", DayPolicy::Previous),
        "2026-09-30T08:59:59",
        &["2026-09-30 09:00", "2027-10-01 09:00"],
    );
}

/// Each policy against a scan of days that knows only which days are off.
#[test]
fn policies_agree_with_a_scan_of_days() {
    let calendar = Arc::new(china());
    for cron in [
        "0 9 * * 1",
        "0 9 1 * *",
        "0 9 L * *",
        "0 9 */3 * *",
        "0 9 * * 6",
        "0 9 * 10 5#1",
    ] {
        let plain = Schedule::of_cron(Cron::parse(cron).unwrap(), SHANGHAI);
        let (from, until) = (at("2025-12-01", SHANGHAI), at("2027-02-01", SHANGHAI));
        let day = |at: Timestamp| at.to_utc().with_timezone(&SHANGHAI).date_naive();
        let days: Vec<NaiveDate> = plain.fires_between(from, until).map(day).collect();
        for policy in [
            DayPolicy::Only,
            DayPolicy::Except,
            DayPolicy::Next,
            DayPolicy::Previous,
        ] {
            let mut expected: Vec<NaiveDate> = days
                .iter()
                .filter_map(|day| {
                    let is_workday = |day: &NaiveDate| calendar.is_workday(*day);
                    match policy {
                        DayPolicy::Only => is_workday(day).then_some(*day),
                        DayPolicy::Except => (!is_workday(day)).then_some(*day),
                        DayPolicy::Next => day.iter_days().find(is_workday),
                        DayPolicy::Previous => {
                            std::iter::successors(Some(*day), |day| day.pred_opt()).find(is_workday)
                        }
                    }
                })
                .collect();
            expected.dedup();
            let schedule = Schedule {
                calendar: Some((calendar.clone(), policy)),
                ..plain.clone()
            };
            // The edges of the window belong to slots that lie outside it.
            let inner = (at("2026-01-10", SHANGHAI), at("2026-12-20", SHANGHAI));
            let found: Vec<NaiveDate> = schedule.fires_between(inner.0, inner.1).map(day).collect();
            expected.retain(|date| (day(inner.0)..day(inner.1)).contains(date));
            assert_eq!(found, expected, "{cron} {policy:?}");
        }
    }
}

#[test]
fn wrong_calendars_name_every_mistake_at_its_place() {
    let text = "weekend sat sonday monkey\nholliday 2026-01-01\nholiday 2026-13-01 元旦\nworkday\n\
                holiday 2026-05-05..2026-05-01\nholiday 2026-06-01 a\nworkday 2026-06-01\n\
                holiday 12-25\nholiday 12-25 again\nholiday 2026-01-01..2036-01-01\ntitle\nuntil soon\n";
    let file = Calendar::read("x/half.calendar", text.as_bytes());
    assert!(file.calendar.is_none());
    let found: Vec<String> = file
        .findings
        .iter()
        .map(|finding| {
            let help = finding.help.as_ref().map_or("", |help| help.en.as_str());
            assert_eq!(finding.code, code::BAD_CALENDAR);
            assert_ne!(finding.message.get(Lang::Zh), finding.message.en);
            format!(
                "{}:{}+{} {} ({help})",
                finding.line, finding.column, finding.width, finding.message.en
            )
        })
        .collect();
    let dates = "write 2026-01-31, 2026-01-01..2026-01-03, or 12-25 for every year";
    let example = "an example is `holiday 2026-01-01..2026-01-03 New Year`";
    assert_eq!(
        found,
        [
            "1:13+6 `sonday` is no day of the week (write mon tue wed thu fri sat sun)".to_owned(),
            "1:20+6 `monkey` is no day of the week (write mon tue wed thu fri sat sun)".to_owned(),
            "2:1+8 `holliday` is not known here (did you mean `holiday`?)".to_owned(),
            format!("3:9+10 `2026-13-01` is no date ({dates})"),
            format!("4:1+7 `workday` needs a date, as in 2026-01-01 ({example})"),
            "5:9+22 the range runs backwards (swap the dates)".to_owned(),
            "7:9+10 2026-06-01 stands in line 6 already (remove one of them)".to_owned(),
            "9:9+5 12-25 stands in line 8 already (remove one of them)".to_owned(),
            "10:9+22 the range is 3653 days long (at most 400 are allowed; look at the year)"
                .to_owned(),
            format!("11:1+5 `title` needs a title ({example})"),
            format!("12:7+4 `soon` is no date ({dates})"),
        ]
    );
}

#[test]
fn a_calendar_is_read_in_utf_8_with_mark_and_in_gbk() {
    let text = "title 中国\nholiday 2026-01-01 元旦 # remark\r\nweekend none\n";
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend_from_slice(text.as_bytes());
    let gbk = encoding_rs::GBK.encode(text).0.into_owned();
    for bytes in [text.as_bytes().to_vec(), marked, gbk] {
        let file = Calendar::read("a/b.c.calendar", &bytes);
        assert_eq!(file.findings, []);
        let calendar = file.calendar.unwrap();
        assert_eq!((calendar.name(), calendar.title()), ("b.c", "中国"));
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        assert_eq!(calendar.day_name(day), Some("元旦"));
        assert!(!calendar.is_workday(day) && calendar.is_workday(day + chrono::Days::new(2)));
    }
    let broken = Calendar::read("a.calendar", b"title \xff\xff\xff\n");
    assert!(broken.calendar.is_none() && broken.findings[0].code == code::MALFORMED_BYTES);
    let large = Calendar::read("a.calendar", &vec![b'#'; 2 << 20]);
    assert!(large.calendar.is_none() && large.findings[0].code == code::TOO_LARGE);
}

#[test]
fn crons_dates_and_a_rate_fire_together_and_once_when_they_meet() {
    let schedule = Schedule {
        crons: vec![
            Arc::new(Cron::parse("0 8 * * *").unwrap()),
            Arc::new(Cron::parse("0 20 * * 6").unwrap()),
        ],
        every: Some(FixedRate {
            seconds: 36 * 3_600,
            anchor: parse_local("2026-11-21 08:00:00"),
        }),
        dates: read_dates("2026-11-22 09:30, 2026-11-22;2026-11-22T08:00:00").unwrap(),
        ..Schedule::empty(SHANGHAI)
    };
    check(
        &schedule,
        "2026-11-21T07:00:00",
        &[
            "2026-11-21 08:00",
            "2026-11-21 20:00",
            "2026-11-22 00:00",
            "2026-11-22 08:00",
            "2026-11-22 09:30",
            "2026-11-22 20:00",
            "2026-11-23 08:00",
        ],
    );
    assert_eq!(
        schedule.describe().en,
        "at 08:00 every day; at 20:00 on Saturday; every 36 hours from 2026-11-21 08:00:00 on; \
         at 2026-11-22 00:00, 2026-11-22 08:00, 2026-11-22 09:30"
    );
}

fn parse_local(text: &str) -> chrono::NaiveDateTime {
    crate::param::parse_local(text).unwrap()
}

#[test]
fn a_window_includes_both_its_ends() {
    let schedule = Schedule {
        window: (
            Some(parse_local("2026-11-21 08:00:00")),
            Some(parse_local("2026-11-23 08:00:00")),
        ),
        ..Schedule::of_cron(Cron::parse("0 8 * * *").unwrap(), SHANGHAI)
    };
    let fires: Vec<Timestamp> = schedule
        .fires_between(Timestamp::from_millis(0), at("2030-01-01", SHANGHAI))
        .collect();
    assert_eq!(
        fires,
        [
            "2026-11-21T08:00:00",
            "2026-11-22T08:00:00",
            "2026-11-23T08:00:00"
        ]
        .map(|text| at(text, SHANGHAI))
    );
}

#[test]
fn a_fixed_rate_knows_no_daylight_saving_and_skips_days_that_do_not_count() {
    let rate = Schedule {
        every: Some(FixedRate {
            seconds: 86_400,
            anchor: parse_local("2026-03-07 02:30:00"),
        }),
        ..Schedule::empty(NEW_YORK)
    };
    check(
        &rate,
        "2026-03-07",
        &["2026-03-07 02:30", "2026-03-08 03:30", "2026-03-09 03:30"],
    );
    let on_workdays = Schedule {
        zone: SHANGHAI,
        every: Some(FixedRate {
            seconds: 43_200,
            anchor: parse_local("2026-01-01 00:00:00"),
        }),
        calendar: Some((Arc::new(china()), DayPolicy::Only)),
        ..rate
    };
    check(
        &on_workdays,
        "2026-02-14T11:00:00",
        &["2026-02-14 12:00", "2026-02-24 00:00", "2026-02-24 12:00"],
    );
    let never = Schedule {
        every: Some(FixedRate {
            seconds: 0,
            anchor: parse_local("2026-01-01 00:00:00"),
        }),
        ..Schedule::empty(SHANGHAI)
    };
    assert_eq!(never.next_after(Timestamp::from_millis(0)), None);
}

#[test]
fn previews_mark_what_daylight_saving_does() {
    let schedule = Schedule::of_cron(Cron::parse("30 2 * * *").unwrap(), NEW_YORK);
    let fires = schedule.preview(at("2026-03-07", NEW_YORK), 3);
    assert_eq!(
        fires.iter().map(|fire| fire.clock).collect::<Vec<_>>(),
        [
            None,
            Some(ClockMark::Gap {
                asked: parse_local("2026-03-08 02:30:00")
            }),
            None
        ]
    );
    assert_eq!(fires[1].local, parse_local("2026-03-08 03:00:00"));
    assert_eq!(fires[1].offset_seconds, -4 * 3_600);
    let marks = |cron: &str, after: &str, count| -> Vec<Option<ClockMark>> {
        Schedule::of_cron(Cron::parse(cron).unwrap(), NEW_YORK)
            .preview(at(after, NEW_YORK), count)
            .iter()
            .map(|fire| fire.clock)
            .collect()
    };
    assert_eq!(
        marks("30 1 * * *", "2026-11-01", 1),
        [Some(ClockMark::First)]
    );
    assert_eq!(
        marks("30 * * * *", "2026-11-01T01:00:00", 3),
        [
            Some(ClockMark::First),
            Some(ClockMark::Second),
            Some(ClockMark::ChangeDay { seconds: -3_600 })
        ]
    );
    assert_eq!(
        marks("0 12 * * *", "2026-03-08", 2),
        [Some(ClockMark::ChangeDay { seconds: 3_600 }), None]
    );
}

#[test]
fn previews_name_days_and_say_where_the_calendar_ends() {
    let fires = with_china("0 8 L * *", DayPolicy::Next).preview(at("2026-02-27", SHANGHAI), 12);
    assert_eq!(fires[0].day_name.as_deref(), Some("春节调休上班"));
    let beyond: Vec<bool> = fires.iter().map(|fire| fire.is_beyond_calendar).collect();
    assert_eq!(beyond.iter().filter(|beyond| **beyond).count(), 1);
}

#[test]
fn oddities_are_found() {
    let codes = |schedule: &Schedule| -> Vec<&'static str> {
        schedule.lints().iter().map(|lint| lint.code).collect()
    };
    let cron = |text: &str| Schedule::of_cron(Cron::parse(text).unwrap(), SHANGHAI);
    assert_eq!(codes(&cron("0 0 31 2 *")), [code::NEVER_FIRES]);
    assert_eq!(codes(&cron("0 0 1 * *")), [""; 0]);
    assert_eq!(
        codes(&cron("0 0 1 * 1 ?")),
        [code::CRON_DAY_IGNORED, code::CRON_FIELD_IGNORED]
    );
    assert_eq!(codes(&cron("every 10 minutes")), [""; 0]);
    assert_eq!(codes(&cron("every Friday")), [code::PHRASE_CHANGED]);
    let mut twice = cron("0 0 1 * *");
    twice
        .crons
        .push(Arc::new(Cron::parse("0 0 1 * *").unwrap()));
    assert_eq!(codes(&twice), [code::REPEATED_CRON]);
    let mut over = cron("0 0 1 1 *");
    over.window = (
        Some(parse_local("2026-02-01 00:00:00")),
        Some(parse_local("2026-11-01 00:00:00")),
    );
    assert_eq!(codes(&over), [code::NEVER_FIRES]);
    // New Year is a day off in every year that the calendar knows by a rule.
    let yearly = Calendar::read("y.calendar", b"holiday 01-01 New Year")
        .calendar
        .unwrap();
    let mut off = cron("0 0 1 1 *");
    off.calendar = Some((Arc::new(yearly), DayPolicy::Only));
    assert_eq!(codes(&off), [code::NEVER_FIRES]);
    assert_eq!(codes(&Schedule::empty(SHANGHAI)), [""; 0]);
}

#[test]
fn dates_that_cannot_be_read_are_all_named() {
    let text = " 2026-03-31 , 2026-02-30,x;2026-03-31 00:00";
    let errors = read_dates(text).unwrap_err();
    let found: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| (&text[error.range.clone()], error.message.en.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("2026-02-30", "`2026-02-30` is no date"),
            ("x", "`x` is no date"),
            ("2026-03-31 00:00", "`2026-03-31 00:00` stands twice"),
        ]
    );
    assert_eq!(read_dates(" , \n").unwrap(), []);
}

/// What never fires answers about as quickly as what does.
#[test]
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn the_cost_is_flat() {
    let calendar = Calendar::read("n.calendar", b"weekend sun mon tue wed thurs friday sat")
        .calendar
        .unwrap();
    let mut slow = vec![
        Schedule::of_cron(Cron::parse("0 0 31 2 *").unwrap(), NEW_YORK),
        Schedule::of_cron(Cron::parse("* * 30 2 *").unwrap(), NEW_YORK),
        Schedule::of_cron(Cron::parse("0 0 29 2 1#5").unwrap(), NEW_YORK),
        Schedule::of_cron(
            Cron::read("* * * */31 2 *", Style::Crontab).unwrap(),
            NEW_YORK,
        ),
    ];
    for policy in [DayPolicy::Only, DayPolicy::Next, DayPolicy::Previous] {
        let mut schedule = Schedule::of_cron(Cron::parse("0 0 * * *").unwrap(), NEW_YORK);
        schedule.calendar = Some((Arc::new(calendar.clone()), policy));
        slow.push(schedule.clone());
        schedule.crons.clear();
        schedule.every = Some(FixedRate {
            seconds: 1,
            anchor: parse_local("1970-01-01 00:00:00"),
        });
        slow.push(schedule);
    }
    for schedule in &slow {
        let began = std::time::Instant::now();
        let _ = schedule.next_after(at("2026-01-01", NEW_YORK));
        let _ = schedule.lints();
        assert!(
            began.elapsed().as_secs() < 5,
            "{schedule:?} {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn nothing_panics_at_the_ends_of_time() {
    let mut schedule = with_china("*/7 * * * *", DayPolicy::Next);
    schedule.every = Some(FixedRate {
        seconds: 7,
        anchor: parse_local("1970-01-01 00:00:00"),
    });
    schedule.dates = vec![chrono::NaiveDateTime::MIN, chrono::NaiveDateTime::MAX];
    for after in [
        i64::MIN,
        i64::MIN + 1,
        -62_135_596_800_001,
        0,
        253_402_300_799_999,
        i64::MAX,
    ] {
        let _ = schedule.preview(Timestamp::from_millis(after), 2);
    }
}

#[test]
fn descriptions_are_in_both_languages() {
    let table: &[(&str, &str, &str)] = &[
        ("0 1 * * *", "每天 01:00", "at 01:00 every day"),
        (
            "30 1,13 * * *",
            "每天 01:30、13:30",
            "at 01:30 and 13:30 every day",
        ),
        ("* * * * *", "每分钟", "every minute"),
        ("*/10 * * * *", "每10分钟", "every 10 minutes"),
        ("0 * * * *", "每小时", "every hour"),
        ("30 * * * *", "每小时的第30分", "every hour at minute 30"),
        ("0 */2 * * *", "每2小时", "every 2 hours"),
        (
            "5,50 * * * *",
            "每小时的第5、50分",
            "at minute 5 and 50 of every hour",
        ),
        (
            "*/5 9-17 * * 1-5",
            "每周一至周五 每5分钟（09:00至17:59）",
            "every 5 minutes from 09:00 to 17:59 on Monday to Friday",
        ),
        (
            "0 9-17 * * *",
            "每小时（09:00至17:00）",
            "every hour from 09:00 to 17:00",
        ),
        (
            "0 0 1,15 * *",
            "每月1日、15日 00:00",
            "at 00:00 on days 1 and 15 of the month",
        ),
        (
            "0 0 L * *",
            "每月最后一天 00:00",
            "at 00:00 on the last day of the month",
        ),
        ("0 0 1 1 *", "1月1日 00:00", "at 00:00 on day 1 in January"),
        (
            "0 0 * * 1,3",
            "每周一、周三 00:00",
            "at 00:00 on Monday and Wednesday",
        ),
        (
            "0 0 * * 5#2",
            "每月第2个周五 00:00",
            "at 00:00 on the 2nd Friday of the month",
        ),
        (
            "0 0 * * 5L",
            "每月最后一个周五 00:00",
            "at 00:00 on the last Friday of the month",
        ),
        (
            "0 0 * 3-5 *",
            "3月至5月每天 00:00",
            "at 00:00 every day in March, April and May",
        ),
    ];
    for (text, zh, en) in table {
        let said = Cron::parse(text).unwrap().describe();
        assert_eq!((said.zh.as_str(), said.en.as_str()), (*zh, *en), "{text}");
    }
    let crontab = |text| Cron::read(text, Style::Crontab).unwrap().describe();
    assert_eq!(
        crontab("0 0 13 * 5").en,
        "at 00:00 on day 13 of the month or on Friday"
    );
    assert_eq!(crontab("0 0 13 * 5").zh, "每月13日或每周五 00:00");
    assert_eq!(crontab("*/15 * * * * *").en, "every 15 seconds");
    assert_eq!(
        crontab("1-10 5 * * * *").en,
        "at second 1-10 of every minute, at minute 5 of every hour"
    );
    assert_eq!(crontab("15 0 1 * * *").zh, "每天 01:00:15");
    assert_eq!(
        with_china("0 8 * * *", DayPolicy::Only).describe().zh,
        "每天 08:00，仅中国法定节假日的工作日"
    );
}
