//! The parameter and time language and the cron dialect of akkaflow 2.12, one row of `language.txt` after the other.

use akkaflow_model::cron::Cron;
use akkaflow_model::definition::NodeKind;
use akkaflow_model::param::{parse_date, resolve_params, substitute, used_params};
use akkaflow_model::read::{Reading, read_workflow};
use akkaflow_model::time::Timestamp;
use akkaflow_model::xml;
use chrono_tz::Tz;

use crate::catalog::Catalog;

const ROWS: &str = include_str!("language.txt");
const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;
const NEW_YORK: Tz = chrono_tz::America::New_York;
const REFUSED: &str = "ERROR";

fn due() -> Timestamp {
    parse_date("2026-03-31T04:59:07", SHANGHAI).unwrap()
}

fn params() -> Vec<(String, String)> {
    let pairs = [
        ("a", "1"),
        ("b", "two words"),
        ("c", "<&\"'"),
        ("day", "20260101"),
        ("name", "a"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn resolved(text: &str) -> String {
    substitute(text, &params(), due(), SHANGHAI).unwrap_or_else(|_| REFUSED.to_owned())
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn list(text: &str) -> String {
    let (list, given) = text.split_once(" => ").unwrap_or((text, ""));
    match resolve_params(&pairs(list), &pairs(given), due(), SHANGHAI) {
        Ok(values) => {
            let shown: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            shown.join(";")
        }
        Err(_) => REFUSED.to_owned(),
    }
}

/// A file whose action has `attributes`, and `text` in its body.
fn read(attributes: &str, text: &str) -> Reading {
    let file = format!(
        "<work-flow name='w' instance-limit='1'><start name='s' to='x'/><action name='x' {attributes}>\
         <script><code>{text}</code></script><ok to='e'/></action><end name='e'/></work-flow>"
    );
    read_workflow(file.as_bytes(), &Catalog)
}

fn codes(reading: &Reading) -> String {
    let codes: Vec<&str> = reading.diagnostics.iter().map(|it| it.code).collect();
    codes.join(" ")
}

fn body(text: &str) -> String {
    let workflow = read("", text).workflow.unwrap();
    let script = workflow.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Action(action) => Some(action.body.elements_named("code").next()?.text()),
        _ => None,
    });
    resolved(&script.unwrap())
}

fn used(text: &str) -> String {
    let file = format!("<a>{text}</a>");
    used_params(&xml::read(file.as_bytes()).root.unwrap()).join(" ")
}

fn cron(text: &str, zone: Tz, after: &str, format: &str, count: usize) -> String {
    let Ok(cron) = Cron::parse(text) else {
        return REFUSED.to_owned();
    };
    let mut moment = parse_date(after, zone).unwrap();
    let mut times = Vec::new();
    while times.len() < count
        && let Some(next) = cron.next_after(moment, zone)
    {
        moment = next;
        let local = next.to_utc().with_timezone(&zone);
        times.push(local.format(format).to_string());
    }
    let mut found = vec![times.join(", ")];
    if cron.never_fires() {
        found = vec!["never AF406".to_owned()];
    }
    found.extend(cron.notes().iter().map(|note| note.code().to_owned()));
    found.join(" ")
}

fn outcome(place: &str, text: &str) -> String {
    match place {
        "param" => resolved(text),
        "list" => list(text),
        "body" => body(text),
        "used" => used(text),
        "code" => codes(&read("", text)),
        "frame" => codes(&read(text, "true")),
        "cron" => cron(text, SHANGHAI, "2026-01-30T20:34:56", "%m-%d %H:%M", 3),
        "york" => cron(text, NEW_YORK, "2026-03-07", "%m-%d %H:%M %z", 2),
        other => panic!("unknown place {other}"),
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\s", " ")
}

#[test]
fn every_row_of_the_language_of_times_and_parameters_is_as_it_was() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let rows = ROWS
        .lines()
        .filter(|row| !row.is_empty() && !row.starts_with('#'));
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let &[place, kind, text, expected, ..] = cells.as_slice() else {
            wrong.push(format!("{row}\n  has too few cells"));
            continue;
        };
        count += 1;
        assert!(matches!(kind, "K" | "F" | "O"), "{row}");
        let is_told = kind == "K" || cells.len() == 5;
        let found = outcome(place, &unescaped(text));
        if !is_told {
            wrong.push(format!("{row}\n  differs, and does not say why"));
        }
        let expected = if expected == "-" { "" } else { expected };
        if found != unescaped(expected) {
            wrong.push(format!("{row}\n  but it is {found:?}"));
        }
    }
    assert!(count > 100, "only {count} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
