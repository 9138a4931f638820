//! Wrong files and exactly what is said about them, in both languages: `golden.txt`.
//!
//! `AKKAFLOW_BLESS=1` writes down what is said now; read the difference before you commit it.

use std::path::PathBuf;

use akkaflow_model::read::read_workflow;
use akkaflow_model::render::render_findings;
use akkaflow_model::text::Lang;

use crate::catalog::Catalog;

const TITLE: &str = "#### ";
const EXPECTED: &str = "====\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.txt")
}

fn rendered(input: &str) -> String {
    let reading = read_workflow(input.as_bytes(), &Catalog);
    let findings = reading.findings("f.xml");
    let verdict = if reading.has_errors() {
        "refused"
    } else {
        "accepted"
    };
    format!(
        "{verdict}\n{}----\n{}",
        render_findings(&findings, Lang::En, false),
        render_findings(&findings, Lang::Zh, false)
    )
}

#[test]
fn every_mistake_is_named_at_its_place_in_both_languages() {
    let text = std::fs::read_to_string(path()).unwrap();
    let mut blessed = String::new();
    let mut wrong = Vec::new();
    let cases: Vec<&str> = text.split(TITLE).skip(1).collect();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    for case in cases {
        let (title, rest) = case.split_once('\n').unwrap();
        let (input, expected) = rest.split_once(EXPECTED).unwrap_or((rest.trim_end(), ""));
        let input = input.trim_end_matches('\n');
        let found = rendered(input);
        if found.trim_end() != expected.trim_end() {
            wrong.push(format!("{title}\n{found}"));
        }
        blessed.push_str(&format!(
            "{TITLE}{title}\n{input}\n{EXPECTED}{}\n\n",
            found.trim_end()
        ));
    }
    if std::env::var_os("AKKAFLOW_BLESS").is_some() {
        std::fs::write(path(), blessed).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
