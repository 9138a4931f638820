//! Figures with their limits and marks, as a table for people and as JSON for programs.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::machine::Machine;
use super::statistics::{Summary, summary};

/// One measured figure.
#[derive(Debug)]
pub(crate) struct Figure {
    /// `W1`.
    pub(crate) workload: &'static str,
    /// `standalone` or `cluster`.
    pub(crate) on: &'static str,
    /// What was measured.
    pub(crate) name: &'static str,
    /// Of the values.
    pub(crate) unit: &'static str,
    /// One value a run.
    pub(crate) values: Vec<f64>,
    /// What the machine can do; the first one is compared with, the others tell of what it consists.
    pub(crate) limits: Vec<Limit>,
    /// Marks of the first complete version.
    pub(crate) first: Vec<Mark>,
    /// Marks of version 1.0.
    pub(crate) last: Vec<Mark>,
}

/// A limit of the machine, measured beside a figure and in its unit.
#[derive(Debug)]
pub(crate) struct Limit {
    /// What was measured.
    pub(crate) name: &'static str,
    /// One value a run.
    pub(crate) values: Vec<f64>,
}

/// What a figure should reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mark {
    /// A value, less is better.
    AtMost(f64),
    /// A value, more is better.
    AtLeast(f64),
    /// A multiple of the limit, less is better.
    RatioAtMost(f64),
    /// A part of the limit, more is better.
    RatioAtLeast(f64),
}

impl Figure {
    fn summary(&self) -> Summary {
        summary(&self.values)
    }

    fn ratio(&self) -> Option<f64> {
        let limit = self.limits.first()?;
        Some(self.summary().median / summary(&limit.values).median)
    }

    fn is_met(&self, mark: Mark) -> bool {
        let (median, ratio) = (self.summary().median, self.ratio().unwrap_or(f64::NAN));
        match mark {
            Mark::AtMost(value) => median <= value,
            Mark::AtLeast(value) => median >= value,
            Mark::RatioAtMost(value) => ratio <= value,
            Mark::RatioAtLeast(value) => ratio >= value,
        }
    }

    fn marks(&self, marks: &[Mark]) -> String {
        let words = marks.iter().map(|mark| {
            let verdict = if self.is_met(*mark) { "met" } else { "MISSED" };
            format!("{} {verdict}", mark.words())
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn cells(&self) -> Vec<String> {
        let Summary {
            median,
            least,
            most,
        } = self.summary();
        let limit = self.limits.first();
        vec![
            self.workload.to_owned(),
            self.on.to_owned(),
            format!("{} ({})", self.name, self.unit),
            number(median),
            format!("{} .. {}", number(least), number(most)),
            limit.map_or(String::new(), |limit| {
                format!("{} ({})", number(summary(&limit.values).median), limit.name)
            }),
            self.ratio()
                .map_or(String::new(), |ratio| format!("{ratio:.2}")),
            self.marks(&self.first),
            self.marks(&self.last),
        ]
    }

    fn json(&self) -> Value {
        let Summary {
            median,
            least,
            most,
        } = self.summary();
        let marks = |marks: &[Mark]| -> Vec<Value> {
            marks
                .iter()
                .map(|mark| json!({"mark": mark.words(), "met": self.is_met(*mark)}))
                .collect()
        };
        let limits: Vec<Value> = self.limits.iter().map(Limit::json).collect();
        json!({
            "workload": self.workload, "on": self.on, "figure": self.name, "unit": self.unit, "runs": self.values,
            "median": median, "min": least, "max": most, "limits": limits, "ratio": self.ratio(),
            "first_marks": marks(&self.first), "marks_1_0": marks(&self.last),
        })
    }
}

impl Limit {
    fn json(&self) -> Value {
        json!({"limit": self.name, "runs": self.values, "median": summary(&self.values).median})
    }
}

impl Mark {
    fn words(self) -> String {
        match self {
            Self::AtMost(value) => format!("<= {value}"),
            Self::AtLeast(value) => format!(">= {value}"),
            Self::RatioAtMost(value) => format!("<= {value} x limit"),
            Self::RatioAtLeast(value) => format!(">= {value} x limit"),
        }
    }
}

/// Writes everything to standard output.
pub(crate) fn print(
    machine: &Machine,
    slots: u32,
    runs: u32,
    figures: &[Figure],
    is_json: bool,
) -> Result<()> {
    let text = if is_json {
        let figures: Vec<Value> = figures.iter().map(Figure::json).collect();
        let document =
            json!({"machine": machine.json(), "slots": slots, "runs": runs, "figures": figures});
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        format!(
            "{}\n{slots} slots, median of {runs} runs\n\n{}",
            machine.line(),
            tables(figures)
        )
    };
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

fn tables(figures: &[Figure]) -> String {
    const HEAD: [&str; 9] = [
        "",
        "server",
        "figure",
        "median",
        "min .. max",
        "limit of the machine",
        "ratio",
        "first mark",
        "1.0 mark",
    ];
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(figures.iter().map(Figure::cells));
    let mut text = aligned(&rows);
    let parts = figures.iter().filter(|figure| figure.limits.len() > 1);
    for figure in parts {
        let limits = figure.limits[1..]
            .iter()
            .map(|limit| format!("{} {}", number(summary(&limit.values).median), limit.name));
        let limits = limits.collect::<Vec<_>>().join(", ");
        writeln!(
            text,
            "{} {}, beside it: {limits}",
            figure.workload, figure.on
        )
        .expect("writing to a string cannot fail");
    }
    text
}

fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Three significant digits or all before the point.
fn number(value: f64) -> String {
    let places = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::{Figure, Limit, Mark, number, tables};

    fn figure() -> Figure {
        Figure {
            workload: "W1",
            on: "standalone",
            name: "a hop",
            unit: "ms",
            values: vec![3.0, 2.0, 9.0],
            limits: vec![
                Limit {
                    name: "spawn",
                    values: vec![1.0],
                },
                Limit {
                    name: "flush",
                    values: vec![0.25],
                },
            ],
            first: vec![Mark::AtMost(6.0)],
            last: vec![Mark::AtMost(2.0), Mark::RatioAtMost(3.0)],
        }
    }

    #[test]
    fn the_median_decides_whether_a_mark_is_met() {
        assert_eq!(figure().marks(&figure().first), "<= 6 met");
        assert_eq!(
            figure().marks(&figure().last),
            "<= 2 MISSED, <= 3 x limit met"
        );
    }

    #[test]
    fn a_row_shows_the_figure_its_spread_and_its_limit() {
        let text = tables(&[figure()]);
        assert!(
            text.contains("3.00    2.00 .. 9.00  1.00 (spawn)"),
            "{text}"
        );
        assert!(text.contains("beside it: 0.250 flush"), "{text}");
    }

    #[test]
    fn a_figure_without_a_limit_has_no_ratio() {
        let figure = Figure {
            limits: Vec::new(),
            ..figure()
        };
        assert_eq!(figure.ratio(), None);
        assert!(!figure.is_met(Mark::RatioAtLeast(0.1)));
    }

    #[test]
    fn numbers_are_as_long_as_they_are_worth() {
        assert_eq!(
            [1234.5, 12.34, 1.234, 0.1234].map(number),
            ["1234", "12.3", "1.23", "0.123"]
        );
    }
}
