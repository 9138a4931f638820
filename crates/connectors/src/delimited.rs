//! Delimited files with akkaflow's text rules: a plain delimiter, no quotes, one row a line. On reading an empty field and
//! `null` in any case are NULL. On writing NULL is `null`, a run of line breaks in a value becomes one blank, which
//! [`FileWriter::finish`] tells; bytes that are no text are spelled `\x00ff`; and a value that holds the delimiter is refused, since nobody could read the row back.

mod delimiter;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use delimiter::{Delimiter, DelimiterError};
pub use read::FileReader;
pub use write::{FileWriter, LineBreaks};

use std::path::Path;

use akkaflow_model::text::Text;

use crate::error::Error;

fn failed(path: &Path, error: &std::io::Error) -> Error {
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
