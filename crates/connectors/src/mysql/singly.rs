//! Rows in one by one, for those of which a table refuses many.
//!
//! A packet holds an `insert` for each row. The server carries them out in their order, takes the one that fails back by itself, and stops there: a
//! refused row costs one round trip. What it takes with a warning is not kept exactly: it is taken back to the savepoint with which each packet
//! begins, and written again without that row.

use akkaflow_model::text::Text;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::exactly::{check, refused};
use super::insert::append_row;
use super::{Mysql, failed};
use crate::batch::Batch;
use crate::convert::Conversion;
use crate::dialect::Dialect as _;
use crate::error::Error;
use crate::exact::Checks;
use crate::session::{Load, RefusedRow};

/// Rows of a packet: with fewer the call itself weighs, with more those behind a refused row are sent again and again.
const ROWS: usize = 64;

/// A packet has no row more once it has this many bytes: below any usual `max_allowed_packet`.
const PACKET_BYTES: usize = 256 * 1024;

const SAVEPOINT: &str = "savepoint akkaflow_packet";

/// Adds the rows of `batch`, all but those that it gives back.
pub(super) async fn insert(
    connection: &mut Conn,
    load: &Load,
    batch: &Batch,
    conversions: &[Conversion],
    checks: &Checks,
) -> Result<Vec<RefusedRow>, Error> {
    let mut rows = Rows::default();
    rows.encode(load, batch, conversions, checks)?;
    let (mut start, mut suspect) = (0, None);
    while start < rows.ends.len() {
        let end = match suspect {
            Some(suspect) if suspect == start => start + 1,
            Some(suspect) => suspect,
            None => rows.packet_end(start),
        };
        match send(connection, rows.packet(start, end)).await? {
            Sent::All => start = end,
            Sent::Refused(at, reason) => {
                rows.refuse(start + at, reason);
                start += at + 1;
                suspect = None;
            }
            Sent::Inexact(at) => {
                let is_alone = end - start == 1;
                if is_alone {
                    let reason = check(connection, 1, false).await;
                    rows.refuse(start, reason_of(reason)?);
                }
                let back = format!("rollback to {SAVEPOINT}");
                connection.query_drop(back).await.map_err(failed)?;
                suspect = (!is_alone).then_some(start + at);
                start += usize::from(is_alone);
            }
        }
        suspect = suspect.filter(|suspect| *suspect >= start);
    }
    rows.refused.sort_by_key(|row| row.at);
    Ok(rows.refused)
}

/// What is said of a row that was taken, but not as it is.
fn reason_of(checked: Result<u64, Error>) -> Result<Text, Error> {
    match checked {
        Ok(_) => Ok(Text::new("被拒绝", "refused")),
        Err(Error::Unfit(unfit)) => Ok(unfit.reason),
        Err(error) => Err(error),
    }
}

/// The statements of rows.
#[derive(Default)]
struct Rows {
    text: Vec<u8>,
    /// End of each statement in `text`.
    ends: Vec<usize>,
    /// Of each statement, which row of the batch it is.
    places: Vec<usize>,
    refused: Vec<RefusedRow>,
}

impl Rows {
    fn encode(
        &mut self,
        load: &Load,
        batch: &Batch,
        conversions: &[Conversion],
        checks: &Checks,
    ) -> Result<(), Error> {
        let columns = Mysql.names(&load.target);
        let head = format!(";insert into {} ({columns}) values ", load.table);
        let mut converted = Vec::new();
        for (at, (number, row)) in batch.numbered_rows().enumerate() {
            let start = self.text.len();
            self.text.extend_from_slice(head.as_bytes());
            let text = &mut self.text;
            let encoded = checks.check_row(number, row.clone()).and_then(|()| {
                append_row(row, number, &load.target, conversions, &mut converted, text)
            });
            match encoded {
                Ok(()) => {
                    self.ends.push(self.text.len());
                    self.places.push(at);
                }
                Err(Error::Unfit(unfit)) => {
                    self.text.truncate(start);
                    let reason = unfit.reason;
                    self.refused.push(RefusedRow { at, reason });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn start_of(&self, index: usize) -> usize {
        match index {
            0 => 0,
            index => self.ends[index - 1],
        }
    }

    fn packet_end(&self, start: usize) -> usize {
        let most = (start + ROWS).min(self.ends.len());
        let bytes = self.start_of(start) + PACKET_BYTES;
        let fitting = self.ends[start..most].partition_point(|end| *end <= bytes);
        start + fitting.max(1)
    }

    fn packet(&self, start: usize, end: usize) -> Vec<u8> {
        let rows = &self.text[self.start_of(start)..self.ends[end - 1]];
        [SAVEPOINT.as_bytes(), rows].concat()
    }

    fn refuse(&mut self, index: usize, reason: Text) {
        let at = self.places[index];
        self.refused.push(RefusedRow { at, reason });
    }
}

/// What became of a packet.
enum Sent {
    All,
    /// Those before this row are in, it and those behind are not.
    Refused(usize, Text),
    /// All are in, up to one that is refused perhaps; but this one not as it is.
    Inexact(usize),
}

async fn send(connection: &mut Conn, packet: Vec<u8>) -> Result<Sent, Error> {
    let mut result = connection.query_iter(packet).await.map_err(failed)?;
    let mut inexact = None;
    // The first result is that of the savepoint.
    let mut row = 0;
    while !result.is_empty() {
        result.next().await.map_err(failed)?;
        if result.affected_rows() != 1 || result.warnings() > 0 {
            inexact = inexact.or(Some(row));
        }
        row += 1;
    }
    // A failure ends the results, and is told when these are dropped.
    match (result.drop_result().await, inexact) {
        (Ok(()), None) => Ok(Sent::All),
        (Ok(()), Some(at)) => Ok(Sent::Inexact(at)),
        (Err(_), Some(at)) if at + 1 < row => Ok(Sent::Inexact(at)),
        (Err(error), _) => match refused(error) {
            Error::Unfit(unfit) => Ok(Sent::Refused(row - 1, unfit.reason)),
            error => Err(error),
        },
    }
}
