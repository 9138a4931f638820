//! Reading a `<transfer>`.

use std::path::PathBuf;

use akkaflow_connectors::FileFormat;
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::expressions::Rules;
use super::limit::Limit;
use super::mapping::Match;
use super::mode::Mode;
use super::place::Place;
use super::watermark::{self, Increment};
use super::{Way, address, format, rejects, split};
use crate::script::Script;

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A table or a query.
    Database {
        link: String,
        text: String,
        increment: Option<Increment>,
        rules: Rules,
        split: Option<split::Wish>,
    },
    /// A file of rows.
    File {
        place: Place,
        format: FileFormat,
        rules: Rules,
    },
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
        rejects: Option<rejects::Wish>,
        tasks: usize,
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
    let rules = Rules::parse(element, diagnostics);
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
                rules: rules?,
                split: split(element, diagnostics)?,
            }
        }
        End::File => {
            warn_useless(
                element,
                &["db-link", "watermark", "since", "split-by", "task-num"],
                &of_type(element, "FILE"),
                diagnostics,
            );
            let is_right = address::check(element, &text, format::End::Source, diagnostics);
            Source::File {
                place: Place::of_source(element, diagnostics),
                format: format::parse(element, &text, format::End::Source, diagnostics)?,
                rules: rules.filter(|_| is_right)?,
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
            let rejects = rejects(element, diagnostics);
            let has_key = mode
                .as_ref()
                .is_some_and(|mode| mode.wanted_key().is_some());
            if has_key && matches!(rejects, Some(Some(_))) {
                no_rejects_by_key(element, diagnostics);
                return None;
            }
            Some(Target::Database {
                link: link?,
                table: table?,
                columns: columns(element),
                guard: is_true(element, "guard") || mode.as_ref().is_some_and(Mode::is_incremental),
                mode: mode?,
                commands,
                rejects: rejects?,
                tasks: tasks(element).unwrap_or(1),
            })
        }
        End::File => {
            let useless = ["db-link", "table", "columns", "is-pre-truncate"];
            warn_useless(element, &useless, &of_type(element, "FILE"), diagnostics);
            let is_right = refuse_of_tables(element, diagnostics);
            let path = needed(element, "path", "FILE", diagnostics);
            let shown = path.clone().unwrap_or_default();
            let format = format::parse(element, &shown, format::End::Target, diagnostics);
            let is_right =
                address::check(element, &shown, format::End::Target, diagnostics) && is_right;
            let place = path.and_then(|path| Place::of_target(element, path, diagnostics));
            Some(Target::File {
                place: place.filter(|_| is_right)?,
                format: format?,
                is_pre_del: is_true(element, "is-pre-del"),
                commands,
            })
        }
    }
}

/// What becomes of rows in tables alone: nobody may think that it happens to a file. Whether there is none of it.
fn refuse_of_tables(element: &Element, diagnostics: &mut Diagnostics) -> bool {
    const OF_TABLES: &[&str] = &["mode", "key", "guard", "reject-limit", "rejects"];
    let is_meant = |value: &str| !value.is_empty() && !value.eq_ignore_ascii_case("false");
    let mut is_right = true;
    for attribute in &element.attributes {
        let name = attribute.name.as_str();
        if !OF_TABLES.contains(&name) || !is_meant(attribute.value.trim()) {
            continue;
        }
        is_right = false;
        diagnostics.error(
            code::TRANSFER_OPTION,
            attribute.name_span,
            Text::new(
                format!("`{name}` 只用于表：类型为FILE的 <target> 总是整个替换文件，没有被拒绝的记录"),
                format!(
                    "`{name}` is for tables: a <target> of type FILE always replaces the whole file, and no row of it is rejected"
                ),
            ),
            Text::new(
                format!("请删除 {name}，或写入表：type=\"DB\""),
                format!("remove {name}, or write into a table: type=\"DB\""),
            ),
        );
    }
    is_right
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

/// Rows that take the place of others go in all at once.
fn no_rejects_by_key(element: &Element, diagnostics: &mut Diagnostics) {
    let limit = element.attribute("reject-limit");
    diagnostics.error(
        code::TRANSFER_OPTION,
        limit.map_or(element.name_span, |limit| limit.name_span),
        Text::new(
            "`reject-limit` 不能用于按键更新记录的传输",
            "`reject-limit` does not go together with updating rows by their key",
        ),
        Text::new(
            "请删除reject-limit与rejects，或先写入另一张表",
            "remove reject-limit and rejects, or write into another table first",
        ),
    );
}

/// Connections that are used when only the column is said.
const USUAL_TASKS: usize = 4;

fn tasks(element: &Element) -> Option<usize> {
    element.attribute("task-num")?.value.trim().parse().ok()
}

/// How a query is read in parts. `None` when something is missing, which has been said then.
fn split(element: &Element, diagnostics: &mut Diagnostics) -> Option<Option<split::Wish>> {
    let column = element.attribute("split-by").map(|it| it.value.trim());
    let Some(column) = column.filter(|column| !column.is_empty()) else {
        let Some(tasks) = element.attribute("task-num") else {
            return Some(None);
        };
        diagnostics.error(
            code::BODY_ATTRIBUTE,
            tasks.name_span,
            Text::new(
                "<source> 的 `task-num` 需要属性 `split-by`：按哪个字段分段",
                "`task-num` of <source> needs `split-by`: the column by which it is read in parts",
            ),
            Text::new("例如 split-by=\"id\"", "for example split-by=\"id\""),
        );
        return None;
    };
    Some(Some(split::Wish {
        column: column.to_owned(),
        tasks: tasks(element).unwrap_or(USUAL_TASKS),
    }))
}

/// What becomes of bad rows: both attributes, or none. `None` when one is wrong, which has been said then.
fn rejects(element: &Element, diagnostics: &mut Diagnostics) -> Option<Option<rejects::Wish>> {
    let value = |name| {
        let attribute = element.attribute(name);
        attribute.filter(|attribute| !attribute.value.trim().is_empty())
    };
    let (limit, path) = match (value("reject-limit"), value("rejects")) {
        (None, None) => return Some(None),
        (Some(limit), Some(path)) => (limit, path),
        (Some(limit), None) => {
            diagnostics.error(
                code::BODY_ATTRIBUTE,
                limit.name_span,
                Text::new(
                    "`reject-limit` 需要属性 `rejects`：被拒绝的记录写入哪个文件",
                    "`reject-limit` needs `rejects`: the file that the rejected rows go to",
                ),
                Text::new(
                    "例如 rejects=\"rejects/orders.csv\"",
                    "for example rejects=\"rejects/orders.csv\"",
                ),
            );
            return None;
        }
        (None, Some(path)) => {
            diagnostics.error(
                code::BODY_ATTRIBUTE,
                path.name_span,
                Text::new(
                    "`rejects` 需要属性 `reject-limit`：最多可拒绝多少条记录",
                    "`rejects` needs `reject-limit`: how many rows may be rejected",
                ),
                Text::new(
                    "例如 reject-limit=\"100\" 或 reject-limit=\"1%\"",
                    "for example reject-limit=\"100\" or reject-limit=\"1%\"",
                ),
            );
            return None;
        }
    };
    // What a reference brings is known only when it runs.
    let parsed = match limit.value.contains("${") {
        true => Some(Limit::Rows(0)),
        false => Limit::parse(&limit.value),
    };
    let Some(parsed) = parsed else {
        diagnostics.error(
            code::TRANSFER_OPTION,
            limit.value_span,
            Text::new(
                "`reject-limit` 须为一个整数，或不超过100%、小数不超过4位的百分数",
                "`reject-limit` is a whole number, or a share of at most 100% with at most four digits behind the point",
            ),
            Text::new("例如 100 或 0.5%", "examples are 100 and 0.5%"),
        );
        return None;
    };
    Some(Some(rejects::Wish {
        path: PathBuf::from(path.value.trim()),
        limit: parsed,
    }))
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
