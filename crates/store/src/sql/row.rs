//! Reading a row of either dialect column by column.

use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;

use crate::error::Error;
use crate::sql::codes::Coded;

/// A row as its driver delivers it.
pub(crate) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From MySQL or MariaDB. Types are not compared with the column's: servers name them differently.
    Mysql(MySqlRow),
}

/// Reads the columns of a row from left to right.
pub(crate) struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    /// Starts at the first column.
    pub(crate) fn new(row: &'a Row) -> Self {
        Self { row, next: 0 }
    }

    fn step(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// A number or NULL.
    pub(crate) fn optional_int(&mut self) -> Result<Option<i64>, Error> {
        let index = self.step();
        match self.row {
            Row::Sqlite(row) => row.try_get(index),
            Row::Mysql(row) => row.try_get_unchecked(index),
        }
        .map_err(corrupt)
    }

    /// A number.
    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        let index = self.next;
        self.optional_int()?.ok_or_else(|| missing(index))
    }

    /// A text or NULL.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Error> {
        let index = self.step();
        match self.row {
            Row::Sqlite(row) => row.try_get(index),
            Row::Mysql(row) => row.try_get_unchecked(index),
        }
        .map_err(corrupt)
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Result<String, Error> {
        let index = self.next;
        self.optional_text()?.ok_or_else(|| missing(index))
    }

    /// Bytes or NULL.
    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let index = self.step();
        match self.row {
            Row::Sqlite(row) => row.try_get(index),
            Row::Mysql(row) => row.try_get_unchecked(index),
        }
        .map_err(corrupt)
    }

    /// Bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let index = self.next;
        self.optional_bytes()?.ok_or_else(|| missing(index))
    }

    /// A number that is never negative and fits 32 bits.
    pub(crate) fn count(&mut self) -> Result<u32, Error> {
        let number = self.int()?;
        u32::try_from(number).map_err(|_| Error::Corrupt(format!("count {number} out of range")))
    }

    /// A business date.
    pub(crate) fn day(&mut self) -> Result<i32, Error> {
        let number = self.int()?;
        i32::try_from(number).map_err(|_| Error::Corrupt(format!("day {number} out of range")))
    }

    /// The same as [`Columns::count`], or NULL.
    pub(crate) fn optional_count(&mut self) -> Result<Option<u32>, Error> {
        let out_of_range = |number| Error::Corrupt(format!("count {number} out of range"));
        self.optional_int()?
            .map(|number| u32::try_from(number).map_err(|_| out_of_range(number)))
            .transpose()
    }

    /// All 64 bits of what was stored as a signed number.
    pub(crate) fn bits(&mut self) -> Result<u64, Error> {
        self.int().map(i64::cast_unsigned)
    }

    /// A flag.
    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        self.int().map(|number| number != 0)
    }

    /// A moment.
    pub(crate) fn time(&mut self) -> Result<Timestamp, Error> {
        self.int().map(Timestamp::from_millis)
    }

    /// A moment or NULL.
    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, Error> {
        Ok(self.optional_int()?.map(Timestamp::from_millis))
    }

    /// A 128-bit number.
    pub(crate) fn wide(&mut self) -> Result<u128, Error> {
        wide(&self.bytes()?)
    }

    /// An instance's id.
    pub(crate) fn id(&mut self) -> Result<InstanceId, Error> {
        self.wide().map(InstanceId::from_u128)
    }

    /// An instance's id or NULL.
    pub(crate) fn optional_id(&mut self) -> Result<Option<InstanceId>, Error> {
        let Some(bytes) = self.optional_bytes()? else {
            return Ok(None);
        };
        wide(&bytes).map(|number| Some(InstanceId::from_u128(number)))
    }

    /// A structure that was stored as JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        parse(&self.text()?)
    }

    /// A structure that was stored as JSON text, or NULL.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        self.optional_text()?.map(|text| parse(&text)).transpose()
    }

    /// One of our enums.
    pub(crate) fn coded<T: Coded>(&mut self) -> Result<T, Error> {
        let number = self.int()?;
        T::from_code(number).ok_or_else(|| unknown_code(number))
    }

    /// One of our enums, or NULL.
    pub(crate) fn optional_coded<T: Coded>(&mut self) -> Result<Option<T>, Error> {
        let Some(number) = self.optional_int()? else {
            return Ok(None);
        };
        T::from_code(number)
            .map(Some)
            .ok_or_else(|| unknown_code(number))
    }

    /// A state of the model.
    pub(crate) fn state<T>(&mut self, from_code: fn(u8) -> Option<T>) -> Result<T, Error> {
        let number = self.int()?;
        u8::try_from(number)
            .ok()
            .and_then(from_code)
            .ok_or_else(|| unknown_code(number))
    }

    /// A state of the model, or NULL.
    pub(crate) fn optional_state<T>(
        &mut self,
        from_code: fn(u8) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(number) = self.optional_int()? else {
            return Ok(None);
        };
        u8::try_from(number)
            .ok()
            .and_then(from_code)
            .map(Some)
            .ok_or_else(|| unknown_code(number))
    }
}

fn wide(bytes: &[u8]) -> Result<u128, Error> {
    <[u8; 16]>::try_from(bytes)
        .map(u128::from_be_bytes)
        .map_err(|_| Error::Corrupt(format!("an id of {} bytes", bytes.len())))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(error.to_string()))
}

fn unknown_code(number: i64) -> Error {
    Error::Corrupt(format!("code {number} has no meaning in this version"))
}

fn missing(index: usize) -> Error {
    Error::Corrupt(format!("column {} is NULL", index + 1))
}

fn corrupt(error: sqlx::Error) -> Error {
    Error::Corrupt(error.to_string())
}
