//! The English grammar as a table: what each phrase means in fields, and what akkaflow 2.12 made of it where it differs.

use super::{Cron, Note, Style};

/// Phrase, its meaning in fields (six begin with the second), and akkaflow's fields where they mean something else.
const PHRASES: &[(&str, &str, &str)] = &[
    // What akkaflow's manual and cronish's own page and tests show.
    ("every day at midnight", "0 0 * * *", ""),
    ("Every day at midnight", "0 0 * * *", ""),
    ("midnight on monday", "0 0 * * 1", ""),
    ("every 10 minutes", "*/10 * * * *", ""),
    ("every last friday", "0 0 * * 5L", ""),
    ("every last Friday", "0 0 * * 5L", "* * * * 5L"),
    ("every last Friday at midnight", "0 0 * * 5L", ""),
    ("every 15 minutes at noon", "*/15 12 * * *", ""),
    (
        "Every 15 minutes at midnight on the weekend",
        "*/15 0 * * 0,6",
        "",
    ),
    (
        "Every other minute in July at noon on the weekday",
        "*/2 12 * 7 1-5",
        "",
    ),
    ("Every 1st day in April at midnight", "0 0 1 4 *", ""),
    ("Every day on the weekday at 3:30", "30 3 * * 1-5", ""),
    (
        "Every month on Monday through Wednesday at midnight",
        "0 0 * * 1-3",
        "",
    ),
    ("Every last day of the month", "0 0 L * *", ""),
    (
        "Every day at midnight in January, March, May, August, and December",
        "0 0 * 1,3,5,8,12 *",
        "",
    ),
    ("every 2nd day in April at 3:30", "30 3 2 4 *", ""),
    ("every day on Monday at 3:30", "30 3 * * 1", ""),
    (
        "every 3 days in July on the weekend at 6:57",
        "57 6 */3 7 0,6",
        "",
    ),
    (
        "Every other month on the weekday at midnight",
        "0 0 * */2 1-5",
        "",
    ),
    (
        "Every other month at midnight on the weekday",
        "0 0 * */2 1-5",
        "",
    ),
    (
        "Every month on the last day of week",
        "0 0 * * L",
        "* * * * L",
    ),
    ("Every last day", "0 0 L * *", "* * L * *"),
    (
        "every day in April, June, and August at midnight",
        "0 0 * 4,6,8 *",
        "",
    ),
    (
        "every month at midnight and noon on Sunday",
        "0 0,12 * * 0",
        "",
    ),
    (
        "every 3 hours on Monday, Wednesday, and Friday",
        "0 */3 * * 1,3,5",
        "* */3 * * 1,3,5",
    ),
    (
        "every month on the 1st, 3rd, 4th, and 8th days",
        "0 0 1,3,4,8 * *",
        "* * 1,3,4,8 * *",
    ),
    (
        "every day at 1am, 4am, 12pm, and 1pm",
        "0 1,4,12,13 * * *",
        "",
    ),
    (
        "every day in January through October",
        "0 0 * 1-10 *",
        "* * * 1-10 *",
    ),
    (
        "every day in January-October",
        "0 0 * 1-10 *",
        "* * * 1-10 *",
    ),
    (
        "every month on Wednesday to Saturday",
        "0 0 * * 3-6",
        "* * * * 3-6",
    ),
    ("every other day at midnight to noon", "0 0-12 */2 * *", ""),
    ("every 3 minutes at 1am-8pm", "*/3 1-20 * * *", ""),
    ("every day in every month at midnight", "0 0 * * *", ""),
    (
        "every last day in every month at every 4 hours",
        "0 */4 L * *",
        "* */4 L * *",
    ),
    (
        "every month on the last day at every 4 hours",
        "0 */4 L * *",
        "* */4 L * *",
    ),
    (
        "every Friday on the last day in every month at midnight",
        "0 0 L * 5",
        "",
    ),
    // Units alone.
    ("every second", "* * * * * *", "* * * * *"),
    ("every 30 seconds", "*/30 * * * * *", "* * * * *"),
    ("every minute", "* * * * *", ""),
    ("every other minute", "*/2 * * * *", ""),
    ("every hour", "0 * * * *", "* * * * *"),
    ("every 2 hours", "0 */2 * * *", "* */2 * * *"),
    ("every day", "0 0 * * *", "* * * * *"),
    ("every other day", "0 0 */2 * *", "* * */2 * *"),
    ("every week", "0 0 * * 0", ""),
    ("every week on friday at 9:00", "0 9 * * 5", ""),
    ("every month", "0 0 1 * *", "* * * * *"),
    ("every month at noon", "0 12 1 * *", "0 12 * * *"),
    ("every 3 months at 5:00", "0 5 1 */3 *", "0 5 * */3 *"),
    ("every year", "0 0 1 1 *", "* * * * *"),
    ("every year in April at 5am", "0 5 1 4 *", "0 5 * 4 *"),
    ("every year on monday at noon", "0 12 * * 1", ""),
    ("every midnight", "0 0 * * *", ""),
    ("every noon on Friday", "0 12 * * 5", ""),
    // Days.
    ("every Monday at 3am", "0 3 * * 1", ""),
    ("every monday", "0 0 * * 1", ""),
    ("every monday and friday at noon", "0 12 * * 1,5", ""),
    ("every mon, wed at 8:15", "15 8 * * 1,3", ""),
    ("every weekday at 9:00", "0 9 * * 1-5", ""),
    ("every weekend at 10am", "0 10 * * 0,6", ""),
    ("every 2nd Monday at midnight", "0 0 * * 1#2", ""),
    ("every first monday at 1:00", "0 1 * * 1#1", ""),
    ("every second tuesday at 1:00", "0 1 * * 2#2", ""),
    ("every 1st and 3rd monday at noon", "0 12 * * 1#1,1#3", ""),
    ("every day on the last Friday at 18:00", "0 18 * * 5L", ""),
    ("every month on the 2nd Tuesday at 4:00", "0 4 * * 2#2", ""),
    (
        "every day on the 15th day at noon",
        "0 12 15 * *",
        "0 12 * * *",
    ),
    (
        "every month on the 1st and last day at noon",
        "0 12 1,L * *",
        "",
    ),
    (
        "every month on the 1st to 5th day at noon",
        "0 12 1-5 * *",
        "",
    ),
    ("every 15th at 3am", "0 3 15 * *", ""),
    ("every friday to monday at 6pm", "0 18 * * 5,6,0,1", ""),
    // Times.
    ("every day at 3:30pm", "30 15 * * *", ""),
    ("every day at 3:30 pm", "30 15 * * *", ""),
    ("every day at 3 am", "0 3 * * *", ""),
    ("every day at 12am", "0 0 * * *", "0 12 * * *"),
    ("every day at 12pm", "0 12 * * *", ""),
    ("every day at 03:30:15", "15 30 3 * * *", "30 3 * * *"),
    (
        "every day at 10pm to 2am",
        "0 22,23,0,1,2 * * *",
        "0 2-22 * * *",
    ),
    (
        "every 5 minutes from 9am to 5pm on weekdays",
        "*/5 9-17 * * 1-5",
        "",
    ),
    (
        "every 20 minutes between 8am and 10am",
        "*/20 8-10 * * *",
        "",
    ),
    ("every day at every 10 minutes", "*/10 * * * *", ""),
    ("every day at 2:30 and 14:30", "30 2,14 * * *", ""),
    // Without `every`.
    ("noon", "0 12 * * *", ""),
    ("at 3:30", "30 3 * * *", ""),
    ("3:30 on monday", "30 3 * * 1", ""),
    ("monday at 3am", "0 3 * * 1", ""),
    ("daily at 1:15", "15 1 * * *", ""),
    ("hourly", "0 * * * *", ""),
    ("weekly on sunday at 4am", "0 4 * * 0", ""),
    ("monthly on the 1st at 2:00", "0 2 1 * *", ""),
    ("yearly", "0 0 1 1 *", ""),
    ("1st day of april at noon", "0 12 1 4 *", ""),
    ("noon on the last day of the month", "0 12 L * *", ""),
    ("MIDNIGHT ON SUNDAY", "0 0 * * 0", ""),
    ("each day at noon", "0 12 * * *", ""),
    ("midnight in december 24th", "0 0 24 12 *", ""),
];

#[test]
fn phrases_mean_what_their_fields_mean() {
    assert!(PHRASES.len() >= 80, "{}", PHRASES.len());
    let mut wrong = Vec::new();
    for (phrase, fields, akkaflow) in PHRASES {
        let style = if fields.split(' ').count() == 6 {
            Style::Crontab
        } else {
            Style::Akkaflow
        };
        let meant = Cron::read(fields, style).unwrap();
        let cron = match Cron::parse(phrase) {
            Ok(cron) => cron,
            Err(error) => {
                wrong.push(format!(
                    "{phrase}: {error} at {:?}",
                    &phrase[error.range.clone()]
                ));
                continue;
            }
        };
        let found = cron.notes().iter().find_map(|note| match note {
            Note::OtherInAkkaflow { fields, .. } => Some(fields.as_str()),
            _ => None,
        });
        if (cron.rule.clone(), cron.follows_elapsed_time)
            != (meant.rule.clone(), meant.follows_elapsed_time)
        {
            wrong.push(format!(
                "{phrase}: {} instead of {}",
                cron.describe().en,
                meant.describe().en
            ));
        }
        if found.unwrap_or_default() != *akkaflow {
            wrong.push(format!("{phrase}: note {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn times_of_different_minutes_stay_apart() {
    let cron = Cron::parse("every day at 1:30 and 2:45").unwrap();
    assert_eq!(cron.describe().en, "at 01:30 and 02:45 every day");
    assert_eq!(
        cron.notes(),
        [Note::OtherInAkkaflow {
            fields: "30,45 1,2 * * *".to_owned(),
            meaning: cron.describe(),
        }]
    );
}

#[test]
fn years_can_be_named() {
    let cron = Cron::parse("every day at noon in the year 2027 through 2028").unwrap();
    let at = |text: &str| crate::param::parse_date(text, chrono_tz::Tz::UTC).unwrap();
    let next = |after| cron.next_after(at(after), chrono_tz::Tz::UTC);
    assert_eq!(next("2026-03-01"), Some(at("2027-01-01T12:00:00")));
    assert_eq!(next("2028-12-31T12:00:00"), None);
    assert!(!cron.never_fires());
    assert_eq!(cron.describe().en, "at 12:00 every day of 2027-2028");
}

/// Phrase, the word that is pointed at, a part of the message and a part of the help.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("every", "every", "incomplete", "examples"),
    (
        "every dya at midnight",
        "dya",
        "a unit, a weekday or a time",
        "`day`",
    ),
    ("every day at midnigt", "midnigt", "a time", "`midnight`"),
    ("every mondey at 3am", "mondey", "a unit", "`monday`"),
    ("midnight on mondy", "mondy", "a day", "`monday`"),
    ("every day at 25:00", "25:00", "no time of day", "15:30"),
    ("every day at 3:60", "3:60", "no time of day", "15:30"),
    ("every day at 13am", "13am", "no time of day", "15:30"),
    (
        "every 90 minutes",
        "90",
        "between 1 and 59",
        "every=\"90m\"",
    ),
    ("every 0 minutes", "0", "greater than 0", "every second"),
    ("every 36 hours", "36", "between 1 and 23", "fixed rate"),
    (
        "every 10",
        "every 10",
        "a unit after the number",
        "examples",
    ),
    (
        "every 10 minuts",
        "minuts",
        "a unit after the number",
        "`minute`",
    ),
    (
        "every other monday at noon",
        "monday",
        "weeks cannot be counted",
        "every=\"14d\"",
    ),
    (
        "every other week",
        "week",
        "weeks cannot be counted",
        "every=\"14d\"",
    ),
    (
        "every 2 weeks",
        "2",
        "weeks cannot be counted",
        "every=\"14d\"",
    ),
    (
        "every 2 years",
        "years",
        "years cannot be counted",
        "in the year 2027",
    ),
    (
        "every second day",
        "second",
        "less ambiguous",
        "every other day",
    ),
    ("Every last month", "month", "not understood", "examples"),
    ("every 32nd day", "32nd", "no `32nd` day", ""),
    ("every 6th monday", "monday", "6th", ""),
    ("every day in aprill", "aprill", "a month", "`april`"),
    ("every day in the year 27", "27", "1970 to 9999", ""),
    (
        "every day at midnight please",
        "please",
        "`at`, `on`, `in`",
        "",
    ),
    ("every day at", "every day at", "a time", "examples"),
    (
        "every day at noon and",
        "every day at noon and",
        "incomplete",
        "examples",
    ),
    ("tomorrow at noon", "tomorrow", "not understood", "examples"),
];

#[test]
fn refused_phrases_point_at_the_word_and_help() {
    let mut wrong = Vec::new();
    for (phrase, place, message, help) in REFUSED {
        match Cron::read(phrase, Style::Akkaflow) {
            Ok(cron) => wrong.push(format!("{phrase}: {}", cron.describe().en)),
            Err(errors) => {
                let error = &errors[0];
                let said = error.help.as_ref().map_or("", |help| help.en.as_str());
                if &phrase[error.range.clone()] != *place
                    || !error.message.en.contains(message)
                    || !said.contains(help)
                    || error.message.zh == error.message.en
                {
                    wrong.push(format!(
                        "{phrase}: {:?} {} / {said}",
                        &phrase[error.range.clone()],
                        error.message.en
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_phrases_are_answered() {
    let long = format!("every {}", "day at noon and ".repeat(20_000));
    assert!(Cron::parse(&long).is_err());
    for text in [
        "every 每天",
        "ev\u{e9}ry every",
        "every \u{0}",
        "every 99999999999999999999 minutes",
        "at 99999999999999999999:0",
        "every 1sté",
        "每every",
        "İevery",
        "every -",
        "ǅ every K",
    ] {
        if let Err(errors) = Cron::read(text, Style::Akkaflow) {
            for error in errors {
                assert!(text.get(error.range.clone()).is_some(), "{text} {error:?}");
            }
        }
    }
}
