//! From the bytes of a file to its text.

use std::ops::Range;

use encoding_rs::{DecoderResult, Encoding, UTF_8};

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::Span;
use crate::text::Text;
use crate::xml::MAX_BYTES;

/// How far into the file a declaration may reach.
const DECLARATION_BYTES: usize = 256;

/// A decoded file.
pub(crate) struct Decoded {
    /// The text. Where the file was not UTF-8 its declaration no longer names an encoding (blanks stand there, so
    /// that every place stays where it was), hence the text reads the same when it is stored as UTF-8 and read again.
    pub(crate) text: String,
    /// Where in [`Decoded::text`] decoding failed: what follows cannot be read. `None` when all of it can.
    pub(crate) fault: Option<usize>,
}

/// Forbidden characters that are passed over, those in a row as one: a file with more of them is no text.
const MAX_FORBIDDEN: usize = 100;

/// Decodes a file as UTF-8 or as its declaration says. Reports what cannot be decoded, and characters that XML forbids.
pub(crate) fn decode(bytes: &[u8], diagnostics: &mut Diagnostics) -> Decoded {
    if bytes.len() > MAX_BYTES {
        too_large(bytes.len(), diagnostics);
        return Decoded::nothing();
    }
    if is_utf16(bytes) {
        unknown_encoding("UTF-16", Span::default(), diagnostics);
        return Decoded::nothing();
    }
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let has_mark = unmarked.len() < bytes.len();
    let declared = declared_encoding(unmarked);
    let encoding = match &declared {
        Some(range) if !has_mark => {
            let label = &unmarked[range.clone()];
            match Encoding::for_label(label).filter(|encoding| encoding.is_ascii_compatible()) {
                Some(encoding) => encoding,
                None => {
                    let label = String::from_utf8_lossy(label);
                    let span = Span {
                        start: range.start,
                        end: range.end,
                    };
                    unknown_encoding(&label, span, diagnostics);
                    return Decoded {
                        text: String::from_utf8_lossy(unmarked).into_owned(),
                        fault: Some(0),
                    };
                }
            }
        }
        _ => UTF_8,
    };
    let mut decoded = decode_as(unmarked, encoding, diagnostics);
    if encoding != UTF_8 && looks_like_utf8(unmarked) {
        other_than_declared(&decoded.text, encoding, diagnostics);
    }
    // The mark of UTF-8 wins over what is declared, and is not stored.
    let names_another = |range: Range<usize>| Encoding::for_label(&unmarked[range]) != Some(UTF_8);
    if declared.is_some_and(names_another) {
        blank_declared_encoding(&mut decoded.text);
    }
    decoded.report_forbidden_characters(diagnostics);
    decoded
}

impl Decoded {
    fn nothing() -> Self {
        Self {
            text: String::new(),
            fault: Some(0),
        }
    }

    /// The text before the place where decoding failed.
    pub(crate) fn sound(&self) -> &str {
        &self.text[..self.fault.unwrap_or(self.text.len())]
    }

    /// XML has no way to hold most control characters, so no reader accepts them.
    fn report_forbidden_characters(&mut self, diagnostics: &mut Diagnostics) {
        // Of the characters that text can hold these are forbidden: nearly every file has none, and bytes are quickly seen.
        let is_suspect =
            |byte: u8| (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0xEF;
        if !self.sound().bytes().any(is_suspect) {
            return;
        }
        let mut runs = 0;
        let mut end_of_last = None;
        for (start, character) in self.sound().char_indices() {
            if is_xml_character(character) {
                continue;
            }
            let end = start + character.len_utf8();
            // Of several in a row the first speaks for all.
            if end_of_last.replace(end) == Some(start) {
                continue;
            }
            forbidden(character, start, diagnostics);
            runs += 1;
            if runs == MAX_FORBIDDEN {
                self.fault = Some(start);
                return;
            }
        }
    }
}

fn forbidden(character: char, start: usize, diagnostics: &mut Diagnostics) {
    let number = u32::from(character);
    diagnostics.error(
        code::FORBIDDEN_CHARACTER,
        Span {
            start,
            end: start + character.len_utf8(),
        },
        Text::new(
            format!("XML中不允许字符U+{number:04X}"),
            format!("character U+{number:04X} is not allowed in XML"),
        ),
        Text::new("请删除该字符", "remove the character"),
    );
}

/// Whether XML 1.0 allows the character.
pub(crate) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn is_utf16(bytes: &[u8]) -> bool {
    [&b"\xFF\xFE"[..], b"\xFE\xFF", b"<\0", b"\0<"]
        .iter()
        .any(|start| bytes.starts_with(start))
}

/// Where the declaration names the encoding.
fn declared_encoding(bytes: &[u8]) -> Option<Range<usize>> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let key = head[..end]
        .windows(8)
        .position(|window| window == b"encoding")?;
    let quote = (key + 8..end).find(|at| matches!(head[*at], b'"' | b'\''))?;
    let length = head[quote + 1..end]
        .iter()
        .position(|byte| *byte == head[quote])?;
    Some(quote + 1..quote + 1 + length)
}

fn blank_declared_encoding(text: &mut String) {
    let Some(label) = declared_encoding(text.as_bytes()) else {
        return;
    };
    let declaration = text[..label.start]
        .find("encoding")
        .zip(text[label.end..].find("?>"));
    let Some((key, rest)) = declaration else {
        return;
    };
    // All that follows goes too: in a declaration that is no good a second encoding could come to light.
    let named = key..label.end + rest;
    let blanks: String = text[named.clone()]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(named, &blanks);
}

fn decode_as(bytes: &[u8], encoding: &'static Encoding, diagnostics: &mut Diagnostics) -> Decoded {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder
        .max_utf8_buffer_length_without_replacement(bytes.len())
        .unwrap_or(4 * MAX_BYTES);
    let mut text = String::with_capacity(room);
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    let DecoderResult::Malformed(length, behind) = result else {
        return Decoded { text, fault: None };
    };
    let sound = text.len();
    let first = read.saturating_sub(usize::from(length) + usize::from(behind));
    malformed(bytes, first, sound, encoding, diagnostics);
    text.push('\u{FFFD}');
    text.push_str(&encoding.decode_without_bom_handling(&bytes[read..]).0);
    Decoded {
        text,
        fault: Some(sound),
    }
}

fn malformed(
    bytes: &[u8],
    first: usize,
    at: usize,
    encoding: &'static Encoding,
    diagnostics: &mut Diagnostics,
) {
    let byte = bytes.get(first).copied().unwrap_or_default();
    let name = encoding.name();
    let is_damaged = encoding == UTF_8 && is_mostly_utf8(bytes);
    let is_cut =
        is_damaged && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
    let is_probably_gbk = encoding == UTF_8
        && encoding_rs::GBK
            .decode_without_bom_handling_and_without_replacement(bytes)
            .is_some();
    let help = if is_cut {
        Text::new(
            "文件在一个字符中间被截断：请重新取得完整的文件",
            "the file was cut off within a character: get the whole file again",
        )
    } else if is_damaged {
        Text::new(
            "文件其余部分是UTF-8，此处已损坏：请重新输入此处的文字，或重新取得文件",
            "the rest of the file is UTF-8, so it is damaged here: write this text again, or get the file again",
        )
    } else if is_probably_gbk {
        Text::new(
            "文件像是GBK编码：请在首行写 <?xml version=\"1.0\" encoding=\"GBK\"?>，或另存为UTF-8",
            "the file looks like GBK: begin it with <?xml version=\"1.0\" encoding=\"GBK\"?>, or save it as UTF-8",
        )
    } else {
        Text::new("请将文件另存为UTF-8", "save the file as UTF-8")
    };
    diagnostics.error(
        code::MALFORMED_BYTES,
        Span {
            start: at,
            end: at + '\u{FFFD}'.len_utf8(),
        },
        Text::new(
            format!("第{}个字节0x{byte:02X}不是合法的{name}", first + 1),
            format!("byte {} (0x{byte:02X}) is not valid {name}", first + 1),
        ),
        help,
    );
}

/// Whether more bytes of what is not ASCII are UTF-8 than are not.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk
            .valid()
            .bytes()
            .filter(|byte| !byte.is_ascii())
            .count();
        broken += chunk.invalid().len();
    }
    valid > broken
}

/// Whether all of it is UTF-8 and some of it Chinese: what is written in another encoding hardly ever looks so.
fn looks_like_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().any(|c| c.len_utf8() > 2))
}

fn other_than_declared(text: &str, encoding: &'static Encoding, diagnostics: &mut Diagnostics) {
    let name = encoding.name();
    // What comes out garbled shows best what is wrong.
    let start = text.find(|c: char| !c.is_ascii()).unwrap_or(0);
    let rest = &text[start..];
    let length = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
    let span = Span {
        start,
        end: start + length,
    };
    diagnostics.warning(
        code::MALFORMED_BYTES,
        span,
        Text::new(
            format!("声明的编码是{name}，内容却像UTF-8，中文会成为乱码"),
            format!("it says {name}, but its bytes are UTF-8: Chinese text comes out garbled"),
        ),
        Text::new(
            "请改为 encoding=\"UTF-8\"，或按声明的编码另存",
            "write encoding=\"UTF-8\", or save it in the encoding that it names",
        ),
    );
}

fn too_large(size: usize, diagnostics: &mut Diagnostics) {
    let (message, help) = size_beyond_limit(size as u64);
    diagnostics.error(code::TOO_LARGE, Span::default(), message, help);
}

/// What is said of a file that is too large, and what to do.
pub(crate) fn size_beyond_limit(size: u64) -> (Text, Text) {
    let (size, limit) = (size.div_ceil(1024), MAX_BYTES / 1024);
    (
        Text::new(
            format!("文件有{size} KiB，上限为{limit} KiB"),
            format!("the file has {size} KiB, at most {limit} KiB are read"),
        ),
        Text::new(
            "请拆分工作流，或把大段内容移到附件中",
            "split the workflow, or move long texts into attachments",
        ),
    )
}

fn unknown_encoding(label: &str, span: Span, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::UNKNOWN_ENCODING,
        span,
        Text::new(
            format!("不支持编码 `{label}`"),
            format!("encoding `{label}` is not supported"),
        ),
        Text::new("请将文件另存为UTF-8", "save the file as UTF-8"),
    );
}
