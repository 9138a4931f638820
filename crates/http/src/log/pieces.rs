//! Lines out of chunks. A chunk holds some lines of one stream and may begin and end in the middle of one.

use std::collections::HashMap;

use akkaflow_api::{Level, LogLine};
use akkaflow_model::id::AttemptKey;
use akkaflow_model::time::Timestamp;
use akkaflow_store::{LogChunk, StoredChunk, Stream};

/// A longer line is given out in pieces: no reader wants it whole in memory.
const LONGEST_LINE: usize = 1 << 20;

type Source = (AttemptKey, Stream);

/// The beginning of a line whose end has not arrived.
#[derive(Debug)]
struct Unfinished {
    /// Where it begins.
    start: (u64, u64),
    at: Timestamp,
    text: Vec<u8>,
}

/// Puts lines together.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    unfinished: HashMap<Source, Unfinished>,
}

impl Pieces {
    /// Where the next line of a chunk ends, looking from `from` on; `None` when no line ends in the rest.
    pub(crate) fn next_end(stored: &StoredChunk, from: usize) -> Option<usize> {
        let rest = stored.chunk.data.get(from..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        Some(from + length)
    }

    /// When the next line of a chunk was captured.
    pub(crate) fn begun_at(&self, stored: &StoredChunk) -> Timestamp {
        self.unfinished
            .get(&source_of(stored))
            .map_or(stored.chunk.at, |unfinished| unfinished.at)
    }

    /// The line that ends at `end`.
    pub(crate) fn line(&mut self, stored: &StoredChunk, from: usize, end: usize) -> LogLine {
        let rest = &stored.chunk.data[from..end];
        match self.unfinished.remove(&source_of(stored)) {
            Some(mut unfinished) => {
                unfinished.text.extend_from_slice(rest);
                line(&stored.chunk, unfinished.at, &unfinished.text)
            }
            None => line(&stored.chunk, stored.chunk.at, rest),
        }
    }

    /// Keeps the rest of a chunk, in which no line ends; gives it out when it has become too long.
    pub(crate) fn keep_rest(&mut self, stored: &StoredChunk, from: usize) -> Option<LogLine> {
        let rest = stored
            .chunk
            .data
            .get(from..)
            .filter(|rest| !rest.is_empty())?;
        let unfinished = self
            .unfinished
            .entry(source_of(stored))
            .or_insert_with(|| Unfinished {
                start: (stored.number, from as u64),
                at: stored.chunk.at,
                text: Vec::new(),
            });
        unfinished.text.extend_from_slice(rest);
        let end = stored.chunk.data.len();
        (unfinished.text.len() > LONGEST_LINE).then(|| self.line(stored, end, end))
    }

    /// Takes a chunk that was read before for the sake of lines that begin in it: only those go on.
    pub(crate) fn resume(&mut self, stored: &StoredChunk, begin_at: Option<u64>) {
        let chunk = &stored.chunk;
        let source = source_of(stored);
        if let Some(unfinished) = self.unfinished.get_mut(&source) {
            unfinished.text.extend_from_slice(&chunk.data);
        } else if let Some(begin) = begin_at {
            let text = chunk
                .data
                .get(begin as usize..)
                .unwrap_or_default()
                .to_vec();
            self.unfinished.insert(
                source,
                Unfinished {
                    start: (stored.number, begin),
                    at: chunk.at,
                    text,
                },
            );
        }
    }

    /// Gives out the lines whose source will say no more: their end never comes.
    pub(crate) fn flush(&mut self, is_over: impl Fn(&AttemptKey) -> bool) -> Vec<LogLine> {
        let mut over: Vec<(Source, Unfinished)> = self
            .unfinished
            .extract_if(|(key, _), _| is_over(key))
            .collect();
        over.sort_by_key(|(_, unfinished)| unfinished.start);
        over.into_iter()
            .map(|((key, stream), unfinished)| {
                let chunk = LogChunk {
                    key,
                    stream,
                    offset: 0,
                    at: unfinished.at,
                    data: Vec::new(),
                };
                line(&chunk, unfinished.at, &unfinished.text)
            })
            .collect()
    }

    /// Where the lines begin whose end has not arrived.
    pub(crate) fn starts(&self) -> Vec<(u64, u64)> {
        let mut starts: Vec<_> = self
            .unfinished
            .values()
            .map(|unfinished| unfinished.start)
            .collect();
        starts.sort_unstable();
        starts
    }
}

fn source_of(stored: &StoredChunk) -> Source {
    (stored.chunk.key.clone(), stored.chunk.stream)
}

fn line(chunk: &LogChunk, at: Timestamp, bytes: &[u8]) -> LogLine {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    LogLine {
        time: at.into(),
        level: match chunk.stream {
            Stream::Stdout | Stream::Info => Level::Info,
            Stream::Warn => Level::Warn,
            Stream::Stderr | Stream::Error => Level::Error,
        },
        node: Some(chunk.key.node.clone()),
        attempt: Some(chunk.key.attempt),
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}
