//! What is called with each input, and what must then be true.

use std::path::Path;

use akkaflow_model::check::{Set, Surroundings, check_file};
use akkaflow_model::cron::Cron;
use akkaflow_model::param::{parse_date, resolve_params, substitute, used_params};
use akkaflow_model::read::read_workflow;
use akkaflow_model::render::{render_findings, sarif};
use akkaflow_model::text::Lang;
use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::catalog::Catalog;

/// Without changes of the clock, with them, and with odd ones.
const ZONES: [Tz; 5] = [
    Tz::UTC,
    Tz::Asia__Shanghai,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
];

/// 2262: nothing of ours looks further ahead.
const LAST_MS: u64 = 9_214_646_400_000;

/// One input a line; empty lines and those that begin with `##` are for people.
pub(crate) fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("##"))
        .map(|line| line.as_bytes().to_vec())
        .collect()
}

/// One input a block, parted by lines of dashes.
pub(crate) fn blocks(text: &str) -> Vec<Vec<u8>> {
    text.split("\n----\n")
        .map(|block| block.as_bytes().to_vec())
        .collect()
}

/// The wrong files and the examples.
pub(crate) fn xml_corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![
        root.join("tests/wrong"),
        root.join("tests/it"),
        root.join("../../examples"),
    ];
    let mut paths = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// A whole file, as the checker and the master read it.
pub(crate) fn xml(bytes: &[u8]) {
    let mut files = [
        check_file("a.xml", bytes, &Catalog),
        check_file("config/db_links.xml", bytes, &Catalog),
    ];
    let now = chrono::NaiveDate::from_ymd_opt(2026, 11, 21)
        .unwrap()
        .and_hms_opt(0, 0, 0);
    Set::check(&mut files, Surroundings { now });
    let [file, links] = files;
    for lang in [Lang::Zh, Lang::En] {
        let text = render_findings(&file.findings, lang, true);
        assert!(
            text.chars()
                .all(|c| c == '\n' || c == '\u{1b}' || !c.is_control())
        );
        render_findings(&links.findings, lang, false);
    }
    let log = sarif(&file.findings, Lang::En, "0");
    assert_eq!(
        log["runs"][0]["results"].as_array().unwrap().len(),
        file.findings.len()
    );
    let reading = read_workflow(bytes, &Catalog);
    assert_eq!(reading.workflow.is_none(), file.has_errors());
    if let Some(workflow) = reading.workflow {
        let again = read_workflow(workflow.source.as_bytes(), &Catalog);
        assert_eq!(
            again.workflow.as_ref(),
            Some(&workflow),
            "what is stored reads the same"
        );
    }
}

/// Text, a moment and a zone.
fn taken_apart(bytes: &[u8]) -> (String, Timestamp, Tz) {
    let sum = bytes.iter().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte)
    });
    let millis = i64::try_from(sum % LAST_MS).unwrap();
    let zone = ZONES[usize::try_from(sum >> 40).unwrap() % ZONES.len()];
    (
        String::from_utf8_lossy(bytes).into_owned(),
        Timestamp::from_millis(millis),
        zone,
    )
}

/// A schedule, in numbers or in English.
pub(crate) fn cron(bytes: &[u8]) {
    let (text, mut now, zone) = taken_apart(bytes);
    match Cron::parse(&text) {
        Ok(cron) => {
            for _ in 0..3 {
                let Some(next) = cron.next_after(now, zone) else {
                    break;
                };
                assert!(next > now, "{text:?} after {now:?} in {zone}: {next:?}");
                now = next;
            }
            let again = Cron::parse(cron.as_str()).unwrap();
            assert_eq!(again.next_after(now, zone), cron.next_after(now, zone));
        }
        Err(error) => {
            assert!(
                text.get(error.range.clone()).is_some(),
                "{text:?}: {error:?}"
            );
            assert!(!error.message.en.is_empty() && !error.message.zh.is_empty());
        }
    }
}

/// A text with dates.
pub(crate) fn time(bytes: &[u8]) {
    let (text, now, zone) = taken_apart(bytes);
    let once = substitute(&text, &[], now, zone);
    assert_eq!(
        once,
        substitute(&text, &[], now, zone),
        "the same every time"
    );
    if let Err(error) = once {
        assert!(!error.text().en.is_empty());
    }
    if let Err(text) = parse_date(&text, zone) {
        assert!(!text.zh.is_empty());
    }
}

/// A parameter list, `name=value` a line; what follows an empty line overrides.
pub(crate) fn params(bytes: &[u8]) {
    let (text, now, zone) = taken_apart(bytes);
    let (list, overrides) = text.split_once("\n\n").unwrap_or((&text, ""));
    let pairs = |text: &str| -> Vec<(String, String)> {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let (list, overrides) = (pairs(list), pairs(overrides));
    if let Ok(resolved) = resolve_params(&list, &overrides, now, zone) {
        let mut names: Vec<&String> = resolved.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), resolved.len(), "each name once");
        for (name, value) in &overrides {
            let last = overrides.iter().rev().find(|(other, _)| other == name);
            if last.is_some_and(|(_, last)| last == value) {
                assert!(resolved.contains(&(name.clone(), value.clone())));
            }
        }
        let mut element = akkaflow_model::element::Element::new("code");
        element.children.push(akkaflow_model::element::Child::Text {
            text: text.as_str().into(),
            span: akkaflow_model::element::Span::default(),
        });
        used_params(&element);
        // A body may name more than the list has.
        let _ = substitute(&text, &resolved, now, zone);
    }
}
