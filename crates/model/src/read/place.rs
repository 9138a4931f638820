//! From offsets in a value to places in the file.

use std::ops::Range;

use crate::element::Span;

/// Where `range` of `value` stands, when `value` was read from `span` of `source`.
///
/// Exact where the value holds no reference and is not in CDATA, and where the piece is free of both; otherwise the
/// whole value.
pub(crate) fn inside(source: &str, span: Span, value: &str, range: Range<usize>) -> Span {
    if span.end - span.start == value.len() {
        return Span {
            start: span.start + range.start,
            end: span.start + range.end,
        };
    }
    let piece = &value[range.clone()];
    if piece.is_empty() {
        return span;
    }
    let earlier = value[..range.start].matches(piece).count();
    source[span.range()]
        .match_indices(piece)
        .nth(earlier)
        .map_or(span, |(offset, _)| Span {
            start: span.start + offset,
            end: span.start + offset + piece.len(),
        })
}
