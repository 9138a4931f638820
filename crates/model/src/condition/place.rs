//! Where the parts of a condition stand.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::SourceInfo;
use cel::parser::Parser;

use super::loops::parts;

/// Where the part with this number stands, in bytes; the whole text where the parser does not say.
///
/// The text is read once more: places are wanted of conditions alone that are wrong.
pub(super) fn of(text: &str, id: u64) -> Range<usize> {
    let whole = 0..text.len();
    let Ok((expression, info)) = Parser::default().parse_with_source_info(text) else {
        return whole;
    };
    let mut waiting = vec![&expression];
    while let Some(part) = waiting.pop() {
        if part.id == id {
            let range = reach(part, &info).unwrap_or(whole);
            return text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        }
        waiting.extend(parts(&part.expr));
    }
    whole
}

/// From the first to the last character of a part, with all that is within: an operation is placed at its sign.
fn reach(part: &IdedExpr, info: &SourceInfo) -> Option<Range<usize>> {
    let mut reach: Option<Range<usize>> = None;
    let mut waiting = vec![part];
    while let Some(part) = waiting.pop() {
        if let Some((start, stop)) = info.offset_for(part.id) {
            let (start, end) = (
                usize::try_from(start).ok()?,
                usize::try_from(stop).ok()? + 1,
            );
            let known = reach.unwrap_or(start..end);
            reach = Some(known.start.min(start)..known.end.max(end));
        }
        waiting.extend(parts(&part.expr));
    }
    reach
}
