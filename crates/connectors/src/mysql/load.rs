//! Rows in by `LOAD DATA LOCAL`, from a stream that nothing but the running statement can ask for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::exactly::{check, refused};
use super::{Mysql, code, failed, insert, server_code};
use crate::batch::{BatchReceiver, take_turn};
use crate::column::Kind;
use crate::convert::{Conversion, append_escaped};
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::{Load, Progress};
use crate::upsert::STAGING;

/// What makes the server say of each value that it does not take it exactly, and keep zero dates, explicit zeros in
/// `auto_increment` columns and our backslashes. Sources may be slow for a day. Notes are how it tells of decimals that it
/// rounds.
pub(super) const SESSION: &str = "set session sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', sql_notes = 1, net_read_timeout = 86400";

/// Below the smallest `max_allowed_packet` that anybody uses.
const PACKET_BYTES: usize = 256 * 1024;

/// The rows, until the server asks for them.
type Slot = Arc<Mutex<Option<BatchReceiver>>>;

/// Why the rows ended early: the driver keeps no error of ours.
type Refusal = Arc<Mutex<Option<Error>>>;

/// What becomes of the rows on their way.
struct Encoding {
    conversions: Vec<Conversion>,
    checks: Checks,
    /// Of all that is written, over other connections too.
    progress: Progress,
    /// What this statement alone has sent.
    sent: Progress,
    refusal: Refusal,
}

pub(super) async fn load(
    connection: &mut Conn,
    load: &mut Load,
    conversions: Vec<Conversion>,
    checks: Checks,
) -> Result<u64, Error> {
    let (_, unused) = crate::batch::channel();
    let rows = std::mem::replace(&mut load.rows, unused);
    let slot: Slot = Arc::new(Mutex::new(Some(rows)));
    let refusal = Refusal::default();
    let sent = Progress::default();
    let encoding = Encoding {
        conversions: conversions.clone(),
        checks: checks.clone(),
        progress: load.progress.clone(),
        sent: sent.clone(),
        refusal: Arc::clone(&refusal),
    };
    serve(connection, Arc::clone(&slot), encoding);
    let result = connection.query_drop(statement(load)).await;
    if let Some(error) = take(&refusal) {
        return Err(error);
    }
    match result {
        Ok(()) => check(connection, sent.rows(), !load.key.is_empty()).await,
        Err(error) if server_code(&error).is_some_and(|c| code::LOCAL_INFILE_OFF.contains(&c)) => {
            let rows = take(&slot).ok_or_else(|| failed(error))?;
            load.rows = rows;
            insert::insert(connection, load, &conversions, &checks).await
        }
        Err(error) => Err(refused(error)),
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Answers the next request of the server for a file, whatever name it gives, with our rows; any later one finds nothing.
fn serve(connection: &mut Conn, slot: Slot, encoding: Encoding) {
    connection.set_infile_handler(async move {
        Ok(match take(&slot) {
            Some(rows) => packets(rows, encoding),
            None => stream::empty().boxed(),
        })
    });
}

struct Encoder {
    rows: BatchReceiver,
    encoding: Encoding,
    packets: VecDeque<Bytes>,
}

fn packets(rows: BatchReceiver, encoding: Encoding) -> BoxStream<'static, std::io::Result<Bytes>> {
    let encoder = Encoder {
        rows,
        encoding,
        packets: VecDeque::new(),
    };
    stream::unfold(encoder, |mut encoder| async move {
        let packet = encoder.next().await?;
        Some((Ok(packet), encoder))
    })
    .boxed()
}

impl Encoder {
    async fn next(&mut self) -> Option<Bytes> {
        while self.packets.is_empty() {
            let batch = take_turn(&mut self.rows).await?;
            if let Err(error) = self.encoding.checks.check(&batch) {
                *self
                    .encoding
                    .refusal
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(error);
                // The stream ends like any other: the driver hangs up on the server after an error in it.
                return None;
            }
            let mut text = Vec::new();
            append_escaped(&batch, &self.encoding.conversions, &mut text);
            self.encoding.progress.add(&batch);
            self.encoding.sent.add(&batch);
            let mut text = Bytes::from(text);
            while !text.is_empty() {
                self.packets
                    .push_back(text.split_to(text.len().min(PACKET_BYTES)));
            }
        }
        self.packets.pop_front()
    }
}

/// Bytes and bits pass through variables, since the text's character set would change them.
fn statement(load: &Load) -> String {
    let mut fields = Vec::new();
    let mut settings = Vec::new();
    for (index, column) in load.target.iter().enumerate() {
        let name = Mysql.quote(&column.name);
        let function = match column.kind {
            Kind::Binary(_) => Some(format!("unhex(@akkaflow_{index})")),
            Kind::Bits(_) => Some(format!("cast(@akkaflow_{index} as unsigned)")),
            _ => None,
        };
        match function {
            Some(function) => {
                fields.push(format!("@akkaflow_{index}"));
                settings.push(format!("{name} = {function}"));
            }
            None => fields.push(name),
        }
    }
    let set = match settings.is_empty() {
        true => String::new(),
        false => format!(" set {}", settings.join(", ")),
    };
    let (replace, table) = match load.key.as_slice() {
        [] => ("", load.table.as_str()),
        _ => (" replace", STAGING),
    };
    format!(
        r"load data local infile 'akkaflow'{replace} into table {table} character set utf8mb4
          fields terminated by '\t' escaped by '\\' lines terminated by '\n' ({}){set}",
        fields.join(", "),
    )
}
