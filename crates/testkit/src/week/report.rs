//! The figures of a week.

use std::fmt::{self, Write as _};

/// What a week was like. Equal for equal options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The first thing that must not be, in words.
    pub violation: Option<String>,
    /// Names and figures, in order.
    pub figures: Vec<(String, String)>,
}

impl Report {
    pub(super) fn put(&mut self, name: impl Into<String>, figure: impl Into<String>) {
        self.figures.push((name.into(), figure.into()));
    }

    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&str> {
        let mut figures = self.figures.iter();
        let (_, figure) = figures.find(|(known, _)| known == name)?;
        Some(figure)
    }

    /// As rows of Markdown.
    pub fn rows(&self) -> String {
        let mut text = String::new();
        for (name, figure) in &self.figures {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {name} | {figure} |");
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.figures.iter().map(|(name, _)| name.len()).max();
        let width = width.unwrap_or_default();
        for (name, figure) in &self.figures {
            writeln!(f, "{name:width$}  {figure}")?;
        }
        Ok(())
    }
}

/// With commas between thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn duration(seconds: u64) -> String {
    format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(duration(3_725), "1:02:05");
    }
}
