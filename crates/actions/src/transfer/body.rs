//! Reading a `<transfer>`.

use akkaflow_connectors::FileFormat;
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::mapping::Match;
use super::mode::Mode;
use super::place::Place;
use super::watermark::{self, Increment};
use super::{Way, format};
use crate::script::Script;

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A table or a query.
    Database {
        link: String,
        text: String,
        increment: Option<Increment>,
    },
    /// A file of rows.
    File { place: Place, format: FileFormat },
}

impl Source {
    /// By which column only what is new is read.
    pub(super) fn increment(&self) -> Option<&Increment> {
        match self {
            Self::Database { increment, .. } => increment.as_ref(),
            Self::File { .. } => None,
        }
    }
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A table.
    Database {
        link: String,
        table: String,
        columns: Option<Match>,
        mode: Mode,
        /// Whether the target's database remembers that the rows are there.
        guard: bool,
        commands: Commands,
    },
    /// A file of rows.
    File {
        place: Place,
        format: FileFormat,
        is_pre_del: bool,
        commands: Commands,
    },
}

/// What runs before and after the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commands {
    pub(super) pre: Option<String>,
    pub(super) after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Database,
    File,
}

pub(super) fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Way> {
    let child = |name| element.elements_named(name).next();
    match (child("script"), child("source"), child("target")) {
        (Some(script), None, None) => parse_script(script, diagnostics).map(Way::Script),
        (None, Some(source), Some(target)) => {
            let source = parse_source(source, diagnostics);
            let parsed = parse_target(target, diagnostics);
            let is_right = watermark::check(element, diagnostics);
            Some(Way::Rows(Box::new((source?, parsed?)))).filter(|_| is_right)
        }
        _ => {
            diagnostics.error(
                code::TRANSFER_PARTS,
                element.name_span,
                Text::new(
                    "<transfer> 需要单独的<script>，或一个<source>与一个<target>",
                    "<transfer> needs a <script> alone, or one <source> and one <target>",
                ),
                None,
            );
            None
        }
    }
}

/// The code stands in a `<code>` as in `<script>`, or in the element itself.
fn parse_script(element: &Element, diagnostics: &mut Diagnostics) -> Option<Script> {
    let script = match element.elements_named("code").next() {
        Some(inner) => inner.text(),
        None => element.text(),
    };
    if !script.trim().is_empty() {
        return Some(Script::inline(&script));
    }
    diagnostics.error(
        code::MISSING_TEXT,
        element.name_span,
        Text::new("<script> 不能为空", "<script> must not be empty"),
        None,
    );
    None
}

fn parse_source(element: &Element, diagnostics: &mut Diagnostics) -> Option<Source> {
    let end = end(element)?;
    let text = element.text().trim().to_owned();
    let source = match end {
        End::Database => {
            warn_useless(
                element,
                &["file-link"],
                &of_type(element, "DB"),
                diagnostics,
            );
            warn_useless(
                element,
                format::ATTRIBUTES,
                &of_type(element, "DB"),
                diagnostics,
            );
            Source::Database {
                link: needed(element, "db-link", "DB", diagnostics)?,
                text: text.clone(),
                increment: watermark::parse(element),
            }
        }
        End::File => {
            warn_useless(
                element,
                &["db-link", "watermark", "since"],
                &of_type(element, "FILE"),
                diagnostics,
            );
            Source::File {
                place: Place::of_source(element, diagnostics),
                format: format::parse(element, &text, format::End::Source, diagnostics)?,
            }
        }
    };
    Some(source).filter(|_| !text.is_empty())
}

fn parse_target(element: &Element, diagnostics: &mut Diagnostics) -> Option<Target> {
    let command = |name| {
        element
            .elements_named(name)
            .next()
            .map(Element::text)
            .filter(|text| !text.trim().is_empty())
    };
    let commands = Commands {
        pre: command("pre"),
        after: command("after"),
    };
    match end(element)? {
        End::Database => {
            let useless = ["file-link", "path", "is-pre-del"];
            warn_useless(element, &useless, &of_type(element, "DB"), diagnostics);
            warn_useless(
                element,
                format::ATTRIBUTES,
                &of_type(element, "DB"),
                diagnostics,
            );
            let link = needed(element, "db-link", "DB", diagnostics);
            let table = needed(element, "table", "DB", diagnostics);
            let mode = Mode::parse(element, diagnostics);
            Some(Target::Database {
                link: link?,
                table: table?,
                columns: columns(element),
                guard: is_true(element, "guard") || mode.as_ref().is_some_and(Mode::is_incremental),
                mode: mode?,
                commands,
            })
        }
        End::File => {
            let useless = [
                "db-link",
                "table",
                "columns",
                "is-pre-truncate",
                "mode",
                "key",
                "guard",
            ];
            warn_useless(element, &useless, &of_type(element, "FILE"), diagnostics);
            let path = needed(element, "path", "FILE", diagnostics);
            let shown = path.clone().unwrap_or_default();
            let format = format::parse(element, &shown, format::End::Target, diagnostics);
            let place = path.and_then(|path| Place::of_target(element, path, diagnostics));
            Some(Target::File {
                place: place?,
                format: format?,
                is_pre_del: is_true(element, "is-pre-del"),
                commands,
            })
        }
    }
}

/// `None` for a type that the shape has already complained of.
fn end(element: &Element) -> Option<End> {
    let word = element.attribute("type")?.value.trim().to_ascii_uppercase();
    match word.as_str() {
        "DB" => Some(End::Database),
        "FILE" => Some(End::File),
        _ => None,
    }
}

fn columns(element: &Element) -> Option<Match> {
    match element.attribute("columns")?.value.trim() {
        "position" => Some(Match::Position),
        "name" => Some(Match::Name),
        _ => None,
    }
}

pub(super) fn is_true(element: &Element, name: &str) -> bool {
    element
        .attribute(name)
        .is_some_and(|attribute| attribute.value.trim().eq_ignore_ascii_case("true"))
}

fn needed(
    element: &Element,
    name: &str,
    end: &str,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let attribute = element.attribute(name);
    let value = attribute.map(|attribute| attribute.value.trim());
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        return Some(value.to_owned());
    }
    let tag = &element.name;
    diagnostics.error(
        code::BODY_ATTRIBUTE,
        attribute.map_or(element.name_span, |attribute| attribute.name_span),
        Text::new(
            format!("类型为{end}的 <{tag}> 需要属性 `{name}`"),
            format!("<{tag}> of type {end} needs the attribute `{name}`"),
        ),
        None,
    );
    None
}

/// Warns of attributes that mean nothing for `whom`.
pub(super) fn warn_useless(
    element: &Element,
    names: &[&str],
    whom: &Text,
    diagnostics: &mut Diagnostics,
) {
    for attribute in &element.attributes {
        let name = attribute.name.as_str();
        if names.contains(&name) {
            diagnostics.warning(
                code::USELESS_ATTRIBUTE,
                attribute.name_span,
                Text::new(
                    format!("属性 `{name}` 对{}无作用", whom.zh),
                    format!("`{name}` means nothing for {}", whom.en),
                ),
                None,
            );
        }
    }
}

/// An end of this type, as sentences call it.
fn of_type(element: &Element, end: &str) -> Text {
    let tag = &element.name;
    Text::new(
        format!("类型为{end}的 <{tag}> "),
        format!("<{tag}> of type {end}"),
    )
}
