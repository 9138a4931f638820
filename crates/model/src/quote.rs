//! How messages quote what they found.

use std::fmt;

/// Quotes in messages end here.
const LONGEST_QUOTE: usize = 60;

/// What was found, on one line and short enough for a message.
pub(crate) fn shortened(found: &str) -> String {
    let found = found.trim();
    let mut short: String = found
        .chars()
        .take(LONGEST_QUOTE)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if found.chars().nth(LONGEST_QUOTE).is_some() {
        short.push('…');
    }
    short
}

/// The same, made only when it is shown: most values are right.
pub(crate) struct Shortened<'a>(pub(crate) &'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shortened(self.0))
    }
}
