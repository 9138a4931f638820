//! What people read: tables, times, durations, colours.

use std::io::IsTerminal as _;

use akkaflow_api::{Level, LogLine, Time};
use akkaflow_model::state::{InstanceState, NodeState};
use akkaflow_model::text::Lang;
use chrono::{FixedOffset, Local};
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

/// Where and for whom is printed.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) lang: Lang,
    pub(crate) is_colored: bool,
    /// Columns of the terminal; `None` when piped: nothing is wrapped then.
    width: Option<u16>,
    /// The zone of times; `None` for the machine's.
    zone: Option<FixedOffset>,
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
    pub(crate) fn of_terminal(lang: Lang) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            lang,
            is_colored: is_terminal && !no_color,
            width: is_terminal.then(|| Table::new().width()).flatten(),
            zone: None,
        }
    }

    /// The sentence in the language of the user.
    pub(crate) fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Whether wide tables must be made narrower.
    pub(crate) fn is_narrow(&self) -> bool {
        const WIDE: u16 = 120;
        self.width.is_some_and(|width| width < WIDE)
    }

    /// Local time to the second.
    pub(crate) fn time(&self, time: Time) -> String {
        self.format(time, "%Y-%m-%d %H:%M:%S")
    }

    /// The same, and nothing when there is none.
    pub(crate) fn optional_time(&self, time: Option<Time>) -> String {
        time.map(|time| self.time(time)).unwrap_or_default()
    }

    fn format(&self, time: Time, format: &str) -> String {
        let utc = time.0.to_utc();
        match self.zone {
            Some(zone) => utc.with_timezone(&zone).format(format).to_string(),
            None => utc.with_timezone(&Local).format(format).to_string(),
        }
    }

    /// From the start to the end, or to now; nothing before the start.
    pub(crate) fn duration(&self, started: Option<Time>, ended: Option<Time>) -> String {
        let Some(started) = started else {
            return String::new();
        };
        let ended = ended.unwrap_or_else(|| Time(Local::now().into()));
        let seconds = ended.0.since(started.0).as_secs();
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

    fn cell(&self, text: &str, paint: Option<Paint>) -> Cell {
        let cell = Cell::new(text);
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

    /// A table; wide double-width characters are counted as two.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<Cell>>) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(header);
        self.fit(&mut table);
        let constraints = unbroken_widths(header, &rows);
        table.add_rows(rows);
        if self.width.is_some() {
            table.set_constraints(constraints);
        }
        ended(&table)
    }

    /// Labels and values, one pair a line.
    pub(crate) fn pairs(&self, pairs: Vec<(&str, Cell)>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        self.fit(&mut table);
        for (label, value) in pairs {
            let colon = self.say("：", ":");
            table.add_row([Cell::new(format!("{label}{colon}")), value]);
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
    pub(crate) fn log_line(&self, line: &LogLine) -> String {
        let time = self.format(line.time, "%Y-%m-%d %H:%M:%S%.3f");
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
        if self.width.is_none() {
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

/// Each column is at least as wide as its longest date or word of Latin letters: those read badly in two pieces.
fn unbroken_widths(header: &[&str], rows: &[Vec<Cell>]) -> Vec<ColumnConstraint> {
    let mut widths: Vec<u16> = header.iter().map(|text| unbroken_width(text)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(unbroken_width(&cell.content()));
        }
    }
    // The two blanks around the text count too.
    let constraint = |width| ColumnConstraint::LowerBoundary(Width::Fixed(width + 2));
    widths.into_iter().map(constraint).collect()
}

fn unbroken_width(text: &str) -> u16 {
    // Beyond this a word is a path or an address, which may break.
    const LONGEST: usize = 15;
    let words = text.split(|c: char| c.is_whitespace() || !c.is_ascii());
    let longest = words
        .map(str::len)
        .filter(|length| *length <= LONGEST)
        .max();
    // One wide character at least.
    longest.unwrap_or(0).max(2) as u16
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
    Cell::new(text)
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
            zone: FixedOffset::east_opt(8 * 3600),
        }
    }
}
