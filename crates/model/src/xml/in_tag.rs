//! What is wrong within an opening tag, each at its place with what to write instead.

use std::ops::Range;

use super::attribute::{End, EndKind, Found, How, is_separator};
use super::{MAX_FAULTS, Parser, is_xml_name};
use crate::code;
use crate::element::{Attribute, Span};
use crate::quote::shortened;
use crate::text::Text;

/// What was told of a tag so far.
pub(super) struct Told {
    tag: Span,
    name: Span,
    pub(super) faults: usize,
    /// Whether what stands next was told of with what precedes it.
    is_told: bool,
}

impl Told {
    pub(super) fn new(tag: Span, name: Span) -> Self {
        Self {
            tag,
            name,
            faults: 0,
            is_told: false,
        }
    }

    /// Where a part of the tag stands in the file.
    pub(super) fn place(&self, range: &Range<usize>) -> Span {
        Span {
            start: self.tag.start + range.start,
            end: self.tag.start + range.end,
        }
    }
}

impl Parser<'_> {
    /// Whether the attribute has a value and is the first of its name; tells what is wrong with it.
    pub(super) fn is_attribute(
        &mut self,
        attribute: &Found,
        earlier: &[Attribute],
        told: &mut Told,
    ) -> bool {
        let (name_span, value_span) = (told.place(&attribute.name), told.place(&attribute.value));
        let source = self.source;
        let name = &source[name_span.range()];
        let is_part_of_told = attribute.how == How::NoEquals && told.is_told;
        told.is_told = attribute.how == How::NoEquals;
        if is_part_of_told {
            return false;
        }
        if attribute.is_glued && attribute.how == How::Quoted && is_xml_name(name) {
            self.glued(name, name_span);
        }
        if attribute.how != How::Quoted {
            told.faults += 1;
            self.attribute_fault(attribute, name, value_span, told);
        }
        if matches!(attribute.how, How::NoValue | How::NoEquals) {
            self.half_read.insert(told.name);
            return false;
        }
        if !is_xml_name(name) {
            told.faults += 1;
            self.half_read.insert(told.name);
            self.bad_attribute_name(name, name_span);
            return false;
        }
        if earlier.iter().any(|earlier| earlier.name == name) {
            self.duplicate_attribute(name, name_span);
            return false;
        }
        if let Some(bracket) = source[value_span.range()].find('<') {
            self.bracket_in_value(name, value_span.start + bracket);
        }
        true
    }

    fn glued(&mut self, name: &str, span: Span) {
        let name = shortened(name);
        self.diagnostics.warning(
            code::ILL_FORMED,
            span,
            Text::new(
                format!("属性 `{name}` 之前缺少空格"),
                format!("a blank is missing before the attribute `{name}`"),
            ),
            Text::new(
                format!("请在 `{name}` 之前加一个空格"),
                format!("put a blank before `{name}`"),
            ),
        );
    }

    fn attribute_fault(&mut self, attribute: &Found, name: &str, value_span: Span, told: &Told) {
        let value = shortened(&self.source[value_span.range()]);
        let name = shortened(name);
        let write = || {
            let right = match (value.contains('"'), value.contains('\'')) {
                (false, _) => format!("{name}=\"{value}\""),
                (true, false) => format!("{name}='{value}'"),
                (true, true) => format!("{name}=\"{}\"", value.replace('"', "&quot;")),
            };
            Text::new(format!("请写作 {right}"), format!("write {right}"))
        };
        let without_value = || {
            Text::new(
                format!("请写作 {name}=\"...\"，或删除它"),
                format!("write {name}=\"...\", or remove it"),
            )
        };
        let name_span = told.place(&attribute.name);
        let whole = Span {
            start: name_span.start,
            end: value_span.end.max(name_span.end),
        };
        let (span, message, help) = match attribute.how {
            How::Quoted => return,
            How::OpenQuote(at) => {
                self.quote_without_end(told.tag.start + at, &value);
                return;
            }
            How::Unquoted => (
                value_span,
                Text::new(
                    format!("属性 `{name}` 的值应放在引号中"),
                    format!("the value of `{name}` must stand in quotes"),
                ),
                write(),
            ),
            How::Wide => (
                whole,
                Text::new(
                    format!("属性 `{name}` 用了全角的引号或等号，或其他引号"),
                    format!(
                        "`{name}` is written with a wide `=`, or with other quotes than `\"` and `'`"
                    ),
                ),
                write(),
            ),
            How::Equals => (
                whole,
                Text::new(
                    format!("属性 `{name}` 与它的值之间应有且只有一个 `=`"),
                    format!("one `=` belongs between `{name}` and its value"),
                ),
                write(),
            ),
            How::Quotes => (
                whole,
                Text::new(
                    format!("属性 `{name}` 的值的引号不成对"),
                    format!("the quotes around the value of `{name}` do not match"),
                ),
                write(),
            ),
            How::NoValue => (
                whole,
                Text::new(
                    format!("属性 `{name}` 的 `=` 之后没有值"),
                    format!("no value follows the `=` of `{name}`"),
                ),
                without_value(),
            ),
            How::NoEquals => (
                name_span,
                Text::new(
                    format!("`{name}` 没有 `=` 和值"),
                    format!("`{name}` has no `=` and no value"),
                ),
                without_value(),
            ),
        };
        self.fail(span, message, help);
    }

    pub(super) fn surplus_in_tag(&mut self, place: &Range<usize>, told: &mut Told) {
        let span = told.place(place);
        let found = &self.source[span.range()];
        let is_separator = found.chars().all(is_separator);
        if !is_separator {
            self.half_read.insert(told.name);
        }
        if told.faults >= MAX_FAULTS || std::mem::replace(&mut told.is_told, !is_separator) {
            return;
        }
        told.faults += 1;
        let found = shortened(found);
        let (message, help) = if is_separator {
            (
                Text::new(
                    format!("属性之间不能有 `{found}`"),
                    format!("no `{found}` may stand between attributes"),
                ),
                Text::new(
                    "请删除，属性之间用空格隔开",
                    "remove it: blanks part attributes",
                ),
            )
        } else {
            (
                Text::new(
                    format!("`{found}` 不能作为属性名"),
                    format!("`{found}` cannot be the name of an attribute"),
                ),
                Text::new(
                    "写法为 name=\"value\"，前一个属性值是否缺少引号？",
                    "write name=\"value\"; does the value before it lack a quote?",
                ),
            )
        };
        self.fail(span, message, help);
    }

    /// The `/＞` or `/ >` that ends a tag.
    pub(super) fn odd_end(&mut self, end: &End, told: &Told) {
        let EndKind::Odd { is_empty, length } = end.kind else {
            return;
        };
        let span = told.place(&(end.at..end.at + length));
        let found = &self.source[span.range()];
        let right = if is_empty { "/>" } else { ">" };
        let (zh, en) = if found.is_ascii() {
            (
                "`/` 与 `>` 之间不能有空格",
                "no blank may stand between `/` and `>`",
            )
        } else {
            ("标签以全角字符结束", "the tag ends with wide characters")
        };
        self.fail(
            span,
            Text::new(zh, en),
            Text::new(format!("请写作 `{right}`"), format!("write `{right}`")),
        );
    }

    fn bad_attribute_name(&mut self, name: &str, span: Span) {
        let name = shortened(name);
        self.fail(
            span,
            Text::new(
                format!("`{name}` 不能作为属性名"),
                format!("`{name}` cannot be the name of an attribute"),
            ),
            Text::new(
                "名称以文字或 `_` 开头，前一个属性值是否缺少引号？",
                "a name begins with a letter or `_`; does the value before it lack a quote?",
            ),
        );
    }

    fn duplicate_attribute(&mut self, name: &str, span: Span) {
        self.diagnostics.error(
            code::DUPLICATE_ATTRIBUTE,
            span,
            Text::new(
                format!("属性 `{name}` 重复"),
                format!("attribute `{name}` stands twice"),
            ),
            Text::new("请删除其中一个", "remove one of them"),
        );
    }

    fn bracket_in_value(&mut self, name: &str, at: usize) {
        let span = Span {
            start: at,
            end: at + 1,
        };
        self.fail(
            span,
            Text::new(
                format!("属性 `{name}` 的值中有 `<`"),
                format!("the value of `{name}` holds a `<`"),
            ),
            Text::new(
                "请写作 `&lt;`；或者此处缺少结束引号？",
                "write `&lt;`; or is the closing quote missing?",
            ),
        );
    }
}
