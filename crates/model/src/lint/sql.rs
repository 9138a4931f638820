//! Which bytes of SQL statements are quoted.

use std::ops::Range;

/// Which of the `ranges` (ascending) stand without quotes and in no comment.
pub(super) fn unquoted(statements: &str, ranges: &[Range<usize>]) -> Vec<bool> {
    let bytes = statements.as_bytes();
    let mut at = 0;
    // Where the piece ends that the reading is in: a quoted text or a comment.
    let mut quoted_until = 0;
    ranges
        .iter()
        .map(|range| {
            while at < range.start {
                let end = quoted_end(bytes, at);
                if end > range.start {
                    quoted_until = end;
                }
                at = end.max(at + 1);
            }
            range.start >= quoted_until
        })
        .collect()
}

/// Where the quoted text or the comment ends that begins at `at`; `at` itself when none does.
fn quoted_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [quote @ (b'\'' | b'"' | b'`'), ..] => at + text_length(rest, *quote),
        [b'-', b'-', ..] => at + until(rest, b"\n"),
        [b'/', b'*', ..] => at + until(rest, b"*/"),
        _ => at,
    }
}

fn text_length(rest: &[u8], quote: u8) -> usize {
    let mut length = 1;
    while length < rest.len() {
        match rest[length] {
            b'\\' if quote != b'`' => length += 2,
            byte if byte == quote && rest.get(length + 1) == Some(&quote) => length += 2,
            byte if byte == quote => return length + 1,
            _ => length += 1,
        }
    }
    rest.len()
}

fn until(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len())
        .skip(1)
        .position(|window| window == end)
        .map_or(rest.len(), |found| found + 1 + end.len())
}
