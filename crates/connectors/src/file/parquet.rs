//! Parquet: rows by columns, with their types. It is read and written in groups of rows that fit into memory.
//!
//! What a column holds in a database decides its type in the file, and the other way round: nothing is rounded. Columns of lists, maps and
//! structures are refused.

mod kinds;
mod parse;
mod read;
mod spell;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use akkaflow_model::text::Text;
use parquet::errors::ParquetError;

use crate::error::Error;

pub(super) use read::ParquetReader;
pub(super) use write::ParquetWriter;

fn failed(path: &Path, error: &ParquetError) -> Error {
    let path = path.display();
    Error::File(Text::new(
        format!("Parquet文件{path}无法读写：{error}"),
        format!("Parquet file {path} cannot be read or written: {error}"),
    ))
}
