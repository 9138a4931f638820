//! The page of proofs: a row for each proof, the table of planted faults, and the figures of the last week.

use std::path::Path;

use anyhow::{Context, Result};

/// After this heading of the table come its rows.
const PROOFS: &str = "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |\n";

/// After this heading of the table come its rows.
const FAULTS: &str = "| --- | --- | ---: | --- |\n";

/// After this heading of the table come its rows.
const WEEK: &str = "| of the week | |\n| --- | ---: |\n";

fn read(page: &Path) -> Result<String> {
    std::fs::read_to_string(page).with_context(|| format!("read {}", page.display()))
}

/// First and last byte of the rows after a heading.
fn rows(text: &str, heading: &str) -> Result<(usize, usize)> {
    let begin = text
        .find(heading)
        .with_context(|| format!("the page of proofs has no table headed by {heading}"))?;
    let begin = begin + heading.len();
    let length: usize = text[begin..]
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    Ok((begin, begin + length))
}

/// The first seed after all that the page speaks of.
pub(crate) fn next_seed(page: &Path) -> Result<u64> {
    let text = read(page)?;
    let (begin, end) = rows(&text, PROOFS)?;
    let ends = text[begin..end].lines().filter_map(|row| {
        let (_, end) = row.split('|').nth(3)?.split_once("..")?;
        end.trim().parse().ok()
    });
    Ok(ends.max().unwrap_or_default())
}

/// Adds a row to the proofs.
pub(crate) fn append(page: &Path, row: &str) -> Result<()> {
    let mut text = read(page)?;
    let (_, end) = rows(&text, PROOFS)?;
    text.insert_str(end, &format!("{row}\n"));
    std::fs::write(page, text).with_context(|| format!("write {}", page.display()))
}

/// Writes the rows of planted faults anew.
pub(crate) fn replace_faults(page: &Path, table: &str) -> Result<()> {
    replace(page, FAULTS, table)
}

/// Writes the figures of the week anew.
pub(crate) fn replace_week(page: &Path, table: &str) -> Result<()> {
    replace(page, WEEK, table)
}

fn replace(page: &Path, heading: &str, table: &str) -> Result<()> {
    let mut text = read(page)?;
    let (begin, end) = rows(&text, heading)?;
    text.replace_range(begin..end, table);
    std::fs::write(page, text).with_context(|| format!("write {}", page.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added_and_the_next_seed_is_read_from_them() {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("proof.md");
        std::fs::write(
            &page,
            format!("# Proof\n\n{WEEK}| old | 1 |\n\n{PROOFS}\nmore\n\n{FAULTS}| old |\n\nend\n"),
        )
        .unwrap();
        assert_eq!(next_seed(&page).unwrap(), 0);
        append(&page, "| d | c | 0..20 | 20 | 9 | 9 | 9 | 0 |").unwrap();
        append(&page, "| d | c | 20..70 | 50 | 9 | 9 | 9 | 0 |").unwrap();
        replace_faults(&page, "| new |\n").unwrap();
        replace_week(&page, "| new | 2 |\n").unwrap();
        assert_eq!(next_seed(&page).unwrap(), 70);
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains("0..20"), "{text}");
        assert!(text.contains("| ---: |\n| new | 2 |\n\n"), "{text}");
        assert!(
            text.ends_with("| 0 |\n\nmore\n\n| --- | --- | ---: | --- |\n| new |\n\nend\n"),
            "{text}"
        );
    }

    #[test]
    fn a_page_without_its_table_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("proof.md");
        std::fs::write(&page, "nothing").unwrap();
        assert!(next_seed(&page).is_err());
    }
}
