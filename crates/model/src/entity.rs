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
            let number = parse_number(reference.strip_prefix('#')?)?;
            char::from_u32(number).filter(|character| is_xml_character(*character))
        }
    }
}

/// What a numeric reference says, without its `#`.
fn parse_number(digits: &str) -> Option<u32> {
    match digits.strip_prefix('x') {
        Some(hexadecimal) => parse_digits(hexadecimal, 16),
        None => parse_digits(digits, 10),
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
                bare_ampersand(&raw[at - offset..], at, diagnostics);
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
    let shown = crate::quote::shortened(reference);
    let (message, help) = match reference.strip_prefix('#').map(parse_number) {
        Some(Some(number)) => {
            let hexadecimal = format!("U+{number:04X}");
            (
                Text::new(
                    format!("数字引用 `&{shown};` 指向XML不允许的字符{hexadecimal}"),
                    format!(
                        "the numeric reference `&{shown};` stands for {hexadecimal}, which XML does not allow"
                    ),
                ),
                Text::new("请删除它", "remove it"),
            )
        }
        Some(None) => (
            Text::new(
                format!("`&{shown};` 不是正确的数字引用"),
                format!("`&{shown};` is no numeric reference"),
            ),
            Text::new(
                "写法为 &#160; 或十六进制的 &#xA0;；文字 `&` 请写作 `&amp;`",
                "write &#160;, or &#xA0; in hexadecimal digits; write `&amp;` for a plain `&`",
            ),
        ),
        None => (
            Text::new(
                format!("未知的实体 `&{shown};`"),
                format!("unknown entity `&{shown};`"),
            ),
            Text::new(
                "只能使用 &lt; &gt; &amp; &apos; &quot; 和数字引用；文字 `&` 请写作 `&amp;`",
                "only &lt; &gt; &amp; &apos; &quot; and numeric references exist; write `&amp;` for a plain `&`",
            ),
        ),
    };
    diagnostics.error(code::ENTITY, span, message, help);
}

/// Reports one or more `&` at the beginning of `text` that begin no reference; it stands at `start`.
pub(crate) fn bare_ampersand(text: &str, start: usize, diagnostics: &mut Diagnostics) {
    if let Some(length) = unended(text) {
        let reference = &text[..length];
        return diagnostics.error(
            code::ILL_FORMED,
            span(start, length),
            Text::new(
                format!("`{reference}` 之后缺少 `;`"),
                format!("`{reference}` lacks its `;`"),
            ),
            Text::new(
                format!("请写作 `{reference};`；文字 `&` 请写作 `&amp;`"),
                format!("write `{reference};`, or `&amp;` for a plain `&`"),
            ),
        );
    }
    let length = text.len() - text.trim_start_matches('&').len();
    diagnostics.error(
        code::ILL_FORMED,
        span(start, length),
        Text::new("`&` 不是实体引用", "`&` does not begin an entity"),
        Text::new(
            "文字 `&` 请写作 `&amp;`，或把脚本放进 <![CDATA[ ... ]]>",
            "write `&amp;`, or put the script into <![CDATA[ ... ]]>",
        ),
    );
}

/// How long a reference at the beginning is that lacks nothing but its `;`. A parameter of an address looks like one.
fn unended(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '#';
    let window = &name[..name.floor_char_boundary(LONGEST_REFERENCE)];
    let length = window
        .find(|letter| !is_part(letter))
        .unwrap_or(window.len());
    let is_known = resolve(&name[..length]).is_some();
    (is_known && !name[length..].starts_with(['=', ';'])).then_some(1 + length)
}
