//! `akka cron` and `akka eval`, which need no server.

use std::process::{Command, Output};

use serde_json::Value;

use crate::{file, text};

fn akka(lang: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_akka"))
        .args(arguments)
        .env_remove("AKKAFLOW_LANG")
        .env_remove("COLUMNS")
        .env("TZ", "Asia/Shanghai")
        .env("LC_ALL", lang)
        .output()
        .expect("the program was built")
}

#[test]
fn a_cron_is_put_into_words_with_its_next_fires() {
    let at = ["--at", "2026-01-30", "-n", "2"];
    let output = akka("zh_CN.UTF-8", &[&["cron", "0 0 L * *"], &at[..]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for part in [
        "每月最后一天 00:00",
        "Asia/Shanghai",
        "| 2026-01-31 周六 00:00:00 | +08:00  |",
        "| 2026-02-28 周六 00:00:00 | +08:00  |",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("03-31") && output.stderr.is_empty());
    // Words need no quotes.
    let output = akka(
        "C",
        &["cron", "midnight", "on", "monday", "--at", "2026-11-21"],
    );
    let said = text(&output.stdout);
    assert!(
        said.contains("at 00:00 on Monday") && said.contains("2026-11-23 Mon 00:00:00"),
        "{said}"
    );
    assert!(said.contains("| 10 |") && !said.contains("| 11 |"));
}

#[test]
fn days_at_which_the_clock_changes_are_marked() {
    let output = akka(
        "C",
        &[
            "cron",
            "30 2 * * *",
            "--zone",
            "america/new_york",
            "--at",
            "2026-03-08",
            "-n",
            "1",
            "--json",
        ],
    );
    let preview: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(preview["time_zone"], "America/New_York");
    let fire = &preview["fires"][0];
    assert_eq!(fire["local"], "2026-03-08T03:00:00-04:00");
    assert_eq!(
        (&fire["at"], &fire["clock"]),
        (&"2026-03-08T07:00:00.000Z".into(), &"gap".into())
    );
    assert!(
        fire["note"]
            .as_str()
            .unwrap()
            .contains("02:30 does not exist")
    );
}

#[test]
fn a_calendar_moves_slots_and_its_mistakes_are_shown_at_their_places() {
    let china = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/calendars/china.calendar"
    );
    let output = akka(
        "zh_CN.UTF-8",
        &[
            "cron",
            "30 8 1 * *",
            "--calendar",
            china,
            "--policy",
            "next",
            "--at",
            "2025-12-31",
            "-n",
            "1",
        ],
    );
    let said = text(&output.stdout);
    assert!(
        said.contains("2026-01-04 周日 08:30:00") && said.contains("元旦调休上班"),
        "{said}"
    );
    let bad = file(
        "bad.calendar",
        "weekend sat\nholyday 2026-01-01\nworkday 2026-02-30\n",
    );
    let output = akka("C", &["cron", "0 0 * * *", "--calendar", &bad]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains(&format!("{bad}:2:1")) && said.contains(&format!("{bad}:3:9")),
        "{said}"
    );
    assert!(said.contains("did you mean `holiday`?"), "{said}");
}

#[test]
fn every_mistake_of_a_cron_is_shown_and_what_never_fires_is_said() {
    let output = akka("C", &["cron", "61 25 * * mun"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    for place in ["cron:1:1", "cron:1:4", "cron:1:11"] {
        assert!(said.contains(place), "{said}");
    }
    let output = akka("C", &["cron", "0 0 31 2 *"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("never"));
    assert!(text(&output.stderr).contains("AF406"));
    for wrong in [
        &["cron", "0 0 * * *", "--zone", "Asia/Shangai"][..],
        &["cron", "0 0 * * *", "--at", "soon"],
        &["cron", "0 0 * * *", "-n", "many"],
        &["cron", "0 0 * * *", "--calendar", "/nowhere"],
        &["cron", "0 0 * * *", "--style", "quartz"],
        &["cron"],
        &["eval", "x", "--param", "y"],
    ] {
        assert_eq!(akka("C", wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn the_style_decides_what_two_day_fields_and_a_sixth_field_mean() {
    let fires = |arguments: &[&str]| {
        let output = akka(
            "C",
            &[
                &["cron", "--at", "2026-11-21", "-n", "2", "--json"],
                arguments,
            ]
            .concat(),
        );
        let preview: Value = serde_json::from_slice(&output.stdout).unwrap();
        let fires = preview["fires"].as_array().unwrap();
        let local = |fire: &Value| fire["local"].as_str().unwrap()[..19].to_owned();
        fires.iter().map(local).collect::<Vec<_>>()
    };
    let day = |day: &str| format!("2026-{day}T00:00:00");
    assert_eq!(fires(&["0 0 25 * 5"]), [day("11-27"), day("12-04")]);
    assert_eq!(
        fires(&["0 0 25 * 5", "--style", "crontab"]),
        [day("11-25"), day("11-27")]
    );
    assert_eq!(
        fires(&["15,45 0 0 * * *", "--style", "crontab"]),
        ["2026-11-21T00:00:15", "2026-11-21T00:00:45"]
    );
}

#[test]
fn dates_and_parameters_are_worked_out() {
    let value = |arguments: &[&str]| {
        let output = akka(
            "C",
            &[&["eval", "--at", "2028-03-31T10:20:30"], arguments].concat(),
        );
        text(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(value(&["${time.today|yyyyMMdd|-1 day}"]), "20280330");
    assert_eq!(
        value(&["time.today|yyyy-MM-dd HH:mm|-1 month"]),
        "2028-02-29 10:20"
    );
    assert_eq!(
        value(&[
            "${param:dir}/${param:day}.csv ${HOME}",
            "-p",
            "day=${time.last_month}",
            "-p",
            "dir=/data"
        ]),
        "/data/2028-02.csv ${HOME}"
    );
    let output = akka("zh_CN.UTF-8", &["eval", "${param:y}"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("参数 `y` 未定义"));
}

#[test]
fn eval_says_what_stays_as_it_is_written_as_the_check_does() {
    for (expression, said) in [
        ("${time.today", "lacks its `}`, so it is not replaced"),
        ("${TIME.TODAY}", "did you mean `${time.today}`?"),
        ("${params:day}", "did you mean `${param:day}`?"),
    ] {
        for format in [&["eval", expression][..], &["eval", "--json", expression]] {
            let output = akka("C", format);
            assert_eq!(output.status.code(), Some(0));
            let errors = text(&output.stderr);
            assert!(
                errors.contains("warning[AF117]") && errors.contains(said),
                "{errors}"
            );
        }
    }
    let output = akka("C", &["eval", "${time.today|yyyy-mm-dd HH:MM}"]);
    let said = text(&output.stderr);
    assert!(said.contains("did you mean `yyyy-MM-dd HH:mm`?"), "{said}");
}

#[test]
fn a_cron_that_never_fires_says_so_in_words() {
    let output = akka("C", &["cron", "--json", "0 0 30 2 *"]);
    let preview: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let words = preview["words"].as_str().unwrap();
    assert!(words.starts_with("never ("), "{words}");
}

#[test]
fn eval_says_what_will_be_taken_for_something_else() {
    let expression = "${time.today|YYYY|-1 week}";
    let output = akka("C", &["eval", "--at", "2026-03-31", expression]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "2026\n");
    let said = text(&output.stderr);
    for code in ["warning[AF409]", "warning[AF416]"] {
        assert!(said.contains(code), "no {code} in {said}");
    }
    let output = akka(
        "C",
        &["eval", "--at", "2026-03-31", "${time.today|yyyy|-1 day}"],
    );
    assert!(output.stderr.is_empty());
}
