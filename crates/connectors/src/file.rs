//! Files of rows. They are read as a stream and replaced as a whole.
//!
//! `Text` has akkaflow's rules: a plain delimiter, no quotes, one row a line. On reading an empty field and `null` in any case are NULL. On
//! writing NULL is `null`, a run of line breaks in a value becomes one blank, which [`FileWriter::finish`] tells; and a value that holds the
//! delimiter is refused, since nobody could read the row back. `Csv` is RFC 4180 and keeps every value, NULL beside the empty text
//! included. `JsonLines` has an object on each line, and keeps numbers, booleans and text apart. Bytes that are no text are spelled `\x00ff`
//! in all of them.

mod compression;
mod content;
mod csv;
mod delimiter;
mod encoding;
mod format;
mod input;
mod json;
mod open;
mod parquet;
mod reader;
mod sink;
#[cfg(test)]
mod tests;
mod text;
mod writer;
mod xlsx;

pub use compression::Compression;
pub use content::{Content, Reading};
pub use csv::Csv;
pub use delimiter::{Delimiter, FormatError};
pub use encoding::Encoding;
pub use format::{Format, Layout};
pub use open::{FileFormat, FileReader, FileWriter};
pub use reader::OnBadRow;
pub(crate) use sink::not_regular;
pub use sink::{LocalSink, Sink, temporary_name};
pub use writer::{Altered, Finished};
pub use xlsx::{Sheet, SheetFormat};

use std::path::Path;

use akkaflow_model::text::Text;

use crate::error::Error;

pub(crate) fn failed(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::File(Text::new(
            format!("文件{path}不存在"),
            format!("{path}: no such file or directory"),
        ));
    }
    Error::File(Text::new(
        format!("文件{path}读写失败：{error}"),
        format!("{path}: {error}"),
    ))
}
