//! `&amp;` and its kind: the five entities of XML and numeric references, nothing else.

use compact_str::CompactString;

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::Span;
use crate::encoding::is_xml_character;
use crate::text::Text;

/// No reference that we accept is longer, `&` and `;` included.
const LONGEST_REFERENCE: usize = 12;

/// What a reference without `&` and `;` stands for.
pub(crate) fn resolve(reference: &str) -> Option<char> {
    match reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => {
            let digits = reference.strip_prefix('#')?;
            let number = match digits.strip_prefix('x') {
                Some(hexadecimal) => parse_digits(hexadecimal, 16)?,
                None => parse_digits(digits, 10)?,
            };
            char::from_u32(number).filter(|character| is_xml_character(*character))
        }
    }
}

fn parse_digits(digits: &str, radix: u32) -> Option<u32> {
    // from_str_radix would accept a sign.
    let is_plain = digits.chars().all(|digit| digit.is_digit(radix));
    is_plain
        .then(|| u32::from_str_radix(digits, radix).ok())
        .flatten()
}

/// Resolves every reference in an attribute's raw value that stands at `offset`; each wrong one is reported and kept
/// as it is.
pub(crate) fn unescape(raw: &str, offset: usize, diagnostics: &mut Diagnostics) -> CompactString {
    let mut value = CompactString::default();
    let mut rest = raw;
    while let Some(ampersand) = rest.find('&') {
        value.push_str(&rest[..ampersand]);
        let at = offset + raw.len() - rest.len() + ampersand;
        rest = &rest[ampersand + 1..];
        let end = rest
            .bytes()
            .take(LONGEST_REFERENCE)
            .position(|byte| byte == b';');
        match end.map(|end| (end, resolve(&rest[..end]))) {
            Some((end, Some(character))) => {
                value.push(character);
                rest = &rest[end + 1..];
                continue;
            }
            Some((end, None)) if is_name(&rest[..end]) => {
                unknown(&rest[..end], span(at, end + 2), diagnostics);
            }
            _ => {
                let further = rest.len() - rest.trim_start_matches('&').len();
                bare_ampersand(span(at, 1 + further), diagnostics);
                value.push_str(&rest[..further]);
                rest = &rest[further..];
            }
        }
        value.push('&');
    }
    value.push_str(rest);
    value
}

/// Whether what stands between `&` and `;` was meant to be a reference, rather than to be text.
pub(crate) fn is_name(reference: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let name = reference.strip_prefix('#').unwrap_or(reference);
    !name.is_empty() && name.chars().all(is_part)
}

fn span(start: usize, length: usize) -> Span {
    Span {
        start,
        end: start + length,
    }
}

/// Reports `&name;`.
pub(crate) fn unknown(reference: &str, span: Span, diagnostics: &mut Diagnostics) {
    let reference = crate::quote::shortened(reference);
    diagnostics.error(
        code::ENTITY,
        span,
        Text::new(
            format!("未知的实体 `&{reference};`"),
            format!("unknown entity `&{reference};`"),
        ),
        Text::new(
            "只能使用 &lt; &gt; &amp; &apos; &quot; 和数字引用；文字 `&` 请写作 `&amp;`",
            "only &lt; &gt; &amp; &apos; &quot; and numeric references exist; write `&amp;` for a plain `&`",
        ),
    );
}

/// Reports one or more `&` that begin no reference.
pub(crate) fn bare_ampersand(span: Span, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::ILL_FORMED,
        span,
        Text::new("`&` 不是实体引用", "`&` does not begin an entity"),
        Text::new(
            "文字 `&` 请写作 `&amp;`，或把脚本放进 <![CDATA[ ... ]]>",
            "write `&amp;`, or put the script into <![CDATA[ ... ]]>",
        ),
    );
}
