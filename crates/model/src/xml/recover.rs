//! What was meant where tags do not fit each other, so that the rest of the file is checked too.

use super::tag::{Ends, Look, name_length};
use super::{Parser, Stop, behind, is_name_part};
use crate::element::{Child, Element, Span};
use crate::quote::shortened;
use crate::suggest::closest;
use crate::text::Text;

/// What tells that an element ends though nothing closes it.
struct Bound {
    /// As it is written.
    shown: String,
    place: usize,
}

impl Parser<'_> {
    /// A closing tag: what it closes we find out ourselves, the reader does not know what was reported.
    pub(super) fn end(&mut self, label: &str, span: Span) -> Result<(), Stop> {
        // Behind the name nothing may stand; the reader takes it for a part of the name.
        let found = label.split_whitespace().next().unwrap_or_default();
        if found.len() < label.trim_end().len() {
            let stop = self.surplus_in_end(found, span);
            self.pass_over(stop)?;
        }
        if self.stack.last().is_some_and(|open| open.name == found) {
            return self.close(span.end);
        }
        if let Some(at) = self.crossed.iter().position(|name| *name == found) {
            self.crossed.remove(at);
            return Ok(());
        }
        let stop = self.wrong_end(found, span)?;
        self.pass_over(stop)
    }

    /// A closing tag that does not close the innermost element.
    fn wrong_end(&mut self, found: &str, span: Span) -> Result<Stop, Stop> {
        if let Some(depth) = self.stack.iter().rposition(|open| open.name == found) {
            self.crossed.clear();
            self.leave_open_above(depth, found, span)?;
            self.close(span.end)?;
            return Ok(Stop);
        }
        let names = self.stack.iter().map(|open| open.name.as_str());
        let meant = closest(found, names).and_then(|meant| {
            let mut stack = self.stack.iter();
            stack.rposition(|open| open.name == meant)
        });
        if let Some(depth) = meant {
            self.leave_open_above(depth, found, span)?;
            let stop = self.other_end(found, span, true);
            self.close(span.end)?;
            return Ok(stop);
        }
        match self.stack.last() {
            Some(open) if !self.is_closed_behind(&open.name, span.end) => {
                let stop = self.other_end(found, span, false);
                self.close(span.end)?;
                Ok(stop)
            }
            _ => Ok(self.end_of_nothing(found, span)),
        }
    }

    /// Whether the element has a closing tag of its own behind the place.
    pub(super) fn is_closed_behind(&self, name: &str, place: usize) -> bool {
        let rest = &self.source[place..];
        let is_whole = |at: usize| !rest[at..].starts_with(is_name_part);
        let find = |mark: String| {
            let mut found = rest.match_indices(&mark);
            found.find_map(|(at, _)| is_whole(at + mark.len()).then_some(at))
        };
        let Some(closing) = find(format!("</{name}")) else {
            return false;
        };
        find(format!("<{name}")).is_none_or(|opening| opening > closing)
    }

    /// Ends the elements that nothing closes before the tag that closes the one at `depth`.
    fn leave_open_above(&mut self, depth: usize, found: &str, span: Span) -> Result<(), Stop> {
        while self.stack.len() > depth + 1 {
            let open = self.stack.pop().ok_or(Stop)?;
            self.crossed.push(open.name.clone());
            let bound = Bound {
                shown: format!("</{}>", shortened(found)),
                place: span.start,
            };
            if self.is_behind_text() {
                self.never_closed(&open, &bound, true);
                self.take_for_text(open)?;
            } else {
                self.end_where_meant(open, bound);
            }
        }
        Ok(())
    }

    /// Whether a text precedes what comes next in the innermost element.
    fn is_behind_text(&self) -> bool {
        let last = self.stack.last().and_then(|parent| parent.children.last());
        matches!(last, Some(Child::Text { text, .. }) if !text.trim().is_empty())
    }

    /// `cat <EOF >file`: the tag was no tag.
    fn take_for_text(&mut self, open: Element) -> Result<(), Stop> {
        self.text(&self.source[open.span.range()], open.span)?;
        for child in open.children {
            match child {
                Child::Text { text, span } => self.text(&text, span)?,
                Child::Element(_) => {
                    if let Some(parent) = self.stack.last_mut() {
                        parent.children.push(child);
                    }
                }
            }
        }
        Ok(())
    }

    /// The layout shows where an element was meant to end: what is indented no deeper, and another of its name, follow it.
    fn end_where_meant(&mut self, mut open: Element, end: Bound) {
        let indent = self.indent_of_line(open.span.start);
        // In the middle of a line it ends behind something that it holds: what is not indented at all says nothing.
        let mut is_filled = self.indent(open.span.start).is_some();
        let kept = open.children.iter().position(|child| match child {
            Child::Element(child) => {
                let is_no_deeper = |depth| depth <= indent;
                let is_beside =
                    is_filled && self.indent(child.span.start).is_some_and(is_no_deeper);
                is_filled = true;
                is_beside || child.name == open.name
            }
            Child::Text { text, .. } => {
                is_filled |= !text.trim().is_empty();
                false
            }
        });
        let rest = kept.map_or_else(Vec::new, |kept| open.children.split_off(kept));
        let bound = match rest.first() {
            Some(Child::Element(first)) => Bound {
                shown: format!("<{}>", shortened(&first.name)),
                place: first.span.start,
            },
            _ => end,
        };
        self.never_closed(&open, &bound, false);
        open.span.end = bound.place;
        if rest.is_empty() && open.elements().next().is_some() {
            // It may hold what was meant to follow it.
            self.unclosed.push(open.name_span);
        }
        if let Some(parent) = self.stack.last_mut() {
            parent.children.push(Child::Element(open));
            parent.children.extend(rest);
        }
    }

    /// How far a place is indented with which a line begins.
    fn indent(&self, place: usize) -> Option<usize> {
        let before = &self.source[..place];
        let line = before.trim_end_matches([' ', '\t']);
        (line.is_empty() || line.ends_with('\n')).then_some(place - line.len())
    }

    /// How far the line is indented in which a place stands.
    fn indent_of_line(&self, place: usize) -> usize {
        let before = &self.source[..place];
        let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    /// A tag with faults in it, which are told when its attributes are read.
    pub(super) fn odd_tag(&mut self, span: Span, is_empty: bool) -> Result<(), Stop> {
        self.pass_over(Stop)?;
        self.open_piece(span.start, span.end, span)?;
        if is_empty {
            self.close(span.end)?;
        }
        Ok(())
    }

    /// Whether what is a tag but for a blank was meant as one.
    pub(super) fn is_meant(&self, look: &Look, start: usize) -> bool {
        let closes = match look {
            Look::Parted {
                name,
                ends: Ends::Another,
                ..
            } => &self.source[start + name.start..start + name.end],
            _ => return self.begins_line(start),
        };
        self.begins_line(start) && self.stack.iter().any(|open| open.name == closes)
    }

    /// Whether nothing but blanks, or another tag, precedes a place in its line.
    pub(super) fn begins_line(&self, place: usize) -> bool {
        let before = self.source[..place].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with(['\n', '\r', '>'])
    }

    /// A tag with a blank behind its `<` or `</`.
    pub(super) fn parted_tag(&mut self, name: Span, span: Span, ends: Ends) -> Result<(), Stop> {
        let source = self.source;
        let found = &source[name.range()];
        let mark = if ends == Ends::Another { "</" } else { "<" };
        let shown = shortened(found);
        let stop = self.fail(
            Span {
                end: name.start,
                ..span
            },
            Text::new(
                format!("`{mark}` 与标签名 `{shown}` 之间不能有空格"),
                format!("no blank may stand between `{mark}` and the name `{shown}`"),
            ),
            Text::new(
                format!("请删除空格，写作 {mark}{shown}"),
                format!("remove the blank: write {mark}{shown}"),
            ),
        );
        self.pass_over(stop)?;
        if ends == Ends::Another {
            return self.end(found, span);
        }
        self.open(name, span, span.end)?;
        if ends == Ends::Itself {
            self.close(span.end)?;
        }
        Ok(())
    }

    /// An opening tag that ends before the next `<`.
    pub(super) fn opening_without_end(&mut self, span: Span) -> Result<(), Stop> {
        self.tag_without_end(span.start)?;
        let written = self.source[span.range()].trim_end();
        let is_empty = written.ends_with('/');
        let end = span.start + written.strip_suffix('/').unwrap_or(written).len();
        self.open_piece(span.start, end, span)?;
        if is_empty {
            return self.close(span.end);
        }
        let open = self.stack.last().map(|open| open.name_span);
        self.unended.extend(open);
        Ok(())
    }

    /// Opens an element by what stands between `<` and `end`.
    fn open_piece(&mut self, start: usize, end: usize, span: Span) -> Result<(), Stop> {
        let source = self.source;
        let content = &source[start + 1..end];
        let name = behind(start, &content[..name_length(content)]);
        self.open(name, span, end)
    }

    pub(super) fn tag_without_end(&mut self, start: usize) -> Result<(), Stop> {
        let stop = self.fail(
            Span {
                start,
                end: start + 1,
            },
            Text::new("标签没有以 > 结束", "the tag is never closed with >"),
            Text::new("请在标签末尾补上 `>`", "add `>` where the tag ends"),
        );
        self.pass_over(stop)
    }
}

/// What is said.
impl Parser<'_> {
    fn never_closed(&mut self, open: &Element, bound: &Bound, is_text: bool) {
        // Without its `>` it is told of already.
        if self.unended.contains(&open.name_span) {
            return;
        }
        let name = shortened(&open.name);
        let (shown, line) = (&bound.shown, self.line(bound.place));
        let help = if is_text {
            Text::new(
                format!(
                    "请在第{line}行的 {shown} 之前添加 </{name}>；文字 `<` 请写作 `&lt;`，或把脚本放进 <![CDATA[ ... ]]>"
                ),
                format!(
                    "add </{name}> before {shown} in line {line}; write `&lt;` for a plain `<`, or put the script into <![CDATA[ ... ]]>"
                ),
            )
        } else {
            Text::new(
                format!("请在第{line}行的 {shown} 之前添加 </{name}>"),
                format!("add </{name}> before {shown} in line {line}"),
            )
        };
        self.fail(
            open.name_span,
            Text::new(
                format!("<{name}> 没有结束标签"),
                format!("<{name}> is never closed"),
            ),
            help,
        );
    }

    /// It closes the innermost element, whose name it was meant to be, or another.
    fn other_end(&mut self, found: &str, span: Span, is_misspelt: bool) -> Stop {
        let (name, line) = self.innermost();
        let (zh, en) = if is_misspelt {
            (
                format!("是否想写 `</{name}>`？"),
                format!("did you mean `</{name}>`? "),
            )
        } else {
            Default::default()
        };
        self.fail(
            self.end_span(found, span),
            expected(&name, found),
            Text::new(
                format!("{zh}<{name}> 从第{line}行开始"),
                format!("{en}<{name}> was opened in line {line}"),
            ),
        )
    }

    fn end_of_nothing(&mut self, found: &str, span: Span) -> Stop {
        let name = shortened(found);
        self.fail(
            self.end_span(found, span),
            Text::new(
                format!("</{name}> 没有对应的开始标签"),
                format!("</{name}> closes nothing"),
            ),
            Text::new(
                "请删除它，或补上开始标签",
                "remove it, or add its opening tag",
            ),
        )
    }

    fn surplus_in_end(&mut self, found: &str, span: Span) -> Stop {
        let name = shortened(found);
        self.fail(
            self.end_span(found, span),
            Text::new(
                format!("结束标签 </{name}> 中只能有名称"),
                format!("the closing tag </{name}> holds more than its name"),
            ),
            Text::new(format!("请写作 </{name}>"), format!("write </{name}>")),
        )
    }

    /// The innermost element's name, and the line where it was opened.
    fn innermost(&self) -> (String, usize) {
        let open = self.stack.last();
        open.map_or_else(Default::default, |open| {
            (shortened(&open.name), self.line(open.span.start))
        })
    }

    /// The closing tag, as far as it is one.
    fn end_span(&self, found: &str, span: Span) -> Span {
        let rest = &self.source[span.start..];
        // Blanks may stand before the name.
        let name = rest.find(found).map_or(0, |at| at + found.len());
        let length = name.max("</".len());
        let has_end = rest[length..].starts_with('>');
        Span {
            start: span.start,
            end: span.start + length + usize::from(has_end),
        }
    }
}

fn expected(name: &str, found: &str) -> Text {
    let found = shortened(found);
    Text::new(
        format!("此处应为 </{name}>，写的是 </{found}>"),
        format!("expected </{name}>, found </{found}>"),
    )
}
