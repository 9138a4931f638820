//! Every code with a file that causes it, and what is said about that.
//!
//! `codes.txt` holds the files: `#### AF104`, then the text, further files below `---- name`. Lines `zh:` and `en:` before it
//! say what to do where the finding's own help does not; lines `right: OLD => NEW` turn it into a file without the mistake.
//! What no text can show is made here.

use std::collections::BTreeSet;

use akkaflow_actions::Registry;
use akkaflow_model::check::{CheckedFile, Set, Surroundings, check_file};
use akkaflow_model::code;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::render::render_findings;
use akkaflow_model::text::Lang;
use akkaflow_model::xml::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_FINDINGS};
use anyhow::{Context, Result, bail};
use chrono::NaiveDate;

use super::describe::{fenced, say, sentence};

const EXAMPLES: &str = include_str!("codes.txt");

/// What messages call the file.
const FILE: &str = "report.xml";

/// What they call a file of db-links.
const LINKS_FILE: &str = "db_links.xml";

/// And one of file-links.
const FILE_LINKS_FILE: &str = "file_links.xml";

/// Files that cause a finding.
#[derive(Default)]
struct Example {
    files: Vec<(String, Vec<u8>)>,
    /// Whether they are worth reading.
    is_shown: bool,
    advice: Option<(String, String)>,
    /// What to replace by what for the mistake to be gone.
    right: Vec<(String, String)>,
}

/// A section for each code.
pub(super) fn codes(lang: Lang) -> Result<String> {
    let mut sections = Vec::new();
    let mut missing = Vec::new();
    for (code, zh, en) in code::TABLE {
        match section(lang, code, say(lang, zh, en)) {
            Ok(section) => sections.push(section),
            Err(error) => missing.push(format!("{code}: {error}")),
        }
    }
    if !missing.is_empty() {
        bail!(
            "crates/xtask/src/generate/codes.txt needs a file for each code, under `#### CODE`:\n  {}",
            missing.join("\n  ")
        );
    }
    Ok(sections.join("\n"))
}

fn section(lang: Lang, code: &str, meaning: &str) -> Result<String> {
    let example = example(code).context("no example")?;
    let found = findings(&example);
    let mut finding = found.into_iter().find(|finding| finding.code == code);
    if let (Some(finding), false) = (&mut finding, example.is_shown) {
        finding.excerpt = shorten(&finding.excerpt);
    }
    let mut text = format!("### {code}\n\n{}\n\n", sentence(lang, meaning));
    if example.is_shown {
        for (name, bytes) in &example.files {
            if example.files.len() > 1 {
                text.push_str(&format!("`{name}`\n"));
            }
            text.push_str(&fenced("xml", &String::from_utf8_lossy(bytes)));
            text.push('\n');
        }
    }
    // A finding that says itself what to do needs no advice beside it.
    let has_help = finding
        .as_ref()
        .is_some_and(|finding| finding.help.is_some());
    let advice = example
        .advice
        .as_ref()
        .filter(|_| !has_help)
        .map(|(zh, en)| say(lang, zh, en).to_owned());
    match (&finding, &advice) {
        (None, None) => bail!("the file does not cause it"),
        (Some(finding), None) if finding.help.is_none() => {
            bail!("the finding has no help: say what to do in lines `zh:` and `en:`")
        }
        _ => {}
    }
    if let Some(finding) = finding {
        let said = render_findings(&[finding], lang, false);
        text.push_str(&fenced("text", &said));
    }
    if example.is_shown {
        text.push_str(&right(lang, code, &example)?);
    }
    if let Some(advice) = advice {
        if !text.ends_with("\n\n") {
            text.push('\n');
        }
        text.push_str(&format!("{}\n", sentence(lang, &advice)));
    }
    Ok(text)
}

/// The lines of the example that differ once it is right.
fn right(lang: Lang, code: &str, example: &Example) -> Result<String> {
    if example.right.is_empty() {
        bail!("say how it is right in a line `right: OLD => NEW`");
    }
    let mut mended = Vec::new();
    let mut lines = Vec::new();
    let mut unused: BTreeSet<&str> = example.right.iter().map(|(old, _)| old.as_str()).collect();
    for (name, bytes) in &example.files {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut better = text.clone();
        for (old, new) in &example.right {
            if better.contains(old.as_str()) {
                better = better.replacen(old.as_str(), new, 1);
                unused.remove(old.as_str());
            }
        }
        let before: BTreeSet<&str> = text.lines().collect();
        let changed = better.lines().filter(|line| !before.contains(line));
        lines.extend(changed.map(str::to_owned));
        mended.push((name.clone(), better.into_bytes()));
    }
    if let Some(old) = unused.first() {
        bail!("`{old}` does not stand in it");
    }
    let mended = Example {
        files: mended,
        ..Example::default()
    };
    // People copy it: nothing else may be wrong with it either.
    let wrong = findings(&mended)
        .into_iter()
        .find(|finding| finding.code == code || finding.severity == Severity::Error);
    if let Some(wrong) = wrong {
        bail!(
            "it is not right after its replacements: {} {}",
            wrong.code,
            wrong.message.en
        );
    }
    let head = say(lang, "正确的写法：", "Right:");
    Ok(format!("\n{head}\n\n{}", fenced("xml", &lines.join("\n"))))
}

fn shorten(excerpt: &str) -> String {
    excerpt.chars().take(60).collect()
}

/// Everything that is said about the files, which are checked as one set.
fn findings(example: &Example) -> Vec<Finding> {
    let registry = Registry::builtin();
    let mut files: Vec<CheckedFile> = example
        .files
        .iter()
        .map(|(name, bytes)| check_file(name, bytes, &registry))
        .collect();
    let now = NaiveDate::from_ymd_opt(2026, 3, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    Set::check(&mut files, Surroundings { now });
    files.into_iter().flat_map(|file| file.findings).collect()
}

fn example(code: &str) -> Option<Example> {
    let section = EXAMPLES
        .split("#### ")
        .find_map(|section| section.strip_prefix(code)?.strip_prefix('\n'));
    let made = made(code);
    if section.is_none() && made.is_none() {
        return None;
    }
    let section = section.unwrap_or_default();
    let (advice, text) = match section.strip_prefix("zh:") {
        Some(rest) => {
            let (zh, rest) = rest.split_once("\nen:")?;
            let (en, text) = rest.split_once('\n')?;
            (Some((zh.trim().to_owned(), en.trim().to_owned())), text)
        }
        None => (None, section),
    };
    let (right, text) = right_lines(text);
    Some(Example {
        right,
        files: match made {
            Some(bytes) => vec![(FILE.to_owned(), bytes)],
            None => files(text),
        },
        is_shown: !text.trim().is_empty(),
        advice,
    })
}

/// The lines `right: OLD => NEW` at the beginning, and the rest.
fn right_lines(mut text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    while let Some((line, rest)) = text
        .strip_prefix("right: ")
        .and_then(|text| text.split_once('\n'))
    {
        let (old, new) = line.split_once(" =>").unwrap_or((line, ""));
        found.push((
            old.to_owned(),
            new.strip_prefix(' ').unwrap_or(new).to_owned(),
        ));
        text = rest;
    }
    (found, text)
}

/// The files of a section: the first one, then others below lines `---- name`.
fn files(text: &str) -> Vec<(String, Vec<u8>)> {
    let file = |(name, text): (&str, &str)| (name.to_owned(), text.trim().as_bytes().to_vec());
    let mut parts = text.split("---- ");
    let first = parts.next().unwrap_or_default();
    let name = if first.trim_start().starts_with("<db-links") {
        LINKS_FILE
    } else if first.trim_start().starts_with("<file-links") {
        FILE_LINKS_FILE
    } else {
        FILE
    };
    let others = parts.filter_map(|part| part.split_once('\n'));
    std::iter::once((name, first))
        .filter(|(_, text)| !text.trim().is_empty())
        .chain(others)
        .map(file)
        .collect()
}

/// Files that are too large for a page, or no text.
fn made(code: &str) -> Option<Vec<u8>> {
    let text = match code {
        code::TOO_LARGE => " ".repeat(MAX_BYTES + 1),
        code::MALFORMED_BYTES => {
            return Some(b"<work-flow name=\"\xC8\xD5\xB1\xA8\"/>".to_vec());
        }
        code::FORBIDDEN_CHARACTER => "<work-flow name=\"a\u{1}\"/>".to_owned(),
        code::TOO_DEEP => "<a>".repeat(MAX_DEPTH + 1),
        code::TOO_MANY_ELEMENTS => {
            let params = "<param name=\"a\" value=\"\"/>".repeat(MAX_ELEMENTS);
            format!("<work-flow><coordinator><param-list>{params}")
        }
        code::TOO_MANY_ATTRIBUTES => {
            let attributes: String = (0..=MAX_ATTRIBUTES)
                .map(|number| format!(" a{number}=\"\""))
                .collect();
            format!("<work-flow{attributes}/>")
        }
        code::TOO_MANY_FINDINGS => format!("<work-flow>{}", "<a/>".repeat(MAX_FINDINGS + 1)),
        _ => return None,
    };
    Some(text.into_bytes())
}
