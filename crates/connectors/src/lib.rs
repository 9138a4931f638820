//! Named databases (db-links), file systems (file-links, addresses of the web) and files of rows: connecting, running statements, and moving
//! rows in bulk. Knows nothing of workflows, and keeps what is peculiar to one product in that product's module.
//!
//! **Invariants:** memory is bounded whatever the number of rows; a password never stands in an error or a log line;
//! nothing but the rows of the running transfer is ever served to a server that asks for a local file.
//!
//! | module | holds |
//! |---|---|
//! | `connect` | from a db-link to a [`Session`]; the table of products: a new one is one file and one line there |
//! | `jdbc` | what a JDBC URL says |
//! | `session`, `dialect` | what every database can do for us, and how it spells things |
//! | `mysql`, `postgres`, `sqlite` | how each of them does it |
//! | `upsert` | rows that take the place of others of the same key |
//! | `batch`, `column`, `convert`, `exact` | rows under way, what their columns hold, and what a column would not keep |
//! | `pool` | sessions that wait for their next user |
//! | `preview` | the first rows of a result, for the log |
//! | `processor_time` | what is used for an attempt: its tasks are spawned there |
//! | `bridge` | what is asynchronous, for threads that may wait |
//! | `file` | reading and writing files of rows: delimited text, CSV, JSON lines and Parquet, and reading sheets of workbooks |
//! | `file_system` | what every file system can do for us; the table of their kinds: a new one is one file and one line there |
//! | `ssh` | machines that file-links of type SFTP name: commands there, and their files |
//! | `web` | calls over HTTP, and files at addresses of the web |
//! | `table_name` | what may stand in a statement as the name of a table |
//! | `split` | a text of statements cut into statements |

mod batch;
mod bridge;
mod column;
mod connect;
mod convert;
mod dialect;
mod error;
mod exact;
mod file;
mod file_system;
mod jdbc;
mod mysql;
mod pool;
mod postgres;
mod preview;
pub mod processor_time;
mod session;
mod split;
mod sqlite;
mod ssh;
mod table_name;
mod upsert;
pub mod web;

pub use batch::{Batch, BatchReceiver, BatchSender, Row, channel};
pub use column::{Column, Kind};
pub use connect::{Connected, Options, check, check_supported, connect, db_kinds, dialects};
pub use dialect::{Dialect, NamedLocks, Snapshot, TableWords};
pub use error::{Error, Unfit};
pub use file::{
    Altered, Compression, Content, Csv, Delimiter, Encoding, FileFormat, FileReader, FileWriter,
    Finished, Format, FormatError, Layout, LocalSink, OnBadRow, Reading, Sheet, SheetFormat, Sink,
    temporary_name,
};
pub use file_system::{
    FileConnector, FileEntry, FileSize, FileSystem, NewFile, addressed, check_supported_files,
    file_connectors, open_files,
};
pub use pool::Pool;
pub use preview::Preview;
pub use session::{
    Canceller, Comments, Done, Key, Load, Progress, RefusedRow, Session, cancellable,
};
pub use split::{Statement, holds_no_statement, split};
pub use ssh::{Ended, Ssh, Stream};
pub use table_name::check_table_name;
