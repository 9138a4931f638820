//! Remembers over a restart of the agent how output was cut, and how far it was acknowledged. Not flushed: after a
//! power cut there is no output either.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Stream, whether it is an acknowledgement, offset, length.
const RECORD: usize = 2 + 8 + 8;

/// A piece of one of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) stream: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// What was sent before the restart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Not acknowledged, in order.
    pub(super) unacknowledged: Vec<Piece>,
    /// Where reading goes on, by stream.
    pub(super) sent: [u64; 3],
    /// Bytes that the master has for certain, by stream.
    pub(super) acknowledged: [u64; 3],
}

/// The file.
#[derive(Debug)]
pub(super) struct Sent {
    path: PathBuf,
    file: Option<File>,
}

impl Sent {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Reads it back.
    pub(super) fn history(&self) -> io::Result<History> {
        let bytes = match std::fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut history = History::default();
        for record in bytes.chunks_exact(RECORD) {
            let word =
                |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().expect("eight bytes"));
            let stream = usize::from(record[0]).min(2);
            let end = word(2) + word(10);
            if record[1] == 0 {
                history.sent[stream] = end;
                history.unacknowledged.push(Piece {
                    stream: u32::from(record[0]),
                    offset: word(2),
                    length: word(10),
                });
            } else {
                history.acknowledged[stream] = end;
            }
        }
        let acknowledged = history.acknowledged;
        history.unacknowledged.retain(|piece| {
            piece.offset + piece.length > acknowledged[(piece.stream as usize).min(2)]
        });
        Ok(history)
    }

    /// Before a piece is sent for the first time.
    pub(super) fn record(&mut self, piece: Piece) -> io::Result<()> {
        self.append(piece, 0)
    }

    /// All of the stream up to `end` is at the master.
    pub(super) fn acknowledge(&mut self, stream: u32, end: u64) -> io::Result<()> {
        let piece = Piece {
            stream,
            offset: 0,
            length: end,
        };
        self.append(piece, 1)
    }

    fn append(&mut self, piece: Piece, kind: u8) -> io::Result<()> {
        let mut record = [0; RECORD];
        record[0] = u8::try_from(piece.stream).map_err(io::Error::other)?;
        record[1] = kind;
        record[2..10].copy_from_slice(&piece.offset.to_le_bytes());
        record[10..].copy_from_slice(&piece.length.to_le_bytes());
        if self.file.is_none() {
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)?;
            self.file = Some(file);
        }
        let file = self.file.as_mut().expect("opened above");
        file.write_all(&record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(stream: u32, offset: u64, length: u64) -> Piece {
        Piece {
            stream,
            offset,
            length,
        }
    }

    #[test]
    fn the_cuts_are_remembered_but_for_what_was_acknowledged() {
        let directory = tempfile::tempdir().unwrap();
        let mut sent = Sent::new(directory.path().join("sent"));
        sent.record(piece(1, 0, 10)).unwrap();
        sent.record(piece(2, 0, 4)).unwrap();
        sent.record(piece(1, 10, 5)).unwrap();
        sent.acknowledge(1, 10).unwrap();
        let history = sent.history().unwrap();
        assert_eq!(history.unacknowledged, [piece(2, 0, 4), piece(1, 10, 5)]);
        assert_eq!(history.sent, [0, 15, 4]);
        assert_eq!(history.acknowledged, [0, 10, 0]);
    }
}
