//! Findings for programs that read SARIF 2.1.0: code hosts, editors, dashboards.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::code;
use crate::diagnostic::{Finding, Severity};
use crate::text::Lang;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One SARIF log with one run. `version` is that of the program; messages are in one language, rules in both.
pub fn sarif(findings: &[Finding], lang: Lang, version: &str) -> Value {
    let used: BTreeSet<&str> = findings.iter().map(|found| found.code.as_str()).collect();
    let rules: Vec<&(&str, &str, &str)> = code::TABLE
        .iter()
        .filter(|(code, ..)| used.contains(code))
        .collect();
    let index_of = |code: &str| rules.iter().position(|(known, ..)| *known == code);
    let results: Vec<Value> = findings
        .iter()
        .map(|found| result(found, lang, index_of(&found.code)))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "akka check",
                "semanticVersion": version,
                "rules": rules.iter().map(|rule| descriptor(rule, lang)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn descriptor((code, zh, en): &(&str, &str, &str), lang: Lang) -> Value {
    let text = match lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    json!({ "id": code, "shortDescription": { "text": text } })
}

fn result(found: &Finding, lang: Lang, rule: Option<usize>) -> Value {
    let mut message = found.message.get(lang).to_owned();
    if let Some(help) = &found.help {
        message.push_str(match lang {
            Lang::Zh => "。",
            Lang::En => ". ",
        });
        message.push_str(help.get(lang));
    }
    let mut result = json!({
        "ruleId": found.code,
        "level": level(found.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&found.file) },
            "region": {
                "startLine": found.line,
                "startColumn": found.column,
                "endColumn": found.column.saturating_add(found.width),
                "snippet": { "text": found.excerpt },
            },
        }}],
    });
    if let Some(index) = rule {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a relative reference, or as `file:` where it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    for byte in path.bytes() {
        // A colon in the first segment would make a scheme of it, so it is written out everywhere.
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{sarif, uri};
    use crate::diagnostic::{Finding, Severity};
    use crate::text::{Lang, Text};

    fn finding(code: &str, severity: Severity) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            file: "etl/日 报.xml".to_owned(),
            line: 2,
            column: 33,
            width: 1,
            excerpt: "<a retry-times=\"三\"/>".to_owned(),
            excerpt_from: 0,
            message: Text::new("必须是整数", "must be a whole number"),
            help: Some(Text::new("请写0", "write 0")),
        }
    }

    #[test]
    fn every_result_names_a_rule_of_the_log_and_a_region() {
        let findings = [
            finding("AF104", Severity::Error),
            finding("AF101", Severity::Warning),
            finding("AF114", Severity::Note),
        ];
        let log = sarif(&findings, Lang::En, "1.2.3");
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["semanticVersion"], "1.2.3");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for (result, level) in run["results"]
            .as_array()
            .unwrap()
            .iter()
            .zip(["error", "warning", "note"])
        {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert_eq!(result["level"], level);
            assert_eq!(result["message"]["text"], "must be a whole number. write 0");
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(
                place["artifactLocation"]["uri"],
                "etl/%E6%97%A5%20%E6%8A%A5.xml"
            );
            assert_eq!(place["region"]["startColumn"], 33);
            assert_eq!(place["region"]["endColumn"], 34);
        }
    }

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("./a/b.xml"), "a/b.xml");
        assert_eq!(uri("/a:b"), "file:///a%3Ab");
    }
}
