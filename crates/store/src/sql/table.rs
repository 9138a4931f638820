//! What a table is to us: its columns, how a row is written into them and read back.

use crate::error::Error;
use crate::sql::row::Columns;
use crate::sql::value::Value;

/// The name and columns of a table.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Its name.
    pub(crate) name: &'static str,
    /// The columns of its primary key.
    pub(crate) keys: &'static [&'static str],
    /// All other columns that a row brings, without `number`.
    pub(crate) columns: &'static [&'static str],
    /// Whether the order of first writing is kept, and when it starts anew.
    pub(crate) number: Number,
}

/// How a table keeps the order of first writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// It does not.
    Absent,
    /// A row keeps its first number for ever.
    Once,
    /// A row keeps its first number until its `run` changes.
    PerRun,
}

impl Layout {
    /// All columns in the order in which rows are written and read.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> {
        let number = (self.number != Number::Absent).then_some("number");
        self.keys.iter().chain(self.columns).copied().chain(number)
    }

    /// How many parameters a row has.
    pub(crate) fn width(&self) -> usize {
        self.all().count()
    }
}

/// A row of a table.
pub(crate) trait Table: Sized {
    /// Where it is kept.
    const LAYOUT: Layout;

    /// Adds its values in the order of the layout, without `number`.
    fn write<'a>(&'a self, values: &mut Vec<Value<'a>>);

    /// Reads the columns of the layout, without `number`.
    fn read(columns: &mut Columns<'_>) -> Result<Self, Error>;
}
