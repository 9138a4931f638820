//! What is wrong with a file as XML, each fault at its place with what to do.

use quick_xml::errors::{Error, IllFormedError, SyntaxError};

use super::{Parser, Stop, ceil_boundary, is_name_start, is_xml_name};
use crate::code;
use crate::element::Span;
use crate::encoding::is_xml_character;
use crate::quote::shortened;
use crate::render::line_of;
use crate::text::Text;

/// Blanks that are no blanks of XML.
const WIDE_BLANKS: [char; 2] = ['\u{3000}', '\u{a0}'];

/// The ways to fail.
impl Parser<'_> {
    pub(super) fn fail(
        &mut self,
        span: Span,
        message: Text,
        help: impl Into<Option<Text>>,
    ) -> Stop {
        self.diagnostics
            .error(code::ILL_FORMED, span, message, help);
        Stop
    }

    pub(super) fn limit(&mut self, code: &'static str, span: Span, message: Text) -> Stop {
        let help = if code == code::TOO_MANY_ATTRIBUTES {
            Text::new("请删除多余的属性", "remove those that mean nothing")
        } else {
            Text::new("请拆分工作流", "split the workflow")
        };
        self.diagnostics.error(code, span, message, help);
        Stop
    }

    /// Behind so many faults nothing is looked at.
    pub(super) fn rest_not_read(&mut self, place: usize) {
        let span = Span {
            start: place,
            end: ceil_boundary(self.source, place + 1),
        };
        self.diagnostics.warning(
            code::TOO_MANY_FINDINGS,
            span,
            Text::new(
                "语法错误太多，从此处起没有检查",
                "there are too many faults: from here on the file is not checked",
            ),
            None,
        );
    }

    pub(super) fn on_end_of_file(&mut self) {
        let end = self.source.len();
        if let Some(open) = self.stack.last() {
            let (name, span) = (open.name.clone(), open.name_span);
            if self.unended.contains(&span) {
                self.fault = Some(end);
                return;
            }
            self.fail(
                span,
                Text::new(
                    format!("<{name}> 没有结束标签"),
                    format!("<{name}> is never closed"),
                ),
                Text::new(format!("请添加 </{name}>"), format!("add </{name}>")),
            );
            self.fault = Some(end);
        } else if self.root.is_none() && !self.diagnostics.has_errors() {
            self.diagnostics.error(
                code::EMPTY_FILE,
                Span::default(),
                Text::new("文件中没有任何元素", "the file holds no element"),
                Text::new(
                    "工作流以 <work-flow name=\"...\"> 开始",
                    "a workflow begins with <work-flow name=\"...\">",
                ),
            );
        }
    }

    pub(super) fn on_error(&mut self, error: &Error, at: usize, span: Span) -> Result<(), Stop> {
        let place = |length: usize| Span {
            start: at,
            end: ceil_boundary(self.source, at + length),
        };
        let one = place(1);
        match error {
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                self.bare_ampersand(span.start);
                return self.text(&self.source[span.range()], span);
            }
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => return Err(self.unclosed_quote(at)),
            _ => {}
        }
        let (zh, en) = match error {
            Error::Syntax(SyntaxError::UnclosedDoctype) => return Err(self.doctype(one)),
            Error::Syntax(SyntaxError::UnclosedTag) if !self.begins_tag(at) => {
                ("`<` 之后不是标签", "`<` does not begin a tag")
            }
            Error::Syntax(SyntaxError::UnclosedTag) => {
                ("标签没有以 > 结束", "the tag is never closed with >")
            }
            Error::Syntax(SyntaxError::InvalidBangMarkup) => (
                "`<!` 之后应为注释或CDATA",
                "`<!` must begin a comment or a CDATA section",
            ),
            _ => {
                let said = shortened(&error.to_string());
                return Err(self.fail(
                    span,
                    Text::new(format!("XML有误：{said}"), format!("wrong XML: {said}")),
                    bracket_help(),
                ));
            }
        };
        let help = match error {
            Error::Syntax(SyntaxError::UnclosedTag) if self.begins_tag(at) => {
                Text::new("请在标签末尾补上 `>`", "add `>` where the tag ends")
            }
            _ => bracket_help(),
        };
        Err(self.fail(one, Text::new(zh, en), help))
    }

    fn begins_tag(&self, at: usize) -> bool {
        let rest = self.source[at..].strip_prefix('<');
        rest.is_some_and(|rest| rest.starts_with(is_name_start))
    }

    /// A quote that swallows the rest of the file. It is the one behind which the next tag stands, though the reader pairs it
    /// with another; where there is none, the last.
    pub(super) fn unclosed_quote(&mut self, tag: usize) -> Stop {
        let text = self.source;
        let mut at = tag;
        while let Some(quote) = text[at..].find(['"', '\'']) {
            at += quote;
            let mark = &text[at..=at];
            let Some(length) = text[at + 1..].find(mark) else {
                break;
            };
            if text[at + 1..at + 1 + length].contains('<') {
                break;
            }
            at += length + 2;
        }
        self.quote_without_end(at, "")
    }

    /// `value` is what most likely stands between the quotes.
    pub(super) fn quote_without_end(&mut self, at: usize, value: &str) -> Stop {
        let span = Span {
            start: at,
            end: ceil_boundary(self.source, at + 1),
        };
        let message = Text::new(
            "此处开始的属性值缺少结束引号",
            "the attribute value that begins here is never closed with its quote",
        );
        let help = if value.is_empty() {
            Text::new(
                "请在属性值之后补上引号",
                "add the quote where the value ends",
            )
        } else {
            Text::new(
                format!("请在 `{value}` 之后补上引号"),
                format!("add the quote behind `{value}`"),
            )
        };
        self.fail(span, message, help)
    }

    /// The line, from 1, in which a place stands.
    pub(super) fn line(&self, place: usize) -> usize {
        line_of(self.source, place)
    }

    pub(super) fn doctype(&mut self, span: Span) -> Stop {
        self.diagnostics.error(
            code::DOCTYPE,
            Span {
                start: span.start,
                end: span.end.min(span.start + "<!DOCTYPE".len()),
            },
            Text::new("不允许DTD", "a document type declaration is not allowed"),
            Text::new("请删除 <!DOCTYPE ...>", "remove <!DOCTYPE ...>"),
        );
        Stop
    }

    pub(super) fn not_a_name(&mut self, name: &str, at: usize) -> Stop {
        if let Some((label, rest)) = name.split_once(WIDE_BLANKS)
            && is_xml_name(label)
        {
            let start = at + "<".len() + label.len();
            let blank = name.len() - label.len() - rest.len();
            let span = Span {
                start,
                end: start + blank,
            };
            let label = shortened(label);
            let message = Text::new(
                format!("`{label}` 之后是全角空格或不换行空格，它会成为标签名的一部分"),
                format!(
                    "`{label}` is followed by a wide or a no-break space, which becomes part of the name"
                ),
            );
            let help = Text::new("请改用普通空格", "write an ordinary space");
            return self.fail(span, message, help);
        }
        let name = shortened(name);
        let message = if name.is_empty() {
            Text::new("`<` 之后没有标签名", "`<` is not followed by a name")
        } else {
            Text::new(
                format!("`{name}` 不能作为标签名"),
                format!("`{name}` cannot be the name of an element"),
            )
        };
        let span = Span {
            start: at,
            end: at + 1,
        };
        self.fail(span, message, bracket_help())
    }

    pub(super) fn second_root(&mut self, span: Span) -> Stop {
        self.fail(
            span,
            Text::new(
                "文件只能有一个根元素",
                "a file has one outermost element only",
            ),
            Text::new("每个文件只写一个工作流", "write one workflow per file"),
        )
    }

    pub(super) fn text_outside(&mut self, run: &str, span: Span) -> Result<(), Stop> {
        // Characters that XML forbids are reported as such.
        let is_nothing =
            |character: char| character.is_whitespace() || !is_xml_character(character);
        let text = run.trim_matches(is_nothing);
        if text.is_empty() {
            return Ok(());
        }
        let start = span.start + (run.len() - run.trim_start_matches(is_nothing).len());
        let span = Span {
            start,
            end: start + text.len(),
        };
        let message = Text::new(
            "根元素之外不允许文本",
            "text stands outside the outermost element",
        );
        let help = if self.root.is_some() {
            Text::new("请删除该文本", "remove the text")
        } else {
            Text::new(
                "工作流是XML文件，以 <work-flow name=\"...\"> 开始",
                "a workflow is an XML file that begins with <work-flow name=\"...\">",
            )
        };
        let stop = self.fail(span, message, help);
        self.pass_over(stop)
    }
}

pub(super) fn bracket_help() -> Text {
    Text::new(
        "文字 `<` 请写作 `&lt;`，或把脚本放进 <![CDATA[ ... ]]>",
        "write `&lt;` for a plain `<`, or put the script into <![CDATA[ ... ]]>",
    )
}
