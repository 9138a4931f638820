//! How wide the columns of a table are.

/// Widths at most as wide as `natural` that together take at most `room`: the widest column gives way first, none below
/// its floor. `None` when not even the floors fit.
pub(crate) fn fit(natural: &[usize], floors: &[usize], room: usize) -> Option<Vec<usize>> {
    let floor = |column: usize| floors[column].min(natural[column]);
    if (0..natural.len()).map(floor).sum::<usize>() > room {
        return None;
    }
    let mut widths = natural.to_vec();
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        let widest = (0..widths.len())
            .filter(|column| widths[*column] > floor(*column))
            .max_by_key(|column| widths[*column])
            .expect("the floors fit, so some column stands above its floor");
        widths[widest] -= 1;
        excess -= 1;
    }
    Some(widths)
}

/// Columns that the text takes, wide characters counted as two.
pub(crate) fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// The text, or as much of it as fits with an ellipsis.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The text in lines of at most `room` columns, broken between words; a longer word is broken too.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut line = lines.pop().unwrap_or_default();
        if !line.is_empty() && width(&line) + 1 + width(word) > room {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            let more = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if !line.is_empty() && width(&line) + more > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_column_gives_way_first_and_none_below_its_floor() {
        assert_eq!(fit(&[4, 30], &[4, 8], 20), Some(vec![4, 16]));
        assert_eq!(fit(&[12, 30], &[4, 8], 20), Some(vec![10, 10]));
        assert_eq!(fit(&[12, 30], &[12, 8], 20), Some(vec![12, 8]));
        assert_eq!(fit(&[12, 30], &[12, 9], 20), None);
        assert_eq!(fit(&[3, 4], &[9, 9], 80), Some(vec![3, 4]));
    }

    #[test]
    fn a_text_is_wrapped_between_words_and_within_one_that_is_too_long() {
        assert_eq!(wrapped("no such user", 8), ["no such", "user"]);
        assert_eq!(wrapped("a abcdefgh", 4), ["a", "abcd", "efgh"]);
        assert_eq!(wrapped("每天的报表", 6), ["每天的", "报表"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(cut("每天的报表", 10), "每天的报表");
        assert_eq!(cut("每天的报表", 8), "每天的…");
        assert_eq!(cut("report", 4), "rep…");
    }
}
