//! How far each line is to be indented.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::element::{Child, Element};
use crate::shape::{Shape, TextRule};

/// One level.
const UNIT: usize = 2;

/// What a tab counts for where a line is moved along with the one that it continues.
const TAB: usize = 2;

/// Widths by the number of their line, counted from 0; other lines stay.
pub(super) fn indentations(source: &str, root: &Element, shape: &Shape) -> BTreeMap<usize, usize> {
    let mut walk = Walk {
        source,
        starts: line_starts(source),
        widths: BTreeMap::new(),
        begun: BTreeMap::new(),
    };
    let all = 0..source.len();
    walk.items(all, &[root], &mut |walk, item| {
        let width = walk.begin(item.start, 0);
        if item.element.is_some() {
            walk.element(root, Some(shape), width);
        }
    });
    walk.widths
}

fn line_starts(source: &str) -> Vec<usize> {
    let behind_breaks = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind_breaks).collect()
}

struct Walk<'s> {
    source: &'s str,
    starts: Vec<usize>,
    widths: BTreeMap<usize, usize>,
    /// The widths of lines that begin with an item: what else stands on these is measured by them.
    begun: BTreeMap<usize, usize>,
}

/// Something between two runs of blanks.
struct Item {
    start: usize,
    /// The position of the element among its siblings; `None` for a comment or a processing instruction.
    element: Option<usize>,
}

impl Walk<'_> {
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    /// Indents the line that begins at `at`; gives the width of the line in which `at` stands.
    fn begin(&mut self, at: usize, width: usize) -> usize {
        let line = self.line(at);
        if is_blank(&self.source[self.starts[line]..at]) {
            self.widths.insert(line, width);
            self.begun.insert(line, width);
            return width;
        }
        self.begun.get(&line).copied().unwrap_or(width)
    }

    /// What stands in `range`, which holds nothing but `elements`, comments and blanks.
    fn items(
        &mut self,
        range: Range<usize>,
        elements: &[&Element],
        on_item: &mut dyn FnMut(&mut Self, Item),
    ) {
        let mut at = range.start;
        let mut next = 0;
        loop {
            let rest = &self.source[at..range.end];
            let start = at + rest.len() - rest.trim_start().len();
            self.empty_lines(at..start);
            let rest = &self.source[start..range.end];
            if rest.is_empty() {
                return;
            }
            let element = elements
                .get(next)
                .filter(|element| element.span.start == start);
            let end = match element {
                Some(element) => element.span.end,
                None => start + length_of_markup(rest),
            };
            let position = element.is_some().then_some(next);
            on_item(
                self,
                Item {
                    start,
                    element: position,
                },
            );
            next += usize::from(position.is_some());
            at = end;
        }
    }

    /// Lines that lie wholly in a run of blanks hold nothing.
    fn empty_lines(&mut self, blanks: Range<usize>) {
        let first = self.starts.partition_point(|start| *start < blanks.start);
        let inside = (first..self.starts.len()).take_while(|line| {
            let end = self.starts.get(line + 1).copied();
            end.is_some_and(|end| end <= blanks.end)
        });
        let inside: Vec<usize> = inside.collect();
        self.widths.extend(inside.into_iter().map(|line| (line, 0)));
    }

    /// `width` is that of the line on which the element begins.
    fn element(&mut self, element: &Element, shape: Option<&Shape>, width: usize) {
        let tag_end = self.tag(element);
        let Some(shape) = shape.filter(|shape| is_mendable(element, shape)) else {
            return;
        };
        let Some(length) = self.source[tag_end..element.span.end].rfind("</") else {
            return;
        };
        let children: Vec<&Element> = element.elements().collect();
        self.items(tag_end..tag_end + length, &children, &mut |walk, item| {
            let width = walk.begin(item.start, width + UNIT);
            if let Some(child) = item.element.and_then(|position| children.get(position)) {
                walk.element(child, inner(shape, child), width);
            }
        });
        self.begin(tag_end + length, width);
    }

    /// Moves the further lines of an opening tag along with its first one, and none to the left of it; gives where the tag
    /// ends.
    fn tag(&mut self, element: &Element) -> usize {
        let values: Vec<Range<usize>> = element
            .attributes
            .iter()
            .map(|attribute| attribute.value_span.range())
            .collect();
        let from = values
            .last()
            .map_or(element.name_span.end, |value| value.end + 1);
        let rest = &self.source[from..element.span.end];
        let end = from + rest.find('>').map_or(rest.len(), |bracket| bracket + 1);
        let (first, last) = (self.line(element.span.start), self.line(end - 1));
        let begins_line = is_blank(&self.source[self.starts[first]..element.span.start]);
        let moved = self.begun.get(&first).copied().filter(|_| begins_line);
        let Some(new) = moved else {
            return end;
        };
        let old = self.width(first);
        for line in first + 1..=last {
            let start = self.starts[line];
            let is_inside_value = values
                .iter()
                .any(|value| value.start <= start && start <= value.end);
            let text = self.source[start..].lines().next().unwrap_or_default();
            if is_inside_value || is_blank(text) {
                continue;
            }
            let is_end = text.trim_start().starts_with(['>', '/']);
            let least = if is_end { new } else { new + UNIT };
            let width = (self.width(line) + new).saturating_sub(old).max(least);
            if width != self.width(line) {
                self.widths.insert(line, width);
            }
        }
        end
    }

    /// How far a line is indented in the file.
    fn width(&self, line: usize) -> usize {
        let blanks = self.source[self.starts[line]..]
            .chars()
            .take_while(|letter| matches!(letter, ' ' | '\t'));
        blanks
            .map(|letter| if letter == '\t' { TAB } else { 1 })
            .sum()
    }
}

/// Whether blanks between the children of an element mean nothing.
fn is_mendable(element: &Element, shape: &Shape) -> bool {
    let is_kept = element
        .attribute("xml:space")
        .is_some_and(|attribute| attribute.value == "preserve");
    let has_text = element.children.iter().any(|child| match child {
        Child::Text { text, .. } => !is_blank(text),
        Child::Element(_) => false,
    });
    let holds_text_alone = shape.text != TextRule::None && element.elements().next().is_none();
    !is_kept && !shape.is_open && !has_text && !holds_text_alone
}

fn inner<'s>(shape: &'s Shape, child: &Element) -> Option<&'s Shape> {
    let found = shape
        .children
        .iter()
        .find(|rule| rule.shape.tag == child.name);
    found.map(|rule| &rule.shape)
}

/// A comment, a processing instruction, a section of blanks.
fn length_of_markup(rest: &str) -> usize {
    let end = |from: usize, mark: &str| {
        rest.get(from..)
            .and_then(|inside| inside.find(mark))
            .map_or(rest.len(), |found| from + found + mark.len())
    };
    if rest.starts_with("<!--") {
        end(4, "-->")
    } else if rest.starts_with("<![CDATA[") {
        end(9, "]]>")
    } else if rest.starts_with('<') {
        end(1, ">")
    } else {
        // A reference to a blank.
        end(0, ";")
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}
