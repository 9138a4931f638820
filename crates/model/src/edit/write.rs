//! Whole elements as XML, laid out.

use crate::edit::{EditError, escape};
use crate::element::{Child, Element};
use crate::xml::is_xml_name;

/// The element; its first line is not indented, its further lines are indented from `indent` on.
pub(super) fn element(
    element: &Element,
    indent: &str,
    line_break: &str,
) -> Result<String, EditError> {
    let mut text = String::new();
    write(element, indent, line_break, &mut text)?;
    Ok(text)
}

fn write(
    element: &Element,
    indent: &str,
    line_break: &str,
    text: &mut String,
) -> Result<(), EditError> {
    check_label(&element.name)?;
    let tag = &element.name;
    text.push_str(&format!("<{tag}"));
    for attribute in &element.attributes {
        check_label(&attribute.name)?;
        escape::check(&attribute.value)?;
        let value = escape::attribute(&attribute.value, '"');
        text.push_str(&format!(" {}=\"{value}\"", attribute.name));
    }
    let words = element.text();
    escape::check(&words)?;
    let has_elements = element.elements().next().is_some();
    if !has_elements && words.is_empty() {
        text.push_str("/>");
        return Ok(());
    }
    text.push('>');
    if has_elements && words.trim().is_empty() {
        let inner = format!("{indent}  ");
        for child in element.elements() {
            text.push_str(&format!("{line_break}{inner}"));
            write(child, &inner, line_break, text)?;
        }
        text.push_str(&format!("{line_break}{indent}"));
    } else {
        // Beside text every blank counts.
        for child in &element.children {
            match child {
                Child::Text { text: words, .. } => text.push_str(&escape::fresh(words)),
                Child::Element(child) => write(child, indent, line_break, text)?,
            }
        }
    }
    text.push_str(&format!("</{tag}>"));
    Ok(())
}

pub(super) fn check_label(name: &str) -> Result<(), EditError> {
    if is_xml_name(name) {
        Ok(())
    } else {
        Err(EditError::BadLabel {
            name: name.to_owned(),
        })
    }
}
