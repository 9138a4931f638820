//! Reading how the rows of a file stand in it.

use akkaflow_connectors::{Compression, Csv, Delimiter, Encoding, Format, FormatError, Layout};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::body::{is_true, warn_useless};

/// The attributes that say so.
pub(super) const ATTRIBUTES: &[&str] = &[
    "format",
    "delimited",
    "header",
    "quote",
    "escape",
    "null-text",
    "encoding",
    "compression",
];

/// Those that mean nothing for delimited text, and for JSON lines.
const OF_CSV: &[&str] = &["quote", "escape", "null-text"];
const OF_FIELDS: &[&str] = &["delimited", "header", "quote", "escape", "null-text"];

/// `None` when an attribute is wrong, which has been said then.
pub(super) fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Format> {
    let format = value(element, "format").unwrap_or_default().trim();
    let layout = match format {
        "csv" => Layout::Csv(csv(element, diagnostics)?),
        "jsonl" => {
            warn_useless(element, OF_FIELDS, &of_format(format), diagnostics);
            Layout::JsonLines
        }
        _ => {
            warn_useless(element, OF_CSV, &of_format("text"), diagnostics);
            Layout::Text(delimiter(element, "\\t", diagnostics)?)
        }
    };
    let encoding = match value(element, "encoding") {
        Some(name) if !name.trim().is_empty() => {
            let encoding = Encoding::parse(name.trim());
            accept(element, "encoding", encoding, diagnostics)?
        }
        _ => Encoding::UTF_8,
    };
    Some(Format {
        layout,
        encoding,
        compression: match value(element, "compression").map(str::trim) {
            Some("none") => Compression::None,
            Some("gzip") => Compression::Gzip,
            Some("zstd") => Compression::Zstd,
            _ => Compression::Auto,
        },
        has_header: match value(element, "header") {
            Some(header) if !header.trim().is_empty() => is_true(element, "header"),
            _ => format == "csv",
        },
    })
}

fn csv(element: &Element, diagnostics: &mut Diagnostics) -> Option<Csv> {
    let delimiter = delimiter(element, ",", diagnostics);
    let mut sign = |name, default| match value(element, name) {
        Some(text) => accept(element, name, Csv::sign(text), diagnostics),
        None => Some(default),
    };
    let quote = sign("quote", b'"');
    let escape = sign("escape", quote.unwrap_or(b'"'));
    let csv = Csv::new(delimiter?, quote?, escape?);
    let csv = accept(element, "delimited", csv, diagnostics)?;
    match value(element, "null-text") {
        Some(text) => accept(element, "null-text", csv.with_null_text(text), diagnostics),
        None => Some(csv),
    }
}

fn delimiter(element: &Element, default: &str, diagnostics: &mut Diagnostics) -> Option<Delimiter> {
    let text = value(element, "delimited").unwrap_or(default);
    accept(element, "delimited", Delimiter::parse(text), diagnostics)
}

fn value<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element
        .attribute(name)
        .map(|attribute| attribute.value.as_str())
}

/// Says of the attribute called `name` what is wrong with it.
fn accept<T>(
    element: &Element,
    name: &str,
    result: Result<T, FormatError>,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    result
        .map_err(|FormatError(text)| {
            let attribute = element.attribute(name);
            let (code, help) = match name {
                "delimited" => (code::BAD_DELIMITER, None),
                _ => (code::TRANSFER_OPTION, Some(help(name))),
            };
            diagnostics.error(
                code,
                attribute.map_or(element.name_span, |attribute| attribute.value_span),
                Text::new(
                    format!("属性 `{name}` 有误：{}", text.zh),
                    format!("`{name}` cannot be used: {}", text.en),
                ),
                help,
            );
        })
        .ok()
}

fn help(name: &str) -> Text {
    match name {
        "encoding" => Text::new(
            "例如 UTF-8、GBK、GB18030、Big5、ISO-8859-1、UTF-16LE",
            "examples are UTF-8, GBK, GB18030, Big5, ISO-8859-1 and UTF-16LE",
        ),
        "null-text" => Text::new("例如 null-text=\"\\N\"", "an example is null-text=\"\\N\""),
        _ => Text::new("例如 ' 或 \\", "examples are ' and \\"),
    }
}

fn of_format(format: &str) -> Text {
    Text::new(format!(" {format} 格式"), format!("the format {format}"))
}
