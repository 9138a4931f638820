//! Reading by which column, and from where on, the rows of a source are new.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::mode::Mode;

/// By which column of a source, and from where on, its rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Increment {
    pub(super) watermark: String,
    /// Exclusive; empty is the beginning.
    pub(super) since: String,
}

/// Whether the rows that are new are asked for.
pub(super) fn is_incremental(element: &Element) -> bool {
    let target = element.elements_named("target").next();
    target.is_some_and(|target| Mode::word(target) == Some("incremental"))
}

/// The mode stands at the target, and what it needs at the source. Whether they agree; else it has been said.
pub(super) fn check(element: &Element, diagnostics: &mut Diagnostics) -> bool {
    let (Some(source), Some(target)) = (
        element.elements_named("source").next(),
        element.elements_named("target").next(),
    ) else {
        return true;
    };
    let kind = source
        .attribute("type")
        .map(|kind| kind.value.trim().to_ascii_uppercase());
    let is_database = kind.as_deref() == Some("DB");
    let named = |name| source.attribute(name).filter(|_| is_database);
    let (watermark, since) = (named("watermark"), named("since"));
    let needed = match is_incremental(element) {
        true => watermark,
        false => watermark.or(since),
    };
    let (span, words, help) = match (is_incremental(element), needed) {
        (true, None) => (
            target.attribute("mode").map(|mode| mode.value_span),
            Text::new(
                "mode=\"incremental\" 需要 <source type=\"DB\"> 的属性 `watermark`",
                "mode=\"incremental\" needs `watermark` at a <source type=\"DB\">",
            ),
            Text::new(
                "请写明只增不减的字段，例如 <source type=\"DB\" watermark=\"updated_at\" since=\"${state:seen}\">",
                "name a column that only grows: <source type=\"DB\" watermark=\"updated_at\" since=\"${state:seen}\">",
            ),
        ),
        (false, Some(needless)) => (
            Some(needless.name_span),
            Text::new(
                "只有 mode=\"incremental\" 才按watermark读取",
                "a watermark is read by mode=\"incremental\" alone",
            ),
            Text::new(
                "请在 <target> 写 mode=\"incremental\"，或删除 watermark 与 since",
                "write mode=\"incremental\" at <target>, or remove watermark and since",
            ),
        ),
        _ => return true,
    };
    let span = span.unwrap_or(element.name_span);
    diagnostics.error(code::TRANSFER_OPTION, span, words, Some(help));
    false
}

/// `None` where the source does not say.
pub(super) fn parse(element: &Element) -> Option<Increment> {
    let value = |name| element.attribute(name).map(|it| it.value.trim().to_owned());
    Some(Increment {
        watermark: value("watermark")?,
        since: value("since").unwrap_or_default(),
    })
}
