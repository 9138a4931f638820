//! The output of one attempt on its way to the master.

use std::collections::VecDeque;
use std::io;

use akkaflow_model::id::AttemptKey;
use akkaflow_model::text::Text;
use akkaflow_rpc::wire;

use super::lines::{LineReader, LineWriter};
use super::sent::{Piece, Sent};
use super::stream;
use super::tail::Tail;
use crate::clock;
use crate::home::AttemptHome;
use crate::secrets::Secrets;

/// Reads an attempt's output in the order in which it is sent.
#[derive(Debug)]
pub(super) struct Job {
    key: wire::AttemptKey,
    out: Tail,
    err: Tail,
    lines: LineReader,
    writer: Option<LineWriter>,
    secrets: Secrets,
    sent: Sent,
    again: VecDeque<Piece>,
    /// Bytes that may still be delivered.
    quota_left: u64,
    quota: u64,
    marker: Marker,
    /// Chunks that were handed out and not acknowledged.
    outstanding: usize,
    is_ended: bool,
    lines_are_read: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    NotNeeded,
    Due,
    Given,
}

impl Job {
    pub(super) fn new(
        key: &AttemptKey,
        home: &AttemptHome,
        writer: Option<LineWriter>,
        quota: u64,
    ) -> io::Result<Self> {
        let sent = Sent::new(home.sent());
        let history = sent.history()?;
        let delivered = history.sent[1] + history.sent[2];
        Ok(Self {
            key: key.into(),
            out: Tail::new(home.out(), history.sent[1]),
            err: Tail::new(home.err(), history.sent[2]),
            lines: LineReader::new(home.lines()),
            writer,
            secrets: Secrets::kept(&home.secrets()),
            sent,
            again: history.unacknowledged.into(),
            quota_left: quota.saturating_sub(delivered),
            quota,
            marker: Marker::NotNeeded,
            outstanding: 0,
            is_ended: false,
            lines_are_read: false,
        })
    }

    /// The attempt is over, and its outputs have these lengths.
    pub(super) fn end(&mut self, out: u64, err: u64) {
        self.out.close(out);
        self.err.close(err);
        self.is_ended = true;
    }

    /// Whether everything is at the master.
    pub(super) fn is_delivered(&self) -> bool {
        self.is_ended
            && self.outstanding == 0
            && self.again.is_empty()
            && self.lines_are_read
            && self.out.is_read()
            && self.err.is_read()
            && self.marker != Marker::Due
    }

    /// The next chunk, if there is one now.
    pub(super) fn next(&mut self) -> io::Result<Option<wire::LogChunk>> {
        let chunk = self.read_next()?;
        self.outstanding += usize::from(chunk.is_some());
        Ok(chunk)
    }

    fn read_next(&mut self) -> io::Result<Option<wire::LogChunk>> {
        while let Some(piece) = self.again.pop_front() {
            let tail = if piece.stream == stream::OUT {
                &mut self.out
            } else {
                &mut self.err
            };
            let mut data = tail.again(piece.offset, piece.length)?;
            self.secrets.hide(&mut data);
            if !data.is_empty() {
                return Ok(Some(self.chunk(
                    piece.stream,
                    piece.offset,
                    clock::wall_ms(),
                    data,
                )));
            }
        }
        if let Some(chunk) = self.next_line_chunk()? {
            return Ok(Some(chunk));
        }
        if self.quota_left > 0 {
            for stream in [stream::OUT, stream::ERR] {
                if let Some(chunk) = self.next_of_process(stream)? {
                    return Ok(Some(chunk));
                }
            }
        }
        Ok(self.gap())
    }

    fn next_line_chunk(&mut self) -> io::Result<Option<wire::LogChunk>> {
        if let Some(writer) = &self.writer {
            writer.flush();
        }
        let chunk = self.lines.next()?;
        self.lines_are_read = chunk.is_none();
        Ok(chunk.map(|chunk| self.chunk(chunk.stream, chunk.offset, chunk.at_ms, chunk.data)))
    }

    fn next_of_process(&mut self, stream: u32) -> io::Result<Option<wire::LogChunk>> {
        let tail = if stream == stream::OUT {
            &mut self.out
        } else {
            &mut self.err
        };
        let offset = tail.offset();
        let Some(mut data) = tail.next(self.quota_left)? else {
            return Ok(None);
        };
        self.secrets.hide(&mut data);
        let length = data.len() as u64;
        self.quota_left -= length;
        self.sent.record(Piece {
            stream,
            offset,
            length,
        })?;
        Ok(Some(self.chunk(stream, offset, clock::wall_ms(), data)))
    }

    /// Once the quota is used up: says so in the log, once, and passes over the rest.
    fn gap(&mut self) -> Option<wire::LogChunk> {
        if self.quota_left > 0 {
            return None;
        }
        if self.marker == Marker::NotNeeded
            && self.is_ended
            && self.out.is_read()
            && self.err.is_read()
        {
            return None;
        }
        for tail in [&mut self.out, &mut self.err] {
            tail.discard();
            tail.skip_to_end();
        }
        if self.marker == Marker::Given {
            return None;
        }
        self.marker = Marker::Given;
        let text = gap_text(self.quota);
        let line = format!("{} / {}\n", text.zh, text.en);
        let offset = self.lines.offset(stream::WARN);
        Some(self.chunk(stream::WARN, offset, clock::wall_ms(), line.into_bytes()))
    }

    fn chunk(&self, stream: u32, offset: u64, at_ms: i64, data: Vec<u8>) -> wire::LogChunk {
        wire::LogChunk {
            key: Some(self.key.clone()),
            stream,
            offset,
            at_ms,
            data,
        }
    }

    /// A chunk is durable at the master.
    pub(super) fn on_acknowledged(&mut self, stream: u32, end: u64) -> io::Result<()> {
        self.outstanding -= 1;
        let tail = match stream {
            stream::OUT => &mut self.out,
            stream::ERR => &mut self.err,
            _ => return Ok(()),
        };
        if tail.can_give_back(end) {
            self.sent.acknowledge(stream, end)?;
            tail.give_back(end);
        }
        Ok(())
    }
}

fn gap_text(quota: u64) -> Text {
    Text::new(
        format!("输出超过上限{quota}字节（log-quota），其余部分未保留"),
        format!("the output exceeds the quota of {quota} bytes (log-quota); the rest is not kept"),
    )
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::InstanceId;

    use super::*;
    use crate::home::Home;

    fn key() -> AttemptKey {
        AttemptKey {
            instance: InstanceId::from_u128(1),
            node: "a".into(),
            run: 1,
            attempt: 1,
        }
    }

    fn drain(job: &mut Job) -> Vec<(u32, u64, String)> {
        let mut found = Vec::new();
        while let Some(chunk) = job.next().unwrap() {
            let end = chunk.offset + chunk.data.len() as u64;
            job.on_acknowledged(chunk.stream, end).unwrap();
            let text = String::from_utf8_lossy(&chunk.data).into_owned();
            found.push((chunk.stream, chunk.offset, text));
        }
        found
    }

    #[test]
    fn both_outputs_and_the_reports_are_delivered() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap().attempt("x");
        home.create().unwrap();
        std::fs::write(home.out(), "o\n").unwrap();
        std::fs::write(home.err(), "e").unwrap();
        let writer = LineWriter::new(home.lines());
        writer.sink().info("i");
        let mut job = Job::new(&key(), &home, Some(writer), 1 << 20).unwrap();
        job.end(2, 1);
        let found = drain(&mut job);
        assert_eq!(
            found,
            [
                (stream::INFO, 0, "i\n".to_owned()),
                (stream::OUT, 0, "o\n".to_owned()),
                (stream::ERR, 0, "e".to_owned()),
            ]
        );
        assert!(job.is_delivered());
    }

    #[test]
    fn beyond_the_quota_one_line_says_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap().attempt("x");
        home.create().unwrap();
        std::fs::write(home.out(), "1234\n5678\n").unwrap();
        let mut job = Job::new(&key(), &home, None, 7).unwrap();
        job.end(10, 0);
        let found = drain(&mut job);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], (stream::OUT, 0, "1234\n".to_owned()));
        assert_eq!(found[1], (stream::OUT, 5, "56".to_owned()));
        assert!(found[2].2.contains("log-quota"), "{found:?}");
        assert!(job.is_delivered());
    }

    #[test]
    fn after_a_restart_pieces_are_cut_as_before() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap().attempt("x");
        home.create().unwrap();
        std::fs::write(home.out(), "one\n").unwrap();
        let mut job = Job::new(&key(), &home, None, 1 << 20).unwrap();
        assert!(job.next().unwrap().is_some());
        drop(job);
        std::fs::write(home.out(), "one\ntwo\n").unwrap();
        let mut job = Job::new(&key(), &home, None, 1 << 20).unwrap();
        job.end(8, 0);
        assert_eq!(
            drain(&mut job),
            [
                (stream::OUT, 0, "one\n".to_owned()),
                (stream::OUT, 4, "two\n".to_owned()),
            ]
        );
    }

    #[test]
    fn stars_stand_for_secrets_also_when_a_piece_is_sent_again() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap().attempt("x");
        home.create().unwrap();
        std::fs::write(home.secrets(), "s3cr3t").unwrap();
        std::fs::write(home.out(), "a s3cr3t\n").unwrap();
        let mut job = Job::new(&key(), &home, None, 1 << 20).unwrap();
        let chunk = job.next().unwrap().unwrap();
        assert_eq!(chunk.data, b"a ******\n");
        drop(job);
        let mut job = Job::new(&key(), &home, None, 1 << 20).unwrap();
        job.end(9, 0);
        assert_eq!(drain(&mut job), [(stream::OUT, 0, "a ******\n".to_owned())]);
    }
}
