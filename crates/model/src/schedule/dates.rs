//! A list of dates.

use std::ops::Range;

use chrono::NaiveDateTime;

use crate::param::parse_local;
use crate::quote::shortened;
use crate::text::Text;

/// Why an item of a list is no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateError {
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub help: Text,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

/// Reads `2026-03-31 02:00, 2026-06-30`: local times parted by commas, semicolons or line breaks, in any order. A date
/// alone is its midnight.
///
/// # Errors
/// Each item that is no date, or stands twice.
pub fn read_dates(text: &str) -> Result<Vec<NaiveDateTime>, Vec<DateError>> {
    let mut dates: Vec<NaiveDateTime> = Vec::new();
    let mut errors = Vec::new();
    for (start, item) in items(text) {
        let range = start..start + item.len();
        let found = shortened(item);
        match parse_local(item).or_else(|| parse_local(&format!("{item}:00"))) {
            Some(date) if dates.contains(&date) => errors.push(DateError {
                message: Text::new(
                    format!("日期 `{found}` 重复"),
                    format!("`{found}` stands twice"),
                ),
                help: Text::new("请删除其中之一", "remove one of them"),
                range,
            }),
            Some(date) => dates.push(date),
            None => errors.push(DateError {
                message: Text::new(
                    format!("`{found}` 不是日期"),
                    format!("`{found}` is no date"),
                ),
                help: Text::new(
                    "写法为 2026-03-31 或 2026-03-31 02:00，以逗号分隔",
                    "write 2026-03-31 or 2026-03-31 02:00, parted by commas",
                ),
                range,
            }),
        }
    }
    if errors.is_empty() {
        Ok(dates)
    } else {
        Err(errors)
    }
}

/// The items that are not blank, and where each begins.
fn items(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive([',', ';', '\n', '，', '；'])
        .filter_map(move |piece| {
            let begin = start;
            start += piece.len();
            let item = piece.trim_end_matches([',', ';', '\n', '，', '；']);
            let trimmed = item.trim();
            let lead = item.len() - item.trim_start().len();
            (!trimmed.is_empty()).then_some((begin + lead, trimmed))
        })
}
