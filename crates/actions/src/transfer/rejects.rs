//! Rows that the target refuses, or that are none: into a file of their own, up to a limit.
//!
//! The file stands under another name until the end of the transfer. It takes its place right before the rows are committed, so that no
//! row is ever lost between the two, and when the limit is passed, so that people can look at it. Whatever else ends the transfer
//! leaves the place as it was.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use akkaflow_connectors::{
    Batch, Column, Csv, Delimiter, Error, FileFormat, FileWriter, Format, Kind, Layout, LocalSink,
    OnBadRow, Row,
};
use akkaflow_model::file_links::LOCAL;
use akkaflow_model::read::is_secret_name;
use akkaflow_model::text::Text;

use super::copy::Copied;
use super::leftovers;
use super::limit::Limit;
use super::piecemeal::Taken;
use super::place::blocking;
use crate::context::{AttemptContext, Level, LogSink};
use crate::files;
use crate::lines::excerpt;

/// What the user wants to become of bad rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// Where they go.
    pub(super) path: PathBuf,
    pub(super) limit: Limit,
}

/// Rejected rows whose reason the log shows.
const SHOWN_ROWS: u64 = 5;

/// Characters of a reason that the log shows.
const SHOWN_CHARACTERS: usize = 300;

/// A shorter value of a column that is named like a secret could not be told from other words.
const SHORTEST_SECRET: usize = 4;

/// Takes rejected rows. What it holds is gone when it is dropped, unless it was finished.
pub(super) struct Rejects {
    shared: Shared,
    path: PathBuf,
}

/// The hand that a reader or a writer has in it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<State>>);

struct State {
    /// `None` before the columns are known, and once it is over.
    writer: Option<FileWriter>,
    limit: Limit,
    path: PathBuf,
    count: u64,
    is_exceeded: bool,
    columns: Vec<Column>,
    /// The columns that are named like secrets.
    secrets: Vec<usize>,
    log: LogSink,
}

impl Rejects {
    pub(super) fn new(attempt: &AttemptContext, wish: &Wish) -> Self {
        let path = attempt.base_directory.join(&wish.path);
        let state = State {
            writer: None,
            limit: wish.limit,
            path: path.clone(),
            count: 0,
            is_exceeded: false,
            columns: Vec::new(),
            secrets: Vec::new(),
            log: attempt.log.clone(),
        };
        Self {
            shared: Shared(Arc::new(Mutex::new(state))),
            path,
        }
    }

    pub(super) fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Makes the file for rows of these columns; they have `number`s, that of a line or of a row.
    pub(super) async fn begin(
        &self,
        attempt: &AttemptContext,
        columns: &[Column],
        number: &str,
    ) -> Result<(), Error> {
        let own = [number, "reject_reason"].map(|name| Column::new(name, Kind::Field));
        let all: Vec<Column> = own.into_iter().chain(columns.iter().cloned()).collect();
        if let Ok(files) = files::open(attempt, LOCAL).await {
            leftovers::remove(attempt, &*files, &self.path.to_string_lossy()).await;
        }
        let unique = leftovers::unique(attempt);
        let path = self.path.clone();
        let writer = blocking(move || {
            let sink = Box::new(LocalSink::create(&path, &unique)?);
            FileWriter::new(sink, &path, format(), all)
        })
        .await?;
        self.shared.with(|state| {
            state.secrets = (0..columns.len())
                .filter(|index| is_secret_name(&columns[*index].name))
                .collect();
            state.columns = columns.to_vec();
            state.writer = Some(writer);
        });
        Ok(())
    }

    fn count(&self) -> u64 {
        self.shared.with(|state| state.count)
    }

    /// Whether more rows were rejected than the limit allows, as far as it is known.
    pub(super) fn is_exceeded(&self) -> bool {
        self.shared.with(|state| state.is_exceeded)
    }

    /// What a copy came to, once all rows are written but for the rejected ones, of which the target refused `taken.refused`. The file
    /// of these is in its place then.
    ///
    /// # Errors
    /// When there are more than the limit allows, or the file cannot be written.
    pub(super) async fn judge(&self, copied: Copied, taken: Taken) -> Result<Copied, Error> {
        let copied = Copied {
            rows: taken.written,
            rejected: self.count(),
            ..copied
        };
        let all = copied.rows + copied.rejected;
        self.shared.with(|state| state.check(Some(all)))?;
        self.finish().await?;
        Ok(copied)
    }

    /// Puts the file in its place, and says what is in it.
    pub(super) async fn finish(&self) -> Result<(), Error> {
        let (writer, count, log) = self
            .shared
            .with(|state| (state.writer.take(), state.count, state.log.clone()));
        if let Some(writer) = writer {
            blocking(move || writer.finish()).await?;
        }
        let path = self.path.display();
        let level = if count > 0 { Level::Warn } else { Level::Info };
        log.say(
            level,
            &Text::new(
                format!("拒绝{count}条记录，见{path}"),
                format!("{count} rows were rejected, see {path}"),
            ),
        );
        Ok(())
    }
}

impl Drop for Rejects {
    fn drop(&mut self) {
        // A reader may hold on to it for a moment longer.
        self.shared.with(|state| state.writer = None);
    }
}

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the reader of a file does with bad rows.
    pub(super) fn on_bad_row(self) -> OnBadRow {
        Box::new(move |line, values, reason| self.add(line, values, reason))
    }

    /// Takes a row.
    ///
    /// # Errors
    /// Once there are more than the limit allows, or when the file cannot be written.
    pub(super) fn add(&self, number: u64, values: Row<'_>, reason: &Text) -> Result<(), Error> {
        self.with(|state| state.add(number, values, reason))
    }
}

impl State {
    fn add(&mut self, number: u64, values: Row<'_>, reason: &Text) -> Result<(), Error> {
        let reason = self.masked(values.clone(), reason);
        let Some(writer) = &mut self.writer else {
            return Err(Error::Cancelled);
        };
        self.count += 1;
        let mut batch = Batch::default();
        batch.push(number.to_string().as_bytes());
        batch.push(both(&reason).as_bytes());
        for (index, value) in values.enumerate() {
            let is_binary = (self.columns.get(index))
                .is_some_and(|column| matches!(column.kind, Kind::Binary(_)));
            match value {
                None => batch.push_null(),
                Some(bytes) if is_binary => batch.push(bytes),
                Some(text) => batch.push(String::from_utf8_lossy(text).as_bytes()),
            }
        }
        batch.end_row_as(number);
        writer.write(&batch)?;
        if self.count <= SHOWN_ROWS {
            self.show(number, &reason);
        }
        self.check(None)
    }

    /// Against the limit, of `rows` in all once these are known.
    fn check(&mut self, rows: Option<u64>) -> Result<(), Error> {
        let (count, limit, path) = (self.count, self.limit, self.path.display());
        let is_allowed = match rows {
            Some(rows) => limit.allows(count, rows),
            None => limit.may_go_on(count),
        };
        if is_allowed {
            return Ok(());
        }
        self.is_exceeded = true;
        let (of_zh, of_en) = match rows {
            Some(rows) => (format!("（共{rows}条）"), format!(" of {rows}")),
            None => Default::default(),
        };
        Err(Error::Row(Text::new(
            format!(
                "拒绝的记录{count}条{of_zh}超过reject-limit={limit}，已全部回滚；被拒绝的记录见{path}"
            ),
            format!(
                "{count} rows{of_en} were rejected, more than reject-limit={limit} allows: nothing is kept; see the rejected rows in {path}"
            ),
        )))
    }

    fn show(&self, number: u64, reason: &Text) {
        let (zh, en) = (&reason.zh, &reason.en);
        let (zh, en) = (excerpt(zh, SHOWN_CHARACTERS), excerpt(en, SHOWN_CHARACTERS));
        let text = Text::new(
            format!("拒绝第{number}行：{zh}"),
            format!("row {number} is rejected: {en}"),
        );
        self.log.say(Level::Warn, &text);
    }

    /// A reason without the values of columns that are named like secrets.
    fn masked(&self, values: Row<'_>, reason: &Text) -> Text {
        let mut reason = reason.clone();
        if self.secrets.is_empty() {
            return reason;
        }
        for (index, value) in values.enumerate() {
            let value = value.and_then(|value| std::str::from_utf8(value).ok());
            let Some(value) = value.filter(|value| value.len() >= SHORTEST_SECRET) else {
                continue;
            };
            if self.secrets.contains(&index) {
                reason = Text::new(
                    reason.zh.replace(value, "***"),
                    reason.en.replace(value, "***"),
                );
            }
        }
        reason
    }
}

/// For whoever reads the file; a server's own words are the same in both.
fn both(reason: &Text) -> String {
    match reason.zh == reason.en {
        true => reason.en.clone(),
        false => format!("{} / {}", reason.zh, reason.en),
    }
}

/// CSV with a header, which every program reads.
fn format() -> FileFormat {
    let comma = Delimiter::parse(",").expect("a comma parts fields");
    let csv = Csv::new(comma, b'"', b'"').expect("a comma is no quote");
    FileFormat::Text(Format {
        has_header: true,
        ..Format::new(Layout::Csv(csv))
    })
}
