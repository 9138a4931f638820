//! What a `<` within an element begins. Beyond the next `<` only what stands in quotes is looked at.

use std::ops::Range;

use super::{is_name_part, is_name_start};

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
    /// An opening tag with a value that lacks its closing quote.
    OpenQuote(OpenQuote),
}

/// A tag that is taken to end where the line or the next `>` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenQuote {
    /// The attribute whose value is never closed.
    pub(super) name: Range<usize>,
    /// The value, without its quote.
    pub(super) value: Range<usize>,
    pub(super) is_empty: bool,
    pub(super) length: usize,
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
            let reach = Scan::new(text, is_behind_text).run();
            reach.unwrap_or(Look::Bare { length: 1 })
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
            Self::Bare { length } | Self::Opening { length } | Self::Closing { length, .. } => {
                Some(*length)
            }
            Self::OpenQuote(tag) => Some(tag.length),
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

fn name_length(text: &str) -> usize {
    if !text.starts_with(is_name_start) {
        return 0;
    }
    text.find(|character| !is_name_part(character))
        .unwrap_or(text.len())
}

fn blanks(text: &str) -> usize {
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

/// One way through an opening tag.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    is_behind_text: bool,
    has_attribute: bool,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, is_behind_text: bool) -> Self {
        Self {
            text,
            at: 1 + name_length(&text[1..]),
            is_behind_text,
            has_attribute: false,
        }
    }

    /// `None` for a `<` that begins no tag.
    fn run(mut self) -> Option<Look> {
        loop {
            let gap = blanks(&self.text[self.at..]);
            let end = self.at;
            self.at += gap;
            let rest = &self.text[self.at..];
            if rest.starts_with('>') || rest.starts_with("/>") {
                return Some(Look::Markup);
            }
            if rest.is_empty() || rest.starts_with('<') {
                return self.has_attribute.then_some(Look::Opening { length: end });
            }
            let name = name_length(rest);
            if name == 0 || gap == 0 {
                return self.odd(false);
            }
            let Some(quote) = quote_behind(&rest[name..]).map(|quote| self.at + name + quote)
            else {
                return self.odd(true);
            };
            let name = self.at..self.at + name;
            match self.value_end(quote) {
                Some(end) => self.at = end + 1,
                None => return Some(Look::OpenQuote(self.open_quote(name, quote))),
            }
            self.has_attribute = true;
        }
    }

    /// Where the closing quote stands; `None` where there is none, and where it belongs to a later tag.
    fn value_end(&self, quote: usize) -> Option<usize> {
        let mark = &self.text[quote..=quote];
        let value = &self.text[quote + 1..];
        let length = value.find(mark)?;
        let behind = &value[length + 1..];
        let is_end = behind.is_empty()
            || behind.starts_with(|next: char| matches!(next, '>' | '/') || next.is_whitespace());
        (is_end || !value[..length].contains('<')).then_some(quote + 1 + length)
    }

    /// The value is taken to end with the tag, or with the line.
    fn open_quote(&self, name: Range<usize>, quote: usize) -> OpenQuote {
        let start = quote + 1;
        let rest = &self.text[start..];
        let end = start + rest.find(['>', '\n', '<']).unwrap_or(rest.len());
        let has_end = self.text[end..].starts_with('>');
        let value = self.text[start..end].trim_end();
        let is_empty = has_end && value.ends_with('/');
        let value = value
            .strip_suffix('/')
            .filter(|_| is_empty)
            .unwrap_or(value);
        OpenQuote {
            name,
            value: start..start + value.len(),
            is_empty,
            length: end + usize::from(has_end),
        }
    }

    /// What stands here is no attribute, though it may be meant as one.
    fn odd(&self, is_like_attribute: bool) -> Option<Look> {
        let is_tag = self.has_attribute || (is_like_attribute && !self.is_behind_text);
        let rest = &self.text[self.at..];
        let next = rest.find(['<', '>']);
        if next.is_some_and(|next| rest[next..].starts_with('>')) {
            return (is_tag || is_like_attribute).then_some(Look::Markup);
        }
        let length = self.at + next.unwrap_or(rest.len());
        is_tag.then_some(Look::Opening { length })
    }
}

/// Where the quote of a value stands behind an attribute's name.
fn quote_behind(text: &str) -> Option<usize> {
    let equals = blanks(text);
    let behind = text[equals..].strip_prefix('=')?;
    let quote = equals + 1 + blanks(behind);
    text[quote..].starts_with(['"', '\'']).then_some(quote)
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
            "<a b=1>",
            "<a b>",
            "</a>",
            "</a >",
            "<!-- x -->",
            "<![CDATA[x]]>",
            "<!doctype a>",
            "<?x?>",
            "<a b='1'c>",
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
        assert_eq!(opening("<ok to='e' /\n</action>"), "<ok to='e' /\n");
        assert_eq!(opening("<ok to=e\n</action>"), "<ok to=e\n");
        let closing = Look::Closing {
            name: 2..8,
            length: 9,
        };
        assert_eq!(look("</action\n<end name='e'/>", false), closing);
    }

    #[test]
    fn a_value_without_its_quote_ends_with_its_tag_or_line() {
        let value = |text: &str| match look(text, false) {
            Look::OpenQuote(tag) => (text[tag.value].to_owned(), text[..tag.length].to_owned()),
            other => panic!("{text}: {other:?}"),
        };
        let both = |value: &str, tag: &str| (value.to_owned(), tag.to_owned());
        assert_eq!(
            value("<c d='2' e='3/>\n<f g='4'/>"),
            both("3", "<c d='2' e='3/>")
        );
        assert_eq!(value("<c e='3\n<f g=\"4\"/>"), both("3", "<c e='3"));
    }
}
