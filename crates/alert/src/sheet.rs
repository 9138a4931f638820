//! What stands in a mail, apart from how it looks: written once, shown as HTML and as plain text.

use akkaflow_model::element::{Child, Element};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a word is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    Doubtful,
    Info,
}

impl Tone {
    fn colour(self) -> &'static str {
        match self {
            Self::Plain => "#1f2328",
            Self::Good => "#1a7f37",
            Self::Bad => "#cf222e",
            Self::Doubtful => "#9a6700",
            Self::Info => "#0969da",
        }
    }
}

/// A word or a sentence.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// Control characters mean nothing to mail programs, and something to terminals.
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        let is_shown = |it: &char| !it.is_control() || matches!(it, '\n' | '\t');
        let text = text.into().chars().filter(is_shown).collect();
        Self { text, tone }
    }
}

/// One part of a mail.
#[derive(Debug)]
pub(crate) enum Part {
    /// Begins a section.
    Heading(&'static str),
    /// Name and value, a line each.
    Facts(Vec<(&'static str, Cell)>),
    /// Columns with their names, then rows.
    Table(Vec<&'static str>, Vec<Vec<Cell>>),
    /// Lines of a log.
    Lines(Vec<Cell>),
    /// A remark.
    Note(String),
    /// What somebody else wrote in HTML.
    Content(Vec<Element>),
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) title: Cell,
    pub(crate) parts: Vec<Part>,
}

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif";
const CELL: &str = "padding:6px 12px 6px 0;border-bottom:1px solid #eaeef2;text-align:left;vertical-align:top;font-size:13px;line-height:1.5";

/// Stands in place of a secret.
pub(crate) const HIDDEN: &str = "***";

impl Sheet {
    /// Takes secrets out of everything but what somebody wrote as a mail.
    pub(crate) fn hide(&mut self, secrets: &[&str]) {
        let hide = |cell: &mut Cell| {
            for secret in secrets {
                if cell.text.contains(secret) {
                    cell.text = cell.text.replace(secret, HIDDEN);
                }
            }
        };
        for part in &mut self.parts {
            match part {
                Part::Facts(facts) => facts.iter_mut().for_each(|(_, cell)| hide(cell)),
                Part::Table(_, rows) => rows.iter_mut().flatten().for_each(hide),
                Part::Lines(lines) => lines.iter_mut().for_each(hide),
                Part::Heading(_) | Part::Note(_) | Part::Content(_) => {}
            }
        }
    }

    /// As mail programs show it: styles stand in the elements, for many programs know nothing else.
    pub(crate) fn html(&self, lang: &str) -> String {
        let colour = self.title.tone.colour();
        let page = html! {
            (DOCTYPE)
            html lang=(lang) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (self.title.text) }
                }
                body style=(format!("margin:0;padding:24px 12px;background:#f6f8fa;{FONT};color:#1f2328")) {
                    div style=(format!("max-width:820px;margin:0 auto;background:#fff;border:1px solid #d1d9e0;border-top:4px solid {colour};border-radius:6px;padding:8px 28px 24px")) {
                        h1 style=(format!("font-size:19px;line-height:1.4;margin:18px 0 6px;color:{colour};overflow-wrap:anywhere")) { (self.title.text) }
                        @for part in &self.parts { (part_html(part)) }
                    }
                }
            }
        };
        page.into_string()
    }

    /// For those who read no HTML.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", one_line(&self.title.text));
        for part in &self.parts {
            part_text(part, &mut text);
        }
        text
    }
}

fn part_html(part: &Part) -> Markup {
    match part {
        Part::Heading(words) => html! {
            h2 style="font-size:15px;margin:26px 0 8px;padding-bottom:6px;border-bottom:2px solid #d1d9e0" { (words) }
        },
        Part::Facts(facts) => html! {
            table style="border-collapse:collapse;width:100%" {
                @for (name, value) in facts {
                    tr {
                        td style=(format!("{CELL};color:#59636e;white-space:nowrap;width:1%;padding-right:24px")) { (name) }
                        td style=(format!("{CELL};overflow-wrap:anywhere;white-space:pre-wrap;color:{}", value.tone.colour())) { (value.text) }
                    }
                }
            }
        },
        Part::Table(columns, rows) => html! {
            table style="border-collapse:collapse;width:100%" {
                tr { @for name in columns { th style=(format!("{CELL};color:#59636e;font-weight:600;white-space:nowrap")) { (name) } } }
                @for row in rows {
                    tr {
                        @for cell in row {
                            td style=(format!("{CELL};overflow-wrap:anywhere;color:{}", cell.tone.colour())) { (cell.text) }
                        }
                    }
                }
            }
        },
        Part::Lines(lines) => html! {
            pre style="margin:0;padding:12px;background:#f6f8fa;border-radius:6px;font:12px/1.6 ui-monospace,Menlo,Consolas,'Noto Sans Mono CJK SC',monospace;white-space:pre-wrap;overflow-wrap:anywhere" {
                @for line in lines { span style=(format!("color:{}", line.tone.colour())) { (line.text) } "\n" }
            }
        },
        Part::Note(words) => html! {
            p style="font-size:13px;color:#59636e;margin:8px 0" { (words) }
        },
        Part::Content(elements) => html! {
            div style="font-size:14px;line-height:1.6;overflow-wrap:anywhere" { @for element in elements { (element_html(element)) } }
        },
    }
}

fn part_text(part: &Part, text: &mut String) {
    let mut line = |words: &str| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    match part {
        Part::Heading(words) => line(&format!("\n== {words}")),
        Part::Facts(facts) => {
            for (name, value) in facts {
                line(&format!("{name}: {}", one_line(&value.text)));
            }
        }
        Part::Table(columns, rows) => {
            line(&columns.join(" | "));
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| one_line(&cell.text)).collect();
                line(&cells.join(" | "));
            }
        }
        Part::Lines(lines) => lines.iter().for_each(|it| line(&it.text)),
        Part::Note(words) => line(words),
        Part::Content(elements) => {
            let mut words = String::new();
            elements.iter().for_each(|it| element_text(it, &mut words));
            let lines = words.lines().map(str::trim).filter(|it| !it.is_empty());
            lines.for_each(line);
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Elements without an end.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];
/// What mail programs do not run, and a page that shows the mail shall not.
const LEFT_OUT: &[&str] = &[
    "script", "iframe", "object", "embed", "base", "form", "meta", "link",
];
/// Elements of a page that is one already.
const TRANSPARENT: &[&str] = &["html", "body"];
/// After these plain text begins a new line.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "pre",
    "blockquote",
    "section",
    "dl",
    "dt",
    "dd",
    "header",
    "footer",
    "article",
    "main",
    "center",
];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}

fn element_html(element: &Element) -> Markup {
    let name = element.name.as_str();
    if is_one_of(name, LEFT_OUT) {
        return html! {};
    }
    let inner = html! {
        @for child in &element.children {
            @match child {
                Child::Text { text, .. } => (text.as_str()),
                Child::Element(inner) => (element_html(inner)),
            }
        }
    };
    if is_one_of(name, TRANSPARENT) || !is_plain_name(name) {
        return inner;
    }
    let mut tag = format!("<{name}");
    for attribute in &element.attributes {
        if is_plain_name(&attribute.name) && is_harmless(&attribute.name, &attribute.value) {
            let value = html! { (attribute.value.as_str()) }.into_string();
            tag.push_str(&format!(" {}=\"{value}\"", attribute.name));
        }
    }
    tag.push('>');
    if is_one_of(name, VOID) {
        return PreEscaped(tag);
    }
    html! { (PreEscaped(tag)) (inner) (PreEscaped(format!("</{name}>"))) }
}

fn is_plain_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|it| it.is_ascii_alphabetic())
        && letters.all(|it| it.is_ascii_alphanumeric() || it == '-')
}

/// Neither runs anything nor fetches it under another name.
fn is_harmless(name: &str, value: &str) -> bool {
    let is_handler = name.len() > 2 && name[..2].eq_ignore_ascii_case("on");
    let word: String = value
        .chars()
        .filter(|it| !it.is_whitespace() && !it.is_control())
        .take(11)
        .collect();
    !is_handler && !word.eq_ignore_ascii_case("javascript:")
}

fn element_text(element: &Element, words: &mut String) {
    let name = element.name.as_str();
    if is_one_of(name, LEFT_OUT) || is_one_of(name, &["style", "head"]) {
        return;
    }
    let is_block = is_one_of(name, BLOCKS);
    if is_block && !words.is_empty() && !words.ends_with('\n') {
        words.push('\n');
    }
    if name.eq_ignore_ascii_case("li") {
        words.push_str("- ");
    }
    for child in &element.children {
        match child {
            Child::Text { text, .. } if name.eq_ignore_ascii_case("pre") => words.push_str(text),
            Child::Text { text, .. } => {
                let is_apart = text.starts_with(char::is_whitespace);
                if is_apart && !words.is_empty() && !words.ends_with(['\n', ' ']) {
                    words.push(' ');
                }
                words.push_str(&one_line(text));
                if text.ends_with(char::is_whitespace) && !words.ends_with([' ', '\n']) {
                    words.push(' ');
                }
            }
            Child::Element(inner) => element_text(inner, words),
        }
    }
    let link = element.attribute("href");
    if let Some(link) = link.filter(|link| is_harmless("href", &link.value))
        && name.eq_ignore_ascii_case("a")
    {
        words.push_str(&format!(" ({})", link.value));
    }
    if is_one_of(name, &["td", "th"]) {
        words.push_str(" | ");
    } else if is_block {
        words.push('\n');
    }
}
