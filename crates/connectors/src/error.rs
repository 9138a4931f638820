//! What can go wrong with a database or a delimited file.

use akkaflow_model::text::Text;

/// A failure, in words that people can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// What was configured cannot work: another try would fail in the same way.
    #[error("{}", .0.en)]
    Configuration(Text),
    /// Nobody answers there.
    #[error("{}", .0.en)]
    Unreachable(Text),
    /// The database answers, but does not let us in.
    #[error("{}", .0.en)]
    Refused(Text),
    /// The database did not carry out a statement, or the connection broke under it.
    #[error("{}", .0.en)]
    Statement(Text),
    /// The rows are not what the target needs: their columns differ, or what should be a row is none.
    #[error("{}", .0.en)]
    Row(Text),
    /// The target refuses a row: without it the others might go in.
    #[error("{}", .0.text.en)]
    Unfit(Box<Unfit>),
    /// A file cannot be read or written.
    #[error("{}", .0.en)]
    File(Text),
    /// The caller asked to stop; the statement has been cancelled on the server.
    #[error("cancelled")]
    Cancelled,
}

/// Why the target refuses a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// With the row's number, for whoever loses all rows for it.
    pub text: Text,
    /// Without, for whoever knows the row.
    pub reason: Text,
}

impl Error {
    /// What people read. [`Error::Cancelled`] says just that.
    pub fn text(&self) -> Text {
        match self {
            Self::Configuration(text)
            | Self::Unreachable(text)
            | Self::Refused(text)
            | Self::Statement(text)
            | Self::Row(text)
            | Self::File(text) => text.clone(),
            Self::Unfit(unfit) => unfit.text.clone(),
            Self::Cancelled => Text::new("已取消", "cancelled"),
        }
    }

    /// The same failure with where it happened said first.
    #[must_use]
    pub fn within(self, place: &Text) -> Self {
        let join = |text: Text| {
            Text::new(
                format!("{}：{}", place.zh, text.zh),
                format!("{}: {}", place.en, text.en),
            )
        };
        match self {
            Self::Configuration(text) => Self::Configuration(join(text)),
            Self::Unreachable(text) => Self::Unreachable(join(text)),
            Self::Refused(text) => Self::Refused(join(text)),
            Self::Statement(text) => Self::Statement(join(text)),
            Self::Row(text) => Self::Row(join(text)),
            Self::Unfit(unfit) => Self::unfit(join(unfit.text), unfit.reason),
            Self::File(text) => Self::File(join(text)),
            Self::Cancelled => Self::Cancelled,
        }
    }

    pub(crate) fn statement(words: impl Into<String>) -> Self {
        Self::Statement(Text::verbatim(words))
    }

    pub(crate) fn unfit(text: Text, reason: Text) -> Self {
        Self::Unfit(Box::new(Unfit { text, reason }))
    }

    /// A value that the column cannot take.
    pub(crate) fn value(row: u64, column: &str, value: &[u8], zh: &str, en: &str) -> Self {
        let shown = shown(value);
        let reason = Text::new(
            format!("字段`{column}`的值`{shown}`{zh}"),
            format!("column `{column}`: value `{shown}` {en}"),
        );
        let text = Text::new(
            format!("第{row}行{}", reason.zh),
            format!("row {row}, {}", reason.en),
        );
        Self::unfit(text, reason)
    }
}

/// Characters of a value that a message shows.
const SHOWN_CHARACTERS: usize = 64;

fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(&value[..value.len().min(4 * SHOWN_CHARACTERS)]);
    let mut cut: String = text.chars().take(SHOWN_CHARACTERS).collect();
    if cut.len() < value.len() {
        cut.push('…');
    }
    cut
}
