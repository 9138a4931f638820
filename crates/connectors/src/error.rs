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
    /// A row does not fit its target.
    #[error("{}", .0.en)]
    Row(Text),
    /// A file cannot be read or written.
    #[error("{}", .0.en)]
    File(Text),
    /// The caller asked to stop; the statement has been cancelled on the server.
    #[error("cancelled")]
    Cancelled,
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
            Self::File(text) => Self::File(join(text)),
            Self::Cancelled => Self::Cancelled,
        }
    }

    pub(crate) fn statement(words: impl Into<String>) -> Self {
        Self::Statement(Text::verbatim(words))
    }

    /// A value that the column cannot take.
    pub(crate) fn value(row: u64, column: &str, value: &[u8], zh: &str, en: &str) -> Self {
        let shown = shown(value);
        Self::Row(Text::new(
            format!("第{row}行字段`{column}`的值`{shown}`{zh}"),
            format!("row {row}, column `{column}`: value `{shown}` {en}"),
        ))
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
