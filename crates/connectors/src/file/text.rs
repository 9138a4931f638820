//! Delimited text by akkaflow's rules, one row.

use super::delimiter::Delimiter;
use super::format::Taken;
use crate::batch::Batch;

#[inline]
pub(super) fn take_row(
    delimiter: &Delimiter,
    text: &[u8],
    is_at_end: bool,
    batch: &mut Batch,
) -> Option<Taken> {
    let (line, taken) = take_line(text, is_at_end)?;
    for_each_field(line, delimiter.as_bytes(), |field| {
        if means_null(field) {
            batch.push_null();
        } else {
            batch.push(field);
        }
    });
    Some(taken)
}

/// Whether a field stands for NULL.
#[inline]
pub(super) fn means_null(field: &[u8]) -> bool {
    field.is_empty() || (field.len() == 4 && field.eq_ignore_ascii_case(b"null"))
}

/// The first line without its line feed; `None` when its end is not there yet.
#[inline]
pub(super) fn take_line(text: &[u8], is_at_end: bool) -> Option<(&[u8], Taken)> {
    let (line, bytes) = match memchr::memchr(b'\n', text) {
        Some(length) => (&text[..length], length + 1),
        None if is_at_end && !text.is_empty() => (text, text.len()),
        None => return None,
    };
    Some((line, Taken { bytes, lines: 1 }))
}

#[inline]
fn for_each_field(line: &[u8], delimiter: &[u8], mut take: impl FnMut(&[u8])) {
    let mut line = line.strip_suffix(b"\r").unwrap_or(line);
    if let [delimiter] = delimiter {
        for field in line.split(|byte| byte == delimiter) {
            take(field);
        }
        return;
    }
    while let Some(at) = memchr::memmem::find(line, delimiter) {
        take(&line[..at]);
        line = &line[at + delimiter.len()..];
    }
    take(line);
}
