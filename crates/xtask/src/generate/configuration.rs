//! Configuration keys, from the file that holds them all.

use akkaflow_model::text::Lang;

use super::describe::{say, sentence, table};

/// Every key with its default and its meaning, which stands above it in both languages.
const DEFAULTS: &str = include_str!("../../../server/src/default.toml");

struct Key {
    section: String,
    name: String,
    default: String,
    comment: Vec<String>,
}

/// The keys as tables, one for each section.
pub(super) fn keys(lang: Lang) -> String {
    let keys = read();
    let mut sections: Vec<&str> = keys.iter().map(|key| key.section.as_str()).collect();
    sections.dedup();
    let parts: Vec<String> = sections
        .into_iter()
        .map(|section| {
            let rows: Vec<Vec<String>> = keys
                .iter()
                .filter(|key| key.section == section)
                .map(|key| row(lang, key))
                .collect();
            let heading = match section {
                "" => say(lang, "## 所有进程", "## Every process").to_owned(),
                section => format!("## `[{section}]`"),
            };
            let head = say(
                lang,
                "键/默认/环境变量/含义",
                "Key/Default/Variable/Meaning",
            );
            let head: Vec<&str> = head.split('/').collect();
            format!("{heading}\n\n{}", table(&head, &rows))
        })
        .collect();
    parts.join("\n")
}

fn row(lang: Lang, key: &Key) -> Vec<String> {
    let variable: String = [key.section.as_str(), key.name.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| format!("_{}", part.replace(['-', '.'], "_").to_uppercase()))
        .collect();
    vec![
        format!("`{}`", key.name),
        format!("`{}`", key.default),
        format!("`AKKAFLOW{variable}`"),
        meaning(lang, &key.comment),
    ]
}

/// The lines in one language: those with Chinese letters are Chinese.
fn meaning(lang: Lang, comment: &[String]) -> String {
    let is_chinese = |line: &str| {
        line.chars()
            .any(|letter| ('\u{4E00}'..='\u{9FFF}').contains(&letter))
    };
    let lines: Vec<&str> = comment
        .iter()
        .map(String::as_str)
        .filter(|line| is_chinese(line) == (lang == Lang::Zh))
        .collect();
    sentence(lang, &lines.join(" "))
}

fn read() -> Vec<Key> {
    let mut keys = Vec::new();
    let mut section = String::new();
    let mut comment: Vec<String> = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim().to_owned());
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            comment.clear();
        } else if let Some((name, default)) = line.split_once('=') {
            keys.push(Key {
                section: section.clone(),
                name: name.trim().to_owned(),
                default: default.trim().to_owned(),
                comment: std::mem::take(&mut comment),
            });
        } else {
            comment.clear();
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_means_in_both_languages() {
        let keys = read();
        assert!(keys.len() > 10);
        for key in keys {
            for lang in [Lang::Zh, Lang::En] {
                let words = meaning(lang, &key.comment);
                assert!(words.chars().count() > 4, "{} in {lang:?}", key.name);
            }
        }
    }
}
