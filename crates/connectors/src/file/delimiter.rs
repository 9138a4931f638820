//! What parts the fields of a row.

use akkaflow_model::text::Text;

/// What parts the fields of a row: one or more bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiter(Vec<u8>);

/// A sign of a file cannot be what its attribute says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.en)]
pub struct FormatError(pub Text);

impl Delimiter {
    /// Reads the text of an attribute. `\t`, `\\`, `\u0001`, `\x01` and octal `\001` mean that character; a backslash before any
    /// other sign means the sign itself, so that `\|`, which users had to write, is `|`.
    ///
    /// # Errors
    /// When it is empty, holds a line break, or is a regular expression's class such as `\s`.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let mut delimiter = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            if character == '\\' {
                let (escaped, length) = escaped(rest).ok_or_else(not_plain)?;
                delimiter.push(escaped);
                rest = &rest[length..];
            } else {
                delimiter.push(character);
            }
        }
        if delimiter.is_empty() || delimiter.contains(['\n', '\r']) {
            return Err(FormatError(Text::new(
                "分隔符不能为空或包含换行",
                "a delimiter is neither empty nor a line break",
            )));
        }
        Ok(Self(delimiter.into_bytes()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What stands behind a backslash: the character meant, and how many bytes say it.
fn escaped(rest: &str) -> Option<(char, usize)> {
    let code = |from: usize, digits: usize, radix| {
        let digits = rest.get(from..from + digits)?;
        let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
        Some((character, from + digits.len()))
    };
    match rest.chars().next()? {
        't' => Some(('\t', 1)),
        'f' => Some(('\x0c', 1)),
        'u' => code(1, 4, 16),
        'x' => code(1, 2, 16),
        '0'..='7' => code(0, 3, 8),
        letter if letter.is_alphanumeric() => None,
        sign => Some((sign, sign.len_utf8())),
    }
}

fn not_plain() -> FormatError {
    FormatError(Text::new(
        r"分隔符是普通文本，不是正则表达式；可用的转义有 \t \\ \u0001 \x01 \001",
        r"a delimiter is plain text, not a regular expression; the escapes are \t \\ \u0001 \x01 \001",
    ))
}
