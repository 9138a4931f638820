//! How messages quote what they found.

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
