//! From the bytes of a file to the tree that keeps where everything stood.
//!
//! Nothing but elements, attributes, text and CDATA is accepted: no document type, no entity beyond the five. A bare `&`
//! or `<` in a text is reported and kept as it is; any other fault ends the tree with what precedes it.

use std::cmp::Reverse;
use std::sync::Arc;

use compact_str::CompactString;
use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};

use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::element::{Attribute, Child, Element, Span};
use crate::encoding;
use crate::entity;
use crate::quote::shortened;
use crate::text::Text;

/// The largest file that is read: a thousand times a usual one.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting: bodies use four levels, an HTML mail some twenty.
pub const MAX_DEPTH: usize = 64;
/// Elements of a file: a graph of two thousand nodes.
pub const MAX_ELEMENTS: usize = 10_000;
/// Attributes of one element: no element of ours has twenty.
pub const MAX_ATTRIBUTES: usize = 64;

/// Bare `&` and `<` in a text that are passed over: behind a `<` the reader has looked ahead, at worst to the end.
const MAX_BARE: usize = 100;

/// Findings of one file that are listed: more than anybody reads.
pub const MAX_FINDINGS: usize = 500;

/// A file as far as it can be read.
#[derive(Debug)]
pub struct Document {
    /// The decoded text, to which all spans refer.
    pub source: Arc<str>,
    /// The outermost element; `None` when a fault precedes its opening tag.
    pub root: Option<Element>,
    /// What is wrong so far.
    pub diagnostics: Diagnostics,
    /// Where the first fault ended the reading; `None` for a well-formed file.
    pub fault: Option<usize>,
    /// Labels of the elements that were still open at the fault: what they hold is not known.
    pub unclosed: Vec<Span>,
}

impl Document {
    /// All findings in the order of their place, at most [`MAX_FINDINGS`] of them; takes them out of the document.
    ///
    /// What an element that a fault cut off seems to lack may follow in the unread rest, so that is not reported.
    pub fn findings(&mut self) -> Vec<Diagnostic> {
        let left_out = self.diagnostics.left_out();
        let mut found = std::mem::take(&mut self.diagnostics).into_sorted();
        found.retain(|finding| {
            let depends_on_rest =
                [code::MISSING_ELEMENT, code::MISSING_TEXT].contains(&finding.code);
            !(depends_on_rest && self.unclosed.contains(&finding.span))
        });
        let rest = found.len().saturating_sub(MAX_FINDINGS) + left_out;
        if rest > 0 {
            // Errors matter more than warnings when not everything can be said.
            found.sort_by_key(|finding| Reverse(finding.severity));
            found.truncate(MAX_FINDINGS);
            found.push(not_listed(rest, self.source.len()));
        }
        found
    }
}

fn not_listed(rest: usize, end: usize) -> Diagnostic {
    Diagnostic {
        code: code::TOO_MANY_FINDINGS,
        severity: Severity::Warning,
        span: Span { start: end, end },
        message: Text::new(
            format!("还有{rest}个问题没有列出"),
            format!("{rest} more findings are not listed"),
        ),
        help: code::general_help(code::TOO_MANY_FINDINGS).map(|(zh, en)| Text::new(zh, en)),
    }
}

/// Reads a file. Never panics, and its cost is linear in the bytes.
pub fn read(bytes: &[u8]) -> Document {
    let mut diagnostics = Diagnostics::new();
    let decoded = encoding::decode(bytes, &mut diagnostics);
    let is_sound = decoded.sound == decoded.text.len() && !diagnostics.has_errors();
    let mut parser = Parser {
        source: &decoded.text[..decoded.sound],
        diagnostics,
        stack: Vec::new(),
        root: None,
        element_count: 0,
        bare_count: 0,
        // Where decoding has failed, that is the first fault; the end of the sound part is none.
        fault: (!is_sound).then_some(decoded.sound),
    };
    parser.run(is_sound);
    let unclosed: Vec<Span> = parser.stack.iter().map(|open| open.name_span).collect();
    parser.close_all();
    let Parser {
        root,
        diagnostics,
        fault,
        ..
    } = parser;
    Document {
        source: Arc::from(decoded.text),
        root,
        diagnostics,
        fault,
        unclosed,
    }
}

struct Parser<'a> {
    source: &'a str,
    diagnostics: Diagnostics,
    stack: Vec<Element>,
    root: Option<Element>,
    element_count: usize,
    bare_count: usize,
    fault: Option<usize>,
}

/// Ends the reading at a fault that is reported already.
struct Stop;

impl Parser<'_> {
    fn run(&mut self, is_sound: bool) {
        let source = self.source;
        let mut reader = reader_of(source);
        // Where the text of the reader begins.
        let mut offset = 0;
        loop {
            let start = offset + position(reader.buffer_position());
            let event = reader.read_event();
            let span = Span {
                start,
                end: offset + position(reader.buffer_position()),
            };
            if self.is_bare_bracket(&event, start) {
                if self.bare_bracket(start).is_err() {
                    self.fault = Some(start);
                    return;
                }
                offset = start + 1;
                // The reader takes this character for the mark at the beginning of a file.
                if source[offset..].starts_with('\u{FEFF}') {
                    offset += '\u{FEFF}'.len_utf8();
                }
                reader = reader_of(&source[offset..]);
                continue;
            }
            let result = match event {
                Ok(Event::Eof) => {
                    if is_sound {
                        self.on_end_of_file();
                    }
                    return;
                }
                Ok(event) => self.on_event(&event, span),
                Err(_) if !is_sound => return,
                Err(error) => {
                    let at = offset + position(reader.error_position());
                    self.on_error(&error, at, span)
                }
            };
            if result.is_err() {
                self.fault = Some(self.fault.unwrap_or(span.start).min(span.start));
                return;
            }
        }
    }

    /// Whether the reader took a `<` in a text for a tag, though no tag begins so.
    fn is_bare_bracket(&self, event: &Result<Event<'_>, Error>, start: usize) -> bool {
        let is_tag = match event {
            Ok(event) => matches!(event, Event::Start(_) | Event::Empty(_)),
            Err(error) => matches!(error, Error::Syntax(_)),
        };
        if !is_tag || self.stack.is_empty() {
            return false;
        }
        let behind = self.source[start..].strip_prefix('<');
        behind.is_some_and(|behind| {
            !behind.starts_with(|next| is_name_start(next) || matches!(next, '/' | '!' | '?'))
        })
    }

    /// Takes a `<` for the text that it was meant to be.
    fn bare_bracket(&mut self, start: usize) -> Result<(), Stop> {
        let span = Span {
            start,
            end: start + 1,
        };
        let stop = self.fail(
            span,
            Text::new("`<` 之后没有标签名", "`<` is not followed by a name"),
            bracket_help(),
        );
        self.pass_over_bare(stop)?;
        self.text("<", span)
    }

    /// Goes on behind what was reported, a bounded number of times.
    fn pass_over_bare(&mut self, stop: Stop) -> Result<(), Stop> {
        self.bare_count += 1;
        if self.bare_count > MAX_BARE {
            return Err(stop);
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::Start(tag) => self.open(tag, span),
            Event::Empty(tag) => {
                self.open(tag, span)?;
                self.close(span.end)
            }
            Event::End(tag) => {
                self.check_end(tag.name().as_ref(), span)?;
                self.close(span.end)
            }
            Event::Text(_) => self.text(&self.source[span.range()], span),
            Event::CData(_) => {
                let inside = span.start + "<![CDATA[".len()..span.end - "]]>".len();
                self.text(&self.source[inside], span)
            }
            Event::GeneralRef(_) => self.reference(span),
            Event::DocType(_) => Err(self.doctype(span)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, span: Span) -> Result<(), Stop> {
        let name = CompactString::from(tag.name().as_ref());
        let name_span = Span {
            start: span.start + 1,
            end: span.start + 1 + name.len(),
        };
        if !is_xml_name(&name) {
            return Err(self.not_a_name(&name, span.start));
        }
        if self.stack.is_empty() && self.root.is_some() {
            return Err(self.second_root(name_span));
        }
        self.element_count += 1;
        if self.element_count > MAX_ELEMENTS {
            return Err(self.limit(
                code::TOO_MANY_ELEMENTS,
                name_span,
                Text::new(
                    format!("元素超过{MAX_ELEMENTS}个"),
                    format!("more than {MAX_ELEMENTS} elements"),
                ),
            ));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.limit(
                code::TOO_DEEP,
                name_span,
                Text::new(
                    format!("元素嵌套超过{MAX_DEPTH}层"),
                    format!("elements are nested more than {MAX_DEPTH} deep"),
                ),
            ));
        }
        let attributes = self.attributes(tag, span);
        self.stack.push(Element {
            name,
            attributes,
            children: Vec::new(),
            span,
            name_span,
        });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Stop> {
        let mut element = self.stack.pop().ok_or(Stop)?;
        element.span.end = end;
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(Child::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn close_all(&mut self) {
        let end = self.source.len();
        while self.close(end).is_ok() {}
    }

    fn text(&mut self, run: &str, run_span: Span) -> Result<(), Stop> {
        let Some(parent) = self.stack.last_mut() else {
            return self.text_outside(run, run_span);
        };
        match parent.children.last_mut() {
            Some(Child::Text { text, span }) => {
                text.push_str(run);
                span.end = run_span.end;
            }
            _ => parent.children.push(Child::Text {
                text: run.into(),
                span: run_span,
            }),
        }
        Ok(())
    }

    fn reference(&mut self, span: Span) -> Result<(), Stop> {
        let name = &self.source[span.start + 1..span.end - 1];
        match entity::resolve(name) {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4]), span),
            None => {
                if entity::is_name(name) {
                    entity::unknown(name, span, &mut self.diagnostics);
                } else {
                    self.bare_ampersand(span.start)?;
                }
                self.text(&self.source[span.range()], span)
            }
        }
    }

    /// Reports the `&` at `start`; of several in a row the first speaks for all.
    fn bare_ampersand(&mut self, start: usize) -> Result<(), Stop> {
        if self.source[..start].ends_with('&') {
            return Ok(());
        }
        let rest = &self.source[start..];
        let length = rest.len() - rest.trim_start_matches('&').len();
        let span = Span {
            start,
            end: start + length,
        };
        entity::bare_ampersand(span, &mut self.diagnostics);
        self.pass_over_bare(Stop)
    }

    fn attributes(&mut self, tag: &BytesStart<'_>, span: Span) -> Vec<Attribute> {
        let mut found: Vec<Attribute> = Vec::new();
        let raw_tag = &self.source[span.range()];
        // Duplicates are looked for below, at a cost that MAX_ATTRIBUTES bounds.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => {
                    self.attribute_error(&error, span);
                    break;
                }
            };
            let name = attribute.key.as_ref();
            let name_span = self.span_of(name, raw_tag, span);
            let value_span = self.span_of(&attribute.value, raw_tag, span);
            if found.len() == MAX_ATTRIBUTES {
                self.limit(
                    code::TOO_MANY_ATTRIBUTES,
                    name_span,
                    Text::new(
                        format!("属性超过{MAX_ATTRIBUTES}个"),
                        format!("more than {MAX_ATTRIBUTES} attributes"),
                    ),
                );
                break;
            }
            if !is_xml_name(name) {
                self.bad_attribute_name(name, name_span);
                continue;
            }
            if found.iter().any(|earlier| earlier.name == name) {
                self.duplicate_attribute(name, name_span);
                continue;
            }
            if let Some(bracket) = attribute.value.find('<') {
                self.bracket_in_value(name, value_span.start + bracket);
            }
            let value = entity::unescape(&attribute.value, value_span.start, &mut self.diagnostics);
            found.push(Attribute {
                name: name.into(),
                value,
                name_span,
                value_span,
            });
        }
        found
    }

    /// Where a piece of the tag stands. The reader hands out slices of our own text, so the distance is exact; should
    /// it ever copy, the whole tag is the place.
    fn span_of(&self, piece: &str, raw_tag: &str, tag_span: Span) -> Span {
        let distance = (piece.as_ptr() as usize).wrapping_sub(raw_tag.as_ptr() as usize);
        if distance <= raw_tag.len() && distance + piece.len() <= raw_tag.len() {
            let start = tag_span.start + distance;
            Span {
                start,
                end: start + piece.len(),
            }
        } else {
            tag_span
        }
    }
}

/// The ways to fail.
impl Parser<'_> {
    fn fail(&mut self, span: Span, message: Text, help: impl Into<Option<Text>>) -> Stop {
        self.diagnostics
            .error(code::ILL_FORMED, span, message, help);
        Stop
    }

    fn limit(&mut self, code: &'static str, span: Span, message: Text) -> Stop {
        let help = if code == code::TOO_MANY_ATTRIBUTES {
            Text::new("请删除多余的属性", "remove those that mean nothing")
        } else {
            Text::new("请拆分工作流", "split the workflow")
        };
        self.diagnostics.error(code, span, message, help);
        Stop
    }

    fn on_end_of_file(&mut self) {
        let end = self.source.len();
        if let Some(open) = self.stack.last() {
            let (name, span) = (open.name.clone(), open.name_span);
            self.fail(
                span,
                Text::new(
                    format!("<{name}> 没有结束标签"),
                    format!("<{name}> is never closed"),
                ),
                Text::new(format!("请添加 </{name}>"), format!("add </{name}>")),
            );
            self.fault = Some(end);
        } else if self.root.is_none() {
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

    fn on_error(&mut self, error: &Error, at: usize, span: Span) -> Result<(), Stop> {
        let place = |length: usize| Span {
            start: at,
            end: ceil_boundary(self.source, at + length),
        };
        let one = place(1);
        match error {
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                self.bare_ampersand(span.start)?;
                return self.text(&self.source[span.range()], span);
            }
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => return Err(self.unclosed_quote(at)),
            _ => {}
        }
        let (zh, en) = match error {
            Error::Syntax(SyntaxError::UnclosedComment) => (
                "注释没有以 --> 结束",
                "the comment is never closed with -->",
            ),
            Error::Syntax(SyntaxError::UnclosedCData) => (
                "CDATA没有以 ]]> 结束",
                "the CDATA section is never closed with ]]>",
            ),
            Error::Syntax(SyntaxError::UnclosedDoctype) => return Err(self.doctype(one)),
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                ("`<?` 没有以 ?> 结束", "`<?` is never closed with ?>")
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
            Error::Syntax(SyntaxError::UnclosedComment) => {
                Text::new("请补上 -->", "add --> where the comment ends")
            }
            Error::Syntax(SyntaxError::UnclosedCData) => {
                Text::new("请补上 ]]>", "add ]]> where the text ends")
            }
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                Text::new("请补上 ?>", "add ?>")
            }
            _ => bracket_help(),
        };
        Err(self.fail(one, Text::new(zh, en), help))
    }

    /// What a closing tag closes: a bare `<` makes the reader forget which elements are open, so we look for ourselves.
    fn check_end(&mut self, found: &str, span: Span) -> Result<(), Stop> {
        let place = |length: usize, source: &str| Span {
            start: span.start,
            end: ceil_boundary(source, span.start + length + "</>".len()),
        };
        let Some(open) = self.stack.last() else {
            let found = shortened(found);
            return Err(self.fail(
                place(found.len(), self.source),
                Text::new(
                    format!("</{found}> 没有对应的开始标签"),
                    format!("</{found}> closes nothing"),
                ),
                Text::new(
                    "请删除它，或补上开始标签",
                    "remove it, or add its opening tag",
                ),
            ));
        };
        if open.name == found {
            return Ok(());
        }
        let line = self.line_of_open_tag();
        let (expected, found) = (shortened(&open.name), shortened(found));
        Err(self.fail(
            place(found.len(), self.source),
            Text::new(
                format!("应为 </{expected}>，却是 </{found}>"),
                format!("expected </{expected}>, found </{found}>"),
            ),
            Text::new(
                format!("<{expected}> 从第{line}行开始"),
                format!("<{expected}> was opened in line {line}"),
            ),
        ))
    }

    /// A quote that swallows the rest of the file. It is the one behind which the next tag stands, though the reader pairs it
    /// with another; where there is none, the last.
    fn unclosed_quote(&mut self, tag: usize) -> Stop {
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
        let span = Span {
            start: at,
            end: ceil_boundary(text, at + 1),
        };
        let message = Text::new(
            "此处开始的属性值缺少结束引号",
            "the attribute value that begins here is never closed with its quote",
        );
        let help = Text::new(
            "请在属性值之后补上引号",
            "add the quote where the value ends",
        );
        self.fail(span, message, help)
    }

    fn line_of_open_tag(&self) -> usize {
        let start = self.stack.last().map_or(0, |open| open.span.start);
        1 + memchr::memchr_iter(b'\n', &self.source.as_bytes()[..start]).count()
    }

    fn doctype(&mut self, span: Span) -> Stop {
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

    fn not_a_name(&mut self, name: &str, at: usize) -> Stop {
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

    fn second_root(&mut self, span: Span) -> Stop {
        self.fail(
            span,
            Text::new(
                "文件只能有一个根元素",
                "a file has one outermost element only",
            ),
            Text::new("每个文件只写一个工作流", "write one workflow per file"),
        )
    }

    fn text_outside(&mut self, run: &str, span: Span) -> Result<(), Stop> {
        let Some(first) = run.find(|character: char| !character.is_whitespace()) else {
            return Ok(());
        };
        let start = span.start + first;
        let span = Span {
            start,
            end: start + run.trim().len(),
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
        Err(self.fail(span, message, help))
    }

    fn attribute_error(&mut self, error: &AttrError, tag: Span) {
        let (offset, message) = match error {
            AttrError::ExpectedEq(at) => (
                *at,
                Text::new(
                    "属性名之后应为 `=`",
                    "an attribute's name must be followed by `=`",
                ),
            ),
            AttrError::ExpectedValue(at) => (
                *at,
                Text::new("`=` 之后应为属性值", "`=` must be followed by a value"),
            ),
            AttrError::UnquotedValue(at) => (
                *at,
                Text::new(
                    "属性值应放在引号中",
                    "an attribute's value must stand in quotes",
                ),
            ),
            AttrError::ExpectedQuote(at, _) => (
                *at,
                Text::new("属性值缺少结束引号", "an attribute's value is never closed"),
            ),
            AttrError::Duplicated(at, _) => {
                (*at, Text::new("属性重复", "an attribute stands twice"))
            }
        };
        // The reader counts from the label, we from `<`.
        let start = floor_boundary(self.source, (tag.start + 1 + offset).min(tag.end - 1));
        let end = ceil_boundary(self.source, start + 1);
        self.fail(
            Span { start, end },
            message,
            Text::new("写法为 name=\"value\"", "write name=\"value\""),
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
                "写法为 name=\"value\"，前一个属性值是否缺少引号？",
                "write name=\"value\"; does the value before it lack a quote?",
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

fn bracket_help() -> Text {
    Text::new(
        "文字 `<` 请写作 `&lt;`，或把脚本放进 <![CDATA[ ... ]]>",
        "write `&lt;` for a plain `<`, or put the script into <![CDATA[ ... ]]>",
    )
}

/// Reads a text from its beginning or from the middle, where it cannot know which elements are open.
fn reader_of(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    reader
}

/// The file is in memory, so every position fits.
fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn floor_boundary(source: &str, at: usize) -> usize {
    source.floor_char_boundary(at.min(source.len()))
}

fn ceil_boundary(source: &str, at: usize) -> usize {
    source.ceil_char_boundary(at.min(source.len()))
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | ':')
}

pub(crate) fn is_xml_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start)
        && characters.all(|character| {
            is_name_start(character) || character.is_numeric() || matches!(character, '-' | '.')
        })
}

#[cfg(test)]
mod tests;
