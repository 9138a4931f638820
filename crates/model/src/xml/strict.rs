//! What XML forbids and this reader passes over: other readers of the file do not.

use super::Parser;
use super::attribute::{Attributes, How, Piece};
use crate::code;
use crate::element::Span;
use crate::text::Text;

impl Parser<'_> {
    fn not_well_formed(&mut self, span: Span, message: Text, help: Text) {
        self.diagnostics
            .warning(code::ILL_FORMED, span, message, help);
    }

    /// `]]>` in a text, which must not stand there.
    pub(super) fn section_end(&mut self, span: Span) {
        const MARK: &str = "]]>";
        let Some(at) = self.source[span.range()].find(MARK) else {
            return;
        };
        let start = span.start + at;
        self.not_well_formed(
            Span {
                start,
                end: start + MARK.len(),
            },
            Text::new(
                "文本中不能有 `]]>`，它只能结束CDATA",
                "a text must not hold `]]>`, which ends a CDATA section",
            ),
            Text::new(
                "请写作 `]]&gt;`，或补上缺少的 <![CDATA[",
                "write `]]&gt;`, or add the <![CDATA[ that it ends",
            ),
        );
    }

    pub(super) fn dashes_in_comment(&mut self, span: Span) {
        let inside = span.start + "<!--".len()..span.end - "-->".len();
        let text = &self.source[inside.clone()];
        let Some(at) = text
            .find("--")
            .or_else(|| text.ends_with('-').then(|| text.len() - 1))
        else {
            return;
        };
        let start = inside.start + at;
        let length =
            self.source[start..].len() - self.source[start..].trim_start_matches('-').len();
        self.not_well_formed(
            Span {
                start,
                end: start + length,
            },
            Text::new(
                "注释中不能有 `--`，也不能以 `-` 结尾",
                "a comment must not hold `--`, nor end with `-`",
            ),
            Text::new(
                "请删除，或换成别的符号，例如 `==`",
                "remove it, or write something else, such as `==`",
            ),
        );
    }

    /// The XML declaration, which must be the first thing of a file.
    pub(super) fn declaration(&mut self, span: Span) {
        let before = self.source[..span.start].trim_start_matches('\u{FEFF}');
        if !before.is_empty() {
            let end = span.start + "<?xml".len();
            self.not_well_formed(
                Span { end, ..span },
                Text::new(
                    "XML声明只能在文件的最开头，之前不能有空行或空格",
                    "the XML declaration must be the very first thing of the file, without a line or a blank before it",
                ),
                Text::new(
                    "请删除它之前的内容，或删除该声明",
                    "remove what precedes it, or remove the declaration",
                ),
            );
        }
        let text = &self.source[span.start..span.end - "?>".len()];
        let mut pieces = Attributes::new(text, "<?xml".len());
        // Three are known.
        for _ in 0..4 {
            let Piece::Attribute(found) = pieces.next() else {
                return;
            };
            if found.how == How::Quoted {
                continue;
            }
            let place = |range: &std::ops::Range<usize>| Span {
                start: span.start + range.start,
                end: span.start + range.end,
            };
            let whole = Span {
                start: place(&found.name).start,
                end: place(&found.value).end,
            };
            let name = crate::quote::shortened(&text[found.name.clone()]);
            let value = crate::quote::shortened(&text[found.value.clone()]);
            self.not_well_formed(
                whole,
                Text::new(
                    format!("XML声明中 `{name}` 的值应放在引号中"),
                    format!("in the XML declaration the value of `{name}` must stand in quotes"),
                ),
                Text::new(
                    format!("请写作 {name}=\"{value}\""),
                    format!("write {name}=\"{value}\""),
                ),
            );
        }
    }
}
