//! Wrong files and exactly what `akka check` says about them, in both languages.
//!
//! `crates/model/tests/wrong` holds files, and directories that are checked as one set; beside each lie `NAME.en.txt` and
//! `NAME.zh.txt`. `AKKAFLOW_UPDATE=1` writes down what is said now; read the difference before you commit it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use akkaflow_actions::Registry;
use akkaflow_model::check::{CheckedFile, Set, Surroundings, check_file, is_calendar};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::render::render_findings;
use akkaflow_model::text::Lang;
use chrono::NaiveDate;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/wrong")
}

fn is_xml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "xml")
}

/// The files of a case, each with the name that its findings carry.
fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if is_xml(&path) || is_calendar(&path) {
            let name = path
                .strip_prefix(directory())
                .unwrap()
                .display()
                .to_string();
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn check(path: &Path) -> Vec<Finding> {
    let registry = Registry::builtin();
    let mut files: Vec<CheckedFile> = files(path)
        .iter()
        .map(|(name, bytes)| check_file(name, bytes, &registry))
        .collect();
    let now = NaiveDate::from_ymd_opt(2026, 11, 21)
        .unwrap()
        .and_hms_opt(9, 0, 0);
    Set::check(&mut files, Surroundings { now });
    files.into_iter().flat_map(|file| file.findings).collect()
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || is_xml(path))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_mistake_is_named_at_its_place_in_both_languages() {
    let is_update = std::env::var_os("AKKAFLOW_UPDATE").is_some();
    let cases = cases();
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    let mut differing = Vec::new();
    for case in &cases {
        let findings = check(case);
        for (lang, ending) in [(Lang::En, "en.txt"), (Lang::Zh, "zh.txt")] {
            let path = case.with_extension(ending);
            let found = render_findings(&findings, lang, false);
            let found = if found.is_empty() {
                "-\n".to_owned()
            } else {
                found
            };
            if is_update {
                std::fs::write(&path, &found).unwrap();
            } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
                differing.push(format!("==== {}\n{found}", path.display()));
            }
        }
    }
    assert!(
        differing.is_empty(),
        "what is said differs from what is written down; AKKAFLOW_UPDATE=1 writes it anew\n{}",
        differing.join("\n")
    );
}

#[test]
fn every_snapshot_belongs_to_a_case() {
    let wanted: BTreeSet<PathBuf> = cases()
        .iter()
        .flat_map(|case| [case.with_extension("en.txt"), case.with_extension("zh.txt")])
        .collect();
    let stray: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .filter(|path| !wanted.contains(path))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}

/// Codes that no small file can show, each with the test that shows it.
const ELSEWHERE: &[&str] = &[
    code::TOO_LARGE,            // model: hostile
    code::TOO_MANY_ELEMENTS,    // model: xml
    code::TOO_MANY_FINDINGS,    // model: hostile
    code::UNREADABLE,           // cli: check
    code::DUPLICATE_FILE_LINK,  // model: file_links
    code::FILE_LINK_INCOMPLETE, // model: file_links
];

#[test]
fn every_code_is_shown_by_a_case() {
    let shown: BTreeSet<String> = cases()
        .iter()
        .flat_map(|case| check(case))
        .map(|finding| finding.code)
        .collect();
    let missing: Vec<&str> = code::TABLE
        .iter()
        .map(|(code, ..)| *code)
        .filter(|code| !shown.contains(*code) && !ELSEWHERE.contains(code))
        .collect();
    assert!(missing.is_empty(), "no wrong file shows {missing:?}");
}

#[test]
fn both_languages_say_something_and_every_error_says_what_to_do() {
    for case in cases() {
        for finding in check(&case) {
            let context = format!("{}: {}", case.display(), finding.code);
            assert!(!finding.message.en.is_empty(), "{context}");
            assert!(!finding.message.zh.is_ascii(), "{context}");
            assert!(
                finding.help.is_some(),
                "{context}: no help: {}",
                finding.message.en
            );
        }
    }
}
