//! Rows in by `LOAD DATA LOCAL`, from a stream that nothing but the running statement can ask for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use akkaflow_model::text::Text;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::{code, failed, insert, server_code};
use crate::batch::BatchReceiver;
use crate::column::Kind;
use crate::convert::{Conversion, append_escaped};
use crate::error::Error;
use crate::session::{Dialect, Load, Progress};

/// What makes the server say of each value that it does not take it exactly, and keep zero dates, explicit zeros in
/// `auto_increment` columns and our backslashes. Sources may be slow for a day. Notes tell of decimals that are rounded, which
/// is no mistake, and would push warnings out of the list.
pub(super) const SESSION: &str = "set session sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', sql_notes = 0, net_read_timeout = 86400";

/// Below the smallest `max_allowed_packet` that anybody uses.
const PACKET_BYTES: usize = 256 * 1024;

/// The rows, until the server asks for them.
type Slot = Arc<Mutex<Option<BatchReceiver>>>;

pub(super) async fn load(
    connection: &mut Conn,
    mut load: Load,
    conversions: Vec<Conversion>,
) -> Result<u64, Error> {
    let (_, unused) = crate::batch::channel();
    let rows = std::mem::replace(&mut load.rows, unused);
    let slot: Slot = Arc::new(Mutex::new(Some(rows)));
    serve(
        connection,
        Arc::clone(&slot),
        conversions.clone(),
        load.progress.clone(),
    );
    let result = connection.query_drop(statement(&load)).await;
    match result {
        Ok(()) => check(connection, load.progress.rows()).await,
        Err(error) if server_code(&error).is_some_and(|c| code::LOCAL_INFILE_OFF.contains(&c)) => {
            let rows = take(&slot).ok_or_else(|| failed(error))?;
            load.rows = rows;
            insert::insert(connection, load, &conversions).await
        }
        Err(error) => Err(failed(error)),
    }
}

fn take(slot: &Slot) -> Option<BatchReceiver> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Answers the next request of the server for a file, whatever name it gives, with our rows; any later one finds nothing.
fn serve(connection: &mut Conn, slot: Slot, conversions: Vec<Conversion>, progress: Progress) {
    connection.set_infile_handler(async move {
        Ok(match take(&slot) {
            Some(rows) => packets(rows, conversions, progress),
            None => stream::empty().boxed(),
        })
    });
}

struct Encoder {
    rows: BatchReceiver,
    conversions: Vec<Conversion>,
    progress: Progress,
    packets: VecDeque<Bytes>,
}

fn packets(
    rows: BatchReceiver,
    conversions: Vec<Conversion>,
    progress: Progress,
) -> BoxStream<'static, std::io::Result<Bytes>> {
    let encoder = Encoder {
        rows,
        conversions,
        progress,
        packets: VecDeque::new(),
    };
    stream::unfold(encoder, |mut encoder| async move {
        encoder.next().await.map(|packet| (Ok(packet), encoder))
    })
    .boxed()
}

impl Encoder {
    async fn next(&mut self) -> Option<Bytes> {
        while self.packets.is_empty() {
            let batch = self.rows.recv().await?;
            let mut text = Vec::new();
            append_escaped(&batch, &self.conversions, &mut text);
            self.progress.add(batch.row_count());
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
        let name = Dialect::Mysql.quote(&column.name);
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
    format!(
        r"load data local infile 'akkaflow' into table {} character set utf8mb4
          fields terminated by '\t' escaped by '\\' lines terminated by '\n' ({}){set}",
        load.table,
        fields.join(", "),
    )
}

/// `LOCAL` turns errors into warnings and passes over duplicates: whatever the server did not take exactly is an error here.
async fn check(connection: &mut Conn, sent: u64) -> Result<u64, Error> {
    let affected = connection.affected_rows();
    if connection.get_warnings() == 0 && affected == sent {
        return Ok(affected);
    }
    let warnings: Vec<(String, u16, String)> = connection
        .query("show warnings limit 3")
        .await
        .map_err(failed)?;
    let words: Vec<String> = warnings
        .into_iter()
        .map(|(_, code, message)| format!("{code}: {message}"))
        .collect();
    if words.is_empty() && affected == sent {
        return Ok(affected);
    }
    let words = words.join("; ");
    let refused = sent.saturating_sub(affected);
    Err(Error::Row(Text::new(
        format!("目标表不能原样接收所有记录（{refused}条被拒绝），已全部回滚：{words}"),
        format!(
            "the target does not take all rows as they are ({refused} refused), nothing is kept: {words}"
        ),
    )))
}
