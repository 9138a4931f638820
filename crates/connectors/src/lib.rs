//! Named databases (db-links), machines reached by SSH (file-links) and files of rows: connecting, running statements, and moving rows in bulk. Knows
//! nothing of workflows, and keeps what is peculiar to one product in that product's module.
//!
//! **Invariants:** memory is bounded whatever the number of rows; a password never stands in an error or a log line;
//! nothing but the rows of the running transfer is ever served to a server that asks for a local file.
//!
//! | module | holds |
//! |---|---|
//! | `connect` | from a db-link to a [`Session`]; the table of products: a new one is one file and one line there |
//! | `jdbc` | what a JDBC URL says |
//! | `session` | what every database can do for us |
//! | `mysql`, `postgres`, `sqlite` | how each of them does it |
//! | `upsert` | rows that take the place of others of the same key |
//! | `batch`, `column`, `convert`, `exact` | rows under way, what their columns hold, and what a column would not keep |
//! | `preview` | the first rows of a result, for the log |
//! | `bridge` | what is asynchronous, for threads that may wait |
//! | `file` | reading and writing files of rows: delimited text, CSV, JSON lines and Parquet, and reading sheets of workbooks |
//! | `ssh` | machines that file-links of type SFTP name: commands there, and their files |
//! | `split` | a text of statements cut into statements |

mod batch;
mod bridge;
mod column;
mod connect;
mod convert;
mod error;
mod exact;
mod file;
mod jdbc;
mod mysql;
mod postgres;
mod preview;
mod session;
mod split;
mod sqlite;
mod ssh;
mod upsert;

pub use batch::{Batch, BatchReceiver, BatchSender, Row, channel};
pub use bridge::Bridge;
pub use column::{Column, Kind};
pub use connect::{Connected, Options, check, connect};
pub use error::{Error, Unfit};
pub use file::{
    Compression, Content, Csv, Delimiter, Encoding, FileFormat, FileReader, FileWriter, Finished,
    Format, FormatError, Layout, LineBreaks, LocalSink, OnBadRow, Reading, Sheet, SheetFormat,
    Sink,
};
pub use preview::Preview;
pub use session::{Canceller, Comments, Dialect, Done, Key, Load, Progress, Session, cancellable};
pub use split::{Statement, holds_no_statement, split};
pub use ssh::{Ended, Remote, RemoteEntry, RemoteFile, RemoteSink, Ssh, Stream};
