use chrono_tz::Tz;

use super::{ParamError, Values, parse_date, resolve_params, substitute, used_params};
use crate::time::Timestamp;
use crate::xml;

const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;
const NEW_YORK: Tz = chrono_tz::America::New_York;

fn at(local: &str, zone: Tz) -> Timestamp {
    parse_date(local, zone).unwrap()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn evaluate(expression: &str, local: &str) -> Result<String, ParamError> {
    substitute(
        &format!("${{{expression}}}"),
        &[],
        at(local, SHANGHAI),
        SHANGHAI,
    )
}

#[test]
fn keywords_formats_and_units() {
    let table = [
        ("time.today", "2026-11-21"),
        ("time.yestoday", "2026-11-20"),
        ("time.cur_month", "2026-11"),
        ("time.last_month", "2026-10"),
        ("time.today|yyyyMMdd", "20261121"),
        ("time.today|yyyy-MM-dd|-1 day", "2026-11-20"),
        ("time.today|yyyy-MM-dd|+10 days", "2026-12-01"),
        ("time.today|yyyy-MM-dd|1 DAY", "2026-11-22"),
        ("time.today|yyyy-MM|-11 month", "2025-12"),
        ("time.today|yyyy-MM-dd HH|-5 hour", "2026-11-20 23"),
        ("time.today|HH:mm|90 minutes", "06:29"),
        ("time.yestoday|yyyy-MM-dd|-1 month", "2026-10-20"),
        ("time.last_month|yyyyMMdd|-1 day", "20261020"),
        // akkaflow takes any other unit as days.
        ("time.today|yyyy-MM-dd|-1 week", "2026-11-20"),
        ("time.today|yyyy-MM-dd|-1 year", "2026-11-20"),
        // The first of day, month, hour, minute decides.
        ("time.today|yyyy-MM-dd|-1 monthday", "2026-11-20"),
        ("time.today | yyyyMMdd | -1 day ", "20261120"),
        ("time.today|yyyy年MM月dd日", "2026年11月21日"),
        ("time.today|y-M-d H:m:s.S", "2026-11-21 4:59:7.0"),
        (
            "time.today|yy MMM MMMM E EEEE a h hh",
            "26 Nov November Sat Saturday AM 4 04",
        ),
        ("time.today|yyyyy SSS k K D u", "02026 000 4 4 325 6"),
        ("time.today|'day' dd''MM 'o''clock'", "day 21'11 o'clock"),
    ];
    for (expression, expected) in table {
        assert_eq!(
            evaluate(expression, "2026-11-21 04:59:07").as_deref(),
            Ok(expected),
            "{expression}"
        );
    }
}

#[test]
fn noon_and_midnight_in_every_clock() {
    assert_eq!(
        evaluate("time.today|H k h K a", "2026-11-21T00:30:00").as_deref(),
        Ok("0 24 12 0 AM")
    );
    assert_eq!(
        evaluate("time.today|H k h K a", "2026-11-21T12:30:00").as_deref(),
        Ok("12 12 12 0 PM")
    );
}

/// As Java's GregorianCalendar says with weeks from Sunday and one day at least in the first.
#[test]
fn weeks_eras_and_zones_are_written_as_java_does() {
    let table = [
        ("2026-01-01", "G w W F", "AD 1 1 1"),
        ("2026-01-03", "w", "1"),
        ("2026-01-04", "w W F", "2 2 1"),
        ("2026-11-21", "ww W F", "47 3 3"),
        ("2026-12-26", "w W", "52 4"),
        ("2026-12-27", "w W F", "1 5 4"),
        ("2026-12-31", "w W F LL", "1 5 5 12"),
        ("2028-12-30", "w", "53"),
        ("2026-11-21", "z Z X XX XXX", "CST +0800 +08 +0800 +08:00"),
    ];
    for (date, format, expected) in table {
        assert_eq!(
            evaluate(&format!("time.today|{format}"), date).as_deref(),
            Ok(expected),
            "{date} {format}"
        );
    }
    let in_zone =
        |zone, date: &str| substitute("${time.today|z XXX}", &[], at(date, zone), zone).unwrap();
    assert_eq!(in_zone(NEW_YORK, "2026-07-01"), "EDT -04:00");
    assert_eq!(in_zone(NEW_YORK, "2026-12-01"), "EST -05:00");
    assert_eq!(in_zone(chrono_tz::Tz::UTC, "2026-12-01"), "UTC Z");
    assert_eq!(
        in_zone(chrono_tz::Asia::Kolkata, "2026-12-01"),
        "IST +05:30"
    );
}

#[test]
fn months_end_where_they_end() {
    let table = [
        ("2026-03-31", "-1 month", "2026-02-28"),
        ("2028-03-31", "-1 month", "2028-02-29"),
        ("2028-02-29", "12 month", "2029-02-28"),
        ("2028-02-29", "-48 month", "2024-02-29"),
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2026-12-31", "1 day", "2027-01-01"),
        ("2028-02-28", "1 day", "2028-02-29"),
        ("2027-02-28", "1 day", "2027-03-01"),
        ("2028-03-01", "-1 day", "2028-02-29"),
        ("2100-02-28", "1 day", "2100-03-01"),
        ("2100-03-31", "-1 month", "2100-02-28"),
        ("2000-03-31", "-1 month", "2000-02-29"),
        ("2028-02-29", "365 day", "2029-02-28"),
        ("2026-08-31", "6 month", "2027-02-28"),
        ("2026-05-31", "-3 month", "2026-02-28"),
        ("2026-10-31", "1 month", "2026-11-30"),
    ];
    for (date, shift, expected) in table {
        let expression = format!("time.today|yyyy-MM-dd|{shift}");
        assert_eq!(
            evaluate(&expression, date).as_deref(),
            Ok(expected),
            "{date} {shift}"
        );
    }
    assert_eq!(
        evaluate("time.last_month", "2026-03-31").as_deref(),
        Ok("2026-02")
    );
}

#[test]
fn hours_elapse_and_days_move_the_date() {
    let text = "${time.today|dd HH:mm|24 hour} ${time.today|dd HH:mm|1 day}";
    let found = substitute(text, &[], at("2026-03-07 12:00:00", NEW_YORK), NEW_YORK);
    assert_eq!(found.as_deref(), Ok("08 13:00 08 12:00"));
}

#[test]
fn wrong_expressions_say_what_is_wrong() {
    let wrong = |expression: &str| evaluate(expression, "2026-11-21").unwrap_err();
    assert_eq!(
        wrong("time.tomorrow"),
        ParamError::Keyword {
            keyword: "time.tomorrow".into(),
            meant: None,
        }
    );
    assert_eq!(
        wrong("time.today|yyyy-bb"),
        ParamError::Format {
            format: "yyyy-bb".into()
        }
    );
    assert_eq!(
        wrong("time.today|'x"),
        ParamError::Format {
            format: "'x".into()
        }
    );
    for shift in [
        "-1day",
        "day",
        "x day",
        "1.5 day",
        "",
        "99999999999999999999 day",
    ] {
        assert!(
            matches!(
                wrong(&format!("time.today|yyyy|{shift}")),
                ParamError::Shift { .. }
            ),
            "{shift}"
        );
    }
    assert!(matches!(
        wrong("time.today|a|1 day|b"),
        ParamError::Parts { .. }
    ));
    for shift in [
        "9223372036854775807 day",
        "-9999999999 month",
        "9223372036854775807 hour",
        "-99999999 hour",
        "4000000000 day",
    ] {
        assert!(
            matches!(
                wrong(&format!("time.today|yyyy|{shift}")),
                ParamError::OutOfRange { .. }
            ),
            "{shift}"
        );
    }
    assert_eq!(
        wrong("time.x").to_string(),
        "unknown keyword `time.x`; there are time.today, time.yestoday, time.cur_month, time.last_month"
    );
}

#[test]
fn no_moment_is_too_far() {
    for millis in [
        i64::MIN,
        -62_167_219_200_001,
        0,
        253_402_300_800_000,
        i64::MAX,
    ] {
        let _ = substitute(
            "${time.yestoday} ${time.today|yyyy|-1 hour}",
            &[],
            Timestamp::from_millis(millis),
            SHANGHAI,
        );
    }
}

#[test]
fn only_params_and_dates_are_replaced() {
    let params = pairs(&[("a", "1"), ("空", "值"), ("b", "<&\"'${param:a}")]);
    let fire = at("2026-11-21", SHANGHAI);
    let text = "${param:a}${ param : a } ${param:空} ${HOME} ${x:-y} $a ${ ${param:a} ${time} ${param:b} #@@# ${#list[@]}\r\n";
    let expected = "11 值 ${HOME} ${x:-y} $a ${ 1 ${time} <&\"'${param:a} #@@# ${#list[@]}\r\n";
    assert_eq!(
        substitute(text, &params, fire, SHANGHAI).as_deref(),
        Ok(expected)
    );
    let error = substitute("x ${param:nobody}", &params, fire, SHANGHAI).unwrap_err();
    assert_eq!(
        error,
        ParamError::Undefined {
            name: "nobody".into()
        }
    );
    assert_eq!(error.text().zh, "参数 `nobody` 未定义");
}

#[test]
fn a_date_may_use_parameters() {
    let params = pairs(&[("n", "-2")]);
    let text = "${time.today|yyyy-MM-dd|${param:n} day}";
    assert_eq!(
        substitute(text, &params, at("2026-11-21", SHANGHAI), SHANGHAI).as_deref(),
        Ok("2026-11-19")
    );
}

#[test]
fn parameters_are_resolved_from_the_top_down() {
    let list = pairs(&[
        ("day", "${time.today|yyyyMMdd}"),
        ("file", "/data/${param:day}.txt"),
        ("again", "${file}.gz ${HOME}"),
        ("day", "later"),
        ("last", "${param:day}"),
    ]);
    let fire = at("2026-11-21", SHANGHAI);
    let resolved = resolve_params(&list, &[], fire, SHANGHAI).unwrap();
    let expected = pairs(&[
        ("day", "later"),
        ("file", "/data/20261121.txt"),
        ("again", "/data/20261121.txt.gz ${HOME}"),
        ("last", "later"),
    ]);
    assert_eq!(resolved, expected);
}

#[test]
fn overrides_replace_values_and_are_seen_by_those_below() {
    let list = pairs(&[
        ("file", "${param:root}/${param:day}"),
        ("day", "1"),
        ("out", "${param:file}-${param:day}"),
    ]);
    let fire = at("2026-11-21", SHANGHAI);
    let overrides = pairs(&[("day", "${time.today}"), ("root", "/r")]);
    let resolved = resolve_params(&list, &overrides, fire, SHANGHAI).unwrap();
    let expected = pairs(&[
        ("file", "/r/${time.today}"),
        ("day", "${time.today}"),
        ("out", "/r/${time.today}-${time.today}"),
        ("root", "/r"),
    ]);
    assert_eq!(resolved, expected);
    let error = resolve_params(&list, &[], fire, SHANGHAI).unwrap_err();
    assert_eq!(
        error,
        ParamError::Undefined {
            name: "root".into()
        }
    );
}

/// One node, `load`, has handed on `rows`.
fn values<'a>(params: &'a [(String, String)], state: Option<&'a [(String, String)]>) -> Values<'a> {
    Values {
        params,
        outputs: &|node, name| (node == "load" && name == "rows").then(|| "${param:x}".to_owned()),
        state,
        fire_time: at("2026-11-21", SHANGHAI),
        zone: SHANGHAI,
    }
}

#[test]
fn outputs_and_state_are_inserted_as_they_are() {
    let state = pairs(&[("last", "7")]);
    let params = pairs(&[("x", "1")]);
    let given = values(&params, Some(&state));
    let replaced = |text: &str| given.substitute(text).map_err(|error| error.text().en);
    assert_eq!(
        replaced("${output:load.rows} ${state:last} ${param:x}"),
        Ok("${param:x} 7 1".to_owned())
    );
    assert_eq!(
        replaced("${time.today|yyyy|${state:last} day}"),
        Ok("2026".to_owned())
    );
    let error = replaced("${output:load.max}").unwrap_err();
    assert!(
        error.starts_with("node `load` has handed on no output `max`"),
        "{error}"
    );
    let error = replaced("${state:first}").unwrap_err();
    assert!(error.contains("state `first` has no value"), "{error}");
    // What a shell means by it is its own.
    for text in ["${output:-word}", "${state:0:3}", "${output:-a.b}"] {
        assert_eq!(replaced(text), Ok(text.to_owned()));
    }
    let without = values(&params, None);
    assert_eq!(
        without.substitute("${state:last}"),
        Ok("${state:last}".to_owned())
    );
}

#[test]
fn values_cannot_change_the_tree() {
    let root =
        xml::read(b"<sql db-link='${param:l}'>select '${param:v}' <x>${time.today}</x></sql>")
            .root
            .unwrap();
    assert_eq!(used_params(&root), ["l", "v"]);
    let params = pairs(&[("l", "local"), ("v", "</sql><kill/>")]);
    let copy = values(&params, None).substitute_element(&root).unwrap();
    assert_eq!(copy.attributes[0].value, "local");
    assert_eq!(copy.text(), "select '</sql><kill/>' ");
    assert_eq!(copy.elements().next().unwrap().text(), "2026-11-21");
    assert_eq!(copy.elements().count(), 1);
}

#[test]
fn used_parameters_are_named_once_in_order() {
    let root = xml::read(
        b"<a b='${param:z}'>${param:a} ${ param : z }<c>${time.today|yyyy|${param:n} day}</c></a>",
    )
    .root
    .unwrap();
    assert_eq!(used_params(&root), ["z", "a", "n"]);
}

#[test]
fn a_megabyte_of_openings_is_read_at_once() {
    for unit in [
        "${",
        "${param:",
        "${time.",
        "${time.${",
        "${param:a",
        "${{}",
    ] {
        let text = unit.repeat(1 << 17);
        let found = substitute(&text, &[], Timestamp::from_millis(0), SHANGHAI);
        assert_eq!(found.as_deref(), Ok(text.as_str()));
    }
}

#[test]
fn dates_are_read_in_the_zone() {
    assert_eq!(
        at("2026-11-21", SHANGHAI).to_rfc3339(),
        "2026-11-20T16:00:00.000Z"
    );
    assert_eq!(
        at(" 2026-11-21T01:02:03 ", SHANGHAI).to_rfc3339(),
        "2026-11-20T17:02:03.000Z"
    );
    // In a gap: its end. Repeated: the first time.
    assert_eq!(
        at("2026-03-08 02:30:00", NEW_YORK).to_rfc3339(),
        "2026-03-08T07:00:00.000Z"
    );
    assert_eq!(
        at("2026-11-01 01:30:00", NEW_YORK).to_rfc3339(),
        "2026-11-01T05:30:00.000Z"
    );
    // Nobody writes seconds by hand.
    for time in ["2026-03-01T12:00", "2026-03-01 12:00"] {
        assert_eq!(at(time, SHANGHAI), at("2026-03-01T12:00:00", SHANGHAI));
    }
    for wrong in [
        "",
        "today",
        "2026-13-01",
        "2026-02-29",
        "26-01-01",
        "+2026-01-01",
        "2026-01-01T25:00:00",
        "2026-01-01T01",
        "日日日日-01-01",
    ] {
        assert!(parse_date(wrong, SHANGHAI).is_err(), "{wrong}");
    }
    assert_eq!(
        parse_date("x", SHANGHAI).unwrap_err().en,
        "`x` is not a date; write yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss"
    );
}

#[test]
fn the_year_of_the_week_is_that_of_its_saturday() {
    // What a GregorianCalendar whose weeks begin on Sunday, with one day enough for a first week, says.
    let table = [
        ("2026-12-26", "2026"),
        ("2026-12-27", "2027"),
        ("2026-12-31", "2027"),
        ("2027-01-01", "2027"),
        ("2027-12-25", "2027"),
        ("2027-12-26", "2028"),
        ("2028-12-30", "2028"),
        ("2028-12-31", "2029"),
        ("2022-12-31", "2022"),
        ("2023-01-01", "2023"),
    ];
    for (day, year) in table {
        assert_eq!(
            evaluate("time.today|YYYY", day).as_deref(),
            Ok(year),
            "{day}"
        );
    }
    assert_eq!(
        evaluate("time.today|YY Y YYYYY w", "2026-12-31").as_deref(),
        Ok("27 2027 02027 1")
    );
}

#[test]
fn a_misspelt_keyword_names_the_one_that_was_meant() {
    for (written, meant) in [
        ("time.tody", "time.today"),
        ("time.Today", "time.today"),
        ("time.todya", "time.today"),
        ("time.yesterday", "time.yestoday"),
        ("time.yesteday", "time.yestoday"),
        ("time.cur_mouth", "time.cur_month"),
        ("time.curmonth", "time.cur_month"),
        ("time.current_month", "time.cur_month"),
        ("time.lastmonth", "time.last_month"),
        ("time.last_moth", "time.last_month"),
    ] {
        let said = evaluate(written, "2026-11-21").unwrap_err().text();
        let expected = format!("did you mean `{meant}`?");
        assert!(said.en.ends_with(&expected), "{}", said.en);
    }
    let said = evaluate("time.epoch", "2026-11-21").unwrap_err().text();
    assert!(said.en.contains("there are time.today"), "{}", said.en);
}

#[test]
fn values_that_repeat_each_other_end_in_an_error_not_in_the_memory() {
    let mut list = pairs(&[("p0", "lol")]);
    for level in 1..20 {
        let value = format!("${{param:p{}}}", level - 1).repeat(10);
        list.push((format!("p{level}"), value));
    }
    let fire_time = at("2026-11-21", SHANGHAI);
    let resolved = resolve_params(&list, &[], fire_time, SHANGHAI);
    let too_large = |name: &str| ParamError::ValueTooLarge {
        name: name.to_owned(),
    };
    assert_eq!(resolved, Err(too_large("p5")));
    let given = [("big".to_owned(), "x".repeat((64 << 10) + 1))];
    let resolved = resolve_params(&[], &given, fire_time, SHANGHAI);
    assert_eq!(resolved, Err(too_large("big")));
    let many: Vec<_> = (0..17)
        .map(|n| (format!("n{n}"), "x".repeat(64 << 10)))
        .collect();
    let resolved = resolve_params(&many, &[], fire_time, SHANGHAI);
    assert_eq!(resolved, Err(too_large("n16")), "all of them together");
}

#[test]
fn a_body_with_long_values_many_times_is_too_large() {
    let params = [("p".to_owned(), "x".repeat(64 << 10))];
    let attribute = "${param:p}".repeat(40);
    let xml = format!("<a x='{attribute}' y='{attribute}'/>");
    let root = xml::read(xml.as_bytes()).root.unwrap();
    let filled = values(&params, None).substitute_element(&root);
    assert_eq!(filled, Err(ParamError::TooLarge));
}

#[test]
fn hours_elapse_through_changes_of_the_clock_and_days_land_where_java_lands() {
    let berlin = chrono_tz::Europe::Berlin;
    for (expression, local, expected) in [
        (
            "time.today|yyyy-MM-dd HH:mm Z|1 hour",
            "2026-10-25T02:30:00",
            "2026-10-25 02:30 +0100",
        ),
        (
            "time.today|yyyy-MM-dd HH:mm Z|2 hour",
            "2026-10-25T02:30:00",
            "2026-10-25 03:30 +0100",
        ),
        (
            "time.today|yyyy-MM-dd HH:mm Z|1 day",
            "2026-03-28T02:30:00",
            "2026-03-29 03:30 +0200",
        ),
        (
            "time.yestoday|yyyy-MM-dd HH:mm Z",
            "2026-10-26T02:30:00",
            "2026-10-25 02:30 +0200",
        ),
    ] {
        let at = crate::param::parse_date(local, berlin).unwrap();
        let text = substitute(&format!("${{{expression}}}"), &[], at, berlin);
        assert_eq!(text.as_deref(), Ok(expected), "{expression} at {local}");
    }
}

#[test]
fn a_forgotten_format_and_half_days_without_a_half_are_told() {
    let told = |expression: &str| {
        let found = super::check_time_expression(expression).unwrap();
        found.iter().map(|it| it.help().en).collect::<Vec<_>>()
    };
    assert_eq!(
        told("time.today|-1 day"),
        ["the format comes first, then the shift: yyyy-MM-dd|-1 day"]
    );
    assert_eq!(told("time.today|hh:mm:ss"), ["did you mean `HH:mm:ss`?"]);
    assert_eq!(told("time.today|hh:mm a"), [""; 0]);
    assert_eq!(told("time.today|YYYYMMDD"), ["did you mean `yyyyMMdd`?"; 2]);
    let error = super::check_time_expression("time.cur_month|-1 month").unwrap_err();
    assert_eq!(
        error.text().en,
        "`-1 month` stands where the format does, which comes first: yyyy-MM|-1 month"
    );
}
