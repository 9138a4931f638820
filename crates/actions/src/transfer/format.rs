//! Reading how the rows of a file stand in it.

use akkaflow_connectors::{
    Compression, Csv, Delimiter, Encoding, FileFormat, Format, FormatError, Layout, Sheet,
    SheetFormat,
};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::body::{is_true, warn_useless};

/// The attributes that say so.
pub(super) const ATTRIBUTES: &[&str] = &[
    "format",
    "sheet",
    "delimited",
    "header",
    "quote",
    "escape",
    "null-text",
    "encoding",
    "compression",
];

/// Those that mean nothing for delimited text, for JSON lines, sheets and Parquet.
const OF_CSV: &[&str] = &["quote", "escape", "null-text"];
const OF_FIELDS: &[&str] = &["delimited", "header", "quote", "escape", "null-text"];
const OF_TEXT: &[&str] = &["delimited", "quote", "escape", "null-text", "encoding"];

/// An end of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Target,
}

/// How the file at `path` is kept; `None` when an attribute is wrong, which has been said then.
pub(super) fn parse(
    element: &Element,
    path: &str,
    end: End,
    diagnostics: &mut Diagnostics,
) -> Option<FileFormat> {
    let format = value(element, "format").unwrap_or_default().trim();
    let whom = of_format(format);
    if format != "xlsx" {
        warn_useless(element, &["sheet"], &of_format_or_text(format), diagnostics);
    }
    match format {
        "xlsx" if end == End::Source => {
            warn_useless(element, OF_TEXT, &whom, diagnostics);
            warn_useless(element, &["compression"], &whom, diagnostics);
            let sheet = value(element, "sheet").map(str::trim).unwrap_or_default();
            Some(FileFormat::Xlsx(SheetFormat {
                sheet: match sheet {
                    "" => Sheet::First,
                    name => Sheet::Called(name.to_owned()),
                },
                has_header: has_header(element, true),
            }))
        }
        // It is no format of a target, which the shape says.
        "xlsx" => None,
        "parquet" => {
            warn_useless(element, OF_TEXT, &whom, diagnostics);
            warn_useless(element, &["header"], &whom, diagnostics);
            if end == End::Source {
                let reading = Text::new("读取 parquet ", "reading the format parquet");
                warn_useless(element, &["compression"], &reading, diagnostics);
            }
            Some(FileFormat::Parquet(compression(element)))
        }
        _ => {
            advise(element, path, format, end, diagnostics);
            text(element, format, diagnostics).map(FileFormat::Text)
        }
    }
}

fn text(element: &Element, format: &str, diagnostics: &mut Diagnostics) -> Option<Format> {
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
        compression: compression(element),
        has_header: has_header(element, format == "csv"),
    })
}

fn compression(element: &Element) -> Compression {
    match value(element, "compression").map(str::trim) {
        Some("none") => Compression::None,
        Some("gzip") => Compression::Gzip,
        Some("zstd") => Compression::Zstd,
        _ => Compression::Auto,
    }
}

fn has_header(element: &Element, usual: bool) -> bool {
    match value(element, "header") {
        Some(header) if !header.trim().is_empty() => is_true(element, "header"),
        _ => usual,
    }
}

/// The end of a name may say more than the attributes do.
fn advise(element: &Element, path: &str, format: &str, end: End, diagnostics: &mut Diagnostics) {
    let path = path.to_lowercase();
    let Some(meant) = ["xlsx", "parquet"]
        .into_iter()
        .find(|ending| path.ends_with(&format!(".{ending}")))
    else {
        return;
    };
    let read = if format.is_empty() { "text" } else { format };
    let span = element
        .attribute("format")
        .or_else(|| element.attribute("path"))
        .map_or(element.name_span, |attribute| attribute.value_span);
    diagnostics.warning(
        code::TRANSFER_OPTION,
        span,
        Text::new(
            format!("文件名以.{meant}结尾，但格式为{read}"),
            format!("the file's name ends in .{meant}, but its format is {read}"),
        ),
        match (meant, end) {
            ("xlsx", End::Target) => Text::new(
                "xlsx只能读取，不能写入；请让文件名以.csv结尾（Excel可打开）或.parquet结尾，并写明相应的format",
                "xlsx can be read, not written: let the name end in .csv, which Excel opens, or .parquet, and say so in format",
            ),
            _ => Text::new(
                format!("请写 format=\"{meant}\""),
                format!("write format=\"{meant}\""),
            ),
        },
    );
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

fn of_format_or_text(format: &str) -> Text {
    of_format(if format.is_empty() { "text" } else { format })
}

fn of_format(format: &str) -> Text {
    Text::new(format!(" {format} 格式"), format!("the format {format}"))
}
