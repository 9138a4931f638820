//! What a `<` within an element begins. Beyond the next `<` only what stands in quotes is looked at.

use std::ops::Range;

use super::attribute::{Attributes, EndKind, How, Piece};
use super::{is_name_part, is_name_start, is_xml_name};

/// What a text that begins with `<` begins with; places count from there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A tag, a comment or the like: what is wrong within, the reader says.
    Markup,
    /// One `<`, or several in a row, meant as such.
    Bare { length: usize },
    /// An opening tag that lacks its `>`.
    Opening { length: usize },
    /// A closing tag that lacks its `>`.
    Closing { name: Range<usize>, length: usize },
    /// A tag with a blank behind its `<` or `</`.
    Parted {
        name: Range<usize>,
        length: usize,
        ends: Ends,
    },
    /// An opening tag that ends, with something in it that is no attribute as XML has them.
    Odd { length: usize, is_empty: bool },
}

/// Which element a tag ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Nothing,
    Itself,
    Another,
}

/// What is a tag but for a blank behind its `<` or `</`.
pub(super) fn look_parted(text: &str) -> Option<Look> {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let inside = &text[1..];
    let is_closing = inside.trim_start_matches(is_blank).starts_with('/');
    let from = if is_closing { 1 + text.find('/')? } else { 1 };
    let start = text.len() - text[from..].trim_start_matches(is_blank).len();
    let has_blank = inside.starts_with(is_blank) || (is_closing && start > "</".len());
    if !has_blank {
        return None;
    }
    let end = start + name_length(&text[start..]);
    if end == start {
        return None;
    }
    let name = start..end;
    let mut attributes = Attributes::new(text, end);
    let mut has_attribute = false;
    loop {
        match attributes.next() {
            Piece::Attribute(found) if found.how == How::Quoted && !is_closing => {
                has_attribute = true;
            }
            Piece::End(found) => {
                let EndKind::Right { is_empty } = found.kind else {
                    return None;
                };
                let ends = match (is_closing, is_empty) {
                    (true, false) => Ends::Another,
                    (false, true) => Ends::Itself,
                    (false, false) if has_attribute => Ends::Nothing,
                    _ => return None,
                };
                return Some(Look::Parted {
                    name,
                    length: found.end(),
                    ends,
                });
            }
            _ => return None,
        }
    }
}

/// `is_behind_text`: a word stands directly before it, as in `a<b`.
pub(super) fn look(text: &str, is_behind_text: bool) -> Look {
    let inside = &text[1..];
    let bare = Look::Bare {
        length: text.len() - text.trim_start_matches('<').len(),
    };
    match inside.chars().next() {
        Some('?') => Look::Markup,
        Some('!') if begins_markup(inside) => Look::Markup,
        Some('/') => look_at_closing(text).unwrap_or(Look::Bare { length: 1 }),
        Some(next) if is_name_start(next) => {
            let at = 1 + name_length(inside);
            look_at_opening(text, at, is_behind_text).unwrap_or(Look::Bare { length: 1 })
        }
        // Of several the last may begin a tag.
        Some('<') => bare.without_last(text),
        _ => bare,
    }
}

impl Look {
    /// How far it reaches; markup is measured by the reader.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Markup => None,
            Self::Bare { length }
            | Self::Opening { length }
            | Self::Closing { length, .. }
            | Self::Parted { length, .. }
            | Self::Odd { length, .. } => Some(*length),
        }
    }

    fn without_last(self, text: &str) -> Self {
        match self {
            Self::Bare { length } => {
                let begins_tag = text[length..].starts_with(['/', '!']);
                Self::Bare {
                    length: length - usize::from(begins_tag),
                }
            }
            other => other,
        }
    }
}

fn begins_markup(inside: &str) -> bool {
    let starts = |mark: &str| {
        inside
            .get(..mark.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    ["!--", "![CDATA[", "!DOCTYPE"].into_iter().any(starts)
}

pub(super) fn name_length(text: &str) -> usize {
    if !text.starts_with(is_name_start) {
        return 0;
    }
    text.find(|character| !is_name_part(character))
        .unwrap_or(text.len())
}

pub(super) fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// `None` for something like `</dev/null`.
fn look_at_closing(text: &str) -> Option<Look> {
    let start = "</".len();
    let end = start + name_length(&text[start..]);
    let length = end + blanks(&text[end..]);
    if end == start {
        return None;
    }
    match text[length..].chars().next() {
        Some('>') => Some(Look::Markup),
        None | Some('<') => Some(Look::Closing {
            name: start..end,
            length,
        }),
        // `</action name="a">`: the reader takes all of it for the name.
        Some(_) if length > end => {
            let next = text[length..].find(['<', '>']);
            next.is_some_and(|next| text[length + next..].starts_with('>'))
                .then_some(Look::Markup)
        }
        Some(_) => None,
    }
}

/// Whether an opening tag stands here, by what follows its name, which ends at `at`; `None` for a `<` that begins none.
fn look_at_opening(text: &str, at: usize, is_behind_text: bool) -> Option<Look> {
    let mut attributes = Attributes::new(text, at);
    let mut has_attribute = false;
    let mut is_odd = false;
    let mut is_open_quote = false;
    loop {
        match attributes.next() {
            Piece::End(end) => {
                return match end.kind {
                    EndKind::Right { .. } if !is_odd => Some(Look::Markup),
                    EndKind::Cut if !is_open_quote => {
                        (has_attribute || is_odd).then_some(Look::Opening { length: end.at })
                    }
                    EndKind::Odd { .. } if !has_attribute && !is_odd && is_behind_text => None,
                    _ => Some(Look::Odd {
                        length: end.end(),
                        is_empty: end.is_empty(),
                    }),
                };
            }
            piece => {
                let (start, how) = match piece {
                    Piece::Attribute(found) => {
                        let is_parted = !found.is_glued && is_xml_name(&text[found.name.clone()]);
                        (found.name.start, is_parted.then_some(found.how))
                    }
                    Piece::Surplus(place) => (place.start, None),
                    Piece::End(end) => (end.at, None),
                };
                if how == Some(How::Quoted) {
                    has_attribute = true;
                    continue;
                }
                let is_open = matches!(how, Some(How::OpenQuote(_)));
                let is_tag = is_odd
                    || has_attribute
                    || how.is_some_and(|_| !is_behind_text || is_open || ends_here(&text[start..]));
                if !is_tag {
                    return None;
                }
                is_open_quote |= is_open;
                is_odd = true;
            }
        }
    }
}

/// Whether a `>` follows before the next `<`.
fn ends_here(text: &str) -> bool {
    let next = text.find(['<', '>']);
    next.is_some_and(|next| text[next..].starts_with('>'))
}

#[cfg(test)]
mod tests {
    use super::{Look, look};

    #[test]
    fn tags_are_told_from_brackets_that_people_mean() {
        let bare = |length| Look::Bare { length };
        for tag in [
            "<a>",
            "<a/>",
            "<a b='1'/>",
            "<a b='1 < 2' c=\"'\">",
            "</a>",
            "</a >",
            "<!-- x -->",
            "<![CDATA[x]]>",
            "<!doctype a>",
            "<?x?>",
            "</a b='1'>",
        ] {
            assert_eq!(look(tag, false), Look::Markup, "{tag}");
        }
        for text in [
            "<b ]; then</a>",
            "<b</a>",
            "<b && c>d</a>",
            "</dev/null</a>",
            "<1</a>",
            "<!x",
            "< ",
            "<",
        ] {
            assert_eq!(look(text, false), bare(1), "{text}");
        }
        assert_eq!(look("<<EOF\n</a>", false), bare(2));
        assert_eq!(look("<<</a>", false), bare(2));
        assert_eq!(look("<b x=1 y</a>", true), bare(1));
    }

    #[test]
    fn a_tag_without_its_end_stops_at_the_next() {
        let opening = |text: &str| match look(text, false) {
            Look::Opening { length } => text[..length].to_owned(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(opening("<ok to='e'\n</action>"), "<ok to='e'");
        assert_eq!(opening("<ok to='e' /\n</action>"), "<ok to='e' /");
        assert_eq!(opening("<ok to=e\n</action>"), "<ok to=e");
        let closing = Look::Closing {
            name: 2..8,
            length: 9,
        };
        assert_eq!(look("</action\n<end name='e'/>", false), closing);
    }

    #[test]
    fn a_tag_with_something_odd_in_it_ends_where_it_was_meant_to() {
        for (text, length, is_empty) in [
            ("<a b=1>", 7, false),
            ("<a b>", 5, false),
            ("<a b='1'c>", 10, false),
            ("<a b=“x y” c='1'/> ", 22, true),
            ("<a b='1' /＞ ", 13, true),
            ("<a b='x c='y'/><d e='f'/>", 15, true),
            ("<a b='x\n  c='y' d='>'/>", 23, true),
            ("<c d='2' e='3/>\n<f g='4'/>", 15, true),
            ("<c e='3\n<f g=\"4\"/>", 7, false),
            ("<a b= c='1', d='>'>", 19, false),
        ] {
            assert_eq!(look(text, false), Look::Odd { length, is_empty }, "{text}");
        }
    }
}
