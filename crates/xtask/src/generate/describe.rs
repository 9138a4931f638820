//! Words of the pages that are neither declared nor written by hand.

use akkaflow_model::text::Lang;

/// One of two sentences.
pub(super) fn say<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// A phrase of a declaration as it stands in a page: its `<` opens no element of the page.
pub(super) fn plain(phrase: &str) -> String {
    let parts = phrase.split('`').enumerate();
    let parts: Vec<String> = parts
        .map(|(number, part)| match number % 2 {
            0 => part.replace('<', "&lt;"),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

/// A phrase of a declaration as a sentence of a page.
pub(super) fn sentence(lang: Lang, phrase: &str) -> String {
    let phrase = &plain(phrase);
    let is_over = phrase.ends_with(['.', '。', '>', '：', ':']);
    match lang {
        Lang::Zh if is_over => phrase.to_owned(),
        Lang::Zh => format!("{phrase}。"),
        Lang::En => {
            let mut letters = phrase.chars();
            let is_name = phrase.starts_with("akka");
            let first: String = letters
                .next()
                .map(|first| match is_name {
                    true => first.to_string(),
                    false => first.to_uppercase().collect(),
                })
                .unwrap_or_default();
            format!(
                "{first}{}{}",
                letters.as_str(),
                if is_over { "" } else { "." }
            )
        }
    }
}

/// A table; cells may hold anything.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let head_cells: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = line(&head_cells);
    text.push_str(&format!("|{}\n", "---|".repeat(head.len())));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

/// As code; a fence longer than any in the text would be needed only where code holds fences.
pub(super) fn fenced(language: &str, code: &str) -> String {
    format!("```{language}\n{}\n```\n", code.trim_end_matches('\n'))
}
