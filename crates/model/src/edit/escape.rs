//! Values and texts as XML.

use crate::edit::EditError;
use crate::encoding::is_xml_character;

/// Refuses what no XML file can hold.
pub(super) fn check(text: &str) -> Result<(), EditError> {
    match text.chars().find(|character| !is_xml_character(*character)) {
        Some(character) => Err(EditError::ForbiddenCharacter {
            number: u32::from(character),
        }),
        None => Ok(()),
    }
}

/// A value between `quote`s. Other readers would turn tabs and line breaks into blanks, so these become references.
pub(super) fn attribute(value: &str, quote: char) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '"' if quote == '"' => text.push_str("&quot;"),
            '\'' if quote == '\'' => text.push_str("&apos;"),
            '\t' => text.push_str("&#9;"),
            '\n' => text.push_str("&#10;"),
            '\r' => text.push_str("&#13;"),
            other => text.push(other),
        }
    }
    text
}

/// Text outside CDATA.
pub(super) fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace("]]>", "]]&gt;")
}

/// What stands between `<![CDATA[` and `]]>`; the end mark is split over two sections.
pub(super) fn inside_cdata(text: &str) -> String {
    text.replace("]]>", "]]]]><![CDATA[>")
}

/// The text of an element that had none: readable as it is wherever possible.
pub(super) fn fresh(words: &str) -> String {
    if words.contains(['<', '&', '\n']) {
        format!("<![CDATA[{}]]>", inside_cdata(words))
    } else {
        text(words)
    }
}
