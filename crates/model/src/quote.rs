//! How messages quote what they found.

use std::fmt;

/// Quotes in messages end here.
const LONGEST_QUOTE: usize = 60;

/// What was found, on one line and short enough for a message; characters that nobody sees are spelt out.
pub(crate) fn shortened(found: &str) -> String {
    let found = found.trim();
    let mut short = String::new();
    for character in found.chars().take(LONGEST_QUOTE) {
        match character {
            _ if character.is_control() => short.push(' '),
            _ if is_invisible(character) => short.extend(character.escape_unicode()),
            _ => short.push(character),
        }
    }
    if found.chars().nth(LONGEST_QUOTE).is_some() {
        short.push('…');
    }
    short
}

/// Soft hyphens, blanks without width, marks of direction, a byte order mark, blanks that do not break.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    )
}

/// The same, made only when it is shown: most values are right.
pub(crate) struct Shortened<'a>(pub(crate) &'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shortened(self.0))
    }
}
