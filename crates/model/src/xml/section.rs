//! CDATA sections, comments and `<? ?>`: where each was meant to end.
//!
//! One that is never closed would swallow the rest of the file, or all up to the end of the next one of its kind.

use std::ops::Range;

use super::{Parser, Stop, is_name_part};
use crate::element::{Child, Span};
use crate::text::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cdata,
    Comment,
    Instruction,
}

impl Kind {
    const fn opening(self) -> &'static str {
        match self {
            Self::Cdata => "<![CDATA[",
            Self::Comment => "<!--",
            Self::Instruction => "<?",
        }
    }

    const fn closing(self) -> &'static str {
        match self {
            Self::Cdata => "]]>",
            Self::Comment => "-->",
            Self::Instruction => "?>",
        }
    }

    /// What people write for the closing mark.
    const fn like_closing(self) -> &'static [&'static str] {
        match self {
            Self::Cdata => &["] ]>", "]] >", "]>", "]]＞", "］］>", "］］＞", "】】>"],
            Self::Comment => &[
                "-- >",
                "- ->",
                "->",
                "--＞",
                "—>",
                "–>",
                "－－>",
                "－－＞",
                "—＞",
            ],
            Self::Instruction => &[],
        }
    }
}

/// How a section opens.
struct Opening {
    kind: Kind,
    length: usize,
    is_right: bool,
}

fn opening(text: &str) -> Option<Opening> {
    let right = [Kind::Cdata, Kind::Comment, Kind::Instruction]
        .into_iter()
        .find(|kind| text.starts_with(kind.opening()));
    if let Some(kind) = right {
        return Some(Opening {
            kind,
            length: kind.opening().len(),
            is_right: true,
        });
    }
    Some(Opening {
        kind: Kind::Cdata,
        length: misspelt_cdata(text)?,
        is_right: false,
    })
}

/// How long a `<![cdata[`, `<! [CDATA[` or `<!CDATA[` is.
fn misspelt_cdata(text: &str) -> Option<usize> {
    const WORD: &str = "CDATA";
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let inside = text.strip_prefix('<')?.trim_start_matches(is_blank);
    let marked = inside
        .trim_start_matches(|c: char| is_blank(c) || matches!(c, '!' | '[' | '！' | '［' | '【'));
    let is_word = marked
        .get(..WORD.len())
        .is_some_and(|word| word.eq_ignore_ascii_case(WORD));
    if !is_word || marked.len() == inside.len() {
        return None;
    }
    let behind = marked[WORD.len()..].trim_start_matches(is_blank);
    let behind = behind.strip_prefix(['[', '［', '【'])?;
    Some(text.len() - behind.len())
}

/// Where a section ends that nothing closes.
struct MeantEnd {
    /// Where its text ends, and where reading goes on.
    text: usize,
    at: usize,
    /// What was written for the closing mark.
    mark: Option<&'static str>,
    /// Whether the closing tag of its element follows.
    is_own: bool,
}

impl Parser<'_> {
    /// Takes a section that is misspelt or never closed; gives where it ends.
    pub(super) fn on_section(&mut self, start: usize) -> Result<Option<usize>, Stop> {
        let source = self.source;
        let Some(opening) = opening(&source[start..]) else {
            return Ok(None);
        };
        let inside = start + opening.length;
        if !opening.is_right {
            let stop = self.misspelt_section(Span { start, end: inside });
            self.pass_over(stop)?;
        }
        let closing = opening.kind.closing();
        let found = source[inside..].find(closing).map(|at| inside + at);
        let end = match found {
            Some(end) if !self.is_end_of_another(opening.kind, inside..end) => {
                if opening.is_right {
                    return Ok(None);
                }
                self.section_text(inside..end)?;
                return Ok(Some(end + closing.len()));
            }
            // Behind it decoding has failed, which is reported.
            None if self.fault.is_some() => return Err(Stop),
            _ => self.meant_end(opening.kind, inside..found.unwrap_or(source.len())),
        };
        let stop = self.section_without_end(opening.kind, Span { start, end: inside }, &end);
        self.pass_over(stop)?;
        if opening.kind == Kind::Cdata {
            self.section_text(inside..end.text)?;
        }
        Ok(Some(end.at))
    }

    fn section_text(&mut self, range: Range<usize>) -> Result<(), Stop> {
        if range.is_empty() || self.stack.is_empty() {
            return Ok(());
        }
        let span = Span {
            start: range.start,
            end: range.end,
        };
        self.text(&self.source[range], span)
    }

    /// Whether the mark that closes a section was meant for another one, which opens in it.
    fn is_end_of_another(&self, kind: Kind, inside: Range<usize>) -> bool {
        let text = &self.source[inside.clone()];
        let Some(other) = text.find(kind.opening()) else {
            return false;
        };
        if kind == Kind::Cdata {
            // A script may write of CDATA, and of its own element: then no markup follows.
            return self
                .own_end(inside.start..inside.start + other)
                .is_some_and(|own| {
                    let behind = self.source[own..]
                        .find('>')
                        .map_or("", |at| &self.source[own + at + 1..]);
                    behind.trim_start().starts_with('<')
                });
        }
        // A comment around others: the first one to end, ends all of them.
        let behind = &self.source[inside.end + kind.closing().len()..];
        let is_around = behind
            .find(kind.closing())
            .is_some_and(|next| !behind[..next].contains(kind.opening()));
        text[..other].contains('\n') && !is_around
    }

    /// Where the innermost element is closed, as far as the tags of its name in the range are balanced.
    fn own_end(&self, range: Range<usize>) -> Option<usize> {
        let name = self.stack.last()?.name.as_str();
        let text = &self.source[range.clone()];
        let mut depth = 0_usize;
        for (at, _) in text.match_indices('<') {
            let tag = &text[at + 1..];
            let is_closing = tag.starts_with('/');
            let Some(behind) = tag[usize::from(is_closing)..].strip_prefix(name) else {
                continue;
            };
            if behind.starts_with(is_name_part) {
                continue;
            }
            if !is_closing {
                let end = behind.find(['<', '>']).unwrap_or(behind.len());
                depth += usize::from(!behind[..end].ends_with('/'));
            } else if depth > 0 {
                depth -= 1;
            } else if behind.trim_start().starts_with('>') {
                return Some(range.start + at);
            }
        }
        None
    }

    /// A section ends before the closing tag of its element, or with its line.
    fn meant_end(&self, kind: Kind, inside: Range<usize>) -> MeantEnd {
        let text = &self.source[inside.clone()];
        let line = text.find('\n').unwrap_or(text.len());
        let line = inside.start + text[..line].trim_end_matches('\r').len();
        let is_among_elements = self.stack.last().is_none_or(|open| {
            let is_element = |child: &Child| matches!(child, Child::Element(_));
            open.children.iter().any(is_element)
        });
        let may_have_lines = kind == Kind::Cdata && !is_among_elements;
        let limit = if may_have_lines { inside.end } else { line };
        let own = self.own_end(inside.start..limit);
        let at = own.unwrap_or(line);
        let text = &self.source[inside.start..at];
        let shown = text.trim_end();
        let mark = kind
            .like_closing()
            .iter()
            .copied()
            .find(|mark| shown.ends_with(mark));
        if let Some(mark) = mark {
            let end = inside.start + shown.len();
            return MeantEnd {
                text: end - mark.len(),
                at: end,
                mark: Some(mark),
                is_own: own.is_some(),
            };
        }
        // `<?xml version="1.0">`
        let tag = text.find('>').filter(|_| kind == Kind::Instruction);
        let at = tag.map_or(at, |tag| inside.start + tag + 1);
        MeantEnd {
            text: at,
            at,
            mark: None,
            is_own: own.is_some(),
        }
    }
}

/// What is said.
impl Parser<'_> {
    fn misspelt_section(&mut self, span: Span) -> Stop {
        let shown = &self.source[span.range()];
        let (right, closing) = (Kind::Cdata.opening(), Kind::Cdata.closing());
        let message = if shown.eq_ignore_ascii_case(right) {
            Text::new(
                format!("`{shown}` 中的CDATA必须大写"),
                format!("CDATA must be written in capitals, not as in `{shown}`"),
            )
        } else {
            Text::new(
                format!("CDATA不能以 `{shown}` 开始"),
                format!("`{shown}` does not begin a CDATA section"),
            )
        };
        let help = Text::new(
            format!("请写作 {right} ... {closing}"),
            format!("write {right} ... {closing}"),
        );
        self.fail(span, message, help)
    }

    fn section_without_end(&mut self, kind: Kind, opening: Span, end: &MeantEnd) -> Stop {
        let closing = kind.closing();
        let message = match kind {
            Kind::Cdata => Text::new(
                "CDATA没有以 ]]> 结束",
                "the CDATA section is never closed with ]]>",
            ),
            Kind::Comment => Text::new(
                "注释没有以 --> 结束",
                "the comment is never closed with -->",
            ),
            Kind::Instruction => Text::new("`<?` 没有以 ?> 结束", "`<?` is never closed with ?>"),
        };
        let name = self.stack.last().map(|open| open.name.as_str());
        let help = match (end.mark, name, kind) {
            (Some(mark), ..) => {
                let line = self.line(end.text);
                Text::new(
                    format!("请把第{line}行的 `{mark}` 改为 `{closing}`"),
                    format!("write `{closing}` for the `{mark}` in line {line}"),
                )
            }
            (None, Some(name), _) if end.is_own => {
                let (name, line) = (crate::quote::shortened(name), self.line(end.at));
                Text::new(
                    format!("请在第{line}行的 </{name}> 之前补上 {closing}"),
                    format!("add {closing} before </{name}> in line {line}"),
                )
            }
            (.., Kind::Cdata) => Text::new("请补上 ]]>", "add ]]> where the text ends"),
            (.., Kind::Comment) => Text::new("请补上 -->", "add --> where the comment ends"),
            (.., Kind::Instruction) => Text::new("请补上 ?>", "add ?>"),
        };
        self.fail(opening, message, help)
    }
}
