//! In which bytes a file holds its text.

use akkaflow_model::suggest::closest;
use akkaflow_model::text::Text;
use encoding_rs::EncoderResult;

use super::delimiter::FormatError;

/// An encoding of text, by the names that the web has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

/// Names for people who misspell one.
const NAMES: [&str; 12] = [
    "UTF-8",
    "UTF-16LE",
    "UTF-16BE",
    "GBK",
    "GB18030",
    "GB2312",
    "Big5",
    "ISO-8859-1",
    "windows-1252",
    "Shift_JIS",
    "EUC-JP",
    "EUC-KR",
];

impl Encoding {
    /// The usual one.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    /// The encoding called `name`, in any case.
    ///
    /// # Errors
    /// When nobody calls one so.
    pub fn parse(name: &str) -> Result<Self, FormatError> {
        let found = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes());
        found.map(Self).ok_or_else(|| {
            let (zh, en) = match closest(name, NAMES) {
                Some(meant) => (
                    format!("，是否想写 `{meant}`？"),
                    format!("; did you mean `{meant}`?"),
                ),
                None => Default::default(),
            };
            FormatError(Text::new(
                format!("没有名为 `{name}` 的编码{zh}"),
                format!("no encoding is called `{name}`{en}"),
            ))
        })
    }

    /// Its usual name.
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    /// What stands before the text: readers of UTF-16 ask for it.
    pub(super) fn mark(self) -> &'static [u8] {
        if self.0 == encoding_rs::UTF_16LE {
            b"\xff\xfe"
        } else if self.0 == encoding_rs::UTF_16BE {
            b"\xfe\xff"
        } else {
            b""
        }
    }

    /// Appends `text` in an encoding other than UTF-8, or says which character it does not have.
    pub(super) fn encode(self, text: &str, output: &mut Vec<u8>) -> Result<(), char> {
        if self.0 == encoding_rs::UTF_16LE {
            output.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        } else if self.0 == encoding_rs::UTF_16BE {
            output.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        } else {
            return self.encode_legacy(text, output);
        }
        Ok(())
    }

    fn encode_legacy(self, text: &str, output: &mut Vec<u8>) -> Result<(), char> {
        let mut encoder = self.0.new_encoder();
        let most = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
        output.reserve(most.expect("texts are shorter than memory"));
        match encoder
            .encode_from_utf8_to_vec_without_replacement(text, output, true)
            .0
        {
            EncoderResult::Unmappable(character) => Err(character),
            EncoderResult::InputEmpty | EncoderResult::OutputFull => Ok(()),
        }
    }
}
