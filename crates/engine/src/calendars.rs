//! Calendars of workdays: what their files said last, and the schedules that go by them.

use std::collections::BTreeMap;
use std::sync::Arc;

use akkaflow_model::code;
use akkaflow_model::diagnostic::{Finding, Severity};
use akkaflow_model::read::version_of;
use akkaflow_model::record::{CalendarRow, FileProblemRow, Record};
use akkaflow_model::schedule::Calendar;
use akkaflow_model::text::Text;

use crate::Engine;
use crate::definition::Definition;
use crate::pairs::Pairs;

/// All calendars.
#[derive(Debug, Default)]
pub(crate) struct Calendars {
    by_name: BTreeMap<String, Known>,
    /// The workflows that name a calendar, known or not.
    users: Pairs,
}

#[derive(Debug)]
struct Known {
    row: CalendarRow,
    /// What it says; `None` when this version of the program reads its text no more.
    calendar: Option<Arc<Calendar>>,
    /// Names what it says.
    content: String,
}

impl Known {
    fn new(row: CalendarRow) -> Self {
        let calendar = Calendar::read(&row.path, row.text.as_bytes()).calendar;
        Self {
            calendar: calendar.map(Arc::new),
            content: version_of(&row.text).0,
            row,
        }
    }
}

impl Calendars {
    pub(crate) fn load(rows: Vec<CalendarRow>) -> Self {
        let known = rows
            .into_iter()
            .map(|row| (row.name.clone(), Known::new(row)));
        Self {
            by_name: known.collect(),
            users: Pairs::default(),
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &CalendarRow> {
        self.by_name.values().map(|known| &known.row)
    }

    /// A calendar with the name of its content.
    fn get(&self, name: &str) -> Option<(Arc<Calendar>, &str)> {
        let known = self.by_name.get(name)?;
        Some((known.calendar.clone()?, &known.content))
    }

    /// Lets a definition go by the zone and the calendar that there are.
    pub(crate) fn settle(&self, definition: &mut Definition, zone: chrono_tz::Tz) {
        if let Some(plan) = definition.plan.as_deref_mut() {
            let calendar = plan.calendar().and_then(|name| self.get(name));
            plan.settle(zone, calendar);
        }
    }

    /// Notes which calendar a workflow names, instead of the one before.
    pub(crate) fn note_user(&mut self, workflow: &str, before: Option<&str>, after: Option<&str>) {
        if before != after {
            if let Some(name) = before {
                self.users.remove(name, workflow);
            }
            if let Some(name) = after {
                self.users.insert(name, workflow);
            }
        }
    }
}

impl Engine {
    /// A calendar's file says this now; the master has found nothing wrong with it.
    pub(crate) fn on_calendar(&mut self, path: &str, text: String) {
        let Some(name) = Calendar::read(path, text.as_bytes())
            .calendar
            .map(|calendar| calendar.name().to_owned())
        else {
            return;
        };
        let known = self.calendars.by_name.get(&name).map(|known| &known.row);
        if let Some(owner) = known.filter(|row| !row.is_file_gone && row.path != path) {
            let problem = taken(path, &name, &owner.path);
            self.on_file_problem(FileProblemRow {
                path: path.to_owned(),
                workflow: None,
                found_at: self.now,
                findings: vec![problem],
            });
            return;
        }
        let is_same = known.is_some_and(|row| row.text == text);
        let read_at = known.filter(|_| is_same).map(|row| row.read_at);
        self.clear_file_problem(path);
        self.keep_calendar(CalendarRow {
            name: name.clone(),
            path: path.to_owned(),
            text,
            read_at: read_at.unwrap_or(self.now),
            is_file_gone: false,
        });
        if !is_same {
            self.resettle(&name);
        }
    }

    /// What a calendar's file said stays in force when the file is gone.
    pub(crate) fn on_calendar_gone(&mut self, path: &str) {
        let gone = self
            .calendars
            .rows()
            .find(|row| row.path == path && !row.is_file_gone)
            .cloned();
        if let Some(row) = gone {
            self.keep_calendar(CalendarRow {
                is_file_gone: true,
                ..row
            });
        }
    }

    fn keep_calendar(&mut self, row: CalendarRow) {
        let before = self.calendars.by_name.get(&row.name);
        if before.is_none_or(|before| before.row != row) {
            self.out.definition(Record::Calendar(row.clone()));
            let name = row.name.clone();
            self.calendars.by_name.insert(name, Known::new(row));
        }
    }

    /// All schedules that go by a calendar do so as it is now.
    fn resettle(&mut self, calendar: &str) {
        let users: Vec<String> = self
            .calendars
            .users
            .of(calendar)
            .map(str::to_owned)
            .collect();
        for name in users {
            if let Some(definition) = self
                .workflows
                .get_mut(&name)
                .and_then(|entry| entry.definition.as_mut())
            {
                self.calendars.settle(definition, self.options.zone);
            }
            self.update_schedule(&name);
            self.consider.join(&name);
        }
    }
}

/// Another file has the calendar's name.
fn taken(path: &str, name: &str, owner: &str) -> Finding {
    Finding {
        code: code::BAD_CALENDAR.to_owned(),
        severity: Severity::Error,
        file: path.to_owned(),
        line: 1,
        column: 1,
        width: 1,
        excerpt: String::new(),
        excerpt_from: 0,
        message: Text::new(
            format!("日历{name}已由文件{owner}定义，忽略此文件"),
            format!("calendar `{name}` is defined by {owner}; this file is not used"),
        ),
        help: Some(Text::new(
            "请改名，或删除其中一个文件",
            "rename it, or remove one of the files",
        )),
    }
}
