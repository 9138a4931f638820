//! The XML Schema, held against files by xmllint.

use std::path::{Path, PathBuf};
use std::process::Command;

use akkaflow_actions::Registry;
use akkaflow_model::links::{LinkKind, read_file};
use akkaflow_model::read::read_workflow;
use akkaflow_model::xsd;

/// Right files, and what makes each of them wrong: `wrong.txt`.
const WRONG: &str = include_str!("schema/wrong.txt");

/// How many wrong files are asked for.
const FEWEST: usize = 100;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether xmllint is there; without it the tests are skipped loudly, unless servers are required too.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn has_xmllint() -> bool {
    let is_there = Command::new("xmllint").arg("--version").output().is_ok();
    if !is_there {
        let must = std::env::var("AKKAFLOW_TEST_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
        assert!(!must, "xmllint is missing: install libxml2-utils");
        eprintln!("SKIPPED: xmllint is missing");
    }
    is_there
}

/// What xmllint says about each file: its first complaint, or nothing.
fn validate(files: &[PathBuf]) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("akkaflow.xsd");
    std::fs::write(&schema, xsd::schema(&Registry::builtin().shapes())).unwrap();
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(&schema)
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaint = |file: &PathBuf| {
        let name = file.to_str().unwrap();
        if said.lines().any(|line| line == format!("{name} validates")) {
            return None;
        }
        let first = said.lines().find(|line| line.starts_with(name));
        Some(first.unwrap_or(&said).to_owned())
    };
    files.iter().map(complaint).collect()
}

/// What our own checker finds wrong.
fn checked(text: &str) -> Vec<&'static str> {
    let diagnostics = if text.starts_with("<db-links") {
        read_file(LinkKind::Db, text.as_bytes(), "f.xml", &|_| Ok(())).diagnostics
    } else if text.starts_with("<file-links") {
        read_file(LinkKind::File, text.as_bytes(), "f.xml", &|_| Ok(())).diagnostics
    } else {
        read_workflow(text.as_bytes(), &Registry::builtin()).diagnostics
    };
    diagnostics.iter().map(|finding| finding.code).collect()
}

/// A right file, and pairs of what stands in it and what makes it wrong.
struct Base {
    text: String,
    changes: Vec<(String, String)>,
}

fn bases() -> Vec<Base> {
    WRONG
        .split("#### ")
        .skip(1)
        .map(|section| {
            let (_, body) = section.split_once('\n').unwrap();
            let (text, changes) = body.split_once("====\n").unwrap();
            let changes = changes
                .lines()
                .filter(|line| !line.is_empty())
                .map(|line| {
                    let (old, new) = line.split_once(" =>").unwrap_or_else(|| panic!("{line}"));
                    (
                        old.to_owned(),
                        new.strip_prefix(' ').unwrap_or(new).to_owned(),
                    )
                })
                .collect();
            Base {
                text: text.to_owned(),
                changes,
            }
        })
        .collect()
}

fn write_all(folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let write = |(number, text): (usize, &String)| {
        let path = folder.join(format!("{number}.xml"));
        std::fs::write(&path, text).unwrap();
        path
    };
    texts.iter().enumerate().map(write).collect()
}

#[test]
fn every_example_is_right_by_the_schema() {
    if !has_xmllint() {
        return;
    }
    let mut files = super::repository::below(&repository().join("examples"));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    let is_nested = |path: &PathBuf| !path.parent().unwrap().ends_with("examples");
    assert!(files.iter().any(is_nested), "{files:?}");
    for (file, complaint) in files.iter().zip(validate(&files)) {
        assert_eq!(complaint, None, "{}", file.display());
    }
}

#[test]
fn a_hundred_wrong_files_are_wrong_by_the_schema_and_by_the_checker() {
    if !has_xmllint() {
        return;
    }
    let mut right = Vec::new();
    let mut wrong = Vec::new();
    for base in bases() {
        for (old, new) in &base.changes {
            assert_eq!(base.text.matches(old).count(), 1, "{old} stands not once");
            let text = base.text.replace(old, new);
            assert_ne!(
                checked(&text),
                checked(&base.text),
                "the checker accepts {old} => {new}"
            );
            wrong.push((format!("{old} => {new}"), text));
        }
        right.push(base.text);
    }
    assert!(wrong.len() >= FEWEST, "only {} wrong files", wrong.len());
    let folder = tempfile::tempdir().unwrap();
    let files = write_all(folder.path(), &right);
    for (text, complaint) in right.iter().zip(validate(&files)) {
        assert_eq!(complaint, None, "{text}");
    }
    let texts: Vec<String> = wrong.iter().map(|(_, text)| text.clone()).collect();
    let folder = tempfile::tempdir().unwrap();
    let files = write_all(folder.path(), &texts);
    for ((change, _), complaint) in wrong.iter().zip(validate(&files)) {
        let complaint = complaint.unwrap_or_else(|| panic!("the schema accepts {change}"));
        // Not well-formed would be too easy.
        assert!(
            complaint.contains("Schemas validity error"),
            "{change}: {complaint}"
        );
    }
}

#[test]
fn the_schema_takes_what_the_checker_takes() {
    if !has_xmllint() {
        return;
    }
    let texts = [
        "<workflow name=' 日报 '><start name='s' to=' e '>\n</start><end name='e'><!-- x --></end></workflow>",
        "<work-flow name='a.b' instance-limit=' +2 ' create-time='2026-1-2 3:4:5' mail-level='失败'><end name='e'/>\
         <action is-ignore=' TRUE ' name='...' timeout='-1' desc=''><error to='e'/><ok to='e'/><sql db-link='x'><![CDATA[select 1]]></sql></action>\
         <coordinator is-enabled='' start-time='' every='1h'><param-list/></coordinator><start to='...' name='s'/></work-flow>",
        "<work-flow name='w' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='akkaflow.xsd' xml:lang='zh'>\
         <start name='s' to='f'/><fork name='f'><path to='j'/><path to='k'/></fork><kill name='k'><message/></kill><join name='j' to='e'/><end name='e'/></work-flow>",
        "<db-links/>",
    ]
    .map(str::to_owned);
    let folder = tempfile::tempdir().unwrap();
    let files = write_all(folder.path(), &texts);
    for (text, complaint) in texts.iter().zip(validate(&files)) {
        assert_eq!(checked(text), Vec::<&str>::new(), "{text}");
        assert_eq!(complaint, None, "{text}");
    }
}

/// Values that hold references: what stands in a right file, and what may stand there too.
const REFERENCES: &[(&str, &str)] = &[
    ("retry-times=\"3\"", "retry-times=\"${param:day}\""),
    ("retry-times=\"3\"", "retry-times=\" ${ param : day } \""),
    ("interval=\"10\"", "interval=\"1${param:day}\""),
    ("timeout=\"600\"", "timeout=\"${time.today|dd}\""),
    ("is-ignore=\"false\"", "is-ignore=\"${param:day}\""),
    ("instance-limit=\"2\"", "instance-limit=\"${param:day}\""),
    (
        "create-time=\"2026-11-21 04:59:00\"",
        "create-time=\"${time.today} 00:00:00\"",
    ),
    (
        "start-time=\"2026-01-01 00:00:00\"",
        "start-time=\"${time.today} 00:00:00\"",
    ),
    ("desc=\"daily\"", "desc=\"${param:day}\""),
    ("is-pre-del=\"true\"", "is-pre-del=\"${param:day}\""),
    (
        "path=\"/tmp/t\"",
        "path=\"/tmp/${param:day}\" task-num=\"${param:day}\"",
    ),
    ("host=\"-1\"", "host=\"${param:day}\""),
];

#[test]
fn the_schema_takes_references_where_the_checker_does() {
    if !has_xmllint() {
        return;
    }
    let base = bases().remove(0).text;
    let texts: Vec<String> = REFERENCES
        .iter()
        .map(|(old, new)| {
            assert_eq!(base.matches(old).count(), 1, "{old} stands not once");
            base.replace(old, new)
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let files = write_all(folder.path(), &texts);
    for (text, complaint) in texts.iter().zip(validate(&files)) {
        let reading = read_workflow(text.as_bytes(), &Registry::builtin());
        assert!(!reading.has_errors(), "{text}: {:?}", reading.diagnostics);
        assert_eq!(complaint, None, "{text}");
    }
}
