//! The line that a finding is about, with carets under the place.

use unicode_width::UnicodeWidthChar;

use super::LONGEST_EXCERPT;
use crate::diagnostic::Finding;

/// What a tab stands for: terminals would disagree about where it ends.
const TAB: &str = "    ";
/// Stands for what is left out of a line.
const LEFT_OUT: char = '…';
/// In a narrower room nothing would be left of a line.
const LEAST_ROOM: usize = 20;

/// A line and what stands below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    /// Columns before the carets, and how many carets; `None` when the line was cut before the place.
    pub(super) carets: Option<(usize, usize)>,
}

impl Excerpt {
    /// As much of the finding's line as `room` columns hold, with the place in it.
    pub(super) fn of(finding: &Finding, room: usize) -> Self {
        let line: Vec<char> = finding.excerpt.chars().collect();
        let place = place(finding);
        // The mark of what the excerpt leaves out takes a column.
        let room = room.max(LEAST_ROOM) - usize::from(finding.excerpt_from > 0);
        let shown = window(&line, place, room);
        let mut text = visible(line[shown.clone()].iter().collect::<String>().trim_end());
        let is_cut = shown.start > 0 || finding.excerpt_from > 0;
        if is_cut {
            text.insert(0, LEFT_OUT);
        }
        if shown.end < line.len() {
            text.push(LEFT_OUT);
        }
        let carets = place.map(|(column, width)| {
            let before = usize::from(is_cut)
                + columns(
                    line.get(shown.start..column)
                        .unwrap_or(&line[shown.start..]),
                );
            let end = (column + width).min(shown.end);
            (
                before,
                columns(line.get(column..end).unwrap_or_default()).max(1),
            )
        });
        Self { line: text, carets }
    }
}

/// Where the place begins in the excerpt, from 0, and its characters; `None` when it is not in it: an older version cut
/// all lines behind their beginning.
fn place(finding: &Finding) -> Option<(usize, usize)> {
    let column = finding
        .column
        .checked_sub(1)?
        .checked_sub(finding.excerpt_from)?;
    let column = usize::try_from(column).ok()?;
    let width = usize::try_from(finding.width).ok()?;
    let characters = finding.excerpt.chars().count();
    let is_cut = column > characters
        || (column == characters && characters == LONGEST_EXCERPT && finding.excerpt_from == 0);
    (!is_cut).then_some((column, width))
}

/// The characters to show: from the beginning if the place is seen then, else from a third of the room before it.
fn window(line: &[char], place: Option<(usize, usize)>, room: usize) -> std::ops::Range<usize> {
    if fitting(line, room) == line.len() {
        return 0..line.len();
    }
    let (column, width) = place.unwrap_or_default();
    let column = column.min(line.len());
    let place_end = (column + width).min(line.len());
    let mut start = 0;
    if fitting(&line[..place_end], room - 1) < place_end {
        start = column - fitting(line[..column].iter().rev(), room / 3);
    }
    // A mark at each cut end takes a column.
    let left = room - usize::from(start > 0) - 1;
    start..start + fitting(&line[start..], left)
}

/// How many of the characters, from the first one on, `room` columns hold.
fn fitting<'a>(characters: impl IntoIterator<Item = &'a char>, room: usize) -> usize {
    characters
        .into_iter()
        .scan(0, |taken, character| {
            *taken += columns_of(*character);
            (*taken <= room).then_some(())
        })
        .count()
}

fn columns(characters: &[char]) -> usize {
    characters
        .iter()
        .map(|character| columns_of(*character))
        .sum()
}

/// Columns that a character takes as [`visible`] shows it.
fn columns_of(character: char) -> usize {
    match character {
        '\t' => TAB.len(),
        _ => harmless(character).width().unwrap_or(1),
    }
}

/// A text as it may stand on a terminal.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str(TAB),
            _ => shown.push(harmless(character)),
        }
    }
    shown
}

/// Control characters could rewrite the terminal, and direction marks the line.
fn harmless(character: char) -> char {
    let is_mark = matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    if character.is_control() || is_mark {
        '\u{FFFD}'
    } else {
        character
    }
}
