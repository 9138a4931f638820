//! What people read: tables, times, durations, colours.

mod left_out;

use std::cell::{Cell as Changing, OnceCell};
use std::fmt;
use std::io::IsTerminal as _;
use std::rc::Rc;

use akkaflow_api::{Level, LogLine, Time};
use akkaflow_model::diagnostic::Finding;
use akkaflow_model::render::render_for;
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;
use chrono::Utc;
use chrono_tz::Tz;
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::layout;

/// Where and for whom is printed.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) lang: Lang,
    pub(crate) is_colored: bool,
    /// Columns that a line may take; `None` when piped: nothing is wrapped then.
    pub(crate) width: Option<u16>,
    /// Whether somebody looks at a terminal.
    is_terminal: bool,
    zone: Zone,
}

/// The zone of times. Asked for when the first time is printed: a command that prints none asks nobody.
#[derive(Clone)]
struct Zone {
    ask: Rc<dyn Fn() -> Tz>,
    known: Rc<OnceCell<Tz>>,
    /// Whether a time was printed whose zone people are to be told.
    is_to_be_named: Rc<Changing<bool>>,
}

impl Zone {
    fn new(ask: impl Fn() -> Tz + 'static) -> Self {
        Self {
            ask: Rc::new(ask),
            known: Rc::default(),
            is_to_be_named: Rc::default(),
        }
    }

    fn get(&self) -> Tz {
        *self.known.get_or_init(|| (self.ask)())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.fmt(f)
    }
}

/// The zone of this machine; UTC where it does not say.
pub(crate) fn machine_zone() -> Tz {
    let set = std::env::var("TZ").ok().filter(|zone| !zone.is_empty());
    let name = set.or_else(|| iana_time_zone::get_timezone().ok());
    name.and_then(|name| name.trim_start_matches(':').parse().ok())
        .unwrap_or(Tz::UTC)
}

/// The four colours that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Green,
    Red,
    Yellow,
    Blue,
}

impl Screen {
    /// Of standard output, with times of the zone that `zone` gives when it is first needed.
    pub(crate) fn of_terminal(lang: Lang, zone: impl Fn() -> Tz + 'static) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            lang,
            is_colored: is_terminal && !no_color,
            width: columns(
                std::env::var("COLUMNS").ok().as_deref(),
                is_terminal,
                || Table::new().width(),
            ),
            is_terminal,
            zone: Zone::new(zone),
        }
    }

    /// The same with times of a zone that the caller names itself.
    pub(crate) fn in_zone(&self, zone: Tz) -> Self {
        Self {
            zone: Zone::new(move || zone),
            ..self.clone()
        }
    }

    /// The zone of the times that are printed.
    pub(crate) fn zone(&self) -> Tz {
        self.zone.get()
    }

    /// A line that names the zone of the times above it; empty when there are none.
    pub(crate) fn zone_line(&self) -> String {
        if !self.zone.is_to_be_named.take() {
            return String::new();
        }
        let zone = self.zone();
        match self.lang {
            Lang::Zh => format!("时间均为{zone}时区\n"),
            Lang::En => format!("times are those of {zone}\n"),
        }
    }

    /// The sentence in the language of the user.
    pub(crate) fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Findings as people read them.
    pub(crate) fn findings(&self, findings: &[Finding]) -> String {
        let width = self.width.map(usize::from);
        render_for(findings, self.lang, self.is_colored, width)
    }

    /// Local time to the second.
    pub(crate) fn time(&self, time: Time) -> String {
        self.format(time, "%Y-%m-%d %H:%M:%S")
    }

    /// The same, and nothing when there is none.
    pub(crate) fn optional_time(&self, time: Option<Time>) -> String {
        time.map(|time| self.time(time)).unwrap_or_default()
    }

    /// Local time in this format.
    pub(crate) fn format(&self, time: Time, format: &str) -> String {
        self.zone.is_to_be_named.set(true);
        self.unnamed(time, format)
    }

    fn unnamed(&self, time: Time, format: &str) -> String {
        let local = time.0.to_utc().with_timezone(&self.zone());
        local.format(format).to_string()
    }

    /// From the start to the end, or to now; nothing before the start.
    pub(crate) fn duration(&self, started: Option<Time>, ended: Option<Time>) -> String {
        let Some(started) = started else {
            return String::new();
        };
        let ended = ended.unwrap_or_else(|| Time(Utc::now().into()));
        self.span(ended.0.since(started.0).as_secs())
    }

    /// So many seconds.
    pub(crate) fn span(&self, seconds: u64) -> String {
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match self.lang {
            Lang::Zh if hours > 0 => format!("{hours}时{minutes}分{seconds}秒"),
            Lang::Zh if minutes > 0 => format!("{minutes}分{seconds}秒"),
            Lang::Zh => format!("{seconds}秒"),
            Lang::En if hours > 0 => format!("{hours}h {minutes}m {seconds}s"),
            Lang::En if minutes > 0 => format!("{minutes}m {seconds}s"),
            Lang::En => format!("{seconds}s"),
        }
    }

    /// Seconds with milliseconds, for nodes.
    pub(crate) fn seconds(&self, started: Option<Time>, ended: Option<Time>) -> String {
        let (Some(started), Some(ended)) = (started, ended) else {
            return String::new();
        };
        let millis = ended.0.since(started.0).as_millis();
        format!("{}.{:03}", millis / 1000, millis % 1000)
    }

    /// akkaflow's word for the state of an instance.
    pub(crate) fn instance_state(&self, state: InstanceState) -> Cell {
        let label = match (state, self.lang) {
            (InstanceState::Killed, Lang::Zh) => "已杀死",
            _ => state.label(self.lang),
        };
        let paint = match state {
            InstanceState::Ready => None,
            InstanceState::Running => Some(Paint::Blue),
            InstanceState::Succeeded => Some(Paint::Green),
            InstanceState::Failed => Some(Paint::Red),
            InstanceState::Killed | InstanceState::Suspended => Some(Paint::Yellow),
        };
        self.cell(label, paint)
    }

    /// The word for the state of a node as the API gives it.
    pub(crate) fn node_state(&self, word: &str) -> Cell {
        let Some(state) = NodeState::from_word(word) else {
            let label = match word {
                "skipped" => self.say("未执行", "skipped"),
                other => other,
            };
            return self.cell(label, None);
        };
        let paint = match state {
            NodeState::Ready => None,
            NodeState::Running => Some(Paint::Blue),
            NodeState::Succeeded => Some(Paint::Green),
            NodeState::Failed => Some(Paint::Red),
            NodeState::Killed | NodeState::Suspended => Some(Paint::Yellow),
        };
        self.cell(state.label(self.lang), paint)
    }

    /// A cell in a colour, where colours are wanted.
    pub(crate) fn cell(&self, text: &str, paint: Option<Paint>) -> Cell {
        let cell = plain(text);
        match paint.filter(|_| self.is_colored) {
            None => cell,
            Some(Paint::Green) => cell.fg(Color::Green),
            Some(Paint::Red) => cell.fg(Color::Red),
            Some(Paint::Yellow) => cell.fg(Color::Yellow),
            Some(Paint::Blue) => cell.fg(Color::Blue),
        }
    }

    /// The text in a colour, where colours are wanted.
    pub(crate) fn paint(&self, text: &str, paint: Paint) -> String {
        if !self.is_colored {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Green => 32,
            Paint::Red => 31,
            Paint::Yellow => 33,
            Paint::Blue => 34,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A table. Where it is wider than the terminal its widest columns are wrapped.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<Cell>>) -> String {
        self.table_without(header, rows, &[])
    }

    /// The same; where not even its words fit, the columns of these titles are left out, the first one first. What is left out is
    /// named below.
    pub(crate) fn table_without(
        &self,
        header: &[&str],
        rows: Vec<Vec<Cell>>,
        dispensable: &[&str],
    ) -> String {
        let arranged = self.arranged(header, &rows, dispensable);
        let left_out = self.left_out(header, &rows, &arranged.0);
        self.arranged_table(header, rows, arranged) + &left_out
    }

    /// The same where the last column says why: its texts stand below the table when it has to leave, each under what
    /// these columns say of its row.
    pub(crate) fn table_with_remarks(
        &self,
        header: &[&str],
        rows: Vec<Vec<Cell>>,
        dispensable: &[&str],
        named_by: &[usize],
    ) -> String {
        let arranged = self.arranged(header, &rows, dispensable);
        let last = header.len() - 1;
        let remarks = match arranged.0.contains(&last) {
            true => String::new(),
            false => self.remarks(&rows, named_by),
        };
        let shown = [&arranged.0[..], &[last]].concat();
        let left_out = self.left_out(header, &rows, &shown);
        self.arranged_table(header, rows, arranged) + &left_out + &remarks
    }

    fn arranged_table(
        &self,
        header: &[&str],
        rows: Vec<Vec<Cell>>,
        (kept, widths): (Vec<usize>, Option<Vec<usize>>),
    ) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::ASCII_MARKDOWN)
            .set_header(kept.iter().map(|column| header[*column]));
        for row in rows {
            let cells = row.into_iter().enumerate();
            let cells = cells.filter(|(column, _)| kept.contains(column));
            table.add_row(cells.map(|(_, cell)| cell));
        }
        self.fit(&mut table);
        if let Some(widths) = widths {
            table.set_constraints(widths.into_iter().map(absolute));
        }
        ended(&table)
    }

    /// The columns that are shown and, where the terminal asks for it, their widths.
    fn arranged(
        &self,
        header: &[&str],
        rows: &[Vec<Cell>],
        dispensable: &[&str],
    ) -> (Vec<usize>, Option<Vec<usize>>) {
        let mut kept: Vec<usize> = (0..header.len()).collect();
        let Some(width) = self.width else {
            return (kept, None);
        };
        let natural = natural_widths(header, rows);
        let floors = unbroken_widths(header, rows);
        let whole = whole_widths(&natural, &floors, rows);
        let pick = |all: &[usize], kept: &[usize]| -> Vec<usize> {
            kept.iter().map(|column| all[*column]).collect()
        };
        let room = |kept: &[usize]| usize::from(width).saturating_sub(frame_width(kept.len()));
        let mut leaving = dispensable.iter();
        loop {
            let natural = pick(&natural, &kept);
            let floors = pick(&floors, &kept);
            let whole = pick(&whole, &kept);
            // Moments stay on one line while sentences can give way; a broken one takes no more than it must.
            let broken: Vec<usize> = (0..kept.len())
                .map(|column| {
                    if natural[column] == whole[column] {
                        floors[column].min(natural[column])
                    } else {
                        natural[column]
                    }
                })
                .collect();
            let arrangement = layout::fit(&natural, &whole, room(&kept))
                .or_else(|| layout::fit(&broken, &floors, room(&kept)));
            if let Some(widths) = arrangement {
                return (kept, Some(widths));
            }
            let Some(title) = leaving.next() else {
                // Words break then.
                const LEAST: usize = 4;
                let floors = vec![LEAST; kept.len()];
                let widths = layout::fit(&natural, &floors, room(&kept));
                return (kept, Some(widths.unwrap_or(floors)));
            };
            kept.retain(|column| header[*column] != *title);
        }
    }

    /// Whether a table fits without a wrapped line.
    pub(crate) fn has_room_for(&self, header: &[&str], rows: &[Vec<Cell>]) -> bool {
        let needed = natural_widths(header, rows).iter().sum::<usize>() + frame_width(header.len());
        self.width.is_none_or(|width| needed <= usize::from(width))
    }

    /// Labels and values, one pair a line.
    pub(crate) fn pairs(&self, pairs: Vec<(&str, Cell)>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        self.fit(&mut table);
        let colon = self.say("：", ":");
        let rows: Vec<Vec<Cell>> = pairs
            .into_iter()
            .map(|(label, value)| vec![Cell::new(format!("{label}{colon}")), value])
            .collect();
        if let Some(width) = self.width {
            let natural = natural_widths(&["", ""], &rows);
            let (labels, values) = (natural[0], natural[1]);
            let room = usize::from(width).saturating_sub(labels + 2 * PADDING);
            // A value that wraps in less is no longer readable.
            const LEAST: usize = 10;
            let value_width = values.min(room.max(LEAST));
            table.add_rows(rows);
            table.set_constraints([absolute(labels), absolute(value_width)]);
        } else {
            table.add_rows(rows);
        }
        ended(&table)
    }

    fn fit(&self, table: &mut Table) {
        match self.width {
            Some(width) => {
                table
                    .set_content_arrangement(ContentArrangement::Dynamic)
                    .set_width(width);
            }
            None => {
                table.force_no_tty();
            }
        }
        if self.is_colored {
            table.enforce_styling();
        }
    }

    /// A title above a table.
    pub(crate) fn title(&self, zh: &str, en: &str) -> String {
        format!("{}\n", self.paint(self.say(zh, en), Paint::Blue))
    }

    /// A line of a log: `[LEVEL] [time] [node]`, tab, text.
    ///
    /// Piped, nothing else shall stand among the lines of a log, not even the name of their zone.
    pub(crate) fn log_line(&self, line: &LogLine) -> String {
        const FORMAT: &str = "%Y-%m-%d %H:%M:%S%.3f";
        let time = match self.is_terminal {
            true => self.format(line.time, FORMAT),
            false => self.unnamed(line.time, FORMAT),
        };
        let paint = match line.level {
            Level::Info => Paint::Green,
            Level::Warn => Paint::Yellow,
            Level::Error => Paint::Red,
        };
        let level = self.paint(&format!("[{}]", line.level.as_str()), paint);
        let node = line.node.as_ref().map(|node| format!(" [{node}]"));
        let text = self.harmless(&line.text);
        format!("{level} [{time}]{}\t{text}\n", node.unwrap_or_default())
    }

    /// Output of scripts must not drive the terminal of whoever reads it.
    fn harmless(&self, text: &str) -> String {
        if !self.is_terminal {
            return text.to_owned();
        }
        text.chars()
            .map(|c| {
                if c.is_control() && c != '\t' {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect()
    }
}

/// Beyond this a word is a path or an address, which may break.
const LONGEST_WORD: usize = 15;
/// Wider texts are sentences, which want some more room than names and moments.
const SENTENCE: usize = 24;
/// Blanks around the text of a cell.
const PADDING: usize = 2;

/// What borders and blanks of so many columns take.
fn frame_width(columns: usize) -> usize {
    columns * (PADDING + 1) + 1
}

fn absolute(width: usize) -> ColumnConstraint {
    let width = u16::try_from(width + PADDING).unwrap_or(u16::MAX);
    ColumnConstraint::Absolute(Width::Fixed(width))
}

/// Columns that a line may take: what `COLUMNS` says, else what the terminal has, 80 when it does not know; without end
/// when nobody looks.
fn columns(
    asked: Option<&str>,
    is_terminal: bool,
    terminal: impl Fn() -> Option<u16>,
) -> Option<u16> {
    const USUAL: u16 = 80;
    // Nothing fits on less.
    const LEAST: u16 = 20;
    let asked = asked
        .and_then(|text| text.trim().parse().ok())
        .filter(|columns: &u16| *columns > 0);
    let known = asked.or_else(|| {
        let found = is_terminal.then(terminal)?;
        Some(found.filter(|columns| *columns > 0).unwrap_or(USUAL))
    });
    known.map(|columns| columns.max(LEAST))
}

/// What each column takes when nothing is wrapped.
fn natural_widths(header: &[&str], rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths: Vec<usize> = header.iter().map(|text| layout::width(text)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            let content = cell.content();
            let longest = content.lines().map(layout::width).max().unwrap_or(0);
            *width = (*width).max(longest);
        }
    }
    widths
}

/// Each column is at least as wide as its longest date or word of Latin letters: those read badly in two pieces.
fn unbroken_widths(header: &[&str], rows: &[Vec<Cell>]) -> Vec<usize> {
    // A title reads badly in pieces, whatever its letters.
    let title_width =
        |text: &&str| Some(layout::width(text)).filter(|width| *width <= LONGEST_WORD);
    let mut widths: Vec<usize> = header
        .iter()
        .map(|text| title_width(text).unwrap_or_else(|| unbroken_width(text)))
        .collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(unbroken_width(&cell.content()));
        }
    }
    widths
}

/// The same where columns of a few short words, such as moments, are not wrapped at all.
fn whole_widths(natural: &[usize], floors: &[usize], rows: &[Vec<Cell>]) -> Vec<usize> {
    let is_short = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(column));
        natural[column] <= SENTENCE
            && cells.all(|cell| {
                let content = cell.content();
                content.is_ascii()
                    && content
                        .split_whitespace()
                        .all(|word| word.len() <= floors[column])
            })
    };
    let of = |column| {
        if is_short(column) {
            natural[column]
        } else {
            floors[column]
        }
    };
    (0..natural.len()).map(of).collect()
}

fn unbroken_width(text: &str) -> usize {
    let words = text.split(|c: char| c.is_whitespace() || !c.is_ascii());
    let longest = words
        .map(str::len)
        .filter(|length| *length <= LONGEST_WORD)
        .max();
    // Text of wide characters breaks anywhere, but a column of single ones is no text.
    const LEAST: usize = 8;
    const LEAST_OF_SENTENCE: usize = 16;
    let is_sentence = text.lines().any(|line| layout::width(line) > SENTENCE);
    let least = if is_sentence {
        LEAST_OF_SENTENCE
    } else {
        LEAST
    };
    longest.unwrap_or(0).max(least)
}

/// Rows without blanks at their ends.
fn ended(table: &Table) -> String {
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// A plain cell.
pub(crate) fn plain(text: impl ToString) -> Cell {
    Cell::new(tame(&text.to_string()))
}

/// What stands in a table comes from files and programs: it must not drive the terminal.
fn tame(text: &str) -> String {
    let may_stand = |c: char| !c.is_control() || c == '\n' || c == '\t';
    let shown = text
        .chars()
        .map(|c| if may_stand(c) { c } else { '\u{fffd}' });
    shown.collect()
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Of a fixed zone and width, without colour.
    pub(crate) fn screen(lang: Lang, width: Option<u16>) -> Screen {
        Screen {
            lang,
            is_colored: false,
            width,
            is_terminal: width.is_some(),
            zone: Zone::new(|| Tz::Asia__Shanghai),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_table_cannot_drive_the_terminal() {
        let screen = testing::screen(akkaflow_model::text::Lang::En, None);
        let table = screen.table(&["a"], vec![vec![plain("\u{1b}[31mred\u{7}\r一")]]);
        assert!(
            table.contains("\u{fffd}[31mred\u{fffd}\u{fffd}一"),
            "{table:?}"
        );
    }

    #[test]
    fn the_width_is_what_columns_or_the_terminal_says() {
        assert_eq!(columns(Some("60"), true, || Some(100)), Some(60));
        assert_eq!(columns(Some("60"), false, || None), Some(60));
        assert_eq!(columns(None, true, || Some(100)), Some(100));
        assert_eq!(columns(None, true, || None), Some(80));
        assert_eq!(columns(Some("wide"), false, || Some(100)), None);
        assert_eq!(columns(Some("0"), true, || Some(0)), Some(80));
    }
}
